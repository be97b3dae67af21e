//! A file as it is, `/-/raw/<ref>/<path>`, sent so that no browser takes it for a page of this site.

use crate::limits::RAW_BYTES_MAX;
use crate::place::Failure;
use bstr::{BStr, ByteSlice as _};
use gix_hash::ObjectId;
use lithe_code::repository::Repository;
use lithe_code::revision::Resolved;
use lithe_code::text;
use lithe_web::address::encode_component;

/// How a file is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disposition {
    pub content_type: &'static str,
    /// The value of `Content-Disposition`; none: shown in the window.
    pub attachment: Option<String>,
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

/// Reads the file and tells how to send it.
///
/// Fails with [`lithe_code::repository::Error::TooLarge`] past [`RAW_BYTES_MAX`].
pub fn read(
    repository: Repository<'_>,
    file: &File,
) -> Result<(Disposition, std::sync::Arc<Vec<u8>>), Failure> {
    let bytes = repository.blob(&file.id, RAW_BYTES_MAX)?;
    Ok((disposition(file.name.as_bstr(), &bytes), bytes))
}

/// Images are shown, other text is plain text, everything else is saved.
pub fn disposition(name: &BStr, bytes: &[u8]) -> Disposition {
    if let Some(content_type) = image_type(name) {
        return Disposition { content_type, attachment: None };
    }
    if text::is_binary(bytes) {
        let value = format!("attachment; filename*=UTF-8''{}", encode_component(name));
        return Disposition { content_type: "application/octet-stream", attachment: Some(value) };
    }
    let content_type = match bytes {
        [0xff, 0xfe, ..] => "text/plain; charset=utf-16le",
        [0xfe, 0xff, ..] => "text/plain; charset=utf-16be",
        _ if std::str::from_utf8(bytes).is_ok() => "text/plain; charset=utf-8",
        _ => "text/plain; charset=windows-1252",
    };
    Disposition { content_type, attachment: None }
}

/// The type of an image by its name. With `nosniff` and a policy that forbids scripts, a file that
/// only pretends to be one is harmless.
pub fn image_type(name: &BStr) -> Option<&'static str> {
    let (_, extension) = name.rsplit_once_str(".")?;
    Some(match extension.to_ascii_lowercase().as_slice() {
        b"png" => "image/png",
        b"jpg" | b"jpeg" => "image/jpeg",
        b"gif" => "image/gif",
        b"webp" => "image/webp",
        b"avif" => "image/avif",
        b"bmp" => "image/bmp",
        b"ico" => "image/x-icon",
        b"svg" => "image/svg+xml",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_sent_that_a_browser_would_run() {
        let cases: &[(&str, &[u8], &str, Option<&str>)] = &[
            ("a.html", b"<script>alert(1)</script>", "text/plain; charset=utf-8", None),
            ("a.js", b"alert(1)", "text/plain; charset=utf-8", None),
            ("a.xhtml", b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "text/plain; charset=utf-8", None),
            ("a.svg", b"<svg onload='alert(1)'/>", "image/svg+xml", None),
            ("a.PNG", b"\x89PNG\0", "image/png", None),
            ("a.txt", b"caf\xe9", "text/plain; charset=windows-1252", None),
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
            let expected = Disposition { content_type, attachment: attachment.map(str::to_owned) };
            assert_eq!(disposition(BStr::new(name), bytes), expected, "{name}");
        }
    }
}
