//! What moderators ask for.

use chat_proto::{AccountId, Seq, Timestamp};

/// What keeps an account from something in a room, until a moderator or the time ends it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum SanctionKind {
    /// It is no member, and reads nothing.
    Ban = 1,
    /// It reads, and says nothing.
    Mute = 2,
}

/// Something that a moderator does, or is told of.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Moderation {
    /// A membership ends.
    Kick {
        /// Whose.
        account: AccountId,
        /// Why, as it was typed.
        reason: String,
    },
    /// An account is kept from something.
    Sanction {
        /// From what.
        kind: SanctionKind,
        /// Which one.
        account: AccountId,
        /// When that ends; 0: not by itself.
        until: Timestamp,
        /// Why, as it was typed.
        reason: String,
    },
    /// It is kept from it no longer.
    Lift {
        /// From what.
        kind: SanctionKind,
        /// Which one.
        account: AccountId,
    },
    /// A member says at most one thing in so many seconds.
    Slow {
        /// 0: as many as it likes.
        seconds: u32,
    },
    /// What an account has said is taken away.
    RemoveMessages {
        /// Which one.
        account: AccountId,
        /// In the last so many seconds; 0: ever.
        seconds: u32,
    },
    /// A message is shown to the moderators.
    Report {
        /// Its place in the room's log.
        seq: Seq,
        /// Why, as it was typed.
        reason: String,
    },
}

impl SanctionKind {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Ban, Self::Mute];

    /// What a number means.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| *kind as u8 == number)
    }
}
