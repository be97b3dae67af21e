//! Marks and links within a text (docutils.sourceforge.io/docs/ref/rst/restructuredtext.html#inline-markup).

use super::explicit::is_footnote_label;
use super::names::{Substitution, unescaped};
use super::scan::{Scanner, begins_mark, ends_mark, mailbox_len, name_len};
use super::write::{ROLE_BYTES_MAX, Writer};
use crate::markup::{address_len, escaped, link, with_pieces};

/// How many bytes of texts that stand for names are written at most; past it, the names are.
const SUBSTITUTED_BYTES_MAX: usize = 256 << 10;

/// How deep texts that stand for names may have others in them.
const SUBSTITUTED_DEPTH_MAX: usize = 4;

impl Writer<'_> {
    /// The HTML of a text.
    pub(super) fn inline(&mut self, text: &str) -> String {
        let mut scanner = Scanner::new(text);
        // Up to where there is no name.
        let mut nameless = 0;
        let budget = self.budget.clone();
        with_pieces(text, &budget, |at, character, before| match character {
            '\\' => {
                let next = text[at + 1..].chars().next();
                let shown = next.filter(|next| !next.is_whitespace()).map(String::from);
                Some((escaped(&shown.unwrap_or_default()), 1 + next.map_or(0, char::len_utf8)))
            }
            '`' | '*' | '|' | '[' | ':' | '_' => self.mark(&mut scanner, at, before),
            _ if character.is_alphanumeric() && !before.is_some_and(char::is_alphanumeric) => {
                let found = if at >= nameless { self.word(&text[at..], before) } else { None };
                if found.is_none() && at >= nameless {
                    nameless = at + name_len(&text[at..]);
                }
                found.or_else(|| standalone(&text[at..], before))
            }
            _ => None,
        })
    }

    /// What a mark at that place makes of the text up to its end, and how long that is.
    fn mark(&mut self, scanner: &mut Scanner, at: usize, before: Option<char>) -> Option<(String, usize)> {
        let text = scanner.text;
        let rest = &text[at..];
        let begins = |length: usize| begins_mark(before, &rest[length..]);
        let marked = |element: &str, inner: &str| format!("<{element}>{}</{element}>", escaped(inner));
        if rest.starts_with("``") {
            if !begins(2) {
                return None;
            }
            let end = scanner.close(0, at + 2)?;
            return Some((marked("code", &text[at + 2..end]), end + 2 - at));
        }
        if rest.starts_with("**") {
            if !begins(2) {
                return None;
            }
            let end = scanner.close(1, at + 2)?;
            return Some((marked("strong", &unescaped(&text[at + 2..end])), end + 2 - at));
        }
        match rest.as_bytes()[0] {
            b'*' if begins(1) => {
                let end = scanner.close(2, at + 1)?;
                Some((marked("em", &unescaped(&text[at + 1..end])), end + 1 - at))
            }
            b'`' if begins(1) => self.interpreted(scanner, at, "", 1),
            b'_' if rest.starts_with("_`") && begins(2) => {
                let end = scanner.close(3, at + 2)?;
                let inner = unescaped(&text[at + 2..end]);
                let id = self.names.address(&inner).unwrap_or_default();
                let id = escaped(id.trim_start_matches('#'));
                Some((format!("<span id=\"{id}\">{}</span>", escaped(&inner)), end + 1 - at))
            }
            b':' if begins_mark(before, &rest[1..]) => {
                let end = rest[1..].find(|c: char| !c.is_alphanumeric() && !"-+_.:".contains(c))? + 1;
                let role = rest[1..end]
                    .strip_suffix(':')
                    .filter(|role| !role.is_empty() && role.len() < ROLE_BYTES_MAX)?;
                let is_role = rest[end..].starts_with('`') && begins_mark(Some(':'), &rest[end + 1..]);
                if is_role { self.interpreted(scanner, at, role, end + 1) } else { None }
            }
            b'|' if begins(1) => {
                let end = scanner.close(4, at + 1)?;
                let (html, underscores) = self.substituted(&text[at + 1..end], &text[end + 1..])?;
                Some((html, end + 1 + underscores - at))
            }
            b'[' if begins(1) => {
                let end = rest[..rest.floor_char_boundary(210)].find("]_")?;
                let is_reference = is_footnote_label(&rest[1..end]) && ends_mark(&rest[end + 2..], 0);
                is_reference
                    .then(|| self.footnote_reference(&rest[1..end]))
                    .flatten()
                    .map(|html| (html, end + 2))
            }
            _ => None,
        }
    }

    /// A text in single quotes, which begins `begin` bytes behind `at`: a link, or a text of some role.
    fn interpreted(
        &mut self,
        scanner: &mut Scanner,
        at: usize,
        role: &str,
        begin: usize,
    ) -> Option<(String, usize)> {
        let text = scanner.text;
        let end = scanner.close(3, at + begin)?;
        let (inner, after) = (&text[at + begin..end], &text[end + 1..]);
        let length = end + 1 - at;
        if !role.is_empty() {
            return Some((self.role(role, inner), length));
        }
        if after.starts_with("__") {
            return Some((self.anonymous_link(inner), length + 2));
        }
        if after.starts_with('_') {
            return Some((self.link(inner), length + 1));
        }
        if let Some(role) =
            after.strip_prefix(':').and_then(|rest| rest.split_once(':')).map(|(role, _)| role)
            && !role.is_empty()
            && role.len() < 100
            && role.chars().all(|c| c.is_alphanumeric() || "-+_.".contains(c))
        {
            return Some((self.role(role, inner), length + role.len() + 2));
        }
        let role = self.default_role.clone();
        Some((self.role(&role, inner), length))
    }

    /// A link, by the name of a target or with its own address.
    fn link(&mut self, inner: &str) -> String {
        if let Some((label, address)) = embedded(inner) {
            let name = address.strip_suffix('_').filter(|name| !name.ends_with('\\'));
            let address = name.and_then(|name| self.names.address(name.trim_matches('`')));
            let address = address.unwrap_or_else(|| embedded_address(inner));
            let label = if label.is_empty() { address.clone() } else { unescaped(label) };
            return link(&address, &label);
        }
        match self.names.address(&unescaped(inner)) {
            Some(address) => link(&address, &unescaped(inner)),
            None => escaped(&unescaped(inner)),
        }
    }

    fn anonymous_link(&mut self, inner: &str) -> String {
        if embedded(inner).is_some() {
            return self.link(inner);
        }
        match self.next_anonymous() {
            Some(address) => link(&address, &unescaped(inner)),
            None => escaped(&unescaped(inner)),
        }
    }

    fn next_anonymous(&mut self) -> Option<String> {
        if self.is_listing {
            return None;
        }
        self.anonymous += 1;
        self.names.anonymous_address(self.anonymous - 1)
    }

    /// What stands for a name, and how many underscores behind it say that it is a link too.
    fn substituted(&mut self, name: &str, after: &str) -> Option<(String, usize)> {
        let underscores = after.bytes().take_while(|byte| *byte == b'_').count().min(2);
        let html = match self.names.substitution(name) {
            Some(Substitution::Image(image)) => {
                self.substituted_bytes += image.address.len() + image.alternative.len();
                self.image(image)
            }
            Some(Substitution::Text(text)) if self.substituted_depth < SUBSTITUTED_DEPTH_MAX => {
                self.substituted_bytes += text.len() + 10;
                if self.substituted_bytes > SUBSTITUTED_BYTES_MAX {
                    return None;
                }
                self.substituted_depth += 1;
                let html = self.inline(text);
                self.substituted_depth -= 1;
                html
            }
            Some(Substitution::Text(_)) => return None,
            None => escaped(usual_substitution(name)?),
        };
        let address = match underscores {
            0 => None,
            1 => self.names.address(name),
            _ => self.next_anonymous(),
        };
        let html = match address {
            Some(address) if !html.contains("<a ") => format!("<a href=\"{}\">{html}</a>", escaped(&address)),
            _ => html,
        };
        (self.substituted_bytes <= SUBSTITUTED_BYTES_MAX).then_some((html, underscores))
    }

    /// A name with underscores behind it, which is a link.
    fn word(&mut self, text: &str, before: Option<char>) -> Option<(String, usize)> {
        let name = &text[..name_len(text)];
        let after = text[name.len()..].strip_prefix('_').filter(|_| begins_mark(before, text))?;
        let is_anonymous = after.starts_with('_');
        let after = after.strip_prefix('_').unwrap_or(after);
        if after.starts_with('_') || !ends_mark(after, 0) {
            return None;
        }
        if is_anonymous && self.is_listing {
            return Some((escaped(name), text.len() - after.len()));
        }
        let address = if is_anonymous { self.next_anonymous() } else { self.names.address(name) }?;
        Some((link(&address, name), text.len() - after.len()))
    }
}

/// An address that stands for itself.
fn standalone(text: &str, before: Option<char>) -> Option<(String, usize)> {
    if !begins_mark(before, text) {
        return None;
    }
    let length = address_len(text);
    if length > 0 {
        return Some((link(&text[..length], &text[..length]), length));
    }
    let prefix = if text.starts_with("mailto:") { "mailto:".len() } else { 0 };
    let length = mailbox_len(&text[prefix..]);
    let shown = &text[..prefix + length];
    (length > 0).then(|| (link(&format!("mailto:{}", &shown[prefix..]), shown), prefix + length))
}

/// The label and the address of a link that has its own.
fn embedded(inner: &str) -> Option<(&str, &str)> {
    let (label, address) = inner.strip_suffix('>')?.rsplit_once('<')?;
    let is_apart = label.is_empty() || label.ends_with(char::is_whitespace);
    (is_apart && !address.is_empty()).then(|| (label.trim(), address))
}

fn embedded_address(inner: &str) -> String {
    let address = embedded(inner).map_or("", |(_, address)| address);
    unescaped(&address.split_whitespace().collect::<String>())
}

/// What usual names stand for, which other files say.
fn usual_substitution(name: &str) -> Option<&'static str> {
    Some(match name {
        "copy" => "©",
        "reg" => "®",
        "trade" => "™",
        "nbsp" => "\u{a0}",
        "ndash" => "–",
        "mdash" | "--" | "---" => "—",
        "hellip" | "..." => "…",
        "larr" | "<-" => "←",
        "rarr" | "->" => "→",
        _ => return None,
    })
}
