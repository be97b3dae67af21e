//! `/-/language`: the choice of a language, for this browser, and for the account of who is signed in.

use http::header;
use lithe_forge::accounts::{self, UserChange};
use lithe_forge::settings::Overview;
use lithe_forge::types::Error;
use lithe_web::visit::Step;
use lithe_web::{Answer, Frame, Language, Visit, failure, language, t};

/// A change of nothing but the language of pages.
pub fn change(tag: &str) -> UserChange {
    UserChange {
        full_name: None,
        email: None,
        is_admin: None,
        is_active: None,
        must_change_password: None,
        language: Some(tag.to_owned()),
    }
}

/// Remembers the language that the form at the foot of a page names, and leads back to that page.
///
/// Where nobody is signed in it is the browser's setting, so that it needs no session; as any form, it has to come from
/// a page of this site, which is seen to where it is read. Who is signed in sets it for the account, which counts before
/// the browser's; that form carries the session's secret.
pub fn answer(visit: &Visit, overview: &Overview, frame: &Frame) -> Answer {
    let Step::Submit(form) = &visit.step else {
        return failure::method_not_allowed(frame, "POST");
    };
    let Some(language) = Language::of_tag(form.get(language::FIELD)) else {
        return failure::bad_request(frame, t("There is no such language."));
    };
    if let Some(user) = &overview.viewer.user {
        if let Err(error) = form.check_csrf(&overview.viewer) {
            return failure::of_form(error, frame);
        }
        let updated = visit.requester.call(|credentials, client| {
            accounts::update(credentials, client, &user.name, &change(language.tag()))
        });
        match updated {
            // Who has to change the password first cannot change the account; the browser's setting counts until then.
            Ok(_) | Err(Error::Forbidden(_)) => {}
            Err(error) => return crate::failed(&error, frame),
        }
    }
    let mut answer = crate::lead_back(form.get("return"));
    answer.headers_mut().insert(header::SET_COOKIE, language::remember(language, visit.is_https));
    answer
}
