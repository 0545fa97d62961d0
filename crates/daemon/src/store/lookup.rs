//! What the state asks about the past, and the hot state as a whole.

use chat_core::{AccountRow, PastSend, RoomRow, Snapshot, StoreError, TextDigest};
use chat_proto::{
    AccountId, Epoch, ErrorCode, MessageId, Nonce, PublicKey, RoomId, Seq, StreamId, Timestamp,
};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::row::{integer, nickname, room_name, unsigned};

pub(super) fn high_water(
    connection: &Connection,
    account: AccountId,
    stream: StreamId,
) -> rusqlite::Result<u64> {
    let high_water = connection
        .prepare_cached("SELECT high_water FROM streams WHERE account = ? AND stream = ?")?
        .query_row(params![integer(account.0), stream.0], |row| row.get(0))
        .optional()?;
    Ok(unsigned(high_water.unwrap_or(0)))
}

pub(super) fn past_send(
    connection: &Connection,
    account: AccountId,
    nonce: Nonce,
) -> Result<Option<PastSend>, StoreError> {
    let read = |cause| StoreError::new("looked for an earlier send", cause);
    let key = params![integer(account.0), nonce.stream.0, integer(nonce.n)];
    let posted = connection
        .prepare_cached(
            "SELECT events.log, events.seq, events.ts, events.message_id, events.text \
             FROM streams JOIN events ON events.stream = streams.id \
             WHERE streams.account = ? AND streams.stream = ? AND events.n = ?",
        )
        .and_then(|mut statement| statement.query_row(key, posted).optional())
        .map_err(read)?;
    if posted.is_some() {
        return Ok(posted);
    }
    let refused = connection
        .prepare_cached(
            "SELECT refused_sends.code, refused_sends.digest \
             FROM streams JOIN refused_sends ON refused_sends.stream = streams.id \
             WHERE streams.account = ? AND streams.stream = ? AND refused_sends.n = ?",
        )
        .and_then(|mut statement| {
            let read = |row: &Row<'_>| Ok((row.get::<_, u16>(0)?, row.get(1)?));
            statement.query_row(key, read).optional()
        })
        .map_err(read)?;
    let Some((number, digest)) = refused else { return Ok(None) };
    let code = ErrorCode::from_number(number).ok_or_else(|| {
        let cause = format!("it was refused with {number}, which this version does not know");
        StoreError::new("looked for an earlier send", cause)
    })?;
    Ok(Some(PastSend::Refused { code, digest: TextDigest(digest) }))
}

fn posted(row: &Row<'_>) -> rusqlite::Result<PastSend> {
    let room = RoomId(unsigned(row.get(0)?));
    let text = row.get_ref(4)?.as_str()?;
    Ok(PastSend::Posted {
        room,
        seq: Seq(unsigned(row.get(1)?)),
        ts: Timestamp(unsigned(row.get(2)?)),
        id: MessageId(row.get(3)?),
        digest: TextDigest::of(room, text),
    })
}

/// A number of the table `meta`.
pub(super) fn meta(connection: &Connection, key: &str) -> rusqlite::Result<Option<u64>> {
    connection
        .prepare_cached("SELECT value FROM meta WHERE key = ?")?
        .query_row([key], |row| row.get(0).map(unsigned))
        .optional()
}

/// How many events were ever committed: the sum of all heads, whatever retention has deleted.
pub(super) fn event_count(connection: &Connection) -> rusqlite::Result<u64> {
    let sum = "SELECT coalesce(sum(head), 0) FROM logs";
    connection.prepare_cached(sum)?.query_row([], |row| row.get(0).map(unsigned))
}

/// The hot state.
pub(super) fn snapshot(connection: &Connection) -> Result<Snapshot, StoreError> {
    let read = |cause| StoreError::new("read the state back", cause);
    let epoch = meta(connection, "epoch").map_err(read)?.unwrap_or_default();
    let number =
        |sql: &str| connection.query_row(sql, [], |row| row.get(0).map(unsigned)).map_err(read);
    Ok(Snapshot {
        epoch: Epoch(epoch),
        last_id: number("SELECT coalesce(max(id), 0) FROM logs")?,
        last_ts: Timestamp(number(
            "SELECT coalesce((SELECT ts FROM events ORDER BY id DESC LIMIT 1), 0)",
        )?),
        accounts: rows(connection, ACCOUNTS, account)?,
        rooms: rows(connection, ROOMS, room)?,
        members: rows(connection, "SELECT room, account FROM members", |row| {
            let read = |cause| StoreError::new("read a member", cause);
            Ok((
                RoomId(unsigned(row.get(0).map_err(read)?)),
                AccountId(unsigned(row.get(1).map_err(read)?)),
            ))
        })?,
    })
}

const ACCOUNTS: &str = "SELECT accounts.id, logs.head, accounts.name, accounts.key \
    FROM accounts JOIN logs ON logs.id = accounts.id ORDER BY accounts.id";

const ROOMS: &str = "SELECT rooms.id, logs.head, rooms.name \
    FROM rooms JOIN logs ON logs.id = rooms.id ORDER BY rooms.id";

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
        key: PublicKey(row.get(3).map_err(read)?),
    })
}

fn room(row: &Row<'_>) -> Result<RoomRow, StoreError> {
    let read = |cause| StoreError::new("read a room", cause);
    Ok(RoomRow {
        id: RoomId(unsigned(row.get(0).map_err(read)?)),
        head: Seq(unsigned(row.get(1).map_err(read)?)),
        name: room_name(&row.get::<_, String>(2).map_err(read)?)?,
    })
}
