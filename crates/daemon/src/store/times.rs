//! The times of events: none goes below the newest of its own log, and what a wrong clock has
//! stamped can be corrected.
//!
//! Events have no index by time. The latest time of all is that of the newest event, unless the
//! clock was ahead before; then, and only then, it is kept in `meta`.

use std::path::Path;

use chat_proto::{LogId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::committer::WriteConnection;
use super::index::Index;
use super::row::{integer, unsigned};
use super::{Durability, OpenError, SqliteStore, meta};

/// The key in `meta`.
const KEY: &str = "latest_ts";

/// The latest time of any event.
#[derive(Debug, Default)]
pub(super) struct LatestTs {
    latest: Timestamp,
    is_kept: bool,
}

impl LatestTs {
    /// Begins anew, with what the file says.
    pub(super) fn read_back(&mut self, latest: Timestamp) {
        *self = Self { latest, is_kept: false };
    }

    /// Takes the time of the next event of the open transaction.
    pub(super) fn note(&mut self, connection: &WriteConnection, ts: Timestamp) -> Result<()> {
        if ts >= self.latest {
            *self = Self { latest: ts, is_kept: false };
        } else if !self.is_kept {
            let transaction = connection.in_transaction()?;
            meta::set(&transaction, KEY, self.latest.0)?;
            self.is_kept = true;
        }
        Ok(())
    }
}

/// The latest time of any event, as far as it is committed.
pub(super) fn latest(connection: &Connection) -> Result<Timestamp> {
    let newest = "SELECT coalesce((SELECT ts FROM events ORDER BY id DESC LIMIT 1), 0)";
    let newest = connection.query_row(newest, [], |row| row.get(0).map(unsigned))?;
    let kept = meta::get(connection, KEY)?.unwrap_or_default();
    Ok(Timestamp(newest.max(kept)))
}

/// The time of a log's newest committed event.
pub(super) fn newest_in(
    connection: &Connection,
    index: &Index,
    log: LogId,
) -> Result<Option<Timestamp>> {
    let Some(id) = index.newest_id(connection, log)? else { return Ok(None) };
    connection
        .prepare_cached("SELECT ts FROM events WHERE id = ? AND log = ?")?
        .query_row(params![integer(id), integer(log.0)], |row| row.get(0).map(unsigned))
        .optional()
        .map(|ts| ts.map(Timestamp))
}

/// Gives every event that is later than `now` this time instead: its clock was wrong. Everybody
/// who has read the wrong times is to read again, so that a new epoch begins with the next opening.
/// Tells how many events there were.
///
/// # Errors
/// [`OpenError`] says why not, and what to do.
pub fn correct_times(
    data_dir: &Path,
    durability: Durability,
    now: Timestamp,
) -> Result<usize, OpenError> {
    let store = SqliteStore::open(data_dir, durability)?;
    let failed = OpenError::because("given the right times");
    let events = match &store.connection {
        Some(connection) => correct(&mut connection.lock(), now).map_err(failed)?,
        None => 0,
    };
    store.close();
    Ok(events)
}

fn correct(connection: &mut Connection, now: Timestamp) -> Result<usize> {
    let now = integer(now.0);
    let transaction = connection.transaction()?;
    let events = transaction.execute("UPDATE events SET ts = ?1 WHERE ts > ?1", [now])?;
    for table in ["accounts", "rooms"] {
        let sql = format!("UPDATE {table} SET created_ts = ?1 WHERE created_ts > ?1");
        transaction.execute(&sql, [now])?;
    }
    if events > 0 {
        transaction.execute("DELETE FROM meta WHERE key IN (?1, 'epoch')", [KEY])?;
    }
    transaction.commit()?;
    Ok(events)
}
