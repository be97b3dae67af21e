//! Refs that clients are not to know of (git-config(1), `transfer.hideRefs`).

use crate::config::Config;
use crate::odb;
use crate::refs::Error;
use bstr::{BStr, ByteSlice};
use std::path::Path;

/// Which side of the server a setting is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Clones and fetches: `uploadpack.hideRefs`.
    UploadPack,
    /// Pushes: `receive.hideRefs`.
    Receive,
}

/// The refs that one side hides. By default, none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hidden(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    prefix: Vec<u8>,
    /// Whether what it matches is shown, whatever came before.
    shows: bool,
}

impl Hidden {
    /// What the config of the bare repository at `git_dir` hides on one side.
    ///
    /// Fails with [`Error::Config`].
    pub fn read(git_dir: &Path, side: Side) -> Result<Self, Error> {
        Ok(Self::of(&Config::read(git_dir)?, side)?)
    }

    /// What `transfer.hideRefs` and the setting of the side itself say, in the order they are written in.
    ///
    /// Fails with [`odb::Error::DamagedFile`] if one of them has no value: what it is to hide is not known.
    fn of(config: &Config, side: Side) -> Result<Self, odb::Error> {
        let own = match side {
            Side::UploadPack => "uploadpack",
            Side::Receive => "receive",
        };
        let mut patterns = Vec::new();
        for (_, _, value) in config
            .settings()
            .filter(|(section, key, _)| *key == "hiderefs" && (*section == "transfer" || *section == own))
        {
            let reason = "a hideRefs has no value";
            let value = value.ok_or(odb::Error::DamagedFile { file: "config".into(), reason })?;
            let (shows, prefix) = match value.strip_prefix(b"!") {
                Some(prefix) => (true, prefix),
                None => (false, value),
            };
            // `^` says that the whole name is meant. There are no namespaces here: it always is.
            let prefix = prefix.strip_prefix(b"^").unwrap_or(prefix);
            patterns.push(Pattern { prefix: prefix.trim_end_with(|last| last == '/').to_owned(), shows });
        }
        Ok(Self(patterns))
    }

    /// Whether nothing is hidden.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the ref of that full name is hidden: the last pattern that is its name, or a directory
    /// that it lies in, decides.
    pub fn hides(&self, name: &BStr) -> bool {
        let last = self.0.iter().rev().find(|pattern| {
            name.strip_prefix(&pattern.prefix[..]).is_some_and(|rest| rest.is_empty() || rest[0] == b'/')
        });
        last.is_some_and(|pattern| !pattern.shows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(config: &str, side: Side) -> Hidden {
        Hidden::of(&Config::parse(config.as_bytes()).expect("sound"), side).expect("sound")
    }

    #[test]
    fn the_last_pattern_that_matches_decides() {
        let cases = [
            ("[transfer] hideRefs = refs/a", "refs/a", true),
            ("[transfer] hideRefs = refs/a", "refs/a/b", true),
            ("[transfer] hideRefs = refs/a", "refs/ab", false),
            ("[transfer] hideRefs = refs/a", "refs", false),
            ("[transfer] hideRefs = refs/a//", "refs/a/b", true),
            ("[transfer] hideRefs = ^refs/a", "refs/a/b", true),
            ("[uploadpack] hideRefs = refs/a", "refs/a/b", true),
            ("[receive] hideRefs = refs/a", "refs/a/b", false),
            ("[core] hideRefs = refs/a", "refs/a/b", false),
            ("[transfer \"x\"] hideRefs = refs/a", "refs/a/b", false),
            ("[transfer] hideRefs = refs/a\n hideRefs = !refs/a/b", "refs/a/b", false),
            ("[transfer] hideRefs = refs/a\n hideRefs = !refs/a/b", "refs/a/c", true),
            ("[transfer] hideRefs = !refs/a/b\n hideRefs = refs/a", "refs/a/b", true),
            (
                "[transfer] hideRefs = refs/a\n hideRefs = !^refs/a/b\n hideRefs = refs/a/b/c",
                "refs/a/b/c",
                true,
            ),
            ("[uploadpack] hideRefs = refs/a\n[transfer] hideRefs = !refs/a", "refs/a", false),
            ("[transfer] hideRefs = HEAD", "HEAD", true),
        ];
        for (config, name, expected) in cases {
            assert_eq!(hidden(config, Side::UploadPack).hides(name.into()), expected, "{config}: {name}");
        }
        assert!(hidden("[receive] hideRefs = refs/a", Side::Receive).hides("refs/a/b".into()));
        assert!(hidden("[core] bare", Side::Receive).is_empty());
    }

    #[test]
    fn what_is_to_be_hidden_has_to_be_said() {
        let config = Config::parse(b"[transfer] hideRefs").expect("sound");
        assert!(matches!(Hidden::of(&config, Side::Receive), Err(odb::Error::DamagedFile { .. })));
    }
}
