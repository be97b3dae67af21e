//! A push as HTTP has it: the body inflated where it is compressed, what became of it entered in the
//! journal. The rest is `receive_pack`'s.

use crate::answer::{self, Answer};
use crate::opening::{Opened, reopen};
use crate::push_policy;
use crate::receive_pack::{self, Change, Outcome, Policy};
use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use futures::{Stream, StreamExt as _};
use http::{HeaderMap, StatusCode};
use http_body::Body;
use http_body_util::BodyDataStream;
use lithe_forge::types::Permission;
use lithe_forge::{Requester, journal};
use spin_sdk::http::{FullBody, box_body};
use std::fmt::Write as _;
use std::io::Write as _;
use std::pin::Pin;

/// How many changed refs the journal names; of the rest it says how many there are.
const REFS_NAMED_MAX: usize = 20;

/// The refs of a repository, for whoever wants to push to it.
pub fn advertise(repository: &Opened) -> Answer {
    match receive_pack::advertise(&repository.git_dir) {
        Ok(bytes) => answer::advertisement(crate::route::Service::ReceivePack, bytes),
        Err(error) => unreadable(&error),
    }
}

/// Takes a push.
pub async fn receive<B>(repository: &Opened, headers: &HeaderMap, body: B) -> Answer
where
    B: Body<Data = Bytes> + Unpin + 'static,
{
    let body: Pin<Box<dyn Stream<Item = Result<Bytes, ()>>>> = match answer::is_gzipped(headers) {
        Ok(false) => Box::pin(BodyDataStream::new(body).map(|piece| piece.map_err(drop))),
        Ok(true) => Box::pin(inflated(BodyDataStream::new(body).map(|piece| piece.map_err(drop)))),
        Err(refusal) => return answer::refusal(refusal),
    };
    let policy = Policy::default();
    let push = match receive_pack::receive(&repository.git_dir, body, &policy).await {
        Ok(push) => push,
        Err(error) => return failure(&error),
    };
    if let Err(denial) = reopen(headers, repository, Permission::Write) {
        return answer::denial(&denial);
    }
    match finish(push, &Requester::from_headers(headers), repository) {
        Ok(outcome) => {
            let body = box_body(FullBody::new(Bytes::from(outcome.body)));
            answer::git("application/x-git-receive-pack-result", body)
        }
        Err(error) => failure(&error),
    }
}

/// Carries out a push that has arrived whole: asks the policy, and enters what was changed in the journal.
pub fn finish(
    push: receive_pack::Push,
    requester: &Requester,
    repository: &Opened,
) -> Result<Outcome, receive_pack::Error> {
    let outcome = push.finish(&mut push_policy::Policy { requester, repository })?;
    enter(requester, repository, &outcome);
    Ok(outcome)
}

fn failure(error: &receive_pack::Error) -> Answer {
    match error {
        receive_pack::Error::Request(error) => {
            answer::plain(StatusCode::BAD_REQUEST, &format!("The request cannot be read: {error}."))
        }
        receive_pack::Error::Refs(error) => unreadable(error),
    }
}

/// A push that is done stays done, whether or not the journal can be written.
fn enter(requester: &Requester, repository: &Opened, outcome: &Outcome) {
    if let Some(refusal) = &outcome.refusal {
        eprintln!("refused a push to {}: {refusal}", repository.path);
    }
    if outcome.changes.is_empty() {
        return;
    }
    let details = details(&outcome.changes);
    let entered = requester
        .call(|credentials, client| journal::record_push(credentials, client, &repository.path, &details));
    if let Err(error) = entered {
        eprintln!("a push to {} is not in the journal: {error:?}", repository.path);
    }
}

/// Which refs moved, a line each: name, old id, new id; `-` for none.
fn details(changes: &[Change]) -> String {
    let id =
        |id: Option<gix_hash::ObjectId>| id.map_or("-".to_owned(), |id| id.to_hex_with_len(12).to_string());
    let mut details = String::new();
    for change in changes.iter().take(REFS_NAMED_MAX) {
        writeln!(details, "{} {} {}", change.name, id(change.old), id(change.new))
            .expect("a string takes it");
    }
    if changes.len() > REFS_NAMED_MAX {
        writeln!(details, "and {} more", changes.len() - REFS_NAMED_MAX).expect("a string takes it");
    }
    details
}

/// Inflates a gzip stream as it comes. What follows from a damaged one is an end too soon.
fn inflated(body: impl Stream<Item = Result<Bytes, ()>>) -> impl Stream<Item = Result<Bytes, ()>> {
    let mut decoder = MultiGzDecoder::new(Vec::new());
    body.map(move |piece| {
        decoder.write_all(&piece?).map_err(drop)?;
        decoder.flush().map_err(drop)?;
        Ok(Bytes::from(std::mem::take(decoder.get_mut())))
    })
}

fn unreadable(error: &lithe_git::refs::Error) -> Answer {
    eprintln!("the refs cannot be read: {error}");
    answer::plain(StatusCode::INTERNAL_SERVER_ERROR, "The repository's refs cannot be read.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use gix_hash::ObjectId;

    #[test]
    fn the_journal_names_the_refs_up_to_a_number() {
        let change = |number: usize| Change {
            name: format!("refs/heads/{number}").into(),
            old: None,
            new: Some(ObjectId::null(gix_hash::Kind::Sha1)),
        };
        assert_eq!(details(&[change(0)]), "refs/heads/0 - 000000000000\n");
        let many: Vec<_> = (0..REFS_NAMED_MAX + 2).map(change).collect();
        assert!(details(&many[..REFS_NAMED_MAX]).ends_with("refs/heads/19 - 000000000000\n"));
        assert!(details(&many).ends_with("and 2 more\n"));
    }

    #[test]
    fn a_compressed_body_is_inflated_piece_by_piece() {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&[b'x'; 10_000]).expect("memory takes it");
        let gzip = Bytes::from(encoder.finish().expect("memory takes it"));
        let pieces: Vec<_> = gzip.chunks(10).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let whole = inflated(futures::stream::iter(pieces)).map(|piece| piece.expect("it is sound").to_vec());
        assert_eq!(futures::executor::block_on(whole.concat()), [b'x'; 10_000]);
    }
}
