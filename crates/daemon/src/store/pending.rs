//! The open transaction and the one that is being committed, and what is known of logs and streams
//! with them: checked at once, written with the commit. Where the events are is written with a later
//! one.

use std::sync::Arc;

use chat_core::{Content, OrderProgress, PastSend, Record, RefusedSend, StoreError};
use chat_proto::{AccountId, LogId, Nonce, RoomId, StreamId, Timestamp};
use rusqlite::{Connection, Result};

use super::committer::WriteConnection;
use super::index::{Block, Index, StreamMark};
use super::lookup;
use super::progress;
use super::projections;
use super::row_buffer::{RowBuffer, SendDecision};
use super::times;
use super::write::{ClosedTransaction, WriteError};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Pending {
    staged: RowBuffer,
    /// What is being committed.
    under_way: Option<Arc<ClosedTransaction>>,
    /// Buffers of a transaction that is over.
    spare: RowBuffer,
    index: Index,
    /// Transactions that were closed.
    closed: u64,
    /// How far in the order the newest transaction is. It goes ahead of the file by the open one and
    /// the one under way.
    progress: OrderProgress,
    /// The open transaction has moved it.
    has_progress: bool,
}

impl Pending {
    /// Reads what the file does not say in its tables. It must have been done once, and after each
    /// [`Self::forget`], before anything is appended.
    pub(super) fn read_back(&mut self, connection: &Connection) -> Result<()> {
        self.index.read_back(connection)?;
        self.progress = progress::read(connection, self.index.last_id())?;
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
                let creates = projections::project(connection, event)?;
                let last_post = self.index.push(connection, event, creates)?;
                let Content::Posted { from, nonce, .. } = &event.content else {
                    self.staged.push(event, None, last_post);
                    return Ok(());
                };
                let room = RoomId(event.log.0);
                let (stream, sends) = self.push_send(connection, (*from, room), *nonce)?;
                let row = self.staged.push(event, Some(stream), last_post);
                self.staged.decide(sends, nonce.n, SendDecision::Posted(row));
            }
            // It is no event, and no send: the store has put it where it belongs.
            Record::Genesis(_) => {}
            Record::OrderProgress(progress) => {
                self.progress.clone_from(progress);
                self.has_progress = true;
            }
            Record::RefusedSend(RefusedSend { account, room, nonce, code, digest }) => {
                let (_stream, sends) = self.push_send(connection, (account, room), nonce)?;
                self.staged.decide(sends, nonce.n, SendDecision::Refused(code, digest));
            }
        }
        Ok(())
    }

    /// The time of a log's newest event, committed or not; 0 when there is none.
    pub(super) fn newest_ts(&self, connection: &WriteConnection, log: LogId) -> Result<Timestamp> {
        let under_way = || self.under_way.as_ref()?.staged().newest_ts(log);
        match self.staged.newest_ts(log).or_else(under_way) {
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

    /// A send is decided. Tells its stream's row, and where the open transaction has the sends of that
    /// stream.
    fn push_send(
        &mut self,
        connection: &WriteConnection,
        place: (AccountId, RoomId),
        nonce: Nonce,
    ) -> Result<(i64, usize), WriteError> {
        let open = self.open();
        let (stream, mark) = self.index.push_send(connection, place, nonce)?;
        let sends = mark.staged_in(open).unwrap_or_else(|| {
            let sends = self.staged.begin_sends(stream, nonce.n);
            mark.stage_in(open, sends);
            sends
        });
        Ok((stream, sends))
    }

    /// The number of the open transaction, from 1.
    fn open(&self) -> u64 {
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

    /// How a send was decided, in this transaction or before.
    pub(super) fn past_send(
        &self,
        connection: &WriteConnection,
        stream: StreamMark,
        n: u64,
    ) -> Result<Option<PastSend>, StoreError> {
        let staged =
            stream.staged_in(self.open()).and_then(|sends| self.staged.past_send(sends, n));
        let (None, Some(row)) = (&staged, stream.row()) else { return Ok(staged) };
        match self.under_way.as_ref().and_then(|written| written.past_send(row, n)) {
            None => lookup::past_send(&connection.lock(), &self.index, row, n),
            past => Ok(past),
        }
    }

    /// The bytes of the open transaction's texts.
    pub(super) fn staged_bytes(&self) -> usize {
        self.staged.bytes()
    }

    /// Closes the open transaction, which is to be written now. The one before must be over.
    pub(super) fn turn_over(&mut self) -> Arc<ClosedTransaction> {
        debug_assert!(self.under_way.is_none(), "one transaction after the other");
        let staged = std::mem::replace(&mut self.staged, std::mem::take(&mut self.spare));
        let moves = std::mem::take(&mut self.has_progress) || !staged.is_empty();
        let progress = moves.then(|| self.progress.clone());
        let first_id = self.index.last_id() + 1;
        let written = Arc::new(ClosedTransaction::of(staged, first_id, progress));
        self.closed += 1;
        self.under_way = Some(Arc::clone(&written));
        written
    }

    /// Writes where all committed events are.
    pub(super) fn flush(&mut self, connection: &Connection) -> Result<()> {
        self.index.flush(connection)
    }

    /// The transaction that was closed has become durable. Tells about how many pages it took.
    pub(super) fn committed(&mut self) -> usize {
        let Some(written) = self.under_way.take() else { return 0 };
        let pages = written.staged().pages() + self.index.settle_flush();
        take_committed(&mut self.index, &written);
        if let Some(written) = Arc::into_inner(written) {
            self.spare = written.into_staged();
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
        self.staged.clear();
        self.under_way = None;
        self.index.forget();
        self.has_progress = false;
    }
}

/// Where the events of a transaction are, which has become durable.
fn take_committed(index: &mut Index, written: &ClosedTransaction) {
    let (staged, order) = (written.staged(), written.order());
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
        index.take_sends(sends.stream, sends.posted().map(|(n, row)| (n, ids[row])));
    }
}
