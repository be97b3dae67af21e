//! Which of the commands of a push may be carried out, before any object is looked at.

use super::is_hidden;
use super::request::Command;
use bstr::{BString, ByteSlice};
use lithe_git::refs::{Head, Hidden, Snapshot, is_valid_name};
use std::collections::HashSet;

/// Why a ref is not changed, in the words that Git uses.
pub(super) const ATOMIC: &str = "atomic push failure";
pub(super) const UNPACKER: &str = "unpacker error";
pub(super) const MISSING_OBJECTS: &str = "missing necessary objects";
pub(super) const FAILED: &str = "failed to update ref";

/// What stands against a command.
pub(super) type Verdict = Result<(), String>;

/// Judges every command by itself. Where they stand and fall together, one refusal is one of all.
pub(super) fn check(commands: &[Command], is_atomic: bool, refs: &Snapshot, hidden: &Hidden) -> Vec<Verdict> {
    let mut names = HashSet::new();
    let twice: HashSet<_> =
        commands.iter().map(|command| &command.name).filter(|name| !names.insert(*name)).collect();
    let mut verdicts: Vec<_> = commands
        .iter()
        .map(|command| match twice.contains(&command.name) {
            true => Err("multiple updates for ref not allowed".to_owned()),
            false => check_one(command, refs, hidden).map_err(str::to_owned),
        })
        .collect();
    stand_together(&mut verdicts, is_atomic);
    verdicts
}

/// Where commands are atomic and one is refused, refuses the others too.
pub(super) fn stand_together(verdicts: &mut [Verdict], is_atomic: bool) {
    if is_atomic && verdicts.iter().any(Result::is_err) {
        for verdict in verdicts.iter_mut().filter(|verdict| verdict.is_ok()) {
            *verdict = Err(ATOMIC.to_owned());
        }
    }
}

fn check_one(command: &Command, refs: &Snapshot, hidden: &Hidden) -> Result<(), &'static str> {
    let name = command.name.as_bstr();
    if !is_valid_name(name) {
        return Err("funny refname");
    }
    if is_hidden(hidden, name) {
        return Err("deny updating a hidden ref");
    }
    if command.new.is_none() && refs.head == Head::Symbolic(command.name.clone()) {
        return Err("deletion of the current branch prohibited");
    }
    let current = refs.resolve(name).map_err(|_| FAILED)?;
    // It is compared again under the lock; but this spares objects that nobody would ever reach.
    let is_broken = refs.broken.binary_search(&command.name).is_ok();
    if current != command.old && !is_broken { Err(FAILED) } else { Ok(()) }
}

/// The branch that `HEAD` should point to before the first branches are made: none if it need not change.
pub(super) fn first_head<'a>(
    created: impl Iterator<Item = &'a BString>,
    refs: &Snapshot,
) -> Option<&'a BString> {
    if !refs.with_prefix(b"refs/heads/".as_bstr()).is_empty() || matches!(refs.head, Head::Detached(_)) {
        return None;
    }
    let rank = |name: &BString| match name.as_slice() {
        name if refs.head == Head::Symbolic(name.into()) => 0,
        b"refs/heads/main" => 1,
        b"refs/heads/master" => 2,
        _ => 3,
    };
    let best =
        created.filter(|name| name.starts_with(b"refs/heads/")).min_by_key(|name| (rank(name), *name))?;
    (rank(best) > 0).then_some(best)
}
