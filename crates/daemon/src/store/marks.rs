//! Heads and high-water marks of the open transaction: each moves with every record, and is
//! written once, with the commit.

use std::collections::HashMap;

use chat_proto::{AccountId, LogId, Nonce, Seq, StreamId};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::row::{integer, unsigned};

/// What has moved. Bounded by the records of one transaction.
#[derive(Debug, Default)]
pub(super) struct Marks {
    heads: HashMap<LogId, Seq>,
    streams: HashMap<(AccountId, StreamId), Mark>,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    /// The stream's row.
    id: i64,
    high_water: u64,
}

/// Says why a record cannot be put where it belongs.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A gap here would be a gap for everyone.
    #[error("event {seq} does not follow event {head} of log {log}")]
    Hole { log: LogId, head: Seq, seq: Seq },
}

impl Marks {
    /// The high-water mark of a stream that has moved.
    pub(super) fn high_water(&self, account: AccountId, stream: StreamId) -> Option<u64> {
        self.streams.get(&(account, stream)).map(|mark| mark.high_water)
    }

    /// A log begins.
    pub(super) fn begin(&mut self, connection: &Connection, log: LogId) -> Result<()> {
        connection
            .prepare_cached("INSERT INTO logs (id, head) VALUES (?, 0)")?
            .execute([integer(log.0)])?;
        self.heads.insert(log, Seq::ZERO);
        Ok(())
    }

    /// A log's head moves, only ever by one.
    pub(super) fn move_head(
        &mut self,
        connection: &Connection,
        log: LogId,
        seq: Seq,
    ) -> Result<(), WriteError> {
        let head = match self.heads.get(&log) {
            Some(head) => *head,
            None => connection
                .prepare_cached("SELECT head FROM logs WHERE id = ?")?
                .query_row([integer(log.0)], |row| row.get(0).map(unsigned).map(Seq))?,
        };
        if seq != head.next() {
            return Err(WriteError::Hole { log, head, seq });
        }
        self.heads.insert(log, seq);
        Ok(())
    }

    /// A stream's high-water mark moves. Tells the stream's row.
    pub(super) fn move_stream(
        &mut self,
        connection: &Connection,
        account: AccountId,
        nonce: Nonce,
    ) -> Result<i64> {
        let key = (account, nonce.stream);
        let id = match self.streams.get(&key) {
            Some(mark) => mark.id,
            None => stream_row(connection, account, nonce.stream)?,
        };
        self.streams.insert(key, Mark { id, high_water: nonce.n });
        Ok(id)
    }

    /// Writes what has moved into the open transaction.
    pub(super) fn write(&self, connection: &Connection) -> Result<()> {
        let mut statement = connection.prepare_cached("UPDATE logs SET head = ? WHERE id = ?")?;
        for (log, head) in &self.heads {
            statement.execute([integer(head.0), integer(log.0)])?;
        }
        let mut statement =
            connection.prepare_cached("UPDATE streams SET high_water = ? WHERE id = ?")?;
        for mark in self.streams.values() {
            statement.execute([integer(mark.high_water), mark.id])?;
        }
        Ok(())
    }

    /// The transaction has ended.
    pub(super) fn forget(&mut self) {
        self.heads.clear();
        self.streams.clear();
    }
}

/// The row of a stream, made where it is missing.
fn stream_row(connection: &Connection, account: AccountId, stream: StreamId) -> Result<i64> {
    let key = params![integer(account.0), stream.0];
    let known = connection
        .prepare_cached("SELECT id FROM streams WHERE account = ? AND stream = ?")?
        .query_row(key, |row| row.get(0))
        .optional()?;
    match known {
        Some(id) => Ok(id),
        None => connection
            .prepare_cached("INSERT INTO streams (account, stream, high_water) VALUES (?, ?, 0)")?
            .insert(key),
    }
}
