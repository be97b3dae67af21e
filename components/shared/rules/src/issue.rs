//! What messages call issues, and where issues are.

use crate::limits::{
    ISSUE_ADDRESS_BYTES_MAX, ISSUE_COMPILED_BYTES_MAX, ISSUE_LINE_BYTES_MAX, ISSUE_PATTERN_BYTES_MAX,
};
use crate::{PatternError, check, compile_within};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use regex_lite::{Captures, Regex};
use std::ops::Range;

/// All but the unreserved characters of RFC 3986, section 2.3: what stands for a placeholder never ends the
/// part of the address that it is in.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The path of a repository keeps its slashes.
const PATH: &AsciiSet = &COMPONENT.remove(b'/');

/// A regular expression that finds issues in messages, and the address of an issue.
///
/// In the address, `{name}` stands for what the group `name` of the expression matched; `{id}`, if no group
/// has that name, for the first group, and without groups for all that was matched; `{repo}` likewise for
/// the repository's path.
#[derive(Debug, Clone)]
pub struct IssueLink {
    expression: Regex,
    address: Vec<Part>,
}

/// A part of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    /// What a group matched, by its number; 0 is all.
    Group(usize),
    Repository,
}

/// Why a pattern and an address are not acceptable, in words for whoever wrote them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssueLinkError {
    #[error("the pattern cannot be used: {0}")]
    Pattern(#[from] PatternError),
    #[error("the pattern matches where there is nothing")]
    MatchesNothing,
    #[error("an address has at most {ISSUE_ADDRESS_BYTES_MAX} bytes")]
    AddressTooLong,
    #[error("an address begins with https:// or http:// and a host, or with one slash")]
    NoAddress,
    #[error("an address has no spaces, quotes, angle brackets or characters other than ASCII")]
    AddressCharacters,
    #[error("the pattern has no group of the name that the address has in braces: {0}")]
    NoGroup(String),
    #[error("the address has a brace without its counterpart")]
    LoneBrace,
    #[error("the address has nothing of the issue in it: {{id}} is missing")]
    NoIssue,
}

/// An issue that a line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention {
    /// Where in the line, in bytes.
    pub range: Range<usize>,
    /// The address, of printable ASCII, without quotes and angle brackets; none: what was matched is no
    /// issue after all.
    pub address: Option<String>,
}

impl IssueLink {
    /// Reads a regular expression, in the syntax of the crate `regex-lite`, and an address.
    pub fn parse(pattern: &str, address: &str) -> Result<Self, IssueLinkError> {
        check(pattern, ISSUE_PATTERN_BYTES_MAX)?;
        let expression = compile_within(pattern, false, ISSUE_COMPILED_BYTES_MAX)?;
        if expression.is_match("") {
            return Err(IssueLinkError::MatchesNothing);
        }
        let address = parts(address, &expression)?;
        Ok(Self { expression, address })
    }

    /// The first issue that a line names from an offset on, of a repository. What begins or ends within a
    /// word is none.
    pub fn find(&self, line: &str, from: usize, repository: &str) -> Option<Mention> {
        let searched = &line[..line.floor_char_boundary(ISSUE_LINE_BYTES_MAX)];
        if from > searched.len() {
            return None;
        }
        let captures = self.expression.captures_at(searched, from)?;
        let range = captures.get(0).expect("it is all that was matched").range();
        let is_whole = !range.is_empty() && is_bounded(line, &range);
        let address = is_whole.then(|| self.address(&captures, repository)).flatten();
        Some(Mention { range, address })
    }

    /// None: a placeholder has nothing to stand for, or what would make a step out of the path.
    fn address(&self, captures: &Captures<'_>, repository: &str) -> Option<String> {
        let mut address = String::new();
        for part in &self.address {
            match part {
                Part::Text(text) => address.push_str(text),
                Part::Repository => address.extend(utf8_percent_encode(repository, PATH)),
                Part::Group(number) => {
                    let value = captures.get(*number)?.as_str();
                    if matches!(value, "" | "." | "..") {
                        return None;
                    }
                    address.extend(utf8_percent_encode(value, COMPONENT));
                }
            }
        }
        Some(address)
    }
}

/// Whether neither end of the range is in the middle of a word.
fn is_bounded(line: &str, range: &Range<usize>) -> bool {
    let is_of_word = |character: char| character.is_alphanumeric() || character == '_';
    let (matched, after) = (&line[range.clone()], &line[range.end..]);
    let ends_in_word = matched.ends_with(is_of_word) && after.starts_with(is_of_word);
    !line[..range.start].ends_with(is_of_word) && !ends_in_word
}

/// Takes an address apart.
fn parts(address: &str, expression: &Regex) -> Result<Vec<Part>, IssueLinkError> {
    if address.len() > ISSUE_ADDRESS_BYTES_MAX {
        return Err(IssueLinkError::AddressTooLong);
    }
    let is_sound =
        |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'\\' | b'`');
    if !address.bytes().all(is_sound) {
        return Err(IssueLinkError::AddressCharacters);
    }
    if !begins_with_place(address) {
        return Err(IssueLinkError::NoAddress);
    }
    let mut parts = Vec::new();
    let mut rest = address;
    while let Some((text, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').ok_or(IssueLinkError::LoneBrace)?;
        parts.push(literal(text)?);
        parts.push(placeholder(name, expression)?);
        rest = after;
    }
    parts.push(literal(rest)?);
    let has_issue = parts.iter().any(|part| matches!(part, Part::Group(_)));
    if has_issue { Ok(parts) } else { Err(IssueLinkError::NoIssue) }
}

/// Whether the part of an address that says where to go is there, and nobody who writes messages chooses it:
/// there is a host before the first placeholder, or a slash that no second one follows.
fn begins_with_place(address: &str) -> bool {
    let Some(rest) = ["https://", "http://"].iter().find_map(|scheme| address.strip_prefix(scheme)) else {
        return address.starts_with('/') && !address.starts_with("//");
    };
    let host = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    let is_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b':' | b'[' | b']');
    host.starts_with(|first: char| first.is_ascii_alphanumeric() || first == '[') && host.bytes().all(is_host)
}

fn literal(text: &str) -> Result<Part, IssueLinkError> {
    if text.contains('}') { Err(IssueLinkError::LoneBrace) } else { Ok(Part::Text(text.to_owned())) }
}

fn placeholder(name: &str, expression: &Regex) -> Result<Part, IssueLinkError> {
    let named = expression.capture_names().position(|group| group == Some(name));
    match (named, name) {
        (Some(number), _) => Ok(Part::Group(number)),
        (None, "id") => Ok(Part::Group(usize::from(expression.captures_len() > 1))),
        (None, "repo") => Ok(Part::Repository),
        (None, name) => Err(IssueLinkError::NoGroup(name.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACKER: &str = "https://t.example/{id}";

    fn found(pattern: &str, address: &str, line: &str) -> Vec<(String, String)> {
        let link = IssueLink::parse(pattern, address).expect("a pattern and an address");
        let (mut found, mut from) = (Vec::new(), 0);
        while let Some(mention) = link.find(line, from, "team/a b") {
            from = mention.range.end.max(from + 1);
            if let Some(address) = mention.address {
                found.push((line[mention.range].to_owned(), address));
            }
        }
        found
    }

    #[test]
    fn issues_are_found_and_lead_to_their_addresses() {
        let cases: [(&str, &str, &str, &[(&str, &str)]); 15] = [
            (r"#(\d+)", TRACKER, "Fix #12, (#13)", &[("#12", "12"), ("#13", "13")]),
            (r"#(\d+)", TRACKER, "a#12 #12b #é12 #12é", &[]),
            (r"[A-Z]+-\d+", TRACKER, "ABC-1: do DE-22.", &[("ABC-1", "ABC-1"), ("DE-22", "DE-22")]),
            (r"[A-Z]+-\d+", TRACKER, "xABC-1 _A-1", &[]),
            (r"(?<p>[A-Z]+)-(?<n>\d+)", "https://t.example/{p}?n={n}", "ABC-1", &[("ABC-1", "ABC?n=1")]),
            (r"(?<id>\d)x(\d)", TRACKER, "1x2", &[("1x2", "1")]),
            (r"(\d)x(?<id>\d)", TRACKER, "1x2", &[("1x2", "2")]),
            // What a message chooses stays where the address has it.
            (
                r"!(\S+)",
                TRACKER,
                "!../../x?y#z&'é",
                &[("!../../x?y#z&'é", "..%2F..%2Fx%3Fy%23z%26%27%C3%A9")],
            ),
            (r"!(\S+)", TRACKER, "!. !.. !...", &[("!...", "...")]),
            (r"#(\d*)!", TRACKER, "#! #1!", &[("#1!", "1")]),
            (r"#(\d+)|gh", TRACKER, "gh #1", &[("#1", "1")]),
            (r"\[(\d+)\]", TRACKER, "[1]and[2]", &[("[1]", "1")]),
            (r"\b", TRACKER, "1 2", &[]),
            (r"#(\d+)", "https://t.example/{repo}/{id}", "#1", &[("#1", "team/a%20b/1")]),
            (r"#(?<repo>\w+)-(?<id>\d)", "https://t.example/{repo}/{id}", "#a-1", &[("#a-1", "a/1")]),
        ];
        for (pattern, address, line, expected) in cases {
            let expected: Vec<_> = expected
                .iter()
                .map(|(words, rest)| ((*words).to_owned(), format!("https://t.example/{rest}")))
                .collect();
            assert_eq!(found(pattern, address, line), expected, "{pattern} {address} {line}");
        }
    }

    #[test]
    fn addresses_are_of_the_web_and_say_themselves_where_they_lead() {
        use IssueLinkError::*;
        let cases = [
            ("https://t.example/{id}", None),
            ("http://t.example:80/{id}", None),
            ("http://[::1]/{id}", None),
            ("https://t.example?{id}", None),
            ("/team/issues/-/blob/main/{id}.md", None),
            ("/{id}", None),
            ("", Some(NoAddress)),
            ("//t.example/{id}", Some(NoAddress)),
            ("javascript:alert({id})", Some(NoAddress)),
            ("data:text/html,{id}", Some(NoAddress)),
            ("JAVASCRIPT:{id}", Some(NoAddress)),
            ("ftp://t.example/{id}", Some(NoAddress)),
            ("t.example/{id}", Some(NoAddress)),
            ("../{id}", Some(NoAddress)),
            ("https://{id}", Some(NoAddress)),
            ("https://{id}.example/", Some(NoAddress)),
            ("https://t.example{id}", Some(NoAddress)),
            ("https://a@t.example/{id}", Some(NoAddress)),
            ("https:///{id}", Some(NoAddress)),
            ("{id}", Some(NoAddress)),
            ("/\\t.example/{id}", Some(AddressCharacters)),
            ("https://t.example/\"onclick=x {id}", Some(AddressCharacters)),
            ("https://t.example/<b>{id}", Some(AddressCharacters)),
            ("https://t.example/\n{id}", Some(AddressCharacters)),
            ("https://t.example/\u{202e}{id}", Some(AddressCharacters)),
            ("https://t.example/", Some(NoIssue)),
            ("https://t.example/{repo}", Some(NoIssue)),
            ("https://t.example/{x}", Some(NoGroup("x".into()))),
            ("https://t.example/{}", Some(NoGroup(String::new()))),
            ("https://t.example/{id", Some(LoneBrace)),
            ("https://t.example/id}", Some(LoneBrace)),
            ("https://t.example/{id}}", Some(LoneBrace)),
        ];
        for (address, expected) in cases {
            assert_eq!(IssueLink::parse(r"#(\d+)", address).err(), expected, "{address}");
        }
        let address = |len: usize| format!("{:x<len$}", TRACKER);
        assert_eq!(IssueLink::parse("x", &address(ISSUE_ADDRESS_BYTES_MAX)).err(), None);
        assert_eq!(IssueLink::parse("x", &address(ISSUE_ADDRESS_BYTES_MAX + 1)).err(), Some(AddressTooLong));
    }

    #[test]
    fn hostile_patterns_are_refused() {
        let refused = |pattern: &str| IssueLink::parse(pattern, TRACKER).err();
        for pattern in ["a*", "", "^", "(?:)", "a|"] {
            assert!(refused(pattern).is_some(), "{pattern}");
        }
        for pattern in ["(", r"(a)\1", "(?=a)", "a{1000}", "(?:a{30}){30}", "a\nb"] {
            assert!(matches!(refused(pattern), Some(IssueLinkError::Pattern(_))), "{pattern}");
        }
        // What trackers are called by has room enough.
        for pattern in
            [r"\b(?:fixes|closes|refs) #(\d{1,9})", r"\b[A-Z][A-Z0-9]{1,9}-\d+\b", r"[\w.-]+/[\w.-]+#\d+"]
        {
            assert_eq!(refused(pattern), None, "{pattern}");
        }
        let pattern = |len: usize| "a".repeat(len);
        assert_eq!(refused(&pattern(ISSUE_PATTERN_BYTES_MAX)), None);
        let too_long = PatternError::TooLong(ISSUE_PATTERN_BYTES_MAX);
        assert_eq!(refused(&pattern(ISSUE_PATTERN_BYTES_MAX + 1)), Some(IssueLinkError::Pattern(too_long)));
    }

    #[test]
    fn issues_are_looked_for_up_to_a_length_of_a_line() {
        let line = |len: usize| format!("{: >len$}", "#1");
        assert_eq!(found(r"#(\d+)", TRACKER, &line(ISSUE_LINE_BYTES_MAX)).len(), 1);
        assert_eq!(found(r"#(\d+)", TRACKER, &line(ISSUE_LINE_BYTES_MAX + 1)), []);
        let cut_within = format!("{}1", line(ISSUE_LINE_BYTES_MAX));
        assert_eq!(found(r"#(\d+)", TRACKER, &cut_within), [], "`#1` of `#11` is another issue");
    }
}
