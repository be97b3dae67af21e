//! For tests: faults in what is done to files, and every state that a disk may be left in by a loss of
//! power.
//!
//! [`Recorder`] writes down what this thread does to the files below a directory. [`Recording::crashes`]
//! then goes through the moments at which the power may have gone, and through what a file system may
//! have made of each:
//!
//! - What a file holds is certain up to its last `fsync`. What was written since may be there, or
//!   missing, or be there in part, or as zeros.
//! - A name that was made, moved or removed is certain once its directory was synced: for one that was moved
//!   from a directory to another, the one that it went to. Until then it may have happened or not,
//!   whatever became of those before and after it: only changes to the same name keep their order.
//!
//! That is less than any file system in use promises. [`failing`] has an operation fail instead, and
//! [`failing_reads`] a read; [`sealed`] makes damage that no checksum tells.

mod disk_model;
mod recording;

use crate::checksum::Checksum;
use crate::disk::{Changed, Hook, install};
use crate::format::ObjectFormat;
use std::cell::Cell;
use std::io;
use std::rc::Rc;

pub use disk_model::Crash;
pub use recording::{Recorder, Recording};

/// What becomes of the operations on files from a certain one on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// One fails, as when a block of the disk is bad. The others go on.
    Once,
    /// Nothing more can be written, but still be removed and renamed: the disk is full.
    Full,
    /// Nothing can be changed any more: the disk is gone, or has become read-only.
    Dead,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 3] = [Fault::Once, Fault::Full, Fault::Dead];

    fn strikes(self, count: usize, first: usize, operation: &Changed) -> bool {
        match self {
            Self::Once => count == first,
            Self::Dead => count >= first,
            Self::Full => {
                let needs_room = !matches!(operation, Changed::Remove { .. } | Changed::Rename { .. });
                count >= first && needs_room
            }
        }
    }

    fn error(self) -> io::Error {
        match self {
            Self::Once => io::Error::other("input/output error"),
            Self::Full => io::ErrorKind::StorageFull.into(),
            Self::Dead => io::ErrorKind::ReadOnlyFilesystem.into(),
        }
    }
}

/// Does some work, while the changes that it makes to files fail from the one with that number on,
/// counted from 0. Says whether there was one that failed.
pub fn failing<T>(fault: Fault, first: usize, work: impl FnOnce() -> T) -> (T, bool) {
    let has_struck = Rc::new(Cell::new(false));
    install(Some(Box::new(Failing { fault, first, count: 0, has_struck: has_struck.clone() })));
    let made = work();
    install(None);
    (made, has_struck.get())
}

/// What becomes of reading from a certain read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFault {
    /// One fails, as when a block of the disk is bad. The others go on.
    Once,
    /// One finds that the file ends before it should.
    Ends,
    /// Nothing can be read any more.
    Dead,
}

impl ReadFault {
    /// All of them.
    pub const ALL: [ReadFault; 3] = [ReadFault::Once, ReadFault::Ends, ReadFault::Dead];
}

/// Does some work, while what it reads fails from the read with that number on, counted from 0; listing a
/// directory, and looking whether there is a file, are reads too. Says whether there was one that failed.
pub fn failing_reads<T>(fault: ReadFault, first: usize, work: impl FnOnce() -> T) -> (T, bool) {
    let has_struck = Rc::new(Cell::new(false));
    install(Some(Box::new(FailingReads { fault, first, count: 0, has_struck: has_struck.clone() })));
    let made = work();
    install(None);
    (made, has_struck.get())
}

struct FailingReads {
    fault: ReadFault,
    first: usize,
    count: usize,
    has_struck: Rc<Cell<bool>>,
}

impl Hook for FailingReads {
    fn before(&mut self, _: &Changed) -> io::Result<()> {
        Ok(())
    }

    fn after(&mut self, _: &Changed) {}

    fn read(&mut self) -> io::Result<()> {
        let count = self.count;
        self.count += 1;
        if count < self.first || count > self.first && self.fault != ReadFault::Dead {
            return Ok(());
        }
        self.has_struck.set(true);
        Err(match self.fault {
            ReadFault::Ends => io::ErrorKind::UnexpectedEof.into(),
            _ => io::Error::other("input/output error"),
        })
    }
}

struct Failing {
    fault: Fault,
    first: usize,
    count: usize,
    has_struck: Rc<Cell<bool>>,
}

impl Hook for Failing {
    fn before(&mut self, operation: &Changed) -> io::Result<()> {
        let strikes = self.fault.strikes(self.count, self.first, operation);
        self.count += 1;
        if strikes {
            self.has_struck.set(true);
            return Err(self.fault.error());
        }
        Ok(())
    }

    fn after(&mut self, _: &Changed) {}
}

/// The same bytes with the right checksum at their end, in the place of what is there.
pub fn sealed(bytes: &[u8], format: ObjectFormat) -> Vec<u8> {
    let body = &bytes[..bytes.len().saturating_sub(format.len_in_bytes())];
    let mut checksum = Checksum::new(format);
    checksum.update(body);
    [body, checksum.finish().as_slice()].concat()
}
