//! Pushes during which the power goes, or a disk fails: whatever the moment, the repository is sound
//! and holds every push that was acknowledged.

use super::*;
use lithe_git::faults::{Crash, Fault, ReadFault, Recorder, Recording, failing, failing_reads};
use lithe_git::maintenance;
use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, SystemTime};

/// Refs with what they point to.
type Refs = BTreeMap<String, String>;

/// Pushes to be made one after the other.
struct Story {
    place: Place,
    bodies: Vec<Vec<u8>>,
    /// What refs there are before the first and after each.
    refs: Vec<Refs>,
    /// A push that has nothing to do with the others.
    another: Vec<u8>,
}

impl Story {
    /// The first push, one on top of it that sends deltas against what is there, deletions, and two
    /// branches where there was one before.
    fn new() -> Self {
        let place = Place::new();
        let text = "a line of many\n".repeat(200);
        let first = place.commit("directory/file", &text);
        place.client("tag -a -m v1 v1");
        let tag = place.client("rev-parse v1");
        let second = place.commit("directory/file", &(text + "one more\n"));
        place.client("checkout -q --orphan another");
        let another = place.commit("another", "one\n");
        let pushes: [(&[Command], Vec<u8>); 5] = [
            (
                &[(NULL, &first, "refs/heads/main"), (NULL, &tag, "refs/tags/v1")],
                place.pack(&[&first, &tag], &[]),
            ),
            (
                &[(&first, &second, "refs/heads/main"), (NULL, &first, "refs/heads/topic/old")],
                place.pack(&[&second], &[&first]),
            ),
            (&[(&first, NULL, "refs/heads/topic/old"), (&tag, NULL, "refs/tags/v1")], Vec::new()),
            (&[(NULL, &first, "refs/heads/topic")], place.pack(&[], &[])),
            (
                &[(&first, NULL, "refs/heads/topic"), (NULL, &first, "refs/heads/topic/a/b")],
                place.pack(&[], &[]),
            ),
        ];
        let mut refs = vec![Refs::new()];
        for (commands, _) in &pushes {
            let mut after = refs.last().expect("there is a first").clone();
            for (_, new, name) in *commands {
                match *new {
                    NULL => after.remove(*name),
                    new => after.insert((*name).to_owned(), new.to_owned()),
                };
            }
            refs.push(after);
        }
        let bodies = pushes.iter().map(|(commands, pack)| request(commands, "", pack)).collect();
        let pack = place.pack(&[&another], &[]);
        let another = request(&[(NULL, &another, "refs/heads/another")], "", &pack);
        fs::remove_dir_all(place.server()).expect("removed");
        Self { place, bodies, refs, another }
    }
}

impl Story {
    /// As many small pushes as it takes for their packs to be made one.
    fn of_small_pushes() -> Self {
        let place = Place::new();
        let (mut bodies, mut refs, mut last) = (Vec::new(), vec![Refs::new()], NULL.to_owned());
        for number in 0..maintenance::GATHERED_PACKS {
            let commit = place.commit("file", &format!("{number}\n"));
            let known: &[&str] = if last == NULL { &[] } else { &[&last] };
            let pack = place.pack(&[&commit], known);
            bodies.push(request(&[(&last, &commit, "refs/heads/main")], "", &pack));
            refs.push(Refs::from([("refs/heads/main".to_owned(), commit.clone())]));
            last = commit;
        }
        place.client("checkout -q --orphan another");
        let another = place.commit("another", "one\n");
        let pack = place.pack(&[&another], &[]);
        let another = request(&[(NULL, &another, "refs/heads/another")], "", &pack);
        Self { place, bodies, refs, another }
    }
}

type Command<'a> = (&'a str, &'a str, &'a str);

fn push(git_dir: &Path, body: &[u8]) -> Result<Outcome, Error> {
    let pieces = futures::stream::iter([Ok::<_, ()>(Bytes::copy_from_slice(body))]);
    futures::executor::block_on(receive(git_dir, pieces, &Policy::default()))
        .and_then(|push| push.finish(&mut ()))
}

/// Runs `git` in a repository; returns what it says, or what it complains about.
fn git(git_dir: &Path, words: &str) -> Result<String, String> {
    let mut command = std::process::Command::new("git");
    let output = command.arg("-C").arg(git_dir).args(words.split(' ')).output().expect("git runs");
    match output.status.success() {
        true => Ok(output.stdout.to_str_lossy().into_owned()),
        false => Err(format!("{}{}", output.stdout.as_bstr(), output.stderr.as_bstr())),
    }
}

/// The refs of a repository that `git` finds nothing wrong with.
fn refs_of_sound(git_dir: &Path) -> Result<Refs, String> {
    git(git_dir, "fsck --full --strict --no-dangling")?;
    let refs = git(git_dir, "for-each-ref --format=%(refname):%(objectname)")?;
    Ok(refs
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, id)| (name.into(), id.into()))
        .collect())
}

/// Whether every ref is as before or as after.
fn is_between(refs: &Refs, before: &Refs, after: &Refs) -> bool {
    let names = refs.keys().chain(before.keys()).chain(after.keys());
    names.into_iter().all(|name| refs.get(name) == before.get(name) || refs.get(name) == after.get(name))
}

/// Makes everything that lies below a directory two days old, so that what is left over counts as such.
fn age(directory: &Path) {
    let then = SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60);
    for name in files(directory).iter().map(String::as_str).chain([""]) {
        let file = fs::File::open(directory.join(name)).expect("it can be opened");
        file.set_modified(then).expect("its time can be set");
    }
}

#[test]
fn the_power_may_go_while_a_repository_is_made_and_pushed_to() {
    let story = Story::new();
    let (root, git_dir) = story.disk();
    let recorder = Recorder::start(&root);
    init::init_bare(&git_dir, "main", ObjectFormat::Sha1).expect("made");
    story.try_crashes(recorder, 0..2);
}

#[test]
fn the_power_may_go_while_refs_are_unpacked_and_deleted() {
    let story = Story::new();
    let (root, git_dir) = story.disk();
    init::init_bare(&git_dir, "main", ObjectFormat::Sha1).expect("made");
    for body in &story.bodies[..2] {
        push(&git_dir, body).expect("an answer");
    }
    git(&git_dir, "pack-refs --all").expect("it works");
    story.try_crashes(Recorder::start(&root), 2..5);
}

#[test]
fn the_power_may_go_while_small_packs_are_gathered() {
    let story = Story::of_small_pushes();
    let (root, git_dir) = story.disk();
    init::init_bare(&git_dir, "main", ObjectFormat::Sha1).expect("made");
    let last = story.bodies.len() - 1;
    for body in &story.bodies[..last] {
        push(&git_dir, body).expect("an answer");
    }
    let packs = || files(&git_dir).iter().filter(|name| name.ends_with(".pack")).count();
    assert_eq!(packs(), last);
    story.try_crashes(Recorder::start(&root), last..last + 1);
    assert_eq!(packs(), 1);
}

/// Leaves out one `fsync` after the other: each is needed, and would be missed.
#[test]
fn a_push_without_one_of_its_syncs_is_found_out() {
    let story = Story::new();
    let (root, git_dir) = story.disk();
    init::init_bare(&git_dir, "main", ObjectFormat::Sha1).expect("made");
    let (recording, acknowledged) = story.make(Recorder::start(&root), 0..1);
    let syncs = recording.syncs();
    assert_eq!(syncs.len(), 7, "{syncs:?}");
    for (number, sync) in syncs.iter().enumerate() {
        let mut errors = 0;
        recording.without_sync(number).crashes(&acknowledged, is_read_by_git, |crash| {
            errors += usize::from(check_crash(&story.refs[..2], crash).is_err());
        });
        assert!(errors > 0, "nobody misses `{sync}`");
    }
}

impl Story {
    /// An empty disk, and the place of the repository on it.
    fn disk(&self) -> (PathBuf, PathBuf) {
        let root = self.place.place.path().join("disk");
        fs::create_dir(&root).expect("made");
        let git_dir = root.join(ON_DISK);
        (root, git_dir)
    }

    /// Makes some of the pushes; returns what was recorded, and after how many changes each was acknowledged.
    fn make(&self, recorder: Recorder, pushes: Range<usize>) -> (Recording, Vec<usize>) {
        let git_dir = self.place.place.path().join("disk").join(ON_DISK);
        let mut acknowledged = vec![recorder.len()];
        for body in &self.bodies[pushes.clone()] {
            let outcome = push(&git_dir, body).expect("an answer");
            assert_eq!(outcome.refusal, None);
            acknowledged.push(recorder.len());
        }
        let recording = recorder.stop();
        assert!(recording.is_as_on_disk());
        assert_eq!(refs_of_sound(&git_dir).as_ref(), Ok(&self.refs[pushes.end]));
        (recording, acknowledged)
    }

    /// Makes some of the pushes, and goes through the crashes.
    fn try_crashes(&self, recorder: Recorder, pushes: Range<usize>) {
        let refs = &self.refs[pushes.start..=pushes.end];
        let (recording, acknowledged) = self.make(recorder, pushes);
        let visible = recording.crashes(&acknowledged, is_read_by_git, |crash| {
            check_crash(refs, crash).unwrap_or_else(|error| panic!("{error}"));
        });
        // And life goes on, whatever lies about besides: of so many states, some are tried.
        let mut number = 0;
        let all = recording.crashes(
            &acknowledged,
            |_| true,
            |crash| {
                number += 1;
                if number % EVERY == 0 {
                    self.check_life_goes_on(refs, crash);
                }
            },
        );
        assert!(visible > 10 && all > 500, "{visible} {all}");
    }

    fn check_life_goes_on(&self, refs: &[Refs], crash: &Crash) {
        let checked = check_crash(refs, crash).unwrap_or_else(|error| panic!("{error}"));
        let Some((place, refs)) = checked else { return };
        let git_dir = place.path().join(ON_DISK);
        let moment = crash.moment;
        age(&git_dir);
        let outcome = push(&git_dir, &self.another).expect("an answer");
        assert_eq!((outcome.refusal, outcome.changes.len()), (None, 1), "after {moment} changes");
        let mut expected = refs;
        let change = &outcome.changes[0];
        expected.insert(change.name.to_string(), change.new.expect("created").to_string());
        assert_eq!(refs_of_sound(&git_dir), Ok(expected), "after {moment} changes");
        check_tidied(&git_dir, &format!("after {moment} changes"));
    }
}

const ON_DISK: &str = "group/server.git";
/// Each of how many states is tried whether life goes on in it.
const EVERY: usize = 40;
/// Likewise of how many faults.
const EVERY_FAULT: usize = 3;

/// Whether a file can make a difference to `git`.
fn is_read_by_git(path: &Path) -> bool {
    let is_passed_over = |name: &str| {
        ["tmp_", "lithe-", ".lithe-"].iter().any(|begin| name.starts_with(begin))
            || name.ends_with(".lock")
            || name.ends_with(".keep")
    };
    !path.iter().any(|name| is_passed_over(&name.to_string_lossy()))
}

/// What is left, with its refs, `refs` being those after each acknowledgement; none: there is no repository yet.
///
/// Fails with words if it is not sound, or its refs are not those before or after the push that was being made.
fn check_crash(refs: &[Refs], crash: &Crash) -> Result<Option<(TempDir, Refs)>, String> {
    let place = tempfile::tempdir().expect("a temporary directory");
    crash.write(place.path());
    let git_dir = place.path().join(ON_DISK);
    let is_made = crash.acknowledged > 0;
    if !is_made && !git_dir.exists() {
        return Ok(None);
    }
    let found =
        refs_of_sound(&git_dir).map_err(|error| format!("after {} changes: {error}", crash.moment))?;
    let last = crash.acknowledged.saturating_sub(1);
    let (before, after) = (&refs[last], refs.get(last + usize::from(is_made)).unwrap_or(&refs[last]));
    match is_between(&found, before, after) {
        true => Ok(is_made.then_some((place, found))),
        false => Err(format!("after {} changes: {found:?}, {before:?}, {after:?}", crash.moment)),
    }
}

/// Whatever is left over is gone after the next maintenance.
fn check_tidied(git_dir: &Path, context: &str) {
    let now = SystemTime::now() + Duration::from_secs(60 * 60);
    maintenance::run(git_dir, &maintenance::Settings::default(), now, &mut |_| true).expect("it works");
    let is_left = |name: &String| {
        ["tmp_", ".lock", ".keep", "lithe-", "incoming", ".next"].iter().any(|part| name.contains(part))
    };
    let left: Vec<String> = files(git_dir).into_iter().filter(is_left).collect();
    assert_eq!(left, [""; 0], "{context}");
}

#[test]
fn any_change_to_a_file_may_fail() {
    let story = Story::new();
    let place = tempfile::tempdir().expect("a temporary directory");
    let sound = place.path().join("sound.git");
    init::init_bare(&sound, "main", ObjectFormat::Sha1).expect("made");
    for (number, body) in story.bodies.iter().enumerate() {
        for fault in Fault::ALL {
            for first in 0.. {
                let git_dir = place.path().join("server.git");
                copy(&sound, &git_dir);
                let (outcome, has_struck) = failing(fault, first, || push(&git_dir, body));
                let context = format!("push {number}, {fault:?} at {first}");
                check_failed(
                    &git_dir,
                    outcome.ok(),
                    (&story.refs[number], &story.refs[number + 1]),
                    &context,
                );
                if first % EVERY_FAULT == 0 {
                    age(&git_dir);
                    push(&git_dir, &story.another).expect("an answer");
                    let refs = refs_of_sound(&git_dir).expect("it is sound");
                    assert!(refs.contains_key("refs/heads/another"), "{context}");
                    check_tidied(&git_dir, &context);
                }
                fs::remove_dir_all(&git_dir).expect("removed");
                if !has_struck {
                    break;
                }
            }
        }
        push(&sound, body).expect("an answer");
    }
}

#[test]
fn any_read_may_fail_in_a_push() {
    let place = tempfile::tempdir().expect("a temporary directory");
    let sound = place.path().join("sound.git");
    for (story, pushes) in [(Story::new(), 0..5), (Story::of_small_pushes(), 7..8)] {
        init::init_bare(&sound, "main", ObjectFormat::Sha1).expect("made");
        let last = pushes.end;
        for body in &story.bodies[..pushes.start] {
            push(&sound, body).expect("an answer");
        }
        for number in pushes {
            let mut refused = 0;
            for fault in ReadFault::ALL {
                // All of the first ones, and some of those that follow.
                for first in (0..20).chain((20..).step_by(7)) {
                    let git_dir = place.path().join("server.git");
                    copy(&sound, &git_dir);
                    let (outcome, has_struck) =
                        failing_reads(fault, first, || push(&git_dir, &story.bodies[number]));
                    let context = format!("push {number}, {fault:?} at read {first}");
                    refused +=
                        usize::from(outcome.as_ref().map_or(true, |outcome| outcome.changes.is_empty()));
                    let refs = (&story.refs[number], &story.refs[number + 1]);
                    check_failed(&git_dir, outcome.ok(), refs, &context);
                    fs::remove_dir_all(&git_dir).expect("removed");
                    if !has_struck {
                        break;
                    }
                }
            }
            assert!(refused > 0, "push {number}: nothing is pushed upon what cannot be read");
            if number + 1 < last {
                push(&sound, &story.bodies[number]).expect("an answer");
            }
        }
        fs::remove_dir_all(&sound).expect("removed");
    }
}

/// What was not reported as changed may have been: the fault may lie after the change.
fn check_failed(git_dir: &Path, outcome: Option<Outcome>, (before, after): (&Refs, &Refs), context: &str) {
    let refs = refs_of_sound(git_dir).unwrap_or_else(|error| panic!("{context}: {error}"));
    assert!(is_between(&refs, before, after), "{context}: {refs:?}");
    for change in outcome.iter().flat_map(|outcome| &outcome.changes) {
        let name = change.name.to_string();
        assert_eq!(refs.get(&name), change.new.map(|id| id.to_string()).as_ref(), "{context}: {name}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).expect("made");
    for name in files(from).into_iter().rev() {
        if from.join(&name).is_dir() {
            fs::create_dir_all(to.join(&name)).expect("made");
        }
    }
    for name in files(from).into_iter().filter(|name| from.join(name).is_file()) {
        fs::copy(from.join(&name), to.join(&name)).expect("copied");
    }
}
