//! Search, with the real `git` as the judge. What is found in files is judged in
//! `components/search/tests`; here it comes from a server.

use crate::kit::{Actor, Answer, Forge, Shell, basic};
use serde_json::Value;

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
