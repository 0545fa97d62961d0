//! Rows of the table `events` as the frames that everyone gets, with as little in between as can
//! be: a replay is as fast as this.

use chat_core::StoreError;
use chat_proto::{
    AccountCreated, AccountId, AccountRenamed, Body, Gap, GapReason, Joined, Left, LogId,
    MessageId, Posted, RequestId, RoomCreated, RoomId, RoomJoined, RoomLeft, Seq, TextBody,
    Timestamp, encode_frame,
};
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::row::{
    ACCOUNT_CREATED, ACCOUNT_RENAMED, JOINED, LEFT, POSTED, ROOM_CREATED, ROOM_JOINED, ROOM_LEFT,
    text_kind, unsigned,
};

/// The columns that [`Frames::push`] reads, in its order.
pub(super) const FRAME_COLUMNS: &str = "events.log, events.seq, events.ts, events.kind, \
     events.account, events.text, events.message_id, events.room, events.name, events.text_kind, \
     events.reply_to";

/// A run of a log's frames that grows.
#[derive(Debug)]
pub(super) struct Frames {
    log: LogId,
    bytes: Vec<u8>,
    after: Seq,
    /// One for all messages.
    text: String,
}

impl Frames {
    pub(super) fn new(log: LogId, after: Seq) -> Self {
        Self { log, bytes: Vec::new(), after, text: String::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The frames, and the last seq that they tell of.
    pub(super) fn finish(self) -> (Vec<u8>, Seq) {
        (self.bytes, self.after)
    }

    /// The next event of the log.
    ///
    /// # Errors
    /// [`StoreError`] when the row is another one, or damaged; the run is as it was before.
    pub(super) fn push(&mut self, row: &Row<'_>) -> Result<(), StoreError> {
        let (bytes, after) = (self.bytes.len(), self.after);
        let pushed = self.try_push(row);
        if pushed.is_err() {
            self.bytes.truncate(bytes);
            self.after = after;
        }
        pushed
    }

    fn try_push(&mut self, row: &Row<'_>) -> Result<(), StoreError> {
        let read = |cause| StoreError::new("read an event", cause);
        let (log, seq) = (unsigned(row.get(0).map_err(read)?), unsigned(row.get(1).map_err(read)?));
        if log != self.log.0 || seq != self.after.next().0 {
            let cause = format!(
                "the file is damaged: event {seq} of log {log} was found behind event {} of log {}",
                self.after, self.log
            );
            return Err(StoreError::new("read an event", cause));
        }
        if row.get_ref(3).map_err(read)? == ValueRef::Text(POSTED.as_bytes())
            && row.get_ref(5).map_err(read)? == ValueRef::Null
        {
            // Its text was taken away.
            self.tell_gap(Seq(seq), GapReason::Deleted);
            return Ok(());
        }
        self.after = Seq(seq);
        let known = self.encode(row).map_err(read)?;
        match known {
            true => Ok(()),
            false => {
                let kind: String = row.get(3).map_err(read)?;
                let cause = format!("its kind {kind:?} is not one that this version knows");
                Err(StoreError::new("read an event", cause))
            }
        }
    }

    /// The last seq that they tell of so far.
    pub(super) fn after(&self) -> Seq {
        self.after
    }

    /// What was read right behind them.
    pub(super) fn extend(&mut self, next: &Self) {
        debug_assert_eq!((next.log, next.after), (self.log, self.after.next()), "one more event");
        self.bytes.extend_from_slice(&next.bytes);
        self.after = next.after;
    }

    /// Says that what follows, up to `to`, is missing, if there is any.
    pub(super) fn tell_gap(&mut self, to: Seq, reason: GapReason) {
        if to > self.after {
            let from = self.after.next();
            let gap = Gap { log: self.log, from, to, reason: reason as u16 };
            self.put(&gap);
            self.after = to;
        }
    }

    /// Tells whether the kind is known.
    fn encode(&mut self, row: &Row<'_>) -> rusqlite::Result<bool> {
        let kind = row.get_ref(3)?.as_bytes()?;
        if kind == POSTED.as_bytes() {
            return self.encode_posted(row).map(|()| true);
        }
        let kind = std::str::from_utf8(kind).unwrap_or_default();
        let seq = self.after;
        let ts = Timestamp(unsigned(row.get(2)?));
        let (room, own) = (RoomId(self.log.0), AccountId(self.log.0));
        let account = || row.get(4).map(|id| AccountId(unsigned(id)));
        let name = || row.get::<_, String>(8);
        let place = || row.get(7).map(|id| RoomId(unsigned(id)));
        match kind {
            ACCOUNT_CREATED => {
                self.put(&AccountCreated { account: own, seq, ts, name: name()? });
            }
            ACCOUNT_RENAMED => {
                self.put(&AccountRenamed { account: own, seq, ts, name: name()? });
            }
            ROOM_JOINED => self.put(&RoomJoined { account: own, seq, ts, room: place()? }),
            ROOM_LEFT => self.put(&RoomLeft { account: own, seq, ts, room: place()? }),
            ROOM_CREATED => {
                let by = row.get::<_, Option<i64>>(4)?.map_or(0, unsigned);
                self.put(&RoomCreated { room, seq, ts, by: AccountId(by), name: name()? });
            }
            JOINED => self.put(&Joined { room, seq, ts, account: account()? }),
            LEFT => self.put(&Left { room, seq, ts, account: account()? }),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn encode_posted(&mut self, row: &Row<'_>) -> rusqlite::Result<()> {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        text.push_str(row.get_ref(5)?.as_str()?);
        let posted = Posted {
            room: RoomId(self.log.0),
            seq: self.after,
            ts: Timestamp(unsigned(row.get(2)?)),
            from: AccountId(unsigned(row.get(4)?)),
            id: MessageId(row.get(6)?),
            body: TextBody {
                kind: text_kind(row.get(9)?),
                text,
                reply_to: row.get::<_, Option<i64>>(10)?.map(|seq| Seq(unsigned(seq))),
                context: None,
            },
        };
        self.put(&posted);
        self.text = posted.body.text;
        Ok(())
    }

    fn put<B: Body>(&mut self, body: &B) {
        encode_frame(body, RequestId(0), &mut self.bytes)
            .expect("names and texts are far under the frame limit once they are in an event");
    }
}
