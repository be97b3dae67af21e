//! Forms that may bring files: `multipart/form-data` (RFC 7578).

use crate::form::{Fields, FormError};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use multer::Multipart;
use std::convert::Infallible;

/// How much a form may bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The bytes of the whole body.
    pub body_bytes_max: usize,
    /// The fields and files.
    pub parts_max: usize,
}

/// What a form brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    pub fields: Fields,
    /// In their order; a field for files in which none was chosen brings none.
    pub files: Vec<File>,
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// The name of the field in the form.
    pub field: String,
    /// The name that the browser gives it: the file's own or, where a directory was chosen, a path.
    pub name: String,
    pub bytes: Bytes,
}

/// Reads the form in the body of a request with these headers.
///
/// Fails with [`FormError::Malformed`] for another type of body, text that is not UTF-8, and a NUL in it.
pub async fn read<B>(headers: &HeaderMap, body: B, limits: Limits) -> Result<Form, FormError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let boundary = content_type.and_then(|value| multer::parse_boundary(value).ok());
    let boundary = boundary.ok_or(FormError::Malformed)?;
    let body = match Limited::new(body, limits.body_bytes_max).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(FormError::TooLarge),
        Err(_) => return Err(FormError::Incomplete),
    };
    let body = futures::stream::iter([Ok::<_, Infallible>(body)]);
    let mut parts = Multipart::new(body, boundary);
    let mut fields = Vec::new();
    let mut files = Vec::new();
    while let Some(part) = parts.next_field().await.map_err(|error| in_words(&error))? {
        if fields.len() + files.len() == limits.parts_max {
            return Err(FormError::TooLarge);
        }
        let field = part.name().ok_or(FormError::Malformed)?.to_owned();
        let file_name = part.file_name().map(str::to_owned);
        let bytes = part.bytes().await.map_err(|error| in_words(&error))?;
        match file_name {
            None => fields.push((field, text(&bytes)?)),
            // A browser sends this where no file was chosen (HTML, "Constructing the entry list").
            Some(name) if name.is_empty() && bytes.is_empty() => {}
            Some(name) => files.push(File { field, name, bytes }),
        }
    }
    Ok(Form { fields: Fields::of_pairs(fields), files })
}

fn text(bytes: &[u8]) -> Result<String, FormError> {
    let text = std::str::from_utf8(bytes).map_err(|_| FormError::Malformed)?;
    if text.contains('\0') { Err(FormError::Malformed) } else { Ok(text.to_owned()) }
}

fn in_words(error: &multer::Error) -> FormError {
    match error {
        multer::Error::IncompleteStream
        | multer::Error::IncompleteFieldData { .. }
        | multer::Error::IncompleteHeaders => FormError::Incomplete,
        _ => FormError::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;

    const LIMITS: Limits = Limits { body_bytes_max: 400, parts_max: 3 };

    fn read(content_type: &'static str, body: &[u8], limits: Limits) -> Result<Form, FormError> {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, content_type.parse().expect("a header value"));
        let body = Full::new(Bytes::copy_from_slice(body));
        futures::executor::block_on(super::read(&headers, body, limits))
    }

    const FORM: &str = "multipart/form-data; boundary=b";

    #[test]
    fn fields_and_files_are_read() {
        let body = b"--b\r\ncontent-disposition: form-data; name=\"path\"\r\n\r\na\r\nb\r\n\
            --b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"x.bin\"\r\n\
            content-type: application/octet-stream\r\n\r\n\0\xff\r\n\r\n\
            --b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"\"\r\n\r\n\r\n--b--\r\n";
        let form = read(FORM, body, LIMITS).expect("it is well-formed");
        assert_eq!(form.fields.get("path"), "a\r\nb");
        let file =
            File { field: "files".into(), name: "x.bin".into(), bytes: Bytes::from_static(b"\0\xff\r\n") };
        assert_eq!(form.files, [file]);
    }

    #[test]
    fn what_is_no_form_is_refused() {
        let part = |text: &str| {
            format!("--b\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n{text}\r\n").into_bytes()
        };
        let end = b"--b--\r\n".as_slice();
        let cases: &[(&str, Vec<u8>, Result<(), FormError>)] = &[
            ("all is well", [&part("x"), end].concat(), Ok(())),
            ("no end", part("x"), Err(FormError::Incomplete)),
            ("a NUL", [&part("\0"), end].concat(), Err(FormError::Malformed)),
            (
                "not UTF-8",
                [&b"--b\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\n\xff\r\n"[..], end].concat(),
                Err(FormError::Malformed),
            ),
            (
                "no name",
                [&b"--b\r\ncontent-disposition: form-data\r\n\r\nx\r\n"[..], end].concat(),
                Err(FormError::Malformed),
            ),
        ];
        for (what, body, expected) in cases {
            assert_eq!(read(FORM, body, LIMITS).map(drop), *expected, "{what}");
        }
        assert_eq!(read("application/x-www-form-urlencoded", b"a=1", LIMITS), Err(FormError::Malformed));
        assert_eq!(read("multipart/form-data", b"--b--", LIMITS), Err(FormError::Malformed));
    }

    #[test]
    fn forms_have_a_largest_size() {
        let part = b"--b\r\ncontent-disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
        let end = b"--b--\r\n".as_slice();
        let of = |count: usize| [&part.repeat(count), end].concat();
        assert!(read(FORM, &of(3), LIMITS).is_ok());
        assert_eq!(read(FORM, &of(4), LIMITS), Err(FormError::TooLarge));
        let body = of(1);
        let limits = |body_bytes_max| Limits { body_bytes_max, ..LIMITS };
        assert!(read(FORM, &body, limits(body.len())).is_ok());
        assert_eq!(read(FORM, &body, limits(body.len() - 1)), Err(FormError::TooLarge));
    }
}
