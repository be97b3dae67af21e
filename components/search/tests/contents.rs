//! What is found in files, with `git grep` as the judge.

mod kit;

use kit::{Fixture, query};
use search::content::Budget;
use search::index::update::Allowance;
use search::limits::EXPRESSION_DEPTH_MAX;
use search::pattern::{Meaning, Pattern};
use search::query::Query;
use search::searching::{Hits, Indexes, Kind, Searching};
use std::fs;
use std::time::Instant;

/// Files of many kinds, some in directories, with and without line ends at their end.
const HISTORY: &str = r#"
mkdir -p src/deep docs 'a dir'
printf 'fn main() {\n    println!("hello, world");\n}\n' > src/main.rs
printf '// Hello\nfn hello() -> u32 { 42 }\nfn hello_world() {}\n' > src/deep/lib.rs
printf 'Hello World\nhello\tworld\r\nHELLO\r\n\r\nlast line without end' > docs/readme.txt
printf 'foo foo_bar foo-bar foobar\nbarfoo\n  foo  \n(foo)\n' > words
printf 'x\000hello\n' > binary && ln -s src/main.rs link && : > empty && printf '\n\n\n' > newlines
printf 'caf\303\251 hello\nCAF\303\211\n' > 'a dir/utf8' && printf 'hello latin \351\n' > latin1
printf '<b>hello</b>\n' > 'a dir/<b>"quoted".html'
for n in $(seq 40); do echo "line $n of number $((n * n))" > "docs/n$n.md"; done
git add . && git commit -qm one
git checkout -q -b other && echo 'hello from the other side' > src/other.rs && sed -i s/42/43/ src/deep/lib.rs
git add . && git commit -qm two && git checkout -q main
"#;

/// What is asked of `git grep`, and the same of us. Nothing that matches an empty line: `git grep` finds
/// one more of them at the end of a file.
fn cases() -> Vec<(&'static str, Query)> {
    let meant =
        |text: &str, meaning: Meaning| Query { meaning, terms: vec![text.to_owned()], ..Query::default() };
    let exact = Meaning { minds_case: true, ..Meaning::default() };
    let any_case = Meaning::default();
    let word = Meaning { whole_words: true, ..exact };
    let expression = Meaning { is_expression: true, ..exact };
    vec![
        ("-F hello", meant("hello", exact)),
        ("-F h", meant("h", exact)),
        ("-F 'e 1'", meant("e 1", exact)),
        ("-F 'println!(\"hello'", meant("println!(\"hello", exact)),
        ("-F -i hello", meant("hello", any_case)),
        ("-F -i 'HELLO WORLD'", meant("HELLO WORLD", any_case)),
        ("-F -i café", meant("café", any_case)),
        ("-F -w foo", meant("foo", word)),
        ("-F -w foo_bar", meant("foo_bar", word)),
        ("-F -w -i hello", meant("hello", Meaning { minds_case: false, ..word })),
        ("-F absent", meant("absent", exact)),
        ("-E 'hello|foo'", meant("hello|foo", expression)),
        ("-E '^fn [a-z_]+\\('", meant("^fn [a-z_]+\\(", expression)),
        ("-E '[0-9]{3,4}$'", meant("[0-9]{3,4}$", expression)),
        ("-E 'l+o.?.w'", meant("l+o.?.w", expression)),
        ("-E '(ab|fo)+o'", meant("(ab|fo)+o", expression)),
        ("-E '[^a-z]foo[^_]'", meant("[^a-z]foo[^_]", expression)),
        ("-E -i 'H[aeiou]L+O'", meant("H[aeiou]L+O", Meaning { minds_case: false, ..expression })),
        ("-E -w 'n[a-z]*r'", meant("n[a-z]*r", Meaning { whole_words: true, ..expression })),
        ("-E '.+'", meant(".+", expression)),
        (
            "-F hello -- 'docs/*.md' 'docs/*.txt'",
            Query { paths: vec!["docs/*.{md,txt}".into()], ..meant("hello", exact) },
        ),
        ("-F 'line' -- 'docs/n1*'", Query { paths: vec!["docs/n1*".into()], ..meant("line", exact) }),
    ]
}

#[test]
fn the_same_lines_are_found_as_by_git_grep() {
    for format in ["sha1", "sha256"] {
        let fixture = Fixture::of_format(format, HISTORY);
        let open = fixture.open();
        let index = open.updated("main", Allowance::ALL);
        assert_eq!(index.files.unknown_count(), 0);
        for revision in ["main", "other"] {
            for (arguments, query) in cases() {
                let (arguments, paths) = arguments.split_once(" -- ").unwrap_or((arguments, ""));
                let revision_and_paths =
                    if paths.is_empty() { revision.into() } else { format!("{revision} -- {paths}") };
                let mut expected = fixture.grepped(arguments, &revision_and_paths);
                if !paths.is_empty() {
                    expected
                        .iter_mut()
                        .for_each(|line| *line = line.trim_start_matches(&format!("{revision}:")).to_owned());
                }
                assert_eq!(open.found(&index, revision, &query), expected, "{arguments} {revision}");
            }
        }
    }
}

#[test]
fn files_have_to_have_all_words() {
    let fixture = Fixture::new(HISTORY);
    let open = fixture.open();
    open.updated("main", Allowance::ALL);
    assert_eq!(open.found_now("hello main"), ["src/main.rs:1", "src/main.rs:2"]);
    assert_eq!(open.found_now("hello absent"), [""; 0]);
    assert_eq!(open.found_now("\"number 1600\""), ["docs/n40.md:1"]);
    assert_eq!(open.found_now("latin é"), ["latin1:1"], "what is not UTF-8 is read as people read it");
}

#[test]
fn an_index_in_the_making_leaves_nothing_out() {
    let fixture = Fixture::new(HISTORY);
    let open = fixture.open();
    let expected = open.found_now("hello");
    assert!(open.index().is_none() && expected.len() > 5);
    let little = Allowance { until: Some(Instant::now()), ..Allowance::ALL };
    let mut rounds = 0;
    loop {
        let index = open.updated("main", little);
        assert_eq!(open.found_now("hello"), expected);
        rounds += 1;
        if index.files.unknown_count() == 0 {
            break;
        }
    }
    assert!(rounds > 20, "each round adds a file: {rounds}");
    assert!(open.index().expect("it is there").state.segments.len() < 20, "small segments become one");
    assert_eq!(open.found_now("hello"), expected);
}

#[test]
fn pushes_are_followed() {
    let fixture = Fixture::new(HISTORY);
    let first = fixture.open().updated("main", Allowance::ALL);
    let steps = [
        "echo 'new hello' > new && git rm -q words && git add . && git commit -qm 2",
        "git mv src lib && git commit -qm 3",
        "git rm -qr docs && mkdir docs.d && echo hello > docs.d/x && echo hello > docs && git add . && git commit -qm 4",
        "git reset -q --hard HEAD~2",
        "git checkout -q --orphan fresh && git rm -rfq . && echo hello > only && git add . && git commit -qm 5 && git branch -M fresh main",
        "git rm -q only && git commit -qm 6",
    ];
    for step in steps {
        fixture.push(step);
        let open = fixture.open();
        let expected = fixture.grepped("-F hello", "main");
        assert_eq!(open.found_now("hello"), expected, "before the update: {step}");
        let index = open.updated("main", Allowance::ALL);
        assert_eq!(open.found_now("hello"), expected, "{step}");
        assert_eq!((index.state.commit_id, index.files.unknown_count()), (open.commit("main"), 0));
    }
    let last = fixture.open().index().expect("it is there");
    let added = last.state.documents() - first.state.documents();
    assert_eq!(added, 2, "what was read once is not read again");
}

#[test]
fn damage_leads_to_no_wrong_answer() {
    let fixture = Fixture::new(HISTORY);
    let open = fixture.open();
    open.updated("main", Allowance::ALL);
    let expected = open.found_now("hello");
    let files: Vec<_> = fs::read_dir(fixture.index())
        .expect("it is there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    assert_eq!(files.len(), 3, "state, files and a segment: {files:?}");
    for file in files {
        let whole = fs::read(&file).expect("it is there");
        for damaged in (0..whole.len())
            .step_by(whole.len() / 40 + 1)
            .map(|at| {
                let mut damaged = whole.clone();
                damaged[at] ^= 0x10;
                damaged
            })
            .chain([Vec::new(), whole[..whole.len() / 2].to_vec()])
        {
            fs::write(&file, &damaged).expect("the directory is writable");
            // Another thread keeps nothing of what was read before.
            let found = std::thread::scope(|scope| {
                scope.spawn(|| fixture.open().found_now("hello")).join().expect("no panic")
            });
            assert_eq!(found, expected, "{}", file.display());
        }
        fs::write(&file, &whole).expect("the directory is writable");
    }
    fs::remove_dir_all(fixture.index()).expect("it is there");
    assert_eq!(open.found_now("hello"), expected);
    open.updated("main", Allowance::ALL);
    assert_eq!(open.found_now("hello"), expected);
}

#[test]
fn what_is_not_searched_is_passed_over() {
    let fixture = Fixture::new(
        "head -c 1048576 /dev/zero | tr '\\0' x > most && printf 'needle' | dd of=most conv=notrunc status=none
        cp most more && echo >> more && git init -q sub && (cd sub && git commit -q --allow-empty -m sub)
        git -c advice.addEmbeddedRepo=false add . && git commit -qm one",
    );
    let open = fixture.open();
    let index = open.updated("main", Allowance::ALL);
    assert_eq!(open.found_now("needle"), ["most:1"]);
    assert_eq!(index.files.len(), 2);
    assert_eq!(open.found(&index, "main", &query("absent")), [""; 0]);
}

#[test]
fn what_tools_or_others_wrote_is_left_out_unless_it_is_asked_for() {
    let fixture = Fixture::new(
        "mkdir -p vendor/x gen src && printf 'needle\\n' | tee vendor/x/a.c vendor/x/ours.c gen/b.c gen/kept.c Cargo.lock a.min.js src/c.c src/d.odd > /dev/null
        git add . && git commit -qm one",
    );
    let paths = |query: &str| -> (Vec<String>, usize) {
        let open = fixture.open();
        let query = Query::parse(query).expect("a query");
        let searching =
            Searching::new(&query, Kind::Content).expect("it makes sense").expect("something is asked");
        let indexes = Indexes::new(fixture.index());
        let (part, _) = searching
            .search(open.repository(), &indexes, open.commit("main"), None, Budget::without_clock(20))
            .expect("it can be searched");
        let Hits::Files(files) = part.hits else { panic!("it is about contents") };
        (files.iter().map(|file| file.path.to_string()).collect(), part.left_out)
    };
    let all = [
        "Cargo.lock",
        "a.min.js",
        "gen/b.c",
        "gen/kept.c",
        "src/c.c",
        "src/d.odd",
        "vendor/x/a.c",
        "vendor/x/ours.c",
    ];
    let case = |query: &str, expected: &[&str], left_out: usize| {
        assert_eq!(
            paths(query),
            (expected.iter().map(|path| (*path).to_owned()).collect(), left_out),
            "{query}"
        );
    };
    case("needle", &["gen/b.c", "gen/kept.c", "src/c.c", "src/d.odd"], 4);
    case("needle all:yes", &all, 0);
    case("needle lang:c", &["gen/b.c", "gen/kept.c", "src/c.c"], 2);
    case("needle path:vendor", &[], 2);
    fixture.push(
        "printf '*.odd linguist-language=C\\ngen/** linguist-generated\\ngen/kept.c !linguist-generated\\nours.c -linguist-vendored\\n' > .gitattributes
        git add . && git commit -qm two",
    );
    case("needle", &["gen/kept.c", "src/c.c", "src/d.odd", "vendor/x/ours.c"], 4);
    case("needle lang:c", &["gen/kept.c", "src/c.c", "src/d.odd", "vendor/x/ours.c"], 4);
    case(
        "needle lang:c all:yes",
        &["gen/b.c", "gen/kept.c", "src/c.c", "src/d.odd", "vendor/x/a.c", "vendor/x/ours.c"],
        2,
    );
}

#[test]
fn expressions_that_would_explode_are_refused_or_end() {
    let fixture = Fixture::new(
        "printf 'a%.0s' $(seq 5000) > a && printf '!\\n' >> a && git add . && git commit -qm one",
    );
    let open = fixture.open();
    open.updated("main", Allowance::ALL);
    let asked =
        |expression: &str| Pattern::new(&[expression], Meaning { is_expression: true, ..Meaning::default() });
    // Each of these takes a backtracking engine longer than the world lasts.
    for expression in ["(a+)+$", "(a*)*b", "(a|a)*c", "(a|aa)+$", "^(([a-z])+.)+[A-Z]([a-z])+$", "(.*)*x"] {
        let pattern = asked(expression).expect(expression);
        let text = format!("{}!", "a".repeat(5_000));
        let lines = pattern.lines(&text, 10, None).expect("there is time");
        assert!(lines.count <= 1, "{expression}");
    }
    for expression in ["(x{1000}){1000}", "[a-z]{5000}", "\\pL{2000}", "((((a{100}){100}){100}){100})"] {
        assert!(asked(expression).is_err(), "{expression}");
    }
    let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
    assert!(asked(&nested(EXPRESSION_DEPTH_MAX as usize - 2)).is_ok());
    assert!(asked(&nested(EXPRESSION_DEPTH_MAX as usize + 1)).is_err());
}

#[test]
fn a_line_of_any_length_is_searched_in_pieces() {
    let fixture = Fixture::new(
        "yes x | tr -d '\\n' | head -c 1000000 > long && printf 'needle' >> long && git add . && git commit -qm one
        yes y | tr -d '\\n' | head -c 50000000 > longer && printf 'needle' >> longer && git add . && git commit -qm two",
    );
    let open = fixture.open();
    let index = open.updated("main", Allowance::ALL);
    // The second is larger than what is searched, as the help of the page says.
    assert_eq!(open.found(&index, "main", &query("needle")), ["long:1"]);
    let pattern = Pattern::new(&["needle"], Meaning::default()).expect("a word");
    let text = format!("{}needle", "x".repeat(50_000_000));
    let lines = pattern.lines(&text, 10, None).expect("there is time");
    assert_eq!(lines.count, 1);
    assert!(pattern.lines(&text, 10, Some(Instant::now())).is_err(), "it ends when the time is over");
}
