//! Where the newest events are: what the tables `blocks` and `nonces` do not say yet.
//!
//! Both are written for many commits at once, so that a commit of one message is one page of
//! `events`. Between two such flushes the rows are here. Nothing is lost with them: `indexed` in
//! the table `meta` is the last event that the tables know, and they follow from the events behind
//! it.
//!
//! * A commit brings its rows here once it has succeeded, never before.
//! * A flush is part of a transaction, before the events of that commit, and moves `indexed` with
//!   the rows. They are let go once the transaction has succeeded.
//! * When it is not known how a transaction ended, all is read again from the file.
//!
//! Readers take a log's blocks from here first and begin their read transaction then. What they
//! took was committed before, so the transaction has all of those events. Those that a flush has
//! taken away before they looked are in the tables that they see. So the two together know each
//! event up to a commit that had succeeded when they looked, or a later one: no hole, and no head
//! without its events. A flush in between makes both know the same events: where a block is in
//! both, either is right, but one of them may have grown further.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chat_proto::{LogId, Seq};
use rusqlite::{Connection, Result, ffi};

use super::blocks::{self, Block};
use super::runs::{self, NonceRun};
use crate::store::meta;
use crate::store::row::unsigned;

/// Events after which a commit flushes. It bounds what a start after a crash has to read.
pub(in crate::store) const EVENTS_MAX: u64 = 16_384;

/// Rows after which a commit flushes. It bounds memory.
const ROWS_MAX: usize = 8192;

/// Logs and streams after which a commit flushes: each may have a page of its own to be written. It
/// bounds how long that commit takes.
const PLACES_MAX: usize = 4096;

/// How old the oldest may become. Somebody calls each second, also with nothing to commit.
const AGE_MAX: Duration = Duration::from_secs(1);

/// See the module. The writer's own.
#[derive(Debug, Default)]
pub(super) struct UnflushedIndex {
    blocks: UnflushedBlocks,
    /// Of each stream's row, in order.
    runs: HashMap<i64, Vec<NonceRun>>,
    /// The last event that the tables know.
    indexed: u64,
    /// How many come behind it, and how many rows they are.
    events: u64,
    rows: usize,
    /// When the first of them came.
    since: Option<Instant>,
}

/// The blocks of each log, in order: what readers need.
#[derive(Clone, Debug, Default)]
pub(in crate::store) struct UnflushedBlocks(Arc<Mutex<Blocks>>);

type Blocks = HashMap<LogId, Vec<Block>>;

impl UnflushedIndex {
    /// The same blocks, for readers.
    pub(super) fn blocks(&self) -> UnflushedBlocks {
        self.blocks.clone()
    }

    /// The last event of all that were committed.
    pub(super) fn last_id(&self) -> u64 {
        self.indexed + self.events
    }

    /// The last event that the tables know.
    #[cfg(test)]
    pub(super) fn indexed(&self) -> u64 {
        self.indexed
    }

    /// Lets time pass.
    #[cfg(test)]
    pub(super) fn make_due(&mut self) {
        self.since = self.since.and_then(|since| since.checked_sub(AGE_MAX));
    }

    /// Whether the tables know all.
    pub(super) fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// The rows that a flush would write.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// Whether it is time for a flush.
    pub(super) fn is_due(&self) -> bool {
        self.events >= EVENTS_MAX
            || self.rows >= ROWS_MAX
            || self.blocks.lock().len() + self.runs.len() >= PLACES_MAX
            || self.since.is_some_and(|since| since.elapsed() >= AGE_MAX)
    }

    /// Takes where the events of a commit are, which has succeeded: each log's, in order of their
    /// ids.
    pub(super) fn take_blocks(&mut self, new: impl IntoIterator<Item = (LogId, Block)>) {
        let mut blocks = self.blocks.lock();
        for (log, block) in new {
            // What the tables have has an id up to `indexed`; a hole would be an event that nobody finds.
            debug_assert_eq!(block.first_id, self.indexed + self.events + 1, "ids follow the last");
            self.events += block.events;
            let of_log = blocks.entry(log).or_default();
            if !of_log.last_mut().is_some_and(|last| last.grow(block)) {
                of_log.push(block);
                self.rows += 1;
            }
        }
        if self.events > 0 {
            self.since.get_or_insert_with(Instant::now);
        }
    }

    /// The same of a stream's messages: the `n` and the id of each, rising in `n`.
    pub(super) fn take_sends(&mut self, stream: i64, sends: impl IntoIterator<Item = (u64, u64)>) {
        let mut sends = sends.into_iter().peekable();
        if sends.peek().is_none() {
            return;
        }
        let runs = self.runs.entry(stream).or_default();
        for (n, id) in sends {
            debug_assert!(
                self.indexed < id && id <= self.indexed + self.events,
                "its block is here"
            );
            if !runs.last_mut().is_some_and(|run| run.push(n, id)) {
                runs.push(NonceRun::begin(n, id));
                self.rows += 1;
            }
        }
    }

    /// The last block of a log, here or in the table; an empty one when it has none.
    pub(super) fn last_block(&self, connection: &Connection, log: LogId) -> Result<Block> {
        match self.newest_block(log) {
            Some(block) => Ok(block),
            None => blocks::last_block(connection, log),
        }
    }

    /// The last block of a log that the table does not have.
    pub(super) fn newest_block(&self, log: LogId) -> Option<Block> {
        self.blocks.lock().get(&log)?.last().copied()
    }

    /// The largest `n` of a stream.
    pub(super) fn last_n(&self, stream: i64) -> Option<u64> {
        self.runs.get(&stream)?.last().map(NonceRun::last_n)
    }

    /// The event of a send, here or in the table.
    pub(super) fn find_send(
        &self,
        connection: &Connection,
        stream: i64,
        n: u64,
    ) -> Result<Option<u64>> {
        let runs = self.runs.get(&stream).map_or(&[][..], Vec::as_slice);
        match runs[..runs.partition_point(|run| run.first_n() <= n)].last() {
            // What it does not have was refused.
            Some(run) => Ok(run.find(n)),
            None => runs::find(connection, stream, n),
        }
    }

    /// Writes all of it to the tables, in the open transaction.
    pub(super) fn flush(&self, connection: &Connection) -> Result<()> {
        let mut blocks: Vec<_> = self.blocks.lock().clone().into_iter().collect();
        // Neighbours in the tables one behind the other.
        blocks.sort_unstable_by_key(|(log, _blocks)| *log);
        for (log, blocks) in &blocks {
            for block in blocks {
                // Only the very first can lie right behind what the table has.
                match block.first_id == self.indexed + 1 {
                    true => block.write_on(connection, *log)?,
                    false => block.write(connection, *log)?,
                }
            }
        }
        let mut runs: Vec<_> = self.runs.iter().collect();
        runs.sort_unstable_by_key(|(stream, _runs)| **stream);
        for (stream, runs) in runs {
            for run in runs {
                run.write(connection, *stream)?;
            }
        }
        meta::set(connection, INDEXED, self.last_id())
    }

    /// The transaction with the flush has succeeded.
    pub(super) fn flushed(&mut self) {
        let indexed = self.last_id();
        self.replace(Self { indexed, ..Self::default() });
        debug_assert!(
            self.is_empty() && self.blocks.lock().is_empty() && self.last_id() == indexed
        );
    }

    /// Reads all of it from the file.
    pub(super) fn read_back(&mut self, connection: &Connection) -> Result<()> {
        self.replace(Self::read(connection)?);
        Ok(())
    }

    fn read(connection: &Connection) -> Result<Self> {
        let indexed = meta::get(connection, INDEXED)?.unwrap_or(0);
        let mut found = Self { indexed, ..Self::default() };
        let mut sends = Vec::new();
        let mut statement = connection
            .prepare_cached("SELECT id, log, seq, stream, n FROM unindexed ORDER BY id")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let column = |at| row.get(at).map(unsigned);
            let (id, log, first_seq) = (column(0)?, LogId(column(1)?), column(2)?);
            if id != found.last_id() + 1 {
                return Err(missing(found.last_id() + 1));
            }
            if found.newest_block(log).is_some_and(|newest| newest.last_seq().0 + 1 != first_seq) {
                return Err(out_of_place(id, log));
            }
            let n = row.get::<_, Option<i64>>(4)?.map(unsigned);
            let last_post = match n {
                Some(n) => {
                    sends.push((row.get::<_, i64>(3)?, n, id));
                    first_seq
                }
                None => found.last_block(connection, log)?.last_post,
            };
            found.take_blocks([(log, Block { first_seq, first_id: id, events: 1, last_post })]);
        }
        // Their ids need not rise with them: a commit's events are together by log.
        sends.sort_unstable();
        if let Some([_, (_, n, id)]) = sends
            .windows(2)
            .map(|two| [two[0], two[1]])
            .find(|[one, two]| (one.0, one.1) == (two.0, two.1))
        {
            return Err(damaged(format!("the file is damaged: event {id} repeats send {n}")));
        }
        for sends in sends.chunk_by(|a, b| a.0 == b.0) {
            found.take_sends(sends[0].0, sends.iter().map(|(_stream, n, id)| (*n, *id)));
        }
        Ok(found)
    }

    /// Another takes its place, for readers at once.
    fn replace(&mut self, other: Self) {
        let blocks = std::mem::take(&mut *other.blocks.lock());
        let _freed_without_the_lock = std::mem::replace(&mut *self.blocks.lock(), blocks);
        *self = Self { blocks: self.blocks.clone(), ..other };
    }
}

impl UnflushedBlocks {
    /// The blocks of a log that end behind a place.
    pub(in crate::store) fn after(&self, log: LogId, after: Seq) -> Vec<Block> {
        let blocks = self.lock();
        let Some(blocks) = blocks.get(&log) else { return Vec::new() };
        blocks[blocks.partition_point(|block| block.last_seq() <= after)..].to_vec()
    }

    /// The blocks of a log that begin before a place.
    pub(in crate::store) fn before(&self, log: LogId, before: Seq) -> Vec<Block> {
        let blocks = self.lock();
        let Some(blocks) = blocks.get(&log) else { return Vec::new() };
        blocks[..blocks.partition_point(|block| block.first_seq < before.0)].to_vec()
    }

    fn lock(&self) -> MutexGuard<'_, Blocks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key in the table `meta`.
const INDEXED: &str = "indexed";

/// The heads of logs follow from these events: without one, its log would get another in its place.
fn missing(id: u64) -> rusqlite::Error {
    damaged(format!("the file is damaged: event {id} is missing"))
}

/// Places are searched for in blocks that follow one another.
fn out_of_place(id: u64, log: LogId) -> rusqlite::Error {
    damaged(format!("the file is damaged: event {id} does not follow the one before in log {log}"))
}

fn damaged(what: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(what))
}
