//! A file as it is, `/-/raw/<ref>/<path>`, sent so that no browser takes it for a page of this site.

use crate::limits::{RAW_LOOKED_AT_BYTES, RAW_MADE_BYTES_MAX};
use crate::place::Failure;
use bstr::{BStr, ByteSlice as _};
use gix_hash::ObjectId;
pub use lithe_code::media::image_type;
use lithe_code::repository::{Error, Repository};
use lithe_code::revision::Resolved;
use lithe_code::text;
use lithe_git::odb::Reader;
use lithe_web::address::encode_component;
use std::borrow::Cow;
use std::io::{self, Cursor, Read};

/// How a file is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposition {
    pub content_type: Cow<'static, str>,
    /// The value of `Content-Disposition`; none: shown in the window.
    pub attachment: Option<String>,
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// Shown, if it is something that a browser may show.
    Shown,
    /// Saved, whatever it is.
    Saved,
}

/// Which file is asked for, before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub id: ObjectId,
    pub name: bstr::BString,
}

impl File {
    /// Changes when the file or the way it is sent does.
    pub fn etag(&self) -> String {
        let image = if image_type(self.name.as_bstr()).is_some() { "i" } else { "" };
        format!("\"{}{image}\"", self.id)
    }
}

/// Finds the file.
pub fn find(repository: Repository<'_>, at: &Resolved) -> Result<File, Failure> {
    let commit = repository.commit(&at.revision.commit_id)?;
    match repository.entry_at(&commit.tree_id, at.path.as_bstr())? {
        Some(entry) if entry.is_blob() => Ok(File { id: entry.id, name: entry.name }),
        _ => Err(Failure::NotFound),
    }
}

/// A file that is open to be sent: what was read of it to tell how, and the rest.
pub struct Open {
    pub disposition: Disposition,
    beginning: Vec<u8>,
    rest: Reader,
}

/// Opens the file, whatever its size, and tells how to send it.
///
/// Fails with [`lithe_code::repository::Error::TooLarge`] where it has more than [`RAW_MADE_BYTES_MAX`] and is
/// stored as a delta.
pub fn open(repository: Repository<'_>, file: &File, way: Way) -> Result<Open, Failure> {
    let mut rest = repository.blob_reader(&file.id, RAW_MADE_BYTES_MAX)?;
    let beginning = rest.next_piece(RAW_LOOKED_AT_BYTES).map_err(|error| Error::Read(error.to_string()))?;
    Ok(Open { disposition: disposition(file.name.as_bstr(), &beginning, way), beginning, rest })
}

impl Open {
    /// Its size in bytes.
    pub fn size(&self) -> u64 {
        self.rest.size()
    }

    /// Its contents from a byte on.
    pub fn from(mut self, start: u64) -> io::Result<impl Read + Unpin + Send + 'static> {
        let read = self.beginning.len() as u64;
        self.rest.skip(start.saturating_sub(read)).map_err(io::Error::other)?;
        let mut beginning = Cursor::new(self.beginning);
        beginning.set_position(start.min(read));
        Ok(beginning.chain(self.rest))
    }
}

/// Images are shown, other text is plain text, everything else is saved, or all of them. `beginning` may end within a
/// character.
pub fn disposition(name: &BStr, beginning: &[u8], way: Way) -> Disposition {
    let attachment = || Some(format!("attachment; filename*=UTF-8''{}", encode_component(name)));
    if (text::is_binary(beginning) || text::is_pdf(beginning)) && image_type(name).is_none() {
        return Disposition { content_type: "application/octet-stream".into(), attachment: attachment() };
    }
    let attachment = if way == Way::Saved { attachment() } else { None };
    if let Some(content_type) = image_type(name) {
        return Disposition { content_type: content_type.into(), attachment };
    }
    let content_type = match beginning {
        [0xff, 0xfe, ..] => "text/plain; charset=utf-16le".into(),
        [0xfe, 0xff, ..] => "text/plain; charset=utf-16be".into(),
        _ if is_utf8(beginning) => "text/plain; charset=utf-8".into(),
        _ => {
            // Whole lines, as the last one may end within a character.
            let lines = beginning.rsplit_once_str("\n").map_or(beginning, |(lines, _)| lines);
            let told = if beginning.len() == RAW_LOOKED_AT_BYTES { lines } else { beginning };
            format!("text/plain; charset={}", text::legacy([told]).name().to_ascii_lowercase()).into()
        }
    };
    Disposition { content_type, attachment }
}

fn is_utf8(beginning: &[u8]) -> bool {
    match std::str::from_utf8(beginning) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none() && beginning.len() == RAW_LOOKED_AT_BYTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_as_a_download_is_saved_as_what_it_is() {
        let cases: &[(&str, &[u8], &str, &str)] = &[
            ("a b.txt", b"text", "text/plain; charset=utf-8", "a%20b.txt"),
            ("a.svg", b"<svg/>", "image/svg+xml", "a.svg"),
            ("a.png", b"\x89PNG\0", "image/png", "a.png"),
            ("a.pdf", b"%PDF-1.4\n1 0 obj", "application/octet-stream", "a.pdf"),
            ("\u{fc}\"\r\n", b"", "text/plain; charset=utf-8", "%C3%BC%22%0D%0A"),
        ];
        for (name, bytes, content_type, file_name) in cases {
            let attachment = Some(format!("attachment; filename*=UTF-8''{file_name}"));
            let expected = Disposition { content_type: (*content_type).into(), attachment };
            assert_eq!(disposition(BStr::new(name), bytes, Way::Saved), expected, "{name}");
        }
    }

    #[test]
    fn nothing_is_sent_that_a_browser_would_run() {
        let cases: &[(&str, &[u8], &str, Option<&str>)] = &[
            ("a.html", b"<script>alert(1)</script>", "text/plain; charset=utf-8", None),
            ("a.js", b"alert(1)", "text/plain; charset=utf-8", None),
            ("a.xhtml", b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "text/plain; charset=utf-8", None),
            ("a.svg", b"<svg onload='alert(1)'/>", "image/svg+xml", None),
            ("a.PNG", b"\x89PNG\0", "image/png", None),
            ("a.txt", b"caf\xe9", "text/plain; charset=windows-1252", None),
            ("a.txt", b"\x83e\x83X\x83g\n", "text/plain; charset=shift_jis", None),
            ("a.txt", b"\xff\xfea\0", "text/plain; charset=utf-16le", None),
            ("a.pdf", b"%PDF\0", "application/octet-stream", Some("attachment; filename*=UTF-8''a.pdf")),
            ("a.swf", b"FWS\0", "application/octet-stream", Some("attachment; filename*=UTF-8''a.swf")),
            (
                "\"\r\n;x",
                b"\0",
                "application/octet-stream",
                Some("attachment; filename*=UTF-8''%22%0D%0A%3Bx"),
            ),
            ("", b"", "text/plain; charset=utf-8", None),
        ];
        for (name, bytes, content_type, attachment) in cases {
            let attachment = attachment.map(str::to_owned);
            let expected = Disposition { content_type: (*content_type).into(), attachment };
            assert_eq!(disposition(BStr::new(name), bytes, Way::Shown), expected, "{name}");
        }
    }
}
