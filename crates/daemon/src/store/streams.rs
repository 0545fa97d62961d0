//! How far each stream has been decided. Known streams need no SQL.

use std::cell::RefCell;
use std::collections::HashMap;

use chat_proto::{AccountId, Nonce, RoomId, StreamId};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::committer::WriteConnection;
use super::index::Index;
use super::row::{integer, unsigned};
use super::row_buffer::RowBuffer;
use super::write::WriteError;

/// Streams that are known. When there are more, all are forgotten; the next send of one costs a
/// search.
const STREAMS_MAX: usize = 65_536;

/// What is known. It goes ahead of the file by the open transaction and the one under way.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Lookups learn, too.
    known: RefCell<Known>,
    /// Counts transactions, from 1.
    transaction: u64,
}

type Key = (AccountId, StreamId);

/// The streams that are known.
#[derive(Debug, Default)]
struct Known {
    marks: Vec<StreamMark>,
    places: HashMap<Key, usize>,
    /// The one that was asked for last: sends of one stream come together.
    last: Option<(Key, usize)>,
}

/// A stream, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct StreamMark {
    /// `None`: it is new.
    pub(super) bound: Option<Bound>,
    pub(super) high_water: u64,
    /// The transaction that moved it last, and where that has its sends.
    moved: (u64, usize),
}

/// What a stream's first send has settled for ever.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound {
    /// The stream's row.
    row: i64,
    pub(super) room: RoomId,
}

impl StreamMark {
    const NEW: Self = Self { bound: None, high_water: 0, moved: (0, 0) };

    /// The stream's row; `None`: it is new.
    pub(super) fn row(&self) -> Option<i64> {
        self.bound.map(|bound| bound.row)
    }
}

impl Streams {
    /// What is known of a stream, or can be found out.
    pub(super) fn look(
        &self,
        connection: &WriteConnection,
        index: &Index,
        account: AccountId,
        stream: StreamId,
    ) -> Result<StreamMark> {
        if let Some(mark) = self.known.borrow_mut().find((account, stream)) {
            return Ok(*mark);
        }
        let mark = find(&connection.lock(), index, account, stream)?;
        self.known.borrow_mut().insert((account, stream), mark);
        Ok(mark)
    }

    /// Where the open transaction has the sends of a stream.
    pub(super) fn sends(&self, mark: StreamMark) -> Option<usize> {
        let (transaction, sends) = mark.moved;
        (transaction == self.transaction + 1).then_some(sends)
    }

    /// A stream's high-water mark moves, only ever by one. Tells the stream's row, and where the
    /// transaction has its sends.
    pub(super) fn decide(
        &mut self,
        connection: &WriteConnection,
        index: &Index,
        staged: &mut RowBuffer,
        (account, room): (AccountId, RoomId),
        nonce: Nonce,
    ) -> Result<(i64, usize), WriteError> {
        let now = self.transaction + 1;
        let known = self.known.get_mut();
        let key = (account, nonce.stream);
        if known.find(key).is_none() {
            known.insert(key, find(&connection.lock(), index, account, nonce.stream)?);
        }
        let mark = known.find(key).expect("it has just been learnt");
        if nonce.n != mark.high_water + 1 {
            return Err(WriteError::Nonce { high_water: mark.high_water, n: nonce.n });
        }
        let Bound { row, .. } = match mark.bound {
            Some(bound) => bound,
            None => {
                let transaction = connection.in_transaction()?;
                let row = begin(&transaction, (account, room), nonce.stream)?;
                *mark.bound.insert(Bound { row, room })
            }
        };
        if mark.moved.0 != now {
            mark.moved = (now, staged.begin_sends(row, nonce.n));
        }
        mark.high_water = nonce.n;
        Ok((row, mark.moved.1))
    }

    /// The transaction is closed: the next send is one of another.
    pub(super) fn turn_over(&mut self) {
        self.transaction += 1;
    }

    /// Whether more are known than may be between transactions.
    pub(super) fn is_overfull(&self) -> bool {
        self.known.borrow().marks.len() > STREAMS_MAX
    }

    /// Between transactions: forgets all when it is too much.
    pub(super) fn trim(&mut self) {
        if self.is_overfull() {
            self.forget();
        }
    }

    /// The transaction is lost.
    pub(super) fn forget(&mut self) {
        *self.known.get_mut() = Known::default();
    }
}

impl Known {
    fn find(&mut self, key: Key) -> Option<&mut StreamMark> {
        let place = match self.last {
            Some((last, place)) if last == key => place,
            _ => *self.places.get(&key)?,
        };
        self.last = Some((key, place));
        self.marks.get_mut(place)
    }

    fn insert(&mut self, key: Key, mark: StreamMark) {
        self.places.insert(key, self.marks.len());
        self.marks.push(mark);
    }
}

fn find(
    connection: &Connection,
    index: &Index,
    account: AccountId,
    stream: StreamId,
) -> Result<StreamMark> {
    let found = connection
        .prepare_cached(
            "SELECT id, room, \
               (SELECT last_n FROM nonces WHERE stream = id ORDER BY first_n DESC LIMIT 1), \
               (SELECT n FROM refused_sends WHERE stream = id ORDER BY n DESC LIMIT 1) \
             FROM streams WHERE account = ? AND streams.stream = ?",
        )?
        .query_row(params![integer(account.0), stream.0], |row| {
            let stream = row.get(0)?;
            let bound = Bound { row: stream, room: RoomId(unsigned(row.get(1)?)) };
            let flushed = row.get::<_, Option<i64>>(2)?.map_or(0, unsigned);
            let posted = index.last_posted(stream).unwrap_or(flushed);
            let refused = row.get::<_, Option<i64>>(3)?.map_or(0, unsigned);
            Ok(StreamMark {
                bound: Some(bound),
                high_water: posted.max(refused),
                ..StreamMark::NEW
            })
        })
        .optional()?;
    Ok(found.unwrap_or(StreamMark::NEW))
}

fn begin(
    connection: &Connection,
    (account, room): (AccountId, RoomId),
    stream: StreamId,
) -> Result<i64> {
    connection
        .prepare_cached("INSERT INTO streams (account, stream, room) VALUES (?, ?, ?)")?
        .insert(params![integer(account.0), stream.0, integer(room.0)])
}
