//! A commit's message as HTML: with links to addresses, and to commits and issues that it names, and
//! nothing else.

use crate::issues::Issues;
use crate::limits::{MESSAGE_ADDRESS_BYTES_MAX, MESSAGE_BYTES_MAX, MESSAGE_IDS_MAX};
use bstr::BStr;
use gix_hash::ObjectId;
use lithe_code::links::Links;
use lithe_code::repository::Repository;
use lithe_code::{revision, text};
use std::fmt::Write as _;

/// The fewest digits that are taken for a commit's id: shorter words are too often just that.
const ID_DIGITS_MIN: usize = 7;

/// A message, or a part of one, as HTML, cut at [`MESSAGE_BYTES_MAX`].
pub fn html(repository: Repository<'_>, links: &Links, issues: &Issues, message: &str) -> String {
    let mut ids_left = MESSAGE_IDS_MAX;
    with_links(message, links, issues, |digits| {
        ids_left = ids_left.checked_sub(1)?;
        revision::commit_by_abbreviation(repository, BStr::new(digits)).ok()?
    })
}

fn with_links(
    message: &str,
    links: &Links,
    issues: &Issues,
    mut find: impl FnMut(&str) -> Option<ObjectId>,
) -> String {
    let shown = &message[..message.floor_char_boundary(MESSAGE_BYTES_MAX)];
    let mut html = String::with_capacity(shown.len() + 64);
    let mut issues = issues.find(shown).into_iter().peekable();
    // From where on nothing is written yet, and how far it is looked at.
    let (mut written, mut at) = (0, 0);
    while let Some(character) = shown[at..].chars().next() {
        let word = &shown[at..];
        while issues.next_if(|issue| issue.range.start < at).is_some() {}
        let linked = if let Some(issue) = issues.next_if(|issue| issue.range.start == at) {
            Some((issue.range.len(), issue.href, "nofollow noreferrer"))
        } else if let Some(address) = address(word) {
            Some((address.len(), escaped_href(address), "nofollow noreferrer"))
        } else {
            id(word).and_then(|digits| find(digits).map(|id| (digits.len(), links.commit(&id), "nofollow")))
        };
        match linked {
            Some((len, href, rel)) => {
                text::push_html(&mut html, &shown[written..at]);
                write!(html, "<a href=\"{href}\" rel=\"{rel}\">").expect("writing to a string succeeds");
                text::push_html(&mut html, &word[..len]);
                html.push_str("</a>");
                at += len;
                written = at;
            }
            // What begins within a word is no address and no id.
            None if is_of_word(character) => {
                at += word.find(|other| !is_of_word(other)).unwrap_or(word.len());
            }
            None => at += character.len_utf8(),
        }
    }
    text::push_html(&mut html, &shown[written..]);
    if shown.len() < message.len() {
        html.push('…');
    }
    html
}

fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The digits of an id that a text begins with.
fn id(text: &str) -> Option<&str> {
    let digits = &text[..text.find(|other| !is_of_word(other)).unwrap_or(text.len())];
    let is_id = digits.len() >= ID_DIGITS_MIN
        && digits.len() <= gix_hash::Kind::longest().len_in_hex()
        && digits.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    is_id.then_some(digits)
}

/// The address that a text begins with, in ASCII, without the punctuation of the sentence that it is in.
fn address(text: &str) -> Option<&str> {
    let scheme = ["https://", "http://"].into_iter().find(|scheme| text.starts_with(scheme))?;
    let head = &text[..text.floor_char_boundary(MESSAGE_ADDRESS_BYTES_MAX + 1)];
    let is_end =
        |c: char| !c.is_ascii_graphic() || matches!(c, '<' | '>' | '"' | '\\' | '`' | '{' | '}' | '|' | '^');
    let mut address = &head[..head.find(is_end).unwrap_or(head.len())];
    if address.len() > MESSAGE_ADDRESS_BYTES_MAX {
        return None;
    }
    loop {
        let is_open = |open: char, close: char| {
            address.ends_with(close) && address.matches(close).count() > address.matches(open).count()
        };
        let is_stray = address.ends_with(['.', ',', ';', ':', '!', '?', '\'', '*', '_'])
            || is_open('(', ')')
            || is_open('[', ']');
        match is_stray {
            true => address = &address[..address.len() - 1],
            false => break,
        }
    }
    let host = address.get(scheme.len()..)?;
    host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[').then_some(address)
}

fn escaped_href(address: &str) -> String {
    address.replace('&', "&amp;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(message: &str) -> String {
        let known = ObjectId::from_hex(b"abcdef0123456789abcdef0123456789abcdef01").expect("an id");
        let issue = lithe_forge::types::IssueLink {
            pattern: r"#(\d+)|[A-Z]+-\d+".into(),
            address: "https://t.example/{repo}?{id}&x".into(),
        };
        let issues = Issues::new(&[issue], "r");
        with_links(message, &Links::new("r"), &issues, |digits| {
            known.to_string().starts_with(digits).then_some(known)
        })
    }

    fn to_issue(words: &str, id: &str) -> String {
        format!("<a href=\"https://t.example/r?{id}&amp;x\" rel=\"nofollow noreferrer\">{words}</a>")
    }

    fn to_commit(words: &str) -> String {
        let href = "/r/-/commit/abcdef0123456789abcdef0123456789abcdef01";
        format!("<a href=\"{href}\" rel=\"nofollow\">{words}</a>")
    }

    fn to(address: &str) -> String {
        format!("<a href=\"{address}\" rel=\"nofollow noreferrer\">{address}</a>")
    }

    #[test]
    fn commits_and_addresses_are_linked_and_nothing_else() {
        let cases = [
            (
                "see abcdef0, or abcdef0123456789abcdef0123456789abcdef01.",
                format!(
                    "see {}, or {}.",
                    to_commit("abcdef0"),
                    to_commit("abcdef0123456789abcdef0123456789abcdef01")
                ),
            ),
            ("(abcdef01)", format!("({})", to_commit("abcdef01"))),
            ("abcdef", "abcdef".into()),
            (
                "xabcdef0 abcdef0x abcdef0_ _abcdef0 ABCDEF0 éabcdef0",
                "xabcdef0 abcdef0x abcdef0_ _abcdef0 ABCDEF0 éabcdef0".into(),
            ),
            ("0000000", "0000000".into()),
            ("https://a.example/x?y=1#z", to("https://a.example/x?y=1#z")),
            ("<http://a.example>.", format!("&lt;{}&gt;.", to("http://a.example"))),
            ("(https://a.example/b_(c)).", format!("({}).", to("https://a.example/b_(c)"))),
            ("https://a.example/abcdef0", to("https://a.example/abcdef0")),
            ("xhttps://a.example https:// http://.", "xhttps://a.example https:// http://.".into()),
            (
                "javascript:alert(1) data:x ftp://a.example",
                "javascript:alert(1) data:x ftp://a.example".into(),
            ),
        ];
        for (message, expected) in cases {
            assert_eq!(shown(message), expected, "{message}");
        }
    }

    #[test]
    fn issues_are_linked_beside_the_rest() {
        let cases = [
            (
                "#1, abcdef0\n#2",
                format!("{}, {}\n{}", to_issue("#1", "1"), to_commit("abcdef0"), to_issue("#2", "2")),
            ),
            // An address that has what looks like an issue is an address.
            ("https://a.example/x#1 #2", format!("{} {}", to("https://a.example/x#1"), to_issue("#2", "2"))),
            ("<#1>", format!("&lt;{}&gt;", to_issue("#1", "1"))),
            ("x#1 #1x", "x#1 #1x".into()),
        ];
        for (message, expected) in cases {
            assert_eq!(shown(message), expected, "{message}");
        }
    }

    #[test]
    fn hostile_messages_stay_text() {
        let html = shown(
            "https://a.example/\"onclick=x https://a.example/'x <script>\u{202e}https://a.example\u{202e}b&c",
        );
        for broken in ["\"onclick", "<script", "\u{202e}", "='"] {
            assert!(!html.contains(broken), "{broken}: {html}");
        }
        assert!(shown("https://a.example/?a&b").contains("href=\"https://a.example/?a&amp;b\""));
    }

    #[test]
    fn addresses_are_linked_up_to_a_length() {
        let address = |len: usize| format!("{:x<len$}", "https://a.example/");
        assert!(shown(&address(MESSAGE_ADDRESS_BYTES_MAX)).starts_with("<a "));
        assert!(!shown(&address(MESSAGE_ADDRESS_BYTES_MAX + 1)).contains("<a "));
    }

    #[test]
    fn a_message_that_is_all_links_ends() {
        let message = "(abcdef0 https://a.example ".repeat(MESSAGE_BYTES_MAX / 20);
        assert!(shown(&message).ends_with('…'));
    }
}
