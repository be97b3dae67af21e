//! Which commits the log finds, against `git log` with the same wishes.

mod kit;

use askama::Template as _;
use browse::commits::{self, Look};
use browse::history::{self, Cursor, Filter, Scope, Unclear, Wish};
use browse::limits::*;
use bstr::ByteSlice as _;
use kit::{COMMITTED, Fixture, Numbers, repository};
use lithe_code::mailmap::Mailmap;
use lithe_code::revision;
use lithe_code::walk::Budget;
use lithe_web::Fields;
use std::time::Duration;

const DAY: i64 = 86_400;

/// A history of merges by several people, with clocks that may go wrong now and then.
fn history_of_many(clocks_go_wrong: bool) -> Fixture {
    let mut numbers = Numbers(11);
    let mut stream = String::new();
    let mut tips: Vec<usize> = Vec::new();
    let people = ["Ada Lovelace <ada@example.org>", "Gräce <grace@sea.example>", "ADA X <x@y>", " <n@n>"];
    let words = ["Fix the engine", "Add a.b", "fix: axb", "Revert \"Fix\"", "ÄNDERE (alles)"];
    for mark in 1..=400 {
        let skew = if clocks_go_wrong && numbers.below(20) == 0 { -40 * DAY } else { 0 };
        let date = COMMITTED + (mark as i64) * DAY / 2 + skew;
        let mut pick = |from: &[&str]| from[numbers.below(from.len() as u64) as usize].to_owned();
        let (author, committer) = (pick(&people), pick(&people));
        let message = format!("{}\n\n{}\n{mark}\n", pick(&words), pick(&words));
        stream += &format!(
            "commit refs/heads/b{mark}\nmark :{mark}\nauthor {author} {date} +0130\n\
             committer {committer} {date} -0200\ndata {}\n{message}",
            message.len()
        );
        let mut parents: Vec<usize> = Vec::new();
        if !tips.is_empty() {
            for _ in 0..1 + numbers.below(5) / 3 {
                parents.push(tips.swap_remove(numbers.below(tips.len() as u64) as usize));
                if tips.is_empty() {
                    break;
                }
            }
        }
        for (index, parent) in parents.iter().enumerate() {
            stream += &format!("{} :{parent}\n", if index == 0 { "from" } else { "merge" });
        }
        let file = numbers.below(3);
        stream += &format!("M 100644 inline d{}/f{file}\ndata 4\n{mark:04}\n", file % 2);
        tips.push(mark);
        if tips.len() < 6 && numbers.below(3) == 0 {
            tips.push(mark);
        }
    }
    tips.sort_unstable();
    tips.dedup();
    stream +=
        &format!("commit refs/heads/main\ncommitter Z <z@z> {} +0000\ndata 3\nend\n", COMMITTED + 999 * DAY);
    for (index, tip) in tips.iter().enumerate() {
        stream += &format!("{} :{tip}\n", if index == 0 { "from" } else { "merge" });
    }
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
    fixture.shell("git -C team/demo.git fast-import --quiet < stream");
    fixture
}

/// Every commit found, page by page, each page after a trip through an address.
fn found(fixture: &Fixture, query: &str, path: &str, budget: Budget) -> Vec<String> {
    let opened = fixture.open();
    let filter = filter(query).expect("a wish that is clear");
    let id: gix_hash::ObjectId = fixture.git("rev-parse main").parse().expect("an id");
    let mailmap = Mailmap::of(repository(&opened));
    let first_path = path;
    let (mut cursor, mut path, mut ids) = (Cursor::at(id), bstr::BString::from(path), Vec::new());
    loop {
        let follows = query.contains("follow");
        let first_path = first_path.into();
        let scope = Scope { path: path.as_bstr(), follows, first_path, filter: &filter, mailmap: &mailmap };
        let page = history::search(repository(&opened), &cursor, &scope, budget);
        assert!(page.commits.len() <= COMMITS_PER_PAGE);
        ids.extend(page.commits.iter().map(|commit| commit.id.to_string()));
        let Some(next) = page.next else { return ids };
        cursor = Cursor::parse(&next.to_string(), id.kind()).expect("a cursor that was just written");
        path = page.path;
    }
}

fn filter(query: &str) -> Result<Filter, Unclear> {
    let wish = Wish::of(&Fields::parse(query.as_bytes()).expect("a query"));
    let again = Wish::of(&Fields::parse(wish.query().as_bytes()).expect("what it writes is a query"));
    assert_eq!(again.query(), wish.query(), "it survives an address");
    wish.filter()
}

/// What is asked, of which path, and how `git log` is asked the same.
const WISHES: [(&str, &str, &str); 24] = [
    ("", "", ""),
    ("author=ada", "", "-i -F --author=ada"),
    ("author=ada+lov", "", "-i -F --author='ada lov'"),
    ("author=%3Cgrace%40", "", "-i -F --author='<grace@'"),
    ("author=GR%C3%84CE", "", "-i -F --author='GRÄCE'"),
    ("committer=ada&author=grace", "", "-i -F --committer=ada --author=grace"),
    ("message=fix", "", "-i -F --grep=fix"),
    ("message=a.b", "", "-i -F --grep=a.b"),
    ("message=a.b&regex=1", "", "-i -E --grep=a.b"),
    ("message=%5Efix%28%3A%7C+the%29&regex=1", "", "-i -E --grep='^fix(:| the)'"),
    ("message=%28alles%29", "", "-i -F --grep='(alles)'"),
    ("message=fix&author=ada&merges=no", "", "-i -F --grep=fix --author=ada --no-merges"),
    ("merges=no", "", "--no-merges"),
    ("merges=only", "", "--merges"),
    ("merges=no", "d0", "--no-merges"),
    ("author=ada", "d0/f2", "-i -F --author=ada"),
    ("since=2025-08-01", "", "--since=2025-08-01T00:00:00Z"),
    ("until=2025-08-01", "", "--until=2025-08-01T23:59:59Z"),
    (
        "since=2025-07-01&until=2025-09-01&message=add",
        "d1",
        "-i -F --grep=add --since=2025-07-01T00:00:00Z --until=2025-09-01T23:59:59Z",
    ),
    ("pathspec=*1", "", ""),
    ("pathspec=*%2Ff%5B02%5D&author=ada", "", "-i -F --author=ada"),
    ("pathspec=d%3F%2Ff*&merges=no", "", "--no-merges"),
    ("pathspec=f%5B!0%5D", "d0", ""),
    ("pathspec=*&until=2025-08-01", "d1", "--until=2025-08-01T23:59:59Z"),
];

/// How `git log` is asked the same: it takes a pattern below a directory as one path.
fn git_log(query: &str, path: &str, options: &str) -> String {
    let fields = Fields::parse(query.as_bytes()).expect("a query");
    let paths = [path, fields.get("pathspec")];
    let paths: Vec<&str> = paths.into_iter().filter(|path| !path.is_empty()).collect();
    let path = if paths.is_empty() { String::new() } else { format!("'{}'", paths.join("/")) };
    format!("log --format=%H {options} main -- {path}")
}

#[test]
fn what_is_found_is_what_git_log_finds() {
    let fixture = history_of_many(false);
    for graph in [None, Some("--changed-paths")] {
        if let Some(filters) = graph {
            fixture.git(&format!("commit-graph write --reachable {filters}"));
        }
        for (query, path, options) in WISHES {
            let expected = fixture.git(&git_log(query, path, options));
            let expected: Vec<&str> = expected.lines().collect();
            assert!(!expected.is_empty(), "{options} finds something");
            assert_eq!(
                found(&fixture, query, path, history::BUDGET),
                expected,
                "{options} -- {path}, {graph:?}"
            );
        }
    }
}

#[test]
fn a_search_goes_on_where_its_budget_ended() {
    let fixture = history_of_many(true);
    // With no time at all, every request comes one step further.
    let budgets = [
        Budget { commits_read: 7, ..history::BUDGET },
        Budget { commits_passed: 7, ..history::BUDGET },
        Budget { until: Some(std::time::Instant::now() - Duration::from_secs(1)), ..history::BUDGET },
    ];
    for budget in budgets {
        for (query, path, options) in [WISHES[0], WISHES[1], WISHES[15], WISHES[18], WISHES[20]] {
            let expected = fixture.git(&git_log(query, path, options));
            let expected: Vec<&str> = expected.lines().collect();
            assert_eq!(found(&fixture, query, path, budget), expected, "{options} -- {path}");
        }
    }
}

#[test]
fn a_file_is_followed_to_its_earlier_names() {
    let fixture = Fixture::new(
        r#"save() { git add -A && GIT_COMMITTER_DATE="$((1750000000 + n * 60)) +0000" git commit -qm "$n" && n=$((n + 1)); }
        n=1; seq 1 50 > a && echo other > b && save && echo x >> a && save && echo y >> b && save
        mkdir d && git mv a d/c && sed -i s/^7$/z/ d/c && save && git mv d/c 'd/ü' && save && echo q >> b && save
        git checkout -q -b side && echo s >> 'd/ü' && save && git checkout -q main && echo t >> b && save
        git merge -q --no-edit side && git rm -q b && save && echo w >> 'd/ü' && save"#,
    );
    let expected = fixture.git("log --follow --format=%H main -- 'd/ü'");
    assert_eq!(expected.lines().count(), 6);
    for graph in [false, true] {
        if graph {
            fixture.git("commit-graph write --reachable --changed-paths");
        }
        for commits_read in [COMMITS_READ_MAX, 1] {
            let budget = Budget { commits_read, ..history::BUDGET };
            assert_eq!(found(&fixture, "follow=1", "d/ü", budget), expected.lines().collect::<Vec<_>>());
        }
    }
}

#[test]
fn a_file_is_followed_whatever_the_clocks_say() {
    type Clock = fn(i64, &mut Numbers) -> i64;
    let clocks: [(&str, Clock); 4] = [
        ("runs backwards", |number, _| COMMITTED - number * 60),
        ("is anywhere", |_, numbers| COMMITTED + numbers.below(100_000) as i64),
        ("is a day behind now and then", |number, numbers| {
            COMMITTED + number * 600 - if numbers.below(15) == 0 { 86_400 } else { 0 }
        }),
        (
            "was never set now and then",
            |number, numbers| if numbers.below(20) == 0 { 0 } else { COMMITTED + number },
        ),
    ];
    for (clock_name, clock) in clocks {
        let mut numbers = Numbers(0x0ddc_10c5);
        let mut stream = String::new();
        let mut names = vec!["f".to_owned()];
        let text: String = (0..40).map(|line| format!("line {line}\n")).collect();
        for mark in 1..=900_usize {
            let date = clock(mark as i64, &mut numbers);
            stream +=
                &format!("commit refs/heads/main\nmark :{mark}\ncommitter A <a@b> {date} +0000\ndata 1\nx\n");
            let parent = mark - 1 - numbers.below(mark.min(3) as u64) as usize;
            let mut name = names[parent].clone();
            if parent > 0 {
                stream += &format!("from :{parent}\n");
                let other = mark - 1;
                if other != parent && numbers.below(2) == 0 && names[other] == name {
                    stream += &format!("merge :{other}\n");
                }
                if numbers.below(100) == 0 {
                    let new = format!("f{mark}");
                    stream += &format!("R {name} {new}\n");
                    name = new;
                }
            }
            if numbers.below(3) > 0 {
                let text = format!("{text}{mark}\n");
                stream += &format!("M 644 inline {name}\ndata {}\n{text}\n", text.len());
            }
            names.push(name);
        }
        let fixture = Fixture::new("");
        std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
        fixture.shell("git -C team/demo.git fast-import --quiet --force < stream");
        let name = names.last().expect("a name");
        let expected = fixture.git(&format!("log --follow --format=%H main -- {name}"));
        assert!(
            expected.lines().count() > COMMITS_PER_PAGE,
            "a clock that {clock_name}: there are several pages"
        );
        for commits_read in [COMMITS_READ_MAX, 7] {
            let budget = Budget { commits_read, ..history::BUDGET };
            let found = found(&fixture, "follow=1", name, budget);
            assert_eq!(found, expected.lines().collect::<Vec<_>>(), "a clock that {clock_name}");
        }
    }
}

#[test]
fn what_cannot_be_looked_for_says_why() {
    let at = |len: usize| format!("author={}", "a".repeat(len));
    assert!(filter(&at(LOG_WORDS_BYTES_MAX)).is_ok());
    let refused = |query: &str| filter(query).err();
    assert_eq!(refused(&at(LOG_WORDS_BYTES_MAX + 1)), Some(Unclear::TooLong));
    // Past the memory that an expression may take, and malformed.
    for expression in ["%5Cw%7B500%7D%5Cw%7B500%7D", "%28", "%5B", "%2A"] {
        assert_eq!(refused(&format!("message={expression}&regex=1")), Some(Unclear::Regex), "{expression}");
        assert_eq!(refused(&format!("message={expression}")), None, "literally, {expression} is fine");
    }
    for day in ["x", "2025-13-01", "2025-02-29"] {
        assert_eq!(refused(&format!("since={day}")), Some(Unclear::Date), "{day}");
    }
}

#[test]
fn an_expression_that_others_choke_on_is_searched_for_in_no_time() {
    let message = "a".repeat(LOG_MESSAGE_BYTES_MAX);
    let fixture = Fixture::new("");
    std::fs::write(fixture.root().join("message"), &message).expect("the directory is writable");
    fixture.shell(
        "cd team/demo.git && tree=$(git mktree < /dev/null)
        git update-ref refs/heads/main $(git commit-tree -F ../../message $tree)",
    );
    assert_eq!(found(&fixture, "message=%28a%2A%29%2A%28a%7Ca%29%2Ab&regex=1", "", history::BUDGET).len(), 0);
    assert_eq!(found(&fixture, "message=aaa%24&regex=1", "", history::BUDGET).len(), 1);
}

#[test]
fn a_message_is_searched_up_to_a_length() {
    for (len, count) in [(LOG_MESSAGE_BYTES_MAX - 2, 1), (LOG_MESSAGE_BYTES_MAX - 1, 0)] {
        let fixture = Fixture::new("");
        std::fs::write(fixture.root().join("message"), "m".repeat(len) + "\nx").expect("it is writable");
        fixture.shell(
            "cd team/demo.git && tree=$(git mktree < /dev/null)
            git update-ref refs/heads/main $(git commit-tree -F ../../message $tree)",
        );
        assert_eq!(found(&fixture, "message=x", "", history::BUDGET).len(), count, "{len}");
    }
}

/// The page of the history of `main` and a path in it.
fn page(fixture: &Fixture, rest: &str, query: &str) -> String {
    let opened = fixture.open();
    let at = revision::resolve(repository(&opened), rest.into()).expect("readable").expect("there");
    let fields = Fields::parse(query.as_bytes()).expect("a query");
    let look = Look::of(&fields, gix_hash::Kind::Sha1).expect("a cursor");
    let page = commits::page(&fixture.place(), repository(&opened), &at, &look).expect("a history");
    page.render().expect("the template takes its page")
}

#[test]
fn the_form_is_filled_in_as_it_was_and_pages_keep_it() {
    let fixture = history_of_many(false);
    let html = page(&fixture, "main", "message=%22fix%22%3E&regex=1&until=2030-01-01&merges=no");
    assert!(html.contains("name=\"message\" value=\"&#34;fix&#34;&#62;\""), "{html}");
    assert!(html.contains("<details class=\"panel log-filter\" open>") && html.contains(" checked>"));
    assert!(html.contains("There is no such commit"));
    let html = page(&fixture, "main", "author=ada&merges=no");
    let next = "/team/demo/-/commits/main?author=ada&#38;merges=no&#38;searched=";
    assert!(html.contains(next), "{html}");
    assert!(html.contains("/team/demo/-/commits/b1?author=ada&#38;merges=no"), "another branch keeps it");
    let plain = page(&fixture, "main", "");
    assert!(plain.contains("<details class=\"panel log-filter\">") && !plain.contains("searched="));
    assert!(page(&fixture, "main", "message=%28&regex=1").contains("not a regular expression"));
}

#[test]
fn two_commits_can_be_chosen_to_be_compared() {
    let fixture = Fixture::with_commits("sha1", 60);
    let plain = page(&fixture, "main", "");
    assert!(
        !plain.contains("type=\"radio\"") && plain.contains("/team/demo/-/commits/main?choose=1"),
        "{plain}"
    );
    let html = page(&fixture, "main", "choose=1&merges=no");
    let [head, base] = ["main", "main~49"].map(|revision| fixture.git(&format!("rev-parse {revision}")));
    assert!(html.contains("<form action=\"/team/demo/-/compare\" method=\"get\" data-range>"), "{html}");
    for name in ["from", "to"] {
        assert_eq!(html.matches(&format!("type=\"radio\" name=\"{name}\"")).count(), 50);
    }
    for (name, id) in [("to", &head), ("from", &base)] {
        assert!(html.contains(&format!("name=\"{name}\" value=\"{id}\" checked")), "{name}");
    }
    // Pages keep it, with what was chosen, and the link back has the same page.
    assert!(html.contains("<input type=\"hidden\" name=\"merges\" value=\"no\"><input type=\"hidden\" name=\"choose\" value=\"1\">"), "{html}");
    let button = "<button class=\"button\" type=\"submit\" formaction=\"/team/demo/-/commits/main\" name=\"after\" value=\"";
    let after =
        html.split_once(button).expect("a button that leads on").1.split('"').next().expect("a cursor");
    assert!(!html.contains("rel=\"next"), "{html}");
    let second = page(&fixture, "main", &format!("choose=1&from={base}&to={head}&after={after}"));
    assert!(second.contains(&format!("name=\"to\" value=\"{head}\" checked")), "{second}");
    assert!(second.contains("chosen before") && second.matches(" checked").count() == 2, "{second}");
    let last = fixture.git("rev-parse main~59");
    assert!(second.contains(&format!("name=\"from\" value=\"{last}\" checked")), "{second}");
    // What may not be shown is not chosen.
    let unknown = page(&fixture, "main", &format!("choose=1&to={}&after={after}", "0".repeat(40)));
    assert!(!unknown.contains("chosen before"), "{unknown}");
    assert!(html.contains("/team/demo/-/commits/main?merges=no\""), "{html}");
    let alone = Fixture::with_commits("sha1", 1);
    assert!(!page(&alone, "main", "choose=1").contains("type=\"radio\""), "there is nothing to choose from");
}

#[test]
fn a_form_that_names_a_path_leads_to_its_history() {
    let fixture = Fixture::new("mkdir 'a[b]' && touch 'a[b]/c' && git add -A && git commit -qm x");
    let opened = fixture.open();
    let at = revision::resolve(repository(&opened), "main".into()).expect("readable").expect("there");
    let asked = |path, query: &str| {
        let fields = Fields::parse(query.as_bytes()).expect("a query");
        commits::asked_for(&fixture.place(), repository(&opened), &at, path, &fields).expect("readable")
    };
    assert_eq!(asked("", "author=&message="), "/team/demo/-/commits/main");
    assert_eq!(asked("/a b//c/", "author=x%26y"), "/team/demo/-/commits/main/a%20b/c?author=x%26y");
    // A pattern is asked for below the directory that it names; what is there by a name is meant by it.
    assert_eq!(asked("*.toml", ""), "/team/demo/-/commits/main?pathspec=%2A.toml");
    assert_eq!(asked("a/b/*.rs", "author=x"), "/team/demo/-/commits/main/a/b?author=x&pathspec=%2A.rs");
    assert_eq!(asked("a[b]/c", ""), "/team/demo/-/commits/main/a%5Bb%5D/c");
    assert_eq!(asked("a[b]/*", ""), "/team/demo/-/commits/main/a%5Bb%5D?pathspec=%2A");
    assert_eq!(asked("a[b]/gone", ""), "/team/demo/-/commits/main/a%5Bb%5D/gone");
    assert_eq!(asked("../a/./*", ""), "/team/demo/-/commits/main/a?pathspec=%2A");
}
