//! Which language a page is to be in: the one that the viewer chose for the account, else the one that was chosen in
//! this browser, else one that the browser asks for.

use crate::format::weight;
use crate::limits::{LANGUAGE_HEADER_BYTES_MAX, LANGUAGES_ACCEPTED_MAX};
use http::{HeaderMap, HeaderValue, header};
use lithe_forge::cookies;
use lithe_forge::types::Viewer;
use lithe_words::Language;

/// The address of the form that chooses a language, at the foot of every page.
pub const ADDRESS: &str = "/-/language";

/// The field of that form.
pub const FIELD: &str = "language";

/// The cookie that remembers the choice. It is nobody's secret, and has the same name over http.
const COOKIE: &str = "lithe_language";

/// How long a choice is remembered, in seconds: a year.
const COOKIE_SECONDS: u32 = 365 * 24 * 60 * 60;

/// The language of the answer to a request, whoever makes it: English where neither says anything that is known here.
pub fn asked_for(headers: &HeaderMap) -> Language {
    let chosen = cookies(headers).find(|(name, _)| *name == COOKIE);
    chosen.and_then(|(_, tag)| Language::of_tag(tag)).or_else(|| accepted(headers)).unwrap_or_default()
}

/// The language that the viewer chose for the account; none: whichever [`asked_for`] finds.
pub fn of_viewer(viewer: &Viewer) -> Option<Language> {
    viewer.user.as_ref().and_then(|user| Language::of_tag(&user.language))
}

/// The language that a request accepts most gladly, of equal ones the first (RFC 9110, section 12.5.4).
fn accepted(headers: &HeaderMap) -> Option<Language> {
    let value = headers.get(header::ACCEPT_LANGUAGE)?;
    let text = value.to_str().ok().filter(|text| text.len() <= LANGUAGE_HEADER_BYTES_MAX)?;
    let mut best: Option<(u32, Language)> = None;
    for range in text.split(',').take(LANGUAGES_ACCEPTED_MAX) {
        let mut parts = range.split(';').map(str::trim);
        let tag = parts.next().unwrap_or_default();
        let language = if tag == "*" { Some(Language::default()) } else { Language::of_tag(tag) };
        let weight = weight(parts);
        if let Some(language) = language
            && weight > best.map_or(0, |(best, _)| best)
        {
            best = Some((weight, language));
        }
    }
    best.map(|(_, language)| language)
}

/// The value of `Set-Cookie` that remembers a choice.
pub fn remember(language: Language, is_https: bool) -> HeaderValue {
    let secure = if is_https { "; Secure" } else { "" };
    let tag = language.tag();
    let value = format!("{COOKIE}={tag}; Path=/; Max-Age={COOKIE_SECONDS}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&value).expect("ASCII without control characters")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(accept: &str, cookie: &str) -> Language {
        let mut headers = HeaderMap::new();
        for (name, value) in [(header::ACCEPT_LANGUAGE, accept), (header::COOKIE, cookie)] {
            if !value.is_empty() {
                headers.insert(name, value.parse().expect("a header"));
            }
        }
        asked_for(&headers)
    }

    #[test]
    fn the_browser_says_what_its_user_reads() {
        let (english, german) = (Language::English, Language::German);
        let cases = [
            ("", english),
            ("de", german),
            ("de-AT,de;q=0.8,en;q=0.5", german),
            ("en-US,en;q=0.9,de;q=0.8", english),
            ("fr, de;q=0.9, en;q=0.8", german),
            ("fr, ja", english),
            ("en;q=0.3, de;q=0.7", german),
            ("de;q=0, en;q=0.1", english),
            ("de;q=0", english),
            ("*, de;q=0.5", english),
            ("DE-ch ; q=1", german),
            ("de;q=nonsense, en;q=0.1", english),
            ("de;q=2", english),
            (";;;,,,=", english),
        ];
        for (accept, expected) in cases {
            assert_eq!(asked(accept, ""), expected, "{accept}");
        }
    }

    #[test]
    fn a_choice_comes_before_what_the_browser_says() {
        assert_eq!(asked("en", "a=b; lithe_language=de"), Language::German);
        assert_eq!(asked("de", "lithe_language=en"), Language::English);
        assert_eq!(asked("de", "lithe_language=tlh"), Language::German);
        assert_eq!(asked("", "lithe_language="), Language::English);
        assert_eq!(
            remember(Language::German, true),
            "lithe_language=de; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax; Secure",
        );
        assert!(!remember(Language::German, false).to_str().unwrap().contains("Secure"));
    }

    #[test]
    fn what_is_accepted_has_a_longest() {
        let longest = format!("de,{}", "x".repeat(LANGUAGE_HEADER_BYTES_MAX - 3));
        assert_eq!(asked(&longest, ""), Language::German);
        assert_eq!(asked(&format!("{longest}x"), ""), Language::English);
        let last = format!("{}de", "xx,".repeat(LANGUAGES_ACCEPTED_MAX - 1));
        assert_eq!(asked(&last, ""), Language::German);
        assert_eq!(asked(&format!("xx,{last}"), ""), Language::English);
    }
}
