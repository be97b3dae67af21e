//! Which keys signatures are verified by.

use crate::access;
use crate::bindings::exports::lithe::forge::signers::KnownKey;
use crate::failure::invalid;
use crate::identity;
use crate::limits::{KEYS_OF_A_NAME_MAX, SIGNERS_ASKED_MAX};
use crate::signing_keys;
use crate::store::{Call, Store};
use crate::types::{Error, Permission};
use rusqlite::{Connection, Row};
use std::collections::BTreeMap;

impl Store {
    pub fn find_signers(
        &mut self,
        call: &Call,
        path: &str,
        names: &[String],
        addresses: &[String],
    ) -> Result<Vec<KnownKey>, Error> {
        self.transact(call.now, |connection, memory| {
            let principal = identity::resolve(connection, memory, call)?;
            access::require(connection, &principal, path, Permission::Read)?;
            for (field, asked) in [("names", names), ("addresses", addresses)] {
                if asked.len() > SIGNERS_ASKED_MAX {
                    return Err(invalid(field, format!("at most {SIGNERS_ASKED_MAX} at once")));
                }
            }
            let mut found = BTreeMap::new();
            for name in names {
                keys_of(connection, name, &mut found)?;
            }
            let mut owner = connection.prepare_cached("SELECT user_id FROM emails WHERE email = ?1")?;
            for address in addresses {
                for user_id in owner.query_map([address], |row| row.get::<_, i64>(0))? {
                    let user_id = user_id?;
                    let theirs = found.values_mut().filter(|(owner, _)| *owner == user_id);
                    theirs.for_each(|(_, key)| key.addresses.push(address.clone()));
                }
            }
            Ok(found.into_values().map(|(_, key)| key).collect())
        })
    }
}

/// Adds the keys that a name stands for, by their numbers, with the numbers of their owners.
fn keys_of(
    connection: &Connection,
    name: &str,
    found: &mut BTreeMap<i64, (i64, KnownKey)>,
) -> Result<(), Error> {
    let mut statement = connection.prepare_cached(
        "SELECT signing_keys.id, users.id, users.name, signing_keys.kind, signing_keys.public_key
         FROM signing_key_names
             CROSS JOIN signing_keys ON signing_keys.id = signing_key_names.signing_key_id
             CROSS JOIN users ON users.id = signing_keys.user_id
         WHERE signing_key_names.name = ?1 AND users.is_active = 1
         ORDER BY signing_keys.id LIMIT ?2",
    )?;
    let read = |row: &Row| {
        let key = KnownKey {
            account: row.get(2)?,
            addresses: Vec::new(),
            kind: signing_keys::kind(row.get(3)?),
            public_key: row.get(4)?,
        };
        Ok((row.get(0)?, (row.get(1)?, key)))
    };
    for key in statement.query_map((name, KEYS_OF_A_NAME_MAX), read)? {
        let (id, owned) = key?;
        found.insert(id, owned);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{KEY_TITLE_BYTES_MAX, SIGNING_KEYS_MAX};
    use crate::testing::{Forge, outcome, user};
    use crate::types::KeyKind;
    use lithe_signatures::PublicKey;

    /// The SSH key of 32 times that byte.
    fn ssh(byte: u8) -> String {
        use data_encoding::BASE64;
        let parts = [&b"ssh-ed25519"[..], &[byte; 32]];
        let bytes =
            parts.map(|part| [&u32::try_from(part.len()).expect("short").to_be_bytes(), part].concat());
        format!("ssh-ed25519 {}", BASE64.encode(&bytes.concat()))
    }

    fn fingerprint(text: &str) -> String {
        PublicKey::parse(text).expect("a key").fingerprint
    }

    /// An OpenPGP key of Ed25519, with a subkey; nothing of it is signed.
    const OPENPGP: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nxi4EAAAAARYHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH\nzi4EAAAAARYICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI\n-----END PGP PUBLIC KEY BLOCK-----";

    fn accounts_of(
        forge: &mut Forge,
        call: &Call,
        names: &[String],
        addresses: &[&str],
    ) -> Vec<(String, Vec<String>)> {
        let addresses: Vec<_> = addresses.iter().map(|address| (*address).to_owned()).collect();
        let keys = forge.store.find_signers(call, "demo", names, &addresses).expect("keys");
        keys.into_iter().map(|key| (key.account, key.addresses)).collect()
    }

    #[test]
    fn keys_are_found_by_their_names_with_the_addresses_asked_after() {
        let mut forge = Forge::new();
        let (root, anna, bert) = (forge.session("root"), forge.session("anna"), forge.session("bert"));
        forge.repository(&root, "demo", false);
        forge.store.add_signing_key(&anna, "anna", "laptop", &ssh(1)).expect("a key");
        forge.store.add_signing_key(&bert, "bert", "old", OPENPGP).expect("a key");
        let ssh_name = vec![fingerprint(&ssh(1))];
        let addresses = ["Anna@Example.org", "bert@example.org", "nobody@example.org"];
        let anonymous = forge.anonymous();
        let found = accounts_of(&mut forge, &anonymous, &ssh_name, &addresses);
        assert_eq!(found, [("anna".to_owned(), vec!["Anna@Example.org".to_owned()])]);
        let openpgp = PublicKey::parse(OPENPGP).expect("a key");
        assert_eq!(openpgp.names.len(), 4);
        for name in &openpgp.names {
            let found = accounts_of(&mut forge, &anonymous, std::slice::from_ref(name), &addresses[..1]);
            assert_eq!(found, [("bert".to_owned(), vec![])], "{name}");
        }
        assert_eq!(accounts_of(&mut forge, &anonymous, &openpgp.names, &[]).len(), 1, "each key once");
        assert_eq!(accounts_of(&mut forge, &anonymous, &["x".into(), String::new()], &addresses), []);
        forge.sql("UPDATE users SET is_active = 0 WHERE name = 'anna'");
        assert_eq!(accounts_of(&mut forge, &anonymous, &ssh_name, &addresses), []);
    }

    #[test]
    fn whoever_may_read_the_repository_may_ask_and_not_for_too_much() {
        let mut forge = Forge::new();
        let root = forge.session("root");
        forge.repository(&root, "demo", true);
        forge.grant("demo", user("anna"), Permission::Read);
        let calls = [forge.anonymous(), forge.session("bert"), forge.token("anna", Permission::Read)];
        let outcomes = calls.each_ref().map(|call| outcome(forge.store.find_signers(call, "demo", &[], &[])));
        assert_eq!(outcomes, ["not-found", "not-found", "ok"]);
        for (count, names, addresses) in
            [(SIGNERS_ASKED_MAX, "ok", "ok"), (SIGNERS_ASKED_MAX + 1, "invalid names", "invalid addresses")]
        {
            let asked = vec![String::new(); count];
            assert_eq!(outcome(forge.store.find_signers(&root, "demo", &asked, &[])), names);
            assert_eq!(outcome(forge.store.find_signers(&root, "demo", &[], &asked)), addresses);
        }
    }

    #[test]
    fn a_name_stands_for_so_many_keys() {
        let mut forge = Forge::new();
        let anna = forge.session("anna");
        let root = forge.session("root");
        forge.repository(&root, "demo", false);
        for byte in 0..12 {
            forge.store.add_signing_key(&anna, "anna", "one of many", &ssh(byte)).expect("a key");
        }
        forge.sql("INSERT INTO signing_key_names SELECT 'same', id FROM signing_keys");
        let found = accounts_of(&mut forge, &root, &["same".into()], &[]);
        assert_eq!(found.len(), usize::try_from(KEYS_OF_A_NAME_MAX).expect("small"));
    }

    #[test]
    fn an_account_adds_replaces_and_removes_keys() {
        let mut forge = Forge::new();
        let (root, anna, bert) = (forge.session("root"), forge.session("anna"), forge.session("bert"));
        let key = forge.store.add_signing_key(&anna, "anna", "laptop", &ssh(1)).expect("a key");
        assert_eq!((&*key.title, key.kind, &*key.algorithm), ("laptop", KeyKind::Ssh, "ED25519"));
        assert_eq!(key.fingerprint, fingerprint(&ssh(1)));
        let again = forge.store.add_signing_key(&anna, "anna", "desktop", &ssh(1)).expect("a key");
        assert_eq!((again.id, &*again.title), (key.id, "desktop"));
        assert_eq!(outcome(forge.store.add_signing_key(&bert, "bert", "mine", &ssh(1))), "conflict");
        assert_eq!(outcome(forge.store.remove_signing_key(&bert, "bert", key.id)), "not-found");
        let token = forge.token("anna", Permission::Write);
        assert_eq!(outcome(forge.store.add_signing_key(&token, "anna", "x", &ssh(2))), "forbidden");
        assert_eq!(outcome(forge.store.signing_keys(&bert, "anna")), "forbidden");
        let other = forge.store.add_signing_key(&root, "anna", "by root", OPENPGP).expect("a key");
        assert_eq!((other.kind, &*other.algorithm), (KeyKind::Openpgp, "EdDSA"));
        let listed = forge.store.signing_keys(&anna, "anna").expect("keys");
        assert_eq!(listed.iter().map(|key| key.id).collect::<Vec<_>>(), [other.id, key.id]);
        forge.store.remove_signing_key(&anna, "anna", key.id).expect("it is there");
        assert_eq!(outcome(forge.store.add_signing_key(&bert, "bert", "mine", &ssh(1))), "ok");
        assert_eq!(forge.value::<i64>("SELECT count(*) FROM signing_key_names"), 5);
        let entries = "SELECT group_concat(actor || ' ' || action || ' ' || subject, '; ' ORDER BY id) FROM journal WHERE action LIKE 'user.key%'";
        assert_eq!(
            forge.value::<String>(entries),
            "anna user.key-add anna; anna user.key-add anna; root user.key-add anna; anna user.key-remove anna; bert user.key-add bert"
        );
    }

    #[test]
    fn keys_have_limits() {
        let mut forge = Forge::new();
        let anna = forge.session("anna");
        let mut add =
            |title: &str, key: &str| outcome(forge.store.add_signing_key(&anna, "anna", title, key));
        assert_eq!(add("", &ssh(0)), "invalid title");
        assert_eq!(add(&"x".repeat(KEY_TITLE_BYTES_MAX + 1), &ssh(0)), "invalid title");
        assert_eq!(add(&"x".repeat(KEY_TITLE_BYTES_MAX), &ssh(0)), "ok");
        assert_eq!(add("x", "no key"), "invalid public-key");
        for byte in 1..u8::try_from(SIGNING_KEYS_MAX).expect("few") {
            assert_eq!(add("x", &ssh(byte)), "ok");
        }
        assert_eq!(add("x", &ssh(99)), "invalid title");
        assert_eq!(add("x", &ssh(1)), "ok", "one can be replaced");
    }
}
