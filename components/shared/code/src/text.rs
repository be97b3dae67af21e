//! Bytes of unknown encoding as text for people: file contents and file names.

use crate::limits::{ENCODING_PROBE_BYTES, LINE_BYTES_MAX};
use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use std::borrow::Cow;
use std::fmt::Write as _;

/// How many bytes are looked at to tell text from binary, as Git does.
const BINARY_PROBE_BYTES: usize = 8_000;

/// How a text was encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Utf8,
    Utf16Le,
    Utf16Be,
    /// An older one, which somebody says it is, or which is likely from the bytes.
    Legacy(Legacy),
}

/// An encoding of the time before Unicode, such as Windows-1252 or Shift_JIS: ASCII stands for itself, and no
/// character has a line feed in it.
pub type Legacy = &'static encoding_rs::Encoding;

impl Encoding {
    /// The name to show; none for UTF-8, which goes without saying.
    pub fn badge(self) -> Option<&'static str> {
        match self {
            Self::Utf8 => None,
            Self::Utf16Le => Some("UTF-16LE"),
            Self::Utf16Be => Some("UTF-16BE"),
            Self::Legacy(legacy) => Some(legacy.name()),
        }
    }
}

/// A file's contents, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    pub text: String,
    pub encoding: Encoding,
}

/// Whether the bytes are not text: a NUL among the first 8,000, unless a byte order mark says UTF-16.
pub fn is_binary(bytes: &[u8]) -> bool {
    utf16(bytes).is_none() && bytes[..bytes.len().min(BINARY_PROBE_BYTES)].contains(&0)
}

/// Whether the bytes are a PDF document (ISO 32000-1, section 7.5.2), which may have no NUL for a long while.
pub fn is_pdf(bytes: &[u8]) -> bool {
    bytes.starts_with(b"%PDF-")
}

/// Decodes text; none if it is binary.
pub fn decode(bytes: &[u8]) -> Option<Text> {
    if is_binary(bytes) {
        return None;
    }
    if let Some((encoding, decoder)) = utf16(bytes) {
        let text = decoder.decode_with_bom_removal(bytes).0.into_owned();
        return Some(Text { text, encoding });
    }
    let (text, encoding) = match std::str::from_utf8(bytes) {
        Ok(text) => (text.strip_prefix('\u{feff}').unwrap_or(text).to_owned(), Encoding::Utf8),
        Err(_) => {
            let legacy = legacy([bytes]);
            (legacy.decode_without_bom_handling(bytes).0.into_owned(), Encoding::Legacy(legacy))
        }
    };
    Some(Text { text, encoding })
}

/// The encoding that those pieces of text probably have, all the same, of which some are not UTF-8. It maps all
/// of their bytes; where nothing fits better it is Windows-1252, which does.
pub fn legacy<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Legacy {
    let pieces: Vec<&[u8]> = pieces.into_iter().filter(|piece| !is_utf8(piece)).collect();
    if pieces.is_empty() {
        return encoding_rs::WINDOWS_1252;
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    let mut room = ENCODING_PROBE_BYTES;
    for piece in &pieces {
        // ASCII tells nothing, but for what stands beside a letter.
        let first = piece.iter().position(|byte| !byte.is_ascii()).unwrap_or_default();
        let told = &piece[first.saturating_sub(1)..];
        let told = &told[..told.len().min(room)];
        room -= told.len();
        detector.feed(told, false);
        detector.feed(b"\n", false);
    }
    let guess = detector.guess(None, Utf8Detection::Deny);
    let fits = |piece: &&[u8]| guess.decode_without_bom_handling_and_without_replacement(piece).is_some();
    if pieces.iter().all(fits) { guess } else { encoding_rs::WINDOWS_1252 }
}

fn is_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).is_ok()
}

/// A line of a text whose other lines let an encoding be guessed, which it may not have.
pub fn line_of(bytes: &[u8], legacy: Legacy) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(line) => Cow::Borrowed(line),
        Err(_) if is_binary(bytes) => Cow::Owned(visible(bytes)),
        Err(_) => legacy.decode_without_bom_handling(bytes).0,
    }
}

/// Decodes text that is said to be in an encoding; none if it is not, or is binary.
pub fn decode_as(bytes: &[u8], encoding: &'static encoding_rs::Encoding) -> Option<String> {
    let is_wide = encoding == encoding_rs::UTF_16LE || encoding == encoding_rs::UTF_16BE;
    // What is UTF-8 and more than ASCII was most likely converted since that was said.
    if !is_wide && (is_binary(bytes) || (!bytes.is_ascii() && is_utf8(bytes))) {
        return None;
    }
    let (text, had_errors) = encoding.decode_with_bom_removal(bytes);
    (!had_errors).then(|| text.into_owned())
}

/// A text by whose bytes `\n` its lines end: one that is UTF-16, or said to be, as UTF-8; none: it is one already.
pub fn bytewise(bytes: &[u8], said: Option<&'static encoding_rs::Encoding>) -> Option<Vec<u8>> {
    let wide = [encoding_rs::UTF_16LE, encoding_rs::UTF_16BE];
    let said = said.filter(|said| wide.contains(said)).and_then(|said| decode_as(bytes, said));
    let text = said.or_else(|| utf16(bytes).and_then(|_| Some(decode(bytes)?.text)));
    text.map(String::into_bytes)
}

fn utf16(bytes: &[u8]) -> Option<(Encoding, &'static encoding_rs::Encoding)> {
    match bytes {
        [0xff, 0xfe, ..] => Some((Encoding::Utf16Le, encoding_rs::UTF_16LE)),
        [0xfe, 0xff, ..] => Some((Encoding::Utf16Be, encoding_rs::UTF_16BE)),
        _ => None,
    }
}

/// A file name, ref or person for people: what is not UTF-8 as `\xNN`, control characters as
/// `\n` or `\u{1b}`, and characters that would reorder or hide text (Unicode TR 36, TR 39) as `\u{202e}`.
pub fn visible(bytes: &[u8]) -> String {
    let mut shown = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            push_visible(&mut shown, character);
        }
        for byte in chunk.invalid() {
            write!(shown, "\\x{byte:02x}").expect("writing to a string succeeds");
        }
    }
    shown
}

fn push_visible(shown: &mut String, character: char) {
    if character.is_control() || is_deceptive(character) {
        shown.extend(character.escape_default());
    } else {
        shown.push(character);
    }
}

/// Whether a character is invisible and changes how those around it are read or shown.
pub fn is_deceptive(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}'
        | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a text has a character that reorders the text around it (CVE-2021-42574).
pub fn has_bidirectional_control(text: &str) -> bool {
    text.chars().any(is_bidirectional_control)
}

/// Whether a character overrides, embeds or isolates a direction of writing.
pub fn is_bidirectional_control(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Appends text to HTML: escaped, control characters (but for the tab) and characters that
/// reorder made visible, cut at [`LINE_BYTES_MAX`]. For a line of a file.
pub fn push_line_html(html: &mut String, line: &str) {
    let cut = line.floor_char_boundary(LINE_BYTES_MAX);
    let (shown, rest) = line.split_at(cut);
    push_html(html, shown);
    if !rest.is_empty() {
        html.push('…');
    }
}

/// Appends text to HTML as [`push_line_html`] does, without cutting.
pub fn push_html(html: &mut String, text: &str) {
    let mut rest = text;
    while !rest.is_empty() {
        // Most of a text is plain.
        let end = rest.bytes().position(|byte| !is_plain(byte)).unwrap_or(rest.len());
        let (plain, others) = rest.split_at(end);
        html.push_str(plain);
        let end = others.bytes().position(is_plain).unwrap_or(others.len());
        let (others, after) = others.split_at(end);
        push_escaped(html, others);
        rest = after;
    }
}

/// Whether a byte is a character of its own that stands for itself in HTML.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n') && !matches!(byte, b'&' | b'<' | b'>' | b'"')
}

fn push_escaped(html: &mut String, text: &str) {
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\t' | '\n' => html.push(character),
            _ if character.is_control() || is_bidirectional_control(character) => {
                html.push_str("<span class=\"control-character\">");
                html.extend(character.escape_default());
                html.push_str("</span>");
            }
            _ => html.push(character),
        }
    }
}

/// The lines of a text, without their ends (`\n` or `\r\n`); a last one without an end counts.
pub fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive('\n').map(without_line_end)
}

/// A line without its `\n` or `\r\n`.
pub fn without_line_end(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_of_other_text_is_guessed() {
        let cases: [(Legacy, &str); 9] = [
            (encoding_rs::SHIFT_JIS, "// 設定ファイルを読み込む\nint main(void);\n"),
            (encoding_rs::EUC_JP, "# これは日本語のコメントです\nprint 1\n"),
            (encoding_rs::EUC_KR, "/* 한국어로 쓴 설명입니다. */\n"),
            (encoding_rs::GBK, "// 这是一个用中文写的注释，说明函数的作用\n"),
            (encoding_rs::BIG5, "// 這是一個用中文寫的註解，說明函式的作用\n"),
            (encoding_rs::WINDOWS_1251, "; Настройки программы и их значения\n"),
            (encoding_rs::WINDOWS_1250, "# Příliš žluťoučký kůň úpěl ďábelské ódy\n"),
            (encoding_rs::WINDOWS_1253, "# Οι ρυθμίσεις του προγράμματος\n"),
            (encoding_rs::WINDOWS_1252, "# Größe und Länge müssen übereinstimmen\n"),
        ];
        for (encoding, text) in cases {
            let bytes = encoding.encode(text).0;
            let expected = Text { text: text.to_owned(), encoding: Encoding::Legacy(encoding) };
            assert_eq!(decode(&bytes), Some(expected), "{text}");
            assert_eq!(legacy([b"ASCII".as_slice(), "żółw".as_bytes(), &bytes]), encoding, "{text}");
        }
        let mut damaged = encoding_rs::SHIFT_JIS.encode(cases[0].1).0.repeat(10_000);
        damaged.extend(b"\x98\xff");
        let decoded = decode(&damaged).expect("it is text");
        assert_eq!(decoded.encoding, Encoding::Legacy(encoding_rs::WINDOWS_1252), "it must fit everywhere");
    }

    #[test]
    fn a_line_is_utf8_or_of_the_encoding_of_the_others() {
        let cases: [(&[u8], &str); 4] = [
            (b"abc", "abc"),
            ("ż".as_bytes(), "ż"),
            (b"\x83e\x83X\x83g", "テスト"),
            (b"\x83\0", "\\x83\\u{0}"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(line_of(bytes, encoding_rs::SHIFT_JIS), expected);
        }
    }

    #[test]
    fn text_is_decoded_by_its_mark_else_as_utf8_else_by_a_guess() {
        let cases: &[(&[u8], Option<(&str, Encoding)>)] = &[
            (b"", Some(("", Encoding::Utf8))),
            ("zażółć".as_bytes(), Some(("zażółć", Encoding::Utf8))),
            (b"\xef\xbb\xbfmark", Some(("mark", Encoding::Utf8))),
            (b"\xff\xfea\0b\0", Some(("ab", Encoding::Utf16Le))),
            (b"\xfe\xff\0a\0b", Some(("ab", Encoding::Utf16Be))),
            (b"caf\xe9 \x80", Some(("café €", Encoding::Legacy(encoding_rs::WINDOWS_1252)))),
            (b"a\0b", None),
        ];
        for (bytes, expected) in cases {
            let expected = expected.map(|(text, encoding)| Text { text: text.into(), encoding });
            assert_eq!(decode(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn text_is_decoded_as_it_is_said_to_be() {
        let cases: &[(&[u8], &'static encoding_rs::Encoding, Option<&str>)] = &[
            (b"za\xbf\xf3\xb3\xe6", encoding_rs::ISO_8859_2, Some("zażółć")),
            (b"a\0b\0", encoding_rs::UTF_16LE, Some("ab")),
            (b"\x83e", encoding_rs::SHIFT_JIS, Some("テ")),
            (b"caf\xe9", encoding_rs::UTF_8, None),
            (b"a\0b", encoding_rs::ISO_8859_2, None),
        ];
        for (bytes, encoding, expected) in cases {
            assert_eq!(decode_as(bytes, encoding).as_deref(), *expected, "{bytes:?}");
        }
    }

    #[test]
    fn a_nul_makes_a_file_binary_only_among_its_first_8000_bytes() {
        let mut bytes = vec![b'a'; BINARY_PROBE_BYTES];
        bytes.push(0);
        assert!(!is_binary(&bytes));
        bytes[BINARY_PROBE_BYTES - 1] = 0;
        assert!(is_binary(&bytes));
    }

    #[test]
    fn names_hide_nothing() {
        let cases: &[(&[u8], &str)] = &[
            (b"plain name.txt", "plain name.txt"),
            ("żółw".as_bytes(), "żółw"),
            (b"new\nline\ttab\x1b", "new\\nline\\ttab\\u{1b}"),
            (b"\xff\xfe", "\\xff\\xfe"),
            ("gpj.\u{202e}exe".as_bytes(), "gpj.\\u{202e}exe"),
            ("zero\u{200b}width".as_bytes(), "zero\\u{200b}width"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(visible(bytes), *expected);
        }
    }

    #[test]
    fn lines_are_escaped_and_cut() {
        let html = |line: &str| {
            let mut html = String::new();
            push_line_html(&mut html, line);
            html
        };
        assert_eq!(html("a<b>&\"\t"), "a&lt;b&gt;&amp;&quot;\t");
        assert_eq!(html("\u{202e}"), "<span class=\"control-character\">\\u{202e}</span>");
        assert_eq!(html(&"x".repeat(LINE_BYTES_MAX)).len(), LINE_BYTES_MAX);
        assert!(html(&"ż".repeat(LINE_BYTES_MAX)).ends_with("ż…"));
    }

    #[test]
    fn lines_end_in_either_way() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("a", &["a"]),
            ("a\n", &["a"]),
            ("a\r\n\r\nb", &["a", "", "b"]),
            ("\n\n", &["", ""]),
        ];
        for (text, expected) in cases {
            assert_eq!(lines(text).collect::<Vec<_>>(), *expected, "{text:?}");
        }
    }
}
