//! What goes wrong, as a page: one function for the store's errors, one for each other cause.

use crate::answer::{self, Answer};
use crate::budget::Spent;
use crate::form::FormError;
use crate::format::{self, Format};
use crate::frame::Frame;
use askama::Template;
use http::{HeaderValue, StatusCode, header};
use lithe_forge::opening::CHALLENGE;
use lithe_forge::types::Error;
use lithe_words::{Text, filters, t, tn};

#[derive(Template)]
#[template(path = "failure.html")]
struct FailurePage {
    frame: Frame,
    status: u16,
    message: Text,
    /// Whether signing in may help.
    may_sign_in: bool,
}

/// The page for an error of the store, for requests that have no form to show it in.
///
/// Who is not known and would have to be is led to sign in and back to `frame.address`; a program, which
/// cannot, is told so.
pub fn of_store(error: &Error, frame: &Frame) -> Answer {
    match error {
        Error::NotFound => not_found(frame),
        Error::Unauthenticated | Error::ProofRequired(_) if frame.format == Format::Json => {
            unauthorized(frame)
        }
        Error::Unauthenticated | Error::ProofRequired(_) => answer::see_other(&frame.sign_in_href()),
        Error::Forbidden(message) => forbidden(frame, said(message)),
        Error::Invalid(field) => bad_request(frame, said(&field.reason)),
        Error::Conflict(message) => page(StatusCode::CONFLICT, t("Conflict"), said(message), frame),
        Error::Throttled(seconds) => throttled(frame, *seconds),
        Error::Other(_) => unavailable(frame),
    }
}

/// The page for a form that was not taken.
pub fn of_form(error: FormError, frame: &Frame) -> Answer {
    match error {
        FormError::Malformed | FormError::Incomplete => bad_request(frame, t("The form is malformed.")),
        FormError::TooLarge => too_large(frame, t("The form is larger than this page takes.")),
        FormError::Forged => forbidden(
            frame,
            t("This form does not come from a page of your present session. \
               Go back, load the page again and repeat what you did."),
        ),
    }
}

/// Nothing is here, or nothing that the viewer may know of: the same page for both.
pub fn not_found(frame: &Frame) -> Answer {
    let message = t("There is nothing here that you may see.");
    page(StatusCode::NOT_FOUND, t("Not found"), message, frame)
}

/// The request makes no sense.
pub fn bad_request(frame: &Frame, message: Text) -> Answer {
    page(StatusCode::BAD_REQUEST, t("Bad request"), message, frame)
}

/// The credentials are wrong, or there have to be some.
fn unauthorized(frame: &Frame) -> Answer {
    let message = t("The name, password or token is wrong or has expired.");
    let mut answer = page(StatusCode::UNAUTHORIZED, t("Not signed in"), message, frame);
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, CHALLENGE);
    answer
}

/// The viewer may see it and may not do this.
pub fn forbidden(frame: &Frame, message: Text) -> Answer {
    page(StatusCode::FORBIDDEN, t("Not allowed"), message, frame)
}

/// The page takes other methods: `allowed` is the value of `Allow`.
pub fn method_not_allowed(frame: &Frame, allowed: &'static str) -> Answer {
    let message = t("This address does not take requests of this method.");
    let mut answer = page(StatusCode::METHOD_NOT_ALLOWED, t("Method not allowed"), message, frame);
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// What was sent, or what would have to be shown, is past a limit.
pub fn too_large(frame: &Frame, message: Text) -> Answer {
    page(StatusCode::PAYLOAD_TOO_LARGE, t("Too large"), message, frame)
}

/// Too many tries. `seconds` to wait before the next.
pub fn throttled(frame: &Frame, seconds: u32) -> Answer {
    let message = throttled_message(seconds);
    let mut answer = page(StatusCode::TOO_MANY_REQUESTS, t("Too many tries"), message, frame);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    answer
}

/// The client has cost so much lately that it has to wait with what costs more.
pub fn over_budget(frame: &Frame, spent: Spent) -> Answer {
    let message = t(
        "Your network address has asked for so many pages that take long to make that others would have to wait \
                   for it. Signed in, you need not.",
    );
    let mut answer = page(StatusCode::TOO_MANY_REQUESTS, t("Too many requests"), message, frame);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(spent.wait_seconds));
    answer
}

/// How long to wait after too many tries, in words.
pub fn throttled_message(seconds: u32) -> Text {
    match seconds {
        0..=1 => t("Too many tries. Wait a moment before the next."),
        2..=119 => tn(
            "Too many tries. Wait {n} second before the next.",
            "Too many tries. Wait {n} seconds before the next.",
            seconds,
        ),
        _ => tn(
            "Too many tries. Wait {n} minute before the next.",
            "Too many tries. Wait {n} minutes before the next.",
            seconds.div_ceil(60),
        ),
    }
}

/// What the store says, as a sentence: with a capital letter and a full stop. It is English, and may be in the catalogue.
pub fn said(message: &str) -> Text {
    let message = message.trim();
    let mut chars = message.chars();
    let Some(first) = chars.next() else {
        return Text::EMPTY;
    };
    let stop = if message.ends_with(['.', '!', '?']) { "" } else { "." };
    Text::foreign(format!("{}{}{stop}", first.to_uppercase(), chars.as_str()))
}

/// Something is broken here; what, stands in the log.
pub fn internal(frame: &Frame) -> Answer {
    let message = t("Something went wrong here. The operator finds the reason in the server's log.");
    page(StatusCode::INTERNAL_SERVER_ERROR, t("Something went wrong"), message, frame)
}

/// The site cannot work at the moment; why, stands in the log.
pub fn unavailable(frame: &Frame) -> Answer {
    let message = t("The site cannot do this at the moment. Try again in a little while.");
    let mut answer = page(StatusCode::SERVICE_UNAVAILABLE, t("Not available"), message, frame);
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    answer
}

fn page(status: StatusCode, title: Text, message: Text, frame: &Frame) -> Answer {
    if frame.format == Format::Json {
        return answer::json(status, &format::Failure { status: status.as_u16(), title, message });
    }
    let language = frame.language;
    let mut frame = frame.clone().titled(title);
    frame.breadcrumbs.clear();
    let may_sign_in = frame.user.is_none() && matches!(status.as_u16(), 403 | 404 | 429);
    let page = FailurePage { status: status.as_u16(), message, may_sign_in, frame };
    answer::page_with_status(status, language, &page)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_forge::types::InvalidField;
    use lithe_words::Language;

    #[test]
    fn every_error_of_the_store_has_an_answer() {
        let frame = Frame::bare("/a", Language::English);
        let invalid = InvalidField { name: "path".into(), reason: "bad".into() };
        let cases = [
            (Error::NotFound, 404),
            (Error::Unauthenticated, 303),
            (Error::ProofRequired(vec![]), 303),
            (Error::Forbidden("no".into()), 403),
            (Error::Invalid(invalid), 400),
            (Error::Conflict("there".into()), 409),
            (Error::Throttled(7), 429),
            (Error::Other("secret".into()), 503),
        ];
        for (error, status) in cases {
            assert_eq!(of_store(&error, &frame).status(), status, "{error:?}");
        }
        let answer = of_store(&Error::Throttled(7), &frame);
        assert_eq!(answer.headers()["retry-after"], "7");
        let answer = of_store(&Error::Unauthenticated, &frame);
        assert_eq!(answer.headers()["location"], "/-/login?return=%2Fa");
        let answer = of_store(&Error::Unauthenticated, &frame.in_format(Format::Json));
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(answer.headers()["content-type"], "application/json");
    }

    #[test]
    fn what_was_wrong_inside_is_not_shown() {
        let answer = of_store(&Error::Other("secret".into()), &Frame::bare("/a", Language::English));
        let body = futures::executor::block_on(http_body_util::BodyExt::collect(answer.into_body()));
        let body = String::from_utf8(body.unwrap().to_bytes().to_vec()).unwrap();
        assert!(body.contains("<h1>Not available</h1>") && !body.contains("secret"), "{body}");
    }

    #[test]
    fn waiting_is_put_in_words() {
        assert_eq!(throttled_message(0).to_string(), "Too many tries. Wait a moment before the next.");
        assert_eq!(throttled_message(119).to_string(), "Too many tries. Wait 119 seconds before the next.");
        assert_eq!(throttled_message(120).to_string(), "Too many tries. Wait 2 minutes before the next.");
        assert_eq!(throttled_message(121).to_string(), "Too many tries. Wait 3 minutes before the next.");
    }
}
