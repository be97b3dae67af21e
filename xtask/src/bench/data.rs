//! The repositories that are measured, made by `git fast-import` from a seeded stream.

use super::silent;
use crate::{Result, output, run};
use std::fmt::Write as _;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::process::Stdio;

/// Files in the tree, over directories of two levels.
const FILES: u64 = 2_000;

/// Makes a repacked bare repository with a history of that many commits, each of which changes one
/// or two files in a tree of 2,000; returns the number of its objects.
pub fn history(path: &Path, commits: usize) -> Result<u64> {
    init(path)?;
    fast_import(path, |stream| {
        let mut random = Random(20_261_121);
        for number in 0..commits {
            commit_header(stream, number, number > 0)?;
            let changes = if number == 0 { FILES } else { 1 + random.below(2) };
            for change in 0..changes {
                let file = if number == 0 { change } else { random.below(FILES) };
                let text = text(&mut random, file);
                write!(stream, "M 100644 inline {}\ndata {}\n{text}\n", self::file(file), text.len())?;
            }
        }
        Ok(())
    })?;
    run(silent("git").arg("-C").arg(path).args(["repack", "-adq", "--window=10", "--depth=50"]))?;
    count(path)
}

/// Gives a bare repository a history of that many commits, each of which changes one of 100 small files.
pub fn growing(path: &Path, commits: usize) -> Result {
    const FILES: usize = 100;
    fast_import(path, |stream| {
        for number in 0..commits {
            commit_header(stream, number, number > 0)?;
            for file in if number == 0 { 0..FILES } else { number % FILES..number % FILES + 1 } {
                let text = format!("version {number}\n");
                writeln!(stream, "M 100644 inline dir{}/file{file}\ndata {}", file / 10, text.len())?;
                writeln!(stream, "{text}")?;
            }
        }
        Ok(())
    })
}

/// Makes a bare repository whose blobs do not compress, of that many MiB in files of 4 MiB.
pub fn big(path: &Path, mib: usize) -> Result {
    init(path)?;
    fast_import(path, |stream| {
        let mut random = Random(7);
        for number in 0..mib.div_ceil(4) {
            commit_header(stream, number, number > 0)?;
            writeln!(stream, "M 100644 inline file{number}.bin\ndata {}", 4 << 20)?;
            for _ in 0..(4 << 20) / 8 {
                stream.write_all(&random.next().to_le_bytes())?;
            }
            writeln!(stream)?;
        }
        Ok(())
    })
}

/// Adds a commit to `main`.
pub fn one_more_commit(path: &Path, round: usize) -> Result {
    fast_import(path, |stream| {
        writeln!(
            stream,
            "commit refs/heads/main\ncommitter A <a@example.org> {} +0000",
            1_900_000_000 + round
        )?;
        writeln!(
            stream,
            "data 5\nmore\n\nfrom refs/heads/main^0\nM 100644 inline more{round}\ndata 5\nmore\n"
        )
    })
}

/// Adds a commit to `main` of [`history`] that changes each of the first so many files.
pub fn wide_commit(path: &Path, files: u64) -> Result {
    fast_import(path, |stream| {
        writeln!(stream, "commit refs/heads/main\ncommitter A <a@example.org> 1890000000 +0000")?;
        writeln!(stream, "data 5\nwide\n\nfrom refs/heads/main^0")?;
        let mut random = Random(300);
        for file in 0..files {
            let text = text(&mut random, file);
            write!(stream, "M 100644 inline {}\ndata {}\n{text}\n", self::file(file), text.len())?;
        }
        Ok(())
    })
}

/// Gives a repository of [`history`] branches and tags, as one that has been worked on for years has them.
pub fn refs(path: &Path) -> Result {
    const BRANCHES: usize = 20;
    const TAGS: usize = 100;
    fast_import(path, |stream| {
        for branch in 0..BRANCHES {
            writeln!(stream, "reset refs/heads/topic-{branch}\nfrom refs/heads/main~{}\n", 7 * branch + 3)?;
        }
        for tag in 0..TAGS {
            writeln!(stream, "tag v1.{tag}\nfrom refs/heads/main~{}", 5 * tag + 1)?;
            writeln!(stream, "tagger A <a@example.org> {} +0000\ndata 8\nRelease\n", 1_890_000_000 + tag)?;
        }
        Ok(())
    })
}

/// The path of a file of [`history`].
pub fn file(number: u64) -> String {
    format!("dir{}/sub{}/file{number}.txt", number % 20, number % 7)
}

/// The ids of so many commits before the last one, the latest first.
pub fn commits(path: &Path, count: usize) -> Result<Vec<String>> {
    let mut command = silent("git");
    command.arg("-C").arg(path).args(["rev-list", "--skip=1", &format!("--max-count={count}"), "main"]);
    let ids = output(command.stdout(Stdio::piped())).ok_or("git rev-list says nothing")?;
    Ok(ids.lines().map(str::to_owned).collect())
}

/// Makes a bare repository of one commit with that many files of some hundred words each. One in 10,000
/// has the word `needle`.
pub fn wide_tree(path: &Path, files: u64) -> Result {
    init(path)?;
    fast_import(path, |stream| {
        commit_header(stream, 0, false)?;
        let mut random = Random(11);
        for file in 0..files {
            let mut text = String::new();
            for line in 0..40 {
                let (a, b, c) = (random.below(5_000), random.below(5_000), random.below(5_000));
                let needle = if file % 10_000 == 77 && line == 20 { " needle" } else { "" };
                writeln!(text, "let value{a} = word{b}(other{c});{needle}").expect("a string");
            }
            writeln!(stream, "M 100644 inline dir{}/sub{}/file{file}.rs", file % 100, file / 100 % 100)?;
            write!(stream, "data {}\n{text}\n", text.len())?;
        }
        Ok(())
    })?;
    run(silent("git").arg("-C").arg(path).args(["repack", "-adq", "--window=0"]))
}

/// The id of a commit.
pub fn commit(path: &Path, revision: &str) -> Result<String> {
    let id = output(silent("git").arg("-C").arg(path).args(["rev-parse", revision]).stdout(Stdio::piped()));
    id.map(|id| id.trim().to_owned()).ok_or_else(|| "git rev-parse says nothing".to_owned())
}

fn init(path: &Path) -> Result {
    run(silent("git").args(["init", "--quiet", "--bare", "--initial-branch=main"]).arg(path))
}

fn fast_import(path: &Path, write: impl FnOnce(&mut dyn io::Write) -> io::Result<()>) -> Result {
    let mut command = silent("git");
    command.arg("-C").arg(path).args(["fast-import", "--quiet", "--force"]).stdin(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("git: {error}"))?;
    let mut stream = BufWriter::new(child.stdin.take().ok_or("git has no standard input")?);
    let written = write(&mut stream).and_then(|()| stream.flush());
    drop(stream);
    match child.wait() {
        Ok(status) if status.success() => written.map_err(|error| format!("git fast-import: {error}")),
        Ok(status) => Err(format!("git fast-import ended with {status}")),
        Err(error) => Err(format!("git fast-import: {error}")),
    }
}

fn commit_header(stream: &mut dyn io::Write, number: usize, has_parent: bool) -> io::Result<()> {
    let message = format!("Change number {number}\n\nSome words about why it was done.\n");
    writeln!(stream, "commit refs/heads/main")?;
    writeln!(
        stream,
        "committer Author {0} <author{0}@example.org> {1} +0000",
        number % 50,
        1_500_000_000 + number * 60
    )?;
    write!(stream, "data {}\n{message}", message.len())?;
    if has_parent && number == 0 {
        writeln!(stream, "from refs/heads/main^0")?;
    }
    Ok(())
}

/// A few kilobytes of lines, most of which stay the same from one version of a file to the next.
fn text(random: &mut Random, file: u64) -> String {
    let mut text = String::new();
    for line in 0..60 {
        writeln!(text, "file {file} line {line}: the quick brown fox jumps over the lazy dog")
            .expect("a string");
    }
    writeln!(text, "version {:x}{:x}", random.next(), random.next()).expect("a string");
    text
}

fn count(path: &Path) -> Result<u64> {
    let text = output(silent("git").arg("-C").arg(path).args(["count-objects", "-v"]).stdout(Stdio::piped()));
    text.as_deref()
        .and_then(|text| text.lines().find_map(|line| line.strip_prefix("in-pack: ")))
        .and_then(|number| number.parse().ok())
        .ok_or_else(|| "git count-objects says nothing".to_owned())
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }
}
