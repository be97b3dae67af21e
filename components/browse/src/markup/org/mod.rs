//! Org (orgmode.org/worg/org-syntax.html), as its own export makes HTML of it: what is for programs alone (drawers,
//! planning, keywords, exports in other forms) is left out, and nothing in a text is taken as HTML.
//!
//! The lines of a text are told apart into a tree first, and it is written then. All that nests is nested no deeper
//! than [`blocks::DEPTH_MAX`], and what is looked for in vain is not looked for again.

mod blocks;
mod document;
mod entities;
mod footnotes;
mod inline;
mod kinds;
mod links;
mod lists;
mod scan;
#[cfg(test)]
mod tests;
mod tree;
mod write;

/// How many columns apart tab stops are.
const TAB_WIDTH: usize = 8;

/// Renders a text; none if it would become too much. What comes out is to be sanitised.
pub fn html(text: &str) -> Option<String> {
    let lines: Vec<String> = super::lines(text).map(clean).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let (document, blocks) = document::read(&lines);
    write::html(&document, &blocks)
}

/// A line that is indented by spaces alone, without what is white at its end.
fn clean(line: &str) -> String {
    let line = line.trim_end();
    let rest = line.trim_start_matches([' ', '\t', '\u{feff}']);
    let mut column = 0;
    for character in line[..line.len() - rest.len()].chars() {
        column +=
            if character == '\t' { TAB_WIDTH - column % TAB_WIDTH } else { usize::from(character == ' ') };
    }
    " ".repeat(column) + &rest.replace('\0', "")
}
