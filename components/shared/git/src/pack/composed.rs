//! A pack of objects that were just made, such as a commit with its trees and files.

use super::stream::compress;
use crate::checksum::Checksum;
use crate::format::ObjectFormat;
use crate::odb::entry::EntryKind;
use gix_object::Kind;

/// The bytes of a pack (gitformat-pack, version 2) that has these objects, each stored whole, at most as
/// many as 32 bits count.
pub fn of_objects(object_format: ObjectFormat, objects: &[(Kind, Vec<u8>)]) -> Vec<u8> {
    let count = u32::try_from(objects.len()).expect("nobody has made so many objects in memory");
    let mut pack = b"PACK\0\0\0\x02".to_vec();
    pack.extend_from_slice(&count.to_be_bytes());
    for (kind, data) in objects {
        compress(EntryKind::Whole(*kind), data, &mut pack);
    }
    let mut checksum = Checksum::new(object_format);
    checksum.update(&pack);
    pack.extend_from_slice(checksum.finish().as_slice());
    pack
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Scratch;

    #[test]
    fn git_takes_the_pack() {
        let objects =
            [(Kind::Blob, b"contents".to_vec()), (Kind::Blob, Vec::new()), (Kind::Blob, vec![b'x'; 100_000])];
        for format in ["sha1", "sha256"] {
            let object_format = if format == "sha1" { ObjectFormat::Sha1 } else { ObjectFormat::Sha256 };
            let place = Scratch::new();
            place.sh(&format!("git init -q --bare --object-format={format} r.git"));
            std::fs::write(place.path().join("r.git/pack"), of_objects(object_format, &objects))
                .expect("written");
            place.sh("git -C r.git index-pack --strict --stdin < r.git/pack");
            for (kind, data) in &objects {
                let id = gix_object::compute_hash(object_format, *kind, data).expect("it has an id");
                assert_eq!(place.sh(&format!("git -C r.git cat-file -s {id}")), data.len().to_string());
            }
        }
    }
}
