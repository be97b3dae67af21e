//! Which files a search leaves out: what tools or others wrote, as names and `.gitattributes` tell, unless it is
//! asked for.

use crate::index::files::Files;
use crate::language::LanguageFilter;
use bstr::{BStr, ByteSlice as _};
use gix_hash::oid;
use lithe_code::attributes::{self, States};
use lithe_code::marks::{FileMarks, Marks};
use lithe_code::repository::{Error, Repository};

/// What decides whether a file is left out.
pub struct LeavingOut<'a> {
    /// None: no attributes say anything.
    marks: Option<FileMarks<'a>>,
    languages: &'a LanguageFilter,
    /// Whether generated and vendored files are searched too.
    has_all: bool,
}

impl<'a> LeavingOut<'a> {
    /// Of the files of a tree.
    pub fn new(
        repository: Repository<'a>,
        tree_id: &oid,
        files: &Files,
        languages: &'a LanguageFilter,
        has_all: bool,
    ) -> Result<Self, Error> {
        let is_attributes =
            |path: &BStr| path.rsplit_str("/").next() == Some(attributes::FILE_NAME.as_bytes());
        let marks = match files.iter().any(|file| is_attributes(file.path)) {
            true => Some(FileMarks::new(repository, tree_id)?),
            false => None,
        };
        Ok(Self { marks, languages, has_all })
    }

    /// Whether names alone tell the languages of files.
    pub fn goes_by_names(&self) -> bool {
        self.marks.is_none()
    }

    /// Whether the file at a path is left out.
    pub fn is_left_out(&mut self, path: &BStr) -> Result<bool, Error> {
        let marks = match &mut self.marks {
            None => Marks::new(path, &States::default()),
            Some(marks) => marks.of(path)?,
        };
        let is_of_language = !marks.is_language_said && self.languages.is_match(path)
            || marks.is_language_said && self.languages.has(marks.language);
        Ok(!is_of_language || (!self.has_all && (marks.is_generated || marks.is_vendored)))
    }
}
