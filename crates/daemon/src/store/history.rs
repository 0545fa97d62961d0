//! A page of history: the newest messages before a place, over what cannot be read.

use chat_core::{HistoryRead, StoreError};
use chat_proto::limits::{HISTORY_GAPS_MAX, HISTORY_TEXT_BYTES_MAX};
use chat_proto::{
    AccountId, Gap, GapReason, HistoryPage, List, LogId, Message, MessageId, Seq, Timestamp,
};
use rusqlite::{Connection, Row};

use super::damage;
use super::logs::Block;
use super::read::block_at;
use super::row::{POSTED, ROOM_NOTICES, integer, unsigned};

/// A page of history that grows downwards.
struct Page {
    messages: Vec<Message>,
    bytes: usize,
    limit: usize,
    /// There is more than it holds.
    more: bool,
    log: LogId,
    gaps: Vec<Gap>,
}

pub(super) fn history(
    connection: &Connection,
    recent: &[Block],
    read: &HistoryRead,
    before: Seq,
) -> Result<HistoryPage, StoreError> {
    let failed = |cause| StoreError::new("read a page of history", cause);
    let mut page = Page {
        messages: Vec::new(),
        bytes: 0,
        limit: read.limit,
        more: false,
        log: read.room.into(),
        gaps: Vec::new(),
    };
    let moment = connection.unchecked_transaction().map_err(failed)?;
    let mut place = before.0.saturating_sub(1);
    while place > 0
        && !page.more
        && let Some(block) =
            block_at(&moment, recent, read.room.into(), Seq(place)).map_err(failed)?
    {
        place = match block.last_post < block.first_seq {
            // Nobody said anything in it: what came before was said here.
            true => block.last_post,
            false => {
                let place = place.min(block.last_post);
                match page.read_block(&moment, block, place) {
                    Ok(true) => {}
                    Err(error) if !damage::is_damage(&error) => return Err(failed(error)),
                    Ok(false) | Err(_) => {
                        page.read_around(&moment, block, place).map_err(failed)?;
                    }
                }
                block.first_seq - 1
            }
        };
    }
    page.messages.reverse();
    let HistoryRead { room, epoch, as_of, .. } = *read;
    let (messages, gaps) = (List::first_of(page.messages), List::first_of(page.gaps));
    Ok(HistoryPage { room, epoch, as_of, messages, more: page.more, gaps })
}

impl Page {
    /// Takes the messages of a block from a place downwards, as many as there is room for. Tells
    /// whether all events were there that the block has: a damaged id ends a scan as its end does.
    fn read_block(
        &mut self,
        connection: &Connection,
        block: Block,
        place: u64,
    ) -> rusqlite::Result<bool> {
        let mut statement = connection.prepare_cached(
            "SELECT seq, ts, account, message_id, text, kind FROM events \
             WHERE id BETWEEN ? AND ? ORDER BY id DESC",
        )?;
        let ids = [block.first_id, block.id_of(Seq(place))];
        let mut rows = statement.query(ids.map(integer))?;
        let mut awaited = place;
        while let Some(row) = rows.next()? {
            if unsigned(row.get(0)?) != awaited {
                return Ok(false);
            }
            awaited -= 1;
            match is_post(row)? {
                None => return Ok(false),
                Some(true) if !self.push(message(row)?) => return Ok(true),
                Some(_) => {}
            }
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
        // What was read before the damage showed is read again.
        while let Some(last) = self.messages.pop_if(|last| last.seq.0 >= block.first_seq) {
            self.bytes -= last.text.len();
        }
        self.more = false;
        let mut statement = connection.prepare_cached(
            "SELECT seq, ts, account, message_id, text, kind FROM events WHERE id = ?",
        )?;
        for seq in (block.first_seq..=place).rev().map(Seq) {
            let read = statement.query_row([integer(block.id_of(seq))], |row| {
                let is_post = is_post(row)?;
                let message = (is_post == Some(true)).then(|| message(row)).transpose()?;
                Ok((is_post, message))
            });
            match read {
                Ok((Some(true), Some(message))) if message.seq == seq => {
                    if !self.push(message) {
                        break;
                    }
                }
                Ok((Some(false), _)) => {}
                // Its block has it there.
                Ok(_) | Err(rusqlite::Error::QueryReturnedNoRows) => self.miss(seq),
                Err(error) if damage::is_damage(&error) => self.miss(seq),
                Err(error) => return Err(error),
            }
            if self.gaps.len() == HISTORY_GAPS_MAX {
                // The next page tells the rest; what this one has ends above it.
                self.more = true;
                break;
            }
        }
        Ok(())
    }

    /// Takes a message unless the page is full; then there is more.
    fn push(&mut self, message: Message) -> bool {
        let bytes = self.bytes + message.text.len();
        self.more = self.messages.len() == self.limit || bytes > HISTORY_TEXT_BYTES_MAX;
        if !self.more {
            self.bytes = bytes;
            self.messages.push(message);
        }
        !self.more
    }

    /// An event cannot be read. The messages are in falling order here, and so are the gaps.
    fn miss(&mut self, seq: Seq) {
        match self.gaps.last_mut() {
            Some(gap) if gap.from == seq.next() => gap.from = seq,
            Some(_) | None => {
                let reason = GapReason::Unreadable as u16;
                self.gaps.push(Gap { log: self.log, from: seq, to: seq, reason });
            }
        }
    }
}

/// Whether a row is a message; `None`: it is nothing that a room's log has.
fn is_post(row: &Row<'_>) -> rusqlite::Result<Option<bool>> {
    let kind = row.get_ref(5)?.as_bytes()?;
    let is_notice = ROOM_NOTICES.iter().any(|notice| notice.as_bytes() == kind);
    Ok(if is_notice { Some(false) } else { (kind == POSTED.as_bytes()).then_some(true) })
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
