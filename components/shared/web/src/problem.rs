//! Why a form is shown again.

use crate::answer::{self, Answer};
use crate::failure::{said, throttled_message};
use http::{HeaderValue, StatusCode, header};
use lithe_forge::types::Error;
use lithe_words::{Language, Text};

/// What is wrong with a form that was sent: shown above it, and the field marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    status: StatusCode,
    field: String,
    message: Text,
    retry_after_seconds: Option<u32>,
}

impl Problem {
    /// Nothing is wrong: the form is shown for the first time.
    pub fn none() -> Self {
        Self::with_status(StatusCode::OK, "", Text::EMPTY)
    }

    /// The field `field` is not acceptable.
    pub fn with_field(field: &str, message: Text) -> Self {
        Self::with_status(StatusCode::BAD_REQUEST, field, message)
    }

    /// Something is wrong, with that status; `field` may be empty.
    pub fn with_status(status: StatusCode, field: &str, message: Text) -> Self {
        Self { status, field: field.to_owned(), message, retry_after_seconds: None }
    }

    /// The problem behind an error of the store; none if it is not one that a form can show.
    pub fn of_store(error: &Error) -> Option<Self> {
        match error {
            Error::Invalid(field) => Some(Self::with_field(&field.name, said(&field.reason))),
            Error::Forbidden(message) => Some(Self::with_status(StatusCode::FORBIDDEN, "", said(message))),
            Error::Conflict(message) => Some(Self::with_status(StatusCode::CONFLICT, "", said(message))),
            Error::Throttled(seconds) => {
                let message = throttled_message(*seconds);
                let problem = Self::with_status(StatusCode::TOO_MANY_REQUESTS, "", message);
                Some(Self { retry_after_seconds: Some(*seconds), ..problem })
            }
            _ => None,
        }
    }

    /// What is wrong, as a sentence; empty if nothing is.
    pub fn message(&self) -> &Text {
        &self.message
    }

    /// Whether this field is the one that is not acceptable.
    pub fn is_at(&self, field: &str) -> bool {
        !self.field.is_empty() && self.field == field
    }

    /// The page with the form, with the status of the problem.
    pub fn answer(&self, language: Language, page: &impl askama::Template) -> Answer {
        let mut answer = answer::page_with_status(self.status, language, page);
        if let Some(seconds) = self.retry_after_seconds {
            answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_forge::types::InvalidField;

    #[test]
    fn errors_that_a_form_can_show_become_problems() {
        let invalid = InvalidField { name: "email".into(), reason: "an address has an @".into() };
        let problem = Problem::of_store(&Error::Invalid(invalid)).unwrap();
        assert_eq!(problem.message().to_string(), "An address has an @.");
        assert!(problem.is_at("email") && !problem.is_at("name") && !problem.is_at(""));
        let problem = Problem::of_store(&Error::Conflict("Taken.".into())).unwrap();
        assert_eq!((problem.status.as_u16(), problem.message().to_string().as_str()), (409, "Taken."));
        let problem = Problem::of_store(&Error::Throttled(5)).unwrap();
        assert_eq!((problem.status.as_u16(), problem.retry_after_seconds), (429, Some(5)));
        for error in [Error::NotFound, Error::Unauthenticated, Error::Other("x".into())] {
            assert_eq!(Problem::of_store(&error), None);
        }
        assert!(Problem::none().message().is_empty());
    }
}
