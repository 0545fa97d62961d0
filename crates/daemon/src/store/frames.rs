//! Rows of the table `events` as the frames that everyone gets, with as little in between as can
//! be: a replay is as fast as this.

use chat_core::{Columns, EventKind, EventRow, InvitationColumns, MessageColumns, StoreError};
use chat_proto::{
    AccountId, Gap, GapReason, InvitationId, LogId, MessageId, RequestId, RoomId, Seq, Timestamp,
    encode_frame,
};
use rusqlite::Row;
use rusqlite::types::ValueRef;

use super::row::{credential, event_seq, text_kind, unsigned};

/// The columns that [`Frames::push`] reads, in its order.
pub(super) const FRAME_COLUMNS: &str = "events.log, events.seq, events.ts, events.kind, \
     events.account, events.text, events.message_id, events.room, events.name, events.text_kind, \
     events.reply_to, events.done_by, events.number, events.credential, events.invitation, \
     events.uses, events.expires_ts";

/// A run of a log's frames that grows.
#[derive(Debug)]
pub(super) struct Frames {
    log: LogId,
    bytes: Vec<u8>,
    after: Seq,
}

impl Frames {
    pub(super) fn new(log: LogId, after: Seq) -> Self {
        Self { log, bytes: Vec::new(), after }
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
        let kind = row.get_ref(3).and_then(|kind| Ok(kind.as_str()?)).map_err(read)?;
        let Some(kind) = EventKind::of_name(kind) else {
            let cause = format!("its kind {kind:?} is not one that this version knows");
            return Err(StoreError::new("read an event", cause));
        };
        let text = row.get_ref(5).map_err(read)?;
        if kind == EventKind::Posted && text == ValueRef::Null {
            // Its text was taken away.
            self.tell_gap(Seq(seq), GapReason::Deleted);
            return Ok(());
        }
        self.after = Seq(seq);
        let columns = columns(row, kind).map_err(read)?;
        let ts = Timestamp(unsigned(row.get(2).map_err(read)?));
        let row = EventRow { log: self.log, seq: self.after, ts, kind, columns };
        row.encode(&mut self.bytes).map_err(|cause| StoreError::new("read an event", cause))
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
            encode_frame(&gap, RequestId(0), &mut self.bytes).expect("it is a few numbers");
            self.after = to;
        }
    }
}

/// What a row says behind its kind, read where it lies.
fn columns<'a>(row: &'a Row<'_>, kind: EventKind) -> rusqlite::Result<Columns<'a>> {
    let account = row.get::<_, Option<i64>>(4)?.map(|id| AccountId(unsigned(id)));
    if kind == EventKind::Posted {
        let message = MessageColumns {
            id: MessageId(row.get(6)?),
            text_kind: text_kind(row.get(9)?),
            reply_to: event_seq(row.get(10)?),
        };
        let words = row.get_ref(5)?.as_str_or_null()?;
        return Ok(Columns { account, words, message: Some(message), ..Columns::default() });
    }
    let room = row.get::<_, Option<i64>>(7)?.map(|id| RoomId(unsigned(id)));
    let words = row.get_ref(8)?.as_str_or_null()?;
    let by = row.get::<_, Option<i64>>(11)?.map(|id| AccountId(unsigned(id)));
    let number = row.get::<_, Option<i64>>(12)?.map(unsigned);
    let credential = credential(row.get(13)?);
    let invitation = invitation(row)?;
    Ok(Columns { account, by, room, words, number, credential, message: None, invitation })
}

fn invitation(row: &Row<'_>) -> rusqlite::Result<Option<InvitationColumns>> {
    let Some(id) = row.get::<_, Option<i64>>(14)? else { return Ok(None) };
    let (uses, expires) = (row.get::<_, Option<u32>>(15)?, row.get::<_, Option<i64>>(16)?);
    let expires = expires.map(|expires| Timestamp(unsigned(expires)));
    let id = InvitationId(unsigned(id));
    Ok(Some(InvitationColumns { id, terms: uses.zip(expires) }))
}
