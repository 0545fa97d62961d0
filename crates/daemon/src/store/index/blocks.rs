//! Blocks: runs of a log's events whose ids follow one another. See the table `blocks`.

use chat_proto::{LogId, Seq};
use rusqlite::{Connection, OptionalExtension, Result};

use crate::store::row::{integer, unsigned};

/// A row of the table `blocks`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::store) struct Block {
    pub(in crate::store) first_seq: u64,
    pub(in crate::store) first_id: u64,
    /// 0: the log has none.
    pub(in crate::store) events: u64,
    /// The seq of the log's newest message up to the end of the block; 0: there is none.
    pub(in crate::store) last_post: u64,
}

impl Block {
    /// 0 where the log has none.
    pub(in crate::store) fn last_seq(&self) -> Seq {
        Seq((self.first_seq + self.events).saturating_sub(1))
    }

    /// Whether one of its events has this seq. No event has 0.
    pub(in crate::store) fn holds(&self, seq: Seq) -> bool {
        (self.first_seq.max(1)..=self.last_seq().0).contains(&seq.0)
    }

    /// The id of one of its events.
    pub(in crate::store) fn id_of(&self, seq: Seq) -> u64 {
        debug_assert!(self.holds(seq), "event {seq} is not in {self:?}");
        self.first_id + (seq.0 - self.first_seq)
    }

    /// The id behind its last.
    pub(super) fn next_id(&self) -> u64 {
        self.first_id + self.events
    }

    /// What comes next in its log; it grows where no other log's events lie in between.
    pub(super) fn grow(&mut self, next: Self) -> bool {
        debug_assert_eq!(self.last_seq().next(), Seq(next.first_seq), "a log has no hole");
        let goes_on = self.next_id() == next.first_id;
        if goes_on {
            self.events += next.events;
            self.last_post = next.last_post;
        }
        goes_on
    }

    /// Writes it to the table; the log's last block there grows where it can.
    pub(super) fn write_on(self, table: &Connection, log: LogId) -> Result<()> {
        let [id, _seq, first_id, events, last_post] = self.columns(log);
        let grown = table
            .prepare_cached(
                "UPDATE blocks SET events = events + ?3, last_post = ?4 \
                 WHERE log = ?1 AND first_id + events = ?2 \
                   AND first_seq = (SELECT max(first_seq) FROM blocks WHERE log = ?1)",
            )?
            .execute([id, first_id, events, last_post])?;
        if grown == 0 { self.write(table, log) } else { Ok(()) }
    }

    /// Writes it to the table as a block of its own.
    pub(super) fn write(self, table: &Connection, log: LogId) -> Result<()> {
        table
            .prepare_cached(
                "INSERT INTO blocks (log, first_seq, first_id, events, last_post) \
                 VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(self.columns(log))
            .map(drop)
    }

    fn columns(self, log: LogId) -> [i64; 5] {
        [log.0, self.first_seq, self.first_id, self.events, self.last_post].map(integer)
    }
}

/// The last block of a log in the table; an empty one when it has none.
pub(super) fn last_block(table: &Connection, log: LogId) -> Result<Block> {
    Ok(block_before(table, log, Seq(u64::MAX))?.unwrap_or_default())
}

/// The block of a log in the table that holds a place, or else the last one before it.
pub(super) fn block_before(table: &Connection, log: LogId, place: Seq) -> Result<Option<Block>> {
    table
        .prepare_cached(
            "SELECT first_seq, first_id, events, last_post FROM blocks \
             WHERE log = ? AND first_seq <= ? ORDER BY first_seq DESC LIMIT 1",
        )?
        .query_row([integer(log.0), integer(place.0)], |row| {
            let column = |at| row.get(at).map(unsigned);
            Ok(Block {
                first_seq: column(0)?,
                first_id: column(1)?,
                events: column(2)?,
                last_post: column(3)?,
            })
        })
        .optional()
}
