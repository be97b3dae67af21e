//! The files of languages.

use bstr::{BStr, ByteSlice as _};
use lithe_code::languages::{self, Language};

/// The files of one of several languages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LanguageFilter {
    /// None: any language.
    languages: Vec<&'static Language>,
}

impl LanguageFilter {
    /// The filter for languages by their names; the name that none has is the error. No names: any language.
    pub fn new(names: &[String]) -> Result<Self, String> {
        let languages = names.iter().map(|name| languages::named(name).ok_or_else(|| name.clone()));
        Ok(Self { languages: languages.collect::<Result<_, _>>()? })
    }

    /// Whether files of any language match.
    pub fn is_any(&self) -> bool {
        self.languages.is_empty()
    }

    /// Whether a file of that language matches.
    pub fn has(&self, language: Option<&'static Language>) -> bool {
        self.is_any() || language.is_some_and(|language| self.languages.contains(&language))
    }

    /// Whether the file at a path is of one of the languages, going by its name.
    pub fn is_match(&self, path: &BStr) -> bool {
        let name = path.rsplit_str("/").next().unwrap_or_default();
        self.is_any() || self.languages.iter().any(|language| language.may_be_of(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_of_a_language() {
        let cases = [
            (&["rust"][..], "src/main.rs", true),
            (&["Rust"], "MAIN.RS", true),
            (&["rust"], "main.rst", false),
            (&["c", "rust"], "a/b.h", true),
            (&["make"], "sub/Makefile", true),
            (&["make"], "Makefile.txt", false),
            (&["python"], "rs", false),
            (&[], "anything", true),
        ];
        for (names, path, expected) in cases {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(
                LanguageFilter::new(&names).expect("known").is_match(path.into()),
                expected,
                "{names:?} {path}"
            );
        }
        assert_eq!(LanguageFilter::new(&["klingon".into()]), Err("klingon".into()));
    }
}
