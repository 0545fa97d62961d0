//! Connections to the file, and how each is set up.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, ffi};

use super::Durability;
use super::held::FileIdentity;

/// How long to wait for somebody else's lock, such as a person's at the `sqlite3` tool.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What the WAL is cut back to when it was larger, in bytes. A file that need not grow is
/// synchronised faster.
const WAL_BYTES_KEPT: u32 = 32 * 1024 * 1024;

/// Statements kept prepared for each connection; there are fewer.
const STATEMENTS_MAX: usize = 48;

/// Opens the writing connection, again and again.
#[derive(Clone, Debug)]
pub(super) struct Writer {
    pub(super) path: PathBuf,
    /// The file that was opened under the path, and no other.
    pub(super) database: FileIdentity,
    pub(super) durability: Durability,
    #[cfg(test)]
    pub(super) fault: Option<Fault>,
}

/// What a test lets go wrong with every connection opened from now on.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(super) enum Fault {
    /// The disk has room for so many pages.
    Full { pages: u32 },
    /// The disk takes no writes.
    ReadOnly,
}

impl Writer {
    /// A connection on which nothing has been changed yet.
    pub(super) fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        demand(self.database, &self.path)?;
        connection.busy_timeout(BUSY_TIMEOUT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // Only `super::checkpoints` moves the WAL.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        Ok(connection)
    }

    /// Prepares a connection for writing.
    pub(super) fn prepare(&self, connection: &Connection) -> rusqlite::Result<()> {
        let set = |name, value: &dyn rusqlite::ToSql| connection.pragma_update(None, name, value);
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |_mode| Ok(()))?;
        set("synchronous", &self.synchronous())?;
        // Apple's fsync leaves the bytes in the drive's cache; elsewhere these two mean nothing.
        set("fullfsync", &"ON")?;
        set("checkpoint_fullfsync", &"ON")?;
        set("foreign_keys", &"ON")?;
        set("secure_delete", &"ON")?;
        set("temp_store", &"MEMORY")?;
        set("trusted_schema", &"OFF")?;
        set("journal_size_limit", &WAL_BYTES_KEPT)?;
        #[cfg(test)]
        match self.fault {
            Some(Fault::Full { pages }) => set("max_page_count", &pages)?,
            Some(Fault::ReadOnly) => set("query_only", &"ON")?,
            None => {}
        }
        Ok(())
    }

    /// With `NORMAL` a commit is in the system's hands when it returns, which a killed process
    /// does not undo; the file is whole also after a loss of power, but may lack its newest end.
    fn synchronous(&self) -> &'static str {
        match self.durability {
            Durability::Full => "FULL",
            Durability::Process => "NORMAL",
        }
    }
}

/// Opens a connection that can only read.
pub(super) fn connect_reader(path: &Path, database: FileIdentity) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    demand(database, path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update(None, "query_only", "ON")?;
    connection.pragma_update(None, "trusted_schema", "OFF")?;
    Ok(connection)
}

/// Another file may have been put there since: nothing may be read from it or written to it.
fn demand(database: FileIdentity, path: &Path) -> rusqlite::Result<()> {
    match database.is_at(path) {
        true => Ok(()),
        false => {
            let said = format!("{} is not the file that chatd had opened", path.display());
            let code = ffi::Error::new(ffi::SQLITE_CANTOPEN);
            Err(rusqlite::Error::SqliteFailure(code, Some(said)))
        }
    }
}
