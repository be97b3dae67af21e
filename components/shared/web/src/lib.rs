//! What every component that shows pages shares: the layout and its frame, answers, addresses,
//! forms and their protection, downloads, the choice of a language. Nothing here calls the store, or opens a file.
//!
//! A page is a struct with a `frame: Frame` field, built by a pure function and rendered with
//! askama. Its template extends `layout.html`, or `repository.html` for a page about a repository
//! (which needs a field `head: RepositoryHead` too). A component finds these templates by its
//! `askama.toml`:
//!
//! ```toml
//! [general]
//! dirs = ["templates", "../shared/web/templates"]
//! whitespace = "minimize"
//! ```
//!
//! What a page says is a text of the catalogue (`lithe-words`): `{{ "Sign in"|t }}` in a template, for which
//! `use lithe_web::filters` stands beside its struct, and a [`Text`] in a view.

pub mod address;
pub mod answer;
pub mod budget;
pub mod change_password;
pub mod compression;
pub mod cookie;
pub mod download;
pub mod failure;
pub mod form;
pub mod format;
pub mod frame;
pub mod language;
pub mod limits;
pub mod multipart;
pub mod origin;
pub mod pagination;
pub mod problem;
pub mod size;
pub mod visit;
pub mod written;

pub use address::Address;
pub use answer::Answer;
pub use form::{Fields, FormError};
pub use format::Format;
pub use frame::{Frame, RepositoryHead, Tab};
pub use lithe_words::{Html, Language, Text, filters, html, t, time, tn};
pub use pagination::Pagination;
pub use problem::Problem;
pub use visit::Visit;
pub use written::Written;

/// The addresses of the static files, with the fingerprint of their contents.
pub mod static_files {
    include!(concat!(env!("OUT_DIR"), "/static_files.rs"));
}
