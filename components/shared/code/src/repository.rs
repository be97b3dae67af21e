//! Reading a repository's objects: commits, trees, files and tags, each within its limit.

use crate::limits::{OBJECT_BYTES_MAX, TITLE_BYTES_MAX};
use crate::memory::Memory;
use crate::text;
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::{ObjectId, oid};
use gix_object::tree::{EntryKind, EntryMode};
use gix_object::{CommitRef, Kind, TagRef, TreeRefIter};
use lithe_git::commit_graph::CommitGraph;
use lithe_git::format::ObjectFormat;
use lithe_git::odb::{Object, Reader};
use lithe_git::refs::Snapshot;
use lithe_signatures::Signed;
use std::sync::Arc;

/// How many tags may point to one another.
const TAG_DEPTH_MAX: usize = 32;

/// Where objects come from.
pub trait Objects {
    /// An object's kind and size in bytes, without its contents; none if it is not there.
    fn header(&self, id: &oid) -> Result<Option<(Kind, u64)>, Error>;

    /// An object's size in bytes; none if it is not there.
    fn size(&self, id: &oid) -> Result<Option<u64>, Error> {
        Ok(self.header(id)?.map(|(_, size)| size))
    }

    /// An object's kind and contents; none if it is not there.
    fn object(&self, id: &oid) -> Result<Option<Object>, Error>;

    /// Opens an object to be read piece by piece; none if it is not there.
    ///
    /// Fails with [`Error::TooLarge`] where it has to be made in memory and has more than `made_bytes_max`.
    fn reader(&self, id: &oid, made_bytes_max: u64) -> Result<Option<Reader>, Error> {
        match self.object(id)? {
            Some(object) if object.data.len() as u64 > made_bytes_max => Err(Error::TooLarge(id.to_owned())),
            object => Ok(object.map(Reader::of_object)),
        }
    }

    /// Whether whoever may read the repository may see a commit that is there: one that it only borrows,
    /// and any where refs are hidden, if one of the refs that are not reaches it.
    fn may_show(&self, commit_id: &oid, refs: &Snapshot) -> Result<bool, Error>;

    /// The commit-graph, if there is one that can be used.
    fn commit_graph(&self) -> Option<&CommitGraph>;

    /// The digest that ids are made by.
    fn format(&self) -> ObjectFormat;

    /// What was found out about the repository before; none: nothing is kept.
    fn memory(&self) -> Option<&Memory> {
        None
    }

    /// The objects whose id begins with the prefix: all, or two of them if there are more.
    fn with_prefix(&self, prefix: &gix_hash::Prefix) -> Result<Vec<ObjectId>, Error>;
}

/// Why an object could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("object {0} is missing")]
    Missing(ObjectId),
    #[error("object {0} is damaged")]
    Damaged(ObjectId),
    #[error("object {0} is larger than may be read")]
    TooLarge(ObjectId),
    #[error("{0}")]
    Read(String),
}

/// One repository, as it was when its refs were read.
#[derive(Clone, Copy)]
pub struct Repository<'a> {
    pub objects: &'a dyn Objects,
    pub refs: &'a Snapshot,
}

/// Who made a commit or tag, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    pub name: BString,
    pub email: BString,
    /// Seconds since the epoch; 0 if it cannot be read.
    pub seconds: i64,
    /// Seconds east of UTC.
    pub offset: i32,
}

impl Signature {
    /// Reads the value of an `author`, `committer` or `tagger` line, whatever can be read of it.
    fn parse(line: &BStr) -> Self {
        let Ok(signature) = gix_actor::SignatureRef::from_bytes(line) else {
            return Self { name: line.into(), email: BString::default(), seconds: 0, offset: 0 };
        };
        let time = signature.time().ok();
        let signature = signature.trim();
        Self {
            name: signature.name.into(),
            email: signature.email.into(),
            seconds: time.map_or_else(|| signature.seconds(), |time| time.seconds),
            offset: time.map_or(0, |time| time.offset),
        }
    }

    /// The name for people, or else the address.
    pub fn display_name(&self) -> String {
        let name = if self.name.is_empty() { &self.email } else { &self.name };
        match text::visible(name) {
            name if name.is_empty() => "Nobody".to_owned(),
            name => name,
        }
    }
}

/// A commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub id: ObjectId,
    pub tree_id: ObjectId,
    pub parent_ids: Vec<ObjectId>,
    pub author: Signature,
    pub committer: Signature,
    pub message: BString,
    /// The name of the message's encoding; none: UTF-8.
    pub encoding: Option<BString>,
}

impl Commit {
    /// The message as text.
    pub fn text(&self) -> String {
        let named = self.encoding.as_ref().and_then(|label| encoding_rs::Encoding::for_label(label));
        match (named, std::str::from_utf8(&self.message)) {
            (Some(encoding), _) if encoding != encoding_rs::UTF_8 => {
                encoding.decode(&self.message).0.into_owned()
            }
            (_, Ok(message)) => message.to_owned(),
            (_, Err(_)) => encoding_rs::WINDOWS_1252.decode(&self.message).0.into_owned(),
        }
    }

    /// The first line of the message.
    pub fn title(&self) -> String {
        let message = self.text();
        match message.lines().map(str::trim).find(|line| !line.is_empty()) {
            Some(title) => text::visible(&title.as_bytes()[..title.floor_char_boundary(TITLE_BYTES_MAX)]),
            None => "(no message)".to_owned(),
        }
    }
}

/// A tag object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    pub target_id: ObjectId,
    pub tagger: Option<Signature>,
    pub message: BString,
}

/// What a tree holds under a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: BString,
    pub mode: EntryMode,
    pub id: ObjectId,
}

impl Entry {
    /// Whether it is a directory.
    pub fn is_tree(&self) -> bool {
        self.mode.kind() == EntryKind::Tree
    }

    /// Whether it is a file or a symbolic link.
    pub fn is_blob(&self) -> bool {
        !self.is_tree() && self.mode.kind() != EntryKind::Commit
    }
}

impl<'a> Repository<'a> {
    /// An object's kind and size in bytes, without its contents.
    pub fn header(&self, id: &oid) -> Result<(Kind, u64), Error> {
        self.objects.header(id)?.ok_or_else(|| Error::Missing(id.to_owned()))
    }

    /// An object's size in bytes, for whom its kind does not matter.
    pub fn size(&self, id: &oid) -> Result<u64, Error> {
        self.objects.size(id)?.ok_or_else(|| Error::Missing(id.to_owned()))
    }

    /// The contents of an object that has to be of one kind.
    ///
    /// Fails with [`Error::TooLarge`] if it has more than `bytes_max` bytes, before they are read.
    fn contents(&self, id: &oid, kind: Kind, bytes_max: u64) -> Result<Arc<Vec<u8>>, Error> {
        match self.header(id)? {
            (found, _) if found != kind => return Err(Error::Damaged(id.to_owned())),
            (_, size) if size > bytes_max => return Err(Error::TooLarge(id.to_owned())),
            _ => {}
        }
        let object = self.objects.object(id)?.ok_or_else(|| Error::Missing(id.to_owned()))?;
        Ok(object.data)
    }

    /// A commit taken apart into what is signed of it and its signature; none if it has none.
    pub fn signed(&self, id: &oid) -> Result<Option<Signed>, Error> {
        let data = self.contents(id, Kind::Commit, OBJECT_BYTES_MAX)?;
        Ok(Signed::of_commit(&data, id.kind()))
    }

    /// A tag object taken apart into what is signed of it and its signature; none if it has none.
    pub fn signed_tag(&self, id: &oid) -> Result<Option<Signed>, Error> {
        Ok(Signed::of_tag(&self.contents(id, Kind::Tag, OBJECT_BYTES_MAX)?))
    }

    /// A commit.
    pub fn commit(&self, id: &oid) -> Result<Commit, Error> {
        let data = self.contents(id, Kind::Commit, OBJECT_BYTES_MAX)?;
        let commit = CommitRef::from_bytes(&data, id.kind()).map_err(|_| Error::Damaged(id.to_owned()))?;
        Ok(Commit {
            id: id.to_owned(),
            tree_id: commit.tree(),
            parent_ids: commit.parents().collect(),
            author: Signature::parse(commit.author),
            committer: Signature::parse(commit.committer),
            message: commit.message.into(),
            encoding: commit.encoding.map(Into::into),
        })
    }

    /// A tag object.
    pub fn tag(&self, id: &oid) -> Result<Tag, Error> {
        let data = self.contents(id, Kind::Tag, OBJECT_BYTES_MAX)?;
        let tag = TagRef::from_bytes(&data, id.kind()).map_err(|_| Error::Damaged(id.to_owned()))?;
        Ok(Tag {
            target_id: tag.target(),
            tagger: tag.tagger.map(Signature::parse),
            message: tag.message.into(),
        })
    }

    /// A tree as it is stored.
    pub(crate) fn stored_tree(&self, id: &oid) -> Result<Arc<Vec<u8>>, Error> {
        if *id == *ObjectId::empty_tree(id.kind()) {
            return Ok(Arc::default());
        }
        self.contents(id, Kind::Tree, OBJECT_BYTES_MAX)
    }

    /// The entries of a tree, in Git's order.
    pub fn tree(&self, id: &oid) -> Result<Vec<Entry>, Error> {
        let data = self.stored_tree(id)?;
        TreeRefIter::from_bytes(&data, id.kind())
            .map(|entry| match entry {
                Ok(entry) => {
                    Ok(Entry { name: entry.filename.into(), mode: entry.mode, id: entry.oid.to_owned() })
                }
                Err(_) => Err(Error::Damaged(id.to_owned())),
            })
            .collect()
    }

    /// What stands at `path` below a tree; none if nothing does. The empty path is the tree itself.
    pub fn entry_at(&self, tree_id: &oid, path: &BStr) -> Result<Option<Entry>, Error> {
        let mut found =
            Entry { name: BString::default(), mode: EntryKind::Tree.into(), id: tree_id.to_owned() };
        if path.is_empty() {
            return Ok(Some(found));
        }
        for segment in path.split_str("/") {
            if !found.is_tree() {
                return Ok(None);
            }
            match self.child(&found.id, segment.as_bstr())? {
                Some(child) => found = child,
                None => return Ok(None),
            }
        }
        Ok(Some(found))
    }

    fn child(&self, tree_id: &oid, name: &BStr) -> Result<Option<Entry>, Error> {
        let data = self.stored_tree(tree_id)?;
        for entry in TreeRefIter::from_bytes(&data, tree_id.kind()) {
            let entry = entry.map_err(|_| Error::Damaged(tree_id.to_owned()))?;
            if entry.filename == name {
                return Ok(Some(Entry { name: name.into(), mode: entry.mode, id: entry.oid.to_owned() }));
            }
        }
        Ok(None)
    }

    /// A file's contents.
    pub fn blob(&self, id: &oid, bytes_max: u64) -> Result<Arc<Vec<u8>>, Error> {
        self.contents(id, Kind::Blob, bytes_max)
    }

    /// The contents of a file that is known to be small enough.
    pub fn small_blob(&self, id: &oid) -> Result<Arc<Vec<u8>>, Error> {
        let object = self.objects.object(id)?.ok_or_else(|| Error::Missing(id.to_owned()))?;
        if object.kind == Kind::Blob { Ok(object.data) } else { Err(Error::Damaged(id.to_owned())) }
    }

    /// Opens a file to be read piece by piece, whatever its size.
    ///
    /// Fails with [`Error::TooLarge`] where it has to be made in memory, being stored as a delta, and has more
    /// than `made_bytes_max` bytes.
    pub fn blob_reader(&self, id: &oid, made_bytes_max: u64) -> Result<Reader, Error> {
        let reader = self.objects.reader(id, made_bytes_max)?.ok_or_else(|| Error::Missing(id.to_owned()))?;
        if reader.kind() == Kind::Blob { Ok(reader) } else { Err(Error::Damaged(id.to_owned())) }
    }

    /// The commit that an object is or that its tags lead to; none if they lead to something else.
    pub fn peel_to_commit(&self, id: &oid) -> Result<Option<ObjectId>, Error> {
        let mut id = id.to_owned();
        for _ in 0..TAG_DEPTH_MAX {
            match self.header(&id)?.0 {
                Kind::Commit => return Ok(Some(id)),
                Kind::Tag => id = self.tag(&id)?.target_id,
                Kind::Tree | Kind::Blob => return Ok(None),
            }
        }
        Ok(None)
    }
}
