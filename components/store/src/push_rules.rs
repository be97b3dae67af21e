//! What a push has to keep to: the checks, and all that holds at a place together.

use crate::access;
use crate::bindings::exports::lithe::forge::push_rules::{Checks, Pusher, RefKind, RefRule, Rules, Terms};
use crate::failure::invalid;
use crate::identity::{self, Principal};
use crate::journal;
use crate::limits::{ADDRESSES_ASKED_MAX, FORBIDDEN_PATHS_MAX};
use crate::places::{Place, PlaceRow};
use crate::ref_rules;
use crate::store::{Call, Store};
use crate::types::{Error, Permission};
use lithe_rules::{MessagePattern, PathPattern};
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

impl Store {
    pub fn push_rules_in_force(&mut self, call: &Call, path: &str) -> Result<Terms, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Write)?;
            let place = Place::Repository(found.place.repository()?);
            let mut rules = rules(connection, &place)?;
            rules.retain(|rules| !rules.refs.is_empty() || rules.checks != no_checks());
            Ok(Terms { pusher: pusher(connection, principal, &place)?, rules })
        })
    }

    pub fn push_rules(&mut self, call: &Call, path: &str) -> Result<Vec<Rules>, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Admin)?;
            let mut index = 0;
            let mut rules = rules(connection, &found.place)?;
            rules.retain(|rules| {
                index += 1;
                index == 1 || !rules.refs.is_empty() || rules.checks != no_checks()
            });
            Ok(rules)
        })
    }

    pub fn set_push_checks(&mut self, call: &Call, path: &str, checks: &Checks) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Admin)?;
            check(checks)?;
            write(connection, PlaceRow::of(&found.place), checks)?;
            let details = in_words(checks);
            journal::enter(connection, &principal, call, "push-rules.set", found.place.path(), &details)
        })
    }

    pub fn protect(&mut self, call: &Call, path: &str, rule: &RefRule) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Admin)?;
            ref_rules::add(connection, PlaceRow::of(&found.place), rule)?;
            let details = ref_rules::in_words(rule);
            journal::enter(connection, &principal, call, "push-rules.protect", found.place.path(), &details)
        })
    }

    pub fn unprotect(&mut self, call: &Call, path: &str, kind: RefKind, pattern: &str) -> Result<(), Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            let (found, _) = access::require(connection, &principal, path, Permission::Admin)?;
            if !ref_rules::remove(connection, PlaceRow::of(&found.place), kind, pattern)? {
                return Err(Error::NotFound);
            }
            let details = format!("{} {pattern}", ref_rules::kind_word(kind));
            journal::enter(connection, &principal, call, "push-rules.unprotect", found.place.path(), &details)
        })
    }

    pub fn known_addresses(
        &mut self,
        call: &Call,
        path: &str,
        addresses: &[String],
    ) -> Result<Vec<String>, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            access::require(connection, &principal, path, Permission::Write)?;
            if addresses.len() > ADDRESSES_ASKED_MAX {
                return Err(invalid("addresses", format!("at most {ADDRESSES_ASKED_MAX} at once")));
            }
            let mut statement = connection.prepare_cached(
                "SELECT 1 FROM emails CROSS JOIN users ON users.id = emails.user_id
                 WHERE emails.email = ?1 AND users.is_active = 1",
            )?;
            let mut known = Vec::new();
            for address in addresses {
                if statement.exists([address])? {
                    known.push(address.to_ascii_lowercase());
                }
            }
            Ok(known)
        })
    }
}

/// Who pushes to the place, whatever the credentials allow: who may do something to a branch is a
/// question of who somebody is.
fn pusher(connection: &Connection, mut principal: Principal, place: &Place) -> Result<Pusher, Error> {
    principal.viewer.ceiling = Permission::Admin;
    let permission = access::permission(connection, &principal, Some(place))?;
    let mut statement = connection
        .prepare_cached("SELECT email FROM emails WHERE user_id = ?1 ORDER BY is_main DESC, email")?;
    let addresses = statement.query_map([principal.id], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let user = principal.viewer.user;
    let (name, full_name) = user.map(|user| (user.name, user.full_name)).unwrap_or_default();
    Ok(Pusher { name, full_name, addresses, permission })
}

/// The rules of a place and of the groups around it, the innermost first, whether or not there are any.
fn rules(connection: &Connection, place: &Place) -> Result<Vec<Rules>, Error> {
    let group = match place {
        Place::Repository(row) => row.group_id,
        Place::Group(row) => Some(row.id),
    };
    let mut places = Vec::new();
    if let Place::Repository(row) = place {
        places.push((PlaceRow::of(place), row.wire.path.clone()));
    }
    let mut statement = connection.prepare_cached(
        "SELECT groups.id, groups.path
         FROM group_ancestors CROSS JOIN groups ON groups.id = group_ancestors.ancestor_id
         WHERE group_ancestors.group_id = ?1 ORDER BY length(groups.path) DESC",
    )?;
    let around = statement.query_map([group], |row| {
        Ok((PlaceRow { repository_id: None, group_id: Some(row.get(0)?) }, row.get(1)?))
    })?;
    for found in around {
        places.push(found?);
    }
    let of_place = |(row, place): (PlaceRow, String)| {
        let refs = ref_rules::list(connection, row)?;
        Ok(Rules { place, refs, checks: read(connection, row)? })
    };
    places.into_iter().map(of_place).collect()
}

fn no_checks() -> Checks {
    Checks {
        file_bytes_max: None,
        pack_bytes_max: None,
        repository_bytes_max: None,
        refs_max: None,
        forbidden_paths: Vec::new(),
        message_required: None,
        message_forbidden: None,
        known_authors: false,
    }
}

fn check(checks: &Checks) -> Result<(), Error> {
    let limits = [
        ("file-bytes-max", checks.file_bytes_max),
        ("pack-bytes-max", checks.pack_bytes_max),
        ("repository-bytes-max", checks.repository_bytes_max),
        ("refs-max", checks.refs_max.map(u64::from)),
    ];
    for (name, limit) in limits {
        if limit.is_some_and(|limit| limit == 0 || i64::try_from(limit).is_err()) {
            return Err(invalid(name, "a limit is a number from 1 on, or there is none"));
        }
    }
    if checks.forbidden_paths.len() > FORBIDDEN_PATHS_MAX {
        return Err(invalid("forbidden-paths", format!("there are at most {FORBIDDEN_PATHS_MAX}")));
    }
    for path in &checks.forbidden_paths {
        PathPattern::parse(path)
            .map_err(|error| invalid("forbidden-paths", format!("`{}`: {error}", path.escape_debug())))?;
    }
    let messages =
        [("message-required", &checks.message_required), ("message-forbidden", &checks.message_forbidden)];
    for (name, pattern) in messages {
        if let Some(pattern) = pattern {
            MessagePattern::parse(pattern).map_err(|error| invalid(name, error.to_string()))?;
        }
    }
    Ok(())
}

fn write(connection: &Connection, place: PlaceRow, checks: &Checks) -> Result<(), Error> {
    let sql = match place.repository_id {
        Some(_) => "DELETE FROM push_checks WHERE repository_id = ?1",
        None => "DELETE FROM push_checks WHERE group_id = ?1",
    };
    connection.prepare_cached(sql)?.execute([place.id()])?;
    if *checks == no_checks() {
        return Ok(());
    }
    let number = |limit: Option<u64>| limit.map(u64::cast_signed);
    connection
        .prepare_cached(
            "INSERT INTO push_checks (repository_id, group_id, file_bytes_max, pack_bytes_max,
                 repository_bytes_max, refs_max, forbidden_paths, message_required, message_forbidden,
                 known_authors)
             VALUES (:repository, :group, :file, :pack, :size, :refs, :paths, :required, :forbidden, :authors)",
        )?
        .execute(named_params! {
            ":repository": place.repository_id,
            ":group": place.group_id,
            ":file": number(checks.file_bytes_max),
            ":pack": number(checks.pack_bytes_max),
            ":size": number(checks.repository_bytes_max),
            ":refs": checks.refs_max,
            ":paths": checks.forbidden_paths.join("\n"),
            ":required": checks.message_required,
            ":forbidden": checks.message_forbidden,
            ":authors": checks.known_authors,
        })?;
    Ok(())
}

fn read(connection: &Connection, place: PlaceRow) -> Result<Checks, Error> {
    const COLUMNS: &str = "SELECT file_bytes_max, pack_bytes_max, repository_bytes_max, refs_max,
        forbidden_paths, message_required, message_forbidden, known_authors FROM push_checks";
    let rule = match place.repository_id {
        Some(_) => "WHERE repository_id = ?1",
        None => "WHERE group_id = ?1",
    };
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} {rule}"))?;
    Ok(statement.query_row([place.id()], read_row).optional()?.unwrap_or_else(no_checks))
}

fn read_row(row: &Row) -> rusqlite::Result<Checks> {
    let number = |index| row.get(index).map(|limit: Option<i64>| limit.map(i64::cast_unsigned));
    let paths: String = row.get(4)?;
    Ok(Checks {
        file_bytes_max: number(0)?,
        pack_bytes_max: number(1)?,
        repository_bytes_max: number(2)?,
        refs_max: row.get(3)?,
        forbidden_paths: paths.lines().map(str::to_owned).collect(),
        message_required: row.get(5)?,
        message_forbidden: row.get(6)?,
        known_authors: row.get(7)?,
    })
}

/// For the journal.
fn in_words(checks: &Checks) -> String {
    let mut words = Vec::new();
    let limits = [
        ("file", checks.file_bytes_max),
        ("pack", checks.pack_bytes_max),
        ("repository", checks.repository_bytes_max),
    ];
    for (name, limit) in limits {
        words.extend(limit.map(|limit| format!("{name}: at most {limit} bytes")));
    }
    words.extend(checks.refs_max.map(|limit| format!("refs: at most {limit}")));
    if !checks.forbidden_paths.is_empty() {
        words.push(format!("forbidden paths: {}", checks.forbidden_paths.join(" ")));
    }
    words.extend(checks.message_required.iter().map(|text| format!("messages match {text}")));
    words.extend(checks.message_forbidden.iter().map(|text| format!("messages do not match {text}")));
    words.extend(checks.known_authors.then(|| "authors have accounts".to_owned()));
    if words.is_empty() { "nothing".to_owned() } else { words.join("; ") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bindings::exports::lithe::forge::push_rules::{Signing, Who};
    use crate::testing::{Forge, outcome, user};

    fn rule(pattern: &str) -> RefRule {
        RefRule {
            kind: RefKind::Branches,
            pattern: pattern.into(),
            create: Who::Administrators,
            advance: Who::Named,
            force: Who::Nobody,
            delete: Who::Nobody,
            users: vec!["anna".into()],
            signing: Signing::Verified,
        }
    }

    fn every_check() -> Checks {
        Checks {
            file_bytes_max: Some(1),
            pack_bytes_max: Some(i64::MAX.cast_unsigned()),
            repository_bytes_max: Some(3),
            refs_max: Some(4),
            forbidden_paths: vec!["*.exe".into(), "/vendor/".into()],
            message_required: Some("a+".into()),
            message_forbidden: Some("b|c".into()),
            known_authors: true,
        }
    }

    fn places(rules: &[Rules]) -> Vec<&str> {
        rules.iter().map(|rules| rules.place.as_str()).collect()
    }

    #[test]
    fn what_a_repository_and_the_groups_around_it_say_holds_together() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "a/b/demo", false);
        forge.repository(&root, "a/other", false);
        assert_eq!(forge.store.push_rules_in_force(&root, "a/b/demo").expect("terms").rules, []);
        assert_eq!(places(&forge.store.push_rules(&root, "a/b/demo").expect("rules")), ["a/b/demo"]);
        forge.store.protect(&root, "a", &rule("main")).expect("a rule");
        forge.store.set_push_checks(&root, "a/b/demo", &every_check()).expect("checks");
        let terms = forge.store.push_rules_in_force(&root, "a/b/demo").expect("terms");
        assert_eq!(places(&terms.rules), ["a/b/demo", "a"]);
        assert_eq!((&terms.rules[0].checks, &terms.rules[0].refs), (&every_check(), &vec![]));
        assert_eq!(
            terms.rules[1],
            Rules { place: "a".into(), refs: vec![rule("main")], checks: no_checks() }
        );
        assert_eq!(places(&forge.store.push_rules(&root, "a/b").expect("rules")), ["a/b", "a"]);
        assert_eq!(places(&forge.store.push_rules_in_force(&root, "a/other").expect("terms").rules), ["a"]);
        let id = forge.store.push_rules_in_force(&root, "_1").expect("terms").rules;
        assert_eq!(places(&id), ["a/b/demo", "a"], "by the permanent address too");
        assert_eq!(outcome(forge.store.push_rules_in_force(&root, "a")), "not-found");
        forge.store.set_push_checks(&root, "a/b/demo", &no_checks()).expect("checks");
        assert_eq!(forge.value::<i64>("SELECT count(*) FROM push_checks"), 0, "none is no row");
    }

    #[test]
    fn a_rule_is_replaced_by_one_of_the_same_pattern_and_can_be_taken() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        let tags = RefRule { kind: RefKind::Tags, users: vec![], signing: Signing::Nothing, ..rule("main") };
        for rule in [rule("main"), tags.clone(), rule("*"), RefRule { create: Who::Writers, ..rule("main") }]
        {
            forge.store.protect(&root, "demo", &rule).expect("a rule");
        }
        let held = |forge: &mut Forge| forge.store.push_rules(&root, "demo").expect("rules").remove(0).refs;
        let expected = [rule("*"), RefRule { create: Who::Writers, ..rule("main") }, tags];
        assert_eq!(held(&mut forge), expected);
        let take =
            |forge: &mut Forge, kind, pattern| outcome(forge.store.unprotect(&root, "demo", kind, pattern));
        assert_eq!(take(&mut forge, RefKind::Branches, "main"), "ok");
        assert_eq!(take(&mut forge, RefKind::Branches, "main"), "not-found");
        assert_eq!(held(&mut forge), [&expected[0], &expected[2]].map(Clone::clone));
        let entered: String =
            forge.value("SELECT group_concat(details, '\n') FROM journal WHERE action LIKE 'push-rules.%'");
        let line = "branches main: create administrators, advance anna, force nobody, delete nobody, signed";
        assert!(entered.starts_with(line) && entered.ends_with("branches main"), "{entered}");
    }

    #[test]
    fn who_may_write_sees_what_holds_and_who_may_administer_sets_it() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.grant("demo", user("anna"), Permission::Write);
        forge.grant("demo", user("bert"), Permission::Admin);
        let calls = [
            forge.anonymous(),
            forge.session("cara"),
            forge.session("anna"),
            forge.token("bert", Permission::Read),
            forge.token("bert", Permission::Write),
            forge.session("bert"),
        ];
        let outcomes = |forge: &mut Forge, act: &dyn Fn(&mut Store, &Call) -> Result<(), Error>| {
            calls.each_ref().map(|call| outcome(act(&mut forge.store, call)))
        };
        let seen = outcomes(&mut forge, &|store, call| store.push_rules_in_force(call, "demo").map(drop));
        assert_eq!(seen, ["unauthenticated", "forbidden", "ok", "forbidden", "ok", "ok"]);
        let asked = outcomes(&mut forge, &|store, call| store.known_addresses(call, "demo", &[]).map(drop));
        assert_eq!(asked, seen);
        let expected = ["unauthenticated", "forbidden", "forbidden", "forbidden", "forbidden", "ok"];
        let acts: [&dyn Fn(&mut Store, &Call) -> Result<(), Error>; 4] = [
            &|store, call| store.push_rules(call, "demo").map(drop),
            &|store, call| store.set_push_checks(call, "demo", &no_checks()),
            &|store, call| store.protect(call, "demo", &rule("main")),
            &|store, call| match store.unprotect(call, "demo", RefKind::Tags, "x") {
                Err(Error::NotFound) => Ok(()),
                other => other,
            },
        ];
        for act in acts {
            assert_eq!(outcomes(&mut forge, act), expected);
        }
    }

    #[test]
    fn the_pusher_is_who_somebody_is_whatever_the_token_allows() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.grant("demo", user("anna"), Permission::Write);
        forge.sql("INSERT INTO emails SELECT 'a@example.org', id, 0 FROM users WHERE name = 'anna'");
        let token = forge.token("root", Permission::Write);
        let pusher = forge.store.push_rules_in_force(&token, "demo").expect("terms").pusher;
        assert_eq!((pusher.name.as_str(), pusher.permission), ("root", Permission::Admin));
        let anna = forge.session("anna");
        let pusher = forge.store.push_rules_in_force(&anna, "demo").expect("terms").pusher;
        assert_eq!((pusher.name.as_str(), pusher.permission), ("anna", Permission::Write));
        assert_eq!(pusher.addresses, ["anna@example.org", "a@example.org"]);
    }

    #[test]
    fn addresses_are_known_if_they_belong_to_an_active_account() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        forge.sql("UPDATE users SET is_active = 0 WHERE name = 'bert'");
        let ask = |forge: &mut Forge, addresses: Vec<String>| {
            forge.store.known_addresses(&root, "demo", &addresses)
        };
        let addresses = ["Anna@Example.org", "bert@example.org", "nobody@example.org", ""].map(str::to_owned);
        assert_eq!(ask(&mut forge, addresses.to_vec()), Ok(vec!["anna@example.org".to_owned()]));
        assert!(ask(&mut forge, vec![String::new(); ADDRESSES_ASKED_MAX]).is_ok());
        let too_many = ask(&mut forge, vec![String::new(); ADDRESSES_ASKED_MAX + 1]);
        assert_eq!(outcome(too_many), "invalid addresses");
    }

    #[test]
    fn checks_that_cannot_be_made_are_refused() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        let many = |count: usize| Checks { forbidden_paths: vec!["a".into(); count], ..no_checks() };
        let required = |text: &str| Checks { message_required: Some(text.into()), ..no_checks() };
        let cases = [
            (every_check(), "ok"),
            (Checks { file_bytes_max: Some(0), ..no_checks() }, "invalid file-bytes-max"),
            (Checks { pack_bytes_max: Some(u64::MAX), ..no_checks() }, "invalid pack-bytes-max"),
            (Checks { repository_bytes_max: Some(0), ..no_checks() }, "invalid repository-bytes-max"),
            (Checks { refs_max: Some(0), ..no_checks() }, "invalid refs-max"),
            (many(FORBIDDEN_PATHS_MAX), "ok"),
            (many(FORBIDDEN_PATHS_MAX + 1), "invalid forbidden-paths"),
            (Checks { forbidden_paths: vec!["a\nb".into()], ..no_checks() }, "invalid forbidden-paths"),
            (Checks { forbidden_paths: vec!["../a".into()], ..no_checks() }, "invalid forbidden-paths"),
            (required("("), "invalid message-required"),
            (required(""), "invalid message-required"),
            (required(&"a".repeat(501)), "invalid message-required"),
            (Checks { message_forbidden: Some("(".into()), ..no_checks() }, "invalid message-forbidden"),
        ];
        for (checks, expected) in cases {
            assert_eq!(outcome(forge.store.set_push_checks(&root, "demo", &checks)), expected, "{checks:?}");
        }
    }

    #[test]
    fn rules_that_cannot_hold_are_refused() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        let users = |count: usize| RefRule { users: vec!["anna".into(); count], ..rule("u") };
        let cases = [
            (rule("release/*"), "ok"),
            (rule(""), "invalid pattern"),
            (rule("a b"), "invalid pattern"),
            (rule("refs/heads/main"), "invalid pattern"),
            (RefRule { users: vec!["nobody".into()], ..rule("main") }, "invalid users"),
            (users(crate::limits::RULE_USERS_MAX), "ok"),
            (users(crate::limits::RULE_USERS_MAX + 1), "invalid users"),
        ];
        for (rule, expected) in cases {
            assert_eq!(outcome(forge.store.protect(&root, "demo", &rule)), expected, "{rule:?}");
        }
        let max = crate::limits::REF_RULES_MAX;
        for index in 2..max {
            forge.store.protect(&root, "demo", &rule(&index.to_string())).expect("there is room");
        }
        assert_eq!(outcome(forge.store.protect(&root, "demo", &rule("more"))), "invalid pattern");
        assert_eq!(outcome(forge.store.protect(&root, "demo", &rule("2"))), "ok", "one can be replaced");
    }

    #[test]
    fn rules_go_with_what_they_are_about() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        let id = forge.repository(&root, "a/demo", false).id;
        for path in ["a", "a/demo"] {
            forge.store.protect(&root, path, &rule("main")).expect("a rule");
            forge.store.set_push_checks(&root, path, &every_check()).expect("checks");
        }
        forge.store.delete_repository(&root, "a/demo").expect("deleted");
        forge.store.purge(&root, id).expect("purged");
        forge.store.delete_group(&root, "a").expect("deleted");
        let count = "SELECT (SELECT count(*) FROM push_checks) + (SELECT count(*) FROM ref_rules) + (SELECT count(*) FROM ref_rule_users)";
        assert_eq!(forge.value::<i64>(count), 0);
    }
}
