//! The database file: how it is opened, and how its transactions run.

use crate::limits::{BUSY_SECONDS_MAX, TRANSACTION_SECONDS_MAX};
use crate::lock;
use crate::schema;
use crate::types::Error;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

/// The database's file name.
pub const FILE: &str = "lithe.db";

/// How many prepared statements are kept: more than there are.
const STATEMENTS_MAX: usize = 256;
/// After how many steps of SQLite's machine the time of a query is looked at.
const STEPS_PER_CHECK: i32 = 20_000;
/// How long to wait for the lock before the next look.
const PAUSE_MIN: Duration = Duration::from_millis(1);
const PAUSE_MAX: Duration = Duration::from_millis(20);

/// Who else may have the file open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Nobody: the host sees to it that there is one instance. A write-ahead log, no locks.
    Exclusive,
    /// Other instances. WASI has neither file locks nor shared memory, so a lock directory beside
    /// the file lets in one at a time, and changes go through a rollback journal.
    Shared,
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
        };
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Ok(Self { connection, sharing, path })
    }

    /// A new database in memory.
    #[cfg(test)]
    pub fn in_memory() -> Self {
        let mut connection = Connection::open_in_memory().expect("a database in memory");
        configure(&mut connection).expect("the settings and the layout");
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

    fn begin(&mut self) -> Result<(), Error> {
        match self.sharing {
            Sharing::Exclusive => {
                self.connection.prepare_cached("BEGIN")?.execute([])?;
                Ok(())
            }
            // Takes the lock at once, so that nothing later in the transaction finds the file busy.
            Sharing::Shared => {
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
    let mut connection = connect(path, "unix-none")?;
    // Before the first access: with one owner the log's index lies in memory, not in a shared file.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    configure(&mut connection)?;
    Ok(connection)
}

fn open_shared(path: &Path) -> Result<Connection, Error> {
    let mut connection = connect(path, "unix-dotfile")?;
    // Held over the whole opening: another instance may be making the database at this moment.
    connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    when_free(path, || connection.execute_batch("BEGIN IMMEDIATE; COMMIT"))?;
    limit_time(&mut connection)?;
    // An exclusive owner may have left a write-ahead log.
    connection.pragma_update(None, "journal_mode", "DELETE")?;
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
