//! Going to another branch or tag, `?ref=<words>` on a page of files: straight to the one of that name, else
//! to a choice of those whose names have the words in them, each with the page of the same path.

use crate::limits::{SWITCH_CHOICES_MAX, SWITCH_WORDS_BYTES_MAX};
use crate::place::{Choice, Failure, Place};
use crate::route::Page;
use askama::Template;
use bstr::{BStr, BString, ByteSlice as _};
use lithe_code::links::Links;
use lithe_code::repository::Repository;
use lithe_code::revision::{self, Resolved};
use lithe_code::text;
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::{Text, filters, t, tn};
use serde::Serialize;

/// The name of the field in the query.
pub const FIELD: &str = "ref";

/// The choice of branches and tags.
#[derive(Template, Serialize)]
#[template(path = "switch.html")]
#[serde(tag = "page", rename = "switch", rename_all = "kebab-case")]
pub struct SwitchPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    words: String,
    /// Where the form leads: the page itself.
    action: String,
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

/// Finds what words mean on a page; none if the page is not one of files.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    page: &Page,
    words: &str,
) -> Result<Option<Switch>, Failure> {
    let Some((rest, href)) = files_page(page) else { return Ok(None) };
    let Some(Resolved { revision, path }) = revision::resolve(repository, rest)? else {
        return Err(Failure::NotFound);
    };
    let links = place.links();
    let at = |name: &BStr| href(&links, name, path.as_bstr());
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
        action: at(revision.name.as_bstr()),
        path: text::visible(&path),
        is_cut: count > branches.len() + tags.len(),
        count: tn("{n} branch or tag found", "{n} branches and tags found", count),
        branches,
        tags,
    }))))
}

/// How the address of a page is made from a revision's name and a path.
type Href = fn(&Links, &BStr, &BStr) -> String;

/// What follows the name of a page of files in its address, and how such addresses are made.
fn files_page(page: &Page) -> Option<(&BStr, Href)> {
    Some(match page {
        Page::Summary => ("".into(), |links, name, path| links.tree(name, path)),
        Page::Tree(rest) => (rest.as_bstr(), |links, name, path| links.tree(name, path)),
        Page::Blob(rest) => (rest.as_bstr(), |links, name, path| links.blob(name, path)),
        Page::Find(rest) => (rest.as_bstr(), |links, name, _| links.find(name)),
        Page::Blame(rest) => (rest.as_bstr(), |links, name, path| links.blame(name, path)),
        Page::Commits(rest) => (rest.as_bstr(), |links, name, path| links.commits(name, path)),
        _ => return None,
    })
}
