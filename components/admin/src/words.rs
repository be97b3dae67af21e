//! Errors of the store in words, for the command line and for lists.

use http::StatusCode;
use lithe_forge::types::Error;
use lithe_web::failure::throttled_message;

/// What went wrong, as a sentence without its full stop.
///
/// The command line shows the reasons of [`Error::Other`] too: they are meant for the operator.
pub fn of_error(error: &Error) -> String {
    match error {
        Error::NotFound => "there is no such thing".to_owned(),
        Error::Unauthenticated | Error::ProofRequired(_) => "the credentials are wrong".to_owned(),
        Error::Forbidden(message) | Error::Conflict(message) | Error::Other(message) => message.clone(),
        Error::Invalid(field) => format!("{}: {}", field.name, field.reason),
        Error::Throttled(seconds) => throttled_message(*seconds).to_string(),
    }
}

/// The status of an answer that says what went wrong in JSON.
pub fn status(error: &Error) -> StatusCode {
    match error {
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::Unauthenticated | Error::ProofRequired(_) => StatusCode::UNAUTHORIZED,
        Error::Forbidden(_) => StatusCode::FORBIDDEN,
        Error::Conflict(_) => StatusCode::CONFLICT,
        Error::Invalid(_) => StatusCode::BAD_REQUEST,
        Error::Throttled(_) => StatusCode::TOO_MANY_REQUESTS,
        Error::Other(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}
