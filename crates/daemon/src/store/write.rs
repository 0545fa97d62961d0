//! Records into tables: each event with what follows from it.

use chat_core::{Content, Event, TextDigest};
use chat_proto::{AccountId, ErrorCode, LogId, Nonce, Seq};
use rusqlite::{Connection, Result, params};

use super::row::{Columns, integer};

/// Puts an event and its consequences into the open transaction, as the `id`th of all.
pub(super) fn event(connection: &Connection, id: u64, event: &Event) -> Result<()> {
    project(connection, event)?;
    let columns = Columns::of(event);
    let nonce = match (columns.nonce, columns.account) {
        (Some(nonce), Some(account)) => Some((stream(connection, account, nonce)?, nonce.n)),
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
    account: AccountId,
    nonce: Nonce,
    code: ErrorCode,
    digest: TextDigest,
) -> Result<()> {
    let stream = stream(connection, account, nonce)?;
    connection
        .prepare_cached("INSERT INTO refused_sends (stream, n, code, digest) VALUES (?, ?, ?, ?)")?
        .execute(params![stream, integer(nonce.n), code as u16, digest.0])?;
    Ok(())
}

/// Moves the tables that say where the events have led to.
fn project(connection: &Connection, event: &Event) -> Result<()> {
    let (log, ts) = (integer(event.log.0), integer(event.ts.0));
    match &event.content {
        Content::AccountCreated { key, name } => {
            begin_log(connection, event.log)?;
            connection
                .prepare_cached(
                    "INSERT INTO accounts (id, key, name, created_ts) VALUES (?, ?, ?, ?)",
                )?
                .execute(params![log, key.0, name.as_str(), ts])?;
        }
        Content::RoomCreated { name, .. } => {
            begin_log(connection, event.log)?;
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
    move_head(connection, event.log, event.seq)
}

fn begin_log(connection: &Connection, log: LogId) -> Result<()> {
    connection
        .prepare_cached("INSERT INTO logs (id, head) VALUES (?, 0)")?
        .execute([integer(log.0)])?;
    Ok(())
}

/// Only ever by one: a gap here would be a gap for everyone.
fn move_head(connection: &Connection, log: LogId, seq: Seq) -> Result<()> {
    let moved = connection
        .prepare_cached("UPDATE logs SET head = head + 1 WHERE id = ?1 AND head + 1 = ?2")?
        .execute(params![integer(log.0), integer(seq.0)])?;
    match moved {
        1 => Ok(()),
        other => Err(rusqlite::Error::StatementChangedRows(other)),
    }
}

/// Moves a stream's high-water mark, and tells the stream's row.
fn stream(connection: &Connection, account: AccountId, nonce: Nonce) -> Result<i64> {
    connection
        .prepare_cached(
            "INSERT INTO streams (account, stream, high_water) VALUES (?1, ?2, ?3) \
             ON CONFLICT (account, stream) DO UPDATE SET high_water = excluded.high_water \
             RETURNING id",
        )?
        .query_row(params![integer(account.0), nonce.stream.0, integer(nonce.n)], |row| row.get(0))
}
