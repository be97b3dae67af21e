//! What stands in a repository in the place of a large file (Git LFS, docs/spec.md, "The Pointer").

use crate::Oid;

/// A pointer has fewer bytes than this.
pub const POINTER_BYTES_MAX: u64 = 1024;

/// The versions of the format that clients read.
const VERSIONS: [&str; 2] = ["https://git-lfs.github.com/spec/v1", "https://hawser.github.com/spec/v1"];

/// What a pointer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer {
    pub oid: Oid,
    /// The size of the file, in bytes.
    pub size: u64,
}

impl Pointer {
    /// Reads the contents of a file. None: it is not a pointer, and is to be taken for what it is.
    pub fn parse(contents: &[u8]) -> Option<Self> {
        if contents.len() as u64 >= POINTER_BYTES_MAX {
            return None;
        }
        let text = std::str::from_utf8(contents).ok()?;
        let mut lines = text.strip_suffix('\n')?.split('\n');
        let version = lines.next()?.strip_prefix("version ")?;
        if !VERSIONS.contains(&version) {
            return None;
        }
        let (mut oid, mut size) = (None, None);
        // Lines that are not known here may stand between, such as those of extensions.
        for line in lines {
            match line.split_once(' ')? {
                ("oid", value) => oid = Some(Oid::parse(value.strip_prefix("sha256:")?)?),
                ("size", value) => size = Some(parse_size(value)?),
                _ => {}
            }
        }
        Some(Self { oid: oid?, size: size? })
    }
}

fn parse_size(digits: &str) -> Option<u64> {
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OID: &str = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393";

    #[test]
    fn pointers_are_told_from_what_looks_like_them() {
        let version = "version https://git-lfs.github.com/spec/v1";
        let good = format!("{version}\noid sha256:{OID}\nsize 12345\n");
        let pointer = Pointer { oid: Oid::parse(OID).expect("a name"), size: 12_345 };
        assert_eq!(Pointer::parse(good.as_bytes()), Some(pointer.clone()));
        let extended = format!("{version}\next-0-foo sha256:{OID}\noid sha256:{OID}\nsize 12345\n");
        assert_eq!(Pointer::parse(extended.as_bytes()), Some(pointer.clone()));
        let first = good.replace("git-lfs", "hawser");
        assert_eq!(Pointer::parse(first.as_bytes()), Some(pointer));
        for bad in [
            "",
            "\n",
            version,
            &good[..good.len() - 1],
            &format!("{version}\n"),
            &good.replace("spec/v1", "spec/v9"),
            &good.replace("sha256", "sha1"),
            &good.replace("4d7a", "4D7A"),
            &good.replace("12345", "-1"),
            &good.replace("12345", "+1"),
            &good.replace("12345", "99999999999999999999999"),
            &good.replace('\n', "\r\n"),
            &format!(" {good}"),
            &format!("{good}\n"),
            &format!("{good}more\n"),
            &format!("{good}x {}\n", "y".repeat(1024)),
        ] {
            assert_eq!(Pointer::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(Pointer::parse(b"version \xff\n"), None);
    }

    #[test]
    fn damaged_pointers_are_harmless() {
        lithe_fuzz::fuzz("lfs-pointer", |bytes| {
            let _ = Pointer::parse(bytes);
        });
    }
}
