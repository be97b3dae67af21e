//! A request for a page: its head parsed, its form read.

use crate::address::{Address, MalformedAddress};
use crate::failure;
use crate::form::{self, Fields, FormError};
use crate::frame::Frame;
use crate::{Answer, language, origin};
use bytes::Bytes;
use http::Method;
use http::request::Parts;
use lithe_forge::{Requester, is_https};
use lithe_words::Language;

/// What a request for a page wants.
pub struct Visit {
    /// The address, taken apart.
    pub address: Address,
    /// The fields of the query.
    pub query: Fields,
    /// Whether the page is to be shown, or a form on it was sent.
    pub step: Step,
    /// Who makes the request.
    pub requester: Requester,
    /// The language of the answer.
    pub language: Language,
    /// Whether the browser came over https.
    pub is_https: bool,
    path_and_query: String,
}

/// What is to be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Show the page: GET or HEAD.
    Show,
    /// Do what the form says: POST from a page of this site. Its secret is not checked yet.
    Submit(Fields),
    /// A form that is not to be taken.
    Refuse(FormError),
    /// Another method.
    Other,
}

impl Visit {
    /// Parses the head of a request and, if it is a POST, reads its form from the body.
    pub async fn read<B>(head: &Parts, body: B) -> Result<Self, MalformedAddress>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let address = Address::parse(head.uri.path())?;
        let step = match head.method {
            Method::GET | Method::HEAD => Step::Show,
            Method::POST if !origin::is_own(&head.headers, &head.uri) => Step::Refuse(FormError::Forged),
            Method::POST => match form::read(&head.headers, body).await {
                Ok(fields) => Step::Submit(fields),
                Err(error) => Step::Refuse(error),
            },
            _ => Step::Other,
        };
        let path_and_query = head.uri.path_and_query().map_or("/", |whole| whole.as_str());
        Ok(Self {
            address,
            query: Fields::of_query(&head.uri),
            step,
            requester: Requester::from_headers(&head.headers),
            language: language::asked_for(&head.headers),
            is_https: is_https(&head.headers),
            path_and_query: path_and_query.to_owned(),
        })
    }

    /// The address as the request gave it, path and query.
    pub fn path_and_query(&self) -> &str {
        &self.path_and_query
    }

    /// The answer to a request that no page takes: a refused form or another method.
    /// None if the page is to be shown or its form to be taken.
    pub fn refusal(&self, frame: &Frame) -> Option<Answer> {
        match &self.step {
            Step::Show | Step::Submit(_) => None,
            Step::Refuse(error) => Some(failure::of_form(*error, frame)),
            Step::Other => Some(failure::method_not_allowed(frame, "GET, HEAD, POST")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use http_body_util::Full;

    fn step(method: &str, headers: &[(&'static str, &str)], body: &'static str) -> Step {
        let mut request = Request::builder().method(method).uri("/a/-/b?c=d");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, body) = request.body(Full::new(Bytes::from(body))).unwrap().into_parts();
        let visit = futures::executor::block_on(Visit::read(&head, body)).unwrap();
        assert_eq!(visit.path_and_query(), "/a/-/b?c=d");
        assert_eq!(visit.query.get("c"), "d");
        visit.step
    }

    #[test]
    fn the_method_says_what_to_do() {
        let form = ("content-type", "application/x-www-form-urlencoded");
        let fields = Fields::parse(b"x=1").unwrap();
        assert_eq!(step("GET", &[], ""), Step::Show);
        assert_eq!(step("HEAD", &[], ""), Step::Show);
        assert_eq!(step("POST", &[form], "x=1"), Step::Submit(fields));
        assert_eq!(step("POST", &[form], "x=%"), Step::Refuse(FormError::Malformed));
        let foreign = [form, ("sec-fetch-site", "cross-site")];
        assert_eq!(step("POST", &foreign, "x=1"), Step::Refuse(FormError::Forged));
        assert_eq!(step("DELETE", &[], ""), Step::Other);
    }
}
