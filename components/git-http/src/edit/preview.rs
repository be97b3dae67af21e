//! What an edit would change, as rows of a table.

use super::limits::PREVIEW_LINES_MAX;
use lithe_code::diff::lines::{self, Hunk, Line, Options};
use lithe_code::text;
use lithe_web::{Text, t};
use std::fmt::Write as _;

/// A difference, to be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// HTML; empty if there are no lines to show.
    pub rows: String,
    /// What else there is to say about it.
    pub note: Option<Text>,
}

impl Preview {
    /// Nothing to show but that.
    pub fn only(note: Text) -> Self {
        Self { rows: String::new(), note: Some(note) }
    }

    /// The difference between two contents of a file.
    pub fn between(before: &[u8], after: &[u8]) -> Self {
        Self::within(before, after, &mut { PREVIEW_LINES_MAX })
    }

    /// The difference between two texts, which are stored as the same bytes or not.
    pub fn of_texts(before: &str, after: &str, are_same_bytes: bool) -> Self {
        Self::of_texts_within(before, after, are_same_bytes, &mut { PREVIEW_LINES_MAX })
    }

    /// The same, of no more lines than are left to be shown.
    pub fn within(before: &[u8], after: &[u8], lines_left: &mut usize) -> Self {
        let (Some(before_text), Some(after_text)) = (text::decode(before), text::decode(after)) else {
            return Self::only(t("Binary file."));
        };
        Self::of_texts_within(&before_text.text, &after_text.text, before == after, lines_left)
    }

    fn of_texts_within(before: &str, after: &str, are_same_bytes: bool, lines_left: &mut usize) -> Self {
        let (old, new) = (lines::split_lines(before.as_bytes()), lines::split_lines(after.as_bytes()));
        let difference = lines::files(&old, &new, Options::default());
        if difference.hunks.is_empty() {
            return Self::only(match are_same_bytes {
                true => t("The contents are the same."),
                false => t("The text is the same, and stored in another encoding."),
            });
        }
        let mut rows = String::new();
        for mut hunk in difference.hunks {
            let is_cut = hunk.lines.len() > *lines_left;
            hunk.lines.truncate(*lines_left);
            *lines_left -= hunk.lines.len();
            push_hunk(&mut rows, &hunk, &old, &new);
            if is_cut {
                return Self { rows, note: Some(t("The rest is left out here.")) };
            }
        }
        Self { rows, note: None }
    }
}

fn push_hunk(rows: &mut String, hunk: &Hunk, old: &[&[u8]], new: &[&[u8]]) {
    let head = hunk.header();
    write!(
        rows,
        "<tbody>\n<tr class=\"diff-hunk\"><td class=\"line-number\"></td><td class=\"line-number\"></td>\
         <td class=\"diff-sign\"></td><td class=\"line-code\">{head}</td></tr>\n"
    )
    .expect("a string takes it");
    for line in &hunk.lines {
        let (class, sign, before, after) = match *line {
            Line::Context { before, after } => ("", ' ', Some(before), Some(after)),
            Line::Removed { before } => (" class=\"diff-delete\"", '-', Some(before), None),
            Line::Added { after } => (" class=\"diff-insert\"", '+', None, Some(after)),
        };
        write!(rows, "<tr{class}>").expect("a string takes it");
        for number in [before, after] {
            let number = number.map(|number| (number + 1).to_string()).unwrap_or_default();
            write!(rows, "<td class=\"line-number\">{number}</td>").expect("a string takes it");
        }
        write!(rows, "<td class=\"diff-sign\">{sign}</td><td class=\"line-code\">")
            .expect("a string takes it");
        let line = match (after, before) {
            (Some(number), _) => new[number as usize],
            (None, number) => number.map_or(&b""[..], |number| old[number as usize]),
        };
        let line = std::str::from_utf8(line).expect("texts are split at their line ends");
        text::push_line_html(rows, text::without_line_end(line));
        if !line.ends_with('\n') {
            rows.push_str("<span class=\"muted\"> (no line end)</span>");
        }
        rows.push_str("</td></tr>\n");
    }
    rows.push_str("</tbody>\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_is_shown_and_escaped() {
        let preview = Preview::between(b"a\nb\n", b"a\n<b>\n");
        assert!(preview.rows.contains("@@ -1,2 +1,2 @@"), "{}", preview.rows);
        assert!(preview.rows.contains("<tr class=\"diff-insert\">") && preview.rows.contains("&lt;b&gt;"));
        assert_eq!(Preview::between(b"a", b"a").note, Some(t("The contents are the same.")));
        assert_eq!(Preview::between(b"\0", b"a").note, Some(t("Binary file.")));
        let other = Preview::between(b"caf\xe9\n", "café\n".as_bytes());
        assert_eq!(other.note, Some(t("The text is the same, and stored in another encoding.")));
    }

    #[test]
    fn a_long_difference_is_cut() {
        let of = |count: usize| Preview::between(b"", "x\n".repeat(count).as_bytes());
        assert_eq!(of(PREVIEW_LINES_MAX).note, None);
        let cut = of(PREVIEW_LINES_MAX + 1);
        assert_eq!(cut.note, Some(t("The rest is left out here.")));
        assert_eq!(cut.rows.matches("diff-insert").count(), PREVIEW_LINES_MAX);
    }
}
