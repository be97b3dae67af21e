//! Every message, judged by `git hash-object`, which checks as `git fsck --strict` does.

use super::*;
use bstr::ByteSlice;
use std::io::Write;
use std::process::{Command, Stdio};

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const IDENT: &str = "A U Thor <a@example.org> 1700000000 +0100";

/// The id of the first message that Git has for an object; empty: it has none.
fn git_says(kind: Kind, data: &[u8]) -> String {
    let mut command = Command::new("git");
    command.args(["hash-object", "--stdin", "-t", &kind.to_string()]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("git runs");
    let _ = child.stdin.take().expect("is piped").write_all(data);
    let output = child.wait_with_output().expect("git runs");
    let text = output.stderr.to_str_lossy().into_owned();
    let said = text.lines().find_map(|line| line.strip_prefix("error: object fails fsck: "));
    let id = said.and_then(|said| said.split(':').next()).unwrap_or_default().to_owned();
    assert!(output.status.success() || !id.is_empty(), "{text}");
    id
}

/// Checks that Git and this crate say the same first thing.
fn compare(kind: Kind, data: &[u8]) -> Findings {
    let mut found = Findings::default();
    check(ObjectFormat::Sha1, kind, data, &mut found);
    let ours: Vec<_> = found.messages.iter().map(|message| message.id).collect();
    let theirs = git_says(kind, data);
    if theirs.ends_with("Missing") {
        // Git went on to look for the blob.
        assert!(
            !found.gitmodules.is_empty() || !found.gitattributes.is_empty(),
            "{}: {theirs}",
            data.as_bstr()
        );
    } else if theirs.is_empty() {
        assert!(ours.is_empty(), "{}: {ours:?}, but git has no objection", data.as_bstr());
    } else {
        assert!(ours.contains(&theirs.as_str()), "{}: {ours:?}, but git says {theirs}", data.as_bstr());
    }
    found
}

fn tree(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut data = Vec::new();
    for (mode, name) in entries {
        data.extend_from_slice(&[mode.as_bytes(), b" ", name, b"\0", &[0xaa; 20]].concat());
    }
    data
}

#[test]
fn names_in_trees() {
    let long = vec![b'x'; 4096];
    let too_long = vec![b'x'; 4097];
    let names: &[&[u8]] = &[
        b"a",
        b".",
        b"..",
        b"...",
        b".gi",
        b".gitx",
        b".git",
        b".GIT",
        b".giT ",
        b".git.",
        b".git . .",
        b".git:x",
        b".git\\x",
        b".git x",
        b"git~1",
        b"GIT~1",
        b"git~2",
        b"git~1 ",
        b"git~1x",
        b"a\\.git",
        b"a\\git~1\\b",
        b"a\\b",
        "\u{200c}.git".as_bytes(),
        ".g\u{200d}it".as_bytes(),
        ".git\u{feff}".as_bytes(),
        ".g\u{2060}it".as_bytes(),
        b".git\xff",
        b"\xff.git",
        b"a/b",
        b".git/x",
        &long,
        &too_long,
        b".gitmodules",
        b".gitattributes",
        b".gitignore",
        b".mailmap",
        b"gitmodules",
        b".gitmodules ",
        b"gitmod~1",
        b"GITMOD~4",
        b"gitmod~5",
        b"gi7eba~1",
        b"gi7eb~01",
        b"gi7eb~10",
        b"g~123456",
        b"~1000000",
        b"gi7d29~1",
        b"gitatt~1",
        b"gitign~1",
        b"mailma~1",
        b"maba30~1",
        b"gi250a~9",
        b"gi7eba~1.",
        b"gi7eba~1x",
        ".GitModules\u{200e}".as_bytes(),
        b"a\\.gitmodules",
    ];
    for name in names {
        for mode in ["100644", "120000", "40000"] {
            compare(Kind::Tree, &tree(&[(mode, name)]));
        }
    }
}

#[test]
fn modes_in_trees() {
    for mode in [
        "100644", "100755", "100664", "120000", "40000", "160000", "0100644", "040000", "100600", "0",
        "777777",
    ] {
        compare(Kind::Tree, &tree(&[(mode, b"a")]));
    }
}

#[test]
fn order_in_trees() {
    let cases: &[&[(&str, &[u8])]] = &[
        &[],
        &[("100644", b"a"), ("100644", b"b")],
        &[("100644", b"b"), ("100644", b"a")],
        &[("100644", b"a"), ("100644", b"a")],
        &[("100644", b"a"), ("40000", b"a")],
        &[("40000", b"a"), ("100644", b"a")],
        &[("40000", b"a"), ("100644", b"a.b")],
        &[("100644", b"a.b"), ("40000", b"a")],
        &[("100644", b"a"), ("100644", b"a.b"), ("40000", b"a")],
        &[("100644", b"a"), ("100644", b"a.b"), ("100644", b"a.b.c"), ("40000", b"a.b"), ("40000", b"a")],
        &[("40000", b"a"), ("40000", b"a0")],
        &[("100644", b"a"), ("100644", b"aa"), ("100644", b"ab")],
    ];
    for entries in cases {
        compare(Kind::Tree, &tree(entries));
    }
}

#[test]
fn trees_that_are_none() {
    let good = tree(&[("100644", b"a"), ("100644", b"b")]);
    for len in 0..good.len() {
        compare(Kind::Tree, &good[..len]);
    }
    let others: &[&[u8]] =
        &[b"x", b" a\0aaaaaaaaaaaaaaaaaaaa", b"10064x a\0aaaaaaaaaaaaaaaaaaaa", b"100644 a"];
    for data in others {
        compare(Kind::Tree, data);
    }
    compare(Kind::Tree, &[b"100644 \0".as_slice(), &[0xaa; 20]].concat());
    compare(Kind::Tree, &[b"100644 a\0".as_slice(), &[0; 20]].concat());
}

fn idents() -> Vec<String> {
    let mut idents: Vec<_> = [
        "A <a@b> 1 +0000",
        "<a@b> 1 +0000",
        " <a@b> 1 +0000",
        "A<a@b> 1 +0000",
        "A a@b> 1 +0000",
        "A a@b 1 +0000",
        "A <a@b 1 +0000",
        "A <a<b> 1 +0000",
        "A <a@b>1 +0000",
        "A <a@b>",
        "A <a@b> ",
        "A <a@b> x +0000",
        "A <a@b> 01 +0000",
        "A <a@b> 0 +0000",
        "A <a@b> 00 +0000",
        "A <a@b> 1",
        "A <a@b> 1 ",
        "A <a@b> 1x +0000",
        "A <a@b> 1 0000",
        "A <a@b> 1 +000",
        "A <a@b> 1 +00000",
        "A <a@b> 1 +00:0",
        "A <a@b> 1 -1234",
        "A <a@b> 1 +0000 ",
        "A <> 1 +0000",
        "A <a@b> 9223372036854775807 +0000",
        "A <a@b> 9223372036854775808 +0000",
        "A <a@b> 18446744073709551615 +0000",
        "A <a@b> 99999999999999999999999 +0000",
        "A <a@b> -1 +0000",
        "",
    ]
    .map(str::to_owned)
    .to_vec();
    idents.push(IDENT.to_owned());
    idents
}

#[test]
fn commits() {
    let head = format!("tree {A}\n");
    let tail = format!("author {IDENT}\ncommitter {IDENT}\n\nmessage\n");
    let mut cases = vec![
        format!("{head}{tail}"),
        format!("{head}parent {A}\nparent {A}\n{tail}"),
        format!("{head}parent {}\n{tail}", &A[1..]),
        format!("{head}parent {A} \n{tail}"),
        format!("tree {}\n{tail}", &A[1..]),
        tail.clone(),
        format!("tree {A}{tail}"),
        format!("{head}committer {IDENT}\n\nx"),
        format!("{head}author {IDENT}\nauthor {IDENT}\ncommitter {IDENT}\n\nx"),
        format!("{head}author {IDENT}\n\nx"),
        format!("{head}author {IDENT}\ncommitter {IDENT}"),
        format!("{head}author {IDENT}\ncommitter {IDENT}\n"),
        format!("{head}author {IDENT}\ncommitter {IDENT}\nencoding x\n\nx"),
        format!("{head}{tail}\0"),
        format!("{head}\0{tail}"),
        String::new(),
        "\n\n".to_owned(),
    ];
    for ident in idents() {
        cases.push(format!("{head}author {ident}\ncommitter {IDENT}\n\nx\n"));
        cases.push(format!("{head}author {IDENT}\ncommitter {ident}\n\nx\n"));
    }
    for data in cases {
        compare(Kind::Commit, data.as_bytes());
    }
}

#[test]
fn tags() {
    let head = format!("object {A}\ntype commit\ntag v1\n");
    let mut cases = vec![
        format!("{head}tagger {IDENT}\n\nx\n"),
        format!("{head}\nx\n"),
        format!("object {A}\ntype commit\ntag v..1\ntagger {IDENT}\n\nx\n"),
        format!("object {A}\ntype nothing\ntag v1\ntagger {IDENT}\n\nx\n"),
        format!("object {A}\ntag v1\ntagger {IDENT}\n\nx\n"),
        format!("object {A}\ntype commit\ntagger {IDENT}\n\nx\n"),
        format!("object {}\ntype commit\ntag v1\ntagger {IDENT}\n\nx\n", &A[1..]),
        format!("type commit\ntag v1\ntagger {IDENT}\n\nx\n"),
        format!("object {A}\n"),
        format!("object {A}\ntype commit\n"),
        format!("{head}tagger {IDENT}\ngpgsig -----BEGIN\n x\n -----END\n\nx\n"),
        format!("{head}tagger {IDENT}\nmore\n\nx\n"),
        format!("{head}tagger {IDENT}"),
        String::new(),
    ];
    cases.extend(idents().iter().map(|ident| format!("{head}tagger {ident}\n\nx\n")));
    for data in cases {
        compare(Kind::Tag, data.as_bytes());
    }
}

#[test]
fn links_are_found_with_their_kinds() {
    let id: ObjectId = A.parse().expect("an id");
    let found = compare(
        Kind::Commit,
        format!("tree {A}\nparent {A}\nauthor {IDENT}\ncommitter {IDENT}\n\n").as_bytes(),
    );
    assert_eq!(found.links, [(id, Kind::Tree), (id, Kind::Commit)]);
    let found = compare(Kind::Tag, format!("object {A}\ntype tree\ntag v\ntagger {IDENT}\n\n").as_bytes());
    assert_eq!(found.links, [(id, Kind::Tree)]);
    let entries: &[(&str, &[u8])] =
        &[("100644", b".gitmodules"), ("160000", b"a"), ("120000", b"b"), ("40000", b"c")];
    let found = compare(Kind::Tree, &tree(entries));
    assert_eq!(found.links, [(id, Kind::Blob), (id, Kind::Blob), (id, Kind::Tree)]);
    assert_eq!(found.gitmodules, [id]);
}

/// What `git fsck` says about `.gitmodules` with these contents.
fn git_says_of_gitmodules(data: &[u8]) -> String {
    let place = tempfile::tempdir().expect("a temporary directory");
    let git = |arguments: &[&str], input: &[u8]| {
        let mut command = Command::new("git");
        command.arg("-C").arg(place.path()).args(arguments);
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.org");
        }
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().expect("git runs");
        child.stdin.take().expect("is piped").write_all(input).expect("writes");
        let output = child.wait_with_output().expect("git runs");
        (output.stdout.trim().to_str_lossy().into_owned(), output.stderr.to_str_lossy().into_owned())
    };
    git(&["init", "-q", "--bare"], b"");
    let (blob, _) = git(&["hash-object", "-w", "--stdin"], data);
    let (tree, _) = git(&["mktree"], format!("100644 blob {blob}\t.gitmodules\n").as_bytes());
    let (commit, _) = git(&["commit-tree", "-m", "x", &tree], b"");
    git(&["update-ref", "refs/heads/main", &commit], b"");
    let (_, said) = git(&["fsck", "--strict", "--no-progress", "--no-dangling"], b"");
    let line = said.lines().find(|line| line.contains("in blob"));
    line.and_then(|line| line.split(": ").nth(1)).unwrap_or_default().to_owned()
}

#[test]
fn gitmodules_are_judged_as_git_does() {
    let with_url = |url: &str| format!("[submodule \"a\"]\n\tpath = a\n\turl = {url}\n");
    let with_name = |name: &str| format!("[submodule \"{name}\"]\n\tpath = a\n\turl = ./a\n");
    let mut cases: Vec<String> = [
        "",
        "# x\n",
        "[core]\n\tbare = true\n",
        "[submodule \"a\"]\n\tpath = -x\n",
        "[submodule \"a\"]\n\tupdate = !sh\n",
        "[submodule \"a\"]\n\tupdate = merge\n",
        "[submodule \"a\"",
        "[submodule \"a\"]\nx y\n",
        "x = y\n",
        "[submodule \"a\"]\n\turl\n",
        "[SubModule \"a\"]\n\tURL = -x\n",
        "[submodule.a]\n\turl = -x\n",
        "[submodule \"a\"] url = -x ; y\n",
        "[submodule \"a\"]\n\turl = \"-\\\nx\"\n",
        "[submodule \"a\"]\n\turl = \"a\n\"\n",
        "[submodule \"a\"]\r\n\turl = -x\r\n",
        "[submodule \"a\"]\n\turl = a\\x\n",
    ]
    .map(str::to_owned)
    .to_vec();
    let urls = [
        "https://example.org/a",
        "-x",
        "--upload-pack=x",
        "./-x",
        "../a",
        "../../a",
        "../:a",
        "../../:a",
        "./:a",
        "..//a",
        "http:///x",
        "https://:80/x",
        "https://",
        "ssh://-x/y",
        "https://example.org/%0aevil",
        "./%0aevil",
        "git://h/%0ax",
        "http::https://example.org/a",
        "https::http:///a",
        "ext::sh -c x",
        "https::x%0ay",
        "a:b",
        "/a",
        "",
        "%2dx",
        "https://example.org\\n",
        "\"a # b\"",
    ];
    cases.extend(urls.map(with_url));
    cases.extend(["..", "../a", "a/../b", "a\\\\..\\\\b", "a..b", "", ".", "-x", "a\\\"b"].map(with_name));
    for data in cases {
        let ours = gitmodules(data.as_bytes());
        let ours: Vec<_> = ours.messages.iter().map(|message| message.id).collect();
        let theirs = git_says_of_gitmodules(data.as_bytes());
        match theirs.as_str() {
            "" => assert!(ours.is_empty(), "{data:?}: {ours:?}, but git has no objection"),
            theirs => assert!(ours.contains(&theirs), "{data:?}: {ours:?}, but git says {theirs}"),
        }
    }
}

#[test]
fn gitattributes_have_limits() {
    let cases = [(2047, true), (2048, false)];
    for (len, is_good) in cases {
        let data = [b"a b\n".as_slice(), &vec![b'x'; len], b"\n"].concat();
        assert_eq!(gitattributes(&data).refusal().is_none(), is_good, "{len}");
    }
}
