//! The list of changed files as a tree of their directories.

use lithe_web::{Text, tn};

/// The most files that stand one below the other with their whole paths: so few are seen at a glance.
const FLAT_FILES_MAX: usize = 6;

/// The deepest that directories are put into each other. Below, names are paths.
const DEPTH_MAX: usize = 24;

/// A step through the tree.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    /// What comes until its end is in a directory. One that has nothing but another is named with it.
    Directory {
        name: String,
        files: Text,
    },
    End,
    /// The file of that index, and its name there.
    File {
        index: usize,
        name: String,
    },
}

/// The tree of files, whose paths come in their order.
pub(super) fn items<'a>(paths: impl Iterator<Item = &'a str>) -> Vec<Item> {
    let paths: Vec<(usize, &str)> = paths.enumerate().collect();
    let mut items = Vec::new();
    match paths.len() <= FLAT_FILES_MAX {
        true => items.extend(paths.into_iter().map(file)),
        false => push(&mut items, &paths, 0),
    }
    items
}

fn file((index, name): (usize, &str)) -> Item {
    Item::File { index, name: name.to_owned() }
}

/// Appends files that lie in one directory, or below it, by their paths from there.
fn push(items: &mut Vec<Item>, files: &[(usize, &str)], depth: usize) {
    let mut rest = files;
    while let Some((_, first)) = rest.first() {
        let directory = first.split_once('/').filter(|_| depth < DEPTH_MAX).map(|(name, _)| name);
        let Some(directory) = directory else {
            items.push(file(rest[0]));
            rest = &rest[1..];
            continue;
        };
        let below = |path: &str| path.strip_prefix(directory).is_some_and(|path| path.starts_with('/'));
        let (inside, others) = rest.split_at(rest.iter().take_while(|(_, path)| below(path)).count());
        let shared = shared_directories(inside);
        let inside: Vec<(usize, &str)> =
            inside.iter().map(|(index, path)| (*index, &path[shared..])).collect();
        items.push(Item::Directory {
            name: first[..shared].to_owned(),
            files: tn("{n} file", "{n} files", inside.len()),
        });
        push(items, &inside, depth + 1);
        items.push(Item::End);
        rest = others;
    }
}

/// How many bytes at the beginning of all paths name directories.
fn shared_directories(files: &[(usize, &str)]) -> usize {
    let (first, last) = (files[0].1.as_bytes(), files[files.len() - 1].1.as_bytes());
    // Paths are in their order, so what the first and the last share, all do.
    let shared = first.iter().zip(last).take_while(|(a, b)| a == b).count();
    first[..shared].iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree as text: `src/ [ a b ]`.
    fn tree(paths: &[&str]) -> String {
        let words = items(paths.iter().copied()).into_iter().map(|item| match item {
            Item::Directory { name, .. } => format!("{name} ["),
            Item::End => "]".to_owned(),
            Item::File { index, name } => format!("{index}:{name}"),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn files_are_nested_by_their_directories() {
        let cases: [(&[&str], &str); 4] = [
            // Few are not.
            (&["a/b", "a/c", "d"], "0:a/b 1:a/c 2:d"),
            (
                &["a.txt", "a/b", "a/c/d", "a/c/e", "ab", "f/g/h", "f/g/i"],
                "0:a.txt a/ [ 1:b c/ [ 2:d 3:e ] ] 4:ab f/g/ [ 5:h 6:i ]",
            ),
            // A directory of a single file is one too.
            (
                &["a/b/c/1", "a/b/d/2", "a/b/d/3", "x/y/4", "z/5", "z/6", "z/7"],
                "a/b/ [ c/ [ 0:1 ] d/ [ 1:2 2:3 ] ] x/y/ [ 3:4 ] z/ [ 4:5 5:6 6:7 ]",
            ),
            // A file may stand where there was a directory.
            (
                &["a", "a/1", "a/2", "b", "c", "d", "ü/é/1", "ü/è/2"],
                "0:a a/ [ 1:1 2:2 ] 3:b 4:c 5:d ü/ [ é/ [ 6:1 ] è/ [ 7:2 ] ]",
            ),
        ];
        for (paths, expected) in cases {
            assert_eq!(tree(paths), expected);
        }
    }

    #[test]
    fn what_lies_deep_is_not_nested_any_further() {
        let deep: Vec<String> = (0..200)
            .map(|depth| format!("{}f", (0..depth).map(|at| format!("{at}/")).collect::<String>()))
            .collect();
        let mut deep: Vec<&str> = deep.iter().map(String::as_str).collect();
        deep.sort_unstable();
        let items = items(deep.iter().copied());
        assert_eq!(items.iter().filter(|item| matches!(item, Item::Directory { .. })).count(), DEPTH_MAX);
        assert_eq!(items.iter().filter(|item| matches!(item, Item::File { .. })).count(), deep.len());
    }
}
