//! Many small pushes do not leave many small packs.

use super::*;
use lithe_git::maintenance::SMALL_PACKS_MAX;

/// How many pushes are made one after the other.
const PUSHES: usize = 1_000;

/// A file for `git fast-import` with that many commits on `main`, each of which changes one file.
fn history() -> Vec<u8> {
    let mut text = Vec::new();
    for number in 1..=PUSHES {
        let contents = format!("{number}\n").repeat(20);
        writeln!(
            text,
            "commit refs/heads/main\nmark :{number}\ncommitter A <a@example.org> 1700000000 +0000\ndata 1\nx\n\
             M 100644 inline directory/{}\ndata {}\n{contents}",
            number % 50,
            contents.len()
        )
        .expect("memory takes it");
    }
    text
}

#[test]
fn a_thousand_pushes_leave_few_packs() {
    let place = Place::new();
    let import = place.run("-C client fast-import --quiet", &history());
    assert!(import.status.success(), "{}", import.stderr.as_bstr());
    let commits = place.client("rev-list --reverse main");
    let commits: Vec<&str> = commits.lines().collect();
    assert_eq!(commits.len(), PUSHES);
    let server = place.server();
    let (mut packs_max, mut files_max) = (0, 0);
    for (old, new) in [NULL].iter().chain(&commits).zip(&commits) {
        let known: &[&str] = if *old == NULL { &[] } else { &[old] };
        let body = request(&[(old, new, "refs/heads/main")], "", &place.pack(&[new], known));
        let outcome = place.try_send(&body, &Policy::default()).expect("an answer");
        assert_eq!((outcome.refusal, outcome.changes.len()), (None, 1));
        let names = files(&server);
        packs_max = packs_max.max(names.iter().filter(|name| name.ends_with(".pack")).count());
        files_max = files_max.max(names.len());
    }
    assert!(packs_max <= SMALL_PACKS_MAX, "{packs_max} packs");
    // A pack and its index, what every repository has, and nothing loose.
    assert!(files_max <= 2 * SMALL_PACKS_MAX + 14, "{files_max} files and directories");
    place.check();
    assert_eq!(place.git("-C server.git rev-parse main"), *commits[PUSHES - 1]);
}
