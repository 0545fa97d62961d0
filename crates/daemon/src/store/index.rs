//! The index: where the events are, and how far each log and each stream has come.
//!
//! Owns the tables `blocks` and `nonces` with what they do not say yet. The tables know the events up
//! to the one that `meta` has as `indexed`; an overlay in memory ([`unflushed`]) knows those behind it
//! that are committed; the marks of logs ([`heads`]) and [`streams`] know those that are not, too. It
//! must not know what an event says, nor what is written when. Invariants, asserted where they are relied on:
//!
//! * the overlay begins right behind `indexed` and has no hole: it never holds what the tables have;
//! * a mark moves by one, and is never behind what the overlay has of its log;
//! * what a flush has put into the tables leaves the overlay when that is durable, and nothing comes
//!   to the overlay in between.

mod blocks;
mod heads;
mod log_index;
mod runs;
mod streams;
mod unflushed;

use std::collections::HashSet;

use chat_core::Event;
use chat_proto::{AccountId, LogId, Nonce, RoomId, Seq, StreamId};
use rusqlite::{Connection, Result};

use super::committer::WriteConnection;
use super::removed_rooms::{self, Purged};
use super::write::WriteError;
pub(super) use blocks::Block;
use heads::Heads;
pub(super) use log_index::LogIndex;
pub(super) use runs::visit_newest_first;
pub(super) use streams::StreamMark;
use streams::Streams;
#[cfg(test)]
pub(super) use unflushed::EVENTS_MAX;
pub(super) use unflushed::UnflushedBlocks;
use unflushed::UnflushedIndex;

/// See the module. The writer's own; readers have a [`LogIndex`].
#[derive(Debug, Default)]
pub(super) struct Index {
    heads: Heads,
    streams: Streams,
    /// Goes with the file: what is not committed is not in it.
    unflushed: UnflushedIndex,
    /// A transaction whose outcome is not known takes the overlay to the tables.
    is_flushing: bool,
    /// What that one deletes of rooms that are gone.
    purged: Purged,
    /// Rooms that are gone, and whose events cannot be deleted.
    unreadable: HashSet<LogId>,
    /// Rooms that are gone wait for another flush.
    has_removed: bool,
}

impl Index {
    /// Reads what the tables do not say from the events. It must have been done once, and after each
    /// [`Self::forget`], before anything is pushed.
    ///
    /// # Errors
    /// Also when an event is missing that no table knows.
    pub(super) fn read_back(&mut self, table: &Connection) -> Result<()> {
        debug_assert!(!self.is_flushing && self.heads.is_empty() && self.streams.is_empty());
        self.unflushed.read_back(table)?;
        self.has_removed = removed_rooms::is_any(table)?;
        Ok(())
    }

    /// What the tables do not say of logs, for readers.
    pub(super) fn unflushed_blocks(&self) -> UnflushedBlocks {
        self.unflushed.blocks()
    }

    /// The id of the newest event that is committed; 0 before the first.
    pub(super) fn last_id(&self) -> u64 {
        self.unflushed.last_id()
    }

    /// The last event that the tables know.
    #[cfg(test)]
    pub(super) fn indexed(&self) -> u64 {
        self.unflushed.indexed()
    }

    /// Lets time pass.
    #[cfg(test)]
    pub(super) fn make_due(&mut self) {
        self.unflushed.make_due();
    }

    /// Whether a flush would do nothing: the tables know all that is committed, and have nothing that is
    /// to be deleted.
    pub(super) fn is_flushed(&self) -> bool {
        self.unflushed.is_empty() && !self.has_removed
    }

    /// Whether it is time for a flush.
    pub(super) fn is_due(&self) -> bool {
        self.unflushed.is_due() || self.has_removed
    }

    /// Moves a log's head to an event, only ever by one; an event that creates its log must be its
    /// first, and no other may. Tells the seq of the log's newest message, or 0.
    pub(super) fn push(
        &mut self,
        table: &WriteConnection,
        event: &Event,
        creates: bool,
    ) -> Result<Seq, WriteError> {
        self.heads.push(table, &self.unflushed, event, creates)
    }

    /// Moves a stream's high-water mark to a send, only ever by one; a new stream gets its row. Tells
    /// the row, and what is known of the stream.
    pub(super) fn push_send(
        &mut self,
        table: &WriteConnection,
        place: (AccountId, RoomId),
        nonce: Nonce,
    ) -> Result<(i64, &mut StreamMark), WriteError> {
        self.streams.push(table, &self.unflushed, place, nonce)
    }

    /// What is known of a stream, or can be found out; what is not committed included.
    pub(super) fn stream(
        &self,
        table: &WriteConnection,
        account: AccountId,
        stream: StreamId,
    ) -> Result<StreamMark> {
        self.streams.look(table, &self.unflushed, account, stream)
    }

    /// The committed head of a log, where the tables say that it is `flushed`.
    pub(super) fn committed_head(&self, log: LogId, flushed: Seq) -> Seq {
        let newest = self.unflushed.newest_block(log);
        newest.map_or(flushed, |newest| newest.last_seq())
    }

    /// The head of a log as the tables say it; 0 when they have nothing of it.
    pub(super) fn flushed_head(&self, table: &Connection, log: LogId) -> Result<Seq> {
        let last = blocks::block_before(table, log, Seq(u64::MAX))?;
        Ok(last.map_or(Seq::ZERO, |block| block.last_seq()))
    }

    /// Whether anything was said in a log, as far as it is committed, where the tables say `flushed`.
    pub(super) fn has_posts(&self, log: LogId, flushed: bool) -> bool {
        self.unflushed.newest_block(log).map_or(flushed, |newest| newest.last_post > 0)
    }

    /// The id of a log's newest committed event; `None`: it has none.
    pub(super) fn newest_id(&self, table: &Connection, log: LogId) -> Result<Option<u64>> {
        let last = self.unflushed.last_block(table, log)?;
        Ok((last.events > 0).then(|| last.id_of(last.last_seq())))
    }

    /// The id of the event that a send of a stream's row led to; `None`: it was refused, or is none.
    pub(super) fn locate_send(
        &self,
        table: &Connection,
        stream: i64,
        n: u64,
    ) -> Result<Option<u64>> {
        self.unflushed.find_send(table, stream, n)
    }

    /// Writes the overlay to the tables, in the open transaction. It stays until [`Self::settle_flush`].
    pub(super) fn flush(&mut self, table: &Connection) -> Result<()> {
        debug_assert!(!self.is_flushing, "one flush at a time");
        self.unflushed.flush(table)?;
        self.purged = removed_rooms::purge(table, &mut self.unreadable)?;
        self.is_flushing = true;
        Ok(())
    }

    /// A transaction has become durable. If it has a flush, the overlay is let go; tells about how many
    /// pages the flush took.
    pub(super) fn settle_flush(&mut self) -> usize {
        if !std::mem::take(&mut self.is_flushing) {
            return 0;
        }
        let Purged { events, has_more } = std::mem::take(&mut self.purged);
        self.has_removed = has_more;
        // A room's few events are on a page or two, and so are its blocks.
        let pages = self.unflushed.rows() + usize::try_from(events).unwrap_or(usize::MAX);
        self.unflushed.flushed();
        pages
    }

    /// Takes where the events of a transaction are that has become durable: each log's, in order of
    /// their ids, which follow the last.
    pub(super) fn take_blocks(&mut self, new: impl IntoIterator<Item = (LogId, Block)>) {
        debug_assert!(!self.is_flushing, "a flush is settled before more is taken");
        let heads = &self.heads;
        self.unflushed.take_blocks(new.into_iter().inspect(|(log, block)| {
            debug_assert!(heads.is_at_or_behind(*log, block.last_seq()), "a head goes ahead");
        }));
    }

    /// The same of the sends of a stream's row: the `n` and the id of each, rising in `n`.
    pub(super) fn take_sends(&mut self, stream: i64, sends: impl IntoIterator<Item = (u64, u64)>) {
        self.unflushed.take_sends(stream, sends);
    }

    /// Whether more marks are known than may be between transactions.
    pub(super) fn is_overfull(&self) -> bool {
        self.heads.is_overfull() || self.streams.is_overfull()
    }

    /// Between transactions, when the marks say no more than the file: forgets those that are too many.
    pub(super) fn trim(&mut self) {
        if self.heads.is_overfull() {
            self.heads.forget();
        }
        if self.streams.is_overfull() {
            self.streams.forget();
        }
    }

    /// The transactions that are not committed are lost, and with them the marks.
    pub(super) fn forget(&mut self) {
        self.heads.forget();
        self.streams.forget();
        self.is_flushing = false;
        self.purged = Purged::default();
    }
}
