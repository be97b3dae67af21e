//! What new commits may not have in them.

use crate::bindings::exports::lithe::policy::push_policy::{Push, Rules, Verdict};
use crate::changes::{self, Added};
use crate::limits::VIOLATIONS_MAX;
use crate::repository::{Opened, new_id};
use crate::{Error, is_refused};
use bstr::ByteSlice;
use gix_hash::{ObjectId, oid};
use gix_object::{CommitRefIter, Kind};
use lithe_rules::{MessagePattern, PathPattern, PatternError};
use std::collections::HashSet;

/// The rules of one place about commits, ready to be applied.
struct Compiled<'a> {
    place: &'a str,
    file_bytes_max: Option<u64>,
    forbidden_paths: Vec<PathPattern>,
    message_required: Option<MessagePattern>,
    message_forbidden: Option<MessagePattern>,
    known_authors: bool,
}

/// Refuses a push with commits that break a rule, and names these.
pub fn check(push: &Push, rules: &[Rules], opened: &Opened, verdict: &mut Verdict) -> Result<(), Error> {
    let compiled = rules.iter().map(Compiled::new).collect::<Result<Vec<_>, _>>()?;
    let concerned: Vec<_> = compiled.into_iter().filter(Compiled::concerns_commits).collect();
    if concerned.is_empty() {
        return Ok(());
    }
    let mut check = Check { push, rules: &concerned, opened, violations: Vec::new() };
    check.run(verdict)?;
    let Some(first) = check.violations.first() else { return Ok(()) };
    verdict.refusal = Some(first.reason.clone());
    verdict.messages.extend(check.violations.iter().map(|violation| violation.message.clone()));
    if check.is_full() {
        verdict.messages.push("and there may be more".to_owned());
    }
    Ok(())
}

impl<'a> Compiled<'a> {
    fn new(rules: &'a Rules) -> Result<Self, Error> {
        let named = |pattern: &str, error| Error::Pattern {
            place: rules.place.clone(),
            pattern: pattern.to_owned(),
            error,
        };
        let path = |text: &String| PathPattern::parse(text).map_err(|error| named(text, error));
        let message = |text: &Option<String>| {
            let parsed: Option<Result<_, PatternError>> = text.as_deref().map(MessagePattern::parse);
            parsed.transpose().map_err(|error| named(text.as_deref().unwrap_or_default(), error))
        };
        Ok(Self {
            place: &rules.place,
            file_bytes_max: rules.file_bytes_max,
            forbidden_paths: rules.forbidden_paths.iter().map(path).collect::<Result<_, _>>()?,
            message_required: message(&rules.message_required)?,
            message_forbidden: message(&rules.message_forbidden)?,
            known_authors: rules.known_authors,
        })
    }

    fn concerns_files(&self) -> bool {
        self.file_bytes_max.is_some() || !self.forbidden_paths.is_empty()
    }

    fn concerns_commits(&self) -> bool {
        self.concerns_files()
            || self.message_required.is_some()
            || self.message_forbidden.is_some()
            || self.known_authors
    }
}

/// Something that breaks a rule.
struct Violation {
    /// Which rule, in words for the line of the ref.
    reason: String,
    /// What breaks it.
    message: String,
}

struct Check<'a> {
    push: &'a Push,
    rules: &'a [Compiled<'a>],
    opened: &'a Opened,
    violations: Vec<Violation>,
}

impl Check<'_> {
    fn run(&mut self, verdict: &Verdict) -> Result<(), Error> {
        let concerns_files = self.rules.iter().any(Compiled::concerns_files);
        for id in self.opened.new_commits(self.push)? {
            if self.is_full() {
                return Ok(());
            }
            self.commit(id)?;
            if concerns_files {
                self.files_of_commit(id)?;
            }
        }
        if concerns_files {
            self.tips(verdict)?;
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.violations.len() >= VIOLATIONS_MAX
    }

    fn note(&mut self, place: &str, reason: &str, message: String) {
        if !self.is_full() {
            self.violations.push(Violation { reason: format!("{place}: {reason}"), message });
        }
    }

    /// Checks what a commit says.
    fn commit(&mut self, id: ObjectId) -> Result<(), Error> {
        let data = self.opened.objects.object_of(&id, Kind::Commit)?;
        let message = data.split_once_str("\n\n").map_or(&b""[..], |(_, message)| message);
        for rules in self.rules {
            if let Some(pattern) = rules.message_required.as_ref().filter(|pattern| !pattern.is_in(message)) {
                let words = format!("commit {id}: the message has no match of `{}`", pattern.as_str());
                self.note(rules.place, "a commit message is not as it has to be", words);
            }
            if let Some(pattern) = rules.message_forbidden.as_ref().filter(|pattern| pattern.is_in(message)) {
                let words = format!("commit {id}: the message has a match of `{}`", pattern.as_str());
                self.note(rules.place, "a commit message is not as it has to be", words);
            }
            if rules.known_authors {
                let author = CommitRefIter::from_bytes(&data, id.kind()).author();
                let address =
                    author.map(|author| author.email.to_str_lossy().into_owned()).unwrap_or_default();
                if !self.push.known_addresses.contains(&address.to_ascii_lowercase()) {
                    let words = format!("commit {id}: no account has the author's address {address}");
                    self.note(rules.place, "an author is not known here", words);
                }
            }
        }
        Ok(())
    }

    fn files_of_commit(&mut self, id: ObjectId) -> Result<(), Error> {
        let objects = &self.opened.objects;
        changes::of_commit(objects, &id, &mut |added| self.file("commit", &id, &added))
    }

    /// What refs point to that are no commits: trees and blobs, by way of tags.
    fn tips(&mut self, verdict: &Verdict) -> Result<(), Error> {
        let objects = &self.opened.objects;
        let updates = self.push.updates.iter().filter(|update| !is_refused(verdict, &update.name));
        let tips = updates.filter_map(new_id).collect::<Result<HashSet<_>, _>>()?;
        for tip in tips {
            match objects.peel(&tip)? {
                (id, Kind::Tree) => {
                    changes::of_tree(objects, &id, id, Vec::new(), &mut |added| {
                        self.file("tree", &id, &added)
                    })?;
                }
                (id, Kind::Blob) => {
                    self.file("blob", &id, &Added { path: b"", id, is_submodule: false })?;
                }
                (_, Kind::Commit | Kind::Tag) => {}
            }
        }
        Ok(())
    }

    /// Checks a file; returns whether to go on.
    fn file(&mut self, kind: &str, root: &oid, added: &Added) -> Result<bool, Error> {
        for rules in self.rules {
            let path = added.path.to_str_lossy();
            if let Some(pattern) = rules.forbidden_paths.iter().find(|pattern| pattern.matches(added.path)) {
                let words = format!("{kind} {root}: `{path}` is forbidden by `{}`", pattern.as_str());
                self.note(rules.place, "a path is forbidden", words);
            }
            if let Some(limit) = rules.file_bytes_max.filter(|_| !added.is_submodule) {
                let (_, bytes) = self.opened.objects.header(&added.id)?;
                if bytes > limit {
                    let words = format!("{kind} {root}: `{path}` has {bytes} bytes, and {limit} are allowed");
                    self.note(rules.place, "a file is too large", words);
                }
            }
        }
        Ok(!self.is_full())
    }
}
