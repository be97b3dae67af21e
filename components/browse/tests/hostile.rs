//! Repositories that are damaged, lie about what they hold, or hold too much.

mod kit;

use askama::Template;
use browse::blob::{self, Display};
use browse::history::{self, Cursor};
use browse::limits::*;
use browse::place::Failure;
use browse::refs::{self, Offsets};
use browse::route::{Page, Route};
use browse::{commit, commits, graph, missing, raw, summary, tree};
use kit::{COMMITTED, Fixture, repository};
use lithe_code::{revision, storage};
use lithe_web::Fields;
use std::io;

/// Builds every page that the repository could have; what cannot be read is an error, never more.
fn visit_all(fixture: &Fixture) -> Vec<Failure> {
    let Ok(opened) = storage::open(&fixture.root(), &fixture.record) else { return Vec::new() };
    let (place, repository) = (fixture.place(), repository(&opened));
    let mut failures = Vec::new();
    failures.extend(summary::page(&place, repository).err());
    failures.extend(refs::page(&place, repository, "", Offsets::default()).err());
    for rest in [
        "main",
        "main/dir",
        "main/dir/file",
        "main/file",
        "odd",
        "tag",
        "lie",
        "lie/tree",
        "lie/tree/x",
        "lie/file",
        "tree-tag",
        "blob-tag",
    ] {
        let at = match revision::resolve(repository, rest.into()) {
            Ok(Some(at)) => at,
            Ok(None) => continue,
            Err(error) => {
                failures.push(error.into());
                continue;
            }
        };
        failures.extend(tree::page(&place, repository, &at, 0).err());
        failures.extend(blob::page(&place, repository, &at, Display::Best).err());
        failures.extend(commits::page(&place, repository, &at, &commits::Look::default()).err());
        failures.extend(
            commit::page(
                &place,
                repository,
                at.revision.commit_id,
                commit::Against::FIRST,
                browse::diff::View::default(),
            )
            .err(),
        );
        failures.extend(
            raw::find(repository, &at).and_then(|file| raw::open(repository, &file, raw::Way::Shown)).err(),
        );
    }
    failures
}

fn fixture() -> Fixture {
    Fixture::new(
        r#"mkdir dir && echo a > dir/file && echo b > file && git add . && git commit -qm First
        git tag -a -m Tag tag && echo c > file && git commit -qam Second"#,
    )
}

#[test]
fn a_repository_without_one_of_its_objects_is_an_error_at_most() {
    let fixture = fixture();
    let objects = fixture.shell("cd team/demo.git/objects && find . -type f -path './??/*'");
    let objects = String::from_utf8(objects).expect("hexadecimal digits");
    assert!(objects.lines().count() >= 9);
    for object in objects.lines() {
        let path = fixture.root().join("team/demo.git/objects").join(object);
        let whole = std::fs::read(&path).expect("git just wrote it");
        std::fs::remove_file(&path).expect("the directory is writable");
        assert!(!visit_all(&fixture).is_empty(), "{object} is on some page");
        for damaged in [&whole[..whole.len() / 2], b"", b"garbage", &[&whole[..], b"more"].concat()] {
            std::fs::write(&path, damaged).expect("the directory is writable");
            visit_all(&fixture);
        }
        std::fs::write(&path, &whole).expect("the directory is writable");
    }
    assert!(
        visit_all(&fixture).iter().all(|failure| !matches!(failure, Failure::Repository(_))),
        "it is whole again"
    );
}

#[test]
fn objects_of_the_wrong_kind_are_an_error_at_most() {
    let fixture = fixture();
    let raw_id = |revision: &str| {
        let id: gix_hash::ObjectId = fixture.git(&format!("rev-parse {revision}")).parse().expect("an id");
        id.as_bytes().to_owned()
    };
    // What is said to be a file is a directory, and the other way round.
    let mut lie = Vec::new();
    for (entry, id) in [
        ("100644 file", raw_id("main:dir")),
        ("160000 sub", raw_id("tag")),
        ("40000 tree", raw_id("main:file")),
    ] {
        lie.extend_from_slice(entry.as_bytes());
        lie.push(0);
        lie.extend(id);
    }
    std::fs::write(fixture.root().join("lie"), lie).expect("the directory is writable");
    fixture.shell(
        r#"cd team/demo.git
        blob=$(git rev-parse main:file) tree=$(git rev-parse main:dir)
        lie=$(git hash-object -t tree -w --literally ../../lie)
        git update-ref refs/heads/lie $(git commit-tree -m Lie $lie)
        commit=$(printf 'tree %s\nauthor x\ncommitter\n\n' $blob | git hash-object -t commit -w --literally --stdin)
        echo $commit > refs/heads/odd
        echo $blob > refs/heads/blob-branch
        git tag -a -m x tree-tag $tree && git tag -a -m x blob-tag $blob
        printf 'object %s\ntype commit\ntag x\ntagger y\n\nz' $blob | git hash-object -t tag -w --literally --stdin > refs/tags/wrong"#,
    );
    visit_all(&fixture);
}

#[test]
fn what_is_not_a_repository_is_said_to_be_none() {
    let fixture = Fixture::new("");
    fixture.shell("mv team/demo.git elsewhere");
    assert!(matches!(storage::open(&fixture.root(), &fixture.record), Err(storage::OpenError::Missing)));
    fixture.shell("echo file > team/demo.git");
    assert!(storage::open(&fixture.root(), &fixture.record).is_err());
    fixture.shell("rm team/demo.git && mkdir team/demo.git && mkdir team/demo.git/refs && echo ref > team/demo.git/HEAD");
    assert!(storage::open(&fixture.root(), &fixture.record).is_err());
    // While it is moved, the store still says the old directory.
    fixture.shell("rm -r team/demo.git && mv elsewhere team/demo.git");
    let moving =
        lithe_forge::types::Repository { directory: "team/old.git".into(), ..fixture.record.clone() };
    assert!(storage::open(&fixture.root(), &moving).is_ok());
}

fn resolved(fixture: &Fixture, rest: &str) -> revision::Resolved {
    let opened = fixture.open();
    revision::resolve(repository(&opened), rest.into()).expect("it can be read").expect("it is there")
}

#[test]
fn a_huge_directory_is_shown_in_pages() {
    let count = 100_000;
    let fixture = Fixture::new("");
    fixture.shell(&format!(
        r#"cd team/demo.git && blob=$(echo x | git hash-object -w --stdin)
        tree=$(seq -f '%06g' {count} | sed "s/^/100644 blob $blob\tfile-/" | git mktree)
        git update-ref refs/heads/main $(git commit-tree -m x $tree)"#
    ));
    let (opened, at) = (fixture.open(), resolved(&fixture, "main"));
    for (offset, links) in [
        (0, &["?from=1000"][..]),
        (1_000, &["/-/tree/main\"", "?from=2000"]),
        (count - 1_000, &["?from=98000", "Entries 99,001 to 100,000 of 100,000"]),
        (usize::MAX, &[]),
    ] {
        let page = tree::page(&fixture.place(), repository(&opened), &at, offset).expect("a directory");
        let html = page.render().expect("the template takes its page");
        assert!(html.matches("class=\"name entry").count() <= TREE_ENTRIES_MAX, "{offset}");
        assert!(links.iter().all(|link| html.contains(link)), "{offset}");
        assert_eq!(html.contains("rel=\"next nofollow\""), offset < count - 1_000, "{offset}");
    }
    let Ok(summary::Summary::Filled(page)) = summary::page(&fixture.place(), repository(&opened)) else {
        panic!("filled")
    };
    let html = page.render().expect("the template takes its page");
    assert_eq!(html.matches("class=\"name entry").count(), SUMMARY_ENTRIES_MAX);
}

#[test]
fn large_files_are_cut_or_left_out() {
    let line = "let a = 1;\n";
    let fixture = Fixture::new(&format!(
        r#"head -c {BLOB_BYTES_MAX} /dev/zero | tr '\0' '\n' > most && head -c {} /dev/zero | tr '\0' '\n' > more
        yes | head -n {BLOB_LINES_MAX} > lines && yes | head -n {} > more-lines
        head -c {RAW_MADE_BYTES_MAX} /dev/zero > raw && head -c {} /dev/zero > more-raw
        yes '{}' | head -n {} > long.rs
        head -c {PARTS_BYTES_MAX} /dev/zero | tr '\0' x > one-line && (cat one-line; echo) > too-large
        git add . && git -c core.compression=1 commit -qm x"#,
        BLOB_BYTES_MAX + 1,
        BLOB_LINES_MAX + 1,
        RAW_MADE_BYTES_MAX + 1,
        line.trim_end(),
        HIGHLIGHT_BYTES_MAX / line.len() + 1,
    ));
    let opened = fixture.open();
    let page = |name: &str| {
        let at = resolved(&fixture, &format!("main/{name}"));
        let page = blob::page(&fixture.place(), repository(&opened), &at, Display::Best).expect("a file");
        page.render().expect("the template takes its page")
    };
    let rows = |html: &str| html.matches("<tr id=\"L").count();
    assert_eq!(rows(&page("most")), BLOB_LINES_MAX);
    let more = page("more");
    assert!(more.contains("shown in parts") && more.contains(&format!("?from={PART_LINES_MAX}")), "{more}");
    assert_eq!(rows(&more), PART_LINES_MAX);
    assert_eq!((rows(&page("lines")), page("lines").contains("More lines")), (BLOB_LINES_MAX, false));
    assert!(page("more-lines").contains(&format!("?from={BLOB_LINES_MAX}")));
    assert_eq!(
        (rows(&page("more-lines")), page("more-lines").contains("shown in parts")),
        (BLOB_LINES_MAX, true)
    );
    let at = resolved(&fixture, "main/more-lines");
    let last = blob::page(&fixture.place(), repository(&opened), &at, Display::Part(BLOB_LINES_MAX))
        .expect("a file");
    let last = last.render().expect("the template takes its page");
    assert!(rows(&last) == 1 && last.contains(&format!("<tr id=\"L{}\"", BLOB_LINES_MAX + 1)), "{last}");
    assert!(last.contains("/team/demo/-/blob/main/more-lines?from=0\">Earlier lines"), "{last}");
    assert!(page("long.rs").contains("too large") && !page("long.rs").contains("hl-keyword"));
    assert_eq!(rows(&page("one-line")), 1);
    assert!(page("too-large").contains("too large to be shown"));
    let raw = |name: &str| {
        let file =
            raw::find(repository(&opened), &resolved(&fixture, &format!("main/{name}"))).expect("a file");
        let mut contents = raw::open(repository(&opened), &file, raw::Way::Shown)
            .expect("it is a file")
            .from(0)
            .expect("readable");
        io::copy(&mut contents, &mut io::sink()).expect("all of it")
    };
    assert_eq!((raw("raw"), raw("more-raw")), (RAW_MADE_BYTES_MAX, RAW_MADE_BYTES_MAX + 1));
}

#[test]
fn large_changes_are_cut_with_a_notice() {
    let fixture = Fixture::new(&format!(
        r#"yes | head -n {DIFF_FILE_LINES_MAX} > most && git add . && git commit -qm most
        yes n | head -n {} > more && git add . && git commit -qm more
        head -c {} /dev/zero | tr '\0' x > large && git add . && git commit -qm large
        for i in 1 2 3; do yes $i | head -n 2500 > many-$i; done && git add . && git commit -qm many"#,
        DIFF_FILE_LINES_MAX + 1,
        DIFF_FILE_BYTES_MAX + 1,
    ));
    let opened = fixture.open();
    let page = |revision: &str| {
        let id = fixture.git(&format!("rev-parse {revision}")).parse().expect("an id");
        let page = commit::page(
            &fixture.place(),
            repository(&opened),
            id,
            commit::Against::FIRST,
            browse::diff::View::default(),
        )
        .expect("a commit");
        page.render().expect("the template takes its page")
    };
    let lines = |html: &str| html.matches("<tr class=\"diff-insert\"").count();
    let most = page("main~3");
    assert_eq!((lines(&most), most.contains("too long")), (DIFF_FILE_LINES_MAX, false));
    let more = page("main~2");
    assert_eq!((lines(&more), more.contains("too long")), (DIFF_FILE_LINES_MAX, true));
    assert!(page("main~1").contains("Too large to be compared here"));
    let many = page("main");
    assert_eq!(lines(&many), DIFF_LINES_MAX);
    assert!(many.contains("More differs than is shown here"));
}

#[test]
fn of_many_files_the_changes_of_the_first_are_shown_and_the_others_lead_to_all() {
    let count = DIFF_SHOWN_FILES_MAX + 2;
    let fixture = Fixture::new(&format!(
        "for i in $(seq {count}); do echo $i > $(printf file-%03d $i); done && git add . && git commit -qm many"
    ));
    let opened = fixture.open();
    let id = fixture.git("rev-parse main").parse().expect("an id");
    let changes = |query: &[u8]| {
        let view = browse::diff::View::of(&Fields::parse(query).expect("a query"));
        let against = commit::Against::FIRST;
        commit::changes(&fixture.place(), repository(&opened), id, against, view).expect("a commit")
    };
    let panels = |html: &str| html.matches("class=\"panel diff-file\"").count();
    let few = changes(b"");
    assert_eq!(panels(&few), DIFF_SHOWN_FILES_MAX);
    let next = DIFF_SHOWN_FILES_MAX + 1;
    assert!(!few.contains(&format!("href=\"#file-{next}\"")), "the last that is shown has none after it");
    let link = format!("<a href=\"?full=1#file-{next}\" rel=\"nofollow\">file-{next}</a>");
    assert!(few.contains(&link), "{few}");
    assert!(few.contains("More differs than is shown here") && few.contains("Show it anyway"));
    // All are counted.
    assert!(few.contains(&format!("{count} files changed</h2><span class=\"count-insert\">+{count}</span>")));
    let all = changes(b"full=1");
    assert_eq!(panels(&all), count);
    assert!(all.contains(&format!("href=\"#file-{next}\"")) && !all.contains("Show it anyway"));
    let part = changes(format!("file={next}&context=10&part=1").as_bytes());
    assert!(panels(&part) == 1 && part.contains(&format!("id=\"d{next}-R1\"")), "{part}");
}

#[test]
fn the_search_for_a_files_history_stops_and_can_be_continued() {
    let fixture = Fixture::with_commits("sha1", COMMITS_READ_MAX as u32 + 10);
    // The file is in the very first commit alone.
    fixture.shell(
        r#"cd team/demo.git && blob=$(echo x | git hash-object -w --stdin)
        git fast-export main | sed "s/^from :1$/&\nM 100644 $blob file/" > ../stream
        git update-ref -d refs/heads/main && git fast-import --quiet --force < ../stream"#,
    );
    let opened = fixture.open();
    let id = fixture.git("rev-parse main").parse().expect("an id");
    let first = history::page(repository(&opened), &Cursor::at(id), "file".into());
    assert_eq!((first.commits.len(), first.is_cut), (0, true));
    let second = history::page(repository(&opened), &first.next.expect("it goes on"), "file".into());
    assert_eq!((second.commits.len(), second.is_cut), (1, false));
}

#[test]
fn the_search_goes_further_where_the_commit_graph_knows_what_was_changed() {
    let fixture = Fixture::new("");
    let commit = |number: usize| {
        let date = COMMITTED + number as i64;
        let head = format!("commit refs/heads/main\ncommitter A <a@b> {date} +0000\ndata 1\nx\n");
        // The file is in the very first commit alone.
        if number == 0 { head + "M 100644 inline file\ndata 1\nx\n" } else { head }
    };
    let stream: String = (0..COMMITS_PASSED_MAX + 10).map(commit).collect();
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell(
        "cd team/demo.git && git fast-import --quiet < ../../stream
        git commit-graph write --reachable --changed-paths",
    );
    let opened = fixture.open();
    let id = fixture.git("rev-parse main").parse().expect("an id");
    let first = history::page(repository(&opened), &Cursor::at(id), "file".into());
    assert_eq!((first.commits.len(), first.is_cut), (0, true));
    let second = history::page(repository(&opened), &first.next.expect("it goes on"), "file".into());
    assert_eq!((second.commits.len(), second.is_cut), (1, false));
}

/// The log, the graph, and the page of the commit that `main` leads to.
fn history_pages(fixture: &Fixture) -> [String; 3] {
    let opened = fixture.open();
    let (place, repository) = (fixture.place(), repository(&opened));
    let at = resolved(fixture, "main");
    let log = commits::page(&place, repository, &at, &commits::Look::default()).expect("a log");
    let graph = graph::page(&place, repository, &at.revision, graph::Shown::One, None).expect("a graph");
    let id = at.revision.commit_id;
    let commit = commit::page(&place, repository, id, commit::Against::FIRST, browse::diff::View::default())
        .expect("a commit");
    [log.render(), graph.render(), commit.render()].map(|html| html.expect("the template takes its page"))
}

#[test]
fn a_commit_of_a_thousand_parents_is_shown_everywhere() {
    let fixture = Fixture::new("");
    let mut stream = String::new();
    for mark in 1..=1_000 {
        stream += &format!(
            "reset refs/heads/b\ncommit refs/heads/b\nmark :{mark}\ncommitter A <a@b> {} +0000\ndata 1\nx\nM 644 inline f\ndata 4\n{mark:04}\n",
            COMMITTED + mark
        );
    }
    stream += "commit refs/heads/main\ncommitter A <a@b> 1750009999 +0000\ndata 5\nMerge\n";
    for mark in 1..=1_000 {
        stream += &format!("{} :{mark}\n", if mark == 1 { "from" } else { "merge" });
    }
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet --force < stream");
    let [log, graph, commit] = history_pages(&fixture);
    assert_eq!(log.matches("class=\"commit\"").count(), COMMITS_PER_PAGE);
    assert!(graph.contains("is not drawn") && graph.len() < 1 << 20, "{}", graph.len());
    assert!(commit.contains("and 950 more"));
    // Page by page, all of them come, each once.
    let opened = fixture.open();
    let mut cursor = Some(Cursor::at(resolved(&fixture, "main").revision.commit_id));
    let mut ids = Vec::new();
    while let Some(from) = cursor {
        let page = history::page(repository(&opened), &from, "".into());
        ids.extend(page.commits.iter().map(|commit| commit.id.to_string()));
        cursor = page.next;
    }
    assert_eq!(ids, fixture.git("log --format=%H main").lines().collect::<Vec<_>>());
}

#[test]
fn hostile_people_messages_and_dates_stay_text() {
    let name = "<b>&\"x\" \u{202e}evil \u{7}\u{1b}[31m";
    for seconds in [
        "-1",
        "0",
        "-99999999999",
        "4102444800",
        "253402300800",
        "9223372036854775807",
        "-9223372036854775808",
        "99999999999999999999",
    ] {
        let fixture = Fixture::new("");
        let commit = format!(
            "author {name} <<i>@\u{202e}> {seconds} +9999\ncommitter {name} <x> {seconds} -9999\n\n<script>alert(1)</script> \u{202e}\u{0}x\n\n{}\n",
            "<script>\u{2066}\u{8}"
        );
        std::fs::write(fixture.root().join("rest"), commit).expect("the directory is writable");
        fixture.shell(
            r#"cd team/demo.git && tree=$(git mktree < /dev/null)
            { printf 'tree %s\n' $tree; cat ../../rest; } > ../../commit
            git update-ref refs/heads/main $(git hash-object --literally -t commit -w ../../commit)"#,
        );
        for html in history_pages(&fixture) {
            for broken in ["<b>", "<i>@", "<script>a", "\u{202e}", "\u{2066}", "\u{7}", "\u{1b}", "\u{8}"] {
                assert!(!html.contains(broken), "{seconds}: {broken:?} is in {html}");
            }
            assert!(html.contains("script&gt;") || html.contains("script&#62;"), "{seconds}: {html}");
        }
    }
}

#[test]
fn names_of_ten_thousand_characters_are_shown_in_changes_and_histories() {
    let fixture = Fixture::new("");
    let long = "n".repeat(10_000);
    let stream = format!(
        "commit refs/heads/main\ncommitter A <a@b> 1 +0000\ndata 1\nx\nM 644 inline {long}\ndata 2\nx\n\n"
    );
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet < stream");
    let [log, graph, commit] = history_pages(&fixture);
    assert!(log.len() < 100_000 && graph.len() < 100_000);
    assert!(commit.contains(&long) && commit.len() < 400_000, "{}", commit.len());
}

#[test]
fn a_change_of_a_million_lines_is_cut() {
    let fixture = Fixture::new(
        "seq 1000000 | split -l 100000 - part && git add . && git commit -qm First
        for part in part*; do sed -i s/^/x/ $part; done && git commit -qam Second",
    );
    let [_, _, commit] = history_pages(&fixture);
    assert!(commit.len() < 8 << 20, "{}", commit.len());
    assert!(commit.contains("Show it anyway"));
}

#[test]
fn changes_that_are_hard_to_colour_are_shown_plain() {
    let fixture = Fixture::new(
        r#"(echo 'let a = 1;'; head -c 50000000 /dev/zero | tr '\0' x) > huge.rs
        (echo 'let a = 1;'; head -c 20000 /dev/zero | tr '\0' '('; echo; echo 'let b = 2;') > long.rs
        printf 'fn\0' > binary.rs; echo 'let a = 1;' > no-language; echo 'let a = 1;' > a.
        printf 'let a = "caf\351";\n// <\036>\r\r\n' > latin.rs; printf '\377\376l\0\n\0' > wide.rs
        printf '\357\273\277let a = 1;\n' > mark.rs; ln -s 'let a = 1;' link.rs
        git add . && git -c core.compression=1 commit -qm x"#,
    );
    let opened = fixture.open();
    let id = fixture.git("rev-parse main").parse().expect("an id");
    let view = browse::diff::View { is_coloured: true, ..browse::diff::View::default() };
    let page = commit::page(&fixture.place(), repository(&opened), id, commit::Against::FIRST, view);
    let commit = page.expect("a commit").render().expect("the template takes its page");
    let file = |name: &str| {
        let (_, file) = commit.split_once(&format!(">{name}</h3>")).expect("a file");
        file.split_once("</details>").map_or(file, |(file, _)| file).to_owned()
    };
    assert!(file("huge.rs").contains("Too large to be compared"));
    // Past a line that is too long a highlighter may stop, and nothing is cut in the middle of a span.
    let long = file("long.rs");
    assert!(long.contains("<span class=\"hl-keyword\">let</span> a ") && long.contains("(…</td>"));
    assert!(long.contains("<td class=\"line-code\">let b = 2;</td>"));
    assert!(file("binary.rs").contains("Binary file."));
    for name in ["no-language", "a.", "link.rs"] {
        assert!(file(name).contains("<td class=\"line-code\">let a = 1;"), "{name}: {}", file(name));
    }
    assert!(
        file("latin.rs").contains("<span class=\"hl-string\">&quot;café&quot;</span>"),
        "{}",
        file("latin.rs")
    );
    assert!(file("latin.rs").contains("// &lt;<span class=\"control-character\">\\u{1e}</span>&gt;"));
    assert!(file("wide.rs").contains("<td class=\"line-code\">l</td>"), "{}", file("wide.rs"));
    assert!(file("mark.rs").contains("let"), "{}", file("mark.rs"));
    assert_eq!(commit.matches("<span").count(), commit.matches("</span>").count());
}

#[test]
fn what_was_renamed_or_removed_says_in_which_commit() {
    let fixture = Fixture::new(
        "echo a > kept && seq 50 > old && echo c > removed && git add . && git commit -qm First
        git mv old new && git commit -qm 'Rename it' && git rm -q removed && git commit -qm 'Remove <it>'",
    );
    let opened = fixture.open();
    let at = |path: &str| {
        let page =
            missing::page(&fixture.place(), repository(&opened), &Page::Blob(format!("main/{path}").into()));
        page.map(|page| page.render().expect("the template takes its page")).unwrap_or_default()
    };
    let (renamed, removed) = (at("old"), at("removed"));
    assert!(renamed.contains("It was renamed to <a href='/team/demo/-/blob/main/new'>"), "{renamed}");
    assert!(renamed.contains(&format!("/team/demo/-/commit/{}", fixture.git("rev-parse main~1"))));
    assert!(removed.contains("It was removed") && removed.contains("Remove &lt;it&gt;"), "{removed}");
    assert!(removed.contains(&format!("/team/demo/-/commit/{}", fixture.git("rev-parse main"))));
    assert!(!at("never").contains("It was"));
}

/// Every page that names files, as HTML and JSON.
fn pages_with_names(fixture: &Fixture) -> Vec<(&'static str, String, String)> {
    fn both(page: &(impl Template + serde::Serialize)) -> (String, String) {
        (page.render().expect("it renders"), serde_json::to_string(page).expect("JSON"))
    }
    let (opened, place) = (fixture.open(), fixture.place());
    let repository = repository(&opened);
    let at = resolved(fixture, "main");
    let tip = at.revision.commit_id;
    let mut pages = Vec::new();
    let mut add = |name, (html, json)| pages.push((name, html, json));
    let Ok(summary::Summary::Filled(page)) = summary::page(&place, repository) else { panic!("filled") };
    add("summary", both(&*page));
    add("tree", both(&tree::page(&place, repository, &at, 0).expect("a directory")));
    add("find", both(&browse::find::page(&place, repository, &at.revision, "e").expect("a page")));
    add(
        "commits",
        both(&commits::page(&place, repository, &at, &commits::Look::default()).expect("commits")),
    );
    let view = browse::diff::View::default();
    add(
        "commit",
        both(&commit::page(&place, repository, tip, commit::Against::FIRST, view).expect("a commit")),
    );
    add("refs", both(&refs::page(&place, repository, "", Offsets::default()).expect("refs")));
    add(
        "statistics",
        both(
            &browse::statistics::page(&place, repository, &at, browse::statistics::Listed::First)
                .expect("numbers"),
        ),
    );
    for entry in repository.tree(&repository.commit(&tip).expect("it is there").tree_id).expect("it is there")
    {
        let rest = [b"main/", entry.name.as_slice()].concat();
        let at =
            revision::resolve(repository, rest.as_slice().into()).expect("readable").expect("it is there");
        if entry.is_tree() {
            add("directory", both(&tree::page(&place, repository, &at, 0).expect("a directory")));
        } else {
            add("blob", both(&blob::page(&place, repository, &at, Display::Best).expect("a file")));
            add(
                "commits of it",
                both(&commits::page(&place, repository, &at, &commits::Look::default()).expect("commits")),
            );
        }
    }
    pages
}

#[test]
fn names_are_names_on_every_page() {
    let fixture = Fixture::new(
        r#"mkdir "$(printf '<script>dir\342\200\256')" && echo x > "$(printf '<script>dir\342\200\256')/e"
        for name in '<script>alert(1)<script>.rs' "$(printf 'line\nend')" "$(printf 'escape\033[2J')" "$(printf 'bell\a')" \
            "$(printf 'gpj.\342\200\256exe')" "$(printf 'isolate\342\201\246')" "$(printf 'latin\351')" '"onload="alert(1)' "a'b&amp;c" ' leading' 'trailing '; do
            echo x > "$name"
        done
        git add . && git commit -qm '<script>e' && git branch "$(printf 'branch<script>\342\200\256')" && git tag "$(printf 'tag<script>\342\200\256')""#,
    );
    for (name, html, json) in pages_with_names(&fixture) {
        for text in [&html, &json] {
            assert!(!text.contains(['\u{202e}', '\u{2066}', '\u{1b}', '\u{7}']), "{name}: {text}");
        }
        assert!(!html.contains("<script>") && !html.contains("\"onload=\"alert"), "{name}: {html}");
    }
}

#[test]
fn a_name_of_10_000_characters_is_shown_like_any_other() {
    let fixture = Fixture::new("");
    fixture.shell(
        "cd team/demo.git && blob=$(echo x | git hash-object -w --stdin) && name=$(printf 'n%.0s' $(seq 10000))
        inner=$(printf '100644 blob %s\\t%s\\n' $blob $name | git mktree)
        tree=$(printf '100644 blob %s\\t%s\\n040000 tree %s\\td\\n' $blob $name $inner | git mktree)
        git update-ref refs/heads/main $(git commit-tree -m x $tree)",
    );
    let name = "n".repeat(10_000);
    for (page, html, _) in pages_with_names(&fixture) {
        assert!(html.len() < 500_000, "{page}: {} bytes", html.len());
    }
    // Where it is linked, it is opened.
    let opened = fixture.open();
    let (place, repository) = (fixture.place(), repository(&opened));
    let at = resolved(&fixture, "main");
    let tree = tree::page(&place, repository, &at, 0).expect("a directory").render().expect("it renders");
    for page in ["blob", "raw", "blame", "commits"] {
        let address = format!("/team/demo/-/{page}/main/{name}");
        let Route::Place { page, .. } = browse::route::parse(&address) else {
            panic!("{page} has no address")
        };
        assert!(
            page != Page::Blob(format!("main/{name}").into())
                || tree.contains(&format!("href=\"{address}\""))
        );
        assert_eq!(page.address("team/demo"), address);
    }
    let file = resolved(&fixture, &format!("main/{name}"));
    let whitespace = lithe_code::blame::Whitespace::Counts;
    let blame = browse::blame::page(&place, repository, &file, whitespace, 0).expect("lines");
    assert!(blame.render().expect("it renders").contains("id=\"L1\""));
    let raw = raw::open(repository, &raw::find(repository, &file).expect("a file"), raw::Way::Shown)
        .expect("readable");
    assert_eq!(raw.size(), 2);
}

#[test]
fn what_is_too_long_for_an_address_is_shown_and_not_linked() {
    let fixture = Fixture::new("");
    fixture.shell(
        "cd team/demo.git && blob=$(echo x | git hash-object -w --stdin) && name=$(printf 'e%.0s' $(seq 20000))
        printf '100644 blob %s\\t%s\\n100644 blob %s\\tshort\\n' $blob $name $blob | git mktree > tree
        git update-ref refs/heads/main $(git commit-tree -m x $(cat tree))",
    );
    let name = "e".repeat(20_000);
    for (page, html, _) in pages_with_names(&fixture)
        .into_iter()
        .filter(|(page, _, _)| !matches!(*page, "blob" | "commits of it"))
    {
        assert!(!html.contains(&format!("main/{name}")), "{page} links it");
        if matches!(page, "summary" | "tree" | "find") {
            assert!(html.contains(&name) && html.contains("path too long for an address"), "{page}");
        }
    }
}

#[test]
fn long_names_make_pages_of_fewer_entries() {
    // 300 names of 5,000 bytes.
    let fixture = Fixture::new("");
    fixture.shell(
        "cd team/demo.git && blob=$(echo x | git hash-object -w --stdin) && name=$(printf 'n%.0s' $(seq 4997))
        seq 100 399 | sed \"s/.*/100644 blob $blob\\t$name&/\" | git mktree > tree
        git update-ref refs/heads/main $(git commit-tree -m x $(cat tree))",
    );
    let opened = fixture.open();
    let at = resolved(&fixture, "main");
    let page = tree::page(&fixture.place(), repository(&opened), &at, 0).expect("a directory");
    let html = page.render().expect("it renders");
    let count = TREE_NAMES_BYTES_MAX / 5_000;
    assert_eq!(html.matches("class=\"name entry").count(), count);
    assert!(
        html.contains(&format!("Entries 1 to {count} of 300")) && html.contains(&format!("?from={count}\""))
    );
}

#[test]
fn links_that_lead_in_circles_are_shown_and_not_followed() {
    let fixture = Fixture::new(
        "mkdir d && ln -s README.md README.md && ln -s a b && ln -s b a && ln -s ../d d/d && ln -s . here && ln -s /dev/zero zero
        ln -s LICENSE LICENSE && ln -s .gitattributes .gitattributes && ln -s .mailmap .mailmap
        git add . && git commit -qm Links && git checkout -q -b other && git rm -q README.md && ln -s d README.md && git add . && git commit -qm More",
    );
    for (name, html, _) in pages_with_names(&fixture) {
        assert!(html.contains("</html>"), "{name}");
    }
    let at = resolved(&fixture, "main/README.md");
    let opened = fixture.open();
    let page = blob::page(&fixture.place(), repository(&opened), &at, Display::Best).expect("a link");
    assert!(
        page.render().expect("it renders").contains("This symbolic link points to <code>README.md</code>.")
    );
    // Below a link there is nothing.
    let below =
        revision::resolve(repository(&opened), "main/here/d".into()).expect("readable").expect("a branch");
    assert!(matches!(tree::page(&fixture.place(), repository(&opened), &below, 0), Err(Failure::NotFound)));
}

#[test]
fn readmes_that_are_bombs_are_shown_somehow() {
    let lines = |line: &str, count: usize| line.repeat(count);
    let bombs = [
        ("README.md", lines(">", 50_000)),
        ("README.md", lines("- ", 50_000)),
        ("README.md", lines("[", 50_000)),
        ("README.md", format!("{}a{}", lines("*", 50_000), lines("*", 50_000))),
        ("README.md", (0..2_000).map(|depth| format!("{}- x\n", "  ".repeat(depth % 500))).collect()),
        (
            "README.md",
            format!(
                "|{}\n|{}\n{}",
                lines("a|", 5_000),
                lines("-|", 5_000),
                lines(&(lines("b|", 50) + "\n"), 500)
            ),
        ),
        ("README.md", lines("<div>", 20_000)),
        ("README.md", lines("![a](b)", 20_000)),
        ("README.md", lines("<!--", 20_000)),
        ("README.md", lines("[a][a]\n", 20_000) + "\n[a]: /x 'y'\n"),
        ("README.rst", lines("  .. note::\n", 5_000)),
        ("README.rst", (0..3_000).map(|depth| format!("{}* x\n\n", " ".repeat(depth))).collect()),
        ("README.rst", lines("*", 50_000)),
        ("README.rst", lines("`", 50_000)),
        ("README.org", (1..500).map(|depth| format!("{} x\n", "*".repeat(depth))).collect()),
        ("README.org", lines("#+begin_quote\n", 5_000)),
        ("README.org", lines("[[", 50_000)),
    ];
    for (name, text) in bombs {
        let fixture = Fixture::new("git commit -q --allow-empty -m x");
        std::fs::write(fixture.root().join("work").join(name), &text).expect("the directory is writable");
        fixture.shell("cd work && git add . && git commit -qm Bomb && git push -q origin main");
        let begun = std::time::Instant::now();
        let opened = fixture.open();
        let Ok(summary::Summary::Filled(page)) = summary::page(&fixture.place(), repository(&opened)) else {
            panic!("{name}: {}", &text[..20])
        };
        let html = page.render().expect("the template takes its page");
        assert!(html.len() < 10_000_000, "{name} {}: {} bytes", &text[..20], html.len());
        eprintln!("{name} {:?}: {:?}, {} bytes", &text[..8], begun.elapsed(), html.len());
    }
}
