//! All refs at one moment.

use super::{Error, SYMBOLIC_DEPTH_MAX};
use bstr::{BStr, BString, ByteSlice};
use gix_hash::ObjectId;

/// Where `HEAD` points.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Head {
    /// To a ref, which need not exist.
    Symbolic(BString),
    /// To an object.
    Detached(ObjectId),
    /// There is no `HEAD`.
    #[default]
    Missing,
}

/// What a ref points to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    Id(ObjectId),
    /// Another ref, which need not exist.
    Symbolic(BString),
}

/// A ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ref {
    /// The full name, such as `refs/heads/main`.
    pub name: BString,
    pub target: Target,
    /// What the tag that it points to stands for, as far as `packed-refs` tells.
    pub peeled: Option<ObjectId>,
    /// Whether `peeled` is the last word: if it is none, the ref does not point to a tag.
    pub is_peel_known: bool,
}

/// All refs as they were read, once.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    pub head: Head,
    /// Sorted by name.
    pub refs: Vec<Ref>,
    /// Refs that were passed over because their name or contents are damaged, or lead nowhere but
    /// through too many symbolic refs. Sorted.
    pub broken: Vec<BString>,
}

impl Snapshot {
    /// The ref of that full name.
    pub fn find(&self, name: &BStr) -> Option<&Ref> {
        let index = self.refs.binary_search_by(|entry| entry.name.as_bstr().cmp(name));
        index.ok().map(|index| &self.refs[index])
    }

    /// The refs whose name begins with `prefix`.
    pub fn with_prefix(&self, prefix: &BStr) -> &[Ref] {
        let start = self.refs.partition_point(|entry| entry.name.as_bstr() < prefix);
        let rest = &self.refs[start..];
        &rest[..rest.partition_point(|entry| entry.name.starts_with(prefix))]
    }

    /// The object that the ref leads to, through symbolic refs; none if it ends at a ref that does not exist.
    ///
    /// Fails with [`Error::TooManySymbolicRefs`].
    pub fn resolve(&self, name: &BStr) -> Result<Option<ObjectId>, Error> {
        let mut name = name;
        for _ in 0..=SYMBOLIC_DEPTH_MAX {
            match self.find(name).map(|entry| &entry.target) {
                None => return Ok(None),
                Some(Target::Id(id)) => return Ok(Some(*id)),
                Some(Target::Symbolic(next)) => name = next.as_bstr(),
            }
        }
        Err(Error::TooManySymbolicRefs { name: name.into() })
    }

    /// Passes over symbolic refs that lead to one another in a circle, or too deep: they are broken.
    pub(super) fn pass_over_endless(&mut self) {
        let symbolic = self.refs.iter().filter(|entry| matches!(entry.target, Target::Symbolic(_)));
        let endless: Vec<BString> = symbolic
            .filter(|entry| self.resolve(entry.name.as_bstr()).is_err())
            .map(|entry| entry.name.clone())
            .collect();
        if !endless.is_empty() {
            self.refs.retain(|entry| !endless.contains(&entry.name));
            self.broken.extend(endless);
            self.broken.sort();
        }
    }

    /// The object that `HEAD` leads to; none if there is none yet.
    ///
    /// Fails as [`Snapshot::resolve`].
    pub fn head_id(&self) -> Result<Option<ObjectId>, Error> {
        match &self.head {
            Head::Missing => Ok(None),
            Head::Detached(id) => Ok(Some(*id)),
            Head::Symbolic(name) => self.resolve(name.as_bstr()),
        }
    }
}
