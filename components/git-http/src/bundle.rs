//! A repository's bundle, `/-/bundle`, or that of one branch or tag, `/-/bundle/<ref>`.
//!
//! It is made of the same pack as a clone. Its bytes follow from the refs and packs alone, so that a
//! download that broke off can be gone on with.

use crate::answer::{self, Answer};
use crate::opening::Opened;
use crate::upload_pack::{Bundle, NoBundle, PackBody};
use bstr::{BStr, ByteSlice as _};
use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode, header};
use lithe_web::download::{self, Part};
use spin_sdk::http::{FullBody, box_body};
use std::path::Path;

/// Answers a request for the bundle of every ref, or of the one of that name.
pub fn answer(head: &Parts, repository: &Opened, cache_dir: &Path, name: Option<&BStr>) -> Answer {
    let made = make(head, &repository.git_dir, cache_dir, name);
    made.map_or_else(|reason| refuse(&reason, repository), |made| made.answer(head, repository, name))
}

/// What there is to be sent.
struct Made {
    etag: String,
    /// None: the client has it already.
    body: Option<PackBody>,
}

fn make(head: &Parts, git_dir: &Path, cache_dir: &Path, name: Option<&BStr>) -> Result<Made, NoBundle> {
    let bundle = Bundle::of(git_dir, name)?;
    let etag = bundle.etag()?;
    if download::is_known(&head.headers, &etag) {
        return Ok(Made { etag, body: None });
    }
    let mut body = bundle.into_body(cache_dir)?;
    if head.method == Method::GET && body.len().is_none() && download::asks_for_part(&head.headers, &etag) {
        // How long it is shows once it was made, and how it was made is remembered.
        while body.next_piece().map_err(crate::upload_pack::Error::from)?.is_some() {}
        let bundle = Bundle::of(git_dir, name)?;
        let etag = bundle.etag()?;
        return Ok(Made { etag, body: Some(bundle.into_body(cache_dir)?) });
    }
    Ok(Made { etag, body: Some(body) })
}

impl Made {
    fn answer(self, head: &Parts, repository: &Opened, name: Option<&BStr>) -> Answer {
        let Some(mut body) = self.body else {
            return describe(empty(StatusCode::NOT_MODIFIED), &self.etag, repository, name);
        };
        let Some(size) = body.len() else {
            return describe(self::body(head, body, repository), &self.etag, repository, name);
        };
        let (status, range) = match download::part(&head.headers, &self.etag, size) {
            _ if head.method == Method::HEAD => (StatusCode::OK, 0..size),
            Part::Whole => (StatusCode::OK, 0..size),
            Part::Bytes(range) => (StatusCode::PARTIAL_CONTENT, range),
            Part::Unsatisfiable => {
                let mut response = empty(StatusCode::RANGE_NOT_SATISFIABLE);
                response.headers_mut().insert(header::CONTENT_RANGE, download::no_content_range(size));
                return response;
            }
        };
        body.cut(range.clone());
        let mut response = self::body(head, body, repository);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(range.end - range.start));
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if status == StatusCode::PARTIAL_CONTENT {
            headers.insert(header::CONTENT_RANGE, download::content_range(&range, size));
        }
        describe(response, &self.etag, repository, name)
    }
}

/// The bundle itself; to `HEAD`, nothing.
fn body(head: &Parts, body: PackBody, repository: &Opened) -> Answer {
    if head.method == Method::HEAD {
        return empty(StatusCode::OK);
    }
    Response::new(answer::pieces(body, &repository.path))
}

fn empty(status: StatusCode) -> Answer {
    let mut response = Response::new(box_body(FullBody::new(Bytes::new())));
    *response.status_mut() = status;
    response
}

fn describe(mut response: Answer, etag: &str, repository: &Opened, name: Option<&BStr>) -> Answer {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-git-bundle"));
    download::save_as(headers, Some(&file_name(&repository.path, name)));
    download::revalidate(headers, etag);
    response
}

/// `demo.bundle`, or `demo-feature-x.bundle` of the branch `feature/x`.
fn file_name(path: &str, name: Option<&BStr>) -> String {
    let repository = path.rsplit('/').next().unwrap_or(path);
    match name {
        None => format!("{repository}.bundle"),
        Some(name) => {
            let short =
                [&b"refs/heads/"[..], b"refs/tags/"].iter().find_map(|prefix| name.strip_prefix(*prefix));
            let short = short.unwrap_or(name).to_str_lossy().replace('/', "-");
            format!("{repository}-{short}.bundle")
        }
    }
}

fn refuse(reason: &NoBundle, repository: &Opened) -> Answer {
    let status = match reason {
        NoBundle::Empty | NoBundle::UnknownRef => StatusCode::NOT_FOUND,
        NoBundle::Shallow => StatusCode::CONFLICT,
        NoBundle::Repository(error) => {
            eprintln!("there is no bundle of {}: {error}", repository.path);
            StatusCode::SERVICE_UNAVAILABLE
        }
    };
    answer::plain(status, &reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_saved_under_the_names_of_the_repository_and_the_ref() {
        let cases = [
            ("team/demo", None, "demo.bundle"),
            ("demo", Some("main"), "demo-main.bundle"),
            ("a/b/c", Some("feature/x"), "c-feature-x.bundle"),
            ("demo", Some("refs/tags/v1"), "demo-v1.bundle"),
            ("demo", Some("refs/notes/x"), "demo-refs-notes-x.bundle"),
        ];
        for (path, name, expected) in cases {
            assert_eq!(file_name(path, name.map(BStr::new)), expected);
        }
    }
}
