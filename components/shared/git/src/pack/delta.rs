//! Making deltas (gitformat-pack, "Deltified representation"): an object as copies of stretches of
//! another one, with what is new in between.

/// What is looked for is found if it is at least this long, or twice that at the worst place, in bytes.
const BLOCK: usize = 16;
/// How many places of a base are tried for one place of the target: a base that repeats itself has many.
const TRIES_MAX: usize = 32;
/// The most that one instruction copies and inserts, in bytes.
const COPY_MAX: usize = 0x1_0000;
const INSERT_MAX: usize = 0x7f;
/// Offsets in an instruction are of four bytes.
const BASE_BYTES_MAX: usize = u32::MAX as usize;
const NONE: u32 = u32::MAX;

/// Where the blocks of a base are, by a digest of each.
pub struct BlockIndex {
    /// The first block with a digest, by the digest's highest bits.
    heads: Vec<u32>,
    /// The next block with the same digest bits as this one.
    next: Vec<u32>,
    shift: u32,
}

impl BlockIndex {
    /// Indexes a base. None: it is too large.
    pub fn new(base: &[u8]) -> Option<Self> {
        if base.len() > BASE_BYTES_MAX {
            return None;
        }
        let blocks = base.chunks_exact(BLOCK);
        let bits = blocks.len().max(2).next_power_of_two().trailing_zeros();
        let mut index =
            Self { heads: vec![NONE; 1 << bits], next: vec![NONE; blocks.len()], shift: 64 - bits };
        // From behind: what is tried first is what comes first.
        for (number, block) in blocks.enumerate().rev() {
            let head = &mut index.heads[digest(block, index.shift)];
            index.next[number] = std::mem::replace(head, number as u32);
        }
        Some(index)
    }

    /// About how much memory it takes, in bytes.
    pub fn bytes(&self) -> usize {
        (self.heads.len() + self.next.len()) * size_of::<u32>()
    }

    /// The longest stretch of the base found that is also at `at` of the target, grown backwards too, but
    /// not before `from`: where it begins in base and target, and its length.
    fn find(&self, base: &[u8], target: &[u8], from: usize, at: usize) -> Option<Match> {
        let block = target.get(at..at + BLOCK)?;
        let mut best: Option<Match> = None;
        let mut candidate = self.heads[digest(block, self.shift)];
        for _ in 0..TRIES_MAX {
            if candidate == NONE {
                break;
            }
            let place = candidate as usize * BLOCK;
            candidate = self.next[candidate as usize];
            if &base[place..place + BLOCK] != block {
                continue;
            }
            let after = common(&base[place..], &target[at..]);
            let before = common_end(&base[..place], &target[from..at]);
            let len = before + after;
            if best.as_ref().is_none_or(|best| best.len < len) {
                best = Some(Match { base: place - before, target: at - before, len });
            }
        }
        best
    }
}

struct Match {
    base: usize,
    target: usize,
    len: usize,
}

/// The delta that makes `target` of `base`, whose index that is. None: it would be longer than `len_max`
/// bytes.
pub fn encode(index: &BlockIndex, base: &[u8], target: &[u8], len_max: usize) -> Option<Vec<u8>> {
    let mut delta = Vec::with_capacity(len_max.min(4096));
    write_size(base.len(), &mut delta);
    write_size(target.len(), &mut delta);
    let (mut from, mut at) = (0, 0);
    while at + BLOCK <= target.len() {
        let Some(found) = index.find(base, target, from, at) else {
            at += 1;
            // What is new so far is in the delta whatever follows.
            if delta.len() + (at - from) > len_max {
                return None;
            }
            continue;
        };
        insert(&target[from..found.target], &mut delta);
        copy(found.base, found.len, &mut delta);
        at = found.target + found.len;
        from = at;
        if delta.len() > len_max {
            return None;
        }
    }
    insert(&target[from..], &mut delta);
    (delta.len() <= len_max).then_some(delta)
}

fn digest(block: &[u8], shift: u32) -> usize {
    let word = |at: usize| u64::from_le_bytes(block[at..at + 8].try_into().expect("eight bytes"));
    let mixed = word(0).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ word(8).wrapping_mul(0xC2B2_AE3D_27D4_EB4F);
    ((mixed ^ (mixed >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> shift) as usize
}

/// How many bytes are the same from the beginning on.
fn common(left: &[u8], right: &[u8]) -> usize {
    let words = left.chunks_exact(8).zip(right.chunks_exact(8)).take_while(|(left, right)| left == right);
    let len = words.count() * 8;
    len + left[len..].iter().zip(&right[len..]).take_while(|(left, right)| left == right).count()
}

/// How many bytes are the same from the end backwards.
fn common_end(left: &[u8], right: &[u8]) -> usize {
    left.iter().rev().zip(right.iter().rev()).take_while(|(left, right)| left == right).count()
}

fn insert(bytes: &[u8], delta: &mut Vec<u8>) {
    for piece in bytes.chunks(INSERT_MAX) {
        delta.push(piece.len() as u8);
        delta.extend_from_slice(piece);
    }
}

fn copy(mut offset: usize, mut len: usize, delta: &mut Vec<u8>) {
    while len > 0 {
        let count = len.min(COPY_MAX);
        let place = delta.len();
        delta.push(0x80);
        // The longest copy is said by no length at all.
        let numbers = offset
            .to_le_bytes()
            .into_iter()
            .take(4)
            .chain((count % COPY_MAX).to_le_bytes().into_iter().take(2));
        for (bit, byte) in numbers.enumerate().filter(|(_, byte)| *byte != 0) {
            delta[place] |= 1 << bit;
            delta.push(byte);
        }
        offset += count;
        len -= count;
    }
}

fn write_size(mut size: usize, delta: &mut Vec<u8>) {
    while size >= 0x80 {
        delta.push(size as u8 | 0x80);
        size >>= 7;
    }
    delta.push(size as u8);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::odb::delta::apply;

    /// Bytes that do not repeat, from a seed.
    fn noise(seed: u64, len: usize) -> Vec<u8> {
        let mut state = seed;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    }

    fn delta_of(base: &[u8], target: &[u8]) -> Vec<u8> {
        let index = BlockIndex::new(base).expect("it is small");
        let delta = encode(&index, base, target, usize::MAX / 2).expect("there is no limit");
        let mut made = Vec::new();
        apply(base, &delta, &mut made).expect("a sound delta");
        assert!(made == target, "of {} bytes from {}", target.len(), base.len());
        delta
    }

    #[test]
    fn a_delta_makes_the_target_and_is_short_where_much_is_the_same() {
        let text = noise(1, 200_000);
        let changed = |at: usize, gone: usize, new: &[u8]| [&text[..at], new, &text[at + gone..]].concat();
        let cases: [(Vec<u8>, usize); 9] = [
            (text.clone(), 40),
            (changed(100_000, 0, b"new"), 50),
            (changed(7, 3, b""), 50),
            (changed(0, 1, b"x"), 50),
            (changed(199_999, 1, b"x"), 50),
            (text[50_003..50_050].to_vec(), 20),
            ([&text[150_000..], &text[..50_000]].concat(), 40),
            ([&text[..], &text[..]].concat(), 60),
            (noise(2, 1_000), 1_100),
        ];
        for (target, len_max) in cases {
            let len = delta_of(&text, &target).len();
            assert!(len <= len_max, "{len} bytes for a target of {}", target.len());
        }
    }

    #[test]
    fn small_and_uniform_contents_are_no_exception() {
        let zeros = vec![0; 300_000];
        for base in [&b""[..], b"x", &noise(3, 15), &noise(3, 16), &noise(3, 17), &zeros] {
            for target in [&b""[..], b"x", &noise(3, 15), &noise(3, 16), &noise(3, 33), &zeros] {
                delta_of(base, target);
            }
        }
        assert!(delta_of(&zeros, &zeros[..250_000]).len() < 40);
    }

    #[test]
    fn a_delta_that_would_be_too_long_is_none() {
        let (base, target) = (noise(4, 5_000), noise(5, 5_000));
        let index = BlockIndex::new(&base).expect("it is small");
        let len = delta_of(&base, &target).len();
        assert!(encode(&index, &base, &target, len).is_some());
        assert!(encode(&index, &base, &target, len - 1).is_none());
    }

    #[test]
    fn any_change_of_any_place_is_told() {
        let base = noise(6, 400);
        for at in 0..base.len() {
            for (gone, new) in [(0, &b"ab"[..]), (1, b"c"), (5, b""), (17, b"long enough to be found again")]
            {
                let end = (at + gone).min(base.len());
                delta_of(&base, &[&base[..at], new, &base[end..]].concat());
            }
        }
    }
}
