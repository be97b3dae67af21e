//! The page of all branches and tags, `/-/refs`.

use crate::downloads::{self, Download};
use crate::limits::{BRANCH_COMMITS_MAX, BRANCHES_SORTED_MAX, REFS_PER_PAGE, TAG_MESSAGE_BYTES_MAX};
use crate::place::{CommitLine, Failure, Place};
use crate::signature::SignatureView;
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_code::limits::TITLE_BYTES_MAX;
use lithe_code::links::Links;
use lithe_code::relation;
use lithe_code::repository::Repository;
use lithe_code::revision;
use lithe_code::text;
use lithe_code::topological;
use lithe_code::version;
use lithe_git::refs::{Head, Ref};
use lithe_signatures::Signed;
use lithe_web::Fields;
use lithe_web::address::encode_component;
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::time::Time;
use lithe_web::{Text, filters, t, tn};
use serde::Serialize;
use std::cell::Cell;
use std::cmp::Reverse;

/// The page of all branches and tags.
#[derive(Template, Serialize)]
#[template(path = "refs.html")]
#[serde(tag = "page", rename = "refs", rename_all = "kebab-case")]
pub struct RefsPage {
    #[serde(skip)]
    frame: Frame,
    /// What the names that are shown have in them.
    words: String,
    refs_href: String,
    head: RepositoryHead,
    branches: Section,
    tags: Section,
    compare_href: String,
    is_by_change: bool,
    /// The same with the branches in the other order; none if there is none.
    order_href: Option<String>,
}

/// A page of the branches, or of the tags.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Section {
    count: Text,
    rows: Vec<Row>,
    previous_href: Option<String>,
    next_href: Option<String>,
}

impl Section {
    /// Whether it tells of any of its rows how far it is from the default branch.
    fn has_distances(&self) -> bool {
        self.rows.iter().any(|row| row.distance.is_some() || row.is_far)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Row {
    name: String,
    href: String,
    commits_href: String,
    is_landing: bool,
    /// None if the ref leads to no commit that can be read.
    commit: Option<CommitLine>,
    /// How far a branch is from the default branch.
    distance: Option<Distance>,
    /// Whether that is not known, as there are too many commits between the two, or between those before them.
    is_far: bool,
    /// What a tag says of itself.
    note: Option<TagNote>,
    /// Archives of the files of a tag.
    downloads: Vec<Download>,
}

impl Row {
    /// When the tag was made, if it says.
    fn tagged(&self) -> Option<&Time> {
        self.note.as_ref()?.time.as_ref()
    }
}

/// What stands in a tag object.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct TagNote {
    /// The first line of its message.
    title: String,
    /// The rest of it, as HTML; empty if there is none.
    #[serde(rename = "body-html")]
    body: String,
    /// Who made it, and when.
    tagger: Option<String>,
    time: Option<Time>,
    /// Whether its signature holds; none if it has none, or it was not looked at.
    signature: Option<SignatureView>,
    #[serde(skip)]
    signed: Option<Signed>,
}

/// How far a branch is from the default branch.
#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Distance {
    /// `2 ahead, 1 behind`, or that it was merged.
    words: Text,
    compare_href: String,
}

/// Which of the branches, and which of the tags, the page begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offsets {
    pub branches: usize,
    pub tags: usize,
    pub order: Order,
}

/// The order of branches, below the default one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    #[default]
    ByName,
    /// The one that was changed last comes first.
    ByChange,
}

impl Order {
    /// Reads `?sort=changed`.
    pub fn of(query: &Fields) -> Self {
        if query.get("sort") == "changed" { Self::ByChange } else { Self::ByName }
    }

    fn other(self) -> Self {
        match self {
            Self::ByName => Self::ByChange,
            Self::ByChange => Self::ByName,
        }
    }
}

impl RefsPage {
    /// The page with what is known of the tags' signatures: `judge` returns as many as it is given.
    pub fn with_signatures(mut self, judge: impl FnOnce(&[&Signed]) -> Vec<SignatureView>) -> Self {
        let notes = self.tags.rows.iter_mut().filter_map(|row| row.note.as_mut());
        let mut notes: Vec<&mut TagNote> = notes.filter(|note| note.signed.is_some()).collect();
        let signed: Vec<Signed> = notes.iter_mut().filter_map(|note| note.signed.take()).collect();
        if !signed.is_empty() {
            let views = judge(&signed.iter().collect::<Vec<_>>());
            notes.iter_mut().zip(views).for_each(|(note, view)| note.signature = Some(view));
        }
        self
    }
}

/// Builds the page of the branches and tags that have `words` in their names, in capital or small letters.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    words: &str,
    from: Offsets,
) -> Result<RefsPage, Failure> {
    let links = place.links();
    let landing = match &repository.refs.head {
        Head::Symbolic(name) => Some(name.as_bstr()),
        Head::Detached(_) | Head::Missing => None,
    };
    let sought = words.to_lowercase();
    let has_words = |entry: &&Ref| {
        sought.is_empty()
            || revision::short_name(entry.name.as_bstr()).to_str_lossy().to_lowercase().contains(&sought)
    };
    let mut branches: Vec<&Ref> =
        repository.refs.with_prefix("refs/heads/".into()).iter().filter(has_words).collect();
    let can_be_dated = branches.len() <= BRANCHES_SORTED_MAX;
    if from.order == Order::ByChange && can_be_dated {
        branches.sort_by_cached_key(|branch| Reverse(changed(repository, branch)));
    }
    branches.sort_by_key(|branch| Some(branch.name.as_bstr()) != landing);
    let mut tags = version::tags_latest_first(repository);
    tags.retain(has_words);
    let landing_id = revision::landing_branch(repository)?.map(|landing| landing.commit_id);
    let commits_left = Cell::new(BRANCH_COMMITS_MAX);
    let section =
        |refs: &[&Ref], words: fn(usize) -> Text, offset: usize, at: &dyn Fn(usize) -> String| Section {
            count: words(refs.len()),
            rows: refs
                .iter()
                .skip(offset)
                .take(REFS_PER_PAGE)
                .map(|entry| {
                    let mut left = commits_left.get();
                    let row = row(place, repository, &links, entry, landing.zip(landing_id), &mut left);
                    commits_left.set(left);
                    row
                })
                .collect(),
            previous_href: (offset > 0).then(|| at(offset.saturating_sub(REFS_PER_PAGE))),
            next_href: (refs.len().saturating_sub(offset) > REFS_PER_PAGE)
                .then(|| at(offset + REFS_PER_PAGE)),
        };
    let address = |offsets: Offsets, anchor: &str| {
        let sought = if words.is_empty() { String::new() } else { format!("q={}&", encode_component(words)) };
        let sorted = if offsets.order == Order::ByChange { "sort=changed&" } else { "" };
        format!(
            "{}?{sought}{sorted}branches={}&tags={}#{anchor}",
            links.refs(),
            offsets.branches,
            offsets.tags
        )
    };
    Ok(RefsPage {
        frame: place.frame(t("Branches and tags")),
        head: place.head(Tab::Refs, None),
        words: words.to_owned(),
        refs_href: links.refs(),
        compare_href: links.compare("".into(), "", "".into()),
        is_by_change: from.order == Order::ByChange,
        order_href: (can_be_dated && branches.len() > 1)
            .then(|| address(Offsets { branches: 0, order: from.order.other(), ..from }, "branches")),
        branches: section(
            &branches,
            |count| tn("{n} branch", "{n} branches", count),
            from.branches,
            &|branches| address(Offsets { branches, ..from }, "branches"),
        ),
        tags: section(&tags, |count| tn("{n} tag", "{n} tags", count), from.tags, &|tags| {
            address(Offsets { tags, ..from }, "tags")
        }),
    })
}

fn row(
    place: &Place<'_>,
    repository: Repository<'_>,
    links: &Links,
    entry: &Ref,
    landing: Option<(&BStr, ObjectId)>,
    commits_left: &mut usize,
) -> Row {
    let name = revision::address_name(repository, entry.name.as_bstr());
    let commit = repository.refs.resolve(entry.name.as_bstr()).ok().flatten().and_then(|id| {
        let commit_id = repository.peel_to_commit(&id).ok()??;
        repository.commit(&commit_id).ok()
    });
    let is_landing = landing.is_some_and(|(landing, _)| entry.name == landing);
    let is_branch = entry.name.starts_with(b"refs/heads/");
    let mut is_far = false;
    let distance = match (&commit, landing) {
        (Some(commit), Some((_, landing_id))) if is_branch && !is_landing => {
            let found = relation::distance_within(repository, landing_id, commit.id, commits_left);
            is_far = found == Ok(None);
            found.ok().flatten().map(|found| Distance {
                words: words(found),
                compare_href: links.compare("".into(), "...", name.as_bstr()),
            })
        }
        _ => None,
    };
    Row {
        name: text::visible(revision::short_name(entry.name.as_bstr())),
        href: links.tree(name.as_bstr(), "".into()),
        commits_href: links.commits(name.as_bstr(), "".into()),
        is_landing,
        downloads: match &commit {
            Some(_) if !is_branch => downloads::few(links, name.as_bstr()),
            _ => Vec::new(),
        },
        commit: commit.map(|commit| place.commit_line(&commit)),
        distance,
        is_far,
        note: if is_branch { None } else { note(place, repository, entry) },
    }
}

/// When the commit was made that a branch points to, in seconds since the epoch.
fn changed(repository: Repository<'_>, branch: &Ref) -> i64 {
    let id = repository.refs.resolve(branch.name.as_bstr()).ok().flatten();
    let place = id.and_then(|id| topological::Place::find(repository, &id).ok().flatten());
    place.map_or(i64::MIN, |place| place.seconds)
}

/// What the tag object says that a tag points to; none if it points to none that can be read.
fn note(place: &Place<'_>, repository: Repository<'_>, entry: &Ref) -> Option<TagNote> {
    let id = repository.refs.resolve(entry.name.as_bstr()).ok()??;
    let (kind, _) = repository.header(&id).ok()?;
    if kind != gix_object::Kind::Tag {
        return None;
    }
    let (tag, signed) = (repository.tag(&id).ok()?, repository.signed_tag(&id).ok()?);
    let signature = signed.as_ref().map_or(&[][..], |signed| &signed.signature);
    let message = tag.message.strip_suffix(signature).unwrap_or(&tag.message);
    let message = text::decode(&message[..message.len().min(TAG_MESSAGE_BYTES_MAX)])?.text;
    let (title, body) = message.trim().split_once('\n').unwrap_or((message.trim(), ""));
    let mut html = String::new();
    text::push_html(&mut html, body.trim());
    Some(TagNote {
        title: text::visible(&title.as_bytes()[..title.floor_char_boundary(TITLE_BYTES_MAX)]),
        body: html,
        tagger: tag.tagger.as_ref().map(|tagger| place.name(tagger)),
        time: tag.tagger.as_ref().map(|tagger| place.time(tagger)),
        signature: None,
        signed,
    })
}

fn words(distance: relation::Distance) -> Text {
    match (distance.ahead, distance.behind) {
        (0, 0) => t("the same"),
        (0, behind) => t("merged, {behind} behind").with("behind", behind),
        (ahead, 0) => t("{ahead} ahead").with("ahead", ahead),
        (ahead, behind) => t("{ahead} ahead, {behind} behind").with("ahead", ahead).with("behind", behind),
    }
}
