//! Files that are not text, and what they are by their names.

use bstr::{BStr, ByteSlice as _};

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
    fn images_are_told_by_their_names() {
        let cases = [
            ("a.png", Some("image/png")),
            ("a.b.JPG", Some("image/jpeg")),
            (".svg", Some("image/svg+xml")),
            ("png", None),
            ("a.png.txt", None),
        ];
        for (name, expected) in cases {
            assert_eq!(image_type(name.into()), expected, "{name}");
        }
    }
}
