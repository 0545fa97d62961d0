//! Reading history, beside the writer. A read sees what is committed; no read transaction outlives
//! the call, so the WAL can always be emptied. Where the newest events are is asked before the
//! transaction begins: see [`super::index`].

use std::path::PathBuf;

use chat_core::{HistoryRead, StoreError};
use chat_proto::{GapReason, HistoryPage, LogId, Seq};
use rusqlite::{Connection, Rows};

use super::SqliteStore;
use super::connection::connect_reader;
use super::damage::{self, Damage, ToldDamage};
use super::frames::{FRAME_COLUMNS, Frames};
use super::held::FileIdentity;
use super::history::history;
use super::index::{Block, LogIndex, UnflushedBlocks};
use super::read_error::ReadError;
use super::row::integer;

/// A connection that can only read. One thread uses it at a time.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    database: FileIdentity,
    unflushed: UnflushedBlocks,
    /// What the operator knows, whoever has found it.
    told: ToldDamage,
    /// `None` after a failure: the next read opens the file again.
    connection: Option<Connection>,
}

/// A run of a log's frames, from disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogPage {
    /// Whole frames: the events, and a [`chat_proto::Gap`] where some cannot be read.
    pub frames: Vec<u8>,
    /// The last seq that the frames tell of; the one asked for when there is nothing behind it.
    pub after: Seq,
}

impl Reader {
    /// Opens the file of a store, to be read beside it.
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be opened.
    pub fn open(store: &SqliteStore) -> Result<Self, StoreError> {
        let (path, unflushed) =
            (store.path().to_owned(), store.transactions.index().unflushed_blocks());
        let database = store.writer.database;
        let told = store.told.clone();
        let mut reader = Self { path, database, unflushed, told, connection: None };
        // SQLite opens the WAL with the first read: a file that is moved away later is read on.
        reader.read(|connection| {
            let version = connection.pragma_query_value(None, "schema_version", |row| row.get(0));
            version.map(|_version: i64| ()).map_err(|cause| StoreError::new("began to read", cause))
        })?;
        Ok(reader)
    }

    /// The newest messages before a place, rising in seq, as many as a reply holds.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn history(&mut self, read: &HistoryRead) -> Result<HistoryPage, StoreError> {
        let before = read.before.min(read.as_of.next());
        let unflushed = self.unflushed.before(read.room.into(), before);
        let page = self.look(read.room.into(), unflushed, |index| history(index, read, before))?;
        for gap in page.gaps.iter().filter(|gap| gap.known_reason() == Some(GapReason::Unreadable))
        {
            self.tell(gap.log, Some(Damage { from: gap.from, to: gap.to }));
        }
        Ok(page)
    }

    /// The events of a log after `after`, as the frames that everyone gets: about `bytes_max` bytes
    /// of them, but at least one. The log is known to have come to `head` or further: where seqs up
    /// to there cannot be read, a [`chat_proto::Gap`] says so.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn events_after(
        &mut self,
        log: LogId,
        after: Seq,
        head: Seq,
        bytes_max: usize,
    ) -> Result<LogPage, StoreError> {
        let unflushed = self.unflushed.after(log, after);
        let frames = Frames::new(log, after);
        let (page, damage) =
            self.look(log, unflushed, |index| read_log(index, frames, head, bytes_max))?;
        self.tell(log, damage);
        Ok(page)
    }

    fn tell(&self, log: LogId, damage: Option<Damage>) {
        if let (Some(damage), Some(connection)) = (damage, &self.connection) {
            self.told.tell(connection, log, damage);
        }
    }

    /// Looks at the index of a log, of which the tables did not say `unflushed`.
    fn look<T>(
        &mut self,
        log: LogId,
        unflushed: Vec<Block>,
        look: impl FnOnce(&LogIndex<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.read(|connection| {
            let index = LogIndex::begin(connection, log, unflushed);
            look(&index.map_err(|cause| StoreError::new("began to read", cause))?)
        })
    }

    fn read<T>(
        &mut self,
        look: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let opened = |cause| StoreError::new("opened its file for reading", cause);
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect_reader(&self.path, self.database).map_err(opened)?,
        };
        // Dropped with its transaction when the look fails.
        let found = look(&connection)?;
        self.connection = Some(connection);
        Ok(found)
    }
}

fn read_log(
    index: &LogIndex<'_>,
    mut frames: Frames,
    head: Seq,
    bytes_max: usize,
) -> Result<(LogPage, Option<Damage>), StoreError> {
    let after = frames.after();
    match read_on(index, &mut frames, bytes_max) {
        Ok(()) => {}
        Err(ReadError::Failed(error)) => return Err(error),
        Err(ReadError::Damaged(error)) => {
            tracing::debug!(%error, log = %index.log(), "events are read one by one");
        }
    }
    // A damaged id ends a scan as its end does: what it did not bring is looked for by itself.
    let damage = match frames.len() < bytes_max || frames.after() == after {
        true => damage::read_around(index, &mut frames, head, bytes_max)?,
        false => None,
    };
    let (frames, after) = frames.finish();
    Ok((LogPage { frames, after }, damage))
}

/// Takes the events behind those that are there, while there is room.
fn read_on(index: &LogIndex<'_>, frames: &mut Frames, bytes_max: usize) -> Result<(), ReadError> {
    let (tables, unflushed) = (index.tables(), index.unflushed());
    let from = frames.after().next();
    if unflushed.first().is_none_or(|first| from.0 < first.first_seq) {
        let first = index.flushed_block_at(from)?.unwrap_or_default();
        let mut statement = tables.prepare_cached(&events_sql())?;
        let place = [index.log().0, first.first_seq, from.0].map(integer);
        if !take(frames, statement.query(place)?, bytes_max)? {
            return Ok(());
        }
    }
    let mut statement = tables.prepare_cached(&block_sql())?;
    for block in unflushed {
        // A flush in between has brought the tables what is here as well.
        let from = frames.after().next().max(Seq(block.first_seq));
        if from > block.last_seq() {
            continue;
        }
        let ids = [from, block.last_seq()].map(|seq| integer(block.id_of(seq)));
        if !take(frames, statement.query(ids)?, bytes_max)? {
            break;
        }
    }
    Ok(())
}

/// Takes events while there is room; tells whether there still is.
fn take(frames: &mut Frames, mut rows: Rows<'_>, bytes_max: usize) -> Result<bool, ReadError> {
    while let Some(row) = rows.next()? {
        frames.push(row).map_err(ReadError::Damaged)?;
        if frames.len() >= bytes_max {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The events of a block from one id to another.
fn block_sql() -> String {
    format!("SELECT {FRAME_COLUMNS} FROM events WHERE id BETWEEN ? AND ? ORDER BY id")
}

/// The events of a log (`?1`) from the block that begins at `?2` on, and there from the seq `?3`.
fn events_sql() -> String {
    format!(
        "SELECT {FRAME_COLUMNS} FROM blocks CROSS JOIN events \
         ON events.id BETWEEN blocks.first_id + max(0, ?3 - blocks.first_seq) \
                          AND blocks.first_id + blocks.events - 1 \
         WHERE blocks.log = ?1 AND blocks.first_seq >= ?2 \
         ORDER BY blocks.first_seq, events.id"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A search that read the log from its start, or sorted it, would pass every other test.
    #[test]
    fn a_page_is_searched_and_not_sorted() {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(include_str!("schema.sql")).unwrap();
        let mut plan = connection.prepare(&format!("EXPLAIN QUERY PLAN {}", events_sql())).unwrap();
        let steps = plan.query_map([1, 1, 1], |step| step.get::<_, String>(3)).unwrap();
        let expected = [
            "SEARCH blocks USING PRIMARY KEY (log=? AND first_seq>?)",
            "SEARCH events USING INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ];
        assert_eq!(steps.map(Result::unwrap).collect::<Vec<_>>(), expected);
    }
}
