//! The languages of files, by their names.

use bstr::{BStr, ByteSlice as _};

/// A language: its names, the first the one that is shown; the ends of file names, and whole names.
struct Language {
    names: &'static [&'static str],
    extensions: &'static [&'static str],
    files: &'static [&'static str],
}

const fn language(
    names: &'static [&'static str],
    extensions: &'static [&'static str],
    files: &'static [&'static str],
) -> Language {
    Language { names, extensions, files }
}

/// What people search in.
const LANGUAGES: &[Language] = &[
    language(&["ada"], &["adb", "ads"], &[]),
    language(&["assembly", "asm"], &["s", "asm"], &[]),
    language(&["awk"], &["awk"], &[]),
    language(&["c"], &["c", "h"], &[]),
    language(&["c#", "csharp", "cs"], &["cs"], &[]),
    language(&["c++", "cpp"], &["cc", "cpp", "cxx", "hh", "hpp", "hxx", "h", "ipp"], &[]),
    language(&["clojure"], &["clj", "cljs", "cljc", "edn"], &[]),
    language(&["cmake"], &["cmake"], &["cmakelists.txt"]),
    language(&["css"], &["css", "scss", "sass", "less"], &[]),
    language(&["d"], &["d", "di"], &[]),
    language(&["dart"], &["dart"], &[]),
    language(&["dockerfile", "docker"], &["dockerfile"], &["dockerfile", "containerfile"]),
    language(&["elixir"], &["ex", "exs"], &[]),
    language(&["erlang"], &["erl", "hrl"], &[]),
    language(&["f#", "fsharp"], &["fs", "fsi", "fsx"], &[]),
    language(&["fortran"], &["f", "f90", "f95", "f03", "f08", "for"], &[]),
    language(&["go", "golang"], &["go"], &[]),
    language(&["graphql"], &["graphql", "gql"], &[]),
    language(&["groovy"], &["groovy", "gradle"], &["jenkinsfile"]),
    language(&["haskell"], &["hs", "lhs"], &[]),
    language(&["html"], &["html", "htm", "xhtml"], &[]),
    language(&["ini"], &["ini", "cfg", "conf", "properties"], &[]),
    language(&["java"], &["java"], &[]),
    language(&["javascript", "js"], &["js", "mjs", "cjs", "jsx"], &[]),
    language(&["json"], &["json", "jsonc", "json5"], &[]),
    language(&["julia"], &["jl"], &[]),
    language(&["kotlin"], &["kt", "kts"], &[]),
    language(&["lisp"], &["lisp", "lsp", "cl", "el"], &[]),
    language(&["lua"], &["lua"], &[]),
    language(&["makefile", "make"], &["mk", "mak"], &["makefile", "gnumakefile"]),
    language(&["markdown", "md"], &["md", "markdown", "mdown"], &[]),
    language(&["nix"], &["nix"], &[]),
    language(&["objective-c", "objc"], &["m", "mm"], &[]),
    language(&["ocaml"], &["ml", "mli"], &[]),
    language(&["org"], &["org"], &[]),
    language(&["pascal"], &["pas", "pp", "dpr"], &[]),
    language(&["perl"], &["pl", "pm", "t"], &[]),
    language(&["php"], &["php", "phtml"], &[]),
    language(&["powershell"], &["ps1", "psm1"], &[]),
    language(&["protobuf", "proto"], &["proto"], &[]),
    language(&["python", "py"], &["py", "pyi", "pyw"], &["sconstruct"]),
    language(&["r"], &["r", "rmd"], &[]),
    language(&["restructuredtext", "rst"], &["rst", "rest"], &[]),
    language(&["ruby", "rb"], &["rb", "rake", "gemspec"], &["gemfile", "rakefile"]),
    language(&["rust", "rs"], &["rs"], &[]),
    language(&["scala"], &["scala", "sc", "sbt"], &[]),
    language(&["scheme"], &["scm", "ss", "rkt"], &[]),
    language(&["shell", "sh", "bash"], &["sh", "bash", "zsh", "ksh", "fish"], &["configure"]),
    language(&["sql"], &["sql"], &[]),
    language(&["swift"], &["swift"], &[]),
    language(&["tcl"], &["tcl", "tk"], &[]),
    language(&["tex", "latex"], &["tex", "sty", "cls", "bib"], &[]),
    language(&["text", "txt"], &["txt"], &["readme", "license", "copying"]),
    language(&["toml"], &["toml"], &[]),
    language(&["typescript", "ts"], &["ts", "tsx", "mts", "cts"], &[]),
    language(&["vim"], &["vim"], &["vimrc", ".vimrc"]),
    language(&["vue"], &["vue"], &[]),
    language(&["webassembly", "wasm", "wat"], &["wat", "wast"], &[]),
    language(&["wit"], &["wit"], &[]),
    language(&["xml"], &["xml", "xsd", "xsl", "xslt", "svg"], &[]),
    language(&["yaml", "yml"], &["yaml", "yml"], &[]),
    language(&["zig"], &["zig"], &[]),
];

/// The files of one of several languages.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LanguageFilter {
    extensions: Vec<&'static str>,
    files: Vec<&'static str>,
    is_any: bool,
}

impl LanguageFilter {
    /// The filter for languages by their names; the name that none has is the error. No names: any language.
    pub fn new(names: &[String]) -> Result<Self, String> {
        let mut filter = Self { is_any: names.is_empty(), ..Self::default() };
        for name in names {
            let wanted = name.to_lowercase();
            let known = LANGUAGES.iter().find(|language| language.names.contains(&wanted.as_str()));
            let language = known.ok_or_else(|| name.clone())?;
            filter.extensions.extend(language.extensions);
            filter.files.extend(language.files);
        }
        Ok(filter)
    }

    /// Whether the file at a path is of one of the languages.
    pub fn is_match(&self, path: &BStr) -> bool {
        if self.is_any {
            return true;
        }
        let name = path.rsplit_str("/").next().unwrap_or_default();
        let extension = name.rfind_byte(b'.').map_or(&[][..], |dot| &name[dot + 1..]);
        self.extensions.iter().any(|known| extension.eq_ignore_ascii_case(known.as_bytes()))
            || self.files.iter().any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
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

    #[test]
    fn every_name_is_of_one_language() {
        let mut names: Vec<_> = LANGUAGES.iter().flat_map(|language| language.names).collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
