//! Whether a repository on disk is sound: `lithe repo check`.

use crate::connectivity::{IdSet, Links};
use crate::format::{Format, ObjectFormat};
use crate::fsck;
use crate::index_pack::{self, Inspect};
use crate::limits::{CHECK_PROBLEMS_MAX, STRUCTURED_OBJECT_BYTES_MAX, WINDOW_BYTES};
use crate::listing;
use crate::odb::loose::is_directory_name;
use crate::odb::{self, Store};
use crate::refs::{Head, RefStore, Target};
use crate::shortcut;
use crate::walk::shallow;
use gix_hash::ObjectId;
use gix_object::Kind;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Report {
    /// How many objects there are, in packs and loose; one that lies in two places counts twice.
    pub objects: u64,
    pub packs: u64,
    /// What packs, their indexes and loose objects take on disk, in bytes.
    pub bytes: u64,
    /// In words, at most [`CHECK_PROBLEMS_MAX`] and a line that says how many more; empty: the
    /// repository is sound.
    pub problems: Vec<String>,
}

/// Checks a bare repository: every pack and its index to the last byte, that what only saves work, such as
/// bitmaps, is as it was written, that every object has the id
/// that it goes by, that everything that objects and refs point to is there.
///
/// Whether objects are such that a push of them would be refused is not asked. Memory goes with the
/// number of objects, about 100 bytes each, and not with their size.
pub fn check_repository(git_dir: &Path) -> Report {
    let format = match Format::of(git_dir) {
        Ok(format) => format.objects,
        Err(error) => return Report { problems: vec![error.to_string()], ..Report::default() },
    };
    let mut check = Check { format, report: Report::default(), links: Links::new(format), suppressed: 0 };
    let result = check.run(git_dir);
    if let Err(problem) = result {
        check.problem(problem);
    }
    if check.suppressed > 0 {
        check.report.problems.push(format!("and {} more problems", check.suppressed));
    }
    check.report
}

struct Check {
    format: ObjectFormat,
    report: Report,
    links: Links,
    suppressed: u64,
}

/// Collects links, and refuses nothing but what cannot be read.
struct Collect<'a> {
    links: &'a mut Links,
    shallow: &'a IdSet,
    found: fsck::Findings,
}

impl Inspect for Collect<'_> {
    fn inspect(&mut self, id: &ObjectId, kind: Kind, data: &[u8]) -> Result<(), String> {
        self.found.clear();
        fsck::check(id.kind(), kind, data, &mut self.found);
        let has_parents = !self.shallow.contains(id);
        for (id, linked) in &self.found.links {
            if has_parents || *linked != Kind::Commit {
                self.links.add(id, *linked);
            }
        }
        if kind != Kind::Tree && self.found.links.is_empty() {
            return Err(self.found.refusal().map(ToString::to_string).unwrap_or_default());
        }
        Ok(())
    }
}

impl Check {
    fn problem(&mut self, problem: String) {
        if self.report.problems.len() < CHECK_PROBLEMS_MAX {
            self.report.problems.push(problem);
        } else {
            self.suppressed += 1;
        }
    }

    fn run(&mut self, git_dir: &Path) -> Result<(), String> {
        let shallow = shallow::of_repository(git_dir, self.format).map_err(|error| error.to_string())?;
        self.packs(&git_dir.join("objects/pack"), &shallow)?;
        self.shortcuts(&git_dir.join("objects"))?;
        let store = Store::open(git_dir).map_err(|error| error.to_string())?;
        self.loose_objects(&store, &shallow)?;
        self.refs(git_dir, &store)?;
        self.links(&store);
        Ok(())
    }

    fn packs(&mut self, pack_dir: &Path, shallow: &IdSet) -> Result<(), String> {
        let mut paths = entries(pack_dir)?;
        paths.sort();
        for path in paths {
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            let (pack, index) = (path.with_extension("pack"), path.with_extension("idx"));
            match extension {
                "idx" if !pack.is_file() => self.problem(format!("{}: its pack is missing", name(&path))),
                "pack" if !index.is_file() => self.problem(format!("{}: its index is missing", name(&path))),
                "pack" => self.pack(&pack, &index, shallow),
                _ => {}
            }
        }
        Ok(())
    }

    fn shortcuts(&mut self, objects_dir: &Path) -> Result<(), String> {
        for path in shortcut::damaged(objects_dir, self.format).map_err(|error| error.to_string())? {
            self.problem(format!("{}: it is damaged; maintenance makes it anew", name(&path)));
        }
        Ok(())
    }

    fn pack(&mut self, pack: &Path, index: &Path, shallow: &IdSet) {
        self.report.packs += 1;
        self.report.bytes += size(pack) + size(index);
        let found = fsck::Findings::default();
        let collect = Collect { links: &mut self.links, shallow, found };
        match index_pack::verify(pack, index, self.format, collect) {
            Ok((objects, _)) => self.report.objects += u64::from(objects),
            Err(error) => self.problem(format!("{}: {error}", name(pack))),
        }
    }

    fn loose_objects(&mut self, store: &Store, shallow: &IdSet) -> Result<(), String> {
        for directory in entries(store.objects_dir())? {
            let first = name(&directory);
            if !is_directory_name(&first) {
                continue;
            }
            for path in entries(&directory)? {
                // Others are temporary files of a process at work, or of one that was killed.
                if let Ok(id) = ObjectId::from_hex(format!("{first}{}", name(&path)).as_bytes())
                    && id.kind() == self.format
                {
                    self.report.objects += 1;
                    self.report.bytes += size(&path);
                    let found = fsck::Findings::default();
                    let mut collect = Collect { links: &mut self.links, shallow, found };
                    if let Err(problem) = loose_object(store, &id, &mut collect) {
                        self.problem(format!("loose object {id}: {problem}"));
                    }
                }
            }
        }
        Ok(())
    }

    fn refs(&mut self, git_dir: &Path, store: &Store) -> Result<(), String> {
        let snapshot =
            RefStore::open(git_dir).and_then(|refs| refs.snapshot()).map_err(|error| error.to_string())?;
        for broken in &snapshot.broken {
            self.problem(format!("ref {broken} is damaged"));
        }
        for entry in &snapshot.refs {
            let id = match &entry.target {
                Target::Id(id) => *id,
                Target::Symbolic(_) => continue,
            };
            self.expect_object(store, &id, &format!("ref {}", entry.name));
        }
        if let Head::Detached(id) = snapshot.head {
            self.expect_object(store, &id, "HEAD");
        }
        Ok(())
    }

    fn expect_object(&mut self, store: &Store, id: &ObjectId, from: &str) {
        match store.contains(id) {
            Ok(true) => {}
            Ok(false) => self.problem(format!("{from} points to {id}, which is missing")),
            Err(error) => self.problem(format!("{from} points to {id}: {error}")),
        }
    }

    fn links(&mut self, store: &Store) {
        for (id, kind) in std::mem::replace(&mut self.links, Links::new(self.format)).iter() {
            match store.contains(&id) {
                Ok(true) => {}
                Ok(false) => self.problem(format!("{kind} {id} is missing")),
                Err(error) => self.problem(format!("{kind} {id}: {error}")),
            }
        }
    }
}

/// Reads a loose object and compares its id; a blob is not held.
fn loose_object(store: &Store, id: &ObjectId, collect: &mut Collect) -> Result<(), String> {
    let mut loose = store.loose(id).map_err(|error: odb::Error| error.to_string())?;
    let kind = loose.kind();
    let mut hasher = gix_hash::hasher(id.kind());
    hasher.update(&gix_object::encode::loose_header(kind, loose.size()));
    if kind != Kind::Blob && loose.size() > STRUCTURED_OBJECT_BYTES_MAX {
        return Err(format!("it is over the limit of {STRUCTURED_OBJECT_BYTES_MAX} bytes"));
    }
    let mut data = Vec::new();
    let mut piece = vec![0; WINDOW_BYTES];
    loop {
        let count = loose.read(&mut piece).map_err(|error| error.to_string())?;
        if count == 0 {
            break;
        }
        hasher.update(&piece[..count]);
        if kind != Kind::Blob {
            data.extend_from_slice(&piece[..count]);
        }
    }
    let actual = hasher.try_finalize().map_err(|error| error.to_string())?;
    if actual != *id {
        return Err(format!("its contents are those of {actual}"));
    }
    if kind == Kind::Blob { Ok(()) } else { collect.inspect(id, kind, &data) }
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: io::Error| format!("{}: {error}", name(directory));
    match listing::list(directory) {
        Ok(entries) => Ok(entries.into_iter().map(|entry| directory.join(entry.name)).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(failed(error)),
    }
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use bstr::ByteSlice as _;
    use std::process::Command;
    use tempfile::TempDir;

    fn git(dir: &Path, words: &str) -> String {
        let mut command = Command::new("git");
        command.arg("-C").arg(dir).args(words.split(' '));
        for role in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{role}_NAME"), "A").env(format!("GIT_{role}_EMAIL"), "a@example.org");
        }
        let output = command.output().expect("git runs");
        assert!(output.status.success(), "git {words}: {}", output.stderr.as_bstr());
        output.stdout.trim().to_str_lossy().into_owned()
    }

    /// Three commits in a pack, and one of loose objects.
    fn repository() -> TempDir {
        let place = tempfile::tempdir().expect("a temporary directory");
        git(place.path(), "init -q -b main work");
        let work = place.path().join("work");
        for step in 0..4 {
            let text: String =
                (0..200).map(|line| format!("{line} {}\n", if line == step { step } else { 0 })).collect();
            fs::write(work.join("file"), text).expect("written");
            git(&work, "add -A");
            git(&work, "commit -q -m x");
            if step == 2 {
                git(&work, "tag -a -m x v1");
                git(&work, "repack -q -a -d");
            }
        }
        place
    }

    fn check(place: &TempDir) -> Report {
        check_repository(&place.path().join("work/.git"))
    }

    fn the_file(place: &TempDir, extension: &str) -> PathBuf {
        let paths = entries(&place.path().join("work/.git/objects/pack")).expect("readable");
        let path = paths.into_iter().find(|path| path.extension().is_some_and(|other| other == extension));
        let path = path.expect("there is one");
        let mut permissions = fs::metadata(&path).expect("is there").permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
        fs::set_permissions(&path, permissions).expect("set");
        path
    }

    #[test]
    fn a_sound_repository_has_no_problems() {
        let report = check(&repository());
        assert_eq!(report.problems, Vec::<String>::new());
        assert_eq!((report.objects, report.packs), (13, 1));
        assert!(report.bytes > 1000);
    }

    #[test]
    fn every_damaged_byte_of_a_pack_or_index_is_found() {
        let place = repository();
        for extension in ["pack", "idx"] {
            let path = the_file(&place, extension);
            let bytes = fs::read(&path).expect("readable");
            for position in (0..bytes.len()).step_by(7) {
                let mut damaged = bytes.clone();
                damaged[position] ^= 0x10;
                fs::write(&path, damaged).expect("written");
                assert!(!check(&place).problems.is_empty(), "{extension} at {position}");
            }
            fs::write(&path, &bytes[..bytes.len() - 1]).expect("written");
            assert!(!check(&place).problems.is_empty(), "{extension} cut");
            fs::write(&path, bytes).expect("written");
        }
        assert!(check(&place).problems.is_empty());
    }

    #[test]
    fn what_is_missing_is_named() {
        let place = repository();
        let work = place.path().join("work");
        let git_dir = work.join(".git");
        let loose = |id: &str| git_dir.join("objects").join(&id[..2]).join(&id[2..]);
        let blob = git(&work, "rev-parse HEAD:file");
        let commit = git(&work, "rev-parse HEAD");
        for id in [&blob, &commit] {
            let bytes = fs::read(loose(id)).expect("is loose");
            fs::remove_file(loose(id)).expect("removed");
            let problems = check(&place).problems;
            assert!(
                problems.iter().all(|problem| problem.contains(id.as_str())) && !problems.is_empty(),
                "{problems:?}"
            );
            fs::write(loose(id), bytes).expect("written");
        }
        let index = the_file(&place, "idx");
        fs::rename(&index, index.with_extension("away")).expect("moved");
        assert!(check(&place).problems[0].ends_with("its index is missing"));
        fs::rename(index.with_extension("away"), &index).expect("moved");
        fs::write(git_dir.join("refs/heads/bad"), "nonsense").expect("written");
        assert_eq!(check(&place).problems, ["ref refs/heads/bad is damaged"]);
    }

    #[test]
    fn a_loose_object_under_another_name_is_found() {
        let place = repository();
        let objects = place.path().join("work/.git/objects");
        let blob = git(&place.path().join("work"), "rev-parse HEAD:file");
        let (from, to) = (objects.join(&blob[..2]), objects.join("00"));
        fs::create_dir_all(&to).expect("made");
        fs::copy(from.join(&blob[2..]), to.join("0".repeat(37) + "1")).expect("copied");
        let problems = check(&place).problems;
        assert!(
            problems.len() == 1 && problems[0].ends_with(&format!("its contents are those of {blob}")),
            "{problems:?}"
        );
    }

    #[test]
    fn many_problems_are_counted() {
        let place = repository();
        let damage = |index: usize| {
            fs::write(place.path().join(format!("work/.git/refs/heads/b{index}")), "x").expect("written");
        };
        (0..CHECK_PROBLEMS_MAX).for_each(damage);
        assert_eq!(check(&place).problems.len(), CHECK_PROBLEMS_MAX);
        damage(CHECK_PROBLEMS_MAX);
        let problems = check(&place).problems;
        assert_eq!(problems.len(), CHECK_PROBLEMS_MAX + 1);
        assert_eq!(problems.last().map(String::as_str), Some("and 1 more problems"));
    }

    #[test]
    fn what_is_no_repository_is_a_problem() {
        let place = tempfile::tempdir().expect("a temporary directory");
        assert_eq!(check_repository(place.path()).problems.len(), 1);
    }
}
