//! The open transaction, and what is known of logs and streams with it: checked at once, written
//! with the commit.

use chat_core::{Content, PastSend, Record};
use chat_proto::{AccountId, StreamId};
use rusqlite::{Connection, Result};

use super::logs::Logs;
use super::staged::{Decided, Staged};
use super::streams::{Mark, Streams};
use super::write::{self, WriteError};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Pending {
    staged: Staged,
    logs: Logs,
    streams: Streams,
}

impl Pending {
    /// Takes a record. After an error the transaction must be forgotten.
    pub(super) fn append(
        &mut self,
        connection: &Connection,
        record: Record<'_>,
    ) -> Result<(), WriteError> {
        match record {
            Record::Event(event) => {
                let creates = write::project(connection, event)?;
                self.logs.move_head(connection, event.log, event.seq, creates)?;
                let Content::Posted { from, nonce, .. } = &event.content else {
                    self.staged.push(event, None);
                    return Ok(());
                };
                let (stream, sends) =
                    self.streams.decide(connection, &mut self.staged, *from, *nonce)?;
                let row = self.staged.push(event, Some(stream));
                self.staged.decide(sends, Decided::Posted(row));
            }
            Record::RefusedSend { account, nonce, code, digest } => {
                let (_stream, sends) =
                    self.streams.decide(connection, &mut self.staged, account, nonce)?;
                self.staged.decide(sends, Decided::Refused(code, digest));
            }
        }
        Ok(())
    }

    /// What is known of a stream, this transaction included.
    pub(super) fn stream(
        &self,
        connection: &Connection,
        account: AccountId,
        stream: StreamId,
    ) -> Result<Mark> {
        self.streams.look(connection, account, stream)
    }

    /// How a send was decided, if it was in this transaction.
    pub(super) fn past_send(&self, stream: Mark, n: u64) -> Option<PastSend> {
        self.staged.past_send(self.streams.sends(stream)?, n)
    }

    /// Writes the records; the first event becomes the `first_id`th of all.
    pub(super) fn write(&mut self, connection: &Connection, first_id: u64) -> Result<()> {
        write::staged(connection, &self.staged, &mut self.logs, first_id)
    }

    /// The transaction has become durable. Tells about how many pages it took.
    pub(super) fn committed(&mut self) -> usize {
        let pages = self.staged.pages();
        self.staged.clear();
        self.streams.committed();
        pages
    }

    /// Between transactions: forgets what is known of logs and streams when it is too much.
    pub(super) fn trim(&mut self) {
        self.logs.trim();
        self.streams.trim();
    }

    /// The transaction is lost, or what became of it is known only when it is looked up.
    pub(super) fn forget(&mut self) {
        self.staged.clear();
        self.logs.forget();
        self.streams.forget();
    }
}
