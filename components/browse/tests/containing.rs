//! Which branches and tags contain a commit, and its children, against `git branch --contains`,
//! `git tag --contains` and `git rev-list --children`; and notes, against `git notes show`.

mod kit;

use askama::Template as _;
use browse::commit;
use browse::labels;
use browse::limits::{
    CHILDREN_SHOWN_MAX, CONTAINING_SHOWN_MAX, LABELS_PER_COMMIT_MAX, MESSAGE_BYTES_MAX, MESSAGE_IDS_MAX,
    PARENTS_SHOWN_MAX,
};
use gix_hash::ObjectId;
use kit::{COMMITTED, Fixture, Numbers, repository};
use lithe_code::containing::Containing;
use lithe_code::limits::{CONTAINING_TIPS_MAX, NOTE_BYTES_MAX};
use lithe_code::tips::Tips;
use lithe_code::walk::Budget;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A history of merges on several branches, some of it tagged; `skew` is how far clocks go wrong, in seconds.
fn history(numbers: &mut Numbers, marks: std::ops::Range<usize>, tips: &mut [usize], skew: i64) -> String {
    let mut stream = String::new();
    for mark in marks {
        let line = numbers.below(tips.len() as u64) as usize;
        let other = tips[numbers.below(tips.len() as u64) as usize];
        let mut parents = if numbers.below(3) == 0 { vec![tips[line], other] } else { vec![tips[line]] };
        if tips[line] == 0 {
            parents = vec![other];
        }
        parents.dedup();
        parents.retain(|parent| *parent > 0);
        let date = COMMITTED + mark as i64 * 60 - (mark as i64 * 7_919 % 7) * skew / 7;
        stream += &format!(
            "reset refs/heads/b{line}\ncommit refs/heads/b{line}\nmark :{mark}\ncommitter A <a@b> {date} +0000\ndata 1\nx\n"
        );
        for (index, parent) in parents.iter().enumerate() {
            stream += &format!("{} :{parent}\n", if index == 0 { "from" } else { "merge" });
        }
        tips[line] = mark;
        if mark % 9 == 0 {
            stream += &format!("reset refs/tags/t{mark}\nfrom :{mark}\n\n");
        }
    }
    stream
}

fn import(fixture: &Fixture, stream: String) {
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell(
        "cd team/demo.git && touch marks && git fast-import --quiet --force --import-marks=marks --export-marks=marks < ../../stream",
    );
}

fn id(text: &str) -> ObjectId {
    text.parse().expect("an id")
}

/// What is found of a commit, in as many requests as it takes.
fn found(fixture: &Fixture, mut known: Containing, passed: usize) -> Containing {
    let opened = fixture.open();
    let refs = fixture.git("for-each-ref --format='%(objectname)'");
    let tips: BTreeSet<ObjectId> = refs.lines().map(id).collect();
    let budget = Budget { commits_read: 1, commits_passed: passed, until: None };
    for _ in 0..10_000 {
        known.advance(repository(&opened), &tips, budget).expect("readable");
        // What is kept comes back as it was.
        let kept = Containing::parse(&known.to_text()).expect("what was just written");
        assert_eq!(kept, known);
        if tips.iter().all(|tip| known.get(tip).is_some()) {
            return known;
        }
    }
    panic!("it comes to no end");
}

#[track_caller]
fn check(
    fixture: &Fixture,
    commit_id: ObjectId,
    known: &Containing,
    children: &HashMap<ObjectId, BTreeSet<ObjectId>>,
) {
    let refs = fixture.git("for-each-ref --format='%(refname) %(objectname)'");
    let contain: Vec<&str> = refs
        .lines()
        .filter(|line| known.get(&id(&line[line.len() - 40..])) == Some(true))
        .map(|line| &line[..line.len() - 41])
        .collect();
    let expected = fixture.git(&format!("for-each-ref --format='%(refname)' --contains {commit_id}"));
    assert_eq!(contain, expected.lines().collect::<Vec<_>>(), "{commit_id}");
    let found: BTreeSet<ObjectId> = known.children().copied().collect();
    assert_eq!(found, children.get(&commit_id).cloned().unwrap_or_default(), "children of {commit_id}");
}

fn children(fixture: &Fixture) -> HashMap<ObjectId, BTreeSet<ObjectId>> {
    let list = fixture.git("rev-list --children --all");
    let of = |line: &str| {
        let mut ids = line.split_whitespace().map(id);
        (ids.next().expect("a commit"), ids.collect())
    };
    list.lines().map(of).collect()
}

#[test]
fn what_contains_a_commit_is_what_git_says() {
    for (skew, graph) in [(0, false), (3_600, false), (0, true), (90 * 86_400, true)] {
        let (mut numbers, mut tips) = (Numbers(3), [0; 6]);
        let fixture = Fixture::new("");
        import(&fixture, history(&mut numbers, 1..150, &mut tips, skew));
        let write = |fixture: &Fixture| {
            if graph {
                fixture.git("commit-graph write --reachable");
            }
        };
        write(&fixture);
        let (before, ids) = (children(&fixture), fixture.git("rev-list --all"));
        let mut kept = BTreeMap::new();
        for (index, commit_id) in ids.lines().map(id).enumerate().step_by(11) {
            let known = found(&fixture, Containing::new(commit_id), [1, 7, 100_000][index % 3]);
            check(&fixture, commit_id, &known, &before);
            kept.insert(commit_id, known);
        }
        // What was found holds when there are more commits, and the search goes on from the new tips.
        import(&fixture, history(&mut numbers, 150..220, &mut tips, skew));
        write(&fixture);
        let after = children(&fixture);
        for (commit_id, known) in kept {
            check(&fixture, commit_id, &found(&fixture, known, 10), &after);
        }
    }
}

#[test]
fn more_tips_than_one_walk_takes_are_found_by_the_next() {
    let fixture = Fixture::new("");
    let count = CONTAINING_TIPS_MAX + 1;
    let mut stream = String::from("commit refs/heads/main\nmark :1\ncommitter A <a@b> 1 +0000\ndata 1\nx\n");
    for tip in 0..count {
        stream +=
            &format!("commit refs/heads/b{tip}\ncommitter A <a@b> {} +0000\ndata 1\nx\nfrom :1\n", tip + 2);
    }
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet < stream");
    let root = id(&fixture.git("rev-parse main"));
    let known = found(&fixture, Containing::new(root), 1_000);
    let tips = fixture.git("for-each-ref --format='%(objectname)'");
    assert_eq!(tips.lines().count(), count + 1);
    assert!(tips.lines().all(|tip| known.get(&id(tip)) == Some(true)));
    // What is kept of a walk is believed up to as many.
    let kept = |tips: usize| format!("of {root}\n{}", format!("tip {root}\n").repeat(tips));
    assert!(Containing::parse(&kept(CONTAINING_TIPS_MAX)).is_some());
    assert!(Containing::parse(&kept(CONTAINING_TIPS_MAX + 1)).is_none());
}

#[test]
fn so_many_labels_stand_beside_a_commit_and_so_many_tags_are_read_for_them() {
    for more in [0, 1] {
        let fixture = Fixture::new(&format!(
            "git commit -q --allow-empty -m x && for i in $(seq {}); do git tag -a -m x t$i; done",
            LABELS_PER_COMMIT_MAX - 1 + more
        ));
        let opened = fixture.open();
        let commit_id = id(&fixture.git("rev-parse main"));
        let labels = labels::of(&fixture.place(), repository(&opened), [commit_id]).remove(&commit_id);
        let labels = labels.expect("it was asked for");
        assert_eq!((labels.shown.len(), labels.left_out), (LABELS_PER_COMMIT_MAX, more));
        assert_eq!((labels.shown[0].kind, labels.shown[1].kind), ("branch", "tag"));
        // Tags that lie by themselves are read to see where they lead; packed ones say it.
        let tags = LABELS_PER_COMMIT_MAX - 1 + more;
        let found = |tags_read_max: usize| {
            let opened = fixture.open();
            Tips::find(repository(&opened), tags_read_max).at(repository(&opened), &commit_id).count()
        };
        assert_eq!([found(tags), found(tags - 1), found(0)], [tags + 1, tags, 1]);
        fixture.git("pack-refs --all");
        assert_eq!(found(0), tags + 1);
    }
}

#[test]
fn what_is_kept_in_memory_goes_with_the_refs() {
    let fixture = Fixture::new("git commit -q --allow-empty -m x && git commit -q --allow-empty -m y");
    let named = |revision: &str| {
        let html = page(&fixture, revision);
        ["b1", "t1", "b2"].map(|name| html.contains(&format!(">{name}</a>")))
    };
    assert_eq!(named("main~1"), [false; 3]);
    fixture.git("branch b1 main");
    fixture.git("tag t1 main~1");
    for _ in 0..2 {
        assert_eq!(named("main~1"), [true, true, false]);
    }
    fixture.git("branch -m b1 b2");
    assert_eq!(named("main~1"), [false, true, true]);
}

#[test]
fn what_is_kept_is_read_only_if_it_is_sound() {
    let commit = "a".repeat(40);
    let sound = format!("of {commit}\nyes {commit}\n");
    assert!(Containing::parse(&sound).is_some());
    for text in [
        String::new(),
        "of x\n".into(),
        format!("{sound}maybe {commit}\n"),
        format!("{sound}end {commit} 0g00000000000000\n"),
        format!("{sound}end {commit} 0\n"),
        format!("{sound}yes\n"),
    ] {
        assert_eq!(Containing::parse(&text), None, "{text}");
    }
}

fn page(fixture: &Fixture, revision: &str) -> String {
    let opened = fixture.open();
    let commit_id = id(&fixture.git(&format!("rev-parse '{revision}^{{commit}}'")));
    let view = browse::diff::View::default();
    let page = commit::page(&fixture.place(), repository(&opened), commit_id, commit::Against::FIRST, view)
        .expect("a commit");
    page.render().expect("the template takes its page")
}

#[test]
fn a_tag_of_something_else_contains_no_commit() {
    let fixture = Fixture::new("git commit -q --allow-empty -m x && git commit -q --allow-empty -m y");
    fixture.shell(
        "cd team/demo.git && git tag blob $(echo x | git hash-object -w --stdin) && git tag -a -m x tree 'main^{tree}'
        git pack-refs --all",
    );
    let html = page(&fixture, "main~1");
    assert!(html.contains("<dt>Child</dt>") && !html.contains("<dt>Tags</dt>"), "{html}");
    assert!(!html.contains("loaded again"));
}

#[test]
fn so_many_children_branches_and_tags_are_named() {
    for more in [0, 1] {
        let fixture = Fixture::new(&format!(
            "git commit -q --allow-empty -m root
            for i in $(seq {}); do git checkout -q -b c$i main && git commit -q --allow-empty -m $i; done
            for i in $(seq {}); do git branch d$i main; git tag v$i main; done",
            CHILDREN_SHOWN_MAX + more,
            CONTAINING_SHOWN_MAX + more
        ));
        let html = page(&fixture, "main");
        let children = html.split("<dt>Children</dt>").nth(1).and_then(|rest| rest.split("</div>").next());
        assert_eq!(children.map(|list| list.matches("<a ").count()), Some(CHILDREN_SHOWN_MAX));
        let tags = html.split("<dt>Tags</dt>").nth(1).and_then(|rest| rest.split("</div>").next());
        let tags = tags.expect("it is tagged");
        assert_eq!(tags.matches("<a ").count(), CONTAINING_SHOWN_MAX);
        assert_eq!(tags.contains("and 1 more"), more == 1);
        assert!(
            tags.contains(">v1</a>, <a href=\"/team/demo/-/tree/v2\" rel=\"nofollow\">v2</a>"),
            "by versions: {tags}"
        );
    }
}

#[test]
fn so_many_parents_are_linked() {
    for (count, words) in [(PARENTS_SHOWN_MAX, None), (1_000, Some("and 950 more"))] {
        let fixture = Fixture::new("");
        fixture.shell(&format!(
            r#"cd team/demo.git && tree=$(git mktree < /dev/null)
            parents=$(for i in $(seq {count}); do printf 'parent %s\n' $(echo $i | git commit-tree $tree); done)
            printf 'tree %s\n%s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nx\n' $tree "$parents" > ../commit
            git update-ref refs/heads/main $(git hash-object -t commit -w ../commit)"#
        ));
        let html = page(&fixture, "main");
        assert_eq!(html.matches("aria-label=\"Compare with parent").count(), PARENTS_SHOWN_MAX, "{count}");
        assert_eq!(words.is_none_or(|words| html.contains(words)), true, "{count}");
    }
}

#[test]
fn a_note_is_that_of_git() {
    let fixture = Fixture::new("for i in $(seq 300); do git commit -q --allow-empty -m $i; done");
    fixture.shell(
        "cd team/demo.git && for id in $(git rev-list main~5); do git notes add -m \"Noted: <$(git log -1 --format=%s $id)>\" $id; done",
    );
    // With so many, ids are split into directories.
    assert!(fixture.git("ls-tree refs/notes/commits").contains("040000 tree"));
    for revision in ["main~5", "main~100", "main~299"] {
        let expected = fixture.git(&format!("notes show {revision}"));
        let html = page(&fixture, revision);
        let expected = expected.replace('<', "&lt;").replace('>', "&gt;");
        assert!(html.contains(&format!("<pre class=\"commit-message\">{expected}</pre>")), "{revision}");
    }
    assert!(!page(&fixture, "main").contains("commit-note"));
}

#[test]
fn a_note_is_shown_up_to_a_size() {
    for (len, is_shown) in [(NOTE_BYTES_MAX, true), (NOTE_BYTES_MAX + 1, false)] {
        let fixture = Fixture::new("git commit -q --allow-empty -m x");
        fixture.shell(&format!(
            "cd team/demo.git && head -c {len} /dev/zero | tr '\\0' n > ../note
            git notes add -C $(git hash-object -w ../note) main"
        ));
        assert_eq!(page(&fixture, "main").contains("commit-note"), is_shown, "{len}");
    }
}

#[test]
fn a_message_links_the_commits_and_addresses_in_it() {
    let fixture = Fixture::new("git commit -q --allow-empty -m one");
    let one = fixture.git("rev-parse main");
    let words = format!("{} ", &one[..9]).repeat(MESSAGE_IDS_MAX + 1);
    fixture.shell(&format!(
        "cd work && git commit -q --allow-empty -m two -m 'Like {one}, see https://a.example/?b&c. deadbeef' -m '{words}'
        git push -q origin main"
    ));
    let html = page(&fixture, "main");
    let link = format!("<a href=\"/team/demo/-/commit/{one}\" rel=\"nofollow\">");
    assert!(html.contains(&format!("Like {link}{one}</a>, see <a href=\"https://a.example/?b&amp;c\" rel=\"nofollow noreferrer\">https://a.example/?b&amp;c</a>. deadbeef")), "{html}");
    // The first two words that could be ids are looked up too.
    assert_eq!(html.matches(&format!("{link}{}</a>", &one[..9])).count(), MESSAGE_IDS_MAX - 2);
}

#[test]
fn a_message_of_ten_megabytes_and_absurd_dates_are_shown() {
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("message"), "https://a.example/( ".repeat(500_000))
        .expect("it is writable");
    for date in ["-9000000000", "9000000000000", "99999999999999999999"] {
        fixture.shell(&format!(
            r#"cd team/demo.git && tree=$(git mktree < /dev/null)
            (printf 'tree %s\nauthor A <a@b> {date} +0000\ncommitter A <a@b> {date} +9959\n\nTitle\n\n' $tree; cat ../../message) > ../commit
            git update-ref refs/heads/main $(git hash-object --literally -t commit -w ../commit)"#
        ));
        let html = page(&fixture, "main");
        assert!(
            html.contains("<h2 id=\"commit-title\">Title</h2>") && html.len() < 20 * MESSAGE_BYTES_MAX,
            "{date}"
        );
    }
}
