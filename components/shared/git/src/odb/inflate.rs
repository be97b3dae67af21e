//! Inflating zlib streams (RFC 1950) of a known size.

use flate2::{Decompress, FlushDecompress, Status};

/// Why a stream cannot be inflated, in words.
pub type Reason = &'static str;

const OUTPUT_BYTES_FIRST: usize = 1024 * 1024;

/// The largest stream that is inflated beside others in the same place, in bytes.
const SMALL_BYTES_MAX: usize = 64 * 1024;

/// Room behind a small stream: only with more left than the longest match of 258 bytes takes are several symbols
/// decoded at once.
const SLACK_BYTES: usize = 512;

/// One decompressor, reused for every stream.
pub struct Inflater {
    inner: Decompress,
    /// Where small streams are inflated. It grows to the largest of them.
    place: Vec<u8>,
}

/// Where a stream stands after some of it was inflated.
#[derive(Debug, PartialEq, Eq)]
pub enum Progress {
    /// More input is needed, or more room for output.
    Going,
    /// The stream has ended and its checksum is right.
    Ended,
}

impl Inflater {
    pub fn new() -> Self {
        Self { inner: Decompress::new(true), place: Vec::new() }
    }

    /// Forgets what was inflated, for the next stream.
    pub fn start(&mut self) {
        self.inner.reset(true);
    }

    /// How many bytes of output the present stream has made.
    pub fn total_out(&self) -> u64 {
        self.inner.total_out()
    }

    /// Inflates from `input` to `output`; returns how many bytes of each were used.
    pub fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<(usize, usize, Progress), Reason> {
        let (before_in, before_out) = (self.inner.total_in(), self.inner.total_out());
        let status = self
            .inner
            .decompress(input, output, FlushDecompress::None)
            .map_err(|_| "its compressed data is broken")?;
        let consumed = (self.inner.total_in() - before_in) as usize;
        let produced = (self.inner.total_out() - before_out) as usize;
        let progress = if status == Status::StreamEnd { Progress::Ended } else { Progress::Going };
        Ok((consumed, produced, progress))
    }

    /// Inflates a whole stream that makes exactly `size` bytes. `input` is called with how many
    /// bytes it gave are used up by now, and returns the next ones; an empty slice is the end.
    pub fn exactly<E: From<Reason>, B: AsRef<[u8]>>(
        &mut self,
        size: usize,
        input: impl FnMut(usize) -> Result<B, E>,
    ) -> Result<Vec<u8>, E> {
        if size <= SMALL_BYTES_MAX {
            return self.small(size, input).map(<[u8]>::to_vec);
        }
        // One byte more than needed shows a stream that goes on. Memory grows with what is really
        // there: a size that is only claimed costs nothing.
        let mut output = vec![0; (size + 1).min(OUTPUT_BYTES_FIRST)];
        self.fill(size, size + 1, &mut output, input)?;
        output.truncate(size);
        Ok(output)
    }

    /// The same, for at most [`SMALL_BYTES_MAX`]; what it makes is there until the next stream.
    fn small<E: From<Reason>, B: AsRef<[u8]>>(
        &mut self,
        size: usize,
        input: impl FnMut(usize) -> Result<B, E>,
    ) -> Result<&[u8], E> {
        let mut place = std::mem::take(&mut self.place);
        if place.len() < size + SLACK_BYTES {
            place.resize(size + SLACK_BYTES, 0);
        }
        let len = place.len();
        let filled = self.fill(size, len, &mut place, input);
        self.place = place;
        filled.map(|()| &self.place[..size])
    }

    /// Inflates a whole stream that makes exactly `size` bytes to the beginning of `output`, which grows up to
    /// `output_bytes_max`.
    fn fill<E: From<Reason>, B: AsRef<[u8]>>(
        &mut self,
        size: usize,
        output_bytes_max: usize,
        output: &mut Vec<u8>,
        mut input: impl FnMut(usize) -> Result<B, E>,
    ) -> Result<(), E> {
        self.start();
        let (mut used, mut made) = (0, 0);
        loop {
            if made == output.len() && made <= size {
                output.resize((made * 2).min(output_bytes_max), 0);
            }
            let piece = input(used)?;
            let (consumed, produced, progress) = self.step(piece.as_ref(), &mut output[made..])?;
            used += consumed;
            made += produced;
            if made > size {
                return Err(Reason::into("it is larger than it says"));
            }
            match progress {
                Progress::Ended if made == size => return Ok(()),
                Progress::Ended => return Err(Reason::into("it is smaller than it says")),
                Progress::Going if consumed == 0 && produced == 0 => {
                    return Err(Reason::into("its compressed data ends too soon"));
                }
                Progress::Going => {}
            }
        }
    }
}
