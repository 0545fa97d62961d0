//! What a store says, read from its database with nothing of the daemon's own code in between.

use std::path::Path;

use anyhow::{Context, Result};
use chat_proto::{AccountId, Epoch, LogId, MessageId, Nonce, Seq, StreamId, Timestamp};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};

use crate::history::{Log, Seen, Stored, Truth, What};

/// Reads every log of a store.
///
/// # Errors
/// When the database is not one of ours.
pub fn read(database: &Path) -> Result<Truth> {
    let connection = Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let integrity: String = connection.query_row("PRAGMA integrity_check", (), |row| row.get(0))?;
    anyhow::ensure!(integrity == "ok", "integrity_check: {integrity}");
    // None: its logs have not begun.
    let epoch: Option<i64> = connection
        .query_row("SELECT value FROM meta WHERE key = 'epoch'", (), |row| row.get(0))
        .optional()?;
    let mut truth = Truth::new();
    let logs = truth.entry(Epoch(epoch.unwrap_or_default().cast_unsigned())).or_default();
    let mut rooms = connection.prepare("SELECT id, name FROM rooms")?;
    for room in rooms.query_map((), |row| Ok((unsigned(row, 0)?, row.get(1)?)))? {
        let (id, name) = room?;
        logs.insert(LogId(id), Log { name, events: Vec::new() });
    }
    let mut events = connection.prepare(
        "SELECT log, seq, ts, kind, events.account, message_id, text, streams.stream, n, name
         FROM events LEFT JOIN streams ON streams.id = events.stream ORDER BY events.id",
    )?;
    for event in events.query_map((), |row| Ok((LogId(unsigned(row, 0)?), stored(row)?)))? {
        let (log, stored) = event?;
        logs.entry(log).or_default().events.push(stored);
    }
    Ok(truth)
}

/// The one log of a room.
///
/// # Errors
/// When there is no such room.
pub fn room<'a>(truth: &'a Truth, name: &str) -> Result<&'a Log> {
    let mut logs = truth.values().flat_map(|logs| logs.values());
    logs.find(|log| log.name == name).context("there is such a room")
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let (seq, ts) = (Seq(unsigned(row, 1)?), Timestamp(unsigned(row, 2)?));
    let kind: String = row.get(3)?;
    let account: Option<i64> = row.get(4)?;
    let account = AccountId(account.unwrap_or_default().cast_unsigned());
    if kind != "posted" {
        let what = What::Notice(notice(&kind, account));
        return Ok(Stored { seen: Seen { seq, ts, what }, nonce: None });
    }
    let what = What::Posted { from: account, id: MessageId(row.get(5)?), text: row.get(6)? };
    let nonce = Nonce { stream: StreamId(row.get(7)?), n: unsigned(row, 8)? };
    Ok(Stored { seen: Seen { seq, ts, what }, nonce: Some(nonce) })
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get(column).map(i64::cast_unsigned)
}

/// What stands for an event that is no message.
#[must_use]
pub fn notice(kind: &str, account: AccountId) -> String {
    format!("{kind} by {account}")
}
