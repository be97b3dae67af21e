//! What a merge decided: its files compared with those of all its parents at once, as `git show --cc` has it.

use super::trees::{self, Change, Origins, Side};
use super::view::{
    Address, Budget, ChangesView, Contents, FileView, View, Words, contents, decoded, push_number,
};
use crate::cache::Key;
use crate::place::{Failure, Place};
use crate::route;
use askama::Template;
use bstr::{BStr, BString};
use gix_hash::ObjectId;
use gix_object::tree::EntryMode;
use lithe_code::diff::combined::{self, Hunk, Line, PARENTS_MAX, Parents};
use lithe_code::links::Links;
use lithe_code::marks::{Diff, FileMarks};
use lithe_code::repository::{Commit, Error, Repository};
use lithe_code::text::{self, Legacy};
use lithe_web::{t, tn};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The query that asks for it.
pub const QUERY: &str = "combined=1";

/// A file that is in a merge what it is in none of its parents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Combined {
    /// What the file is in each parent, be it under another name; none where it is not there.
    pub before: Vec<Option<Side>>,
    /// None: the merge does not have it.
    pub after: Option<Side>,
}

impl Combined {
    /// What to call the file: its path in the merge, or in the first parent if it was deleted.
    pub fn path(&self) -> &BString {
        let side = self.after.as_ref().or_else(|| self.before.iter().flatten().next());
        &side.expect("a file that differs is on some side").name
    }

    fn is_of_other_mode(&self) -> bool {
        let mode = |side: &Option<Side>| side.as_ref().map(|side| side.mode);
        self.before.iter().any(|before| mode(before) != mode(&self.after))
    }
}

/// Whether a commit can be compared with all of its parents at once.
pub fn is_for(commit: &Commit) -> bool {
    (2..=PARENTS_MAX).contains(&commit.parent_ids.len())
}

/// The files that differ from those of every one of the trees, by path, and whether there are more.
pub fn files(
    repository: Repository<'_>,
    before: &[ObjectId],
    after: ObjectId,
) -> Result<(Vec<Combined>, bool), Error> {
    let mut files: BTreeMap<BString, Combined> = BTreeMap::new();
    let mut is_cut = false;
    for (number, tree_id) in before.iter().enumerate() {
        let changes = trees::trees(repository, Some(*tree_id), after, Origins::Deleted)?;
        is_cut |= changes.is_cut;
        for change in changes.files {
            let path = change.path().clone();
            let Change { before, after, .. } = change;
            if number == 0 {
                files.insert(path, Combined { before: vec![before], after });
            } else if let Some(file) = files.get_mut(&path) {
                file.before.push(before);
            }
        }
        // What one parent has too is no change.
        files.retain(|_, file| file.before.len() == number + 1);
    }
    Ok((files.into_values().collect(), is_cut))
}

/// Renders what a merge has that none of its parents has. The result is kept: it does not depend on who asks.
pub fn render(
    place: &Place<'_>,
    repository: Repository<'_>,
    commit: &Commit,
    view: View,
) -> Result<String, Failure> {
    let language = place.frame.language;
    // Sides cannot be beside each other: there are more than two.
    let view = View { is_split: false, ..view };
    let options = format!("{view:?}");
    let key = Key::new(&[
        b"combined changes",
        place.record.path.as_bytes(),
        commit.id.as_bytes(),
        options.as_bytes(),
        language.tag().as_bytes(),
    ]);
    if view.is_kept()
        && let Some(kept) = place.cache.get(&key)
    {
        return Ok(kept);
    }
    let trees: Result<Vec<_>, _> =
        commit.parent_ids.iter().map(|id| repository.commit(id).map(|parent| parent.tree_id)).collect();
    let (changed, is_cut) = files(repository, &trees?, commit.tree_id)?;
    let links = place.links();
    let mut page = Page {
        repository,
        links: &links,
        revision: commit.id.to_string(),
        view,
        budget: Budget::of(view),
        marks: FileMarks::new(repository, &commit.tree_id)?,
        words: Words::new(language),
    };
    let mut files = Vec::new();
    for file in &changed {
        files.extend(page.file(files.len() + 1, file)?);
    }
    if let Some(number) = view.file.filter(|_| view.is_part) {
        let count = files.len();
        let file = files.into_iter().nth(number - 1).ok_or(Failure::NotFound)?;
        return Ok(file.part(count, language));
    }
    let mut notices = Vec::new();
    if is_cut {
        notices.push(t("More files differ than are listed here."));
    }
    if page.budget.is_spent {
        notices.push(t("More differs than is shown here: the lines of some files are left out."));
    }
    let is_short = page.budget.is_spent || page.budget.is_file_cut;
    let file_count =
        tn("{n} file differs from all parents", "{n} files differ from all parents", files.len());
    let changes = ChangesView::new(file_count, files, notices, (view, QUERY), (is_cut, is_short));
    let html = changes.of_one_side().render_with_values(&language).unwrap_or_default();
    if view.is_kept() {
        place.cache.put(&key, &html);
    }
    Ok(html)
}

struct Page<'a> {
    repository: Repository<'a>,
    links: &'a Links,
    /// The merge, as addresses call it.
    revision: String,
    view: View,
    budget: Budget,
    marks: FileMarks<'a>,
    words: Words,
}

impl Page<'_> {
    /// The file number `number`, counted from 1; none if all of it was taken from one parent or another.
    fn file(&mut self, number: usize, file: &Combined) -> Result<Option<FileView>, Failure> {
        let marks = self.marks.of(file.path().as_ref())?;
        let kind = match (&file.after, file.before.iter().any(Option::is_some)) {
            (None, _) => "deleted",
            (Some(_), false) => "added",
            (Some(_), true) => "modified",
        };
        let href = file.after.as_ref().filter(|side| side.is_blob());
        let href = href.map(|side| self.links.blob(BStr::new(&self.revision), side.name.as_ref()));
        let mut view = FileView {
            number,
            path: text::visible(file.path()),
            kind,
            href: href.filter(|href| route::leads(href)),
            mode_change: file.is_of_other_mode().then(|| mode_change(file)),
            is_generated: marks.is_generated,
            is_left_out: self.view.leaves_out(number),
            ..FileView::default()
        };
        self.budget.is_spent |= view.is_left_out;
        if file.after.is_none() {
            view.note = Some(t("The merge has deleted it."));
            return Ok(Some(view));
        }
        let mut read =
            |side: &Option<Side>| contents(self.repository, side.as_ref(), &marks, &mut self.budget);
        let after = read(&file.after)?;
        let before: Result<Vec<Contents>, Failure> = file.before.iter().map(read).collect();
        let before = before?;
        let texts: Option<Vec<&[u8]>> = before.iter().chain([&after]).map(Contents::text).collect();
        let Some(texts) = texts else {
            let is_binary = before.iter().chain([&after]).any(|side| matches!(side, Contents::Binary));
            view.is_too_large = !is_binary;
            view.note = Some(match is_binary {
                true if marks.diff == Diff::Binary => {
                    t("Its .gitattributes say that its lines are not compared.")
                }
                true => t("Binary file."),
                false => t("Too large to be compared here."),
            });
            return Ok(Some(view));
        };
        let legacy = text::legacy(texts.iter().copied());
        let mut sides: Vec<Vec<&[u8]>> = texts.into_iter().map(super::split_lines).collect();
        let after = sides.pop().expect("the merge's own is the last");
        match combined::hunks(&sides, &after, self.view.lines_of(number)) {
            None => view.note = Some(t("Too large to be compared here.")),
            Some(hunks) if hunks.is_empty() && !file.is_of_other_mode() => return Ok(None),
            Some(_) if view.is_left_out => {}
            Some(hunks) => self.hunks(number, &mut view, &hunks, (sides.len(), legacy)),
        }
        Ok(Some(view))
    }

    fn hunks(
        &mut self,
        number: usize,
        view: &mut FileView,
        hunks: &[Hunk<'_>],
        (parents, legacy): (usize, Legacy),
    ) {
        let (mut added, mut removed) = (0, 0);
        for line in hunks.iter().flat_map(|hunk| &hunk.lines) {
            match line {
                Line::Kept { new_for, .. } => added += u32::from(*new_for != 0),
                Line::Lost { .. } => removed += 1,
            }
        }
        view.counts = Some((added, removed));
        self.budget.begin_file();
        for hunk in hunks {
            let room = self.budget.take_lines(hunk.lines.len(), &mut view.note);
            self.hunk(&mut view.rows, number, hunk, (parents, room, legacy));
            if view.note.is_some() {
                break;
            }
        }
    }

    fn hunk(
        &self,
        rows: &mut String,
        number: usize,
        hunk: &Hunk<'_>,
        (parents, room, legacy): (usize, usize, Legacy),
    ) {
        let expand = self.words.expand(self.view, QUERY, number);
        write!(
            rows,
            "<tbody>\n<tr class=\"diff-hunk\"><td class=\"line-number\">{expand}</td><td class=\"diff-sign\"></td>\
             <td class=\"line-code\">{}",
            hunk.header()
        )
        .expect("a string takes it");
        if !hunk.function.is_empty() {
            rows.push(' ');
            text::push_line_html(rows, &decoded(hunk.function, legacy));
        }
        rows.push_str("</td></tr>\n");
        for line in &hunk.lines[..room] {
            let (class, after, signs, code) = match *line {
                Line::Kept { after, text, new_for: 0 } => ("", Some(after), signs(0, ' ', parents), text),
                Line::Kept { after, text, new_for } => {
                    (" class=\"diff-insert\"", Some(after), signs(new_for, '+', parents), text)
                }
                Line::Lost { text, by } => (" class=\"diff-delete\"", None, signs(by, '-', parents), text),
            };
            write!(rows, "<tr{class}>").expect("a string takes it");
            push_number(
                rows,
                after.map(|line| Address { file: number, side: 'R', line, is_linked: true }),
                "",
            );
            write!(rows, "<td class=\"diff-sign\">{signs}</td><td class=\"line-code\">")
                .expect("a string takes it");
            text::push_line_html(rows, &decoded(code, legacy));
            rows.push_str("</td></tr>\n");
        }
        rows.push_str("</tbody>\n");
    }
}

/// A sign for each of the parents that are meant, and a space for the others.
fn signs(meant: Parents, sign: char, parents: usize) -> String {
    (0..parents).map(|parent| if meant & (1 << parent) != 0 { sign } else { ' ' }).collect()
}

/// The modes in the parents and in the merge, in Git's numbers.
fn mode_change(file: &Combined) -> String {
    let number = |side: &Option<Side>| {
        let mode = side.as_ref().map(|side| side.mode);
        mode.map_or("–".to_owned(), |mode: EntryMode| mode.kind().as_octal_str().to_string())
    };
    let before: Vec<String> = file.before.iter().map(number).collect();
    format!("{} → {}", before.join(", "), number(&file.after))
}
