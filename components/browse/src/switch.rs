//! Going to another branch or tag, `?ref=<words>` on a page that shows one: straight to the one of that name, else
//! to a choice of those whose names have the words in them, each with the same page of it.

use crate::limits::{SWITCH_CHOICES_MAX, SWITCH_WORDS_BYTES_MAX};
use crate::place::{Choice, Failure, Place};
use crate::route::Page;
use askama::Template;
use bstr::{BStr, BString, ByteSlice as _};
use lithe_code::links::Links;
use lithe_code::repository::Repository;
use lithe_code::revision::{self, Resolved};
use lithe_code::text;
use lithe_web::Fields;
use lithe_web::address::encode_component;
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::{Text, filters, t, tn};
use serde::Serialize;
use std::collections::BTreeSet;

/// The name of the field in the query.
pub const FIELD: &str = "ref";

/// The fields that are about what is shown of one branch or tag: where a list begins, how it came there, and how far is
/// looked.
const OWN_FIELDS: [&str; 7] = [FIELD, "after", "from", "to", "name", "searched", "look"];

/// The choice of branches and tags.
#[derive(Template, Serialize)]
#[template(path = "switch.html")]
#[serde(tag = "page", rename = "switch", rename_all = "kebab-case")]
pub struct SwitchPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    words: String,
    /// Where the form leads: the page itself; and what it sends besides the words.
    action: String,
    #[serde(skip)]
    fields: Vec<(String, String)>,
    path: String,
    count: Text,
    is_cut: bool,
    branches: Vec<Choice>,
    tags: Vec<Choice>,
}

/// Where words lead.
pub enum Switch {
    /// To the page at this address.
    To(String),
    Choice(Box<SwitchPage>),
}

/// Finds what the words in a query mean on a page; none if there are none, or the page shows no one branch or tag.
/// What else the query asks for stays, but for where a list begins.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    page: &Page,
    query: &Fields,
) -> Result<Option<Switch>, Failure> {
    let Some(words) = query.find(FIELD) else { return Ok(None) };
    let Some((rest, href)) = page_of_revision(page) else { return Ok(None) };
    let fields = kept_fields(query);
    let Some(Resolved { revision, path }) = revision::resolve(repository, rest)? else {
        return Err(Failure::NotFound);
    };
    let links = place.links();
    let at = |name: &BStr| with_fields(href(&links, name, path.as_bstr()), &fields);
    let words = words[..words.floor_char_boundary(SWITCH_WORDS_BYTES_MAX)].trim();
    for prefix in ["refs/heads/", "refs/tags/"] {
        let full: BString = [prefix, words].concat().into();
        if repository.refs.find(full.as_bstr()).is_some() {
            let name = revision::address_name(repository, full.as_bstr());
            return Ok(Some(Switch::To(at(name.as_bstr()))));
        }
    }
    if let Some(id) = revision::commit_by_abbreviation(repository, words.into())? {
        return Ok(Some(Switch::To(at(id.to_string().as_str().into()))));
    }
    let wanted = words.to_lowercase();
    let mut count = 0;
    let mut found = |prefix: &str| -> Vec<Choice> {
        let names = repository.refs.with_prefix(prefix.into()).iter().map(|entry| entry.name.as_bstr());
        let names =
            names.filter(|name| revision::short_name(name).to_str_lossy().to_lowercase().contains(&wanted));
        let mut choices = Vec::new();
        for full in names {
            count += 1;
            if choices.len() < SWITCH_CHOICES_MAX {
                let name = revision::address_name(repository, full);
                choices.push(Choice {
                    name: text::visible(revision::short_name(full)),
                    href: at(name.as_bstr()),
                    is_current: name == revision.name,
                });
            }
        }
        choices
    };
    let (branches, tags) = (found("refs/heads/"), found("refs/tags/"));
    Ok(Some(Switch::Choice(Box::new(SwitchPage {
        frame: place.frame(t("Branches and tags")),
        head: place.head(Tab::Code, Some(&revision)),
        words: words.to_owned(),
        action: href(&links, revision.name.as_bstr(), path.as_bstr()),
        path: text::visible(&path),
        is_cut: count > branches.len() + tags.len(),
        count: tn("{n} branch or tag found", "{n} branches and tags found", count),
        branches,
        tags,
        fields,
    }))))
}

/// How the address of a page is made from a revision's name and a path.
type Href = fn(&Links, &BStr, &BStr) -> String;

/// The fields of a query that hold for another branch too.
fn kept_fields(query: &Fields) -> Vec<(String, String)> {
    let names: BTreeSet<&str> = query.names().filter(|name| !OWN_FIELDS.contains(name)).collect();
    names.into_iter().map(|name| (name.to_owned(), query.get(name).to_owned())).collect()
}

/// An address with fields in its query.
fn with_fields(mut address: String, fields: &[(String, String)]) -> String {
    for (name, value) in fields {
        address.push(if address.contains('?') { '&' } else { '?' });
        address.extend([&encode_component(name), "=", &encode_component(value)]);
    }
    address
}

/// What follows the name of a page of one revision in its address, and how such addresses are made.
fn page_of_revision(page: &Page) -> Option<(&BStr, Href)> {
    Some(match page {
        Page::Summary => ("".into(), |links, name, path| links.tree(name, path)),
        Page::Tree(rest) => (rest.as_bstr(), |links, name, path| links.tree(name, path)),
        Page::Blob(rest) => (rest.as_bstr(), |links, name, path| links.blob(name, path)),
        Page::Find(rest) => (rest.as_bstr(), |links, name, _| links.find(name)),
        Page::Blame(rest) => (rest.as_bstr(), |links, name, path| links.blame(name, path)),
        Page::Commits(rest) => (rest.as_bstr(), |links, name, path| links.commits(name, path)),
        Page::Statistics(rest) => (rest.as_bstr(), |links, name, _| links.statistics(name)),
        _ => return None,
    })
}
