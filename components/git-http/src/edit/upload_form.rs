//! The form that uploads files: they come with it, or wait since it was sent before.

use super::kept::Kept;
use super::page::EditPage;
use super::submission::{Setback, Submission};
use super::upload::{self, Fate, Showing, Uploaded};
use super::wanted::Refusal;
use crate::CACHE_DIR;
use bstr::ByteSlice as _;
use http::StatusCode;
use lithe_code::repository::Error;
use lithe_web::multipart::File;
use lithe_web::{Problem, t};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::SystemTime;

/// Where uploads wait.
pub static DIRECTORY: LazyLock<PathBuf> = LazyLock::new(|| Path::new(CACHE_DIR).join("uploads"));

/// Files of a form, and what is to become of each.
pub struct Upload {
    files: Vec<File>,
    judged: Result<Vec<Uploaded>, Problem>,
}

impl Upload {
    /// The files; a problem where the form is wrong, whatever they are.
    pub fn files(&self) -> Result<&[Uploaded], Problem> {
        self.judged.as_deref().map_err(Clone::clone)
    }
}

impl Submission<'_> {
    /// The files of the form: those that came with it, else those that wait.
    pub fn upload(&self, files: Vec<File>) -> Result<Upload, Setback> {
        let kept = self.typed.kept.as_str();
        let files = match files.is_empty() && !kept.is_empty() {
            true => self.kept().find(kept, SystemTime::now()),
            false => Some(files),
        };
        let Some(files) = files else {
            let message = t("The files that you chose are not kept any longer: choose them again.");
            let problem = Problem::with_status(StatusCode::CONFLICT, "files", message);
            return Ok(Upload { files: Vec::new(), judged: Err(problem) });
        };
        let tree_id = self.base.tree_id.as_ref();
        let mut judged = match upload::judge(self.repository, tree_id, &self.typed, &files) {
            Ok(judged) => Ok(judged),
            Err(Refusal::Problem(problem)) => Err(problem),
            Err(Refusal::Repository(error)) => return Err(error.into()),
        };
        for file in judged.iter_mut().flatten().filter(|file| !file.is_refused()) {
            if let Some(why) = self.locked(file.path.as_bstr())? {
                file.fate = Fate::Refused(StatusCode::CONFLICT, why);
            }
        }
        Ok(Upload { files, judged })
    }

    /// Keeps the files until they are committed, and has the page say what becomes of each.
    pub fn show_upload(&self, page: &mut EditPage, upload: &Upload) -> Result<(), Error> {
        page.typed.kept = match upload.files.is_empty() {
            true => String::new(),
            false => self.kept().keep(&upload.files, SystemTime::now()).unwrap_or_else(|error| {
                eprintln!("an upload cannot be kept: {error}");
                String::new()
            }),
        };
        let Ok(files) = &upload.judged else { return Ok(()) };
        let commit = self.base.commit_id.map(|id| id.to_string()).unwrap_or_default();
        let links = self.session.links();
        let mut showing = Showing::new(self.repository, &links, commit);
        page.uploaded = files.iter().map(|file| showing.show(file)).collect::<Result<_, _>>()?;
        page.upload_summary = upload::summary(files);
        page.has_refused = files.iter().any(Uploaded::is_refused);
        Ok(())
    }

    /// What was committed need not wait any longer.
    pub fn forget(&self) {
        self.kept().remove(&self.typed.kept);
    }

    fn kept(&self) -> Kept<'static> {
        Kept { directory: &DIRECTORY, user: self.session.user.id, repository: self.session.record.id }
    }
}
