//! Compiles the catalogues: the `.po` files of each language below `po/` become one table, sorted by the
//! English text, which is looked up without being parsed.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The languages that have catalogues, by their tags, and the names of their tables.
const LANGUAGES: [(&str, &str); 1] = [("de", "GERMAN")];

/// The catalogue of what comes as text, and is found by what it looks like.
const FOREIGN: &str = "store.po";

fn main() {
    let mut code = String::new();
    for (tag, name) in LANGUAGES {
        let directory = Path::new("po").join(tag);
        println!("cargo::rerun-if-changed={}", directory.display());
        let (foreign, own): (Vec<_>, Vec<_>) = files(&directory)
            .into_iter()
            .partition(|path| path.file_name().is_some_and(|name| name == FOREIGN));
        for (name, files) in [(name.to_owned(), own), (format!("{name}_FOREIGN"), foreign)] {
            writeln!(code, "pub static {name}: &[Entry] = &[").expect("a string takes it");
            for (text, forms) in entries(&files) {
                writeln!(code, "({text:?}, &{forms:?}),").expect("a string takes it");
            }
            writeln!(code, "];").expect("a string takes it");
        }
    }
    let out = env::var_os("OUT_DIR").expect("cargo sets it");
    fs::write(Path::new(&out).join("tables.rs"), code).expect("cargo made the directory");
}

/// Each English text of some catalogues with its translation, or those of its plural forms.
///
/// What is not translated, or in doubt (`fuzzy`), is left out, so that it stays English. A text may be in
/// several files, where it says the same in each.
fn entries(files: &[PathBuf]) -> BTreeMap<String, Vec<String>> {
    let mut entries = BTreeMap::new();
    for path in files {
        println!("cargo::rerun-if-changed={}", path.display());
        let catalogue =
            polib::po_file::parse(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for message in catalogue.messages().filter(|message| message.is_translated() && !message.is_fuzzy()) {
            let forms = match message.msgstr_plural() {
                Ok(forms) => forms.clone(),
                Err(_) => vec![message.msgstr().expect("it is one or the other").to_owned()],
            };
            let before = entries.insert(message.msgid().to_owned(), forms.clone());
            if before.is_some_and(|before| before != forms) {
                panic!("{}: another file translates {:?} otherwise", path.display(), message.msgid());
            }
        }
    }
    entries
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).expect("each language has a directory");
    let paths = entries.map(|entry| entry.expect("a directory that can be read").path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|name| name == "po")).collect();
    files.sort();
    files
}
