//! Repositories made by the real `git`, their indexes, and what is found in them.

// Each test file uses what it needs.
#![allow(dead_code)]

use bstr::{BString, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_code::repository::Repository;
use lithe_code::storage::{self, Opened};
use lithe_forge::types;
use search::content::{self, Budget};
use search::index::tree::Trees;
use search::index::update::{self, Allowance};
use search::index::{Candidates, Index};
use search::pattern::{Meaning, Pattern};
use search::query::Query;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use tempfile::TempDir;

/// A bare repository `demo.git` beside its working tree `work`, and an index.
pub struct Fixture {
    directory: TempDir,
}

impl Fixture {
    /// A repository in which the script has committed; it runs in the work tree.
    pub fn new(script: &str) -> Self {
        Self::of_format("sha1", script)
    }

    pub fn of_format(format: &str, script: &str) -> Self {
        let fixture = Self { directory: tempfile::tempdir().expect("a temporary directory") };
        fixture.shell(&format!(
            "git init -q --bare -b main --object-format={format} demo.git
            git init -q -b main --object-format={format} work
            git -C work remote add origin ../demo.git"
        ));
        fixture.push(script);
        fixture
    }

    /// Runs a script in the work tree and pushes all branches.
    pub fn push(&self, script: &str) {
        self.shell(&format!("cd work\n{script}\ngit push -q --force --all origin"));
    }

    /// Runs a script beside the repositories; returns what it prints.
    pub fn shell(&self, script: &str) -> Vec<u8> {
        let mut command = Command::new("bash");
        command.args(["-euc", script]).current_dir(self.directory.path());
        command.env("HOME", self.directory.path()).env("LC_ALL", "C.UTF-8").env("GIT_CONFIG_NOSYSTEM", "1");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "ada@example.org");
            command.env(format!("GIT_{who}_DATE"), "1750000000 +0000");
        }
        let output = command.output().expect("bash starts");
        assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    }

    /// The directory of the index.
    pub fn index(&self) -> PathBuf {
        self.directory.path().join("index/7")
    }

    pub fn open(&self) -> Open {
        let record = types::Repository {
            id: 7,
            path: "demo".into(),
            directory: "demo.git".into(),
            description: String::new(),
            is_private: false,
            owner: None,
            created: 0,
            updated: 0,
            deleted: None,
        };
        let opened = storage::open(self.directory.path(), &record).expect("it is on disk");
        Open { opened, index: self.index() }
    }

    /// The paths and numbers of the lines that `git grep` finds at a revision: `path:number`.
    pub fn grepped(&self, arguments: &str, revision: &str) -> Vec<String> {
        let script = format!("git -C demo.git grep -nzI --no-color {arguments} {revision} || true");
        let output = self.shell(&script);
        let prefix = format!("{revision}:");
        let lines = output.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines
            .map(|line| {
                let mut parts = line.split(|byte| *byte == 0);
                let (path, number) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
                let path = path.strip_prefix(prefix.as_bytes()).unwrap_or(path);
                format!("{}:{}", path.as_bstr(), number.as_bstr())
            })
            .collect()
    }
}

/// A repository, open.
pub struct Open {
    opened: Rc<Opened>,
    index: PathBuf,
}

impl Open {
    pub fn repository(&self) -> Repository<'_> {
        Repository { objects: &self.opened.objects, refs: &self.opened.refs }
    }

    pub fn commit(&self, name: &str) -> ObjectId {
        let resolved = lithe_code::revision::resolve(self.repository(), name.into()).expect("readable");
        resolved.expect("there is such a revision").revision.commit_id
    }

    /// The index as it is on disk.
    pub fn index(&self) -> Option<Rc<Index>> {
        Index::open(&self.index, self.repository().objects.format())
    }

    /// The index, brought up to a revision as far as is allowed.
    pub fn updated(&self, name: &str, allowance: Allowance) -> Rc<Index> {
        let format = self.repository().objects.format();
        let index = self.index().unwrap_or_else(|| Rc::new(Index::empty(format)));
        update::update(&Trees(self.repository()), &self.index, index, self.commit(name), allowance)
            .expect("it can be updated")
    }

    /// The lines found at a revision with an index: `path:number`, over as many pages as there are.
    pub fn found(&self, index: &Index, name: &str, query: &Query) -> Vec<String> {
        let repository = self.repository();
        let pattern = Pattern::new(&query.terms, query.meaning).expect("it can be searched for");
        let filter = query.path_filter().expect("patterns of paths");
        let tree_id = repository.commit(&self.commit(name)).expect("it is there").tree_id;
        let files = update::files_at(&Trees(repository), index, tree_id).expect("it is readable");
        let candidates = index.candidates(pattern.needs()).unwrap_or(Candidates::ALL);
        let (mut all, mut after) = (Vec::new(), None::<BString>);
        loop {
            let budget = Budget::without_clock(3);
            let after_path = after.as_ref().map(|path| path.as_bstr());
            let wanted = |path: &bstr::BStr| filter.is_match(path);
            let found = content::search(
                &Trees(repository),
                &files,
                &candidates,
                &pattern,
                (wanted, |_: &bstr::BStr| Ok(false)),
                after_path,
                budget,
            )
            .expect("it is readable");
            for file in &found.found {
                // Those past what is shown of one file are looked up once more.
                let lines = pattern.lines(&file.text, usize::MAX, None).expect("there is time");
                all.extend(lines.lines.iter().map(|line| format!("{}:{}", file.path, line.number)));
            }
            match found.next {
                Some(next) => after = Some(next),
                None => return all,
            }
        }
    }

    /// As [`Self::found`], in the landing branch, with the index as it is.
    pub fn found_now(&self, text: &str) -> Vec<String> {
        let format = self.repository().objects.format();
        let index = self.index().unwrap_or_else(|| Rc::new(Index::empty(format)));
        self.found(&index, "main", &query(text))
    }
}

/// A query in which capital letters matter.
pub fn query(text: &str) -> Query {
    let mut query = Query::parse(text).expect("a query");
    query.meaning = Meaning { minds_case: true, ..query.meaning };
    query
}
