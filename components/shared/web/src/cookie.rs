//! The session cookie (RFC 6265bis).

use http::HeaderValue;
use lithe_forge::SESSION_COOKIE;

/// The value of `Set-Cookie` that begins a session. `expires` and `now` are in seconds since the epoch.
///
/// Over https the name has the prefix `__Host-`, so that no other host or plain http can set it.
/// None if the token is not one that a cookie can carry.
pub fn begin_session(token: &str, expires: i64, now: i64, is_https: bool) -> Option<HeaderValue> {
    let is_token = token.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b));
    let seconds = expires.saturating_sub(now).max(0);
    let value = set_cookie(is_https, token, seconds);
    is_token.then(|| HeaderValue::from_str(&value).expect("ASCII without control characters"))
}

/// The value of `Set-Cookie` that makes the browser forget the session.
pub fn end_session(is_https: bool) -> HeaderValue {
    HeaderValue::from_str(&set_cookie(is_https, "", 0)).expect("ASCII without control characters")
}

fn set_cookie(is_https: bool, value: &str, seconds: i64) -> String {
    let (prefix, secure) = if is_https { ("__Host-", "; Secure") } else { ("", "") };
    format!("{prefix}{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_cookies() {
        let text = |value: Option<HeaderValue>| value.map(|v| v.to_str().unwrap().to_owned());
        assert_eq!(
            text(begin_session("abc", 110, 100, false)).unwrap(),
            "lithe_session=abc; Path=/; Max-Age=10; HttpOnly; SameSite=Lax",
        );
        assert_eq!(
            text(begin_session("abc", 110, 100, true)).unwrap(),
            "__Host-lithe_session=abc; Path=/; Max-Age=10; HttpOnly; SameSite=Lax; Secure",
        );
        assert_eq!(text(begin_session("a;b", 110, 100, true)), None);
        assert_eq!(text(begin_session("a\r\nb", 110, 100, true)), None);
        assert_eq!(
            text(Some(end_session(false))).unwrap(),
            "lithe_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
        );
    }
}
