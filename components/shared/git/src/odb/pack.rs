//! An open pack, its index, and the order in which its entries lie.

use super::entry::{EntryKind, HEADER_LEN_MAX, Header};
use super::error::Error;
use super::file::File;
use super::index::Index;
use super::inflate::{Inflater, Reason};
use super::order::Order;
use super::reader;
use super::stream::Stream;
use super::window::{FileNumber, Windows};
use crate::format::ObjectFormat;
use crate::limits::WINDOW_BYTES;
use gix_hash::ObjectId;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The length of a pack's head: `PACK`, version and number of objects.
pub const PACK_HEADER_LEN: u64 = 12;

/// A pack and its index.
pub struct Pack {
    pub index: Arc<Index>,
    /// `pack-….pack`.
    pub name: String,
    /// Whether it is another repository's.
    pub is_borrowed: bool,
    path: PathBuf,
    number: FileNumber,
    file: Option<File>,
    order: Option<Arc<Order>>,
}

impl Pack {
    /// Opens the index at `index_path`; the pack itself is opened when it is first needed.
    pub fn open(index_path: &Path, number: FileNumber, object_format: ObjectFormat) -> Result<Self, Error> {
        let path = index_path.with_extension("pack");
        Ok(Self {
            index: Arc::new(Index::open(index_path, object_format)?),
            name: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            path,
            is_borrowed: false,
            number,
            file: None,
            order: None,
        })
    }

    /// Opens the pack if it is not yet. False: it is gone.
    pub fn ensure_open(&mut self) -> Result<bool, Error> {
        if self.file.is_some() {
            return Ok(true);
        }
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(Error::io(&self.path)(error)),
        };
        let mut head = [0; PACK_HEADER_LEN as usize];
        if file.len() < PACK_HEADER_LEN + self.trailer_len() {
            return Err(self.damaged_file("it is too short for a pack"));
        }
        file.read_exact_at(&mut head, 0).map_err(Error::io(&self.path))?;
        if head[..4] != *b"PACK" || !matches!(head[4..8], [0, 0, 0, 2 | 3]) {
            return Err(self.damaged_file("it does not begin as a pack"));
        }
        if head[8..] != self.index.len().to_be_bytes() {
            return Err(self.damaged_file("it has not as many objects as its index"));
        }
        self.file = Some(file);
        Ok(true)
    }

    /// Its name without the extension.
    pub fn stem(&self) -> &str {
        self.name.strip_suffix(".pack").unwrap_or(&self.name)
    }

    /// The file of another kind that belongs to the pack.
    pub fn sibling(&self, extension: &str) -> PathBuf {
        self.path.with_extension(extension)
    }

    /// The length of the pack, which has to be open, in bytes.
    ///
    /// Fails if it does not end with the checksum that its index says: it was cut, or is another.
    pub fn bytes(&self) -> Result<u64, Error> {
        if self.checksum()? != self.index.pack_checksum()? {
            return Err(self.damaged_file("it does not end as its index says"));
        }
        Ok(self.file()?.len())
    }

    /// Reads the checksum at the end of the pack, which has to be open.
    pub fn checksum(&self) -> Result<ObjectId, Error> {
        let file = self.file()?;
        let mut checksum = ObjectId::null(self.index.object_format());
        let at = file.len() - self.trailer_len();
        file.read_exact_at(checksum.as_mut_slice(), at).map_err(Error::io(&self.path))?;
        Ok(checksum)
    }

    /// Reads the head of the entry at `offset`.
    pub fn header(&self, windows: &mut Windows, offset: u64) -> Result<Header, Error> {
        let file = self.file()?;
        if offset < PACK_HEADER_LEN || offset >= file.len() - self.trailer_len() {
            return Err(self.damaged(offset, "it is outside of the pack"));
        }
        let (window, within) = self.window(windows, offset)?;
        let header = if window.len() - within >= HEADER_LEN_MAX {
            Header::parse(&window[within..], self.index.object_format())
        } else {
            let mut head = [0; HEADER_LEN_MAX];
            let len = (file.len() - offset).min(HEADER_LEN_MAX as u64) as usize;
            windows.read_exact(self.number, file, offset, &mut head[..len]).map_err(Error::io(&self.path))?;
            Header::parse(&head[..len], self.index.object_format())
        };
        header.map_err(|reason| self.damaged(offset, reason))
    }

    /// Returns the offset of the entry that a delta is based on; none: it is a whole object.
    pub fn base_offset(&self, offset: u64, kind: EntryKind) -> Result<Option<u64>, Error> {
        match kind {
            EntryKind::Whole(_) => Ok(None),
            EntryKind::OfsDelta(distance) => offset
                .checked_sub(distance)
                .filter(|base| (PACK_HEADER_LEN..offset).contains(base))
                .map(Some)
                .ok_or_else(|| self.damaged(offset, "its base is outside of the pack")),
            EntryKind::RefDelta(id) => match self.index.position(&id)? {
                Some(position) => self.index.offset(position).map(Some),
                None => Err(self.damaged(offset, "its base is not in the pack")),
            },
        }
    }

    /// Inflates what an entry stores: the object, or the delta.
    pub fn inflate(
        &self,
        windows: &mut Windows,
        inflater: &mut Inflater,
        offset: u64,
        header: &Header,
    ) -> Result<Vec<u8>, Error> {
        let start = offset + header.len as u64;
        let size =
            usize::try_from(header.size).map_err(|_| self.damaged(offset, "it is impossibly large"))?;
        let file = self.file()?;
        let inflated = inflater.exactly(size, |used| -> Result<Piece, Failure> {
            let at = start + used as u64;
            match at < file.len() {
                true => Ok(Piece(Some(windows.at(self.number, file, at).map_err(Failure::Io)?))),
                false => Ok(Piece(None)),
            }
        });
        inflated.map_err(|failure| match failure {
            Failure::Data(reason) => self.damaged(offset, reason),
            Failure::Io(source) => Error::Io { path: self.path.clone(), source },
        })
    }

    /// Opens what the entry at `offset` stores, by a file of its own.
    pub fn entry(&self, offset: u64, header: &Header) -> Result<reader::Packed, Error> {
        let file = File::open(&self.path).map_err(Error::io(&self.path))?;
        let stream = Stream::new(file, offset + header.len as u64, header.size);
        Ok(reader::Packed { stream, pack: self.name.clone(), offset })
    }

    /// Inflates the first bytes of what an entry stores, as many as fit.
    pub fn inflate_start(
        &self,
        windows: &mut Windows,
        inflater: &mut Inflater,
        offset: u64,
        header: &Header,
        output: &mut [u8],
    ) -> Result<usize, Error> {
        let mut at = offset + header.len as u64;
        let mut made = 0;
        inflater.start();
        while made < output.len() {
            let (window, within) = self.window(windows, at)?;
            let (consumed, produced, progress) = inflater
                .step(&window[within..], &mut output[made..])
                .map_err(|reason| self.damaged(offset, reason))?;
            at += consumed as u64;
            made += produced;
            if progress == super::inflate::Progress::Ended || consumed == 0 && produced == 0 {
                break;
            }
        }
        Ok(made)
    }

    /// Appends stored bytes as they are: small pieces through the cache, since their neighbours are
    /// likely to follow, and large ones past it.
    pub fn append_stored(
        &self,
        windows: &mut Windows,
        offset: u64,
        count: usize,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let file = self.file()?;
        let at = out.len();
        out.resize(at + count, 0);
        let buffer = &mut out[at..];
        let outcome = if count < WINDOW_BYTES / 4 {
            windows.read_exact(self.number, file, offset, buffer)
        } else {
            file.read_exact_at(buffer, offset)
        };
        outcome.map_err(Error::io(&self.path))
    }

    /// Returns the order of the entries. It is made when it is first needed, or taken from the file beside
    /// the pack, if that may be.
    pub fn order(&mut self, is_stored: bool) -> Result<Arc<Order>, Error> {
        if let Some(order) = &self.order {
            return Ok(order.clone());
        }
        let end = self.bytes()? - self.trailer_len();
        let order = match is_stored {
            true => Order::of(&self.index, &self.sibling("rev"), &self.checksum()?, end)?,
            false => Order::by_sorting(&self.index, end)?,
        };
        Ok(self.order.insert(Arc::new(order)).clone())
    }

    /// Has the order of the entries made anew when it is needed next.
    pub fn forget_order(&mut self) {
        self.order = None;
    }

    pub fn damaged(&self, offset: u64, reason: Reason) -> Error {
        Error::DamagedEntry { pack: self.name.clone(), offset, reason }
    }

    fn damaged_file(&self, reason: Reason) -> Error {
        Error::DamagedFile { file: self.name.clone(), reason }
    }

    /// The length of the checksum at the end of the pack.
    fn trailer_len(&self) -> u64 {
        self.index.object_format().len_in_bytes() as u64
    }

    fn file(&self) -> Result<&File, Error> {
        self.file.as_ref().ok_or_else(|| self.damaged_file("it is gone"))
    }

    fn window(&self, windows: &mut Windows, offset: u64) -> Result<(Arc<[u8]>, usize), Error> {
        windows.at(self.number, self.file()?, offset).map_err(Error::io(&self.path))
    }
}

/// A piece of a file from some place on; none: the end.
struct Piece(Option<(Arc<[u8]>, usize)>);

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        self.0.as_ref().map_or(&[], |(window, within)| &window[*within..])
    }
}

enum Failure {
    Data(Reason),
    Io(io::Error),
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::Data(reason)
    }
}
