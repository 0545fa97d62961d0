//! Reading around what cannot be read: a damaged page hides the events on it, and no others. Who
//! reads is told which, the operator once.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use chat_core::StoreError;
use chat_proto::{GapReason, LogId, Seq};
use rusqlite::{Connection, Error, ErrorCode, ffi};

use super::frames::{FRAME_COLUMNS, Frames};
use super::logs::Block;
use super::read::block_at;
use super::row::integer;

/// Events that one read looks for one by one. What is left is looked for with the next.
const PROBES_MAX: usize = 4_096;

/// Damaged places that the operator has been told of. When there are more, they may be told again.
const TOLD_MAX: usize = 4_096;

/// Why a read ended.
#[derive(Debug)]
pub(super) enum ReadError {
    /// At a place that is damaged: others may be read.
    Damaged(StoreError),
    /// It may succeed another time.
    Failed(StoreError),
}

/// Events of a log that cannot be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Damage {
    pub(super) from: Seq,
    pub(super) to: Seq,
}

/// Where the operator knows of damage.
#[derive(Clone, Default, Debug)]
pub(super) struct Told(Arc<Mutex<HashSet<(LogId, Seq)>>>);

impl From<Error> for ReadError {
    fn from(error: Error) -> Self {
        let is_damage = is_damage(&error);
        let error = StoreError::new("read a log", error);
        if is_damage { Self::Damaged(error) } else { Self::Failed(error) }
    }
}

/// Whether a read failed because of what is there, and not for a while or everywhere.
pub(super) fn is_damage(error: &Error) -> bool {
    let of_row = matches!(
        error,
        Error::FromSqlConversionFailure(..)
            | Error::IntegralValueOutOfRange(..)
            | Error::InvalidColumnType(..)
            | Error::Utf8Error(..)
    );
    // A bad place on the disk is damage, too; that of a disk that has failed altogether shows
    // before, when a log's head is asked for.
    let of_disk = [ffi::SQLITE_IOERR_READ, ffi::SQLITE_IOERR_SHORT_READ];
    of_row
        || error.sqlite_error().is_some_and(|error| {
            matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
                || of_disk.contains(&error.extended_code)
        })
}

/// Goes on event by event, over what is damaged and no further, up to the head at most. It always
/// comes further.
pub(super) fn read_around(
    moment: &Connection,
    recent: &[Block],
    frames: &mut Frames,
    head: Seq,
    bytes_max: usize,
) -> Result<Option<Damage>, StoreError> {
    let mut damage: Option<Damage> = None;
    let mut seq = frames.after().next();
    for _ in 0..PROBES_MAX {
        if seq > head || frames.len() >= bytes_max {
            break;
        }
        match (probe(moment, recent, frames.log(), seq), &mut damage) {
            (Ok(Some(event)), None) => frames.extend(&event),
            // Behind the damage: the next read begins here.
            (Ok(Some(_)), Some(_)) => break,
            // Deleted: the next event tells.
            (Ok(None), _) => {}
            (Err(ReadError::Damaged(_)), Some(damage)) => damage.to = seq,
            (Err(ReadError::Damaged(_)), None) => damage = Some(Damage { from: seq, to: seq }),
            (Err(ReadError::Failed(error)), _) => return Err(error),
        }
        seq = seq.next();
    }
    match damage {
        Some(damage) => {
            frames.tell_gap(Seq(damage.from.0 - 1), GapReason::Deleted);
            frames.tell_gap(damage.to, GapReason::Unreadable);
        }
        None if seq > head => frames.tell_gap(head, GapReason::Deleted),
        // So many were looked for in vain: the next read goes on behind them.
        None if frames.len() == 0 => frames.tell_gap(Seq(seq.0 - 1), GapReason::Deleted),
        None => {}
    }
    Ok(damage)
}

/// One event as a run of its own; `None` where it is deleted.
fn probe(
    moment: &Connection,
    recent: &[Block],
    log: LogId,
    seq: Seq,
) -> Result<Option<Frames>, ReadError> {
    let block = block_at(moment, recent, log, seq)?;
    let Some(block) = block.filter(|block| block.last_seq() >= seq) else { return Ok(None) };
    let sql = format!("SELECT {FRAME_COLUMNS} FROM events WHERE events.id = ?");
    let mut statement = moment.prepare_cached(&sql)?;
    let mut rows = statement.query([integer(block.id_of(seq))])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    if row.get::<_, i64>(1)? != integer(seq.0) {
        let cause = format!("event {seq} of log {log} is not in its place");
        return Err(ReadError::Damaged(StoreError::new("read a log", cause)));
    }
    let mut event = Frames::new(log, Seq(seq.0 - 1));
    event.push(row).map_err(ReadError::Damaged)?;
    Ok(Some(event))
}

impl Told {
    /// Tells the operator, once for each damaged place.
    pub(super) fn tell(&self, connection: &Connection, log: LogId, damage: Damage) {
        {
            let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() >= TOLD_MAX {
                told.clear();
            }
            if !told.insert((log, damage.to)) {
                return;
            }
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
}
