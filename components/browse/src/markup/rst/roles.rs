//! Roles: what kind a text in single quotes is of.

use super::directives::file_of;
use super::names::unescaped;
use super::write::Writer;
use crate::markup::{escaped, link};

/// Roles whose texts are marked, and the elements for them.
const MARKED: [(&str, &str); 21] = [
    ("", "cite"),
    ("abbr", "abbr"),
    ("abbreviation", "abbr"),
    ("command", "strong"),
    ("dfn", "dfn"),
    ("emphasis", "em"),
    ("guilabel", "strong"),
    ("kbd", "kbd"),
    ("manpage", "em"),
    ("menuselection", "strong"),
    ("program", "strong"),
    ("strong", "strong"),
    ("sub", "sub"),
    ("subscript", "sub"),
    ("sup", "sup"),
    ("superscript", "sup"),
    ("t", "cite"),
    ("term", "em"),
    ("title", "cite"),
    ("title-reference", "cite"),
    ("strike", "del"),
];

/// Roles whose texts are shown as any other.
const PLAIN: [&str; 11] =
    ["ac", "acronym", "any", "doc", "inline", "index", "numref", "ref", "sectref", "uri", "eq"];

impl Writer<'_> {
    /// A text of a role; one that is not known is code.
    pub(super) fn role(&mut self, role: &str, text: &str) -> String {
        let role = self.names.role(role);
        // Those of several languages are alike.
        let role = role.rsplit(':').next().unwrap_or_default();
        if let Some((_, element)) = MARKED.iter().find(|(name, _)| *name == role) {
            return format!("<{element}>{}</{element}>", escaped(&unescaped(text)));
        }
        let (label, target) = titled(text);
        match role {
            // It is for other programs, as HTML.
            "raw" => String::new(),
            "pep" | "pep-reference" => {
                let number = target.split('#').next().unwrap_or_default();
                let label = if label == target { format!("PEP {target}") } else { unescaped(label) };
                link(&format!("https://peps.python.org/pep-{number:0>4}"), &label)
            }
            "rfc" | "rfc-reference" => {
                let label = if label == target { format!("RFC {target}") } else { unescaped(label) };
                link(&format!("https://datatracker.ietf.org/doc/html/rfc{target}"), &label)
            }
            "ref" | "any" | "numref" => {
                let address = self.names.address(target);
                // Without a title of its own, it has that of what it leads to.
                let title = self.names.title(target);
                let label = match title {
                    Some(title) if label == target => super::names::plain(&title.text),
                    _ => unescaped(label),
                };
                address.map_or_else(|| escaped(&label), |address| link(&address, &label))
            }
            "doc" | "download" => match file_of(target) {
                file if file.is_empty() => escaped(&unescaped(label)),
                _ if role == "download" => link(target, &unescaped(label)),
                file => link(&file, &unescaped(label)),
            },
            "code" | "literal" | "math" | "file" | "samp" => format!("<code>{}</code>", escaped(text)),
            role if PLAIN.contains(&role) => escaped(&unescaped(label)),
            _ => {
                // `~` shortens a name to its last part, and `!` takes its link away.
                let shown = match label.strip_prefix('~') {
                    Some(name) => name.rsplit('.').next().unwrap_or_default(),
                    None => label.strip_prefix('!').unwrap_or(label),
                };
                format!("<code>{}</code>", escaped(&unescaped(shown)))
            }
        }
    }
}

/// The title and the target of a reference, `title <target>`; without a title, they are the same.
fn titled(text: &str) -> (&str, &str) {
    let parts = text.strip_suffix('>').and_then(|text| text.rsplit_once('<'));
    let parts = parts.map(|(title, target)| (title.trim(), target.trim()));
    parts.filter(|(title, target)| !title.is_empty() && !target.is_empty()).unwrap_or((text, text))
}
