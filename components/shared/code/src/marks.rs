//! What a file is besides its bytes, as its name and `.gitattributes` tell: in which language, made by whom, and how it
//! is to be shown. The attributes `linguist-…` are those of github-linguist (its docs/overrides.md), `diff` and
//! `encoding` are Git's (gitattributes(5)).

use crate::attributes::{State, States, TreeAttributes};
use crate::languages::{self, Language};
use crate::repository::{Error, Repository};
use bstr::{BStr, ByteSlice as _};
use encoding_rs::Encoding;
use gix_hash::oid;

/// The attributes that are looked at.
pub const ATTRIBUTES: [&str; 8] = [
    "linguist-language",
    "linguist-generated",
    "linguist-vendored",
    "linguist-documentation",
    "linguist-detectable",
    "diff",
    "binary",
    "encoding",
];

/// How a file's changes are shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Diff {
    /// By its bytes.
    #[default]
    Detected,
    /// As lines, whatever its bytes.
    Text,
    /// Not.
    Binary,
}

/// What is known of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    pub language: Option<&'static Language>,
    /// Whether the language is an attribute's, and not the name's.
    pub is_language_said: bool,
    /// Whether a tool wrote it.
    pub is_generated: bool,
    /// Whether others wrote it.
    pub is_vendored: bool,
    /// Whether it counts among the languages of its repository.
    pub is_counted: bool,
    pub diff: Diff,
    /// What an attribute says of the encoding of its text.
    pub encoding: Option<&'static Encoding>,
}

impl Marks {
    /// What is known of the file at a path of which that is said.
    pub fn new(path: &BStr, states: &States) -> Self {
        let name = path.rsplit_str("/").next().unwrap_or_default();
        let said = |name: &str| states.get(name).as_bool();
        let named = match states.get("linguist-language") {
            State::Value(value) => value.to_str().ok().and_then(languages::named),
            State::Set | State::Unset | State::Unspecified => None,
        };
        let language = named.or_else(|| languages::of_file(name));
        let is_generated = said("linguist-generated").unwrap_or_else(|| languages::is_generated(name));
        let is_vendored = said("linguist-vendored").unwrap_or_else(|| languages::is_vendored(path));
        let is_documentation = said("linguist-documentation").unwrap_or(false);
        let is_detectable = said("linguist-detectable").unwrap_or(language.is_some_and(Language::is_counted));
        Self {
            language,
            is_language_said: named.is_some(),
            is_generated,
            is_vendored,
            is_counted: is_detectable && !is_generated && !is_vendored && !is_documentation,
            diff: match states.get("diff") {
                State::Set => Diff::Text,
                State::Unset => Diff::Binary,
                // The value names what a configuration tells more of, and a served repository's has nothing of the kind.
                State::Value(_) | State::Unspecified => Diff::Detected,
            },
            encoding: match states.get("encoding") {
                State::Value(label) => Encoding::for_label(label),
                State::Set | State::Unset | State::Unspecified => None,
            },
        }
    }

    /// What is known of the file at a path of a tree.
    pub fn of(repository: Repository<'_>, tree_id: &oid, path: &BStr) -> Result<Self, Error> {
        FileMarks::new(repository, tree_id)?.of(path)
    }
}

/// What is known of the files of a tree.
pub struct FileMarks<'a>(TreeAttributes<'a>);

impl<'a> FileMarks<'a> {
    pub fn new(repository: Repository<'a>, tree_id: &oid) -> Result<Self, Error> {
        TreeAttributes::new(repository, tree_id, &ATTRIBUTES).map(Self)
    }

    /// What is known of the file at a path. Paths of one directory, one after the other, cost least.
    pub fn of(&mut self, path: &BStr) -> Result<Marks, Error> {
        Ok(Marks::new(path, &self.0.of(path)?))
    }
}
