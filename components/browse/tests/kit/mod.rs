//! Repositories made by the real `git`, and pages about them.

// Each test file uses what it needs.
#![allow(dead_code)]

use browse::cache::{Cache, Key, NoCache};
use browse::issues::Issues;
use browse::place::Place;
use lithe_code::repository::Repository;
use lithe_code::storage::{self, Opened};
use lithe_forge::types;
use lithe_web::Frame;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use tempfile::TempDir;

/// The time of every commit, and five minutes before the present of every page.
pub const COMMITTED: i64 = 1_750_000_000;

/// Keeps everything in memory, and counts what is put there.
#[derive(Default)]
pub struct Kept {
    texts: RefCell<HashMap<Key, String>>,
    puts: Cell<usize>,
}

impl Kept {
    /// How often something was put there since this was asked last.
    pub fn puts(&self) -> usize {
        self.puts.take()
    }
}

impl Cache for Kept {
    fn get(&self, key: &Key) -> Option<String> {
        self.texts.borrow().get(key).cloned()
    }

    fn put(&self, key: &Key, text: &str) {
        self.puts.set(self.puts.get() + 1);
        self.texts.borrow_mut().insert(*key, text.to_owned());
    }
}

/// A repository with a work tree.
pub struct Fixture {
    directory: TempDir,
    pub record: types::Repository,
}

impl Fixture {
    /// An empty repository `team/demo`, and what the script makes of it; it runs in the work tree.
    pub fn new(script: &str) -> Self {
        Self::of_format("sha1", script)
    }

    /// As [`Self::new`], of an object format, `sha1` or `sha256`.
    pub fn of_format(format: &str, script: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let record = types::Repository {
            id: 7,
            path: "team/demo".into(),
            directory: "team/demo.git".into(),
            description: "A <demo> & more".into(),
            is_private: false,
            owner: Some("ada".into()),
            created: COMMITTED,
            updated: COMMITTED,
            deleted: None,
        };
        let fixture = Self { directory, record };
        fixture.shell(&format!(
            "git init -q --bare -b main --object-format={format} team/demo.git
            git init -q -b main --object-format={format} work
            git -C work remote add origin ../team/demo.git"
        ));
        if !script.is_empty() {
            fixture.shell(&format!("cd work\n{script}\ngit push -q origin --all\ngit push -q origin --tags"));
        }
        fixture
    }

    /// A repository with that many commits on `main`, one after the other.
    pub fn with_commits(format: &str, count: u32) -> Self {
        let fixture = Self::of_format(format, "");
        let commit = |n| {
            format!(
                "commit refs/heads/main\ncommitter A <a@b> {} +0000\ndata 2\nx\n",
                COMMITTED + i64::from(n)
            )
        };
        let stream: String = (0..count).map(commit).collect();
        std::fs::write(fixture.root().join("stream"), stream).expect("the directory is writable");
        fixture.shell("git -C team/demo.git -c fastimport.unpackLimit=1000000 fast-import --quiet < stream");
        fixture
    }

    /// Runs a script in the directory above the work tree and the bare repository; returns what it prints.
    pub fn shell(&self, script: &str) -> Vec<u8> {
        let date = format!("{COMMITTED} +0200");
        let output = Command::new("sh")
            .args(["-euc", script])
            .current_dir(self.directory.path())
            .env("HOME", self.directory.path())
            .env("LC_ALL", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Ada Lovelace")
            .env("GIT_AUTHOR_EMAIL", "ada@example.org")
            .env("GIT_COMMITTER_NAME", "Ada Lovelace")
            .env("GIT_COMMITTER_EMAIL", "ada@example.org")
            .env("GIT_AUTHOR_DATE", &date)
            .env("GIT_COMMITTER_DATE", &date)
            .output()
            .expect("sh starts");
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// What `git` prints in the bare repository, without the line end.
    pub fn git(&self, arguments: &str) -> String {
        let output = self.shell(&format!("git -C team/demo.git {arguments}"));
        String::from_utf8(output).expect("the test asks for text").trim_end().to_owned()
    }

    /// The directory that is mounted.
    pub fn root(&self) -> PathBuf {
        self.directory.path().to_owned()
    }

    pub fn open(&self) -> Rc<Opened> {
        storage::open(&self.root(), &self.record).expect("the repository is on disk")
    }

    /// A reader's look at the repository, five minutes after its commits.
    pub fn place(&self) -> Place<'_> {
        Place {
            frame: Frame::bare("/team/demo", lithe_web::Language::English),
            record: &self.record,
            permission: types::Permission::Read,
            site: "http://localhost:8000".into(),
            now: COMMITTED + 300,
            cache: &NoCache,
            mailmap: Rc::default(),
            issues: Issues::default(),
            looks_further: false,
            is_hurried: false,
        }
    }
}

/// What is read of an open repository.
pub fn repository(opened: &Opened) -> Repository<'_> {
    Repository { objects: &opened.objects, refs: &opened.refs }
}

/// What the store tells of a site with the default settings to somebody who is not signed in.
pub fn overview(ceiling: types::Permission) -> types::Overview {
    let site = types::Site {
        title: "Lithe".into(),
        registration: false,
        anonymous_access: true,
        public_by_default: true,
        top_level_creation: false,
        deletion_grace_days: 30,
        session_days: 30,
        lfs_object_mib_max: 4_096,
        lfs_repository_mib_max: 32_768,
    };
    types::Overview { viewer: types::Viewer { user: None, csrf_token: String::new(), ceiling }, site }
}

/// Pseudo-random numbers (xorshift), the same in every run.
pub struct Numbers(pub u64);

impl Numbers {
    /// A number below the limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}
