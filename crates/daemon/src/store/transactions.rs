//! The open transaction and the one that is being committed.
//!
//! Owns what is not durable yet, with the [`Index`] that it is checked against at once. It must not know
//! how a transaction is written, nor whether its commit succeeds: it is told.

use std::sync::Arc;

use chat_core::{Content, OrderProgress, PastSend, Record, StoreError};
use chat_proto::{AccountId, LogId, Nonce, RoomId, StreamId, Timestamp};
use rusqlite::{Connection, Result};

use super::committer::WriteConnection;
use super::index::{Block, Index, StreamMark};
use super::past_sends::past_send;
use super::progress;
use super::projections;
use super::projections::sanctions::SlowRooms;
use super::row_buffer::RowBuffer;
use super::times;
use super::write::{ClosedTransaction, WriteError};

/// What goes ahead of the file.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    /// The records of the open one.
    open: RowBuffer,
    /// The one whose commit is not known to have succeeded or failed.
    under_way: Option<Arc<ClosedTransaction>>,
    /// Buffers of a transaction that is over.
    spare: RowBuffer,
    index: Index,
    slow: SlowRooms,
    /// How many were closed, whatever became of them: the number of the open one is the next.
    closed: u64,
    /// How far in the order the newest transaction is. It goes ahead of the file by the open one and
    /// the one under way.
    progress: OrderProgress,
    /// The open transaction has moved it.
    has_progress: bool,
}

impl Transactions {
    /// Reads what the file does not say in its tables. It must have been done once, and after each
    /// [`Self::forget`], before anything is appended.
    pub(super) fn read_back(&mut self, connection: &Connection) -> Result<()> {
        self.index.read_back(connection)?;
        self.slow.read_back(connection)?;
        self.progress = progress::read(connection, self.index.last_id(), self.progress.place)?;
        Ok(())
    }

    /// How far in the order the newest transaction is.
    pub(super) fn progress(&self) -> &OrderProgress {
        &self.progress
    }

    /// Where the committed events are.
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// Takes a record. After an error the transaction must be forgotten.
    pub(super) fn append(
        &mut self,
        connection: &WriteConnection,
        record: Record<'_>,
    ) -> Result<(), WriteError> {
        match record {
            Record::Event(event) => {
                let creates = projections::project(connection, &mut self.slow, event)?;
                let last_post = self.index.push(connection, event, creates)?;
                let Content::Posted { from, nonce, .. } = &event.content else {
                    self.open.push(event, None, last_post);
                    return Ok(());
                };
                let room = RoomId(event.log.0);
                let (stream, sends) = self.push_send(connection, (*from, room), *nonce)?;
                let row = self.open.push(event, Some(stream), last_post);
                self.open.send(sends, nonce.n, row);
            }
            // It is no event, and no send: the store has put it where it belongs.
            Record::Genesis(_) => {}
            Record::OrderProgress(progress) => {
                self.progress.clone_from(progress);
                self.has_progress = true;
            }
        }
        Ok(())
    }

    /// The time of a log's newest event, committed or not; 0 when there is none.
    pub(super) fn newest_ts(&self, connection: &WriteConnection, log: LogId) -> Result<Timestamp> {
        let under_way = || self.under_way.as_ref()?.staged().newest_ts(log);
        match self.open.newest_ts(log).or_else(under_way) {
            Some(ts) => Ok(ts),
            None => {
                let newest = times::newest_in(&connection.lock(), &self.index, log)?;
                Ok(newest.unwrap_or_default())
            }
        }
    }

    #[cfg(test)]
    pub(super) fn make_due(&mut self) {
        self.index.make_due();
    }

    /// A send is posted. Tells its stream's row, and where the open transaction has the sends of that
    /// stream.
    fn push_send(
        &mut self,
        connection: &WriteConnection,
        place: (AccountId, RoomId),
        nonce: Nonce,
    ) -> Result<(i64, usize), WriteError> {
        let number = self.open_number();
        let (stream, mark) = self.index.push_send(connection, place, nonce)?;
        let sends = mark.staged_in(number).unwrap_or_else(|| {
            let sends = self.open.begin_sends(stream);
            mark.stage_in(number, sends);
            sends
        });
        Ok((stream, sends))
    }

    /// The number of the open transaction, from 1.
    fn open_number(&self) -> u64 {
        self.closed + 1
    }

    /// What is known of a stream, this transaction included.
    pub(super) fn stream(
        &self,
        connection: &WriteConnection,
        account: AccountId,
        stream: StreamId,
    ) -> Result<StreamMark> {
        self.index.stream(connection, account, stream)
    }

    /// What a send has led to, in this transaction or before.
    pub(super) fn past_send(
        &self,
        connection: &WriteConnection,
        stream: StreamMark,
        n: u64,
    ) -> Result<Option<PastSend>, StoreError> {
        let staged =
            stream.staged_in(self.open_number()).and_then(|sends| self.open.past_send(sends, n));
        let (None, Some(row)) = (&staged, stream.row()) else { return Ok(staged) };
        match self.under_way.as_ref().and_then(|closed| closed.past_send(row, n)) {
            None => past_send(&connection.lock(), &self.index, row, n),
            past => Ok(past),
        }
    }

    /// The bytes of the open transaction's texts.
    pub(super) fn staged_bytes(&self) -> usize {
        self.open.bytes()
    }

    /// Closes the open transaction, which is to be written now. The one before must be over.
    pub(super) fn close_open(&mut self) -> Arc<ClosedTransaction> {
        debug_assert!(self.under_way.is_none(), "one transaction after the other");
        let staged = std::mem::replace(&mut self.open, std::mem::take(&mut self.spare));
        let moves = std::mem::take(&mut self.has_progress) || !staged.is_empty();
        let progress = moves.then(|| self.progress.clone());
        let first_id = self.index.last_id() + 1;
        let closed = Arc::new(ClosedTransaction::of(staged, first_id, progress));
        self.closed += 1;
        self.under_way = Some(Arc::clone(&closed));
        closed
    }

    /// Writes where all committed events are.
    pub(super) fn flush(&mut self, connection: &Connection) -> Result<()> {
        self.index.flush(connection)
    }

    /// The transaction that was closed has become durable. Tells about how many pages it took.
    pub(super) fn note_durable(&mut self) -> usize {
        let Some(closed) = self.under_way.take() else { return 0 };
        let pages = closed.staged().pages() + self.index.settle_flush();
        take_committed(&mut self.index, &closed);
        // Whoever wrote it has let go of it, as a rule; then its buffers are used again.
        if let Some(closed) = Arc::into_inner(closed) {
            self.spare = closed.into_staged();
            self.spare.clear();
        }
        pages
    }

    /// Whether more is known of logs and streams than may be between transactions.
    pub(super) fn is_overfull(&self) -> bool {
        self.index.is_overfull()
    }

    /// Between transactions: forgets what is known of logs and streams when it is too much.
    pub(super) fn trim(&mut self) {
        self.index.trim();
    }

    /// The transactions are lost, or what became of them is known only when it is looked up.
    pub(super) fn forget(&mut self) {
        self.open.clear();
        self.under_way = None;
        self.index.forget();
        self.has_progress = false;
    }
}

/// Where the events of a transaction are, which has become durable.
fn take_committed(index: &mut Index, closed: &ClosedTransaction) {
    let (staged, order) = (closed.staged(), closed.order());
    debug_assert_eq!(closed.first_id(), index.last_id() + 1, "transactions are committed in turn");
    let mut first_id = index.last_id() + 1;
    let mut ids = vec![0; order.len()];
    for (row, id) in order.iter().zip(first_id..) {
        ids[*row] = id;
    }
    index.take_blocks(order.chunk_by(|a, b| staged.row(*a).log == staged.row(*b).log).map(
        |rows| {
            let (first, last) = (staged.row(rows[0]), staged.row(rows[rows.len() - 1]));
            let (events, last_post) = (rows.len() as u64, last.last_post.0);
            let block = Block { first_seq: first.seq.0, first_id, events, last_post };
            first_id += events;
            (first.log, block)
        },
    ));
    for sends in staged.sends() {
        index.take_sends(sends.stream, sends.posted.iter().map(|(n, row)| (*n, ids[*row])));
    }
}
