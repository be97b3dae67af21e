//! What commits changed, as files for machines: `/-/commit/<id>.diff` for `git apply`, and
//! `/-/commit/<id>.patch` for `git am`.

use crate::diff::patch::{Budget, Patch};
use crate::diff::{self, Options, Origins, mail};
use crate::limits::PATCH_BYTES_MAX;
use crate::place::Failure;
use crate::raw::Disposition;
use bstr::{BStr, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_code::marks::FileMarks;
use lithe_code::repository::{Commit, Error, Repository};

/// In which form changes are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The changes alone.
    Diff,
    /// A mail for each commit.
    Mail,
}

/// Takes `.diff` or `.patch` off the end of an address.
pub fn split_form(rest: &BStr) -> Option<(&BStr, Form)> {
    let [diff, mail] = [".diff", ".patch"].map(|end| rest.strip_suffix(end.as_bytes()));
    match (diff, mail) {
        (Some(rest), _) => Some((rest.as_bstr(), Form::Diff)),
        (_, Some(rest)) => Some((rest.as_bstr(), Form::Mail)),
        _ => None,
    }
}

/// What a browser does with it: it shows it as text.
pub fn disposition() -> Disposition {
    Disposition { content_type: "text/plain; charset=utf-8".into(), attachment: None }
}

/// The tag of what is made from these commits. It does not change while this build of the component runs.
pub fn etag(commit_ids: &[ObjectId], form: Form, dots: &str) -> String {
    let ids: Vec<String> = commit_ids.iter().map(|id| id.to_hex_with_len(20).to_string()).collect();
    let form = match form {
        Form::Diff => "d",
        Form::Mail => "m",
    };
    format!(
        "\"{}-{form}{}\"",
        ids.join(if dots.is_empty() { "-" } else { dots }),
        &env!("RENDERING_FINGERPRINT")[..8]
    )
}

/// What a commit changed since its first parent.
pub fn of_commit(repository: Repository<'_>, commit_id: ObjectId, form: Form) -> Result<Vec<u8>, Failure> {
    let commit = repository.commit(&commit_id)?;
    let patch = patch_of(repository, &commit, &mut Budget::default())?;
    match form {
        Form::Diff => Ok(patch.bytes),
        Form::Mail => {
            let mut mails = Vec::new();
            mail::push(&mut mails, &commit, (1, 1), &patch);
            Ok(mails)
        }
    }
}

/// What lies between two trees; none is the empty tree.
pub fn between(
    repository: Repository<'_>,
    before: Option<ObjectId>,
    after: ObjectId,
    budget: &mut Budget,
) -> Result<Patch, Failure> {
    let changes = diff::trees(repository, before, after, Origins::Deleted)?;
    if changes.is_cut {
        return Err(too_large(after));
    }
    let mut patch = Patch::default();
    let mut marks = FileMarks::new(repository, &after)?;
    patch.push((repository, &mut marks), &changes.files, Options::default(), budget)?;
    Ok(patch)
}

/// A mail for each commit, in the order given; merges are left out, as `git format-patch` does.
pub fn series(repository: Repository<'_>, commits: &[Commit]) -> Result<Vec<u8>, Failure> {
    let commits: Vec<&Commit> = commits.iter().filter(|commit| commit.parent_ids.len() < 2).collect();
    let mut mails = Vec::new();
    let mut budget = Budget::default();
    for (index, commit) in commits.iter().enumerate() {
        let patch = patch_of(repository, commit, &mut budget)?;
        mail::push(&mut mails, commit, (index + 1, commits.len()), &patch);
        if mails.len() > PATCH_BYTES_MAX {
            return Err(too_large(commit.id));
        }
    }
    Ok(mails)
}

fn patch_of(repository: Repository<'_>, commit: &Commit, budget: &mut Budget) -> Result<Patch, Failure> {
    let before = match commit.parent_ids.first() {
        Some(parent) => Some(repository.commit(parent)?.tree_id),
        None => None,
    };
    between(repository, before, commit.tree_id, budget)
}

fn too_large(id: ObjectId) -> Failure {
    Failure::Repository(Error::TooLarge(id))
}
