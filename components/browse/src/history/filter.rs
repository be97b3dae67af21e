//! Which commits of a history are wanted: by whom, saying what, from when, and of which files.

use super::pathspec::Pathspec;
use crate::limits::{LOG_MESSAGE_BYTES_MAX, LOG_REGEX_BYTES_MAX, LOG_WORDS_BYTES_MAX};
use lithe_code::mailmap::Mailmap;
use lithe_code::repository::{Commit, Signature};
use lithe_web::address::encode_component;
use lithe_web::{Fields, Text, t, time};
use regex::{Regex, RegexBuilder};

/// What a form asks for, as it was written there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// A part of the name and address, `Ada <ada@example.org>`.
    pub author: String,
    pub committer: String,
    /// A part of a line of the message.
    pub message: String,
    /// Whether the three are regular expressions.
    pub is_regex: bool,
    /// Days, `2026-03-01`, in UTC.
    pub since: String,
    pub until: String,
    pub merges: Merges,
    /// Which files one has to have changed, `*.toml`, below the path whose history it is.
    pub pathspec: String,
}

/// Whether merges are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Merges {
    #[default]
    Included,
    Excluded,
    Only,
}

impl Merges {
    /// The value in a form.
    pub fn name(self) -> &'static str {
        match self {
            Self::Included => "",
            Self::Excluded => "no",
            Self::Only => "only",
        }
    }
}

/// Why no commit can be looked for as asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclear {
    TooLong,
    Regex,
    Pathspec,
    Date,
}

impl Unclear {
    /// The reason, for people.
    pub fn in_words(self) -> Text {
        match self {
            Self::TooLong => {
                t("What to look for may have {n} bytes at the most.").with("n", LOG_WORDS_BYTES_MAX)
            }
            Self::Regex => t("This is not a regular expression that can be used here."),
            Self::Pathspec => t("This is not a pattern that paths can be compared with."),
            Self::Date => t("A date is written as 2026-03-01."),
        }
    }
}

impl Wish {
    /// Reads the fields of a query.
    pub fn of(query: &Fields) -> Self {
        let text = |name| query.trimmed(name).to_owned();
        Self {
            author: text("author"),
            committer: text("committer"),
            message: text("message"),
            is_regex: query.is_checked("regex"),
            since: text("since"),
            until: text("until"),
            merges: match query.get("merges") {
                "no" => Merges::Excluded,
                "only" => Merges::Only,
                _ => Merges::Included,
            },
            pathspec: text("pathspec"),
        }
    }

    /// Whether every commit is wanted.
    pub fn is_empty(&self) -> bool {
        let Self { author, committer, message, since, until, merges, pathspec, is_regex: _ } = self;
        [author, committer, message, since, until, pathspec].into_iter().all(String::is_empty)
            && *merges == Merges::Included
    }

    /// The fields for an address, `author=Ada&merges=no`; empty if every commit is wanted.
    pub fn query(&self) -> String {
        let words = [("author", &self.author), ("committer", &self.committer), ("message", &self.message)];
        let has_words = words.iter().any(|(_, value)| !value.is_empty());
        let merges = self.merges.name().to_owned();
        let regex = if self.is_regex && has_words { "1".to_owned() } else { String::new() };
        let others = [
            ("regex", &regex),
            ("since", &self.since),
            ("until", &self.until),
            ("merges", &merges),
            ("pathspec", &self.pathspec),
        ];
        let given = words.into_iter().chain(others).filter(|(_, value)| !value.is_empty());
        let fields: Vec<_> =
            given.map(|(name, value)| format!("{name}={}", encode_component(value))).collect();
        fields.join("&")
    }

    /// What it means.
    pub fn filter(&self) -> Result<Filter, Unclear> {
        let day = |text: &str| match text {
            "" => Ok(None),
            text => time::day_start(text).map(Some).ok_or(Unclear::Date),
        };
        let words = |text: &str| words(text, self.is_regex);
        Ok(Filter {
            author: words(&self.author)?,
            committer: words(&self.committer)?,
            message: words(&self.message)?,
            since: day(&self.since)?,
            until: day(&self.until)?.map(|start| start + (DAY_SECONDS - 1)),
            merges: self.merges,
            pathspec: Pathspec::of(&self.pathspec)?,
        })
    }
}

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// What to look for, in capital and small letters alike.
fn words(text: &str, is_regex: bool) -> Result<Option<Regex>, Unclear> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.len() > LOG_WORDS_BYTES_MAX {
        return Err(Unclear::TooLong);
    }
    let pattern = if is_regex { text.to_owned() } else { regex::escape(text) };
    let regex = RegexBuilder::new(&pattern)
        .case_insensitive(true)
        .size_limit(LOG_REGEX_BYTES_MAX)
        .dfa_size_limit(LOG_REGEX_BYTES_MAX)
        .build();
    regex.map(Some).map_err(|_| Unclear::Regex)
}

/// Which commits are wanted. By default, all.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    author: Option<Regex>,
    committer: Option<Regex>,
    message: Option<Regex>,
    /// The first and the last second of the committer's clock.
    since: Option<i64>,
    until: Option<i64>,
    merges: Merges,
    /// Which files a commit has to have changed; none: any.
    pub(super) pathspec: Option<Pathspec>,
}

impl Filter {
    /// Whether a history is shown back to some time only.
    pub(super) fn has_end(&self) -> bool {
        self.since.is_some()
    }

    /// Whether the walk ends at a commit of that time: as for Git, what it reaches counts as older still.
    pub(super) fn ends_at(&self, seconds: i64) -> bool {
        self.since.is_some_and(|since| seconds < since)
    }

    /// Whether a commit of that time and so many parents may be wanted, before it is read.
    pub(super) fn may_want(&self, seconds: i64, parents: usize) -> bool {
        let is_merge = parents > 1;
        let by_kind = match self.merges {
            Merges::Included => true,
            Merges::Excluded => !is_merge,
            Merges::Only => is_merge,
        };
        by_kind && self.until.is_none_or(|until| seconds <= until)
    }

    /// Whether a commit that may be wanted is.
    pub(super) fn wants(&self, commit: &Commit, mailmap: &Mailmap) -> bool {
        let is_by = |wanted: &Option<Regex>, person: &Signature| {
            wanted.as_ref().is_none_or(|wanted| wanted.is_match(&of_person(&mailmap.resolve(person))))
        };
        is_by(&self.author, &commit.author)
            && is_by(&self.committer, &commit.committer)
            && self.message.as_ref().is_none_or(|wanted| has_line(wanted, &commit.text()))
    }
}

fn of_person(person: &Signature) -> String {
    format!("{} <{}>", person.name, person.email)
}

/// Whether one line is matched, as `git log --grep` looks at each by itself.
fn has_line(wanted: &Regex, message: &str) -> bool {
    let searched = &message[..message.floor_char_boundary(LOG_MESSAGE_BYTES_MAX)];
    searched.lines().any(|line| wanted.is_match(line))
}
