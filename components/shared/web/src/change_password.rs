//! Passwords that have to be changed before anything else: those that somebody else has set.

use crate::address::{encode_component, return_address};
use crate::answer::{self, Answer};
use lithe_forge::types::Viewer;

/// The page's address.
const ADDRESS: &str = "/-/account/password";

/// The address of the page where the own password is changed, coming back to `return_to` from there.
pub fn address(return_to: &str) -> String {
    match return_address(return_to) {
        Some(address) if address != "/" => format!("{ADDRESS}?return={}", encode_component(address)),
        _ => ADDRESS.to_owned(),
    }
}

/// Leads to that page whoever has to change the password first; none: all others. `here` is the
/// address to come back to.
///
/// The store refuses everything else to such a session. Access tokens have nothing to do with it.
pub fn first(viewer: &Viewer, here: &str) -> Option<Answer> {
    let is_session = !viewer.csrf_token.is_empty();
    let is_due = is_session && viewer.user.as_ref().is_some_and(|user| user.must_change_password);
    is_due.then(|| answer::see_other(&address(here)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_forge::types::{Permission, User};

    #[test]
    fn the_way_back_is_kept_if_it_is_of_this_site() {
        assert_eq!(address("/team"), "/-/account/password?return=%2Fteam");
        assert_eq!(address("//evil"), "/-/account/password");
        assert_eq!(address("/"), "/-/account/password");
    }

    #[test]
    fn sessions_are_led_there_while_it_is_due() {
        let led = |must_change_password, csrf_token: &str| {
            let user = User {
                id: 1,
                name: "bob".into(),
                full_name: String::new(),
                email: String::new(),
                is_admin: false,
                is_active: true,
                must_change_password,
                created: 0,
                last_sign_in: None,
                language: String::new(),
            };
            let csrf_token = csrf_token.to_owned();
            let viewer = Viewer { user: Some(user), csrf_token, ceiling: Permission::Admin };
            first(&viewer, "/team").map(|answer| answer.headers()["location"].clone())
        };
        assert_eq!(led(true, "secret").expect("it leads on"), "/-/account/password?return=%2Fteam");
        assert_eq!(led(false, "secret"), None);
        assert_eq!(led(true, ""), None, "by an access token");
    }
}
