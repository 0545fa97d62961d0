//! The table `meta`: numbers of the store as a whole, each under its key.

use rusqlite::{Connection, OptionalExtension, Result, params};

use super::row::{integer, unsigned};

/// A number; `None`: there is none under this key.
pub(super) fn get(connection: &Connection, key: &str) -> Result<Option<u64>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?")?
        .query_row([key], |row| row.get(0).map(unsigned))
        .optional()
}

/// Sets a number, in the open transaction.
pub(super) fn set(connection: &Connection, key: &str, value: u64) -> Result<()> {
    connection
        .prepare_cached(
            "INSERT INTO meta (key, value) VALUES (?, ?) \
             ON CONFLICT (key) DO UPDATE SET value = excluded.value",
        )?
        .execute(params![key, integer(value)])
        .map(drop)
}
