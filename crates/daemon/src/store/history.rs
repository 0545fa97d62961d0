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
use super::row::{POSTED, integer, unsigned};

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
                    Err(error) if damage::is_damage(&error) => {
                        page.read_around(&moment, block, place).map_err(failed)?;
                    }
                    read => read.map_err(failed)?,
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
    /// Takes the messages of a block from a place downwards, as many as there is room for.
    fn read_block(
        &mut self,
        connection: &Connection,
        block: Block,
        place: u64,
    ) -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(
            "SELECT seq, ts, account, message_id, text FROM events \
             WHERE id BETWEEN ? AND ? AND kind = 'posted' ORDER BY id DESC",
        )?;
        let ids = [block.first_id, block.id_of(Seq(place))];
        let mut rows = statement.query(ids.map(integer))?;
        while let Some(row) = rows.next()? {
            if !self.push(message(row)?) {
                break;
            }
        }
        Ok(())
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
                let is_post = row.get_ref(5)?.as_bytes()? == POSTED.as_bytes();
                is_post.then(|| message(row)).transpose()
            });
            match read {
                Ok(Some(message)) if message.seq == seq => {
                    if !self.push(message) {
                        break;
                    }
                }
                // Not a message, or deleted.
                Ok(None) | Err(rusqlite::Error::QueryReturnedNoRows) => {}
                Ok(Some(_of_another_place)) => self.miss(seq),
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

fn message(row: &Row<'_>) -> rusqlite::Result<Message> {
    Ok(Message {
        seq: Seq(unsigned(row.get(0)?)),
        ts: Timestamp(unsigned(row.get(1)?)),
        from: AccountId(unsigned(row.get(2)?)),
        id: MessageId(row.get(3)?),
        text: row.get(4)?,
    })
}
