//! `/-/admin/operator/import`: a repository as an archive.

use crate::archive;
use crate::disk::{self, Disk, DiskError};
use crate::lifecycle::Lifecycle;
use crate::limits::IMPORT_BYTES_MAX;
use crate::{check, later, operator, words};
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use lithe_forge::Requester;
use lithe_forge::repositories::NewRepository;
use lithe_forge::types::Error;
use lithe_git::format::ObjectFormat;
use lithe_git::init::init_bare;
use lithe_operator::Reply;
use lithe_web::{Answer, Fields};
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;

/// Why an archive was not made a repository.
#[derive(Debug, thiserror::Error)]
enum ImportError {
    #[error("the archive is larger than {IMPORT_BYTES_MAX} bytes")]
    TooLarge,
    #[error("the archive did not arrive whole")]
    Incomplete,
    #[error("the archive cannot be kept: {0}")]
    Io(#[from] io::Error),
    #[error(transparent)]
    Archive(#[from] archive::ArchiveError),
    #[error("no repository can be made: {0}")]
    Init(#[from] lithe_git::init::Error),
    #[error("the repository is damaged: {0}")]
    Damaged(String),
    #[error("{}", words::of_error(.0))]
    Store(Error),
}

impl From<Error> for ImportError {
    fn from(error: Error) -> Self {
        Self::Store(error)
    }
}

impl From<DiskError> for ImportError {
    fn from(error: DiskError) -> Self {
        Self::Store(error.into())
    }
}

/// A file or directory that is removed when it goes out of scope, if it is still there.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = match fs::symlink_metadata(&self.0) {
            Ok(data) if data.is_dir() => fs::remove_dir_all(&self.0),
            Ok(_) => fs::remove_file(&self.0),
            Err(_) => Ok(()),
        };
    }
}

/// Receives an archive, unpacks and checks it, and enters the repository that it holds.
pub fn answer<B>(head: &Parts, body: B, requester: Requester) -> Answer
where
    B: http_body::Body<Data = Bytes> + 'static,
{
    if head.method != Method::PUT {
        return operator::refuse(StatusCode::METHOD_NOT_ALLOWED, "archives are put");
    }
    let query = Fields::of_query(&head.uri);
    let new = NewRepository {
        path: query.get("path").to_owned(),
        description: String::new(),
        is_private: query.get("private") == "true",
    };
    let object_format = match query.get("object-format").parse() {
        Ok(named) => disk::object_format(named),
        Err(reason) => return operator::refuse(StatusCode::BAD_REQUEST, &format!("object-format: {reason}")),
    };
    let disk = Disk::mounted();
    // Better said before the archive arrives than after.
    if let Err(error) = (Lifecycle { registry: &requester, disk: &disk }).check(&new) {
        return operator::respond(Err(error));
    }
    later::reply(async move {
        match import(body, &new, object_format, &requester, &disk).await {
            Ok(path) => Reply::Done { message: format!("imported {path}") },
            Err(error) => Reply::Refused { message: error.to_string() },
        }
    })
}

/// Returns the path of the repository that was made.
async fn import<B>(
    body: B,
    new: &NewRepository,
    object_format: ObjectFormat,
    requester: &Requester,
    disk: &Disk,
) -> Result<String, ImportError>
where
    B: http_body::Body<Data = Bytes>,
{
    disk.clear_incoming();
    let archive = Temporary(disk.incoming("tar")?);
    receive(body, &archive.0, IMPORT_BYTES_MAX).await?;
    let unpacked = Temporary(disk.incoming("git")?);
    unpack(&archive.0, &unpacked.0, object_format)?;
    let lifecycle = Lifecycle { registry: requester, disk };
    Ok(lifecycle.adopt(new, &unpacked.0)?.path)
}

/// Writes a body of at most `bytes_max` bytes to a new file.
async fn receive<B>(body: B, place: &Path, bytes_max: u64) -> Result<(), ImportError>
where
    B: http_body::Body<Data = Bytes>,
{
    let mut file = File::create(place)?;
    let mut body = pin!(body);
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ImportError::Incomplete)?;
        if let Ok(data) = frame.into_data() {
            bytes += data.len() as u64;
            if bytes > bytes_max {
                return Err(ImportError::TooLarge);
            }
            file.write_all(&data)?;
        }
    }
    Ok(file.flush()?)
}

/// Makes a bare repository of that object format of an archive, beside the others, and checks it.
fn unpack(archive: &Path, unpacked: &Path, object_format: ObjectFormat) -> Result<(), ImportError> {
    init_bare(unpacked, "main", object_format)?;
    archive::unpack(BufReader::new(File::open(archive)?), unpacked)?;
    match check::check("", unpacked).problems.into_iter().next() {
        Some(problem) => Err(ImportError::Damaged(problem)),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body::Frame;
    use http_body_util::StreamBody;

    fn receive_parts(parts: Vec<Result<&'static [u8], ()>>, bytes_max: u64) -> Result<Vec<u8>, ImportError> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let place = directory.path().join("x.tar");
        let frames = parts.into_iter().map(|part| part.map(|data| Frame::data(Bytes::from(data))));
        let body = StreamBody::new(futures::stream::iter(frames));
        futures::executor::block_on(receive(body, &place, bytes_max))?;
        Ok(fs::read(&place).expect("written"))
    }

    #[test]
    fn archives_are_received_up_to_a_limit() {
        assert_eq!(receive_parts(vec![Ok(b"ab"), Ok(b"cd")], 4).expect("whole"), b"abcd");
        assert!(matches!(receive_parts(vec![Ok(b"ab"), Ok(b"cde")], 4), Err(ImportError::TooLarge)));
        assert!(matches!(receive_parts(vec![Ok(b"ab"), Err(())], 4), Err(ImportError::Incomplete)));
    }

    #[test]
    fn what_is_temporary_goes() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let place = |name: &str| directory.path().join(name);
        fs::create_dir_all(place("d/e")).expect("made");
        fs::write(place("f"), "").expect("made");
        for name in ["d", "f", "missing"] {
            drop(Temporary(place(name)));
        }
        assert_eq!(fs::read_dir(directory.path()).expect("readable").count(), 0);
    }

    #[test]
    fn a_ref_to_a_missing_object_is_damage() {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let mut builder = tar::Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        let id = format!("{}\n", "1".repeat(40));
        header.set_size(id.len() as u64);
        builder.append_data(&mut header, "refs/heads/main", id.as_bytes()).expect("memory takes it");
        let archive = directory.path().join("x.tar");
        fs::write(&archive, builder.into_inner().expect("memory takes it")).expect("written");
        let result = unpack(&archive, &directory.path().join("x.git"), ObjectFormat::Sha1);
        assert!(matches!(result, Err(ImportError::Damaged(_))), "{result:?}");
    }
}
