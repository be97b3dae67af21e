//! What was found, as a page and for programs.

use crate::commits::FoundCommit;
use crate::content::FoundFile;
use crate::limits::{CONTEXT_LINES, COUNTED_LINES_MAX, SHOWN_LINE_BYTES};
use crate::pattern::Line;
use crate::route;
use crate::searching::{Hits, Kind, Part};
use askama::Template;
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use lithe_code::links::{self, Links};
use lithe_code::repository::Commit;
use lithe_code::revision::{self, Revision};
use lithe_code::text;
use lithe_forge::types::{Permission, Repository};
use lithe_web::Fields;
use lithe_web::address::{encode_component, encode_path};
use lithe_web::format::FORMAT_FIELD;
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::time::{self, Time};
use lithe_web::{Text, filters, t, tn};
use serde::Serialize;
use std::ops::Range;

/// What is asked, as it came.
pub struct Asking<'a> {
    /// None: of all repositories.
    repository: Option<(&'a Repository, Permission)>,
    fields: &'a Fields,
    revision: Option<Revision>,
}

impl<'a> Asking<'a> {
    pub fn of_repository(record: &'a Repository, permission: Permission, fields: &'a Fields) -> Self {
        Self { repository: Some((record, permission)), fields, revision: None }
    }

    pub fn of_site(fields: &'a Fields) -> Self {
        Self { repository: None, fields, revision: None }
    }

    /// Notes the revision that is searched.
    pub fn at(&mut self, revision: &Revision) {
        self.revision = Some(revision.clone());
    }

    /// What is looked for.
    pub fn kind(&self) -> Kind {
        Kind::parse(self.fields.get("type"))
    }

    /// The head of the repository that is searched.
    pub fn head(&self) -> Option<RepositoryHead> {
        let (record, permission) = self.repository?;
        let name = match (self.fields.get("ref"), &self.revision) {
            ("", _) | (_, None) => String::new(),
            (_, Some(revision)) => encode_path(&revision.name),
        };
        Some(RepositoryHead::new(record, permission, Some(Tab::Search), &name))
    }

    /// The address of the search, without what is asked for.
    fn action(&self) -> String {
        self.repository.map_or_else(|| route::SITE.to_owned(), |(record, _)| route::address(&record.path))
    }

    /// The address of this search with other fields.
    fn address(&self, others: &[(&str, String)]) -> String {
        let names =
            ["q", "type", "regex", "case", "word", "all", "path", "lang", "author", "ref", FORMAT_FIELD];
        let own = names.into_iter().map(|name| (name, self.fields.get(name).to_owned()));
        let own = own.filter(|(name, _)| others.iter().all(|(other, _)| other != name));
        let pairs = own.chain(others.iter().map(|(name, value)| (*name, value.clone())));
        let pairs = pairs.filter(|(_, value)| !value.is_empty());
        let query: Vec<_> =
            pairs.map(|(name, value)| format!("{name}={}", encode_component(value))).collect();
        match query.is_empty() {
            true => self.action(),
            false => format!("{}?{}", self.action(), query.join("&")),
        }
    }
}

/// What became of a search.
pub enum Outcome {
    /// The repository has no commits.
    Empty,
    /// Nothing is asked for.
    Nothing,
    /// What is asked for makes no sense; in words.
    Refused(Text),
    Found(Results),
}

/// What was found.
pub struct Results {
    kind: Kind,
    parts: Vec<(Repository, ObjectId, Part)>,
    /// The fields to go on with; none if nothing is left.
    next: Option<Vec<(&'static str, String)>>,
    /// How many of how many repositories were searched, where there may be several.
    repositories: Option<(usize, usize)>,
}

impl Results {
    pub fn new(kind: Kind, next: Option<Vec<(&'static str, String)>>) -> Self {
        Self { kind, parts: Vec::new(), next, repositories: None }
    }

    /// Notes that it is about so many repositories.
    pub fn of_repositories(&mut self, total: usize) {
        self.repositories = Some((total, total));
    }

    /// Adds what was found in a repository at a commit.
    pub fn add(&mut self, record: &Repository, commit_id: ObjectId, part: Part) {
        self.parts.push((record.clone(), commit_id, part));
    }

    /// Notes that the search goes on in a repository, after what it has searched there.
    pub fn go_on_at(&mut self, index: usize, path: &str, after: Option<String>) {
        if let Some((searched, _)) = &mut self.repositories {
            *searched = index;
        }
        self.next = Some(vec![("after-repo", path.to_owned()), ("after", after.unwrap_or_default())]);
    }

    fn found_count(&self) -> usize {
        self.parts.iter().map(|(_, _, part)| part.hits.len()).sum()
    }

    /// What was found, in words.
    fn status(&self) -> Text {
        let found = self.found_count();
        let what = match self.kind {
            _ if found == 0 => t("Nothing found"),
            Kind::Content => tn("Found in {n} file", "Found in {n} files", found),
            Kind::Paths => tn("Found {n} file", "Found {n} files", found),
            Kind::Commits => tn("Found {n} commit", "Found {n} commits", found),
        };
        let (searched, all) = match (self.repositories, self.parts.first()) {
            (Some((searched, total)), _) => (searched, tn("{n} repository", "{n} repositories", total)),
            (None, Some((_, _, part))) => (part.reached, counted(self.kind, part.total)),
            (None, None) => return t("{found}.").with("found", what),
        };
        match (&self.next, found) {
            (None, 0) => t("Nothing found in {all}.").with("all", all),
            (None, _) => t("{found}.").with("found", what),
            (Some(_), _) => t("{found}; searched so far: {searched} of {all}.")
                .with("found", what)
                .with("searched", searched)
                .with("all", all),
        }
    }

    fn notices(&self) -> Vec<Text> {
        let mut notices = Vec::new();
        let unknown: usize = self.parts.iter().map(|(_, _, part)| part.unknown).sum();
        if self.parts.iter().any(|(_, _, part)| part.is_cut) {
            notices.push(match self.kind {
                Kind::Commits => t("There are more commits than are searched here; older ones are left out."),
                Kind::Content | Kind::Paths => {
                    t("There are more files than are searched here; those that come last are left out.")
                }
            });
        }
        if unknown > 0 && self.kind != Kind::Paths {
            let notice = t("The index does not know {unknown} yet, so that this takes longer than it will.");
            notices.push(notice.with("unknown", counted(self.kind, unknown)));
        }
        notices
    }

    /// The same search among all files, if some were left out.
    fn all_href(&self, asking: &Asking<'_>) -> Option<String> {
        let leaves_out = self.parts.iter().any(|(_, _, part)| part.left_out > 0);
        leaves_out.then(|| asking.address(&[("all", "yes".to_owned())]))
    }

    fn next_href(&self, asking: &Asking<'_>) -> Option<String> {
        self.next.as_ref().map(|next| asking.address(next))
    }
}

/// How many files or commits.
fn counted(kind: Kind, count: usize) -> Text {
    match kind {
        Kind::Content | Kind::Paths => tn("{n} file", "{n} files", count),
        Kind::Commits => tn("{n} commit", "{n} commits", count),
    }
}

/// The page of a search in one repository.
#[derive(Template)]
#[template(path = "search.html")]
pub struct RepositoryPage {
    frame: Frame,
    head: RepositoryHead,
    view: View,
}

/// The page of a search in all repositories.
#[derive(Template)]
#[template(path = "site.html")]
pub struct SitePage {
    frame: Frame,
    view: View,
}

/// What both pages show.
struct View {
    form: Form,
    tabs: Vec<KindTab>,
    /// What is said first.
    status: Text,
    is_refused: bool,
    notices: Vec<Text>,
    sections: Vec<Section>,
    next_href: Option<String>,
    /// The same search among all files, if some were left out.
    all_href: Option<String>,
}

/// The fields of the form.
struct Form {
    action: String,
    kind: Kind,
    is_site: bool,
    q: String,
    path: String,
    language: String,
    author: String,
    /// The revision, if it is not the landing branch.
    reference: String,
    /// Which revision is searched, in words.
    revision: Option<Text>,
    is_expression: bool,
    minds_case: bool,
    whole_words: bool,
    has_all: bool,
}

/// A kind of search.
struct KindTab {
    name: Text,
    href: String,
    is_current: bool,
}

/// What was found in one repository.
struct Section {
    /// Its path and address, where there may be several.
    repository: Option<(String, String)>,
    files: Vec<FileView>,
    paths: Vec<PathView>,
    commits: Vec<CommitView>,
}

impl Section {
    /// Of the headings above files: below that of the repository, where there is one.
    fn file_level(&self) -> u8 {
        if self.repository.is_some() { 3 } else { 2 }
    }
}

struct FileView {
    id: String,
    path: String,
    href: String,
    count: Text,
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

struct PathView {
    href: String,
    html: String,
}

struct CommitView {
    href: String,
    title: String,
    short_id: String,
    author: String,
    time: Time,
    /// The lines of the message that match.
    lines: Vec<String>,
}

/// Builds the page of a search in one repository.
pub fn repository_page(
    frame: Frame,
    head: RepositoryHead,
    asking: &Asking<'_>,
    outcome: &Outcome,
) -> RepositoryPage {
    let path = asking.repository.map(|(record, _)| record.path.as_str()).unwrap_or_default();
    let title = title(asking, Text::verbatim(path.to_owned()));
    RepositoryPage { frame: frame.below(path).titled(title), head, view: View::new(asking, outcome) }
}

/// Builds the page of a search in all repositories.
pub fn site_page(frame: Frame, asking: &Asking<'_>, outcome: &Outcome) -> SitePage {
    SitePage { frame: frame.titled(title(asking, t("All repositories"))), view: View::new(asking, outcome) }
}

fn title(asking: &Asking<'_>, place: Text) -> Text {
    match asking.fields.trimmed("q") {
        "" => Text::joined(" · ", [t("Search"), place]),
        words => Text::joined(" · ", [Text::verbatim(text::visible(words.as_bytes())), t("Search"), place]),
    }
}

impl View {
    fn new(asking: &Asking<'_>, outcome: &Outcome) -> Self {
        let tab = |kind: Kind| KindTab {
            name: match kind {
                Kind::Content => t("Content"),
                Kind::Paths => t("Paths"),
                Kind::Commits => t("Commits"),
            },
            href: asking.address(&[("type", kind.name().to_owned())]),
            is_current: kind == asking.kind(),
        };
        let mut tabs: Vec<KindTab> = Kind::ALL.into_iter().map(tab).collect();
        if asking.repository.is_none() {
            let href = format!("/-/search?q={}", encode_component(asking.fields.get("q")));
            tabs.push(KindTab { name: t("Repositories"), href, is_current: false });
        }
        let mut view = Self {
            form: Form::new(asking),
            tabs,
            status: Text::EMPTY,
            is_refused: false,
            notices: Vec::new(),
            sections: Vec::new(),
            next_href: None,
            all_href: None,
        };
        match outcome {
            Outcome::Empty => view.status = t("There is nothing to search in an empty repository."),
            Outcome::Nothing => {}
            Outcome::Refused(reason) => (view.status, view.is_refused) = (reason.clone(), true),
            Outcome::Found(results) => {
                view.status = results.status();
                view.notices = results.notices();
                view.next_href = results.next_href(asking);
                view.all_href = results.all_href(asking);
                let parts =
                    results.parts.iter().enumerate().filter(|(_, (_, _, part))| !part.hits.is_empty());
                view.sections = parts.map(|(index, part)| Section::new(asking, index, part)).collect();
            }
        }
        view
    }
}

impl Form {
    fn new(asking: &Asking<'_>) -> Self {
        let fields = asking.fields;
        let is_yes = |name| !fields.get(name).is_empty() && fields.get(name) != "no";
        let own = |name| fields.get(name).to_owned();
        Self {
            action: asking.action(),
            kind: asking.kind(),
            is_site: asking.repository.is_none(),
            q: own("q"),
            path: own("path"),
            language: own("lang"),
            author: own("author"),
            reference: own("ref"),
            revision: asking.revision.as_ref().map(in_words),
            is_expression: is_yes("regex"),
            minds_case: is_yes("case"),
            whole_words: is_yes("word"),
            has_all: is_yes("all"),
        }
    }

    fn is_of_commits(&self) -> bool {
        self.kind == Kind::Commits
    }

    fn is_of_contents(&self) -> bool {
        self.kind == Kind::Content
    }

    fn label(&self) -> Text {
        match (self.kind, self.is_site) {
            (Kind::Content, false) => t("Search in files"),
            (Kind::Content, true) => t("Search in the files of all repositories"),
            (Kind::Paths, _) => t("Search for paths"),
            (Kind::Commits, _) => t("Search in the messages of commits"),
        }
    }
}

fn in_words(revision: &Revision) -> Text {
    match revision.kind {
        revision::Kind::Branch => t("In the branch {name}").with("name", revision.label()),
        revision::Kind::Tag => t("In the tag {name}").with("name", revision.label()),
        revision::Kind::Commit => t("In the commit {name}").with("name", revision.label()),
    }
}

impl Section {
    fn new(
        asking: &Asking<'_>,
        number: usize,
        (record, commit_id, part): &(Repository, ObjectId, Part),
    ) -> Self {
        let links = Links::new(&record.path);
        let mut section = Self {
            repository: asking.repository.is_none().then(|| (record.path.clone(), links.summary())),
            files: Vec::new(),
            paths: Vec::new(),
            commits: Vec::new(),
        };
        let commit = commit_id.to_string();
        match &part.hits {
            Hits::Files(files) => {
                let view = |(index, file)| FileView::new(format!("{number}-{index}"), &links, &commit, file);
                section.files = files.iter().enumerate().map(view).collect();
            }
            Hits::Paths(paths) => {
                let view = |found: &crate::content::FoundPath| PathView {
                    href: links.blob(commit.as_str().into(), found.path.as_bstr()),
                    html: line_html(&found.shown, &found.marks),
                };
                section.paths = paths.iter().map(view).collect();
            }
            Hits::Commits(commits) => {
                section.commits = commits.iter().map(|found| CommitView::new(&links, found)).collect();
            }
        }
        section
    }
}

impl FileView {
    fn new(id: String, links: &Links, commit: &str, file: &FoundFile) -> Self {
        let href = links.blob(commit.into(), file.path.as_bstr());
        let count = match file.lines.count {
            COUNTED_LINES_MAX.. => t("{count} lines and more").with("count", COUNTED_LINES_MAX),
            count => tn("{n} line", "{n} lines", count),
        };
        Self { id, path: text::visible(&file.path), groups: groups(file, &href), href, count }
    }
}

impl CommitView {
    fn new(links: &Links, found: &FoundCommit) -> Self {
        let Commit { id, author, committer, .. } = &found.commit;
        let title = found.commit.title();
        let line = |line: &Line| {
            let shown = text::without_line_end(&found.text[line.bytes.clone()]);
            (shown.trim() != title || !line.marks.is_empty()).then(|| line_html(shown, &line.marks))
        };
        Self {
            href: links.commit(id),
            lines: found.lines.lines.iter().filter_map(line).collect(),
            title,
            short_id: id.to_hex_with_len(10).to_string(),
            author: author.display_name(),
            time: Time::with_offset(committer.seconds, committer.offset, time::now()),
        }
    }
}

/// The lines that match with those around them, those together that follow one another.
fn groups(file: &FoundFile, href: &str) -> Vec<Vec<LineView>> {
    let mut groups: Vec<Vec<LineView>> = Vec::new();
    let view = |number: usize, bytes: Range<usize>, marks: Option<&[Range<usize>]>| LineView {
        number,
        href: links::line(href, number),
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
    /// Which commit was searched, in one repository.
    commit: Option<String>,
    /// Why nothing was searched, in words.
    problem: Option<Text>,
    /// How much was searched so far, in words.
    status: Text,
    notices: Vec<Text>,
    found: Vec<JsonHit>,
    /// Where to go on; none if nothing is left.
    next_href: Option<String>,
    /// The same search among all files, if generated or vendored ones were left out.
    all_href: Option<String>,
}

/// What was found.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
enum JsonHit {
    #[serde(rename_all = "kebab-case")]
    File { repository: String, path: String, href: String, count: usize, lines: Vec<JsonLine> },
    #[serde(rename_all = "kebab-case")]
    Path { repository: String, path: String, href: String },
    #[serde(rename_all = "kebab-case")]
    Commit { repository: String, id: String, href: String, title: String, author: String, time: Time },
}

#[derive(Serialize)]
struct JsonLine {
    number: usize,
    text: String,
    /// Where in the text, in bytes.
    matches: Vec<[usize; 2]>,
}

/// As the pages, for programs.
pub fn json(asking: &Asking<'_>, outcome: &Outcome) -> Json {
    let mut json = Json {
        commit: asking.revision.as_ref().map(|revision| revision.commit_id.to_string()),
        problem: None,
        status: Text::EMPTY,
        notices: Vec::new(),
        found: Vec::new(),
        next_href: None,
        all_href: None,
    };
    match outcome {
        Outcome::Empty | Outcome::Nothing => {}
        Outcome::Refused(reason) => json.problem = Some(reason.clone()),
        Outcome::Found(results) => {
            (json.status, json.notices) = (results.status(), results.notices());
            json.next_href = results.next_href(asking);
            json.all_href = results.all_href(asking);
            json.found = results.parts.iter().flat_map(json_hits).collect();
        }
    }
    json
}

fn json_hits((record, commit_id, part): &(Repository, ObjectId, Part)) -> Vec<JsonHit> {
    let (links, commit) = (Links::new(&record.path), commit_id.to_string());
    let repository = || record.path.clone();
    let href = |path: &bstr::BString| links.blob(commit.as_str().into(), path.as_bstr());
    match &part.hits {
        Hits::Files(files) => {
            let hit = |file: &FoundFile| JsonHit::File {
                repository: repository(),
                path: text::visible(&file.path),
                href: href(&file.path),
                count: file.lines.count,
                lines: file.lines.lines.iter().map(|line| json_line(file, line)).collect(),
            };
            files.iter().map(hit).collect()
        }
        Hits::Paths(paths) => {
            let hit = |found: &crate::content::FoundPath| JsonHit::Path {
                repository: repository(),
                path: found.shown.clone(),
                href: href(&found.path),
            };
            paths.iter().map(hit).collect()
        }
        Hits::Commits(commits) => {
            let hit = |found: &FoundCommit| {
                let CommitView { href, title, author, time, .. } = CommitView::new(&links, found);
                JsonHit::Commit {
                    repository: repository(),
                    id: found.commit.id.to_string(),
                    href,
                    title,
                    author,
                    time,
                }
            };
            commits.iter().map(hit).collect()
        }
    }
}

fn json_line(file: &FoundFile, line: &Line) -> JsonLine {
    let whole = &file.text[line.bytes.clone()];
    let shown = &whole[..whole.floor_char_boundary(SHOWN_LINE_BYTES)];
    let matches = line.marks.iter().filter(|mark| mark.end <= shown.len());
    JsonLine {
        number: line.number,
        text: shown.to_owned(),
        matches: matches.map(|mark| [mark.start, mark.end]).collect(),
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
