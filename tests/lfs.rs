//! `lfs`: large files, with the real `git-lfs`.

use crate::kit::{Actor, Answer, Browser, Forge, Shell, basic};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

const MEDIA_TYPE: &str = "application/vnd.git-lfs+json";

/// A work tree with a large file of three megabytes, a small one, and one that is not tracked; its
/// remote is `$ADMIN`.
pub const WORK: &str = r#"
git lfs install --skip-repo >/dev/null
git init -q large && cd large && git remote add origin "$ADMIN" && git lfs install --local >/dev/null
git lfs track '*.bin' >/dev/null
head -c 3000000 /dev/urandom > large.bin && printf small > 'smäll file.bin' && printf text > text
git add . && git commit -qm One
"#;

/// A repository to which the first commit of [`WORK`] was pushed.
fn pushed(forge: &Forge, options: &[&str]) -> (String, Shell) {
    let path = forge.repository(options);
    let shell = forge.shell(&path);
    shell.run(WORK);
    shell.run("cd large && git push -q -u origin main");
    (path, shell)
}

/// A repository to which bob may write besides.
fn with_two_writers(forge: &Forge) -> String {
    let path = forge.repository(&[]);
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let browser = Browser::signed_in(forge, name, password);
    let fields = [("kind", "user"), ("name", "bob"), ("permission", "write")];
    let answer = browser.submit(&format!("/{path}/-/settings/permissions"), "permissions", &fields);
    assert_eq!(answer.status, 303, "{}", answer.text());
    path
}

/// The permanent number of a repository.
fn id(forge: &Forge, path: &str) -> u64 {
    let listed: Value = serde_json::from_str(&forge.lithe(&["repo", "list", "--json"])).expect("JSON");
    let repositories = listed["repositories"].as_array().expect("repositories");
    let found = repositories.iter().find(|repository| repository["path"] == path).expect("it is listed");
    found["id"].as_u64().expect("a number")
}

fn oid(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The directory of a repository's large files.
fn directory(forge: &Forge, path: &str) -> PathBuf {
    forge.data().join("lfs").join(id(forge, path).to_string())
}

/// Every file in a repository's directory of large files, by its name.
fn files(forge: &Forge, path: &str) -> Vec<String> {
    let shell = Shell::new();
    let directory = directory(forge, path);
    let script =
        format!("test -d {0} && find {0} -type f -printf '%f\\n' | sort || true", directory.display());
    shell.run(&script).lines().map(str::to_owned).collect()
}

/// Calls an endpoint of a repository as an actor.
fn call(forge: &Forge, actor: Actor, method: &str, address: &str, content_type: &str, body: &[u8]) -> Answer {
    let authorization = actor.login().map(|(name, password)| basic(name, password));
    let mut headers = vec![("content-type", content_type)];
    headers.extend(authorization.as_ref().map(|value| ("authorization", value.as_str())));
    Answer::send_body(method, &forge.url, address, &headers, body)
}

/// Posts JSON to an endpoint of a repository; returns the status and the answer.
fn post(forge: &Forge, actor: Actor, repository: &str, endpoint: &str, body: &Value) -> (u16, Value) {
    let address = format!("{repository}.git/info/lfs/{endpoint}");
    let answer = call(forge, actor, "POST", &address, MEDIA_TYPE, body.to_string().as_bytes());
    (answer.status, serde_json::from_slice(&answer.body).unwrap_or_default())
}

fn put(forge: &Forge, actor: Actor, repository: &str, oid: &str, body: &[u8]) -> Answer {
    let address = format!("{repository}.git/info/lfs/objects/{oid}");
    call(forge, actor, "PUT", &address, "application/octet-stream", body)
}

#[test]
fn large_files_go_up_and_come_down() {
    let forge = Forge::shared();
    let (path, shell) = pushed(forge, &[]);
    let pointer = shell.run("git -C large cat-file blob main:large.bin");
    assert!(pointer.starts_with("version https://git-lfs.github.com/spec/v1"), "{pointer}");
    assert_eq!(files(forge, &path).len(), 2);
    shell.run("git clone -q \"$STRANGER\" clone && cmp large/large.bin clone/large.bin && cmp large/smäll* clone/smäll*");
    shell.run("git -C clone lfs fsck");
    shell.run("cd large && printf more >> large.bin && git commit -qam Two && git push -q origin main");
    shell.run("git -C clone pull -q && cmp large/large.bin clone/large.bin");
    assert_eq!(files(forge, &path).len(), 3);
    let said = shell.run("cd large && git lfs push --all origin 2>&1");
    assert!(!said.contains("Uploading LFS objects: 100% (1") && files(forge, &path).len() == 3, "{said}");
    shell.run(
        "GIT_LFS_SKIP_SMUDGE=1 git clone -q \"$STRANGER\" later && cd later && git lfs pull -I 'smäll*'",
    );
    shell.run("cmp large/smäll* later/smäll* && ! cmp -s large/large.bin later/large.bin");
    shell.run("cd later && git lfs fetch --all && git lfs checkout && cmp ../large/large.bin large.bin");
}

#[test]
fn every_address_of_a_repository_leads_to_its_large_files() {
    let forge = Forge::shared();
    let (path, mut shell) = pushed(forge, &[]);
    let id = id(forge, &path);
    let moved = format!("elsewhere/a/b/c/d/lfs{id}");
    forge.lithe(&["repo", "rename", &path, &moved]);
    for (index, address) in
        [format!("_{id}.git"), format!("_{id}"), path.clone(), format!("{moved}.git"), moved.clone()]
            .iter()
            .enumerate()
    {
        shell.set("ADDRESS", &forge.address(Actor::Stranger, address));
        shell.run(&format!("git clone -q \"$ADDRESS\" c{index} && cmp large/large.bin c{index}/large.bin"));
    }
    assert_eq!(files(forge, &moved).len(), 2, "they did not move");
}

#[test]
fn who_may_do_what() {
    let forge = Forge::shared();
    let (path, shell) = pushed(forge, &["--private"]);
    for actor in ["STRANGER", "USER"] {
        let said = shell.fails(&format!("git -C large lfs clone \"${actor}\" ../{actor}"));
        assert!(!said.contains("smäll"), "{said}");
    }
    let object = oid(b"small");
    let get = |actor, path: &str| {
        call(forge, actor, "GET", &format!("{path}.git/info/lfs/objects/{object}"), "", b"").status
    };
    assert_eq!(Actor::ALL.map(|actor| get(actor, &path)), [200, 404, 401]);
    let batch = |actor, operation: &str, path: &str| {
        post(forge, actor, path, "objects/batch", &json!({"operation": operation, "objects": []})).0
    };
    let (open, _) = pushed(forge, &[]);
    assert_eq!(Actor::ALL.map(|actor| batch(actor, "download", &path)), [200, 404, 401]);
    assert_eq!(Actor::ALL.map(|actor| batch(actor, "upload", &path)), [200, 404, 401]);
    assert_eq!(Actor::ALL.map(|actor| batch(actor, "download", &open)), [200, 200, 200]);
    assert_eq!(Actor::ALL.map(|actor| batch(actor, "upload", &open)), [200, 403, 401]);
    assert_eq!(Actor::ALL.map(|actor| put(forge, actor, &open, &oid(b"x"), b"x").status), [200, 403, 401]);
    let lock = |actor| post(forge, actor, &open, "locks", &json!({"path": "x"})).0;
    assert_eq!(Actor::ALL.map(lock), [201, 403, 401]);
    let verify = |actor| post(forge, actor, &open, "locks/verify", &json!({})).0;
    assert_eq!(Actor::ALL.map(verify), [200, 403, 401]);
    let refused = post(
        forge,
        Actor::Stranger,
        &path,
        "objects/batch",
        &json!({"operation": "download", "objects": []}),
    );
    let missing = post(
        forge,
        Actor::Stranger,
        "no/where",
        "objects/batch",
        &json!({"operation": "download", "objects": []}),
    );
    assert_eq!(refused, missing);
}

#[test]
fn tokens_and_sessions_do_what_they_may() {
    let forge = Forge::shared();
    let (path, _) = pushed(forge, &["--private"]);
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let token = |options: &[&str]| {
        let created = forge.lithe(&[&["token", "create", name, "--description", "lfs"], options].concat());
        created.split_whitespace().last().expect("the token").to_owned()
    };
    let (reads, writes) = (token(&[]), token(&["--write"]));
    let status = |authorization: &str, method: &str, bytes: &[u8]| {
        let address = format!("{path}.git/info/lfs/objects/{}", oid(bytes));
        Answer::send_body(method, &forge.url, &address, &[("authorization", authorization)], bytes).status
    };
    for (authorization, get, put) in [
        (format!("Bearer {reads}"), 200, 403),
        (basic(name, &reads), 200, 403),
        (format!("Bearer {writes}"), 200, 200),
        (basic(name, &writes), 200, 200),
        (basic(name, "wrong"), 401, 401),
        ("Bearer x".to_owned(), 401, 401),
        ("Digest x".to_owned(), 401, 401),
    ] {
        assert_eq!(status(&authorization, "GET", b"small"), get, "{authorization}");
        assert_eq!(status(&authorization, "PUT", authorization.as_bytes()), put, "{authorization}");
    }
    let browser = Browser::signed_in(forge, name, password);
    let address = format!("/{path}.git/info/lfs/objects/{}", oid(b"small"));
    assert_eq!(browser.get(&address).text(), "small");
    let stranger = Browser::new(forge).get(&address);
    assert_eq!(stranger.status, 401);
    assert!(stranger.header("lfs-authenticate").is_some_and(|value| value.starts_with("Basic ")));
}

#[test]
fn a_wrong_or_cut_upload_leaves_nothing_behind() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let bytes = vec![7; 5_000_000];
    let name = oid(&bytes);
    let refused = put(forge, Actor::Admin, &path, &name, b"something else");
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.text().contains(&oid(b"something else")), "{}", refused.text());
    assert_eq!(files(forge, &path), [""; 0]);

    let connection = begin_upload(forge, &path, &name, &bytes);
    wait_until("it is coming in", || files(forge, &path).len() == 1);
    drop(connection);
    wait_until("it is gone", || files(forge, &path).is_empty());

    assert_eq!(put(forge, Actor::Admin, &path, &name, &bytes).status, 200);
    assert_eq!(files(forge, &path), [name.clone()]);
    assert_eq!(put(forge, Actor::Admin, &path, &name, &bytes).status, 200, "it is there already");
    let (status, _) =
        post(forge, Actor::Admin, &path, "objects/verify", &json!({"oid": name, "size": bytes.len()}));
    assert_eq!(status, 200);
    let (status, _) = post(forge, Actor::Admin, &path, "objects/verify", &json!({"oid": name, "size": 1}));
    assert_eq!(status, 422);
    let (status, _) =
        post(forge, Actor::Admin, &path, "objects/verify", &json!({"oid": oid(b"no"), "size": 2}));
    assert_eq!(status, 404);
}

/// Sends the first half of an upload.
fn begin_upload(forge: &Forge, path: &str, name: &str, bytes: &[u8]) -> TcpStream {
    let (login, password) = Actor::Admin.login().expect("the admin signs in");
    let mut connection = TcpStream::connect(forge.url.trim_start_matches("http://")).expect("it listens");
    let head = format!(
        "PUT /{path}.git/info/lfs/objects/{name} HTTP/1.1\r\nHost: h\r\nAuthorization: {}\r\nContent-Length: {}\r\n\r\n",
        basic(login, password),
        bytes.len()
    );
    connection.write_all(head.as_bytes()).expect("sent");
    connection.write_all(&bytes[..bytes.len() / 2]).expect("sent");
    connection
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        thread::yield_now();
    }
}

#[test]
fn a_download_that_was_cut_goes_on() {
    let forge = Forge::shared();
    let (path, shell) = pushed(forge, &[]);
    shell.run("GIT_LFS_SKIP_SMUDGE=1 git clone -q \"$STRANGER\" clone");
    let name = shell.run("git -C large lfs ls-files -l -I large.bin | cut -d ' ' -f 1");
    shell.run(&format!("mkdir -p clone/.git/lfs/incomplete && head -c 1000000 large/large.bin > clone/.git/lfs/incomplete/{name}.part"));
    let said = shell.run("cd clone && GIT_TRACE=1 git lfs pull 2>&1");
    assert!(said.contains("server accepted resume"), "{said}");
    shell.run("cmp large/large.bin clone/large.bin");

    let address = format!("{path}.git/info/lfs/objects/{name}");
    let whole = fs::read(shell.path().join("large/large.bin")).expect("it is there");
    for (range, status, expected) in [
        ("bytes=0-9", 206, &whole[..10]),
        ("bytes=2999990-", 206, &whole[2_999_990..]),
        ("bytes=-5", 206, &whole[2_999_995..]),
        ("bytes=3000000-", 416, &[][..]),
        ("bytes=5-1", 200, &whole[..]),
    ] {
        let answer = Answer::send_body("GET", &forge.url, &address, &[("range", range)], "");
        assert_eq!(answer.status, status, "{range}");
        assert!(answer.body == expected, "{range}");
    }
}

#[test]
fn files_are_locked_and_unlocked() {
    let forge = Forge::shared();
    let path = with_two_writers(forge);
    let shell = forge.shell(&path);
    shell.run(WORK);
    shell.run("cd large && git push -q -u origin main && git clone -q \"$USER\" ../bob");
    let said = shell.run("cd large && git lfs lock large.bin && git lfs locks");
    assert!(said.contains("Locked large.bin") && said.contains("alice"), "{said}");
    let said = shell.fails("cd bob && git lfs lock large.bin");
    assert!(said.contains("alice has locked this file"), "{said}");
    let said = shell.fails("cd bob && git lfs unlock large.bin");
    assert!(said.contains("held by alice"), "{said}");
    let said = shell.fails("cd bob && git lfs unlock --force large.bin");
    assert!(said.contains("only who may administer"), "{said}");
    // A push of what another has locked is halted by the client, as the server says whose it is.
    let bobs =
        "cd bob && git config user.name b && git config user.email b@b && git config lfs.locksverify true";
    shell.run(&format!("{bobs} && chmod u+w large.bin && printf mine > large.bin && git commit -qam Mine"));
    let said = shell.fails("cd bob && git push origin main");
    assert!(said.contains("locked") && said.contains("alice"), "{said}");
    shell.run("cd large && git lfs unlock large.bin && test -z \"$(git lfs locks)\"");
    shell.run("cd bob && git push -q origin main && git lfs lock large.bin");
    let said = shell.run("cd large && git pull -q && git lfs unlock --force large.bin && git lfs locks");
    assert!(!said.contains("bob"), "{said}");
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let journal = Browser::signed_in(forge, name, password).get("/-/admin/journal?filter=lock.break").text();
    assert!(journal.contains("large.bin, locked by bob"), "{journal}");
}

#[test]
fn of_many_at_once_one_gets_the_lock() {
    let forge = Forge::shared();
    let path = with_two_writers(forge);
    let take = |actor| {
        post(forge, actor, &path, "locks", &json!({"path": "a b/ü.psd", "ref": {"name": "refs/heads/x"}}))
    };
    let mut answers = thread::scope(|scope| {
        let actors = (0..8).map(|number| if number % 2 == 0 { Actor::Admin } else { Actor::User });
        let calls: Vec<_> = actors.map(|actor| scope.spawn(move || take(actor))).collect();
        calls.into_iter().map(|one| one.join().expect("it ends")).collect::<Vec<_>>()
    });
    answers.sort_by_key(|(status, _)| *status);
    let statuses: Vec<_> = answers.iter().map(|(status, _)| *status).collect();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert!(answers.iter().all(|(_, answer)| answer["lock"] == answers[0].1["lock"]), "{answers:?}");
}

#[test]
fn locks_are_listed_page_by_page() {
    let forge = Forge::shared();
    let path = with_two_writers(forge);
    for (actor, file) in [(Actor::Admin, "a"), (Actor::User, "b"), (Actor::Admin, "c")] {
        assert_eq!(post(forge, actor, &path, "locks", &json!({"path": file})).0, 201);
    }
    let list = |query: &str| {
        let answer = forge.get(Actor::Stranger, &format!("{path}.git/info/lfs/locks{query}"));
        assert_eq!(answer.header("content-type"), Some(MEDIA_TYPE));
        let answer: Value = serde_json::from_slice(&answer.body).expect("JSON");
        let locks = answer["locks"].as_array().unwrap_or_else(|| panic!("{query}: {answer}")).clone();
        let paths: Vec<_> =
            locks.iter().map(|lock| lock["path"].as_str().expect("a path").to_owned()).collect();
        (paths.join(" "), answer["next_cursor"].as_str().map(str::to_owned))
    };
    let (first, cursor) = list("?limit=2");
    let cursor = cursor.expect("there is more");
    assert_eq!((first.as_str(), list(&format!("?limit=2&cursor={cursor}"))), ("a b", ("c".to_owned(), None)));
    for (query, expected) in [
        ("", "a b c"),
        ("?path=b", "b"),
        ("?path=x", ""),
        ("?id=0", ""),
        ("?id=x", ""),
        ("?refspec=refs/heads/x", "a b c"),
    ] {
        assert_eq!(list(query), (expected.to_owned(), None), "{query}");
    }
    let malformed = forge.get(Actor::Stranger, &format!("{path}.git/info/lfs/locks?cursor=x"));
    assert_eq!(malformed.status, 422);
    let (_, sorted) = post(forge, Actor::User, &path, "locks/verify", &json!({"limit": 2}));
    let count = |name: &str| sorted[name].as_array().expect("a list").len();
    assert_eq!((count("ours"), count("theirs")), (1, 1), "{sorted}");
    assert!(sorted["next_cursor"].is_string(), "{sorted}");
    assert_eq!(post(forge, Actor::User, &path, "locks/999999/unlock", &json!({})).0, 404);
}

/// Where an object lies.
fn object(forge: &Forge, path: &str, oid: &str) -> PathBuf {
    directory(forge, path).join("objects").join(&oid[..2]).join(&oid[2..4]).join(oid)
}

/// Uploads something without saying how long it is; returns the status.
fn put_of_unknown_length(forge: &Forge, path: &str, bytes: &[u8]) -> String {
    let (login, password) = Actor::Admin.login().expect("the admin signs in");
    let mut connection = TcpStream::connect(forge.url.trim_start_matches("http://")).expect("it listens");
    let head = format!(
        "PUT /{path}.git/info/lfs/objects/{} HTTP/1.1\r\nHost: h\r\nAuthorization: {}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n",
        oid(bytes),
        basic(login, password),
        bytes.len()
    );
    connection.write_all(&[head.as_bytes(), bytes, b"\r\n0\r\n\r\n"].concat()).expect("sent");
    let mut answer = Vec::new();
    connection.read_to_end(&mut answer).expect("an answer");
    String::from_utf8_lossy(&answer).split(' ').nth(1).expect("a status").to_owned()
}

#[test]
fn large_files_have_limits() {
    let forge = Forge::start(&[]);
    let (path, shell) = pushed(&forge, &[]);
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let browser = Browser::signed_in(&forge, name, password);
    let set = |object: &str, repository: &str| {
        let fields = [("lfs-object-mib-max", object), ("lfs-repository-mib-max", repository)];
        assert_eq!(browser.submit("/-/admin/settings", "settings", &fields).status, 303);
    };
    let at = |bytes: &[u8]| put(&forge, Actor::Admin, &path, &oid(bytes), bytes).status;
    set("1", "5");
    let mut mebibyte = vec![1; 1 << 20];
    assert_eq!(at(&mebibyte), 200, "at the limit of a file");
    mebibyte.push(1);
    assert_eq!(at(&mebibyte), 413, "past it");
    assert_eq!(put_of_unknown_length(&forge, &path, &mebibyte), "413");
    assert_eq!(put_of_unknown_length(&forge, &path, &mebibyte[..1 << 19]), "200");
    fs::remove_file(object(&forge, &path, &oid(&mebibyte[..1 << 19]))).expect("it is there");
    forge.lithe(&["repo", "check", &path]);
    shell.run("cd large && head -c 2000000 /dev/urandom > larger.bin && git add . && git commit -qm Larger");
    let said = shell.fails("cd large && git push origin main");
    assert!(said.contains("lfs-object-mib-max") && said.contains("1.00 MiB"), "{said}");

    // 3,000,005 bytes were pushed at first, and one MiB now.
    set("4", "4");
    let said = shell.fails("cd large && git push origin main");
    assert!(said.contains("lfs-repository-mib-max") && said.contains("of 4.00 MiB"), "{said}");
    let rest = (4 << 20) - 3_000_005 - (1 << 20);
    assert_eq!(at(&vec![2; rest + 1]), 507, "past the limit of all files");
    assert_eq!(at(&vec![2; rest]), 200, "at it");
    assert_eq!(at(b"x"), 507);
    assert_eq!(at(&vec![2; rest]), 200, "what is there needs no room");

    // The repository may get a limit of its own.
    let fields = [("object-mib-max", ""), ("repository-mib-max", "100")];
    let form = |fields: &[(&str, &str)]| {
        let page = browser.get(&format!("/{path}/-/settings/")).text();
        let csrf =
            page.split("name=\"csrf\" value=\"").nth(1).expect("a form").split('"').next().expect("a value");
        let all = [&[("csrf", csrf), ("do", "limit")], fields].concat();
        let all: Vec<_> = all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        browser.post(&format!("/{path}/-/settings/"), &all).status
    };
    assert_eq!(form(&fields), 303);
    shell.run("cd large && git push -q origin main");
    assert_eq!(form(&[("object-mib-max", "0"), ("repository-mib-max", "")]), 400);
    let page = browser.get(&format!("/{path}/-/settings/")).text();
    assert!(page.contains("of 100 MiB"), "{page}");
    // Without the count's file there is nothing to count: checking counts anew.
    fs::remove_dir_all(directory(&forge, &path).join("objects")).expect("it is ours");
    forge.lithe(&["repo", "check", &path]);
    let page = browser.get(&format!("/{path}/-/settings/")).text();
    assert!(page.contains("take up 0 bytes of 100 MiB"), "{page}");
}

#[test]
fn of_many_uploads_of_a_file_one_counts() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let bytes = vec![3; 3 << 20];
    let name = oid(&bytes);
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| assert_eq!(put(forge, Actor::Admin, &path, &name, &bytes).status, 200));
        }
    });
    assert_eq!(files(forge, &path), [name]);
    let (login, password) = Actor::Admin.login().expect("the admin signs in");
    let page = Browser::signed_in(forge, login, password).get(&format!("/{path}/-/settings/")).text();
    assert!(page.contains("take up 3.00 MiB"), "{page}");
}

#[test]
fn what_is_not_understood_is_refused_in_words() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let batch = format!("{path}.git/info/lfs/objects/batch");
    let deep = [vec![b'['; 900_000], vec![b']'; 90_000]].concat();
    let long = vec![b' '; (1 << 20) + 1];
    let many = json!({"operation": "download", "objects": vec![json!({"oid": oid(b""), "size": 0}); 1_001]})
        .to_string();
    for (body, status) in [
        (&b"{"[..], 400),
        (b"", 400),
        (b"\xff\xfe", 400),
        (b"[]", 422),
        (br#"{"operation":"remove","objects":[]}"#, 422),
        (br#"{"operation":"upload","transfers":["tus"],"objects":[]}"#, 422),
        (&deep, 400),
        (&long, 413),
        (many.as_bytes(), 413),
    ] {
        let answer = call(forge, Actor::Admin, "POST", &batch, MEDIA_TYPE, body);
        assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&body[..body.len().min(80)]));
        let words: Value = serde_json::from_slice(&answer.body).expect("JSON");
        assert!(words["message"].is_string(), "{words}");
    }
    let plain = call(forge, Actor::Admin, "POST", &batch, "text/plain", b"{}");
    assert_eq!(plain.status, 415, "what a form of another site can send is refused");
    assert_eq!(call(forge, Actor::Admin, "GET", &batch, "", b"").status, 405);
    for address in ["objects", "objects/..%2f..%2fdb", "locks/1", "objects/batch/x", ""] {
        let answer = call(forge, Actor::Admin, "GET", &format!("{path}.git/info/lfs/{address}"), "", b"");
        assert_eq!(answer.status, 404, "{address}");
    }
}

#[test]
fn large_files_live_as_long_as_their_repository_can_be_restored() {
    let forge = Forge::start(&[]);
    let (path, shell) = pushed(&forge, &[]);
    let (id, directory) = (id(&forge, &path), directory(&forge, &path));
    forge.lithe(&["repo", "delete", &path]);
    assert!(directory.is_dir());
    let object = format!("{path}.git/info/lfs/objects/{}", oid(b"small"));
    assert_eq!(call(&forge, Actor::Admin, "GET", &object, "", b"").status, 404);
    forge.lithe(&["repo", "restore", &id.to_string()]);
    shell.run("git clone -q \"$STRANGER\" clone && cmp large/large.bin clone/large.bin");
    let checked = forge.lithe(&["repo", "check", &path]);
    assert!(checked.contains("2 large files, 3000005 bytes"), "{checked}");

    forge.lithe(&["repo", "delete", &path]);
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let browser = Browser::signed_in(&forge, name, password);
    let fields = [("do", "purge"), ("id", &id.to_string())];
    assert_eq!(browser.submit("/-/admin/repositories/deleted", "deleted", &fields).status, 303);
    assert!(!directory.exists(), "it is gone for good");
}

/// Makes every large file of a repository look as if nobody had asked for it for twenty days.
fn age(forge: &Forge, path: &str) {
    let objects = directory(forge, path).join("objects");
    Shell::new().run(&format!("find {} -type f -exec touch -d '20 days ago' {{}} +", objects.display()));
}

#[test]
fn what_nothing_names_is_collected_after_a_while() {
    let forge = Forge::start(&[]);
    let (path, shell) = pushed(&forge, &[]);
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    let browser = Browser::signed_in(&forge, name, password);
    let page = |page: &str| browser.get(&format!("/{path}/-/settings/{page}")).text();
    let maintain = || forge.lithe(&["repo", "maintain", &path, "--force"]);
    let stray = b"pushed by nobody";
    assert_eq!(put(&forge, Actor::Admin, &path, &oid(stray), stray).status, 200);
    let said = maintain();
    assert!(said.contains("1 large file (16 bytes) kept for now that nothing names"), "{said}");
    assert!(page("health").contains("<td>1, 16 bytes</td>"), "{}", page("health"));
    assert_eq!(files(&forge, &path).iter().filter(|name| name.len() == 64).count(), 3);

    // A client asks whether it is here already, as it does before a push.
    age(&forge, &path);
    let asked = json!({"operation": "upload", "objects": [{"oid": oid(stray), "size": stray.len()}]});
    assert_eq!(post(&forge, Actor::Admin, &path, "objects/batch", &asked).0, 200);
    let said = maintain();
    assert!(said.contains("kept for now"), "{said}");

    age(&forge, &path);
    let said = maintain();
    assert!(said.contains("1 large file (16 bytes) removed that nothing named"), "{said}");
    assert_eq!(
        call(&forge, Actor::Admin, "GET", &format!("{path}.git/info/lfs/objects/{}", oid(stray)), "", b"")
            .status,
        404
    );
    assert!(page("").contains("take up 2.86 MiB"), "what is gone is not counted: {}", page(""));
    shell.run("git clone -q \"$STRANGER\" clone && cmp large/large.bin clone/large.bin");

    // What a branch had goes with its pointers, which `git gc` drops here at once.
    shell.run("cd large && git checkout -q -b other && head -c 1000 /dev/urandom > other.bin && git add . && git commit -qm Other && git push -q origin other && git push -q origin :other");
    age(&forge, &path);
    let said = maintain();
    assert!(!said.contains("large files"), "the repository still has the pointer: {said}");
    shell.run("git -C \"$SERVED\" -c gc.pruneExpire=now gc -q --prune=now && find \"$SERVED\" -name '*.mtimes' | grep . && git -C \"$SERVED\" repack -qad --cruft --cruft-expiration=now || true");
    let said = maintain();
    assert!(said.contains("1 large file (1,000 bytes) removed"), "{said}");
    // Who pushes it again brings it along.
    shell.run("cd large && git push -q origin other");
    shell.run("git clone -q -b other \"$STRANGER\" again && cmp large/other.bin again/other.bin");
}

#[test]
fn damage_is_found_by_a_check() {
    let forge = Forge::start(&[]);
    let (path, _) = pushed(&forge, &[]);
    let name = oid(b"small");
    fs::write(object(&forge, &path, &name), "smell").expect("it is ours");
    let (code, said) = forge.try_lithe(&["repo", "check", &path]);
    assert!(code == Some(1) && said.contains(&name), "{code:?} {said}");
}

#[test]
fn a_kill_during_an_upload_leaves_no_object() {
    let mut forge = Forge::start(&[]);
    let path = forge.repository(&[]);
    let bytes = vec![9; 4_000_000];
    let name = oid(&bytes);
    let connection = begin_upload(&forge, &path, &name, &bytes);
    wait_until("it is coming in", || files(&forge, &path).len() == 1);
    forge.kill();
    drop(connection);
    forge.restart(&[]);
    let left = files(&forge, &path);
    assert!(left.len() == 1 && left[0] != name, "{left:?}");
    let object = format!("{path}.git/info/lfs/objects/{name}");
    assert_eq!(forge.get(Actor::Admin, &object).status, 404);
    // It is nobody's after a while, and goes with the next upload.
    let shell = Shell::new();
    shell.run(&format!(
        "find {} -type f -exec touch -d '1 day ago' {{}} +",
        directory(&forge, &path).display()
    ));
    assert_eq!(put(&forge, Actor::Admin, &path, &name, &bytes).status, 200);
    assert_eq!(files(&forge, &path), [name]);
}

#[test]
fn a_full_disk_refuses_an_upload_and_leaves_nothing_behind() {
    // A file of more than 48 MiB cannot be written; ignoring SIGXFSZ turns that into an error.
    let forge = Forge::start_under("trap '' XFSZ; ulimit -f 49152; exec \"$0\" \"$@\"", &[]);
    let path = forge.repository(&[]);
    let bytes = vec![9; 60_000_000];
    let refused = put(&forge, Actor::Admin, &path, &oid(&bytes), &bytes);
    assert!(refused.status >= 500, "{} {}", refused.status, refused.text());
    assert_eq!(files(&forge, &path), [""; 0]);
    assert_eq!(put(&forge, Actor::Admin, &path, &oid(b"small"), b"small").status, 200);
}

#[test]
fn files_that_are_called_like_the_protocols_have_pages() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run("git init -q work && cd work && mkdir -p info/lfs && printf one > info/refs && printf two > info/lfs/locks");
    shell.run("cd work && git add . && git commit -qm One && git push -q \"$ADMIN\" main");
    for (file, expected) in [("info/refs", "one"), ("info/lfs/locks", "two")] {
        let raw = forge.get(Actor::Stranger, &format!("{path}/-/raw/main/{file}"));
        assert_eq!((raw.status, raw.text().as_str()), (200, expected), "{file}");
    }
}

#[test]
fn the_page_of_a_large_file_leads_to_it() {
    let forge = Forge::shared();
    let (path, shell) = pushed(forge, &[]);
    let page = forge.get(Actor::Stranger, &format!("{path}/-/blob/main/large.bin")).text();
    let link = page.split("href='").skip(1).find(|rest| rest.contains("/info/lfs/objects/")).expect("a link");
    let address = link.split('\'').next().expect("it ends").trim_start_matches('/').to_owned();
    let large = fs::read(shell.path().join("large/large.bin")).expect("it is there");
    assert!(forge.get(Actor::Stranger, &address).body == large, "{address}");
}

#[test]
fn a_download_says_how_to_take_it() {
    let forge = Forge::shared();
    let (path, _) = pushed(forge, &[]);
    let name = oid(b"small");
    let address = format!("{path}.git/info/lfs/objects/{name}?name=sm%C3%A4ll%20file.bin");
    let answer = forge.get(Actor::Stranger, &address);
    assert_eq!((answer.status, answer.text().as_str()), (200, "small"));
    for (header, expected) in [
        ("content-type", "application/octet-stream"),
        ("content-length", "5"),
        ("content-disposition", "attachment; filename*=UTF-8''sm%C3%A4ll%20file.bin"),
        ("x-content-type-options", "nosniff"),
        ("content-security-policy", "sandbox; default-src 'none'"),
        ("accept-ranges", "bytes"),
        ("etag", &format!("\"{name}\"")),
    ] {
        assert_eq!(answer.header(header), Some(expected), "{header}");
    }
    let mut connection = TcpStream::connect(forge.url.trim_start_matches("http://")).expect("it listens");
    let head = format!("HEAD /{address} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    connection.write_all(head.as_bytes()).expect("sent");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    assert!(answer.contains("content-length: 5") && answer.ends_with("\r\n\r\n"), "{answer}");
}
