//! The limits of what pages read and show, at them and past them. Those of damaged and hostile
//! repositories are in `hostile.rs`.

mod kit;

use askama::Template;
use browse::limits::*;
use browse::listing::{self, Subject, Wish};
use browse::refs::{self, Offsets};
use browse::{commit, diff, find, tree};
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use kit::{COMMITTED, Fixture, repository};
use lithe_code::limits::*;
use lithe_code::repository::{Error, Objects, Repository};
use lithe_code::revision;
use lithe_forge::access::{Listed, Listing, Place};
use lithe_forge::types;
use lithe_git::commit_graph::CommitGraph;
use lithe_git::odb::Object;
use lithe_git::refs::Snapshot;
use std::sync::Arc;

fn id(fixture: &Fixture, revision: &str) -> ObjectId {
    fixture.git(&format!("rev-parse '{revision}'")).parse().expect("an id")
}

/// The page of a commit.
fn commit_page(fixture: &Fixture, revision: &str) -> String {
    let opened = fixture.open();
    let page = commit::page(
        &fixture.place(),
        repository(&opened),
        id(fixture, revision),
        commit::Against::FIRST,
        browse::diff::View::default(),
    );
    page.expect("a commit").render().expect("the template takes its page")
}

/// Objects that are all of one size, in bytes.
struct OfSize(u64);

impl Objects for OfSize {
    fn header(&self, _: &oid) -> Result<Option<(Kind, u64)>, Error> {
        Ok(Some((Kind::Tree, self.0)))
    }

    fn object(&self, _: &oid) -> Result<Option<Object>, Error> {
        Ok(Some(Object { kind: Kind::Tree, data: Arc::default() }))
    }

    fn may_show(&self, _: &oid, _: &Snapshot) -> Result<bool, Error> {
        Ok(true)
    }

    fn commit_graph(&self) -> Option<&CommitGraph> {
        None
    }

    fn format(&self) -> gix_hash::Kind {
        gix_hash::Kind::Sha1
    }

    fn with_prefix(&self, _: &gix_hash::Prefix) -> Result<Vec<ObjectId>, Error> {
        Ok(Vec::new())
    }
}

#[test]
fn objects_are_read_up_to_a_size() {
    let any = ObjectId::null(gix_hash::Kind::Sha1);
    let read = |size| {
        let refs = Snapshot::default();
        Repository { objects: &OfSize(size), refs: &refs }.tree(&any).map(|_| ())
    };
    assert_eq!(read(OBJECT_BYTES_MAX), Ok(()));
    assert_eq!(read(OBJECT_BYTES_MAX + 1), Err(Error::TooLarge(any)));
}

#[test]
fn so_many_sizes_are_looked_up() {
    for (count, sized) in [(TREE_SIZES_MAX, TREE_SIZES_MAX), (TREE_SIZES_MAX + 1, TREE_SIZES_MAX)] {
        let fixture = Fixture::new(&format!(
            "for i in $(seq {count}); do echo x > $i; done; git add .; git commit -qm x"
        ));
        let opened = fixture.open();
        let at = revision::resolve(repository(&opened), "main".into()).expect("readable").expect("there");
        let page = tree::page(&fixture.place(), repository(&opened), &at, 0).expect("a directory");
        let html = page.render().expect("the template takes its page");
        assert_eq!(html.matches("class=\"name entry").count(), count);
        assert_eq!(html.matches("<td class=\"size\">2 ").count(), sized, "{count}");
    }
}

#[test]
fn so_many_branches_and_tags_are_on_a_page() {
    for (count, has_next) in [(REFS_PER_PAGE, false), (REFS_PER_PAGE + 1, true)] {
        let fixture = Fixture::new("git commit -q --allow-empty -m x");
        fixture.shell(&format!(
            r#"cd team/demo.git && id=$(git rev-parse main) && git update-ref -d refs/heads/main
            for i in $(seq {count}); do echo "create refs/heads/b$i $id"; echo "create refs/tags/t$i $id"; done | git update-ref --stdin"#
        ));
        let opened = fixture.open();
        let html = |offsets| {
            let page = refs::page(&fixture.place(), repository(&opened), "", offsets).expect("readable");
            page.render().expect("the template takes its page")
        };
        let first = html(Offsets::default());
        let shown = |html: &str, kind: char| html.matches(&format!("/-/tree/{kind}")).count();
        assert_eq!((shown(&first, 'b'), shown(&first, 't')), (REFS_PER_PAGE, REFS_PER_PAGE), "{count}");
        assert_eq!(first.contains(&format!("?branches={REFS_PER_PAGE}")), has_next, "{count}");
        let second = html(Offsets { branches: REFS_PER_PAGE, tags: REFS_PER_PAGE, ..Offsets::default() });
        assert_eq!(
            (shown(&second, 'b'), shown(&second, 't')),
            (count - REFS_PER_PAGE, count - REFS_PER_PAGE)
        );
    }
}

#[test]
fn so_many_repositories_are_on_a_page() {
    let fixture = Fixture::new("");
    let page = |total: u32, offset: u32| {
        let shown = total.saturating_sub(offset).min(LISTED_PER_PAGE);
        let listed = |number: u32| Listed {
            place: Place::Repository(types::Repository {
                path: format!("r{number}"),
                ..fixture.record.clone()
            }),
            permission: types::Permission::Read,
            updated: None,
        };
        let overview = kit::overview(types::Permission::Read);
        let listing = Listing { overview, entries: (offset..offset + shown).map(listed).collect(), total };
        let frame = fixture.place().frame;
        let wish = Wish { offset, ..Wish::default() };
        let page = listing::page(&frame, Subject::Home, &listing, &wish, COMMITTED);
        page.render().expect("the template takes its page")
    };
    let next = format!("from={LISTED_PER_PAGE}");
    assert!(!page(LISTED_PER_PAGE, 0).contains(&next));
    assert!(page(LISTED_PER_PAGE + 1, 0).contains(&next));
    assert!(page(LISTED_PER_PAGE + 1, LISTED_PER_PAGE).contains("r100"));
}

#[test]
fn messages_are_shown_up_to_a_length() {
    let fixture = Fixture::new("");
    for (len, is_cut) in [(MESSAGE_BYTES_MAX, false), (MESSAGE_BYTES_MAX + 1, true)] {
        fixture.shell(&format!(
            r#"cd team/demo.git && (echo Title && echo && head -c {len} /dev/zero | tr '\0' m) > ../message
            git update-ref refs/heads/main $(git commit-tree -F ../message $(git mktree < /dev/null))"#
        ));
        let html = commit_page(&fixture, "main");
        assert!(html.contains(&"m".repeat(MESSAGE_BYTES_MAX - 1)), "{len}");
        assert_eq!(html.contains("m…"), is_cut, "{len}");
    }
}

#[test]
fn so_many_bytes_are_compared() {
    // Files as large as may be compared, as many as make the limit; one byte more is in another file.
    let count = DIFF_BYTES_MAX / DIFF_FILE_BYTES_MAX;
    let fixture = Fixture::new(&format!(
        r#"for i in $(seq {count}); do (echo $i; head -c {DIFF_FILE_BYTES_MAX} /dev/zero | tr '\0' x) | head -c {DIFF_FILE_BYTES_MAX} > f$i; done
        git add . && git -c core.compression=1 commit -qm at && printf x > z && git add . && git commit -q --amend -m past && git branch past
        git rm -q --cached z && git commit -q --amend -m at"#
    ));
    let (at, past) = (commit_page(&fixture, "main"), commit_page(&fixture, "past"));
    let notice = "the lines of some files are left out";
    assert_eq!((at.contains(notice), past.contains(notice)), (false, true));
    assert!(!at.contains("Too large to be compared here") && past.contains("Too large to be compared here"));
}

#[test]
fn so_many_trees_are_compared() {
    // Each directory differs by an empty one in it, so no file does: four trees are read for each.
    let per_directory = 4;
    let fixture = Fixture::new("");
    let most = (DIFF_TREES_MAX - 2) / per_directory;
    let tree = |count: usize, of: &str| {
        let printed = fixture.shell(&format!(
            r#"cd team/demo.git && empty=$(git mktree < /dev/null) && one=$(printf '040000 tree %s\te\n' $empty | git mktree)
            seq -f '%06g' {count} | sed "s/.*/040000 tree ${of}\t&/" | git mktree"#
        ));
        ObjectId::from_hex(printed.trim_ascii()).expect("an id")
    };
    for (count, is_cut) in [(most, false), (most + 1, true)] {
        let (before, after) = (tree(count, "empty"), tree(count, "one"));
        let opened = fixture.open();
        let changes = diff::trees(repository(&opened), Some(before), after, diff::Origins::Deleted)
            .expect("it can be read");
        assert_eq!((changes.files.len(), changes.is_cut), (0, is_cut), "{count}");
    }
}

#[test]
fn so_many_lines_are_shown_to_who_asks_for_all() {
    for (count, is_cut) in [(DIFF_FULL_LINES_MAX, false), (DIFF_FULL_LINES_MAX + 1, true)] {
        let fixture = Fixture::new(&format!("seq {count} > numbers && git add . && git commit -qm x"));
        let opened = fixture.open();
        let view = diff::View { is_full: true, ..diff::View::default() };
        let page = commit::page(
            &fixture.place(),
            repository(&opened),
            id(&fixture, "main"),
            commit::Against::FIRST,
            view,
        );
        let html = page.expect("a commit").render().expect("the template takes its page");
        assert_eq!(html.matches("class=\"diff-insert\"").count(), DIFF_FULL_LINES_MAX, "{count}");
        assert_eq!(html.contains("The rest is left out"), is_cut, "{count}");
    }
}

/// How many files the page that finds files knows of, and whether it knows all.
fn findable(fixture: &Fixture, tree: &str) -> (String, bool) {
    fixture.shell(&format!(
        "cd team/demo.git && blob=$(echo x | git hash-object -w --stdin) && {tree}
        git update-ref refs/heads/main $(git commit-tree -m x $tree)"
    ));
    let opened = fixture.open();
    let at = revision::landing_branch(repository(&opened)).expect("readable").expect("a branch");
    let page = find::page(&fixture.place(), repository(&opened), &at, "").expect("a page");
    let page = serde_json::to_value(&page).expect("JSON");
    (page["count"].as_str().expect("text").to_owned(), page["is-cut"].as_bool().expect("yes or no"))
}

#[test]
fn so_many_files_of_so_many_directories_can_be_found() {
    let fixture = Fixture::new("");
    let files = |count: usize| {
        format!("tree=$(seq -f '%06g' {count} | sed \"s/^/100644 blob $blob\\tf/\" | git mktree)")
    };
    assert_eq!(findable(&fixture, &files(FIND_PATHS_MAX - 1)), ("99,999 files".into(), false));
    assert_eq!(findable(&fixture, &files(FIND_PATHS_MAX)), ("100,000 files".into(), false));
    assert_eq!(findable(&fixture, &files(FIND_PATHS_MAX + 1)), ("100,000 files".into(), true));
    // The root is one of the directories.
    let directories = |count: usize| {
        format!(
            "inner=$(printf '100644 blob %s\\tf\\n' $blob | git mktree)
            tree=$(seq -f '%06g' {count} | sed \"s/^/040000 tree $inner\\td/\" | git mktree)"
        )
    };
    assert_eq!(findable(&fixture, &directories(FIND_TREES_MAX - 1)), ("19,999 files".into(), false));
    assert_eq!(findable(&fixture, &directories(FIND_TREES_MAX)), ("19,999 files".into(), true));
}

#[test]
fn files_are_looked_for_so_long() {
    let fixture = Fixture::new(
        "for i in 1 2 3; do mkdir d$i && echo $i > d$i/f; done; echo x > x; git add . && git commit -qm x",
    );
    let opened = fixture.open();
    let tree_id = id(&fixture, "main^{tree}");
    // A clock that goes on by as much with each of the four directories.
    let found = |step: std::time::Duration| {
        let (start, mut looks) = (std::time::Instant::now(), 0);
        let clock = || {
            looks += 1;
            start + step * (looks - 1)
        };
        let paths = find::walk(repository(&opened), tree_id, clock).expect("readable");
        (paths.paths.len(), paths.is_cut)
    };
    let short = std::time::Duration::from_nanos(1);
    assert_eq!(found((FIND_TIME_MAX - short) / 4), (4, false));
    assert_eq!(found(FIND_TIME_MAX / 4), (3, true), "what is nearest to the root was found");
    assert_eq!(found(FIND_TIME_MAX), (0, true));
}

#[test]
fn words_are_looked_for_up_to_a_length() {
    let paths = [bstr::BString::from("a".repeat(FIND_WORDS_BYTES_MAX))];
    let found = |words: &str| find::matching(&paths, words).1;
    assert_eq!(found(&"a".repeat(FIND_WORDS_BYTES_MAX)), 1);
    assert_eq!(found(&format!("{}b", "a".repeat(FIND_WORDS_BYTES_MAX))), 1, "the rest is passed over");
    assert_eq!(found(&format!("{}b", "a".repeat(FIND_WORDS_BYTES_MAX - 1))), 0);
}
