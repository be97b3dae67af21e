//! A form that was sent: from what it asks for to a push.

use super::commit;
use super::original::{self, Original};
use super::page::{Conflict, EditPage, Typed};
use super::preview::Preview;
use super::session::Session;
use super::spot::{Action, Spot, full_name};
use super::tree::{self, Change, TreeError};
use super::upload_form::Upload;
use super::wanted::{self, Refusal, Wanted};
use crate::answer::Answer;
use crate::opening::Opened;
use crate::push;
use crate::receive_pack::{self, Outcome, Policy, Push};
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::ObjectId;
use gix_object::Kind;
use http::StatusCode;
use lithe_code::repository::{Error, Repository};
use lithe_code::revision::{self, Revision};
use lithe_code::text::visible;
use lithe_forge::locks::{self, LockFilter};
use lithe_git::refs::is_valid_name;
use lithe_git::{pack, pkt_line};
use lithe_web::address::decode;
use lithe_web::form::FormError;
use lithe_web::{Fields, Problem, Text, answer, failure, multipart, t, time};

/// Where a commit goes.
struct Target {
    /// The full name of the branch.
    branch: BString,
    /// Where the branch is now; none: it is not there.
    old: Option<ObjectId>,
    parent: Option<ObjectId>,
}

/// Why a form is shown again.
pub enum Setback {
    /// What is wrong with it, and more words about that.
    Problem(Problem, Vec<String>),
    Conflict(Conflict),
    /// The branch is not there any more.
    Gone,
    /// There is nothing that a form could show.
    Answer(Answer),
    Repository(Error),
}

impl From<Problem> for Setback {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem, Vec::new())
    }
}

impl From<Error> for Setback {
    fn from(error: Error) -> Self {
        Self::Repository(error)
    }
}

impl From<TreeError> for Setback {
    fn from(error: TreeError) -> Self {
        match error {
            TreeError::Repository(error) => Self::Repository(error),
            other => Problem::with_status(StatusCode::CONFLICT, "path", other.in_words()).into(),
        }
    }
}

impl From<Refusal> for Setback {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Problem(problem) => problem.into(),
            Refusal::Repository(error) => error.into(),
        }
    }
}

impl Session {
    /// Does what a form asks for.
    pub fn submit(&self, action: Action, form: multipart::Form) -> Answer {
        if let Err(error) = form.fields.check_csrf(&self.viewer) {
            return self.refuse(error);
        }
        let opened = match self.storage() {
            Ok(opened) => opened,
            Err(answer) => return answer,
        };
        let repository = Repository { objects: &opened.objects, refs: &opened.refs };
        let found = match Spot::find(repository, action, self.rest.as_bstr()) {
            Ok(found) => found,
            Err(error) => return self.unreadable(&error),
        };
        let base = match self.base(repository, &form.fields) {
            Ok(Some(base)) => base,
            Ok(None) if found.is_none() => return failure::not_found(&self.frame),
            Ok(None) => return self.refuse(FormError::Malformed),
            Err(error) => return self.unreadable(&error),
        };
        let is_gone = found.is_none();
        let Some(spot) = found.or_else(|| spot_of_base(action, base, &form.fields)) else {
            return failure::not_found(&self.frame);
        };
        let typed = Typed::of(&form.fields);
        let submission = Submission { session: self, repository, spot, base, typed, is_gone };
        match submission.carry_out(form) {
            Ok(answer) => answer,
            Err(error) => self.unreadable(&error),
        }
    }

    /// The commit that a form was made from, and its tree; none within: there was no commit. None if there
    /// is no such commit that the viewer may see.
    fn base(&self, repository: Repository<'_>, fields: &Fields) -> Result<Option<Base>, Error> {
        let digits = fields.trimmed("base");
        if digits.is_empty() {
            return Ok(Some(Base { commit_id: None, tree_id: None }));
        }
        let Some(id) = revision::commit_by_abbreviation(repository, digits.into())? else { return Ok(None) };
        let tree_id = repository.commit(&id)?.tree_id;
        Ok(Some(Base { commit_id: Some(id), tree_id: Some(tree_id) }))
    }
}

/// Where a form was about to change something, where that was looked at by a branch that is gone: at the commit that it
/// was made from. None: it was made from none.
fn spot_of_base(action: Action, base: Base, fields: &Fields) -> Option<Spot> {
    let path = decode(fields.get("at")).ok()?.into();
    let revision = Revision::of_commit(base.commit_id?);
    Some(Spot { action, revision: Some(revision), branch: None, path })
}

/// What a form was made from.
#[derive(Clone, Copy)]
pub struct Base {
    pub commit_id: Option<ObjectId>,
    pub tree_id: Option<ObjectId>,
}

/// A form that was sent, by somebody who may, about something that is there.
pub struct Submission<'a> {
    pub session: &'a Session,
    pub repository: Repository<'a>,
    pub spot: Spot,
    pub base: Base,
    pub typed: Typed,
    /// Whether the branch that it was made for is not there any more.
    is_gone: bool,
}

impl Submission<'_> {
    fn carry_out(self, form: multipart::Form) -> Result<Answer, Error> {
        let is_preview = form.fields.get("do") == "preview";
        let original = match self.spot.action.is_in_directory() {
            true => None,
            false => Original::find(self.repository, self.base.tree_id.as_ref(), self.spot.path.as_bstr())?,
        };
        if original.is_none() && !self.spot.action.is_in_directory() {
            return Ok(failure::not_found(&self.session.frame));
        }
        let mut page = self.session.page(&self.spot, original.as_ref(), self.typed.clone());
        let upload = match self.spot.action {
            Action::Upload => match self.upload(form.files) {
                Ok(upload) => Some(upload),
                Err(setback) => return self.answer(page, Some(setback)),
            },
            Action::Change | Action::Create | Action::Delete => None,
        };
        let setback = match self.wanted(original.as_ref(), upload.as_ref()) {
            Ok(_) if self.is_gone && !self.typed.is_to_new_branch => Some(Setback::Gone),
            Ok(wanted) if is_preview => {
                let conflict = self.conflict_already(original.as_ref(), &wanted)?;
                self.show_preview(&mut page, wanted);
                conflict.map(Setback::Conflict)
            }
            Ok(wanted) => match self.commit(original.as_ref(), &wanted) {
                Ok(answer) => {
                    self.forget();
                    return Ok(answer);
                }
                Err(setback) => Some(setback),
            },
            // What is refused is shown for what it is.
            Err(_) if is_preview && upload.as_ref().is_some_and(|upload| upload.files().is_ok()) => None,
            Err(refusal) => Some(refusal.into()),
        };
        if let Some(upload) = &upload {
            self.show_upload(&mut page, upload)?;
        }
        self.answer(page, setback)
    }

    fn wanted(&self, original: Option<&Original>, upload: Option<&Upload>) -> Result<Wanted, Refusal> {
        let path = self.spot.path.as_bstr();
        match (self.spot.action, original, upload) {
            (Action::Change, Some(original), _) => wanted::change(&self.typed, path, original),
            (Action::Delete, Some(original), _) => Ok(wanted::delete(path, original)),
            (Action::Upload, _, Some(upload)) => wanted::upload(&self.typed, upload.files()?),
            _ => wanted::create(&self.typed),
        }
    }

    fn show_preview(&self, page: &mut EditPage, wanted: Wanted) {
        page.usual_title = t("Else: {title}").with("title", wanted.usual_title);
        if self.spot.action != Action::Upload {
            page.preview =
                Some(wanted.preview.unwrap_or_else(|| Preview::only(t("Its contents stay as they are."))));
            page.preview_name = wanted.preview_name;
        }
    }

    /// What others have done meanwhile to what a preview shows, if it is to go to the branch that they changed.
    fn conflict_already(
        &self,
        original: Option<&Original>,
        wanted: &Wanted,
    ) -> Result<Option<Conflict>, Error> {
        let Ok(target) = self.target() else { return Ok(None) };
        let parent = target.parent.map(|id| self.repository.commit(&id)).transpose()?;
        let tree_id = parent.map(|commit| commit.tree_id);
        match self.check_conflicts(original, wanted, &target, tree_id) {
            Err(Setback::Conflict(conflict)) => Ok(Some(conflict)),
            Err(Setback::Repository(error)) => Err(error),
            Ok(()) | Err(_) => Ok(None),
        }
    }

    /// The form once more, with what stood against it, if anything did.
    fn answer(&self, mut page: EditPage, setback: Option<Setback>) -> Result<Answer, Error> {
        let Some(setback) = setback else { return Ok(answer::page(self.session.frame.language, &page)) };
        match setback {
            Setback::Answer(answer) => return Ok(answer),
            Setback::Repository(error) => return Err(error),
            Setback::Problem(problem, remarks) => {
                page.problem = problem;
                page.remarks = remarks;
            }
            Setback::Gone => {
                let message = t("The branch was removed since you began; a new one can take what you typed.");
                page.problem = Problem::with_status(StatusCode::CONFLICT, "new-branch", message);
                page.typed.is_to_new_branch = true;
                if page.typed.new_branch.is_empty() {
                    page.typed.new_branch = self.session.new_branch(self.repository);
                }
            }
            Setback::Conflict(conflict) => {
                let message = t("“{path}” was changed on {branch} since you began.");
                let message = message.with("path", &conflict.path).with("branch", &conflict.branch);
                page.problem = Problem::with_status(StatusCode::CONFLICT, "", message);
                page.conflict = Some(conflict);
                page.typed.is_to_new_branch = true;
                if page.typed.new_branch.is_empty() {
                    page.typed.new_branch = self.session.new_branch(self.repository);
                }
            }
        }
        Ok(page.problem.clone().answer(self.session.frame.language, &page))
    }

    fn commit(&self, original: Option<&Original>, wanted: &Wanted) -> Result<Answer, Setback> {
        if let Some(message) = commit::message_problem(&self.typed.title, &self.typed.description) {
            return Err(Problem::with_field("title", message).into());
        }
        let target = self.target()?;
        let parent = target.parent.map(|id| self.repository.commit(&id)).transpose()?;
        let tree_id = parent.as_ref().map(|commit| commit.tree_id);
        self.check_conflicts(original, wanted, &target, tree_id)?;
        self.check_there_is_room(wanted, tree_id)?;
        if self.spot.action != Action::Upload {
            self.check_locks(&wanted.changes)?;
        }
        let made = tree::change(self.repository, tree_id.as_deref(), &wanted.changes)?;
        if Some(made.tree_id) == tree_id {
            return Err(Problem::with_field("text", t("Nothing was changed.")).into());
        }
        let title = if self.typed.title.is_empty() { &wanted.usual_title } else { &self.typed.title };
        let message = commit::message(title, &self.typed.description);
        let identity = commit::identity(&self.session.user);
        let data = commit::object(made.tree_id, target.parent, &identity, time::now(), &message);
        let mut objects = made.objects;
        objects.push((Kind::Commit, data));
        self.push(&target, objects)?;
        Ok(answer::see_other(&self.shown_href(&target, wanted, made.tree_id)))
    }

    /// Where the commit goes: on top of the branch as it is now, or of the base on a new one.
    fn target(&self) -> Result<Target, Problem> {
        if let (Some(branch), false) = (&self.spot.branch, self.typed.is_to_new_branch) {
            let now = self.spot.revision.as_ref().map(|revision| revision.commit_id);
            return Ok(Target { branch: branch.clone(), old: now, parent: now });
        }
        let name = self.typed.new_branch.as_str();
        let branch = full_name(name.strip_prefix("refs/heads/").unwrap_or(name).into());
        let problem = |status, message: Text| Err(Problem::with_status(status, "new-branch", message));
        if name.is_empty() {
            return problem(StatusCode::BAD_REQUEST, t("The new branch needs a name."));
        }
        if !is_valid_name(branch.as_bstr()) || name.starts_with('-') || name == "HEAD" {
            return problem(StatusCode::BAD_REQUEST, t("That cannot be the name of a branch."));
        }
        if self.repository.refs.find(branch.as_bstr()).is_some() {
            return problem(StatusCode::CONFLICT, t("There is a branch of that name already."));
        }
        if let Some(other) = self.branch_in_the_way(branch.as_bstr()) {
            let message = t("There is a branch “{other}”, and Git cannot have both.");
            return problem(StatusCode::CONFLICT, message.with("other", other));
        }
        Ok(Target { branch, old: None, parent: self.base.commit_id })
    }

    /// A branch whose name is a directory of that one, or lies below it.
    fn branch_in_the_way(&self, branch: &BStr) -> Option<String> {
        let refs = self.repository.refs;
        let below = [branch.as_bytes(), b"/"].concat();
        let above = branch.find_iter("/").map(|end| branch[..end].as_bstr());
        let above = above.filter_map(|name| refs.find(name)).next();
        let other = above.or_else(|| refs.with_prefix(below.as_bstr()).first());
        other.map(|other| visible(revision::short_name(other.name.as_bstr())))
    }

    /// Refuses an edit of what others have changed since its form was made.
    fn check_conflicts(
        &self,
        original: Option<&Original>,
        wanted: &Wanted,
        target: &Target,
        tree_id: Option<ObjectId>,
    ) -> Result<(), Setback> {
        if target.parent == self.base.commit_id {
            return Ok(());
        }
        for Change { path, .. } in &wanted.changes {
            let at = |tree_id: Option<ObjectId>| {
                tree_id.map(|id| self.repository.entry_at(&id, path.as_bstr())).transpose()
            };
            let (before, now) = (at(self.base.tree_id)?.flatten(), at(tree_id)?.flatten());
            if before == now {
                continue;
            }
            let theirs = Original::find(self.repository, tree_id.as_ref(), path.as_bstr())?;
            let base = match original.filter(|_| *path == self.spot.path) {
                Some(original) => Some(original.clone()),
                None => Original::find(self.repository, self.base.tree_id.as_ref(), path.as_bstr())?,
            };
            let name = revision::short_name(target.branch.as_bstr());
            return Err(Setback::Conflict(Conflict {
                branch: visible(name),
                path: visible(path),
                now_href: now.map(|_| self.session.links().blob(self.spot.name(), path.as_bstr())),
                preview: Preview::between(text_of(base.as_ref()), text_of(theirs.as_ref())),
            }));
        }
        Ok(())
    }

    /// Refuses to put a file where another one is that the form did not speak of.
    fn check_there_is_room(&self, wanted: &Wanted, tree_id: Option<ObjectId>) -> Result<(), Setback> {
        let (Some(tree_id), Some(path)) = (tree_id, &wanted.shown) else { return Ok(()) };
        let is_new = self.spot.action == Action::Create || *path != self.spot.path;
        if is_new && self.repository.entry_at(&tree_id, path.as_bstr())?.is_some() {
            let message = t("“{path}” is there already.").with("path", visible(path));
            return Err(Problem::with_status(StatusCode::CONFLICT, "path", message).into());
        }
        Ok(())
    }

    /// Refuses to change what somebody else has locked, as `git lfs` does before a push.
    fn check_locks(&self, changes: &[Change]) -> Result<(), Setback> {
        for Change { path, .. } in changes {
            if let Some(why) = self.locked(path.as_bstr())? {
                return Err(Problem::with_status(StatusCode::CONFLICT, "", why).into());
            }
        }
        Ok(())
    }

    /// That somebody else has locked a file, in words; none: nobody has.
    pub fn locked(&self, path: &BStr) -> Result<Option<Text>, Setback> {
        let Ok(file) = path.to_str() else { return Ok(None) };
        let filter = LockFilter { id: None, path: Some(file.to_owned()) };
        let listed = self.session.requester.call(|credentials, client| {
            locks::list(credentials, client, &self.session.record.path, &filter, 0, 1)
        });
        let listed =
            listed.map_err(|error| Setback::Answer(failure::of_store(&error, &self.session.frame)))?;
        let other = listed.locks.into_iter().find(|lock| !lock.is_own);
        Ok(other.map(|lock| {
            t("“{path}” is locked by {owner}.").with("path", visible(path)).with("owner", lock.owner)
        }))
    }

    /// Makes a push of the commit, the last of the objects.
    fn push(&self, target: &Target, objects: Vec<(Kind, Vec<u8>)>) -> Result<(), Setback> {
        let format = self.repository.objects.format();
        let (kind, data) = objects.last().expect("there is the commit");
        let commit_id = gix_object::compute_hash(format, *kind, data)
            .expect("what was made here is no attack on the digest");
        let unavailable = || Setback::Answer(failure::unavailable(&self.session.frame));
        let repository = Opened::of(&self.session.record).map_err(|_| unavailable())?;
        let old = target.old.unwrap_or(format.null());
        let command = format!("{old} {commit_id} {}\0 atomic object-format={format}", target.branch);
        let mut request = Vec::new();
        pkt_line::write(&mut request, command.as_bytes());
        pkt_line::flush(&mut request);
        request.extend(pack::of_objects(format, &objects));
        let policy = Policy::default();
        let outcome = Push::new(&repository.git_dir, &policy).and_then(|mut push| {
            push.write(&request)?;
            push::finish(push, &self.session.requester, &repository)
        });
        match outcome {
            Ok(outcome) if !outcome.changes.is_empty() => Ok(()),
            Ok(outcome) => Err(refused(outcome, target.branch.as_bstr())),
            Err(error) => {
                if let receive_pack::Error::Request(error) = &error {
                    eprintln!("a push of an edit is malformed: {error}");
                }
                eprintln!("{} cannot be edited: {error}", self.session.record.path);
                Err(unavailable())
            }
        }
    }

    /// Where to go once it is done: the file, or the directory that it was in, if there still is one.
    fn shown_href(&self, target: &Target, wanted: &Wanted, tree_id: ObjectId) -> String {
        let links = self.session.links();
        let name = revision::short_name(target.branch.as_bstr());
        if let Some(path) = &wanted.shown {
            return links.blob(name, path.as_bstr());
        }
        let mut path =
            wanted.changes.first().map_or(BStr::new(""), |change| parent_of(change.path.as_bstr()));
        if let Ok(opened) = self.session.storage() {
            // The new tree is there only now.
            let repository = Repository { objects: &opened.objects, refs: &opened.refs };
            while !path.is_empty() && !matches!(repository.entry_at(&tree_id, path), Ok(Some(_))) {
                path = parent_of(path);
            }
        }
        links.tree(name, path)
    }
}

fn parent_of(path: &BStr) -> &BStr {
    path.rfind_byte(b'/').map_or(BStr::new(""), |end| path[..end].as_bstr())
}

/// What there is to say about a push that was refused.
fn refused(outcome: Outcome, branch: &BStr) -> Setback {
    let name = visible(revision::short_name(branch));
    let why = outcome.report.refs.into_iter().find_map(|(_, verdict)| verdict.err());
    let why = match outcome.report.unpack {
        Err(why) => Text::foreign(why),
        Ok(()) => why.map_or_else(|| t("it is not known why"), Text::foreign),
    };
    let message = t("“{branch}” was not changed: {why}.").with("branch", name).with("why", why);
    let problem = Problem::with_status(StatusCode::FORBIDDEN, "", message);
    Setback::Problem(problem, outcome.report.messages)
}

fn text_of(original: Option<&Original>) -> &[u8] {
    match original.map(|original| &original.text) {
        Some(original::Text::Editable { bytes, .. }) => bytes,
        Some(original::Text::Not(_)) => b"\0",
        None => b"",
    }
}
