//! The names that people want to be called by (gitmailmap(5)), from `.mailmap` in the default branch.

use crate::limits::{MAILMAP_BYTES_MAX, MAILMAPS_KEPT_MAX};
use crate::repository::{Error, Repository, Signature};
use crate::revision;
use bstr::{BStr, BString, ByteSlice as _};
use gix_actor::SignatureRef;
use gix_hash::ObjectId;
use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

/// Which name and address stand for which. By default, every one for itself.
#[derive(Debug, Default)]
pub struct Mailmap {
    people: gix_mailmap::Snapshot,
    /// The address to stand in the place of one that differs from it in case alone, by name, if it is one person's,
    /// and address, both in small letters. The snapshot gives one wherever the mailmap's case is another.
    recased: HashMap<(Option<String>, String), BString>,
}

thread_local! {
    /// Those that were read last, by the file that they are from.
    static KEPT: RefCell<VecDeque<(ObjectId, Rc<Mailmap>)>> = const { RefCell::new(VecDeque::new()) };
}

impl Mailmap {
    /// Reads the text of a mailmap; lines that make no sense count for nothing.
    pub fn parse(text: &[u8]) -> Self {
        let mut recased = HashMap::new();
        for entry in gix_mailmap::parse_ignore_errors(text) {
            let old = entry.old_email();
            if let Some(new) = entry.new_email().filter(|new| new.eq_ignore_ascii_case(old)) {
                recased.insert(key(entry.old_name(), old), new.to_owned());
            }
        }
        Self { people: gix_mailmap::Snapshot::from_bytes(text), recased }
    }

    /// That of the default branch. One that is missing, too large or cannot be read is empty.
    pub fn of(repository: Repository<'_>) -> Rc<Self> {
        find(repository).ok().flatten().unwrap_or_default()
    }

    /// The signature with the name and address that are to stand there.
    ///
    /// Names and addresses are compared without regard to case.
    pub fn resolve(&self, signature: &Signature) -> Signature {
        let asked = SignatureRef { name: signature.name.as_ref(), email: signature.email.as_ref(), time: "" };
        let mut resolved = signature.clone();
        if let Some(found) = self.people.try_resolve_ref(asked) {
            if let Some(name) = found.name {
                resolved.name = name.into();
            }
            match found.email {
                Some(email) if email.eq_ignore_ascii_case(&signature.email) => {
                    resolved.email = self.recased(signature);
                }
                Some(email) => resolved.email = email.into(),
                None => {}
            }
        }
        resolved
    }

    /// The address in the case that the mailmap has for it; else as it is.
    fn recased(&self, Signature { name, email, .. }: &Signature) -> BString {
        let of = |name| self.recased.get(&key(name, email.as_bstr()));
        of(Some(name.as_bstr())).or_else(|| of(None)).unwrap_or(email).to_owned()
    }
}

fn key(name: Option<&BStr>, email: &BStr) -> (Option<String>, String) {
    let small = |text: &BStr| text.to_str_lossy().to_lowercase();
    (name.map(small), small(email))
}

fn find(repository: Repository<'_>) -> Result<Option<Rc<Mailmap>>, Error> {
    let Some(landing) = revision::landing_branch(repository)? else { return Ok(None) };
    let commit = repository.commit(&landing.commit_id)?;
    let entry = repository.entry_at(&commit.tree_id, ".mailmap".into())?;
    let Some(entry) = entry.filter(|entry| entry.mode.is_blob()) else { return Ok(None) };
    let known = KEPT
        .with_borrow(|kept| kept.iter().find(|(id, _)| *id == entry.id).map(|(_, mailmap)| mailmap.clone()));
    if known.is_some() {
        return Ok(known);
    }
    let mailmap = Rc::new(Mailmap::parse(&repository.blob(&entry.id, MAILMAP_BYTES_MAX)?));
    KEPT.with_borrow_mut(|kept| {
        kept.push_front((entry.id, mailmap.clone()));
        kept.truncate(MAILMAPS_KEPT_MAX);
    });
    Ok(Some(mailmap))
}
