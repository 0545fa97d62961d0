//! The tables that say where the events have led to: `accounts`, `rooms`, `members`, and beside it
//! (`credentials.rs`) `credentials` and `link_codes`; `invitations` are beside this.
//! They are written in the transaction of the event, and read back as the hot state.
//!
//! It must not know which kind of event changes what: the core's table of kinds does.

pub(super) mod credentials;
pub(super) mod invitations;
mod room_settings;
pub(super) mod sanctions;

use chat_core::{
    AccountRow, AccountSetting, Event, NameKeys, Named, RoomRow, SanctionKind, StateChange,
    StoreError,
};
use chat_proto::{AccountId, LogId, Nickname, Role, RoomId, RoomName, Seq};
use rusqlite::{Connection, Row, ToSql, params};

use super::committer::WriteConnection;
use super::removed_rooms;
use super::row::{integer, unsigned};
use sanctions::SlowRooms;

/// Moves the tables that say where the events have led to. Tells whether the event creates its
/// log. A message moves none, and needs no connection.
pub(super) fn project(
    connection: &WriteConnection,
    slow: &mut SlowRooms,
    event: &Event,
) -> rusqlite::Result<bool> {
    let change = event.content.change();
    // Nothing else creates the server's log: it is there from the beginning on.
    let creates_server = event.log == LogId::SERVER && event.seq == Seq(1);
    if change == StateChange::Nothing {
        return Ok(creates_server);
    }
    if let StateChange::MessagePosted { from } = change {
        return slow.note_post(connection, event, from).map(|()| false);
    }
    if matches!(change, StateChange::SlowSet { .. }) {
        slow.may_have(event.log);
    }
    let creates = project_in(&*connection.in_transaction()?, event, change)?;
    Ok(creates || creates_server)
}

fn project_in(
    connection: &Connection,
    event: &Event,
    change: StateChange<'_>,
) -> rusqlite::Result<bool> {
    let (log, ts) = (integer(event.log.0), integer(event.ts.0));
    match change {
        // The texts go with the commit.
        StateChange::Nothing
        | StateChange::MessagesRemoved { .. }
        | StateChange::MessagePosted { .. } => {}
        StateChange::AccountBegins { credential, name } => {
            connection
                .prepare_cached(
                    "INSERT INTO accounts (id, name, name_keys, created_ts) VALUES (?, ?, ?, ?)",
                )?
                .execute(params![log, name.name.as_str(), name.keys.to_bytes(), ts])?;
            credentials::add(connection, log, credential, "", ts)?;
            return Ok(true);
        }
        StateChange::BotBegins { scope } => credentials::add_bot(connection, log, scope)?,
        StateChange::CredentialAdded { credential, label } => {
            credentials::add(connection, log, credential, label, ts)?;
            credentials::use_link(connection, log)?;
        }
        StateChange::CredentialRemoved { credential } => {
            credentials::remove(connection, log, credential, ts)?;
        }
        StateChange::LinkOpened { code } => credentials::open_link(connection, log, code, ts)?,
        StateChange::AccountSet(setting) => set_account(connection, event.log, setting)?,
        StateChange::RoomBegins { by, name, is_permanent } => {
            insert_room(connection, event, name, is_permanent, false)?;
            if let Some(by) = by {
                set_role(connection, event.log, event.seq, by, Role::Owner)?;
            }
            return Ok(true);
        }
        StateChange::DirectBegins { between } => {
            insert_room(connection, event, &chat_core::direct_name(between), false, true)?;
            return Ok(true);
        }
        StateChange::RoomSet(setting) => room_settings::set(connection, event.log, setting)?,
        StateChange::RoomRemoved => {
            sanctions::forget_room(connection, event.log)?;
            removed_rooms::note(connection, event.log, event.seq)?;
        }
        StateChange::AccountRenamed { name } => rename(connection, log, name)?,
        StateChange::MemberJoined { account } => {
            sanctions::lift(connection, event.log, SanctionKind::Ban, account)?;
            connection
                .prepare_cached("INSERT INTO members (room, account) VALUES (?, ?)")?
                .execute(params![log, integer(account.0)])?;
            room_settings::note_joined(connection, event.log, account)?;
        }
        StateChange::MemberLeft { account } => end_membership(connection, event, account)?,
        StateChange::RoleSet { account, role } => {
            set_role(connection, event.log, event.seq, account, role)?;
        }
        StateChange::InvitationBegins { .. }
        | StateChange::InvitationUsed { .. }
        | StateChange::InvitationEnds { .. } => invitations::project(connection, event, change)?,
        StateChange::Banned { account, .. } => {
            end_membership(connection, event, account)?;
            sanctions::project(connection, event, change)?;
            room_settings::note_named(connection, event.log, account)?;
        }
        StateChange::Muted { account, .. } => {
            sanctions::project(connection, event, change)?;
            room_settings::note_named(connection, event.log, account)?;
        }
        StateChange::SanctionLifted { .. } | StateChange::SlowSet { .. } => {
            sanctions::project(connection, event, change)?;
        }
    }
    Ok(false)
}

fn rename(connection: &Connection, account: i64, name: &Named<Nickname>) -> rusqlite::Result<()> {
    connection
        .prepare_cached("UPDATE accounts SET name = ?2, name_keys = ?3 WHERE id = ?1")?
        .execute(params![account, name.name.as_str(), name.keys.to_bytes()])?;
    Ok(())
}

fn insert_room(
    connection: &Connection,
    event: &Event,
    name: &Named<RoomName>,
    is_permanent: bool,
    is_private: bool,
) -> rusqlite::Result<()> {
    let (log, ts) = (integer(event.log.0), integer(event.ts.0));
    let (keys, name) = (name.keys.to_bytes(), name.name.as_str());
    let sql = "INSERT INTO rooms (id, name, name_keys, created_ts, permanent, private) \
               VALUES (?, ?, ?, ?, ?, ?)";
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![log, name, keys, ts, is_permanent, is_private]).map(drop)
}

/// It need not have been there.
fn end_membership(
    connection: &Connection,
    event: &Event,
    account: AccountId,
) -> rusqlite::Result<()> {
    connection
        .prepare_cached("DELETE FROM members WHERE room = ? AND account = ?")?
        .execute([event.log.0, account.0].map(integer))?;
    set_role(connection, event.log, event.seq, account, Role::Member)
}

fn set_account(
    connection: &Connection,
    account: LogId,
    setting: AccountSetting<'_>,
) -> rusqlite::Result<()> {
    let id = integer(account.0);
    let set = |sql: &str, value: &dyn ToSql| {
        connection.prepare_cached(sql)?.execute(params![value, id]).map(drop)
    };
    match setting {
        AccountSetting::Disabled(why) => {
            set("UPDATE accounts SET disabled = ? WHERE id = ?", &why)?;
            credentials::use_link(connection, id)
        }
        AccountSetting::Administrator(is_set) => {
            set("UPDATE accounts SET administrator = ? WHERE id = ?", &is_set)
        }
    }
}

/// Only what is more than a member has a row.
fn set_role(
    connection: &Connection,
    room: LogId,
    since: Seq,
    account: AccountId,
    role: Role,
) -> rusqlite::Result<()> {
    let (room, account) = (integer(room.0), integer(account.0));
    if role == Role::Member {
        let sql = "DELETE FROM roles WHERE room = ? AND account = ?";
        return connection.prepare_cached(sql)?.execute([room, account]).map(drop);
    }
    let sql = "INSERT OR REPLACE INTO roles (room, account, role, since) VALUES (?, ?, ?, ?)";
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![room, account, role as u16, integer(since.0)]).map(drop)
}

/// Every account, with its head as the blocks know it.
pub(super) fn accounts(connection: &Connection) -> Result<Vec<AccountRow>, StoreError> {
    rows(connection, ACCOUNTS, account)
}

/// Every room, with its head, and whether anything was said in it, as the blocks know it.
pub(super) fn rooms(connection: &Connection) -> Result<Vec<RoomRow>, StoreError> {
    rows(connection, ROOMS, room)
}

/// Who is a member where.
pub(super) fn members(connection: &Connection) -> Result<Vec<(RoomId, AccountId)>, StoreError> {
    rows(connection, "SELECT room, account FROM members", member)
}

/// Who is invited where.
pub(super) fn invited(connection: &Connection) -> Result<Vec<(RoomId, AccountId)>, StoreError> {
    rows(connection, "SELECT room, account FROM invited", member)
}

/// Whom the logs of private rooms tell of.
pub(super) fn named(connection: &Connection) -> Result<Vec<(RoomId, AccountId)>, StoreError> {
    rows(connection, "SELECT room, account FROM named", member)
}

/// Who is more than a member there, in the order in which they became it.
pub(super) fn roles(connection: &Connection) -> Result<Vec<(RoomId, AccountId, Role)>, StoreError> {
    rows(connection, "SELECT room, account, role FROM roles ORDER BY room, since", role)
}

const ACCOUNTS: &str = "SELECT id, coalesce((SELECT first_seq + events - 1 FROM blocks \
    WHERE log = accounts.id ORDER BY first_seq DESC LIMIT 1), 0), name, name_keys, disabled, administrator, \
    known \
    FROM accounts ORDER BY id";

const ROOMS: &str = "SELECT id, coalesce((SELECT first_seq + events - 1 FROM blocks \
    WHERE log = rooms.id ORDER BY first_seq DESC LIMIT 1), 0), name, name_keys, permanent, \
    coalesce((SELECT last_post FROM blocks \
    WHERE log = rooms.id ORDER BY first_seq DESC LIMIT 1), 0) > 0, private, read_only, topic \
    FROM rooms ORDER BY id";

pub(super) fn rows<T>(
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
        name: Named { name: nickname(&row.get::<_, String>(2).map_err(read)?)?, keys: keys(row)? },
        disabled: row.get::<_, Option<String>>(4).map_err(read)?.map(Into::into),
        is_administrator: row.get(5).map_err(read)?,
        is_known: row.get(6).map_err(read)?,
    })
}

fn room(row: &Row<'_>) -> Result<RoomRow, StoreError> {
    let read = |cause| StoreError::new("read a room", cause);
    let id = RoomId(unsigned(row.get(0).map_err(read)?));
    let head = Seq(unsigned(row.get(1).map_err(read)?));
    let name =
        Named { name: room_name(&row.get::<_, String>(2).map_err(read)?)?, keys: keys(row)? };
    let is_permanent = row.get(4).map_err(read)?;
    let has_posts = row.get(5).map_err(read)?;
    let is_public = !row.get::<_, bool>(6).map_err(read)?;
    let is_read_only = row.get(7).map_err(read)?;
    let topic = row.get(8).map_err(read)?;
    Ok(RoomRow { id, name, head, is_public, is_read_only, topic, is_permanent, has_posts })
}

fn member(row: &Row<'_>) -> Result<(RoomId, AccountId), StoreError> {
    let read = |cause| StoreError::new("read a member", cause);
    Ok((
        RoomId(unsigned(row.get(0).map_err(read)?)),
        AccountId(unsigned(row.get(1).map_err(read)?)),
    ))
}

fn role(row: &Row<'_>) -> Result<(RoomId, AccountId, Role), StoreError> {
    let read = |cause| StoreError::new("read a role", cause);
    let (room, account) = member(row)?;
    let number = row.get(2).map_err(read)?;
    let role = Role::from_number(number).ok_or_else(|| {
        let cause = format!("its number {number} is not one that this version knows");
        StoreError::new("read a role", cause)
    })?;
    Ok((room, account, role))
}

/// They are made where a name is taken in, and nowhere else.
fn keys(row: &Row<'_>) -> Result<Box<NameKeys>, StoreError> {
    let read = |cause| StoreError::new("read the keys of a name", cause);
    Ok(Box::new(NameKeys::from_bytes(row.get(3).map_err(read)?)))
}

/// It was judged when it was taken in, perhaps by another version of Unicode.
fn nickname(name: &str) -> Result<Nickname, StoreError> {
    Nickname::from_judged(name).map_err(|cause| StoreError::new("read a nickname", cause))
}

fn room_name(name: &str) -> Result<RoomName, StoreError> {
    RoomName::from_judged(name).map_err(|cause| StoreError::new("read a room's name", cause))
}
