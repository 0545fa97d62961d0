//! The bytes of what moderators ask for: behind the account and the room, what is to be done. A kind of
//! sanction is a number (`u8`; 1: a ban, 2: a mute).

use chat_proto::{AccountId, Seq, Timestamp};

use super::{Fields, UnreadableCommand, put_text, put_u64};
use crate::{Moderation, SanctionKind};

const KICK: u16 = 20;
const SANCTION: u16 = 21;
const LIFT: u16 = 22;
const SLOW: u16 = 23;
const REPORT: u16 = 24;
const REMOVE_MESSAGES: u16 = 25;

/// The number of the action.
pub(super) fn number(asked: &Moderation) -> u16 {
    match asked {
        Moderation::Kick { .. } => KICK,
        Moderation::Sanction { .. } => SANCTION,
        Moderation::Lift { .. } => LIFT,
        Moderation::Slow { .. } => SLOW,
        Moderation::Report { .. } => REPORT,
        Moderation::RemoveMessages { .. } => REMOVE_MESSAGES,
    }
}

/// Whether an action of this number is a moderator's.
pub(super) fn is_number(number: u16) -> bool {
    (KICK..=REMOVE_MESSAGES).contains(&number)
}

pub(super) fn put(out: &mut Vec<u8>, asked: &Moderation) {
    match asked {
        Moderation::Kick { account, reason } => {
            put_u64(out, account.0);
            put_text(out, reason);
        }
        Moderation::Sanction { kind, account, until, reason } => {
            out.push(*kind as u8);
            put_u64(out, account.0);
            put_u64(out, until.0);
            put_text(out, reason);
        }
        Moderation::Lift { kind, account } => {
            out.push(*kind as u8);
            put_u64(out, account.0);
        }
        Moderation::Slow { seconds } => out.extend(seconds.to_le_bytes()),
        Moderation::RemoveMessages { account, seconds } => {
            put_u64(out, account.0);
            out.extend(seconds.to_le_bytes());
        }
        Moderation::Report { seq, reason } => {
            put_u64(out, seq.0);
            put_text(out, reason);
        }
    }
}

pub(super) fn read(number: u16, fields: &mut Fields<'_>) -> Result<Moderation, UnreadableCommand> {
    Ok(match number {
        KICK => Moderation::Kick {
            account: AccountId(fields.u64()?),
            reason: fields.text()?.to_owned(),
        },
        SANCTION => Moderation::Sanction {
            kind: kind(fields)?,
            account: AccountId(fields.u64()?),
            until: Timestamp(fields.u64()?),
            reason: fields.text()?.to_owned(),
        },
        LIFT => Moderation::Lift { kind: kind(fields)?, account: AccountId(fields.u64()?) },
        SLOW => Moderation::Slow { seconds: fields.u32()? },
        REMOVE_MESSAGES => {
            Moderation::RemoveMessages { account: AccountId(fields.u64()?), seconds: fields.u32()? }
        }
        REPORT => Moderation::Report { seq: Seq(fields.u64()?), reason: fields.text()?.to_owned() },
        _ => return Err(UnreadableCommand::Field { field: "number" }),
    })
}

fn kind(fields: &mut Fields<'_>) -> Result<SanctionKind, UnreadableCommand> {
    let kind = SanctionKind::from_number(fields.u8()?);
    kind.ok_or(UnreadableCommand::Field { field: "kind of sanction" })
}
