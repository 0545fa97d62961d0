//! The table of invitations that are open. It follows from the events of the server's log, and is read
//! back as part of the hot state.
//!
//! It must not know who may make one, nor what a code is.

use chat_core::{Event, InvitationRow, StateChange, StoreError};
use chat_proto::{AccountId, InvitationHash, InvitationId, RoomId, Timestamp};
use rusqlite::{Connection, Row, params};

use super::super::row::{integer, unsigned};

/// Moves the table, when the event is about an invitation.
#[expect(clippy::wildcard_enum_match_arm, reason = "other changes have tables of their own")]
pub(in crate::store) fn project(
    connection: &Connection,
    event: &Event,
    change: StateChange<'_>,
) -> rusqlite::Result<()> {
    match change {
        StateChange::InvitationBegins { hash, by, uses, expires, rooms, name } => {
            connection
                .prepare_cached("DELETE FROM invitations WHERE expires_ts <= ?")?
                .execute([integer(event.ts.0)])?;
            let rooms: Vec<_> = rooms.iter().map(RoomId::to_string).collect();
            connection
                .prepare_cached(
                    "INSERT INTO invitations \
                     (id, hash, account, uses_left, expires_ts, rooms, name) \
                     VALUES (?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    integer(hash.id().0),
                    hash.0,
                    integer(by.0),
                    uses,
                    integer(expires.0),
                    rooms.join(" "),
                    name
                ])?;
        }
        StateChange::InvitationUsed { id } => {
            connection
                .prepare_cached("UPDATE invitations SET uses_left = uses_left - 1 WHERE id = ?")?
                .execute([integer(id.0)])?;
            connection
                .prepare_cached("DELETE FROM invitations WHERE id = ? AND uses_left = 0")?
                .execute([integer(id.0)])?;
        }
        StateChange::InvitationEnds { id } => end(connection, id)?,
        _ => {}
    }
    Ok(())
}

fn end(connection: &Connection, id: InvitationId) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM invitations WHERE id = ?")?
        .execute([integer(id.0)])
        .map(drop)
}

/// Every one that is open, in order of their ids.
pub(in crate::store) fn rows(connection: &Connection) -> Result<Vec<InvitationRow>, StoreError> {
    let read = |cause| StoreError::new("read the invitations back", cause);
    let sql =
        "SELECT hash, account, uses_left, expires_ts, rooms, name FROM invitations ORDER BY id";
    let mut statement = connection.prepare_cached(sql).map_err(read)?;
    let found = statement.query_map([], invitation).map_err(read)?;
    found.collect::<Result<_, _>>().map_err(read)
}

fn invitation(row: &Row<'_>) -> rusqlite::Result<InvitationRow> {
    let rooms: String = row.get(4)?;
    // Whatever is no number is no room that anybody could be let into.
    let rooms = rooms.split_ascii_whitespace().filter_map(|room| room.parse().ok().map(RoomId));
    Ok(InvitationRow {
        hash: InvitationHash(row.get(0)?),
        by: AccountId(unsigned(row.get(1)?)),
        uses_left: row.get(2)?,
        expires: Timestamp(unsigned(row.get(3)?)),
        rooms: rooms.collect(),
        name: row.get(5)?,
    })
}
