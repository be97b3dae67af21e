//! What is to be edited, by the address `/<path>/-/edit/<ref>/<file>`.

use bstr::{BStr, BString, ByteSlice as _};
use lithe_code::repository::{Error, Repository};
use lithe_code::revision::{self, Kind, Resolved, Revision};
use lithe_git::refs::Head;
use lithe_web::Fields;

const BRANCHES: &str = "refs/heads/";

/// What is to be done to files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Change a file, or its name.
    Change,
    /// Make a file in a directory.
    Create,
    /// Upload files to a directory.
    Upload,
    Delete,
}

impl Action {
    /// Reads `?new`, `?upload` and `?delete`.
    pub fn of(query: &Fields) -> Self {
        let actions = [Self::Create, Self::Upload, Self::Delete];
        actions.into_iter().find(|action| query.find(action.word()).is_some()).unwrap_or(Self::Change)
    }

    /// The word for it in an address; none for a change.
    pub fn word(self) -> &'static str {
        match self {
            Self::Change => "",
            Self::Create => "new",
            Self::Upload => "upload",
            Self::Delete => "delete",
        }
    }

    /// Whether it is about a directory, and not about a file that is there.
    pub fn is_in_directory(self) -> bool {
        matches!(self, Self::Create | Self::Upload)
    }
}

/// Where something is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    pub action: Action,
    /// What is looked at; none: there is no commit yet.
    pub revision: Option<Revision>,
    /// The full name of the branch that is looked at; none where a tag or a commit is.
    pub branch: Option<BString>,
    /// The file or the directory.
    pub path: BString,
}

impl Spot {
    /// Finds what the rest of an address means; none: there is no such revision.
    pub fn find(repository: Repository<'_>, action: Action, rest: &BStr) -> Result<Option<Self>, Error> {
        let is_empty = repository.refs.with_prefix(BRANCHES.into()).is_empty();
        Ok(match revision::resolve(repository, rest)? {
            Some(Resolved { revision, path }) => {
                let branch = (revision.kind == Kind::Branch).then(|| full_name(revision.name.as_bstr()));
                Some(Self { action, revision: Some(revision), branch, path })
            }
            None if is_empty && action.is_in_directory() => {
                let branch = unborn_branch(repository);
                let path = path_below(rest, branch.as_bstr());
                path.map(|path| Self { action, revision: None, branch: Some(branch), path })
            }
            None => None,
        })
    }

    /// How addresses name what is looked at.
    pub fn name(&self) -> &BStr {
        match (&self.revision, &self.branch) {
            (Some(revision), _) => revision.name.as_bstr(),
            (None, Some(branch)) => revision::short_name(branch.as_bstr()),
            (None, None) => "HEAD".into(),
        }
    }
}

/// The full name of a branch that an address names.
pub fn full_name(name: &BStr) -> BString {
    match name.starts_with(BRANCHES.as_bytes()) {
        true => name.to_owned(),
        false => [BRANCHES.as_bytes(), name.as_bytes()].concat().into(),
    }
}

/// The branch that `HEAD` names before there is one.
fn unborn_branch(repository: Repository<'_>) -> BString {
    match &repository.refs.head {
        Head::Symbolic(name) if name.starts_with(BRANCHES.as_bytes()) => name.clone(),
        Head::Symbolic(_) | Head::Detached(_) | Head::Missing => full_name("main".into()),
    }
}

/// The path in an address that begins with a branch, or is empty.
fn path_below(rest: &BStr, branch: &BStr) -> Option<BString> {
    let short = revision::short_name(branch);
    match rest.strip_prefix(short.as_bytes()) {
        _ if rest.is_empty() => Some(BString::default()),
        Some(b"") => Some(BString::default()),
        Some(path) => path.strip_prefix(b"/").map(Into::into),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_says_what_is_to_be_done() {
        let cases = [
            ("", Action::Change),
            ("new", Action::Create),
            ("upload=", Action::Upload),
            ("delete=1", Action::Delete),
            ("other", Action::Change),
        ];
        for (query, expected) in cases {
            assert_eq!(Action::of(&Fields::parse(query.as_bytes()).expect("a query")), expected, "{query}");
        }
    }

    #[test]
    fn an_empty_repository_has_the_branch_that_head_names() {
        let cases =
            [("", Some("")), ("main", Some("")), ("main/a/b", Some("a/b")), ("mainz", None), ("x", None)];
        for (rest, expected) in cases {
            let expected = expected.map(BString::from);
            assert_eq!(path_below(rest.into(), "refs/heads/main".into()), expected, "{rest}");
        }
    }
}
