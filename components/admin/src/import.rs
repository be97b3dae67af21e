//! `/-/admin/operator/import`: a repository as an archive.

use crate::archive;
use crate::disk::{Disk, DiskError};
use crate::lifecycle::Lifecycle;
use crate::limits::IMPORT_BYTES_MAX;
use crate::{check, operator};
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::BodyExt;
use lithe_forge::Requester;
use lithe_forge::repositories::NewRepository;
use lithe_forge::types::Error;
use lithe_git::init::init_bare;
use lithe_operator::Reply;
use lithe_web::{Answer, Fields};
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;

/// Why an archive did not arrive.
#[derive(Debug, thiserror::Error)]
enum ReceiveError {
    #[error("the archive is larger than {IMPORT_BYTES_MAX} bytes")]
    TooLarge,
    #[error("the archive did not arrive whole")]
    Incomplete,
    #[error("the archive cannot be kept: {0}")]
    Io(#[from] io::Error),
}

/// A file or directory that is removed when it goes out of scope, if it is still there.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
        let _ = fs::remove_file(&self.0);
    }
}

/// Receives an archive, unpacks and checks it, and enters the repository that it holds.
pub async fn answer<B>(head: &Parts, body: B, requester: &Requester) -> Answer
where
    B: http_body::Body<Data = Bytes>,
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
    let disk = Disk::mounted();
    let lifecycle = Lifecycle { registry: requester, disk: &disk };
    // Better said before the archive arrives than after.
    if let Err(error) = lifecycle.check(&new) {
        return operator::respond(Err(error));
    }
    let archive = match disk.incoming("tar") {
        Ok(place) => Temporary(place),
        Err(error) => return operator::respond(Err(error.into())),
    };
    if let Err(error) = receive(body, &archive.0).await {
        let status = match error {
            ReceiveError::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ReceiveError::Incomplete => StatusCode::BAD_REQUEST,
            ReceiveError::Io(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        return operator::refuse(status, &error.to_string());
    }
    operator::respond(take_in(&archive.0, &new, &lifecycle))
}

/// Writes a body to a file.
async fn receive<B>(body: B, place: &Path) -> Result<(), ReceiveError>
where
    B: http_body::Body<Data = Bytes>,
{
    let mut file = File::create(place)?;
    let mut body = pin!(body);
    let mut bytes = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| ReceiveError::Incomplete)?;
        if let Ok(data) = frame.into_data() {
            bytes += data.len() as u64;
            if bytes > IMPORT_BYTES_MAX {
                return Err(ReceiveError::TooLarge);
            }
            file.write_all(&data)?;
        }
    }
    Ok(file.flush()?)
}

/// Makes a repository of an archive: unpacked beside the others, checked, then put in its place.
fn take_in(archive: &Path, new: &NewRepository, lifecycle: &Lifecycle<Requester>) -> Result<Reply, Error> {
    let refused = |message: String| Ok(Reply::Refused { message });
    let unpacked = Temporary(lifecycle.disk.incoming("git")?);
    let failed = |source: io::Error| Error::from(DiskError::Io { directory: ".incoming".to_owned(), source });
    init_bare(&unpacked.0, "main").map_err(|error| failed(io::Error::other(error.to_string())))?;
    let file = File::open(archive).map_err(failed)?;
    if let Err(error) = archive::unpack(BufReader::new(file), &unpacked.0) {
        return refused(error.to_string());
    }
    let check = check::check(&new.path, &unpacked.0);
    if let Some(problem) = check.problems.first() {
        return refused(format!("the repository is damaged: {problem}"));
    }
    let made = lifecycle.adopt(new, &unpacked.0)?;
    Ok(Reply::Done { message: format!("imported {}", made.path) })
}
