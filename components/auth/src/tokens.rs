//! `/-/account/tokens`: access tokens, which stand in a password's place for Git and scripts.

use crate::account::{AccountVisit, notice};
use crate::limits::TOKEN_DESCRIPTION_CHARACTERS_MAX;
use askama::Template;
use lithe_forge::accounts::{self, NewToken, Token};
use lithe_forge::types::{Error, Permission};
use lithe_web::time::{Time, now};
use lithe_web::{Answer, Fields, Frame, Problem, Text, answer, failure, filters, t, tn};

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// The page `/-/account/tokens`.
#[derive(Template)]
#[template(path = "tokens.html")]
struct TokensPage {
    frame: Frame,
    current: &'static str,
    problem: Problem,
    tokens: Vec<TokenRow>,
    /// The secret of the token that was just made.
    secret: Option<String>,
    description: String,
    is_write: bool,
    lifetimes: Vec<LifetimeOption>,
}

#[derive(Debug, PartialEq, Eq)]
struct TokenRow {
    id: u64,
    description: String,
    scope: Text,
    created: Time,
    last_used: Option<Time>,
    expires: Option<Time>,
    has_expired: bool,
}

struct LifetimeOption {
    lifetime: Lifetime,
    is_selected: bool,
}

/// How long a new token is to live.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lifetime {
    Days(u32),
    Unlimited,
}

impl Lifetime {
    const ALL: [Self; 5] = [Self::Days(7), Self::Days(30), Self::Days(90), Self::Days(365), Self::Unlimited];

    fn value(self) -> String {
        match self {
            Self::Days(days) => days.to_string(),
            Self::Unlimited => "unlimited".to_owned(),
        }
    }

    fn label(self) -> Text {
        match self {
            Self::Days(365) => tn("{n} year", "{n} years", 1_u8),
            Self::Days(days) => tn("{n} day", "{n} days", days),
            Self::Unlimited => t("Does not expire"),
        }
    }

    fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lifetime| lifetime.value() == value)
    }

    fn expires(self, now: i64) -> Option<i64> {
        match self {
            Self::Days(days) => Some(now + i64::from(days) * DAY_SECONDS),
            Self::Unlimited => None,
        }
    }
}

pub fn answer(account: AccountVisit) -> Answer {
    let Some(form) = account.form else {
        return show(account, Problem::none(), &Fields::default(), None);
    };
    if form.get("do") == "revoke" {
        return revoke(&account, form);
    }
    match create(&account, form) {
        Ok(token) => show(account, Problem::none(), &Fields::default(), Some(token)),
        Err(error) => match Problem::of_store(&error) {
            Some(problem) => show(account, problem, form, None),
            None => crate::failed(&error, &account.frame),
        },
    }
}

fn create(account: &AccountVisit, form: &Fields) -> Result<NewToken, Error> {
    let scope = match form.get("scope") {
        "write" => Permission::Write,
        _ => Permission::Read,
    };
    let lifetime = Lifetime::parse(form.get("expires")).unwrap_or(Lifetime::Days(30));
    let expires = lifetime.expires(now());
    let (name, description) = (&account.user.name, form.trimmed("description"));
    account.visit.requester.call(|credentials, client| {
        accounts::create_token(credentials, client, name, description, scope, expires)
    })
}

fn revoke(account: &AccountVisit, form: &Fields) -> Answer {
    let Ok(id) = form.get("id").parse() else {
        return failure::bad_request(&account.frame, t("There is no such token."));
    };
    let revoked = account
        .visit
        .requester
        .call(|credentials, client| accounts::revoke_token(credentials, client, &account.user.name, id));
    match revoked {
        // Gone already is as good as revoked.
        Ok(()) | Err(Error::NotFound) => answer::see_other("/-/account/tokens?done=token"),
        Err(error) => crate::failed(&error, &account.frame),
    }
}

fn show(account: AccountVisit, problem: Problem, form: &Fields, made: Option<NewToken>) -> Answer {
    let tokens = account
        .visit
        .requester
        .call(|credentials, client| accounts::tokens(credentials, client, &account.user.name));
    let tokens = match tokens {
        Ok(tokens) => tokens,
        Err(error) => return crate::failed(&error, &account.frame),
    };
    let frame = match made {
        Some(_) => account.frame,
        None => Frame { notice: notice(account.visit.query.get("done")), ..account.frame },
    };
    let page = page(frame, problem.clone(), form, made, &tokens, now());
    problem.answer(page.frame.language, &page)
}

fn page(
    frame: Frame,
    problem: Problem,
    form: &Fields,
    made: Option<NewToken>,
    tokens: &[Token],
    now: i64,
) -> TokensPage {
    let selected = Lifetime::parse(form.get("expires")).unwrap_or(Lifetime::Days(90));
    let lifetimes =
        Lifetime::ALL.map(|lifetime| LifetimeOption { lifetime, is_selected: lifetime == selected });
    TokensPage {
        frame: frame.titled(t("Access tokens")),
        current: "tokens",
        problem,
        tokens: tokens.iter().map(|token| row(token, now)).collect(),
        secret: made.map(|made| made.secret),
        description: form.trimmed("description").to_owned(),
        is_write: form.get("scope") == "write",
        lifetimes: lifetimes.into(),
    }
}

fn row(token: &Token, now: i64) -> TokenRow {
    TokenRow {
        id: token.id,
        description: token.description.clone(),
        scope: if token.scope == Permission::Read { t("Read") } else { t("Read and write") },
        created: Time::new(token.created, now),
        last_used: token.last_used.map(|at| Time::new(at, now)),
        expires: token.expires.map(|at| Time::new(at, now)),
        has_expired: token.expires.is_some_and(|at| at <= now),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lithe_web::Language;

    fn token(expires: Option<i64>) -> Token {
        Token {
            id: 7,
            description: "laptop <b>".into(),
            scope: Permission::Read,
            created: 0,
            expires,
            last_used: None,
        }
    }

    fn render(made: Option<NewToken>, tokens: &[Token]) -> String {
        let frame = Frame::bare("/-/account/tokens", Language::English);
        page(frame, Problem::none(), &Fields::default(), made, tokens, 100).render().unwrap()
    }

    #[test]
    fn the_secret_is_shown_once() {
        let made = NewToken { token: token(None), secret: "s3cr3t".into() };
        assert!(render(Some(made), &[token(None)]).contains("s3cr3t"));
        let page = render(None, &[token(None)]);
        assert!(!page.contains("s3cr3t"));
        assert!(page.contains("laptop &#60;b&#62;"), "{page}");
    }

    #[test]
    fn expired_tokens_say_so() {
        assert!(row(&token(Some(100)), 100).has_expired);
        assert!(!row(&token(Some(101)), 100).has_expired);
        assert!(!row(&token(None), 100).has_expired);
    }

    #[test]
    fn lifetimes_come_from_the_list() {
        assert_eq!(Lifetime::parse("30"), Some(Lifetime::Days(30)));
        assert_eq!(Lifetime::parse("unlimited").and_then(|l| l.expires(5)), None);
        assert_eq!(Lifetime::Days(1).expires(5), Some(86_405));
        for value in ["", "31", "-1", "99999999999"] {
            assert_eq!(Lifetime::parse(value), None, "{value}");
        }
    }
}
