//! What pages say, in the language of whoever reads them.
//!
//! The English text stands where it is said, in a template or in the code, and is the key under which a
//! catalogue has its translation (gettext's way). So templates read as what they show, English is looked up
//! nowhere, and what is not translated yet stays English. In a template, which needs `use lithe_web::filters`
//! beside its struct:
//!
//! ```html
//! <h2>{{ "Latest commits"|t }}</h2>
//! <p>{{ "The files of {name}"|t|with("name", name) }}</p>
//! <p>{{ "{n} file"|tn("{n} files", count) }} {{ size|size }} {{ count|number }}</p>
//! <p>{{ "Signed in as <strong>{name}</strong>"|html|with("name", name) }}</p>
//! ```
//!
//! and in the code, where a view holds a [`Text`] for what is said in a language that is only known when the
//! page is written:
//!
//! ```
//! use lithe_words::{Language, t, tn};
//!
//! let text = t("The files of {name}").with("name", "main".to_owned());
//! assert_eq!(text.to_string(), "The files of main");
//! assert_eq!(tn("{n} file", "{n} files", 1204_u32).to_string(), "1,204 files");
//! # let _ = text.in_language(Language::German);
//! ```
//!
//! The language reaches templates as their run-time value, so that no page has to carry it:
//! `page.render_with_values(&language)`. Translations are in `po/LANGUAGE/*.po`, which translators' programs
//! open; the tests of this crate say which are missing, unused or lack a placeholder.

mod catalogue;
pub mod filters;
mod html;
mod language;
pub mod number;
mod text;
pub mod time;

pub use html::{Html, html};
pub use language::Language;
pub use text::{Count, Text, t, tn};
