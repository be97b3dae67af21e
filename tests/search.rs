//! Search, with the real `git` as the judge. What is found in files is judged in
//! `components/search/tests`; here it comes from a server.

use crate::kit::{Actor, Answer, Browser, Forge, Shell, basic, is_under_spin, root};
use serde_json::Value;
use std::time::{Duration, Instant};

const HISTORY: &str = r#"
git init -q -b main work && cd work && mkdir -p src/deep && printf 'fn needle() {}\n' > src/deep/one.rs
for n in $(seq 60); do printf 'line one\nNeedle %s\n' $n > src/n$n.txt; done && git add . && git commit -qm one
git checkout -q -b side && echo 'needle aside' > aside && git add . && git commit -qm two && git checkout -q main
git push -q "$ADMIN" --all
"#;

/// What is found as JSON, over all pages: `path:number` of each line that is shown.
fn found(forge: &Forge, actor: Actor, path: &str, query: &str) -> Vec<String> {
    let mut address = format!("{path}/-/search?{query}");
    let mut lines = Vec::new();
    loop {
        let answer = json(forge, actor, &address);
        for file in answer["found"].as_array().expect("a list") {
            for line in file["lines"].as_array().expect("a list") {
                lines.push(format!("{}:{}", file["path"].as_str().expect("text"), line["number"]));
            }
        }
        match answer["next-href"].as_str() {
            Some(next) => address = next.trim_start_matches('/').to_owned(),
            None => return lines,
        }
    }
}

fn json(forge: &Forge, actor: Actor, address: &str) -> Value {
    let answer = send(forge, actor, address);
    assert_eq!(answer.status, 200, "{address}: {}", answer.text());
    serde_json::from_slice(&answer.body).expect("JSON")
}

fn send(forge: &Forge, actor: Actor, address: &str) -> Answer {
    let mut headers = vec![("accept".to_owned(), "application/json".to_owned())];
    headers.extend(actor.login().map(|(name, password)| ("authorization".to_owned(), basic(name, password))));
    Answer::send("GET", &forge.url, address, &headers, None)
}

/// What `git grep` finds at a revision.
fn grepped(shell: &Shell, arguments: &str, revision: &str) -> Vec<String> {
    let lines = shell.run(&format!("git -C work grep -n {arguments} {revision} || true"));
    let line = |line: &str| {
        let mut parts = line[revision.len() + 1..].splitn(3, ':');
        format!("{}:{}", parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    };
    lines.lines().map(line).collect()
}

#[test]
fn files_are_found_as_by_git_grep() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(HISTORY);
    let cases = [
        ("q=needle", "-F -i needle", "main"),
        ("q=needle&case=yes", "-F needle", "main"),
        ("q=Needle+1&word=yes&case=yes", "-F -w 'Needle 1'", "main"),
        ("q=needle+%5B0-9%5D%7B2%7D&regex=yes", "-E -i 'needle [0-9]{2}'", "main"),
        ("q=needle&ref=side", "-F -i needle", "side"),
        ("q=absent", "-F absent", "main"),
    ];
    for (query, arguments, revision) in cases {
        // Words apart have to be in one file; here they are on one line too.
        let expected = grepped(&shell, arguments, revision);
        let query = query.replace("Needle+1", "%22Needle+1%22");
        assert_eq!(found(forge, Actor::Stranger, &path, &query), expected, "{query}");
    }
    shell.run("cd work && git rm -q src/deep/one.rs && echo 'new needle' > new && git add . && git commit -qm three && git push -q \"$ADMIN\" main");
    assert_eq!(found(forge, Actor::Stranger, &path, "q=needle"), grepped(&shell, "-F -i needle", "main"));
    std::fs::remove_dir_all(forge.data().join("cache/search")).expect("it is there");
    assert_eq!(found(forge, Actor::Stranger, &path, "q=needle"), grepped(&shell, "-F -i needle", "main"));
}

#[test]
fn a_page_shows_what_was_found() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    forge.shell(&path).run(HISTORY);
    let page = forge.get(Actor::Stranger, &format!("{path}/-/search?q=needle&case=yes&path=*.rs"));
    assert_eq!((page.status, page.header("x-robots-tag")), (200, Some("noindex, nofollow")));
    let text = page.text();
    assert!(text.contains("Found in 1 file.") && text.contains("fn <mark>needle</mark>() {}"), "{text}");
    assert!(text.contains("/src/deep/one.rs#L1\""), "{text}");
    let refused = forge.get(Actor::Stranger, &format!("{path}/-/search?q=(&regex=yes"));
    assert_eq!(refused.status, 400);
    assert!(
        refused.text().contains("This is not a regular expression: unclosed group."),
        "{}",
        refused.text()
    );
    assert_eq!(forge.get(Actor::Stranger, &format!("{path}/-/search")).status, 200);
    assert_eq!(forge.get(Actor::Stranger, &format!("{path}/-/search?q=x&ref=nothing")).status, 404);
    assert_eq!(forge.get(Actor::Stranger, "team/-/search?q=x").status, 404);
    let empty = forge.repository(&[]);
    let page = forge.get(Actor::Stranger, &format!("{empty}/-/search?q=x"));
    assert!(page.text().contains("There is nothing to search in an empty repository."), "{}", page.text());
}

#[test]
fn commits_and_paths_are_found() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(HISTORY);
    let kinds = |query: &str| {
        let answer = json(forge, Actor::Stranger, &format!("{path}/-/search?{query}"));
        let hits = answer["found"].as_array().expect("a list").clone();
        hits.iter()
            .map(|hit| hit["path"].as_str().or(hit["id"].as_str()).expect("text").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds("type=paths&q=deep"), ["src/deep/one.rs"]);
    assert_eq!(kinds("type=commits&q=one"), [shell.run("git -C work rev-parse main")]);
    assert_eq!(kinds("type=commits&q=two"), [""; 0]);
    assert_eq!(kinds("type=commits&q=two&ref=side"), [shell.run("git -C work rev-parse side")]);
    assert_eq!(kinds("q=needle&lang=rust"), ["src/deep/one.rs"]);
    let page = forge.get(Actor::Stranger, &format!("{path}/-/search?type=commits&q=one"));
    assert!(page.text().contains("Found 1 commit."), "{}", page.text());
}

/// The repositories in which something is found in a search across all.
fn repositories(forge: &Forge, actor: Actor, word: &str) -> (Vec<String>, String) {
    let answer = json(forge, actor, &format!("-/search/files?q={word}"));
    let hits = answer["found"].as_array().expect("a list");
    let paths = hits.iter().map(|hit| hit["repository"].as_str().expect("text").to_owned());
    (paths.collect(), answer["status"].as_str().expect("text").to_owned())
}

#[test]
fn a_search_across_all_finds_what_the_viewer_may_read() {
    let forge = Forge::start(&[]);
    let public = forge.repository(&[]);
    let private = forge.repository(&["--private"]);
    for path in [&public, &private] {
        forge.shell(path).run(HISTORY.replace("line one", "zebrafish").as_str());
    }
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let browser = Browser::signed_in(&forge, name, password);
    let grant = |path: &str, permission: &str| {
        let fields = [("kind", "user"), ("name", "bob"), ("permission", permission)];
        let answer = browser.submit(&format!("/{path}/-/settings/permissions"), "permissions", &fields);
        assert_eq!(answer.status, 303, "{}", answer.text());
    };
    let seen = |actor| {
        let (mut paths, status) = repositories(&forge, actor, "zebrafish+path:n1.txt");
        paths.sort();
        (paths, status)
    };
    let mut both = vec![public.clone(), private.clone()];
    both.sort();
    assert_eq!(seen(Actor::Admin).0, both);
    assert_eq!(seen(Actor::User).0, [public.clone()]);
    let nothing = repositories(&forge, Actor::Stranger, "absent");
    assert_eq!(
        nothing,
        (Vec::new(), "Nothing found in 1 repository.".into()),
        "what is private is not counted"
    );
    grant(&private, "read");
    assert_eq!(seen(Actor::User).0, both);
    grant(&private, "none");
    assert_eq!(seen(Actor::User).0, [public.clone()]);
    let refused = send(&forge, Actor::User, &format!("{private}/-/search?q=zebrafish"));
    assert_eq!(refused.status, 404);
    let page = forge.get(Actor::User, "-/search/files?q=zebrafish").text();
    assert!(page.contains(&public) && !page.contains(&private), "{page}");
    forge.lithe(&["repo", "rename", &public, "team/renamed"]);
    assert_eq!(seen(Actor::Stranger).0, ["team/renamed"]);
    forge.lithe(&["repo", "delete", "team/renamed"]);
    assert_eq!(seen(Actor::Stranger).0, [""; 0]);
}

#[test]
fn what_only_a_hidden_ref_reaches_is_not_found() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(HISTORY);
    let id = shell.run("git -C work rev-parse side");
    std::process::Command::new("git")
        .arg("-C")
        .arg(forge.directory(&path))
        .args(["config", "transfer.hideRefs", "refs/heads/side"])
        .status()
        .expect("git runs");
    for reference in ["side", id.as_str()] {
        let address = format!("{path}/-/search?q=aside&ref={reference}");
        assert_eq!(send(forge, Actor::Admin, &address).status, 404, "{reference}");
    }
    assert_eq!(found(forge, Actor::Admin, &path, "q=aside"), [""; 0]);
}

#[test]
fn an_index_is_made_while_nobody_waits() {
    if is_under_spin() {
        return;
    }
    let manifest = root().join("spin.toml");
    let forge = Forge::start(&["--manifest", manifest.to_str().expect("text")]);
    let path = forge.repository(&[]);
    forge.shell(&path).run(HISTORY);
    let states = || {
        let indexes = forge.data().join("cache/search/index");
        let repositories = std::fs::read_dir(indexes).into_iter().flatten().flatten();
        repositories
            .filter(|entry| {
                entry.path().join("files/state").exists() && entry.path().join("commits/state").exists()
            })
            .count()
    };
    let deadline = Instant::now() + Duration::from_secs(120);
    while states() == 0 {
        assert!(Instant::now() < deadline, "no index was made");
        std::thread::sleep(Duration::from_millis(100));
    }
    // Whoever is not the operator finds nothing there.
    for actor in Actor::ALL {
        let headers: Vec<_> = actor
            .login()
            .map(|(name, password)| ("authorization".to_owned(), basic(name, password)))
            .into_iter()
            .collect();
        let answer = Answer::send("POST", &forge.url, "-/search/index", &headers, None);
        assert_eq!(answer.status, 404, "{actor:?}");
    }
}
