//! Bundles to download, with the real `git` as the judge. What a client does with the addresses of
//! bundles that it is told is among the scenarios of Git's own tests (`git_scenarios`).

use crate::kit::{Actor, Answer, Forge, Shell};

/// A merge, tags of a commit, a tag, a tree and a file, a note, and `trunk` for a landing branch of
/// which `copy` and `zoo` are copies.
const HISTORY: &str = r#"
git init -q -b trunk work && cd work
for n in 1 2 3; do seq $n 300 > list && echo $n > file$n && git add . && git commit -qm $n; done
git switch -qc side HEAD~1 && echo side > side && git add . && git commit -qm side
git switch -q trunk && git merge -qm merge side && git branch copy && git branch zoo && git branch feature/x HEAD~1
git tag -am one v1 && git tag -am again v1-again v1 && git tag -am tree tree-tag HEAD^{tree} && git tag -am file file-tag HEAD:list
git notes add -m noted
git push -q "$ADMIN" --all && git push -q "$ADMIN" --tags 'refs/notes/*' && git -C "$SERVED" symbolic-ref HEAD refs/heads/trunk
"#;

/// More objects than a recipe is kept for.
const MANY_OBJECTS: &str = r#"
git init -q many && cd many
seq 4000 | awk '{ print "blob\nmark :" $1 "\ndata 9\n" 100000000 + $1 }
    END { print "commit refs/heads/main\ncommitter C <c@example.org> 1700000000 +0000\ndata 4\nMany";
          for (n = 1; n <= 4000; n++) print "M 100644 :" n " d" n % 1500 "/f" n; print "" }' | git fast-import --quiet
git push -q "$ADMIN" main
"#;

/// `curl` of an address behind the repository's, by nobody in particular.
fn download(shell: &Shell, address: &str, to: &str) {
    shell.run(&format!("curl -sS --fail-with-body -o {to} \"${{STRANGER%.git}}/-/bundle{address}\""));
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.header(name).unwrap_or_else(|| panic!("there is no {name}: {answer:?}"))
}

#[test]
fn a_bundle_is_cloned_like_the_repository() {
    let forge = Forge::shared();
    for options in [&[][..], &["--object-format", "sha256"]] {
        let path = forge.repository(options);
        let mut shell = forge.shell(&path);
        shell.set("GIT_DEFAULT_HASH", options.last().unwrap_or(&"sha1"));
        shell.run(HISTORY);
        download(&shell, "", "all.bundle");
        shell.run(
            "git init -q here && git -C here bundle verify ../all.bundle 2>&1 | grep 'complete history'",
        );
        let listed = shell.run("git -C here bundle list-heads ../all.bundle | sort -k 2");
        assert_eq!(
            listed,
            shell.run("git ls-remote --quiet \"$STRANGER\" | grep -v '{}$' | tr '\\t' ' ' | sort -k 2")
        );
        shell.run(
            "git clone -q all.bundle clone && git -C clone fsck --full --strict
             test $(git -C clone branch --show-current) = trunk
             git clone -q --mirror all.bundle mirror",
        );
        let objects = "rev-list --objects --all --no-object-names | sort";
        assert_eq!(
            shell.run(&format!("git -C mirror {objects}")),
            shell.run(&format!("git -C \"$SERVED\" {objects}"))
        );
        // It can be fetched from later, too.
        shell.run("cd work && git commit -qm more --allow-empty && git push -q \"$ADMIN\" trunk");
        download(&shell, "", "later.bundle");
        shell.run("cd clone && git fetch -q ../later.bundle trunk && test $(git rev-parse FETCH_HEAD) = $(git -C ../work rev-parse trunk)");
    }
}

#[test]
fn a_bundle_of_one_ref_has_what_that_reaches() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(HISTORY);
    shell.run("git -C work tag feature/x trunk && git -C work push -q \"$ADMIN\" refs/tags/feature/x");
    let cases = [
        // What is asked for, the refs of the bundle, the name it is saved by.
        ("trunk", "refs/heads/trunk HEAD", "trunk"),
        ("HEAD", "HEAD", "HEAD"),
        ("copy", "refs/heads/copy", "copy"),
        ("feature/x", "refs/heads/feature/x", "feature-x"),
        ("refs/tags/feature/x", "refs/tags/feature/x", "feature-x"),
        ("v1-again", "refs/tags/v1-again", "v1-again"),
        ("tree-tag", "refs/tags/tree-tag", "tree-tag"),
        ("refs/notes/commits", "refs/notes/commits", "refs-notes-commits"),
    ];
    for (name, refs, saved_as) in cases {
        let answer = forge.get(Actor::Stranger, &format!("{path}/-/bundle/{name}"));
        assert_eq!(answer.status, 200, "{name}: {}", answer.text());
        let file = path.rsplit('/').next().expect("a name");
        let disposition = format!("attachment; filename*=UTF-8''{file}-{saved_as}.bundle");
        assert_eq!(header(&answer, "content-disposition"), disposition);
        std::fs::write(shell.path().join("one.bundle"), &answer.body).expect("the directory is writable");
        shell.run("rm -rf here && git init -q here && git -C here bundle verify ../one.bundle");
        let mut listed: Vec<_> = refs.split(' ').collect();
        listed.sort_unstable();
        let heads = shell.run("git -C here bundle list-heads ../one.bundle | cut -d' ' -f2 | sort");
        assert_eq!(heads.lines().collect::<Vec<_>>(), listed, "{name}");
        let objects = "rev-list --objects --no-object-names";
        assert_eq!(
            shell.run("cd here && git bundle unbundle ../one.bundle > /dev/null && git cat-file --batch-all-objects --batch-check='%(objectname)' | sort"),
            shell.run(&format!("git -C \"$SERVED\" {objects} {} | sort", listed[0])),
            "{name}"
        );
    }
    for name in ["nothing", "refs/heads/nothing", "heads/trunk", "..", "a..b", "trunk~1", "%ff"] {
        let answer = forge.get(Actor::Stranger, &format!("{path}/-/bundle/{name}"));
        assert_eq!(answer.status, 404, "{name}: {}", answer.text());
    }
}

#[test]
fn a_repository_without_a_bundle_says_why() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    let answer = forge.get(Actor::Stranger, &format!("{path}/-/bundle"));
    assert_eq!(answer.status, 404);
    assert!(answer.text().contains("no branches and tags yet"), "{}", answer.text());

    shell.run(HISTORY);
    shell.run("git -C \"$SERVED\" rev-parse trunk~1 > \"$SERVED/shallow\"");
    let answer = forge.get(Actor::Stranger, &format!("{path}/-/bundle"));
    assert_eq!(answer.status, 409);
    assert!(answer.text().contains("history is cut off"), "{}", answer.text());

    let headers = [("content-type".to_owned(), "application/x-git-upload-pack-request".to_owned())];
    let answer = Answer::send("POST", &forge.url, &format!("{path}/-/bundle"), &headers, None);
    assert_eq!((answer.status, header(&answer, "allow")), (405, "GET, HEAD"));
}

#[test]
fn a_bundle_has_nothing_of_hidden_refs() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(
        r#"git init -q work && cd work && git commit -q --allow-empty -m open && git push -q "$ADMIN" main
        echo secret > secret && git add . && git commit -qm secret && git push -q "$ADMIN" main:secret main:refs/tags/secret
        git -C "$SERVED" config transfer.hideRefs refs/heads/secret && git -C "$SERVED" config --add transfer.hideRefs refs/tags"#,
    );
    download(&shell, "", "all.bundle");
    shell.run(
        "git clone -q --mirror all.bundle mirror && git -C mirror rev-parse --verify -q main
         test \"$(git -C mirror for-each-ref --format='%(refname)')\" = refs/heads/main
         ! git -C mirror cat-file -e $(git -C work rev-parse main) 2> /dev/null",
    );
    for name in ["secret", "refs/heads/secret", "refs/tags/secret"] {
        let answer = forge.get(Actor::Admin, &format!("{path}/-/bundle/{name}"));
        let missing = forge.get(Actor::Admin, &format!("{path}/-/bundle/nothing"));
        assert_eq!((answer.status, answer.text()), (404, missing.text()), "{name}");
    }
}

#[test]
fn a_bundle_that_a_client_has_is_not_sent_again() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(HISTORY);
    let get = |tag: &str| {
        let headers = [("if-none-match".to_owned(), tag.to_owned())];
        Answer::send("GET", &forge.url, &format!("{path}/-/bundle"), &headers, None)
    };
    let first = get("\"none\"");
    assert_eq!((first.status, header(&first, "cache-control")), (200, "private, no-cache"));
    let tag = header(&first, "etag");
    let again = get(tag);
    assert_eq!((again.status, again.body.len()), (304, 0));
    assert_eq!(get("\"none\"").body, first.body);

    shell.run("cd work && git push -q \"$ADMIN\" trunk:refs/heads/another");
    let moved = get(tag);
    assert_eq!(moved.status, 200);
    assert_ne!(header(&moved, "etag"), tag);
}

#[test]
fn a_download_that_broke_off_is_gone_on_with() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(MANY_OBJECTS);
    let send = |method: &str, headers: &[(&str, &str)]| {
        let headers: Vec<_> = headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Answer::send(method, &forge.url, &format!("{path}/-/bundle"), &headers, None)
    };
    // Nobody has had it yet: that a part is asked for has it made.
    let end = send("GET", &[("range", "bytes=-30")]);
    assert_eq!((end.status, end.body.len()), (206, 30), "{}", end.text());
    let whole = send("GET", &[]);
    assert_eq!((whole.status, header(&whole, "accept-ranges")), (200, "bytes"));
    assert_eq!(header(&whole, "content-length"), whole.body.len().to_string());
    assert!(whole.body.ends_with(&end.body));
    let head = send("HEAD", &[]);
    for name in ["content-length", "etag", "content-type"] {
        assert_eq!(header(&head, name), header(&whole, name));
    }

    let tag = header(&whole, "etag");
    let size = whole.body.len();
    let header_len = whole.body.windows(2).position(|pair| pair == b"\n\n").expect("a header") + 2;
    for (first, last) in [
        (0, 0),
        (0, header_len - 1),
        (header_len - 3, header_len + 3),
        (header_len, size - 1),
        (70_000, 150_000),
    ] {
        let range = format!("bytes={first}-{last}");
        let part = send("GET", &[("range", &range), ("if-range", tag)]);
        assert_eq!(part.status, 206, "{range}");
        assert_eq!(header(&part, "content-range"), format!("bytes {first}-{last}/{size}"));
        assert_eq!(part.body, whole.body[first..=last], "{range}");
    }
    let past = send("GET", &[("range", &format!("bytes={size}-"))]);
    assert_eq!((past.status, header(&past, "content-range")), (416, &*format!("bytes */{size}")));
    let other = send("GET", &[("range", "bytes=5-"), ("if-range", "\"another\"")]);
    assert_eq!((other.status, other.body.len()), (200, size));

    std::fs::write(shell.path().join("all.bundle"), &whole.body[..size / 3])
        .expect("the directory is writable");
    shell.run("curl -sS --fail -C - -o all.bundle \"${STRANGER%.git}/-/bundle\" && git clone -q all.bundle clone && git -C clone fsck --full --strict");
}

/// What is made for the one is at hand for the other.
#[test]
fn a_clone_and_a_bundle_share_how_they_are_made() {
    let forge = Forge::shared();
    let path = forge.repository(&[]);
    let shell = forge.shell(&path);
    shell.run(MANY_OBJECTS);
    shell.run("git clone -q \"$STRANGER\" clone");
    let answer = Answer::send("HEAD", &forge.url, &format!("{path}/-/bundle"), &[], None);
    assert!(answer.header("accept-ranges").is_some(), "{answer:?}");
}

/// The address of a bundle is relative: what opened the repository opens it, and nothing else does.
#[test]
fn a_clone_that_begins_with_a_bundle_brings_the_same_credentials() {
    let forge = Forge::shared();
    let path = forge.repository(&["--private"]);
    let mut shell = forge.shell(&path);
    shell.run(HISTORY);
    let (name, password) = Actor::Admin.login().expect("the admin signs in");
    shell.set("NAME", name);
    shell.set("PASSWORD", password);
    shell.set("BASIC", &crate::kit::basic(name, password));
    for how in [
        r#"clone "$ADMIN""#,
        r#"-c credential.helper='!f() { echo username=$NAME; echo password=$PASSWORD; }; f' clone "$STRANGER""#,
        r#"-c http.extraHeader="Authorization: $BASIC" clone "$STRANGER""#,
    ] {
        shell.run(&format!(
            "rm -rf clone && git -c transfer.bundleURI=true {how} clone 2> said
             ! grep -i 'failed' said && git -C clone fsck --full --strict
             test -n \"$(git -C clone for-each-ref refs/bundles)\""
        ));
    }
    shell.fails("git clone --bundle-uri=\"$ADMIN/-/bundle\" \"$STRANGER\" other");
    shell.run("git clone -q --bundle-uri=\"$STRANGER/-/bundle\" \"$ADMIN\" other 2> said; grep 'failed to fetch\\|failed to download' said");
}
