//! Records into tables: each event with what follows from it.

use chat_core::{Content, Event, TextDigest};
use chat_proto::{AccountId, ErrorCode, Nonce};
use rusqlite::{Connection, params};

use super::marks::{Marks, WriteError};
use super::row::{Columns, integer};

/// Puts an event and its consequences into the open transaction, as the `id`th of all.
pub(super) fn event(
    connection: &Connection,
    marks: &mut Marks,
    id: u64,
    event: &Event,
) -> Result<(), WriteError> {
    project(connection, marks, event)?;
    let columns = Columns::of(event);
    let nonce = match (columns.nonce, columns.account) {
        (Some(nonce), Some(account)) => {
            Some((marks.move_stream(connection, account, nonce)?, nonce.n))
        }
        _ => None,
    };
    connection
        .prepare_cached(
            "INSERT INTO events (id, log, seq, ts, kind, account, room, name, text, message_id, \
             stream, n) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        )?
        .execute(params![
            integer(id),
            integer(event.log.0),
            integer(event.seq.0),
            integer(event.ts.0),
            columns.kind,
            columns.account.map(|account| integer(account.0)),
            columns.room.map(|room| integer(room.0)),
            columns.name,
            columns.text,
            columns.message_id.map(|id| id.0),
            nonce.map(|(stream, _n)| stream),
            nonce.map(|(_stream, n)| integer(n)),
        ])?;
    Ok(())
}

/// Uses a nonce up.
pub(super) fn refused_send(
    connection: &Connection,
    marks: &mut Marks,
    account: AccountId,
    nonce: Nonce,
    code: ErrorCode,
    digest: TextDigest,
) -> Result<(), WriteError> {
    let stream = marks.move_stream(connection, account, nonce)?;
    connection
        .prepare_cached("INSERT INTO refused_sends (stream, n, code, digest) VALUES (?, ?, ?, ?)")?
        .execute(params![stream, integer(nonce.n), code as u16, digest.0])?;
    Ok(())
}

/// Moves the tables that say where the events have led to.
fn project(connection: &Connection, marks: &mut Marks, event: &Event) -> Result<(), WriteError> {
    let (log, ts) = (integer(event.log.0), integer(event.ts.0));
    match &event.content {
        Content::AccountCreated { key, name } => {
            marks.begin(connection, event.log)?;
            connection
                .prepare_cached(
                    "INSERT INTO accounts (id, key, name, created_ts) VALUES (?, ?, ?, ?)",
                )?
                .execute(params![log, key.0, name.as_str(), ts])?;
        }
        Content::RoomCreated { name, .. } => {
            marks.begin(connection, event.log)?;
            connection
                .prepare_cached("INSERT INTO rooms (id, name, created_ts) VALUES (?, ?, ?)")?
                .execute(params![log, name.as_str(), ts])?;
        }
        Content::AccountRenamed { name } => {
            connection
                .prepare_cached("UPDATE accounts SET name = ?2 WHERE id = ?1")?
                .execute(params![log, name.as_str()])?;
        }
        Content::Joined { account } => {
            connection
                .prepare_cached("INSERT INTO members (room, account) VALUES (?, ?)")?
                .execute(params![log, integer(account.0)])?;
        }
        Content::Left { account } => {
            connection
                .prepare_cached("DELETE FROM members WHERE room = ? AND account = ?")?
                .execute(params![log, integer(account.0)])?;
        }
        Content::RoomJoined { .. }
        | Content::RoomLeft { .. }
        | Content::MemberRenamed { .. }
        | Content::Posted { .. } => {}
    }
    marks.move_head(connection, event.log, event.seq)
}
