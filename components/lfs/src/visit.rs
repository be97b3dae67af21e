//! A request about a repository that the requester may read.

use crate::refusal::{self, Refusal};
use http::HeaderMap;
use lithe_forge::opening::{self, Opened};
use lithe_forge::quotas::{self, Quota};
use lithe_forge::types::{Error, Permission};
use lithe_forge::{Requester, host_header};
use lithe_lfs::Objects;
use std::path::Path;

/// Where the objects are mounted.
const OBJECTS_DIR: &str = "/lfs";

/// A request about a repository that the requester may read.
pub struct Visit {
    pub requester: Requester,
    pub repository: Opened,
    pub objects: Objects,
    /// The address of the API for this repository, by the path that was asked for.
    pub base: String,
}

impl Visit {
    /// Opens the repository at `path` for whoever makes the request.
    pub fn begin(headers: &HeaderMap, path: &str) -> Result<Self, Refusal> {
        let requester = Requester::from_headers(headers);
        let repository = opening::open(&requester, path, Permission::Read)?;
        let objects = Objects::of(Path::new(OBJECTS_DIR), repository.repository.id);
        let full_url = host_header(headers, "spin-full-url").unwrap_or_default();
        Ok(Self { requester, repository, objects, base: base(full_url, path) })
    }

    /// The path of the repository that leads to it whatever happens meanwhile.
    pub fn permanent_path(&self) -> String {
        format!("_{}", self.repository.repository.id)
    }

    /// What may be stored for the repository.
    pub fn quota(&self) -> Result<Quota, Refusal> {
        self.requester
            .call(|credentials, client| quotas::get(credentials, client, &self.permanent_path()))
            .map_err(|error| self.refusal(error))
    }

    /// Why the store refuses something.
    pub fn refusal(&self, error: Error) -> Refusal {
        refusal::of_store(error, self.requester.is_anonymous())
    }
}

/// The address of the API for the repository at `path` where the client asked for `full_url`.
fn base(full_url: &str, path: &str) -> String {
    let after_scheme = full_url.find("://").map_or(0, |end| end + 3);
    let end = full_url[after_scheme..].find('/').map_or(full_url.len(), |length| after_scheme + length);
    format!("{}/{path}.git/info/lfs", &full_url[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_that_the_client_reached() {
        let cases = [
            ("http://127.0.0.1:8000/team/demo.git/info/lfs/objects/batch", "http://127.0.0.1:8000"),
            ("https://forge.example.org/_7/info/lfs/locks?x=http://y/z", "https://forge.example.org"),
            ("https://forge.example.org", "https://forge.example.org"),
            ("", ""),
        ];
        for (full_url, origin) in cases {
            assert_eq!(base(full_url, "team/demo"), format!("{origin}/team/demo.git/info/lfs"), "{full_url}");
        }
    }
}
