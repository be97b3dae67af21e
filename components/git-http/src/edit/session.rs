//! Who edits, and in which repository.

use super::commit;
use super::limits::BRANCH_NAMES_MAX;
use super::original::{self, Original};
use super::page::{EditPage, Typed};
use super::spot::{Action, Spot, full_name};
use super::wanted::usual_title;
use crate::answer::Answer;
use crate::opening::REPOSITORIES_DIR;
use bstr::{BStr, ByteSlice as _};
use http::request::Parts;
use lithe_code::links::Links;
use lithe_code::repository::{Entry, Error, Repository};
use lithe_code::revision;
use lithe_code::storage;
use lithe_code::text::{Encoding, visible};
use lithe_forge::types::{self, Permission, User, Viewer};
use lithe_forge::{Requester, access};
use lithe_web::form::FormError;
use lithe_web::frame::{RepositoryHead, Tab};
use lithe_web::{Address, Frame, Problem, Text, answer, change_password, failure, language, t};
use std::path::Path;
use std::rc::Rc;

/// Somebody who may write to a repository.
pub struct Session {
    pub requester: Requester,
    pub viewer: Viewer,
    pub user: User,
    pub record: types::Repository,
    pub permission: Permission,
    pub frame: Frame,
    /// What follows the page's name in the address.
    pub rest: bstr::BString,
}

impl Session {
    /// Finds out who makes a request. Fails with what to answer to who may not edit here.
    pub fn open(head: &Parts, address: &Address) -> Result<Self, Answer> {
        let here = head.uri.path_and_query().map_or("/", |whole| whole.as_str());
        let language = language::asked_for(&head.headers);
        let requester = Requester::from_headers(&head.headers);
        let opened = requester
            .call(|credentials, client| access::open(credentials, client, &address.path))
            .map_err(|error| failure::of_store(&error, &Frame::bare(here, language)))?;
        let viewer = opened.overview.viewer.clone();
        let frame = Frame::new(&opened.overview, here, language);
        if let Some(answer) = change_password::first(&viewer, here) {
            return Err(answer);
        }
        let access::Place::Repository(record) = opened.place else {
            return Err(failure::not_found(&frame));
        };
        if opened.is_moved {
            let at = Links::new(&record.path).edit(address.rest.as_bstr(), "".into(), "");
            let query = head.uri.query().map(|query| format!("?{query}")).unwrap_or_default();
            return Err(answer::moved(&format!("{at}{query}")));
        }
        let Some(user) = viewer.user.clone() else {
            return Err(answer::see_other(&frame.sign_in_href()));
        };
        let permission = opened.permission.min(viewer.ceiling);
        if permission < Permission::Write {
            return Err(failure::forbidden(&frame, t("You may read this repository, and not write to it.")));
        }
        let rest = address.rest.as_slice().into();
        Ok(Self { requester, viewer, user, record, permission, frame, rest })
    }

    /// A form that is not taken.
    pub fn refuse(&self, error: FormError) -> Answer {
        failure::of_form(error, &self.frame)
    }

    pub fn other_method(&self) -> Answer {
        failure::method_not_allowed(&self.frame, "GET, HEAD, POST")
    }

    pub fn links(&self) -> Links {
        Links::new(&self.record.path)
    }

    pub fn storage(&self) -> Result<Rc<storage::Opened>, Answer> {
        storage::open(Path::new(REPOSITORIES_DIR), &self.record).map_err(|error| {
            eprintln!("{} cannot be edited: {error}", self.record.path);
            failure::unavailable(&self.frame)
        })
    }

    /// What is told of a repository that cannot be read.
    pub fn unreadable(&self, error: &Error) -> Answer {
        eprintln!("{} cannot be edited: {error}", self.record.path);
        failure::internal(&self.frame)
    }

    /// The form, for the first time.
    pub fn show(&self, action: Action) -> Answer {
        let opened = match self.storage() {
            Ok(opened) => opened,
            Err(answer) => return answer,
        };
        let repository = Repository { objects: &opened.objects, refs: &opened.refs };
        match self.first_page(repository, action) {
            Ok(Some(page)) => answer::page(self.frame.language, &page),
            Ok(None) => failure::not_found(&self.frame),
            Err(error) => self.unreadable(&error),
        }
    }

    fn first_page(&self, repository: Repository<'_>, action: Action) -> Result<Option<EditPage>, Error> {
        let Some(spot) = Spot::find(repository, action, self.rest.as_bstr())? else { return Ok(None) };
        let commit_id = spot.revision.as_ref().map(|revision| revision.commit_id);
        let tree_id = commit_id.map(|id| repository.commit(&id)).transpose()?.map(|commit| commit.tree_id);
        let original = match action.is_in_directory() {
            true => {
                let entry = tree_id.map(|id| repository.entry_at(&id, spot.path.as_bstr())).transpose()?;
                let is_directory =
                    entry.is_none_or(|entry| entry.is_some_and(|entry| Entry::is_tree(&entry)));
                if !is_directory {
                    return Ok(None);
                }
                None
            }
            false => match Original::find(repository, tree_id.as_ref(), spot.path.as_bstr())? {
                Some(original) => Some(original),
                None => return Ok(None),
            },
        };
        let path = visible(&spot.path);
        let typed = Typed {
            base: commit_id.map(|id| id.to_string()).unwrap_or_default(),
            path: if action == Action::Create && !path.is_empty() { format!("{path}/") } else { path },
            text: match original.as_ref().map(|original| &original.text) {
                Some(original::Text::Editable { stored, .. }) => stored.typed(),
                _ => String::new(),
            },
            is_to_new_branch: spot.branch.is_none(),
            new_branch: self.new_branch(repository),
            ..Typed::default()
        };
        Ok(Some(self.page(&spot, original.as_ref(), typed)))
    }

    /// A name for a branch that there is not yet.
    pub fn new_branch(&self, repository: Repository<'_>) -> String {
        let mut names = (1..=BRANCH_NAMES_MAX).map(|number| format!("{}-patch-{number}", self.user.name));
        let is_free =
            |name: &String| repository.refs.find(full_name(name.as_str().into()).as_bstr()).is_none();
        names.find(is_free).unwrap_or_default()
    }

    /// A page with what was typed, of a form that nothing came of yet.
    pub fn page(&self, spot: &Spot, original: Option<&Original>, typed: Typed) -> EditPage {
        let links = self.links();
        let (name, path) = (spot.name(), spot.path.as_bstr());
        let heading = self.heading(spot);
        let why_no_text = original.and_then(|original| match &original.text {
            original::Text::Not(why) => Some(why.clone()),
            original::Text::Editable { .. } => None,
        });
        let encoding = original.and_then(|original| match &original.text {
            original::Text::Editable { stored, .. } if stored.encoding != Encoding::Utf8 => {
                stored.encoding.badge()
            }
            _ => None,
        });
        EditPage {
            frame: self
                .frame
                .clone()
                .below(&self.record.path)
                .titled(Text::joined(" · ", [heading.clone(), Text::verbatim(self.record.path.clone())])),
            head: self.head(name),
            problem: Problem::none(),
            remarks: Vec::new(),
            heading,
            action: spot.action,
            address: links.edit(name, path, spot.action.word()),
            at: lithe_web::address::encode_path(path),
            cancel_href: self.cancel_href(spot),
            has_text: why_no_text.is_none(),
            why_no_text: why_no_text.filter(|_| spot.action == Action::Change),
            encoding: encoding.map(Text::verbatim),
            branch: spot.branch.as_ref().map(|branch| visible(revision::short_name(branch.as_bstr()))),
            usual_title: match spot.action {
                Action::Create => t("Else: Add, and the name of the file"),
                action => t("Else: {title}").with("title", usual_title(action, path, path)),
            },
            identity: commit::identity(&self.user),
            preview: None,
            preview_name: String::new(),
            uploaded: Vec::new(),
            upload_summary: Text::EMPTY,
            has_refused: false,
            conflict: None,
            typed,
        }
    }

    fn head(&self, name: &BStr) -> RepositoryHead {
        let name = lithe_web::address::encode_path(name);
        RepositoryHead::new(&self.record, self.permission, Some(Tab::Code), &name)
    }

    fn heading(&self, spot: &Spot) -> Text {
        let path = visible(&spot.path);
        let text = match (spot.action, path.as_str()) {
            (Action::Change, _) => t("Edit {path}"),
            (Action::Create, "") => t("New file"),
            (Action::Create, _) => t("New file in {path}"),
            (Action::Upload, "") => t("Upload files"),
            (Action::Upload, _) => t("Upload files to {path}"),
            (Action::Delete, _) => t("Delete {path}"),
        };
        text.with("path", path)
    }

    fn cancel_href(&self, spot: &Spot) -> String {
        let (links, name, path) = (self.links(), spot.name(), spot.path.as_bstr());
        match spot.action {
            _ if spot.revision.is_none() => links.summary(),
            action if action.is_in_directory() => links.tree(name, path),
            _ => links.blob(name, path),
        }
    }
}
