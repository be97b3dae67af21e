//! Going through a list page by page.

use crate::address::encode_component;
use lithe_words::{Text, t};

/// The way to the neighbouring pages of a list. A template shows it by including `pagination.html`,
/// in a page with the field `pagination`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pagination {
    /// `51 to 100 of 1,204`; empty where there is one page only.
    pub text: Text,
    pub previous: Option<String>,
    pub next: Option<String>,
}

/// Which part of a list is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Counted from 1.
    pub page: u32,
    /// Entries on a page.
    pub entries: u32,
}

impl Position {
    /// The page that the field `page` of a query asks for; the first if it makes no sense.
    pub fn parse(text: &str, entries: u32) -> Self {
        let page = text.parse().unwrap_or(1).clamp(1, u32::MAX / entries);
        Self { page, entries }
    }

    /// How many entries come before.
    pub fn offset(self) -> u32 {
        (self.page - 1) * self.entries
    }
}

impl Pagination {
    /// `shown` entries at `position` of a list of `total`, at the address `href` with the query
    /// `filter` (left out where it is empty).
    pub fn new(position: Position, shown: usize, total: u64, href: &str, filter: &str) -> Self {
        let (first, shown) = (u64::from(position.offset()), shown as u64);
        let has_next = first + shown < total && shown > 0;
        let text = match (shown, position.page == 1 && !has_next) {
            (_, true) => Text::EMPTY,
            (0, _) => t("Nothing more"),
            _ => t("{first} to {last} of {total}")
                .with("first", first + 1)
                .with("last", first + shown)
                .with("total", total),
        };
        Self::with_text(position, has_next, text, href, filter)
    }

    /// A list of which only this is known: whether something follows.
    pub fn open(position: Position, has_next: bool, href: &str, filter: &str) -> Self {
        let text = match position.page == 1 && !has_next {
            true => Text::EMPTY,
            false => t("Page {number}").with("number", position.page),
        };
        Self::with_text(position, has_next, text, href, filter)
    }

    fn with_text(position: Position, has_next: bool, text: Text, href: &str, filter: &str) -> Self {
        let filter = match filter {
            "" => String::new(),
            filter => format!("q={}&", encode_component(filter)),
        };
        let to = |page: u32| format!("{href}?{filter}page={page}");
        Self {
            text,
            previous: (position.page > 1).then(|| to(position.page - 1)),
            next: has_next.then(|| to(position.page + 1)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_linked() {
        let at =
            |page: &str, shown, total| Pagination::new(Position::parse(page, 50), shown, total, "/x", "a b");
        let only = at("1", 3, 3);
        assert_eq!((only.text, only.previous, only.next), (Text::EMPTY, None, None));
        let second = at("2", 50, 1204);
        assert_eq!(second.text.to_string(), "51 to 100 of 1,204");
        assert_eq!(second.previous.as_deref(), Some("/x?q=a%20b&page=1"));
        assert_eq!(second.next.as_deref(), Some("/x?q=a%20b&page=3"));
        let beyond = at("9", 0, 3);
        assert_eq!((beyond.text, beyond.next), (t("Nothing more"), None));
        assert!(beyond.previous.is_some());
    }

    #[test]
    fn pages_that_make_no_sense_are_the_first() {
        for text in ["", "0", "-1", "x", "99999999999"] {
            assert_eq!(Position::parse(text, 50), Position { page: 1, entries: 50 }, "{text}");
        }
        assert!(Position::parse("4294967295", 50).offset() < u32::MAX);
    }
}
