//! What pages cost those who are not signed in, and which of them are for search engines: crawlers walk every
//! link that there is, and a forge has more pages than files times commits.
//!
//! Costs are in points of about ten milliseconds of a processor, as of a page that nobody has asked for before;
//! `lithe_web::budget` says what comes of them. What costs little whatever is asked for, costs nothing.

use crate::route::Page;
use lithe_web::Fields;
use lithe_web::format::FORMAT_FIELD;

/// To look for a file among all paths of a commit.
const FIND: u32 = 3;

/// To look for commits that changed a path or meet conditions.
const SEARCHED_COMMITS: u32 = 5;

/// What a commit changed, as a page.
const COMMIT: u32 = 2;

/// The same as a file, or with everything that is usually too much.
const WHOLE_COMMIT: u32 = 5;

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

/// What a page costs before anything of it was read.
pub fn of_page(page: &Page, query: &Fields) -> u32 {
    match page {
        Page::Summary | Page::Tree(_) | Page::Blob(_) | Page::Refs | Page::Feed(_) => 0,
        // What it costs shows when its size is known.
        Page::Raw(_) => 0,
        Page::Find(_) => FIND,
        Page::Blame(_) => BLAME,
        Page::Statistics(_) => STATISTICS,
        Page::Commits(rest) => {
            let is_searched = rest.contains(&b'/') || query.names().any(|name| !FREE_FIELDS.contains(&name));
            if is_searched { SEARCHED_COMMITS } else { 0 }
        }
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

/// What a raw file of so many bytes costs.
pub fn of_raw(bytes: u64) -> u32 {
    u32::try_from(bytes / RAW_BYTES_A_POINT).unwrap_or(u32::MAX)
}

/// Whether a search engine may keep a page: only what a repository is now, and each in one form.
pub fn is_for_search_engines(page: &Page, query: &Fields) -> bool {
    matches!(page, Page::Summary | Page::Tree(_) | Page::Blob(_)) && query.names().next().is_none()
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
            (Page::Refs, "", 0),
            (Page::Commits("main".into()), "", 0),
            (Page::Commits("main".into()), "after=1&format=json", 0),
            (Page::Commits("main".into()), "author=x", SEARCHED_COMMITS),
            (Page::Commits("main/src".into()), "", SEARCHED_COMMITS),
            (Page::Find("main".into()), "q=x", FIND),
            (Page::Commit("0123".into()), "", COMMIT),
            (Page::Commit("0123".into()), "full=1", WHOLE_COMMIT),
            (Page::Commit("0123.patch".into()), "", WHOLE_COMMIT),
            (Page::Compare("".into()), "", 0),
            (Page::Compare("a...b".into()), "", COMPARE),
            (Page::Blame("main/src/a.rs".into()), "", BLAME),
            (Page::Statistics("main".into()), "", STATISTICS),
        ];
        for (page, query, expected) in cases {
            let fields = Fields::parse(query.as_bytes()).expect("a query");
            assert_eq!(of_page(&page, &fields), expected, "{page:?} {query}");
        }
        assert_eq!((of_raw(RAW_BYTES_A_POINT - 1), of_raw(64 << 20)), (0, 64));
    }

    #[test]
    fn search_engines_keep_what_a_repository_is_now() {
        let is_kept = |page: Page, query: &str| {
            is_for_search_engines(&page, &Fields::parse(query.as_bytes()).expect("a query"))
        };
        assert!(is_kept(Page::Summary, "") && is_kept(Page::Blob("main/a".into()), ""));
        assert!(
            !is_kept(Page::Summary, "format=json") && !is_kept(Page::Blob("main/a".into()), "display=source")
        );
        assert!(!is_kept(Page::Commit("0123".into()), "") && !is_kept(Page::Raw("main/a".into()), ""));
    }
}
