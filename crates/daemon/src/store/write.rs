//! Staged records into tables. What is not a message, and not often, goes there at once; the rest
//! with the commit, many rows at a time.

mod removed_messages;

use std::collections::HashMap;
use std::sync::OnceLock;

use chat_core::{MessageColumns, OrderProgress, PastSend};
use chat_proto::{LogId, Seq};
use rusqlite::{CachedStatement, Connection, Result, ffi, params};

use super::progress;
use super::row::{integer, text_kind_column};
use super::row_buffer::{Post, Row, RowBuffer};

/// Messages of one statement: as many as there are, in as few statements.
const SIZES: [usize; 3] = [64, 16, 1];

/// How events of one kind are inserted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// Messages that are just said: nearly all. What they do not have is not bound.
    Plain,
    /// Messages of another kind, or that answer something.
    Full,
    /// What is no message.
    Other,
}

/// Says why a record cannot be put where it belongs.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// A gap here would be a gap for everyone.
    #[error("event {seq} does not follow event {head} of log {log}")]
    Hole { log: LogId, head: Seq, seq: Seq },
    /// A log that nothing has created, or that is created twice.
    #[error("event {seq} of log {log}: the first event creates a log, and no other")]
    Beginning { log: LogId, seq: Seq },
    /// Stored twice, or out of turn.
    #[error("send {n} is not behind send {high_water} of its stream")]
    Nonce { high_water: u64, n: u64 },
}

/// A transaction that is to be written, or was: nothing comes to it any more.
#[derive(Debug, Default)]
pub(super) struct ClosedTransaction {
    staged: RowBuffer,
    /// The id of its first event.
    first_id: u64,
    /// How far in the order it is; `None`: it has nothing of the order.
    progress: Option<OrderProgress>,
    /// Its rows in the order of their ids.
    order: OnceLock<Vec<usize>>,
    /// Where it has the sends of each stream's row.
    sends: OnceLock<HashMap<i64, usize>>,
}

impl ClosedTransaction {
    /// Of everything that was staged; the first event becomes the `first_id`th of all.
    pub(super) fn of(staged: RowBuffer, first_id: u64, progress: Option<OrderProgress>) -> Self {
        Self { staged, first_id, progress, ..Self::default() }
    }

    /// The id of its first event, or of the next one when it has none.
    pub(super) fn first_id(&self) -> u64 {
        self.first_id
    }

    pub(super) fn staged(&self) -> &RowBuffer {
        &self.staged
    }

    pub(super) fn into_staged(self) -> RowBuffer {
        self.staged
    }

    /// The rows in the order of their ids.
    pub(super) fn order(&self) -> &[usize] {
        self.order.get_or_init(|| self.staged.rows_by_log())
    }

    /// What a send of a stream's row has led to, if that is here.
    pub(super) fn past_send(&self, stream: i64, n: u64) -> Option<PastSend> {
        let sends = self.sends.get_or_init(|| {
            let sends = self.staged.sends().iter().enumerate();
            sends.map(|(at, sends)| (sends.stream, at)).collect()
        });
        self.staged.past_send(*sends.get(&stream)?, n)
    }

    /// Writes all of it.
    pub(super) fn write(&self, connection: &Connection) -> Result<()> {
        write_events(connection, &self.staged, self.order(), self.first_id)?;
        removed_messages::carry_out(connection, &self.staged)?;
        let last_event = self.first_id + self.order().len() as u64 - 1;
        let progress = self.progress.as_ref();
        progress.map_or(Ok(()), |progress| progress::write(connection, progress, last_event))
    }
}

/// The ids are not given: SQLite takes the next one, which it finds without a search, and is to have
/// taken those that are expected.
fn write_events(
    connection: &Connection,
    staged: &RowBuffer,
    order: &[usize],
    first_id: u64,
) -> Result<()> {
    let shape = |row: usize| Shape::of(staged.row(row));
    for rows in order.chunk_by(|a, b| shape(*a) == shape(*b)) {
        match shape(rows[0]) {
            Shape::Other => write_others(connection, staged, rows)?,
            shape @ (Shape::Plain | Shape::Full) => write_posts(connection, staged, shape, rows)?,
        }
    }
    let (taken, expected) = (connection.last_insert_rowid(), first_id + order.len() as u64 - 1);
    if !order.is_empty() && taken != integer(expected) {
        return Err(misplaced(taken, expected));
    }
    Ok(())
}

/// An event that is missing at the end would get another in its place.
fn misplaced(taken: i64, expected: u64) -> rusqlite::Error {
    let damaged = format!("the file is damaged: event {expected} would be event {taken}");
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), Some(damaged))
}

impl Shape {
    fn of(row: &Row) -> Self {
        match row.post.map(|post| post.message) {
            None => Self::Other,
            Some(message) if message.reply_to.is_some() => Self::Full,
            Some(message) if text_kind_column(message.text_kind).is_some() => Self::Full,
            Some(_) => Self::Plain,
        }
    }

    /// The head of the statement, what a row has in it, and how many parameters that are.
    fn posts(self) -> (&'static str, &'static str, usize) {
        match self {
            Self::Full => (
                "INSERT INTO events (log, seq, ts, kind, account, text, message_id, stream, n, \
                 digest, text_kind, reply_to) VALUES ",
                "(?, ?, ?, 'posted', ?, ?, ?, ?, ?, ?, ?, ?),",
                11,
            ),
            Self::Plain | Self::Other => (
                "INSERT INTO events (log, seq, ts, kind, account, text, message_id, stream, n, \
                 digest) VALUES ",
                "(?, ?, ?, 'posted', ?, ?, ?, ?, ?, ?),",
                9,
            ),
        }
    }
}

fn write_posts(
    connection: &Connection,
    staged: &RowBuffer,
    shape: Shape,
    mut rows: &[usize],
) -> Result<()> {
    let (head, values, parameters) = shape.posts();
    for size in SIZES {
        if rows.len() < size {
            continue;
        }
        let mut statement = connection.prepare_cached(&posts_sql(head, values, size))?;
        while let Some((some, rest)) = rows.split_at_checked(size) {
            for (at, row) in some.iter().enumerate() {
                bind_post(&mut statement, at * parameters, staged, staged.row(*row), shape)?;
            }
            statement.raw_execute()?;
            rows = rest;
        }
    }
    Ok(())
}

fn posts_sql(head: &str, values: &str, size: usize) -> String {
    let mut sql = String::with_capacity(head.len() + size * values.len());
    sql.push_str(head);
    sql.extend(std::iter::repeat_n(values, size));
    sql.pop();
    sql
}

fn bind_post(
    statement: &mut CachedStatement<'_>,
    bound: usize,
    staged: &RowBuffer,
    row: &Row,
    shape: Shape,
) -> Result<()> {
    let Some(Post { message, stream, n, digest }) = row.post else { return Ok(()) };
    let MessageColumns { id, text_kind, reply_to } = message;
    let account = row.account.map_or(0, |account| account.0);
    let numbers =
        [(1, row.log.0), (2, row.seq.0), (3, row.ts.0), (4, account), (8, n), (9, digest.0)];
    for (column, number) in numbers {
        statement.raw_bind_parameter(bound + column, integer(number))?;
    }
    statement.raw_bind_parameter(bound + 5, staged.words(row))?;
    statement.raw_bind_parameter(bound + 6, &id.0[..])?;
    statement.raw_bind_parameter(bound + 7, stream)?;
    if shape == Shape::Full {
        statement.raw_bind_parameter(bound + 10, text_kind_column(text_kind))?;
        statement.raw_bind_parameter(bound + 11, reply_to.map(|event| integer(event.seq().0)))?;
    }
    Ok(())
}

fn write_others(connection: &Connection, staged: &RowBuffer, rows: &[usize]) -> Result<()> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO events \
         (log, seq, ts, kind, account, room, name, done_by, number, credential, invitation, uses, \
          expires_ts) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for row in rows {
        let row = staged.row(*row);
        let name = Some(staged.words(row)).filter(|name| !name.is_empty());
        let invitation = row.invitation.as_deref();
        let terms = invitation.and_then(|invitation| invitation.terms);
        statement.execute(params![
            integer(row.log.0),
            integer(row.seq.0),
            integer(row.ts.0),
            row.kind,
            row.account.map(|account| integer(account.0)),
            row.room.map(|room| integer(room.0)),
            name,
            row.done_by.map(|account| integer(account.0)),
            row.number.map(integer),
            row.credential.as_deref(),
            invitation.map(|invitation| integer(invitation.id.0)),
            terms.map(|(uses, _expires)| uses),
            terms.map(|(_uses, expires)| integer(expires.0)),
        ])?;
    }
    Ok(())
}
