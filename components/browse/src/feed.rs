//! Feeds of the repositories of a site or group that were changed last, `/-/feed/repositories.atom` and `.rss`, of commits, `/-/feed/<ref>.atom` and `.rss`, and of tags, `/-/feed/tags.atom` and `.rss`, for
//! programs that tell of what is new (RFC 4287; RSS 2.0).

use crate::history::{self, Cursor};
use crate::limits::{FEED_MESSAGE_BYTES_MAX, FEED_REPOSITORIES_MAX};
use crate::place::{Failure, Place};
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use lithe_code::repository::{Repository, Signature};
use lithe_code::revision::{self, Resolved};
use lithe_code::text;
use lithe_code::version;
use lithe_forge::access::{self, Listed};
use lithe_forge::types;
use lithe_git::refs::Ref;
use lithe_web::address::encode_path;
use lithe_web::time::{Time, mail_date};
use lithe_web::{Language, Text, t};

/// The latest time that a feed's date has: the end of the year 9999 but for two days, past which offsets
/// may not lead, in seconds since the epoch.
const TIME_MAX: i64 = 253_402_128_000;

/// The name that stands for the landing branch, whatever it is called.
const LANDING: &[u8] = b"HEAD";

/// The name that stands for the tags. A branch of that name has a feed as `refs/heads/tags`.
const TAGS: &[u8] = b"tags";

/// The name that stands for the repositories of a site or group.
pub const REPOSITORIES: &[u8] = b"repositories";

/// How many tags a feed has.
const TAGS_MAX: usize = 50;

/// How many tags are read to find those, by their names.
const TAGS_READ_MAX: usize = 500;

/// A form of feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Atom,
    Rss,
}

impl Form {
    fn extension(self) -> &'static str {
        match self {
            Self::Atom => ".atom",
            Self::Rss => ".rss",
        }
    }

    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Atom => "application/atom+xml; charset=utf-8",
            Self::Rss => "application/rss+xml; charset=utf-8",
        }
    }
}

/// Takes `<ref>.atom` apart.
pub fn split(rest: &BStr) -> Option<(&BStr, Form)> {
    let form =
        [Form::Atom, Form::Rss].into_iter().find(|form| rest.ends_with(form.extension().as_bytes()))?;
    let name = rest.strip_suffix(form.extension().as_bytes())?;
    (!name.is_empty()).then_some((name.as_bstr(), form))
}

/// What a feed says, whatever its form.
pub struct Feed {
    title: String,
    /// The page that it is about.
    page: String,
    /// Its own address.
    own: String,
    /// The latest date in it.
    updated: Date,
    entries: Vec<Entry>,
}

struct Entry {
    title: String,
    href: String,
    author: String,
    date: Date,
    content: String,
}

/// A time as either form writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Date {
    /// RFC 3339.
    atom: String,
    /// RFC 822.
    rss: String,
}

#[derive(Template)]
#[template(path = "feed_atom.xml")]
struct Atom<'a> {
    feed: &'a Feed,
}

#[derive(Template)]
#[template(path = "feed_rss.xml")]
struct Rss<'a> {
    feed: &'a Feed,
}

impl Feed {
    /// The feed in a form.
    pub fn render(&self, form: Form) -> askama::Result<String> {
        match form {
            Form::Atom => Atom { feed: self }.render(),
            Form::Rss => Rss { feed: self }.render(),
        }
    }
}

/// Builds the feed of that name, in the form that its own address is to say.
pub fn feed(place: &Place<'_>, repository: Repository<'_>, name: &BStr, form: Form) -> Result<Feed, Failure> {
    let own =
        format!("{}{}/-/feed/{}{}", place.site, place.links().summary(), encode_path(name), form.extension());
    if name == TAGS {
        return Ok(of_tags(place, repository, own));
    }
    let at = match name == LANDING {
        true => revision::resolve(repository, "".into())?,
        false => revision::resolve(repository, name)?,
    };
    of_commits(place, repository, &at.ok_or(Failure::NotFound)?, own)
}

/// Builds the feed of those repositories that were changed last, of a site or below the group at `parent`. Of one that
/// is listed twice, one entry is made; of groups none.
pub fn of_repositories(
    site: &str,
    site_title: &str,
    parent: Option<&str>,
    listed: impl Iterator<Item = Listed>,
    form: Form,
    language: Language,
) -> Feed {
    let mut repositories: Vec<types::Repository> = listed
        .filter_map(|entry| match entry.place {
            access::Place::Repository(repository) => Some(repository),
            access::Place::Group(_) => None,
        })
        .collect();
    repositories.sort_by(|a, b| b.updated.cmp(&a.updated).then_with(|| a.path.cmp(&b.path)));
    repositories.dedup_by(|a, b| a.id == b.id);
    repositories.truncate(FEED_REPOSITORIES_MAX);
    let entry = |repository: &types::Repository| Entry {
        title: xml(&repository.path),
        href: format!("{site}/{}", encode_path(&repository.path)),
        author: xml(repository.owner.as_deref().unwrap_or_default()),
        date: date_of(repository.updated),
        content: message(&repository.description),
    };
    let base = parent.map(|path| format!("/{}", encode_path(path))).unwrap_or_default();
    Feed {
        title: titled(parent.unwrap_or(site_title), t("Repositories"), language),
        page: format!("{site}{}", if base.is_empty() { "/" } else { &base }),
        own: format!("{site}{base}/-/feed/repositories{}", form.extension()),
        updated: repositories.first().map_or_else(|| date_of(0), |repository| date_of(repository.updated)),
        entries: repositories.iter().map(entry).collect(),
    }
}

/// What an entry of a feed of the site says.
pub struct Said {
    pub title: Text,
    pub href: String,
    pub author: String,
    /// When, in seconds since the epoch.
    pub seconds: i64,
    pub content: Text,
}

/// Builds a feed of the site, of what the page at `page` shows.
pub fn of_site(
    site: &str,
    title: String,
    (page, form): (&str, Form),
    said: impl Iterator<Item = Said>,
    language: Language,
) -> Feed {
    let mut latest = 0;
    let entries: Vec<Entry> = said
        .map(|said| {
            latest = latest.max(said.seconds);
            Entry {
                title: xml(&said.title.in_language(language)),
                href: said.href,
                author: xml(&said.author),
                date: date_of(said.seconds),
                content: message(&said.content.in_language(language)),
            }
        })
        .collect();
    Feed {
        title,
        page: format!("{site}{page}"),
        own: format!("{site}{page}{}", form.extension()),
        updated: date_of(latest),
        entries,
    }
}

fn of_commits(
    place: &Place<'_>,
    repository: Repository<'_>,
    at: &Resolved,
    own: String,
) -> Result<Feed, Failure> {
    let (links, path) = (place.links(), at.path.as_bstr());
    let history = history::page(repository, &Cursor::at(at.revision.commit_id), path);
    if history.commits.is_empty() && !path.is_empty() {
        return Err(Failure::NotFound);
    }
    let entries = history.commits.iter().map(|commit| Entry {
        title: xml(&commit.title()),
        href: format!("{}{}", place.site, links.commit(&commit.id)),
        author: xml(&place.name(&commit.author)),
        date: date(&commit.committer),
        content: message(&commit.text()),
    });
    let of = match path.is_empty() {
        true => t("Commits of {revision}"),
        false => t("Commits of {path} of {revision}").with("path", text::visible(path)),
    };
    let of = of.with("revision", at.revision.label());
    let page = links.commits(at.revision.name.as_bstr(), path);
    Ok(whole(place, of, &page, own, entries.collect()))
}

fn of_tags(place: &Place<'_>, repository: Repository<'_>, own: String) -> Feed {
    // Where there are very many, the highest versions are the likeliest to be new.
    let mut tags = version::tags_latest_first(repository);
    tags.truncate(TAGS_READ_MAX);
    let mut entries: Vec<(i64, Entry)> =
        tags.into_iter().filter_map(|tag| of_tag(place, repository, tag)).collect();
    entries.sort_by_key(|(seconds, _)| std::cmp::Reverse(*seconds));
    entries.truncate(TAGS_MAX);
    let entries = entries.into_iter().map(|(_, entry)| entry).collect();
    whole(place, t("Tags"), &place.links().refs(), own, entries)
}

/// A tag, and when it was made; none if it leads to no commit that can be read.
fn of_tag(place: &Place<'_>, repository: Repository<'_>, tag: &Ref) -> Option<(i64, Entry)> {
    let id = repository.refs.resolve(tag.name.as_bstr()).ok()??;
    let commit = repository.commit(&repository.peel_to_commit(&id).ok()??).ok()?;
    let (by, text) = match repository.tag(&id) {
        Ok(object) => {
            let text = String::from_utf8_lossy(&object.message).into_owned();
            (object.tagger.unwrap_or(commit.committer), text)
        }
        // It has no object of its own.
        Err(_) => (commit.committer.clone(), commit.text()),
    };
    let name = revision::address_name(repository, tag.name.as_bstr());
    let entry = Entry {
        title: xml(&text::visible(revision::short_name(tag.name.as_bstr()))),
        href: format!("{}{}", place.site, place.links().tree(name.as_bstr(), "".into())),
        author: xml(&place.name(&by)),
        date: date(&by),
        content: message(&text),
    };
    Some((by.seconds, entry))
}

fn whole(place: &Place<'_>, title: Text, page: &str, own: String, entries: Vec<Entry>) -> Feed {
    let updated = entries.iter().map(|entry| &entry.date).max_by(|a, b| a.atom.cmp(&b.atom));
    Feed {
        title: titled(&place.record.path, title, place.frame.language),
        page: format!("{}{page}", place.site),
        own,
        updated: updated.cloned().unwrap_or_else(|| date_of(place.record.created)),
        entries,
    }
}

/// The title of a feed: whose it is, and of what.
pub fn titled(of: &str, what: Text, language: Language) -> String {
    xml(&Text::joined(" · ", [Text::verbatim(of.to_owned()), what]).in_language(language))
}

fn date(signature: &Signature) -> Date {
    date_of(signature.seconds)
}

/// A time in UTC, so that dates are in the order of their texts.
fn date_of(seconds: i64) -> Date {
    let seconds = seconds.clamp(0, TIME_MAX);
    Date { atom: Time::new(seconds, seconds).datetime(), rss: mail_date(seconds, 0) }
}

/// A message, cut at its limit.
fn message(message: &str) -> String {
    let end = message.floor_char_boundary(FEED_MESSAGE_BYTES_MAX);
    let cut = if end < message.len() { "\n…" } else { "" };
    format!("{}{cut}", xml(message[..end].trim_end()))
}

/// A text without the characters that no XML document may have (XML 1.0, section 2.2) and those that
/// would reorder or hide text. The template escapes the rest.
fn xml(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => shown.push(character),
            '\r' => {}
            '\u{fffe}' | '\u{ffff}' => shown.push('\u{fffd}'),
            _ if character.is_control() || text::is_bidirectional_control(character) => {
                shown.extend(character.escape_default());
            }
            _ => shown.push(character),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_what_the_feed_is_of_and_its_form() {
        let cases = [
            ("main.atom", Some(("main", Form::Atom))),
            ("feature/x.rss", Some(("feature/x", Form::Rss))),
            ("v1.0.atom", Some(("v1.0", Form::Atom))),
            (".atom", None),
            ("main", None),
            ("main.xml", None),
        ];
        for (rest, expected) in cases {
            assert_eq!(split(rest.into()), expected.map(|(name, form)| (name.into(), form)), "{rest}");
        }
    }

    #[test]
    fn no_character_is_left_that_xml_has_not() {
        assert_eq!(xml("a\u{0}b\u{1b}c\r\nd\u{ffff}\u{202e}\te"), "a\\u{0}b\\u{1b}c\nd\u{fffd}\\u{202e}\te");
    }

    #[test]
    fn dates_are_within_the_years_that_feeds_have() {
        assert_eq!(date_of(-1).atom, "1970-01-01T00:00:00Z");
        assert_eq!(date_of(i64::MAX).atom, "9999-12-30T00:00:00Z");
        assert_eq!(date_of(1_700_000_000).rss, "Tue, 14 Nov 2023 22:13:20 +0000");
    }

    #[test]
    fn long_messages_are_cut() {
        assert_eq!(message(&"x".repeat(FEED_MESSAGE_BYTES_MAX)).len(), FEED_MESSAGE_BYTES_MAX);
        assert!(message(&"x".repeat(FEED_MESSAGE_BYTES_MAX + 1)).ends_with("x\n…"));
    }
}
