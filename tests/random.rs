//! Random histories: whatever clients do to a served repository, it ends as the same done with plain
//! `git` does.
//!
//! Beside the served repository stands a model, a bare repository that `git` alone moves. Every round
//! first has several clients push at once, while another clones, `git` repacks the served repository,
//! caches vanish or the server is killed; the same pushes are done to the model, and both must be
//! alike. Then clones of both, whole, shallow and partial ones, are brought up to date in the same
//! ways, some of them after they began with a bundle, and must be alike too; and so must a bundle that
//! is downloaded at the same time, whole or in parts.
//!
//! What is done follows from a seed. `LITHE_TEST_SEED=NUMBER` runs that one alone, and
//! `LITHE_TEST_LONG` more of them for longer. A seed that failed is kept in [`SEEDS`].

mod alike;
mod history;
mod push;
mod reader;
mod rng;

use crate::kit::{Actor, Forge, Shell, is_long};
use alike::{difference, is_alike};
use history::History;
use push::{Push, Refs};
use reader::Reader;
use rng::Rng;
use std::fs;
use std::thread;
use std::time::Duration;

/// What runs in the suite.
const SEEDS: &[u64] = &[1, 2, 3, 25, 5013, 6001, 6017, 6018, 7001];

/// How many more seeds a long run takes.
const LONG_SEEDS: u64 = 100;

/// How many clients push at once.
const WRITERS: usize = 3;

/// How many pairs of clones there are, and how many of them are brought up to date at once.
const READERS: usize = 5;
const READERS_AT_ONCE: usize = 3;

/// In how many of a hundred rounds the server is killed while it is pushed to, and while it is read.
const KILLS_PERCENT: usize = 15;
const KILLS_OF_READERS_PERCENT: usize = 8;

/// In how many of a hundred rounds a bundle is downloaded.
const BUNDLES_PERCENT: usize = 40;

/// What is added to the seed for what came later than the first seeds that are kept, so that those
/// still do what they did.
const LATER: u64 = 0x1000_0000;

/// When the server is killed at the latest, in milliseconds after the first push began.
const KILL_MS_MAX: usize = 250;

/// Settings of the model and of all clients: the model offers what Lithe offers of its own accord,
/// and nothing happens behind anybody's back.
const SETTINGS: &str = r#"
[uploadpack]
    allowFilter = true
    allowReachableSHA1InWant = true
[receive]
    advertiseAtomic = true
    advertisePushOptions = true
[protocol]
    allow = always
[gc]
    auto = 0
[maintenance]
    auto = false
"#;

/// What `git` may do to the served repository at any moment.
const UPKEEP: &[&str] = &[
    "git gc -q",
    "git repack -Adq",
    "git repack -adq --cruft --write-bitmap-index",
    "git repack -dq --geometric=2 --write-midx",
    "git repack -dq && git multi-pack-index write --bitmap",
    "git pack-refs --all",
    "git commit-graph write --reachable --changed-paths",
    "git unpack-objects -q < $(ls -S objects/pack/*.pack | tail -1)",
];

/// What is left of nothing that has ended.
const LEFTOVERS: &str = "find served/ -name '*.lock' -o -name 'tmp_*' -o -name '*.keep' -o -name 'lithe-removing' -o -name 'incoming*'";

#[test]
fn whatever_is_done_ends_as_git_ends_it() {
    let chosen = std::env::var("LITHE_TEST_SEED").ok();
    let chosen: Option<u64> = chosen.map(|seed| seed.parse().expect("LITHE_TEST_SEED is a number"));
    let seeds: Vec<u64> = match chosen {
        Some(seed) => vec![seed],
        None if is_long() => SEEDS.iter().copied().chain(1000..1000 + LONG_SEEDS).collect(),
        None => SEEDS.to_vec(),
    };
    let rounds = if is_long() { 40 } else { 6 };
    for seed in seeds {
        let mut world = World::new(seed);
        for round in 0..rounds {
            world.log.push(format!("--- round {round}"));
            if let Err(reason) = world.round() {
                let World { shell, log, forge, .. } = world;
                shell.run(&format!("cp -a served/ kept && cp {}/server.log .", forge.data().display()));
                let kept = shell.path().display().to_string();
                // The directory stays, to be looked at.
                std::mem::forget(shell);
                panic!("LITHE_TEST_SEED={seed}: {reason}\n\nWhat was done, in {kept}:\n{}", log.join("\n"));
            }
        }
    }
}

/// A served repository, its model, and all who use them.
struct World {
    forge: Forge,
    path: String,
    shell: Shell,
    history: History,
    readers: Vec<Reader>,
    rng: Rng,
    /// For what came later: see [`LATER`].
    later: Rng,
    log: Vec<String>,
    /// Whether there is a command for maintenance.
    can_maintain: bool,
    /// Whether the server was killed, and what it left was not cleared since.
    was_killed: bool,
}

/// What a client heard about its push.
struct Outcome {
    is_success: bool,
    /// A line for each ref: a sign, the two names, what became of it.
    refs: Vec<String>,
    said: String,
}

impl World {
    fn new(seed: u64) -> Self {
        let forge = Forge::start(&[]);
        let path = forge.repository(&[]);
        let shell = forge.shell(&path);
        shell.run("git init -q --bare -b main model.git && ln -s \"$SERVED\" served");
        let file_bytes_max = if is_long() { 8 << 20 } else { 1 << 20 };
        let history = History::new(&shell, file_bytes_max);
        let can_maintain = forge.try_lithe(&["repo", "--help"]).1.contains("maintain");
        let readers = (0..READERS).map(Reader::new).collect();
        let (rng, later) = (Rng::new(seed), Rng::new(seed + LATER));
        let mut world = Self {
            forge,
            path,
            shell,
            history,
            readers,
            rng,
            later,
            log: Vec::new(),
            can_maintain,
            was_killed: false,
        };
        world.configure();
        world.history.grow(&world.shell, &mut world.rng, 6);
        let push = Push::of_main(&mut world.rng, &world.history);
        for remote in [world.served_remote(), world.model_remote()] {
            world.shell.run(&push.script(&remote));
        }
        world
    }

    /// Tells `git` where the server is now.
    fn configure(&self) {
        let url = self.forge.address(Actor::Admin, "");
        let settings = format!("{SETTINGS}[url \"{url}\"]\n    insteadOf = lithe:\n");
        fs::write(self.shell.path().join(".gitconfig"), settings).expect("the directory is writable");
    }

    fn served_remote(&self) -> String {
        format!("lithe:{}.git", self.path)
    }

    fn model_remote(&self) -> String {
        format!("file://{}/model.git", self.shell.path().display())
    }

    /// Everything that lasts a while: pushes at once, then fetches at once.
    fn round(&mut self) -> Result<(), String> {
        let mut rng = self.rng.split();
        let commits = 1 + rng.below(12);
        self.history.grow(&self.shell, &mut rng, commits);
        self.write(&mut rng)?;
        self.compare()?;
        if rng.chance(10) {
            self.log.push("everything unreachable is pruned".to_owned());
            self.shell.run("git -C served gc -q --prune=now && git -C model.git gc -q --prune=now");
            self.compare()?;
        }
        self.read(&mut rng)
    }

    /// Several clients push at once.
    fn write(&mut self, rng: &mut Rng) -> Result<(), String> {
        let before = refs(&self.shell, "model.git");
        let mut pushes: Vec<_> =
            (0..WRITERS).map(|client| Push::random(rng, client, &self.history, &before)).collect();
        if rng.chance(30) {
            pushes.push(Push::of_main(rng, &self.history));
        }
        let remote = self.served_remote();
        let scripts: Vec<_> = pushes.iter().map(|push| push.script(&remote)).collect();
        self.log.extend(scripts.iter().cloned());
        let kill = rng.chance(KILLS_PERCENT).then(|| Duration::from_millis(rng.below(KILL_MS_MAX) as u64));
        let upkeep = self.upkeep(rng);
        let clone = format!(
            "rm -rf passing && git clone -q --mirror {remote} passing && git -C passing fsck --full --strict --no-dangling"
        );
        let is_cloned = rng.chance(50);
        let (outcomes, disturbed, cloned) = thread::scope(|scope| {
            let shell = &self.shell;
            let pushed: Vec<_> = scripts.iter().map(|script| scope.spawn(|| push(shell, script))).collect();
            let disturbed = scope.spawn(|| upkeep.as_ref().map_or(Ok(()), |script| attempt(shell, script)));
            let cloned = scope.spawn(|| if is_cloned { attempt(shell, &clone) } else { Ok(()) });
            if let Some(delay) = kill {
                self.log.push(format!("killed after {delay:?}"));
                thread::sleep(delay);
                self.forge.kill();
            }
            let outcomes: Vec<_> =
                pushed.into_iter().map(|thread| thread.join().expect("it does not panic")).collect();
            (
                outcomes,
                disturbed.join().expect("it does not panic"),
                cloned.join().expect("it does not panic"),
            )
        });
        let expected: Vec<_> =
            pushes.iter().map(|one| push(&self.shell, &one.script(&self.model_remote()))).collect();
        let after = refs(&self.shell, "model.git");
        if kill.is_some() {
            return self.after_kill(&pushes, &outcomes, &before, &after);
        }
        disturbed?;
        // A ref that was listed can be gone by the time that it is asked for.
        let is_cloned = match cloned {
            Err(said) if said.contains("unknown ref refs/") => false,
            cloned => cloned.map(|()| is_cloned)?,
        };
        if is_cloned {
            self.check_passing(&before, &after)?;
        }
        for ((script, outcome), expected) in scripts.iter().zip(&outcomes).zip(&expected) {
            if without_reasons(&outcome.refs) != without_reasons(&expected.refs)
                || outcome.is_success != expected.is_success
            {
                return Err(format!(
                    "{script}\nLithe: {:#?}\n{}\ngit: {:#?}\n{}",
                    outcome.refs, outcome.said, expected.refs, expected.said
                ));
            }
        }
        self.check_leftovers()
    }

    /// Nothing is left of what has ended; of what was killed, nothing after the next maintenance.
    fn check_leftovers(&mut self) -> Result<(), String> {
        let left = self.shell.run(LEFTOVERS);
        if left.is_empty() {
            return Ok(());
        }
        if self.was_killed && self.can_maintain {
            self.was_killed = false;
            self.log.push(format!("maintained, for there are {left}"));
            self.shell.run(&self.maintain());
            return self.check_leftovers();
        }
        Err(format!("left behind:\n{left}"))
    }

    /// A script that maintains the served repository.
    fn maintain(&self) -> String {
        let lithe = crate::kit::lithe_binary();
        format!("{} repo maintain {} --data {}", lithe.display(), self.path, self.forge.data().display())
    }

    /// A clone that was made while others pushed has every ref as it was before or after.
    fn check_passing(&self, before: &Refs, after: &Refs) -> Result<(), String> {
        let seen = refs(&self.shell, "passing");
        for name in seen.keys().chain(before.keys()).chain(after.keys()) {
            let seen = seen.get(name);
            if seen != before.get(name) && seen != after.get(name) {
                return Err(format!("a clone in between has {name} at {seen:?}"));
            }
        }
        Ok(())
    }

    /// What a killed server leaves is sound, with every ref as it was before or after; what was
    /// acknowledged is there. The model follows.
    fn after_kill(
        &mut self,
        pushes: &[Push],
        outcomes: &[Outcome],
        before: &Refs,
        after: &Refs,
    ) -> Result<(), String> {
        attempt(&self.shell, "git -C served fsck --full --strict --no-dangling")?;
        let now = refs(&self.shell, "served");
        for (push, outcome) in pushes.iter().zip(outcomes) {
            let (mut is_any_old, mut is_any_new) = (false, false);
            for name in &push.names {
                let [now, before, after] = [&now, before, after].map(|refs| refs.get(name));
                let is_acknowledged = outcome
                    .refs
                    .iter()
                    .any(|line| !line.starts_with('!') && line.contains(&format!(":{name}\t")));
                if now != after && (is_acknowledged || now != before) {
                    return Err(format!(
                        "{name} is {now:?} after a kill, was {before:?}, to be {after:?}\n{}",
                        outcome.said
                    ));
                }
                is_any_old |= now != after;
                is_any_new |= now != before;
            }
            if push.is_atomic() && is_any_old && is_any_new {
                return Err(format!("of an atomic push a part came about: {:?}", push.names));
            }
        }
        let mut updates = String::new();
        for name in after.keys().chain(now.keys()) {
            match now.get(name) {
                Some(id) => updates.push_str(&format!("update {name} {id}\n")),
                None => updates.push_str(&format!("delete {name}\n")),
            }
        }
        let mut lines: Vec<_> = updates.lines().collect();
        lines.sort_unstable();
        lines.dedup();
        // A name can be a directory in one and a ref in the other: what goes, goes first.
        for verb in ["delete", "update"] {
            let part: Vec<_> = lines.iter().filter(|line| line.starts_with(verb)).copied().collect();
            fs::write(self.shell.path().join("updates"), part.join("\n") + "\n")
                .expect("the directory is writable");
            self.shell.run(
                "grep . updates | git -C model.git update-ref --no-deref --stdin || ! grep -q . updates",
            );
        }
        self.start_again();
        Ok(())
    }

    /// Starts the server after it was killed.
    fn start_again(&mut self) {
        // Locks of the dead are nobody's after a while.
        self.shell.run("find served/ -exec touch -h -d '1 day ago' {} +");
        self.forge.restart(&[]);
        self.was_killed = true;
        self.configure();
    }

    /// Holds the served repository against the model.
    fn compare(&self) -> Result<(), String> {
        let both = |script: &str| -> Result<(), String> {
            let [served, model] = [("served", self.served_remote()), ("model.git", self.model_remote())].map(
                |(directory, remote)| {
                    self.shell.run(&script.replace("DIRECTORY", directory).replace("REMOTE", &remote))
                },
            );
            if served == model { Ok(()) } else { Err(format!("{script}\n{}", difference(&served, &model))) }
        };
        both("git -C DIRECTORY for-each-ref && git -C DIRECTORY symbolic-ref HEAD")?;
        both("git -c protocol.version=0 ls-remote --symref REMOTE")?;
        both("git -c protocol.version=2 ls-remote --symref REMOTE")?;
        both("git -C DIRECTORY rev-list --objects --all --no-object-names | sort")?;
        attempt(&self.shell, "git -C served fsck --full --strict --no-dangling")
    }

    /// Several clones are brought up to date at once.
    fn read(&mut self, rng: &mut Rng) -> Result<(), String> {
        let refs = refs(&self.shell, "model.git");
        let first = rng.below(READERS);
        let mut steps = Vec::new();
        for number in 0..READERS_AT_ONCE {
            let reader = &mut self.readers[(first + number) % READERS];
            let by_bundle = self.later.chance(25);
            steps.push(reader.step(rng, &self.history, &refs, by_bundle));
        }
        self.log.extend(steps.iter().map(|step| format!("r{}: {}", step.reader, step.describe())));
        let upkeep = self.upkeep(rng);
        let bundle = self.later.chance(BUNDLES_PERCENT).then(|| self.bundle());
        self.log.extend(bundle.clone());
        let kill = self.later.chance(KILLS_OF_READERS_PERCENT);
        let kill = kill.then(|| Duration::from_millis(self.later.below(KILL_MS_MAX) as u64));
        let (served, model) = (self.served_remote(), self.model_remote());
        let forge = &mut self.forge;
        let (shell, is_killed) = (&self.shell, kill.is_some());
        let run = |script: &Option<String>| script.as_ref().map_or(Ok(()), |script| attempt(shell, script));
        let (alike, disturbed, bundled) = thread::scope(|scope| {
            let disturbed = scope.spawn(|| run(&upkeep));
            let bundled = scope.spawn(|| run(&bundle));
            let threads: Vec<_> = steps
                .iter()
                .map(|step| scope.spawn(|| is_alike(shell, step, &served, &model, is_killed)))
                .collect();
            if let Some(delay) = kill {
                self.log.push(format!("killed after {delay:?}"));
                thread::sleep(delay);
                forge.kill();
            }
            let join = |thread: thread::ScopedJoinHandle<'_, _>| thread.join().expect("it does not panic");
            let alike: Vec<_> = threads.into_iter().map(join).collect();
            let [disturbed, bundled] =
                [disturbed, bundled].map(|thread| thread.join().expect("it does not panic"));
            (alike, disturbed, bundled)
        });
        for (step, alike) in steps.iter().zip(alike) {
            if !alike? {
                self.readers[step.reader].start_anew();
            }
        }
        if kill.is_some() {
            self.start_again();
            return attempt(&self.shell, "git -C served fsck --full --strict --no-dangling");
        }
        disturbed.and(bundled)
    }

    /// A script that downloads the bundle, in two parts where it does not change meanwhile, and holds it
    /// against the model.
    fn bundle(&mut self) -> String {
        let url = self.forge.address(Actor::Admin, &format!("{}/-/bundle", self.path));
        let len = 1 + self.later.below(200_000);
        let resume = match self.later.chance(50) {
            true => format!(
                r#"head -c {len} it.bundle > part
                tag=$(sed -n 's/^etag: //Ip' head | tr -d '\r')
                code=$(curl -sS -o rest -w '%{{http_code}}' -H "If-Range: $tag" -r {len}- {url})
                case $code in 206) cat part rest > it.bundle;; 200) mv rest it.bundle;; 416) ;; *) exit 1;; esac"#
            ),
            false => String::new(),
        };
        format!(
            r#"rm -rf bundled && mkdir bundled && cd bundled
            curl -sS -f -D head -o it.bundle {url}
            {resume}
            git clone -q --mirror it.bundle clone && git -C clone fsck --full --strict --no-dangling
            for side in clone ../model.git; do git -C $side for-each-ref; git -C $side rev-list --objects --all --no-object-names | sort; done > both
            test -z "$(sort both | uniq -u)""#
        )
    }

    /// A script of something that may happen beside everything else.
    fn upkeep(&mut self, rng: &mut Rng) -> Option<String> {
        let cache = self.forge.data().join("cache/git-http");
        let script = match rng.below(8) {
            0..=3 => format!("cd served/ && {}", rng.pick(UPKEEP)),
            4 => format!("rm -rf {0}/*", cache.display()),
            5 => format!("rm -rf {}", cache.display()),
            6 if self.can_maintain => self.maintain(),
            _ => return None,
        };
        self.log.push(format!("beside it: {script}"));
        Some(script)
    }
}

/// Refs that are not symbolic, by name.
fn refs(shell: &Shell, directory: &str) -> Refs {
    let listed = shell.run(&format!("git -C {directory} for-each-ref --format='%(refname) %(objectname)'"));
    let pairs = listed.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(name, id)| (name.to_owned(), id.to_owned())).collect()
}

fn push(shell: &Shell, script: &str) -> Outcome {
    let output = shell.command(script).output().expect("bash starts");
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    let refs = stdout.lines().filter(|line| line.contains('\t')).map(str::to_owned).collect();
    let said = stdout + &String::from_utf8_lossy(&output.stderr);
    Outcome { is_success: output.status.success(), refs, said }
}

/// What became of refs, without the words in which a server refused one.
fn without_reasons(refs: &[String]) -> Vec<&str> {
    let cut = |line: &'_ String| {
        if line.starts_with('!') {
            line.rsplit_once(" (").map_or(0, |(kept, _)| kept.len())
        } else {
            line.len()
        }
    };
    refs.iter().map(|line| &line[..cut(line)]).collect()
}

fn attempt(shell: &Shell, script: &str) -> Result<(), String> {
    let output = shell.command(script).output().expect("bash starts");
    match output.status.success() {
        true => Ok(()),
        false => Err(format!(
            "{script}\n{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        )),
    }
}
