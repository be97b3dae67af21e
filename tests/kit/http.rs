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
        let headers: Vec<_> = login
            .iter()
            .map(|(name, password)| ("authorization".to_owned(), basic(name, password)))
            .collect();
        Self::send("GET", url, path, &headers, None)
    }

    /// Sends a request, with a form as its body where there is one.
    pub fn send(
        method: &str,
        url: &str,
        path: &str,
        headers: &[(String, String)],
        form: Option<&[(String, String)]>,
    ) -> Self {
        let url = format!("{url}/{}", path.trim_start_matches('/'));
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let agent: ureq::Agent =
            ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
        let answer = match form {
            Some(form) => {
                let request = request.header("content-type", "application/x-www-form-urlencoded");
                agent.run(request.body(encode(form)).expect("a request"))
            }
            None => agent.run(request.body(()).expect("a request")),
        };
        Self::read(answer.expect("the server answers")).expect("the body is whole")
    }

    /// Sends a request with a body and headers of its own.
    pub fn send_body(
        method: &str,
        url: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Self {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{url}/{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let agent: ureq::Agent =
            ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false).build().into();
        let answer = agent.run(request.body(body.into()).expect("a request"));
        Self::read(answer.expect("the server answers")).expect("the body is whole")
    }

    /// Posts a request to a Git service, `upload-pack` or `receive-pack`, of a repository.
    pub fn git(
        url: &str,
        login: Option<(&str, &str)>,
        repository: &str,
        service: &str,
        version: u8,
        body: Vec<u8>,
    ) -> Self {
        Self::try_git(url, login, repository, service, version, body).expect("the server answers")
    }

    /// As [`Self::git`], of a server that may go away meanwhile.
    pub fn try_git(
        url: &str,
        login: Option<(&str, &str)>,
        repository: &str,
        service: &str,
        version: u8,
        body: Vec<u8>,
    ) -> Result<Self, ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method("POST")
            .uri(format!("{url}/{repository}.git/git-{service}"))
            .header("content-type", format!("application/x-git-{service}-request"))
            .header("git-protocol", format!("version={version}"));
        if let Some((name, password)) = login {
            request = request.header("authorization", basic(name, password));
        }
        let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
        Self::read(agent.run(request.body(body)?)?)
    }

    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(this, _)| this == name).map(|(_, value)| value.as_str())
    }

    fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<Self, ureq::Error> {
        let header = |(name, value): (&ureq::http::HeaderName, &ureq::http::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        Ok(Self {
            status: response.status().as_u16(),
            headers: response.headers().iter().map(header).collect(),
            body: response.body_mut().with_config().limit(1 << 30).read_to_vec()?,
        })
    }

    /// The body, which is UTF-8 or made so.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// The `Authorization` header for a name and a password (RFC 7617).
pub fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}")))
}

/// `application/x-www-form-urlencoded`, with everything encoded that may be.
fn encode(form: &[(String, String)]) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|byte| match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => char::from(byte).to_string(),
                _ => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs: Vec<_> =
        form.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}
