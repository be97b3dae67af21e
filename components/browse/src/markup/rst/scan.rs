//! Where marks begin and end within a text.

/// The longest text between two marks, in bytes.
const SPAN_BYTES_MAX: usize = 10_000;

/// What begins a mark, as to how its end is found.
const CLOSES: [&str; 5] = ["``", "**", "*", "`", "|"];

/// A text whose marks are read from the beginning to the end.
pub struct Scanner<'t> {
    pub text: &'t str,
    /// Up to where no end was found, for each of [`CLOSES`]: what is looked at once is not looked at again.
    searched: [usize; CLOSES.len()],
}

impl<'t> Scanner<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { text, searched: [0; CLOSES.len()] }
    }

    /// Where a mark ends whose text begins there: where the text ends, and where what is behind it begins.
    pub fn close(&mut self, kind: usize, begin: usize) -> Option<usize> {
        let close = CLOSES[kind];
        let end = self.text.floor_char_boundary(begin + SPAN_BYTES_MAX);
        let mut from = begin.max(self.searched[kind]);
        while let Some(found) = self.text.get(from..end).and_then(|window| window.find(close)) {
            let at = from + found;
            let before = &self.text[begin..at];
            let is_end = !before.is_empty()
                && !before.ends_with(char::is_whitespace)
                && (kind == 0 || !is_escaped(before))
                && ends_mark(&self.text[at + close.len()..], kind);
            if is_end {
                return Some(at);
            }
            from = at + 1;
        }
        self.searched[kind] = self.searched[kind].max(end.saturating_sub(1));
        while !self.text.is_char_boundary(self.searched[kind]) {
            self.searched[kind] -= 1;
        }
        None
    }
}

/// Whether a text ends with a backslash that takes the meaning of what follows away.
fn is_escaped(text: &str) -> bool {
    text.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 1
}

/// Whether a mark may end before that text.
pub fn ends_mark(after: &str, kind: usize) -> bool {
    let after = match kind {
        3 | 4 => after.trim_start_matches('_'),
        _ => after,
    };
    match after.chars().next() {
        None => true,
        // A role may follow.
        Some(':') => true,
        Some(next) if next.is_ascii() => next.is_ascii_whitespace() || "'\")]}>-/\\.,;!?".contains(next),
        Some(next) => !next.is_alphanumeric(),
    }
}

/// Whether a mark may begin between those texts.
pub fn begins_mark(before: Option<char>, inner: &str) -> bool {
    let Some(first) = inner.chars().next().filter(|first| !first.is_whitespace()) else { return false };
    let Some(before) = before else { return true };
    let may_follow = before.is_whitespace()
        || if before.is_ascii() { "'\"([{<-/:".contains(before) } else { !before.is_alphanumeric() };
    // What is between quotes is itself.
    let closing = match before {
        '(' => ')',
        '[' => ']',
        '{' => '}',
        '<' => '>',
        '\'' | '"' => before,
        _ => return may_follow,
    };
    may_follow && first != closing
}

/// The length of the simple name that a text begins with.
pub fn name_len(text: &str) -> usize {
    let mut end = 0;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let is_inner = at > 0
            && "-._+:".contains(character)
            && characters.peek().is_some_and(|(_, next)| next.is_alphanumeric());
        if !is_inner && !character.is_alphanumeric() {
            break;
        }
        end = at + character.len_utf8();
    }
    end
}

/// The length of the address of a mailbox that a text begins with; 0 if it does not.
pub fn mailbox_len(text: &str) -> usize {
    let is_part = |character: char| character.is_ascii_alphanumeric() || "-_.+".contains(character);
    let user = text.find(|character| !is_part(character)).unwrap_or(0);
    let Some(host) = text[user..].strip_prefix('@').filter(|_| user > 0) else { return 0 };
    let host_end = host.find(|character| !is_part(character)).unwrap_or(host.len());
    let host = host[..host_end].trim_end_matches(['.', '-', '_', '+']);
    let is_host = host.contains('.') && !host.starts_with('.') && !host.contains("..");
    if is_host { user + 1 + host.len() } else { 0 }
}
