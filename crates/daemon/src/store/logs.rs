//! How far each log has come, and where its last block is. Known logs need no SQL.

use std::collections::HashMap;

use chat_proto::{LogId, Seq};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::row::{integer, unsigned};
use super::write::WriteError;

/// Logs that are known. When there are more, all are forgotten; the next event of one costs a
/// search.
const LOGS_MAX: usize = 65_536;

/// What is known. It goes ahead of the file by the open transaction.
#[derive(Debug, Default)]
pub(super) struct Logs {
    known: HashMap<LogId, Mark>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Mark {
    head: Seq,
    /// As written.
    last: Block,
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
    /// A log's head moves, only ever by one; an event that creates its log must be its first.
    pub(super) fn move_head(
        &mut self,
        connection: &Connection,
        log: LogId,
        seq: Seq,
        creates: bool,
    ) -> Result<(), WriteError> {
        let mark = match self.known.get_mut(&log) {
            Some(mark) => mark,
            None => {
                let last = last_block(connection, log)?;
                let head = Seq((last.first_seq + last.events).saturating_sub(1));
                self.known.entry(log).or_insert(Mark { head, last })
            }
        };
        if seq != mark.head.next() {
            return Err(WriteError::Hole { log, head: mark.head, seq });
        }
        if creates != (seq == Seq(1)) {
            return Err(WriteError::Beginning { log, seq });
        }
        mark.head = seq;
        Ok(())
    }

    /// Writes where new events of a log are. They lie together; where they follow the last block
    /// without a gap, it grows.
    pub(super) fn write_block(
        &mut self,
        connection: &Connection,
        log: LogId,
        new: Block,
    ) -> Result<()> {
        let mark = self.known.entry(log).or_default();
        let last = mark.last;
        let last_post = new.last_post.max(last.last_post);
        if last.events > 0 && last.first_id + last.events == new.first_id {
            mark.last = Block { events: last.events + new.events, last_post, ..last };
            let changed = connection
                .prepare_cached(
                    "UPDATE blocks SET events = ?3, last_post = ?4 WHERE log = ?1 AND first_seq = ?2",
                )?
                .execute(mark.last.columns(log))?;
            return match changed {
                1 => Ok(()),
                other => Err(rusqlite::Error::StatementChangedRows(other)),
            };
        }
        mark.last = Block { last_post, ..new };
        let [log, first_seq, events, last_post] = mark.last.columns(log);
        connection
            .prepare_cached(
                "INSERT INTO blocks (log, first_seq, first_id, events, last_post) \
                 VALUES (?, ?, ?, ?, ?)",
            )?
            .execute(params![log, first_seq, integer(new.first_id), events, last_post])?;
        Ok(())
    }

    /// Between transactions: forgets all when it is too much.
    pub(super) fn trim(&mut self) {
        if self.known.len() > LOGS_MAX {
            self.forget();
        }
    }

    /// The transaction is lost.
    pub(super) fn forget(&mut self) {
        self.known = HashMap::new();
    }
}

impl Block {
    fn columns(self, log: LogId) -> [i64; 4] {
        [log.0, self.first_seq, self.events, self.last_post].map(integer)
    }
}

/// The last block of a log; an empty one when it has none.
fn last_block(connection: &Connection, log: LogId) -> Result<Block> {
    Ok(block_before(connection, log, Seq(u64::MAX))?.unwrap_or_default())
}

/// The block of a log that holds a place, or else the last one before it.
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
