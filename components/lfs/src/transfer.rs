//! The basic transfer of objects (Git LFS, docs/api/basic-transfers.md).

use crate::answer::{self, Answer};
use crate::batch::{self, BatchRequest, ObjectRequest, Operation, Stock};
use crate::refusal::Refusal;
use crate::upload::Upload;
use crate::visit::Visit;
use crate::{download, json, refusal};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderMap, StatusCode, header};
use http_body::Body;
use http_body_util::BodyExt as _;
use lithe_forge::types::{Error, Permission};
use lithe_forge::{Requester, quotas};
use lithe_lfs::Oid;
use lithe_web::Fields;
use std::time::SystemTime;

/// Says which objects are to be sent, and where to or from.
pub fn batch(visit: &Visit, body: &[u8]) -> Result<Answer, Refusal> {
    let request: BatchRequest = json::read(body)?;
    if request.operation == Operation::Upload {
        visit.repository.require(Permission::Write)?;
    }
    request.check()?;
    let now = SystemTime::now();
    // What is about to be pushed counts on the objects that are here already.
    let size_of = |oid: &Oid| match request.operation {
        Operation::Upload => visit.objects.renew(oid, now),
        Operation::Download => visit.objects.size(oid),
    };
    let stock = Stock { size_of: &size_of, quota: visit.quota()?, base: &visit.base };
    Ok(answer::json(StatusCode::OK, &request.answer(&stock)?))
}

/// Sends an object.
pub fn download(visit: &Visit, oid: &Oid, head: &Parts) -> Result<Answer, Refusal> {
    let (file, size) = visit.objects.open(oid)?.ok_or(Refusal::Missing("object"))?;
    let query = Fields::of_query(&head.uri);
    Ok(download::answer(&head.headers, oid, query.find("name"), file, size)?)
}

/// Takes an object in.
pub async fn upload<B>(visit: &Visit, oid: &Oid, headers: &HeaderMap, mut body: B) -> Result<Answer, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
{
    visit.repository.require(Permission::Write)?;
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let quota = visit.quota()?;
    let is_here = visit.objects.size(oid)?.is_some();
    if !is_here {
        batch::check_room(&quota, quota.used_bytes, announced.unwrap_or(0))?;
    }
    let mut upload = if is_here { None } else { Some(Upload::begin(&visit.objects)?) };
    let mut size = 0;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Refusal::Cut)?.into_data() else { continue };
        size += data.len() as u64;
        batch::check_room(&quota, if is_here { 0 } else { quota.used_bytes }, size)?;
        if let Some(upload) = &mut upload {
            upload.write(&data)?;
        }
    }
    // What is here already is read to its end, for a client that sends before it listens.
    if let Some(mut upload) = upload {
        upload.verify(oid, announced)?;
        keep(visit, oid, headers, upload)?;
    }
    Ok(answer::empty(StatusCode::OK))
}

/// Puts a verified object in its place, if the requester may still do that and there is room for it
/// beside what came meanwhile.
fn keep(visit: &Visit, oid: &Oid, headers: &HeaderMap, upload: Upload) -> Result<(), Refusal> {
    // The proof of a password that the first call got may be too old by now.
    let requester = Requester::from_headers(headers);
    let (path, size) = (visit.permanent_path(), upload.size());
    let taken = requester.call(|credentials, client| quotas::take(credentials, client, &path, size));
    match taken {
        Err(Error::Conflict(words)) => return Err(Refusal::NoRoom(refusal::sentence(&words))),
        taken => taken.map_err(|error| visit.refusal(error))?,
    }
    let kept = upload.keep(&visit.objects, oid);
    if !matches!(kept, Ok(true)) {
        let given_back =
            requester.call(|credentials, client| quotas::give_back(credentials, client, &path, size));
        if let Err(error) = given_back {
            eprintln!("{size} bytes are counted that are not there, in repository {path}: {error:?}");
        }
    }
    kept?;
    Ok(())
}

/// Says whether an object is here, whole.
pub fn verify(visit: &Visit, body: &[u8]) -> Result<Answer, Refusal> {
    let request: ObjectRequest = json::read(body)?;
    let (oid, size) = request.parsed().map_err(|words| Refusal::Mismatch(words.to_owned()))?;
    match visit.objects.size(&oid)? {
        None => Err(Refusal::Missing("object")),
        Some(stored) if stored != size => Err(Refusal::Mismatch(format!("This object has {stored} bytes."))),
        Some(_) => Ok(answer::empty(StatusCode::OK)),
    }
}
