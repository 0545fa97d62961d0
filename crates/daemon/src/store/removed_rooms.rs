//! Rooms that are gone: noted in the transaction in which they go, and deleted once the tables know
//! where their events are.
//!
//! Until then a start finds them noted, so that a crash in between leaves nothing behind. It must not
//! know which rooms go: that is said by an event.

use std::collections::HashSet;

use chat_proto::{LogId, Seq};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::meta;
use super::read_error::is_damage;
use super::row::{integer, unsigned};

/// Events that one flush deletes, and those of one room more at the most. There are no more in what a
/// flush brings to the tables, so that nothing is left over for long.
const EVENTS_MAX: u64 = 32_768;

/// The key in `meta` of how many events went with rooms: they were stored, and are in no log any more.
const REMOVED_EVENTS: &str = "removed_events";

/// What a flush has deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Purged {
    pub(super) events: u64,
    /// There was too much for one flush.
    pub(super) has_more: bool,
}

/// A room is gone with its last event, in the open transaction.
pub(super) fn note(connection: &Connection, log: LogId, head: Seq) -> Result<()> {
    for sql in [
        "DELETE FROM invited WHERE room = ?",
        "DELETE FROM named WHERE room = ?",
        "DELETE FROM rooms WHERE id = ?",
    ] {
        connection.prepare_cached(sql)?.execute([integer(log.0)])?;
    }
    connection
        .prepare_cached("INSERT INTO removed_rooms (id, head) VALUES (?, ?)")?
        .execute([log.0, head.0].map(integer))?;
    meta::set(connection, REMOVED_EVENTS, event_count(connection)? + head.0)
}

/// How many events went with rooms.
pub(super) fn event_count(connection: &Connection) -> Result<u64> {
    Ok(meta::get(connection, REMOVED_EVENTS)?.unwrap_or_default())
}

/// Whether there are rooms whose events are still to be deleted.
pub(super) fn is_any(connection: &Connection) -> Result<bool> {
    connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM removed_rooms)")?
        .query_row([], |row| row.get(0))
}

/// Whether a log is gone: nobody has it. The server's own never is.
pub(super) fn is_gone(connection: &Connection, log: LogId) -> Result<bool> {
    if log == LogId::SERVER {
        return Ok(false);
    }
    connection
        .prepare_cached(
            "SELECT NOT EXISTS (SELECT 1 FROM rooms WHERE id = ?1) \
             AND NOT EXISTS (SELECT 1 FROM accounts WHERE id = ?1)",
        )?
        .query_row([integer(log.0)], |row| row.get(0))
}

/// Deletes the events of rooms that are gone, in the open transaction, as far as `blocks` knows all of a
/// room. The newest event of all is never among them: behind the last event of a room, the account that
/// left it has one.
///
/// What is damaged stays where it is: nobody asks for it. SQLite writes nothing more in a transaction that
/// has met damage, so that one fails; the room is noted in `unreadable`, and the next flush passes it over.
pub(super) fn purge(connection: &Connection, unreadable: &mut HashSet<LogId>) -> Result<Purged> {
    let mut statement = connection.prepare_cached("SELECT id, head FROM removed_rooms")?;
    let noted = statement.query_map([], |row| {
        Ok((LogId(row.get(0).map(unsigned)?), Seq(row.get(1).map(unsigned)?)))
    })?;
    let noted: Vec<_> = noted.collect::<Result<_>>()?;
    let mut purged = Purged::default();
    for (log, head) in noted {
        if purged.events >= EVENTS_MAX {
            purged.has_more = true;
            break;
        }
        if unreadable.contains(&log) {
            continue;
        }
        let is_deleted = delete_flushed(connection, log, head).inspect_err(|error| {
            if is_damage(error) {
                tell_damage(log, error);
                unreadable.insert(log);
            }
        })?;
        if !is_deleted {
            continue;
        }
        purged.events += head.0;
        connection
            .prepare_cached("DELETE FROM removed_rooms WHERE id = ?")?
            .execute([integer(log.0)])?;
    }
    Ok(purged)
}

/// Deletes the events of a log, unless some of them go in the open transaction: tells whether it has.
fn delete_flushed(connection: &Connection, log: LogId, head: Seq) -> Result<bool> {
    let is_flushed = flushed_head(connection, log)? >= head;
    if is_flushed {
        delete_log(connection, log)?;
    }
    Ok(is_flushed)
}

fn tell_damage(log: LogId, error: &rusqlite::Error) {
    tracing::warn!(
        %error, log = log.0,
        "some of the events of a room that is gone cannot be deleted: chatd.db or its disk is damaged. See \
         \"A damaged file\" in docs/OPERATING.md"
    );
}

/// The last seq that the blocks of a log know.
fn flushed_head(connection: &Connection, log: LogId) -> Result<Seq> {
    let head = connection
        .prepare_cached(
            "SELECT first_seq + events - 1 FROM blocks WHERE log = ? \
             ORDER BY first_seq DESC LIMIT 1",
        )?
        .query_row([integer(log.0)], |row| row.get(0).map(unsigned))
        .optional()?;
    Ok(Seq(head.unwrap_or_default()))
}

fn delete_log(connection: &Connection, log: LogId) -> Result<()> {
    let mut blocks =
        connection.prepare_cached("SELECT first_id, events FROM blocks WHERE log = ?")?;
    let found = blocks.query_map([integer(log.0)], |row| {
        Ok((row.get(0).map(unsigned)?, row.get(1).map(unsigned)?))
    })?;
    for (first_id, events) in found.collect::<Result<Vec<(u64, u64)>>>()? {
        let last_id = first_id.saturating_add(events).saturating_sub(1);
        // A row of `blocks` that is damaged leads to another log's events.
        connection
            .prepare_cached("DELETE FROM events WHERE id BETWEEN ? AND ? AND log = ?")?
            .execute(params![integer(first_id), integer(last_id), integer(log.0)])?;
    }
    connection.prepare_cached("DELETE FROM blocks WHERE log = ?")?.execute([integer(log.0)])?;
    Ok(())
}
