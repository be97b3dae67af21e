//! Which ref names are acceptable, and where their files lie.

use bstr::{BStr, ByteSlice};
use std::path::PathBuf;

/// The longest name: what most file systems take as a path, less room for the repository's own.
pub const NAME_BYTES_MAX: usize = 2048;
/// The longest part between slashes, so that `<part>.lock` is a file name.
const PART_BYTES_MAX: usize = 250;

/// Whether `name` is below `refs/` and well-formed by git-check-ref-format(1).
///
/// Narrower than Git in one point: the name must be UTF-8, because WASI has no other file names.
pub fn is_valid_name(name: &BStr) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.starts_with(b"refs/")
        && name.is_utf8()
        && name.split_str("/").all(|part| part.len() <= PART_BYTES_MAX)
        && gix_validate::reference::name(name).is_ok()
}

/// The loose file of a valid ref, relative to the repository.
pub(super) fn loose_path(name: &BStr) -> PathBuf {
    PathBuf::from(name.to_str().expect("valid names are UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked() {
        let long_part = format!("refs/heads/{}", "a".repeat(PART_BYTES_MAX));
        let too_long_part = format!("{long_part}a");
        let long = format!("refs/a{}", "/a".repeat(NAME_BYTES_MAX / 2)).into_bytes();
        let cases: &[(&[u8], bool)] = &[
            (b"refs/heads/main", true),
            (b"refs/heads/a/b", true),
            (b"refs/x", true),
            ("refs/heads/\u{e9}".as_bytes(), true),
            (b"refs/heads/@", true),
            (b"refs/heads/HEAD", true),
            (long_part.as_bytes(), true),
            (too_long_part.as_bytes(), false),
            (&long[..NAME_BYTES_MAX], true),
            (&[&long[..NAME_BYTES_MAX], b"a"].concat(), false),
            (b"", false),
            (b"HEAD", false),
            (b"refs", false),
            (b"refs/", false),
            (b"heads/main", false),
            (b"refs/heads/../x", false),
            (b"refs/heads/..", false),
            (b"refs/heads/.hidden", false),
            (b"refs/heads//x", false),
            (b"refs/heads/x.lock", false),
            (b"refs/heads/x.lock/y", false),
            (b"refs/heads/x.", false),
            (b"refs/heads/x/", false),
            (b"refs/heads/a b", false),
            (b"refs/heads/a\\b", false),
            (b"refs/heads/a:b", false),
            (b"refs/heads/a~1", false),
            (b"refs/heads/a^", false),
            (b"refs/heads/a?", false),
            (b"refs/heads/a*", false),
            (b"refs/heads/a[", false),
            (b"refs/heads/a@{1}", false),
            (b"refs/heads/a\x01", false),
            (b"refs/heads/a\x7f", false),
            (b"refs/heads/a\0b", false),
            (b"refs/heads/\xff", false),
        ];
        for (name, expected) in cases {
            assert_eq!(is_valid_name(name.as_bstr()), *expected, "{}", name.as_bstr());
        }
    }
}
