//! Pushes during which the power goes, or a disk fails: whatever the moment, the repository is sound
//! and holds every push that was acknowledged.

use super::*;
use lithe_git::faults::{Crash, Fault, Recorder, failing};
use lithe_git::maintenance;
use std::collections::BTreeMap;
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
fn the_power_may_go_at_any_moment() {
    let story = Story::new();
    let root = story.place.place.path().join("disk");
    fs::create_dir(&root).expect("made");
    let git_dir = root.join("group/server.git");
    let recorder = Recorder::start(&root);
    init::init_bare(&git_dir, "main", ObjectFormat::Sha1).expect("made");
    let mut acknowledged = vec![recorder.len()];
    for body in &story.bodies {
        let outcome = push(&git_dir, body).expect("an answer");
        assert_eq!(outcome.refusal, None);
        acknowledged.push(recorder.len());
    }
    let recording = recorder.stop();
    assert!(recording.is_as_on_disk());
    assert_eq!(refs_of_sound(&git_dir).as_ref(), Ok(story.refs.last().expect("there is a last")));
    let visible = recording.crashes(&acknowledged, is_read_by_git, |crash| drop(check_crash(&story, crash)));
    // And life goes on, whatever lies about besides; of so many states every so-manieth is tried.
    let mut number = 0;
    let all = recording.crashes(
        &acknowledged,
        |_| true,
        |crash| {
            number += 1;
            if number % EVERY == 0 {
                check_life_goes_on(&story, crash);
            }
        },
    );
    assert!(visible > 20 && all > 1000, "{visible} {all}");
}

const EVERY: usize = 40;

/// Whether a file can make a difference to `git`.
fn is_read_by_git(path: &Path) -> bool {
    let is_passed_over = |name: &str| {
        ["tmp_", "lithe-", ".lithe-"].iter().any(|begin| name.starts_with(begin))
            || name.ends_with(".lock")
            || name.ends_with(".keep")
    };
    !path.iter().any(|name| is_passed_over(&name.to_string_lossy()))
}

/// The refs of what is left, which are those before or after the push that was being made; none: there is no repository yet.
fn check_crash(story: &Story, crash: &Crash) -> Option<(TempDir, Refs)> {
    let place = tempfile::tempdir().expect("a temporary directory");
    crash.write(place.path());
    let git_dir = place.path().join("group/server.git");
    let moment = crash.moment;
    let Some(last) = crash.acknowledged.checked_sub(1) else {
        assert!(!git_dir.exists() || refs_of_sound(&git_dir) == Ok(Refs::new()), "{moment}");
        return None;
    };
    let refs = refs_of_sound(&git_dir).unwrap_or_else(|error| panic!("after {moment} changes: {error}"));
    let (before, after) = (&story.refs[last], story.refs.get(last + 1).unwrap_or(&story.refs[last]));
    assert!(is_between(&refs, before, after), "after {moment} changes: {refs:?}, {before:?}, {after:?}");
    Some((place, refs))
}

fn check_life_goes_on(story: &Story, crash: &Crash) {
    let Some((place, refs)) = check_crash(story, crash) else { return };
    let git_dir = place.path().join("group/server.git");
    let moment = crash.moment;
    age(&git_dir);
    let outcome = push(&git_dir, &story.another).expect("an answer");
    assert_eq!((outcome.refusal, outcome.changes.len()), (None, 1), "after {moment} changes");
    let mut expected = refs;
    expected
        .insert(outcome.changes[0].name.to_string(), outcome.changes[0].new.expect("created").to_string());
    assert_eq!(refs_of_sound(&git_dir), Ok(expected), "after {moment} changes");
    check_tidied(&git_dir, &format!("after {moment} changes"));
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
                age(&git_dir);
                push(&git_dir, &story.another).expect("an answer");
                let refs = refs_of_sound(&git_dir).expect("it is sound");
                assert!(refs.contains_key("refs/heads/another"), "{context}");
                check_tidied(&git_dir, &context);
                fs::remove_dir_all(&git_dir).expect("removed");
                if !has_struck {
                    break;
                }
            }
        }
        push(&sound, body).expect("an answer");
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
