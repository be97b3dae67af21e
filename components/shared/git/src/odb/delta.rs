//! Applying deltas (gitformat-pack, "Deltified representation").

/// Why a delta does not apply, in words.
pub type Reason = &'static str;

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
    result.clear();
    result.reserve_exact(result_len);
    let mut rest = &delta[sizes.len..];
    while let Some((&instruction, after)) = rest.split_first() {
        rest = after;
        let piece = if instruction & 0x80 != 0 {
            let (offset, len) = copy(instruction, &mut rest)?;
            base.get(offset..offset.saturating_add(len)).ok_or("the delta copies from outside of its base")?
        } else if instruction != 0 {
            let (piece, after) =
                rest.split_at_checked(instruction.into()).ok_or("the delta ends within an insertion")?;
            rest = after;
            piece
        } else {
            return Err("the delta has an unknown instruction");
        };
        if piece.len() > result_len - result.len() {
            return Err("the delta makes more than it says");
        }
        result.extend_from_slice(piece);
    }
    if result.len() != result_len {
        return Err("the delta makes less than it says");
    }
    Ok(())
}

fn copy(instruction: u8, rest: &mut &[u8]) -> Result<(usize, usize), Reason> {
    let mut offset = 0;
    let mut len = 0;
    for bit in 0..7 {
        if instruction & (1 << bit) == 0 {
            continue;
        }
        let (&byte, after) = rest.split_first().ok_or("the delta ends within an instruction")?;
        *rest = after;
        if bit < 4 {
            offset |= usize::from(byte) << (8 * bit);
        } else {
            len |= usize::from(byte) << (8 * (bit - 4));
        }
    }
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
    fn a_copy_without_a_length_is_of_65536_bytes() {
        let base = vec![7; 0x10000];
        let mut result = Vec::new();
        apply(&base, &[0x80, 0x80, 4, 0x80, 0x80, 4, 0x80], &mut result).expect("a sound delta");
        assert_eq!(result, base);
    }
}
