//! The database's layout: numbered forward migrations.

use crate::types::Error;
use rusqlite::{Connection, TransactionBehavior};

/// Marks a file as a database of Lithe: "LITH".
const APPLICATION_ID: i32 = 0x4c49_5448;

/// Every migration there has been, in order. One that was released is never changed.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001.sql"),
    include_str!("migrations/0002.sql"),
    include_str!("migrations/0003.sql"),
    include_str!("migrations/0004.sql"),
    include_str!("migrations/0005.sql"),
    include_str!("migrations/0006.sql"),
    include_str!("migrations/0007.sql"),
    include_str!("migrations/0008.sql"),
];

/// Brings the database to the present layout, each step in a transaction of its own.
///
/// Fails with `error.other` if the database is of a newer layout, or of another program.
pub fn migrate(connection: &mut Connection) -> Result<(), Error> {
    migrate_to(connection, MIGRATIONS.len())
}

fn migrate_to(connection: &mut Connection, target: usize) -> Result<(), Error> {
    loop {
        // Several instances may open the file at once: each looks again once it holds the lock.
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let version = version(&transaction)?;
        let known = MIGRATIONS.len();
        if version > known {
            return Err(Error::Other(format!(
                "the database has layout {version}, and this program knows layouts up to {known}: run a newer Lithe"
            )));
        }
        if version >= target {
            return Ok(());
        }
        transaction.execute_batch(MIGRATIONS[version])?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(
            None,
            "user_version",
            i32::try_from(version + 1).expect("there are few migrations"),
        )?;
        transaction.commit()?;
    }
}

fn version(connection: &Connection) -> Result<usize, Error> {
    let application_id: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let version: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    let is_new = application_id == 0 && version == 0 && tables == 0;
    match usize::try_from(version) {
        Ok(version) if is_new || application_id == APPLICATION_ID => Ok(version),
        _ => Err(Error::Other("lithe.db is a database of another program".into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection() -> Connection {
        Connection::open_in_memory().expect("a database in memory")
    }

    fn layout(connection: &Connection) -> Vec<String> {
        let mut statement = connection
            .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
            .expect("a query");
        let rows = statement.query_map([], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("rows")
    }

    #[test]
    fn every_earlier_layout_is_brought_to_the_present_one() {
        let mut present = connection();
        migrate(&mut present).expect("a migration");
        for start in 0..=MIGRATIONS.len() {
            let mut database = connection();
            migrate_to(&mut database, start).expect("an earlier layout");
            migrate(&mut database).expect("a migration");
            assert_eq!(layout(&database), layout(&present), "from {start}");
            migrate(&mut database).expect("nothing to do");
        }
    }

    #[test]
    fn newer_and_foreign_databases_are_refused() {
        let mut newer = connection();
        migrate(&mut newer).expect("a migration");
        newer.pragma_update(None, "user_version", 99).expect("an update");
        let mut foreign = connection();
        foreign.execute_batch("CREATE TABLE t (a)").expect("a table");
        let mut marked = connection();
        marked.pragma_update(None, "application_id", 7).expect("an update");
        let known = MIGRATIONS.len();
        let newer_words = format!(
            "the database has layout 99, and this program knows layouts up to {known}: run a newer Lithe"
        );
        for (database, words) in [
            (&mut newer, newer_words.as_str()),
            (&mut foreign, "lithe.db is a database of another program"),
            (&mut marked, "lithe.db is a database of another program"),
        ] {
            assert_eq!(migrate(database), Err(Error::Other(words.into())));
        }
    }

    #[test]
    fn every_table_is_strict_and_its_rules_hold() {
        let mut database = connection();
        migrate(&mut database).expect("a migration");
        let loose: i64 = database
            .query_row("SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND NOT strict AND name NOT LIKE 'sqlite_%'", [], |row| row.get(0))
            .expect("a count");
        assert_eq!(loose, 0);
        for refused in [
            "INSERT INTO settings (id) VALUES (2)",
            "UPDATE settings SET session_days = 0",
            "UPDATE settings SET deletion_grace_days = 3651",
            "INSERT INTO sessions (secret_hash, user_id, created, last_used, address, user_agent) VALUES (zeroblob(32), 1, 0, 0, '', '')",
            "INSERT INTO grants (permission) VALUES (1)",
            "INSERT INTO signing_keys (user_id, title, kind, algorithm, fingerprint, public_key, created) VALUES (1, '', 2, '', 'x', x'00', 0)",
            "INSERT INTO ref_rules (repository_id, kind, pattern, may_create, may_advance, may_force, may_delete, signed, verified) VALUES (1, 0, 'x', 0, 0, 0, 0, 0, 1)",
            "INSERT INTO issue_links (pattern, address) VALUES ('a', '/{id}')",
            "INSERT INTO site_issue_links (pattern, address) VALUES ('', '/{id}')",
            "INSERT INTO paths (path) VALUES ('a')",
            "INSERT INTO users (name, full_name, password_hash, is_admin, must_change_password, created) VALUES ('a', '', 'plain', 0, 0, 0)",
        ] {
            assert!(database.execute(refused, []).is_err(), "{refused}");
        }
    }
}
