//! Zip files, written as they are sent: sizes stand behind the contents, and again in the directory at
//! the end. As with `git archive`, the comment is the commit's id.

use crate::format::DEFLATE_LEVEL;
use gix_hash::ObjectId;
use gix_object::tree::EntryKind;
use std::io::{self, Write};
use zip::result::ZipError;
use zip::write::{FullFileOptions, StreamWriter};
use zip::{CompressionMethod, DateTime, System, ZipWriter};

/// The extra field with a time in seconds since the epoch ("UT", Info-ZIP's "extended timestamp").
const EXTENDED_TIMESTAMP: u16 = 0x5455;

/// Says of that field that it has the time of the last change, and no other.
const HAS_MODIFIED: u8 = 1;

/// Contents that a zip file needs the larger fields for, in bytes.
const LARGE_BYTES: u64 = u32::MAX as u64 / 2;

/// A zip file in the making.
pub struct Zip<W: Write> {
    writer: ZipWriter<StreamWriter<W>>,
    time: DateTime,
    timestamp: [u8; 5],
}

impl<W: Write> Zip<W> {
    /// Begins a file with the commit that it is of.
    pub fn new(out: W, commit_id: &ObjectId, seconds: i64) -> io::Result<Self> {
        let mut writer = ZipWriter::new_stream(out);
        writer.set_comment(commit_id.to_string()).map_err(io_error)?;
        // The field has 32 bits, which most read as signed.
        let modified = i32::try_from(seconds).unwrap_or(if seconds < 0 { 0 } else { i32::MAX });
        let mut timestamp = [HAS_MODIFIED, 0, 0, 0, 0];
        timestamp[1..].copy_from_slice(&modified.to_le_bytes());
        Ok(Self { writer, time: date_time(seconds), timestamp })
    }

    /// Adds a directory (of a path with a slash at its end), link or file. `size` is that of the contents,
    /// which for a file come by [`Self::contents`] and for a link are in `target`.
    pub fn entry(&mut self, path: &[u8], kind: EntryKind, size: u64, target: &[u8]) -> io::Result<()> {
        let (mode, method) = match kind {
            EntryKind::Tree | EntryKind::Commit => return self.directory(path),
            EntryKind::Link => (0o120_777, CompressionMethod::Stored),
            _ if size == 0 => (file_mode(kind), CompressionMethod::Stored),
            _ => (file_mode(kind), CompressionMethod::Deflated),
        };
        let options = self.options()?.name(path).external_attributes(mode << 16).compression_method(method);
        let level = (method == CompressionMethod::Deflated).then_some(DEFLATE_LEVEL.into());
        let options = options.compression_level(level).large_file(size > LARGE_BYTES);
        self.writer.start_file_with_options(options).map_err(io_error)?;
        self.writer.write_all(target)
    }

    /// The library takes directories by names in UTF-8 alone. The files in one of another name bring it along.
    fn directory(&mut self, path: &[u8]) -> io::Result<()> {
        let Ok(name) = std::str::from_utf8(path) else { return Ok(()) };
        let options = self.options()?.unix_permissions(0o775);
        self.writer.add_directory(name, options).map_err(io_error)
    }

    /// What holds for every entry.
    fn options(&self) -> io::Result<FullFileOptions<'static, 'static>> {
        let mut options = FullFileOptions::default().system(System::Unix).last_modified_time(self.time);
        options.add_extra_field(EXTENDED_TIMESTAMP, self.timestamp, false).map_err(io_error)?;
        Ok(options)
    }

    /// Adds some of the contents of the file that was begun.
    pub fn contents(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    /// Ends the file with its directory.
    pub fn finish(self) -> io::Result<()> {
        self.writer.finish().map(drop).map_err(io_error)
    }
}

fn file_mode(kind: EntryKind) -> u32 {
    if kind == EntryKind::BlobExecutable { 0o100_775 } else { 0o100_664 }
}

/// A time in UTC as MS-DOS has it, from 1980 to 2107, in steps of two seconds.
fn date_time(seconds: i64) -> DateTime {
    let (first, last) = (315_532_800, 4_354_819_198);
    let timestamp =
        jiff::Timestamp::from_second(seconds.clamp(first, last)).expect("clamped to what it holds");
    DateTime::try_from(jiff::tz::Offset::UTC.to_datetime(timestamp)).expect("clamped to what it holds")
}

fn io_error(error: ZipError) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        error => io::Error::other(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_that_ms_dos_has_not_are_the_nearest() {
        let cases = [
            (i64::MIN, (1980, 1, 1)),
            (0, (1980, 1, 1)),
            (1_700_000_000, (2023, 11, 14)),
            (i64::MAX, (2107, 12, 31)),
        ];
        for (seconds, expected) in cases {
            let time = date_time(seconds);
            assert_eq!((time.year(), time.month(), time.day()), expected, "{seconds}");
        }
    }
}
