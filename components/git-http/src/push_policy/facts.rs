//! What the policy is told about a push that has to be found out first.

use crate::limits::{ADDRESSES_MAX, SIGNATURES_MAX, SIGNERS_MAX, UPDATES_JUDGED_MAX};
use crate::receive_pack::Proposal;
use crate::receive_pack::request::Command;
use bstr::ByteSlice;
use gix_hash::ObjectId;
use gix_object::{CommitRefIter, Kind};
use lithe_forge::push_policy::{Change, Update};
use lithe_forge::types;
use lithe_git::odb;
use lithe_git::proposed::{self, Objects};
use std::collections::HashSet;
use std::io;
use std::path::Path;

/// How many addresses the store is asked after at once.
pub const ADDRESSES_ASKED_MAX: usize = 1_000;

/// Why a push cannot be judged.
#[derive(Debug, thiserror::Error)]
pub enum FactError {
    #[error(
        "the push changes more than {UPDATES_JUDGED_MAX} refs at once, which the push policy cannot judge"
    )]
    TooManyUpdates,
    #[error("the name of the ref `{0}` is not UTF-8, which the push policy cannot judge")]
    Name(bstr::BString),
    #[error("the push has commits of more than {ADDRESSES_MAX} authors and committers at once")]
    TooManyAddresses,
    #[error("the push has more than {SIGNATURES_MAX} signed commits and tags at once")]
    TooManySignatures,
    #[error("the push has signatures by more than {SIGNERS_MAX} keys or committers at once")]
    TooManySigners,
    #[error(transparent)]
    Objects(#[from] odb::Error),
    #[error(transparent)]
    Refs(#[from] lithe_git::refs::Error),
    #[error("the size of the repository cannot be told: {0}")]
    Directory(io::Error),
    #[error("the store does not tell which addresses or keys are known: {0:?}")]
    Forge(types::Error),
}

impl FactError {
    /// Whether it is the pusher's to know and mend.
    pub fn is_for_pusher(&self) -> bool {
        matches!(
            self,
            Self::TooManyUpdates
                | Self::Name(_)
                | Self::TooManyAddresses
                | Self::TooManySignatures
                | Self::TooManySigners
        )
    }
}

/// What becomes of each ref.
pub fn updates(proposal: &Proposal, objects: &Objects) -> Result<Vec<Update>, FactError> {
    if proposal.commands.len() > UPDATES_JUDGED_MAX {
        return Err(FactError::TooManyUpdates);
    }
    let update = |command: &&Command| {
        let name = command.name.to_str().map_err(|_| FactError::Name(command.name.clone()))?;
        Ok(Update {
            name: name.to_owned(),
            old: command.old.map(|id| id.to_string()),
            new: command.new.map(|id| id.to_string()),
            change: change(command, objects)?,
        })
    };
    proposal.commands.iter().map(update).collect()
}

fn change(command: &Command, objects: &Objects) -> Result<Change, FactError> {
    let (old, new) = match (command.old, command.new) {
        (_, None) => return Ok(Change::Delete),
        (None, Some(_)) => return Ok(Change::Create),
        (Some(old), Some(new)) => (old, new),
    };
    // What the ref pointed to may be damaged; then it is not known to be reached.
    let is_commit = |id: &ObjectId| matches!(objects.header(id), Ok((Kind::Commit, _)));
    let advances = !command.name.starts_with(b"refs/tags/")
        && is_commit(&old)
        && is_commit(&new)
        && objects.is_ancestor(old, new)?;
    Ok(if advances { Change::Advance } else { Change::Force })
}

/// The addresses of the authors and committers of new commits, in lower case.
pub fn addresses(proposal: &Proposal, objects: &Objects) -> Result<Vec<String>, FactError> {
    let tips: Vec<ObjectId> = proposal.commands.iter().filter_map(|command| command.new).collect();
    let mut addresses = HashSet::new();
    for id in objects.new_commits(&tips, &proposed::tips(proposal.refs))? {
        let data = objects.object_of(&id, Kind::Commit)?;
        for signature in CommitRefIter::from_bytes(&data, id.kind()).signatures() {
            // One that is not UTF-8 belongs to no account.
            if let Ok(address) = signature.email.to_str() {
                addresses.insert(address.to_ascii_lowercase());
            }
        }
        if addresses.len() > ADDRESSES_MAX {
            return Err(FactError::TooManyAddresses);
        }
    }
    Ok(addresses.into_iter().collect())
}

/// What the objects of a repository take on disk, in bytes, those of pushes under way left aside.
pub fn objects_bytes(git_dir: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(git_dir.join("objects"))? {
        let entry = entry?;
        let name = entry.file_name();
        let is_fan = name.len() == 2 || name == "pack";
        if !is_fan || !entry.file_type()?.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(entry.path())? {
            match file?.metadata() {
                Ok(metadata) => bytes += metadata.len(),
                // Maintenance has removed it meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
