//! Which lines of two versions changed, by E. W. Myers, "An O(ND) Difference Algorithm and Its
//! Variations" (1986), in its linear space.
//!
//! Of several differences it takes the one that Git takes: lines that the other version lacks are left
//! out before the search, with the frequent lines among them; the search goes from both ends by turns.

use std::ops::Range;

/// How many changes are looked for from each end; of more, the longest path stands for the shortest.
/// Git looks for more where more than some 65,000 lines are compared.
const COST_MAX: usize = 256;

/// How many lines above and below a frequent one are looked at.
const NEIGHBOURS: usize = 100;

/// A line that is found so often is frequent however long the file is.
const FREQUENT_MAX: usize = 1024;

/// Tells of each line of both versions whether it changed. Lines of the same token are the same.
pub fn changed(before: &[u32], after: &[u32]) -> (Vec<bool>, Vec<bool>) {
    let (start, end) = common_ends(before, after);
    let one = Version::new(before, after, start..before.len() - end);
    let other = Version::new(after, before, start..after.len() - end);
    let mut search = Search { before: one, after: other };
    search.mark();
    (search.before.changed, search.after.changed)
}

/// How many tokens are the same at the beginning, and at the end of the rest.
fn common_ends(before: &[u32], after: &[u32]) -> (usize, usize) {
    let start = before.iter().zip(after).take_while(|(one, other)| one == other).count();
    let (before, after) = (before[start..].iter().rev(), after[start..].iter().rev());
    (start, before.zip(after).take_while(|(one, other)| one == other).count())
}

struct Version {
    /// Of all lines.
    changed: Vec<bool>,
    /// Of the lines that are compared.
    tokens: Vec<u32>,
    /// The numbers of these lines.
    lines: Vec<usize>,
}

/// How often a line is found in the other version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Never,
    Sometimes,
    Often,
}

impl Version {
    /// Takes those of the lines that are worth comparing.
    fn new(all: &[u32], others: &[u32], range: Range<usize>) -> Self {
        let token_count = all.iter().chain(others).max().map_or(0, |last| *last as usize + 1);
        let mut counts = vec![0; token_count];
        others.iter().for_each(|token| counts[*token as usize] += 1);
        let often = rough_square_root(all.len()).min(FREQUENT_MAX);
        let found = |token: &u32| match counts[*token as usize] {
            0 => Found::Never,
            count if count < often => Found::Sometimes,
            _ => Found::Often,
        };
        let found: Vec<Found> = all[range.clone()].iter().map(found).collect();
        let is_compared = |at: &usize| match found[*at] {
            Found::Never => false,
            Found::Sometimes => true,
            Found::Often => !is_among_missing(&found, *at),
        };
        let lines: Vec<usize> = (0..found.len()).filter(is_compared).map(|at| range.start + at).collect();
        let mut changed = vec![false; all.len()];
        changed[range].fill(true);
        lines.iter().for_each(|line| changed[*line] = false);
        Self { changed, tokens: lines.iter().map(|line| all[*line]).collect(), lines }
    }

    fn mark(&mut self, range: Range<usize>) {
        self.lines[range].iter().for_each(|line| self.changed[*line] = true);
    }
}

/// Whether most lines around a frequent one are missing in the other version, with some on either side.
fn is_among_missing(found: &[Found], at: usize) -> bool {
    fn missing<'a>(lines: impl Iterator<Item = &'a Found>) -> (usize, usize) {
        let lines = lines.take(NEIGHBOURS).take_while(|found| **found != Found::Sometimes);
        lines.fold((0, 0), |(missing, all), found| (missing + usize::from(*found == Found::Never), all + 1))
    }
    let (above, all_above) = missing(found[..at].iter().rev());
    let (below, all_below) = missing(found[at + 1..].iter());
    // The line itself counts for either side.
    let frequent = (all_above + 1 - above) + (all_below + 1 - below);
    above > 0 && below > 0 && above + below > 3 * frequent
}

/// The least power of 2 whose square exceeds the value.
fn rough_square_root(value: usize) -> usize {
    1 << (usize::BITS - value.leading_zeros()).div_ceil(2)
}

struct Search {
    before: Version,
    after: Version,
}

impl Search {
    fn mark(&mut self) {
        let mut parts = vec![(0..self.before.tokens.len(), 0..self.after.tokens.len())];
        while let Some((before, after)) = parts.pop() {
            let (one, other) = (&self.before.tokens[before.clone()], &self.after.tokens[after.clone()]);
            let (start, end) = common_ends(one, other);
            let before = before.start + start..before.end - end;
            let after = after.start + start..after.end - end;
            if before.is_empty() || after.is_empty() {
                self.before.mark(before);
                self.after.mark(after);
                continue;
            }
            let (one, other) = (&self.before.tokens[before.clone()], &self.after.tokens[after.clone()]);
            let (x, y) = middle(one, other);
            let (x, y) = (before.start + x, after.start + y);
            parts.push((before.start..x, after.start..y));
            parts.push((x..before.end, y..after.end));
        }
    }
}

/// Where the shortest paths from both ends meet, or how far the longer one leads.
fn middle(before: &[u32], after: &[u32]) -> (usize, usize) {
    let (width, height) = (before.len() as i32, after.len() as i32);
    let from_start = |x: i32, y: i32| before[x as usize] == after[y as usize];
    let from_end = |x: i32, y: i32| from_start(width - 1 - x, height - 1 - y);
    let (mut forward, mut backward) = (Front::new(width, height), Front::new(width, height));
    // The diagonal of the one front, as the other counts it.
    let across = |diagonal: i32| width - height - diagonal;
    let is_odd = (width - height) % 2 != 0;
    for _ in 0..COST_MAX {
        forward.widen();
        for diagonal in (forward.first..=forward.last).rev().step_by(2) {
            let x = forward.advance(diagonal, from_start);
            if is_odd && backward.reached(across(diagonal)).is_some_and(|reached| width - reached <= x) {
                return (x as usize, (x - diagonal) as usize);
            }
        }
        backward.widen();
        for diagonal in (backward.first..=backward.last).step_by(2) {
            let x = width - backward.advance(diagonal, from_end);
            if !is_odd && forward.reached(across(diagonal)).is_some_and(|reached| x <= reached) {
                return (x as usize, (x - across(diagonal)) as usize);
            }
        }
    }
    let from_start = forward.furthest((forward.first..=forward.last).rev());
    let from_end = backward.furthest(backward.first..=backward.last);
    let (x, y) = match from_end.0 + from_end.1 < from_start.0 + from_start.1 {
        true => from_start,
        false => (width - from_end.0, height - from_end.1),
    };
    (x as usize, y as usize)
}

/// How far from a corner one comes with so many changes, by diagonal: by how much more lines of the
/// earlier version than of the later.
struct Front {
    width: i32,
    height: i32,
    first: i32,
    last: i32,
    reach: [i32; 2 * COST_MAX + 3],
}

impl Front {
    fn new(width: i32, height: i32) -> Self {
        Self { width, height, first: 0, last: 0, reach: [0; _] }
    }

    fn reach(&mut self, diagonal: i32) -> &mut i32 {
        &mut self.reach[(diagonal + COST_MAX as i32 + 1) as usize]
    }

    fn reached(&mut self, diagonal: i32) -> Option<i32> {
        (self.first..=self.last).contains(&diagonal).then(|| *self.reach(diagonal))
    }

    /// Takes in the diagonals that one more change leads to, where they are not outside.
    fn widen(&mut self) {
        if self.first > -self.height {
            self.first -= 1;
            *self.reach(self.first - 1) = -1;
        } else {
            self.first += 1;
        }
        if self.last < self.width {
            self.last += 1;
            *self.reach(self.last + 1) = -1;
        } else {
            self.last -= 1;
        }
    }

    /// Goes as far as one more change and unchanged lines lead on a diagonal.
    fn advance(&mut self, diagonal: i32, is_same: impl Fn(i32, i32) -> bool) -> i32 {
        let (removing, adding) = (*self.reach(diagonal - 1) + 1, *self.reach(diagonal + 1));
        let mut x = removing.max(adding);
        while x < self.width && x - diagonal < self.height && is_same(x, x - diagonal) {
            x += 1;
        }
        *self.reach(diagonal) = x;
        x
    }

    /// The furthest place that was reached, on the first of several diagonals.
    fn furthest(&mut self, diagonals: impl Iterator<Item = i32>) -> (i32, i32) {
        let mut furthest = (0, 0);
        for diagonal in diagonals.step_by(2) {
            let x = (*self.reach(diagonal)).min(self.width).min(self.height + diagonal);
            if furthest.0 + furthest.1 < 2 * x - diagonal {
                furthest = (x, x - diagonal);
            }
        }
        furthest
    }
}
