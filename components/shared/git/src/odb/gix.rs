//! The store behind the traits of `gix-object`, so that the `gix-*` crates work on it.

use super::{Error, Store};
use gix_error::message;
use gix_hash::oid;
use gix_object::{Data, Exists, Find, FindHeader, Header};

impl Find for Store {
    fn try_find<'a>(&self, id: &oid, buffer: &'a mut Vec<u8>) -> gix_error::Result<Option<Data<'a>>> {
        match self.object(id) {
            Ok(object) => {
                buffer.clear();
                buffer.extend_from_slice(&object.data);
                Ok(Some(Data { kind: object.kind, object_hash: id.kind(), data: buffer }))
            }
            Err(Error::Missing(_)) => Ok(None),
            Err(error) => Err(corrupted(&error)),
        }
    }
}

impl FindHeader for Store {
    fn try_header(&self, id: &oid) -> gix_error::Result<Option<Header>> {
        match self.object_header(id) {
            Ok((kind, size)) => Ok(Some(Header { kind, size })),
            Err(Error::Missing(_)) => Ok(None),
            Err(error) => Err(corrupted(&error)),
        }
    }
}

impl Exists for Store {
    fn exists(&self, id: &oid) -> bool {
        self.contains(id).unwrap_or(false)
    }
}

fn corrupted(error: &Error) -> gix_error::Error {
    message!("{error}").corrupted_error()
}
