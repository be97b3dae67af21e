//! Directives (docutils.sourceforge.io/docs/ref/rst/directives.html), and those of Sphinx that documentation is
//! written with. Nothing is read from other files and nothing is taken as HTML.

use super::blocks::Parser;
use super::directive::Directive;
use super::lines::{outdented, trimmed};
use super::tree::Block;

/// Directives whose contents are a remark: its class and its title.
const REMARKS: [(&str, &str, &str); 14] = [
    ("attention", "warning", "Attention"),
    ("caution", "caution", "Caution"),
    ("danger", "caution", "Danger"),
    ("deprecated", "warning", "Deprecated since version"),
    ("error", "caution", "Error"),
    ("hint", "tip", "Hint"),
    ("important", "important", "Important"),
    ("note", "note", "Note"),
    ("seealso", "note", "See also"),
    ("tip", "tip", "Tip"),
    ("todo", "note", "To do"),
    ("versionadded", "note", "Added in version"),
    ("versionchanged", "note", "Changed in version"),
    ("warning", "warning", "Warning"),
];

/// Directives that describe a part of a program, by its signature.
const DESCRIBED: [&str; 21] = [
    "attribute",
    "class",
    "classmethod",
    "cmdoption",
    "confval",
    "data",
    "decorator",
    "describe",
    "directive",
    "enum",
    "envvar",
    "exception",
    "function",
    "macro",
    "member",
    "method",
    "object",
    "option",
    "property",
    "staticmethod",
    "type",
];

/// Directives that only group what is in them, and those that have a title too.
const GROUPS: [&str; 11] = [
    "centered",
    "class",
    "compound",
    "container",
    "footer",
    "glossary",
    "header",
    "hlist",
    "ifconfig",
    "only",
    "rst-class",
];
const TITLED_GROUPS: [&str; 8] =
    ["card", "dropdown", "grid", "grid-item", "grid-item-card", "tab", "tab-item", "tab-set"];

/// Directives that say something to programs, and nothing to readers.
const SILENT: [&str; 13] = [
    "currentmodule",
    "date",
    "index",
    "meta",
    "module",
    "program",
    "raw",
    "role",
    "sectionauthor",
    "tabularcolumns",
    "target-notes",
    "title",
    "testsetup",
];

impl Parser {
    pub(super) fn directive(&mut self, directive: &Directive, depth: usize, blocks: &mut Vec<Block>) {
        // Parts of programs of several languages are described alike.
        let name = directive.name.rsplit(':').next().unwrap_or_default();
        if let Some((_, class, title)) = REMARKS.iter().find(|(remark, ..)| *remark == name) {
            return blocks.push(self.remark(directive, (class, title), depth));
        }
        let is_described = DESCRIBED.contains(&name) && !(name == "class" && is_class_of_style(directive));
        if is_described {
            let signatures =
                std::iter::once(directive.beside).chain(directive.below.iter().map(|line| line.trim()));
            let signatures = signatures.filter(|line| !line.is_empty()).map(str::to_owned).collect();
            let said = self.blocks(&directive.contents, depth + 1);
            return blocks.push(Block::Described { signatures, blocks: said });
        }
        match name {
            "admonition" | "topic" | "sidebar" => {
                let mut said = self.blocks(&directive.contents, depth + 1);
                if let Some(subtitle) = directive.option("subtitle") {
                    said.insert(0, Block::Rubric(subtitle.to_owned()));
                }
                blocks.push(Block::Note { class: "note", title: directive.argument(), blocks: said });
            }
            "rubric" => blocks.push(Block::Rubric(directive.argument())),
            "code" | "code-block" | "sourcecode" | "ipython" | "prompt" | "code-tab" | "testcode" => {
                let language = directive.beside.split(' ').next().unwrap_or_default().to_owned();
                let language = if language.is_empty() { self.language.clone() } else { language };
                let behind = directive.behind_argument();
                let text = outdented(trimmed(&behind)).join("\n");
                blocks.extend(directive.option("caption").map(|caption| Block::Rubric(caption.to_owned())));
                blocks.push(Block::Code { language, text });
            }
            "highlight" | "highlightlang" => self.language = directive.argument(),
            "parsed-literal" => blocks.push(Block::Parsed(outdented(&directive.body()).join("\n"))),
            "math" | "productionlist" | "doctest" | "testoutput" => {
                blocks.push(Block::Typed(outdented(&directive.body()).join("\n")));
            }
            "image" => blocks.push(Block::Image(directive.image())),
            "figure" => {
                let said = self.blocks(&directive.contents, depth + 1);
                blocks.push(Block::Figure { image: directive.image(), blocks: said });
            }
            "epigraph" | "highlights" | "pull-quote" => self.quotes(&directive.body(), depth, blocks),
            "table" => self.titled_table(directive, depth, blocks),
            "csv-table" => {
                let file = directive
                    .option("file")
                    .or(directive.option("url"))
                    .map(|file| Block::Files(vec![(file.to_owned(), file.to_owned())]));
                let table = file.or_else(|| self.csv_table(directive, depth));
                blocks.push(table.unwrap_or_else(|| directive.typed()));
            }
            "list-table" => {
                blocks.push(self.list_table(directive, depth).unwrap_or_else(|| directive.typed()))
            }
            "contents" => blocks.push(self.contents(directive)),
            "sectnum" | "section-numbering" => self.names.are_titles_numbered = true,
            "toctree" => {
                blocks.extend(directive.option("caption").map(|caption| Block::Rubric(caption.to_owned())));
                blocks.push(Block::Files(directive.body().iter().filter_map(|line| entry(line)).collect()));
            }
            "include" | "literalinclude" => {
                let file = directive.argument();
                // Those in angle brackets come with programs.
                if !file.starts_with('<') {
                    blocks.push(Block::Files(vec![(file.clone(), file)]));
                }
            }
            "default-role" => blocks.push(Block::DefaultRole(directive.argument())),
            "role" => {
                let argument = directive.argument();
                let (role, base) = argument
                    .strip_suffix(')')
                    .and_then(|role| role.split_once('('))
                    .unwrap_or((&argument, ""));
                self.names.add_role(role.trim(), if base.is_empty() { "inline" } else { base.trim() });
            }
            name if GROUPS.contains(&name) => {
                // The first word says what is to be done with the rest.
                let body = match name {
                    "header" | "footer" | "centered" | "compound" | "glossary" | "hlist" => directive.body(),
                    _ => directive.contents.clone(),
                };
                let said = self.blocks(&body, depth + 1);
                blocks.push(Block::Group(said));
            }
            name if TITLED_GROUPS.contains(&name) => {
                blocks.push(Block::Rubric(directive.argument()));
                let said = self.blocks(&directive.contents, depth + 1);
                blocks.push(Block::Group(said));
            }
            name if SILENT.contains(&name) => {}
            _ => blocks.push(directive.typed()),
        }
    }

    fn remark(&mut self, directive: &Directive, (class, title): (&'static str, &str), depth: usize) -> Block {
        if !title.ends_with("version") {
            let said = self.blocks(&directive.body(), depth + 1);
            return Block::Note { class, title: title.to_owned(), blocks: said };
        }
        let (version, rest) = directive.beside.split_once(' ').unwrap_or((directive.beside, ""));
        let mut body = vec![rest];
        body.extend(directive.behind_argument());
        let said = self.blocks(&body, depth + 1);
        Block::Note { class, title: format!("{title} {version}"), blocks: said }
    }

    fn contents(&mut self, directive: &Directive) -> Block {
        let is_local = directive.option("local").is_some();
        let title = match directive.argument() {
            title if title.is_empty() && !is_local => "Contents".to_owned(),
            title => title,
        };
        let depth = directive.number("depth").unwrap_or(usize::MAX);
        let id = self.names.add_contents(&title);
        Block::Contents { title, id, local_after: is_local.then_some(self.names.titles.len()), depth }
    }
}

/// Whether a directive `class` is that of docutils, which says how the next paragraph looks, and not one that
/// describes a class of a program.
fn is_class_of_style(directive: &Directive) -> bool {
    directive.name == "class"
        && !directive.beside.contains(['(', '.'])
        && !directive.beside.starts_with(char::is_uppercase)
}

/// An entry of a table of contents of several files: what it is called, and the path of the file. The path is empty if
/// it cannot be told from the text alone.
fn entry(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    if line.is_empty() || line == "self" {
        return None;
    }
    let titled = line.strip_suffix('>').and_then(|line| line.rsplit_once('<'));
    let (label, path) = titled.map_or((line, line), |(label, path)| (label.trim(), path.trim()));
    Some((label.to_owned(), file_of(path)))
}

/// The file that a document is in, by the name that others know it by; empty if it cannot be told.
pub fn file_of(document: &str) -> String {
    if document.contains("://") {
        return document.to_owned();
    }
    if document.starts_with('/') || document.contains('*') {
        return String::new();
    }
    let has_extension =
        [".rst", ".md", ".txt", ".ipynb"].iter().any(|extension| document.ends_with(extension));
    if has_extension { document.to_owned() } else { format!("{document}.rst") }
}
