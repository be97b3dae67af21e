//! A file or directory that stays open to be looked at: when it was changed last, and how long it is.

pub use imp::{Watched, mark_at};
use std::time::SystemTime;

/// What tells one state of a file from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    pub modified: SystemTime,
    pub len: u64,
}

#[cfg(not(target_os = "wasi"))]
mod imp {
    use super::Mark;
    use std::fs::{self, File, Metadata};
    use std::io;
    use std::path::Path;

    /// An open file or directory.
    #[derive(Debug)]
    pub struct Watched(File);

    impl Watched {
        /// Opens what lies at a path. Symbolic links are followed.
        pub fn open(path: &Path) -> io::Result<Self> {
            File::open(path).map(Self)
        }

        /// Looks at it.
        pub fn mark(&self) -> io::Result<Mark> {
            of(&self.0.metadata()?)
        }
    }

    /// Looks at what lies at a path now.
    pub fn mark_at(path: &Path) -> io::Result<Mark> {
        of(&fs::metadata(path)?)
    }

    fn of(metadata: &Metadata) -> io::Result<Mark> {
        Ok(Mark { modified: metadata.modified()?, len: metadata.len() })
    }
}

/// The standard library asks the host twice for what is asked for here, the second time for what makes up the
/// number of an inode. A repository that is kept open is looked at before each request, so this counts.
#[cfg(target_os = "wasi")]
mod imp {
    use super::Mark;
    use std::io;
    use std::path::Path;
    use std::time::{Duration, SystemTime};
    use wasip2::filesystem::preopens;
    use wasip2::filesystem::types::{
        Descriptor, DescriptorFlags, DescriptorStat, ErrorCode, OpenFlags, PathFlags,
    };

    thread_local! {
        /// The directories that are mounted, and where.
        static MOUNTS: Vec<(Descriptor, String)> = preopens::get_directories();
    }

    /// An open file or directory.
    #[derive(Debug)]
    pub struct Watched(Descriptor);

    impl Watched {
        /// Opens what lies at a path. Symbolic links are followed.
        pub fn open(path: &Path) -> io::Result<Self> {
            let open = |mount: &Descriptor, rest: &str| {
                mount.open_at(PathFlags::SYMLINK_FOLLOW, rest, OpenFlags::empty(), DescriptorFlags::READ)
            };
            in_mount(path, open).map(Self)
        }

        /// Looks at it.
        pub fn mark(&self) -> io::Result<Mark> {
            of(&self.0.stat().map_err(error)?)
        }
    }

    /// Looks at what lies at a path now.
    pub fn mark_at(path: &Path) -> io::Result<Mark> {
        of(&in_mount(path, |mount, rest| mount.stat_at(PathFlags::SYMLINK_FOLLOW, rest))?)
    }

    /// Does something with the mount that a path lies in, and the rest of the path.
    fn in_mount<T>(path: &Path, act: impl Fn(&Descriptor, &str) -> Result<T, ErrorCode>) -> io::Result<T> {
        let path = path.to_str().ok_or(io::ErrorKind::NotFound)?;
        let rest_in = |mount: &str| {
            let rest = path.strip_prefix(mount.trim_end_matches('/'))?;
            rest.strip_prefix('/').map(|rest| rest.trim_matches('/'))
        };
        MOUNTS.with(|mounts| {
            let candidates = mounts.iter().filter_map(|(mount, at)| Some((mount, at.len(), rest_in(at)?)));
            let (mount, _, rest) =
                candidates.max_by_key(|(_, length, _)| *length).ok_or(io::ErrorKind::NotFound)?;
            act(mount, if rest.is_empty() { "." } else { rest }).map_err(error)
        })
    }

    fn of(stat: &DescriptorStat) -> io::Result<Mark> {
        let modified = stat.data_modification_timestamp.ok_or(io::ErrorKind::Unsupported)?;
        let since = Duration::new(modified.seconds, modified.nanoseconds);
        let modified = SystemTime::UNIX_EPOCH.checked_add(since).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Mark { modified, len: stat.size })
    }

    fn error(code: ErrorCode) -> io::Error {
        match code {
            ErrorCode::NoEntry => io::ErrorKind::NotFound.into(),
            ErrorCode::NotDirectory => io::ErrorKind::NotADirectory.into(),
            other => io::Error::other(other),
        }
    }
}
