//! What was done to files, in its order.

use super::disk_model::{Crash, Disk, Tree};
use crate::disk::{Changed, Hook, install};
use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// One change that was made, with paths relative to the recorded directory.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Open { path: PathBuf, handle: u64, is_emptied: bool },
    Write { handle: u64, bytes: Vec<u8>, offset: u64 },
    Sync { handle: u64 },
    Rename { from: PathBuf, to: PathBuf },
    Link { from: PathBuf, to: PathBuf },
    Remove { path: PathBuf },
    CreateDir { path: PathBuf },
    SyncDir { path: PathBuf },
    Nothing,
}

impl Step {
    fn of(operation: &Changed, root: &Path) -> Self {
        let relative = |path: &Path| {
            path.strip_prefix(root).expect("what is recorded lies below the directory").to_path_buf()
        };
        match *operation {
            Changed::Open { path, handle, is_emptied } => {
                Self::Open { path: relative(path), handle, is_emptied }
            }
            Changed::Write { handle, bytes, offset } => Self::Write { handle, bytes: bytes.to_vec(), offset },
            Changed::Sync { handle } => Self::Sync { handle },
            Changed::Rename { from, to } => Self::Rename { from: relative(from), to: relative(to) },
            Changed::Link { from, to } => Self::Link { from: relative(from), to: relative(to) },
            Changed::Remove { path } => Self::Remove { path: relative(path) },
            Changed::CreateDir { path } => Self::CreateDir { path: relative(path) },
            Changed::SyncDir { path } => Self::SyncDir { path: relative(path) },
        }
    }
}

/// Writes down what this thread does to files, until it is stopped.
pub struct Recorder {
    root: PathBuf,
    before: Tree,
    steps: Rc<RefCell<Vec<Step>>>,
}

struct Listener {
    root: PathBuf,
    steps: Rc<RefCell<Vec<Step>>>,
}

impl Hook for Listener {
    fn before(&mut self, _: &Changed) -> io::Result<()> {
        Ok(())
    }

    fn after(&mut self, operation: &Changed) {
        self.steps.borrow_mut().push(Step::of(operation, &self.root));
    }
}

impl Recorder {
    /// Begins. What lies below `root` by now is taken to be on disk; nothing else may be changed.
    pub fn start(root: &Path) -> Self {
        let steps = Rc::new(RefCell::new(Vec::new()));
        install(Some(Box::new(Listener { root: root.to_path_buf(), steps: steps.clone() })));
        Self { root: root.to_path_buf(), before: Tree::read(root), steps }
    }

    /// How many changes were made so far.
    pub fn len(&self) -> usize {
        self.steps.borrow().len()
    }

    /// Whether none was made so far.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Ends.
    pub fn stop(self) -> Recording {
        install(None);
        Recording { root: self.root, before: self.before, steps: self.steps.take() }
    }
}

/// What was done to the files below a directory.
pub struct Recording {
    root: PathBuf,
    before: Tree,
    steps: Vec<Step>,
}

impl Recording {
    /// How many changes were made.
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// Whether none was made.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Hands every state to `judge` that the disk may be in after the power went: at each moment from the
    /// beginning to the end, no state twice after the same number of acknowledgements, `acknowledged`
    /// being the numbers of changes after which there was one. States are the same that differ in
    /// files only that `matters` says nothing of. Returns how many there were.
    pub fn crashes(
        &self,
        acknowledged: &[usize],
        matters: impl Fn(&Path) -> bool,
        mut judge: impl FnMut(&Crash),
    ) -> usize {
        let mut disk = Disk::new(&self.before);
        let mut seen = HashSet::new();
        for moment in 0..=self.steps.len() {
            if let Some(step) = moment.checked_sub(1).map(|last| &self.steps[last]) {
                disk.make(step);
            }
            let count = acknowledged.iter().filter(|after| **after <= moment).count();
            for tree in disk.trees() {
                if seen.insert((count, tree.digest(&matters))) {
                    judge(&Crash { moment, acknowledged: count, tree });
                }
            }
        }
        seen.len()
    }

    /// The operations that wait until something is on disk, in words.
    pub fn syncs(&self) -> Vec<String> {
        let text = self.to_string();
        text.lines().filter(|line| line.starts_with("sync ")).map(str::to_owned).collect()
    }

    /// The same without one of [`Self::syncs`]: nothing is done in its place, so that moments keep their numbers.
    pub fn without_sync(&self, number: usize) -> Self {
        let mut steps = self.steps.clone();
        let mut syncs =
            steps.iter_mut().filter(|step| matches!(step, Step::Sync { .. } | Step::SyncDir { .. }));
        *syncs.nth(number).expect("there is one of that number") = Step::Nothing;
        Self { root: self.root.clone(), before: self.before.clone(), steps }
    }

    /// The state that everything is in that was done, for a test of the model itself.
    pub fn is_as_on_disk(&self) -> bool {
        let mut disk = Disk::new(&self.before);
        self.steps.iter().for_each(|step| disk.make(step));
        disk.live() == Tree::read(&self.root)
    }
}

/// The changes, a line each. Of what is written the length is told, and writes in a row are one.
impl fmt::Display for Recording {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        let mut names = std::collections::HashMap::new();
        let mut last_written = None;
        for step in &self.steps {
            let line = match step {
                Step::Open { path, handle, is_emptied } => {
                    names.insert(*handle, path.display().to_string());
                    let verb = if *is_emptied { "create" } else { "open" };
                    format!("{verb} {}", path.display())
                }
                Step::Write { handle, .. } => {
                    if last_written.replace(*handle) == Some(*handle) {
                        continue;
                    }
                    format!("write {}", names[handle])
                }
                Step::Sync { handle } => format!("sync {}", names[handle]),
                Step::Rename { from, to } => format!("rename {} to {}", from.display(), to.display()),
                Step::Link { from, to } => format!("link {} as {}", from.display(), to.display()),
                Step::Remove { path } => format!("remove {}", path.display()),
                Step::CreateDir { path } => format!("make directory {}", path.display()),
                Step::SyncDir { path } => format!("sync directory {}", path.join("").display()),
                Step::Nothing => continue,
            };
            if !matches!(step, Step::Write { .. }) {
                last_written = None;
            }
            writeln!(formatter, "{line}")?;
        }
        Ok(())
    }
}
