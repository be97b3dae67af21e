//! The file `packed-refs`, as a pure function from bytes to refs and back.

use super::snapshot::{Ref, Target};
use super::{Error, is_valid_name};
use crate::format::ObjectFormat;
use bstr::{BString, ByteSlice};
use gix_hash::ObjectId;

/// The refs of a `packed-refs` file, sorted by name.
#[derive(Debug, Default)]
pub(super) struct PackedRefs {
    pub refs: Vec<Ref>,
    /// Names that no ref may have; Git passes over them too.
    pub broken: Vec<BString>,
}

impl PackedRefs {
    /// Reads the file's bytes, with ids of that format. A file without the header `# pack-refs with:` is older and as good.
    pub fn parse(bytes: &[u8], object_format: ObjectFormat) -> Result<Self, Error> {
        let parse_id = |hex: &[u8]| ObjectId::from_hex(hex).ok().filter(|id| id.kind() == object_format);
        let mut packed = Self::default();
        let mut tags_are_peeled = false;
        let mut all_are_peeled = false;
        let mut after_ref = false;
        for (index, line) in bytes.lines().enumerate() {
            let damaged = || Error::DamagedPackedRefs { line_number: index + 1 };
            if line.starts_with(b"#") && index == 0 {
                let mut traits = line.fields_with(|c| c == ' ').skip(3);
                let has = |name: &[u8]| traits.clone().any(|field| field == name);
                (tags_are_peeled, all_are_peeled) = (has(b"peeled"), has(b"fully-peeled"));
                traits.next();
            } else if let Some(hex) = line.strip_prefix(b"^") {
                let last = packed.refs.last_mut().filter(|_| after_ref);
                let last = last.ok_or_else(damaged)?;
                last.peeled = Some(parse_id(hex).ok_or_else(damaged)?);
                last.is_peel_known = true;
                after_ref = false;
            } else {
                let (hex, name) = line.split_once_str(" ").ok_or_else(damaged)?;
                let id = parse_id(hex).ok_or_else(damaged)?;
                after_ref = true;
                let is_valid = is_valid_name(name.as_bstr()) && !id.is_null();
                if !is_valid {
                    packed.broken.push(name.into());
                }
                packed.refs.push(Ref {
                    name: if is_valid { name.into() } else { BString::default() },
                    target: Target::Id(id),
                    peeled: None,
                    is_peel_known: all_are_peeled || tags_are_peeled && name.starts_with(b"refs/tags/"),
                });
            }
        }
        packed.refs.retain(|entry| !entry.name.is_empty());
        if !packed.refs.is_sorted_by(|a, b| a.name < b.name) {
            packed.refs.sort_by(|a, b| a.name.cmp(&b.name));
            packed.refs.dedup_by(|a, b| a.name == b.name);
        }
        Ok(packed)
    }

    /// The entry of that name.
    pub fn find(&self, name: &[u8]) -> Option<&Ref> {
        let index = self.refs.binary_search_by(|entry| entry.name.as_slice().cmp(name));
        index.ok().map(|index| &self.refs[index])
    }

    /// Whether there is a ref below `name` and a slash; then which.
    pub fn find_below(&self, name: &[u8]) -> Option<&Ref> {
        let prefix = [name, b"/"].concat();
        let start = self.refs.partition_point(|entry| entry.name.as_slice() < prefix.as_slice());
        self.refs.get(start).filter(|entry| entry.name.starts_with(&prefix))
    }
}

/// The bytes of the file that holds `refs`, which are sorted by name and all point to ids.
pub(super) fn write(refs: &[Ref]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(64 + refs.iter().map(|entry| entry.name.len() + 84).sum::<usize>());
    let known_where =
        |wanted: fn(&Ref) -> bool| refs.iter().filter(|entry| wanted(entry)).all(|entry| entry.is_peel_known);
    let header: &[u8] = if known_where(|_| true) {
        b"# pack-refs with: peeled fully-peeled sorted \n"
    } else if known_where(|entry| entry.name.starts_with(b"refs/tags/")) {
        b"# pack-refs with: peeled sorted \n"
    } else {
        b"# pack-refs with: sorted \n"
    };
    bytes.extend_from_slice(header);
    for entry in refs {
        let Target::Id(id) = &entry.target else {
            continue;
        };
        bytes.extend_from_slice(id.to_hex().to_string().as_bytes());
        bytes.push(b' ');
        bytes.extend_from_slice(&entry.name);
        bytes.push(b'\n');
        if let Some(peeled) = &entry.peeled {
            bytes.push(b'^');
            bytes.extend_from_slice(peeled.to_hex().to_string().as_bytes());
            bytes.push(b'\n');
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    fn parse(text: &str) -> Result<PackedRefs, Error> {
        PackedRefs::parse(text.as_bytes(), ObjectFormat::Sha1)
    }

    #[test]
    fn ids_are_of_the_repositorys_format() {
        let id = "a".repeat(64);
        let text = format!("{id} refs/heads/main\n{id} refs/tags/v1\n^{id}\n");
        let packed = PackedRefs::parse(text.as_bytes(), ObjectFormat::Sha256).expect("sound");
        assert!(write(&packed.refs).ends_with(text.as_bytes()));
        for (id, format) in [(A, ObjectFormat::Sha256), (&id, ObjectFormat::Sha1)] {
            let text = format!("{id} refs/heads/main\n");
            let refused = PackedRefs::parse(text.as_bytes(), format);
            assert!(matches!(refused, Err(Error::DamagedPackedRefs { line_number: 1 })), "{format}");
        }
    }

    #[test]
    fn what_is_written_reads_back() {
        let text = format!(
            "# pack-refs with: peeled fully-peeled sorted \n{A} refs/heads/main\n{B} refs/tags/v1\n^{A}\n"
        );
        let packed = parse(&text).expect("sound");
        assert_eq!(write(&packed.refs).as_bstr(), text.as_bytes().as_bstr());
        let tag = packed.find(b"refs/tags/v1").expect("is there");
        assert_eq!(tag.peeled.map(|id| id.to_string()).as_deref(), Some(A));
        assert!(packed.find(b"refs/tags/v").is_none());
        assert!(packed.find_below(b"refs/tags").is_some());
        assert!(packed.find_below(b"refs/tags/v1").is_none());
    }

    #[test]
    fn an_unsorted_file_without_a_header_is_sorted() {
        let text = format!("{A} refs/heads/z\n{B} refs/heads/a\n");
        let packed = parse(&text).expect("sound");
        let names: Vec<_> = packed.refs.iter().map(|entry| entry.name.to_string()).collect();
        assert_eq!(names, ["refs/heads/a", "refs/heads/z"]);
        assert!(!packed.refs[0].is_peel_known);
    }

    #[test]
    fn damage_is_named_by_line_and_bad_names_are_passed_over() {
        let cases: &[(String, Result<usize, usize>)] = &[
            (String::new(), Ok(0)),
            (format!("{A} refs/heads/a..b\n^{B}\n{A} refs/heads/a\n"), Ok(1)),
            (format!("{A} ../../outside\n"), Ok(0)),
            (format!("{A} refs/heads/a\n\n"), Err(2)),
            (format!("^{A}\n"), Err(1)),
            (format!("{A} refs/heads/a\n^{B}\n^{B}\n"), Err(3)),
            (format!("{A}\trefs/heads/a\n"), Err(1)),
            (format!("{} refs/heads/a\n", &A[1..]), Err(1)),
            ("\0\0\0".to_owned(), Err(1)),
        ];
        for (text, expected) in cases {
            let result = match parse(text) {
                Ok(packed) => Ok(packed.refs.len()),
                Err(Error::DamagedPackedRefs { line_number }) => Err(line_number),
                Err(other) => panic!("{other}"),
            };
            assert_eq!(&result, expected, "{text:?}");
        }
    }
}
