//! Files changed in the browser, by forms as a browser without scripts sends them, and the real `git` as
//! the judge of what became of them.

use crate::kit::{Actor, Answer, Browser, Forge, Shell};

/// A repository on the shared server, a clone of it in `work`, and somebody who may write to it.
struct Place {
    forge: &'static Forge,
    path: String,
    shell: Shell,
    alice: Browser,
}

impl Place {
    /// What the script makes, in a work tree, is pushed.
    fn new(script: &str) -> Self {
        let forge = Forge::shared();
        let path = forge.repository(&[]);
        let shell = forge.shell(&path);
        shell.run("git init -q -b main work");
        if !script.is_empty() {
            shell.run(&format!(
                "cd work\n{script}\ngit add -A && git commit -qm First && git push -q \"$ADMIN\" --all"
            ));
        }
        let (name, password) = Actor::Admin.login().expect("the admin signs in");
        Self { forge, path, shell, alice: Browser::signed_in(forge, name, password) }
    }

    fn address(&self, rest: &str) -> String {
        format!("/{}/-/edit/{rest}", self.path)
    }

    fn submit(&self, rest: &str, fields: &[(&str, &str)]) -> Answer {
        self.alice.submit(&self.address(rest), "/-/edit", fields)
    }

    /// Submits a form that is taken; returns where it leads to, below the repository.
    #[track_caller]
    fn taken(&self, rest: &str, fields: &[(&str, &str)]) -> String {
        self.led(&self.submit(rest, fields))
    }

    #[track_caller]
    fn led(&self, answer: &Answer) -> String {
        assert_eq!(answer.status, 303, "{}", answer.text());
        self.assert_sound();
        let location = answer.header("location").expect("it leads somewhere");
        assert_eq!(self.alice.get(location).status, 200, "{location}");
        location.strip_prefix(&format!("/{}/-/", self.path)).expect("it is the repository's").to_owned()
    }

    /// Submits a form that is refused; returns what the page says.
    #[track_caller]
    fn refused(&self, rest: &str, fields: &[(&str, &str)], status: u16) -> String {
        let before = self.refs();
        let answer = self.submit(rest, fields);
        assert_eq!(answer.status, status, "{}", answer.text());
        assert_eq!(self.refs(), before);
        self.assert_sound();
        answer.text()
    }

    fn git(&self, words: &str) -> String {
        self.shell.run(&format!("git -C \"$SERVED\" {words}"))
    }

    fn refs(&self) -> String {
        self.git("for-each-ref")
    }

    #[track_caller]
    fn assert_sound(&self) {
        assert_eq!(self.git("fsck --full --strict"), "");
        assert_eq!(self.shell.run("ls \"$SERVED/objects\" | grep -c tmp_objdir || true"), "0");
    }

    /// Gives bob a permission.
    fn grant(&self, permission: &str) {
        let page = format!("/{}/-/settings/permissions", self.path);
        let given = self.alice.submit(
            &page,
            "permissions",
            &[("kind", "user"), ("name", "bob"), ("permission", permission)],
        );
        assert_eq!(given.status, 303, "{}", given.text());
    }
}

#[test]
fn a_file_is_edited_and_nothing_else_changes() {
    let place = Place::new(
        "mkdir src && printf 'fn main() {\\r\\n    old();\\r\\n}\\r\\n' > src/main.rs && chmod +x src/main.rs
        printf 'caf\\351\\n' > latin1.txt && printf '\\377\\376a\\000' > utf16.txt && printf other > other && ln -s other link
        printf '\\261\\n' > latin2.txt && echo 'latin2.txt encoding=iso-8859-2' > .gitattributes",
    );
    let before = place.git("ls-tree -r main");
    let led = place.taken(
        "main/src/main.rs",
        &[
            ("text", "fn main() {\n    new();\n}\n"),
            ("title", "Call  the new one"),
            ("description", "It is\r\nbetter.  \n"),
        ],
    );
    assert_eq!(led, "blob/main/src/main.rs");
    assert_eq!(
        place.git("show main:src/main.rs | od -An -c | tr -d ' \\n'"),
        "fnmain(){\\r\\nnew();\\r\\n}\\r\\n"
    );
    assert_eq!(
        place.git("log -1 --format='%an|%cn|%ae|%P|%B' main"),
        format!("alice|alice||{}|Call the new one\n\nIt is\nbetter.", place.git("rev-parse main^"))
    );
    let after = place.git("ls-tree -r main");
    let others =
        |tree: &str| tree.lines().filter(|line| !line.contains("main.rs")).collect::<Vec<_>>().join("\n");
    assert_eq!(others(&before), others(&after));
    assert!(after.contains("100755 blob"), "{after}");
    place.taken("main/latin1.txt", &[("text", "café €\n")]);
    assert_eq!(place.git("show main:latin1.txt | od -An -tx1"), " 63 61 66 e9 20 80 0a".trim());
    assert_eq!(place.git("log -1 --format=%s main"), "Change latin1.txt");
    let problem = place.refused("main/latin1.txt", &[("text", "→\n")], 400);
    assert!(problem.contains("no character “→”"), "{problem}");
    place.taken("main/latin1.txt", &[("text", "→\n"), ("to-utf-8", "true")]);
    assert_eq!(place.git("show main:latin1.txt"), "→");
    place.taken("main/latin2.txt", &[("text", "ąż\n")]);
    assert_eq!(place.git("show main:latin2.txt | od -An -tx1"), "b1 bf 0a");
    place.taken("main/utf16.txt", &[("text", "b\n")]);
    assert_eq!(place.git("show main:utf16.txt | od -An -tx1"), "ff fe 62 00 0a 00");
    let nothing = place.refused("main/other", &[], 400);
    assert!(nothing.contains("Nothing was changed"), "{nothing}");
}

#[test]
fn a_file_is_made_renamed_and_deleted() {
    let place =
        Place::new("mkdir -p a/b && printf one > a/b/only && printf '\\000\\001' > data.bin && printf x > x");
    assert_eq!(
        place.taken("main/a?new", &[("path", "a/new/dir/ż.txt"), ("text", "new")]),
        "blob/main/a/new/dir/%C5%BC.txt"
    );
    assert_eq!(place.git("show main:a/new/dir/ż.txt"), "new");
    assert_eq!(place.git("log -1 --format=%s main"), "Add a/new/dir/ż.txt");
    assert_eq!(place.taken("main/data.bin", &[("path", "a/moved.bin")]), "blob/main/a/moved.bin");
    assert_eq!(
        place.git("show --format=%s -M --name-status main"),
        "Rename data.bin to a/moved.bin\n\nR100\tdata.bin\ta/moved.bin"
    );
    assert_eq!(place.taken("main/x", &[("path", "x/y"), ("text", "x")]), "blob/main/x/y");
    assert_eq!(place.taken("main/a/b/only?delete", &[]), "tree/main/a");
    assert_eq!(place.git("ls-tree -r --name-only -z main | tr '\\0' ' '"), "a/moved.bin a/new/dir/ż.txt x/y");
    for path in ["a/moved.bin", "x/y", "a/new/dir/%C5%BC.txt"] {
        place.taken(&format!("main/{path}?delete"), &[]);
    }
    assert_eq!(place.git("ls-tree main"), "");
}

#[test]
fn files_are_uploaded() {
    let place = Place::new("mkdir d && printf old > d/run && chmod +x d/run");
    let upload = |fields: &[(&str, &str)], files: &[(&str, &[u8])]| {
        let files: Vec<_> = files.iter().map(|(name, bytes)| ("files", *name, *bytes)).collect();
        place.alice.submit_with_files(&place.address("main/d?upload"), "/-/edit", fields, &files)
    };
    let large = vec![b'x'; 3 << 20];
    let led = place.led(&upload(&[], &[("a.bin", b"\0\r\n\xff"), ("ż large", &large)]));
    assert_eq!(led, "tree/main/d");
    assert_eq!(place.git("show main:d/a.bin | od -An -tx1"), "00 0d 0a ff");
    assert_eq!(place.git("cat-file -s 'main:d/ż large'"), large.len().to_string());
    assert_eq!(place.git("log -1 --format=%s main"), "Add 2 files");
    let there = upload(&[], &[("run", b"new")]);
    assert_eq!(there.status, 409, "{}", there.text());
    assert!(there.text().contains("“d/run” is there already"));
    place.led(&upload(&[("replaces", "true")], &[("run", b"new")]));
    assert_eq!(place.git("ls-tree main d/run | cut -d' ' -f1"), "100755");
    for (name, status) in [(".git", 400), ("..", 400), ("a\\b", 400)] {
        assert_eq!(upload(&[], &[(name, b"")]).status, status, "{name}");
    }
    assert_eq!(upload(&[], &[]).status, 400);
    assert_eq!(upload(&[], &[("same", b"1"), ("same", b"2")]).status, 400);
    let too_large = vec![b'x'; (32 << 20) + 1];
    assert_eq!(upload(&[], &[("too-large", &too_large)]).status, 413);
    let many = vec![("n", b"".as_slice()); 121];
    assert_eq!(upload(&[], &many).status, 413);
    place.assert_sound();
}

/// The words of a page's text, without its markup, one blank between each two.
fn words(page: &str) -> String {
    let text: String = scraper::Html::parse_document(page).root_element().text().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A form that uploads files, and what comes of it step by step, as a browser without scripts goes through it.
impl Place {
    fn upload(&self, rest: &str, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Answer {
        let page = self.address(rest);
        self.upload_on(&self.alice.get(&page), fields, files)
    }

    /// With no file chosen, a browser sends a nameless empty one.
    fn upload_on(&self, shown: &Answer, fields: &[(&str, &str)], files: &[(&str, &[u8])]) -> Answer {
        let files = if files.is_empty() { &[("", &b""[..])] } else { files };
        let files: Vec<_> = files.iter().map(|(name, bytes)| ("files", *name, *bytes)).collect();
        self.alice.submit_shown(shown, "", "/-/edit", fields, &files)
    }

    /// What lies in the repository's directory, to the last byte.
    fn bytes(&self) -> String {
        self.shell.run("cd \"$SERVED\" && find . -type f -print0 | sort -z | xargs -0 sha256sum")
    }

    /// The uploads that wait, of the whole site.
    fn waiting(&self) -> Vec<std::path::PathBuf> {
        let uploads = self.forge.data().join("cache/git-http/uploads");
        let below = |directory: std::path::PathBuf| {
            let entries = std::fs::read_dir(directory).into_iter().flatten();
            entries.map(|entry| entry.expect("an entry").path())
        };
        below(uploads).flat_map(below).collect()
    }
}

#[test]
fn an_upload_is_shown_before_it_is_committed() {
    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and no more";
    let place = Place::new(
        "mkdir d && printf 'one\ntwo <b>\n' > d/text && printf '\\000\\001' > d/data.bin && printf 'same\n' > d/same
        printf 'GIF89a' > d/image.gif && ln -s text d/link && mkdir d/sub && printf x > d/sub/x",
    );
    let before = place.bytes();
    let preview = [("do", "preview"), ("replaces", "true")];
    let large = vec![b'x'; 3 << 20];
    let files: &[(&str, &[u8])] = &[
        ("fresh <i>", b"new\r\n\0"),
        ("text", b"one\nthree <b>\n"),
        ("data.bin", &large),
        ("same", b"same\n"),
        ("image.gif", b"GIF89a2"),
        ("fresh.png", PNG),
        ("link", b"not a link"),
    ];
    let shown = place.upload("main/d?upload", &preview, files);
    assert_eq!(shown.status, 200, "{}", shown.text());
    let (page, text) = (shown.text(), words(&shown.text()));
    for said in [
        "Preview: 2 new files, 4 files replaced, 1 file unchanged",
        "New d/fresh <i> 6 bytes",
        "Replaces d/text 12 bytes → 14 bytes",
        "Replaces d/data.bin 2 bytes → 3.00 MiB",
        "Unchanged d/same 5 bytes",
        "Replaces d/link 4 bytes → 10 bytes It takes the place of a symbolic link.",
        "three <b>",
        "Too much to be compared here.",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
    assert!(page.contains("fresh &#60;i&#62;") && page.contains("diff-insert"), "{page}");
    let commit = place.git("rev-parse main");
    assert!(page.contains(&format!("/-/raw/{commit}/d/image.gif")), "{page}");
    assert!(page.contains("src=\"data:image/gif;base64,R0lGODlhMg==\""), "{page}");
    assert_eq!(place.bytes(), before, "nothing of the repository is written");
    // Who looks again, and changes nothing, sees the same; then it is committed, as it was shown.
    let again = place.upload_on(&shown, &[("do", "preview"), ("title", "Bring  files")], &[]);
    assert!(words(&again.text()).contains("Preview: 2 new files, 4 files replaced, 1 file unchanged"));
    assert_eq!(place.bytes(), before);
    assert_eq!(place.led(&place.upload_on(&again, &[], &[])), "tree/main/d");
    assert_eq!(place.git("show 'main:d/fresh <i>' | od -An -tx1"), " 6e 65 77 0d 0a 00".trim());
    assert_eq!(place.git("cat-file -s main:d/data.bin"), large.len().to_string());
    assert_eq!(place.git("ls-tree main d/link | cut -d' ' -f1"), "100644");
    assert_eq!(place.git("log -1 --format=%s main"), "Bring files");
    // What was committed does not wait any longer, so the form cannot be sent once more.
    let twice = place.upload_on(&again, &[], &[]);
    assert_eq!(twice.status, 409, "{}", twice.text());
    assert!(twice.text().contains("not kept any longer"));
    // Other files take the place of those that wait.
    let shown = place.upload("main/d?upload", &preview, &[("text", b"mistake")]);
    let shown = place.upload_on(&shown, &[("do", "preview")], &[("other", b"right\n")]);
    assert!(words(&shown.text()).contains("Preview: 1 new file "), "{}", shown.text());
    assert!(!shown.text().contains("mistake"));
    place.led(&place.upload_on(&shown, &[], &[]));
    assert_eq!(place.git("show main:d/other"), "right");
}

#[test]
fn a_preview_says_which_files_are_refused_and_why() {
    let place = Place::new("mkdir d && printf old > d/there && printf x > file");
    let hostile: &[(&str, &[u8], &str)] = &[
        (".git", b"", "“.git”: Git, or a file system, takes a name in the path for its own “.git”."),
        ("../up", b"", "“../up”: “.” and “..” cannot be names in the path."),
        ("a\\b", b"", "which separates names on Windows"),
        ("x\u{202e}y", b"", "characters that nobody sees"),
        ("<script>alert(1)</script>", b"ok", ""),
        ("same", b"1", ""),
        ("same", b"2", "There are two files called “d/same”."),
        ("same/below", b"2", "“d/same” is a file, so there can be nothing below it."),
        ("there", b"new", "“d/there” is there already."),
        ("fine", b"fine", ""),
    ];
    let long = "n".repeat(256);
    let mut files: Vec<(&str, &[u8])> = hostile.iter().map(|(name, bytes, _)| (*name, *bytes)).collect();
    files.push((&long, b""));
    let before = place.bytes();
    let shown = place.upload("main/d?upload", &[("do", "preview")], &files);
    assert_eq!(shown.status, 200, "{}", shown.text());
    let text = words(&shown.text());
    assert!(text.contains("3 new files, 8 files refused"), "{text}");
    for (_, _, why) in hostile {
        assert!(text.contains(why), "{why}: {text}");
    }
    assert!(text.contains("is longer than 255 bytes"), "{text}");
    assert!(!shown.text().contains("<script>alert") && !shown.text().contains('\u{202e}'));
    // Nothing is committed as long as one is refused, and the files are still there; what is refused can be left out.
    let refused = place.upload_on(&shown, &[], &[]);
    assert_eq!(refused.status, 400, "{}", refused.text());
    assert!(words(&refused.text()).contains("3 new files, 8 files refused"));
    assert_eq!(place.bytes(), before);
    place.led(&place.upload_on(&refused, &[("leave-out", "true")], &[]));
    assert_eq!(
        place.git("ls-tree -r --name-only main d"),
        "d/<script>alert(1)</script>\nd/fine\nd/same\nd/there"
    );
    assert_eq!(place.git("show main:d/there"), "old");
    assert_eq!(place.git("show main:d/same"), "1");
    // Nothing is left of these; a directory that cannot be one is said of the form, and loses no file.
    let shown = place.upload("main?upload", &[("do", "preview")], &[("d", b""), ("file/x", b"")]);
    assert!(words(&shown.text()).contains("2 files refused"), "{}", shown.text());
    let none = place.upload_on(&shown, &[("leave-out", "true")], &[]);
    assert!(none.status == 400 && none.text().contains("No file is left."), "{}", none.text());
    let wrong = place.upload("main?upload", &[("do", "preview"), ("path", "a/../b")], &[("f", b"kept")]);
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    place.led(&place.upload_on(&wrong, &[("path", "a"), ("do", "commit")], &[]));
    assert_eq!(place.git("show main:a/f"), "kept");
}

#[test]
fn an_upload_goes_over_nothing_that_was_pushed_since_it_was_shown() {
    let place = Place::new("printf 'a\n' > file && printf 'o\n' > other");
    let push = |script: &str| {
        place.shell.run(&format!(
            "cd work && git pull -q \"$ADMIN\" main && {script} && git add -A && git commit -qm Theirs && git push -q \"$ADMIN\" HEAD:main"
        ))
    };
    let fields = [("do", "preview"), ("replaces", "true")];
    let shown = place.upload("main?upload", &fields, &[("file", b"mine\n"), ("fresh", b"mine\n")]);
    push("printf 'theirs\n' > other");
    // What others did elsewhere is not in the way.
    let again = place.upload_on(&shown, &[("do", "preview")], &[]);
    assert_eq!(again.status, 200, "{}", again.text());
    push("printf 'theirs <b>\n' > file");
    let before = place.refs();
    // A preview tells of it as well as a commit.
    for act in ["preview", "commit"] {
        let conflict = place.upload_on(&again, &[("do", act)], &[]);
        let text = conflict.text();
        assert_eq!((conflict.status, place.refs()), (409, before.clone()), "{act}: {text}");
        assert!(text.contains("theirs &lt;b&gt;") && text.contains("diff-delete"), "{act}: {text}");
        assert!(words(&text).contains("1 new file, 1 file replaced"), "{act}: {text}");
    }
    let conflict = place.upload_on(&again, &[], &[]);
    let led = place.led(&place.upload_on(&conflict, &[], &[]));
    assert_eq!(led, "tree/alice-patch-1");
    assert_eq!(place.git("show alice-patch-1:file"), "mine");
    assert_eq!(place.git("show main:file"), "theirs <b>");
    // The branch may be gone altogether.
    place.shell.run("cd work && git push -q \"$ADMIN\" HEAD:refs/heads/side");
    let shown = place.upload("side?upload", &fields, &[("late", b"mine\n")]);
    place.shell.run("cd work && git push -q \"$ADMIN\" :side");
    let gone = place.upload_on(&shown, &[], &[]);
    assert_eq!(gone.status, 409, "{}", gone.text());
    let led = place.led(&place.upload_on(&gone, &[], &[]));
    assert_eq!((led.as_str(), place.git("show alice-patch-2:late").as_str()), ("tree/alice-patch-2", "mine"));
}

#[test]
fn what_was_uploaded_is_nobody_elses() {
    let place = Place::new("printf x > f");
    place.grant("write");
    let shown = place.upload("main?upload", &[("do", "preview")], &[("secret", b"alice's")]);
    let kept = scraper::Html::parse_document(&shown.text());
    let selector = scraper::Selector::parse("input[name=kept]").expect("a selector");
    let kept = kept.select(&selector).next().expect("it waits").attr("value").expect("a name").to_owned();
    let path = place.waiting().into_iter().find(|path| path.ends_with(&kept)).expect("a file");
    let (name, password) = Actor::User.login().expect("bob signs in");
    let bob = Browser::signed_in(place.forge, name, password);
    let page = place.address("main?upload");
    let nothing: &[(&str, &str, &[u8])] = &[("files", "", b"")];
    for name in [&kept, "", "../1/x", &"0".repeat(64)] {
        for act in ["preview", "commit"] {
            let answer =
                bob.submit_shown(&bob.get(&page), &page, "/-/edit", &[("kept", name), ("do", act)], nothing);
            assert!([400, 409].contains(&answer.status), "{}", answer.text());
            assert!(!answer.text().contains("secret"), "{}", answer.text());
        }
    }
    // Nor is it there for the same user in another repository, or by any address.
    let other = Place::new("printf x > f");
    let page = other.address("main?upload");
    let answer =
        place.alice.submit_shown(&place.alice.get(&page), &page, "/-/edit", &[("kept", &kept)], nothing);
    assert_eq!(answer.status, 409, "{}", answer.text());
    assert_eq!(place.alice.get("/-/edit/uploads").status, 404);
    assert_eq!(place.alice.post("/-/edit/uploads", &[]).status, 404);
    // What waited for too long cannot be committed, and goes when anything else is looked at.
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3_700);
    let file = std::fs::File::options().write(true).open(&path).expect("it is there");
    file.set_modified(old).expect("a time can be set");
    let late = place.upload_on(&shown, &[("do", "commit")], &[]);
    assert_eq!(late.status, 409, "{}", late.text());
    place.upload("main?upload", &[("do", "preview")], &[("other", b"")]);
    assert!(!path.exists());
}

#[test]
fn an_empty_repository_gets_its_first_file() {
    for format in [&[][..], &["--object-format", "sha256"]] {
        let mut place = Place::new("");
        place.path = place.forge.repository(format);
        place.shell = place.forge.shell(&place.path);
        let page = place.alice.get(&format!("/{}", place.path)).text();
        assert!(page.contains(&format!("/{}/-/edit/main?new", place.path)), "{page}");
        let led = place.taken("main?new", &[("path", "README.md"), ("text", "# Hello\n")]);
        assert_eq!(led, "blob/main/README.md");
        assert_eq!(place.git("rev-list --count main"), "1");
        assert_eq!(place.git("symbolic-ref HEAD"), "refs/heads/main");
        place.taken("main/README.md", &[("text", "# Bye\n")]);
        assert_eq!(place.git("rev-list --count main"), "2");
    }
}

#[test]
fn a_new_branch_takes_what_is_not_for_this_one() {
    let place = Place::new("printf 'a\\n' > file && git tag v1 2>/dev/null || true");
    let fields = [("text", "b\n"), ("target", "new"), ("new-branch", "topic/b")];
    assert_eq!(place.taken("main/file", &fields), "blob/topic/b/file");
    assert_eq!(place.git("rev-parse topic/b^"), place.git("rev-parse main"));
    let cases = [
        ("topic/b", 409),
        ("", 400),
        ("a..b", 400),
        ("-x", 400),
        ("a b", 400),
        ("HEAD", 400),
        ("x.lock", 400),
    ];
    for (name, status) in cases {
        place.refused("main/file", &[("text", "c\n"), ("target", "new"), ("new-branch", name)], status);
    }
    place.refused("main/file", &[("text", "c\n"), ("target", "new"), ("new-branch", "topic")], 409);
    place.refused("main/file", &[("text", "c\n"), ("target", "new"), ("new-branch", "main/x")], 409);
    // A commit or a tag cannot be committed to, but a branch can begin there.
    let commit = place.git("rev-parse main");
    let led = place.taken(&format!("{commit}/file"), &[("text", "d\n"), ("target", "branch")]);
    assert_eq!(led, "blob/alice-patch-1/file");
}

#[test]
fn what_others_pushed_meanwhile_is_never_overwritten() {
    let place = Place::new("printf 'a\\n' > file && printf 'o\\n' > other");
    let page = place.address("main/file");
    let shown = place.alice.get(&page);
    let push = |script: &str| {
        place.shell.run(&format!(
            "cd work && git pull -q \"$ADMIN\" main && {script} && git commit -qam Theirs && git push -q \"$ADMIN\" HEAD:main"
        ))
    };
    push("printf 'new\\n' > other");
    let on_top = place.alice.submit_shown(&shown, &page, "/-/edit", &[("text", "mine\n")], &[]);
    place.led(&on_top);
    assert_eq!(place.git("show main:other"), "new");
    assert_eq!(place.git("show main:file"), "mine");
    let shown = place.alice.get(&page);
    push("printf 'theirs <b>\\n' > file");
    let before = place.refs();
    let conflict = place.alice.submit_shown(&shown, &page, "/-/edit", &[("text", "mine again\n")], &[]);
    assert_eq!(conflict.status, 409);
    let text = conflict.text();
    assert!(text.contains("theirs &lt;b&gt;") && text.contains("mine again"), "{text}");
    assert_eq!(place.refs(), before);
    // It is shown as often as it is tried, and a new branch takes it.
    let again = place.alice.submit_shown(&conflict, &page, "/-/edit", &[("target", "branch")], &[]);
    assert_eq!((again.status, place.refs()), (409, before));
    let led = place.led(&place.alice.submit_shown(&again, &page, "/-/edit", &[], &[]));
    assert_eq!(led, "blob/alice-patch-1/file");
    assert_eq!(place.git("show alice-patch-1:file"), "mine again");
    // Likewise a file that went, and one that came.
    let shown = place.alice.get(&place.address("main/other"));
    let made = place.alice.get(&place.address("main?new"));
    push("git rm -q other && printf theirs > fresh && git add fresh");
    let gone = place.alice.submit_shown(&shown, "", "/-/edit", &[("text", "mine\n")], &[]);
    assert_eq!(gone.status, 409, "{}", gone.text());
    let there = place.alice.submit_shown(&made, "", "/-/edit", &[("path", "fresh"), ("text", "mine\n")], &[]);
    assert_eq!(there.status, 409, "{}", there.text());
    assert_eq!(place.git("show main:fresh"), "theirs");
}

#[test]
fn what_was_typed_for_a_branch_that_is_gone_goes_to_another() {
    let place = Place::new(
        "mkdir dir && printf 'a\\n' > dir/file && git checkout -q -b side && git checkout -q -b other",
    );
    for (rest, typed, led) in [
        ("side/dir/file", "mine\n", "blob/alice-patch-1/dir/file"),
        ("side/dir?new", "fresh\n", "blob/alice-patch-2/dir/new"),
        ("side/dir/file?delete", "", "tree/alice-patch-3"),
    ] {
        place.shell.run("cd work && git push -q \"$ADMIN\" other:refs/heads/side");
        let page = place.address(rest);
        let shown = place.alice.get(&page);
        place.shell.run("cd work && git push -q \"$ADMIN\" :side");
        let before = place.refs();
        let fields: &[(&str, &str)] = match rest {
            "side/dir/file" => &[("text", typed), ("title", "What it does")],
            "side/dir?new" => &[("text", typed), ("path", "dir/new"), ("title", "What it does")],
            _ => &[("title", "What it does")],
        };
        let gone = place.alice.submit_shown(&shown, &page, "/-/edit", fields, &[]);
        let text = gone.text();
        assert_eq!((gone.status, place.refs()), (409, before), "{rest}: {text}");
        assert!(text.contains("The branch was removed") && text.contains("What it does"), "{rest}: {text}");
        assert!(text.contains(typed.trim_end()), "{rest}: {text}");
        let taken = place.alice.submit_shown(&gone, &page, "/-/edit", &[], &[]);
        assert!(place.led(&taken).starts_with(led), "{rest}");
    }
    assert_eq!(place.git("show alice-patch-1:dir/file"), "mine");
    assert_eq!(place.alice.get(&place.address("side/dir/file")).status, 404);
}

#[test]
fn a_preview_changes_nothing() {
    let place = Place::new("printf 'a <b>\\nsame\\n' > file");
    let page =
        place.refused("main/file", &[("text", "b\nsame\n"), ("path", "moved"), ("do", "preview")], 200);
    assert!(
        page.contains("a &lt;b&gt;") && page.contains("diff-insert") && page.contains("file → moved"),
        "{page}"
    );
    let page = place.refused("main/file?delete", &[("do", "preview")], 200);
    assert_eq!(page.matches("<tr class=\"diff-delete\">").count(), 2);
}

#[test]
fn paths_that_cannot_be_are_refused() {
    let place = Place::new("mkdir d && printf x > d/f && printf x > f");
    let cases = [
        ("", 400),
        (".git/config", 400),
        ("a/.GIT/x", 400),
        ("git~1", 400),
        ("../x", 400),
        ("a/../x", 400),
        ("./x", 400),
        ("a//b", 400),
        ("a/", 400),
        ("a\\b", 400),
        ("a\u{1b}b", 400),
        ("a\u{202e}b", 400),
        ("f/x", 409),
        ("d", 409),
        ("f", 409),
    ];
    for (path, status) in cases {
        place.refused("main?new", &[("path", path), ("text", "x")], status);
    }
    place.refused("main/f", &[("path", "d/f")], 409);
    place.refused("main/f", &[("path", "d")], 409);
    for rest in ["main/d", "main/none", "none/f", "main/f?new", "main/d?delete"] {
        assert_eq!(place.alice.get(&place.address(rest)).status, 404, "{rest}");
    }
    let too_large = "x".repeat(5 << 20);
    assert_eq!(place.submit("main/f", &[("text", &too_large)]).status, 413);
}

#[test]
fn only_who_may_push_may_edit() {
    let place = Place::new("printf x > f");
    let (name, password) = Actor::User.login().expect("bob signs in");
    let bob = Browser::signed_in(place.forge, name, password);
    let anonymous = Browser::new(place.forge);
    let page = place.address("main/f");
    assert_eq!(bob.get(&page).status, 403);
    let answer = anonymous.get(&page);
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").is_some_and(|to| to.starts_with("/-/login?return=")));
    let blob = format!("/{}/-/blob/main/f", place.path);
    assert!(!bob.get(&blob).text().contains("/-/edit/"));
    assert!(place.alice.get(&blob).text().contains("/-/edit/main/f"));
    place.grant("write");
    let shown = bob.get(&page);
    // A form without the session's secret, or another session's, is not taken.
    for form in [&shown, &place.alice.get(&page)] {
        let secret = if std::ptr::eq(form, &shown) { "x" } else { "" };
        let fields = if secret.is_empty() { vec![] } else { vec![("csrf", secret)] };
        let fields = [&fields[..], &[("text", "bob's")]].concat();
        assert_eq!(bob.submit_shown(form, &page, "/-/edit", &fields, &[]).status, 403);
    }
    let given = bob.submit_shown(&shown, &page, "/-/edit", &[("text", "bob's")], &[]);
    assert_eq!(given.status, 303, "{}", given.text());
    assert_eq!(place.git("log -1 --format=%an main"), "bob");
    place.grant("read");
    assert_eq!(bob.submit_shown(&shown, &page, "/-/edit", &[("text", "again")], &[]).status, 403);
    let private = place.forge.repository(&["--private"]);
    let missing = bob.get("/team/nothing/-/edit/main/f");
    let hidden = bob.get(&format!("/{private}/-/edit/main/f"));
    assert_eq!((hidden.status, missing.status), (404, 404));
}

#[test]
fn the_push_policy_and_locks_hold_for_edits() {
    let place = Place::new("printf x > f && printf y > g");
    let settings = format!("/{}/-/settings/pushes", place.path);
    let set = |fields: &[(&str, &str)]| {
        let answer = place.alice.submit(&settings, "pushes", fields);
        assert_eq!(answer.status, 303, "{}", answer.text());
    };
    set(&[("do", "protect"), ("pattern", "main"), ("advance", "nobody")]);
    let page = place.refused("main/f", &[("text", "kept as typed")], 403);
    assert!(page.contains("“main” was not changed") && page.contains("kept as typed"), "{page}");
    place.taken("main/f", &[("text", "new"), ("target", "new"), ("new-branch", "topic")]);
    set(&[("do", "check"), ("forbidden-paths", "secret/*"), ("message-required", "^#[0-9]+")]);
    place.refused("topic/f", &[("text", "z"), ("title", "no number")], 403);
    place.refused("topic?new", &[("path", "secret/x"), ("title", "#1")], 403);
    place.taken("topic/f", &[("text", "z"), ("title", "#1 is done")]);
    let journal = place.alice.get("/-/admin/journal").text();
    assert!(journal.contains("refs/heads/topic"), "the journal tells of edits as of pushes");
    place.grant("write");
    let (name, password) = Actor::User.login().expect("bob signs in");
    let locked = Answer::send_body(
        "POST",
        &place.forge.url,
        &format!("{}.git/info/lfs/locks", place.path),
        &[
            ("authorization", &crate::kit::basic(name, password)),
            ("content-type", "application/vnd.git-lfs+json"),
        ],
        br#"{"path":"g"}"#.as_slice(),
    );
    assert_eq!(locked.status, 201, "{}", locked.text());
    let page = place.refused("topic/g", &[("text", "z"), ("title", "#2")], 409);
    assert!(page.contains("“g” is locked by bob"), "{page}");
}
