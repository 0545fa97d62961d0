//! How far each stream has been posted, with the open transaction and the one under way. Known
//! streams need no SQL.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use chat_proto::{AccountId, Nonce, RoomId, StreamId};
use rusqlite::{Connection, OptionalExtension, Result, params};

use super::unflushed::UnflushedIndex;
use crate::store::committer::WriteConnection;
use crate::store::row::{integer, unsigned};
use crate::store::write::WriteError;

/// Streams that are known. When there are more, all are forgotten; the next send of one costs a
/// search. Each has a row: whoever makes so many known has written as much.
const STREAMS_MAX: usize = 65_536;

/// Streams of which nothing has been decided that are remembered as such. They are made up for
/// nothing, so that they must not take the place of those that are there: when there are more, they
/// alone are forgotten.
const NEW_STREAMS_MAX: usize = 1024;

/// What is known. It goes ahead of the file by the open transaction and the one under way.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Lookups learn, too.
    known: RefCell<KnownStreams>,
}

type Key = (AccountId, StreamId);

/// The streams that are known.
#[derive(Debug, Default)]
struct KnownStreams {
    marks: Vec<StreamMark>,
    places: HashMap<Key, usize>,
    /// The one that was asked for last: sends of one stream come together.
    last: Option<(Key, usize)>,
    /// Those that are not there: a send that is refused and comes again costs no other search.
    new: HashSet<Key>,
}

/// A stream, as far as it is known.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct StreamMark {
    /// `None`: it is new.
    pub(in crate::store) bound: Option<Bound>,
    /// The largest `n` that was posted.
    pub(in crate::store) high_water: u64,
    /// The number of the transaction that moved it last, from 1, and where that has its sends. It is
    /// here so that a send costs one search.
    staged: (u64, usize),
}

/// What a stream's first message has settled for ever.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Bound {
    /// The stream's row.
    row: i64,
    pub(in crate::store) room: RoomId,
}

impl StreamMark {
    const NEW: Self = Self { bound: None, high_water: 0, staged: (0, 0) };

    /// The stream's row; `None`: it is new.
    pub(in crate::store) fn row(&self) -> Option<i64> {
        self.bound.map(|bound| bound.row)
    }

    /// Where a transaction has the sends of the stream, if it has any and none came later.
    pub(in crate::store) fn staged_in(&self, transaction: u64) -> Option<usize> {
        debug_assert!(self.staged.0 <= transaction, "no transaction is opened again");
        (self.staged.0 == transaction).then_some(self.staged.1)
    }

    /// A transaction has the sends of the stream from now on, at this place.
    pub(in crate::store) fn stage_in(&mut self, transaction: u64, place: usize) {
        self.staged = (transaction, place);
    }
}

impl Streams {
    /// What is known of a stream, or can be found out.
    pub(super) fn look(
        &self,
        table: &WriteConnection,
        unflushed: &UnflushedIndex,
        account: AccountId,
        stream: StreamId,
    ) -> Result<StreamMark> {
        let (mut known, key) = (self.known.borrow_mut(), (account, stream));
        if let Some(mark) = known.find(key) {
            return Ok(*mark);
        }
        if known.new.contains(&key) {
            return Ok(StreamMark::NEW);
        }
        let mark = find(&table.lock(), unflushed, account, stream)?;
        match mark.bound {
            Some(_) => known.insert(key, mark),
            None => known.insert_new(key),
        }
        Ok(mark)
    }

    /// See [`super::Index::push_send`].
    pub(super) fn push(
        &mut self,
        table: &WriteConnection,
        unflushed: &UnflushedIndex,
        (account, room): (AccountId, RoomId),
        nonce: Nonce,
    ) -> Result<(i64, &mut StreamMark), WriteError> {
        let known = self.known.get_mut();
        let key = (account, nonce.stream);
        if known.find(key).is_none() {
            let mark = match known.new.remove(&key) {
                true => StreamMark::NEW,
                false => find(&table.lock(), unflushed, account, nonce.stream)?,
            };
            known.insert(key, mark);
        }
        let mark = known.find(key).expect("it has just been learnt");
        // Whether all in between was refused is for the state to know.
        if nonce.n <= mark.high_water {
            return Err(WriteError::Nonce { high_water: mark.high_water, n: nonce.n });
        }
        let Bound { row, .. } = match mark.bound {
            Some(bound) => bound,
            None => {
                let transaction = table.in_transaction()?;
                let row = begin(&transaction, (account, room), nonce.stream)?;
                *mark.bound.insert(Bound { row, room })
            }
        };
        mark.high_water = nonce.n;
        Ok((row, mark))
    }

    /// Whether more are known than may be between transactions.
    pub(super) fn is_overfull(&self) -> bool {
        self.known.borrow().marks.len() > STREAMS_MAX
    }

    /// What goes ahead of the file is lost, or there is too much of it.
    pub(super) fn forget(&mut self) {
        *self.known.get_mut() = KnownStreams::default();
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.borrow().marks.is_empty()
    }
}

impl KnownStreams {
    fn find(&mut self, key: Key) -> Option<&mut StreamMark> {
        let place = match self.last {
            Some((last, place)) if last == key => place,
            _ => *self.places.get(&key)?,
        };
        self.last = Some((key, place));
        self.marks.get_mut(place)
    }

    fn insert(&mut self, key: Key, mark: StreamMark) {
        let before = self.places.insert(key, self.marks.len());
        debug_assert!(before.is_none(), "what goes ahead of the file is never looked up anew");
        debug_assert!(!self.new.contains(&key), "a stream that is there is not new");
        self.marks.push(mark);
    }

    /// Remembers that a stream is not there.
    fn insert_new(&mut self, key: Key) {
        if self.new.len() >= NEW_STREAMS_MAX {
            self.new.clear();
        }
        self.new.insert(key);
    }
}

fn find(
    connection: &Connection,
    unflushed: &UnflushedIndex,
    account: AccountId,
    stream: StreamId,
) -> Result<StreamMark> {
    let found = connection
        .prepare_cached(
            "SELECT id, room, \
               (SELECT last_n FROM nonces WHERE stream = id ORDER BY first_n DESC LIMIT 1) \
             FROM streams WHERE account = ? AND streams.stream = ?",
        )?
        .query_row(params![integer(account.0), stream.0], |row| {
            let stream = row.get(0)?;
            let room = RoomId(row.get::<_, i64>(1)?.cast_unsigned());
            let bound = Bound { row: stream, room };
            let flushed = row.get::<_, Option<i64>>(2)?.map_or(0, unsigned);
            let high_water = unflushed.last_n(stream).unwrap_or(flushed);
            Ok(StreamMark { bound: Some(bound), high_water, ..StreamMark::NEW })
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
        .insert(params![integer(account.0), stream.0, room.0.cast_signed()])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: u128) -> Key {
        (AccountId(1), StreamId(number.to_le_bytes()))
    }

    #[test]
    fn streams_that_are_made_up_take_no_room_of_those_that_are_there() {
        let mut known = KnownStreams::default();
        let bound = Some(Bound { row: 1, room: RoomId(1) });
        known.insert(key(0), StreamMark { bound, high_water: 9, ..StreamMark::NEW });
        for number in 1..=10 * NEW_STREAMS_MAX as u128 {
            known.insert_new(key(number));
            assert!(known.new.contains(&key(number)), "the next of it costs no search");
        }
        assert!(known.new.len() <= NEW_STREAMS_MAX, "{}", known.new.len());
        assert_eq!(known.marks.len(), 1);
        assert_eq!(known.find(key(0)).map(|mark| mark.high_water), Some(9));
    }
}
