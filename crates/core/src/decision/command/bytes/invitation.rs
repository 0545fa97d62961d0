//! The bytes of what concerns invitations: how somebody comes in, and what one is to be good for.
//!
//! It must not know who may come in.

use chat_proto::limits::INVITATION_ROOMS_MAX;
use chat_proto::{AccountId, InvitationHash, InvitationId, RoomId};

use super::{Fields, UnreadableCommand, VERSION, put_text, put_u32, put_u64};
use crate::{Action, NewInvitation, Registration};

/// The numbers of the actions. None is ever given again.
pub(super) const CREATE: u16 = 30;
pub(super) const REVOKE: u16 = 31;

/// How registration stands as one byte, whether there is an invitation as another, and its hash.
pub(super) fn put_entry(
    out: &mut Vec<u8>,
    registration: Registration,
    invitation: Option<&InvitationHash>,
) {
    out.push(match registration {
        Registration::Open => 1,
        Registration::Invite => 2,
        Registration::Closed => 3,
    });
    out.push(u8::from(invitation.is_some()));
    out.extend(invitation.iter().flat_map(|hash| hash.0));
}

/// What [`put_entry`] wrote.
pub(super) fn entry(
    fields: &mut Fields<'_>,
) -> Result<(Registration, Option<Box<InvitationHash>>), UnreadableCommand> {
    let registration = match fields.u8()? {
        1 => Registration::Open,
        2 => Registration::Invite,
        3 => Registration::Closed,
        _ => return Err(UnreadableCommand::Field { field: "registration" }),
    };
    let invitation = match fields.flag()? {
        true => Some(Box::new(InvitationHash(fields.array()?))),
        false => None,
    };
    Ok((registration, invitation))
}

/// All of an action that is about an invitation; of any other, nothing.
#[expect(clippy::wildcard_enum_match_arm, reason = "whoever calls has one of these")]
pub(super) fn put(out: &mut Vec<u8>, action: &Action) {
    let mut begin = |number: u16, account: &AccountId| {
        out.extend(number.to_le_bytes());
        out.push(VERSION);
        put_u64(out, account.0);
    };
    match action {
        Action::CreateInvitation { account, invitation } => {
            begin(CREATE, account);
            put_new(out, invitation);
        }
        Action::RevokeInvitation { account, invitation } => {
            begin(REVOKE, account);
            put_u64(out, invitation.0);
        }
        _ => debug_assert!(false, "{action:?} is about none"),
    }
}

/// The hash, how often (`u32`), for how many seconds (`u32`), the rooms with their number before them
/// (`u32`), and the name.
fn put_new(out: &mut Vec<u8>, new: &NewInvitation) {
    let NewInvitation { hash, uses, seconds, rooms, name } = new;
    out.extend(hash.0);
    out.extend(uses.to_le_bytes());
    out.extend(seconds.to_le_bytes());
    put_u32(out, rooms.len());
    rooms.iter().for_each(|room| put_u64(out, room.0));
    put_text(out, name);
}

/// The account, and what [`put_new`] wrote. The number of rooms is checked before anything is made of it.
pub(super) fn new(fields: &mut Fields<'_>) -> Result<Action, UnreadableCommand> {
    let account = AccountId(fields.u64()?);
    let hash = InvitationHash(fields.array()?);
    let (uses, seconds) = (fields.u32()?, fields.u32()?);
    let rooms = fields.length()?;
    if rooms > INVITATION_ROOMS_MAX {
        return Err(UnreadableCommand::Field { field: "number of rooms" });
    }
    let rooms = (0..rooms).map(|_| fields.u64().map(RoomId)).collect::<Result<_, _>>()?;
    let name = fields.text()?.to_owned();
    let invitation = Box::new(NewInvitation { hash, uses, seconds, rooms, name });
    Ok(Action::CreateInvitation { account, invitation })
}

/// The account, and the invitation.
pub(super) fn revoked(fields: &mut Fields<'_>) -> Result<Action, UnreadableCommand> {
    let (account, invitation) = (AccountId(fields.u64()?), InvitationId(fields.u64()?));
    Ok(Action::RevokeInvitation { account, invitation })
}
