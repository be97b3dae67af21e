//! The languages that files are in, as their names tell, and which files nobody wrote by hand for the repository
//! they are in. One table, for whatever counts languages, searches in them, or highlights them.

use Kind::{Data, Markup, Programming, Prose};
use bstr::ByteSlice as _;

/// The language of what is in none.
pub const PLAIN: &str = "Text";

/// What a language is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Programming,
    Markup,
    /// What programs read, and nobody counts.
    Data,
    /// What people read.
    Prose,
}

/// A language.
#[derive(Debug, PartialEq, Eq)]
pub struct Language {
    /// What it is called.
    pub name: &'static str,
    pub kind: Kind,
    /// What else it is called, in small letters.
    aliases: &'static [&'static str],
    /// What follows the last dot in the names of its files, in small letters.
    pub endings: &'static [&'static str],
    /// Whole names of its files.
    pub files: &'static [&'static str],
}

impl Language {
    /// Whether it counts among the languages that a repository is written in, unless its attributes say otherwise.
    pub fn is_counted(&self) -> bool {
        matches!(self.kind, Programming | Markup)
    }

    /// Whether a file of that name may be in it. That of a header may be in several.
    pub fn may_be_of(&self, file_name: &[u8]) -> bool {
        self.files.iter().any(|whole| file_name.eq_ignore_ascii_case(whole.as_bytes()))
            || ending(file_name).is_some_and(|ending| {
                self.endings.iter().any(|known| ending.eq_ignore_ascii_case(known.as_bytes()))
            })
    }

    fn is_called(&self, name: &str) -> bool {
        std::iter::once(&self.name).chain(self.aliases).any(|own| {
            let same = |(a, b): (u8, u8)| a.eq_ignore_ascii_case(&b) || (a == b' ' && b == b'-');
            own.len() == name.len() && own.bytes().zip(name.bytes()).all(same)
        })
    }
}

const fn language(
    name: &'static str,
    kind: Kind,
    aliases: &'static [&'static str],
    endings: &'static [&'static str],
    files: &'static [&'static str],
) -> Language {
    Language { name, kind, aliases, endings, files }
}

/// The languages by name. An ending that several have is the first one's, unless that is asked otherwise.
pub static LANGUAGES: &[Language] = &[
    language("Ada", Programming, &[], &["adb", "ads"], &[]),
    language("Assembly", Programming, &["asm"], &["asm", "s"], &[]),
    language("Astro", Markup, &[], &["astro"], &[]),
    language("Awk", Programming, &[], &["awk"], &[]),
    language("C", Programming, &[], &["c", "h"], &[]),
    language("C#", Programming, &["csharp", "cs"], &["cs"], &[]),
    language("C++", Programming, &["cpp"], &["cc", "cpp", "cxx", "hh", "hpp", "hxx", "ipp", "h"], &[]),
    language("CMake", Programming, &[], &["cmake"], &["CMakeLists.txt"]),
    language("CSS", Markup, &[], &["css"], &[]),
    language("CSV", Data, &[], &["csv", "tsv"], &[]),
    language("Clojure", Programming, &[], &["clj", "cljc", "cljs", "edn"], &[]),
    language("Crystal", Programming, &[], &["cr"], &[]),
    language("D", Programming, &[], &["d", "di"], &[]),
    language("Dart", Programming, &[], &["dart"], &[]),
    language("Diff", Data, &["patch"], &["diff", "patch"], &[]),
    language("Dockerfile", Programming, &["docker"], &["dockerfile"], &["Containerfile", "Dockerfile"]),
    language("Elixir", Programming, &[], &["ex", "exs"], &[]),
    language("Elm", Programming, &[], &["elm"], &[]),
    language("Emacs Lisp", Programming, &["elisp"], &["el"], &[]),
    language("Erlang", Programming, &[], &["erl", "hrl"], &[]),
    language("F#", Programming, &["fsharp"], &["fs", "fsi", "fsx"], &[]),
    language("Fortran", Programming, &[], &["f", "f03", "f08", "f90", "f95", "for"], &[]),
    language("GLSL", Programming, &[], &["frag", "glsl", "vert"], &[]),
    language("Go", Programming, &["golang"], &["go"], &[]),
    language("GraphQL", Data, &["gql"], &["gql", "graphql"], &[]),
    language("Groovy", Programming, &[], &["gradle", "groovy"], &["Jenkinsfile"]),
    language("HCL", Programming, &["terraform"], &["hcl", "tf"], &[]),
    language("HTML", Markup, &[], &["htm", "html", "xhtml"], &[]),
    language("Haskell", Programming, &[], &["hs", "lhs"], &[]),
    language("INI", Data, &[], &["cfg", "conf", "ini", "properties"], &[]),
    language("JSON", Data, &[], &["json", "json5", "jsonc"], &[]),
    language("Java", Programming, &[], &["java"], &[]),
    language("JavaScript", Programming, &["js"], &["cjs", "js", "jsx", "mjs"], &[]),
    language("Julia", Programming, &[], &["jl"], &[]),
    language("Just", Programming, &[], &["just"], &["Justfile", "justfile"]),
    language("Kotlin", Programming, &[], &["kt", "kts"], &[]),
    language("Lean", Programming, &[], &["lean"], &[]),
    language("Less", Markup, &[], &["less"], &[]),
    language("Lisp", Programming, &[], &["cl", "lisp", "lsp"], &[]),
    language("Lua", Programming, &[], &["lua"], &[]),
    language("Makefile", Programming, &["make"], &["mak", "mk"], &["GNUmakefile", "Makefile", "makefile"]),
    language("Markdown", Prose, &["md"], &["markdown", "md", "mdown"], &[]),
    language("Nim", Programming, &[], &["nim"], &[]),
    language("Nix", Programming, &[], &["nix"], &[]),
    language("OCaml", Programming, &[], &["ml", "mli"], &[]),
    language("Objective-C", Programming, &["objc"], &["m", "mm"], &[]),
    language("Org", Prose, &[], &["org"], &[]),
    language("PHP", Programming, &[], &["php", "phtml"], &[]),
    language("Pascal", Programming, &[], &["dpr", "pas", "pp"], &[]),
    language("Perl", Programming, &[], &["pl", "pm", "t"], &[]),
    language("PowerShell", Programming, &[], &["ps1", "psm1"], &[]),
    language("Prolog", Programming, &[], &["pro"], &[]),
    language("Protocol Buffer", Data, &["proto", "protobuf"], &["proto"], &[]),
    language("Python", Programming, &["py"], &["py", "pyi", "pyw", "pyx"], &["SConstruct"]),
    language("R", Programming, &[], &["r", "rmd"], &[]),
    language("Racket", Programming, &[], &["rkt"], &[]),
    language("reStructuredText", Prose, &["rst"], &["rest", "rst"], &[]),
    language("Ruby", Programming, &["rb"], &["gemspec", "rake", "rb"], &["Gemfile", "Rakefile"]),
    language("Rust", Programming, &["rs"], &["rs"], &[]),
    language("SCSS", Markup, &["sass"], &["sass", "scss"], &[]),
    language("SQL", Data, &[], &["sql"], &[]),
    language("Scala", Programming, &[], &["sbt", "sc", "scala"], &[]),
    language("Scheme", Programming, &[], &["scm", "ss"], &[]),
    language("Shell", Programming, &["bash", "sh"], &["bash", "fish", "ksh", "sh", "zsh"], &["configure"]),
    language("Svelte", Markup, &[], &["svelte"], &[]),
    language("Swift", Programming, &[], &["swift"], &[]),
    language("TOML", Data, &[], &["toml"], &[]),
    language("Tcl", Programming, &[], &["tcl", "tk"], &[]),
    language("TeX", Markup, &["latex"], &["bib", "cls", "sty", "tex"], &[]),
    language(PLAIN, Prose, &["txt"], &["txt"], &["COPYING", "LICENSE", "README"]),
    language("TypeScript", Programming, &["ts"], &["cts", "mts", "ts", "tsx"], &[]),
    language("VHDL", Programming, &[], &["vhd", "vhdl"], &[]),
    language("Verilog", Programming, &[], &["sv", "v"], &[]),
    language("Vim Script", Programming, &["vim", "viml"], &["vim"], &[".vimrc", "vimrc"]),
    language("Vue", Markup, &[], &["vue"], &[]),
    language("WIT", Data, &[], &["wit"], &[]),
    language("WebAssembly", Programming, &["wasm", "wat"], &["wast", "wat"], &[]),
    language("XML", Data, &[], &["svg", "xml", "xsd", "xsl", "xslt"], &[]),
    language("YAML", Data, &["yml"], &["yaml", "yml"], &[]),
    language("Zig", Programming, &[], &["zig"], &[]),
];

/// The names of directories with what others wrote.
const VENDORED: [&str; 6] =
    ["node_modules", "vendor", "third_party", "third-party", "bower_components", "dist"];

/// The names of files that tools write.
const GENERATED: [&str; 12] = [
    "Cargo.lock",
    "Gemfile.lock",
    "Pipfile.lock",
    "bun.lock",
    "composer.lock",
    "flake.lock",
    "go.sum",
    "npm-shrinkwrap.json",
    "package-lock.json",
    "pnpm-lock.yaml",
    "poetry.lock",
    "yarn.lock",
];

/// The ends of names of files that tools write.
const GENERATED_ENDS: [&str; 8] =
    [".min.js", ".min.css", ".js.map", ".css.map", ".pb.go", "_pb2.py", ".g.dart", ".designer.cs"];

/// The language of a file by its name; none if that does not tell.
pub fn of_file(file_name: &[u8]) -> Option<&'static Language> {
    let by_name =
        LANGUAGES.iter().find(|language| language.files.iter().any(|whole| file_name == whole.as_bytes()));
    by_name.or_else(|| {
        let ending = ending(file_name)?.to_ascii_lowercase();
        LANGUAGES.iter().find(|language| language.endings.iter().any(|known| ending == known.as_bytes()))
    })
}

/// The language that is called so, whether in capital letters or not, and with hyphens for spaces or not.
pub fn named(name: &str) -> Option<&'static Language> {
    LANGUAGES.iter().find(|language| language.is_called(name))
}

/// Whether a directory of that name usually has what others wrote.
pub fn is_vendored_directory(name: &[u8]) -> bool {
    VENDORED.iter().any(|vendored| name == vendored.as_bytes())
}

/// Whether a path leads into such a directory.
pub fn is_vendored(path: &[u8]) -> bool {
    let mut segments = path.rsplit_str("/");
    segments.next();
    segments.any(is_vendored_directory)
}

/// Whether a file of that name is usually written by a tool.
pub fn is_generated(file_name: &[u8]) -> bool {
    GENERATED.iter().any(|name| file_name == name.as_bytes())
        || GENERATED_ENDS.iter().any(|end| file_name.len() > end.len() && file_name.ends_with_str(end))
}

/// What follows the last dot of a name.
fn ending(file_name: &[u8]) -> Option<&[u8]> {
    file_name.rfind_byte(b'.').map(|dot| &file_name[dot + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_in_the_language_that_their_names_tell() {
        let cases = [
            ("main.rs", Some("Rust")),
            ("A.PY", Some("Python")),
            ("Makefile", Some("Makefile")),
            ("CMakeLists.txt", Some("CMake")),
            ("notes.txt", Some("Text")),
            ("a.h", Some("C")),
            ("README.md", Some("Markdown")),
            ("rs", None),
            ("a.", None),
            ("a.unheard-of", None),
        ];
        for (name, expected) in cases {
            assert_eq!(of_file(name.as_bytes()).map(|language| language.name), expected, "{name}");
        }
        assert!(named("c++").is_some_and(|language| language.may_be_of(b"A.H")));
        assert!(!of_file(b"README.md").is_some_and(Language::is_counted));
    }

    #[test]
    fn languages_are_found_by_each_of_their_names() {
        let cases = [
            ("rust", Some("Rust")),
            ("RS", Some("Rust")),
            ("c++", Some("C++")),
            ("Emacs-Lisp", Some("Emacs Lisp")),
            ("emacs lisp", Some("Emacs Lisp")),
            ("klingon", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(named(name).map(|language| language.name), expected, "{name}");
        }
        for language in LANGUAGES {
            for name in std::iter::once(&language.name).chain(language.aliases) {
                assert_eq!(named(name), Some(language), "{name}");
            }
        }
    }

    #[test]
    fn no_two_languages_share_an_ending_but_c_and_its_kin() {
        let mut endings: Vec<&str> =
            LANGUAGES.iter().flat_map(|language| language.endings).copied().collect();
        endings.sort_unstable();
        let twice: Vec<&str> =
            endings.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]).collect();
        assert_eq!(twice, ["h"]);
        assert!(
            LANGUAGES
                .iter()
                .flat_map(|language| language.endings)
                .all(|ending| *ending == ending.to_lowercase())
        );
    }

    #[test]
    fn what_nobody_wrote_here_is_told_by_name() {
        let cases = [
            ("vendor/a.c", true, false),
            ("a/node_modules/b/c.js", true, false),
            ("vendor", false, false),
            ("src/vendors/a.c", false, false),
            ("jquery.min.js", false, true),
            (".min.js", false, false),
            ("a/Cargo.lock", false, true),
            ("src/main.rs", false, false),
        ];
        for (path, vendored, generated) in cases {
            let name = path.rsplit('/').next().unwrap_or_default();
            assert_eq!(
                (is_vendored(path.as_bytes()), is_generated(name.as_bytes())),
                (vendored, generated),
                "{path}"
            );
        }
    }
}
