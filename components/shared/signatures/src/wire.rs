//! Bytes read from their beginning, never past their end.

/// What is left to be read.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub fn u8(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    pub fn u16(&mut self) -> Option<u16> {
        Some(u16::from_be_bytes(self.take(2)?.try_into().expect("two bytes were taken")))
    }

    pub fn u32(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(self.take(4)?.try_into().expect("four bytes were taken")))
    }

    /// A string as SSH has it: its length in four bytes, and its bytes (RFC 4251, 5).
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()?;
        self.take(usize::try_from(len).ok()?)
    }

    pub fn is_at_end(&self) -> bool {
        self.0.is_empty()
    }
}

/// The bits of a number without the zeros that it begins with.
pub fn bits(number: &[u8]) -> usize {
    let start = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let number = &number[start..];
    number.first().map_or(0, |first| 8 * number.len() - first.leading_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_from_the_highest() {
        for (number, expected) in
            [(&[][..], 0), (&[0, 0], 0), (&[1], 1), (&[0, 0x80, 0], 16), (&[0x7f, 0], 15)]
        {
            assert_eq!(bits(number), expected, "{number:?}");
        }
    }

    #[test]
    fn nothing_is_read_past_the_end() {
        let mut reader = Reader(&[0, 0, 0, 2, 7]);
        assert_eq!(reader.string(), None);
        let mut reader = Reader(&[0, 0, 0, 1, 7]);
        assert_eq!((reader.string(), reader.u8(), reader.is_at_end()), (Some(&[7][..]), None, true));
    }
}
