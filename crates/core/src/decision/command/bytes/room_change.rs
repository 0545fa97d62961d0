//! The bytes of a change of a room: behind the account and the room, what is to change.

use chat_proto::{AccountId, Role};

use super::{Fields, UnreadableCommand, put_u64};
use crate::RoomChange;

const ROLE: u16 = 10;

/// The number of the action.
pub(super) fn number(change: &RoomChange) -> u16 {
    match change {
        RoomChange::Role { .. } => ROLE,
    }
}

/// Whether an action of this number changes a room.
pub(super) fn is_number(number: u16) -> bool {
    (ROLE..=ROLE).contains(&number)
}

pub(super) fn put(out: &mut Vec<u8>, change: &RoomChange) {
    match change {
        RoomChange::Role { account, role } => {
            put_u64(out, account.0);
            out.extend((*role as u16).to_le_bytes());
        }
    }
}

pub(super) fn read(number: u16, fields: &mut Fields<'_>) -> Result<RoomChange, UnreadableCommand> {
    debug_assert_eq!(number, ROLE, "there is no other yet");
    let account = AccountId(fields.u64()?);
    let role = Role::from_number(u16::from_le_bytes(fields.array()?));
    let role = role.ok_or(UnreadableCommand::Field { field: "role" })?;
    Ok(RoomChange::Role { account, role })
}
