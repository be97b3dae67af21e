//! The operator's socket: the command line's way to a running server.

use crate::serve::StartError;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use tokio::net::UnixListener;

const NAME: &str = "lithe.sock";
/// The longest path of a Unix socket on every system that has them, in bytes.
const PATH_BYTES_MAX: usize = 103;

/// A Unix socket that only this process's user can connect to. It goes when this is dropped.
pub struct OperatorSocket {
    listener: UnixListener,
    path: PathBuf,
    /// Where the path in the data directory would be too long.
    _directory: Option<TempDir>,
}

impl OperatorSocket {
    /// Makes the socket in the data directory, or, where its path would be too long, in a private
    /// directory of its own.
    pub fn bind(data: &Path) -> Result<Self, StartError> {
        let path = data.join(NAME);
        let failed = |error| StartError::Socket { path: path.clone(), error };
        let short = |path: &Path| path.as_os_str().len() <= PATH_BYTES_MAX;
        // A directory that only its owner may enter: until the socket has its permissions, nobody
        // else can reach it.
        let directory = match private_directory(data) {
            Ok(directory) if short(&directory.path().join(NAME)) => directory,
            _ => private_directory(&std::env::temp_dir()).map_err(failed)?,
        };
        let bound = directory.path().join(NAME);
        let listener = UnixListener::bind(&bound).map_err(failed)?;
        std::fs::set_permissions(&bound, Permissions::from_mode(0o600)).map_err(failed)?;
        match short(&path) && std::fs::rename(&bound, &path).is_ok() {
            true => Ok(Self { listener, path, _directory: None }),
            false => Ok(Self { listener, path: bound, _directory: Some(directory) }),
        }
    }

    pub fn listener(&self) -> &UnixListener {
        &self.listener
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for OperatorSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn private_directory(parent: &Path) -> io::Result<TempDir> {
    tempfile::Builder::new().prefix(".lithe-").permissions(Permissions::from_mode(0o700)).tempdir_in(parent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_its_owner_can_connect() {
        let data = tempfile::tempdir().expect("a directory");
        let socket = OperatorSocket::bind(data.path()).expect("bound");
        assert_eq!(socket.path(), data.path().join(NAME));
        let mode = std::fs::metadata(socket.path()).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        tokio::net::UnixStream::connect(socket.path()).await.expect("connected");
        drop(socket);
        assert_eq!(std::fs::read_dir(data.path()).expect("a directory").count(), 0);
    }

    #[tokio::test]
    async fn a_long_path_is_no_obstacle() {
        let parent = tempfile::tempdir().expect("a directory");
        let data = parent.path().join("d".repeat(100));
        std::fs::create_dir(&data).expect("made");
        let socket = OperatorSocket::bind(&data).expect("bound");
        tokio::net::UnixStream::connect(socket.path()).await.expect("connected");
    }

    #[tokio::test]
    async fn a_socket_left_behind_is_replaced() {
        let data = tempfile::tempdir().expect("a directory");
        std::mem::forget(OperatorSocket::bind(data.path()).expect("bound"));
        let socket = OperatorSocket::bind(data.path()).expect("bound again");
        tokio::net::UnixStream::connect(socket.path()).await.expect("connected");
    }
}
