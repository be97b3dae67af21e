//! `/-/admin/operator`: the command line's commands.
//!
//! It takes only the operator's token. Sessions are refused, so that no page can make a browser
//! call it, and everybody else learns nothing: the answer is that of an address that does not exist.

use crate::disk::{self, Disk};
use crate::lifecycle::{Lifecycle, Scan};
use crate::limits::{BATCH_ENTRIES, COMMAND_BYTES_MAX, MADE_UP_PASSWORD_CHARACTERS};
use crate::{check, later, maintenance, secret, words};
use bytes::Bytes;
use http::request::Parts;
use http::{Method, StatusCode};
use http_body_util::{BodyExt, Limited};
use lithe_forge::accounts::{self, NewUser, UserChange};
use lithe_forge::repositories::NewRepository;
use lithe_forge::types::{self, Error, Page, Permission};
use lithe_forge::{Requester, passwords};
use lithe_operator::{Command, Reply};
use lithe_web::{Answer, answer, time};

const DAY_SECONDS: i64 = 24 * 60 * 60;

/// Does what a command says.
pub async fn answer<B>(head: &Parts, body: B, requester: Requester) -> Answer
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if head.method != Method::POST {
        return refuse(StatusCode::METHOD_NOT_ALLOWED, "commands are posted");
    }
    let Ok(body) = Limited::new(body, COMMAND_BYTES_MAX).collect().await else {
        return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the command is too long");
    };
    let command = match serde_json::from_slice(&body.to_bytes()) {
        Ok(command) => command,
        Err(error) => {
            let message = format!("the command is not understood: {error}");
            return refuse(StatusCode::BAD_REQUEST, &message);
        }
    };
    // Reading every object of every repository takes its time.
    if matches!(command, Command::RepoCheck { .. } | Command::RepoMaintain { .. }) {
        return later::reply(async move {
            let reply = run(command, &requester, &Disk::mounted());
            reply.unwrap_or_else(|error| Reply::Refused { message: words::of_error(&error) })
        });
    }
    respond(run(command, &requester, &Disk::mounted()))
}

/// Does what the host asks for from time to time.
pub fn sweep(requester: Requester) -> Answer {
    later::reply(async move {
        let reply = maintenance::sweep(&requester, &Disk::mounted());
        reply.unwrap_or_else(|error| Reply::Refused { message: words::of_error(&error) })
    })
}

/// A reply, or why it was refused, as JSON.
pub fn respond(result: Result<Reply, Error>) -> Answer {
    match result {
        Ok(reply) => answer::json(StatusCode::OK, &reply),
        Err(error) => refuse(words::status(&error), &words::of_error(&error)),
    }
}

/// A refusal as JSON.
pub fn refuse(status: StatusCode, message: &str) -> Answer {
    answer::json(status, &Reply::Refused { message: message.to_owned() })
}

fn run(command: Command, requester: &Requester, disk: &Disk) -> Result<Reply, Error> {
    let lifecycle = Lifecycle { registry: requester, disk };
    match command {
        Command::Init { name, password } => initialize(requester, &name, &password),
        Command::UserAdd { name, full_name, email, password, admin } => {
            let new = Draft { name, full_name, email, is_admin: admin };
            add_user(requester, new, password)
        }
        Command::UserList => list_users(requester),
        Command::UserPasswd { name, password } => set_password(requester, &name, password),
        Command::UserDisable { name } => set_active(requester, &name, false),
        Command::UserEnable { name } => set_active(requester, &name, true),
        Command::RepoCreate { path, description, private, object_format } => {
            let new = NewRepository { path, description, is_private: private };
            let made = lifecycle.create(&new, disk::object_format(object_format))?;
            done(format!("created {}", made.path))
        }
        Command::RepoList => list_repositories(requester),
        Command::RepoRename { path, to } => {
            let renamed = lifecycle.rename(&path, &to)?;
            done(format!("{path} is now {}", renamed.path))
        }
        Command::RepoDelete { path } => {
            let deleted = lifecycle.delete(&path)?;
            done(format!("deleted {path}; restore it with `lithe repo restore {}`", deleted.id))
        }
        Command::RepoRestore { id } => {
            let restored = lifecycle.restore(id)?;
            done(format!("restored {}", restored.path))
        }
        Command::RepoScan => done(report(&lifecycle.scan()?)),
        Command::RepoCheck { path } => check::run(requester, disk, path.as_deref()),
        Command::RepoMaintain { path, force } => maintenance::run(requester, disk, path.as_deref(), force),
        Command::TokenCreate { user, description, write, expires_days } => {
            create_token(requester, &user, &description, write, expires_days)
        }
        Command::TokenList { user } => list_tokens(requester, &user),
        Command::TokenRevoke { user, id } => {
            requester.call(|credentials, client| accounts::revoke_token(credentials, client, &user, id))?;
            done(format!("revoked token {id} of {user}"))
        }
    }
}

fn done(message: String) -> Result<Reply, Error> {
    Ok(Reply::Done { message })
}

fn initialize(requester: &Requester, name: &str, password: &str) -> Result<Reply, Error> {
    let sealed = passwords::seal(password)?;
    let known = requester.call(|credentials, client| accounts::get(credentials, client, name));
    match known {
        Ok(_) => {
            let change = UserChange {
                is_admin: Some(true),
                is_active: Some(true),
                must_change_password: Some(false),
                ..NO_CHANGE
            };
            update(requester, name, &change)?;
            set_sealed_password(requester, name, &sealed)?;
            done(format!("{name} is a site administrator and has the new password"))
        }
        Err(Error::NotFound) => {
            let new = NewUser {
                name: name.to_owned(),
                full_name: String::new(),
                email: String::new(),
                password: sealed,
                is_admin: true,
                must_change_password: false,
            };
            requester.call(|credentials, client| accounts::create(credentials, client, &new))?;
            done(format!("{name} is a site administrator"))
        }
        Err(error) => Err(error),
    }
}

const NO_CHANGE: UserChange = UserChange {
    full_name: None,
    email: None,
    is_admin: None,
    is_active: None,
    must_change_password: None,
    language: None,
};

/// What is said about a new user besides the password.
struct Draft {
    name: String,
    full_name: String,
    email: String,
    is_admin: bool,
}

fn add_user(requester: &Requester, new: Draft, password: Option<String>) -> Result<Reply, Error> {
    let (password, made_up) = given_or_made_up(password);
    let user = NewUser {
        name: new.name,
        full_name: new.full_name,
        email: new.email,
        password: passwords::seal(&password)?,
        is_admin: new.is_admin,
        must_change_password: made_up.is_some(),
    };
    let user = requester.call(|credentials, client| accounts::create(credentials, client, &user))?;
    let message = format!("added {}", user.name);
    Ok(with_secret(message, made_up))
}

fn set_password(requester: &Requester, name: &str, password: Option<String>) -> Result<Reply, Error> {
    let (password, made_up) = given_or_made_up(password);
    let sealed = passwords::seal(&password)?;
    set_sealed_password(requester, name, &sealed)?;
    let change = UserChange { must_change_password: Some(made_up.is_some()), ..NO_CHANGE };
    update(requester, name, &change)?;
    Ok(with_secret(format!("{name} has a new password; every session of theirs has ended"), made_up))
}

/// The password to set, and the same again if it is to be shown.
fn given_or_made_up(password: Option<String>) -> (String, Option<String>) {
    match password {
        Some(password) => (password, None),
        None => {
            let password = secret::letters(MADE_UP_PASSWORD_CHARACTERS);
            (password.clone(), Some(password))
        }
    }
}

fn with_secret(message: String, secret: Option<String>) -> Reply {
    match secret {
        Some(secret) => {
            let message = format!("{message}. The password, to be changed at the next sign-in:");
            Reply::Secret { message, secret }
        }
        None => Reply::Done { message },
    }
}

fn set_sealed_password(requester: &Requester, name: &str, sealed: &[u8]) -> Result<(), Error> {
    requester.call(|credentials, client| accounts::set_password(credentials, client, name, None, sealed))
}

fn update(requester: &Requester, name: &str, change: &UserChange) -> Result<types::User, Error> {
    requester.call(|credentials, client| accounts::update(credentials, client, name, change))
}

fn set_active(requester: &Requester, name: &str, is_active: bool) -> Result<Reply, Error> {
    let change = UserChange { is_active: Some(is_active), ..NO_CHANGE };
    let user = update(requester, name, &change)?;
    let state = if is_active { "can sign in again" } else { "is locked out" };
    done(format!("{} {state}", user.name))
}

fn list_users(requester: &Requester) -> Result<Reply, Error> {
    let mut users = Vec::new();
    loop {
        let offset = u32::try_from(users.len()).unwrap_or(u32::MAX);
        let page = Page { offset, limit: BATCH_ENTRIES };
        let list = requester.call(|credentials, client| accounts::list(credentials, client, "", page))?;
        let is_last = list.users.len() < BATCH_ENTRIES as usize;
        users.extend(list.users.into_iter().map(|user| lithe_operator::User {
            id: user.id,
            name: user.name,
            full_name: user.full_name,
            email: user.email,
            is_admin: user.is_admin,
            is_active: user.is_active,
        }));
        if is_last {
            return Ok(Reply::Users { users });
        }
    }
}

fn list_repositories(registry: &impl crate::registry::Registry) -> Result<Reply, Error> {
    let repositories = registry.all()?.into_iter().map(|repository| lithe_operator::Repository {
        id: repository.id,
        path: repository.path,
        description: repository.description,
        is_private: repository.is_private,
        owner: repository.owner,
        is_deleted: repository.deleted.is_some(),
    });
    Ok(Reply::Repositories { repositories: repositories.collect() })
}

/// A scan in words, a line each.
fn report(scan: &Scan) -> String {
    let entered = scan.entered.iter().map(|path| format!("entered {path}, private"));
    let finished = scan.finished.iter().map(|path| format!("finished a change of {path}"));
    let refused = scan.refused.iter().map(|(path, why)| format!("passed over {path}: {why}"));
    let summary = match scan.entered.len() {
        1 => "1 new repository".to_owned(),
        count => format!("{count} new repositories"),
    };
    let lines: Vec<String> = entered.chain(finished).chain(refused).chain([summary]).collect();
    lines.join("\n")
}

fn create_token(
    requester: &Requester,
    user: &str,
    description: &str,
    write: bool,
    expires_days: Option<u32>,
) -> Result<Reply, Error> {
    let scope = if write { Permission::Write } else { Permission::Read };
    let expires = expires_days.map(|days| time::now() + i64::from(days) * DAY_SECONDS);
    let made = requester.call(|credentials, client| {
        accounts::create_token(credentials, client, user, description, scope, expires)
    })?;
    let message = format!("created token {} of {user}; it is shown this once:", made.token.id);
    Ok(Reply::Secret { message, secret: made.secret })
}

fn list_tokens(requester: &Requester, user: &str) -> Result<Reply, Error> {
    let tokens = requester.call(|credentials, client| accounts::tokens(credentials, client, user))?;
    let tokens = tokens.into_iter().map(|token| lithe_operator::Token {
        id: token.id,
        description: token.description,
        write: token.scope != Permission::Read,
        expires: token.expires,
        last_used: token.last_used,
    });
    Ok(Reply::Tokens { tokens: tokens.collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_is_reported_line_by_line() {
        let scan = Scan {
            entered: vec!["a".into()],
            finished: vec!["b".into()],
            refused: vec![("c.git".into(), "no".into())],
        };
        let expected = "entered a, private\nfinished a change of b\npassed over c.git: no\n1 new repository";
        assert_eq!(report(&scan), expected);
        assert_eq!(report(&Scan::default()), "0 new repositories");
    }

    #[test]
    fn passwords_are_made_up_only_where_none_is_given() {
        assert_eq!(given_or_made_up(Some("x".into())), ("x".into(), None));
        let (password, shown) = given_or_made_up(None);
        assert_eq!(Some(password), shown);
    }
}
