//! Where marks begin and end within a text.

/// The longest text between two marks, in bytes.
const SPAN_BYTES_MAX: usize = 10_000;

/// The marks around words, the elements for them, and whether others may be within.
pub const MARKS: [(char, &str, bool); 6] = [
    ('*', "strong", true),
    ('/', "em", true),
    ('=', "code", false),
    ('~', "code", false),
    ('+', "del", true),
    ('_', "u", true),
];

/// What ends something else than a word that is marked.
const CLOSES: [&str; 7] = ["]]", "]", ">", "}", "}}}", "@@", "\\"];

/// A text whose marks are read from the beginning to the end.
pub struct Scanner<'t> {
    pub text: &'t str,
    /// Up to where no end of each mark was found, nor of each of [`CLOSES`]: what is looked at once is not looked at
    /// again.
    searched: [usize; MARKS.len() + CLOSES.len()],
}

impl<'t> Scanner<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, searched: [0; MARKS.len() + CLOSES.len()] }
    }

    /// Where what ends so begins, of what begins there, if it may end there.
    pub fn find(
        &mut self,
        kind: usize,
        close: &str,
        begin: usize,
        may_end: impl Fn(&str, &str) -> bool,
    ) -> Option<usize> {
        let end = self.text.floor_char_boundary(begin + SPAN_BYTES_MAX);
        let mut from = begin.max(self.searched[kind]);
        while let Some(found) = self.text.get(from..end).and_then(|window| window.find(close)) {
            let at = from + found;
            if may_end(&self.text[begin..at], &self.text[at + close.len()..]) {
                return Some(at);
            }
            from = at + close.len();
        }
        let searched = self.text.floor_char_boundary((end + 1).saturating_sub(close.len()));
        self.searched[kind] = self.searched[kind].max(searched);
        None
    }

    /// Where the next of [`CLOSES`] is.
    pub fn close(&mut self, close: &str, begin: usize) -> Option<usize> {
        let kind = MARKS.len() + CLOSES.iter().position(|other| *other == close)?;
        self.find(kind, close, begin, |_, _| true)
    }
}

/// Whether a mark may begin behind that character.
pub fn may_begin(before: Option<char>) -> bool {
    before.is_none_or(|before| {
        before.is_whitespace()
            || "-–—('\"{[".contains(before)
            || (!before.is_ascii() && !before.is_alphanumeric())
    })
}

/// Whether a mark may end between those texts.
pub fn may_end(inner: &str, after: &str) -> bool {
    let is_tight = !inner.is_empty() && !inner.ends_with(char::is_whitespace);
    let next = after.chars().next();
    is_tight
        && next.is_none_or(|next| {
            next.is_whitespace()
                || "-–—.,;:!?'\")}[]\\".contains(next)
                || (!next.is_ascii() && !next.is_alphanumeric())
        })
}
