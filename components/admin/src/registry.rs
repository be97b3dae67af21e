//! What the store knows of repositories, as far as directories follow it.

use crate::limits::BATCH_ENTRIES;
use lithe_forge::Requester;
use lithe_forge::access::{self, Opened, Place};
use lithe_forge::quotas;
use lithe_forge::repositories::{self, NewRepository};
use lithe_forge::types::{Error, Page, Repository, RepositoryId};

/// The store's side of a repository's life; see wit/repositories.wit.
pub trait Registry {
    fn check_new(&self, new: &NewRepository) -> Result<(), Error>;
    fn create(&self, new: &NewRepository) -> Result<Repository, Error>;
    fn open(&self, path: &str) -> Result<Repository, Error>;
    fn begin_rename(&self, path: &str, new_path: &str) -> Result<Repository, Error>;
    fn finish_rename(&self, path: &str) -> Result<Repository, Error>;
    fn delete(&self, path: &str) -> Result<Repository, Error>;
    fn deleted(&self) -> Result<Vec<Repository>, Error>;
    fn restore(&self, id: RepositoryId) -> Result<Repository, Error>;
    fn purge(&self, id: RepositoryId) -> Result<(), Error>;
    /// How many bytes the large files of a repository are said to take up.
    fn large_file_bytes(&self, id: RepositoryId) -> Result<u64, Error>;
    /// Enters how many they take up, where `used` was entered before they were counted.
    fn recount_large_files(&self, id: RepositoryId, used: u64, counted: u64) -> Result<(), Error>;
    /// Enters that so many bytes of them are gone.
    fn give_back_large_files(&self, id: RepositoryId, bytes: u64) -> Result<(), Error>;
    /// Every repository, by path, deleted ones included.
    fn all(&self) -> Result<Vec<Repository>, Error>;
}

/// The store, called with the credentials of a request.
impl Registry for Requester {
    fn check_new(&self, new: &NewRepository) -> Result<(), Error> {
        self.call(|credentials, client| repositories::check_new(credentials, client, new))
    }

    fn create(&self, new: &NewRepository) -> Result<Repository, Error> {
        self.call(|credentials, client| repositories::create(credentials, client, new))
    }

    fn open(&self, path: &str) -> Result<Repository, Error> {
        match self.call(|credentials, client| access::open(credentials, client, path))? {
            Opened { place: Place::Repository(repository), .. } => Ok(repository),
            _ => Err(Error::NotFound),
        }
    }

    fn begin_rename(&self, path: &str, new_path: &str) -> Result<Repository, Error> {
        self.call(|credentials, client| repositories::begin_rename(credentials, client, path, new_path))
    }

    fn finish_rename(&self, path: &str) -> Result<Repository, Error> {
        self.call(|credentials, client| repositories::finish_rename(credentials, client, path))
    }

    fn delete(&self, path: &str) -> Result<Repository, Error> {
        self.call(|credentials, client| repositories::delete(credentials, client, path))
    }

    fn deleted(&self) -> Result<Vec<Repository>, Error> {
        self.call(repositories::deleted)
    }

    fn restore(&self, id: RepositoryId) -> Result<Repository, Error> {
        self.call(|credentials, client| repositories::restore(credentials, client, id))
    }

    fn purge(&self, id: RepositoryId) -> Result<(), Error> {
        self.call(|credentials, client| repositories::purge(credentials, client, id))
    }

    fn large_file_bytes(&self, id: RepositoryId) -> Result<u64, Error> {
        let path = format!("_{id}");
        Ok(self.call(|credentials, client| quotas::get(credentials, client, &path))?.used_bytes)
    }

    fn recount_large_files(&self, id: RepositoryId, used: u64, counted: u64) -> Result<(), Error> {
        let path = format!("_{id}");
        self.call(|credentials, client| quotas::recount(credentials, client, &path, used, counted))
    }

    fn give_back_large_files(&self, id: RepositoryId, bytes: u64) -> Result<(), Error> {
        let path = format!("_{id}");
        self.call(|credentials, client| quotas::give_back(credentials, client, &path, bytes))
    }

    fn all(&self) -> Result<Vec<Repository>, Error> {
        let mut all = Vec::new();
        loop {
            let offset = u32::try_from(all.len()).unwrap_or(u32::MAX);
            let page = Page { offset, limit: BATCH_ENTRIES };
            let batch = self.call(|credentials, client| repositories::all(credentials, client, page))?;
            let is_last = batch.len() < BATCH_ENTRIES as usize;
            all.extend(batch);
            if is_last {
                return Ok(all);
            }
        }
    }
}
