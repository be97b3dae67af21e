//! What Git does to a file on its way out of a repository, as its attributes ask (gitattributes(5)): `ident`, line ends
//! and `working-tree-encoding`. `git archive` does it too.

use bstr::ByteSlice as _;
use encoding_rs::Encoding;
use gix_hash::ObjectId;
use lithe_code::attributes::{State, States};

/// The attributes that ask for it.
pub const ATTRIBUTES: [&str; 5] = ["text", "crlf", "eol", "ident", "working-tree-encoding"];

/// What is done to a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conversion {
    line_ends: LineEnds,
    has_ident: bool,
    encoding: Option<Charset>,
}

/// Which line ends become `\r\n`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum LineEnds {
    #[default]
    Kept,
    /// Those of a file that looks like text and has none of them yet.
    OfText,
    All,
}

/// An encoding that a text is put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf16 { is_little: bool, has_mark: bool },
    Latin1,
    Other(&'static Encoding),
}

impl Charset {
    /// The encoding of that name; none for UTF-8, and for one that is not known: the text stays as it is then.
    fn named(name: &[u8]) -> Option<Self> {
        let utf16 = |is_little, has_mark| Some(Self::Utf16 { is_little, has_mark });
        match name.to_ascii_uppercase().as_slice() {
            b"UTF-16" | b"UTF16" | b"UTF-16LE-BOM" | b"UTF16LE-BOM" => utf16(true, true),
            b"UTF-16BE-BOM" | b"UTF16BE-BOM" => utf16(false, true),
            b"UTF-16LE" | b"UTF16LE" => utf16(true, false),
            b"UTF-16BE" | b"UTF16BE" => utf16(false, false),
            b"ISO-8859-1" | b"ISO8859-1" | b"LATIN1" | b"LATIN-1" => Some(Self::Latin1),
            _ => Encoding::for_label(name)
                .filter(|encoding| encoding.output_encoding() == *encoding && *encoding != encoding_rs::UTF_8)
                .map(Self::Other),
        }
    }

    /// The text in the encoding; none if it has a character that the encoding has not.
    fn encode(self, text: &str) -> Option<Vec<u8>> {
        match self {
            Self::Utf16 { is_little, has_mark } => {
                let mark = has_mark.then_some(0xfeff);
                let bytes = |unit: u16| if is_little { unit.to_le_bytes() } else { unit.to_be_bytes() };
                Some(mark.into_iter().chain(text.encode_utf16()).flat_map(bytes).collect())
            }
            Self::Latin1 => text.chars().map(|character| u8::try_from(character).ok()).collect(),
            Self::Other(encoding) => {
                let (bytes, _, had_errors) = encoding.encode(text);
                (!had_errors).then(|| bytes.into_owned())
            }
        }
    }
}

impl Conversion {
    /// What the attributes of a file ask for.
    pub fn of(states: &States) -> Self {
        let said = |name: &str| match states.get(name) {
            State::Value(value) => value.as_slice(),
            State::Set | State::Unset | State::Unspecified => b"",
        };
        // `crlf` is what `text` was called first.
        let text = match states.get("text") {
            State::Unspecified => states.get("crlf"),
            state => state,
        };
        let is_auto = matches!(text, State::Value(value) if value == "auto");
        let line_ends = match (text, said("eol")) {
            (State::Unset, _) => LineEnds::Kept,
            (_, b"crlf") if is_auto => LineEnds::OfText,
            (_, b"crlf") => LineEnds::All,
            _ => LineEnds::Kept,
        };
        Self {
            line_ends,
            has_ident: *states.get("ident") == State::Set,
            encoding: Charset::named(said("working-tree-encoding"))
                .filter(|_| !said("working-tree-encoding").is_empty()),
        }
    }

    /// Whether every file stays as it is.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// A file's contents as they go out; none if they stay as they are.
    pub fn convert(&self, blob_id: &ObjectId, contents: &[u8]) -> Option<Vec<u8>> {
        let mut converted = None;
        if self.has_ident {
            converted = with_ident(contents, blob_id);
        }
        let now = converted.as_deref().unwrap_or(contents);
        if let Some(with_ends) = self.with_line_ends(now) {
            converted = Some(with_ends);
        }
        let now = converted.as_deref().unwrap_or(contents);
        let encoded = self.encoding.and_then(|charset| charset.encode(now.to_str().ok()?));
        encoded.or(converted)
    }

    fn with_line_ends(&self, contents: &[u8]) -> Option<Vec<u8>> {
        let counts = match self.line_ends {
            LineEnds::Kept => return None,
            LineEnds::OfText | LineEnds::All => Counts::of(contents),
        };
        let is_refused = self.line_ends == LineEnds::OfText && (counts.pairs > 0 || counts.is_binary());
        if counts.lone_feeds == 0 || is_refused {
            return None;
        }
        let mut converted = Vec::with_capacity(contents.len() + counts.lone_feeds);
        let mut before = 0;
        for byte in contents {
            if *byte == b'\n' && before != b'\r' {
                converted.push(b'\r');
            }
            converted.push(*byte);
            before = *byte;
        }
        Some(converted)
    }
}

/// What a file's bytes are, to tell text from others as Git does where line ends are concerned.
#[derive(Debug, Default)]
struct Counts {
    nulls: usize,
    lone_returns: usize,
    lone_feeds: usize,
    pairs: usize,
    printable: usize,
    others: usize,
}

impl Counts {
    fn of(contents: &[u8]) -> Self {
        let mut counts = Self::default();
        let mut bytes = contents.iter().copied().peekable();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\r' if bytes.next_if_eq(&b'\n').is_some() => counts.pairs += 1,
                b'\r' => counts.lone_returns += 1,
                b'\n' => counts.lone_feeds += 1,
                0x08 | b'\t' | 0x1b | 0x0c => counts.printable += 1,
                0 => (counts.nulls, counts.others) = (counts.nulls + 1, counts.others + 1),
                ..0x20 | 0x7f => counts.others += 1,
                _ => counts.printable += 1,
            }
        }
        // The mark at the end of a DOS file is none of them.
        if contents.last() == Some(&0x1a) {
            counts.others -= 1;
        }
        counts
    }

    fn is_binary(&self) -> bool {
        self.lone_returns > 0 || self.nulls > 0 || self.printable / 128 < self.others
    }
}

/// The contents with the blob's id in every `$Id$`, also in those that have another one; none if there is no such.
fn with_ident(contents: &[u8], blob_id: &ObjectId) -> Option<Vec<u8>> {
    let mut converted = Vec::new();
    let (mut rest, mut is_changed) = (contents, false);
    while let Some(dollar) = rest.find_byte(b'$') {
        converted.extend_from_slice(&rest[..=dollar]);
        rest = &rest[dollar + 1..];
        let Some(after) = rest.strip_prefix(b"Id") else { continue };
        let end = match after.first() {
            Some(b'$') => 0,
            Some(b':') => {
                let Some(end) = after.find_byte(b'$') else { break };
                let value = &after[1..end];
                // What has spaces inside is another program's.
                let inner = value.get(1..value.len().saturating_sub(1)).unwrap_or_default();
                if value.contains(&b'\n') || inner.contains(&b' ') {
                    continue;
                }
                end
            }
            _ => continue,
        };
        converted.extend_from_slice(format!("Id: {blob_id} $").as_bytes());
        rest = &after[end + 1..];
        is_changed = true;
    }
    converted.extend_from_slice(rest);
    is_changed.then_some(converted)
}
