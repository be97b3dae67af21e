//! What pages cost those who are not signed in, and which of them are for search engines: crawlers walk every
//! link that there is, and a forge has more pages than files times commits.
//!
//! Costs are in points of about ten milliseconds of a processor, as of a page that nobody has asked for before;
//! `lithe_web::budget` says what comes of them. What costs little whatever is asked for, costs nothing.

use crate::diff::view::COLOURS_FIELD;
use crate::route::Page;
use bstr::{BStr, BString};
use lithe_web::Fields;
use lithe_web::format::FORMAT_FIELD;

/// To look further for the last commits of what a page shows.
const LOOKED_FURTHER: u32 = 2;

/// To look for a file among all paths of a commit.
const FIND: u32 = 3;

/// To look for commits that changed a path or meet conditions.
const SEARCHED_COMMITS: u32 = 5;

/// To look for commits that changed what a pathspec selects.
const SEARCHED_TREES: u32 = 50;

/// What a commit changed, as a page.
const COMMIT: u32 = 2;

/// The same as a file, or with everything that is usually too much.
const WHOLE_COMMIT: u32 = 5;

/// To colour changes that take long to be coloured.
const COLOURS: u32 = 20;

/// To compare two revisions.
const COMPARE: u32 = 10;

/// To count a part of a history.
const STATISTICS: u32 = 10;

/// To find where the lines of a file come from.
const BLAME: u32 = 15;

/// Bytes of a raw file for a point; a smaller one costs nothing.
const RAW_BYTES_A_POINT: u64 = 1 << 20;

/// The fields of a query that make a page of a history no dearer.
const FREE_FIELDS: [&str; 2] = ["after", FORMAT_FIELD];

/// Whether more time may be taken for what was not found at first, as [`crate::tree::further`] asks.
pub fn looks_further(query: &Fields) -> bool {
    query.get("look") == "further"
}

/// What a page costs before anything of it was read.
pub fn of_page(page: &Page, query: &Fields) -> u32 {
    match page {
        Page::Summary | Page::Tree(_) | Page::Blob(_) if looks_further(query) => LOOKED_FURTHER,
        Page::Summary | Page::Tree(_) | Page::Blob(_) | Page::Refs | Page::Feed(_) => 0,
        // What it costs shows when its size is known.
        Page::Raw(_) => 0,
        Page::Find(_) => FIND,
        Page::Blame(_) => BLAME,
        Page::Statistics(_) => STATISTICS,
        // Whether it is that of a path shows when the branch is known, whose name may have slashes too.
        Page::Commits(_) if !query.get("pathspec").is_empty() => SEARCHED_TREES,
        Page::Commits(_) if query.names().any(|name| !FREE_FIELDS.contains(&name)) => SEARCHED_COMMITS,
        Page::Commits(_) => 0,
        Page::Commit(_) | Page::Compare(_) if query.get(COLOURS_FIELD) == "1" => COLOURS,
        Page::Commit(id) if id.contains(&b'.') || query.get("full") == "1" => WHOLE_COMMIT,
        Page::Commit(_) => COMMIT,
        Page::Compare(rest) => {
            if rest.is_empty() {
                0
            } else {
                COMPARE
            }
        }
    }
}

/// What a history costs besides, if it is that of a path.
pub fn of_history(path: &BStr, query: &Fields) -> u32 {
    let is_paid = of_page(&Page::Commits(BString::default()), query) > 0;
    if path.is_empty() || is_paid { 0 } else { SEARCHED_COMMITS }
}

/// What a raw file of so many bytes costs.
pub fn of_raw(bytes: u64) -> u32 {
    u32::try_from(bytes / RAW_BYTES_A_POINT).unwrap_or(u32::MAX)
}

/// What crawlers are told before they ask for anything (RFC 9309): files, directories and the pages of repositories and
/// groups are for them, as [`is_for_search_engines`] says in more detail with each page.
pub const ROBOTS: &str = "User-agent: *\nAllow: /-/static/\nAllow: /*/-/tree/\nAllow: /*/-/blob/\nDisallow: /-/\nDisallow: /*/-/\n\
                          Disallow: /*/-/tree/*?\nDisallow: /*/-/blob/*?\nCrawl-delay: 2\n";

/// Whether a search engine may keep a page: only what a repository is now, which is that of the landing branch of that
/// name, and each in one form.
pub fn is_for_search_engines(page: &Page, query: &Fields, landing: Option<&BStr>) -> bool {
    let is_landing = |rest: &BString| {
        let rest = landing.and_then(|name| rest.strip_prefix(&**name));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    };
    let is_now = match page {
        Page::Summary => true,
        Page::Tree(rest) | Page::Blob(rest) => is_landing(rest),
        _ => false,
    };
    is_now && query.names().next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_long_costs_most() {
        let cases = [
            (Page::Summary, "", 0),
            (Page::Tree("main/src".into()), "from=1000", 0),
            (Page::Blob("main/src/a.rs".into()), "", 0),
            (Page::Tree("main/src".into()), "from=1000&look=further", LOOKED_FURTHER),
            (Page::Refs, "", 0),
            (Page::Commits("main".into()), "", 0),
            (Page::Commits("main".into()), "after=1&format=json", 0),
            (Page::Commits("main".into()), "author=x", SEARCHED_COMMITS),
            (Page::Commits("main".into()), "pathspec=*.rs", SEARCHED_TREES),
            (Page::Commits("feature/x".into()), "", 0),
            (Page::Find("main".into()), "q=x", FIND),
            (Page::Commit("0123".into()), "", COMMIT),
            (Page::Commit("0123".into()), "full=1", WHOLE_COMMIT),
            (Page::Commit("0123.patch".into()), "", WHOLE_COMMIT),
            (Page::Commit("0123".into()), "colours=1", COLOURS),
            (Page::Compare("a...b".into()), "colours=1", COLOURS),
            (Page::Compare("".into()), "", 0),
            (Page::Compare("a...b".into()), "", COMPARE),
            (Page::Blame("main/src/a.rs".into()), "", BLAME),
            (Page::Statistics("main".into()), "", STATISTICS),
        ];
        for (page, query, expected) in cases {
            let fields = Fields::parse(query.as_bytes()).expect("a query");
            assert_eq!(of_page(&page, &fields), expected, "{page:?} {query}");
        }
        for (path, query, expected) in [("", "", 0), ("src", "", SEARCHED_COMMITS), ("src", "author=x", 0)] {
            let fields = Fields::parse(query.as_bytes()).expect("a query");
            assert_eq!(of_history(path.into(), &fields), expected, "{path} {query}");
        }
        assert_eq!((of_raw(RAW_BYTES_A_POINT - 1), of_raw(64 << 20)), (0, 64));
    }

    #[test]
    fn search_engines_keep_what_a_repository_is_now() {
        let is_kept = |page: Page, query: &str| {
            let fields = Fields::parse(query.as_bytes()).expect("a query");
            is_for_search_engines(&page, &fields, Some("main".into()))
        };
        assert!(is_kept(Page::Summary, "") && is_kept(Page::Blob("main/a".into()), ""));
        assert!(
            !is_kept(Page::Summary, "format=json") && !is_kept(Page::Blob("main/a".into()), "display=source")
        );
        assert!(is_kept(Page::Tree("main".into()), "") && !is_kept(Page::Tree("mainly/a".into()), ""));
        assert!(!is_kept(Page::Tree("".into()), "") && !is_kept(Page::Blob("v1/a".into()), ""));
        assert!(!is_for_search_engines(&Page::Tree("main".into()), &Fields::default(), None));
        assert!(!is_kept(Page::Commit("0123".into()), "") && !is_kept(Page::Raw("main/a".into()), ""));
    }
}
