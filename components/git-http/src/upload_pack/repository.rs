//! The repository that is served: its refs, and its objects once they are needed.

use super::error::Error;
use crate::limits::REFS_MAX;
use bstr::{BStr, ByteSlice};
use gix_hash::{ObjectId, oid};
use gix_object::Kind;
use lithe_git::format::ObjectFormat;
use lithe_git::odb::{self, Store};
use lithe_git::refs::{Head, Hidden, Ref, RefStore, Side, Snapshot};
use lithe_git::walk::{Located, ObjectSet, Tag, reach, shallow};
use std::cell::OnceCell;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// A repository with its refs as they were when the request came.
pub struct Repository {
    git_dir: PathBuf,
    object_format: ObjectFormat,
    pub refs: Snapshot,
    hidden: Hidden,
    store: OnceCell<Store>,
    /// Whether bitmaps and the like are used.
    has_shortcuts: bool,
    /// What the refs reach; only found out of a repository that borrows.
    reached_commits: OnceCell<HashSet<ObjectId>>,
    reached: OnceCell<ObjectSet>,
}

/// One advertised ref.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertised {
    pub name: Vec<u8>,
    pub id: ObjectId,
    /// The ref that a symbolic one stands for.
    pub symref_target: Option<Vec<u8>>,
    /// What an annotated tag stands for.
    pub peeled: Option<ObjectId>,
}

impl Repository {
    /// Opens the bare repository at `git_dir` and reads its refs.
    pub fn open(git_dir: &Path) -> Result<Self, Error> {
        let ref_store = RefStore::open(git_dir)?;
        let refs = ref_store.snapshot()?;
        if refs.refs.len() > REFS_MAX {
            return Err(Error::TooMany { what: "refs", limit: REFS_MAX });
        }
        Ok(Self {
            git_dir: git_dir.to_owned(),
            object_format: ref_store.object_format(),
            refs,
            hidden: Hidden::read(git_dir, Side::UploadPack)?,
            store: OnceCell::new(),
            has_shortcuts: true,
            reached_commits: OnceCell::new(),
            reached: OnceCell::new(),
        })
    }

    /// Has everything read from the objects themselves.
    pub fn without_shortcuts(self) -> Self {
        Self { has_shortcuts: false, store: OnceCell::new(), ..self }
    }

    /// Whether bitmaps and the like are used.
    pub fn has_shortcuts(&self) -> bool {
        self.has_shortcuts
    }

    /// The directory of the repository.
    pub fn git_dir(&self) -> &Path {
        &self.git_dir
    }

    /// The digest that its ids are made by.
    pub fn object_format(&self) -> ObjectFormat {
        self.object_format
    }

    /// The objects.
    pub fn store(&self) -> Result<&Store, Error> {
        if let Some(store) = self.store.get() {
            return Ok(store);
        }
        let mut store = Store::open(&self.git_dir)?;
        if !self.has_shortcuts {
            store = store.without_shortcuts();
        }
        Ok(self.store.get_or_init(|| store))
    }

    /// Whether an object is here, and the repository's readers may have it: what it only borrows they may
    /// have if one of its refs reaches it.
    pub fn has(&self, id: &oid) -> Result<bool, Error> {
        let store = self.store()?;
        if !store.is_borrowed(id)? {
            return Ok(store.contains(id)?);
        }
        if store.object_header(id)?.0 == Kind::Commit {
            return Ok(self.reached_commits()?.contains(id));
        }
        let reached = match self.reached.get() {
            Some(reached) => reached,
            None => {
                let tips: Vec<ObjectId> = self.tips()?.into_iter().collect();
                let reached = reach::objects(store, &tips, self.shallow()?)?;
                self.reached.get_or_init(|| reached)
            }
        };
        Ok(Located::find(store, id)?.is_some_and(|at| reached.contains(at)))
    }

    /// The commits that refs reach which are not hidden.
    pub fn reached_commits(&self) -> Result<&HashSet<ObjectId>, Error> {
        if let Some(reached) = self.reached_commits.get() {
            return Ok(reached);
        }
        let store = self.store()?;
        let mut commits = Vec::new();
        for tip in self.tips()? {
            let (_, target, kind) = Tag::peel(store, &tip)?;
            commits.extend((kind == Kind::Commit).then_some(target));
        }
        let reached = reach::commits(store, &commits, &self.shallow()?)?;
        Ok(self.reached_commits.get_or_init(|| reached))
    }

    /// Gives the objects away, for a response that outlives the request.
    pub fn into_store(self) -> Result<Store, Error> {
        self.store()?;
        Ok(self.store.into_inner().expect("it was just opened"))
    }

    /// `HEAD`, if it leads to an object, and every ref below `refs/`, by name.
    ///
    /// Symbolic refs that lead nowhere, refs whose object is missing, and hidden ones are left out.
    pub fn advertised(&self, is_listed: impl Fn(&[u8]) -> bool) -> Result<Vec<Advertised>, Error> {
        let is_listed = |name: &[u8]| is_listed(name) && !self.hidden.hides(name.as_bstr());
        let mut list = Vec::new();
        if is_listed(b"HEAD")
            && let Some(id) = self.refs.head_id()?
        {
            let symref_target = match &self.refs.head {
                Head::Symbolic(name) => Some(name.to_vec()),
                _ => None,
            };
            let peeled = symref_target.as_ref().and_then(|name| self.refs.find(name.as_bstr()));
            let is_branch = peeled.is_some_and(|entry| entry.name.starts_with(b"refs/heads/"));
            if let Some(peeled) = self.peel(id, is_branch.then_some(None))? {
                list.push(Advertised { name: b"HEAD".to_vec(), id, symref_target, peeled: peeled.target });
            }
        }
        for entry in self.refs.refs.iter().filter(|entry| is_listed(&entry.name)) {
            list.extend(self.advertise(entry)?);
        }
        Ok(list)
    }

    fn advertise(&self, entry: &Ref) -> Result<Option<Advertised>, Error> {
        let Some(id) = self.refs.resolve(entry.name.as_bstr())? else { return Ok(None) };
        let symref_target = match &entry.target {
            lithe_git::refs::Target::Symbolic(name) => Some(name.to_vec()),
            lithe_git::refs::Target::Id(_) => None,
        };
        let known = if entry.is_peel_known && symref_target.is_none() {
            Some(entry.peeled)
        } else {
            // A branch is always a commit.
            entry.name.starts_with(b"refs/heads/").then_some(None)
        };
        let peeled = self.peel(id, known)?;
        Ok(peeled.map(|peeled| Advertised {
            name: entry.name.to_vec(),
            id,
            symref_target,
            peeled: peeled.target,
        }))
    }

    /// What `id` stands for; none: the object is missing.
    fn peel(&self, id: ObjectId, known: Option<Option<ObjectId>>) -> Result<Option<Peeled>, Error> {
        if let Some(target) = known {
            return Ok(Some(Peeled { target }));
        }
        match Tag::peel(self.store()?, &id) {
            Ok((_, target, _)) => Ok(Some(Peeled { target: (target != id).then_some(target) })),
            Err(odb::Error::Missing(_)) => Ok(None),
            // Who wants this tag is told; who does not need not know.
            Err(
                odb::Error::DamagedEntry { .. }
                | odb::Error::DamagedLoose { .. }
                | odb::Error::DamagedObject { .. }
                | odb::Error::TooLarge { .. },
            ) => Ok(Some(Peeled { target: None })),
            Err(error) => Err(error.into()),
        }
    }

    /// The refs that may be annotated tags: what they point to, and what that stands for if it is known.
    pub fn tags(&self) -> Vec<(ObjectId, Option<ObjectId>)> {
        let tags = self.visible().filter(|entry| entry.name.starts_with(b"refs/tags/"));
        tags.filter(|entry| !entry.is_peel_known || entry.peeled.is_some())
            .filter_map(|entry| match entry.target {
                lithe_git::refs::Target::Id(id) => Some((id, entry.peeled)),
                lithe_git::refs::Target::Symbolic(_) => None,
            })
            .collect()
    }

    /// Whether objects may have to be kept from who asks for them by their ids.
    pub fn has_hidden_refs(&self) -> bool {
        self.refs.refs.iter().any(|entry| self.hidden.hides(entry.name.as_bstr()))
    }

    /// The object that a ref leads to which is not hidden; `HEAD` is one too.
    pub fn resolve(&self, name: &BStr) -> Result<Option<ObjectId>, Error> {
        Ok(match name {
            name if self.hidden.hides(name) => None,
            name if name == "HEAD" => self.refs.head_id()?,
            name => self.refs.resolve(name)?,
        })
    }

    /// Every object that a ref points to which is not hidden.
    pub fn tips(&self) -> Result<HashSet<ObjectId>, Error> {
        let mut tips = HashSet::new();
        for entry in self.visible() {
            // What a symbolic ref stands for may be hidden itself, and is shown by this one.
            tips.extend(self.refs.resolve(entry.name.as_bstr())?);
        }
        tips.extend(self.resolve("HEAD".into())?);
        Ok(tips)
    }

    fn visible(&self) -> impl Iterator<Item = &Ref> {
        self.refs.refs.iter().filter(|entry| !self.hidden.hides(entry.name.as_bstr()))
    }

    /// The commits whose parents this repository itself has not got.
    pub fn shallow(&self) -> Result<HashSet<ObjectId>, Error> {
        Ok(shallow::of_repository(&self.git_dir, self.object_format)?)
    }
}

struct Peeled {
    target: Option<ObjectId>,
}
