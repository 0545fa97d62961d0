//! What is set of rooms, as the tables have it: who knows of one, who may join it, what it is about, who
//! may post; and whose names are told to whom.
//!
//! The core's state holds the same; the suite that every store passes compares them.

use chat_core::RoomSetting;
use chat_proto::{AccountId, LogId};
use rusqlite::{Connection, Result, params};

use crate::store::row::integer;

/// What was set of a room counts from now on.
pub(super) fn set(connection: &Connection, room: LogId, setting: RoomSetting<'_>) -> Result<()> {
    let id = integer(room.0);
    match setting {
        RoomSetting::Access { is_private } => {
            let mut statement =
                connection.prepare_cached("UPDATE rooms SET private = ?2 WHERE id = ?1")?;
            statement.execute(params![id, is_private])?;
            if !is_private {
                tell_of_all(connection, room)?;
            }
        }
        RoomSetting::Invitation { account, is_set } => {
            set_invitation(connection, room, account, is_set)?;
            note_named(connection, room, account)?;
        }
        RoomSetting::Topic(topic) => {
            let mut statement =
                connection.prepare_cached("UPDATE rooms SET topic = ?2 WHERE id = ?1")?;
            statement.execute(params![id, topic])?;
        }
        RoomSetting::ReadOnly { is_read_only } => {
            let mut statement =
                connection.prepare_cached("UPDATE rooms SET read_only = ?2 WHERE id = ?1")?;
            statement.execute(params![id, is_read_only])?;
        }
    }
    Ok(())
}

/// Somebody became a member: an invitation has served.
pub(super) fn note_joined(connection: &Connection, room: LogId, account: AccountId) -> Result<()> {
    set_invitation(connection, room, account, false)?;
    note_named(connection, room, account)
}

fn set_invitation(
    connection: &Connection,
    room: LogId,
    account: AccountId,
    is_set: bool,
) -> Result<()> {
    let sql = match is_set {
        true => "INSERT OR IGNORE INTO invited (room, account) VALUES (?, ?)",
        false => "DELETE FROM invited WHERE room = ? AND account = ?",
    };
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute([integer(room.0), integer(account.0)]).map(drop)
}

/// A room's log tells of an account.
pub(super) fn note_named(connection: &Connection, room: LogId, account: AccountId) -> Result<()> {
    let (room, account) = (integer(room.0), integer(account.0));
    let makes_known = "UPDATE accounts SET known = 1 WHERE id = ?2 AND known = 0 \
                       AND (SELECT private FROM rooms WHERE id = ?1) = 0";
    if connection.prepare_cached(makes_known)?.execute([room, account])? > 0 {
        let sql = "DELETE FROM named WHERE account = ?";
        return connection.prepare_cached(sql)?.execute([account]).map(drop);
    }
    let is_told = "INSERT OR IGNORE INTO named (room, account) SELECT ?1, id FROM accounts \
                   WHERE id = ?2 AND known = 0";
    connection.prepare_cached(is_told)?.execute([room, account]).map(drop)
}

/// Everybody may read a room's log, and know whom it tells of.
fn tell_of_all(connection: &Connection, room: LogId) -> Result<()> {
    for sql in [
        "UPDATE accounts SET known = 1 \
         WHERE id IN (SELECT account FROM named WHERE room = ?)",
        "DELETE FROM named WHERE account IN (SELECT account FROM named WHERE room = ?)",
    ] {
        connection.prepare_cached(sql)?.execute([integer(room.0)])?;
    }
    Ok(())
}
