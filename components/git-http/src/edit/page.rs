//! The pages with the forms.

use super::preview::Preview;
use super::spot::Action;
use super::upload::Shown;
use askama::Template;
use lithe_web::frame::{Frame, RepositoryHead};
use lithe_web::{Fields, Problem, Text, filters};

/// What was typed into the form, or stands in it at first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Typed {
    /// The commit that the form was made from; empty: there was none yet.
    pub base: String,
    pub path: String,
    pub text: String,
    pub is_to_be_utf8: bool,
    pub replaces: bool,
    /// The name of the upload that waits to be committed; empty: there is none.
    pub kept: String,
    /// Whether an upload goes on without the files that are refused.
    pub leaves_out: bool,
    pub title: String,
    pub description: String,
    pub is_to_new_branch: bool,
    pub new_branch: String,
}

impl Typed {
    pub fn of(fields: &Fields) -> Self {
        Self {
            base: fields.trimmed("base").to_owned(),
            path: fields.get("path").to_owned(),
            text: fields.get("text").to_owned(),
            is_to_be_utf8: fields.is_checked("to-utf-8"),
            replaces: fields.is_checked("replaces"),
            kept: fields.get("kept").to_owned(),
            leaves_out: fields.is_checked("leave-out"),
            title: fields.trimmed("title").to_owned(),
            description: fields.get("description").to_owned(),
            is_to_new_branch: fields.get("target") == "new",
            new_branch: fields.trimmed("new-branch").to_owned(),
        }
    }
}

/// What somebody else has done to the same files meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub branch: String,
    pub path: String,
    /// Where the file is to be seen as it is now; none: it is not there any more.
    pub now_href: Option<String>,
    pub preview: Preview,
}

/// A form to edit a repository's files, with what came of it so far.
#[derive(Template)]
#[template(path = "edit.html")]
pub struct EditPage {
    pub frame: Frame,
    pub head: RepositoryHead,
    pub problem: Problem,
    /// More words about it, as who pushes gets them.
    pub remarks: Vec<String>,
    pub heading: Text,
    pub action: Action,
    pub address: String,
    /// The path that the form is about, encoded: the branch of its address may be gone when it is sent.
    pub at: String,
    pub cancel_href: String,
    pub typed: Typed,
    /// Whether there is a text to edit.
    pub has_text: bool,
    /// Why there is none.
    pub why_no_text: Option<Text>,
    /// The name of the file's encoding, if it is not UTF-8.
    pub encoding: Option<Text>,
    /// The name of the branch; none where only a new one can be made.
    pub branch: Option<String>,
    /// What stands for the title if none is typed.
    pub usual_title: Text,
    pub identity: String,
    pub preview: Option<Preview>,
    /// The name before and after, in a preview.
    pub preview_name: String,
    /// The files that were uploaded and are not committed yet; none where that is not what the form is about.
    pub uploaded: Vec<Shown>,
    /// How many of them there are of each kind.
    pub upload_summary: Text,
    /// Whether files were refused that can be left out.
    pub has_refused: bool,
    pub conflict: Option<Conflict>,
}
