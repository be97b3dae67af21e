//! Applying deltas (gitformat-pack, "Deltified representation").

/// Why a delta does not apply, in words.
pub type Reason = &'static str;

/// The largest result for which room is made before it is known that the delta makes as much, in bytes.
const UNCOUNTED_BYTES_MAX: usize = 1024 * 1024;

const MAKES_MORE: Reason = "the delta makes more than it says";
const MAKES_LESS: Reason = "the delta makes less than it says";

/// The sizes at the head of a delta.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub struct Sizes {
    pub base: u64,
    pub result: u64,
    /// How many bytes of the delta they take.
    pub len: usize,
}

/// Reads the sizes of base and result at the head of a delta.
pub fn sizes(delta: &[u8]) -> Result<Sizes, Reason> {
    let (base, first) = size(delta)?;
    let (result, second) = size(&delta[first..])?;
    Ok(Sizes { base, result, len: first + second })
}

/// Makes the object that `delta` describes from its base, into `result`, which is cleared first.
///
/// The caller has checked the sizes against its limits.
pub fn apply(base: &[u8], delta: &[u8], result: &mut Vec<u8>) -> Result<(), Reason> {
    let sizes = sizes(delta)?;
    if sizes.base != base.len() as u64 {
        return Err("the delta is for a base of another size");
    }
    let result_len = usize::try_from(sizes.result).map_err(|_| "the delta makes too large an object")?;
    let instructions = Instructions { base, rest: &delta[sizes.len..] };
    // Memory is taken for what is really made: a size that is only claimed costs nothing.
    if result_len > UNCOUNTED_BYTES_MAX {
        count(instructions, result_len)?;
    }
    result.clear();
    result.reserve_exact(result_len);
    result.resize(result_len, 0);
    let mut made = 0;
    for piece in instructions {
        let (source, len) = piece?;
        if len > result_len - made {
            return Err(MAKES_MORE);
        }
        put(source, len, &mut result[made..]);
        made += len;
    }
    if made != result_len { Err(MAKES_LESS) } else { Ok(()) }
}

/// Fails unless the instructions make so many bytes.
fn count(instructions: Instructions<'_>, result_len: usize) -> Result<(), Reason> {
    let mut made = 0;
    for piece in instructions {
        made += piece?.1;
        if made > result_len {
            return Err(MAKES_MORE);
        }
    }
    if made != result_len { Err(MAKES_LESS) } else { Ok(()) }
}

/// What a delta says to put together: of each piece where it begins, with all that follows there, and how long it is.
#[derive(Clone, Copy)]
struct Instructions<'a> {
    base: &'a [u8],
    rest: &'a [u8],
}

impl<'a> Iterator for Instructions<'a> {
    type Item = Result<(&'a [u8], usize), Reason>;

    fn next(&mut self) -> Option<Self::Item> {
        let (&instruction, after) = self.rest.split_first()?;
        self.rest = after;
        Some(self.piece(instruction))
    }
}

impl<'a> Instructions<'a> {
    fn piece(&mut self, instruction: u8) -> Result<(&'a [u8], usize), Reason> {
        if instruction & 0x80 != 0 {
            let (offset, len) = copy(instruction, &mut self.rest)?;
            if offset.saturating_add(len) > self.base.len() {
                return Err("the delta copies from outside of its base");
            }
            return Ok((&self.base[offset..], len));
        }
        if instruction == 0 {
            return Err("the delta has an unknown instruction");
        }
        let (piece, len) = (self.rest, usize::from(instruction));
        self.rest = piece.get(len..).ok_or("the delta ends within an insertion")?;
        Ok((piece, len))
    }
}

/// Copies `len` bytes from the beginning of one slice to that of another.
///
/// Most pieces are short: those are copied by so many bytes at once, as long as there is room for them, which
/// takes less time than to call what copies any number of bytes.
fn put(source: &[u8], len: usize, target: &mut [u8]) {
    const STEP: usize = 16;
    const SHORT: usize = 8 * STEP;
    let room = len.next_multiple_of(STEP);
    if len > SHORT || room > source.len() || room > target.len() {
        return target[..len].copy_from_slice(&source[..len]);
    }
    let (from, _) = source[..room].as_chunks::<STEP>();
    let (to, _) = target[..room].as_chunks_mut::<STEP>();
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
}

/// Reads where a piece of the base begins, and how long it is.
fn copy(instruction: u8, rest: &mut &[u8]) -> Result<(usize, usize), Reason> {
    let count = (instruction & 0x7f).count_ones() as usize;
    let (mut bytes, after) = rest.split_at_checked(count).ok_or("the delta ends within an instruction")?;
    *rest = after;
    let mut next = |bit: u8, shift: u8| match (instruction & 1 << bit, bytes) {
        (0, _) | (_, []) => 0,
        (_, [byte, others @ ..]) => {
            bytes = others;
            usize::from(*byte) << shift
        }
    };
    let offset = next(0, 0) | next(1, 8) | next(2, 16) | next(3, 24);
    let len = next(4, 0) | next(5, 8) | next(6, 16);
    Ok((offset, if len == 0 { 0x10000 } else { len }))
}

fn size(bytes: &[u8]) -> Result<(u64, usize), Reason> {
    let mut value = 0_u64;
    for (index, &byte) in bytes.iter().enumerate() {
        let shift = 7 * index as u32;
        if shift > 56 {
            return Err("the delta has an impossible size");
        }
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok((value, index + 1));
        }
    }
    Err("the delta ends within a size")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_apply_or_say_why_not() {
        let base = b"0123456789";
        let cases: &[(&[u8], Result<&[u8], Reason>)] = &[
            (&[10, 3, 0x91, 2, 3], Ok(b"234")),
            (&[10, 4, 0x90, 2, 2, b'x', b'y'], Ok(b"01xy")),
            (&[10, 0], Ok(b"")),
            (&[9, 0], Err("the delta is for a base of another size")),
            (&[10, 3, 0x91, 8, 3], Err("the delta copies from outside of its base")),
            (&[10, 3, 0x91, 2], Err("the delta ends within an instruction")),
            (&[10, 3, 4, b'x'], Err("the delta ends within an insertion")),
            (&[10, 3, 0], Err("the delta has an unknown instruction")),
            (&[10, 2, 0x90, 3], Err("the delta makes more than it says")),
            (&[10, 4, 0x90, 3], Err("the delta makes less than it says")),
            (&[10], Err("the delta ends within a size")),
            (&[0x80, 0x80], Err("the delta ends within a size")),
            (&[0xff; 12], Err("the delta has an impossible size")),
        ];
        for (delta, expected) in cases {
            let mut result = Vec::new();
            let outcome = apply(base, delta, &mut result).map(|()| result.as_slice());
            assert_eq!(outcome, *expected, "{delta:?}");
        }
    }

    #[test]
    fn pieces_of_any_length_are_copied_wherever_they_lie() {
        let base: Vec<u8> = (0..=u8::MAX).cycle().take(600).collect();
        for len in 1..=250_usize {
            for offset in [0, 1, 300, 600 - len] {
                // A copy, an insertion of as much as one takes, and the copy once more.
                let copied = &base[offset..offset + len];
                let inserted = &base[..len.min(127)];
                let expected = [copied, inserted, copied].concat();
                let size = |size: usize| [size as u8 & 0x7f | 0x80, (size >> 7) as u8];
                let copy = [0x93, offset as u8, (offset >> 8) as u8, len as u8];
                let head = [size(base.len()), size(expected.len())].concat();
                let delta = [&head, &copy[..], &[inserted.len() as u8], inserted, &copy].concat();
                let mut result = Vec::new();
                apply(&base, &delta, &mut result).expect("a sound delta");
                assert_eq!(result, expected, "{len} from {offset}");
            }
        }
    }

    /// A delta that copies the whole of a base of 65,536 bytes so often, inserts one byte, and says that it makes `size`.
    fn copies(count: usize, size: usize) -> Vec<u8> {
        let mut delta = vec![0x80, 0x80, 4];
        delta.extend([size as u8 & 0x7f | 0x80, (size >> 7) as u8 | 0x80, (size >> 14) as u8 | 0x80]);
        delta.push((size >> 21) as u8);
        delta.extend(std::iter::repeat_n(0x80, count));
        delta.extend([1, 9]);
        delta
    }

    #[test]
    fn a_large_result_has_just_the_room_it_takes() {
        let base = vec![7; 0x10000];
        let count = UNCOUNTED_BYTES_MAX / 0x10000 * 3;
        let size = count * 0x10000 + 1;
        let mut result = Vec::new();
        apply(&base, &copies(count, size), &mut result).expect("a sound delta");
        assert!(
            result.len() == size && result[..size - 1].iter().all(|byte| *byte == 7) && result[size - 1] == 9
        );
        assert_eq!(result.capacity(), size);
        let cases = [(size - 1, MAKES_MORE), (size + 1, MAKES_LESS)];
        for (claimed, reason) in cases {
            let mut result = Vec::new();
            assert_eq!(apply(&base, &copies(count, claimed), &mut result), Err(reason));
            assert_eq!(result.capacity(), 0, "nothing is taken for what is only claimed");
        }
    }

    #[test]
    fn a_copy_without_a_length_is_of_65536_bytes() {
        let base = vec![7; 0x10000];
        let mut result = Vec::new();
        apply(&base, &[0x80, 0x80, 4, 0x80, 0x80, 4, 0x80], &mut result).expect("a sound delta");
        assert_eq!(result, base);
    }
}
