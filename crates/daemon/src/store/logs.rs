//! How far each log has come, and where its events are. Known logs need no SQL.

use chat_core::{Content, Event};
use chat_proto::{LogId, Seq};
use rusqlite::{Connection, OptionalExtension, Result};
use rustc_hash::FxHashMap;

use super::committer::WriteConnection;
use super::row::{integer, unsigned};
use super::unflushed::UnflushedIndex;
use super::write::WriteError;

/// Logs that are known. When there are more, all are forgotten; the next event of one costs a
/// search.
const LOGS_MAX: usize = 65_536;

/// What is known. It goes ahead of the file by the open transaction and the one under way.
#[derive(Debug, Default)]
pub(super) struct Logs {
    known: FxHashMap<LogId, LogMark>,
}

#[derive(Clone, Copy, Debug, Default)]
struct LogMark {
    head: Seq,
    /// The newest message.
    last_post: Seq,
}

/// A row of the table `blocks`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Block {
    pub(super) first_seq: u64,
    pub(super) first_id: u64,
    /// 0: the log has none.
    pub(super) events: u64,
    pub(super) last_post: u64,
}

impl Logs {
    /// A log's head moves, only ever by one; an event that creates its log must be its first. Tells
    /// the newest message of the log, or 0.
    pub(super) fn move_head(
        &mut self,
        connection: &WriteConnection,
        unflushed: &UnflushedIndex,
        event: &Event,
        creates: bool,
    ) -> Result<Seq, WriteError> {
        let (log, seq) = (event.log, event.seq);
        let mark = match self.known.get_mut(&log) {
            Some(mark) => mark,
            None => {
                let last = unflushed.last_block(&connection.lock(), log)?;
                let mark = LogMark { head: last.last_seq(), last_post: Seq(last.last_post) };
                self.known.entry(log).or_insert(mark)
            }
        };
        if seq != mark.head.next() {
            return Err(WriteError::Hole { log, head: mark.head, seq });
        }
        if creates != (seq == Seq(1)) {
            return Err(WriteError::Beginning { log, seq });
        }
        mark.head = seq;
        if matches!(event.content, Content::Posted { .. }) {
            mark.last_post = seq;
        }
        Ok(mark.last_post)
    }

    /// Whether more are known than may be between transactions.
    pub(super) fn is_overfull(&self) -> bool {
        self.known.len() > LOGS_MAX
    }

    /// Between transactions: forgets all when it is too much.
    pub(super) fn trim(&mut self) {
        if self.is_overfull() {
            self.forget();
        }
    }

    /// The transaction is lost.
    pub(super) fn forget(&mut self) {
        self.known = FxHashMap::default();
    }
}

impl Block {
    /// 0 where the log has none.
    pub(super) fn last_seq(&self) -> Seq {
        Seq((self.first_seq + self.events).saturating_sub(1))
    }

    /// Whether one of its events has this seq. No event has 0.
    pub(super) fn holds(&self, seq: Seq) -> bool {
        (self.first_seq.max(1)..=self.last_seq().0).contains(&seq.0)
    }

    /// The id of one of its events.
    pub(super) fn id_of(&self, seq: Seq) -> u64 {
        self.first_id + (seq.0 - self.first_seq)
    }

    /// What comes next in its log; it grows where no other log's events lie in between.
    pub(super) fn grow(&mut self, next: Self) -> bool {
        let goes_on = self.first_id + self.events == next.first_id;
        if goes_on {
            self.events += next.events;
            self.last_post = next.last_post;
        }
        goes_on
    }

    /// Writes it to the table; the log's last block there grows where it can.
    pub(super) fn write_on(self, connection: &Connection, log: LogId) -> Result<()> {
        let [id, _seq, first_id, events, last_post] = self.columns(log);
        let grown = connection
            .prepare_cached(
                "UPDATE blocks SET events = events + ?3, last_post = ?4 \
                 WHERE log = ?1 AND first_id + events = ?2 \
                   AND first_seq = (SELECT max(first_seq) FROM blocks WHERE log = ?1)",
            )?
            .execute([id, first_id, events, last_post])?;
        if grown == 0 { self.write(connection, log) } else { Ok(()) }
    }

    /// Writes it to the table as a block of its own.
    pub(super) fn write(self, connection: &Connection, log: LogId) -> Result<()> {
        connection
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
pub(super) fn last_block(connection: &Connection, log: LogId) -> Result<Block> {
    Ok(block_before(connection, log, Seq(u64::MAX))?.unwrap_or_default())
}

/// The block of a log in the table that holds a place, or else the last one before it.
pub(super) fn block_before(
    connection: &Connection,
    log: LogId,
    place: Seq,
) -> Result<Option<Block>> {
    connection
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
