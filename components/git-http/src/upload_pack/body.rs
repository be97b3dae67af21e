//! A response that ends in a pack, made as it is read.

use super::error::objects_message;
use super::remembered::Memory;
use super::request::{Fetch, Options};
use crate::limits::{PACKETS_PER_FRAME, WALK_STEPS_PER_FRAME};
use lithe_git::odb::{self, Store};
use lithe_git::pack::{self, Output, Recipe, Replay};
use lithe_git::pkt_line;
use lithe_git::walk::{Selection, Walk};
use std::ops::Range;

/// How the pack is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Not at all: there is no progress, and no word on failure.
    None,
    /// In packets of up to 1,000 bytes.
    SideBand,
    /// In packets of up to 65,520 bytes.
    SideBand64k,
}

const BAND_PACK: u8 = 1;
const BAND_PROGRESS: u8 = 2;
const BAND_ERROR: u8 = 3;

/// A response under way.
pub struct PackBody {
    store: Store,
    options: Options,
    is_filtered: bool,
    framing: Framing,
    stage: Stage,
    /// What is sent before anything else.
    head: Vec<u8>,
    /// How much may still be sent, in bytes.
    left: u64,
}

/// How the pack is made.
pub enum Making {
    /// Of what this walk selects.
    Walk {
        walk: Box<Walk>,
        /// Where the recipe is to be remembered.
        memory: Option<Memory>,
    },
    /// As it was made before.
    ByRecipe(Recipe),
}

enum Stage {
    Selecting(Box<Walk>, Option<Memory>),
    Packing(Source),
    /// A failure was told as far as the framing allows, and is still to be returned.
    Failed(odb::Error),
    Done,
}

/// Where the bytes of the pack come from.
enum Source {
    Output(Box<Output>, Option<Memory>),
    Replay(Replay),
}

impl Source {
    fn fill(&mut self, store: &Store, out: &mut Vec<u8>, len: usize) -> Result<bool, odb::Error> {
        match self {
            Self::Output(output, _) => output.fill(store, out, len),
            Self::Replay(replay) => replay.fill(store, out, len),
        }
    }

    /// The pack is complete: remembers how it was made.
    fn finish(self) {
        if let Self::Output(output, Some(memory)) = self
            && let Some(recipe) = output.into_recipe()
        {
            memory.remember(&recipe);
        }
    }
}

impl PackBody {
    pub fn new(store: Store, making: Making, fetch: &Fetch, head: Vec<u8>, framing: Framing) -> Self {
        let mut body = Self {
            store,
            options: fetch.options,
            is_filtered: !fetch.filter.is_empty(),
            framing,
            stage: Stage::Done,
            head,
            left: u64::MAX,
        };
        body.stage = match making {
            Making::Walk { walk, memory } => Stage::Selecting(walk, memory),
            Making::ByRecipe(recipe) => {
                let mut told = Vec::new();
                body.progress(&mut told, &format!("Enumerating objects: {}, done.\n", recipe.objects()));
                body.head.extend_from_slice(&told);
                Stage::Packing(Source::Replay(Replay::new(recipe)))
            }
        };
        body
    }

    /// How many bytes the response has, before any of it is made. None: that will show, or is told by
    /// the framing.
    pub fn len(&self) -> Option<u64> {
        match (&self.stage, self.framing) {
            (Stage::Packing(Source::Replay(replay)), Framing::None) => {
                Some(self.head.len() as u64 + replay.len())
            }
            _ => None,
        }
    }

    /// Sends only a part of a response whose length is known.
    pub fn cut(&mut self, range: Range<u64>) {
        let of_head = range.start.min(self.head.len() as u64);
        self.head.drain(..of_head as usize);
        if let Stage::Packing(Source::Replay(replay)) = &mut self.stage {
            replay.seek(range.start - of_head);
        }
        self.left = range.end - range.start;
    }

    /// Makes the next piece; none: the response is complete.
    ///
    /// Fails once a failure has been told to the client, as far as the framing allows that.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, odb::Error> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut piece = self.make_piece()?;
        if let Some(piece) = &mut piece {
            piece.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
            self.left -= piece.len() as u64;
        }
        Ok(piece)
    }

    fn make_piece(&mut self) -> Result<Option<Vec<u8>>, odb::Error> {
        let mut out = std::mem::take(&mut self.head);
        while out.is_empty() {
            match std::mem::replace(&mut self.stage, Stage::Done) {
                Stage::Done => return Ok(None),
                Stage::Failed(error) => return Err(error),
                Stage::Selecting(walk, memory) => self.select(walk, memory, &mut out),
                Stage::Packing(source) => self.pack(source, &mut out),
            }
        }
        Ok(Some(out))
    }

    /// Whether the client is told of a failure, within the framing.
    pub fn tells_of_failure(&self) -> bool {
        self.framing != Framing::None
    }

    fn select(&mut self, mut walk: Box<Walk>, memory: Option<Memory>, out: &mut Vec<u8>) {
        match walk.advance(&self.store, WALK_STEPS_PER_FRAME) {
            Ok(true) => {
                self.progress(out, &format!("Enumerating objects: {}\r", walk.len()));
                self.stage = Stage::Selecting(walk, memory);
            }
            Ok(false) => match walk.finish(&self.store) {
                Ok(selection) => self.begin_pack(selection, memory, out),
                Err(error) => self.fail(out, error),
            },
            Err(error) => self.fail(out, error),
        }
    }

    fn begin_pack(&mut self, selection: Selection, memory: Option<Memory>, out: &mut Vec<u8>) {
        // A partial clone may lack what it is said to have.
        let thin = self.options.thin && !self.is_filtered;
        let options = pack::Options { ofs_delta: self.options.ofs_delta, thin, chain_deltas_max: None };
        let mut output = Output::new(self.store.object_format(), selection, options);
        if memory.is_some() {
            output.record();
        }
        self.progress(out, &format!("Enumerating objects: {}, done.\n", output.len()));
        self.stage = Stage::Packing(Source::Output(Box::new(output), memory));
    }

    fn pack(&mut self, mut source: Source, out: &mut Vec<u8>) {
        let data_len_max = match self.framing {
            Framing::None | Framing::SideBand64k => pkt_line::DATA_LEN_MAX - 1,
            Framing::SideBand => 1_000 - 5,
        };
        out.reserve(PACKETS_PER_FRAME * pkt_line::LINE_LEN_MAX);
        for _ in 0..PACKETS_PER_FRAME {
            let start = out.len();
            if self.framing != Framing::None {
                out.extend_from_slice(&[0; 5]);
            }
            let data_start = out.len();
            let outcome = source.fill(&self.store, out, data_start + data_len_max);
            if self.framing != Framing::None {
                if out.len() == data_start || outcome.is_err() {
                    out.truncate(start);
                } else {
                    let head = pkt_line::head(out.len() - start);
                    out[start..start + 4].copy_from_slice(&head);
                    out[start + 4] = BAND_PACK;
                }
            }
            match outcome {
                Ok(true) => {}
                Ok(false) => {
                    if self.framing != Framing::None {
                        pkt_line::flush(out);
                    }
                    return source.finish();
                }
                Err(error) => return self.fail(out, error),
            }
        }
        self.stage = Stage::Packing(source);
    }

    fn fail(&mut self, out: &mut Vec<u8>, error: odb::Error) {
        self.packet(out, BAND_ERROR, &format!("lithe: {}\n", objects_message(&error)));
        self.stage = Stage::Failed(error);
    }

    fn progress(&self, out: &mut Vec<u8>, text: &str) {
        if !self.options.no_progress {
            self.packet(out, BAND_PROGRESS, text);
        }
    }

    fn packet(&self, out: &mut Vec<u8>, band: u8, text: &str) {
        if self.framing != Framing::None {
            // Such texts are short; a small band's packet holds the most of any.
            let text = &text.as_bytes()[..text.len().min(900)];
            pkt_line::write(out, &[&[band], text].concat());
        }
    }
}
