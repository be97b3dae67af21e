//! Lists of what a text has in it, and of other files.

use super::names::Names;
use super::write::Writer;
use crate::markup::escaped;

/// How many lines all tables of contents of a text have at most.
const CONTENTS_MAX: usize = 5_000;

impl Names {
    pub(super) fn number_titles(&mut self) {
        let first = self.first_of_contents();
        let mut counts: Vec<usize> = Vec::new();
        for title in &mut self.titles[first..] {
            let level = title.level.saturating_sub(first).clamp(1, 6);
            counts.resize(level, 0);
            counts[level - 1] += 1;
            let number: Vec<String> = counts.iter().map(usize::to_string).collect();
            title.number = number.join(".") + " ";
        }
    }

    /// The first title that is one of a section: the title and the subtitle of the whole are none.
    pub fn first_of_contents(&self) -> usize {
        let at = |level| self.titles.iter().filter(|title| title.level == level).count() == 1;
        match self.titles.len() {
            0 | 1 => 0,
            // A second one that is alone too is a subtitle.
            3.. if at(1) && at(2) && self.titles[1].level == 2 => 2,
            _ => usize::from(at(1)),
        }
    }
}

impl Writer<'_> {
    /// A list of titles, each with those below it in it.
    pub(super) fn contents(&mut self, title: &str, local_after: Option<usize>, depth: usize) {
        let titles = &self.names.titles;
        let above = local_after.and_then(|after| titles[..after].last()).map_or(0, |title| title.level);
        let first = local_after.unwrap_or(self.names.first_of_contents());
        let within = titles[first..].iter().take_while(|title| title.level > above || local_after.is_none());
        let within: Vec<_> = within.take(CONTENTS_MAX.saturating_sub(self.listed)).collect();
        self.listed += within.len();
        let Some(highest) = within.iter().map(|title| title.level).min() else { return };
        if !title.is_empty() {
            let html = self.inline(title);
            self.push(&format!("<p><strong>{html}</strong></p>\n"));
        }
        let mut open = 0;
        for title in within {
            let level = (title.level - highest + 1).min(6);
            if level > depth {
                continue;
            }
            let level = level.min(open + 1);
            match level > open {
                true => self.push("<ul>\n<li>"),
                false => self.push(&format!("</li>\n{}<li>", "</ul></li>\n".repeat(open - level))),
            }
            open = level;
            self.is_listing = true;
            let words = without_links(&self.inline(&title.text));
            self.is_listing = false;
            self.push(&format!("<a href=\"#{}\">{}{words}</a>", escaped(&title.id), title.number));
        }
        let end = "</li></ul>\n".repeat(open);
        self.push(&end);
    }

    pub(super) fn files(&mut self, files: &[(String, String)]) {
        self.push("<ul>\n");
        for (label, path) in files {
            let label = escaped(label);
            match path.as_str() {
                "" => self.push(&format!("<li>{label}</li>\n")),
                path => self.push(&format!("<li><a href=\"{}\">{label}</a></li>\n", escaped(path))),
            }
        }
        self.push("</ul>\n");
    }
}

/// HTML of a text without its elements, which may be links or have ids.
fn without_links(html: &str) -> String {
    let mut parts = html.split('<');
    let mut words = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        words.push_str(part.split_once('>').map_or(part, |(_, text)| text));
    }
    words
}
