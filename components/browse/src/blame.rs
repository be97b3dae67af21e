//! The page of where a file's lines come from, `/-/blame/<ref>/<path>`.

use crate::blob::Decoded;
use crate::blob_part::Part;
use crate::cache::Key;
use crate::highlight;
use crate::limits::{
    BLAME_COMMITS_PASSED_MAX, BLAME_COMMITS_READ_MAX, BLAME_LINES_MAX, BLAME_TIME_MAX,
    BLAME_WAY_KEPT_COMMITS_MIN, BLAME_WAY_KEPT_READ_MIN, BLOB_BYTES_MAX, BLOB_LINES_MAX,
    IGNORED_REVISIONS_BYTES_MAX, IGNORED_REVISIONS_MAX,
};
use crate::place::{Failure, Place, Switcher, crumbs};
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_code::blame::{self, Blame, Origin, Rules, Settled, Whitespace};
use lithe_code::links::{self, Links};
use lithe_code::marks::Marks;
use lithe_code::repository::{Commit, Entry, Error, Repository, Signature};
use lithe_code::revision::{Resolved, Revision};
use lithe_code::text;
use lithe_code::walk::Budget;
use lithe_web::frame::{Breadcrumb, Frame, RepositoryHead, Tab};
use lithe_web::time::Time;
use lithe_web::{Text, filters, t};
use serde::Serialize;
use std::collections::HashSet;

/// Where the commits are listed whose changes of form nobody wants to be shown.
const IGNORED_REVISIONS: &str = ".git-blame-ignore-revs";

/// The ends of the classes of age, in days; what is older is of the last class.
const AGES_DAYS: [i64; 5] = [30, 180, 365, 3 * 365, 6 * 365];

/// The page of where a file's lines come from.
#[derive(Template, Serialize)]
#[template(path = "blame.html")]
#[serde(tag = "page", rename = "blame", rename_all = "kebab-case")]
pub struct BlamePage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    switcher: Switcher,
    crumbs: Vec<Breadcrumb>,
    root_href: String,
    name: String,
    blob_href: String,
    commits_href: String,
    permanent_href: String,
    /// The same page with whitespace counting, or not.
    #[serde(skip)]
    other_view: (Text, String),
    notices: Vec<Text>,
    /// Where to look again for what is not found yet; none if everything is.
    again_href: Option<String>,
    groups: Vec<Group>,
    /// Why there is nothing to see, in words; empty if there is.
    nothing: Text,
    /// Where the lines before these and after these are, if not all of them are shown.
    previous_href: Option<String>,
    next_href: Option<String>,
    /// How many lines a page may have.
    #[serde(skip)]
    lines_max: usize,
}

/// Lines of one commit that follow one another.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Group {
    /// For the style sheet: from 0, the newest, to the number of [`AGES_DAYS`].
    age: usize,
    commit: Option<Cell>,
    lines: Vec<Line>,
}

/// What is said beside the lines of a commit.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Cell {
    title: String,
    /// The title, which leads to the commit, with links to the issues that it names.
    #[serde(skip)]
    title_html: String,
    href: String,
    author: String,
    time: Time,
    /// The file as it was before the commit.
    before_href: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Line {
    number: u32,
    #[serde(rename = "line-html")]
    html: String,
}

/// The file whose lines are followed, and how.
struct Subject<'a> {
    place: &'a Place<'a>,
    repository: Repository<'a>,
    commit: Commit,
    path: &'a BStr,
    entry: Entry,
    marks: Marks,
    whitespace: Whitespace,
    /// The line that the page begins with, counted from 0.
    from: usize,
}

/// Builds the page of the lines from that one on, counted from 0, and goes on with the search for where all of the
/// file's lines come from.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    at: &Resolved,
    whitespace: Whitespace,
    from: usize,
) -> Result<BlamePage, Failure> {
    let (links, revision, path) = (place.links(), &at.revision, at.path.as_bstr());
    let commit = repository.commit(&revision.commit_id)?;
    let entry = repository.entry_at(&commit.tree_id, path)?.ok_or(Failure::NotFound)?;
    let name = revision.name.as_bstr();
    if entry.is_tree() {
        return Err(Failure::Elsewhere(links.tree(name, path)));
    }
    if !entry.is_blob() {
        return Err(Failure::NotFound);
    }
    let query = |whitespace| if whitespace == Whitespace::Ignored { "?whitespace=ignored" } else { "" };
    let address = |whitespace| format!("{}{}", links.blame(name, path), query(whitespace));
    let mut page = BlamePage {
        frame: place.frame(t("Blame of {path}").with("path", text::visible(path))),
        head: place.head(Tab::Code, Some(revision)),
        switcher: Switcher::new(repository, revision, &links, |name| links.blame(name, path)),
        crumbs: crumbs(&links, name, path),
        root_href: links.tree(name, "".into()),
        name: text::visible(entry.name.as_bstr()),
        blob_href: links.blob(name, path),
        commits_href: links.commits(name, path),
        permanent_href: links.blame(Revision::of_commit(commit.id).name.as_bstr(), path),
        other_view: match whitespace {
            Whitespace::Counts => (t("Ignore whitespace"), address(Whitespace::Ignored)),
            Whitespace::Ignored => (t("Count whitespace"), address(Whitespace::Counts)),
        },
        notices: Vec::new(),
        again_href: None,
        groups: Vec::new(),
        nothing: Text::EMPTY,
        previous_href: None,
        next_href: None,
        lines_max: BLOB_LINES_MAX,
    };
    let marks = Marks::of(repository, &commit.tree_id, path)?;
    match lines(place, repository, (&entry, &marks))? {
        Ok(lines) => {
            let subject = Subject { place, repository, commit, path, entry, marks, whitespace, from };
            page.fill(&subject, lines, address(whitespace))?;
        }
        Err(reason) => page.nothing = reason,
    }
    Ok(page)
}

/// The lines of a file as HTML, or why they are not shown.
fn lines(
    place: &Place<'_>,
    repository: Repository<'_>,
    (entry, marks): (&Entry, &Marks),
) -> Result<Result<Vec<String>, Text>, Failure> {
    if repository.header(&entry.id)?.1 > BLOB_BYTES_MAX {
        return Ok(Err(t("This file is too large for its lines to be followed.")));
    }
    let bytes = repository.blob(&entry.id, BLOB_BYTES_MAX)?;
    Ok(match Decoded::new(&bytes, marks) {
        Some(decoded) => {
            let name = text::visible(&entry.name);
            Ok(highlight::file_cached(place.cache, &entry.id, (marks, &name), &decoded.text).lines)
        }
        None => Err(t("This file is not text whose lines could be followed.")),
    })
}

impl BlamePage {
    fn fill(
        &mut self,
        subject: &Subject<'_>,
        mut lines: Vec<String>,
        own_address: String,
    ) -> Result<(), Failure> {
        if lines.len() > BLAME_LINES_MAX {
            lines.truncate(BLAME_LINES_MAX);
            self.notices.push(t("Only the first {count} lines are shown.").with("count", BLAME_LINES_MAX));
        }
        let ignored = Ignored::of(subject.repository, &subject.commit)?;
        if !ignored.ids.is_empty() {
            self.notices.push(
                t("The commits that .git-blame-ignore-revs lists are passed over where something was before them."),
            );
        }
        let (blame, is_damaged) = searched(subject, &ignored, lines.len())?;
        if is_damaged {
            self.notices.push(t("The history of this file cannot be read in full."));
        } else if !blame.is_complete() {
            self.again_href = Some(links::part(&own_address, subject.from));
        }
        let Part { first, lines, next, .. } = Part::of(lines, subject.from);
        self.previous_href =
            (first > 0).then(|| links::part(&own_address, first.saturating_sub(BLOB_LINES_MAX)));
        self.next_href = next.map(|next| links::part(&own_address, next));
        self.groups = groups(subject.place, &blame, lines, first);
        Ok(())
    }
}

/// The commits to pass over.
struct Ignored {
    ids: HashSet<ObjectId>,
    /// The file that lists them; null if there is none.
    file_id: ObjectId,
}

impl Ignored {
    /// Reads the list of a commit: an id on each line, and comments from `#` on.
    fn of(repository: Repository<'_>, commit: &Commit) -> Result<Self, Failure> {
        let none = Self { ids: HashSet::new(), file_id: ObjectId::null(commit.id.kind()) };
        let Some(entry) = repository.entry_at(&commit.tree_id, IGNORED_REVISIONS.into())? else {
            return Ok(none);
        };
        if !entry.is_blob() || repository.header(&entry.id)?.1 > IGNORED_REVISIONS_BYTES_MAX {
            return Ok(none);
        }
        let list = repository.blob(&entry.id, IGNORED_REVISIONS_BYTES_MAX)?;
        let id = |line: &[u8]| ObjectId::from_hex(line.split_str("#").next()?.trim()).ok();
        let ids = list.lines().filter_map(id).take(IGNORED_REVISIONS_MAX).collect();
        Ok(Self { ids, file_id: entry.id })
    }
}

/// What is known of where the lines come from, after a part of the search that is left; and whether
/// it cannot go on.
fn searched(subject: &Subject<'_>, ignored: &Ignored, line_count: usize) -> Result<(Blame, bool), Failure> {
    let Subject { place, repository, path, ref entry, ref marks, whitespace, .. } = *subject;
    let budget = Budget {
        commits_read: BLAME_COMMITS_READ_MAX,
        commits_passed: BLAME_COMMITS_PASSED_MAX,
        until: place.until(BLAME_TIME_MAX),
    };
    let commit_id = beginning(subject, budget)?;
    let is_ignored = [u8::from(whitespace == Whitespace::Ignored)];
    let encoding = marks.encoding.map_or("", |encoding| encoding.name());
    let ignored_id = ignored.file_id.as_bytes();
    let key = [b"blame", commit_id.as_bytes(), path, &is_ignored, ignored_id, encoding.as_bytes()];
    let key = Key::new(&key);
    let kept = place.cache.get(&key).and_then(|text| Blame::parse(&text));
    let mut blame = match kept {
        Some(blame) => blame,
        None => Blame::new(repository, commit_id, path, entry.id, line_count as u32)?,
    };
    if blame.is_complete() {
        return Ok((blame, false));
    }
    let rules = Rules { whitespace, ignored: &ignored.ids, encoding: marks.encoding };
    let is_damaged = match blame.advance(repository, rules, budget) {
        Ok(()) => false,
        Err(Error::Read(reason)) => return Err(Error::Read(reason).into()),
        Err(_) => true,
    };
    place.cache.put(&key, &blame.to_text());
    Ok((blame, is_damaged))
}

/// The commit that the search begins at, so that what is found is known whatever else is pushed. The way to one far
/// back is kept too, or as much of it as could be gone.
fn beginning(subject: &Subject<'_>, budget: Budget) -> Result<ObjectId, Failure> {
    let Subject { place, repository, ref commit, path, ref entry, .. } = *subject;
    let key = Key::new(&[b"blame begins", commit.id.as_bytes(), path]);
    let known = place.cache.get(&key).and_then(|id| ObjectId::from_hex(id.as_bytes()).ok());
    match blame::beginning(repository, known.unwrap_or(commit.id), path, &entry.id, budget) {
        Ok(found) => {
            // A search that is never far enough to begin would never end.
            let is_long = found.passed >= BLAME_WAY_KEPT_COMMITS_MIN || found.read >= BLAME_WAY_KEPT_READ_MIN;
            if is_long || !found.is_whole {
                place.cache.put(&key, &found.commit_id.to_string());
            }
            Ok(found.commit_id)
        }
        Err(Error::Read(reason)) => Err(Error::Read(reason).into()),
        // What is damaged is told of by who goes there.
        Err(_) => Ok(commit.id),
    }
}

/// Puts lines, before which there are so many others, together with where they come from.
fn groups(place: &Place<'_>, blame: &Blame, lines: Vec<String>, first: usize) -> Vec<Group> {
    let links = place.links();
    let mut lines =
        lines.into_iter().zip(first as u32 + 1..).map(|(html, number)| Line { number, html }).peekable();
    let mut groups = Vec::new();
    let mut open: Option<(ObjectId, Group)> = None;
    let take = |lines: &mut std::iter::Peekable<_>, end: u32| {
        let mut taken = Vec::new();
        while let Some(line) = lines.next_if(|line: &Line| line.number <= end) {
            taken.push(line);
        }
        taken
    };
    for settled in blame.settled() {
        let before = take(&mut lines, settled.lines.first);
        if !before.is_empty() {
            groups.extend(open.take().map(|(_, group)| group));
            groups.push(Group::older(before));
        }
        let own = take(&mut lines, settled.lines.first.saturating_add(settled.lines.count));
        match &mut open {
            Some((commit_id, group)) if *commit_id == settled.commit_id => group.lines.extend(own),
            _ => {
                groups.extend(open.take().map(|(_, group)| group));
                open = Some((settled.commit_id, Group::of(place, &links, blame, &settled, own)));
            }
        }
    }
    groups.extend(open.map(|(_, group)| group));
    let rest: Vec<Line> = lines.collect();
    if !rest.is_empty() {
        groups.push(Group::older(rest));
    }
    groups.retain(|group| !group.lines.is_empty());
    groups
}

impl Group {
    /// Lines of which it is not known yet where they come from.
    fn older(lines: Vec<Line>) -> Self {
        Self { age: AGES_DAYS.len(), commit: None, lines }
    }

    fn of(place: &Place<'_>, links: &Links, blame: &Blame, settled: &Settled, lines: Vec<Line>) -> Self {
        let Some(origin) = blame.origin(&settled.commit_id) else { return Self::older(lines) };
        let Origin { author_name, author_email, seconds, offset, title } = origin.clone();
        let author = Signature { name: author_name, email: author_email, seconds, offset };
        let before_href = settled.previous.as_ref().map(|(id, path)| {
            let address = links.blame(id.to_string().as_str().into(), path.as_bstr());
            links::line(&address, settled.lines.source as usize + 1)
        });
        let href = links.commit(&settled.commit_id);
        Self {
            age: age(place.now, seconds),
            commit: Some(Cell {
                title_html: place.issues.title_html(&title, &href),
                title,
                href,
                author: place.name(&author),
                time: place.time(&author),
                before_href,
            }),
            lines,
        }
    }
}

/// The class of age of what happened then.
fn age(now: i64, seconds: i64) -> usize {
    let days = now.saturating_sub(seconds) / (24 * 60 * 60);
    AGES_DAYS.iter().position(|end| days < *end).unwrap_or(AGES_DAYS.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_a_few_classes() {
        const DAY: i64 = 24 * 60 * 60;
        let now = 1_750_000_000;
        let cases = [(0, 0), (29, 0), (30, 1), (364, 2), (365, 3), (6 * 365, 5), (20_000, 5), (-5, 0)];
        for (days, class) in cases {
            assert_eq!(age(now, now - days * DAY), class, "{days} days");
        }
        assert_eq!(age(now, i64::MIN), AGES_DAYS.len());
    }
}
