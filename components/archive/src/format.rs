//! The formats of archives, and an archive of any of them in the making.

use crate::tar::Tar;
use crate::zip::Zip;
use flate2::write::GzEncoder;
use gix_hash::ObjectId;
use gix_object::tree::EntryKind;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

/// What the bytes of an archive depend on beside the commit: grows when they change.
pub const VERSION: u32 = 4;

/// How hard `zlib-rs` tries. What comes out is as large as what `gzip` makes at its own level 6, which
/// `git archive` uses (within a hundredth, on source code), in two thirds of the time of level 6 here.
pub const DEFLATE_LEVEL: u32 = 5;

/// How much an encoder is given at once, in bytes: each call of one costs as much as some kilobytes of
/// contents, and most of what a tar file consists of is shorter.
const ENCODED_BYTES: usize = 64 << 10;

/// How hard Zstandard tries: its own default.
const ZSTD_LEVEL: i32 = 3;

/// A format of archives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Tar,
    TarGz,
    TarZst,
    Zip,
}

impl Format {
    pub const ALL: [Self; 4] = [Self::TarGz, Self::TarZst, Self::Tar, Self::Zip];

    /// What a file of it is called behind its name.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Tar => ".tar",
            Self::TarGz => ".tar.gz",
            Self::TarZst => ".tar.zst",
            Self::Zip => ".zip",
        }
    }

    /// Its media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Tar => "application/x-tar",
            Self::TarGz => "application/gzip",
            Self::TarZst => "application/zstd",
            Self::Zip => "application/zip",
        }
    }
}

/// Where an archive is written before it is taken from there, piece by piece.
#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn with<T>(&self, function: impl FnOnce(&mut Vec<u8>) -> T) -> T {
        function(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.with(|held| held.extend_from_slice(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Compresses what a tar file consists of.
enum Coder {
    Plain(Sink),
    Gzip(Gathered<GzEncoder<Sink>>),
    Zstd(Gathered<zstd::stream::write::Encoder<'static, Sink>>),
}

impl Coder {
    fn finish(self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(gathered) => gathered.into_inner()?.try_finish(),
            Self::Zstd(gathered) => gathered.into_inner()?.do_finish(),
        }
    }
}

/// Hands on what is written in pieces of [`ENCODED_BYTES`], however it is written: what an encoder makes of it
/// may depend on the pieces.
struct Gathered<W> {
    inner: W,
    held: Vec<u8>,
}

impl<W: Write> Gathered<W> {
    fn new(inner: W) -> Self {
        Self { inner, held: Vec::with_capacity(ENCODED_BYTES) }
    }

    fn into_inner(mut self) -> io::Result<W> {
        self.inner.write_all(&self.held)?;
        Ok(self.inner)
    }
}

impl<W: Write> Write for Gathered<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = bytes.len().min(ENCODED_BYTES - self.held.len());
        self.held.extend_from_slice(&bytes[..count]);
        if self.held.len() == ENCODED_BYTES {
            self.inner.write_all(&self.held)?;
            self.held.clear();
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Coder {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(sink) => sink.write(bytes),
            Self::Gzip(gathered) => gathered.write(bytes),
            Self::Zstd(gathered) => gathered.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An archive in the making.
pub struct Packing {
    sink: Sink,
    form: Form,
}

enum Form {
    Tar(Box<Tar<Coder>>),
    Zip(Box<Zip<Sink>>),
    Finished,
}

impl Packing {
    /// Begins an archive of a commit, whose date all its entries have.
    pub fn new(format: Format, commit_id: &ObjectId, seconds: i64) -> io::Result<Self> {
        let sink = Sink::default();
        let coder = match format {
            Format::Zip => {
                let zip = Zip::new(sink.clone(), commit_id, seconds)?;
                return Ok(Self { sink, form: Form::Zip(Box::new(zip)) });
            }
            Format::Tar => Coder::Plain(sink.clone()),
            Format::TarGz => {
                let level = flate2::Compression::new(DEFLATE_LEVEL);
                Coder::Gzip(Gathered::new(GzEncoder::new(sink.clone(), level)))
            }
            Format::TarZst => {
                let encoder = zstd::stream::write::Encoder::new(sink.clone(), ZSTD_LEVEL)?;
                Coder::Zstd(Gathered::new(encoder))
            }
        };
        let tar = Tar::new(coder, commit_id, seconds)?;
        Ok(Self { sink, form: Form::Tar(Box::new(tar)) })
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
        match &mut self.form {
            Form::Tar(tar) => tar.entry(path, kind, id, size, target),
            Form::Zip(zip) => zip.entry(path, kind, size, target),
            Form::Finished => Ok(()),
        }
    }

    /// Adds some of the contents of the file that was begun.
    pub fn contents(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.form {
            Form::Tar(tar) => tar.contents(bytes),
            Form::Zip(zip) => zip.contents(bytes),
            Form::Finished => Ok(()),
        }
    }

    /// Ends the archive.
    pub fn finish(&mut self) -> io::Result<()> {
        match std::mem::replace(&mut self.form, Form::Finished) {
            Form::Tar(tar) => tar.finish()?.finish(),
            Form::Zip(zip) => zip.finish(),
            Form::Finished => Ok(()),
        }
    }

    /// How many bytes wait to be taken.
    pub fn len(&self) -> usize {
        self.sink.with(|held| held.len())
    }

    /// Whether no byte waits to be taken.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes the bytes that wait.
    pub fn take(&mut self) -> Vec<u8> {
        self.sink.with(std::mem::take)
    }
}
