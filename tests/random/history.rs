//! Histories such as people make them, and stranger ones: merges of many, roots without a parent,
//! renames of files and directories, files from nothing to megabytes, tags of trees, blobs and tags.

use super::rng::Rng;
use crate::kit::Shell;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;

/// Where the files of a commit may lie. None is a directory of another.
const PATHS: &[&str] = &[
    "README",
    "run.sh",
    "src/main.txt",
    "src/deep/er/nested.txt",
    "src/deep/other.txt",
    "docs/with space.txt",
    "docs/ünïcode",
    "lib/large.txt",
    "lib/data.bin",
    "z",
];

/// How long a line of text is, about, in bytes.
const LINE_LEN: usize = 32;

/// When the first commit is made: 2023-11-14T22:13:20Z.
const FIRST_SECONDS: u64 = 1_700_000_000;

/// Everything that was ever made, in the repository `author` of a shell's directory.
pub struct History {
    commits: Vec<Commit>,
    /// The ids of annotated tags.
    tags: Vec<String>,
    /// The lines of each text, as it was last written.
    texts: BTreeMap<String, Vec<String>>,
    seconds: u64,
    /// How many objects have a ref of their own that keeps them.
    kept: usize,
    /// The largest file, in bytes.
    file_bytes_max: usize,
}

struct Commit {
    /// Its id, or its mark while it is being made.
    id: String,
    files: BTreeSet<String>,
}

impl History {
    /// Nothing yet.
    pub fn new(shell: &Shell, file_bytes_max: usize) -> Self {
        shell.run("git init -q --bare author && git -C author config gc.auto 0");
        Self {
            commits: Vec::new(),
            tags: Vec::new(),
            texts: BTreeMap::new(),
            seconds: FIRST_SECONDS,
            kept: 0,
            file_bytes_max,
        }
    }

    /// Some commit, rather a late one.
    pub fn commit(&self, rng: &mut Rng) -> &str {
        let from = if rng.chance(60) { self.commits.len().saturating_sub(8) } else { 0 };
        &self.commits[from + rng.below(self.commits.len() - from)].id
    }

    /// What a tag may point to: mostly a commit or an annotated tag, sometimes a tree or a blob.
    pub fn tagged(&self, rng: &mut Rng) -> String {
        match rng.below(10) {
            0..=4 if !self.tags.is_empty() => rng.pick(&self.tags).clone(),
            5 => format!("{}^{{tree}}", self.commit(rng)),
            6 => self.file(rng),
            _ => self.commit(rng).to_owned(),
        }
    }

    /// A moment in the time that the commits were made in, in seconds since 1970.
    pub fn moment(&self, rng: &mut Rng) -> u64 {
        FIRST_SECONDS + rng.next() % (self.seconds - FIRST_SECONDS + 1)
    }

    /// Makes more commits, then tags.
    pub fn grow(&mut self, shell: &Shell, rng: &mut Rng, commits: usize) {
        let mut stream = Vec::new();
        let first = self.commits.len();
        for mark in 1..=commits {
            self.write_commit(&mut stream, rng, mark);
        }
        let marks = import(shell, &stream);
        for commit in &mut self.commits[first..] {
            commit.id = marks[&commit.id].clone();
        }
        let mut stream = Vec::new();
        let tags = rng.below(3);
        for mark in 1..=tags {
            self.write_tag(&mut stream, rng, mark);
        }
        self.tags.extend(import(shell, &stream).into_values());
    }

    fn write_commit(&mut self, out: &mut Vec<u8>, rng: &mut Rng, mark: usize) {
        let parents = self.parents(rng);
        let mut files = match parents.first() {
            Some(parent) => self.commits[*parent].files.clone(),
            None => BTreeSet::new(),
        };
        // Now and then a clock is wrong.
        self.seconds += 1 + rng.next() % 40_000;
        let seconds = if rng.chance(4) { self.seconds - rng.next() % 300_000 } else { self.seconds };
        let zone = rng.pick(&["+0000", "-0800", "+0530"]);
        let message = "Words of a message.\n".repeat(rng.below(4));
        let _ = write!(
            out,
            "commit refs/keep/{}\nmark :{mark}\nauthor A U Thor <author@example.org> {seconds} {zone}\n\
             committer Ünï <committer@example.org> {seconds} {zone}\ndata {}\n{message}\n",
            self.kept,
            message.len()
        );
        self.kept += 1;
        for (index, parent) in parents.iter().enumerate() {
            let word = if index == 0 { "from" } else { "merge" };
            let _ = writeln!(out, "{word} {}", self.commits[*parent].id);
        }
        for _ in 0..rng.below(4) {
            self.write_change(out, rng, &mut files);
        }
        out.push(b'\n');
        self.commits.push(Commit { id: format!(":{mark}"), files });
    }

    fn parents(&self, rng: &mut Rng) -> Vec<usize> {
        if self.commits.is_empty() || rng.chance(5) {
            return Vec::new();
        }
        let count = match rng.below(20) {
            0..=14 => 1,
            15..=18 => 2,
            _ => 3 + rng.below(6),
        };
        let last = self.commits.len() - 1;
        let mut parents = Vec::new();
        for index in 0..count {
            let parent = if index == 0 && rng.chance(60) { last } else { rng.below(last + 1) };
            if !parents.contains(&parent) {
                parents.push(parent);
            }
        }
        parents
    }

    fn write_change(&mut self, out: &mut Vec<u8>, rng: &mut Rng, files: &mut BTreeSet<String>) {
        let some: Option<String> = match files.is_empty() {
            true => None,
            false => files.iter().nth(rng.below(files.len())).cloned(),
        };
        let path = *rng.pick(PATHS);
        match (rng.below(20), some) {
            (0, Some(from)) => {
                let to = format!("moved/{}", rng.below(20));
                let _ = writeln!(out, "R {} {to}", quoted(&from));
                files.remove(&from);
                files.insert(to);
            }
            (1, Some(from)) => {
                let to = format!("copied/{}", rng.below(20));
                let _ = writeln!(out, "C {} {to}", quoted(&from));
                files.insert(to);
            }
            (2, Some(gone)) => {
                let _ = writeln!(out, "D {}", quoted(&gone));
                files.remove(&gone);
            }
            (3, Some(_)) if files.iter().any(|file| file.starts_with("src/")) => {
                let directory = format!("old/{}", rng.below(4));
                let _ = writeln!(out, "R src {directory}");
                let moved = |file: &String| match file.strip_prefix("src/") {
                    Some(rest) => format!("{directory}/{rest}"),
                    None => file.clone(),
                };
                files.retain(|file| !file.starts_with(&format!("{directory}/")));
                *files = files.iter().map(moved).collect();
            }
            (4, Some(_)) if rng.chance(20) => {
                out.extend_from_slice(b"deleteall\n");
                files.clear();
            }
            (5, _) => {
                out.extend_from_slice(b"M 160000 1111111111111111111111111111111111111111 module\n");
            }
            (6, _) => write_file(out, "120000", "link", b"src/main.txt", files),
            (7, _) => write_file(out, "100755", "run.sh", b"#!/bin/sh\n", files),
            (8, _) => {
                let len = rng.below(8);
                write_file(out, "100644", "z", &rng.bytes(len), files);
            }
            (9, _) => {
                let len = self.file_bytes_max >> rng.below(12);
                write_file(out, "100644", "lib/data.bin", &rng.bytes(len), files);
            }
            _ => {
                let text = self.text(rng, path);
                write_file(out, "100644", path, text.as_bytes(), files);
            }
        }
    }

    /// The next version of a text: a few lines of it are others than before.
    fn text(&mut self, rng: &mut Rng, path: &str) -> String {
        let lines_max = if path.contains("large") { self.file_bytes_max / 4 / LINE_LEN } else { 200 };
        let lines = self.texts.entry(path.to_owned()).or_default();
        if lines.is_empty() || rng.chance(10) {
            lines.resize_with(1 + rng.below(lines_max), || format!("{:016x} {path}\n", rng.next()));
        }
        for _ in 0..=rng.below(3) {
            let index = rng.below(lines.len());
            lines[index] = format!("{:016x} changed\n", rng.next());
        }
        lines.concat()
    }

    /// `COMMIT:FILE` of some file, or else a tree.
    fn file(&self, rng: &mut Rng) -> String {
        let commit = rng.pick(&self.commits);
        match commit.files.iter().next() {
            Some(file) => format!("{}:{file}", commit.id),
            None => format!("{}^{{tree}}", commit.id),
        }
    }

    fn write_tag(&mut self, out: &mut Vec<u8>, rng: &mut Rng, mark: usize) {
        let target = self.tagged(rng);
        self.seconds += 1;
        let _ = write!(
            out,
            "tag keep{}\nmark :{mark}\nfrom {target}\ntagger T Agger <tagger@example.org> {} +0000\ndata 4\nTag\n\n",
            self.kept, self.seconds
        );
        self.kept += 1;
    }
}

fn write_file(out: &mut Vec<u8>, mode: &str, path: &str, contents: &[u8], files: &mut BTreeSet<String>) {
    let _ = write!(out, "M {mode} inline {}\ndata {}\n", quoted(path), contents.len());
    out.extend_from_slice(contents);
    out.push(b'\n');
    files.insert(path.to_owned());
}

fn quoted(path: &str) -> String {
    format!("\"{path}\"")
}

/// Has `git fast-import` make what a stream describes; returns the id of each mark.
fn import(shell: &Shell, stream: &[u8]) -> BTreeMap<String, String> {
    fs::write(shell.path().join("stream"), stream).expect("the directory is writable");
    shell.run("git -C author fast-import --quiet --export-marks=../marks < stream");
    let marks = fs::read_to_string(shell.path().join("marks")).expect("it was just written");
    let pairs = marks.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(mark, id)| (mark.to_owned(), id.to_owned())).collect()
}
