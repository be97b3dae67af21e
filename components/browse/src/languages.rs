//! The languages of a tree, by the sizes of its files.
//!
//! To know them, the size of every file has to be looked up. So a view does a part, within a budget, and
//! keeps it under the id of the tree with the directories that are left; the next view goes on from there.
//! What is kept follows from the tree alone.

use crate::cache::{Cache, Key};
use crate::limits::{LANGUAGES_LEFT_MAX, LANGUAGES_SHOWN_MAX, LANGUAGES_TIME_MAX};
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use gix_object::tree::EntryKind;
use lithe_code::repository::{Error, Repository};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::time::Instant;

/// The languages that are counted, by the endings of names. Texts for people and data are left out.
const LANGUAGES: &[(&str, &[&str])] = &[
    ("Ada", &["adb", "ads"]),
    ("Assembly", &["asm", "s"]),
    ("Astro", &["astro"]),
    ("C", &["c", "h"]),
    ("C#", &["cs"]),
    ("C++", &["cc", "cpp", "cxx", "hh", "hpp", "hxx"]),
    ("CMake", &["cmake"]),
    ("CSS", &["css"]),
    ("Clojure", &["clj", "cljc", "cljs"]),
    ("Crystal", &["cr"]),
    ("D", &["d"]),
    ("Dart", &["dart"]),
    ("Elixir", &["ex", "exs"]),
    ("Elm", &["elm"]),
    ("Emacs Lisp", &["el"]),
    ("Erlang", &["erl", "hrl"]),
    ("F#", &["fs", "fsx"]),
    ("Fortran", &["f", "f90", "f95"]),
    ("GLSL", &["frag", "glsl", "vert"]),
    ("Go", &["go"]),
    ("Groovy", &["gradle", "groovy"]),
    ("HCL", &["hcl", "tf"]),
    ("HTML", &["htm", "html"]),
    ("Haskell", &["hs"]),
    ("Java", &["java"]),
    ("JavaScript", &["cjs", "js", "jsx", "mjs"]),
    ("Julia", &["jl"]),
    ("Kotlin", &["kt", "kts"]),
    ("Lean", &["lean"]),
    ("Less", &["less"]),
    ("Lisp", &["cl", "lisp"]),
    ("Lua", &["lua"]),
    ("Makefile", &["mak", "mk"]),
    ("Nim", &["nim"]),
    ("Nix", &["nix"]),
    ("OCaml", &["ml", "mli"]),
    ("Objective-C", &["m", "mm"]),
    ("PHP", &["php"]),
    ("Pascal", &["pas", "pp"]),
    ("Perl", &["pl", "pm", "t"]),
    ("PowerShell", &["ps1", "psm1"]),
    ("Prolog", &["pro"]),
    ("Python", &["py", "pyi", "pyx"]),
    ("R", &["r"]),
    ("Racket", &["rkt"]),
    ("Ruby", &["gemspec", "rake", "rb"]),
    ("Rust", &["rs"]),
    ("SCSS", &["sass", "scss"]),
    ("SQL", &["sql"]),
    ("Scala", &["sc", "scala"]),
    ("Scheme", &["scm", "ss"]),
    ("Shell", &["bash", "fish", "sh", "zsh"]),
    ("Svelte", &["svelte"]),
    ("Swift", &["swift"]),
    ("Tcl", &["tcl"]),
    ("TeX", &["cls", "sty", "tex"]),
    ("TypeScript", &["cts", "mts", "ts", "tsx"]),
    ("VHDL", &["vhd", "vhdl"]),
    ("Verilog", &["sv", "v"]),
    ("Vim Script", &["vim"]),
    ("Vue", &["vue"]),
    ("WebAssembly", &["wat", "wit"]),
    ("Zig", &["zig"]),
];

/// Languages by whole names.
const BY_NAME: &[(&str, &str)] = &[
    ("CMakeLists.txt", "CMake"),
    ("Dockerfile", "Dockerfile"),
    ("GNUmakefile", "Makefile"),
    ("Justfile", "Just"),
    ("Makefile", "Makefile"),
    ("Rakefile", "Ruby"),
    ("justfile", "Just"),
    ("makefile", "Makefile"),
];

/// Directories of what others wrote.
const VENDORED: [&str; 6] =
    ["node_modules", "vendor", "third_party", "third-party", "bower_components", "dist"];

/// The language that a file counts for; none if it counts for none.
pub fn of_file(name: &[u8]) -> Option<&'static str> {
    let name = name.to_str().ok()?;
    if let Some((_, language)) = BY_NAME.iter().find(|(whole, _)| *whole == name) {
        return Some(language);
    }
    let (stem, ending) = name.rsplit_once('.')?;
    // What a tool has made smaller, nobody wrote.
    if stem.ends_with(".min") {
        return None;
    }
    let ending = ending.to_ascii_lowercase();
    LANGUAGES.iter().find(|(_, endings)| endings.contains(&ending.as_str())).map(|(language, _)| *language)
}

/// A language's part of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    pub name: String,
    pub bytes: u64,
    /// `12.3 %`.
    pub percent: String,
    /// Where it begins and how long it is in a bar of 1,000.
    pub start: u64,
    pub width: u64,
}

/// The languages of a tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Languages {
    /// The largest first; `Other` at the end stands for the rest.
    pub parts: Vec<Part>,
    /// Whether all of the tree was looked at.
    pub is_complete: bool,
}

/// What is known of a tree so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    bytes: BTreeMap<String, u64>,
    /// The ids of directories that are left.
    left: Vec<String>,
    is_cut: bool,
}

impl Languages {
    /// Finds the languages of the tree, or goes on finding them.
    pub fn find(cache: &dyn Cache, repository: Repository<'_>, tree_id: &ObjectId) -> Result<Self, Error> {
        let key = Key::new(&[b"languages", tree_id.as_bytes()]);
        let kept = cache.get(&key).and_then(|kept| serde_json::from_str::<Progress>(&kept).ok());
        let mut progress =
            kept.unwrap_or_else(|| Progress { left: vec![tree_id.to_string()], ..Progress::default() });
        if !progress.left.is_empty() {
            progress.go_on(repository)?;
            if let Ok(text) = serde_json::to_string(&progress) {
                cache.put(&key, &text);
            }
        }
        Ok(Self { is_complete: progress.left.is_empty() && !progress.is_cut, parts: parts(&progress.bytes) })
    }
}

impl Progress {
    /// Looks at directories until none is left, or the time is over.
    fn go_on(&mut self, repository: Repository<'_>) -> Result<(), Error> {
        let begun = Instant::now();
        while let Some(id) = self.left.pop() {
            let Ok(id) = ObjectId::from_hex(id.as_bytes()) else { continue };
            for entry in repository.tree(&id)? {
                match entry.mode.kind() {
                    EntryKind::Tree if VENDORED.iter().any(|name| entry.name == *name) => {}
                    EntryKind::Tree if self.left.len() < LANGUAGES_LEFT_MAX => {
                        self.left.push(entry.id.to_string())
                    }
                    EntryKind::Tree => self.is_cut = true,
                    EntryKind::Blob | EntryKind::BlobExecutable => {
                        if let Some(language) = of_file(&entry.name) {
                            let size = repository.header(&entry.id)?.1;
                            *self.bytes.entry(language.to_owned()).or_default() += size;
                        }
                    }
                    EntryKind::Link | EntryKind::Commit => {}
                }
            }
            if begun.elapsed() > LANGUAGES_TIME_MAX {
                break;
            }
        }
        Ok(())
    }
}

/// The largest parts of a whole, and the rest as one.
fn parts(bytes: &BTreeMap<String, u64>) -> Vec<Part> {
    let mut all: Vec<(&str, u64)> = bytes.iter().map(|(name, bytes)| (name.as_str(), *bytes)).collect();
    all.retain(|(_, bytes)| *bytes > 0);
    all.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    let total: u64 = all.iter().map(|(_, bytes)| bytes).sum();
    if all.len() > LANGUAGES_SHOWN_MAX {
        let rest = all.split_off(LANGUAGES_SHOWN_MAX - 1).iter().map(|(_, bytes)| bytes).sum();
        all.push(("Other", rest));
    }
    let thousandths =
        |bytes: u64| u64::try_from(u128::from(bytes) * 1_000 / u128::from(total.max(1))).unwrap_or(1_000);
    let mut before = 0;
    let part = |(name, bytes): (&str, u64)| {
        let (start, end) = (thousandths(before), thousandths(before + bytes));
        before += bytes;
        let tenths = thousandths(bytes);
        let percent = format!("{}.{} %", tenths / 10, tenths % 10);
        Part { name: name.to_owned(), bytes, percent, start, width: end - start }
    };
    all.into_iter().map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_count_for_the_language_of_their_names() {
        let cases = [
            ("main.rs", Some("Rust")),
            ("A.PY", Some("Python")),
            ("Makefile", Some("Makefile")),
            ("jquery.min.js", None),
            ("README.md", None),
            ("rs", None),
            ("a.json", None),
        ];
        for (name, expected) in cases {
            assert_eq!(of_file(name.as_bytes()), expected, "{name}");
        }
    }

    #[test]
    fn parts_make_up_the_whole() {
        let bytes: BTreeMap<String, u64> =
            (1..=20).map(|number| (format!("L{number:02}"), number * 7)).collect();
        let parts = parts(&bytes);
        assert_eq!(parts.len(), LANGUAGES_SHOWN_MAX);
        assert_eq!((parts[0].name.as_str(), parts[LANGUAGES_SHOWN_MAX - 1].name.as_str()), ("L20", "Other"));
        assert_eq!(parts.iter().map(|part| part.bytes).sum::<u64>(), 7 * 210);
        let end = parts.iter().fold(0, |end, part| {
            assert_eq!(part.start, end);
            end + part.width
        });
        assert_eq!(end, 1_000);
        assert!(super::parts(&BTreeMap::new()).is_empty());
    }

    #[test]
    fn the_names_of_languages_are_distinct() {
        let mut endings: Vec<&str> =
            LANGUAGES.iter().flat_map(|(_, endings)| endings.iter().copied()).collect();
        let count = endings.len();
        endings.sort_unstable();
        endings.dedup();
        assert_eq!(endings.len(), count);
    }
}
