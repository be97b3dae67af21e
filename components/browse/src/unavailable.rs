//! What is said about a repository that cannot be read.

use crate::place::Place;
use askama::Template;
use lithe_code::repository::Error;
use lithe_web::frame::{Frame, RepositoryHead, Tab};
use lithe_web::{Text, filters, t};
use serde::Serialize;

/// The page of a repository that cannot be read, or not all of it.
#[derive(Template, Serialize)]
#[template(path = "unavailable.html")]
#[serde(tag = "page", rename = "unavailable", rename_all = "kebab-case")]
pub struct UnavailablePage {
    #[serde(skip)]
    frame: Frame,
    head: RepositoryHead,
    heading: Text,
    reason: Text,
}

/// There is no repository on disk.
pub fn not_on_disk(place: &Place<'_>) -> UnavailablePage {
    let reason = t("Its name and settings are known, but its contents are not where they should be. \
                    If it is being moved just now, it will be there in a moment; else the operator has to look.");
    page(place, t("This repository is not on disk"), reason)
}

/// There is something on disk that is no repository that can be read.
pub fn not_readable(place: &Place<'_>) -> UnavailablePage {
    let reason = t("Its contents on disk are damaged or of a kind that is not supported. \
                    The operator finds the reason in the server's log.");
    page(place, t("This repository cannot be read"), reason)
}

/// An object that the page needs is missing or damaged.
pub fn damaged(place: &Place<'_>, error: &Error) -> UnavailablePage {
    let reason = match error {
        Error::Missing(id) => t("The object {id} is missing.").with("id", id.to_string()),
        Error::Damaged(id) => t("The object {id} is damaged.").with("id", id.to_string()),
        Error::TooLarge(id) => t("The object {id} is too large.").with("id", id.to_string()),
        Error::Read(_) => t("The operator finds the reason in the server's log."),
    };
    page(place, t("This page cannot be shown"), reason)
}

fn page(place: &Place<'_>, heading: Text, reason: Text) -> UnavailablePage {
    UnavailablePage { frame: place.frame(Text::EMPTY), head: place.head(Tab::Code, None), heading, reason }
}
