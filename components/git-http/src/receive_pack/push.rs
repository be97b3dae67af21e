//! One push, from its first byte to its answer.

use super::commands::{self, FAILED, MISSING_OBJECTS, UNPACKER, Verdict};
use super::judge::{Arrived, Judge, Proposal};
use super::limits::{DRAINED_BYTES_MAX, MESSAGES_MAX};
use super::report::Report;
use super::request::{Reader, Request};
use super::{Change, Error, Outcome, Policy};
use crate::upload_pack::objects_message;
use bstr::ByteSlice;
use gix_hash::{ObjectId, oid};
use gix_object::{Find, Kind, TagRefIter};
use lithe_git::connectivity::{self, Connectivity, Incoming, Outside};
use lithe_git::durable;
use lithe_git::format::ObjectFormat;
use lithe_git::fsck;
use lithe_git::index_pack::{self, Indexed, Receiver};
use lithe_git::limits::TAGS_NESTED_MAX;
use lithe_git::maintenance;
use lithe_git::odb;
use lithe_git::quarantine::{self, Keep, Quarantine};
use lithe_git::refs::{Expected, Hidden, Mode, Options, RefStore, Side, Snapshot, Update, UpdateError};
use lithe_git::walk::Tag;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A push while it arrives. Dropping it before [`Push::finish`] leaves nothing behind.
pub struct Push<'a> {
    git_dir: PathBuf,
    policy: &'a Policy,
    state: State,
}

enum State {
    Request(Reader, RefStore),
    Body(Box<Body>),
}

/// What follows the commands.
struct Body {
    request: Request,
    refs: RefStore,
    before: Snapshot,
    verdicts: Vec<Verdict>,
    pack: Pack,
    /// Why the repository's own objects cannot be read, for the log.
    unreadable: Option<String>,
}

enum Pack {
    /// Nothing but deletions.
    None,
    Arriving(Box<Receiver<Incoming>>, Quarantine),
    /// Not wanted any more: why, if not for the verdicts on the commands; and how much of it was read since.
    Refused(Option<String>, u64),
}

impl<'a> Push<'a> {
    /// Begins a push to the bare repository at `git_dir`.
    ///
    /// Fails with [`Error::Refs`] if it is none, or not of a format that is understood and written.
    pub fn new(git_dir: &Path, policy: &'a Policy) -> Result<Self, Error> {
        let refs = RefStore::open(git_dir)?;
        refs.require_writable()?;
        let reader = Reader::new(refs.object_format());
        Ok(Self { git_dir: git_dir.to_path_buf(), policy, state: State::Request(reader, refs) })
    }

    /// Takes the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.state {
            State::Request(reader, refs) => {
                let used = reader.read(bytes)?;
                if reader.is_complete() {
                    let reader = std::mem::replace(reader, Reader::new(refs.object_format()));
                    let body = Body::begin(&self.git_dir, refs.clone(), reader.finish()?, self.policy)?;
                    self.state = State::Body(Box::new(body));
                    return self.write(&bytes[used..]);
                }
            }
            State::Body(body) => body.pack.write(bytes),
        }
        Ok(())
    }

    /// Whether no more need be read: the push is refused and its sender has been given a chance to listen.
    pub fn has_enough(&self) -> bool {
        matches!(&self.state, State::Body(body) if matches!(body.pack, Pack::Refused(_, drained) if drained > DRAINED_BYTES_MAX))
    }

    /// The body has ended: carries out what can be, and what the judge has nothing against.
    pub fn finish(self, judge: &mut dyn Judge) -> Result<Outcome, Error> {
        match self.state {
            State::Request(reader, _) => {
                reader.finish()?;
                unreachable!("a complete request begins the body")
            }
            State::Body(body) => Ok(body.finish(&self.git_dir, self.policy, judge)),
        }
    }
}

impl Pack {
    fn write(&mut self, bytes: &[u8]) {
        match self {
            Pack::Arriving(receiver, _) => {
                if let Err(error) = receiver.write(bytes) {
                    *self = Pack::Refused(Some(error.to_string()), 0);
                }
            }
            Pack::Refused(_, drained) => *drained += bytes.len() as u64,
            Pack::None => {}
        }
    }
}

impl Body {
    fn begin(git_dir: &Path, refs: RefStore, request: Request, policy: &Policy) -> Result<Self, Error> {
        let now = SystemTime::now();
        // A push goes on whether or not there was something to clean up, and whether or not it could be.
        let _ = refs.remove_stale_locks(now);
        let _ = quarantine::remove_stale(git_dir, now);
        let before = refs.snapshot()?;
        let hidden = Hidden::read(git_dir, Side::Receive)?;
        let verdicts = commands::check(&request.commands, request.capabilities.is_atomic, &before, &hidden);
        let has_pack = request.commands.iter().any(|command| command.new.is_some());
        let is_wanted = verdicts
            .iter()
            .zip(&request.commands)
            .any(|(verdict, command)| verdict.is_ok() && command.new.is_some());
        let pack = match (has_pack, is_wanted) {
            (false, _) => Pack::None,
            (true, false) => Pack::Refused(None, 0),
            (true, true) => Pack::begin(git_dir, refs.object_format(), policy),
        };
        Ok(Self { request, refs, before, verdicts, pack, unreadable: None })
    }

    fn finish(mut self, git_dir: &Path, policy: &Policy, judge: &mut dyn Judge) -> Outcome {
        let mut messages = Vec::new();
        let mut unpack = Ok(());
        let (mut keep, mut witness) = (None, None);
        match std::mem::replace(&mut self.pack, Pack::None) {
            Pack::None | Pack::Refused(None, _) => self.judge(git_dir, None, judge, &mut messages),
            Pack::Refused(Some(why), _) => unpack = Err(why),
            Pack::Arriving(receiver, quarantine) => {
                match self.accept(git_dir, *receiver, &quarantine, judge, &mut messages) {
                    Ok(kept) => keep = kept,
                    Err(why) => unpack = Err(why),
                }
                witness = Some(quarantine);
            }
        }
        if unpack.is_err() {
            self.refuse_pending(UNPACKER);
        }
        self.update_refs(git_dir, policy, witness.as_ref().map(Quarantine::objects_dir), &mut messages);
        drop(witness);
        if keep.take().is_some() {
            // The push is done, whether or not its pack becomes one with others.
            let _ = maintenance::gather(git_dir, SystemTime::now());
        }
        self.outcome(unpack, messages)
    }

    /// The commands that nothing speaks against.
    fn pending(&self) -> Vec<usize> {
        (0..self.verdicts.len()).filter(|&index| self.verdicts[index].is_ok()).collect()
    }

    fn refuse_pending(&mut self, why: &str) {
        for index in self.pending() {
            self.verdicts[index] = Err(why.to_owned());
        }
    }

    /// Checks the pack and moves it to the repository.
    ///
    /// Fails with words for the client if the pack is not to be had; a ref that lacks objects is refused by itself.
    fn accept(
        &mut self,
        git_dir: &Path,
        receiver: Receiver<Incoming>,
        quarantine: &Quarantine,
        judge: &mut dyn Judge,
        messages: &mut Vec<String>,
    ) -> Result<Option<Keep>, String> {
        let store = odb::Store::open(git_dir).map_err(|error| self.unreadable(&error))?;
        let (indexed, incoming) =
            receiver.finish(&store, &quarantine.index_path()).map_err(|error| error.to_string())?;
        check_attributes(&incoming, &indexed, quarantine, &store)?;
        self.check_connectivity(git_dir, &incoming, &indexed, &store, messages)?;
        self.check_tags(&indexed, &quarantine, &store)?;
        let arrived = Arrived {
            objects_dir: quarantine.objects_dir(),
            pack_bytes: indexed.pack_bytes,
            object_count: indexed.objects.len(),
        };
        self.judge(git_dir, Some(arrived), judge, messages);
        commands::stand_together(&mut self.verdicts, self.request.capabilities.is_atomic);
        let is_wanted = self.pending().iter().any(|&index| self.request.commands[index].new.is_some());
        if !is_wanted {
            return Ok(None);
        }
        if indexed.objects.is_empty() {
            // What the refs reach may have come by a push that is still under way.
            durable::sync_directory(&git_dir.join("objects/pack"))
                .map_err(|error| index_pack::Error::Io(error).to_string())?;
            return Ok(None);
        }
        let keep = quarantine.migrate(&indexed).map_err(|error| index_pack::Error::Io(error).to_string())?;
        Ok(Some(keep))
    }

    /// Refuses what the judge has something against.
    fn judge(
        &mut self,
        git_dir: &Path,
        arrived: Option<Arrived>,
        judge: &mut dyn Judge,
        messages: &mut Vec<String>,
    ) {
        commands::stand_together(&mut self.verdicts, self.request.capabilities.is_atomic);
        let pending = self.pending();
        if pending.is_empty() {
            return;
        }
        let judgement = judge.judge(&Proposal {
            git_dir,
            refs: &self.before,
            commands: pending.iter().map(|&index| &self.request.commands[index]).collect(),
            arrived,
            options: &self.request.push_options,
        });
        for (place, reason) in judgement.refused {
            self.verdicts[pending[place]] = Err(reason);
        }
        if let Some(reason) = judgement.refusal {
            self.refuse_pending(&reason);
        }
        messages.extend(judgement.messages);
    }

    fn check_connectivity(
        &mut self,
        git_dir: &Path,
        incoming: &Incoming,
        indexed: &Indexed,
        store: &odb::Store,
        messages: &mut Vec<String>,
    ) -> Result<(), String> {
        let before = std::mem::take(&mut self.before);
        let checked = match Connectivity::new(git_dir, store, &before) {
            Ok(connectivity) => self.check_arrived(connectivity, incoming, indexed, store, messages),
            Err(error) => self.refuse_for(error, Vec::new()),
        };
        self.before = before;
        checked
    }

    /// Checks what came, else the new tips, one by one.
    fn check_arrived(
        &mut self,
        mut connectivity: Connectivity,
        incoming: &Incoming,
        indexed: &Indexed,
        store: &odb::Store,
        messages: &mut Vec<String>,
    ) -> Result<(), String> {
        let of_pack = incoming.outside(indexed).and_then(|outside| connectivity.check(outside));
        match of_pack {
            Ok(()) => self.check_tips(&mut connectivity, indexed, store, messages),
            Err(error) => {
                messages.push(format!("error: {}", in_words(&error)));
                let creating = |&index: &usize| self.request.commands[index].new.is_some();
                let concerned = self.pending().into_iter().filter(creating).collect();
                self.refuse_for(error, concerned)
            }
        }
    }

    /// Refuses refs that lead through too many tags: whoever clones would have to follow them all.
    fn check_tags(
        &mut self,
        indexed: &Indexed,
        quarantine: &Quarantine,
        store: &odb::Store,
    ) -> Result<(), String> {
        if !indexed.objects.iter().any(|(_, kind)| *kind == Kind::Tag) {
            return Ok(());
        }
        let arrived =
            odb::Store::of_objects_dir(quarantine.objects_dir().to_path_buf(), store.object_format())
                .map_err(|error| self.unreadable(&error))?;
        let store_of = |id: &oid| if indexed.kind(id).is_some() { &arrived } else { store };
        for index in self.pending() {
            let Some(new) = self.request.commands[index].new else { continue };
            let mut id = new;
            let mut count = 0;
            // What is missing or no tag at all was found when connectivity was checked.
            while let Ok(data) = store_of(&id).object_of(&id, Kind::Tag)
                && let Some(tag) = Tag::parse(&data, id.kind())
                && count <= TAGS_NESTED_MAX
            {
                count += 1;
                id = tag.target;
            }
            if count > TAGS_NESTED_MAX {
                self.verdicts[index] =
                    Err(format!("{FAILED}: it leads through more than {TAGS_NESTED_MAX} tags"));
            }
        }
        Ok(())
    }

    /// Checks what the new refs point to, all at once if all is well.
    fn check_tips(
        &mut self,
        connectivity: &mut Connectivity,
        indexed: &Indexed,
        store: &odb::Store,
        messages: &mut Vec<String>,
    ) -> Result<(), String> {
        let mut all = Outside::default();
        let mut each = Vec::new();
        for index in self.pending() {
            let command = &self.request.commands[index];
            let Some(new) = command.new else {
                continue;
            };
            let mut outside = Outside::default();
            match outside.add_tip(new, indexed, store) {
                Ok(kind) if kind != Kind::Commit && command.name.starts_with(b"refs/heads/") => {
                    self.verdicts[index] =
                        Err(format!("{FAILED}: a branch points to a commit, not to a {kind}"));
                }
                Ok(_) => {
                    all.append(outside.clone());
                    each.push((index, outside));
                }
                Err(error) => {
                    messages.push(format!("error: {}: {}", command.name, in_words(&error)));
                    self.refuse_for(error, vec![index])?;
                }
            }
        }
        if connectivity.check(all).is_ok() {
            return Ok(());
        }
        for (index, outside) in each {
            if let Err(error) = connectivity.check(outside) {
                let name = &self.request.commands[index].name;
                messages.push(format!("error: {name}: {}", in_words(&error)));
                self.refuse_for(error, vec![index])?;
            }
        }
        Ok(())
    }

    /// Notes for the log why the repository's own objects cannot be read; returns what to tell the client.
    fn unreadable(&mut self, error: &odb::Error) -> String {
        self.unreadable.get_or_insert_with(|| error.to_string());
        objects_message(error)
    }

    /// Refuses commands for want of objects; other errors are those of the whole push.
    fn refuse_for(&mut self, error: connectivity::Error, concerned: Vec<usize>) -> Result<(), String> {
        match &error {
            connectivity::Error::Missing { .. } => {}
            connectivity::Error::Store(error) => return Err(self.unreadable(error)),
            other => return Err(other.to_string()),
        }
        let why = if self.request.is_shallow { "shallow update not allowed" } else { MISSING_OBJECTS };
        for index in concerned {
            self.verdicts[index] = Err(why.to_owned());
        }
        Ok(())
    }

    /// Changes the refs, unless `witness`, which lay in the repository, has gone with it.
    fn update_refs(
        &mut self,
        git_dir: &Path,
        policy: &Policy,
        witness: Option<&Path>,
        messages: &mut Vec<String>,
    ) {
        if witness.is_some_and(|witness| !witness.is_dir()) {
            messages.push(format!("error: {}", UpdateError::Moved));
            self.refuse_pending(FAILED);
        }
        commands::stand_together(&mut self.verdicts, self.request.capabilities.is_atomic);
        let pending = self.pending();
        let created = pending.iter().map(|&index| &self.request.commands[index]);
        let created = created.filter(|command| command.new.is_some()).map(|command| &command.name);
        // Before the branches, so that a crash leaves an empty repository and not one without a default branch.
        if let Some(head) = commands::first_head(created, &self.before)
            && let Err(error) = self.refs.set_head(head.as_bstr())
        {
            messages.push(format!("warning: HEAD stays as it is: {error}"));
        }
        let store = odb::Store::open(git_dir).ok();
        let peel = |id: &oid| {
            store.as_ref().map_or_else(|| Err(io::ErrorKind::NotFound.into()), |store| peel(store, id))
        };
        let reflog = policy.reflog.as_ref();
        let mut options = Options { mode: Mode::All, peel: Some(&peel), reflog, witness };
        if self.request.capabilities.is_atomic {
            self.transact(&pending, &options, messages);
            return;
        }
        options.mode = Mode::Each;
        // Deletions go first, so that `a` can make room for `a/b`.
        let (deletions, others): (Vec<_>, Vec<_>) =
            pending.into_iter().partition(|&index| self.request.commands[index].new.is_none());
        self.transact(&deletions, &options, messages);
        self.transact(&others, &options, messages);
    }

    fn transact(&mut self, indexes: &[usize], options: &Options, messages: &mut Vec<String>) {
        let commands = indexes.iter().map(|&index| &self.request.commands[index]);
        let updates: Vec<_> = commands
            .map(|command| Update {
                name: command.name.clone(),
                expected: command.old.map_or(Expected::Missing, Expected::Is),
                new: command.new,
            })
            .collect();
        let results = match self.refs.transact(&updates, options) {
            Ok(results) => results,
            Err(error) => {
                messages.push(format!("error: {error}"));
                indexes.iter().map(|_| Err(UpdateError::Aborted)).collect()
            }
        };
        for (&index, result) in indexes.iter().zip(results) {
            if let Err(error) = result {
                let why = match error {
                    UpdateError::Aborted if options.mode == Mode::All => commands::ATOMIC,
                    UpdateError::Locked => "cannot lock ref",
                    _ => FAILED,
                };
                if !matches!(error, UpdateError::Aborted) {
                    messages.push(format!("error: {}: {error}", self.request.commands[index].name));
                }
                self.verdicts[index] = Err(why.to_owned());
            }
        }
    }

    fn outcome(self, unpack: Result<(), String>, mut messages: Vec<String>) -> Outcome {
        let more = messages.len().saturating_sub(MESSAGES_MAX);
        messages.truncate(MESSAGES_MAX);
        if more > 0 {
            messages.push(format!("… and {more} more"));
        }
        let capabilities = self.request.capabilities;
        let refusal = self.unreadable.or_else(|| unpack.as_ref().err().cloned());
        let refusal = refusal.or_else(|| messages.first().cloned());
        let commands = self.request.commands.into_iter();
        let mut changes = Vec::new();
        let mut refs = Vec::with_capacity(self.verdicts.len());
        for (command, verdict) in commands.zip(self.verdicts) {
            if verdict.is_ok() {
                changes.push(Change { name: command.name.clone(), old: command.old, new: command.new });
            }
            refs.push((command.name, verdict));
        }
        let report = Report { unpack, refs, messages };
        // A client that only asked whether it may push expects nothing.
        let body = match report.refs.is_empty() {
            true => Vec::new(),
            false => report.to_bytes(&capabilities),
        };
        Outcome { body, report, changes, refusal }
    }
}

impl Pack {
    fn begin(git_dir: &Path, object_format: ObjectFormat, policy: &Policy) -> Self {
        let begun = Quarantine::create(git_dir).map_err(index_pack::Error::Io).and_then(|quarantine| {
            let incoming = Incoming::new(object_format);
            let receiver = Receiver::create(&quarantine.pack_path(), object_format, policy.limits, incoming)?;
            Ok((receiver, quarantine))
        });
        match begun {
            Ok((receiver, quarantine)) => Pack::Arriving(Box::new(receiver), quarantine),
            Err(error) => Pack::Refused(Some(error.to_string()), 0),
        }
    }
}

/// What to tell the client. Paths of the server are left out.
fn in_words(error: &connectivity::Error) -> String {
    match error {
        connectivity::Error::Store(error) => objects_message(error),
        other => other.to_string(),
    }
}

/// Checks the blobs that trees call `.gitmodules` and `.gitattributes`.
fn check_attributes(
    incoming: &Incoming,
    indexed: &Indexed,
    quarantine: &Quarantine,
    store: &odb::Store,
) -> Result<(), String> {
    if incoming.gitmodules.is_empty() && incoming.gitattributes.is_empty() {
        return Ok(());
    }
    let arrived = odb::Store::of_objects_dir(quarantine.objects_dir().to_path_buf(), store.object_format())
        .map_err(|error| objects_message(&error))?;
    let check = |id: &ObjectId, check: fn(&[u8]) -> fsck::Findings| {
        let store = if indexed.kind(id).is_some() { &arrived } else { store };
        match store.object_header(id) {
            Ok((Kind::Blob, size)) if size <= fsck::ATTRIBUTES_BYTES_MAX => {}
            Ok((Kind::Blob, _)) => {
                return Err(format!("object {id}: it is too large for what a tree calls it"));
            }
            // What is missing, or something else, is found when connectivity is checked.
            _ => return Ok(()),
        }
        let mut buffer = Vec::new();
        let blob = store.try_find(id, &mut buffer).map_err(|error| error.to_string())?;
        let found = blob.map(|blob| check(blob.data)).unwrap_or_default();
        found.refusal().map_or(Ok(()), |message| Err(format!("object {id}: {message}")))
    };
    incoming.gitmodules.iter().try_for_each(|id| check(id, fsck::gitmodules))?;
    incoming.gitattributes.iter().try_for_each(|id| check(id, fsck::gitattributes))
}

/// What a tag stands for in the end; none if the object is not a tag.
fn peel(store: &odb::Store, id: &oid) -> io::Result<Option<ObjectId>> {
    let mut id = id.to_owned();
    let mut peeled = None;
    loop {
        let (kind, _) = store.object_header(&id).map_err(io::Error::other)?;
        if kind != Kind::Tag {
            return Ok(peeled);
        }
        let tag = store.object_of(&id, Kind::Tag).map_err(io::Error::other)?;
        id = TagRefIter::from_bytes(&tag, id.kind()).target_id().map_err(io::Error::other)?;
        peeled = Some(id);
    }
}
