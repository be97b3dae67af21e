//! Separated values (RFC 4180) as a table.

use super::shown;
use crate::limits::{TABLE_CELL_BYTES_MAX, TABLE_COLUMNS_MAX, TABLE_ROWS_MAX};
use lithe_web::{Language, Text, t};

/// Renders a text, its first line as the head; none if it has no second column, or more columns than are shown.
pub fn html(text: &str, separator: char, language: Language) -> Option<String> {
    let mut reader = Reader { rest: text, separator, skips_spaces: false };
    let head = reader.row()?;
    if !(2..=TABLE_COLUMNS_MAX).contains(&head.len()) {
        return None;
    }
    let mut html = "<table tabindex=\"0\"><thead><tr>".to_owned();
    head.iter().for_each(|cell| push_cell(&mut html, "th", cell));
    html.push_str("</tr></thead><tbody>\n");
    let mut count = 0;
    while let Some(row) = reader.row() {
        if count == TABLE_ROWS_MAX {
            let cut = t("Only the first {count} rows are shown.").with("count", Text::number(TABLE_ROWS_MAX));
            return Some(html + "</tbody></table>\n<p>" + &cut.in_language(language) + "</p>");
        }
        html.push_str("<tr>");
        (0..head.len())
            .for_each(|column| push_cell(&mut html, "td", row.get(column).map_or("", String::as_str)));
        html.push_str("</tr>\n");
        count += 1;
    }
    Some(html + "</tbody></table>")
}

fn push_cell(html: &mut String, element: &str, cell: &str) {
    let cut = cell.floor_char_boundary(TABLE_CELL_BYTES_MAX);
    let more = if cut < cell.len() { "…" } else { "" };
    let text = shown(&cell[..cut]);
    html.push_str(&format!("<{element}>{text}{more}</{element}>"));
}

/// Reads rows one by one.
pub struct Reader<'a> {
    rest: &'a str,
    separator: char,
    /// Whether a cell begins behind the spaces before it.
    skips_spaces: bool,
}

impl<'a> Reader<'a> {
    /// A reader of values as a directive of reStructuredText has them.
    pub fn of_directive(text: &'a str, separator: char) -> Self {
        Self { rest: text, separator, skips_spaces: separator != ' ' }
    }

    /// The next row that is not an empty line.
    pub fn row(&mut self) -> Option<Vec<String>> {
        self.rest = self.rest.trim_start_matches(['\n', '\r']);
        if self.rest.is_empty() {
            return None;
        }
        let mut row = Vec::new();
        loop {
            row.push(self.cell());
            match self.rest.chars().next() {
                Some(character) if character == self.separator => {
                    self.rest = &self.rest[character.len_utf8()..];
                }
                _ => return Some(row),
            }
        }
    }

    /// The next cell, up to the separator or the line end.
    fn cell(&mut self) -> String {
        let mut cell = String::new();
        if self.skips_spaces {
            self.rest = self.rest.trim_start_matches(' ');
        }
        if let Some(quoted) = self.rest.strip_prefix('"') {
            self.rest = quoted;
            // Two quotes within stand for one.
            while let Some((before, after)) = self.rest.split_once('"') {
                cell.push_str(before);
                self.rest = after;
                match after.strip_prefix('"') {
                    Some(after) => {
                        cell.push('"');
                        self.rest = after;
                    }
                    None => break,
                }
            }
        }
        let end = self.rest.find([self.separator, '\n', '\r']).unwrap_or(self.rest.len());
        cell.push_str(&self.rest[..end]);
        self.rest = &self.rest[end..];
        cell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str, separator: char) -> Option<String> {
        let html = html(text, separator, Language::English)?;
        let text =
            html.replace("</td><td>", "|").replace("</th><th>", "|").replace("</tr>", ";").replace('\n', "");
        let mut plain = String::new();
        let mut is_tag = false;
        for character in text.chars() {
            match character {
                '<' => is_tag = true,
                '>' => is_tag = false,
                _ if !is_tag => plain.push(character),
                _ => {}
            }
        }
        Some(plain)
    }

    #[test]
    fn rows_and_cells_are_told_apart() {
        let cases = [
            ("a,b\n1,2\n", ',', Some("a|b;1|2;")),
            ("a,b\r\n\"x,\"\"y\"\"\nz\",2\r\n\r\n3\r\n4,5,6", ',', Some("a|b;x,&quot;y&quot;z|2;3|;4|5;")),
            ("a\tb\n1,\t\"2\t3\"", '\t', Some("a|b;1,|2\t3;")),
            ("a,\"never closed", ',', Some("a|;")),
            ("alone\nx\n", ',', None),
            ("", ',', None),
        ];
        for (text, separator, expected) in cases {
            let found = cells(text, separator);
            if text.contains("never") {
                assert!(found.is_some());
                continue;
            }
            assert_eq!(found.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_table_has_a_largest_size() {
        let rows = |count: usize| {
            html(&format!("a,b\n{}", "1,2\n".repeat(count)), ',', Language::English).expect("a table")
        };
        assert!(!rows(TABLE_ROWS_MAX).contains("Only the first"));
        assert!(rows(TABLE_ROWS_MAX + 1).contains("Only the first"));
        assert!(html(&"a,".repeat(TABLE_COLUMNS_MAX - 1), ',', Language::English).is_some());
        assert!(html(&"a,".repeat(TABLE_COLUMNS_MAX), ',', Language::English).is_none());
        assert!(
            html(&format!("{},b", "x".repeat(TABLE_CELL_BYTES_MAX + 1)), ',', Language::English)
                .expect("a table")
                .contains("x…<")
        );
    }
}
