//! The open transaction, and what is known of logs and streams with it: checked at once, written
//! with the commit. Where the events are is written with a later one.

use chat_core::{Content, PastSend, Record, StoreError};
use chat_proto::{AccountId, LogId, Nonce, StreamId, Timestamp};
use rusqlite::{Connection, Result};

use super::logs::{Block, Logs};
use super::lookup;
use super::recent::Recent;
use super::staged::{Decided, Staged};
use super::streams::{Mark, Streams};
use super::times;
use super::write::{self, WriteError};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Pending {
    staged: Staged,
    logs: Logs,
    streams: Streams,
    /// Goes with the file: the open transaction is not in it.
    recent: Recent,
    /// The staged rows in the order of their ids; filled by the commit.
    order: Vec<usize>,
    /// The open transaction has a flush.
    has_flush: bool,
}

impl Pending {
    /// Reads what the file does not say in its tables. It must have been done once, and after each
    /// [`Self::forget`], before anything is appended.
    pub(super) fn read_back(&mut self, connection: &Connection) -> Result<()> {
        self.recent.read_back(connection)
    }

    /// Where the newest events are.
    pub(super) fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Takes a record. After an error the transaction must be forgotten.
    pub(super) fn append(
        &mut self,
        connection: &Connection,
        record: Record<'_>,
    ) -> Result<(), WriteError> {
        match record {
            Record::Event(event) => {
                let creates = write::project(connection, event)?;
                self.logs.move_head(connection, &self.recent, event, creates)?;
                let Content::Posted { from, nonce, .. } = &event.content else {
                    self.staged.push(event, None);
                    return Ok(());
                };
                let (stream, sends) = self.decide(connection, *from, *nonce)?;
                let row = self.staged.push(event, Some(stream));
                self.staged.decide(sends, Decided::Posted(row));
            }
            Record::RefusedSend { account, nonce, code, digest } => {
                let (_stream, sends) = self.decide(connection, account, nonce)?;
                self.staged.decide(sends, Decided::Refused(code, digest));
            }
        }
        Ok(())
    }

    /// The time of a log's newest event, with the open transaction; 0 when there is none.
    pub(super) fn newest_ts(&self, connection: &Connection, log: LogId) -> Result<Timestamp> {
        match self.staged.newest_ts(log) {
            Some(ts) => Ok(ts),
            None => Ok(times::newest_in(connection, &self.recent, log)?.unwrap_or_default()),
        }
    }

    #[cfg(test)]
    pub(super) fn make_due(&mut self) {
        self.recent.make_due();
    }

    fn decide(
        &mut self,
        connection: &Connection,
        account: AccountId,
        nonce: Nonce,
    ) -> Result<(i64, usize), WriteError> {
        self.streams.decide(connection, &self.recent, &mut self.staged, account, nonce)
    }

    /// What is known of a stream, this transaction included.
    pub(super) fn stream(
        &self,
        connection: &Connection,
        account: AccountId,
        stream: StreamId,
    ) -> Result<Mark> {
        self.streams.look(connection, &self.recent, account, stream)
    }

    /// How a send was decided, in this transaction or before.
    pub(super) fn past_send(
        &self,
        connection: &Connection,
        stream: Mark,
        n: u64,
    ) -> Result<Option<PastSend>, StoreError> {
        let staged = self.streams.sends(stream).and_then(|sends| self.staged.past_send(sends, n));
        match (staged, stream.row) {
            (None, Some(row)) => lookup::past_send(connection, &self.recent, row, n),
            (past, _) => Ok(past),
        }
    }

    /// Writes the records. When it is time for it, also where the events before them are.
    pub(super) fn write(&mut self, connection: &Connection) -> Result<()> {
        if self.recent.is_due() {
            self.flush(connection)?;
        }
        self.order = self.staged.rows_by_log();
        write::staged(connection, &self.staged, &self.order, self.recent.last_id() + 1)
    }

    /// Writes where all events are, but for those of the open transaction.
    pub(super) fn flush(&mut self, connection: &Connection) -> Result<()> {
        self.recent.flush(connection)?;
        self.has_flush = true;
        Ok(())
    }

    /// The transaction has become durable. Tells about how many pages it took.
    pub(super) fn committed(&mut self) -> usize {
        let mut pages = self.staged.pages();
        if std::mem::take(&mut self.has_flush) {
            pages += self.recent.rows();
            self.recent.flushed();
        }
        self.take_recent();
        self.staged.clear();
        self.order.clear();
        self.streams.committed();
        pages
    }

    /// Where the committed events are.
    fn take_recent(&mut self) {
        let Self { staged, logs, recent, order, .. } = self;
        let mut first_id = recent.last_id() + 1;
        let mut ids = vec![0; order.len()];
        for (row, id) in order.iter().zip(first_id..) {
            ids[*row] = id;
        }
        recent.take_blocks(order.chunk_by(|a, b| staged.row(*a).log == staged.row(*b).log).map(
            |rows| {
                let (first, events) = (staged.row(rows[0]), rows.len() as u64);
                let last_post = logs.last_post(first.log).0;
                let block = Block { first_seq: first.seq.0, first_id, events, last_post };
                first_id += events;
                (first.log, block)
            },
        ));
        for sends in staged.sends() {
            recent.take_sends(sends.stream, sends.posted().map(|(n, row)| (n, ids[row])));
        }
    }

    /// Between transactions: forgets what is known of logs and streams when it is too much.
    pub(super) fn trim(&mut self) {
        self.logs.trim();
        self.streams.trim();
    }

    /// The transaction is lost, or what became of it is known only when it is looked up.
    pub(super) fn forget(&mut self) {
        self.staged.clear();
        self.order.clear();
        self.logs.forget();
        self.streams.forget();
        self.has_flush = false;
    }
}
