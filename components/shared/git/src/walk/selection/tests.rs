//! A fetch has what `git` says is missing, whichever way its objects are found.

use super::*;
use crate::maintenance::{self, Settings};
use crate::testing::Scratch;
use std::collections::BTreeSet;
use std::ops::Deref;
use std::time::SystemTime;

struct Repository(Scratch);

impl Deref for Repository {
    type Target = Scratch;

    fn deref(&self) -> &Scratch {
        &self.0
    }
}

impl Repository {
    /// Forty commits on `main` with merges in between, a directory that comes and goes, and commits that
    /// came after the repository was maintained.
    fn new() -> Self {
        let repository = Self(Scratch::new());
        repository.sh("git init -q -b main && mkdir d && seq 300 > d/list && git add . && git commit -qm 0");
        repository.sh(
            "for i in $(seq 40); do
                case $i in
                    *0) git checkout -qb side$i HEAD~3 && echo $i > only$i && git add . && git commit -qm s$i &&
                        git checkout -q main && git merge -qm m$i side$i ;;
                    *5) git rm -qr d && git commit -qm $i ;;
                    *) mkdir -p d && seq $i 300 > d/list && echo $i > f$((i % 4)) && git add . && git commit -qm $i ;;
                esac
            done && git tag -am tag v1 main~5 && git repack -adq",
        );
        let settings = Settings { is_forced: true, ..Settings::default() };
        let report =
            maintenance::run(&repository.0.path().join(".git"), &settings, SystemTime::now(), &mut |_| true);
        assert!(report.expect("maintained").bitmaps > 0);
        repository.sh("for i in 1 2 3; do seq $i 200 > d/new && git add . && git commit -qm n$i; done");
        repository
    }

    fn ids(&self, script: &str) -> Vec<ObjectId> {
        self.sh(script).lines().map(|line| line[..40].parse().expect("an id")).collect()
    }

    fn selected(&self, store: &Store, request: Request) -> (BTreeSet<ObjectId>, bool) {
        let mut walk = Walk::new(store, request).expect("readable");
        let is_compared = matches!(walk.commits, Commits::Painted { .. });
        while walk.advance(store, 3).expect("readable") {}
        let send = walk.finish(store).expect("readable").send;
        let packed = (0..store.pack_count()).flat_map(|pack| {
            send.of_pack(pack).map(move |position| crate::odb::Packed { pack, position }).collect::<Vec<_>>()
        });
        let ids = packed.map(|packed| store.packed_id(packed).expect("an id"));
        let ids: BTreeSet<_> = ids.chain(send.loose().copied()).collect();
        assert_eq!(ids.len() as u64, send.len());
        (ids, is_compared)
    }
}

#[test]
fn what_is_missing_is_found_by_parents_or_by_bitmaps() {
    let repository = Repository::new();
    check_missing(&repository);
    // The same by bitmaps that several packs have in common.
    repository.sh("rm -f .git/objects/pack/*.bitmap && git repack -dq && git multi-pack-index write --bitmap && ls .git/objects/pack/*.bitmap");
    check_missing(&repository);
}

fn check_missing(repository: &Repository) {
    let store = Store::open(&repository.0.path().join(".git")).expect("readable");
    let mut ways = BTreeSet::new();
    for want in ["main", "main~2", "main~3", "side30", "v1"] {
        for have in ["main~1", "main~4", "main~9", "main~16", "main~30", "side20", "side10 main~12", "v1~8"] {
            let request = Request {
                wants: repository.ids(&format!("git rev-parse {want}")),
                haves: repository.ids(&format!("git rev-parse {have}")),
                ..Request::default()
            };
            let (selected, is_compared) = repository.selected(&store, request);
            ways.insert(is_compared);
            let missing = repository.ids(&format!("git rev-list --objects {want} --not {have}"));
            let had: BTreeSet<_> =
                repository.ids(&format!("git rev-list --objects {have}")).into_iter().collect();
            for id in &missing {
                assert!(selected.contains(id) || had.contains(id), "{id} of {want} without {have}");
            }
            let wanted: BTreeSet<_> =
                repository.ids(&format!("git rev-list --objects {want}")).into_iter().collect();
            assert!(selected.is_subset(&wanted), "{want} without {have}");
            if !is_compared {
                assert!(selected.is_disjoint(&had), "{want} without {have}");
            }
        }
    }
    assert_eq!(ways.len(), 2, "both ways are tried");
}

#[test]
fn what_lies_behind_a_cut_comes_where_it_is_asked_for() {
    let repository = Repository::new();
    let store = Store::open(&repository.0.path().join(".git")).expect("readable");
    let cases = [
        ("main main^@", "main", "main", false),
        ("main main~3^@", "main~3", "main~3", false),
        ("main~2 side30^@", "side30", "side30", false),
        ("main", "main~20", "main~25", true),
        ("side40", "main~4", "main~10", true),
    ];
    for (wants, have, cut, is_cut_kept) in cases {
        let ids = |script: &str| -> BTreeSet<_> { repository.ids(script).into_iter().collect() };
        let client_shallow: HashSet<_> =
            repository.ids(&format!("git rev-parse {cut}")).into_iter().collect();
        let cut_off = || repository.sh(&format!("git rev-parse {cut} > .git/shallow"));
        let request = Request {
            wants: repository.ids(&format!("git rev-parse {wants}")),
            haves: repository.ids(&format!("git rev-parse {have}")),
            client_shallow,
            ..Request::default()
        };
        let (selected, is_compared) = repository.selected(&store, request);
        assert_eq!(is_compared, is_cut_kept, "{wants}");
        cut_off();
        let had = ids(&format!("git rev-list --objects {have}"));
        if !is_cut_kept {
            repository.sh("rm .git/shallow");
        }
        let wanted = ids(&format!("git rev-list --objects {wants}"));
        assert!(wanted.difference(&had).all(|id| selected.contains(id)), "{wants} without {have}");
        assert!(selected.is_subset(&wanted), "{wants} without {have}");
        repository.sh("rm -f .git/shallow");
    }
}

#[test]
fn what_a_have_reached_may_be_gone() {
    let repository = Repository::new();
    // Commits of which nothing is left but the latest.
    let apart =
        repository.ids("git checkout -q --orphan apart && git commit -qm a && git rev-parse apart^{tree}");
    let have = repository.ids(&format!(
        "gone=$(echo gone | git hash-object -w -t blob --stdin) && id=$(git commit-tree -m x -p apart -p main~20 {}) &&
         git cat-file commit $id | sed \"s/^parent $(git rev-parse apart)/parent $gone/\" > c &&
         git hash-object -w -t commit --literally c && rm .git/objects/${{gone%${{gone#??}}}}/${{gone#??}}",
        apart[0]
    ));
    let store = Store::open(&repository.0.path().join(".git")).expect("readable");
    let request = Request { wants: repository.ids("git rev-parse main"), haves: have, ..Request::default() };
    let (selected, is_compared) = repository.selected(&store, request);
    assert!(is_compared);
    let missing = repository.ids("git rev-list --objects main --not main~20");
    let had: BTreeSet<_> = repository.ids("git rev-list --objects main~20").into_iter().collect();
    assert!(missing.iter().all(|id| selected.contains(id) || had.contains(id)));
}

/// What each of the wants alone has that every part of a filter keeps: of several filters at once, and of
/// what is asked for and reached as well, `git` itself leaves out some that it comes upon too early.
fn kept(repository: &Repository, wants: &[&str], filter: &str) -> BTreeSet<ObjectId> {
    let parts: Vec<&str> = filter.strip_prefix("combine:").unwrap_or(filter).split('+').collect();
    let kept_of = |want: &str, part: &str| -> BTreeSet<_> {
        repository.ids(&format!("git rev-list --objects --filter={part} {want}")).into_iter().collect()
    };
    let all_kept_of = |want: &&str| {
        let kept = parts.iter().map(|part| kept_of(want, part));
        kept.reduce(|one, other| &one & &other).expect("there is a part")
    };
    wants.iter().flat_map(all_kept_of).collect()
}

#[test]
fn a_filter_keeps_what_is_asked_for_and_counts_from_there() {
    let repository = Repository::new();
    // The same trees and files near the root and far from it, in both orders.
    repository.sh(
        "mkdir -p a/b/c && echo deep > a/b/c/deep && echo b > a/b/b && git add . && git commit -qm deep &&
         cp -r a/b/c near && cp a/b/b near-b && git add . && git commit -qm near &&
         git rm -qr a/b && git commit -qm gone && git tag -am t tree main:near && git tag -am t blob main:near-b",
    );
    let store = Store::open(&repository.0.path().join(".git")).expect("readable");
    let wants: [&[&str]; 7] = [
        &["main"],
        &["main~2"],
        &["main~1:a"],
        &["tree"],
        &["main", "tree"],
        &["main", "main~1:a", "blob"],
        &["main~1:a/b", "main~1:a", "main~1:a/b/b"],
    ];
    let filters = [
        "blob:none",
        "blob:limit=4",
        "tree:0",
        "tree:1",
        "tree:2",
        "tree:3",
        "object:type=tree",
        "combine:tree:2+blob:none",
        "combine:tree:2+blob:limit=4",
        "combine:tree:3+object:type=blob",
    ];
    for wants in wants {
        for filter in filters {
            let ids = repository.ids(&format!("git rev-parse {}", wants.join(" ")));
            let request = Request {
                wants: ids,
                filter: Filter::parse(filter).expect("it is known"),
                ..Request::default()
            };
            let (selected, _) = repository.selected(&store, request);
            assert_eq!(selected, kept(&repository, wants, filter), "{filter} of {wants:?}");
        }
    }
}
