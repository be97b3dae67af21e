//! Text on its way through a form and back: its encoding and line ends are kept.
//!
//! A text area knows one kind of line end, and sends another (HTML, "The textarea element" and
//! "Constructing the entry list"). So a line that was there before keeps the end that it had, and a new
//! one gets the end that most lines have.

use lithe_code::diff::lines::{self, Line, Options};
use lithe_code::text::{self, Encoding, Legacy};

/// The mark that a text may begin with.
const MARK: &str = "\u{feff}";

/// A file's contents as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    text: String,
    pub encoding: Encoding,
    has_mark: bool,
}

/// A character that the encoding of a file has not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unencodable(pub char);

/// A line, and its end: `\n`, `\r\n`, `\r`, or nothing at the end of the text.
type Ended<'a> = (&'a str, &'a str);

impl Stored {
    /// Of a file that is to be made: UTF-8, with line feeds.
    pub fn nothing() -> Self {
        Self { text: String::new(), encoding: Encoding::Utf8, has_mark: false }
    }

    /// Reads contents, which `.gitattributes` may say to be in an encoding; none if a form cannot carry them there and
    /// back without a loss.
    pub fn read(bytes: &[u8], said: Option<Legacy>) -> Option<Self> {
        let said = said.filter(|said| *said == said.output_encoding() && *said != encoding_rs::UTF_8);
        let said = said.and_then(|said| Some((text::decode_as(bytes, said)?, Encoding::Legacy(said))));
        let decoded = match said {
            Some((text, encoding)) => text::Text { text, encoding },
            None => text::decode(bytes)?,
        };
        let has_mark = match decoded.encoding {
            Encoding::Utf8 => bytes.starts_with(MARK.as_bytes()),
            Encoding::Utf16Le | Encoding::Utf16Be => true,
            Encoding::Legacy(_) => false,
        };
        let stored = Self { text: decoded.text, encoding: decoded.encoding, has_mark };
        let comes_back = stored.write(&stored.typed()).is_ok_and(|written| written == bytes);
        (comes_back && !stored.text.contains('\0')).then_some(stored)
    }

    /// The text for a text area, with line feeds alone.
    pub fn typed(&self) -> String {
        with_line_feeds(&self.text)
    }

    /// The text as it is stored, with its line ends.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text with what was typed in the place of what was there.
    pub fn edited(&self, typed: &str) -> String {
        self.with_line_ends(&with_line_feeds(typed))
    }

    /// The contents with what was typed in the place of what was there.
    pub fn write(&self, typed: &str) -> Result<Vec<u8>, Unencodable> {
        let text = self.edited(typed);
        let mark = if self.has_mark { MARK } else { "" };
        let utf16 = |to_bytes: fn(u16) -> [u8; 2]| {
            mark.encode_utf16().chain(text.encode_utf16()).flat_map(to_bytes).collect()
        };
        Ok(match self.encoding {
            Encoding::Utf8 => [mark.as_bytes(), text.as_bytes()].concat(),
            Encoding::Utf16Le => utf16(u16::to_le_bytes),
            Encoding::Utf16Be => utf16(u16::to_be_bytes),
            Encoding::Legacy(legacy) => match text.chars().find(|character| !has(legacy, *character)) {
                Some(character) => return Err(Unencodable(character)),
                None => legacy.encode(&text).0.into_owned(),
            },
        })
    }

    /// The same text, to be stored in UTF-8.
    pub fn into_utf8(self) -> Self {
        Self { encoding: Encoding::Utf8, has_mark: false, ..self }
    }

    /// Gives every line of a text with line feeds the end that it had, or that most lines have.
    fn with_line_ends(&self, typed: &str) -> String {
        let before = ended_lines(&self.text);
        let usual = usual_end(&before);
        if before.iter().all(|(_, end)| end.is_empty() || *end == usual) {
            return typed.replace('\n', usual);
        }
        let after = ended_lines(typed);
        let mut ends: Vec<&str> =
            after.iter().map(|(_, end)| if end.is_empty() { "" } else { usual }).collect();
        let mut keep = |old: usize, new: usize| {
            if !ends[new].is_empty() && !before[old].1.is_empty() {
                ends[new] = before[old].1;
            }
        };
        let last = (before.len(), after.len());
        let mut start = (0, 0);
        for (old, new) in common(&before, &after).into_iter().chain([last]) {
            // Of as many lines in the place of others each is taken for one of those, edited.
            if old - start.0 == new - start.1 {
                (start.0..old).zip(start.1..new).for_each(|(old, new)| keep(old, new));
            }
            if (old, new) != last {
                keep(old, new);
            }
            start = (old + 1, new + 1);
        }
        after.iter().zip(ends).flat_map(|((line, _), end)| [*line, end]).collect()
    }
}

fn with_line_feeds(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// Whether an encoding has a character.
fn has(legacy: Legacy, character: char) -> bool {
    character.is_ascii() || !legacy.encode(character.encode_utf8(&mut [0; 4])).2
}

fn ended_lines(text: &str) -> Vec<Ended<'_>> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let (line, from_end) = rest.split_at(length);
        let end = ["\r\n", "\n", "\r"].into_iter().find(|end| from_end.starts_with(end)).unwrap_or_default();
        lines.push((line, &from_end[..end.len()]));
        rest = &from_end[end.len()..];
    }
    lines
}

/// The end that most lines have; of two that are as common, the one that comes first here.
fn usual_end(lines: &[Ended<'_>]) -> &'static str {
    let count = |wanted: &str| lines.iter().filter(|(_, end)| *end == wanted).count();
    let ends = ["\n", "\r\n", "\r"].map(|end| (count(end), end));
    ends.into_iter().rev().max_by_key(|(count, _)| *count).map_or("\n", |(_, end)| end)
}

/// Which lines of two texts are the same, as pairs of their numbers.
fn common(before: &[Ended<'_>], after: &[Ended<'_>]) -> Vec<(usize, usize)> {
    let (before, after) = (without_ends(before), without_ends(after));
    if before == after {
        return (0..before.len()).map(|number| (number, number)).collect();
    }
    // With all lines for its context, one hunk holds everything.
    let options = Options { context: u32::MAX, ..Options::default() };
    let hunks = lines::files(&before, &after, options).hunks;
    let pairs = hunks.iter().flat_map(|hunk| &hunk.lines).filter_map(|line| match *line {
        Line::Context { before, after } => Some((before as usize, after as usize)),
        Line::Removed { .. } | Line::Added { .. } => None,
    });
    pairs.collect()
}

fn without_ends<'a>(lines: &[Ended<'a>]) -> Vec<&'a [u8]> {
    lines.iter().map(|(line, _)| line.as_bytes()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is stored once a form has carried `before` there, and `typed` back.
    fn edited(before: &[u8], typed: &str) -> Result<Vec<u8>, Unencodable> {
        Stored::read(before, None).expect("a form can carry it").write(&typed.replace('\n', "\r\n"))
    }

    #[test]
    fn line_ends_and_encodings_are_kept() {
        let utf16 = |text: &str, to_bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            text.encode_utf16().flat_map(to_bytes).collect()
        };
        let cases: &[(&str, Vec<u8>, &str, Vec<u8>)] = &[
            ("line feeds", b"a\nb\n".to_vec(), "a\nc\nb\n", b"a\nc\nb\n".to_vec()),
            ("both", b"a\r\nb\r\n".to_vec(), "a\nc\n", b"a\r\nc\r\n".to_vec()),
            ("carriage returns", b"a\rb\r".to_vec(), "a\nc\nb\n", b"a\rc\rb\r".to_vec()),
            ("no last end", b"a\r\nb".to_vec(), "a\nb", b"a\r\nb".to_vec()),
            ("a last end that is new", b"a\r\nb".to_vec(), "a\nb\n", b"a\r\nb\r\n".to_vec()),
            ("mixed", b"a\nb\r\nc\nd\n".to_vec(), "a\nb\nnew\nc\n", b"a\nb\r\nnew\nc\n".to_vec()),
            ("mixed, edited", b"a\r\nb\nc\r\n".to_vec(), "a\nx\nc\n", b"a\r\nx\nc\r\n".to_vec()),
            ("mixed, moved", b"a\r\nb\nc\r\n".to_vec(), "b\nc\na", b"b\nc\r\na".to_vec()),
            ("one line", b"a".to_vec(), "a\nb\n", b"a\nb\n".to_vec()),
            ("nothing", b"".to_vec(), "a\n", b"a\n".to_vec()),
            ("a mark", b"\xef\xbb\xbfa\n".to_vec(), "b\n", b"\xef\xbb\xbfb\n".to_vec()),
            ("Windows-1252", b"caf\xe9\n".to_vec(), "café €\n", b"caf\xe9 \x80\n".to_vec()),
            (
                "Shift_JIS",
                b"// \x83e\x83X\x83g\r\n".to_vec(),
                "// テスト\nテ\n",
                b"// \x83e\x83X\x83g\r\n\x83e\r\n".to_vec(),
            ),
            (
                "UTF-16, the high byte last",
                utf16("\u{feff}a\r\n", u16::to_le_bytes),
                "𝄞\n",
                utf16("\u{feff}𝄞\r\n", u16::to_le_bytes),
            ),
            (
                "UTF-16, the high byte first",
                utf16("\u{feff}a\n", u16::to_be_bytes),
                "ż\n",
                utf16("\u{feff}ż\n", u16::to_be_bytes),
            ),
        ];
        for (what, before, typed, expected) in cases {
            assert_eq!(edited(before, typed).as_ref(), Ok(expected), "{what}");
            let stored = Stored::read(before, None).expect("a form can carry it");
            assert_eq!(stored.write(&stored.typed()).as_ref(), Ok(before), "{what}, unchanged");
        }
    }

    #[test]
    fn a_text_is_in_the_encoding_that_is_said() {
        let stored = Stored::read(b"\xb1\n", Some(encoding_rs::ISO_8859_2)).expect("text");
        assert_eq!((stored.text(), stored.encoding), ("ą\n", Encoding::Legacy(encoding_rs::ISO_8859_2)));
        assert_eq!(stored.write("ąż\n"), Ok(b"\xb1\xbf\n".to_vec()));
        assert_eq!(stored.write("å\n"), Err(Unencodable('å')));
        // What is said may not be so, or say nothing more.
        for said in
            [encoding_rs::SHIFT_JIS, encoding_rs::UTF_8, encoding_rs::UTF_16LE, encoding_rs::REPLACEMENT]
        {
            let stored = Stored::read("ü\u{a0}".as_bytes(), Some(said)).expect("text");
            assert_eq!((stored.text(), stored.encoding), ("ü\u{a0}", Encoding::Utf8), "{}", said.name());
        }
    }

    #[test]
    fn what_a_form_cannot_carry_is_not_edited() {
        let late_nul = [vec![b'a'; 9_000], vec![0]].concat();
        let lone_surrogate: &[u8] = b"\xff\xfe\x00\xd8";
        let odd: &[u8] = b"\xff\xfea\0b";
        for bytes in [b"a\0b".as_slice(), &late_nul, lone_surrogate, odd] {
            assert_eq!(Stored::read(bytes, None), None, "{:?}", &bytes[..4]);
        }
    }

    #[test]
    fn a_character_that_the_encoding_has_not_is_named() {
        assert_eq!(edited(b"caf\xe9", "caf→"), Err(Unencodable('→')));
        let converted = Stored::read(b"caf\xe9\r\n", None).expect("text").into_utf8();
        assert_eq!(converted.write("café→\n"), Ok("café→\r\n".as_bytes().to_vec()));
    }
}
