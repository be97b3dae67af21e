//! Changes as a page shows them: the list of files, and their hunks, one side below or beside the other.

use super::colours::{Colours, FileColours};
use super::file_list::{self, Item};
use super::lines::{self, Functions, Hunk, Line, Options};
use super::trees::{self, Change, Origins, Side};
use crate::cache::Key;
use crate::highlight::{self, Run};
use crate::limits::{
    CONTEXT_LINES_MAX, DIFF_BYTES_MAX, DIFF_FILE_BYTES_MAX, DIFF_FILE_LINES_MAX, DIFF_FULL_LINES_MAX,
    DIFF_LINES_MAX, DIFF_SHOWN_FILES_MAX, MARKED_BYTES_MAX,
};
use crate::place::{Failure, Place};
use crate::raw;
use crate::route;
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use gix_hash::ObjectId;
use gix_object::tree::{EntryKind, EntryMode};
use lithe_code::diff::words::{self, Marks};
use lithe_code::limits::LINE_BYTES_MAX;
use lithe_code::links::Links;
use lithe_code::marks::{self, FileMarks};
use lithe_code::repository::Repository;
use lithe_code::text::{self, Legacy};
use lithe_web::Fields;
use lithe_web::{Language, Text, filters, t, tn};
use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;

/// How much context there is to choose, in lines.
const CONTEXT_STEPS: [u32; 4] = [lines::CONTEXT_LINES, 10, 25, CONTEXT_LINES_MAX];

/// The field of a query that asks for more colours.
pub const COLOURS_FIELD: &str = "colours";

/// How the viewer wants to see changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct View {
    pub lines: Options,
    /// The number of the one file, counted from 1, that has more lines around its changes; none: all have.
    pub file: Option<usize>,
    /// Whether only that file's part of the page is asked for.
    pub is_part: bool,
    /// Whether the sides are beside each other.
    pub is_split: bool,
    /// Whether what is usually too much is shown too.
    pub is_full: bool,
    /// Whether more is coloured than what takes hardly any time.
    pub is_coloured: bool,
}

impl View {
    /// Reads `?view=split&w=1&file=3&context=10&full=1`, `part=1` of who wants no more than that file, and `colours=1`.
    pub fn of(query: &Fields) -> Self {
        let context = query.get("context").parse().unwrap_or(lines::CONTEXT_LINES);
        // Few different pages can be asked for, and kept.
        let context = CONTEXT_STEPS.into_iter().find(|step| *step >= context).unwrap_or(CONTEXT_LINES_MAX);
        let is_part = query.get("part") == "1";
        let file: Option<usize> = query.get("file").parse().ok().filter(|number| *number > 0);
        // One with the context that all have is none.
        let file = file.filter(|_| is_part || context != lines::CONTEXT_LINES);
        Self {
            lines: Options { context, ignores_white_space: query.get("w") == "1" },
            file,
            is_part: file.is_some() && is_part,
            is_split: query.get("view") == "split",
            is_full: query.get("full") == "1",
            is_coloured: query.get(COLOURS_FIELD) == "1",
        }
    }

    /// The query that asks for this, after what the page has for itself.
    fn query(self, own: &str) -> String {
        let mut fields: Vec<String> = Vec::new();
        fields.extend((!own.is_empty()).then(|| own.to_owned()));
        fields.extend(self.is_split.then(|| "view=split".to_owned()));
        fields.extend(self.lines.ignores_white_space.then(|| "w=1".to_owned()));
        let context = self.lines.context;
        if context != lines::CONTEXT_LINES {
            fields.extend(self.file.map(|number| format!("file={number}")));
            fields.push(format!("context={context}"));
        }
        fields.extend(self.is_full.then(|| "full=1".to_owned()));
        fields.extend(self.is_coloured.then(|| format!("{COLOURS_FIELD}=1")));
        format!("?{}", fields.join("&"))
    }

    /// How the lines of the file of that number are compared.
    pub(super) fn lines_of(self, number: usize) -> Options {
        match self.file {
            Some(file) if file != number => Options { context: lines::CONTEXT_LINES, ..self.lines },
            Some(_) | None => self.lines,
        }
    }

    /// The view with more lines around the changes of that file.
    fn with_more_context(self, number: usize) -> Option<Self> {
        let context = self.lines_of(number).context;
        let context = CONTEXT_STEPS.into_iter().find(|step| *step > context)?;
        let lines = Options { context, ..self.lines };
        Some(Self { lines, file: Some(number), is_coloured: false, ..self })
    }

    /// Whether the changes of the file of that number are left out, as there are many before it.
    pub(super) fn leaves_out(self, number: usize) -> bool {
        number > DIFF_SHOWN_FILES_MAX && !self.is_full && self.file != Some(number)
    }

    /// Whether what is seen so may be kept. There are too many files to keep a page for each.
    pub(super) fn is_kept(self) -> bool {
        self.file.is_none()
    }
}

/// One side of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    pub commit_id: ObjectId,
    pub tree_id: ObjectId,
}

/// Changes, to be shown below the head of a page.
#[derive(Template)]
#[template(path = "_changes.html")]
pub(super) struct ChangesView {
    file_count: Text,
    added: u32,
    removed: u32,
    /// Whether there are more lines, which were not counted.
    is_counted_in_part: bool,
    files: Vec<FileView>,
    /// The files as a tree of directories, or one below the other if they are few.
    list: Vec<Item>,
    notices: Vec<Text>,
    unified_href: Option<String>,
    split_href: Option<String>,
    white_space_href: String,
    hides_white_space: bool,
    full_href: Option<String>,
    /// The same with more colours, where some are missing.
    colours_href: Option<String>,
}

/// A changed file.
#[derive(Default, Template)]
#[template(path = "_changed_file.html")]
pub(super) struct FileView {
    /// Counted from 1.
    pub number: usize,
    pub is_split: bool,
    /// The numbers of the files before it and after it.
    pub neighbours: (Option<usize>, Option<usize>),
    pub path: String,
    /// The path before, of a renamed file; or of what a file is a copy of.
    pub before_path: Option<String>,
    pub similarity: Option<u32>,
    /// `added`, `deleted`, `renamed`, `copied`, `modified`: in words and for the style sheet.
    pub kind: &'static str,
    /// The file after the change; none if it was deleted.
    pub href: Option<String>,
    /// None if the lines were not compared.
    pub counts: Option<(u32, u32)>,
    /// How large a file is, before and after, whose lines were not compared; empty if they were.
    pub sizes: Text,
    pub mode_change: Option<String>,
    /// The rows of the hunks, as HTML.
    pub rows: String,
    /// An image before and after the change.
    pub images: Option<(Option<String>, Option<String>)>,
    /// Whether a tool wrote it: its changes are folded.
    pub is_generated: bool,
    /// Whether it is listed, and nothing more.
    pub is_left_out: bool,
    /// Why there are no hunks, or not all.
    pub note: Option<Text>,
    /// Whether it has lines that were not compared, as they are too many.
    pub is_too_large: bool,
}

impl FileView {
    /// The same as one of so many files.
    fn among(self, count: usize) -> Self {
        let next = self.number + 1;
        let neighbours = (self.number.checked_sub(1).filter(|number| *number > 0), Some(next));
        Self { neighbours: (neighbours.0, neighbours.1.filter(|number| *number <= count)), ..self }
    }

    /// Its part of the page, of so many files.
    pub(super) fn part(self, count: usize, language: Language) -> String {
        self.among(count).render_with_values(&language).unwrap_or_default()
    }

    /// What was done to the file, in words.
    fn kind_in_words(&self) -> Text {
        match self.kind {
            "added" => t("added"),
            "deleted" => t("deleted"),
            "renamed" => t("renamed"),
            "copied" => t("copied"),
            _ => t("modified"),
        }
    }

    /// A bar of five squares: how many are for added lines, and for removed lines.
    fn bar(&self) -> Option<(u64, u64)> {
        let (added, removed) = self.counts.filter(|counts| *counts != (0, 0))?;
        let total = u64::from(added) + u64::from(removed);
        let squares = total.min(5);
        let mut for_added = (u64::from(added) * squares + total / 2) / total;
        // Either has a square, if there are two.
        if squares > 1 {
            for_added = for_added.clamp(u64::from(added > 0), squares - u64::from(removed > 0));
        }
        Some((for_added, squares - for_added))
    }
}

impl ChangesView {
    /// Files in a view, of a page that has the query for itself. `is_cut`: there are more files; `is_short`: something
    /// was left out.
    pub(super) fn new(
        file_count: Text,
        files: Vec<FileView>,
        notices: Vec<Text>,
        (view, query): (View, &str),
        (is_cut, is_short): (bool, bool),
    ) -> Self {
        let total = |count: fn(&(u32, u32)) -> u32| {
            files.iter().filter_map(|file| file.counts.as_ref()).map(count).sum()
        };
        let (added, removed) = (total(|counts| counts.0), total(|counts| counts.1));
        // Who asked for more colours is shown what others are.
        let view = View { is_coloured: false, ..view };
        let with = |view: View| view.query(query);
        let shown = files.iter().rposition(|file| !file.is_left_out).map_or(0, |last| last + 1);
        let is_short = is_short || shown < files.len();
        let files: Vec<FileView> = files.into_iter().map(|file| file.among(shown)).collect();
        let list = file_list::items(files.iter().map(|file| file.path.as_str()));
        Self {
            list,
            file_count,
            added,
            removed,
            is_counted_in_part: is_cut || files.iter().any(|file| file.is_too_large),
            notices,
            unified_href: view.is_split.then(|| with(View { is_split: false, ..view })),
            split_href: (!view.is_split).then(|| with(View { is_split: true, ..view })),
            white_space_href: {
                let ignores_white_space = !view.lines.ignores_white_space;
                with(View { lines: Options { ignores_white_space, ..view.lines }, ..view })
            },
            hides_white_space: view.lines.ignores_white_space,
            full_href: (is_short && !view.is_full).then(|| with(View { is_full: true, ..view })),
            colours_href: None,
            files,
        }
    }

    /// The same, some of which is not coloured that is where that view is asked for.
    fn to_be_coloured(self, (view, query): (View, &str)) -> Self {
        Self { colours_href: Some(View { is_coloured: true, ..view }.query(query)), ..self }
    }

    /// The same without a view of sides beside each other, which there is none of.
    pub(super) fn of_one_side(self) -> Self {
        Self { split_href: None, ..self }
    }
}

/// Renders what differs between two points; `before` none: all is new. `query` is what the page's own
/// query has besides the view. The result is kept: it does not depend on who asks.
pub fn render(
    place: &Place<'_>,
    repository: Repository<'_>,
    points: (Option<Point>, Point),
    query: &str,
    view: View,
) -> Result<String, Failure> {
    render_across((place, &place.links()), repository, points, query, view)
}

/// As [`render`], where the files after the change are another repository's, to which `after_links` lead.
pub fn render_across(
    (place, after_links): (&Place<'_>, &Links),
    repository: Repository<'_>,
    (before, after): (Option<Point>, Point),
    query: &str,
    view: View,
) -> Result<String, Failure> {
    let ids = |point: &Point| [point.commit_id, point.tree_id].map(|id| id.as_bytes().to_vec()).concat();
    let (before_ids, after_ids) = (before.as_ref().map(ids).unwrap_or_default(), ids(&after));
    let after_place = after_links.summary();
    let language = place.frame.language;
    let edition = highlight::edition().unwrap_or_default();
    let key_of = |view: View| {
        Key::new(&[
            b"changes",
            edition.as_bytes(),
            place.record.path.as_bytes(),
            after_place.as_bytes(),
            &before_ids,
            &after_ids,
            query.as_bytes(),
            format!("{view:?}").as_bytes(),
            language.tag().as_bytes(),
        ])
    };
    let key = key_of(view);
    if view.is_kept() {
        // With all its colours, it is better than what was asked for.
        let coloured = (!view.is_coloured).then(|| key_of(View { is_coloured: true, ..view }));
        if let Some(kept) = coloured.into_iter().chain([key]).find_map(|key| place.cache.get(&key)) {
            if is_to_be_coloured(&kept) {
                place.cache.is_unfinished();
            }
            return Ok(kept);
        }
    }
    let changes =
        trees::trees(repository, before.map(|point| point.tree_id), after.tree_id, Origins::Changed)?;
    let links = place.links();
    let mut page = Page {
        repository,
        links: &links,
        after_links,
        before,
        after,
        query,
        view,
        budget: Budget::of(view),
        marks: FileMarks::new(repository, &after.tree_id)?,
        words: Words::new(language),
        colours: Colours::of(view),
    };
    if let Some(number) = view.file.filter(|_| view.is_part) {
        let change = changes.files.get(number - 1).ok_or(Failure::NotFound)?;
        return Ok(page.file(number, change)?.part(changes.files.len(), language));
    }
    let files: Result<Vec<_>, _> =
        changes.files.iter().enumerate().map(|(index, change)| page.file(index + 1, change)).collect();
    let files = files?;
    let mut notices = Vec::new();
    if changes.is_cut {
        notices.push(t("More files differ than are listed here."));
    }
    if page.budget.is_spent {
        notices.push(t("More differs than is shown here: the lines of some files are left out."));
    }
    let is_short = page.budget.is_spent || page.budget.is_file_cut;
    let is_cut = changes.is_cut;
    let file_count = tn("{n} file changed", "{n} files changed", files.len());
    let mut changes = ChangesView::new(file_count, files, notices, (view, query), (is_cut, is_short));
    if page.colours.is_short && !view.is_coloured {
        changes = changes.to_be_coloured((view, query));
    }
    let html = changes.render_with_values(&language).unwrap_or_default();
    if highlight::has_failed() || highlight::ran_out_of_time() {
        place.cache.is_unfinished();
    } else if view.is_kept() {
        place.cache.put(&key, &html);
    }
    Ok(html)
}

/// Whether changes as HTML say where there are more of their colours.
fn is_to_be_coloured(html: &str) -> bool {
    html.split('>').next().is_some_and(|section| section.contains(" data-colours="))
}

/// What may still be read and shown.
pub(super) struct Budget {
    lines: usize,
    file_lines: usize,
    /// How many lines of the present file were shown.
    shown_lines: usize,
    bytes: u64,
    /// Of changed lines, to compare their words.
    marked_bytes: usize,
    pub(super) is_spent: bool,
    pub(super) is_file_cut: bool,
}

impl Budget {
    pub(super) fn of(view: View) -> Self {
        let (lines, file_lines) = match view.is_full {
            true => (DIFF_FULL_LINES_MAX, DIFF_FULL_LINES_MAX),
            false => (DIFF_LINES_MAX, DIFF_FILE_LINES_MAX),
        };
        Self {
            lines,
            file_lines,
            shown_lines: 0,
            bytes: DIFF_BYTES_MAX,
            marked_bytes: MARKED_BYTES_MAX,
            is_spent: false,
            is_file_cut: false,
        }
    }

    /// Begins with another file.
    pub(super) fn begin_file(&mut self) {
        self.shown_lines = 0;
    }

    /// How many of a hunk's lines may be shown, and whether none after them may: then `note` says so.
    pub(super) fn take_lines(&mut self, lines: usize, note: &mut Option<Text>) -> usize {
        let room = self.file_lines.saturating_sub(self.shown_lines).min(self.lines);
        if room < lines && room < self.lines {
            self.is_file_cut = true;
            *note = Some(t("The rest of this file’s changes is too long to be shown here."));
        } else if room < lines {
            self.is_spent = true;
            *note = Some(t("The rest is left out."));
        }
        let taken = lines.min(room);
        self.shown_lines += taken;
        self.lines -= taken;
        taken
    }

    /// Takes the bytes of a file, if there are as many left.
    fn take_bytes(&mut self, bytes: u64) -> bool {
        let has_room = bytes <= self.bytes;
        match has_room {
            true => self.bytes -= bytes,
            false => self.is_spent = true,
        }
        has_room
    }
}

/// A page that is being made.
struct Page<'a> {
    repository: Repository<'a>,
    /// The pages of what was there before, and after.
    links: &'a Links,
    after_links: &'a Links,
    before: Option<Point>,
    after: Point,
    query: &'a str,
    view: View,
    budget: Budget,
    /// What is known of the files, as they are after the change.
    marks: FileMarks<'a>,
    words: Words,
    colours: Colours,
}

/// What is said within the rows, as HTML.
pub(super) struct Words {
    more: String,
    no_line_end: String,
}

impl Words {
    pub(super) fn new(language: Language) -> Self {
        let html = |said: Text| {
            let mut html = String::new();
            text::push_html(&mut html, &said.in_language(language));
            html
        };
        Self { more: html(t("Show more lines")), no_line_end: html(t("(no line end)")) }
    }
}

impl Words {
    /// The link to more lines around the changes of the file number `number`, as HTML; empty if there are no more.
    pub(super) fn expand(&self, view: View, query: &str, number: usize) -> String {
        let Some(more) = view.with_more_context(number) else { return String::new() };
        let query = more.query(query).replace('&', "&amp;");
        format!(
            "<a class=\"diff-more\" href=\"{query}#file-{number}\" rel=\"nofollow\" title=\"{0}\" aria-label=\"{0}\">↕</a>",
            self.more
        )
    }
}

impl Page<'_> {
    /// The file number `number`, counted from 1.
    fn file(&mut self, number: usize, change: &Change) -> Result<FileView, Failure> {
        let kind = match (&change.before, &change.after) {
            (None, _) => "added",
            (_, None) => "deleted",
            _ if change.is_copy => "copied",
            _ if change.has_origin() => "renamed",
            _ => "modified",
        };
        let after = change.after.as_ref().filter(|side| side.is_blob());
        let revision = self.after.commit_id.to_string();
        let origin = change.before.as_ref().filter(|_| change.has_origin());
        let mut view = FileView {
            number,
            is_split: self.view.is_split,
            path: text::visible(change.path()),
            before_path: origin.map(|side| text::visible(&side.name)),
            similarity: change.similarity,
            kind,
            href: after
                .map(|side| self.after_links.blob(BStr::new(&revision), side.name.as_bstr()))
                .filter(|href| route::leads(href)),
            mode_change: mode_change(change),
            ..FileView::default()
        };
        view.is_left_out = self.view.leaves_out(number);
        self.budget.is_spent |= view.is_left_out;
        let marks = self.marks.of(change.path().as_bstr())?;
        view.is_generated = marks.is_generated;
        let mut read =
            |side: &Option<Side>| contents(self.repository, side.as_ref(), &marks, &mut self.budget);
        let sides = (read(&change.before)?, read(&change.after)?);
        match &sides {
            (Contents::Text(before), Contents::Text(after)) => {
                self.compare(number, &mut view, (change, &marks), (before, after));
            }
            (Contents::Binary, _) | (_, Contents::Binary) => {
                view.sizes = sizes(self.repository, change)?;
                view.images = self.images(change);
                view.note = view.images.is_none().then_some(match marks.diff {
                    marks::Diff::Binary => t("Its .gitattributes say that its lines are not compared."),
                    marks::Diff::Detected | marks::Diff::Text => t("Binary file."),
                });
            }
            _ => {
                view.sizes = sizes(self.repository, change)?;
                view.is_too_large = true;
                view.note = Some(t("Too large to be compared here."));
            }
        }
        Ok(view)
    }

    fn images(&self, change: &Change) -> Option<(Option<String>, Option<String>)> {
        let is_image = |side: &&Side| raw::image_type(side.name.as_bstr()).is_some();
        let raw = |links: &Links, side: &Side, commit_id: ObjectId| {
            links.raw(BStr::new(&commit_id.to_string()), side.name.as_bstr())
        };
        let before = change.before.as_ref().filter(is_image).zip(self.before);
        let before = before.map(|(side, point)| raw(self.links, side, point.commit_id));
        let after = change.after.as_ref().filter(is_image);
        let after = after.map(|side| raw(self.after_links, side, self.after.commit_id));
        (before.is_some() || after.is_some()).then_some((before, after))
    }

    fn compare(
        &mut self,
        number: usize,
        view: &mut FileView,
        (change, marks): (&Change, &marks::Marks),
        (before, after): (&[u8], &[u8]),
    ) {
        let legacy = text::legacy([before, after]);
        let (before, after) = (lines::split_lines(before), lines::split_lines(after));
        let difference = lines::files(&before, &after, self.view.lines_of(number));
        view.counts = Some((difference.added, difference.removed));
        if view.is_left_out {
            return;
        }
        if difference.hunks.is_empty() {
            view.note = Some(if after.is_empty() {
                t("The file is empty.")
            } else {
                t("The contents are the same.")
            });
        }
        let mut functions = Functions::default();
        let mut shown: Vec<(Hunk, &[u8])> = Vec::new();
        self.budget.begin_file();
        for mut hunk in difference.hunks {
            let room = self.budget.take_lines(hunk.lines.len(), &mut view.note);
            let function = functions.of(&hunk, &before);
            hunk.lines.truncate(room);
            if !hunk.lines.is_empty() {
                shown.push((hunk, function));
            }
            if view.note.is_some() {
                break;
            }
        }
        let lines = shown.iter().flat_map(|(hunk, _)| &hunk.lines);
        let colours = self.colours.of_file(change, marks, (&before, &after, legacy), lines);
        let sides = Sides { before: &before, after: &after, legacy, colours: &colours };
        for (hunk, function) in &shown {
            self.hunk(&mut view.rows, number, hunk, function, &sides);
        }
    }

    fn hunk(&mut self, rows: &mut String, number: usize, hunk: &Hunk, function: &[u8], sides: &Sides<'_>) {
        rows.push_str("<tbody>\n<tr class=\"diff-hunk\">");
        let expand = self.words.expand(self.view, self.query, number);
        let span = if self.view.is_split { 3 } else { 1 };
        write!(rows, "<td class=\"line-number\">{expand}</td>").expect("a string takes it");
        if !self.view.is_split {
            rows.push_str("<td class=\"line-number\"></td><td class=\"diff-sign\"></td>");
        }
        write!(rows, "<td class=\"line-code\" colspan=\"{span}\">{}", hunk.header())
            .expect("a string takes it");
        if !function.is_empty() {
            rows.push(' ');
            text::push_line_html(rows, &decoded(function, sides.legacy));
        }
        rows.push_str("</td></tr>\n");
        let mut rest = hunk.lines.as_slice();
        while let Some(first) = rest.first() {
            if let Line::Context { before: old, after: new } = *first {
                let cell = sides.after(new, &[]);
                self.row(rows, number, (Some((old, cell)), Some((new, cell))), true);
                rest = &rest[1..];
                continue;
            }
            let removed = rest.iter().take_while(|line| matches!(line, Line::Removed { .. })).count();
            let added = rest[removed..].iter().take_while(|line| matches!(line, Line::Added { .. })).count();
            let (old, new) = (&rest[..removed], &rest[removed..removed + added]);
            self.changed(rows, number, (old, new), sides);
            rest = &rest[removed + added..];
        }
        rows.push_str("</tbody>\n");
    }

    /// Lines that took the place of others; the words of lines that stand for each other are compared.
    fn changed(
        &mut self,
        rows: &mut String,
        number: usize,
        (removed, added): (&[Line], &[Line]),
        sides: &Sides<'_>,
    ) {
        let index = |line: &Line| match *line {
            Line::Removed { before: index }
            | Line::Added { after: index }
            | Line::Context { after: index, .. } => index,
        };
        let (old, new): (Vec<u32>, Vec<u32>) =
            (removed.iter().map(index).collect(), added.iter().map(index).collect());
        let pairs = if old.len() == new.len() || self.view.is_split { old.len().min(new.len()) } else { 0 };
        let marks: Vec<(Marks, Marks)> = (0..pairs)
            .map(|at| {
                let (old, new) = (sides.before[old[at] as usize], sides.after[new[at] as usize]);
                self.marks((old, new), sides.legacy).unwrap_or_default()
            })
            .collect();
        let old_cell = |at: usize| {
            let number = *old.get(at)?;
            Some((number, sides.before(number, marks.get(at).map_or(&[], |marks| &marks.0))))
        };
        let new_cell = |at: usize| {
            let number = *new.get(at)?;
            Some((number, sides.after(number, marks.get(at).map_or(&[], |marks| &marks.1))))
        };
        if self.view.is_split {
            let count = old.len().max(new.len());
            (0..count).for_each(|at| self.row(rows, number, (old_cell(at), new_cell(at)), false));
        } else {
            (0..old.len()).for_each(|at| self.row(rows, number, (old_cell(at), None), false));
            (0..new.len()).for_each(|at| self.row(rows, number, (None, new_cell(at)), false));
        }
    }

    /// What differs between two lines, while there is room for it.
    fn marks(&mut self, (old, new): (&[u8], &[u8]), legacy: Legacy) -> Option<(Marks, Marks)> {
        self.budget.marked_bytes = self.budget.marked_bytes.checked_sub(old.len() + new.len())?;
        words::marks(&decoded(old, legacy), &decoded(new, legacy))
    }

    fn row(
        &self,
        rows: &mut String,
        number: usize,
        (old, new): (Option<(u32, Cell<'_>)>, Option<(u32, Cell<'_>)>),
        is_context: bool,
    ) {
        if self.view.is_split {
            rows.push_str("<tr>");
            for (side, letter, class) in [(old, 'L', "diff-delete"), (new, 'R', "diff-insert")] {
                let is_linked = letter == 'R' || !is_context;
                let class = match side {
                    None => "diff-nothing",
                    Some(_) if is_context => "",
                    Some(_) => class,
                };
                let line = side.map(|(line, _)| Address { file: number, side: letter, line, is_linked });
                push_number(rows, line, class);
                write!(rows, "<td class=\"line-code {class}\">").expect("a string takes it");
                if let Some((_, cell)) = side {
                    cell.push(rows, &self.words);
                }
                rows.push_str("</td>");
            }
            rows.push_str("</tr>\n");
            return;
        }
        let (class, sign) = match (is_context, old) {
            (true, _) => ("", " "),
            (false, Some(_)) => (" class=\"diff-delete\"", "-"),
            (false, None) => (" class=\"diff-insert\"", "+"),
        };
        write!(rows, "<tr{class}>").expect("a string takes it");
        for (side, letter) in [(old, 'L'), (new, 'R')] {
            let is_linked = letter == 'R' || !is_context;
            let line = side.map(|(line, _)| Address { file: number, side: letter, line, is_linked });
            push_number(rows, line, "");
        }
        write!(rows, "<td class=\"diff-sign\">{sign}</td><td class=\"line-code\">")
            .expect("a string takes it");
        if let Some((_, cell)) = new.or(old) {
            cell.push(rows, &self.words);
        }
        rows.push_str("</td></tr>\n");
    }
}

/// A line that can be linked, as `#d3-R12` for line 12 of the third file after the change, and `L` before it.
#[derive(Clone, Copy)]
pub(super) struct Address {
    pub file: usize,
    pub side: char,
    /// Counted from 0.
    pub line: u32,
    /// Whether its number leads to it. Where a line is on both sides, that of one does.
    pub is_linked: bool,
}

pub(super) fn push_number(rows: &mut String, address: Option<Address>, class: &str) {
    let space = if class.is_empty() { "" } else { " " };
    let written = match address {
        None => write!(rows, "<td class=\"line-number{space}{class}\"></td>"),
        Some(Address { file, side, line, is_linked }) => {
            let line = line + 1;
            let id = format!("d{file}-{side}{line}");
            match is_linked {
                true => write!(
                    rows,
                    "<td class=\"line-number{space}{class}\" id=\"{id}\"><a href=\"#{id}\">{line}</a></td>"
                ),
                false => write!(rows, "<td class=\"line-number{space}{class}\" id=\"{id}\">{line}</td>"),
            }
        }
    };
    written.expect("a string takes it");
}

/// The lines of a file before and after a change.
struct Sides<'a> {
    before: &'a [&'a [u8]],
    after: &'a [&'a [u8]],
    /// The encoding of what is not UTF-8.
    legacy: Legacy,
    colours: &'a FileColours,
}

impl<'a> Sides<'a> {
    fn before(&self, line: u32, marks: &'a [Range<usize>]) -> Cell<'a> {
        let (bytes, runs) = (self.before[line as usize], self.colours.before(line));
        Cell { bytes, legacy: self.legacy, runs, marks, tag: "del" }
    }

    fn after(&self, line: u32, marks: &'a [Range<usize>]) -> Cell<'a> {
        let (bytes, runs) = (self.after[line as usize], self.colours.after(line));
        Cell { bytes, legacy: self.legacy, runs, marks, tag: "ins" }
    }
}

/// A line of one side.
#[derive(Clone, Copy)]
struct Cell<'a> {
    bytes: &'a [u8],
    legacy: Legacy,
    /// Its colours.
    runs: &'a [Run],
    /// What of it differs from the line on the other side.
    marks: &'a [Range<usize>],
    /// The element for what is marked.
    tag: &'static str,
}

impl Cell<'_> {
    fn push(&self, rows: &mut String, words: &Words) {
        let line = decoded(self.bytes, self.legacy);
        // Only short lines have marks, and of a long one not all is shown.
        if line.len() > LINE_BYTES_MAX {
            text::push_line_html(rows, &line);
        } else {
            push_marked(rows, &line, (self.runs, self.marks), self.tag);
        }
        if !self.bytes.ends_with(b"\n") {
            write!(rows, "<span class=\"muted\"> {}</span>", words.no_line_end).expect("a string takes it");
        }
    }
}

/// Writes a line, coloured, with what is marked within elements of that name.
fn push_marked(rows: &mut String, line: &str, (runs, marks): (&[Run], &[Range<usize>]), tag: &str) {
    let mut at = 0;
    for mark in marks {
        highlight::push_part(rows, line, runs, at..mark.start);
        write!(rows, "<{tag}>").expect("a string takes it");
        highlight::push_part(rows, line, runs, mark.clone());
        write!(rows, "</{tag}>").expect("a string takes it");
        at = mark.end;
    }
    highlight::push_part(rows, line, runs, at..line.len());
}

/// A line as text, without its end.
pub(super) fn decoded(bytes: &[u8], legacy: Legacy) -> Cow<'_, str> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    text::line_of(bytes.strip_suffix(b"\r").unwrap_or(bytes), legacy)
}

/// The contents of one side of a change; nothing if the file is not there, and a line that names
/// the commit of a submodule.
pub(super) fn contents(
    repository: Repository<'_>,
    side: Option<&Side>,
    marks: &marks::Marks,
    budget: &mut Budget,
) -> Result<Contents, Failure> {
    let Some(side) = side else { return Ok(Contents::Text(Vec::new())) };
    if side.mode.kind() == EntryKind::Commit {
        return Ok(Contents::Text(format!("Subproject commit {}\n", side.id).into_bytes()));
    }
    if marks.diff == marks::Diff::Binary {
        return Ok(Contents::Binary);
    }
    let size = repository.header(&side.id)?.1;
    if size > DIFF_FILE_BYTES_MAX || !budget.take_bytes(size) {
        return Ok(Contents::TooLarge);
    }
    let bytes = repository.blob(&side.id, DIFF_FILE_BYTES_MAX)?;
    let said = marks.encoding.and_then(|encoding| text::decode_as(&bytes, encoding));
    if let Some(text) = said {
        return Ok(Contents::Text(text.into_bytes()));
    }
    if marks.diff == marks::Diff::Detected && text::is_binary(&bytes) {
        return Ok(Contents::Binary);
    }
    Ok(Contents::Text(match &bytes[..] {
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
            text::decode(&bytes).map_or_else(Vec::new, |decoded| decoded.text.into_bytes())
        }
        _ => bytes.to_vec(),
    }))
}

pub(super) enum Contents {
    Text(Vec<u8>),
    Binary,
    TooLarge,
}

impl Contents {
    /// The text; none if it is none, or was not read.
    pub(super) fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            Self::Binary | Self::TooLarge => None,
        }
    }
}

/// How large a file is before and after a change; of what is on one side alone, or is a submodule on one, the other's.
fn sizes(repository: Repository<'_>, change: &Change) -> Result<Text, Failure> {
    let sides = [&change.before, &change.after];
    let mut sizes = Vec::new();
    for side in sides.into_iter().flatten().filter(|side| side.mode.kind() != EntryKind::Commit) {
        sizes.push(Text::size(repository.header(&side.id)?.1));
    }
    Ok(Text::joined(" → ", sizes))
}

/// How a file's mode changed, in Git's numbers.
fn mode_change(change: &Change) -> Option<String> {
    let (before, after) = (change.before.as_ref()?.mode, change.after.as_ref()?.mode);
    let number = |mode: EntryMode| mode.kind().as_octal_str();
    (before.kind() != after.kind()).then(|| format!("{} → {}", number(before), number(after)))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A line with runs and marks as HTML.
    fn marked(line: &str, runs: &[Run], marks: &[Range<usize>]) -> String {
        let mut html = String::new();
        push_marked(&mut html, line, (runs, marks), "ins");
        html
    }

    #[test]
    fn marks_stand_around_the_colours_that_they_cut() {
        let (k, s) = ("<span class=\"k\">", "<span class=\"s\">");
        let cases: [(&str, &[Run], &[Range<usize>], String); 10] = [
            ("ab cd", &[], &[], "ab cd".into()),
            ("ab cd", &[], &[3..5], "ab <ins>cd</ins>".into()),
            ("ab cd", &[(2, "k")], &[], format!("{k}ab</span> cd")),
            (
                "ab cd",
                &[(2, "k"), (3, ""), (5, "s")],
                &[0..5],
                format!("<ins>{k}ab</span> {s}cd</span></ins>"),
            ),
            // A mark begins and ends within runs.
            (
                "abcd",
                &[(2, "k"), (4, "s")],
                &[1..3],
                format!("{k}a</span><ins>{k}b</span>{s}c</span></ins>{s}d</span>"),
            ),
            // Marks beside one another and at either end.
            (
                "abc",
                &[(3, "k")],
                &[0..1, 2..3],
                format!("<ins>{k}a</span></ins>{k}b</span><ins>{k}c</span></ins>"),
            ),
            (
                "<&>",
                &[(1, "k"), (3, "s")],
                &[1..2],
                format!("{k}&lt;</span><ins>{s}&amp;</span></ins>{s}&gt;</span>"),
            ),
            ("ża", &[(2, "k")], &[2..3], format!("{k}ż</span><ins>a</ins>")),
            // Spaces need no colour, and what goes past the end of the line is not there.
            ("a  ", &[(1, "k"), (3, "s")], &[1..3], format!("{k}a</span><ins>  </ins>")),
            ("ab", &[(9, "k")], &[1..2], format!("{k}a</span><ins>{k}b</span></ins>")),
        ];
        for (line, runs, marks, expected) in cases {
            assert_eq!(marked(line, runs, marks), expected, "{line} {runs:?} {marks:?}");
        }
    }
}
