//! Tar files as `git archive` makes them, byte for byte: ustar, with pax headers (POSIX.1-2001, "pax
//! Interchange Format") for the commit's id and for what ustar has no room for.

use gix_hash::ObjectId;
use gix_object::tree::EntryKind;
use std::io::{self, Write};
use tar::{EntryType, Header};

/// The unit that everything is padded to, in bytes.
const BLOCK_BYTES: u64 = 512;

/// The unit that the whole file is padded to, in bytes.
const RECORD_BYTES: u64 = 20 * BLOCK_BYTES;

/// The latest time that a header has room for: eleven octal digits.
const TIME_MAX: u64 = 0o777_7777_7777;

/// A tar file in the making.
pub struct Tar<W> {
    out: W,
    written: u64,
    /// Of all entries, in seconds since the epoch.
    time: u64,
    /// How much of the present file's contents is to come.
    left: u64,
}

impl<W: Write> Tar<W> {
    /// Begins a file with the commit that it is of.
    pub fn new(out: W, commit_id: &ObjectId, seconds: i64) -> io::Result<Self> {
        let time = u64::try_from(seconds).unwrap_or(0);
        let mut tar = Self { out, written: 0, time: time.min(TIME_MAX), left: 0 };
        let mut records = pax_record("comment", commit_id.to_string().as_bytes());
        if time > TIME_MAX {
            records.extend(pax_record("mtime", time.to_string().as_bytes()));
        }
        tar.pax(EntryType::XGlobalHeader, b"pax_global_header", &records)?;
        Ok(tar)
    }

    /// Adds a directory (of a path with a slash at its end), link or file. `size` is that of the contents,
    /// which for a file come by [`Self::contents`] and for a link are in `target`.
    pub fn entry(
        &mut self,
        path: &[u8],
        kind: EntryKind,
        id: &ObjectId,
        size: u64,
        target: &[u8],
    ) -> io::Result<()> {
        let mut header = Header::new_ustar();
        let mut records = Vec::new();
        let ustar = header.as_ustar_mut().expect("it was made one");
        match split(path) {
            Some((prefix, name)) => {
                ustar.prefix[..prefix.len()].copy_from_slice(prefix);
                ustar.name[..name.len()].copy_from_slice(name);
            }
            None => {
                let name = format!("{id}.data");
                ustar.name[..name.len()].copy_from_slice(name.as_bytes());
                records.extend(pax_record("path", path));
            }
        }
        let (entry_type, mode, file_bytes) = match kind {
            EntryKind::Tree | EntryKind::Commit => (EntryType::Directory, 0o775, 0),
            EntryKind::Link => (EntryType::Symlink, 0o777, 0),
            EntryKind::BlobExecutable => (EntryType::Regular, 0o775, size),
            EntryKind::Blob => (EntryType::Regular, 0o664, size),
        };
        if kind == EntryKind::Link {
            if target.len() <= ustar.linkname.len() {
                ustar.linkname[..target.len()].copy_from_slice(target);
            } else {
                let name = format!("see {id}.paxheader");
                ustar.linkname[..name.len()].copy_from_slice(name.as_bytes());
                records.extend(pax_record("linkpath", target));
            }
        }
        if !records.is_empty() {
            self.pax(EntryType::XHeader, format!("{id}.paxheader").as_bytes(), &records)?;
        }
        self.header(header, entry_type, mode, file_bytes)?;
        self.left = file_bytes;
        Ok(())
    }

    /// Adds some of the contents of the file that was begun.
    pub fn contents(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write(bytes)?;
        self.left -= bytes.len() as u64;
        if self.left == 0 { self.pad(BLOCK_BYTES) } else { Ok(()) }
    }

    /// Ends the file, by two empty blocks at the least, and returns where it went.
    pub fn finish(mut self) -> io::Result<W> {
        self.write(&[0; 2 * BLOCK_BYTES as usize])?;
        self.pad(RECORD_BYTES)?;
        Ok(self.out)
    }

    fn pax(&mut self, entry_type: EntryType, name: &[u8], records: &[u8]) -> io::Result<()> {
        let mut header = Header::new_ustar();
        header.as_ustar_mut().expect("it was made one").name[..name.len()].copy_from_slice(name);
        self.header(header, entry_type, 0o666, records.len() as u64)?;
        self.write(records)?;
        self.pad(BLOCK_BYTES)
    }

    fn header(&mut self, mut header: Header, entry_type: EntryType, mode: u32, size: u64) -> io::Result<()> {
        header.set_entry_type(entry_type);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(size);
        header.set_mtime(self.time);
        header.set_username("root")?;
        header.set_groupname("root")?;
        header.set_device_major(0)?;
        header.set_device_minor(0)?;
        header.set_cksum();
        self.write(header.as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.written += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn pad(&mut self, unit: u64) -> io::Result<()> {
        let missing = self.written.next_multiple_of(unit) - self.written;
        self.write(&[0; RECORD_BYTES as usize][..missing as usize])
    }
}

/// A path as a header has room for it: 155 bytes, a slash that is not written, and 100 bytes. It is split as
/// late as the first of the two allows.
fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    const PREFIX_BYTES: usize = 155;
    const NAME_BYTES: usize = 100;
    if path.len() <= NAME_BYTES {
        return Some((b"", path));
    }
    let without_slash = path.strip_suffix(b"/").unwrap_or(path);
    let searched = &without_slash[..without_slash.len().min(PREFIX_BYTES)];
    // What begins a search has to be below the last byte that may be the slash.
    let slash = searched.iter().rposition(|byte| *byte == b'/').filter(|slash| *slash > 0)?;
    let name = &path[slash + 1..];
    (name.len() <= NAME_BYTES).then_some((&path[..slash], name))
}

/// `<length> <key>=<value>\n`, the length being that of all of it.
fn pax_record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + " =\n".len();
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    [format!("{length} {key}=").as_bytes(), value, b"\n"].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_counts_itself() {
        assert_eq!(pax_record("path", b"a"), b"9 path=a\n");
        assert_eq!(pax_record("path", b""), b"8 path=\n");
        for length in 0..2000 {
            let record = pax_record("path", &vec![b'x'; length]);
            let told: usize =
                std::str::from_utf8(&record).unwrap().split(' ').next().unwrap().parse().unwrap();
            assert_eq!(told, record.len());
        }
    }

    #[test]
    fn a_path_is_split_where_it_fits() {
        let name = |length: usize| "n".repeat(length);
        let cases = [
            (name(100), Some((String::new(), name(100)))),
            (name(101), None),
            (format!("a/{}", name(99)), Some(("a".into(), name(99)))),
            (format!("a/b/{}", name(100)), Some(("a/b".into(), name(100)))),
            (format!("a/{}", name(101)), None),
            (format!("{}/{}", name(154), name(100)), Some((name(154), name(100)))),
            (format!("{}/{}", name(155), name(100)), None),
            (format!("/{}", name(100)), None),
        ];
        for (path, expected) in cases {
            let expected = expected.as_ref().map(|(prefix, name)| (prefix.as_bytes(), name.as_bytes()));
            assert_eq!(split(path.as_bytes()), expected, "{path}");
        }
    }
}
