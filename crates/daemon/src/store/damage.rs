//! Reading around what cannot be read: a damaged page hides the events on it, and no others. Who
//! reads is told which, the operator once.
//!
//! An event that is not where it has to be is unreadable, whatever the reason: its row, the row of
//! `blocks` that leads to it, or the page of either. That it was *deleted* cannot be concluded from
//! its absence, which is what a damaged id looks like, too. Whatever deletes events has to leave a mark
//! of it in the same transaction, and [`GapReason::Deleted`] is for what has that mark: the log of a room
//! that is gone is nobody's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use chat_core::StoreError;
use chat_proto::{GapReason, LogId, Seq};
use rusqlite::Connection;

use super::frames::{FRAME_COLUMNS, Frames};
use super::index::LogIndex;
use super::read_error::ReadError;
use super::removed_rooms;
use super::row::integer;

/// Events that one read looks for one by one. What is left is looked for with the next.
pub(super) const PROBES_MAX: usize = 4_096;

/// Damaged places that the operator has been told of. When there are more, they may be told again.
const TOLD_MAX: usize = 4_096;

/// Events of a log that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Damage {
    pub(super) from: Seq,
    pub(super) to: Seq,
}

/// Where the operator knows of damage: places of each log that neither overlap nor touch.
#[derive(Clone, Default, Debug)]
pub(super) struct ToldDamage(Arc<Mutex<HashMap<LogId, Vec<Damage>>>>);

/// Goes on event by event, over what is damaged and no further, up to the head at most. It always
/// comes further, unless it is at the head.
pub(super) fn read_around(
    index: &LogIndex<'_>,
    frames: &mut Frames,
    head: Seq,
    bytes_max: usize,
) -> Result<Option<Damage>, StoreError> {
    let mut damage: Option<Damage> = None;
    let mut seq = frames.after().next();
    for _ in 0..PROBES_MAX {
        if seq > head || (frames.len() >= bytes_max && frames.len() > 0) {
            break;
        }
        match probe(index, seq) {
            Ok(event) if damage.is_none() => frames.extend(&event),
            // Behind the damage: the next read begins here.
            Ok(_) => break,
            Err(ReadError::Damaged(_)) => {
                damage.get_or_insert(Damage { from: seq, to: seq }).to = seq;
            }
            Err(ReadError::Failed(error)) => return Err(error),
        }
        seq = seq.next();
    }
    let Some(missing) = damage else { return Ok(None) };
    let is_gone = is_gone(index)?;
    frames.tell_gap(missing.to, if is_gone { GapReason::Deleted } else { GapReason::Unreadable });
    Ok(damage.filter(|_| !is_gone))
}

/// Whether what is missing is the log of a room that has gone since the read was allowed.
pub(super) fn is_gone(index: &LogIndex<'_>) -> Result<bool, StoreError> {
    removed_rooms::is_gone(index.tables(), index.log())
        .map_err(|cause| StoreError::new("looked whose log it reads", cause))
}

/// One event as a run of its own.
fn probe(index: &LogIndex<'_>, seq: Seq) -> Result<Frames, ReadError> {
    let log = index.log();
    let missing = |what: &str| {
        let cause = format!("the file is damaged: {what} event {seq} of log {log}");
        ReadError::Damaged(StoreError::new("read a log", cause))
    };
    let id = index.locate(seq)?.ok_or_else(|| missing("no block has"))?;
    let sql = format!("SELECT {FRAME_COLUMNS} FROM events WHERE events.id = ?");
    let mut statement = index.tables().prepare_cached(&sql)?;
    let mut rows = statement.query([integer(id)])?;
    let row = rows.next()?.ok_or_else(|| missing("there is no row of"))?;
    let mut event = Frames::new(log, Seq(seq.0 - 1));
    event.push(row).map_err(ReadError::Damaged)?;
    Ok(event)
}

impl ToldDamage {
    /// Tells the operator, once for each damaged place.
    pub(super) fn tell(&self, connection: &Connection, log: LogId, damage: Damage) {
        if !self.note(log, damage) {
            return;
        }
        let room: Option<String> = connection
            .query_row("SELECT name FROM rooms WHERE id = ?", [integer(log.0)], |row| row.get(0))
            .ok();
        let room = room.map_or_else(|| format!("the log {log}"), |name| format!("#{name}"));
        tracing::error!(
            room,
            from = damage.from.0,
            to = damage.to.0,
            "events cannot be read: chatd.db or its disk is damaged. Readers are told, and go on \
             behind them. Make a backup of what is left, and see \"A damaged file\" in \
             docs/OPERATING.md"
        );
    }

    /// Notes a damaged place; tells whether any of it is news.
    fn note(&self, log: LogId, damage: Damage) -> bool {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if told.values().map(Vec::len).sum::<usize>() >= TOLD_MAX {
            told.clear();
        }
        let places = told.entry(log).or_default();
        if places.iter().any(|known| known.from <= damage.from && damage.to <= known.to) {
            return false;
        }
        let mut whole = damage;
        places.retain(|known| {
            let is_apart = known.to.next() < damage.from || damage.to.next() < known.from;
            if !is_apart {
                whole.from = whole.from.min(known.from);
                whole.to = whole.to.max(known.to);
            }
            is_apart
        });
        places.push(whole);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_place_is_news_once_however_it_is_cut() {
        let told = ToldDamage::default();
        let note = |from, to| told.note(LogId(1), Damage { from: Seq(from), to: Seq(to) });
        assert!(note(10, 19) && note(30, 39));
        assert!(!note(10, 19) && !note(12, 12) && !note(30, 39));
        assert!(note(20, 29), "what lies between them is news");
        assert!(!note(10, 39) && !note(19, 31), "and with it all are one");
        assert!(note(39, 40) && note(5, 10) && !note(5, 40));
        assert!(told.note(LogId(2), Damage { from: Seq(10), to: Seq(19) }), "of another log");
    }
}
