//! Pushes as `git` makes them: the objects of the push lie in a directory of their own.

use super::*;
use crate::wit::{
    Arrived, Change, Permission, RefKind, RefRule, Signature, SignatureState, Signing, Update, Who,
};
use std::path::PathBuf;
use std::process::Command;

/// A rule that lets nobody do anything.
pub fn ref_rule(pattern: &str) -> RefRule {
    RefRule {
        kind: RefKind::Branches,
        pattern: pattern.into(),
        create: Who::Nobody,
        advance: Who::Nobody,
        force: Who::Nobody,
        delete: Who::Nobody,
        users: Vec::new(),
        signing: Signing::Nothing,
    }
}

/// A rule that lets everybody do everything with signed commits.
fn signed(kind: RefKind, pattern: &str) -> RefRule {
    let all = Who::Writers;
    let signing = Signing::Signed;
    RefRule { kind, create: all, advance: all, force: all, delete: all, signing, ..ref_rule(pattern) }
}

pub fn rules(place: &str, refs: Vec<RefRule>) -> Rules {
    Rules {
        place: place.into(),
        refs,
        file_bytes_max: None,
        pack_bytes_max: None,
        repository_bytes_max: None,
        refs_max: None,
        forbidden_paths: Vec::new(),
        message_required: None,
        message_forbidden: None,
        known_authors: false,
    }
}

pub fn update(name: &str, change: Change) -> Update {
    Update { name: name.into(), old: None, new: None, change }
}

pub fn push(updates: Vec<Update>) -> Push {
    Push {
        repository: Repository { id: 1, path: "team/demo".into(), directory: "demo.git".into() },
        pusher: Pusher {
            name: "anna".into(),
            full_name: String::new(),
            addresses: Vec::new(),
            permission: Permission::Write,
        },
        updates,
        arrived: None,
        repository_bytes: None,
        known_addresses: Vec::new(),
        signatures: Vec::new(),
        options: Vec::new(),
    }
}

/// A repository of which `main` is there already, and a push.
struct Place(tempfile::TempDir);

impl Place {
    /// `before` runs in the repository, `after` where what it makes is the push's.
    fn new(before: &str, after: &str) -> Self {
        let place = Self(tempfile::tempdir().expect("a temporary directory"));
        place.git("git init -q -b main ../work; git init -q --bare -b main .", false);
        place.git(before, false);
        place.git("mkdir -p $QUARANTINE/pack", false);
        place.git(after, true);
        place
    }

    fn quarantine(&self) -> PathBuf {
        self.0.path().join("demo.git/objects/tmp_objdir-incoming-test")
    }

    fn git(&self, script: &str, is_push: bool) -> String {
        let (git_dir, work) = (self.0.path().join("demo.git"), self.0.path().join("work"));
        std::fs::create_dir_all(&git_dir).expect("made");
        std::fs::create_dir_all(&work).expect("made");
        let mut command = Command::new("sh");
        command
            .current_dir(if git_dir.join("HEAD").exists() { &work } else { &git_dir })
            .args(["-ec", script]);
        command
            .stdin(std::process::Stdio::null())
            .env("QUARANTINE", self.quarantine())
            .env("HOME", self.0.path());
        if git_dir.join("HEAD").exists() {
            command.env("GIT_DIR", &git_dir).env("GIT_WORK_TREE", &work);
        }
        for (key, value) in [("NAME", "A"), ("EMAIL", "a@example.org")] {
            command.env(format!("GIT_AUTHOR_{key}"), value).env(format!("GIT_COMMITTER_{key}"), value);
        }
        if is_push {
            command.env("GIT_OBJECT_DIRECTORY", self.quarantine());
            command.env("GIT_ALTERNATE_OBJECT_DIRECTORIES", git_dir.join("objects"));
        }
        let output = command.output().expect("sh runs");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// A push of what `HEAD` is by now to `name`, which was `old`.
    fn push(&self, name: &str, old: &str, new: &str) -> Push {
        let id = |revision: &str| match revision {
            "" => None,
            revision => Some(self.git(&format!("git rev-parse {revision}"), true)),
        };
        let change = match (old, new) {
            ("", _) => Change::Create,
            (_, "") => Change::Delete,
            _ => Change::Advance,
        };
        let arrived = Arrived {
            directory: "demo.git/objects/tmp_objdir-incoming-test".into(),
            pack_bytes: 100,
            object_count: 3,
        };
        let update = Update { name: name.into(), old: id(old), new: id(new), change };
        Push { arrived: Some(arrived), ..push(vec![update]) }
    }

    fn check(&self, push: &Push, rules: Rules) -> Verdict {
        check(self.0.path(), push, &[rules]).expect("a verdict")
    }
}

const ROOT: &str = "echo a > a; git add .; git commit -qm Root; git tag old";
/// Detached, so that the branches stay as they were.
const NEXT: &str = "git checkout -q --detach; mkdir -p d/e; printf 12345 > d/e/five; git add .; git commit -qm 'ABC-1: Next'";

/// The ref's reason, or the whole push's, and the messages; ids are left out.
fn said(verdict: &Verdict) -> (String, Vec<String>) {
    let without_ids = |text: &str| {
        let word = |word: &str| match word.trim_end_matches(':') {
            id if id.len() == 40 => "ID".to_owned(),
            _ => word.to_owned(),
        };
        text.split(' ').map(word).collect::<Vec<_>>().join(" ")
    };
    let refused = verdict.refused_refs.first().map(|refused| refused.reason.clone());
    let reason = verdict.refusal.clone().or(refused).unwrap_or_default();
    (reason, verdict.messages.iter().map(|message| without_ids(message)).collect())
}

#[track_caller]
fn assert_said(verdict: &Verdict, reason: &str, messages: &[&str]) {
    assert_eq!(said(verdict), (reason.to_owned(), messages.iter().map(|text| (*text).to_owned()).collect()));
}

#[test]
fn only_rules_cost_something() {
    assert_eq!(needs(&[]), Needs::empty());
    assert_eq!(needs(&[rules("a", vec![])]), Needs::CHECK);
    let size = Rules { repository_bytes_max: Some(1), ..rules("a", vec![]) };
    assert_eq!(needs(&[size]), Needs::CHECK | Needs::REPOSITORY_BYTES);
    let authors = Rules { known_authors: true, ..rules("a", vec![]) };
    assert_eq!(needs(&[authors]), Needs::CHECK | Needs::KNOWN_ADDRESSES);
    let form = signed(RefKind::Branches, "main");
    assert_eq!(needs(&[rules("a", vec![form.clone()])]), Needs::CHECK);
    let verified = RefRule { signing: Signing::Verified, ..form };
    assert_eq!(needs(&[rules("a", vec![verified])]), Needs::CHECK | Needs::SIGNATURES);
}

#[test]
fn files_are_checked_at_the_limit_and_past_it() {
    let place = Place::new(ROOT, NEXT);
    let push = place.push("refs/heads/main", "main", "HEAD");
    let limit = |bytes| Rules { file_bytes_max: Some(bytes), ..rules("team", vec![]) };
    assert_said(&place.check(&push, limit(5)), "", &[]);
    let message = "commit ID `d/e/five` has 5 bytes, and 4 are allowed";
    assert_said(&place.check(&push, limit(4)), "team: a file is too large", &[message]);
    assert_said(&place.check(&push, limit(1)), "team: a file is too large", &[&message.replace('4', "1")]);
}

#[test]
fn what_tags_hold_is_checked_though_no_commit_has_it() {
    let place = Place::new(
        ROOT,
        "printf 12345 > five; git add five; git tag tree $(git write-tree); git tag -a -m T annotated tree; git tag blob $(git hash-object five)",
    );
    let limit = Rules { file_bytes_max: Some(4), forbidden_paths: vec!["five".into()], ..rules("t", vec![]) };
    for name in ["tree", "annotated"] {
        let push = place.push("refs/tags/x", "", name);
        let messages =
            ["tree ID `five` is forbidden by `five`", "tree ID `five` has 5 bytes, and 4 are allowed"];
        assert_said(&place.check(&push, limit.clone()), "t: a path is forbidden", &messages);
    }
    let push = place.push("refs/tags/x", "", "blob");
    let message = "blob ID `` has 5 bytes, and 4 are allowed";
    assert_said(&place.check(&push, limit), "t: a file is too large", &[message]);
}

#[test]
fn paths_are_forbidden_where_they_are_added_or_changed() {
    let place = Place::new(ROOT, NEXT);
    let push = place.push("refs/heads/main", "main", "HEAD");
    let forbid =
        |path: &str| Rules { forbidden_paths: vec!["x".into(), path.into()], ..rules("team", vec![]) };
    for path in ["five", "/d", "d/**", "d/e/f*"] {
        let message = format!("commit ID `d/e/five` is forbidden by `{path}`");
        assert_said(&place.check(&push, forbid(path)), "team: a path is forbidden", &[&message]);
    }
    // It was there before, and is as it was.
    assert_said(&place.check(&push, forbid("a")), "", &[]);
    let removed = Place::new(ROOT, "git checkout -q --detach; git rm -q a; git commit -qm Less");
    let push = removed.push("refs/heads/main", "main", "HEAD");
    assert_said(&removed.check(&push, forbid("a")), "", &[]);
}

#[test]
fn a_merge_is_charged_with_what_no_parent_has() {
    let place = Place::new(
        &format!(
            "{ROOT}; git checkout -qb side; echo b > b; git add .; git commit -qm Side; git checkout -q main; echo c > c; git add .; git commit -qm Main"
        ),
        "git checkout -q --detach; git merge -q --no-edit --no-commit side; echo d > d; git add .; git commit -qm Merged",
    );
    let push = place.push("refs/heads/main", "main", "HEAD");
    let forbid = |path: &str| Rules { forbidden_paths: vec![path.into()], ..rules("team", vec![]) };
    for path in ["a", "b", "c"] {
        assert_said(&place.check(&push, forbid(path)), "", &[]);
    }
    let message = "commit ID `d` is forbidden by `d`";
    assert_said(&place.check(&push, forbid("d")), "team: a path is forbidden", &[message]);
}

#[test]
fn messages_are_as_they_have_to_be() {
    let place = Place::new(ROOT, NEXT);
    let push = place.push("refs/heads/main", "main", "HEAD");
    let reason = "team: a commit message is not as it has to be";
    let required = |text: &str| Rules { message_required: Some(text.into()), ..rules("team", vec![]) };
    assert_said(&place.check(&push, required("^[A-Z]+-[0-9]+: ")), "", &[]);
    let message = "commit ID the message has no match of `^X`";
    assert_said(&place.check(&push, required("^X")), reason, &[message]);
    let forbidden = |text: &str| Rules { message_forbidden: Some(text.into()), ..rules("team", vec![]) };
    assert_said(&place.check(&push, forbidden("(?i)wip")), "", &[]);
    let message = "commit ID the message has a match of `(?i)next`";
    assert_said(&place.check(&push, forbidden("(?i)next")), reason, &[message]);
}

#[test]
fn authors_are_known() {
    let place = Place::new(ROOT, NEXT);
    let mut push = place.push("refs/heads/main", "main", "HEAD");
    let known = || Rules { known_authors: true, ..rules("team", vec![]) };
    let message = "commit ID no account has the author's address a@example.org";
    assert_said(&place.check(&push, known()), "team: an author is not known here", &[message]);
    push.known_addresses = vec!["a@example.org".into()];
    assert_said(&place.check(&push, known()), "", &[]);
}

#[test]
fn sizes_are_checked_at_the_limit_and_past_it() {
    let place = Place::new(ROOT, NEXT);
    let mut push = place.push("refs/heads/new", "", "HEAD");
    push.repository_bytes = Some(900);
    let cases = [
        (Rules { pack_bytes_max: Some(100), ..rules("t", vec![]) }, ""),
        (
            Rules { pack_bytes_max: Some(99), ..rules("t", vec![]) },
            "t: the push has 100 bytes, and 99 are allowed",
        ),
        (Rules { repository_bytes_max: Some(1_000), ..rules("t", vec![]) }, ""),
        (
            Rules { repository_bytes_max: Some(999), ..rules("t", vec![]) },
            "t: the repository would have 1000 bytes, and 999 are allowed",
        ),
        // `main`, `old` and the new one.
        (Rules { refs_max: Some(3), ..rules("t", vec![]) }, ""),
        (
            Rules { refs_max: Some(2), ..rules("t", vec![]) },
            "t: the repository would have 3 refs, and 2 are allowed",
        ),
    ];
    for (rules, expected) in cases {
        assert_said(&place.check(&push, rules), expected, &[]);
    }
    let deletion = Push { arrived: None, ..place.push("refs/tags/old", "old", "") };
    let full = Rules {
        refs_max: Some(1),
        repository_bytes_max: Some(1),
        pack_bytes_max: Some(1),
        ..rules("t", vec![])
    };
    assert_said(&place.check(&deletion, full), "", &[]);
}

/// Makes `git` sign by SSH with a key of its own.
const SIGN: &str = "ssh-keygen -q -t ed25519 -N '' -f ../key || true; git config gpg.format ssh; git config user.signingKey $(realpath ../key.pub); git config commit.gpgSign true; git config tag.gpgSign true";

#[test]
fn branches_want_signed_commits() {
    let rule = || rules("team", vec![signed(RefKind::Branches, "m*")]);
    let unsigned = Place::new(ROOT, &format!("{NEXT}; git commit -q --allow-empty -m Another"));
    let push = unsigned.push("refs/heads/main", "main", "HEAD");
    let messages = ["commit ID is not signed"; 2];
    assert_said(&unsigned.check(&push, rule()), "team wants every commit signed, and 2 are not", &messages);
    let push = unsigned.push("refs/heads/other", "main", "HEAD");
    assert_said(&unsigned.check(&push, rule()), "", &[]);
    let push = unsigned.push("refs/heads/main", "main", "");
    assert_said(&unsigned.check(&push, rule()), "", &[]);

    let signed = Place::new(ROOT, &format!("{SIGN}; {NEXT}"));
    let push = signed.push("refs/heads/main", "main", "HEAD");
    assert_said(&signed.check(&push, rule()), "", &[]);
}

#[test]
fn what_came_by_another_branch_has_to_be_signed_too() {
    let before = format!(
        "{ROOT}; git checkout -qb side; git commit -q --allow-empty -m Unsigned; git branch m2; git checkout -q main; {SIGN}"
    );
    let place = Place::new(
        &before,
        "git checkout -q --detach; git merge -q --no-ff --no-edit side; git update-ref refs/tags/merged HEAD; git checkout -q main",
    );
    let rule = |pattern| rules("team", vec![signed(RefKind::Branches, pattern)]);
    let push = place.push("refs/heads/main", "main", "merged");
    let reason = "team wants every commit signed, and 1 is not";
    assert_said(&place.check(&push, rule("main")), reason, &["commit ID is not signed"]);
    // A new branch is not asked about what the default branch has, nor what others have that the rule is about.
    let push = place.push("refs/heads/main2", "", "main");
    assert_said(&place.check(&push, rule("main*")), "", &[]);
    let push = place.push("refs/heads/m3", "", "side");
    assert_said(&place.check(&push, rule("m3")), reason, &["commit ID is not signed"]);
    assert_said(&place.check(&push, rule("m*")), "", &[]);
}

#[test]
fn signatures_count_by_what_is_known_of_them() {
    let place = Place::new(ROOT, &format!("{SIGN}; {NEXT}; git tag -s -m T signed"));
    let verified = |kind| RefRule { signing: Signing::Verified, ..signed(kind, "*") };
    let cases = [
        (Some(SignatureState::Verified), ""),
        (
            Some(SignatureState::WrongAddress),
            "is signed by anna, whose account does not have the address in it",
        ),
        (Some(SignatureState::UnknownKey), "is signed by the key K, which no account has"),
        (Some(SignatureState::Bad), "has a signature that anna's key K did not make of it"),
        (Some(SignatureState::Expired), "is signed by anna's key K, and one of both has expired"),
        (Some(SignatureState::Revoked), "is signed by anna's key K, which is revoked"),
        (Some(SignatureState::Unsupported), "is signed in a way that cannot be verified here"),
        (Some(SignatureState::Malformed), "has a malformed signature"),
        (None, "is not signed"),
    ];
    for (state, words) in cases {
        let with = |revision: &str| {
            let object = place.git(&format!("git rev-parse {revision}"), true);
            let known = |state| Signature { object, state, signer: "anna".into(), key: "K".into() };
            state.map(known).into_iter().collect()
        };
        let branch = place.push("refs/heads/main", "main", "HEAD");
        let said = place.check(
            &Push { signatures: with("HEAD"), ..branch },
            rules("team", vec![verified(RefKind::Branches)]),
        );
        let tag = place.push("refs/tags/v1", "", "signed");
        let said_of_tag = place
            .check(&Push { signatures: with("signed"), ..tag }, rules("team", vec![verified(RefKind::Tags)]));
        if words.is_empty() {
            assert_said(&said, "", &[]);
            assert_said(&said_of_tag, "", &[]);
        } else {
            let reason = "team wants every commit signed by an account's key, and 1 is not";
            assert_said(&said, reason, &[&format!("commit ID {words}")]);
            let reason = format!("team wants tags signed by an account's key, and this one {words}");
            assert_said(&said_of_tag, &reason, &[]);
        }
    }
}

#[test]
fn tags_want_to_be_annotated_and_signed() {
    let place = Place::new(
        ROOT,
        &format!("git tag light; git tag -a -m T annotated; {SIGN}; git tag -s -m T signed"),
    );
    let rule = || rules("team", vec![signed(RefKind::Tags, "v*")]);
    for (tag, reason) in [
        ("light", "team wants tags signed, and this one is not annotated"),
        ("annotated", "team wants tags signed, and this one is not signed"),
        ("signed", ""),
    ] {
        assert_said(&place.check(&place.push("refs/tags/v1", "", tag), rule()), reason, &[]);
    }
}

#[test]
fn only_so_many_violations_are_named() {
    let commits = |count: usize| {
        format!(
            "git checkout -q --detach; for n in $(seq {count}); do git commit -q --allow-empty -m $n; done"
        )
    };
    let rule = || Rules { message_required: Some("x".into()), ..rules("team", vec![]) };
    for (count, named, is_more) in [(3, 3, false), (limits::VIOLATIONS_MAX + 1, limits::VIOLATIONS_MAX, true)]
    {
        let place = Place::new(ROOT, &commits(count));
        let verdict = place.check(&place.push("refs/heads/main", "main", "HEAD"), rule());
        assert_eq!(verdict.messages.len(), named + usize::from(is_more));
        assert_eq!(verdict.messages.last().is_some_and(|last| last == "and there may be more"), is_more);
    }
}

#[test]
fn paths_end_somewhere() {
    let nested = |count: usize| {
        format!("git checkout -q --detach; tree=$(echo x | git hash-object -w --stdin); tree=$(printf '100644 blob %s\\tx\\n' $tree | git mktree)
                 for n in $(seq {count}); do tree=$(printf '040000 tree %s\\t%0255d\\n' $tree 0 | git mktree); done
                 git checkout -q $(git commit-tree -p main -m Deep $tree) 2> /dev/null || git update-ref --no-deref HEAD $(git commit-tree -p main -m Deep $tree)")
    };
    let forbid = [Rules { forbidden_paths: vec!["none".into()], ..rules("t", vec![]) }];
    for (count, is_followed) in [(15, true), (16, false)] {
        let place = Place::new(ROOT, &nested(count));
        let push = place.push("refs/heads/main", "main", "HEAD");
        let judged = check(place.0.path(), &push, &forbid);
        assert_eq!(judged.is_ok(), is_followed, "{count}");
        assert_eq!(matches!(judged, Err(Error::PathTooLong { .. })), !is_followed);
    }
}

#[test]
fn a_rule_that_cannot_be_applied_gives_no_verdict() {
    let place = Place::new(ROOT, NEXT);
    let push = place.push("refs/heads/main", "main", "HEAD");
    let rule = Rules { message_required: Some("(".into()), ..rules("team", vec![]) };
    let words = check(place.0.path(), &push, &[rule]).expect_err("no verdict").to_string();
    assert!(words.starts_with("a rule of team cannot be applied: `(`: "), "{words}");
    let gone =
        Push { repository: Repository { directory: "gone.git".into(), ..push.repository.clone() }, ..push };
    let rule = Rules { refs_max: Some(9), ..rules("team", vec![]) };
    assert!(check(place.0.path(), &gone, &[rule]).is_err());
}
