//! What the state asks about the past, and the hot state as a whole.

use chat_core::{
    AccountRow, BodyDigest, BoundStream, Lookup, PastSend, RoomRow, Snapshot, StoreError,
    StoreSecret,
};
use chat_proto::{
    AccountId, Credential, Epoch, ErrorCode, LogId, MessageId, Nonce, RoomId, Seq, StreamId,
    Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row};

use super::SqliteStore;
use super::index::Index;
use super::meta;
use super::row::{integer, nickname, room_name, unsigned};
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
pub(super) fn snapshot(connection: &Connection, index: &Index) -> Result<Snapshot, StoreError> {
    let read = |cause| StoreError::new("read the state back", cause);
    let epoch = meta::get(connection, "epoch").map_err(read)?.unwrap_or_default();
    let rules = meta::get(connection, "rules").map_err(read)?.unwrap_or_default();
    let head = |log, flushed| index.committed_head(log, flushed);
    let mut accounts = rows(connection, ACCOUNTS, account)?;
    accounts.iter_mut().for_each(|account| account.head = head(account.id.into(), account.head));
    let mut rooms = rows(connection, ROOMS, room)?;
    rooms.iter_mut().for_each(|room| room.head = head(room.id.into(), room.head));
    Ok(Snapshot {
        epoch: Epoch(epoch),
        rules: u16::try_from(rules).unwrap_or(u16::MAX),
        secret: secret(connection)?,
        last_ts: times::latest(connection).map_err(read)?,
        accounts,
        credentials: rows(connection, "SELECT kind, bytes, account FROM credentials", credential)?,
        rooms,
        members: rows(connection, "SELECT room, account FROM members", |row| {
            let read = |cause| StoreError::new("read a member", cause);
            Ok((
                RoomId(unsigned(row.get(0).map_err(read)?)),
                AccountId(unsigned(row.get(1).map_err(read)?)),
            ))
        })?,
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

/// With the heads as the tables know them.
const ACCOUNTS: &str = "SELECT id, coalesce((SELECT first_seq + events - 1 FROM blocks \
    WHERE log = accounts.id ORDER BY first_seq DESC LIMIT 1), 0), name \
    FROM accounts ORDER BY id";

const ROOMS: &str = "SELECT id, coalesce((SELECT first_seq + events - 1 FROM blocks \
    WHERE log = rooms.id ORDER BY first_seq DESC LIMIT 1), 0), name \
    FROM rooms ORDER BY id";

fn rows<T>(
    connection: &Connection,
    sql: &str,
    parse: fn(&Row<'_>) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let read = |cause| StoreError::new("read the state back", cause);
    let mut statement = connection.prepare_cached(sql).map_err(read)?;
    let mut found = statement.query([]).map_err(read)?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().map_err(read)? {
        rows.push(parse(row)?);
    }
    Ok(rows)
}

fn account(row: &Row<'_>) -> Result<AccountRow, StoreError> {
    let read = |cause| StoreError::new("read an account", cause);
    Ok(AccountRow {
        id: AccountId(unsigned(row.get(0).map_err(read)?)),
        head: Seq(unsigned(row.get(1).map_err(read)?)),
        name: nickname(&row.get::<_, String>(2).map_err(read)?)?,
    })
}

fn credential(row: &Row<'_>) -> Result<(Credential, AccountId), StoreError> {
    let read = |cause| StoreError::new("read a credential", cause);
    let kind = row.get(0).map_err(read)?;
    let credential = Credential::from_parts(kind, row.get(1).map_err(read)?).ok_or_else(|| {
        let cause = format!("its kind {kind} is not one that this version knows");
        StoreError::new("read a credential", cause)
    })?;
    Ok((credential, AccountId(unsigned(row.get(2).map_err(read)?))))
}

fn room(row: &Row<'_>) -> Result<RoomRow, StoreError> {
    let read = |cause| StoreError::new("read a room", cause);
    Ok(RoomRow {
        id: RoomId(unsigned(row.get(0).map_err(read)?)),
        head: Seq(unsigned(row.get(1).map_err(read)?)),
        name: room_name(&row.get::<_, String>(2).map_err(read)?)?,
    })
}
