//! A page of history: the newest messages before a place, over what cannot be read.

use chat_core::{EventKind, HistoryRead, LogOwner, StoreError};
use chat_proto::limits::{HISTORY_GAPS_MAX, HISTORY_TEXT_BYTES_MAX};
use chat_proto::{
    AccountId, Gap, GapReason, HistoryPage, List, LogId, Message, MessageId, Seq, TextBody,
    Timestamp,
};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use super::damage;
use super::index::{Block, LogIndex};
use super::read_error::is_damage;
use super::row::{event_seq, integer, text_kind, unsigned};

/// A page of history that grows downwards.
struct PageBuilder {
    messages: Vec<Message>,
    bytes: usize,
    limit: usize,
    /// There is more than it holds.
    more: bool,
    log: LogId,
    gaps: Vec<Gap>,
    /// Events that were looked for one by one, in vain.
    missed: usize,
}

/// What is found in the place of an event.
enum FoundEvent {
    Message(Message),
    /// An event of a room that is no message.
    Notice,
    /// Another event, or nothing that a room has.
    Other,
}

pub(super) fn history(
    index: &LogIndex<'_>,
    read: &HistoryRead,
    before: Seq,
) -> Result<HistoryPage, StoreError> {
    let failed = |cause| StoreError::new("read a page of history", cause);
    let mut page = PageBuilder {
        messages: Vec::new(),
        bytes: 0,
        limit: read.limit,
        more: false,
        log: index.log(),
        gaps: Vec::new(),
        missed: 0,
    };
    let mut place = before.0.saturating_sub(1);
    while place > 0 && !page.more {
        place = match index.block_at(Seq(place)) {
            Ok(Some(block)) if block.holds(Seq(place)) => {
                page.take_block(index.tables(), block, place).map_err(failed)?
            }
            // Each event is in a block: the row of this one is damaged.
            Ok(block) => {
                let last = block.map_or(0, |block| block.last_seq().0).min(place - 1);
                page.miss(Seq(last + 1), Seq(place));
                last
            }
            Err(error) if is_damage(&error) => {
                page.miss(Seq(place), Seq(place));
                place - 1
            }
            Err(error) => return Err(failed(error)),
        };
        page.more |= place > 0 && page.is_full_of_gaps();
    }
    if !page.gaps.is_empty() && damage::is_gone(index)? {
        page.gaps.iter_mut().for_each(|gap| gap.reason = GapReason::Deleted as u16);
    }
    page.messages.reverse();
    let HistoryRead { room, epoch, as_of, .. } = *read;
    let (messages, gaps) = (List::first_of(page.messages), List::first_of(page.gaps));
    Ok(HistoryPage { room, epoch, as_of, messages, more: page.more, gaps })
}

impl PageBuilder {
    /// Takes the messages of a block from a place downwards, over what cannot be read. Tells where
    /// to go on.
    fn take_block(
        &mut self,
        moment: &Connection,
        block: Block,
        place: u64,
    ) -> rusqlite::Result<u64> {
        if block.last_post < block.first_seq {
            // Nobody said anything in it: what came before was said here.
            return Ok(block.last_post);
        }
        let place = place.min(block.last_post);
        match self.read_block(moment, block, place) {
            Ok(true) => {}
            Err(error) if !is_damage(&error) => return Err(error),
            Ok(false) | Err(_) => self.read_around(moment, block, place)?,
        }
        Ok(block.first_seq - 1)
    }

    /// Takes the messages of a block from a place downwards, as many as there is room for. Tells
    /// whether all events were there that the block has: a damaged id ends a scan as its end does.
    fn read_block(
        &mut self,
        connection: &Connection,
        block: Block,
        place: u64,
    ) -> rusqlite::Result<bool> {
        let mut statement = connection.prepare_cached(
            "SELECT log, seq, kind, ts, account, message_id, text, text_kind, reply_to FROM events \
             WHERE id BETWEEN ? AND ? ORDER BY id DESC",
        )?;
        let ids = [block.first_id, block.id_of(Seq(place))];
        let mut rows = statement.query(ids.map(integer))?;
        let mut awaited = place;
        while let Some(row) = rows.next()? {
            match found(row, self.log, Seq(awaited))? {
                FoundEvent::Message(message) => {
                    if !self.push(message) {
                        return Ok(true);
                    }
                }
                FoundEvent::Notice => {}
                FoundEvent::Other => return Ok(false),
            }
            awaited -= 1;
        }
        Ok(awaited < block.first_seq)
    }

    /// The same where some of the block cannot be read: event by event, over what is damaged.
    fn read_around(
        &mut self,
        connection: &Connection,
        block: Block,
        place: u64,
    ) -> rusqlite::Result<()> {
        // What was read of it before the damage showed is read again; not what lies above it.
        let is_read_again = |seq: Seq| (block.first_seq..=place).contains(&seq.0);
        while let Some(last) = self.messages.pop_if(|last| is_read_again(last.seq)) {
            self.bytes -= last.body.text.len();
        }
        self.more = false;
        let mut statement = connection.prepare_cached(
            "SELECT log, seq, kind, ts, account, message_id, text, text_kind, reply_to FROM events \
             WHERE id = ?",
        )?;
        for seq in (block.first_seq..=place).rev().map(Seq) {
            let id = integer(block.id_of(seq));
            match statement.query_row([id], |row| found(row, self.log, seq)) {
                Ok(FoundEvent::Message(message)) => {
                    if !self.push(message) {
                        break;
                    }
                }
                Ok(FoundEvent::Notice) => {}
                // Its block has it there.
                Ok(FoundEvent::Other) | Err(rusqlite::Error::QueryReturnedNoRows) => {
                    self.miss(seq, seq);
                }
                Err(error) if is_damage(&error) => self.miss(seq, seq),
                Err(error) => return Err(error),
            }
            if seq > Seq(1) && self.is_full_of_gaps() {
                // The next page tells the rest; what this one has ends above it.
                self.more = true;
                break;
            }
        }
        Ok(())
    }

    /// Takes a message unless the page is full; then there is more.
    fn push(&mut self, message: Message) -> bool {
        debug_assert!(self.messages.last().is_none_or(|last| last.seq > message.seq), "downwards");
        let bytes = self.bytes + message.body.text.len();
        self.more = self.messages.len() == self.limit || bytes > HISTORY_TEXT_BYTES_MAX;
        if !self.more {
            self.bytes = bytes;
            self.messages.push(message);
        }
        !self.more
    }

    /// Events cannot be read. The messages are in falling order here, and so are the gaps.
    fn miss(&mut self, from: Seq, to: Seq) {
        debug_assert!(Seq::ZERO < from && from <= to, "a gap is of events");
        self.missed += 1;
        match self.gaps.last_mut() {
            Some(gap) if gap.from == to.next() => gap.from = from,
            Some(_) | None => {
                let reason = GapReason::Unreadable as u16;
                self.gaps.push(Gap { log: self.log, from, to, reason });
            }
        }
    }

    /// Whether the page holds no more gaps, or has looked for enough.
    fn is_full_of_gaps(&self) -> bool {
        self.gaps.len() == HISTORY_GAPS_MAX || self.missed >= damage::PROBES_MAX
    }
}

/// What a row is that should be a certain event of a room.
fn found(row: &Row<'_>, log: LogId, seq: Seq) -> rusqlite::Result<FoundEvent> {
    if (unsigned(row.get(0)?), unsigned(row.get(1)?)) != (log.0, seq.0) {
        return Ok(FoundEvent::Other);
    }
    Ok(match EventKind::of_name(row.get_ref(2)?.as_str()?) {
        // Without its text it is no message any more.
        Some(EventKind::Posted) if row.get_ref(6)? == ValueRef::Null => FoundEvent::Notice,
        Some(EventKind::Posted) => FoundEvent::Message(message(row, seq)?),
        Some(kind) if kind.owner() == LogOwner::Room => FoundEvent::Notice,
        Some(_) | None => FoundEvent::Other,
    })
}

fn message(row: &Row<'_>, seq: Seq) -> rusqlite::Result<Message> {
    Ok(Message {
        seq,
        ts: Timestamp(unsigned(row.get(3)?)),
        from: AccountId(unsigned(row.get(4)?)),
        id: MessageId(row.get(5)?),
        body: TextBody {
            kind: text_kind(row.get(7)?),
            text: row.get(6)?,
            reply_to: event_seq(row.get(8)?),
            context: None,
        },
    })
}
