//! The pages of a history, `/-/commits/<ref>[/<path>]`.

use crate::history::{self, Cursor, Filter, Merges, Page, Scope, Wish};
use crate::labels;
use crate::limits::{LOG_PATHSPEC_TIME_MAX, LOG_TIME_MAX, PATH_BYTES_MAX};
use crate::place::{CommitLine, Failure, Place, Switcher, crumbs};
use askama::Template;
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_code::repository::Repository;
use lithe_code::revision::Resolved;
use lithe_code::text;
use lithe_code::walk::Budget;
use lithe_git::format::ObjectFormat;
use lithe_web::Fields;
use lithe_web::address::{decode, encode_component, encode_path};
use lithe_web::frame::{Breadcrumb, Frame, RepositoryHead, Tab};
use lithe_web::{Text, filters, t, tn};
use serde::Serialize;

/// A page of a history.
#[derive(Template, Serialize)]
#[template(path = "commits.html")]
#[serde(tag = "page", rename = "commits", rename_all = "kebab-case")]
pub struct CommitsPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    switcher: Switcher,
    crumbs: Vec<Breadcrumb>,
    root_href: String,
    #[serde(skip)]
    form: Form,
    /// Why what is looked for cannot be.
    problem: Option<Text>,
    /// For a file's history: what the link to go on with its earlier names, or not to, says, and where it leads.
    #[serde(skip)]
    follow: Option<(Text, String)>,
    /// Where the lines of development are drawn; none for a part of the history.
    graph_href: Option<String>,
    /// Where two of these commits can be chosen to be compared, or no longer.
    #[serde(skip)]
    range_href: Option<String>,
    /// Where the two that are chosen are compared; none: none can be chosen.
    #[serde(skip)]
    compare_action: Option<String>,
    /// The ids of the commits that are chosen at first: the one chosen before or the latest here, and the last.
    #[serde(skip)]
    ends: Option<(String, String)>,
    /// What was chosen on an earlier page.
    #[serde(skip)]
    chosen: Option<CommitLine>,
    /// Where two can be chosen: the fields of the page after this one, which a button of the form leads to, so that
    /// the choice goes along.
    #[serde(skip)]
    next_fields: Option<NextFields>,
    days: Vec<Day>,
    /// Where the latest commits are; none on the first page.
    first_href: Option<String>,
    next_href: Option<String>,
    /// If the search for commits ended at a limit: how many were searched, on this page and those before.
    searched: Option<Text>,
    /// Whether the search has come to its end and found nothing on this page.
    is_nothing: bool,
    /// A commit that could not be read.
    unreadable: Option<String>,
}

/// The commits of one day.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Day {
    date: String,
    /// The same for people.
    #[serde(skip)]
    day: Text,
    commits: Vec<CommitLine>,
}

/// What a form sends to come to the next page.
struct NextFields {
    action: String,
    after: String,
    others: Vec<(String, String)>,
}

impl NextFields {
    /// Takes an address apart.
    fn of(href: &str) -> Option<Self> {
        let fields = Fields::of_query(&href.parse().ok()?);
        let action = href.split('?').next().unwrap_or_default().to_owned();
        let is_other = |name: &&str| !matches!(*name, "after" | "to");
        let others =
            fields.names().filter(is_other).map(|name| (name.to_owned(), fields.get(name).to_owned()));
        Some(Self { action, after: fields.get("after").to_owned(), others: others.collect() })
    }
}

/// The form to look for commits, as it was filled in.
struct Form {
    wish: Wish,
    action: String,
    path: String,
    clear_href: String,
}

impl Form {
    fn is_open(&self) -> bool {
        !self.wish.is_empty()
    }
}

/// What the query of an address asks of a history.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    pub wish: Wish,
    /// Whether a file is followed to its earlier names.
    pub follows: bool,
    /// Whether two commits can be chosen to be compared.
    pub chooses: bool,
    /// The one of them that was chosen on an earlier page: where the range ends.
    pub chosen: Option<ObjectId>,
    /// What a file that is followed was called where the page begins; none: as the address says.
    pub name: Option<BString>,
    pub cursor: Option<Cursor>,
    /// How many commits were searched on the pages before.
    pub searched: u64,
}

impl Look {
    /// Reads the fields of a query. None: its cursor is malformed.
    pub fn of(query: &Fields, format: ObjectFormat) -> Option<Self> {
        let cursor = match query.find("after") {
            Some(text) => Some(Cursor::parse(text, format)?),
            None => None,
        };
        let wish = Wish::of(query);
        let name = query.find("name").and_then(|name| decode(name).ok());
        let chooses = query.get("choose") == "1";
        let chosen = ObjectId::from_hex(query.get("to").as_bytes()).ok();
        Some(Self {
            follows: query.get("follow") == "1" && wish.pathspec.is_empty(),
            wish,
            chooses,
            chosen: chosen.filter(|id| chooses && id.kind() == format),
            name: name.filter(|name| is_path(name)).map(Into::into),
            cursor,
            searched: query.get("searched").parse().unwrap_or(0),
        })
    }

    /// The address with what is kept from page to page.
    fn address(&self, address: &str) -> String {
        let follow = if self.follows { "follow=1" } else { "" };
        let choose = if self.chooses { "choose=1" } else { "" };
        let chosen = self.chosen.map(|id| format!("to={id}")).unwrap_or_default();
        with_fields(address, &[&self.wish.query(), follow, choose, &chosen])
    }

    /// The address of this page where two commits can be chosen, or no longer.
    fn other_choice(&self, address: &str) -> String {
        let other = Self { chooses: !self.chooses, chosen: None, ..self.clone() };
        let after = self.cursor.as_ref().map(|cursor| format!("after={cursor}")).unwrap_or_default();
        with_fields(&other.address(address), &[&after])
    }

    /// The address of the page after one.
    fn next(&self, address: &str, at: &Resolved, page: &Page) -> Option<String> {
        let next = page.next.as_ref()?;
        let name = match self.follows && page.path != at.path {
            true => format!("name={}", encode_component(encode_path(&page.path))),
            false => String::new(),
        };
        let searched = match page.is_cut || !self.wish.is_empty() {
            true => format!("searched={}", self.searched.saturating_add(page.searched as u64)),
            false => String::new(),
        };
        Some(with_fields(&self.address(address), &[&name, &searched, &format!("after={next}")]))
    }
}

/// An address with more fields in its query; those that are empty are left out.
fn with_fields(address: &str, fields: &[&str]) -> String {
    let mut address = address.to_owned();
    for field in fields.iter().filter(|field| !field.is_empty()) {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.push_str(field);
    }
    address
}

/// Whether a tree may hold something at the path.
fn is_path(path: &[u8]) -> bool {
    path.len() <= PATH_BYTES_MAX && path.split_str("/").all(|part| !matches!(part, b"" | b"." | b".."))
}

/// The address of the history that a form asks for, which names the path, or a pattern of paths, as a field.
pub fn asked_for(
    place: &Place<'_>,
    repository: Repository<'_>,
    at: &Resolved,
    path: &str,
    query: &Fields,
) -> Result<String, Failure> {
    let path = path.split('/').filter(|part| !matches!(*part, "" | "." | "..")).collect::<Vec<_>>().join("/");
    // What is there by that name is meant, whatever characters it has.
    let tree_id = repository.commit(&at.revision.commit_id)?.tree_id;
    let is_there = repository.entry_at(&tree_id, path.as_str().into())?.is_some();
    let is_directory = |path: &str| {
        let entry = repository.entry_at(&tree_id, path.into());
        entry.is_ok_and(|entry| entry.is_some_and(|entry| entry.is_tree()))
    };
    let (path, pathspec) =
        if is_there { (path.as_str(), "") } else { history::split_path(&path, is_directory) };
    let address = place.links().commits(at.revision.name.as_bstr(), path.into());
    let wish = Wish { pathspec: pathspec.to_owned(), ..Wish::of(query) };
    Ok(with_fields(&address, &[&wish.query()]))
}

/// Builds the page that begins at the cursor; none: with the latest commit.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    at: &Resolved,
    look: &Look,
) -> Result<CommitsPage, Failure> {
    let (links, revision, path) = (place.links(), &at.revision, at.path.as_bstr());
    for id in look.cursor.iter().flat_map(Cursor::commit_ids) {
        if !repository.objects.may_show(id, repository.refs)? {
            return Err(Failure::NotFound);
        }
    }
    let (history, problem) = match look.wish.filter() {
        Ok(filter) => (found(place, repository, at, look, &filter), None),
        Err(unclear) => (Page::default(), Some(unclear.in_words())),
    };
    let is_nothing = history.commits.is_empty() && history.next.is_none() && history.unreadable.is_none();
    if is_nothing && look.wish.is_empty() && look.cursor.is_none() {
        return Err(Failure::NotFound);
    }
    let name = revision.name.as_bstr();
    let title = if path.is_empty() { revision.label() } else { text::visible(path) };
    let plain = links.commits(name, path);
    let searched = look.searched.saturating_add(history.searched as u64);
    let ids = || history.commits.iter().map(|commit| commit.id.to_string());
    let chosen = chosen(place, repository, look)?;
    let can_choose = history.commits.len() > usize::from(chosen.is_none());
    let latest = chosen.as_ref().map(|commit| commit.id.clone()).or_else(|| ids().next());
    let next_href = look.next(&plain, at, &history);
    Ok(CommitsPage {
        // The names that a file had on earlier pages are not kept.
        range_href: (can_choose && !look.follows).then(|| look.other_choice(&plain)),
        compare_action: (can_choose && look.chooses).then(|| links.compare("".into(), "", "".into())),
        ends: latest.zip(ids().last()),
        chosen: chosen.filter(|commit| ids().all(|id| id != commit.id)),
        next_fields: next_href.as_deref().filter(|_| can_choose && look.chooses).and_then(NextFields::of),
        frame: place.frame(t("History of {title}").with("title", title)),
        head: place.head(Tab::Commits, Some(revision)),
        switcher: Switcher::new(repository, revision, &links, |name| {
            look.address(&links.commits(name, path))
        }),
        crumbs: crumbs(&links, name, path),
        root_href: links.tree(name, "".into()),
        follow: follow(look, path.is_empty(), &plain),
        days: by_day(lines(place, repository, &history)),
        graph_href: (path.is_empty() && look.wish.is_empty()).then(|| format!("{plain}?graph=1")),
        first_href: look.cursor.as_ref().map(|_| look.address(&plain)),
        next_href,
        searched: history.is_cut.then(|| {
            tn(
                "{n} commit was searched so far. The next page goes on from there.",
                "{n} commits were searched so far. The next page goes on from there.",
                searched,
            )
        }),
        is_nothing: is_nothing && problem.is_none(),
        problem,
        unreadable: history.unreadable.map(|id| id.to_string()),
        form: Form {
            wish: look.wish.clone(),
            action: links.commits(name, "".into()),
            path: path_field(path, &look.wish),
            clear_href: plain,
        },
    })
}

/// The commit that was chosen on an earlier page; none: it is none that may be shown.
fn chosen(place: &Place<'_>, repository: Repository<'_>, look: &Look) -> Result<Option<CommitLine>, Failure> {
    let Some(id) = look.chosen else { return Ok(None) };
    if !repository.objects.may_show(&id, repository.refs)? {
        return Ok(None);
    }
    Ok(repository.commit(&id).ok().map(|commit| place.commit_line(&commit)))
}

/// The commits on one line each, with labels.
fn lines(place: &Place<'_>, repository: Repository<'_>, history: &Page) -> impl Iterator<Item = CommitLine> {
    let mut labels = labels::of(place, repository, history.commits.iter().map(|commit| commit.id));
    history.commits.iter().map(move |commit| CommitLine {
        labels: labels.remove(&commit.id).unwrap_or_default(),
        ..place.commit_line(commit)
    })
}

fn found(place: &Place<'_>, repository: Repository<'_>, at: &Resolved, look: &Look, filter: &Filter) -> Page {
    let begin = Cursor::at(at.revision.commit_id);
    let name = look.name.as_ref().filter(|_| look.follows).unwrap_or(&at.path);
    let scope = Scope {
        path: name.as_bstr(),
        follows: look.follows,
        first_path: at.path.as_bstr(),
        filter,
        mailmap: &place.mailmap,
    };
    let time_max = if look.wish.pathspec.is_empty() { LOG_TIME_MAX } else { LOG_PATHSPEC_TIME_MAX };
    let budget = Budget { until: place.until(time_max), ..history::BUDGET };
    history::search(repository, look.cursor.as_ref().unwrap_or(&begin), &scope, budget)
}

/// What the form's field says of a path and the pattern below it; nothing of one that a field cannot show as it is.
fn path_field(path: &BStr, wish: &Wish) -> String {
    let shown = path.to_str().ok().filter(|name| text::visible(path) == *name).unwrap_or_default();
    match wish.pathspec.as_str() {
        "" => shown.to_owned(),
        pathspec if path.is_empty() => pathspec.to_owned(),
        pathspec => format!("{shown}/{pathspec}"),
    }
}

fn follow(look: &Look, is_root: bool, plain: &str) -> Option<(Text, String)> {
    let other = Look { follows: !look.follows, wish: look.wish.clone(), ..Look::default() };
    let words = if look.follows { t("Under this name only") } else { t("Also under earlier names") };
    let can_follow = !is_root && look.wish.pathspec.is_empty();
    can_follow.then(|| (words, other.address(plain)))
}

/// Groups commits by the day on their committer's clock.
fn by_day(commits: impl Iterator<Item = CommitLine>) -> Vec<Day> {
    let mut days: Vec<Day> = Vec::new();
    for commit in commits {
        let date = commit.time.date();
        match days.last_mut() {
            Some(day) if day.date == date => day.commits.push(commit),
            _ => days.push(Day { date, day: Text::day(commit.time), commits: vec![commit] }),
        }
    }
    days
}
