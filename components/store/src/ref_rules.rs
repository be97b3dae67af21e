//! The rows of rules about branches and tags.

use crate::bindings::exports::lithe::forge::push_rules::{RefKind, RefRule, Signing, Who};
use crate::failure::invalid;
use crate::limits::{REF_RULES_MAX, RULE_USERS_MAX, USER_NAME_BYTES_MAX};
use crate::places::PlaceRow;
use crate::store::cut;
use crate::types::Error;
use crate::users;
use lithe_rules::RefPattern;
use rusqlite::{Connection, named_params};

/// The rules of a place, by kind and pattern.
pub fn list(connection: &Connection, place: PlaceRow) -> Result<Vec<RefRule>, Error> {
    const COLUMNS: &str = "SELECT id, kind, pattern, may_create, may_advance, may_force, may_delete, signed, verified FROM ref_rules";
    let mut statement = connection.prepare_cached(&match place.repository_id {
        Some(_) => format!("{COLUMNS} WHERE repository_id = ?1 ORDER BY kind, pattern"),
        None => format!("{COLUMNS} WHERE group_id = ?1 ORDER BY kind, pattern"),
    })?;
    let rows = statement.query_map([place.id()], |row| {
        let rule = RefRule {
            kind: if row.get::<_, i64>(1)? == 0 { RefKind::Branches } else { RefKind::Tags },
            pattern: row.get(2)?,
            create: who(row.get(3)?),
            advance: who(row.get(4)?),
            force: who(row.get(5)?),
            delete: who(row.get(6)?),
            users: Vec::new(),
            signing: signing(row.get(7)?, row.get(8)?),
        };
        Ok((row.get(0)?, rule))
    })?;
    let mut rules: Vec<(i64, RefRule)> = rows.collect::<Result<_, _>>()?;
    let mut names = connection.prepare_cached(
        "SELECT users.name FROM ref_rule_users CROSS JOIN users ON users.id = ref_rule_users.user_id
         WHERE ref_rule_users.ref_rule_id = ?1 ORDER BY users.name",
    )?;
    for (id, rule) in &mut rules {
        rule.users = names.query_map([*id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    }
    Ok(rules.into_iter().map(|(_, rule)| rule).collect())
}

/// Adds a rule, or replaces the one of the same kind and pattern.
pub fn add(connection: &Connection, place: PlaceRow, rule: &RefRule) -> Result<(), Error> {
    let user_ids = check(connection, rule)?;
    remove(connection, place, rule.kind, &rule.pattern)?;
    let sql = match place.repository_id {
        Some(_) => "SELECT count(*) FROM ref_rules WHERE repository_id = ?1",
        None => "SELECT count(*) FROM ref_rules WHERE group_id = ?1",
    };
    let count: u32 = connection.prepare_cached(sql)?.query_row([place.id()], |row| row.get(0))?;
    if count >= REF_RULES_MAX {
        return Err(invalid("pattern", format!("there are {REF_RULES_MAX} rules here already")));
    }
    connection
        .prepare_cached(
            "INSERT INTO ref_rules (repository_id, group_id, kind, pattern, may_create, may_advance,
                 may_force, may_delete, signed, verified)
             VALUES (:repository, :group, :kind, :pattern, :create, :advance, :force, :delete, :signed,
                 :verified)",
        )?
        .execute(named_params! {
            ":repository": place.repository_id,
            ":group": place.group_id,
            ":kind": kind_number(rule.kind),
            ":pattern": rule.pattern,
            ":create": who_number(rule.create),
            ":advance": who_number(rule.advance),
            ":force": who_number(rule.force),
            ":delete": who_number(rule.delete),
            ":signed": rule.signing >= Signing::Signed,
            ":verified": rule.signing >= Signing::Verified,
        })?;
    let id = connection.last_insert_rowid();
    let mut name = connection
        .prepare_cached("INSERT OR IGNORE INTO ref_rule_users (ref_rule_id, user_id) VALUES (?1, ?2)")?;
    for user_id in user_ids {
        name.execute((id, user_id))?;
    }
    Ok(())
}

/// Removes the rule of a kind and pattern; returns whether there was one.
pub fn remove(connection: &Connection, place: PlaceRow, kind: RefKind, pattern: &str) -> Result<bool, Error> {
    let sql = match place.repository_id {
        Some(_) => "DELETE FROM ref_rules WHERE repository_id = ?1 AND kind = ?2 AND pattern = ?3",
        None => "DELETE FROM ref_rules WHERE group_id = ?1 AND kind = ?2 AND pattern = ?3",
    };
    let removed = connection.prepare_cached(sql)?.execute((place.id(), kind_number(kind), pattern))?;
    Ok(removed > 0)
}

/// Checks a rule, and returns the rows of its users.
fn check(connection: &Connection, rule: &RefRule) -> Result<Vec<i64>, Error> {
    RefPattern::parse(&rule.pattern).map_err(|error| invalid("pattern", error.to_string()))?;
    if rule.pattern.starts_with("refs/") {
        return Err(invalid("pattern", "the name is without `refs/heads/` and `refs/tags/`"));
    }
    if rule.users.len() > RULE_USERS_MAX {
        return Err(invalid("users", format!("a rule names at most {RULE_USERS_MAX} users")));
    }
    let id = |name: &String| match users::by_name(connection, name)? {
        Some(row) => Ok(row.id),
        None => Err(invalid("users", format!("there is no user {:?}", cut(name, USER_NAME_BYTES_MAX)))),
    };
    rule.users.iter().map(id).collect()
}

/// For the journal.
pub fn in_words(rule: &RefRule) -> String {
    let who = |who| match who {
        Who::Nobody => "nobody".to_owned(),
        Who::Administrators => "administrators".to_owned(),
        Who::Named => rule.users.join(" "),
        Who::Writers => "writers".to_owned(),
    };
    let signed = match rule.signing {
        Signing::Nothing => "",
        Signing::Signed => ", signed",
        Signing::Verified => ", signed by a known key",
    };
    format!(
        "{} {}: create {}, advance {}, force {}, delete {}{signed}",
        kind_word(rule.kind),
        rule.pattern,
        who(rule.create),
        who(rule.advance),
        who(rule.force),
        who(rule.delete),
    )
}

/// For the journal.
pub fn kind_word(kind: RefKind) -> &'static str {
    match kind {
        RefKind::Branches => "branches",
        RefKind::Tags => "tags",
    }
}

fn kind_number(kind: RefKind) -> i64 {
    match kind {
        RefKind::Branches => 0,
        RefKind::Tags => 1,
    }
}

fn who_number(who: Who) -> i64 {
    match who {
        Who::Nobody => 0,
        Who::Administrators => 1,
        Who::Named => 2,
        Who::Writers => 3,
    }
}

/// As the database has it; the schema's checks allow no other numbers.
fn who(number: i64) -> Who {
    match number {
        3.. => Who::Writers,
        2 => Who::Named,
        1 => Who::Administrators,
        _ => Who::Nobody,
    }
}

fn signing(signed: bool, verified: bool) -> Signing {
    match (signed, verified) {
        (_, true) => Signing::Verified,
        (true, false) => Signing::Signed,
        (false, false) => Signing::Nothing,
    }
}
