//! What a room's moderators ask for, and what they are answered.
//!
//! It must not know who is one: the daemon does.

use crate::limits::{REASON_BYTES_MAX, SANCTIONS_PAGE_MAX};
use crate::wire::{Decode, Encode, List, body};
use crate::{AccountId, RoomId, Seq, TextError, Timestamp};

body! {
    /// Ends another account's membership. It may join again. Reply: [`crate::Done`].
    Kick {
        /// The room that it is a member of.
        room: RoomId,
        /// Whose membership ends.
        account: AccountId,
        /// Why, for the room and for the account; may be empty.
        reason: String,
    }
}
body! {
    /// Keeps an account out of a room: it is no member any more, does not become one, and reads nothing
    /// there, also when everybody else may. Another ban of the account takes the place of the first.
    /// Reply: [`crate::Done`].
    Ban {
        /// The room.
        room: RoomId,
        /// Whom it keeps out, who need not be a member.
        account: AccountId,
        /// When it ends: milliseconds of UTC since 1970; 0: not by itself.
        until: Timestamp,
        /// Why, for the room and for the account; may be empty.
        reason: String,
    }
}
body! {
    /// Ends a ban; ending one that is not there changes nothing. Reply: [`crate::Done`].
    Unban {
        /// The room.
        room: RoomId,
        /// Whom it keeps out no longer.
        account: AccountId,
    }
}
body! {
    /// Lets an account read a room, and say nothing there. Another mute of the account takes the place of
    /// the first. Reply: [`crate::Done`].
    Mute {
        /// The room.
        room: RoomId,
        /// Who says nothing there; need not be a member.
        account: AccountId,
        /// When it ends: milliseconds of UTC since 1970; 0: not by itself.
        until: Timestamp,
        /// Why, for the room and for the account; may be empty.
        reason: String,
    }
}
body! {
    /// Ends a mute; ending one that is not there changes nothing. Reply: [`crate::Done`].
    Unmute {
        /// The room.
        room: RoomId,
        /// Who may speak again.
        account: AccountId,
    }
}
body! {
    /// From now on a member says at most one thing in so many seconds. Reply: [`crate::Done`].
    SetSlow {
        /// The room.
        room: RoomId,
        /// How long a member waits behind each message; 0: not at all.
        seconds: u32,
    }
}
body! {
    /// Shows a message to those who moderate its room. Reply: [`crate::Done`].
    Report {
        /// The room.
        room: RoomId,
        /// The message's place in the room's log.
        seq: Seq,
        /// What is wrong with it, for the moderators; may be empty.
        reason: String,
    }
}
body! {
    /// Takes away what an account has said in a room of late, or ever. Reply: [`crate::Done`].
    RemoveMessages {
        /// The room.
        room: RoomId,
        /// Who said it. It need not be a member.
        account: AccountId,
        /// In the last so many seconds; 0: ever.
        seconds: u32,
    }
}
body! {
    /// Asks a room's moderators' list of bans, in order of the accounts' ids. Reply: [`BanList`].
    Bans {
        /// The room.
        room: RoomId,
        /// Only accounts with a larger id; 0 for the first page.
        after: AccountId,
    }
}
body! {
    /// A page of a room's bans.
    BanList {
        /// The room.
        room: RoomId,
        /// In order of the accounts' ids; those that are over are not among them.
        bans: List<BanInfo, SANCTIONS_PAGE_MAX>,
        /// Whether there are more behind the last.
        more: bool,
    }
}

/// A ban as a moderator sees it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct BanInfo {
    /// Whom it keeps out.
    pub account: AccountId,
    /// The name of that account.
    pub name: String,
    /// Who banned it.
    pub by: AccountId,
    /// The name of that account.
    pub by_name: String,
    /// Since when: milliseconds of UTC since 1970.
    pub since: Timestamp,
    /// Until when; 0: it does not end by itself.
    pub until: Timestamp,
    /// Why; may be empty.
    pub reason: String,
}

/// Whether a text can be the reason of something that a moderator does. None at all can.
///
/// # Errors
/// The rule of texts that it breaks; its limit is [`REASON_BYTES_MAX`].
pub fn check_reason(reason: &str) -> Result<(), TextError> {
    match reason.len() {
        bytes if bytes > REASON_BYTES_MAX => Err(TextError::ReasonTooLong { bytes }),
        _ if reason.contains('\0') => Err(TextError::Nul),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_short_text_or_none() {
        let longest = "x".repeat(REASON_BYTES_MAX);
        for reason in ["", "spam", "\u{1b}[31m", &longest] {
            assert_eq!(check_reason(reason), Ok(()));
        }
        assert_eq!(check_reason("a\0b"), Err(TextError::Nul));
        let too_long = check_reason(&(longest + "y")).unwrap_err();
        assert_eq!(too_long, TextError::ReasonTooLong { bytes: REASON_BYTES_MAX + 1 });
        assert_eq!(too_long.code(), crate::ErrorCode::TextTooLong);
    }
}
