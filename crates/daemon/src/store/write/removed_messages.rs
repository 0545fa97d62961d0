//! Messages that a moderator takes away: their texts go, in the transaction of the event that says so.
//! The rows stay, with their nonces and digests: a repeated send gets its acknowledgement again, and
//! whoever reads there finds a gap.
//!
//! Where an account has spoken in a room, its streams know, so that this costs what it has said there, and
//! not what everybody has.

use chat_core::EventKind;
use rusqlite::{Connection, OptionalExtension, Result, params};

use crate::store::index::visit_newest_first;
use crate::store::row::integer;
use crate::store::row_buffer::{Row, RowBuffer};

/// Carries out what is staged of it. The events of the transaction are in the table.
pub(super) fn carry_out(connection: &Connection, staged: &RowBuffer) -> Result<()> {
    let is_removal = |row: &&Row| row.kind == EventKind::MessagesRemoved.name();
    staged.rows().filter(is_removal).try_for_each(|row| remove(connection, row))
}

fn remove(connection: &Connection, removal: &Row) -> Result<()> {
    let account = integer(removal.account.map_or(0, |account| account.0));
    let (log, since) = (integer(removal.log.0), integer(removal.number.unwrap_or_default()));
    let mut streams =
        connection.prepare_cached("SELECT id FROM streams WHERE account = ? AND room = ?")?;
    let streams = streams.query_map([account, log], |row| row.get(0))?;
    let mut empty = connection.prepare_cached(
        "UPDATE events SET text = NULL WHERE id = ? AND log = ? AND seq < ? AND account = ? \
         AND kind = 'posted' AND ts >= ? AND text IS NOT NULL",
    )?;
    let before = integer(removal.seq.0);
    for stream in streams.collect::<Result<Vec<i64>>>()? {
        visit_newest_first(connection, stream, |ids| {
            for id in ids {
                empty.execute(params![integer(*id), log, before, account, since])?;
            }
            // What is in the runs before is older.
            Ok(since == 0 || time_of(connection, ids[0])?.is_some_and(|oldest| oldest >= since))
        })?;
    }
    // What the tables of the index do not know yet.
    connection
        .prepare_cached(
            "UPDATE events SET text = NULL \
             WHERE id > coalesce((SELECT value FROM meta WHERE key = 'indexed'), 0) \
             AND log = ? AND seq < ? AND account = ? AND kind = 'posted' AND ts >= ? \
             AND text IS NOT NULL",
        )?
        .execute(params![log, before, account, since])
        .map(drop)
}

fn time_of(connection: &Connection, id: u64) -> Result<Option<i64>> {
    let mut statement = connection.prepare_cached("SELECT ts FROM events WHERE id = ?")?;
    statement.query_row([integer(id)], |row| row.get(0)).optional()
}
