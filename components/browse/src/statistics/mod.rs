//! The page of what there is to count in a history, `/-/stats/<ref>`.

pub mod chart;
pub mod count;
pub mod course;

use self::count::{Counts, called, week_begins};
use self::course::Course;
use crate::cache::Key;
use crate::extent;
use crate::limits::{
    COURSE_TIME_MAX, LANGUAGES_SHOWN_MAX, STATISTICS_AUTHORS_SHOWN_MAX, STATISTICS_COLUMNS_MAX,
    STATISTICS_TIME_MAX,
};
use crate::place::{Failure, Place, Switcher};
use askama::Template;
use bstr::ByteSlice as _;
use lithe_code::links::Links;
use lithe_code::repository::{Repository, Signature};
use lithe_code::revision::{Kind, Resolved, Revision};
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::time::Time;
use lithe_web::{Fields, Text, filters, t, tn};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Instant;

const WEEKDAYS: [(Text, Text); 7] = [
    (t("Monday"), t("Mon")),
    (t("Tuesday"), t("Tue")),
    (t("Wednesday"), t("Wed")),
    (t("Thursday"), t("Thu")),
    (t("Friday"), t("Fri")),
    (t("Saturday"), t("Sat")),
    (t("Sunday"), t("Sun")),
];

/// The page of a history's numbers.
#[derive(Template, Serialize)]
#[template(path = "statistics.html")]
#[serde(tag = "page", rename = "statistics", rename_all = "kebab-case")]
pub struct StatisticsPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    switcher: Switcher,
    commits: u64,
    author_count: usize,
    /// Where to look again for what is not counted yet; none if everything is.
    again_href: Option<String>,
    /// Whether not all can be counted.
    is_cut: bool,
    /// How many weeks are in each of the columns.
    weeks_each: usize,
    columns: Vec<Column>,
    #[serde(skip)]
    columns_svg: String,
    authors: Vec<Author>,
    /// How many commits are of authors who are not listed.
    others: u64,
    /// Where all are; none: here.
    #[serde(skip)]
    all_authors_href: Option<String>,
    days: Vec<Day>,
    #[serde(skip)]
    hours_svg: String,
    languages: LanguagesOverTime,
    #[serde(skip)]
    languages_svg: String,
}

impl StatisticsPage {
    /// `1,204 commits by 17 authors`.
    fn words(&self) -> Text {
        t("{commits} by {authors}")
            .with("commits", tn("{n} commit", "{n} commits", self.commits))
            .with("authors", tn("{n} author", "{n} authors", self.author_count))
    }

    /// How many commits are of authors who are not listed, if there are any.
    fn others_count(&self) -> Option<Text> {
        (self.others > 0).then(|| Text::number(self.others))
    }
}

/// Commits of a week, or of several.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Column {
    /// The Monday on which they begin, `2026-03-02`.
    pub from: String,
    pub commits: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Author {
    name: String,
    commits: u32,
    /// How many commits all authors have together.
    #[serde(skip)]
    all: u64,
}

impl Author {
    fn person(&self) -> &str {
        self.name.rsplit_once(" <").map_or(&self.name, |(person, _)| person)
    }

    /// In angle brackets, as Git writes it; empty if there is none.
    fn address(&self) -> &str {
        &self.name[self.person().len()..]
    }

    fn count(&self) -> Text {
        Text::number(self.commits)
    }

    /// `12.5 %`.
    fn share(&self) -> Text {
        Text::share(self.commits.into(), self.all)
    }

    /// The share of a bar that is 1,000 long, which shows the smallest as well.
    fn width(&self) -> u64 {
        (u64::from(self.commits) * 1_000).div_ceil(self.all.max(1))
    }
}

/// The languages at some of the commits.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LanguagesOverTime {
    /// Those that have most in the end first; `Other` at the end stands for the rest.
    pub names: Vec<Text>,
    /// The oldest first.
    pub points: Vec<LanguagesAt>,
}

/// The languages at one commit.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LanguagesAt {
    /// `2026-03-02`.
    pub date: String,
    /// The commit.
    pub href: String,
    /// For each of the names.
    pub bytes: Vec<u64>,
}

impl LanguagesAt {
    /// For each of the names, in words.
    fn sizes(&self) -> Vec<Option<Text>> {
        self.bytes.iter().map(|bytes| (*bytes > 0).then(|| Text::size(*bytes))).collect()
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Day {
    name: Text,
    /// On the axis, where there is little room.
    #[serde(skip)]
    short_name: Text,
    /// For each hour from midnight on.
    hours: Vec<u32>,
}

/// Which authors the page lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// Those with the most commits.
    First,
    All,
}

impl Listed {
    /// Reads the fields of a query.
    pub fn of(query: &Fields) -> Self {
        if query.get("authors") == "all" { Self::All } else { Self::First }
    }

    fn address(self, address: String) -> String {
        match self {
            Self::First => address,
            Self::All => format!("{address}?authors=all"),
        }
    }

    fn authors_max(self) -> usize {
        match self {
            Self::First => STATISTICS_AUTHORS_SHOWN_MAX,
            Self::All => usize::MAX,
        }
    }
}

/// Builds the page, and goes on counting.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    at: &Resolved,
    listed: Listed,
) -> Result<StatisticsPage, Failure> {
    if !at.path.is_empty() {
        return Err(Failure::NotFound);
    }
    let (links, revision) = (place.links(), &at.revision);
    let counts = counted_so_far(place, repository, revision)?;
    let course = course_so_far(place, repository, revision)?;
    let languages = over_time(&course, &links);
    let (weeks_each, columns) = columns(&counts);
    let people = people(place, &counts);
    let (authors, others) = authors(&people, counts.commits, listed.authors_max());
    let address = links.statistics(revision.name.as_bstr());
    let has_more = authors.len() < people.len();
    if let Some((commits, contributors)) = whole(&counts, people.len()) {
        extent::note(place, revision, commits, contributors);
    }
    let days = WEEKDAYS.into_iter().zip(counts.hours.chunks(24));
    Ok(StatisticsPage {
        frame: place.frame(t("Statistics of {name}").with("name", revision.label())),
        head: place.head(Tab::Commits, Some(revision)),
        switcher: Switcher::new(repository, revision, &links, |name| listed.address(links.statistics(name))),
        commits: counts.commits,
        author_count: people.len(),
        all_authors_href: has_more.then(|| Listed::All.address(address.clone())),
        again_href: (!counts.is_complete() || !course.is_complete()).then(|| listed.address(address)),
        is_cut: counts.is_cut || course.is_cut,
        weeks_each,
        columns_svg: chart::columns(&columns),
        columns,
        authors,
        others,
        days: days
            .map(|((name, short_name), hours)| Day { name, short_name, hours: hours.to_vec() })
            .collect(),
        hours_svg: chart::punch_card(&counts.hours),
        languages_svg: chart::languages(&languages),
        languages,
    })
}

/// Where the counts of a history are kept.
fn counts_key(place: &Place<'_>, revision: &Revision) -> Key {
    match revision.kind {
        Kind::Branch => {
            Key::new(&[b"statistics of a branch", &place.record.id.to_be_bytes(), &revision.name])
        }
        Kind::Tag | Kind::Commit => Key::new(&[b"statistics", revision.commit_id.as_bytes()]),
    }
}

/// How many commits a history has, and how many people made them, if all of it was counted before: up to a commit that
/// it goes on from, or up to its end.
pub fn extended(place: &Place<'_>, repository: Repository<'_>, revision: &Revision) -> Option<(u64, u64)> {
    let (tip, key) = (revision.commit_id, counts_key(place, revision));
    let mut counts = place.cache.get(&key).and_then(|text| Counts::parse(&text))?;
    if !counts.is_of(tip) {
        counts = counts.extended(repository, tip)?;
        place.cache.put(&key, &counts.to_text());
    }
    whole(&counts, people(place, &counts).len())
}

/// How many commits were counted, and of how many people; none if that is not all there is.
fn whole(counts: &Counts, people: usize) -> Option<(u64, u64)> {
    let is_whole = counts.is_complete() && !counts.is_cut && counts.others == 0;
    is_whole.then_some((counts.commits, people as u64))
}

/// What is counted of a history, after a part of what was left.
fn counted_so_far(
    place: &Place<'_>,
    repository: Repository<'_>,
    revision: &Revision,
) -> Result<Counts, Failure> {
    let (tip, key) = (revision.commit_id, counts_key(place, revision));
    let kept = place.cache.get(&key).and_then(|text| Counts::parse(&text));
    let mut counts = match kept {
        Some(kept) if kept.is_of(tip) && kept.is_complete() => return Ok(kept),
        Some(kept) if kept.is_of(tip) => kept,
        earlier => {
            let extended = earlier.and_then(|earlier| earlier.extended(repository, tip));
            extended.unwrap_or_else(|| Counts::new(repository, tip))
        }
    };
    counts.advance(repository, Instant::now() + STATISTICS_TIME_MAX)?;
    place.cache.put(&key, &counts.to_text());
    Ok(counts)
}

/// What is known of the languages of a history over time, after a part of what was left.
fn course_so_far(
    place: &Place<'_>,
    repository: Repository<'_>,
    revision: &Revision,
) -> Result<Course, Failure> {
    let tip = revision.commit_id;
    let key = match revision.kind {
        Kind::Branch => Key::new(&[b"languages of a branch", &place.record.id.to_be_bytes(), &revision.name]),
        Kind::Tag | Kind::Commit => Key::new(&[b"languages over time", tip.as_bytes()]),
    };
    let kept = place.cache.get(&key).and_then(|text| Course::parse(&text));
    let mut course = match kept {
        Some(kept) if kept.is_of(tip) && kept.is_complete() => return Ok(kept),
        Some(kept) if kept.is_of(tip) => kept,
        earlier => {
            let extended = earlier.and_then(|earlier| earlier.extended(repository, tip));
            extended.unwrap_or_else(|| Course::new(tip))
        }
    };
    course.advance(repository, Instant::now() + COURSE_TIME_MAX)?;
    place.cache.put(&key, &course.to_text());
    Ok(course)
}

/// The languages that have most, at each of the points, and the rest as one.
fn over_time(course: &Course, links: &Links) -> LanguagesOverTime {
    let points = course.points();
    let mut most: BTreeMap<&String, (u64, u64)> = BTreeMap::new();
    for point in points {
        for (name, bytes) in &point.bytes {
            let (last, sum) = most.entry(name).or_default();
            let is_last = points.last().is_some_and(|last| last.stop == point.stop);
            (*last, *sum) = (if is_last { *bytes } else { 0 }, sum.saturating_add(*bytes));
        }
    }
    let mut names: Vec<&String> = most.keys().copied().collect();
    names.sort_by_key(|name| std::cmp::Reverse(most[name]));
    let rest =
        if names.len() > LANGUAGES_SHOWN_MAX { names.split_off(LANGUAGES_SHOWN_MAX - 1) } else { Vec::new() };
    let at = |point: &course::Point| {
        let bytes = |name: &&String| point.bytes.get(*name).copied().unwrap_or(0);
        let others: u64 = rest.iter().map(bytes).sum();
        LanguagesAt {
            date: Time::new(point.stop.seconds, 0).date().to_owned(),
            href: point.stop.id().map(|id| links.commit(&id)).unwrap_or_default(),
            bytes: names.iter().map(bytes).chain((!rest.is_empty()).then_some(others)).collect(),
        }
    };
    let points = points.iter().map(at).collect();
    let names = names.into_iter().map(Text::from).chain((!rest.is_empty()).then(|| t("Other")));
    LanguagesOverTime { names: names.collect(), points }
}

/// The columns from the first week to the last one, and how many weeks are in each.
fn columns(counts: &Counts) -> (usize, Vec<Column>) {
    let (Some((first, _)), Some((last, _))) = (counts.weeks.first_key_value(), counts.weeks.last_key_value())
    else {
        return (1, Vec::new());
    };
    let weeks = (last - first + 1) as usize;
    let each = weeks.div_ceil(STATISTICS_COLUMNS_MAX);
    let columns = (*first..=*last).step_by(each).map(|from| {
        let weeks = counts.weeks.range(from..from + each as i64);
        Column {
            from: Time::new(week_begins(from), 0).date(),
            commits: weeks.map(|(_, commits)| *commits).fold(0, u32::saturating_add),
        }
    });
    (each, columns.collect())
}

/// The commits of each author, by the name and address that `.mailmap` has for them now.
fn people(place: &Place<'_>, counts: &Counts) -> BTreeMap<String, u32> {
    let mut people = BTreeMap::new();
    for (written, commits) in &counts.authors {
        let (name, email) = written.rsplit_once(" <").unwrap_or((written, ""));
        let email = email.strip_suffix('>').unwrap_or(email);
        let author = Signature { name: name.into(), email: email.into(), seconds: 0, offset: 0 };
        *people.entry(called(&place.mailmap.resolve(&author))).or_default() += commits;
    }
    people
}

/// Those with the most commits, and how many commits are of others.
fn authors(people: &BTreeMap<String, u32>, all: u64, listed_max: usize) -> (Vec<Author>, u64) {
    let mut authors: Vec<(&String, u32)> = people.iter().map(|(name, commits)| (name, *commits)).collect();
    // Of two with as many, the first by name.
    authors.sort_by_key(|(_, commits)| std::cmp::Reverse(*commits));
    authors.truncate(listed_max);
    let shown: u64 = authors.iter().map(|(_, commits)| u64::from(*commits)).sum();
    let row = |(name, commits): (&String, u32)| Author { name: name.clone(), commits, all };
    (authors.into_iter().map(row).collect(), all - shown)
}
