//! The tables of what accounts are kept from in rooms: `sanctions`, `slow_rooms` and `slow_posts`.
//!
//! It must not know who may do any of it, nor whether it is over now: it keeps what the state keeps.

use std::collections::HashSet;

use chat_core::{Event, Sanction, SanctionKind, SanctionRow, StateChange, StoreError};
use chat_proto::{AccountId, LogId, RoomId, Timestamp};
use rusqlite::{Connection, Result, Row, params};

use super::rows;
use crate::store::committer::WriteConnection;
use crate::store::row::{integer, unsigned};

/// The rooms that may be slow: a message in another one needs no look at a table.
#[derive(Debug, Default)]
pub(in crate::store) struct SlowRooms(HashSet<LogId>);

impl SlowRooms {
    /// Those that the table has. A room that is not slow any more costs a look, until the next start.
    pub(in crate::store) fn read_back(&mut self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare_cached("SELECT room FROM slow_rooms")?;
        let slow = statement.query_map([], |row| row.get(0).map(unsigned).map(LogId))?;
        self.0 = slow.collect::<Result<_>>()?;
        Ok(())
    }

    pub(super) fn may_have(&mut self, room: LogId) {
        self.0.insert(room);
    }

    /// Somebody has said something.
    pub(super) fn note_post(
        &self,
        connection: &WriteConnection,
        event: &Event,
        from: AccountId,
    ) -> Result<()> {
        if !self.0.contains(&event.log) {
            return Ok(());
        }
        let connection = connection.in_transaction()?;
        let mut statement = connection.prepare_cached(
            "INSERT OR REPLACE INTO slow_posts (room, account, ts) \
             SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM slow_rooms WHERE room = ?1)",
        )?;
        statement.execute([event.log.0, from.0, event.ts.0].map(integer)).map(drop)
    }
}

/// What an event changes in these tables.
#[expect(clippy::wildcard_enum_match_arm, reason = "no other change is one of these tables'")]
pub(super) fn project(
    connection: &Connection,
    event: &Event,
    change: StateChange<'_>,
) -> Result<()> {
    match change {
        StateChange::Banned { account, by, until, reason, .. } => {
            put(connection, event, SanctionKind::Ban, (account, by, until, reason))
        }
        StateChange::Muted { account, by, until, reason } => {
            put(connection, event, SanctionKind::Mute, (account, by, until, reason))
        }
        StateChange::SanctionLifted { kind, account } => lift(connection, event.log, kind, account),
        StateChange::SlowSet { seconds } => set_slow(connection, event.log, seconds),
        _ => Ok(()),
    }
}

/// An account is kept from something. What is over by then goes, as it does from the state.
fn put(
    connection: &Connection,
    event: &Event,
    kind: SanctionKind,
    (account, by, until, reason): (AccountId, AccountId, Timestamp, &str),
) -> Result<()> {
    let (room, since, kind) = (integer(event.log.0), integer(event.ts.0), kind as u8);
    connection
        .prepare_cached(
            "DELETE FROM sanctions WHERE room = ? AND kind = ? AND until > 0 AND until <= ?",
        )?
        .execute(params![room, kind, since])?;
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO sanctions (room, kind, account, done_by, since, until, reason) \
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            room,
            kind,
            integer(account.0),
            integer(by.0),
            since,
            integer(until.0),
            reason
        ])
        .map(drop)
}

/// It is kept from it no longer.
pub(super) fn lift(
    connection: &Connection,
    room: LogId,
    kind: SanctionKind,
    account: AccountId,
) -> Result<()> {
    connection
        .prepare_cached("DELETE FROM sanctions WHERE room = ? AND kind = ? AND account = ?")?
        .execute(params![integer(room.0), kind as u8, integer(account.0)])
        .map(drop)
}

/// Whoever has spoken before that waits no longer.
fn set_slow(connection: &Connection, room: LogId, seconds: u32) -> Result<()> {
    let room = integer(room.0);
    connection.prepare_cached("DELETE FROM slow_posts WHERE room = ?")?.execute([room])?;
    connection.prepare_cached("DELETE FROM slow_rooms WHERE room = ?")?.execute([room])?;
    if seconds == 0 {
        return Ok(());
    }
    connection
        .prepare_cached("INSERT INTO slow_rooms (room, seconds) VALUES (?, ?)")?
        .execute(params![room, seconds])
        .map(drop)
}

/// A room is gone.
pub(super) fn forget_room(connection: &Connection, room: LogId) -> Result<()> {
    set_slow(connection, room, 0)?;
    connection
        .prepare_cached("DELETE FROM sanctions WHERE room = ?")?
        .execute([integer(room.0)])
        .map(drop)
}

/// Who is kept from what.
pub(in crate::store) fn sanctions(connection: &Connection) -> Result<Vec<SanctionRow>, StoreError> {
    let sql = "SELECT room, account, done_by, since, until, kind, reason FROM sanctions \
               ORDER BY room, kind, account";
    rows(connection, sql, |row| {
        let read = |cause| StoreError::new("read a ban or a mute", cause);
        let [room, account, by, since, until] = numbers(row).map_err(read)?;
        let number = row.get(5).map_err(read)?;
        let kind = SanctionKind::from_number(number).ok_or_else(|| {
            let cause = format!("its kind {number} is not one that this version knows");
            StoreError::new("read a ban or a mute", cause)
        })?;
        let (by, since, until) = (AccountId(by), Timestamp(since), Timestamp(until));
        let sanction = Sanction { by, since, until, reason: row.get(6).map_err(read)? };
        Ok(SanctionRow { room: RoomId(room), kind, account: AccountId(account), sanction })
    })
}

/// The rooms in which members wait, and how many seconds.
pub(in crate::store) fn slow_rooms(
    connection: &Connection,
) -> Result<Vec<(RoomId, u32)>, StoreError> {
    rows(connection, "SELECT room, seconds FROM slow_rooms ORDER BY room", |row| {
        let read = |cause| StoreError::new("read a slow room", cause);
        let [room] = numbers(row).map_err(read)?;
        Ok((RoomId(room), row.get(1).map_err(read)?))
    })
}

/// Who has spoken there, and when last.
pub(in crate::store) fn slow_posts(
    connection: &Connection,
) -> Result<Vec<(RoomId, AccountId, Timestamp)>, StoreError> {
    let sql = "SELECT room, account, ts FROM slow_posts ORDER BY room, account";
    rows(connection, sql, |row| {
        let [room, account, ts] =
            numbers(row).map_err(|cause| StoreError::new("read a slow room", cause))?;
        Ok((RoomId(room), AccountId(account), Timestamp(ts)))
    })
}

/// The first columns of a row.
fn numbers<const N: usize>(row: &Row<'_>) -> Result<[u64; N]> {
    let mut numbers = [0; N];
    for (column, number) in numbers.iter_mut().enumerate() {
        *number = unsigned(row.get(column)?);
    }
    Ok(numbers)
}
