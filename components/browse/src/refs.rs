//! The page of all branches and tags, `/-/refs`.

use crate::limits::REFS_PER_PAGE;
use crate::links::Links;
use crate::place::{CommitLine, Failure, Place};
use crate::repository::Repository;
use crate::revision;
use crate::text;
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use lithe_git::refs::{Head, Ref};
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::size::counted;
use std::cmp::Ordering;

/// The page of all branches and tags.
#[derive(Template)]
#[template(path = "refs.html")]
pub struct RefsPage {
    frame: Frame,
    head: RepositoryHead,
    branches: Section,
    tags: Section,
}

/// A page of the branches, or of the tags.
struct Section {
    count: String,
    rows: Vec<Row>,
    previous_href: Option<String>,
    next_href: Option<String>,
}

struct Row {
    name: String,
    href: String,
    commits_href: String,
    is_landing: bool,
    /// None if the ref leads to no commit that can be read.
    commit: Option<CommitLine>,
}

/// Which of the branches, and which of the tags, the page begins with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Offsets {
    pub branches: usize,
    pub tags: usize,
}

/// Builds the page.
pub fn page(place: &Place<'_>, repository: Repository<'_>, from: Offsets) -> Result<RefsPage, Failure> {
    let links = place.links();
    let landing = match &repository.refs.head {
        Head::Symbolic(name) => Some(name.as_bstr()),
        Head::Detached(_) | Head::Missing => None,
    };
    let mut branches: Vec<&Ref> = repository.refs.with_prefix("refs/heads/".into()).iter().collect();
    branches.sort_by_key(|branch| Some(branch.name.as_bstr()) != landing);
    let mut tags: Vec<&Ref> = repository.refs.with_prefix("refs/tags/".into()).iter().collect();
    tags.sort_by(|a, b| compare_versions(&b.name, &a.name));
    let section = |refs: &[&Ref], words: (&str, &str), offset: usize, at: &dyn Fn(usize) -> String| Section {
        count: counted(refs.len() as u64, words.0, words.1),
        rows: refs
            .iter()
            .skip(offset)
            .take(REFS_PER_PAGE)
            .map(|entry| row(place, repository, &links, entry, landing))
            .collect(),
        previous_href: (offset > 0).then(|| at(offset.saturating_sub(REFS_PER_PAGE))),
        next_href: (refs.len().saturating_sub(offset) > REFS_PER_PAGE).then(|| at(offset + REFS_PER_PAGE)),
    };
    let address = |offsets: Offsets, anchor: &str| {
        format!("{}?branches={}&tags={}#{anchor}", links.refs(), offsets.branches, offsets.tags)
    };
    Ok(RefsPage {
        frame: place.frame("Branches and tags"),
        head: place.head(Tab::Refs, None),
        branches: section(&branches, ("branch", "branches"), from.branches, &|branches| {
            address(Offsets { branches, ..from }, "branches")
        }),
        tags: section(&tags, ("tag", "tags"), from.tags, &|tags| address(Offsets { tags, ..from }, "tags")),
    })
}

fn row(
    place: &Place<'_>,
    repository: Repository<'_>,
    links: &Links,
    entry: &Ref,
    landing: Option<&BStr>,
) -> Row {
    let name = revision::address_name(repository, entry.name.as_bstr());
    let commit = repository.refs.resolve(entry.name.as_bstr()).ok().flatten().and_then(|id| {
        let commit_id = repository.peel_to_commit(&id).ok()??;
        repository.commit(&commit_id).ok()
    });
    Row {
        name: text::visible(revision::short_name(entry.name.as_bstr())),
        href: links.tree(name.as_bstr(), "".into()),
        commits_href: links.commits(name.as_bstr(), "".into()),
        is_landing: Some(entry.name.as_bstr()) == landing,
        commit: commit.map(|commit| place.commit_line(&commit)),
    }
}

/// Compares names with the numbers in them as numbers: `v1.9` before `v1.10`.
fn compare_versions(a: &[u8], b: &[u8]) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    while let (Some(first_a), Some(first_b)) = (rest_a.first(), rest_b.first()) {
        let order = if first_a.is_ascii_digit() && first_b.is_ascii_digit() {
            let (number_a, number_b) = (take_number(&mut rest_a), take_number(&mut rest_b));
            number_a.len().cmp(&number_b.len()).then(number_a.cmp(number_b))
        } else {
            (rest_a, rest_b) = (&rest_a[1..], &rest_b[1..]);
            first_a.cmp(first_b)
        };
        if order.is_ne() {
            return order;
        }
    }
    rest_a.len().cmp(&rest_b.len()).then(a.cmp(b))
}

/// Takes the digits from the beginning; returns them without leading zeros.
fn take_number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    &digits[digits.iter().position(|digit| *digit != b'0').unwrap_or(digits.len())..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_in_the_order_of_versions() {
        let sorted =
            ["a", "v0.9", "v1.2", "v1.02", "v1.10", "v1.10-rc1", "v1.10.1", "v2", "v18446744073709551616"];
        // Equal numbers are told apart by their digits, so that the order is total.
        assert_eq!(compare_versions(b"v1.02", b"v1.2"), Ordering::Less);
        let mut names = sorted;
        names.reverse();
        names.sort_by(|a, b| compare_versions(a.as_bytes(), b.as_bytes()));
        let expected =
            ["a", "v0.9", "v1.02", "v1.2", "v1.10", "v1.10-rc1", "v1.10.1", "v2", "v18446744073709551616"];
        assert_eq!(names, expected);
    }
}
