//! What the state asks about the past, and the hot state as a whole.

use chat_core::{BodyDigest, BoundStream, Lookup, PastSend, Snapshot, StoreError, StoreSecret};
use chat_proto::{
    AccountId, Epoch, ErrorCode, LogId, MessageId, Nonce, RoomId, Seq, StreamId, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::SqliteStore;
use super::index::Index;
use super::meta;
use super::pending::Pending;
use super::projections;
use super::row::{integer, unsigned};
use super::times;

impl Lookup for SqliteStore {
    fn stream(
        &self,
        account: AccountId,
        stream: StreamId,
    ) -> Result<Option<BoundStream>, StoreError> {
        let mark = self.mark(account, stream)?;
        Ok(mark.bound.map(|bound| BoundStream { room: bound.room, high_water: mark.high_water }))
    }

    fn past_send(&self, account: AccountId, nonce: Nonce) -> Result<Option<PastSend>, StoreError> {
        let mark = self.mark(account, nonce.stream)?;
        self.pending.past_send(self.opened()?, mark, nonce.n)
    }

    fn newest_ts(&self, log: LogId) -> Result<Timestamp, StoreError> {
        let newest = self.pending.newest_ts(self.opened()?, log);
        newest.map_err(|cause| StoreError::new("looked for the newest event", cause))
    }
}

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

/// How many events were ever committed: the sum of all heads, whatever retention has deleted.
pub(super) fn event_count_of(snapshot: &Snapshot) -> u64 {
    let accounts = snapshot.accounts.iter().map(|account| account.head.0);
    accounts.chain(snapshot.rooms.iter().map(|room| room.head.0)).sum()
}

/// The hot state.
pub(super) fn snapshot(connection: &Connection, pending: &Pending) -> Result<Snapshot, StoreError> {
    let index = pending.index();
    let read = |cause| StoreError::new("read the state back", cause);
    let epoch = meta::get(connection, "epoch").map_err(read)?.unwrap_or_default();
    let rules = meta::get(connection, "rules").map_err(read)?.unwrap_or_default();
    let head = |log, flushed| index.committed_head(log, flushed);
    let mut accounts = projections::accounts(connection)?;
    accounts.iter_mut().for_each(|account| account.head = head(account.id.into(), account.head));
    let mut rooms = projections::rooms(connection)?;
    rooms.iter_mut().for_each(|room| room.head = head(room.id.into(), room.head));
    Ok(Snapshot {
        epoch: Epoch(epoch),
        rules: u16::try_from(rules).unwrap_or(u16::MAX),
        secret: secret(connection)?,
        progress: pending.progress().clone(),
        last_ts: times::latest(connection).map_err(read)?,
        accounts,
        credentials: projections::credentials(connection)?,
        rooms,
        members: projections::members(connection)?,
    })
}

/// What came with the first genesis; `None` before it.
fn secret(connection: &Connection) -> Result<Option<StoreSecret>, StoreError> {
    let sql = "SELECT bytes FROM secrets WHERE name = 'store'";
    let bytes = connection.query_row(sql, [], |row| row.get(0)).optional();
    let read = |cause| StoreError::new("read its secret", cause);
    Ok(bytes.map_err(read)?.map(StoreSecret))
}

/// Keeps what ids and digests follow from.
pub(super) fn set_secret(connection: &Connection, secret: StoreSecret) -> rusqlite::Result<()> {
    let sql = "INSERT INTO secrets (name, bytes) VALUES ('store', ?) \
               ON CONFLICT (name) DO UPDATE SET bytes = excluded.bytes";
    connection.execute(sql, [secret.0]).map(drop)
}
