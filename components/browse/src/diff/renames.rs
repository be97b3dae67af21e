//! Renamed files: those that were deleted here and added there with much the same contents; and copied ones,
//! which are much the same as one that was changed.
//!
//! They are found as `git diff` finds them (gitdiffcore(7), diffcore-rename), so that both agree: first
//! files of the same contents, then, unless copies are looked for, similar ones of the same name in another
//! directory, then whatever is most similar.

use super::trees::{Change, Origins, Side};
use crate::limits::{RENAME_BYTES_MAX, RENAME_FILE_BYTES_MAX, RENAME_PAIRS_MAX, RENAME_PIECES_MAX};
use bstr::ByteSlice as _;
use gix_hash::ObjectId;
use gix_object::tree::EntryKind;
use lithe_code::repository::{Error, Repository};
use std::cmp::Ordering;
use std::collections::HashMap;

/// The score of files of the same contents.
const SCORE_MAX: u64 = 60_000;
/// The least score of a renamed file: half of it is as before.
const SCORE_MIN: u64 = SCORE_MAX / 2;
/// The least score of a file that was moved to another directory under its name, where no other such
/// file comes into question.
const SCORE_MIN_OF_NAMESAKE: u64 = SCORE_MIN + (SCORE_MAX - SCORE_MIN) / 2;
/// How many deleted files are remembered for one that was added.
const CANDIDATES_MAX: usize = 4;
/// How many files of the same contents are looked at for one that was added.
const IDENTICAL_MAX: usize = 100;
/// The longest piece of a file that is looked for in others, in bytes.
const PIECE_BYTES_MAX: u32 = 64;
/// Pieces are told apart by a number below this.
const PIECE_NUMBERS: u32 = 107_927;

/// Joins each deleted file with the added one that it became, and those that were changed with their copies.
pub fn detect(repository: Repository<'_>, files: &mut Vec<Change>, origins: Origins) -> Result<(), Error> {
    files.sort_by(|a, b| a.path().cmp(b.path()));
    let is_source = |file: &&Change| file.after.is_none() || origins == Origins::Changed;
    let sources = files.iter().filter(is_source).filter_map(|file| Some((file.before.clone()?, file)));
    // What is still there is itself what comes of it.
    let (sources, uses): (Vec<Side>, Vec<usize>) =
        sources.map(|(side, file)| (side, usize::from(file.after.is_some()))).unzip();
    let targets: Vec<Side> =
        files.iter().filter(|file| file.before.is_none()).filter_map(|file| file.after.clone()).collect();
    if sources.is_empty() || targets.is_empty() {
        return Ok(());
    }
    let mut pairs = Pairs { uses, from: vec![None; targets.len()], origins };
    identical(&sources, &targets, &mut pairs);
    let mut contents = Contents::new(repository);
    if pairs.are_few() && contents.has_room_for(&sources, &targets, &pairs)? {
        if origins == Origins::Deleted {
            namesakes(&sources, &targets, &mut pairs, &mut contents)?;
        }
        similar(&sources, &targets, &mut pairs, &mut contents)?;
    }
    join(files, &sources, pairs);
    Ok(())
}

/// Puts together what was found: of the files that came from one, the last is that one renamed, if it was
/// deleted, and the others are copies.
fn join(files: &mut Vec<Change>, sources: &[Side], pairs: Pairs) {
    let Pairs { uses, from, .. } = pairs;
    let mut uses_left = uses.clone();
    let mut from = from.into_iter();
    files.retain_mut(|file| match (&file.before, &file.after) {
        (Some(before), None) => {
            let source = sources.binary_search_by(|source| source.name.cmp(&before.name));
            !source.is_ok_and(|source| uses[source] > 0)
        }
        (None, Some(_)) => {
            if let Some((source, score)) = from.next().flatten() {
                file.before = Some(sources[source].clone());
                file.similarity = Some((score * 100 / SCORE_MAX) as u32);
                uses_left[source] -= 1;
                file.is_copy = uses_left[source] > 0;
            }
            true
        }
        _ => true,
    });
}

/// Which files became which added ones.
struct Pairs {
    /// How many files came from each, itself included if it is still there.
    uses: Vec<usize>,
    /// For each added file the one that it came from, and how similar they are.
    from: Vec<Option<(usize, u64)>>,
    origins: Origins,
}

impl Pairs {
    fn join(&mut self, source: usize, target: usize, score: u64) {
        self.uses[source] += 1;
        self.from[target] = Some((source, score));
    }

    fn is_used(&self, source: usize) -> bool {
        self.uses[source] > 0
    }

    /// Those that something may still come from: once only, unless copies are looked for.
    fn open_sources(&self) -> impl Iterator<Item = usize> {
        let is_open = |source: &usize| self.origins == Origins::Changed || !self.is_used(*source);
        (0..self.uses.len()).filter(is_open)
    }

    fn open_targets(&self) -> impl Iterator<Item = usize> {
        self.from.iter().enumerate().filter(|(_, from)| from.is_none()).map(|(target, _)| target)
    }

    /// Whether all that are left can be compared with one another.
    fn are_few(&self) -> bool {
        self.open_sources().count() * self.open_targets().count() <= RENAME_PAIRS_MAX
    }
}

fn base_name(side: &Side) -> &[u8] {
    side.name.rsplit_str("/").next().unwrap_or_default()
}

fn is_file(side: &Side) -> bool {
    matches!(side.mode.kind(), EntryKind::Blob | EntryKind::BlobExecutable)
}

/// Joins files of the same contents, first of all those of the same name.
fn identical(sources: &[Side], targets: &[Side], pairs: &mut Pairs) {
    let mut by_id: HashMap<ObjectId, Vec<usize>> = HashMap::new();
    for (index, source) in sources.iter().enumerate() {
        by_id.entry(source.id).or_default().push(index);
    }
    for (target_index, target) in targets.iter().enumerate() {
        let Some(same) = by_id.get(&target.id) else { continue };
        let usable = same.iter().copied().take(IDENTICAL_MAX).filter(|source| {
            let source_side = &sources[*source];
            let are_files = is_file(source_side) && is_file(target);
            let is_open = pairs.origins == Origins::Changed || !pairs.is_used(*source);
            is_open && (are_files || source_side.mode == target.mode)
        });
        // One that nothing came from is better, and one of the same name.
        let mut best = None;
        for source in usable {
            let fit =
                u8::from(!pairs.is_used(source)) + u8::from(base_name(&sources[source]) == base_name(target));
            if best.is_none_or(|(best, _)| fit > best) {
                best = Some((fit, source));
            }
            if fit == 2 {
                break;
            }
        }
        if let Some((_, source)) = best {
            pairs.join(source, target_index, SCORE_MAX);
        }
    }
}

/// Joins files that keep their name in another directory, where the name is the only such on both sides.
fn namesakes(
    sources: &[Side],
    targets: &[Side],
    pairs: &mut Pairs,
    contents: &mut Contents<'_>,
) -> Result<(), Error> {
    let source_names = by_base_name(sources, pairs.open_sources());
    let target_names = by_base_name(targets, pairs.open_targets());
    let open: Vec<usize> = pairs.open_sources().collect();
    for source in open {
        let name = base_name(&sources[source]);
        let (Some([_]), Some([target])) =
            (source_names.get(name).map(Vec::as_slice), target_names.get(name).map(Vec::as_slice))
        else {
            continue;
        };
        let score = contents.similarity(&sources[source], &targets[*target], SCORE_MIN_OF_NAMESAKE)?;
        if score >= SCORE_MIN_OF_NAMESAKE {
            pairs.join(source, *target, score);
        }
    }
    Ok(())
}

fn by_base_name(sides: &[Side], open: impl Iterator<Item = usize>) -> HashMap<&[u8], Vec<usize>> {
    let mut names: HashMap<&[u8], Vec<usize>> = HashMap::new();
    for index in open {
        names.entry(base_name(&sides[index])).or_default().push(index);
    }
    names
}

/// How well a deleted file fits an added one.
#[derive(Clone, Copy)]
struct Candidate {
    score: u64,
    is_namesake: bool,
    source: usize,
    target: usize,
}

/// The better first; none last.
fn order(a: &Option<Candidate>, b: &Option<Candidate>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => (b.score, b.is_namesake).cmp(&(a.score, a.is_namesake)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

/// Joins the files that are left, the most similar first.
fn similar(
    sources: &[Side],
    targets: &[Side],
    pairs: &mut Pairs,
    contents: &mut Contents<'_>,
) -> Result<(), Error> {
    let mut candidates: Vec<Option<Candidate>> = Vec::new();
    for target in pairs.open_targets() {
        let mut best = [None; CANDIDATES_MAX];
        for source in pairs.open_sources() {
            let score = contents.similarity(&sources[source], &targets[target], SCORE_MIN)?;
            let is_namesake = base_name(&sources[source]) == base_name(&targets[target]);
            let candidate = Some(Candidate { score, is_namesake, source, target });
            let mut worst = 0;
            for index in 1..best.len() {
                if order(&best[index], &best[worst]).is_gt() {
                    worst = index;
                }
            }
            if order(&best[worst], &candidate).is_gt() {
                best[worst] = candidate;
            }
        }
        candidates.extend(best);
    }
    candidates.sort_by(order);
    candidates.truncate(
        candidates
            .partition_point(|candidate| candidate.is_some_and(|candidate| candidate.score >= SCORE_MIN)),
    );
    let candidates: Vec<Candidate> = candidates.into_iter().flatten().collect();
    // First what nothing came from yet.
    for may_be_used in [false, true] {
        for Candidate { score, source, target, .. } in &candidates {
            if pairs.from[*target].is_none() && (may_be_used || !pairs.is_used(*source)) {
                pairs.join(*source, *target, *score);
            }
        }
        if pairs.origins == Origins::Deleted {
            break;
        }
    }
    Ok(())
}

/// How many bytes of a file are in each piece, by the pieces' numbers, in their order.
type Pieces = Vec<(u32, u32)>;

/// The contents of files, read once.
struct Contents<'a> {
    repository: Repository<'a>,
    sizes: HashMap<ObjectId, u64>,
    pieces: HashMap<ObjectId, Pieces>,
    /// How many pieces may still be compared. With fewer left, no files count as similar.
    pieces_left: usize,
}

impl<'a> Contents<'a> {
    fn new(repository: Repository<'a>) -> Self {
        Self { repository, sizes: HashMap::new(), pieces: HashMap::new(), pieces_left: RENAME_PIECES_MAX }
    }

    /// Whether all that are left may be read.
    fn has_room_for(&mut self, sources: &[Side], targets: &[Side], pairs: &Pairs) -> Result<bool, Error> {
        let sources = pairs.open_sources().map(|source| &sources[source]);
        let targets = pairs.open_targets().map(|target| &targets[target]);
        let mut bytes = 0;
        for side in sources.chain(targets).filter(|side| is_file(side)) {
            bytes += self.size(side)?;
        }
        Ok(bytes <= RENAME_BYTES_MAX)
    }

    fn size(&mut self, side: &Side) -> Result<u64, Error> {
        if let Some(size) = self.sizes.get(&side.id) {
            return Ok(*size);
        }
        let size = self.repository.header(&side.id)?.1;
        self.sizes.insert(side.id, size);
        Ok(size)
    }

    fn load(&mut self, side: &Side) -> Result<(), Error> {
        if !self.pieces.contains_key(&side.id) {
            let bytes = self.repository.blob(&side.id, RENAME_FILE_BYTES_MAX)?;
            self.pieces.insert(side.id, pieces(&bytes));
        }
        Ok(())
    }

    /// How much of the larger file is in both; 0 if that is certain to be less than `score_min`.
    fn similarity(&mut self, source: &Side, target: &Side, score_min: u64) -> Result<u64, Error> {
        if !is_file(source) || !is_file(target) {
            return Ok(0);
        }
        let (source_size, target_size) = (self.size(source)?, self.size(target)?);
        let larger = source_size.max(target_size);
        let difference = source_size.abs_diff(target_size);
        let is_hopeless = larger * (SCORE_MAX - score_min) < difference * SCORE_MAX;
        if is_hopeless || target_size == 0 || larger > RENAME_FILE_BYTES_MAX {
            return Ok(0);
        }
        self.load(source)?;
        self.load(target)?;
        let (source, target) = (&self.pieces[&source.id], &self.pieces[&target.id]);
        let Some(left) = self.pieces_left.checked_sub(source.len() + target.len()) else {
            self.pieces_left = 0;
            return Ok(0);
        };
        self.pieces_left = left;
        let copied = in_both(source, target);
        Ok(copied * SCORE_MAX / larger)
    }
}

/// Cuts a file at its line ends, and longer lines into pieces.
fn pieces(bytes: &[u8]) -> Pieces {
    let is_text = !super::patch::is_binary(bytes);
    let mut all: Pieces = Vec::new();
    let (mut low, mut high, mut length) = (0_u32, 0_u32, 0);
    for (index, byte) in bytes.iter().enumerate() {
        if is_text && *byte == b'\r' && bytes.get(index + 1) == Some(&b'\n') {
            continue;
        }
        (low, high) = (((low << 7) ^ (high >> 25)).wrapping_add(u32::from(*byte)), (high << 7) ^ (low >> 25));
        length += 1;
        if length >= PIECE_BYTES_MAX || *byte == b'\n' {
            all.push((piece_number(low, high), length));
            (low, high, length) = (0, 0, 0);
        }
    }
    if length > 0 {
        all.push((piece_number(low, high), length));
    }
    all.sort_unstable();
    all.dedup_by(|next, kept| {
        let is_same = next.0 == kept.0;
        kept.1 += if is_same { next.1 } else { 0 };
        is_same
    });
    all
}

fn piece_number(low: u32, high: u32) -> u32 {
    low.wrapping_add(high.wrapping_mul(0x61)) % PIECE_NUMBERS
}

/// How many bytes of one file are in the other too.
fn in_both(a: &Pieces, b: &Pieces) -> u64 {
    let mut rest = b.iter().peekable();
    let mut bytes = 0;
    for (number, length) in a {
        while rest.next_if(|other| other.0 < *number).is_some() {}
        if let Some(other) = rest.next_if(|other| other.0 == *number) {
            bytes += u64::from(other.1.min(*length));
        }
    }
    bytes
}
