//! Plain HTTP, without following redirects.

use base64::Engine as _;

/// What the server answered.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case, in the order they came.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// `GET`s a path, by Basic credentials where there is a login.
    pub fn get(url: &str, login: Option<(&str, &str)>, path: &str) -> Self {
        let mut request = agent().get(format!("{url}/{}", path.trim_start_matches('/')));
        if let Some((name, password)) = login {
            request = request.header("authorization", basic(name, password));
        }
        Self::from(request.call().expect("the server answers"))
    }

    /// Sends a form, with the headers given.
    pub fn post_form(url: &str, headers: &[(&str, &str)], path: &str, form: &[(&str, &str)]) -> Self {
        let mut request = agent().post(format!("{url}/{}", path.trim_start_matches('/')));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Self::from(request.send_form(form.iter().copied()).expect("the server answers"))
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(this, _)| this == name).map(|(_, value)| value.as_str())
    }

    /// The body, which is UTF-8 or made so.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

impl From<ureq::http::Response<ureq::Body>> for Answer {
    fn from(mut response: ureq::http::Response<ureq::Body>) -> Self {
        let header = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Self {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(header).collect(),
            body: response.body_mut().read_to_vec().expect("the body is whole"),
        }
    }
}

/// The `Authorization` header for a name and a password (RFC 7617).
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}")))
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into()
}
