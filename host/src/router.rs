//! Which component answers a path.
//!
//! Patterns are Spin's: literal segments, `:name` for exactly one segment, `/...` at the end for
//! the rest. A pattern may also begin with `/.../`, which stands for one or more segments.
//!
//! Of all patterns that match, the most specific answers: segment by segment from the left, a
//! literal goes before a parameter, and a parameter before `...`. A leading `...` counts as a
//! parameter in its first segment, and takes as few segments as it can.
//!
//! Paths are matched as they arrive, percent-encoding included: what a segment means is up to the
//! component.

use std::fmt;
use thiserror::Error;

/// A pattern, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    leads: bool,
    segments: Vec<Segment>,
    trails: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Parameter,
}

/// Why a pattern is not acceptable. Reads after "the route `…`".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PatternError {
    #[error("has to begin with `/`")]
    NoSlash,
    #[error("has an empty segment")]
    EmptySegment,
    #[error("has a parameter without a name")]
    NamelessParameter,
    #[error("has `...` in its middle; it may only begin or end with it")]
    InnerWildcard,
    #[error("begins with `/.../` and names nothing after it")]
    OnlyWildcards,
    #[error("holds `?` or `#`, which are no part of a path")]
    NotAPath,
}

/// How a pattern matched one path segment. In the order of precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Literal,
    Parameter,
    Wildcard,
}

impl Pattern {
    /// Parses a pattern as it stands in the manifest.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.contains(['?', '#']) {
            return Err(PatternError::NotAPath);
        }
        let mut inner = text.strip_prefix('/').ok_or(PatternError::NoSlash)?;
        let trails = inner == "..." || inner.ends_with("/...");
        if trails {
            inner = inner.strip_suffix("...").unwrap_or(inner);
            inner = inner.strip_suffix('/').unwrap_or(inner);
        }
        let leads = inner.starts_with(".../") || inner == "...";
        if leads {
            inner = inner.strip_prefix("...").unwrap_or(inner);
            inner = inner.strip_prefix('/').unwrap_or(inner);
            if inner.is_empty() {
                return Err(PatternError::OnlyWildcards);
            }
        }
        let segments = match inner {
            "" => Vec::new(),
            inner => inner.split('/').map(Segment::parse).collect::<Result<_, _>>()?,
        };
        Ok(Self { text: text.to_owned(), leads, segments, trails })
    }

    /// Whether the two match the same paths.
    pub fn is_equivalent(&self, other: &Self) -> bool {
        (self.leads, self.trails, &self.segments) == (other.leads, other.trails, &other.segments)
    }

    /// The index of the first segment that the trailing wildcard takes, and the segment where the
    /// named part begins; none if the path does not match.
    fn find(&self, path: &[&str]) -> Option<Found> {
        let named = self.segments.len();
        let last = path.len().checked_sub(named)?;
        let starts = if self.leads { 1..=last } else { 0..=0 };
        starts
            .into_iter()
            .find(|&start| {
                let end = start + named;
                (self.trails || end == path.len())
                    && path[start..end]
                        .iter()
                        .zip(&self.segments)
                        .all(|(part, segment)| segment.matches(part))
            })
            .map(|start| Found { start, end: start + named })
    }

    fn rank(&self, found: Found, index: usize) -> Rank {
        match index.checked_sub(found.start).and_then(|index| self.segments.get(index)) {
            Some(Segment::Literal(_)) => Rank::Literal,
            Some(Segment::Parameter) => Rank::Parameter,
            None if index == 0 && self.leads => Rank::Parameter,
            None => Rank::Wildcard,
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self, PatternError> {
        match text {
            "" => Err(PatternError::EmptySegment),
            "..." => Err(PatternError::InnerWildcard),
            ":" => Err(PatternError::NamelessParameter),
            _ if text.starts_with(':') => Ok(Self::Parameter),
            _ => Ok(Self::Literal(text.to_owned())),
        }
    }

    fn matches(&self, part: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == part,
            Self::Parameter => !part.is_empty(),
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Found {
    start: usize,
    end: usize,
}

/// The routes of an application, each with what answers it.
#[derive(Debug, Clone)]
pub struct Router<T> {
    routes: Vec<(Pattern, T)>,
}

/// The route that answers a path.
#[derive(Debug, PartialEq, Eq)]
pub struct Match<'router, 'path, T> {
    /// The pattern, as it stands in the manifest.
    pub route: &'router str,
    /// What answers.
    pub target: &'router T,
    /// What the trailing `...` stands for, with its leading slash; empty without one.
    pub rest: &'path str,
}

impl<T> Router<T> {
    /// Makes a router. Of two equivalent patterns the first answers.
    pub fn new(routes: Vec<(Pattern, T)>) -> Self {
        Self { routes }
    }

    /// Finds what answers `path`, which begins with `/` and has no query.
    ///
    /// One slash at the end makes no difference, except within `...`.
    pub fn find<'router, 'path>(&'router self, path: &'path str) -> Option<Match<'router, 'path, T>> {
        let inner = path.strip_prefix('/')?;
        let inner = inner.strip_suffix('/').unwrap_or(inner);
        let parts: Vec<&str> = match inner {
            "" => Vec::new(),
            inner => inner.split('/').collect(),
        };
        let mut best: Option<(&(Pattern, T), Found)> = None;
        for route in &self.routes {
            let Some(found) = route.0.find(&parts) else {
                continue;
            };
            let is_better = best.is_none_or(|((pattern, _), other)| {
                let ours = (0..=parts.len()).map(|index| route.0.rank(found, index));
                let theirs = (0..=parts.len()).map(|index| pattern.rank(other, index));
                // One past the end tells `/a` from `/a/...`, which match the path `/a` both.
                ours.cmp(theirs).then(route.0.trails.cmp(&pattern.trails)).is_lt()
            });
            if is_better {
                best = Some((route, found));
            }
        }
        let ((pattern, target), found) = best?;
        let rest = if pattern.trails { rest_after(path, found.end) } else { "" };
        Some(Match { route: &pattern.text, target, rest })
    }
}

/// What is left of `path` after its first `count` segments.
fn rest_after(path: &str, count: usize) -> &str {
    match path.match_indices('/').nth(count) {
        Some((index, _)) => &path[index..],
        None => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router(patterns: &[&'static str]) -> Router<&'static str> {
        let parse = |text: &&'static str| (Pattern::parse(text).expect("a pattern"), *text);
        Router::new(patterns.iter().map(parse).collect())
    }

    #[test]
    fn the_most_specific_pattern_answers() {
        let router = router(&[
            "/...",
            "/-/login",
            "/-/account/...",
            "/-/admin/...",
            "/:a/-/settings/...",
            "/.../-/settings/...",
            "/.../-/...",
            "/:a/info/refs",
            "/:a/:b/:c/:d/info/refs",
            "/.../info/refs",
        ]);
        let cases = [
            ("/", "/...", "/"),
            ("/team/demo", "/...", "/team/demo"),
            ("/-/login", "/-/login", ""),
            ("/-/login/", "/-/login", ""),
            ("/-/login/x", "/...", "/-/login/x"),
            ("/-/logins", "/...", "/-/logins"),
            ("/-/account", "/-/account/...", ""),
            ("/-/account/", "/-/account/...", "/"),
            ("/-/account/tokens/1", "/-/account/...", "/tokens/1"),
            ("/-/admin/info/refs", "/-/admin/...", "/info/refs"),
            ("/a/-/settings", "/:a/-/settings/...", ""),
            ("/a/b/-/settings/access", "/.../-/settings/...", "/access"),
            ("/a/b/c/d/e/f/-/settings", "/.../-/settings/...", ""),
            ("/a/-/settings/info/refs", "/:a/-/settings/...", "/info/refs"),
            ("/a/-/blob/main/info/refs", "/.../-/...", "/blob/main/info/refs"),
            ("/a/b/-/blob/main/info/refs", "/.../-/...", "/blob/main/info/refs"),
            ("/demo.git/info/refs", "/:a/info/refs", ""),
            ("/a/b/demo.git/info/refs", "/.../info/refs", ""),
            ("/a/b/c/demo.git/info/refs", "/:a/:b/:c/:d/info/refs", ""),
            ("/a/b/c/d/demo.git/info/refs", "/.../info/refs", ""),
            ("/info/refs", "/...", "/info/refs"),
            ("//info/refs", "/.../info/refs", ""),
            ("/a%2Fb/info/refs", "/:a/info/refs", ""),
            ("/../../etc", "/...", "/../../etc"),
            ("//", "/...", "//"),
            ("/%00/%ff", "/...", "/%00/%ff"),
        ];
        for (path, route, rest) in cases {
            let found = router.find(path).unwrap_or_else(|| panic!("{path}: no route"));
            assert_eq!((found.route, found.rest), (route, rest), "{path}");
        }
    }

    #[test]
    fn a_path_without_a_route_finds_nothing() {
        let router = router(&["/a", "/b/:c", "/d/..."]);
        for path in ["/", "", "a", "*", "/b", "/b/", "/b//", "/b/c/d", "/ab", "/e/d"] {
            assert_eq!(router.find(path), None, "{path}");
        }
    }

    #[test]
    fn an_exact_pattern_goes_before_the_wildcard_at_its_end() {
        for patterns in [["/a", "/a/..."], ["/a/...", "/a"]] {
            assert_eq!(router(&patterns).find("/a").map(|found| found.route), Some("/a"));
        }
    }

    #[test]
    fn patterns_that_make_no_sense_are_refused() {
        let cases = [
            ("", PatternError::NoSlash),
            ("a", PatternError::NoSlash),
            ("/a//b", PatternError::EmptySegment),
            ("/a/", PatternError::EmptySegment),
            ("/a/:/b", PatternError::NamelessParameter),
            ("/a/.../b", PatternError::InnerWildcard),
            ("/.../a/.../b", PatternError::InnerWildcard),
            ("/.../...", PatternError::OnlyWildcards),
            ("/a?b", PatternError::NotAPath),
        ];
        for (text, error) in cases {
            assert_eq!(Pattern::parse(text), Err(error), "{text}");
        }
        for text in ["/", "/...", "/a", "/:a", "/:a/...", "/.../a", "/.../a/..."] {
            assert!(Pattern::parse(text).is_ok(), "{text}");
        }
    }
}
