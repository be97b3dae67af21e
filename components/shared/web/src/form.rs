//! Forms and queries: `application/x-www-form-urlencoded`, strictly.

use crate::address::decode;
use crate::limits::{FIELDS_MAX, FORM_BYTES_MAX};
use bytes::Bytes;
use http::{HeaderMap, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use lithe_forge::types::Viewer;
use subtle::ConstantTimeEq;

/// The field in which every form of a session carries its secret.
pub const CSRF_FIELD: &str = "csrf";

/// The fields of a form or query, in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

/// Why a form was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FormError {
    /// Broken escapes, text that is not UTF-8, a NUL or another type of body.
    #[error("the form is malformed")]
    Malformed,
    /// More bytes or fields than the page takes: [`FORM_BYTES_MAX`] and [`FIELDS_MAX`], unless it says otherwise.
    #[error("the form is too large or has too many fields")]
    TooLarge,
    /// The form does not come from a page of this site, or from one of another session.
    #[error("the form does not come from this site, or the page it stood on is out of date")]
    Forged,
    /// The client went away while it sent the form.
    #[error("the form did not arrive whole")]
    Incomplete,
}

impl Fields {
    /// Parses fields in the serialization of the WHATWG URL standard, section 5, without its
    /// leniency: what is not well-formed is an error.
    pub fn parse(text: &[u8]) -> Result<Self, FormError> {
        if text.len() > FORM_BYTES_MAX {
            return Err(FormError::TooLarge);
        }
        let text = std::str::from_utf8(text).map_err(|_| FormError::Malformed)?;
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        let mut fields = Vec::new();
        for pair in pairs {
            if fields.len() == FIELDS_MAX {
                return Err(FormError::TooLarge);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            fields.push((decode_text(name)?, decode_text(value)?));
        }
        Ok(Self(fields))
    }

    /// Fields that were read already.
    pub fn of_pairs(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// Parses the query of a request; one that is malformed counts as empty.
    pub fn of_query(uri: &http::Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        Self::parse(query.as_bytes()).unwrap_or_default()
    }

    /// The first value of the field, empty if it is missing.
    pub fn get(&self, name: &str) -> &str {
        self.find(name).unwrap_or_default()
    }

    /// The first value of the field, without white space at its ends, empty if it is missing.
    pub fn trimmed(&self, name: &str) -> &str {
        self.get(name).trim()
    }

    /// The first value of the field.
    pub fn find(&self, name: &str) -> Option<&str> {
        let field = self.0.iter().find(|(field, _)| field == name);
        field.map(|(_, value)| value.as_str())
    }

    /// The names of the fields, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Whether a check box of that name was ticked.
    pub fn is_checked(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// Fails unless the form carries the secret of the viewer's session.
    ///
    /// A viewer without a session (anonymous, or by token) has no secret, and no form of theirs
    /// passes: such a request is none that a browser was led into, but none of a page's either.
    pub fn check_csrf(&self, viewer: &Viewer) -> Result<(), FormError> {
        let (given, expected) = (self.get(CSRF_FIELD).as_bytes(), viewer.csrf_token.as_bytes());
        let is_same = !expected.is_empty() && bool::from(given.ct_eq(expected));
        if is_same { Ok(()) } else { Err(FormError::Forged) }
    }
}

fn decode_text(text: &str) -> Result<String, FormError> {
    let bytes = decode(&text.replace('+', " ")).map_err(|_| FormError::Malformed)?;
    String::from_utf8(bytes).map_err(|_| FormError::Malformed)
}

/// Reads the form in the body of a request with these headers.
pub async fn read<B>(headers: &HeaderMap, body: B) -> Result<Fields, FormError>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if !is_form(headers) {
        return Err(FormError::Malformed);
    }
    match Limited::new(body, FORM_BYTES_MAX).collect().await {
        Ok(body) => Fields::parse(&body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(FormError::TooLarge),
        Err(_) => Err(FormError::Incomplete),
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::Full;
    use lithe_forge::types::Permission;

    fn fields(pairs: &[(&str, &str)]) -> Result<Fields, FormError> {
        let own = |(name, value): &(&str, &str)| (name.to_string(), value.to_string());
        Ok(Fields(pairs.iter().map(own).collect()))
    }

    #[test]
    fn forms_are_parsed_strictly() {
        let cases: &[(&[u8], Result<Fields, FormError>)] = &[
            (b"", fields(&[])),
            (b"a=1&b=&c&=d&&", fields(&[("a", "1"), ("b", ""), ("c", ""), ("", "d")])),
            (b"a=b+c%2B%26%3D&a=2", fields(&[("a", "b c+&="), ("a", "2")])),
            (b"a=%C3%A9\xc3\xa9", fields(&[("a", "\u{e9}\u{e9}")])),
            (b"a=x=y", fields(&[("a", "x=y")])),
            (b"a=%", Err(FormError::Malformed)),
            (b"a=%0", Err(FormError::Malformed)),
            (b"a=%zz", Err(FormError::Malformed)),
            (b"a=%ff", Err(FormError::Malformed)),
            (b"a=\xff", Err(FormError::Malformed)),
            (b"a=%00", Err(FormError::Malformed)),
        ];
        for (text, expected) in cases {
            assert_eq!(&Fields::parse(text), expected, "{}", text.escape_ascii());
        }
    }

    #[test]
    fn forms_have_a_largest_size() {
        let largest = [b"a=".as_slice(), &vec![b'x'; FORM_BYTES_MAX - 2]].concat();
        assert!(Fields::parse(&largest).is_ok());
        assert_eq!(Fields::parse(&[&largest[..], b"x"].concat()), Err(FormError::TooLarge));
        let most = vec!["a=1"; FIELDS_MAX].join("&");
        assert!(Fields::parse(most.as_bytes()).is_ok());
        assert_eq!(Fields::parse(format!("{most}&a=1").as_bytes()), Err(FormError::TooLarge));
    }

    #[test]
    fn bodies_are_read_up_to_the_limit() {
        let read = |content_type: &'static str, body: Vec<u8>| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, content_type.parse().unwrap());
            futures::executor::block_on(read(&headers, Full::new(Bytes::from(body))))
        };
        let form = "application/x-www-form-urlencoded; charset=UTF-8";
        assert_eq!(read(form, b"a=1".to_vec()), fields(&[("a", "1")]));
        assert_eq!(read(form, vec![b'a'; FORM_BYTES_MAX + 1]), Err(FormError::TooLarge));
        assert_eq!(read("text/plain", b"a=1".to_vec()), Err(FormError::Malformed));
        assert_eq!(read("multipart/form-data", b"a=1".to_vec()), Err(FormError::Malformed));
    }

    #[test]
    fn a_form_needs_the_secret_of_its_session() {
        let check = |expected: &str, form: &str| {
            let csrf_token = expected.to_owned();
            let viewer = Viewer { user: None, csrf_token, ceiling: Permission::Admin };
            Fields::parse(form.as_bytes()).unwrap().check_csrf(&viewer)
        };
        assert_eq!(check("secret", "csrf=secret&a=1"), Ok(()));
        for form in ["", "csrf=", "csrf=secre", "csrf=secrets", "csrf=other&csrf=secret"] {
            assert_eq!(check("secret", form), Err(FormError::Forged), "{form}");
        }
        assert_eq!(check("", "csrf="), Err(FormError::Forged));
        assert_eq!(check("", ""), Err(FormError::Forged));
    }
}
