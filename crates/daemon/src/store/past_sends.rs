//! What a committed send has led to.

use chat_core::{BodyDigest, PastSend, StoreError};
use chat_proto::{MessageId, RoomId, Seq, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row};

use super::index::Index;
use super::row::{integer, unsigned};

/// What a send of a stream has led to, in a transaction before; `None`: to nothing.
pub(super) fn past_send(
    connection: &Connection,
    index: &Index,
    stream: i64,
    n: u64,
) -> Result<Option<PastSend>, StoreError> {
    let read = |cause| StoreError::new("looked for an earlier send", cause);
    match index.locate_send(connection, stream, n).map_err(read)? {
        Some(id) => posted(connection, id, stream, n).map(Some),
        None => Ok(None),
    }
}

/// The event that a send led to.
fn posted(connection: &Connection, id: u64, stream: i64, n: u64) -> Result<PastSend, StoreError> {
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
        Some((past, nonce)) if nonce == (Some(stream), Some(integer(n))) => Ok(past),
        Some((_past, nonce)) => {
            let cause = format!("the file is damaged: event {id} has the nonce {nonce:?}");
            Err(StoreError::new("looked for an earlier send", cause))
        }
        None => Ok(PastSend::Deleted),
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
