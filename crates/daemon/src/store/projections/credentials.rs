//! The tables `credentials` and `link_codes`: what signs in to accounts, and what lets another device do so.
//! They are written in the transaction of the event, and read back as the hot state.
//!
//! It must not know who may change them.

use chat_core::{BotRow, BotScope, CredentialRow, LinkRow, StoreError};
use chat_proto::{AccountId, Credential, LinkCodeHash, Timestamp};
use rusqlite::{Connection, Row, params};

use super::rows;
use crate::store::row::{integer, unsigned};

/// A credential signs in to an account from now on. One that was revoked comes behind the others.
pub(super) fn add(
    connection: &Connection,
    account: i64,
    credential: &Credential,
    label: &str,
    ts: i64,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO credentials (account, kind, bytes, label, created_ts) \
               VALUES (?, ?, ?, ?, ?)";
    let (kind, bytes) = (credential.kind() as u16, credential.bytes());
    connection.prepare_cached(sql)?.execute(params![account, kind, bytes, label, ts]).map(drop)
}

/// A credential signs in no more, nor does another with a code that is open.
pub(super) fn remove(
    connection: &Connection,
    account: i64,
    credential: &Credential,
    ts: i64,
) -> rusqlite::Result<()> {
    let sql = "UPDATE credentials SET removed_ts = ? WHERE bytes = ? AND kind = ?";
    let (kind, bytes) = (credential.kind() as u16, credential.bytes());
    connection.prepare_cached(sql)?.execute(params![ts, bytes, kind])?;
    use_link(connection, account)
}

/// An account is a program's.
pub(super) fn add_bot(
    connection: &Connection,
    account: i64,
    scope: BotScope,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO bots (account, can, expires_ts) VALUES (?, ?, ?)";
    let expires = integer(scope.expires.0);
    connection.prepare_cached(sql)?.execute(params![account, scope.words(), expires]).map(drop)
}

/// A code takes the place of the account's last one.
pub(super) fn open_link(
    connection: &Connection,
    account: i64,
    code: LinkCodeHash,
    ts: i64,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO link_codes (account, hash, created_ts, used) \
               VALUES (?, ?, ?, 0)";
    connection.prepare_cached(sql)?.execute(params![account, code.0, ts]).map(drop)
}

/// The account's code is good for nobody any more, if it has one.
pub(super) fn use_link(connection: &Connection, account: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE link_codes SET used = 1 WHERE account = ?";
    connection.prepare_cached(sql)?.execute([account]).map(drop)
}

/// What signs in to which account, those of each in the order in which they were added.
pub(in crate::store) fn credentials(
    connection: &Connection,
) -> Result<Vec<CredentialRow>, StoreError> {
    let sql = "SELECT kind, bytes, account, label, created_ts, removed_ts IS NOT NULL \
               FROM credentials ORDER BY id";
    rows(connection, sql, credential)
}

/// The accounts of programs.
pub(in crate::store) fn bots(connection: &Connection) -> Result<Vec<BotRow>, StoreError> {
    rows(connection, "SELECT account, can, expires_ts FROM bots", bot)
}

/// The newest code of each account.
pub(in crate::store) fn links(connection: &Connection) -> Result<Vec<LinkRow>, StoreError> {
    rows(connection, "SELECT account, hash, created_ts, used FROM link_codes", link)
}

fn credential(row: &Row<'_>) -> Result<CredentialRow, StoreError> {
    let read = |cause| StoreError::new("read a credential", cause);
    let kind = row.get(0).map_err(read)?;
    let credential = Credential::from_parts(kind, row.get(1).map_err(read)?).ok_or_else(|| {
        let cause = format!("its kind {kind} is not one that this version knows");
        StoreError::new("read a credential", cause)
    })?;
    Ok(CredentialRow {
        account: AccountId(unsigned(row.get(2).map_err(read)?)),
        credential,
        label: row.get(3).map_err(read)?,
        added: Timestamp(unsigned(row.get(4).map_err(read)?)),
        is_revoked: row.get(5).map_err(read)?,
    })
}

fn bot(row: &Row<'_>) -> Result<BotRow, StoreError> {
    let read = |cause| StoreError::new("read what a token is for", cause);
    let can: String = row.get(1).map_err(read)?;
    let expires = Timestamp(unsigned(row.get(2).map_err(read)?));
    let scope = BotScope::of_words(&can, expires).ok_or_else(|| {
        let cause = format!("{can:?} is not what this version knows");
        StoreError::new("read what a token is for", cause)
    })?;
    Ok(BotRow { account: AccountId(unsigned(row.get(0).map_err(read)?)), scope })
}

fn link(row: &Row<'_>) -> Result<LinkRow, StoreError> {
    let read = |cause| StoreError::new("read a link code", cause);
    Ok(LinkRow {
        account: AccountId(unsigned(row.get(0).map_err(read)?)),
        code: LinkCodeHash(row.get(1).map_err(read)?),
        opened: Timestamp(unsigned(row.get(2).map_err(read)?)),
        is_used: row.get(3).map_err(read)?,
    })
}
