//! Archives to download, with the real `git` as the judge. What is in them is judged in
//! `components/archive/tests`; here they come from a server.

use crate::kit::{Actor, Answer, Forge};

const HISTORY: &str = r#"
git init -q -b main work && cd work && mkdir -p src/deep && echo one > src/deep/one && echo run > run && chmod +x run
ln -s run link && seq 100000 > large && git add . && git commit -qm one && git tag v1 && git branch feature/x
echo two > two && git add . && git commit -qm two && git push -q "$ADMIN" --all && git push -q "$ADMIN" --tags
"#;

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.header(name).unwrap_or_else(|| panic!("there is no {name}: {answer:?}"))
}

#[test]
fn pages_lead_to_archives_and_downloads_of_what_they_show() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(HISTORY);
    let id = shell.run("git -C work rev-parse main");
    let pages = [
        (String::new(), "/-/archive/main.tar.gz"),
        ("/-/tree/feature/x".to_owned(), "/-/archive/feature/x.tar.gz"),
        ("/-/tree/main/src/deep".to_owned(), "/-/archive/main.tar.gz?path=src%2Fdeep"),
        (format!("/-/commit/{id}"), ".zip"),
        ("/-/refs".to_owned(), "/-/archive/v1.zip"),
    ];
    for (page, expected) in pages {
        let html = forge.get(Actor::Stranger, &format!("{path}{page}")).text();
        let links = html.split("href=\"/").filter_map(|rest| rest.split('"').next());
        let archives: Vec<_> = links.filter(|link| link.contains("/-/archive/")).collect();
        assert!(archives.iter().any(|link| link.ends_with(expected)), "{page}: {archives:?}");
        for link in archives {
            assert_eq!(forge.get(Actor::Stranger, link).status, 200, "{page}: {link}");
        }
    }
    for (file, disposition) in [("src/deep/one", Some("attachment; filename*=UTF-8''one")), ("large", None)] {
        let query = if disposition.is_some() { "?download=1" } else { "" };
        let answer = forge.get(Actor::Stranger, &format!("{path}/-/raw/main/{file}{query}"));
        assert_eq!((answer.status, answer.header("content-disposition")), (200, disposition), "{file}");
        assert_eq!(header(&answer, "content-type"), "text/plain; charset=utf-8");
    }
    let page = forge.get(Actor::Stranger, &format!("{path}/-/blob/main/src/deep/one")).text();
    assert!(page.contains(&format!("href=\"/{path}/-/raw/main/src/deep/one?download=1\"")), "{page}");
}

#[test]
fn an_archive_is_the_one_of_git_archive() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(HISTORY);
    let id = shell.run("git -C work rev-parse v1");
    let name = path.rsplit('/').next().expect("a name");
    let cases = [
        // What is asked for, as git calls it, the end of the name.
        ("main", "main", "main"),
        ("v1", "v1", "v1"),
        ("feature/x", "feature/x", "feature-x"),
        (id.as_str(), id.as_str(), id.as_str()),
        (&id[..10], id.as_str(), id.as_str()),
    ];
    for (asked, revision, called) in cases {
        // The second time, it is kept.
        for _ in 0..2 {
            let answer = forge.get(Actor::Stranger, &format!("{path}/-/archive/{asked}.tar"));
            assert_eq!(answer.status, 200, "{asked}: {}", answer.text());
            let disposition = format!("attachment; filename*=UTF-8''{name}-{called}.tar");
            assert_eq!(header(&answer, "content-disposition"), disposition);
            assert_eq!(header(&answer, "content-type"), "application/x-tar");
            std::fs::write(shell.path().join("ours.tar"), &answer.body).expect("the directory is writable");
            shell.run(&format!(
                "git -C work archive --prefix={name}-{called}/ {revision} > theirs.tar && cmp ours.tar theirs.tar"
            ));
        }
    }
    let part = forge.get(Actor::Stranger, &format!("{path}/-/archive/main.tar.gz?path=/src/deep/"));
    assert_eq!(
        header(&part, "content-disposition"),
        format!("attachment; filename*=UTF-8''{name}-main-src-deep.tar.gz")
    );
    std::fs::write(shell.path().join("part.tar.gz"), &part.body).expect("the directory is writable");
    shell.run(&format!(
        "git -C work archive --prefix={name}-main/ main src/deep > theirs.tar && gzip -dc part.tar.gz | cmp - theirs.tar"
    ));
    for (format, content_type) in
        [("tar.gz", "application/gzip"), ("tar.zst", "application/zstd"), ("zip", "application/zip")]
    {
        let first = forge.get(Actor::Stranger, &format!("{path}/-/archive/main.{format}"));
        let second = forge.get(Actor::User, &format!("{path}/-/archive/main.{format}"));
        assert_eq!((first.status, header(&first, "content-type")), (200, content_type));
        assert_eq!(first.body, second.body, "{format}");
        assert_eq!(header(&second, "content-length"), first.body.len().to_string());
    }
}

#[test]
fn a_download_can_be_gone_on_with() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    forge.shell(&path).run(HISTORY);
    let address = format!("{path}/-/archive/main.zip");
    let get = |method: &str, headers: &[(&str, &str)]| {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Answer::send(method, &forge.url, &address, &headers, None)
    };
    // Nothing was made yet.
    let part = get("GET", &[("range", "bytes=100-199")]);
    assert_eq!((part.status, part.body.len()), (206, 100));
    let whole = get("GET", &[]);
    assert_eq!(part.body, whole.body[100..200]);
    assert_eq!(header(&part, "content-range"), format!("bytes 100-199/{}", whole.body.len()));
    let tag = header(&whole, "etag").to_owned();
    assert_eq!(header(&part, "etag"), tag);
    assert_eq!(header(&whole, "cache-control"), "private, no-cache");
    let rest = get("GET", &[("range", "bytes=1000-"), ("if-range", &tag)]);
    assert_eq!((rest.status, &rest.body[..]), (206, &whole.body[1000..]));
    let other = get("GET", &[("range", "bytes=1000-"), ("if-range", "\"other\"")]);
    assert_eq!((other.status, other.body.len()), (200, whole.body.len()));
    assert_eq!(get("GET", &[("range", "bytes=99999999-")]).status, 416);
    let known = get("GET", &[("if-none-match", &tag)]);
    assert_eq!((known.status, known.body.len()), (304, 0));
    let head = get("HEAD", &[]);
    assert_eq!(
        (head.status, header(&head, "content-length"), head.body.len()),
        (200, &*whole.body.len().to_string(), 0)
    );
    assert_eq!(get("POST", &[]).status, 405);
}

#[test]
fn what_is_not_there_has_no_archive() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    assert_eq!(forge.get(Actor::Stranger, &format!("{path}/-/archive/main.zip")).status, 404);
    forge.shell(&path).run(HISTORY);
    for address in [
        "nothing.zip",
        "main.rar",
        "main",
        ".zip",
        "main/src.zip",
        "main.zip?path=nothing",
        "main.zip?path=../..",
        "main.zip?path=run/x",
        "deadbeef.zip",
        "%ff.zip",
        "",
    ] {
        let answer = forge.get(Actor::Stranger, &format!("{path}/-/archive/{address}"));
        assert_eq!(answer.status, 404, "{address}: {}", answer.text());
    }
    assert_eq!(forge.get(Actor::Stranger, "team/-/archive/main.zip").status, 404);
}
