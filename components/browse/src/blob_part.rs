//! A part of the lines of a file that is too large for one page.

use crate::limits::{BLOB_LINES_MAX, PART_BYTES_MAX, PART_LINES_MAX};
use bstr::ByteSlice as _;
use lithe_code::limits::LINE_BYTES_MAX;
use lithe_code::text::{self, Legacy, push_line_html};
use serde::Serialize;

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Some lines of a file.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Part {
    /// How many lines come before these.
    pub first: usize,
    /// HTML, a string for each line.
    pub lines: Vec<String>,
    /// How many lines the file has.
    pub total: usize,
    /// The number of the line after these, counted from 0.
    pub next: Option<usize>,
    /// How many lines a part may have.
    #[serde(skip)]
    pub lines_max: usize,
}

impl Part {
    /// The part of all lines of a file, as HTML, that begins there, counted from 0.
    pub fn of(mut lines: Vec<String>, from: usize) -> Self {
        let total = lines.len();
        let first = from.min(total);
        let end = total.min(first.saturating_add(BLOB_LINES_MAX));
        let next = (end < total).then_some(end);
        Self { first, lines: lines.drain(first..end).collect(), total, next, lines_max: BLOB_LINES_MAX }
    }
}

/// The lines from that one on, counted from 0. None if lines of bytes are not lines of text, as in UTF-16.
pub fn part(bytes: &[u8], from: usize) -> Option<Part> {
    if matches!(bytes, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return None;
    }
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    let legacy = text::legacy([bytes]);
    let mut lines = Vec::new();
    let mut room = PART_BYTES_MAX;
    for line in bytes.lines().skip(from).take(PART_LINES_MAX) {
        let html = line_html(line, legacy);
        if html.len() > room && !lines.is_empty() {
            break;
        }
        room = room.saturating_sub(html.len());
        lines.push(html);
    }
    let total = bytes.lines().count();
    let next = from.saturating_add(lines.len());
    let next = (next < total).then_some(next);
    Some(Part { first: from, next, lines, total, lines_max: PART_LINES_MAX })
}

fn line_html(line: &[u8], legacy: Legacy) -> String {
    let mut html = String::new();
    // One more than is shown tells that there is more; a character that is cut is none.
    let mut cut = line.len().min(LINE_BYTES_MAX + 4);
    while cut < line.len() && cut > 0 && line[cut] & 0xc0 == 0x80 {
        cut -= 1;
    }
    let line = &line[..cut];
    push_line_html(&mut html, &text::line_of(line, legacy));
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_shown_part_by_part() {
        let text: String = (0..5_000).map(|number| format!("{number}\n")).collect();
        let mut from = 0;
        let mut shown = Vec::new();
        while let Some(part) = part(text.as_bytes(), from) {
            assert_eq!((part.first, part.total), (from, 5_000));
            shown.extend(part.lines);
            match part.next {
                Some(next) => from = next,
                None => break,
            }
        }
        assert_eq!(shown, (0..5_000).map(|number| number.to_string()).collect::<Vec<_>>());
        assert_eq!(part(b"a\n", usize::MAX).map(|part| part.lines.len()), Some(0));
        assert_eq!(part(b"\xff\xfea\0", 0), None);
    }

    #[test]
    fn a_part_has_a_largest_size() {
        let long = format!("{}\n", "ż".repeat(LINE_BYTES_MAX)).repeat(1_000);
        let part = part(long.as_bytes(), 0).expect("a part");
        assert!(part.lines.iter().map(String::len).sum::<usize>() <= PART_BYTES_MAX);
        assert!(part.lines[0].ends_with("ż…") && part.next.is_some());
        let one = "x".repeat(50 << 20);
        let part = super::part(one.as_bytes(), 0).expect("a part");
        assert_eq!((part.lines.len(), part.total, part.next), (1, 1, None));
        assert!(part.lines[0].len() < LINE_BYTES_MAX + 10);
    }

    #[test]
    fn what_is_no_text_in_a_line_is_shown_as_such() {
        let part = part(b"caf\xe9\n<\0>\n\xe2\x80\xae\n", 0).expect("a part");
        assert_eq!(
            part.lines,
            [
                "café",
                "&lt;<span class=\"control-character\">\\u{0}</span>&gt;",
                "<span class=\"control-character\">\\u{202e}</span>"
            ]
        );
    }
}
