//! Footnotes, at the end of a text, and what refers to them.

use super::tree::Block;
use super::write::Writer;

/// How many references of one footnote have a link back.
const BACK_LINKS_MAX: usize = 10;

/// A footnote that was referred to.
pub struct Referred {
    /// What it is called, and what is said in the reference if nothing is elsewhere.
    label: String,
    said: Option<String>,
    references: usize,
}

impl Writer<'_> {
    /// A reference to a footnote, which may say itself what the footnote is; none if nothing does.
    pub(super) fn footnote_reference(&mut self, label: &str, said: Option<&str>) -> Option<String> {
        let is_known = said.is_some()
            || self.document.footnotes.contains_key(label)
            || self.footnotes_by_label.contains_key(label);
        if !is_known || label.contains(char::is_whitespace) {
            return None;
        }
        let next = self.footnotes.len();
        let number = match label {
            "" => next,
            label => *self.footnotes_by_label.entry(label.to_owned()).or_insert(next),
        };
        if number == next {
            self.footnotes.push(Referred { label: label.to_owned(), said: None, references: 0 });
        }
        let footnote = &mut self.footnotes[number];
        if footnote.said.is_none() {
            footnote.said = said.map(|said| said.trim().to_owned());
        }
        footnote.references += 1;
        let (shown, reference) = (number + 1, footnote.references);
        Some(format!(
            "<sup class=\"footnote-ref\"><a href=\"#fn-{shown}\" id=\"fnref-{shown}-{reference}\">{shown}</a></sup>"
        ))
    }

    /// The footnotes, in the order in which they were referred to, those last to which nothing refers.
    pub(super) fn all_footnotes(&mut self) {
        for label in &self.document.footnote_labels {
            if !self.footnotes_by_label.contains_key(label) {
                self.footnotes_by_label.insert(label.clone(), self.footnotes.len());
                self.footnotes.push(Referred { label: label.clone(), said: None, references: 0 });
            }
        }
        if self.footnotes.is_empty() {
            return;
        }
        self.push("<section class=\"footnotes\"><ol>\n");
        // Footnotes may refer to others, which follow.
        let mut number = 0;
        while number < self.footnotes.len() {
            let Referred { label, said, references } = &self.footnotes[number];
            let references = (*references).min(BACK_LINKS_MAX);
            let (label, said) = (label.clone(), said.clone());
            number += 1;
            self.push(&format!("<li id=\"fn-{number}\">"));
            match (self.document.footnotes.get(&label), said) {
                (Some(blocks), _) => match blocks.as_slice() {
                    [Block::Paragraph(text)] => {
                        let html = self.inline(text);
                        self.push(&html);
                    }
                    blocks => self.blocks(blocks),
                },
                (None, Some(said)) => {
                    let html = self.inline(&said);
                    self.push(&html);
                }
                (None, None) => {}
            }
            for reference in 1..=references {
                self.push(&format!(
                    " <a href=\"#fnref-{number}-{reference}\" class=\"footnote-backref\">↩</a>"
                ));
            }
            self.push("</li>\n");
        }
        self.push("</ol></section>\n");
    }
}
