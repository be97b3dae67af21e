//! Finding a file by a part of its path, `/-/find/<ref>`.

use crate::cache::Key;
use crate::limits::{FIND_FOUND_MAX, FIND_PATHS_MAX, FIND_TIME_MAX, FIND_TREES_MAX, FIND_WORDS_BYTES_MAX};
use crate::place::{Failure, Place, Switcher};
use crate::route;
use askama::Template;
use bstr::{BStr, BString, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_code::repository::Repository;
use lithe_code::revision::Revision;
use lithe_code::text;
use lithe_web::address::{decode, encode_path};
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::{Text, filters, t, tn};
use serde::Serialize;
use std::time::Instant;

/// The page that finds files.
#[derive(Template, Serialize)]
#[template(path = "find.html")]
#[serde(tag = "page", rename = "find", rename_all = "kebab-case")]
pub struct FindPage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    switcher: Switcher,
    root_href: String,
    words: String,
    count: Text,
    /// Whether there are more files than were looked at.
    is_cut: bool,
    found: Vec<Found>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Found {
    path: String,
    /// None: the path is too long for an address.
    href: Option<String>,
}

/// The paths of a commit's files.
#[derive(Debug, PartialEq, Eq)]
pub struct Paths {
    pub paths: Vec<BString>,
    /// Whether there are more than the limits allow.
    pub is_cut: bool,
}

/// Builds the page of the files that the words are found in.
pub fn page(
    place: &Place<'_>,
    repository: Repository<'_>,
    revision: &Revision,
    words: &str,
) -> Result<FindPage, Failure> {
    let (links, name) = (place.links(), revision.name.as_bstr());
    let Paths { paths, is_cut } = all(place, repository, revision)?;
    let (matching, total) = matching(&paths, words);
    let found = matching.into_iter().map(|path| Found {
        path: text::visible(path),
        href: Some(links.blob(name, path)).filter(|href| route::leads(href)),
    });
    Ok(FindPage {
        frame: place.frame(t("Find a file")),
        head: place.head(Tab::Code, Some(revision)),
        switcher: Switcher::new(repository, revision, &links, |name| links.find(name)),
        root_href: links.tree(name, "".into()),
        words: words.to_owned(),
        count: tn("{n} file", "{n} files", total),
        is_cut,
        found: found.collect(),
    })
}

/// The best matches, the best first, and how many there are.
pub fn matching<'a>(paths: &'a [BString], words: &str) -> (Vec<&'a BStr>, usize) {
    let words = &words[..words.floor_char_boundary(FIND_WORDS_BYTES_MAX)];
    let words: Vec<Vec<u8>> = words.split_whitespace().map(|word| word.to_lowercase().into_bytes()).collect();
    let mut scored: Vec<(i64, &BStr)> = paths
        .iter()
        .filter_map(|path| {
            let lower = path.to_lowercase();
            let scores: Option<Vec<i64>> = words.iter().map(|word| score(&lower, word)).collect();
            Some((scores?.iter().sum(), path.as_bstr()))
        })
        .collect();
    let total = scored.len();
    let order = |a: &(i64, &BStr), b: &(i64, &BStr)| b.0.cmp(&a.0).then_with(|| a.1.cmp(b.1));
    if total > FIND_FOUND_MAX {
        scored.select_nth_unstable_by(FIND_FOUND_MAX, order);
        scored.truncate(FIND_FOUND_MAX);
    }
    scored.sort_by(order);
    (scored.into_iter().map(|(_, path)| path).collect(), total)
}

/// How well a word matches a path, both in lower case; none if its letters are not in the path in
/// their order. The letters count more together, at the beginnings of words, and in the file's name.
fn score(path: &[u8], word: &[u8]) -> Option<i64> {
    const IN_NAME: i64 = 4;
    const AT_BEGINNING: i64 = 8;
    const TOGETHER: i64 = 12;
    let name = path.rfind_byte(b'/').map_or(0, |slash| slash + 1);
    // From the end, so that a name is preferred to the directories above it.
    let whole = path.rfind(word);
    let mut at = whole.map_or(path.len(), |start| start + word.len());
    let mut last = None;
    let mut score = 0;
    for letter in word.iter().rev() {
        let found = path[..at].rfind_byte(*letter)?;
        score += if found >= name { IN_NAME } else { 0 };
        let is_beginning = found == 0 || !path[found - 1].is_ascii_alphanumeric();
        score += if is_beginning { AT_BEGINNING } else { 0 };
        score += if last == Some(found + 1) { TOGETHER } else { 0 };
        (at, last) = (found, Some(found));
    }
    // Of two as good, the shorter one is nearer.
    Some(score * 16 - path.len().min(1_000) as i64 / 4)
}

/// All paths of a commit, found or kept.
pub fn all(place: &Place<'_>, repository: Repository<'_>, revision: &Revision) -> Result<Paths, Failure> {
    let tree_id = repository.commit(&revision.commit_id)?.tree_id;
    let key = Key::new(&[b"paths", tree_id.as_bytes()]);
    if let Some(kept) = place.cache.get(&key).and_then(|text| parse(&text)) {
        return Ok(Paths { paths: kept, is_cut: false });
    }
    let paths = walk(repository, tree_id, Instant::now)?;
    if !paths.is_cut {
        let lines = paths.paths.iter().map(|path| encode_path(path) + "\n");
        place.cache.put(&key, &lines.collect::<String>());
    }
    Ok(paths)
}

fn parse(text: &str) -> Option<Vec<BString>> {
    text.lines().map(|line| decode(line).ok().map(BString::from)).collect()
}

/// The paths of the files in a tree, those nearest to the root first, within the limits; `now` is the clock that
/// time is taken by.
pub fn walk(
    repository: Repository<'_>,
    root: ObjectId,
    mut now: impl FnMut() -> Instant,
) -> Result<Paths, Failure> {
    let until = now() + FIND_TIME_MAX;
    let mut open = std::collections::VecDeque::from([(BString::default(), root)]);
    let (mut paths, mut trees) = (Vec::new(), 0);
    while let Some((directory, id)) = open.pop_front() {
        trees += 1;
        if trees > FIND_TREES_MAX || paths.len() >= FIND_PATHS_MAX || now() >= until {
            return Ok(Paths { paths, is_cut: true });
        }
        for entry in repository.tree(&id)? {
            let path = crate::tree::joined(directory.as_bstr(), entry.name.as_bstr());
            if entry.is_tree() {
                open.push_back((path, entry.id));
            } else if entry.is_blob() {
                paths.push(path);
            }
        }
    }
    let is_cut = paths.len() > FIND_PATHS_MAX;
    paths.truncate(FIND_PATHS_MAX);
    Ok(Paths { paths, is_cut })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &str) -> Vec<String> {
        let paths = [
            "README.md",
            "src/main.rs",
            "src/lib.rs",
            "src/blame/mod.rs",
            "src/blame/lines.rs",
            "tests/blame.rs",
            "docs/limits.md",
            "src/lines/main.txt",
        ];
        let paths: Vec<BString> = paths.iter().map(|path| BString::from(*path)).collect();
        matching(&paths, words).0.into_iter().map(ToString::to_string).collect()
    }

    #[test]
    fn files_are_found_by_letters_in_their_order() {
        let cases: &[(&str, &[&str])] = &[
            ("readme", &["README.md"]),
            ("main", &["src/main.rs", "src/lines/main.txt"]),
            ("blame lines", &["src/blame/lines.rs"]),
            ("lines blame", &["src/blame/lines.rs"]),
            ("sbm", &["src/blame/mod.rs"]),
            ("BLAME.RS", &["tests/blame.rs", "src/blame/lines.rs", "src/blame/mod.rs"]),
            ("zzz", &[]),
        ];
        for (words, expected) in cases {
            let found = found(words);
            assert_eq!(found.first().map(String::as_str), expected.first().copied(), "{words}: {found:?}");
            assert!(expected.iter().all(|path| found.contains(&(*path).to_owned())), "{words}: {found:?}");
        }
        assert_eq!(found("").len(), 8);
    }

    #[test]
    fn only_so_many_are_shown() {
        let paths: Vec<BString> = (0..FIND_FOUND_MAX + 7).map(|n| format!("file{n}").into()).collect();
        let (shown, total) = matching(&paths, "file");
        assert_eq!((shown.len(), total), (FIND_FOUND_MAX, FIND_FOUND_MAX + 7));
    }
}
