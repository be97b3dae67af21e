//! `/-/language`: the choice of a language, for this browser.

use http::header;
use lithe_web::visit::Step;
use lithe_web::{Answer, Frame, Language, Visit, failure, language, t};

/// Remembers the language that the form at the foot of a page names, and leads back to that page.
///
/// It is nobody's setting but the browser's, so that it needs no session; as any form, it has to come from a page
/// of this site, which is seen to where it is read.
pub fn answer(visit: &Visit, frame: &Frame) -> Answer {
    let Step::Submit(form) = &visit.step else {
        return failure::method_not_allowed(frame, "POST");
    };
    let Some(language) = Language::of_tag(form.get(language::FIELD)) else {
        return failure::bad_request(frame, t("There is no such language."));
    };
    let mut answer = crate::lead_back(form.get("return"));
    answer.headers_mut().insert(header::SET_COOKIE, language::remember(language, visit.is_https));
    answer
}
