//! The paths of repositories and groups, and the permanent addresses of repositories.

use crate::limits::{PATH_BYTES_MAX, PATH_SEGMENTS_MAX, SEGMENT_BYTES_MAX};
use std::fmt;

/// The path of a repository or group, `team/tools/demo`: one segment or more, separated by `/`.
///
/// A value is safe to use as a relative path in a file system and in a URL as it is: segments hold
/// only ASCII letters, digits, `-`, `_` and `.`, and none is special to a file system, to Git or to
/// the site's own addresses. Letters beyond ASCII are refused because file systems, browsers and
/// the database disagree on which of them are the same letter; two paths that look alike must not
/// be two repositories.
///
/// Paths that differ only by case are two values here; that no two of them exist is the store's work.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepoPath(String);

/// What a URL's path may name: a repository or group by its path, or a repository for good.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    Path(RepoPath),
    Permanent(PermanentId),
}

/// The permanent name of a repository, `_12`: it survives renames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PermanentId(pub u64);

/// Why a path is not acceptable, in words for whoever typed it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    #[error("a path cannot be empty")]
    Empty,
    #[error("a path has at most {PATH_BYTES_MAX} characters")]
    TooLong,
    #[error("a path has at most {PATH_SEGMENTS_MAX} parts")]
    TooDeep,
    #[error("a path has no `/` at its start or end and no two in a row")]
    EmptySegment,
    #[error("`{0}…` is too long: a part of a path has at most {SEGMENT_BYTES_MAX} characters")]
    SegmentTooLong(String),
    #[error("{0:?} is not allowed in a path: use the letters a to z, digits, `-`, `_` and `.`")]
    Character(char),
    #[error("`{0}` begins with {1:?}: a part of a path begins with a letter, a digit or `_`")]
    Start(String, char),
    #[error("`{0}` begins like a permanent address, `_` and a digit")]
    PermanentLike(String),
    #[error("`{0}` ends in `{1}`, which a part of a path cannot")]
    End(String, &'static str),
    #[error("`{0}` is an address of the site itself")]
    Reserved(String),
}

/// First segments that browsers and robots ask every site for.
const RESERVED_AT_TOP: &[&str] = &["favicon.ico", "favicon.svg", "robots.txt", "sitemap.xml"];

/// Segments that are the end of an address of the Git protocol.
const RESERVED_ANYWHERE: &[&str] = &["git-upload-pack", "git-receive-pack", "git-upload-archive"];

/// Segments in a row that are in the middle of an address of the Git or the Git LFS protocol.
const RESERVED_TOGETHER: &[&str] = &["/info/refs/", "/info/lfs/"];

/// Endings that Git gives a meaning, or that some file systems drop.
const RESERVED_ENDINGS: &[&str] = &[".git", ".lock", "."];

impl RepoPath {
    /// Parses a path as it is stored and shown: without `/` at either end, without `.git`.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > PATH_BYTES_MAX {
            return Err(PathError::TooLong);
        }
        if text.split('/').count() > PATH_SEGMENTS_MAX {
            return Err(PathError::TooDeep);
        }
        for segment in text.split('/') {
            check_segment(segment)?;
        }
        check_reserved(text)?;
        Ok(Self(text.to_owned()))
    }

    /// Parses a path as clone addresses give it: `.git` may follow it.
    pub fn parse_clone(text: &str) -> Result<Self, PathError> {
        Self::parse(text.strip_suffix(".git").unwrap_or(text))
    }

    /// The path as text, `team/tools/demo`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The segments, outermost first.
    pub fn segments(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The last segment: the repository's or group's name.
    pub fn name(&self) -> &str {
        match self.0.rsplit_once('/') {
            Some((_, name)) => name,
            None => &self.0,
        }
    }

    /// The path of the group it stands in; none at the top level.
    pub fn parent(&self) -> Option<RepoPath> {
        let (parent, _) = self.0.rsplit_once('/')?;
        Some(Self(parent.to_owned()))
    }

    /// The paths of the groups it stands in, outermost first: of `a/b/c`, `a` and `a/b`.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        self.0.match_indices('/').map(|(end, _)| &self.0[..end])
    }

    /// The directory of the repository at this path, below the repository mount: `team/demo.git`.
    pub fn directory(&self) -> String {
        format!("{}.git", self.0)
    }

    /// Whether this is `other` or stands somewhere below it, without regard to case.
    pub fn is_within(&self, other: &RepoPath) -> bool {
        let length = other.0.len();
        match self.0.get(..length) {
            Some(head) if head.eq_ignore_ascii_case(&other.0) => {
                matches!(self.0.as_bytes().get(length), None | Some(b'/'))
            }
            _ => false,
        }
    }
}

impl fmt::Display for RepoPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::str::FromStr for RepoPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        Self::parse(text)
    }
}

impl Address {
    /// Parses what stands in a URL: `team/demo`, `team/demo.git`, `_12` or `_12.git`.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let bare = text.strip_suffix(".git").unwrap_or(text);
        match PermanentId::parse(bare) {
            Some(id) => Ok(Self::Permanent(id)),
            None => Ok(Self::Path(RepoPath::parse(bare)?)),
        }
    }

    /// Parses what a request's path begins with, `/team/demo.git`, decoded.
    pub fn of_request(path: &str) -> Result<Self, PathError> {
        Self::parse(path.strip_prefix('/').ok_or(PathError::EmptySegment)?)
    }
}

/// The one form of the address that the store is asked by: `team/demo` or `_12`.
impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => path.fmt(formatter),
            Self::Permanent(id) => id.fmt(formatter),
        }
    }
}

impl PermanentId {
    /// Parses `_12`: `_` and a number from 1 on, in its only form.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('_')?;
        let is_canonical = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        // The database's numbers are signed.
        let id = digits.parse::<i64>().ok()?;
        is_canonical.then_some(Self(id.unsigned_abs()))
    }
}

impl fmt::Display for PermanentId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "_{}", self.0)
    }
}

fn check_segment(segment: &str) -> Result<(), PathError> {
    let owned = || segment.to_owned();
    let Some(first) = segment.chars().next() else {
        return Err(PathError::EmptySegment);
    };
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if let Some(character) = segment.chars().find(|c| !is_allowed(*c)) {
        return Err(PathError::Character(character));
    }
    if segment.len() > SEGMENT_BYTES_MAX {
        return Err(PathError::SegmentTooLong(segment[..20].to_owned()));
    }
    if matches!(first, '.' | '-') {
        return Err(PathError::Start(owned(), first));
    }
    if first == '_' && segment.as_bytes().get(1).is_some_and(u8::is_ascii_digit) {
        return Err(PathError::PermanentLike(owned()));
    }
    let lower = segment.to_ascii_lowercase();
    match RESERVED_ENDINGS.iter().find(|ending| lower.ends_with(**ending)) {
        Some(ending) => Err(PathError::End(owned(), ending)),
        None => Ok(()),
    }
}

fn check_reserved(text: &str) -> Result<(), PathError> {
    let lower = text.to_ascii_lowercase();
    let (top, _) = lower.split_once('/').unwrap_or((&lower, ""));
    let is_reserved = RESERVED_AT_TOP.contains(&top)
        || lower.split('/').any(|segment| RESERVED_ANYWHERE.contains(&segment))
        || RESERVED_TOGETHER.iter().any(|together| format!("/{lower}/").contains(together));
    if is_reserved { Err(PathError::Reserved(text.to_owned())) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_are_paths() {
        let deepest = vec!["a"; PATH_SEGMENTS_MAX].join("/");
        let widest = "a".repeat(SEGMENT_BYTES_MAX);
        let longest = [widest.as_str(), &widest, &widest, &widest[..97]].join("/");
        assert_eq!(longest.len(), PATH_BYTES_MAX);
        for text in [
            "demo",
            "team/demo",
            "A/b-C/d_e/f.g",
            "0",
            "_",
            "_a",
            "__1",
            "a..b",
            "a-",
            "a_",
            "git",
            "a.gitx",
            "lock",
            "a/robots.txt",
            "info",
            "refs/info",
            "info/x/refs",
            "a.git.b",
            &deepest,
            &widest,
            &longest,
        ] {
            assert_eq!(RepoPath::parse(text).map(|path| path.to_string()), Ok(text.to_owned()));
        }
    }

    #[test]
    fn paths_that_are_none() {
        let too_deep = vec!["a"; PATH_SEGMENTS_MAX + 1].join("/");
        let too_wide = "a".repeat(SEGMENT_BYTES_MAX + 1);
        let too_long = "a".repeat(PATH_BYTES_MAX + 1);
        let reserved = |text: &str| PathError::Reserved(text.into());
        let cases = [
            ("", PathError::Empty),
            (too_long.as_str(), PathError::TooLong),
            (&too_deep, PathError::TooDeep),
            (&too_wide, PathError::SegmentTooLong("a".repeat(20))),
            ("/a", PathError::EmptySegment),
            ("a/", PathError::EmptySegment),
            ("a//b", PathError::EmptySegment),
            ("/", PathError::EmptySegment),
            ("a b", PathError::Character(' ')),
            ("a\0b", PathError::Character('\0')),
            ("a\\b", PathError::Character('\\')),
            ("a%2fb", PathError::Character('%')),
            ("a\nb", PathError::Character('\n')),
            ("größe", PathError::Character('ö')),
            ("a/\u{202e}b", PathError::Character('\u{202e}')),
            ("a:b", PathError::Character(':')),
            ("~", PathError::Character('~')),
            (".", PathError::Start(".".into(), '.')),
            ("a/../b", PathError::Start("..".into(), '.')),
            (".deleted", PathError::Start(".deleted".into(), '.')),
            ("-", PathError::Start("-".into(), '-')),
            ("a/-/b", PathError::Start("-".into(), '-')),
            ("--upload-pack", PathError::Start("--upload-pack".into(), '-')),
            ("_12", PathError::PermanentLike("_12".into())),
            ("a/_1b", PathError::PermanentLike("_1b".into())),
            ("demo.git", PathError::End("demo.git".into(), ".git")),
            ("demo.GIT/x", PathError::End("demo.GIT".into(), ".git")),
            ("HEAD.lock", PathError::End("HEAD.lock".into(), ".lock")),
            ("a.", PathError::End("a.".into(), ".")),
            ("Robots.txt", reserved("Robots.txt")),
            ("favicon.ico/a", reserved("favicon.ico/a")),
            ("a/info/refs", reserved("a/info/refs")),
            ("info/refs/a", reserved("info/refs/a")),
            ("a/git-upload-pack", reserved("a/git-upload-pack")),
            ("git-receive-pack/a", reserved("git-receive-pack/a")),
        ];
        for (text, expected) in cases {
            assert_eq!(RepoPath::parse(text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn a_path_knows_its_parts() {
        let path = RepoPath::parse("a/b/c").expect("a path");
        assert_eq!(path.name(), "c");
        assert_eq!(path.parent().expect("a parent").as_str(), "a/b");
        assert_eq!(path.ancestors().collect::<Vec<_>>(), ["a", "a/b"]);
        assert_eq!(path.segments().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(path.directory(), "a/b/c.git");
        let top = RepoPath::parse("demo").expect("a path");
        assert_eq!(top.name(), "demo");
        assert_eq!(top.parent(), None);
        assert_eq!(top.ancestors().count(), 0);
    }

    #[test]
    fn within_is_by_whole_segments() {
        let cases = [
            ("a/b", "a", true),
            ("A/b", "a", true),
            ("a", "a", true),
            ("ab", "a", false),
            ("a", "a/b", false),
            ("b/a", "a", false),
        ];
        for (path, other, expected) in cases {
            let [path, other] = [path, other].map(|text| RepoPath::parse(text).expect("a path"));
            assert_eq!(path.is_within(&other), expected, "{path} in {other}");
        }
    }

    #[test]
    fn addresses_are_paths_or_permanent() {
        let path = |text: &str| Some(Address::Path(RepoPath::parse(text).expect("a path")));
        let permanent = |id| Some(Address::Permanent(PermanentId(id)));
        let cases = [
            ("team/demo", path("team/demo")),
            ("team/demo.git", path("team/demo")),
            ("_12", permanent(12)),
            ("_12.git", permanent(12)),
            ("_9223372036854775807", permanent(i64::MAX as u64)),
            ("_9223372036854775808", None),
            ("_0", None),
            ("_012", None),
            ("_+1", None),
            ("_1/x", None),
            ("demo.git.git", None),
            (".git", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(Address::parse(text).ok(), expected, "{text:?}");
        }
        for (path, expected) in [("/team/demo.git", Some("team/demo")), ("/_12", Some("_12")), ("team", None)]
        {
            let address = Address::of_request(path).ok().map(|address| address.to_string());
            assert_eq!(address.as_deref(), expected, "{path}");
        }
        assert_eq!(RepoPath::parse_clone("a/b.git"), RepoPath::parse("a/b"));
    }
}
