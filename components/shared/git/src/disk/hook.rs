//! Where recordings and faults come in.

use std::io;
use std::path::Path;

/// One change to files, about to be made.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(any(test, feature = "faults")), expect(dead_code, reason = "only recordings look into it"))]
pub enum Operation<'a> {
    /// Opens a file, which is made if it is not there.
    Open {
        path: &'a Path,
        handle: u64,
        is_emptied: bool,
    },
    Write {
        handle: u64,
        bytes: &'a [u8],
        offset: u64,
    },
    Sync {
        handle: u64,
    },
    Rename {
        from: &'a Path,
        to: &'a Path,
    },
    Link {
        from: &'a Path,
        to: &'a Path,
    },
    /// Of a file or of an empty directory.
    Remove {
        path: &'a Path,
    },
    CreateDir {
        path: &'a Path,
    },
    SyncDir {
        path: &'a Path,
    },
}

/// Makes a change, unless it is to fail.
pub fn around<T>(operation: Operation, call: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    imp::before(&operation)?;
    let made = call()?;
    imp::after(&operation);
    Ok(made)
}

/// Writes. Where that is to fail, a part is written.
pub fn around_write(
    handle: u64,
    bytes: &[u8],
    offset: u64,
    mut write: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let operation = Operation::Write { handle, bytes, offset };
    if let Err(error) = imp::before(&operation) {
        write(&bytes[..bytes.len() / 2])?;
        return Err(error);
    }
    write(bytes)?;
    imp::after(&operation);
    Ok(())
}

pub use imp::{next_handle, read};

#[cfg(not(any(test, feature = "faults")))]
mod imp {
    use super::{Operation, io};

    pub fn next_handle() -> u64 {
        0
    }

    pub fn before(_: &Operation) -> io::Result<()> {
        Ok(())
    }

    pub fn after(_: &Operation) {}

    pub fn read() -> io::Result<()> {
        Ok(())
    }
}

#[cfg(any(test, feature = "faults"))]
pub use imp::{Hook, install};

#[cfg(any(test, feature = "faults"))]
mod imp {
    use super::{Operation, io};
    use std::cell::{Cell, RefCell};

    /// Hears of every change that this thread makes to files.
    pub trait Hook {
        /// An error is what becomes of the change.
        fn before(&mut self, operation: &Operation) -> io::Result<()>;
        /// The change was made.
        fn after(&mut self, operation: &Operation);
        /// Something is about to be read, listed or looked for. An error is what becomes of that.
        fn read(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    thread_local! {
        static HOOK: RefCell<Option<Box<dyn Hook>>> = const { RefCell::new(None) };
        static HANDLES: Cell<u64> = const { Cell::new(0) };
    }

    /// Puts a hook in the place of the one that there was, if any.
    pub fn install(hook: Option<Box<dyn Hook>>) -> Option<Box<dyn Hook>> {
        HOOK.replace(hook)
    }

    pub fn next_handle() -> u64 {
        HANDLES.replace(HANDLES.get() + 1)
    }

    pub fn before(operation: &Operation) -> io::Result<()> {
        HOOK.with_borrow_mut(|hook| hook.as_mut().map_or(Ok(()), |hook| hook.before(operation)))
    }

    pub fn read() -> io::Result<()> {
        HOOK.with_borrow_mut(|hook| hook.as_mut().map_or(Ok(()), |hook| hook.read()))
    }

    pub fn after(operation: &Operation) {
        HOOK.with_borrow_mut(|hook| {
            if let Some(hook) = hook {
                hook.after(operation);
            }
        });
    }
}
