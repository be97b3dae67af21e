//! What was found, as a page and for programs.

use crate::content::{Found, FoundFile};
use crate::index::files::Files;
use crate::limits::{CONTEXT_LINES, COUNTED_LINES_MAX, SHOWN_LINE_BYTES};
use crate::pattern::Line;
use crate::route;
use askama::Template;
use bstr::{BString, ByteSlice as _};
use lithe_code::links::Links;
use lithe_code::revision::{Kind, Revision};
use lithe_code::text;
use lithe_forge::types::{Permission, Repository};
use lithe_web::Fields;
use lithe_web::address::{encode_component, encode_path};
use lithe_web::format::FORMAT_FIELD;
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::size::{counted, grouped};
use serde::Serialize;
use std::ops::Range;

/// What is asked of one repository, as it came.
pub struct Asking<'a> {
    record: &'a Repository,
    permission: Permission,
    fields: &'a Fields,
    revision: Option<Revision>,
}

impl<'a> Asking<'a> {
    pub fn new(record: &'a Repository, permission: Permission, fields: &'a Fields) -> Self {
        Self { record, permission, fields, revision: None }
    }

    /// Notes the revision that is searched.
    pub fn at(&mut self, revision: &Revision) {
        self.revision = Some(revision.clone());
    }

    /// The address of this search with other fields.
    fn address(&self, others: &[(&str, &str)]) -> String {
        let mut pairs: Vec<(&str, &str)> = Vec::new();
        for name in ["q", "type", "regex", "case", "word", "path", "lang", "author", "ref", FORMAT_FIELD] {
            let value = self.fields.get(name);
            if !value.is_empty() && others.iter().all(|(other, _)| *other != name) {
                pairs.push((name, value));
            }
        }
        pairs.extend(others.iter().filter(|(_, value)| !value.is_empty()));
        let query: Vec<_> =
            pairs.iter().map(|(name, value)| format!("{name}={}", encode_component(value))).collect();
        format!("{}?{}", route::address(&self.record.path), query.join("&"))
    }

    fn links(&self) -> Links {
        Links::new(&self.record.path)
    }
}

/// What became of a search.
pub enum Outcome {
    /// The repository has no commits.
    Empty,
    /// Nothing is asked for.
    Nothing,
    /// What is asked for makes no sense; in words.
    Refused(String),
    Content(Box<Content>),
}

/// What was found in files.
pub struct Content {
    found: Found,
    files_count: usize,
    unknown_count: usize,
    is_cut: bool,
}

impl Outcome {
    /// What was found in these files.
    pub fn content(files: &Files, found: Found) -> Self {
        let (files_count, unknown_count) = (files.len(), files.unknown_count());
        Self::Content(Box::new(Content { found, files_count, unknown_count, is_cut: files.is_cut }))
    }
}

/// The page of a search in one repository.
#[derive(Template)]
#[template(path = "search.html")]
pub struct SearchPage {
    frame: Frame,
    head: RepositoryHead,
    form: Form,
    /// What is said first.
    status: String,
    is_refused: bool,
    notices: Vec<String>,
    files: Vec<FileView>,
    next_href: Option<String>,
}

/// The fields of the form.
struct Form {
    action: String,
    q: String,
    path: String,
    /// The revision, if it is not the landing branch.
    reference: String,
    /// Which revision is searched, in words.
    revision: String,
    is_expression: bool,
    minds_case: bool,
    whole_words: bool,
}

struct FileView {
    path: String,
    href: String,
    count: String,
    /// Lines that follow one another.
    groups: Vec<Vec<LineView>>,
}

#[derive(Debug, PartialEq, Eq)]
struct LineView {
    number: usize,
    href: String,
    html: String,
    is_match: bool,
}

/// Builds the page.
pub fn page(frame: Frame, asking: &Asking<'_>, outcome: &Outcome) -> SearchPage {
    let record = asking.record;
    let reference = asking.fields.get("ref");
    let name = match reference {
        "" => String::new(),
        _ => asking.revision.as_ref().map(|revision| encode_path(&revision.name)).unwrap_or_default(),
    };
    let title = match asking.fields.trimmed("q") {
        "" => format!("Search · {}", record.path),
        words => format!("{} · Search · {}", text::visible(words.as_bytes()), record.path),
    };
    let mut page = SearchPage {
        frame: frame.below(&record.path).titled(title),
        head: RepositoryHead::new(record, asking.permission, Some(Tab::Search), &name),
        form: Form::new(asking),
        status: String::new(),
        is_refused: false,
        notices: Vec::new(),
        files: Vec::new(),
        next_href: None,
    };
    match outcome {
        Outcome::Empty => page.status = "There is nothing to search in an empty repository.".to_owned(),
        Outcome::Nothing => {}
        Outcome::Refused(reason) => (page.status, page.is_refused) = (reason.clone(), true),
        Outcome::Content(content) => {
            page.status = content.status();
            page.notices = content.notices();
            page.files = content.found.files.iter().map(|file| FileView::new(asking, file)).collect();
            page.next_href = content.next_href(asking);
        }
    }
    page
}

impl Form {
    fn new(asking: &Asking<'_>) -> Self {
        let fields = asking.fields;
        let is_yes = |name| !fields.get(name).is_empty() && fields.get(name) != "no";
        let revision = asking.revision.as_ref();
        Self {
            action: route::address(&asking.record.path),
            q: fields.get("q").to_owned(),
            path: fields.get("path").to_owned(),
            reference: fields.get("ref").to_owned(),
            revision: revision
                .map(|revision| match revision.kind {
                    Kind::Branch => format!("the branch {}", revision.label()),
                    Kind::Tag => format!("the tag {}", revision.label()),
                    Kind::Commit => format!("the commit {}", revision.label()),
                })
                .unwrap_or_default(),
            is_expression: is_yes("regex"),
            minds_case: is_yes("case"),
            whole_words: is_yes("word"),
        }
    }
}

impl Content {
    fn status(&self) -> String {
        let (found, total) = (self.found.files.len() as u64, self.files_count as u64);
        let reached = self.found.reached as u64;
        match (found, &self.found.next) {
            (0, None) => format!("Nothing found in {}.", counted(total, "file", "files")),
            (0, Some(_)) => {
                format!(
                    "Nothing found in the first {} of {} so far.",
                    grouped(reached),
                    counted(total, "file", "files")
                )
            }
            (_, None) => format!("Found in {}.", counted(found, "file", "files")),
            (_, Some(_)) => format!(
                "Found in {}; searched so far: {} of {}.",
                counted(found, "file", "files"),
                grouped(reached),
                counted(total, "file", "files")
            ),
        }
    }

    fn notices(&self) -> Vec<String> {
        let mut notices = Vec::new();
        if self.is_cut {
            notices.push(
                "There are more files than are searched here; those that come last by path are left out."
                    .to_owned(),
            );
        }
        if self.unknown_count > 0 {
            notices.push(format!(
                "The index does not know {} yet, so that this takes longer than it will.",
                counted(self.unknown_count as u64, "file", "files")
            ));
        }
        notices
    }

    fn next_href(&self, asking: &Asking<'_>) -> Option<String> {
        let after = self.found.next.as_ref()?;
        let own = asking.address(&[]);
        Some(format!("{own}&after={}", encode_component(after)))
    }
}

impl FileView {
    fn new(asking: &Asking<'_>, file: &FoundFile) -> Self {
        let commit =
            asking.revision.as_ref().map(|revision| revision.commit_id.to_string()).unwrap_or_default();
        let href = asking.links().blob(commit.as_str().into(), file.path.as_bstr());
        let count = match file.lines.count {
            COUNTED_LINES_MAX.. => format!("{} lines and more", grouped(COUNTED_LINES_MAX as u64)),
            count => counted(count as u64, "line", "lines"),
        };
        Self { path: text::visible(&file.path), groups: groups(file, &href), href, count }
    }
}

/// The lines that match with those around them, those together that follow one another.
fn groups(file: &FoundFile, href: &str) -> Vec<Vec<LineView>> {
    let mut groups: Vec<Vec<LineView>> = Vec::new();
    let view = |number: usize, bytes: Range<usize>, marks: Option<&[Range<usize>]>| LineView {
        number,
        href: format!("{href}#L{number}"),
        html: line_html(text::without_line_end(&file.text[bytes]), marks.unwrap_or_default()),
        is_match: marks.is_some(),
    };
    for (index, line) in file.lines.lines.iter().enumerate() {
        let shown_to = groups.last().and_then(|group| group.last()).map_or(0, |line| line.number);
        let before = lines_before(&file.text, line, CONTEXT_LINES.min(line.number - shown_to - 1));
        let is_next = groups.last().is_some() && line.number - before.len() == shown_to + 1;
        if !is_next {
            groups.push(Vec::new());
        }
        let group = groups.last_mut().expect("there is one now");
        let first = line.number - before.len();
        group.extend(before.into_iter().enumerate().map(|(offset, bytes)| view(first + offset, bytes, None)));
        group.push(view(line.number, line.bytes.clone(), Some(&line.marks)));
        let room = file.lines.lines.get(index + 1).map_or(usize::MAX, |next| next.number - line.number - 1);
        let after = lines_after(&file.text, line, CONTEXT_LINES.min(room));
        group.extend(
            after.into_iter().enumerate().map(|(offset, bytes)| view(line.number + 1 + offset, bytes, None)),
        );
    }
    groups
}

fn lines_before(text: &str, line: &Line, count: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = line.bytes.start;
    while lines.len() < count && start > 0 {
        let end = start - 1;
        start = text[..end].rfind('\n').map_or(0, |end| end + 1);
        lines.insert(0, start..end);
    }
    lines
}

fn lines_after(text: &str, line: &Line, count: usize) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut end = line.bytes.end;
    while lines.len() < count && end + 1 < text.len() {
        let start = end + 1;
        end = text[start..].find('\n').map_or(text.len(), |length| start + length);
        lines.push(start..end);
    }
    lines
}

/// A line as HTML, with what matches marked; of a long one the part around the first match.
pub fn line_html(line: &str, marks: &[Range<usize>]) -> String {
    let first = marks.first().map_or(0, |mark| mark.start);
    let start = match first + SHOWN_LINE_BYTES / 2 > SHOWN_LINE_BYTES {
        true => line.floor_char_boundary(first - SHOWN_LINE_BYTES / 4),
        false => 0,
    };
    let end = line.floor_char_boundary(start + SHOWN_LINE_BYTES);
    let mut html = String::new();
    if start > 0 {
        html.push('…');
    }
    let mut at = start;
    for mark in marks {
        let (from, to) = (mark.start.clamp(at, end), mark.end.clamp(at, end));
        if from < to {
            text::push_html(&mut html, &line[at..from]);
            html.push_str("<mark>");
            text::push_html(&mut html, &line[from..to]);
            html.push_str("</mark>");
            at = to;
        }
    }
    text::push_html(&mut html, &line[at..end]);
    if end < line.len() {
        html.push('…');
    }
    html
}

/// What programs are told.
#[derive(Serialize)]
#[serde(tag = "page", rename = "search", rename_all = "kebab-case")]
pub struct Json {
    /// The commit that was searched; none in an empty repository.
    commit: Option<String>,
    /// Why nothing was searched, in words.
    problem: Option<String>,
    /// How many of how many files were searched, from the first one on.
    searched: usize,
    files: usize,
    found: Vec<JsonFile>,
    /// Where to go on; none if nothing is left.
    next_href: Option<String>,
}

/// A file in which something was found.
#[derive(Serialize)]
struct JsonFile {
    path: String,
    /// How many lines match, up to a limit.
    count: usize,
    lines: Vec<JsonLine>,
}

#[derive(Serialize)]
struct JsonLine {
    number: usize,
    text: String,
    /// Where in the text, in bytes.
    matches: Vec<[usize; 2]>,
}

/// As [`page`], for programs.
pub fn json(asking: &Asking<'_>, outcome: &Outcome) -> Json {
    let mut json = Json {
        commit: asking.revision.as_ref().map(|revision| revision.commit_id.to_string()),
        problem: None,
        searched: 0,
        files: 0,
        found: Vec::new(),
        next_href: None,
    };
    match outcome {
        Outcome::Empty | Outcome::Nothing => {}
        Outcome::Refused(reason) => json.problem = Some(reason.clone()),
        Outcome::Content(content) => {
            (json.searched, json.files) = (content.found.reached, content.files_count);
            json.next_href = content.next_href(asking);
            json.found = content.found.files.iter().map(json_file).collect();
        }
    }
    json
}

fn json_file(file: &FoundFile) -> JsonFile {
    let line = |line: &Line| {
        let whole = &file.text[line.bytes.clone()];
        let shown = &whole[..whole.floor_char_boundary(SHOWN_LINE_BYTES)];
        let matches = line.marks.iter().filter(|mark| mark.end <= shown.len());
        JsonLine {
            number: line.number,
            text: shown.to_owned(),
            matches: matches.map(|mark| [mark.start, mark.end]).collect(),
        }
    };
    JsonFile {
        path: text::visible(BString::from(file.path.clone()).as_ref()),
        count: file.lines.count,
        lines: file.lines.lines.iter().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::{Meaning, Pattern};
    use gix_hash::ObjectId;

    fn found(text: &str, term: &str) -> FoundFile {
        let pattern = Pattern::new(&[term], Meaning::default()).expect("a word");
        let lines = pattern.lines(text, 10, None).expect("there is time");
        FoundFile { path: "a".into(), id: ObjectId::null(gix_hash::Kind::Sha1), text: text.into(), lines }
    }

    #[test]
    fn lines_stand_with_those_around_them() {
        let cases = [
            ("x", "1!"),
            ("a\nb\nx\nc\nd\n", "2 3! 4"),
            ("x\nx\na\n", "1! 2! 3"),
            ("x\na\nb\nx", "1! 2 3 4!"),
            ("x\na\nx\na", "1! 2 3! 4"),
            ("x\na\nb\nc\nx\n", "1! 2 | 4 5!"),
            ("\r\n\r\nx\r\n", "2 3!"),
        ];
        for (text, expected) in cases {
            let groups = groups(&found(text, "x"), "/f");
            let shown = groups.iter().map(|group| {
                let line =
                    |line: &LineView| format!("{}{}", line.number, if line.is_match { "!" } else { "" });
                group.iter().map(line).collect::<Vec<_>>().join(" ")
            });
            assert_eq!(shown.collect::<Vec<_>>().join(" | "), expected, "{text:?}");
        }
    }

    #[test]
    fn matches_are_marked_and_nothing_else_is_html() {
        assert_eq!(line_html("a<b>x&x", &[4..5, 6..7]), "a&lt;b&gt;<mark>x</mark>&amp;<mark>x</mark>");
        assert_eq!(
            line_html("\u{202e}x", &[0..3]),
            "<mark><span class=\"control-character\">\\u{202e}</span></mark>x"
        );
        let long = format!("{}needle{}", "ż".repeat(1_000), "ż".repeat(1_000));
        let html = line_html(&long, &[2_000..2_006]);
        assert!(
            html.starts_with('…') && html.ends_with('…') && html.contains("<mark>needle</mark>"),
            "{html}"
        );
        assert!(html.len() < SHOWN_LINE_BYTES + 100, "{}", html.len());
        assert_eq!(line_html("", &[]), "");
    }
}
