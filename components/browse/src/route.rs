//! What an address asks for.

use crate::feed::Form;
use crate::limits::{PATH_BYTES_MAX, PATH_SEGMENTS_MAX};
use bstr::{BString, ByteSlice as _};
use lithe_web::Address;
use lithe_web::address::encode_path;

/// What an address asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Route {
    Home,
    Robots,
    Search,
    /// How browsers search this site (OpenSearch 1.1).
    OpenSearch,
    /// What was changed on the whole site, `repositories.atom`.
    Feed(BString),
    /// What was done on the whole site lately, as a page or a feed.
    Activity(Option<Form>),
    /// A page of what stands at the path, `team/demo`.
    Place {
        path: String,
        page: Page,
    },
    /// The same page has an address of its own: without a slash at the end, without the `.git`
    /// that only Git needs.
    Redirect(String),
    NotFound,
}

/// A page of a repository; a group has only the summary.
#[derive(Debug, PartialEq, Eq)]
pub enum Page {
    Summary,
    /// The fields are `<ref>[/<path>]`, decoded; the empty one stands for the landing branch.
    Tree(BString),
    Blob(BString),
    /// Where the lines of a file come from.
    Blame(BString),
    Raw(BString),
    /// Finding a file; the field is `<ref>`.
    Find(BString),
    Commits(BString),
    /// A commit's id or an abbreviation of it.
    Commit(BString),
    /// `<from>...<to>` or `<from>..<to>`, decoded; empty where both are still to be chosen.
    Compare(BString),
    Refs,
    /// The field is `<ref>.<form>`.
    Feed(BString),
    /// What there is to count in a history; the field is `<ref>`.
    Statistics(BString),
}

impl Page {
    fn parse(name: &str, rest: BString) -> Option<Self> {
        Some(match name {
            "tree" => Self::Tree(rest),
            "blob" => Self::Blob(rest),
            "blame" => Self::Blame(rest),
            "raw" => Self::Raw(rest),
            "find" => Self::Find(rest),
            "commits" => Self::Commits(rest),
            "commit" if !rest.is_empty() => Self::Commit(rest),
            "compare" => Self::Compare(rest),
            "refs" if rest.is_empty() => Self::Refs,
            "stats" => Self::Statistics(rest),
            "feed" if !rest.is_empty() => Self::Feed(rest),
            _ => return None,
        })
    }

    /// Whether it may say who made something.
    pub fn names_people(&self) -> bool {
        !matches!(self, Self::Raw(_) | Self::Find(_))
    }

    /// The address of this page for the place at `path`.
    pub fn address(&self, path: &str) -> String {
        let (name, rest) = match self {
            Self::Summary => return format!("/{}", encode_path(path)),
            Self::Tree(rest) => ("tree", rest),
            Self::Blob(rest) => ("blob", rest),
            Self::Blame(rest) => ("blame", rest),
            Self::Raw(rest) => ("raw", rest),
            Self::Find(rest) => ("find", rest),
            Self::Commits(rest) => ("commits", rest),
            Self::Commit(id) => ("commit", id),
            Self::Compare(rest) => ("compare", rest),
            Self::Refs => ("refs", &BString::default()),
            Self::Feed(rest) => ("feed", rest),
            Self::Statistics(rest) => ("stats", rest),
        };
        let separator = if rest.is_empty() { "" } else { "/" };
        format!("/{}/-/{name}{separator}{}", encode_path(path), encode_path(rest))
    }
}

/// Reads the path of an address, percent-encoded as it came.
pub fn parse(path: &str) -> Route {
    match path {
        "" | "/" => return Route::Home,
        "/robots.txt" => return Route::Robots,
        _ => {}
    }
    let Ok(Address { path: place, page, rest }) = Address::parse(path) else { return Route::NotFound };
    if place.is_empty() {
        return match page.as_deref() {
            Some("search") if rest.is_empty() => Route::Search,
            Some("opensearch.xml") if rest.is_empty() => Route::OpenSearch,
            Some("feed") if !rest.is_empty() => Route::Feed(rest.into()),
            Some("activity") if rest.is_empty() => Route::Activity(None),
            Some("activity.atom") if rest.is_empty() => Route::Activity(Some(Form::Atom)),
            Some("activity.rss") if rest.is_empty() => Route::Activity(Some(Form::Rss)),
            _ => Route::NotFound,
        };
    }
    let Some(name) = page else {
        let own = place.strip_suffix(".git").filter(|own| !own.is_empty() && !own.ends_with('/'));
        return match own {
            Some(own) => Route::Redirect(Page::Summary.address(own)),
            None if path.ends_with('/') => Route::Redirect(Page::Summary.address(&place)),
            None => Route::Place { path: place, page: Page::Summary },
        };
    };
    match acceptable_rest(rest).and_then(|rest| Page::parse(&name, rest)) {
        Some(page) => Route::Place { path: place, page },
        None => Route::NotFound,
    }
}

/// How much longer the address of the same path at another revision may be, in bytes: by the id of a commit.
const REVISION_ROOM: usize = 64;

/// Whether an address leads to a page: names in a tree may be of any length, and those of addresses may not.
pub fn leads(href: &str) -> bool {
    // What is that short is no problem.
    href.len() <= PATH_SEGMENTS_MAX
        || parse(&format!("{href}{}", "x".repeat(REVISION_ROOM))) != Route::NotFound
}

/// Git's names have no empty segment and no `.` or `..`.
fn acceptable_rest(rest: Vec<u8>) -> Option<BString> {
    let acceptable = rest.is_empty()
        || (rest.len() <= PATH_BYTES_MAX
            && rest.split_str("/").count() <= PATH_SEGMENTS_MAX
            && rest.split_str("/").all(|segment| !matches!(segment, b"" | b"." | b"..")));
    acceptable.then(|| rest.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str, page: Page) -> Route {
        Route::Place { path: path.into(), page }
    }

    #[test]
    fn addresses_are_read() {
        let cases = [
            ("/", Route::Home),
            ("/robots.txt", Route::Robots),
            ("/-/search", Route::Search),
            ("/-/opensearch.xml", Route::OpenSearch),
            ("/-/feed/repositories.atom", Route::Feed("repositories.atom".into())),
            ("/-/feed", Route::NotFound),
            ("/team", place("team", Page::Summary)),
            ("/team/demo", place("team/demo", Page::Summary)),
            ("/team/demo/", Route::Redirect("/team/demo".into())),
            ("/team/demo.git", Route::Redirect("/team/demo".into())),
            ("/team/.git", place("team/.git", Page::Summary)),
            ("/_7", place("_7", Page::Summary)),
            ("/a/b/c/d/e/f", place("a/b/c/d/e/f", Page::Summary)),
            ("/d/-/tree/main", place("d", Page::Tree("main".into()))),
            ("/d/-/tree", place("d", Page::Tree("".into()))),
            ("/d/-/tree/main/", place("d", Page::Tree("main".into()))),
            ("/d/-/tree/f/x/src/-/y", place("d", Page::Tree("f/x/src/-/y".into()))),
            ("/d/-/blob/main/a%20b%2Fc", place("d", Page::Blob("main/a b/c".into()))),
            ("/d/-/blame/main/a", place("d", Page::Blame("main/a".into()))),
            ("/d/-/find/main", place("d", Page::Find("main".into()))),
            ("/d/-/raw/main/%FF", place("d", Page::Raw(b"main/\xff".as_slice().into()))),
            ("/d/-/commits/main", place("d", Page::Commits("main".into()))),
            ("/d/-/commit/abc", place("d", Page::Commit("abc".into()))),
            ("/d/-/refs", place("d", Page::Refs)),
            ("/d/-/stats", place("d", Page::Statistics("".into()))),
            ("/d/-/stats/f/x", place("d", Page::Statistics("f/x".into()))),
            ("/d/-/compare", place("d", Page::Compare("".into()))),
            ("/d/-/compare/a...f/b.patch", place("d", Page::Compare("a...f/b.patch".into()))),
            ("/d/-/feed/f/x.atom", place("d", Page::Feed("f/x.atom".into()))),
            ("/d/-/feed", Route::NotFound),
            // What is nothing.
            ("/-/search/x", Route::NotFound),
            ("/-", Route::NotFound),
            ("/d/-/nothing", Route::NotFound),
            ("/d/-/refs/x", Route::NotFound),
            ("/d/-/commit", Route::NotFound),
            ("/d//e", Route::NotFound),
            ("/d/../e", Route::NotFound),
            ("/d/%2e%2e/e", Route::NotFound),
            ("/d%2Fe", Route::NotFound),
            ("/d%00", Route::NotFound),
            ("/%ff", Route::NotFound),
            ("/d/-/tree/main/%2e%2e/x", Route::NotFound),
            ("/d/-/tree/main/a%00b", Route::NotFound),
            ("/d/-/tree/main//x", Route::NotFound),
        ];
        for (path, expected) in cases {
            assert_eq!(parse(path), expected, "{path}");
        }
    }

    #[test]
    fn a_page_has_the_address_that_it_was_read_from() {
        for path in
            ["/team", "/team/demo/-/tree", "/d/-/blob/main/a%20b/%FF%0A", "/d/-/commit/abc", "/d/-/refs"]
        {
            let Route::Place { path: place, page } = parse(path) else { panic!("{path}") };
            assert_eq!(page.address(&place), path);
        }
    }

    #[test]
    fn long_and_deep_addresses_are_refused() {
        let tree = |rest: String| parse(&format!("/d/-/tree/{rest}"));
        assert!(matches!(tree("a".repeat(PATH_BYTES_MAX)), Route::Place { .. }));
        assert_eq!(tree("a".repeat(PATH_BYTES_MAX + 1)), Route::NotFound);
        assert!(matches!(tree(vec!["a"; PATH_SEGMENTS_MAX].join("/")), Route::Place { .. }));
        assert_eq!(tree(vec!["a"; PATH_SEGMENTS_MAX + 1].join("/")), Route::NotFound);
    }

    #[test]
    fn what_is_too_long_for_an_address_is_not_linked() {
        let href = |path: String| format!("/d/-/blob/main/{}", encode_path(path));
        let room = PATH_BYTES_MAX - REVISION_ROOM - "main/".len();
        let cases = [
            ("a".into(), true),
            ("a".repeat(room), true),
            ("a".repeat(room + 1), false),
            // A byte takes three characters of an address.
            ("ü".repeat(2_500), true),
            ("ü".repeat(2_600), false),
            (vec!["a"; PATH_SEGMENTS_MAX - 1].join("/"), true),
            (vec!["a"; PATH_SEGMENTS_MAX].join("/"), false),
        ];
        for (path, expected) in cases {
            let bytes = path.len();
            assert_eq!(leads(&href(path)), expected, "{bytes} bytes");
        }
    }
}
