//! How a committed send was decided: by the event that it led to, or by a refusal.

use chat_core::{BodyDigest, PastSend, StoreError};
use chat_proto::{ErrorCode, MessageId, RoomId, Seq, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::index::Index;
use super::row::{integer, unsigned};

/// How a send of a stream was decided, in a transaction before.
pub(super) fn past_send(
    connection: &Connection,
    index: &Index,
    stream: i64,
    n: u64,
) -> Result<Option<PastSend>, StoreError> {
    let read = |cause| StoreError::new("looked for an earlier send", cause);
    if let Some(id) = index.locate_send(connection, stream, n).map_err(read)? {
        return posted(connection, id, stream, n);
    }
    let refused = connection
        .prepare_cached("SELECT code, digest FROM refused_sends WHERE stream = ? AND n = ?")
        .and_then(|mut statement| {
            let read = |row: &Row<'_>| Ok((row.get::<_, u16>(0)?, row.get::<_, i64>(1)?));
            statement.query_row([stream, integer(n)], read).optional()
        })
        .map_err(read)?;
    let Some((number, digest)) = refused else { return Ok(None) };
    let code = ErrorCode::from_number(number).ok_or_else(|| {
        let cause = format!("it was refused with {number}, which this version does not know");
        StoreError::new("looked for an earlier send", cause)
    })?;
    Ok(Some(PastSend::Refused { code, digest: BodyDigest(unsigned(digest)) }))
}

/// The event that a send led to; `None` when retention has deleted it.
fn posted(
    connection: &Connection,
    id: u64,
    stream: i64,
    n: u64,
) -> Result<Option<PastSend>, StoreError> {
    let read = |cause| StoreError::new("looked for an earlier send", cause);
    let found = connection
        .prepare_cached(
            "SELECT log, seq, ts, message_id, digest, stream, n FROM events WHERE id = ?",
        )
        .and_then(|mut statement| {
            let found = |row: &Row<'_>| Ok((past(row)?, (row.get(5)?, row.get(6)?)));
            statement.query_row([integer(id)], found).optional()
        })
        .map_err(read)?;
    match found {
        Some((past, nonce)) if nonce == (Some(stream), Some(integer(n))) => Ok(Some(past)),
        Some((_past, nonce)) => {
            let cause = format!("the file is damaged: event {id} has the nonce {nonce:?}");
            Err(StoreError::new("looked for an earlier send", cause))
        }
        None => Ok(None),
    }
}

fn past(row: &Row<'_>) -> rusqlite::Result<PastSend> {
    Ok(PastSend::Posted {
        room: RoomId(unsigned(row.get(0)?)),
        seq: Seq(unsigned(row.get(1)?)),
        ts: Timestamp(unsigned(row.get(2)?)),
        id: MessageId(row.get(3)?),
        digest: BodyDigest(unsigned(row.get(4)?)),
    })
}
