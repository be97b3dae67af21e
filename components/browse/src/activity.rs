//! What was done on the whole site lately, `/-/activity`, and the feeds of it, `/-/activity.atom` and `.rss`: pushes to
//! repositories that the viewer may read, and that they were made. The store says which those are, each time anew.

use crate::feed::{self, Feed, Form, Said};
use crate::limits::{EVENT_MOVES_MAX, EVENTS_PER_PAGE};
use askama::Template;
use bstr::{BStr, ByteSlice as _};
use lithe_code::links::Links;
use lithe_code::text;
use lithe_forge::access::{Event, EventList};
use lithe_forge::types;
use lithe_web::time::Time;
use lithe_web::{Frame, Language, Text, filters, t};
use serde::Serialize;

/// How many events a page or feed has.
pub const PER_PAGE: u32 = EVENTS_PER_PAGE;

/// The page of what was done lately.
#[derive(Template, Serialize)]
#[template(path = "activity.html")]
#[serde(tag = "page", rename = "activity", rename_all = "kebab-case")]
pub struct ActivityPage {
    #[serde(skip)]
    frame: Frame,
    events: Vec<EventView>,
    next_href: Option<String>,
    feed_href: &'static str,
    rss_href: &'static str,
}

/// Something that was done.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct EventView {
    #[serde(skip)]
    id: u64,
    /// None for whoever is not signed in.
    actor: Option<String>,
    time: Time,
    repository: String,
    href: String,
    /// None: the repository was made.
    moves: Option<Vec<Move>>,
    /// How many more refs moved.
    left_out: usize,
}

/// A branch or tag that was pushed to.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Move {
    /// What was done, in words, the name follows.
    words: Text,
    name: String,
    /// None: it is gone.
    href: Option<String>,
}

impl Move {
    /// What was done, and to what.
    fn said(&self) -> Text {
        Text::joined(" ", [self.words.clone(), Text::verbatim(self.name.clone())])
    }
}

/// Which refs of a repository are for nobody's eyes.
pub trait Hiding {
    fn hides(&self, repository: &types::Repository, name: &BStr) -> bool;
}

/// Builds the page, as of `now` (in seconds since the epoch).
pub fn page(frame: &Frame, activity: &EventList, hiding: &dyn Hiding, now: i64) -> ActivityPage {
    ActivityPage {
        frame: frame.clone().titled(t("Activity")),
        events: activity.events.iter().filter_map(|event| view(event, hiding, now)).collect(),
        next_href: activity.next.map(|before| format!("/-/activity?before={before}")),
        feed_href: "/-/activity.atom",
        rss_href: "/-/activity.rss",
    }
}

/// Builds the feed.
pub fn feed(
    site: &str,
    site_title: &str,
    activity: &EventList,
    hiding: &dyn Hiding,
    (form, language): (Form, Language),
) -> Feed {
    let said = activity.events.iter().filter_map(|event| {
        let view = view(event, hiding, event.at)?;
        Some(Said {
            title: view.words(),
            // Each has an address of its own, by which programs tell entries apart.
            href: format!("{site}{}#event-{}", view.main_href(), view.id),
            author: view.actor.clone().unwrap_or_default(),
            seconds: event.at,
            content: Text::joined("\n", view.moves.iter().flatten().map(Move::said)),
        })
    });
    let title = feed::titled(site_title, t("Activity"), language);
    feed::of_site(site, title, ("/-/activity", form), said, language)
}

impl EventView {
    /// What was done, as the title of an entry.
    fn words(&self) -> Text {
        let words = match self.moves.as_deref() {
            None => t("{actor} made the repository {repository}"),
            Some([one]) if self.left_out == 0 => t("{actor} {what} in {repository}").with("what", one.said()),
            Some(moves) => {
                let count = moves.len() + self.left_out;
                t("{actor} pushed {count} branches and tags to {repository}").with("count", count)
            }
        };
        words.with("actor", self.actor()).with("repository", &self.repository)
    }

    /// Who did it.
    fn actor(&self) -> Text {
        self.actor.as_ref().map_or(t("Somebody"), Text::from)
    }

    fn main_href(&self) -> &str {
        let first = self.moves.as_deref().and_then(|moves| moves.first()?.href.as_deref());
        first.unwrap_or(&self.href)
    }
}

/// An event as it is shown; none if it is about nothing that is for people's eyes.
fn view(event: &Event, hiding: &dyn Hiding, now: i64) -> Option<EventView> {
    let repository = &event.repository;
    let links = Links::new(&repository.path);
    let mut left_out = 0;
    let moves = match event.action.as_str() {
        "push" => {
            let mut moves: Vec<Move> = event
                .details
                .lines()
                .filter_map(|line| {
                    moved(line.as_bytes().as_bstr(), &links, |name| hiding.hides(repository, name))
                })
                .collect();
            left_out = moves.len().saturating_sub(EVENT_MOVES_MAX) + more(&event.details);
            moves.truncate(EVENT_MOVES_MAX);
            if moves.is_empty() {
                return None;
            }
            Some(moves)
        }
        "repository.create" => None,
        _ => return None,
    };
    Some(EventView {
        id: event.id,
        actor: (!event.actor.is_empty()).then(|| text::visible(event.actor.as_bytes())),
        time: Time::new(event.at, now),
        repository: repository.path.clone(),
        href: links.summary(),
        moves,
        left_out,
    })
}

/// How many refs moved that the journal does not name, from its last line, `and 7 more`.
fn more(details: &str) -> usize {
    let last = details.lines().next_back().unwrap_or_default();
    let count = last.strip_prefix("and ").and_then(|rest| rest.strip_suffix(" more"));
    count.and_then(|count| count.parse().ok()).unwrap_or(0)
}

/// Reads a line of the journal, `refs/heads/main 0123456789ab 123456789abc`; `-` for no id. None for what is neither a
/// branch nor a tag, or hidden, or cut.
fn moved(line: &BStr, links: &Links, is_hidden: impl Fn(&BStr) -> bool) -> Option<Move> {
    let mut words = line.rsplitn_str(3, " ");
    let (new, old, name) = (words.next()?, words.next()?, words.next()?);
    let is_id = |id: &[u8]| id == b"-" || (!id.is_empty() && id.iter().all(u8::is_ascii_hexdigit));
    if !is_id(new) || !is_id(old) || is_hidden(name.as_bstr()) {
        return None;
    }
    let (short, is_tag) = match (name.strip_prefix(b"refs/heads/"), name.strip_prefix(b"refs/tags/")) {
        (Some(short), _) => (short, false),
        (_, Some(short)) => (short, true),
        _ => return None,
    };
    let words = match (old, new, is_tag) {
        (b"-", b"-", _) => return None,
        (_, b"-", false) => t("removed the branch"),
        (_, b"-", true) => t("removed the tag"),
        (b"-", _, false) => t("made the branch"),
        (b"-", _, true) => t("made the tag"),
        (_, _, false) => t("pushed to"),
        (_, _, true) => t("moved the tag"),
    };
    let href = match (old, new, is_tag) {
        (_, b"-", _) => None,
        (b"-", _, _) | (_, _, true) => Some(links.commits(name.as_bstr(), "".into())),
        _ => Some(links.compare(old.as_bstr(), "..", new.as_bstr())),
    };
    Some(Move { words, name: text::visible(short), href })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(action: &str, details: &str) -> Event {
        Event {
            id: 5,
            at: 1_750_000_000,
            actor: "ada".into(),
            action: action.into(),
            repository: types::Repository {
                id: 7,
                path: "team/demo".into(),
                directory: "team/demo.git".into(),
                description: String::new(),
                is_private: false,
                owner: None,
                created: 0,
                updated: 0,
                deleted: None,
            },
            details: details.into(),
        }
    }

    struct Secret;

    impl Hiding for Secret {
        fn hides(&self, _: &types::Repository, name: &BStr) -> bool {
            name.contains_str("secret")
        }
    }

    #[test]
    fn what_was_done_is_put_in_words() {
        let (a, b) = ("0123456789ab", "123456789abc");
        let cases = [
            (event("repository.create", "private"), Some("ada made the repository team/demo")),
            (event("push", &format!("refs/heads/main {a} {b}\n")), Some("ada pushed to main in team/demo")),
            (event("push", &format!("refs/heads/x - {b}\n")), Some("ada made the branch x in team/demo")),
            (event("push", &format!("refs/heads/x {a} -\n")), Some("ada removed the branch x in team/demo")),
            (event("push", &format!("refs/tags/v1 - {b}\n")), Some("ada made the tag v1 in team/demo")),
            (event("push", &format!("refs/tags/v1 {a} {b}\n")), Some("ada moved the tag v1 in team/demo")),
            (event("push", &format!("refs/tags/v1 {a} -\n")), Some("ada removed the tag v1 in team/demo")),
            (
                event("push", &format!("refs/heads/a - {a}\nrefs/heads/b - {b}\nand 7 more\n")),
                Some("ada pushed 9 branches and tags to team/demo"),
            ),
            (
                event("push", &format!("refs/heads/\u{202e} - {a}\n")),
                Some("ada made the branch \\u{202e} in team/demo"),
            ),
            (event("push", &format!("refs/heads/secret {a} {b}\nrefs/notes/x - {a}\n")), None),
            (event("push", "refs/heads/cut 01"), None),
            (event("push", ""), None),
            (event("repository.check", "sound"), None),
        ];
        for (event, expected) in cases {
            assert_eq!(
                view(&event, &Secret, 0).map(|view| view.words().to_string()).as_deref(),
                expected,
                "{}",
                event.details
            );
        }
    }

    #[test]
    fn of_many_refs_a_few_are_shown_and_the_rest_counted() {
        let lines: String =
            (0..EVENT_MOVES_MAX + 3).map(|number| format!("refs/heads/{number} - 00\n")).collect();
        let view = view(&event("push", &format!("{lines}and 10 more\n")), &Secret, 0).expect("it is shown");
        assert_eq!((view.moves.map(|moves| moves.len()), view.left_out), (Some(EVENT_MOVES_MAX), 13));
    }

    #[test]
    fn entries_of_the_feed_have_addresses_of_their_own() {
        let push = |id| Event { id, ..event("push", "refs/heads/main 0123456789ab 123456789abc\n") };
        let overview = types::Overview {
            viewer: types::Viewer { user: None, csrf_token: String::new(), ceiling: types::Permission::Read },
            site: types::Site {
                title: "Lithe".into(),
                registration: false,
                anonymous_access: true,
                public_by_default: true,
                top_level_creation: false,
                deletion_grace_days: 30,
                session_days: 30,
                lfs_object_mib_max: 1,
                lfs_repository_mib_max: 1,
            },
        };
        let activity = EventList { overview, events: vec![push(2), push(1)], next: None };
        for form in [Form::Atom, Form::Rss] {
            let text = feed("http://h", "Lithe", &activity, &Secret, (form, Language::English))
                .render(form)
                .expect("it renders");
            for id in [1, 2] {
                let href = format!("http://h/team/demo/-/compare/0123456789ab..123456789abc#event-{id}<");
                assert!(text.contains(&href), "{text}");
            }
        }
    }
}
