//! What is said about a repository that cannot be read.

use crate::place::Place;
use askama::Template;
use lithe_code::repository::Error;
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use serde::Serialize;

/// The page of a repository that cannot be read, or not all of it.
#[derive(Template, Serialize)]
#[template(path = "unavailable.html")]
#[serde(tag = "page", rename = "unavailable", rename_all = "kebab-case")]
pub struct UnavailablePage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    heading: &'static str,
    reason: String,
}

/// There is no repository on disk.
pub fn not_on_disk(place: &Place<'_>) -> UnavailablePage {
    let reason = "Its name and settings are known, but its contents are not where they should be. \
                  If it is being moved just now, it will be there in a moment; else the operator has to look.";
    page(place, "This repository is not on disk", reason.to_owned())
}

/// There is something on disk that is no repository that can be read.
pub fn not_readable(place: &Place<'_>) -> UnavailablePage {
    let reason = "Its contents on disk are damaged or of a kind that is not supported. \
                  The operator finds the reason in the server's log.";
    page(place, "This repository cannot be read", reason.to_owned())
}

/// An object that the page needs is missing or damaged.
pub fn damaged(place: &Place<'_>, error: &Error) -> UnavailablePage {
    let reason = match error {
        Error::Missing(id) => format!("The object {id} is missing."),
        Error::Damaged(id) => format!("The object {id} is damaged."),
        Error::TooLarge(id) => format!("The object {id} is too large."),
        Error::Read(_) => "The operator finds the reason in the server's log.".to_owned(),
    };
    page(place, "This page cannot be shown", reason)
}

fn page(place: &Place<'_>, heading: &'static str, reason: String) -> UnavailablePage {
    UnavailablePage { frame: place.frame(""), head: place.head(Tab::Code, None), heading, reason }
}
