//! The lines of development of a history, `/-/commits/<ref>?graph=1`, or of those of all branches, `&all=1`: each
//! commit beside its place in a drawing, where lanes lead from it down to the commits that it was made from.
//!
//! A page ends with its open lanes and the tips of branches that were not come by, and the next one goes on with them.

use crate::history::Cursor;
use crate::labels;
use crate::limits::{
    COMMITS_PER_PAGE, CURSOR_IDS_MAX, GRAPH_BRANCHES_LOOKED_AT_MAX, GRAPH_BRANCHES_MAX, GRAPH_COMMITS_MAX,
    GRAPH_LANES_MAX,
};
use crate::place::{CommitLine, Failure, Place, Switcher};
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_code::repository::{Error, Repository};
use lithe_code::revision::Revision;
use lithe_code::topological::{self, Walk};
use lithe_web::Fields;
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::{Text, filters, t};
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::HashSet;
use std::fmt::Write as _;

/// A page of the drawing.
#[derive(Template, Serialize)]
#[template(path = "graph.html")]
#[serde(tag = "page", rename = "graph", rename_all = "kebab-case")]
pub struct GraphPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    switcher: Switcher,
    commits_href: String,
    /// The drawing of all branches, or of one if it is that.
    other_href: String,
    is_of_all: bool,
    /// How many branches there are, if not all of them are drawn.
    branch_count: Option<usize>,
    rows: Vec<Row>,
    /// Where the latest commits are; none on the first page.
    first_href: Option<String>,
    next_href: Option<String>,
    /// Whether there is more, but too wide or too unordered to be drawn.
    is_cut: bool,
}

/// A commit, and its part of the drawing.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    commit: CommitLine,
    /// The drawing, as SVG.
    #[serde(skip)]
    drawing: String,
    /// Which lane its dot is on, counted from 0.
    lane: usize,
    parents: Vec<String>,
}

impl Row {
    /// What the drawing shows, in words.
    fn words(&self) -> Text {
        match self.parents.as_slice() {
            [] => t("The first commit of its line."),
            [parent] => t("Made from {parent}.").with("parent", parent),
            parents => t("A merge of {parents}.").with("parents", parents.join(", ")),
        }
    }
}

/// Whose histories are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// That of the revision alone.
    One,
    /// Those of all branches too.
    All,
}

impl Shown {
    /// Reads `?all=1`.
    pub fn of(query: &Fields) -> Self {
        if query.get("all") == "1" { Self::All } else { Self::One }
    }
}

/// Builds the page that begins with the lanes and tips of the cursor; none: with the revision's commit, or all tips.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    revision: &Revision,
    shown: Shown,
    cursor: Option<&Cursor>,
) -> Result<GraphPage, Failure> {
    let mut branch_count = None;
    let (mut lanes, mut tips) = match cursor {
        Some(cursor) => open_ends(cursor).ok_or(Failure::NotFound)?,
        None if shown == Shown::All => {
            let tips = tips(repository, revision.commit_id);
            branch_count = tips.is_short.then_some(tips.branch_count);
            (Lanes(Vec::new()), tips.ids)
        }
        None => (Lanes(Vec::new()), vec![revision.commit_id]),
    };
    for id in lanes.ids().iter().chain(&tips) {
        if !repository.objects.may_show(id, repository.refs)? {
            return Err(Failure::NotFound);
        }
    }
    let drawn = draw(repository, &mut tips, &mut lanes)?;
    let labels = labels::of(place, repository, drawn.iter().map(|(id, _)| *id));
    let width = drawn.iter().map(|(_, step)| step.width()).max().unwrap_or(0).min(GRAPH_LANES_MAX + 1);
    let rows = drawn.iter().map(|(id, step)| {
        let commit = repository.commit(id)?;
        let parents = commit.parent_ids.iter().map(|id| id.to_hex_with_len(10).to_string()).collect();
        let line =
            CommitLine { labels: labels.get(id).cloned().unwrap_or_default(), ..place.commit_line(&commit) };
        Ok(Row { commit: line, drawing: step.svg(width), lane: step.at, parents })
    });
    let rows = rows.collect::<Result<Vec<_>, Error>>()?;
    let (links, name) = (place.links(), revision.name.as_bstr());
    let graph = |name: &BStr| format!("{}?graph=1", links.commits(name, "".into()));
    let all = |name: &BStr| format!("{}&all=1", graph(name));
    let (own, other, title) = match shown {
        Shown::One => (graph(name), all(name), t("Graph of {name}").with("name", revision.label())),
        Shown::All => (all(name), graph(name), t("Graph of all branches")),
    };
    let cursor_next = next(&lanes, &tips);
    let is_whole = rows.len() == COMMITS_PER_PAGE && cursor_next.ids.len() <= CURSOR_IDS_MAX;
    let has_more = !lanes.ids().is_empty() || !tips.is_empty();
    Ok(GraphPage {
        frame: place.frame(title),
        head: place.head(Tab::Commits, Some(revision)),
        switcher: Switcher::new(repository, revision, &links, graph),
        commits_href: links.commits(name, "".into()),
        other_href: other,
        is_of_all: shown == Shown::All,
        branch_count,
        rows,
        first_href: cursor.map(|_| own.clone()),
        next_href: (has_more && is_whole).then(|| format!("{own}&after={cursor_next}")),
        is_cut: has_more && !is_whole,
    })
}

/// Where the drawing of all branches begins.
struct Tips {
    ids: Vec<ObjectId>,
    /// How many branches there are, and whether some were left out.
    branch_count: usize,
    is_short: bool,
}

/// The tips to draw from: the revision's, and those of the branches that were changed last.
fn tips(repository: Repository<'_>, own: ObjectId) -> Tips {
    let mut dated = vec![(i64::MAX, Reverse(0), own)];
    let branches = repository.refs.with_prefix("refs/heads/".into());
    for (index, branch) in branches.iter().take(GRAPH_BRANCHES_LOOKED_AT_MAX).enumerate() {
        let Some(id) = repository.refs.resolve(branch.name.as_bstr()).ok().flatten() else { continue };
        // A branch that leads to no commit, or to one that is not there, has no history.
        let Ok(Some(place)) = topological::Place::find(repository, &id) else { continue };
        dated.push((place.seconds, Reverse(index + 1), id));
    }
    dated.sort_unstable_by(|a, b| b.cmp(a));
    let mut known = HashSet::new();
    let mut ids: Vec<ObjectId> =
        dated.into_iter().map(|(.., id)| id).filter(|id| known.insert(*id)).collect();
    let is_short = ids.len() > GRAPH_BRANCHES_MAX || branches.len() > GRAPH_BRANCHES_LOOKED_AT_MAX;
    ids.truncate(GRAPH_BRANCHES_MAX);
    Tips { ids, branch_count: branches.len(), is_short }
}

/// The lanes and the tips of a cursor; none if it has fewer ids than it says.
fn open_ends(cursor: &Cursor) -> Option<(Lanes, Vec<ObjectId>)> {
    let lanes = cursor.ids.len().checked_sub(cursor.skip)?;
    let (lanes, tips) = cursor.ids.split_at(lanes);
    Some((Lanes::of(lanes), tips.to_vec()))
}

/// Where the next page begins: with the lanes, and the tips after them.
pub fn next(lanes: &Lanes, tips: &[ObjectId]) -> Cursor {
    let mut cursor = lanes.cursor();
    cursor.ids.extend(tips);
    Cursor { skip: tips.len(), ..cursor }
}

/// A page's commits, each with what is drawn beside it; leaves the lanes as they are below, and the tips that were not
/// come by and that no lane leads to.
pub fn draw(
    repository: Repository<'_>,
    tips: &mut Vec<ObjectId>,
    lanes: &mut Lanes,
) -> Result<Vec<(ObjectId, Step)>, Error> {
    let from: Vec<ObjectId> = lanes.ids().into_iter().chain(tips.iter().copied()).collect();
    let mut walk = Walk::new(repository, &from, GRAPH_COMMITS_MAX)?;
    let mut drawn = Vec::new();
    while drawn.len() < COMMITS_PER_PAGE {
        let Some((id, parent_ids)) = walk.next()? else { break };
        drawn.push((id, lanes.step(id, &parent_ids)));
    }
    let known: HashSet<ObjectId> = drawn.iter().map(|(id, _)| *id).chain(lanes.ids()).collect();
    tips.retain(|tip| !known.contains(tip));
    Ok(drawn)
}

/// What each lane leads down to; none: it is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lanes(pub Vec<Option<ObjectId>>);

impl Lanes {
    /// The lanes of a cursor, where free ones have a null id.
    pub fn of(ids: &[ObjectId]) -> Self {
        Self(ids.iter().map(|id| (!id.is_null()).then_some(*id)).collect())
    }

    /// The commits that the lanes lead to.
    pub fn ids(&self) -> Vec<ObjectId> {
        self.0.iter().flatten().copied().collect()
    }

    /// Where the next page begins.
    pub fn cursor(&self) -> Cursor {
        let kind = self.ids().first().map_or(gix_hash::Kind::Sha1, |id| id.kind());
        let null = ObjectId::null(kind);
        Cursor { ids: self.0.iter().map(|lane| lane.unwrap_or(null)).collect(), skip: 0, walked: None }
    }

    /// Puts a commit on the lane that leads to it, and leads on to those that it was made from.
    pub fn step(&mut self, id: ObjectId, parent_ids: &[ObjectId]) -> Step {
        let arriving: Vec<usize> = self.leading_to(&id).collect();
        let passing = self.0.iter().enumerate().filter(|(_, lane)| lane.is_some_and(|lane| lane != id));
        let passing = passing.map(|(lane, _)| lane).collect();
        for lane in &arriving {
            self.0[*lane] = None;
        }
        let at = arriving.first().copied().unwrap_or_else(|| self.free());
        let mut leaving = Vec::new();
        for (index, parent_id) in parent_ids.iter().enumerate() {
            let known = self.leading_to(parent_id).next().filter(|_| index > 0);
            let lane = match known {
                Some(lane) => lane,
                None if index == 0 => at,
                None => self.free(),
            };
            if lane == self.0.len() {
                self.0.push(None);
            }
            self.0[lane] = Some(*parent_id);
            leaving.push(lane);
        }
        while self.0.last() == Some(&None) {
            self.0.pop();
        }
        Step { at, arriving, passing, leaving }
    }

    fn leading_to(&self, id: &ObjectId) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().filter(move |(_, lane)| lane.as_ref() == Some(id)).map(|(lane, _)| lane)
    }

    /// The first lane that is free.
    fn free(&self) -> usize {
        self.0.iter().position(Option::is_none).unwrap_or(self.0.len())
    }
}

/// What is drawn beside one commit, as numbers of lanes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Where its dot is.
    pub at: usize,
    /// Those from above that end in it.
    pub arriving: Vec<usize>,
    /// Those that go by.
    pub passing: Vec<usize>,
    /// Those that begin in it, in the order of its parents.
    pub leaving: Vec<usize>,
}

/// The width of a lane, in pixels.
const LANE_WIDTH: usize = 14;

/// How many colours there are for lanes.
const COLORS: usize = 6;

impl Step {
    fn width(&self) -> usize {
        let lanes = self.arriving.iter().chain(&self.passing).chain(&self.leaving).chain([&self.at]);
        lanes.max().map_or(0, |last| last + 1)
    }

    /// The drawing, so many lanes wide: 100 units high, to be stretched to its row. What is past
    /// [`GRAPH_LANES_MAX`] goes down one lane beside the others.
    fn svg(&self, width: usize) -> String {
        let pixels = width * LANE_WIDTH;
        let mut svg = format!(
            r#"<svg class="graph" width="{pixels}" height="100" viewBox="0 0 {pixels} 100" preserveAspectRatio="none" aria-hidden="true" focusable="false">"#
        );
        let at = x(self.at);
        let mut lines = Vec::new();
        for lane in &self.passing {
            lines.push((*lane, format!("M{0} 0V100", x(*lane))));
        }
        for lane in &self.arriving {
            let from = x(*lane);
            lines.push((*lane, format!("M{from} 0C{from} 35 {at} 15 {at} 50")));
        }
        for lane in &self.leaving {
            let to = x(*lane);
            lines.push((*lane, format!("M{at} 50C{at} 85 {to} 65 {to} 100")));
        }
        lines.sort_by(|a, b| (drawn_lane(a.0), &a.1).cmp(&(drawn_lane(b.0), &b.1)));
        lines.dedup_by(|a, b| a.1 == b.1);
        for (lane, line) in lines {
            write!(svg, r#"<path class="{}" d="{line}"/>"#, class(lane))
                .expect("writing to a string succeeds");
        }
        // A line of no length with round ends is a dot, whatever the drawing is stretched to.
        write!(svg, r#"<path class="graph-dot {}" d="M{at} 50h0"/></svg>"#, class(self.at))
            .expect("writing to a string succeeds");
        svg
    }
}

fn drawn_lane(lane: usize) -> usize {
    lane.min(GRAPH_LANES_MAX)
}

/// The middle of a lane, in pixels.
fn x(lane: usize) -> usize {
    drawn_lane(lane) * LANE_WIDTH + LANE_WIDTH / 2
}

fn class(lane: usize) -> String {
    match lane < GRAPH_LANES_MAX {
        true => format!("lane-{}", lane % COLORS),
        false => "lane-beyond".to_owned(),
    }
}
