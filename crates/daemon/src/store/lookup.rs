//! What the state asks about the past, and the hot state as a whole.

use chat_core::{BoundStream, Lookup, PastSend, Snapshot, StoreError, StoreSecret};
use chat_proto::{AccountId, Epoch, LogId, Nonce, StreamId, Timestamp};
use rusqlite::{Connection, OptionalExtension};

use super::SqliteStore;
use super::meta;
use super::projections::{self, credentials};
use super::times;
use super::transactions::Transactions;

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
        self.transactions.past_send(self.opened()?, mark, nonce.n)
    }

    fn newest_ts(&self, log: LogId) -> Result<Timestamp, StoreError> {
        let newest = self.transactions.newest_ts(self.opened()?, log);
        newest.map_err(|cause| StoreError::new("looked for the newest event", cause))
    }
}

/// How many events were ever committed to the logs that are there: the sum of all heads, whatever
/// retention has deleted.
pub(super) fn event_count_of(snapshot: &Snapshot) -> u64 {
    let accounts = snapshot.accounts.iter().map(|account| account.head.0);
    let rooms = snapshot.rooms.iter().map(|room| room.head.0);
    accounts.chain(rooms).chain([snapshot.server_head.0]).sum()
}

/// The hot state: everything but history, as of the newest commit.
pub(super) fn snapshot(
    connection: &Connection,
    transactions: &Transactions,
) -> Result<Snapshot, StoreError> {
    let index = transactions.index();
    let read = |cause| StoreError::new("read the state back", cause);
    let epoch = meta::get(connection, "epoch").map_err(read)?.unwrap_or_default();
    let rules = meta::get(connection, "rules").map_err(read)?.unwrap_or_default();
    let head = |log, flushed| index.committed_head(log, flushed);
    let mut accounts = projections::accounts(connection)?;
    accounts.iter_mut().for_each(|account| account.head = head(account.id.into(), account.head));
    let mut rooms = projections::rooms(connection)?;
    for room in &mut rooms {
        room.head = head(room.id.into(), room.head);
        room.has_posts = index.has_posts(room.id.into(), room.has_posts);
    }
    Ok(Snapshot {
        epoch: Epoch(epoch),
        rules: u16::try_from(rules).unwrap_or(u16::MAX),
        secret: secret(connection)?,
        progress: transactions.progress().clone(),
        last_ts: times::latest(connection).map_err(read)?,
        accounts,
        credentials: credentials::credentials(connection)?,
        bots: credentials::bots(connection)?,
        links: credentials::links(connection)?,
        rooms,
        members: projections::members(connection)?,
        roles: projections::roles(connection)?,
        invited: projections::invited(connection)?,
        named: projections::named(connection)?,
        invitations: projections::invitations::rows(connection)?,
        server_head: head(
            LogId::SERVER,
            index.flushed_head(connection, LogId::SERVER).map_err(read)?,
        ),
        sanctions: projections::sanctions::sanctions(connection)?,
        slow_rooms: projections::sanctions::slow_rooms(connection)?,
        slow_posts: projections::sanctions::slow_posts(connection)?,
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
