//! A response that ends in a pack, made as it is read.

use super::error::objects_message;
use super::log_second_try;
use super::making::{Building, Making, Waiting};
use super::remembered::Memory;
use super::request::{Fetch, Options};
use crate::limits::{
    PACKETS_PER_FRAME, PLAN_STEPS_PER_FRAME, REMEMBERED_OBJECTS_MIN, TURN_POLL_MS, WALK_STEPS_PER_FRAME,
};
use lithe_git::odb::{self, Store};
use lithe_git::pack::{self, Output, Recipe, Replay};
use lithe_git::pkt_line;
use lithe_git::walk::{self, Selection, Walk};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

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
    /// None: it was made, or it is too late.
    second_try: Option<SecondTry>,
    /// What is sent before anything else.
    head: Vec<u8>,
    /// How much may still be sent, in bytes.
    left: u64,
}

/// How to begin anew, without bitmaps and the like, as long as nothing of the pack was made: one of them may tell
/// of what is not there.
pub struct SecondTry {
    git_dir: PathBuf,
    request: walk::Request,
}

impl SecondTry {
    /// For what is asked of the repository at `git_dir`.
    pub fn new(git_dir: &Path, request: &walk::Request) -> Self {
        Self { git_dir: git_dir.to_owned(), request: request.clone() }
    }

    fn begin(self) -> Result<(Store, Box<Walk>), odb::Error> {
        let store = Store::open(&self.git_dir)?.without_shortcuts();
        let walk = Walk::new(&store, self.request)?;
        Ok((store, Box::new(walk)))
    }
}

enum Stage {
    /// Somebody else is preparing the same.
    Waiting(Box<Waiting>),
    Selecting(Box<Walk>, Option<Building>),
    /// What the pack consists of is being written down, before any of it is sent: so others need not
    /// wait for this client.
    Planning(Box<Output>, Building),
    Packing(Source),
    /// A failure was told as far as the framing allows, and is still to be returned.
    Failed(odb::Error),
    Done,
}

/// Where the bytes of the pack come from.
enum Source {
    Output(Box<Output>),
    /// Where the recipe is to be remembered again, once its checksum is known.
    Replay(Replay, Option<Memory>),
}

impl Source {
    fn fill(&mut self, store: &Store, out: &mut Vec<u8>, len: usize) -> Result<bool, odb::Error> {
        match self {
            Self::Output(output) => output.fill(store, out, len),
            Self::Replay(replay, _) => replay.fill(store, out, len),
        }
    }

    fn by_recipe(store: &Store, recipe: Recipe, memory: Memory) -> Self {
        let memory = (!recipe.has_checksum()).then_some(memory);
        Self::Replay(Replay::new(store, recipe), memory)
    }

    /// The pack is complete: remembers its checksum.
    fn finish(self) {
        if let Self::Replay(replay, Some(memory)) = self {
            memory.complete(&replay.into_recipe());
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
            second_try: None,
            head,
            left: u64::MAX,
        };
        let mut told = Vec::new();
        body.begin(making, &mut told);
        body.head.extend_from_slice(&told);
        body
    }

    /// Has the pack begun anew by this if it cannot be made.
    pub fn with_second_try(self, second_try: Option<SecondTry>) -> Self {
        Self { second_try, ..self }
    }

    fn begin(&mut self, making: Making, out: &mut Vec<u8>) {
        self.stage = match making {
            Making::Walk(walk, building) => Stage::Selecting(walk, building),
            Making::ByRecipe(recipe, memory) => {
                self.progress(out, &format!("Enumerating objects: {}, done.\n", recipe.objects()));
                Stage::Packing(Source::by_recipe(&self.store, recipe, memory))
            }
            Making::Wait(waiting) => Stage::Waiting(waiting),
        };
    }

    /// How many bytes the response has, before any of it is made. None: that will show, or is told by
    /// the framing.
    pub fn len(&self) -> Option<u64> {
        match (&self.stage, self.framing) {
            (Stage::Packing(Source::Replay(replay, _)), Framing::None) => {
                replay.len().map(|len| self.head.len() as u64 + len)
            }
            _ => None,
        }
    }

    /// Sends only a part of a response whose length is known.
    pub fn cut(&mut self, range: Range<u64>) {
        let of_head = range.start.min(self.head.len() as u64);
        self.head.drain(..of_head as usize);
        if let Stage::Packing(Source::Replay(replay, _)) = &mut self.stage {
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
                Stage::Waiting(waiting) => self.wait(waiting, &mut out),
                Stage::Selecting(walk, building) => self.select(walk, building, &mut out),
                Stage::Planning(output, building) => self.plan(output, building, &mut out),
                Stage::Packing(source) => self.pack(source, &mut out),
            }
        }
        Ok(Some(out))
    }

    /// What is being done.
    #[cfg(test)]
    pub fn stage(&self) -> &'static str {
        match &self.stage {
            Stage::Waiting(_) => "waiting",
            Stage::Selecting(_, Some(_)) | Stage::Planning(..) => "building",
            Stage::Selecting(_, None) | Stage::Packing(Source::Output(_)) => "making",
            Stage::Packing(Source::Replay(..)) => "replaying",
            Stage::Failed(_) | Stage::Done => "ended",
        }
    }

    /// Whether the client is told of a failure, within the framing.
    pub fn tells_of_failure(&self) -> bool {
        self.framing != Framing::None
    }

    /// Looks now and then whether there is a recipe, and tells the client every second that it waits.
    fn wait(&mut self, mut waiting: Box<Waiting>, out: &mut Vec<u8>) {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(1) {
            thread::sleep(Duration::from_millis(TURN_POLL_MS));
            match waiting.look(&self.store) {
                Ok(Making::Wait(still)) => waiting = still,
                Ok(making) => return self.begin(making, out),
                Err(error) => return self.fail(out, error),
            }
        }
        self.progress(out, "Waiting for another clone of the same to be prepared\r");
        self.stage = Stage::Waiting(waiting);
    }

    fn select(&mut self, mut walk: Box<Walk>, mut building: Option<Building>, out: &mut Vec<u8>) {
        if let Some(building) = &mut building {
            building.turn.beat();
        }
        match walk.advance(&self.store, WALK_STEPS_PER_FRAME) {
            Ok(true) => {
                self.progress(out, &format!("Enumerating objects: {}\r", walk.len()));
                self.stage = Stage::Selecting(walk, building);
            }
            Ok(false) => match walk.finish(&self.store) {
                Ok(selection) => self.begin_pack(selection, building, out),
                Err(error) => self.fail(out, error),
            },
            Err(error) => self.fail(out, error),
        }
    }

    fn begin_pack(&mut self, selection: Selection, building: Option<Building>, out: &mut Vec<u8>) {
        // A partial clone may lack what it is said to have.
        let thin = self.options.thin && !self.is_filtered;
        let options = pack::Options { ofs_delta: self.options.ofs_delta, thin, chain_deltas_max: None };
        let found = if thin { pack::against_had(&self.store, &selection) } else { pack::Found::default() };
        let output = Output::new(self.store.object_format(), selection, options).with_deltas(found);
        let mut output = Box::new(output);
        self.progress(out, &format!("Enumerating objects: {}, done.\n", output.len()));
        self.stage = match building.filter(|_| output.len() >= REMEMBERED_OBJECTS_MIN) {
            None => Stage::Packing(Source::Output(output)),
            Some(building) => {
                output.record();
                Stage::Planning(output, building)
            }
        };
    }

    fn plan(&mut self, mut output: Box<Output>, mut building: Building, out: &mut Vec<u8>) {
        building.turn.beat();
        match output.plan(&self.store, PLAN_STEPS_PER_FRAME) {
            Ok(true) => {
                self.progress(out, &format!("Preparing objects: {}\r", output.objects_begun()));
                self.stage = Stage::Planning(output, building);
            }
            Ok(false) => {
                let Building { memory, turn } = building;
                let source = match output.into_recipe_or_again() {
                    Ok(recipe) => {
                        memory.remember(Some(&recipe));
                        Source::by_recipe(&self.store, recipe, memory)
                    }
                    Err(output) => {
                        memory.remember(None);
                        Source::Output(Box::new(output))
                    }
                };
                drop(turn);
                self.stage = Stage::Packing(source);
            }
            Err(error) => self.fail(out, error),
        }
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
            if out.len() > start {
                self.second_try = None;
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

    /// Begins anew if that may help, else tells the client.
    fn fail(&mut self, out: &mut Vec<u8>, mut error: odb::Error) {
        if let Some(second_try) = self.second_try.take() {
            log_second_try(&second_try.git_dir, &error);
            match second_try.begin() {
                Ok((store, walk)) => {
                    (self.store, self.stage) = (store, Stage::Selecting(walk, None));
                    return;
                }
                Err(other) => error = other,
            }
        }
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
