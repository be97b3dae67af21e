//! Sets of small numbers, and how Git stores them (gitformat-bitmap, "Appendix A: Serialization format
//! for an EWAH bitmap").

/// A set of numbers below a length, a bit each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bits {
    words: Vec<u64>,
    len: u32,
}

const WORD_BITS: u32 = 64;
const RUN_MAX: u64 = (1 << 32) - 1;
const LITERALS_MAX: u64 = (1 << 31) - 1;

impl Bits {
    /// An empty set of numbers below `len`.
    pub fn new(len: u32) -> Self {
        Self { words: vec![0; len.div_ceil(WORD_BITS) as usize], len }
    }

    /// What the numbers are below of.
    pub fn len(&self) -> u32 {
        self.len
    }

    /// Whether there is no number at all that could be in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The same set, of numbers below `len`, which is no less than before.
    pub fn lengthened(mut self, len: u32) -> Self {
        self.words.resize(len.div_ceil(WORD_BITS) as usize, 0);
        self.len = len;
        self
    }

    /// Adds a number below the length; false: it was there.
    pub fn insert(&mut self, number: u32) -> bool {
        let (word, bit) = (&mut self.words[(number / WORD_BITS) as usize], 1 << (number % WORD_BITS));
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    pub fn contains(&self, number: u32) -> bool {
        self.words
            .get((number / WORD_BITS) as usize)
            .is_some_and(|word| word & 1 << (number % WORD_BITS) != 0)
    }

    /// How many numbers are in it.
    pub fn count(&self) -> u32 {
        self.words.iter().map(|word| word.count_ones()).sum()
    }

    /// The numbers in it, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().zip(0..).flat_map(|(word, index)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(index * WORD_BITS + bit)
            })
        })
    }

    /// Adds everything that is in another set of the same length.
    pub fn unite(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Takes out everything that is in another set of the same length.
    pub fn subtract(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= !other);
    }

    /// Takes out what is in both sets, and adds what is in the other one alone.
    pub fn toggle(&mut self, other: &Self) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word ^= other);
    }

    /// Reads a stored set of numbers below `len` at the beginning of `bytes`; returns it and what
    /// follows. None: it is damaged, or of larger numbers.
    pub fn read(bytes: &[u8], len: u32) -> Option<(Self, &[u8])> {
        let (head, rest) = bytes.split_first_chunk::<8>()?;
        let [_, words_len] = halves(*head);
        let (words, rest) = rest.split_at_checked(words_len as usize * 8)?;
        let (_last_marker, rest) = rest.split_first_chunk::<4>()?;
        let mut words =
            words.chunks_exact(8).map(|word| u64::from_be_bytes(word.try_into().expect("eight bytes")));
        let mut bits = Self::new(len);
        let mut at = 0;
        while let Some(marker) = words.next() {
            let run = (marker >> 1 & RUN_MAX) as usize;
            let literals = (marker >> 33) as usize;
            let end = at + run + literals;
            if run > bits.words.len() - at {
                // A run of zeros past the end says nothing; git writes none.
                return None;
            }
            if marker & 1 == 1 {
                bits.words[at..at + run].fill(u64::MAX);
            }
            for place in bits.words.get_mut(at + run..end)? {
                *place = words.next()?;
            }
            at = end;
        }
        bits.is_within_len().then_some((bits, rest))
    }

    /// Appends the set as it is stored.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        let mut words: Vec<u64> = Vec::new();
        let mut rest = self.words.as_slice();
        let last_marker = loop {
            let value = rest.first().copied().filter(|word| is_run(*word)).unwrap_or(0);
            let run = rest.iter().take_while(|word| **word == value).count().min(RUN_MAX as usize);
            rest = &rest[run..];
            let literals = rest.iter().take_while(|word| !is_run(**word)).count().min(LITERALS_MAX as usize);
            let marker = words.len();
            words.push((literals as u64) << 33 | (run as u64) << 1 | value & 1);
            words.extend_from_slice(&rest[..literals]);
            rest = &rest[literals..];
            if rest.is_empty() {
                break marker;
            }
        };
        out.extend_from_slice(&self.len.to_be_bytes());
        out.extend_from_slice(&(words.len() as u32).to_be_bytes());
        words.iter().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
        out.extend_from_slice(&(last_marker as u32).to_be_bytes());
    }

    /// A run of ones ends with a whole word, which may go on past the length.
    fn is_within_len(&mut self) -> bool {
        let past = self.len % WORD_BITS;
        if past != 0
            && let Some(last) = self.words.last_mut()
        {
            let beyond = *last >> past;
            *last &= (1 << past) - 1;
            return beyond == 0 || beyond == u64::MAX >> past;
        }
        true
    }
}

fn is_run(word: u64) -> bool {
    word == 0 || word == u64::MAX
}

/// Two numbers of four bytes each.
pub fn halves(bytes: [u8; 8]) -> [u32; 2] {
    let both = u64::from_be_bytes(bytes);
    [(both >> 32) as u32, both as u32]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits(len: u32, numbers: impl IntoIterator<Item = u32>) -> Bits {
        let mut bits = Bits::new(len);
        for number in numbers {
            bits.insert(number);
        }
        bits
    }

    #[test]
    fn sets_are_read_as_they_are_written() {
        let sets = [
            bits(0, []),
            bits(1, []),
            bits(1, [0]),
            bits(64, 0..64),
            bits(65, 0..65),
            bits(200, [0, 63, 64, 127, 199]),
            bits(1000, 100..900),
            bits(1000, (0..1000).filter(|number| number % 3 == 0)),
            bits(100_000, (0..50_000).chain([70_000])),
        ];
        for set in sets {
            let mut bytes = Vec::new();
            set.write_to(&mut bytes);
            bytes.push(7);
            assert_eq!(Bits::read(&bytes, set.len), Some((set.clone(), &[7][..])), "{}", set.count());
            for len in 0..bytes.len() - 1 {
                assert_eq!(Bits::read(&bytes[..len], set.len), None);
            }
        }
    }

    #[test]
    fn what_is_stored_is_short_where_it_is_uniform() {
        let mut bytes = Vec::new();
        bits(1_000_000, 0..500_000).write_to(&mut bytes);
        assert!(bytes.len() < 60, "{}", bytes.len());
    }

    #[test]
    fn numbers_past_the_length_are_refused() {
        let mut bytes = Vec::new();
        bits(130, [129]).write_to(&mut bytes);
        for (len, is_read) in [(130, true), (192, true), (129, false), (128, false), (64, false), (0, false)]
        {
            assert_eq!(Bits::read(&bytes, len).is_some(), is_read, "{len}");
        }
    }

    #[test]
    fn what_was_not_in_a_set_is_not_in_a_longer_one() {
        let mut stored = Vec::new();
        // Its run of ones goes on to the end of the word.
        stored.extend([0, 0, 0, 70, 0, 0, 0, 1].iter().chain(&5_u64.to_be_bytes()).chain(&[0; 4]));
        let (all, _) = Bits::read(&stored, 70).expect("sound");
        assert_eq!(all, bits(70, 0..70));
        for len in [70, 128, 129, 1000] {
            assert_eq!(all.clone().lengthened(len), bits(len, 0..70));
        }
    }

    #[test]
    fn sets_are_united_and_compared() {
        let mut set = bits(100, [1, 2, 70]);
        set.unite(&bits(100, [2, 99]));
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 2, 70, 99]);
        set.toggle(&bits(100, [1, 3]));
        let mut rest = set.clone();
        rest.subtract(&bits(100, [2, 4, 99]));
        assert_eq!(rest.iter().collect::<Vec<_>>(), [3, 70]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [2, 3, 70, 99]);
        assert!(set.contains(70) && !set.contains(71) && !set.contains(100));
        assert!(!set.insert(70) && set.insert(71));
        assert_eq!(set.count(), 5);
    }
}
