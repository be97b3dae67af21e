//! Maintenance of repositories that `git` made, judged by `git`.

use super::*;
use crate::faults::{Fault, ReadFault, Recorder, failing, failing_reads};
use crate::health::Health;
use crate::testing::Scratch;
use gix_object::Kind;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::PathBuf;
use std::process::Command;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

struct Repository(Scratch);

impl Deref for Repository {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.0
    }
}

impl Repository {
    /// A bare repository `server.git`, and `work`, from which it gets six pushes of a history with merges.
    fn new() -> Self {
        Self::with("")
    }

    fn with(init: &str) -> Self {
        Self::with_pushes(init, 6)
    }

    fn with_pushes(init: &str, pushes: u32) -> Self {
        let repository = Self(Scratch::new());
        repository
            .sh(&format!("git init -q --bare {init} -b main server.git && git -C server.git config receive.unpackLimit 1 && git init -q {init} -b main work"));
        for number in 1..=pushes {
            repository.push(number);
        }
        repository
    }

    fn push(&self, number: u32) {
        self.sh(&format!(
            "cd work && mkdir -p d/e$(({number} % 3)) && seq {number} 300 > d/e$(({number} % 3))/list &&
             seq {number} > new{number} && git add . && git commit -qm {number} && git tag -am t t{number} &&
             git checkout -q -b b{number} HEAD~$(({number} > 1 ? 1 : 0)) && seq {number}0 > other && git add . &&
             git commit -qm b{number} && git checkout -q main && git merge -q -m m{number} b{number} &&
             git push -q ../server.git --all && git push -q ../server.git --tags"
        ));
    }

    fn git_dir(&self) -> PathBuf {
        self.0.path().join("server.git")
    }

    fn maintain(&self, settings: &Settings, now: SystemTime) -> Report {
        run(&self.git_dir(), settings, now, &mut |_| true).expect("it works")
    }

    fn objects(&self) -> BTreeSet<String> {
        let all = "cd server.git && git cat-file --batch-all-objects --batch-check='%(objectname)'";
        self.sh(all).lines().map(str::to_owned).collect()
    }

    fn packs(&self) -> Vec<String> {
        let names = self.sh("cd server.git/objects/pack && ls");
        names.lines().filter(|name| name.ends_with(".pack")).map(str::to_owned).collect()
    }

    fn loose(&self) -> usize {
        self.sh("cd server.git && git count-objects")
            .split(' ')
            .next()
            .and_then(|count| count.parse().ok())
            .expect("a number")
    }

    fn check(&self) {
        self.sh("cd server.git && git fsck --full --strict && git multi-pack-index verify 2>/dev/null || git fsck --full --strict");
        self.sh("cd server.git && for p in objects/pack/*.idx; do git verify-pack $p; done");
        self.sh("cd server.git && if [ -f objects/info/commit-graph ]; then git commit-graph verify; fi");
        let leftover = self.sh("cd server.git && find . -name 'tmp_*' -o -name 'lithe-*'");
        assert_eq!(leftover, "");
    }
}

fn forced() -> Settings {
    Settings { is_forced: true, ..Settings::default() }
}

#[test]
fn everything_is_in_one_pack_with_bitmaps_and_a_graph() {
    for init in ["", "--object-format=sha256"] {
        let repository = Repository::with(init);
        let before = repository.objects();
        assert!(repository.packs().len() > 5);
        let report = repository.maintain(&Settings::default(), SystemTime::now());
        repository.check();
        assert_eq!(repository.objects(), before, "{init}");
        assert_eq!(repository.packs().len(), 1);
        let health = Health::of(&repository.git_dir(), SystemTime::now()).expect("readable");
        assert_eq!((health.packs, health.loose_objects, health.is_maintenance_due), (1, 0, false));
        assert_eq!(
            (health.packed_objects, health.bitmap_objects),
            (before.len() as u64, before.len() as u64)
        );
        assert_eq!((health.bitmaps, health.graph_commits), (report.bitmaps, report.graph_commits));
        assert!(health.clone_bytes < health.bytes && health.refs == 13, "{health:?}");
        assert!(report.packs_replaced > 5 && report.bitmaps > 5 && report.graph_commits == 17, "{report:?}");
        repository.sh("cd server.git && git rev-list --test-bitmap main");
        repository.sh("git clone -q --no-local server.git clone && git -C clone fsck --strict");
        assert_eq!(
            repository.maintain(&Settings::default(), SystemTime::now()),
            Report::default(),
            "nothing is left to be done"
        );
    }
}

#[test]
fn loose_objects_and_many_small_packs_are_rolled_up() {
    let repository = Repository::new();
    repository.sh("cd work && mkdir many && for i in $(seq 2000); do echo $i$i$i | sha256sum > many/f$i; done && git add . && git commit -qm many && git push -q ../server.git main");
    repository.maintain(&forced(), SystemTime::now());
    let large = repository.packs();
    for number in 11..16 {
        repository.push(number);
    }
    let before = repository.objects();
    assert!(repository.packs().len() > 9);
    let report = repository.maintain(&Settings::default(), SystemTime::now());
    repository.check();
    assert!(report.packs_replaced > 5 && report.bitmaps == 0, "{report:?}");
    assert_eq!(repository.objects(), before);
    let after = repository.packs();
    assert!(after.contains(&large[0]) && after.len() <= 3, "{after:?}");

    repository.sh("cd server.git && git -C ../work repack -adfq && for i in $(seq 201); do echo loose $i | git hash-object -w --stdin; done");
    let before = repository.objects();
    let report = repository.maintain(&Settings::default(), SystemTime::now());
    repository.check();
    assert_eq!((report.loose_objects_packed, repository.loose()), (201, 0));
    assert_eq!(repository.objects(), before, "whether or not something reaches them");
}

#[test]
fn what_nothing_reaches_is_kept_for_a_time() {
    let repository = Repository::new();
    let all = repository.objects();
    repository.sh("cd server.git && echo lost | git hash-object -w --stdin");
    repository.sh("cd server.git && git branch -q -D b6 && git update-ref refs/heads/main main~3 && git tag -d t5 t6 && git for-each-ref refs/heads/b5 --format='delete %(refname)' | git update-ref --stdin");
    let reached: BTreeSet<String> = repository
        .sh("cd server.git && git rev-list --objects --no-object-names --all")
        .lines()
        .map(str::to_owned)
        .collect();
    let now = SystemTime::now();
    let first = repository.maintain(&forced(), now);
    repository.check();
    assert_eq!(first.unreachable_kept as usize, all.len() + 1 - reached.len());
    assert_eq!(repository.objects().len(), all.len() + 1);
    assert_eq!(repository.packs().len(), 2);
    repository.sh("ls server.git/objects/pack/*.mtimes");

    let again = repository.maintain(&forced(), now + 13 * DAY);
    assert_eq!((again.unreachable_kept, again.unreachable_removed), (first.unreachable_kept, 0));
    assert_eq!(repository.maintain(&Settings::default(), now + 13 * DAY), Report::default());

    // What comes back is kept by what reaches it.
    repository.sh("cd server.git && git tag back $(git -C ../work rev-parse b5)");
    let last = repository.maintain(&Settings::default(), now + 15 * DAY);
    repository.check();
    assert!(last.unreachable_removed > 0 && last.unreachable_kept == 0, "{last:?}");
    let reached: BTreeSet<String> = repository
        .sh("cd server.git && git rev-list --objects --no-object-names --all")
        .lines()
        .map(str::to_owned)
        .collect();
    assert_eq!(repository.objects(), reached);
}

#[test]
fn what_is_kept_or_named_elsewhere_stays() {
    let repository = Repository::new();
    let kept = repository.packs()[0].clone();
    repository.sh(&format!("touch server.git/objects/pack/{}", kept.replace(".pack", ".keep")));
    // A reflog names what no ref does.
    repository.sh("cd server.git && git config core.logAllRefUpdates true && git update-ref refs/heads/b4 main && git update-ref refs/heads/b4 main~1 && git config core.logAllRefUpdates false");
    repository.sh("cd server.git && mkdir -p logs/refs/heads && echo \"$(git rev-parse b6) $(git rev-parse b6) A <a> 0 +0000\" > logs/refs/heads/b6 && git update-ref -d refs/heads/b6 --no-deref || true");
    let before = repository.objects();
    let never = Settings { unreachable_for: None, ..forced() };
    repository.maintain(&never, SystemTime::now() + 1000 * DAY);
    assert!(repository.packs().contains(&kept));
    assert_eq!(repository.objects(), before);
    repository.sh("cd server.git && git fsck --full --strict");
}

#[test]
fn long_chains_of_deltas_are_cut() {
    let repository = Repository(Scratch::new());
    // Each version of a file is stored as a delta against the one before.
    repository.sh(
        "git init -q --bare -b main server.git && cd server.git && for i in $(seq 120); do
             printf 'commit refs/heads/main\\ncommitter A <a@example.org> 1700000000 +0000\\ndata 2\\n%s\\n' $((i % 10))
             seq $((2000 + i)) > ../list && printf 'M 100644 inline list\\ndata %s\\n' $(wc -c < ../list) && cat ../list
         done | git -c fastimport.unpackLimit=0 fast-import --quiet --depth=200",
    );
    let depth = || -> u32 {
        let chains = repository.sh("cd server.git && git verify-pack -v objects/pack/*.idx | awk 'NF == 7 && $6 > m { m = $6 } END { print m + 0 }'");
        chains.parse().expect("a number")
    };
    assert!(depth() > 50, "{}", depth());
    repository.maintain(&forced(), SystemTime::now());
    repository.check();
    assert!((10..=50).contains(&depth()), "{}", depth());
}

#[test]
fn many_loose_refs_are_packed() {
    let repository = Repository::new();
    repository.sh("cd server.git && for i in $(seq 300); do git update-ref refs/heads/x/$i main; done");
    let refs = repository.sh("cd server.git && git for-each-ref");
    let report = repository.maintain(&Settings::default(), SystemTime::now());
    assert!(report.refs_packed > 300, "{report:?}");
    assert_eq!(repository.sh("cd server.git && git for-each-ref"), refs);
    assert_eq!(repository.sh("cd server.git && find refs -type f | wc -l"), "0");
    repository.check();
}

#[test]
fn an_incomplete_repository_loses_nothing() {
    let repository = Repository::new();
    let blob = repository.sh("cd work && git rev-parse main:d/e0/list");
    repository.sh(&format!(
        "cd server.git && for p in objects/pack/*.pack; do mv $p . ; done; rm objects/pack/*; for p in *.pack; do git unpack-objects -q < $p; rm $p; done; rm -f objects/{}/{}",
        &blob[..2],
        &blob[2..]
    ));
    let before = repository.objects();
    let outcome = run(&repository.git_dir(), &forced(), SystemTime::now(), &mut |_| true);
    assert!(matches!(outcome, Err(Error::Store(odb::Error::Missing(id))) if id.to_string() == blob));
    assert_eq!(repository.objects(), before);
    assert_eq!(repository.sh("find server.git -name 'tmp_*' -o -name 'lithe-*'"), "");
}

/// Stops a run at every word on progress that it gives, as a kill would, and looks what is left.
#[test]
fn a_run_may_end_anywhere() {
    let steps = |repository: &Repository| {
        let mut count = 0;
        run(&repository.git_dir(), &forced(), SystemTime::now(), &mut |_| {
            count += 1;
            true
        })
        .expect("it works");
        count
    };
    // Refs would be packed by the first run that gets so far, and the next have less to do.
    let with_packed_refs = || {
        let repository = Repository::new();
        repository.sh("git -C server.git pack-refs --all");
        repository
    };
    let total = steps(&with_packed_refs());
    assert!(total >= 5);
    let repository = with_packed_refs();
    let before = repository.objects();
    for stop in 0..total {
        let mut count = 0;
        let outcome = run(&repository.git_dir(), &forced(), SystemTime::now(), &mut |_| {
            count += 1;
            count <= stop
        });
        assert!(matches!(outcome, Err(Error::Stopped)), "{stop}");
        repository.check();
        assert_eq!(repository.objects(), before, "{stop}");
    }
}

/// What a run has to leave as it is, with an object that no ref reaches.
fn as_it_was(git_dir: &Path) -> String {
    let script = "git fsck --full --strict --no-dangling && git for-each-ref && git cat-file --batch-all-objects --batch-check='%(objectname)'";
    let output = Command::new("sh").arg("-ec").arg(script).current_dir(git_dir).output().expect("sh runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

fn small_and_untidy() -> Repository {
    let repository = Repository::with_pushes("", 2);
    repository.sh("cd server.git && echo lost | git hash-object -w --stdin && git gc -q --no-prune && git multi-pack-index write && echo found | git hash-object -w --stdin");
    repository.push(3);
    repository
}

#[test]
fn the_power_may_go_at_any_moment_of_a_run() {
    let repository = small_and_untidy();
    let before = as_it_was(&repository.git_dir());
    let recorder = Recorder::start(repository.0.path());
    repository.maintain(&forced(), SystemTime::now());
    let recording = recorder.stop();
    assert!(recording.is_as_on_disk());
    let is_read_by_git = |path: &Path| {
        let is_ours =
            |name: &str| name.starts_with("tmp_") && !name.ends_with(".idx") || name.starts_with("lithe-");
        path.starts_with("server.git") && !path.iter().any(|name| is_ours(&name.to_string_lossy()))
    };
    let mut number = 0;
    let states = recording.crashes(&[], is_read_by_git, |crash| {
        let place = tempfile::tempdir().expect("a directory");
        crash.write(place.path());
        let git_dir = place.path().join("server.git");
        assert_eq!(as_it_was(&git_dir), before, "after {} changes", crash.moment);
        number += 1;
        if number % EVERY == 0 {
            let later = SystemTime::now() + 2 * DAY;
            run(&git_dir, &forced(), later, &mut |_| true).expect("it works");
            assert_eq!(as_it_was(&git_dir), before, "after {} changes", crash.moment);
            let names = std::fs::read_dir(git_dir.join("objects/pack")).expect("readable");
            let is_left = |name: &str| name.starts_with("tmp_") || name.starts_with("lithe-");
            let left = names.map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned());
            assert_eq!(left.filter(|name| is_left(name)).collect::<Vec<_>>(), [""; 0]);
        }
    });
    assert!(states > 50, "{states}");
}

/// Each of how many states is tried whether the next run goes well in it.
const EVERY: usize = 25;

#[test]
fn any_change_to_a_file_may_fail_in_a_run() {
    let repository = small_and_untidy();
    let before = as_it_was(&repository.git_dir());
    for fault in Fault::ALL {
        for first in 0.. {
            repository.sh("rm -rf sound.git && cp -a server.git sound.git");
            let git_dir = repository.0.path().join("sound.git");
            let (_, has_struck) =
                failing(fault, first, || run(&git_dir, &forced(), SystemTime::now(), &mut |_| true));
            assert_eq!(as_it_was(&git_dir), before, "{fault:?} at {first}");
            if !has_struck {
                break;
            }
        }
    }
}

/// Reads that are had to fail: all of the first ones, and some of the many that follow.
fn some_reads() -> impl Iterator<Item = usize> {
    (0..24).chain((24..).step_by(43))
}

#[test]
fn any_read_may_fail_in_a_run() {
    let repository = small_and_untidy();
    // Something to be finished, to be kept, and to go.
    repository.sh("cd server.git && printf 'pack-1.pack\\n' > objects/pack/lithe-removing && for p in objects/pack/*.pack; do touch ${p%.pack}.keep; break; done");
    let before = as_it_was(&repository.git_dir());
    let kept = repository.sh("cd server.git/objects/pack && ls *.keep").replace(".keep", ".pack");
    let mut failed = 0;
    for fault in ReadFault::ALL {
        for first in some_reads() {
            repository.sh("rm -rf sound.git && cp -a server.git sound.git");
            let git_dir = repository.path().join("sound.git");
            let later = SystemTime::now() + 20 * DAY;
            let (outcome, has_struck) = failing_reads(fault, first, || {
                let settings = Settings { unreachable_for: None, ..forced() };
                run(&git_dir, &settings, later, &mut |_| true)
            });
            assert_eq!(as_it_was(&git_dir), before, "{fault:?} at {first}: {outcome:?}");
            assert!(git_dir.join("objects/pack").join(&kept).is_file(), "{fault:?} at {first}");
            if !has_struck {
                break;
            }
            failed += usize::from(outcome.is_err());
        }
    }
    assert!(failed > 40, "{failed}: a read that fails is an error, but for shortcuts and leftovers");
}

#[test]
fn nothing_is_taken_for_unreachable_that_could_not_be_read() {
    let repository = small_and_untidy();
    let reached = "git rev-list --objects --all | cut -d' ' -f1 | sort";
    let before = repository.sh(&format!("cd server.git && {reached}"));
    for first in some_reads() {
        repository.sh("rm -rf sound.git && cp -a server.git sound.git");
        let git_dir = repository.path().join("sound.git");
        // Whatever no ref reaches goes at once.
        let settings = Settings { unreachable_for: Some(Duration::ZERO), ..forced() };
        let later = SystemTime::now() + DAY;
        let (_, has_struck) =
            failing_reads(ReadFault::Once, first, || run(&git_dir, &settings, later, &mut |_| true));
        run(&git_dir, &settings, later + DAY, &mut |_| true).expect("it works again");
        repository.sh("git -C sound.git fsck --full --strict");
        assert_eq!(repository.sh(&format!("cd sound.git && {reached}")), before, "at {first}");
        if !has_struck {
            break;
        }
    }
}

#[test]
fn the_power_may_go_while_many_refs_are_packed() {
    let repository = Repository::with_pushes("", 1);
    repository.sh(&format!(
        "cd server.git && git gc -q && for i in $(seq {}); do echo create refs/heads/x/$i $(git rev-parse main); done | git update-ref --stdin",
        refs::PACKED_FROM + 5
    ));
    let before = as_it_was(&repository.git_dir());
    let recorder = Recorder::start(repository.path());
    let report = repository.maintain(&Settings::default(), SystemTime::now());
    assert!(report.refs_packed as usize > refs::PACKED_FROM);
    let recording = recorder.stop();
    let is_read_by_git = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.starts_with("server.git") && !name.ends_with(".lock") && !name.starts_with("lithe-")
    };
    let mut number = 0;
    let states = recording.crashes(&[], is_read_by_git, |crash| {
        number += 1;
        if number % EVERY == 0 {
            let place = tempfile::tempdir().expect("a directory");
            crash.write(place.path());
            let git_dir = place.path().join("server.git");
            assert_eq!(as_it_was(&git_dir), before, "after {} changes", crash.moment);
            let later = SystemTime::now() + DAY;
            run(&git_dir, &Settings::default(), later, &mut |_| true).expect("it works");
            assert_eq!(as_it_was(&git_dir), before, "after {} changes", crash.moment);
        }
    });
    assert!(states > refs::PACKED_FROM, "{states}");
}

#[test]
fn files_that_were_never_complete_go_wherever_they_are() {
    let repository = small_and_untidy();
    let now = SystemTime::now();
    let places = "tmp_lithe_1 objects/info/tmp_lithe_2 objects/pack/tmp_pack_3 objects/aa/tmp_obj_4";
    repository.sh(&format!("cd server.git && mkdir -p objects/aa && touch {places} tmp_of_somebody"));
    let left = || repository.sh("cd server.git && find . -name 'tmp_*' | wc -l");
    repository.maintain(&Settings::default(), now);
    assert_eq!(left(), "5", "they may be written to");
    repository.maintain(&Settings::default(), now + 2 * DAY);
    assert_eq!(left(), "1");
    assert_eq!(repository.sh("cd server.git && ls tmp_*"), "tmp_of_somebody");
}

#[test]
fn a_removal_that_was_cut_short_is_finished() {
    let repository = Repository::new();
    let gone = repository.packs()[0].clone();
    let index = gone.replace(".pack", ".idx");
    repository.sh(&format!(
        "cd server.git && mv objects/pack/{gone} . && rm -f objects/pack/{index} && git unpack-objects -q < {gone} &&
         mv {gone} objects/pack && printf '{gone}\\npack-x/../../../config.pack\\n' > objects/pack/lithe-removing"
    ));
    repository.maintain(&Settings::default(), SystemTime::now());
    assert!(!repository.packs().contains(&gone));
    repository.sh("ls server.git/config");
    repository.check();
}

#[test]
fn borrowed_objects_stay_where_they_are() {
    let place = tempfile::tempdir().expect("a directory");
    let git = |words: &str| {
        let mut command = std::process::Command::new("git");
        command.current_dir(place.path()).args(words.split(' '));
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.org");
        }
        let output = command.output().expect("git runs");
        assert!(output.status.success(), "git {words}: {output:?}");
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    };
    git("init -q --bare lender.git");
    git("init -q --bare borrower.git");
    let tree = git("-C lender.git mktree");
    for (name, objects) in [("lender", "lender.git"), ("borrower", "borrower.git")] {
        let commit = git(&format!("-C {objects} commit-tree -m {name} {tree}"));
        git(&format!("-C {objects} update-ref refs/heads/main {commit}"));
        if name == "lender" {
            std::fs::write(
                place.path().join("borrower.git/objects/info/alternates"),
                "../../lender.git/objects\n",
            )
            .expect("written");
            git(&format!("-C borrower.git update-ref refs/heads/lent {commit}"));
        }
    }
    let settings = Settings { unreachable_for: None, ..forced() };
    for name in ["borrower.git", "lender.git"] {
        let mut go_on = |_: Progress| true;
        run(&place.path().join(name), &settings, SystemTime::now(), &mut go_on).expect("maintained");
        for name in ["borrower.git", "lender.git"] {
            git(&format!("-C {name} fsck --full --strict"));
            assert_eq!(
                crate::check::check_repository(&place.path().join(name)).problems,
                Vec::<String>::new()
            );
        }
    }
}

#[test]
fn versions_of_a_file_that_were_pushed_one_by_one_are_told_by_one_another() {
    let repository = Repository::new();
    repository.sh("git -C server.git config gc.auto 0 && git -C server.git config receive.autogc false");
    // Lines that do not repeat, so that a version that is stored whole shows in the size.
    repository.sh("cd work && for i in $(seq 3000); do echo $i-$((i * 7919 % 104729))-$((i * i * 31 % 999983)); done > text");
    for version in 1..=12 {
        repository.sh(&format!(
            "cd work && sed -i '{}s/.*/version {version}/' text && git add . && git commit -qm {version} && git push -q ../server.git main",
            version * 200
        ));
    }
    let packs = repository.packs().len();
    repository.sh("cp -a server.git peer.git && git -C peer.git gc -q");
    let objects = repository.objects();
    repository.maintain(&forced(), SystemTime::now());
    repository.check();
    assert!(packs > 12 && repository.packs().len() == 1);
    assert_eq!(repository.objects(), objects);
    let size = |name: &str| -> u64 {
        let size = repository.sh(&format!("cat {name}/objects/pack/*.pack | wc -c"));
        size.parse().expect("a number")
    };
    let (ours, gits) = (size("server.git"), size("peer.git"));
    assert!(ours * 10 <= gits * 13, "{ours} bytes, and {gits} after git gc");
    // Deltas do not lie upon one another without end, however often.
    for version in 13..=24 {
        repository.sh(&format!(
            "cd work && sed -i '{}s/.*/version {version}/' text && git add . && git commit -qm {version} && git push -q ../server.git main",
            version * 100
        ));
        repository.maintain(&forced(), SystemTime::now());
    }
    repository.check();
    let chains = repository.sh(
        "git verify-pack -v server.git/objects/pack/*.idx | sed -n 's/^chain length = \\([0-9]*\\):.*/\\1/p'",
    );
    assert!(chains.lines().all(|length| length.parse::<u16>().expect("a number") <= 50), "{chains}");
}

#[test]
fn an_index_over_several_packs_is_used_while_it_holds_and_goes_before_its_packs() {
    let repository = Repository::new();
    repository.maintain(&forced(), SystemTime::now());
    repository.sh(
        "cd work && echo more > more && git add . && git commit -qm more && git push -q ../server.git main",
    );
    assert_eq!(repository.packs().len(), 2);
    repository.sh("cd server.git && rm -f objects/pack/*.bitmap && git multi-pack-index write --bitmap");
    let names = "cd server.git/objects/pack && ls | grep -c ^multi-pack-index || true";
    // Its bitmaps are as good as those of one pack.
    assert_eq!(repository.maintain(&Settings::default(), SystemTime::now()), Report::default());
    assert_eq!(repository.sh(names), "2");
    let before = repository.objects();
    for stop in 1.. {
        let mut left = stop;
        let outcome = run(&repository.git_dir(), &forced(), SystemTime::now(), &mut |_| {
            left -= 1;
            left > 0
        });
        // Wherever it ends: if there is an index, all that it names is there.
        repository.sh(
            "cd server.git && if [ -f objects/pack/multi-pack-index ]; then git multi-pack-index verify; fi",
        );
        if outcome.is_ok() {
            break;
        }
    }
    repository.check();
    assert_eq!((repository.sh(names), repository.objects()), ("0".to_owned(), before));
}

#[test]
fn an_index_that_came_meanwhile_goes_with_a_pack_that_it_names() {
    let repository = Repository::new();
    repository.maintain(&forced(), SystemTime::now());
    let first = repository.packs();
    repository.sh("cd server.git && git multi-pack-index write");
    repository.sh(
        "cd work && echo more > more && git add . && git commit -qm more && git push -q ../server.git main",
    );
    let second: Vec<String> = repository.packs().into_iter().filter(|name| !first.contains(name)).collect();
    let has_index = || repository.git_dir().join("objects/pack/multi-pack-index").exists();
    clean::remove_packs(&repository.git_dir(), &[&second[0]]).expect("removed");
    assert!(has_index(), "it names the other pack alone");
    clean::remove_packs(&repository.git_dir(), &[&first[0]]).expect("removed");
    assert!(!has_index());
}

#[test]
fn what_is_precious_is_kept_for_ever() {
    let repository = Repository::new();
    let git_dir = repository.git_dir();
    repository.sh("cd server.git && git config core.repositoryFormatVersion 1 && git config extensions.preciousObjects true && git update-ref -d refs/tags/t6 && echo lost | git hash-object -w --stdin");
    let before = repository.objects();
    let later = SystemTime::now() + 100 * DAY;
    for now in [SystemTime::now(), later, later + 100 * DAY] {
        run(&git_dir, &forced(), now, &mut |_| true).expect("it works");
        assert_eq!(repository.objects(), before);
    }
    let foreign = format!("objects/ab/{}", "c".repeat(62));
    repository.sh(&format!("cd server.git && mkdir -p objects/ab && echo x > {foreign}"));
    assert!(Survey::of(&git_dir).expect("readable").loose.is_empty(), "it is no object of this format");
}

/// As soon as there is more than one pack, bitmaps are of all of them.
fn eager() -> Settings {
    Settings { objects_without_bitmaps_max: 0, ..Settings::default() }
}

impl Repository {
    /// One pack with bitmaps, and pushes that came since.
    fn with_pushes_after_maintenance(init: &str, pushes: u32) -> Self {
        let repository = Self::with_pushes(init, 4);
        // So large that what comes later is little beside it.
        repository.sh("cd work && head -c 200000 /dev/urandom > large && git add . && git commit -qm large && git push -q ../server.git main");
        repository.maintain(&forced(), SystemTime::now());
        for number in 11..11 + pushes {
            repository.push(number);
        }
        repository
    }

    /// A push of a commit alone, which is left as a loose object.
    fn push_loose_commit(&self) {
        self.sh("cd work && git commit -q --allow-empty -m loose && git -C ../server.git config receive.unpackLimit 100 && git push -q ../server.git main");
        assert_eq!(self.loose(), 1);
    }

    /// Checks the index over several packs and its bitmaps by `git`, and that only one of them is there.
    fn check_multi_pack_index(&self) {
        self.sh("cd server.git && git multi-pack-index verify && git fsck --full --strict");
        assert_eq!(self.sh("cd server.git/objects/pack && ls | grep -c ^multi-pack-index"), "2");
        // Git warns, and goes by what it finds otherwise, if it cannot use them.
        self.sh("cd server.git && mkdir aside && mv objects/pack/pack-*.bitmap aside");
        for name in ["main", "b2", "main~3"] {
            assert_eq!(
                self.sh(&format!("cd server.git && git rev-list --test-bitmap {name} 2>&1 | grep -c ^OK")),
                "1"
            );
        }
        let counted = "git rev-list --count --objects --all";
        let by_bitmaps = self.sh(&format!("cd server.git && {counted} --use-bitmap-index 2>&1"));
        assert_eq!(by_bitmaps, self.sh(&format!("cd server.git && {counted}")));
        self.sh("cd server.git && mv aside/* objects/pack && rmdir aside");
    }

    /// Checks that what is read here by bitmaps is what `git` lists.
    fn check_selection(&self) {
        let store = Store::open(&self.git_dir()).expect("readable");
        let bitmaps = store.bitmaps().expect("there are bitmaps");
        let listed = |script: &str| self.sh(script).lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let mut commits = 0;
        for id in listed("cd server.git && git rev-list --all") {
            let id: ObjectId = id.parse().expect("an id");
            let at = store.locate_packed(&id).expect("readable").expect("packed");
            let Some(reached) = bitmaps.reached(&id, at) else { continue };
            let mut ids = BTreeSet::new();
            let add = |packed| ids.extend(store.packed_id(packed).map(|id| id.to_string()));
            bitmaps.numbering().places(&store, reached.iter(), add).expect("readable");
            assert_eq!(
                ids,
                listed(&format!("cd server.git && git rev-list --objects --no-object-names {id}"))
            );
            commits += 1;
        }
        assert_eq!(commits, bitmaps.len());
        for kind in [Kind::Commit, Kind::Tree, Kind::Blob, Kind::Tag] {
            let count = self.sh(&format!("cd server.git && git rev-list --objects --no-object-names --all | git cat-file --batch-check='%(objecttype)' | grep -c '^{kind}$'"));
            assert_eq!(bitmaps.of_kind(kind).expect("a set").count().to_string(), count, "{kind}");
        }
    }
}

#[test]
fn several_packs_have_bitmaps_in_common() {
    for init in ["", "--object-format=sha256"] {
        let repository = Repository::with_pushes_after_maintenance(init, 3);
        let packs = repository.packs();
        assert!(packs.len() > 3);
        let before = repository.objects();
        let report = repository.maintain(&Settings::default(), SystemTime::now());
        assert_eq!((report.packs_replaced, report.bitmaps, report.graph_commits), (0, 0, 0), "too little");

        let report = repository.maintain(&eager(), SystemTime::now());
        assert_eq!((report.packs_replaced, report.loose_objects_packed), (0, 0));
        assert!(report.bitmaps > 5 && report.graph_commits > 20, "{report:?}");
        assert_eq!((repository.packs(), repository.objects()), (packs, before.clone()));
        repository.check_multi_pack_index();
        repository.check_selection();
        let health = Health::of(&repository.git_dir(), SystemTime::now()).expect("readable");
        assert_eq!((health.bitmaps, health.bitmap_objects), (report.bitmaps, before.len() as u64));
        assert_eq!(repository.maintain(&eager(), SystemTime::now()), Report::default(), "it has all");

        // What comes has none, until the next run.
        repository.push(21);
        let report = repository.maintain(&eager(), SystemTime::now());
        assert!(report.bitmaps > 5, "{report:?}");
        repository.check_multi_pack_index();
        repository.check_selection();
        repository.sh("git clone -q --no-local server.git clone && git -C clone fsck --strict");

        // Everything in one pack again, the bitmaps are of that.
        repository.maintain(&Settings { is_forced: true, ..eager() }, SystemTime::now());
        repository.check();
        assert_eq!(
            repository.sh("cd server.git/objects/pack && ls | grep -c ^multi-pack-index || true"),
            "0"
        );
    }
}

#[test]
fn what_several_packs_have_is_found_in_the_one_with_bitmaps_of_its_own() {
    let repository = Repository::with_pushes_after_maintenance("", 1);
    // Half of what the large pack has, once more, and loose objects.
    repository.sh(
        "cd server.git && git rev-list --objects --no-object-names main~3 | git pack-objects -q objects/pack/pack",
    );
    repository.push_loose_commit();
    let before = repository.objects();
    let report = repository.maintain(&eager(), SystemTime::now());
    assert_eq!((report.loose_objects_packed, repository.loose()), (1, 0));
    repository.check_multi_pack_index();
    repository.check_selection();
    assert_eq!(repository.objects(), before);
}

#[test]
fn bitmaps_are_not_of_packs_that_lack_something() {
    let repository = Repository::with_pushes_after_maintenance("", 2);
    // The last commit lies in a pack that is somebody else's business.
    repository.sh("cd server.git && for index in objects/pack/*.idx; do
           if git show-index < $index | grep -q $(git rev-parse main); then touch ${index%.idx}.keep; fi
         done && ls objects/pack/*.keep");
    let report = repository.maintain(&eager(), SystemTime::now());
    assert_eq!((report.bitmaps, report.packs_replaced), (0, 0));
    assert!(report.graph_commits > 0, "bitmaps were tried");
    assert_eq!(
        repository.sh("cd server.git/objects/pack && ls | grep -c -e ^multi-pack-index -e ^tmp_ || true"),
        "0"
    );
}

/// Crashes a run at every moment, and looks whether `git` and the next run find everything.
fn crash_anywhere(repository: &Repository, settings: &Settings) -> usize {
    repository.sh("git -C server.git pack-refs --all");
    let before = as_it_was(&repository.git_dir());
    let recorder = Recorder::start(repository.path());
    let report = repository.maintain(settings, SystemTime::now());
    assert!(report.bitmaps > 0);
    let recording = recorder.stop();
    assert!(recording.is_as_on_disk());
    let is_read_by_git = |path: &Path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        path.starts_with("server.git") && !name.starts_with("tmp_") && !name.starts_with("lithe-")
    };
    let mut number = 0;
    recording.crashes(&[], is_read_by_git, |crash| {
        let place = tempfile::tempdir().expect("a directory");
        crash.write(place.path());
        let git_dir = place.path().join("server.git");
        assert_eq!(as_it_was(&git_dir), before, "after {} changes", crash.moment);
        let index = "if [ -f objects/pack/multi-pack-index ]; then git multi-pack-index verify; fi";
        let verified = Command::new("sh").arg("-ec").arg(index).current_dir(&git_dir).status();
        assert!(verified.expect("sh runs").success(), "after {} changes", crash.moment);
        number += 1;
        if number % 3 == 0 {
            let later = SystemTime::now() + 2 * DAY;
            run(&git_dir, settings, later, &mut |_| true).expect("it works");
            assert_eq!(as_it_was(&git_dir), before, "after {} changes", crash.moment);
            assert!(Store::open(&git_dir).expect("readable").bitmaps().is_some());
        }
    })
}

#[test]
fn the_power_may_go_while_an_index_over_several_packs_is_written() {
    let repository = Repository::with_pushes_after_maintenance("", 1);
    // One that is there already is of other packs.
    repository.sh("cd server.git && git multi-pack-index write --bitmap");
    repository.push(20);
    let states = crash_anywhere(&repository, &eager());
    assert!(states > 5, "{states}");
    repository.check_multi_pack_index();
}

#[test]
fn the_power_may_go_while_packs_are_rolled_up_that_an_index_names() {
    let repository = Repository::with_pushes_after_maintenance("", 0);
    let push =
        "cd work && echo more >> more && git add . && git commit -qm more && git push -q ../server.git main";
    repository.sh(push);
    repository.maintain(&eager(), SystemTime::now());
    let named = repository.packs();
    repository.sh(push);
    repository.push_loose_commit();
    let states = crash_anywhere(&repository, &eager());
    assert!(states > 30, "{states}");
    repository.check_multi_pack_index();
    let packs = repository.packs();
    assert!(packs.len() == 2 && !named.iter().all(|name| packs.contains(name)), "{packs:?}");
}

#[test]
fn any_change_to_a_file_may_fail_while_an_index_over_several_packs_is_written() {
    let repository = Repository::with_pushes_after_maintenance("", 1);
    repository.sh("cd server.git && git multi-pack-index write --bitmap");
    repository.push(20);
    let before = as_it_was(&repository.git_dir());
    for fault in Fault::ALL {
        for first in 0.. {
            repository.sh("rm -rf sound.git && cp -a server.git sound.git");
            let git_dir = repository.path().join("sound.git");
            let (_, has_struck) =
                failing(fault, first, || run(&git_dir, &eager(), SystemTime::now(), &mut |_| true));
            assert_eq!(as_it_was(&git_dir), before, "{fault:?} at {first}");
            repository.sh("cd sound.git && git multi-pack-index verify");
            if !has_struck {
                break;
            }
        }
    }
}

#[test]
fn any_read_may_fail_while_an_index_over_several_packs_is_written() {
    let repository = Repository::with_pushes_after_maintenance("", 2);
    let before = as_it_was(&repository.git_dir());
    for fault in ReadFault::ALL {
        for first in some_reads() {
            repository.sh("rm -rf sound.git && cp -a server.git sound.git");
            let git_dir = repository.path().join("sound.git");
            let (outcome, has_struck) =
                failing_reads(fault, first, || run(&git_dir, &eager(), SystemTime::now(), &mut |_| true));
            assert_eq!(as_it_was(&git_dir), before, "{fault:?} at {first}: {outcome:?}");
            repository.sh("cd sound.git && if [ -f objects/pack/multi-pack-index ]; then git multi-pack-index verify; fi");
            if !has_struck {
                break;
            }
        }
    }
}
