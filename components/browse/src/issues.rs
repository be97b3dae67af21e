//! The issues that messages name, by what the settings of a repository and of its groups call them.

use crate::limits::{MENTIONS_PER_MESSAGE_MAX, MENTIONS_TRIED_MAX, MESSAGE_ISSUES_BYTES_MAX};
use lithe_code::text;
use lithe_forge::types;
use lithe_rules::{IssueLink, Mention};
use std::fmt::Write as _;
use std::ops::Range;

/// What finds issues in the messages of a repository.
#[derive(Debug, Clone, Default)]
pub struct Issues {
    links: Vec<IssueLink>,
    /// The repository's path.
    repository: String,
}

/// An issue that a text names: where, in bytes, and its address, ready for an attribute of HTML.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub range: Range<usize>,
    pub href: String,
}

impl Issues {
    /// Those of the repository at `path`. What cannot be used, as an earlier version may have kept it, is
    /// passed over.
    pub fn new(links: &[types::IssueLink], path: &str) -> Self {
        let links = links.iter().filter_map(|link| IssueLink::parse(&link.pattern, &link.address).ok());
        Self { links: links.collect(), repository: path.to_owned() }
    }

    /// The issues that a text names, none within another: the first one counts, and of those that begin
    /// together the one whose link comes first.
    pub fn find(&self, text: &str) -> Vec<Found> {
        let mut found = Vec::new();
        if self.links.is_empty() {
            return found;
        }
        let searched = &text[..text.floor_char_boundary(MESSAGE_ISSUES_BYTES_MAX)];
        let mut tries_left = MENTIONS_TRIED_MAX;
        let mut start = 0;
        for line in searched.split_inclusive('\n') {
            self.find_in_line(line, start, &mut tries_left, &mut found);
            start += line.len();
            if tries_left == 0 || found.len() >= MENTIONS_PER_MESSAGE_MAX {
                break;
            }
        }
        found.truncate(MENTIONS_PER_MESSAGE_MAX);
        found
    }

    fn find_in_line(&self, line: &str, start: usize, tries_left: &mut usize, found: &mut Vec<Found>) {
        let line_end = line.trim_end_matches(['\n', '\r']);
        let mut next = |link: &IssueLink, mut from: usize| -> Option<Mention> {
            while *tries_left > 0 {
                let mention = link.find(line_end, from, &self.repository)?;
                *tries_left -= 1;
                if mention.address.is_some() {
                    return Some(mention);
                }
                // What was no issue may have one in it, or right behind it.
                from = line_end.ceil_char_boundary(mention.range.start + 1);
            }
            None
        };
        let mut coming: Vec<Option<Mention>> = self.links.iter().map(|link| next(link, 0)).collect();
        let first = |coming: &[Option<Mention>]| {
            let starts = coming.iter().enumerate();
            starts.filter_map(|(index, mention)| Some((mention.as_ref()?.range.start, index))).min()
        };
        while let Some((_, index)) = first(&coming) {
            let Some(Mention { range, address: Some(address) }) = coming[index].take() else { break };
            for (link, mention) in self.links.iter().zip(&mut coming) {
                let is_over = mention.as_ref().is_some_and(|mention| mention.range.start < range.end);
                if is_over {
                    *mention = next(link, range.end);
                }
            }
            coming[index] = next(&self.links[index], range.end);
            let href = address.replace('&', "&amp;");
            found.push(Found { range: start + range.start..start + range.end, href });
        }
    }

    /// A title that leads to `href`, as HTML; the issues in it lead to theirs.
    pub fn title_html(&self, title: &str, href: &str) -> String {
        self.with_links(title, |html, text| push_link(html, text, href, " rel=\"nofollow\""))
    }

    /// A title as HTML, in which only the issues lead anywhere.
    pub fn html(&self, title: &str) -> String {
        self.with_links(title, text::push_html)
    }

    fn with_links(&self, title: &str, push_rest: impl Fn(&mut String, &str)) -> String {
        let mut html = String::with_capacity(title.len() + 64);
        let push = |html: &mut String, text: &str| {
            if !text.is_empty() {
                push_rest(html, text);
            }
        };
        let mut written = 0;
        for Found { range, href } in self.find(title) {
            push(&mut html, &title[written..range.start]);
            push_link(&mut html, &title[range.clone()], &href, " rel=\"nofollow noreferrer\"");
            written = range.end;
        }
        push(&mut html, &title[written..]);
        html
    }
}

fn push_link(html: &mut String, text: &str, href: &str, rel: &str) {
    write!(html, "<a href=\"{href}\"{rel}>").expect("writing to a string succeeds");
    text::push_html(html, text);
    html.push_str("</a>");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issues(links: &[(&str, &str)]) -> Issues {
        let link = |(pattern, address): &(&str, &str)| types::IssueLink {
            pattern: (*pattern).to_owned(),
            address: (*address).to_owned(),
        };
        Issues::new(&links.iter().map(link).collect::<Vec<_>>(), "team/demo")
    }

    #[track_caller]
    fn check(links: &[(&str, &str)], text: &str, expected: &[(&str, &str)]) {
        let found = issues(links).find(text);
        let found: Vec<_> =
            found.iter().map(|found| (&text[found.range.clone()], found.href.as_str())).collect();
        assert_eq!(found, expected, "{links:?} {text}");
    }

    #[test]
    fn issues_are_found_in_their_order_and_none_within_another() {
        let number = (r"#(\d+)", "/n/{id}");
        let closes = (r"closes #(\d+)", "/c/{id}");
        let key = (r"[A-Z]+-\d+", "https://t.example/?q={id}&r={repo}");
        check(&[number], "a #1\nb #2\r\n#3", &[("#1", "/n/1"), ("#2", "/n/2"), ("#3", "/n/3")]);
        check(&[number, closes], "closes #1 #2", &[("closes #1", "/c/1"), ("#2", "/n/2")]);
        check(&[number, (r"#\d", "/x/{id}")], "#1", &[("#1", "/n/1")]);
        check(&[(r"#\d", "/x/{id}"), number], "#1", &[("#1", "/x/%231")]);
        check(
            &[number, key],
            "A-1, #2",
            &[("A-1", "https://t.example/?q=A-1&amp;r=team/demo"), ("#2", "/n/2")],
        );
        check(&[number], "éé #1 é#2 #3é", &[("#1", "/n/1")]);
        check(&[("(?s)a.*b", "/{id}")], "a\nb a b", &[("a b", "/a%20b")]);
        check(&[("(", "/{id}"), ("a", "javascript:{id}"), number], "#1 a", &[("#1", "/n/1")]);
        check(&[], "#1", &[]);
    }

    #[test]
    fn titles_lead_to_commits_and_their_issues_to_issues() {
        let issues = issues(&[(r"#(\d+)", "/n/{id}")]);
        let issue =
            |number: u32| format!("<a href=\"/n/{number}\" rel=\"nofollow noreferrer\">#{number}</a>");
        let commit = |text: &str| format!("<a href=\"/c\" rel=\"nofollow\">{text}</a>");
        let cases = [
            ("Fix", commit("Fix")),
            ("#1", issue(1)),
            ("Fix #1 & <b>", format!("{}{}{}", commit("Fix "), issue(1), commit(" &amp; &lt;b&gt;"))),
            ("#1 #2", format!("{}{}{}", issue(1), commit(" "), issue(2))),
        ];
        for (title, expected) in cases {
            assert_eq!(issues.title_html(title, "/c"), expected, "{title}");
        }
        assert_eq!(issues.html("<i> #1"), format!("&lt;i&gt; {}", issue(1)));
    }

    #[test]
    fn so_many_issues_are_linked_and_so_much_is_searched() {
        let numbers = issues(&[(r"#(\d+)", "/n/{id}")]);
        let found = |count: usize| numbers.find(&"#1 ".repeat(count)).len();
        assert_eq!(found(MENTIONS_PER_MESSAGE_MAX), MENTIONS_PER_MESSAGE_MAX);
        assert_eq!(found(MENTIONS_PER_MESSAGE_MAX + 1), MENTIONS_PER_MESSAGE_MAX);
        let far = |len: usize| numbers.find(&format!("{}#1", "x\n".repeat(len / 2 - 1))).len();
        assert_eq!(far(MESSAGE_ISSUES_BYTES_MAX), 1);
        assert_eq!(far(MESSAGE_ISSUES_BYTES_MAX + 2), 0);
        // What is no issue after all counts too.
        let tried = |count: usize| numbers.find(&format!("{}#1", "#1x\n".repeat(count))).len();
        assert_eq!(tried(MENTIONS_TRIED_MAX - 1), 1);
        assert_eq!(tried(MENTIONS_TRIED_MAX), 0);
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let hostile = issues(&[(r".*[^A-Z]|[A-Z]", "/{id}"), (r"(?:\w{1,12} ){1,8}x", "/{id}")]);
        let text = format!("{}\n", "A".repeat(999)).repeat(100);
        assert!(hostile.find(&text).len() <= MENTIONS_PER_MESSAGE_MAX);
    }
}
