//! Pkt-lines (gitprotocol-common): four hex digits of length, then bytes.

/// The longest line, in bytes, its length included.
pub const LINE_LEN_MAX: usize = 65_520;
/// The most bytes that a line carries.
pub const DATA_LEN_MAX: usize = LINE_LEN_MAX - 4;

/// One line.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Line<'a> {
    /// `0000`
    Flush,
    /// `0001`
    Delimiter,
    /// `0002`
    ResponseEnd,
    Data(&'a [u8]),
}

/// Why lines cannot be read.
#[derive(Debug, PartialEq, Eq, Clone, Copy, thiserror::Error)]
pub enum Error {
    #[error("a pkt-line's length is not four hexadecimal digits, or not possible")]
    Length,
    #[error("a pkt-line is cut off")]
    CutOff,
}

impl<'a> Line<'a> {
    /// The text of a line, without the line feed at its end; none for the special lines.
    pub fn text(&self) -> Option<&'a [u8]> {
        match self {
            Line::Data(data) => Some(data.strip_suffix(b"\n").unwrap_or(data)),
            _ => None,
        }
    }
}

/// Reads the lines of a message one after another.
#[derive(Debug, Clone)]
pub struct Lines<'a> {
    rest: &'a [u8],
}

impl<'a> Lines<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What follows the lines read so far.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// Reads the next line; none: the message has ended.
    pub fn line(&mut self) -> Result<Option<Line<'a>>, Error> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (head, rest) = self.rest.split_at_checked(4).ok_or(Error::CutOff)?;
        let len = length(head)?;
        let line = match len {
            0 => Line::Flush,
            1 => Line::Delimiter,
            2 => Line::ResponseEnd,
            3 => return Err(Error::Length),
            len => Line::Data(rest.get(..len - 4).ok_or(Error::CutOff)?),
        };
        self.rest = &rest[len.saturating_sub(4)..];
        Ok(Some(line))
    }
}

/// Reads the four digits at the head of a line: its length, those digits included.
pub fn length(head: &[u8]) -> Result<usize, Error> {
    let mut len = 0;
    for digit in head {
        let value = char::from(*digit).to_digit(16).ok_or(Error::Length)?;
        len = len * 16 + value as usize;
    }
    if len > LINE_LEN_MAX { Err(Error::Length) } else { Ok(len) }
}

/// Writes a line.
///
/// # Panics
///
/// If the data is longer than [`DATA_LEN_MAX`].
pub fn write(out: &mut Vec<u8>, data: &[u8]) {
    assert!(data.len() <= DATA_LEN_MAX, "a pkt-line holds at most {DATA_LEN_MAX} bytes");
    out.extend_from_slice(&head(data.len() + 4));
    out.extend_from_slice(data);
}

/// Writes a line of formatted text; the line feed at its end is the caller's.
pub fn write_text(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    write(out, text.to_string().as_bytes());
}

/// Writes `0000`.
pub fn flush(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0000");
}

/// Writes `0001`.
pub fn delimiter(out: &mut Vec<u8>) {
    out.extend_from_slice(b"0001");
}

/// The four digits of a length.
pub fn head(len: usize) -> [u8; 4] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [12, 8, 4, 0].map(|shift| DIGITS[(len >> shift) & 0xf])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_one_by_one() {
        let mut lines = Lines::new(b"0006a\n000000010002000400020005bPACK");
        let mut read = Vec::new();
        while let Ok(Some(line)) = lines.line() {
            read.push(line);
        }
        let expected = [
            Line::Data(b"a\n"),
            Line::Flush,
            Line::Delimiter,
            Line::ResponseEnd,
            Line::Data(b""),
            Line::ResponseEnd,
            Line::Data(b"b"),
        ];
        assert_eq!(read, expected);
        assert_eq!(lines.rest(), b"PACK");
    }

    #[test]
    fn broken_lines_are_refused() {
        let cases: &[(&[u8], Error)] = &[
            (b"00", Error::CutOff),
            (b"0008abc", Error::CutOff),
            (b"0003", Error::Length),
            (b"zzzz", Error::Length),
            (b"+00a", Error::Length),
            (b"fff1", Error::Length),
            (b"ffff", Error::Length),
        ];
        for (bytes, error) in cases {
            assert_eq!(Lines::new(bytes).line(), Err(*error), "{bytes:?}");
        }
    }

    #[test]
    fn the_longest_line_is_written_and_read() {
        let mut out = Vec::new();
        write(&mut out, &vec![b'x'; DATA_LEN_MAX]);
        assert!(out.starts_with(b"fff0"));
        assert_eq!(Lines::new(&out).line(), Ok(Some(Line::Data(&out[4..]))));
    }
}
