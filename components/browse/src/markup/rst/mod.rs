//! reStructuredText (docutils.sourceforge.io/docs/ref/rst/restructuredtext.html).
//!
//! The lines of a text are told apart into a tree first, and it is written then: links may stand before what they
//! lead to. All that nests is nested no deeper than [`blocks::DEPTH_MAX`], and nothing is looked at more often than
//! that but for the cells of tables, whose steps are counted.

mod blocks;
mod contents;
mod data_tables;
mod directive;
mod directives;
mod explicit;
mod footnotes;
mod images;
mod inline;
mod lines;
mod lists;
mod names;
mod roles;
mod scan;
mod tables;
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
    let mut parser = blocks::Parser::default();
    let blocks = parser.blocks(&lines, 0);
    parser.names.add_named_in(&blocks);
    parser.names.number();
    write::html(&parser.names, &blocks)
}

/// A line without tabs and what is white at its end.
fn clean(line: &str) -> String {
    let mut clean = String::with_capacity(line.len());
    let mut column = 0;
    for character in line.trim_end().chars() {
        match character {
            '\t' => {
                let spaces = TAB_WIDTH - column % TAB_WIDTH;
                clean.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
                continue;
            }
            // Some editors mark the beginning of a file.
            '\u{feff}' | '\u{0}' => continue,
            '\u{b}' | '\u{c}' => clean.push(' '),
            character => clean.push(character),
        }
        column += 1;
    }
    clean.truncate(clean.trim_end().len());
    clean
}
