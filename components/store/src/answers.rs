//! What was answered to those who are not signed in, for as long as the database says nothing else.
//!
//! Most requests are strangers', and ask for a few places over and over. What they may see follows from the database
//! alone, whoever asks, from where and when. So the answers of the one instance that owns the database file are
//! kept, and all of them dropped as soon as any row of any table was changed. Whether there is nothing at a path, or
//! nothing for strangers to see, is one answer and kept alike, so that neither takes longer than the other.

use crate::bindings::exports::lithe::forge::access::{Listing, Opened};
use crate::limits::{ANSWER_ENTRIES_KEPT_MAX, ANSWER_QUESTION_BYTES_MAX, ANSWERS_KEPT_MAX};
use crate::types::Page;
use std::collections::HashMap;

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Question {
    /// What stands at a path.
    Open(String),
    /// What stands in a group, none being the top level.
    Children { parent: Option<String>, filter: String, offset: u32, limit: u32 },
}

/// What the answer was.
#[derive(Debug, Clone)]
pub enum Answer {
    /// Nothing that a stranger may see.
    NotFound,
    Opened(Opened),
    Listing(Listing),
}

/// Answers, and which state of the database they follow from.
#[derive(Debug, Default)]
pub struct Answers {
    /// How many rows had been changed since the database was opened.
    changes: u64,
    kept: HashMap<Question, Answer>,
}

impl Question {
    pub fn children(parent: Option<&str>, filter: &str, page: Page) -> Self {
        let Page { offset, limit } = page;
        Self::Children { parent: parent.map(str::to_owned), filter: filter.to_owned(), offset, limit }
    }

    /// The bytes of what the client chose.
    fn bytes(&self) -> usize {
        match self {
            Self::Open(path) => path.len(),
            Self::Children { parent, filter, .. } => parent.as_ref().map_or(0, String::len) + filter.len(),
        }
    }
}

impl Answers {
    /// What was answered, if no row was changed since. `changes` counts those that were.
    pub fn find(&self, question: &Question, changes: u64) -> Option<Answer> {
        self.kept.get(question).filter(|_| self.changes == changes).cloned()
    }

    /// Keeps an answer, unless it or the question is long.
    pub fn keep(&mut self, question: Question, answer: Answer, changes: u64) {
        if self.changes != changes || self.kept.len() >= ANSWERS_KEPT_MAX {
            self.kept.clear();
        }
        self.changes = changes;
        let is_short = match &answer {
            Answer::NotFound | Answer::Opened(_) => true,
            Answer::Listing(listing) => listing.entries.len() <= ANSWER_ENTRIES_KEPT_MAX,
        };
        if is_short && question.bytes() <= ANSWER_QUESTION_BYTES_MAX {
            self.kept.insert(question, answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &str) -> Question {
        Question::Open(path.to_owned())
    }

    #[test]
    fn an_answer_counts_until_a_row_is_changed() {
        let mut answers = Answers::default();
        answers.keep(open("a"), Answer::NotFound, 3);
        assert!(answers.find(&open("a"), 3).is_some() && answers.find(&open("b"), 3).is_none());
        assert!(answers.find(&open("a"), 4).is_none());
        answers.keep(open("b"), Answer::NotFound, 4);
        assert!(answers.find(&open("b"), 4).is_some() && answers.find(&open("a"), 4).is_none());
    }

    #[test]
    fn so_many_short_answers_are_kept() {
        let mut answers = Answers::default();
        for number in 0..3 * ANSWERS_KEPT_MAX {
            answers.keep(open(&number.to_string()), Answer::NotFound, 0);
            assert!(answers.kept.len() <= ANSWERS_KEPT_MAX);
        }
        for (bytes, is_kept) in [(ANSWER_QUESTION_BYTES_MAX, true), (ANSWER_QUESTION_BYTES_MAX + 1, false)] {
            let question = open(&"x".repeat(bytes));
            answers.keep(question.clone(), Answer::NotFound, 0);
            assert_eq!(answers.find(&question, 0).is_some(), is_kept, "{bytes}");
        }
    }
}
