//! Reading history, beside the writer. A read sees what is committed; no read transaction outlives
//! the call, so the WAL can always be emptied.

use std::path::{Path, PathBuf};

use chat_core::{HistoryRead, StoreError};
use chat_proto::limits::HISTORY_TEXT_BYTES_MAX;
use chat_proto::{
    AccountId, Gap, HistoryPage, List, LogId, Message, MessageId, RequestId, Seq, Timestamp,
    encode_frame,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::connection::connect_reader;
use super::row::{EVENT_COLUMNS, event_of, integer, unsigned};

/// A connection that can only read. One thread uses it at a time.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    /// `None` after a failure: the next read opens the file again.
    connection: Option<Connection>,
}

/// A run of a log's frames, from disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogPage {
    /// Whole frames: the events, and a [`Gap`] where some are gone.
    pub frames: Vec<u8>,
    /// The last seq that the frames tell of; the one asked for when there is nothing behind it.
    pub after: Seq,
}

impl Reader {
    /// Opens the file of a [`super::SqliteStore`].
    ///
    /// # Errors
    /// [`StoreError`] when it cannot be opened.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut reader = Self { path: path.to_owned(), connection: None };
        reader.read(|_connection| Ok(()))?;
        Ok(reader)
    }

    /// The newest messages before a place, rising in seq, as many as a reply holds.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn history(&mut self, read: &HistoryRead) -> Result<HistoryPage, StoreError> {
        self.read(|connection| history(connection, read))
    }

    /// The events of a log after `after`, as the frames that everyone gets: about `bytes_max`
    /// bytes of them, but at least one. Where seqs are missing, a [`Gap`] says so.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub fn events_after(
        &mut self,
        log: LogId,
        after: Seq,
        bytes_max: usize,
    ) -> Result<LogPage, StoreError> {
        self.read(|connection| events_after(connection, log, after, bytes_max))
    }

    fn read<T>(
        &mut self,
        look: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let opened = |cause| StoreError::new("opened its file for reading", cause);
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => connect_reader(&self.path).map_err(opened)?,
        };
        // Dropped with its transaction when the look fails.
        let found = look(&connection)?;
        self.connection = Some(connection);
        Ok(found)
    }
}

fn history(connection: &Connection, read: &HistoryRead) -> Result<HistoryPage, StoreError> {
    let failed = |cause| StoreError::new("read a page of history", cause);
    let before = read.before.min(read.as_of.next());
    let mut statement = connection
        .prepare_cached(
            "SELECT seq, ts, account, message_id, text FROM events \
             WHERE log = ? AND seq < ? AND kind = 'posted' ORDER BY seq DESC LIMIT ?",
        )
        .map_err(failed)?;
    let limit = integer(read.limit as u64 + 1);
    let mut rows =
        statement.query(params![integer(read.room.0), integer(before.0), limit]).map_err(failed)?;
    let (mut messages, mut bytes, mut more) = (Vec::new(), 0, false);
    while let Some(row) = rows.next().map_err(failed)? {
        let message = message(row).map_err(failed)?;
        bytes += message.text.len();
        if messages.len() == read.limit || bytes > HISTORY_TEXT_BYTES_MAX {
            more = true;
            break;
        }
        messages.push(message);
    }
    messages.reverse();
    let HistoryRead { room, epoch, as_of, .. } = *read;
    Ok(HistoryPage { room, epoch, as_of, messages: List::first_of(messages), more })
}

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        seq: Seq(unsigned(row.get(0)?)),
        ts: Timestamp(unsigned(row.get(1)?)),
        from: AccountId(unsigned(row.get(2)?)),
        id: MessageId(row.get(3)?),
        text: row.get(4)?,
    })
}

fn events_after(
    connection: &Connection,
    log: LogId,
    after: Seq,
    bytes_max: usize,
) -> Result<LogPage, StoreError> {
    let failed = |cause| StoreError::new("read a log", cause);
    // One moment for the head and the events: nothing is a gap that was committed in between.
    let moment = connection.unchecked_transaction().map_err(failed)?;
    let head = head(&moment, log).map_err(failed)?;
    let mut page = LogPage { frames: Vec::new(), after };
    let sql = format!(
        "SELECT {EVENT_COLUMNS} FROM events WHERE events.log = ? AND events.seq > ? \
         ORDER BY events.seq"
    );
    let mut statement = moment.prepare_cached(&sql).map_err(failed)?;
    let mut rows = statement.query([integer(log.0), integer(after.0)]).map_err(failed)?;
    while page.frames.is_empty() || page.frames.len() < bytes_max {
        let Some(row) = rows.next().map_err(failed)? else {
            page.tell_gap(log, head);
            break;
        };
        let event = event_of(row)?;
        page.tell_gap(log, Seq(event.seq.0 - 1));
        event.encode(&mut page.frames);
        page.after = event.seq;
    }
    Ok(page)
}

fn head(connection: &Connection, log: LogId) -> rusqlite::Result<Seq> {
    let head = connection
        .prepare_cached("SELECT head FROM logs WHERE id = ?")?
        .query_row([integer(log.0)], |row| row.get(0).map(unsigned))
        .optional()?;
    Ok(Seq(head.unwrap_or(0)))
}

impl LogPage {
    /// Says that what follows `after`, up to `to`, is gone, if there is any.
    fn tell_gap(&mut self, log: LogId, to: Seq) {
        if to > self.after {
            let gap = Gap { log, from: self.after.next(), to };
            encode_frame(&gap, RequestId(0), &mut self.frames).expect("three numbers fit a frame");
            self.after = to;
        }
    }
}
