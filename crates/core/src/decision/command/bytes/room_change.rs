//! The bytes of a change of a room: behind the account and the room, what is to change.

use chat_proto::{AccountId, Role, RoomName};

use super::{Fields, UnreadableCommand, put_named, put_text, put_u64};
use crate::{Named, RoomChange};

const ROLE: u16 = 10;
const ACCESS: u16 = 11;
const INVITATION: u16 = 12;
const TOPIC: u16 = 13;
const READ_ONLY: u16 = 14;

/// The number of the action.
pub(super) fn number(change: &RoomChange) -> u16 {
    match change {
        RoomChange::Role { .. } => ROLE,
        RoomChange::Access { .. } => ACCESS,
        RoomChange::Invitation { .. } => INVITATION,
        RoomChange::Topic { .. } => TOPIC,
        RoomChange::ReadOnly { .. } => READ_ONLY,
    }
}

/// Whether an action of this number changes a room.
pub(super) fn is_number(number: u16) -> bool {
    (ROLE..=READ_ONLY).contains(&number)
}

/// Who asks, and for what.
pub(super) fn put_ids(out: &mut Vec<u8>, account: AccountId, id: u64) {
    put_u64(out, account.0);
    put_u64(out, id);
}

/// A room that is to be made.
pub(super) fn put_new(
    out: &mut Vec<u8>,
    account: AccountId,
    name: &Named<RoomName>,
    is_private: bool,
) {
    put_u64(out, account.0);
    put_named(out, name.name.as_str(), &name.keys);
    out.push(u8::from(is_private));
}

pub(super) fn put(out: &mut Vec<u8>, change: &RoomChange) {
    match change {
        RoomChange::Role { account, role } => {
            put_u64(out, account.0);
            out.extend((*role as u16).to_le_bytes());
        }
        RoomChange::Access { is_private } => out.push(u8::from(*is_private)),
        RoomChange::Invitation { account, is_set } => {
            put_u64(out, account.0);
            out.push(u8::from(*is_set));
        }
        RoomChange::Topic { topic } => put_text(out, topic),
        RoomChange::ReadOnly { is_read_only } => out.push(u8::from(*is_read_only)),
    }
}

pub(super) fn read(number: u16, fields: &mut Fields<'_>) -> Result<RoomChange, UnreadableCommand> {
    debug_assert!(is_number(number), "others are no change of a room");
    Ok(match number {
        ROLE => {
            let account = AccountId(fields.u64()?);
            let role = Role::from_number(u16::from_le_bytes(fields.array()?));
            let role = role.ok_or(UnreadableCommand::Field { field: "role" })?;
            RoomChange::Role { account, role }
        }
        ACCESS => RoomChange::Access { is_private: fields.flag()? },
        INVITATION => {
            RoomChange::Invitation { account: AccountId(fields.u64()?), is_set: fields.flag()? }
        }
        TOPIC => RoomChange::Topic { topic: fields.text()?.to_owned() },
        _ => RoomChange::ReadOnly { is_read_only: fields.flag()? },
    })
}
