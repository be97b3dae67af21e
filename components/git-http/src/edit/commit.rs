//! Commits on somebody's behalf.

use super::limits::{DESCRIPTION_BYTES_MAX, TITLE_BYTES_MAX};
use gix_hash::ObjectId;
use lithe_forge::types::User;
use lithe_web::{Text, t};
use std::fmt::Write as _;

/// What Git takes off the ends of a name (ident.c, "crud").
const NOT_AT_ENDS: &[char] = &['.', ',', ':', ';', '<', '>', '"', '\\', '\'', ' '];

/// Who makes a commit, as Git writes it: `Name <address>`.
pub fn identity(user: &User) -> String {
    let clean = |text: &str| {
        let text: String = text.chars().filter(|c| !c.is_control() && !matches!(c, '<' | '>')).collect();
        text.trim_matches(NOT_AT_ENDS).to_owned()
    };
    let name = [&user.full_name, &user.name].map(|name| clean(name));
    let name = name.iter().find(|name| !name.is_empty()).map_or("Nobody", String::as_str);
    format!("{name} <{}>", clean(&user.email))
}

/// The message of a commit: a title, and what follows it, either as people type them.
pub fn message(title: &str, description: &str) -> String {
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let description = description.replace("\r\n", "\n").replace('\r', "\n");
    let lines: Vec<&str> = description.lines().map(str::trim_end).collect();
    let description = lines.join("\n");
    match description.trim_matches('\n') {
        "" => format!("{title}\n"),
        description => format!("{title}\n\n{description}\n"),
    }
}

/// Why a message is not taken; none: it is.
pub fn message_problem(title: &str, description: &str) -> Option<Text> {
    let too_long = |text: Text, limit: usize| Some(text.with("limit", limit));
    match () {
        () if title.len() > TITLE_BYTES_MAX => {
            too_long(t("The title of the commit is longer than {limit} bytes."), TITLE_BYTES_MAX)
        }
        () if description.len() > DESCRIPTION_BYTES_MAX => {
            too_long(t("The description is longer than {limit} bytes."), DESCRIPTION_BYTES_MAX)
        }
        () => None,
    }
}

/// The data of a commit object, made by one person at that second, by the clock of UTC.
pub fn object(
    tree_id: ObjectId,
    parent_id: Option<ObjectId>,
    identity: &str,
    seconds: i64,
    message: &str,
) -> Vec<u8> {
    let mut commit = format!("tree {tree_id}\n");
    if let Some(parent_id) = parent_id {
        writeln!(commit, "parent {parent_id}").expect("a string takes it");
    }
    for role in ["author", "committer"] {
        writeln!(commit, "{role} {identity} {seconds} +0000").expect("a string takes it");
    }
    commit.push('\n');
    commit.push_str(message);
    commit.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, full_name: &str, email: &str) -> User {
        User {
            id: 1,
            name: name.into(),
            full_name: full_name.into(),
            email: email.into(),
            is_admin: false,
            is_active: true,
            must_change_password: false,
            created: 0,
            last_sign_in: None,
            language: String::new(),
        }
    }

    #[test]
    fn an_identity_is_one_that_git_can_read() {
        let cases = [
            (user("ada", "Ada Lovelace", "ada@example.org"), "Ada Lovelace <ada@example.org>"),
            (user("ada", "", ""), "ada <>"),
            (user("ada", " <Ada>\nL., ", "a>b\n@x"), "AdaL <ab@x>"),
            (user("ada", "...", "a@b"), "ada <a@b>"),
        ];
        for (user, expected) in cases {
            assert_eq!(identity(&user), expected);
        }
    }

    #[test]
    fn a_message_is_a_title_and_what_follows() {
        let cases =
            [(" A  title\r\n", "", "A title\n"), ("T", "\r\nOne  \r\n\r\nTwo\r\n\r\n", "T\n\nOne\n\nTwo\n")];
        for (title, description, expected) in cases {
            assert_eq!(message(title, description), expected);
        }
        let longest = ("t".repeat(TITLE_BYTES_MAX), "d".repeat(DESCRIPTION_BYTES_MAX));
        assert_eq!(message_problem(&longest.0, &longest.1), None);
        assert!(message_problem(&format!("{}t", longest.0), "").is_some());
        assert!(message_problem("t", &format!("{}d", longest.1)).is_some());
    }
}
