//! The operator, in whose name the command line and the host's clock make requests.

use crate::types::{Permission, Viewer};
use http::{HeaderMap, header};

/// Whether the request was made with the operator's token. `viewer` is who its credentials stand for.
pub fn is_operator(headers: &HeaderMap, viewer: &Viewer) -> bool {
    let authorization = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let scheme = authorization.and_then(|value| value.split(' ').next()).unwrap_or_default();
    scheme.eq_ignore_ascii_case("bearer")
        && viewer.csrf_token.is_empty()
        && viewer.ceiling == Permission::Admin
        && viewer.user.as_ref().is_some_and(|user| user.is_admin)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::User;

    fn viewer(is_admin: bool, ceiling: Permission, csrf_token: &str) -> Viewer {
        let user = User {
            id: 0,
            name: "operator".into(),
            full_name: String::new(),
            email: String::new(),
            is_admin,
            is_active: true,
            must_change_password: false,
            created: 0,
            last_sign_in: None,
            language: String::new(),
        };
        Viewer { user: Some(user), csrf_token: csrf_token.into(), ceiling }
    }

    #[test]
    fn only_an_administrators_bearer_token_is_the_operators() {
        let operator = viewer(true, Permission::Admin, "");
        let anonymous = Viewer { user: None, ..operator.clone() };
        let cases = [
            ("Bearer x", operator.clone(), true),
            ("bearer x", operator.clone(), true),
            ("Basic x", operator.clone(), false),
            ("", operator, false),
            ("Bearer x", anonymous, false),
            ("Bearer x", viewer(false, Permission::Admin, ""), false),
            ("Bearer x", viewer(true, Permission::Write, ""), false),
            ("Bearer x", viewer(true, Permission::Admin, "csrf"), false),
        ];
        for (authorization, viewer, expected) in cases {
            let mut headers = HeaderMap::new();
            if !authorization.is_empty() {
                headers.insert(header::AUTHORIZATION, authorization.parse().expect("a value"));
            }
            assert_eq!(is_operator(&headers, &viewer), expected, "{authorization} {viewer:?}");
        }
    }
}
