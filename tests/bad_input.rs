//! What strangers send: each gets a clear answer in the protocol's own form, and nothing breaks.

use crate::kit::{Actor, Answer, Forge, basic};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// Sends bytes as they are and returns what comes back until the server closes or says no more.
fn raw(forge: &Forge, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(forge.url.trim_start_matches("http://")).expect("it listens");
    stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a timeout");
    // The server may refuse before it has read everything.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of an answer to a request line with this target.
fn status_of(forge: &Forge, target: &[u8]) -> u16 {
    let request = [b"GET ", target, b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"].concat();
    let answer = raw(forge, &request);
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

#[test]
fn paths_that_lead_out_lead_nowhere() {
    let forge = Forge::shared();
    let targets: [&[u8]; 14] = [
        b"/../../etc/passwd",
        b"/%2e%2e/%2e%2e/etc/passwd",
        b"/..%2f..%2fetc/passwd",
        b"/%252e%252e/etc/passwd",
        b"/team/..%5c..%5cdb/lithe.db",
        b"/team/%00",
        b"/%ff%fe",
        b"/team/./demo",
        b"//team//demo",
        b"/team/demo.git/../../db/lithe.db/info/refs?service=git-upload-pack",
        b"/%2e%2e/db/lithe.db/info/refs?service=git-upload-pack",
        b"/.deleted/1.git/info/refs?service=git-upload-pack",
        b"/.incoming/x/info/refs?service=git-upload-pack",
        b"/team/demo.git/objects/info/packs",
    ];
    for target in targets {
        let status = status_of(forge, target);
        assert!([301, 303, 400, 401, 403, 404].contains(&status), "{}: {status}", target.escape_ascii());
    }
    assert_eq!(status_of(forge, b"/"), 200);
}

#[test]
fn forms_that_make_no_sense() {
    let forge = Forge::shared();
    let bodies: [&[u8]; 8] = [
        b"",
        b"=&=&&&",
        b"login=%",
        b"login=%ff%fe&password=%00",
        b"login=\xff\xfe&password=\0\0",
        b"login=bob&login=alice&password=x&password=y",
        &[b'a'; 70_000],
        &b"x=y&".repeat(100_000),
    ];
    for path in ["/-/login", "/-/register", "/-/account/password", "/-/new/repository", "/-/admin/settings"] {
        for body in bodies {
            let form = "application/x-www-form-urlencoded";
            for kind in [form, "multipart/form-data; boundary=", "text/plain", "\t"] {
                let head = format!(
                    "POST {path} HTTP/1.1\r\nHost: h\r\nOrigin: http://h\r\nContent-Type: {kind}\r\n\
                     Content-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                let answer = raw(forge, &[head.as_bytes(), body].concat());
                let status = answer.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
                let begin = body[..body.len().min(30)].escape_ascii();
                assert!(
                    status.is_some_and(|status| (300..500).contains(&status)),
                    "{path} {begin}: {answer}"
                );
            }
        }
    }
    assert_eq!(status_of(forge, b"/"), 200);
}

#[test]
fn a_push_that_is_cut_in_the_middle_leaves_nothing_behind() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run("git init -q work && cd work && head -c 300000 /dev/urandom > file && git add . && git commit -qm One");
    let id = shell.run("git -C work rev-parse HEAD");
    shell.run("cd work && git rev-list --objects --all | cut -c-40 | git pack-objects -q --stdout > ../pack");
    let pack = std::fs::read(shell.path().join("pack")).expect("git made it");
    let line = format!("{} {id} refs/heads/main\0report-status", "0".repeat(40));
    let body = [format!("{:04x}{line}0000", line.len() + 4).as_bytes(), &pack].concat();
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let head = format!(
        "POST /{path}.git/git-receive-pack HTTP/1.1\r\nHost: h\r\nAuthorization: {}\r\n\
         Content-Type: application/x-git-receive-pack-request\r\nContent-Length: {}\r\n\r\n",
        basic(name, password),
        body.len()
    );
    for sent in [10, 150, 200, 5_000, body.len() - 1] {
        let mut stream = TcpStream::connect(forge.url.trim_start_matches("http://")).expect("it listens");
        stream.write_all(&[head.as_bytes(), &body[..sent]].concat()).expect("it reads");
        stream.shutdown(std::net::Shutdown::Write).expect("it is connected");
        // What comes, if anything, comes before the server has tidied up and closes.
        let _ = stream.read_to_end(&mut Vec::new());
    }
    let left = "find \"$SERVED\" -name 'tmp_*' -o -name '*.lock' -o -name '*incoming*' -mindepth 1";
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !shell.run(left).is_empty() && std::time::Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(shell.run(left), "");
    assert_eq!(
        shell.run("git -C \"$SERVED\" for-each-ref && git -C \"$SERVED\" count-objects"),
        "0 objects, 0 kilobytes"
    );
    shell.run("cd work && git push -q \"$ADMIN\" main && git -C \"$SERVED\" fsck --full --strict");
}

#[test]
fn floods_of_headers_are_refused() {
    let forge = Forge::shared();
    let many: String = (0..2_000).map(|number| format!("X-{number}: y\r\n")).collect();
    let long = format!("X: {}\r\n", "y".repeat(1 << 20));
    for headers in [many, long] {
        let answer = raw(forge, format!("GET / HTTP/1.1\r\nHost: h\r\n{headers}\r\n").as_bytes());
        assert!(answer.is_empty() || answer.contains(" 431 ") || answer.contains(" 400 "), "{answer}");
    }
    assert_eq!(status_of(forge, b"/"), 200);
}

#[test]
fn requests_to_upload_pack_that_make_no_sense() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main",
    );
    let unknown = "1".repeat(40);
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("not hexadecimal", b"zzzzcommand=fetch\n".to_vec()),
        ("length too small", b"0003".to_vec()),
        ("cut in the middle", b"0032want 11".to_vec()),
        ("a length past the end", b"fff0want".to_vec()),
        ("unknown want", format!("0032want {unknown}\n00000009done\n").into_bytes()),
        ("binary", (0..=255).collect()),
        ("unknown command", b"0014command=ls-turtles0000".to_vec()),
        ("no command", b"00010000".to_vec()),
    ];
    for version in ["", "version=1", "version=2"] {
        for (what, body) in &bodies {
            let answer = post(forge, &format!("{path}.git/git-upload-pack"), "upload-pack", version, body);
            assert!(
                (200..=422).contains(&answer.status),
                "{what} {version}: {} {}",
                answer.status,
                answer.text()
            );
            let said = answer.text();
            // Who wants nothing in version 0 or 1 gets nothing, as from git.
            let wants_nothing = body.is_empty() || (version != "version=2" && body.starts_with(b"0001"));
            assert!(
                said.contains("ERR ") || answer.status >= 400 || wants_nothing,
                "{what} {version}: {said:?}"
            );
        }
    }
    shell.run("git clone -q \"$STRANGER\" clone");
}

#[test]
fn requests_to_receive_pack_that_make_no_sense() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        "git init -q work && cd work && git commit -q --allow-empty -m One && git push -q \"$ADMIN\" main",
    );
    let id = shell.run("git -C work rev-parse HEAD");
    let zero = "0".repeat(40);
    let command = |line: String| format!("{:04x}{line}0000", line.len() + 4).into_bytes();
    let update = |name: &str| command(format!("{zero} {id} {name}\0report-status"));
    let with_pack = |name: &str, pack: &[u8]| [update(name), pack.to_vec()].concat();
    let claimed = [b"PACK\0\0\0\x02\xff\xff\xff\xff".as_slice(), &[0; 20]].concat();
    let bodies: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("binary", (0..=255).collect()),
        ("no pack", update("refs/heads/a")),
        ("cut pack", with_pack("refs/heads/b", b"PACK\0\0\0\x02")),
        ("claims four billion objects", with_pack("refs/heads/c", &claimed)),
        ("name leads out", with_pack("refs/heads/../../x", b"")),
        ("name outside refs", with_pack("HEAD", b"")),
        ("name is a lock", with_pack("refs/heads/a.lock", b"")),
        ("no such old value", command(format!("{id} {zero} refs/heads/none\0report-status"))),
    ];
    for (what, body) in &bodies {
        let answer = post(forge, &format!("{path}.git/git-receive-pack"), "receive-pack", "", body);
        assert!((200..=422).contains(&answer.status), "{what}: {} {}", answer.status, answer.text());
        assert!(
            !answer.text().contains("unpack ok") || answer.text().contains("ng "),
            "{what}: {}",
            answer.text()
        );
    }
    assert_eq!(shell.run("git -C \"$SERVED\" for-each-ref --format='%(refname)'"), "refs/heads/main");
    shell.run("git -C \"$SERVED\" fsck --full --strict");
    assert_eq!(shell.run("find \"$SERVED\" -name 'tmp_*' -o -name '*.lock'"), "");
}

/// Posts to a Git service as the admin.
fn post(forge: &Forge, path: &str, service: &str, version: &str, body: &[u8]) -> Answer {
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let headers = format!(
        "Host: h\r\nAuthorization: {}\r\nContent-Type: application/x-git-{service}-request\r\nGit-Protocol: {version}\r\n",
        basic(name, password)
    );
    let head = format!(
        "POST /{path} HTTP/1.1\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    let answer = raw(forge, &[head.as_bytes(), body].concat());
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Answer { status, headers: Vec::new(), body: answer.into_bytes() }
}
