//! What was noted about a commit afterwards (git-notes(1)).

use crate::limits::NOTE_BYTES_MAX;
use crate::repository::{Error, Repository};
use bstr::{BStr, BString};
use gix_hash::oid;

/// The ref that notes are kept in unless Git is told otherwise.
const REF: &str = "refs/notes/commits";

/// The note about a commit; none if there is none, or it is larger than [`NOTE_BYTES_MAX`].
pub fn of(repository: Repository<'_>, commit_id: &oid) -> Result<Option<BString>, Error> {
    let tip = repository.refs.resolve(REF.into()).map_err(|error| Error::Read(error.to_string()))?;
    let Some(notes_id) = tip.map(|tip| repository.peel_to_commit(&tip)).transpose()?.flatten() else {
        return Ok(None);
    };
    let mut tree_id = repository.commit(&notes_id)?.tree_id;
    let digits = commit_id.to_string();
    let mut rest = digits.as_str();
    // With many notes, the first digits of an id, two at a time, are directories.
    while rest.len() > 2 {
        if let Some(entry) = repository.entry_at(&tree_id, rest.into())?.filter(|entry| entry.is_blob()) {
            return match repository.blob(&entry.id, NOTE_BYTES_MAX) {
                Ok(note) => Ok(Some(note.as_slice().into())),
                Err(Error::TooLarge(_)) => Ok(None),
                Err(error) => Err(error),
            };
        }
        let (directory, below) = rest.split_at(2);
        match repository.entry_at(&tree_id, BStr::new(directory))?.filter(|entry| entry.is_tree()) {
            Some(entry) => (tree_id, rest) = (entry.id, below),
            None => return Ok(None),
        }
    }
    Ok(None)
}
