//! The pages of the own account: what is common to them.

use crate::{keys, password, profile, sessions, sign_in, tokens};
use lithe_forge::settings::Overview;
use lithe_forge::types::{User, Viewer};
use lithe_web::visit::Step;
use lithe_web::{Answer, Fields, Frame, Text, Visit, answer, change_password, failure, t};

/// A request of a signed-in user for a page of the own account.
pub struct AccountVisit<'a> {
    pub visit: &'a Visit,
    pub user: &'a User,
    pub frame: Frame,
    /// The form that was sent, its secret checked; none: the page is to be shown.
    pub form: Option<&'a Fields>,
}

/// The route table below `/-/account`.
pub fn answer(visit: &Visit, overview: &Overview, frame: Frame, page: &str) -> Answer {
    let Viewer { user: Some(user), .. } = &overview.viewer else {
        return answer::see_other(&sign_in::address(visit.path_and_query()));
    };
    if page != "password"
        && let Some(answer) = change_password::first(&overview.viewer, visit.path_and_query())
    {
        return answer;
    }
    let form = match &visit.step {
        Step::Submit(form) => match form.check_csrf(&overview.viewer) {
            Ok(()) => Some(form),
            Err(error) => return failure::of_form(error, &frame),
        },
        _ => None,
    };
    let account = AccountVisit { visit, user, frame, form };
    match page {
        "" => profile::answer(account),
        "password" => password::answer(account),
        "tokens" => tokens::answer(account),
        "keys" => keys::answer(account),
        "sessions" => sessions::answer(account),
        _ => failure::not_found(&account.frame),
    }
}

/// What the last step did, by the word that it left in the query.
pub fn notice(done: &str) -> Option<Text> {
    Some(match done {
        "profile" => t("Your profile is saved."),
        "password" => t("Your password is changed. Every other session has ended."),
        "token" => t("The token is revoked."),
        "session" => t("The session has ended."),
        "key-added" => t("The key is added."),
        "key-removed" => t("The key is removed."),
        _ => return None,
    })
}
