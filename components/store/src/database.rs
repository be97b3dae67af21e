//! The database file: how it is opened, and how its transactions run.

use crate::limits::{BUSY_SECONDS_MAX, TRANSACTION_SECONDS_MAX};
use crate::lock;
use crate::schema;
use crate::types::Error;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// The database's file name.
pub const FILE: &str = "lithe.db";

/// How SQLite uses files that are shared: with a lock directory beside each.
const SHARED_VFS: &str = "unix-dotfile";

/// Why a file is refused to those who share.
const OWNED: &str = "the database belongs to `lithe serve`, which runs or was the last to run here: \
     stop it, then any other command, such as `lithe repo list`, makes the database a shared one";

/// How many prepared statements are kept: more than there are.
const STATEMENTS_MAX: usize = 256;
/// After how many steps of SQLite's machine the time of a query is looked at.
const STEPS_PER_CHECK: i32 = 20_000;
/// How long to wait for the lock before the next look.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(20);

/// Who else may have the file open.
///
/// The file itself says by its journal mode whose it is: an owner's has a write-ahead log, a shared
/// one a rollback journal. It goes from one to the other only under the lock of those who share it,
/// and once it is an owner's, SQLite refuses it to all who share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody: the host sees to it that there is one instance, and takes the file from those who
    /// shared it. No locks.
    Exclusive,
    /// Other instances. WASI has neither file locks nor shared memory, so a lock directory beside
    /// the file lets in one at a time. A file that is an owner's is refused.
    Shared,
    /// As `Shared`, and the host sees to it that no owner is left: an owner's file becomes a shared one.
    Reclaimed,
}

/// The open database.
pub struct Database {
    connection: Connection,
    sharing: Sharing,
    path: PathBuf,
}

impl Database {
    /// Opens the database in `directory`, makes it if there is none, and brings it to the present layout.
    ///
    /// Fails with `error.other` in words for the operator.
    pub fn open(directory: &Path, sharing: Sharing) -> Result<Self, Error> {
        if let Err(error) = std::fs::metadata(directory) {
            return Err(Error::Other(format!(
                "the database directory {} is missing: mount it for the store ({error})",
                directory.display()
            )));
        }
        let path = directory.join(FILE);
        let connection = match sharing {
            Sharing::Exclusive => open_exclusive(&path)?,
            Sharing::Shared => open_shared(&path)?,
            Sharing::Reclaimed => {
                reclaim(&path)?;
                open_shared(&path)?
            }
        };
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Ok(Self { connection, sharing, path })
    }

    /// A new database in memory.
    #[cfg(test)]
    pub fn in_memory() -> Self {
        let mut connection = Connection::open_in_memory().expect("a database in memory");
        configure(&mut connection).expect("the settings and the layout");
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Self { connection, sharing: Sharing::Exclusive, path: PathBuf::new() }
    }

    /// Runs `work` in one transaction: everything it changes is kept if it succeeds, nothing if it fails.
    pub fn transact<T>(&mut self, work: impl FnOnce(&Connection) -> Result<T, Error>) -> Result<T, Error> {
        self.begin()?;
        // However `work` ends, the transaction ends with this value.
        let _rollback = Rollback(&self.connection);
        let value = work(&self.connection)?;
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(value)
    }

    /// How many rows were changed since the database was opened; none where others may change them unseen.
    pub fn changes(&self) -> Option<u64> {
        (self.sharing == Sharing::Exclusive).then(|| self.connection.total_changes())
    }

    #[cfg(test)]
    pub fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    fn begin(&mut self) -> Result<(), Error> {
        match self.sharing {
            Sharing::Exclusive => {
                self.connection.prepare_cached("BEGIN")?.execute([])?;
                Ok(())
            }
            // Takes the lock at once, so that nothing later in the transaction finds the file busy.
            Sharing::Shared | Sharing::Reclaimed => {
                when_free(&self.path, || self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([]))?;
                limit_time(&mut self.connection)
            }
        }
    }
}

/// Ends the transaction of a connection when it goes out of scope.
struct Rollback<'a>(&'a Connection);

impl Drop for Rollback<'_> {
    fn drop(&mut self) {
        if !self.0.is_autocommit() {
            // If even this fails, the next `BEGIN` does, and says why.
            let _ = self.0.execute_batch("ROLLBACK");
        }
    }
}

fn open_exclusive(path: &Path) -> Result<Connection, Error> {
    if !is_owned(path) {
        take(path)?;
    }
    let mut connection = connect(path, "unix-none")?;
    // Before the first access: with one owner the log's index lies in memory, not in a shared file.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    configure(&mut connection)?;
    Ok(connection)
}

/// Makes a shared file, or a new one, an owner's.
fn take(path: &Path) -> Result<(), Error> {
    change_journal(path, "WAL")
}

/// Makes an owner's file a shared one.
fn reclaim(path: &Path) -> Result<(), Error> {
    match is_owned(path) {
        true => change_journal(path, "DELETE"),
        false => Ok(()),
    }
}

/// Changes the journal mode, which says whose the file is, under the lock of those who share it.
fn change_journal(path: &Path, mode: &str) -> Result<(), Error> {
    let connection = connect(path, SHARED_VFS)?;
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    when_free(path, || connection.execute_batch("BEGIN IMMEDIATE; COMMIT"))?;
    let changed: String = connection.pragma_update_and_check(None, "journal_mode", mode, |row| row.get(0))?;
    match changed.eq_ignore_ascii_case(mode) {
        true => Ok(()),
        false => Err(Error::Other(format!("the database keeps the journal mode {changed}"))),
    }
}

/// Whether the file is an owner's: it says so at byte 18 (SQLite's file format, 1.3.3).
fn is_owned(path: &Path) -> bool {
    const VERSION_OFFSET: usize = 18;
    const VERSION_OF_LOG: u8 = 2;
    let mut header = [0; VERSION_OFFSET + 1];
    match File::open(path).and_then(|mut file| file.read_exact(&mut header)) {
        Ok(()) => header[VERSION_OFFSET] == VERSION_OF_LOG,
        // There is none yet, or SQLite is to say what is wrong with it.
        Err(_) => false,
    }
}

fn open_shared(path: &Path) -> Result<Connection, Error> {
    let mut connection = connect(path, SHARED_VFS)?;
    when_free(path, || connection.execute_batch("BEGIN IMMEDIATE"))?;
    limit_time(&mut connection)?;
    // Held over the whole opening: another instance may be making the database at this moment.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.execute_batch("COMMIT")?;
    configure(&mut connection)?;
    connection.pragma_update(None, "locking_mode", "NORMAL")?;
    // The lock is given back after the next access.
    connection.query_row("SELECT count(*) FROM settings", [], |_| Ok(()))?;
    Ok(connection)
}

fn connect(path: &Path, vfs: &str) -> Result<Connection, Error> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(path, flags, vfs)?;
    // Waiting is `when_free`'s work.
    connection.busy_timeout(Duration::ZERO)?;
    Ok(connection)
}

fn configure(connection: &mut Connection) -> Result<(), Error> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    // Without it SQLite compiles a statement anew whenever its parameters change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // Whoever could write to the file must not make it run anything.
    connection.pragma_update(None, "trusted_schema", false)?;
    schema::migrate(connection)
}

/// Runs something that takes the file's lock, again and again until the lock is free.
fn when_free<T>(path: &Path, mut work: impl FnMut() -> Result<T, rusqlite::Error>) -> Result<T, Error> {
    let start = Instant::now();
    let mut pause = PAUSE_MIN;
    loop {
        match work() {
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                if start.elapsed() > Duration::from_secs(BUSY_SECONDS_MAX) {
                    return Err(error.into());
                }
            }
            // Without shared memory SQLite cannot open a file with a write-ahead log.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::CannotOpen) && is_owned(path) => {
                return Err(Error::Other(OWNED.to_owned()));
            }
            result => return Ok(result?),
        }
        if !lock::break_abandoned(path, SystemTime::now())? {
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
}

/// Stops the transaction that begins now when it takes too long, so that its lock is never taken
/// for an abandoned one.
fn limit_time(connection: &mut Connection) -> Result<(), Error> {
    let start = Instant::now();
    let is_late = move || start.elapsed() > Duration::from_secs(TRANSACTION_SECONDS_MAX);
    connection.progress_handler(STEPS_PER_CHECK, Some(is_late))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::LOCK_SECONDS_MAX;
    use std::io::{BufRead as _, BufReader};
    use std::process::{Child, Command, Stdio};
    use tempfile::TempDir;

    fn directory() -> TempDir {
        tempfile::tempdir().expect("a directory")
    }

    fn open(directory: &TempDir, sharing: Sharing) -> Database {
        Database::open(directory.path(), sharing).expect("a database")
    }

    fn add_user_group(connection: &Connection, name: &str) -> Result<(), Error> {
        connection.execute("INSERT INTO user_groups (name, created) VALUES (?1, 0)", [name])?;
        Ok(())
    }

    fn count(database: &mut Database) -> i64 {
        database
            .transact(|c| Ok(c.query_row("SELECT count(*) FROM user_groups", [], |row| row.get(0))?))
            .expect("a count")
    }

    fn pragma(database: &mut Database, name: &str) -> String {
        let value = |row: &rusqlite::Row| row.get::<_, rusqlite::types::Value>(0);
        let value = database.connection.pragma_query_value(None, name, value).expect("a value");
        match value {
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    fn words(result: Result<Database, Error>) -> String {
        match result {
            Err(Error::Other(words)) => words,
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("it opened"),
        }
    }

    #[test]
    fn the_sole_owner_uses_a_log_and_others_a_rollback_journal() {
        let directory = directory();
        // Each finds the file as the other left it.
        for (sharing, journal_mode) in [
            (Sharing::Exclusive, "wal"),
            (Sharing::Exclusive, "wal"),
            (Sharing::Reclaimed, "delete"),
            (Sharing::Shared, "delete"),
            (Sharing::Exclusive, "wal"),
            (Sharing::Reclaimed, "delete"),
        ] {
            let mut database = open(&directory, sharing);
            let before = count(&mut database);
            database.transact(|connection| add_user_group(connection, &before.to_string())).expect("a row");
            assert_eq!(count(&mut database), before + 1);
            for (name, value) in [
                ("journal_mode", journal_mode),
                ("synchronous", "2"),
                ("foreign_keys", "1"),
                ("trusted_schema", "0"),
            ] {
                assert_eq!(pragma(&mut database, name), value, "{sharing:?} {name}");
            }
        }
        assert_eq!(count(&mut open(&directory, Sharing::Exclusive)), 6);
    }

    #[test]
    fn an_owners_file_is_refused_to_those_who_share() {
        let directory = directory();
        let mut shared = open(&directory, Sharing::Shared);
        shared.transact(|connection| add_user_group(connection, "shared")).expect("a row");
        let mut owner = open(&directory, Sharing::Exclusive);
        for n in 0..3 {
            owner.transact(|connection| add_user_group(connection, &n.to_string())).expect("a row");
            let refused = shared.transact(|connection| add_user_group(connection, "refused"));
            assert_eq!(refused, Err(Error::Other(OWNED.to_owned())), "it was open before");
            assert_eq!(words(Database::open(directory.path(), Sharing::Shared)), OWNED);
        }
        assert_eq!((count(&mut owner), pragma(&mut owner, "integrity_check")), (4, "ok".to_owned()));
        drop(owner);
        assert_eq!(words(Database::open(directory.path(), Sharing::Shared)), OWNED);
        assert_eq!(count(&mut open(&directory, Sharing::Reclaimed)), 4);
        assert_eq!(count(&mut shared), 4, "what was open before goes on");
    }

    #[test]
    fn an_owner_takes_the_file_from_those_who_write_it() {
        for _ in 0..5 {
            let directory = directory();
            let committed: i64 = std::thread::scope(|scope| {
                // Each writes until it is refused, which for one that is late is at once.
                let write = |writer: i64| {
                    let Ok(mut database) = Database::open(directory.path(), Sharing::Shared) else {
                        return 0;
                    };
                    let add = |n: &i64| {
                        let name = format!("{writer}-{n}");
                        database.transact(|connection| add_user_group(connection, &name)).is_err()
                    };
                    (0..).find(add).expect("it is refused in the end")
                };
                let writers = [0, 1, 2].map(|writer| scope.spawn(move || write(writer)));
                let mut witness = open(&directory, Sharing::Shared);
                while count(&mut witness) < 5 {}
                let mut owner = open(&directory, Sharing::Exclusive);
                for n in 0..20 {
                    owner.transact(|c| add_user_group(c, &format!("owner-{n}"))).expect("a row");
                }
                drop(owner);
                writers.into_iter().map(|writer| writer.join().expect("no panic")).sum()
            });
            let mut database = open(&directory, Sharing::Reclaimed);
            assert_eq!(count(&mut database), committed + 20);
            assert_eq!(pragma(&mut database, "integrity_check"), "ok");
        }
    }

    #[test]
    fn a_failed_transaction_changes_nothing() {
        for sharing in [Sharing::Exclusive, Sharing::Shared] {
            let directory = directory();
            let mut database = open(&directory, sharing);
            let failed: Result<(), Error> = database.transact(|connection| {
                add_user_group(connection, "a")?;
                Err(Error::NotFound)
            });
            assert_eq!(failed, Err(Error::NotFound));
            let twice = database.transact(|c| add_user_group(c, "b").and_then(|()| add_user_group(c, "B")));
            assert!(matches!(twice, Err(Error::Other(_))), "{twice:?}");
            assert_eq!(count(&mut database), 0);
            database.transact(|connection| add_user_group(connection, "c")).expect("a row");
            assert_eq!(count(&mut database), 1);
        }
    }

    #[test]
    fn what_is_in_the_way_is_said_in_words() {
        let missing = directory().path().join("nothing");
        let text = words(Database::open(&missing, Sharing::Exclusive));
        assert!(text.contains("is missing: mount it"), "{text}");
        for sharing in [Sharing::Exclusive, Sharing::Shared] {
            let garbage = directory();
            std::fs::write(garbage.path().join(FILE), [b'x'; 10_000]).expect("a file");
            let text = words(Database::open(garbage.path(), sharing));
            assert!(text.contains("is not a database"), "{text}");

            let blocked = directory();
            std::fs::create_dir(blocked.path().join(FILE)).expect("a directory in the file's place");
            let text = words(Database::open(blocked.path(), sharing));
            assert!(text.contains("cannot be opened"), "{text}");
        }
    }

    #[test]
    fn damage_is_said_in_words() {
        let directory = directory();
        let mut database = open(&directory, Sharing::Shared);
        let fill = |c: &Connection| (0..2_000).try_for_each(|n| add_user_group(c, &format!("{n:0>40}")));
        database.transact(fill).expect("rows");
        drop(database);
        let path = directory.path().join(FILE);
        let mut bytes = std::fs::read(&path).expect("the file");
        let end = bytes.len();
        bytes[end - 60_000..].fill(0xAA);
        std::fs::write(&path, bytes).expect("the file");
        let mut database = open(&directory, Sharing::Shared);
        let result = database.transact(|c| {
            let mut statement = c.prepare("SELECT name FROM user_groups NOT INDEXED")?;
            let names = statement.query_map([], |row| row.get::<_, String>(0))?;
            Ok(names.collect::<Result<Vec<_>, _>>()?)
        });
        let Err(Error::Other(text)) = result else { panic!("{result:?}") };
        assert!(text.contains("damaged") || text.contains("refused"), "{text}");
    }

    #[test]
    fn a_full_file_is_said_in_words_and_heals() {
        let directory = directory();
        let mut database = open(&directory, Sharing::Exclusive);
        let pages: i64 = pragma(&mut database, "page_count").parse().expect("a number");
        let limit = |database: &Database, pages: i64| {
            database
                .connection
                .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))
                .expect("a limit");
        };
        limit(&database, pages + 1);
        let fill = |connection: &Connection| {
            (0..1_000).try_for_each(|n| add_user_group(connection, &format!("{n:0>100}")))
        };
        let Err(Error::Other(text)) = database.transact(fill) else { panic!("it fits") };
        assert!(text.contains("is full"), "{text}");
        assert_eq!(count(&mut database), 0);
        limit(&database, 1_000_000);
        database.transact(fill).expect("there is room again");
        assert_eq!(count(&mut database), 1_000);
    }

    #[test]
    fn threads_share_a_file_and_lose_nothing() {
        let directory = directory();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let directory = &directory;
                scope.spawn(move || {
                    // All four make the file at once.
                    let mut database = open(directory, Sharing::Shared);
                    for n in 0..50 {
                        let name = format!("{writer}-{n}");
                        database.transact(|connection| add_user_group(connection, &name)).expect("a row");
                        assert!(count(&mut database) > n);
                    }
                });
            }
        });
        let mut database = open(&directory, Sharing::Shared);
        assert_eq!(count(&mut database), 200);
        assert_eq!(pragma(&mut database, "integrity_check"), "ok");
        assert!(!directory.path().join("lithe.db.lock").exists());
    }

    /// Names the directory for the tests that run in a process of their own, to be killed.
    const CHILD_DIRECTORY: &str = "LITHE_TEST_DATABASE";
    const CHILD_SHARING: &str = "LITHE_TEST_SHARING";

    /// Runs a test of this file in a process of its own.
    fn spawn(test: &str, directory: &TempDir, sharing: Sharing) -> Child {
        Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "--nocapture", &format!("database::tests::{test}")])
            .env(CHILD_DIRECTORY, directory.path())
            .env(CHILD_SHARING, format!("{sharing:?}"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process")
    }

    /// The database of a test that runs in a process of its own; none where it does not.
    fn open_in_child() -> Option<Database> {
        let directory = std::env::var_os(CHILD_DIRECTORY)?;
        let is_shared = std::env::var(CHILD_SHARING).is_ok_and(|sharing| sharing == "Shared");
        let sharing = if is_shared { Sharing::Shared } else { Sharing::Exclusive };
        Some(Database::open(Path::new(&directory), sharing).expect("a database"))
    }

    /// Kills a process once it has printed so many lines that begin with `mark`; returns how many it printed in all.
    fn kill_after(mut child: Child, mark: &str, lines: usize) -> usize {
        let output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut seen = 0;
        for line in output.lines() {
            seen += usize::from(line.expect("a line").contains(mark));
            if seen == lines {
                child.kill().expect("it is killed");
            }
        }
        child.wait().expect("it has ended");
        seen
    }

    #[test]
    fn child_that_stops_in_a_transaction() {
        let Some(mut database) = open_in_child() else { return };
        database.transact(|connection| add_user_group(connection, "kept")).expect("a row");
        let _ = database.transact(|connection| -> Result<(), Error> {
            add_user_group(connection, "lost")?;
            // Past the cache, so that changed pages are in the files.
            connection.execute_batch("PRAGMA cache_size = 1; PRAGMA cache_spill = 1")?;
            (0..2_000).try_for_each(|n| add_user_group(connection, &format!("{n:0>200}")))?;
            println!("\nready");
            loop {
                std::thread::park();
            }
        });
    }

    #[test]
    fn a_killed_process_loses_only_what_it_had_not_committed() {
        for sharing in [Sharing::Exclusive, Sharing::Shared] {
            let directory = directory();
            kill_after(spawn("child_that_stops_in_a_transaction", &directory, sharing), "ready", 1);
            let lock = directory.path().join("lithe.db.lock");
            assert_eq!(lock.exists(), sharing == Sharing::Shared, "its lock is left behind");
            if lock.exists() {
                age(&lock);
            }
            for sharing in [sharing, Sharing::Exclusive, Sharing::Reclaimed] {
                let mut database = open(&directory, sharing);
                assert_eq!(count(&mut database), 1, "{sharing:?}");
                assert_eq!(pragma(&mut database, "integrity_check"), "ok");
            }
        }
    }

    #[test]
    fn child_that_commits_until_it_is_killed() {
        let Some(mut database) = open_in_child() else { return };
        let first = count(&mut database);
        for n in first.. {
            database.transact(|connection| add_user_group(connection, &n.to_string())).expect("a row");
            println!("\ncommitted {n}");
        }
    }

    #[test]
    fn what_was_committed_is_there_however_often_it_is_killed() {
        for sharing in [Sharing::Exclusive, Sharing::Shared] {
            let directory = directory();
            let mut committed = 0;
            for round in 1..=8 {
                let child = spawn("child_that_commits_until_it_is_killed", &directory, sharing);
                committed += kill_after(child, "committed", round * 3);
                let lock = directory.path().join("lithe.db.lock");
                if lock.exists() {
                    age(&lock);
                }
                let mut database = open(&directory, sharing);
                let kept = usize::try_from(count(&mut database)).expect("a count");
                // The last one may have been committed and not yet said.
                assert!(
                    (committed..=committed + 1).contains(&kept),
                    "{sharing:?}: {committed} said, {kept} kept"
                );
                committed = kept;
                assert_eq!(pragma(&mut database, "integrity_check"), "ok");
            }
        }
    }

    /// Makes a lock look abandoned.
    fn age(lock: &Path) {
        let made = SystemTime::now() - Duration::from_secs(LOCK_SECONDS_MAX + 1);
        std::fs::File::open(lock).and_then(|directory| directory.set_modified(made)).expect("another time");
    }

    #[test]
    fn an_abandoned_lock_is_met_between_two_transactions() {
        let directory = directory();
        let mut database = open(&directory, Sharing::Shared);
        let lock = directory.path().join("lithe.db.lock");
        std::fs::create_dir(&lock).expect("a lock");
        age(&lock);
        database.transact(|connection| add_user_group(connection, "a")).expect("a row");
        assert!(!lock.exists());
    }

    #[test]
    fn an_endless_query_is_stopped_where_the_file_is_shared() {
        let directory = directory();
        let mut database = open(&directory, Sharing::Shared);
        let start = Instant::now();
        let result: Result<i64, Error> = database.transact(|connection| {
            let endless =
                "WITH RECURSIVE n (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM n) SELECT count(*) FROM n";
            Ok(connection.query_row(endless, [], |row| row.get(0))?)
        });
        let Err(Error::Other(text)) = result else { panic!("{result:?}") };
        assert!(text.contains("took too long"), "{text}");
        assert!(start.elapsed() < Duration::from_secs(TRANSACTION_SECONDS_MAX + 2));
        assert_eq!(count(&mut database), 0);
    }
}
