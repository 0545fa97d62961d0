//! What can change about a room, for all who are in it.

use chat_proto::{AccountId, Role};

/// A change of a room that somebody asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoomChange {
    /// A member has another role.
    Role {
        /// Whose it is.
        account: AccountId,
        /// The role from now on.
        role: Role,
    },
    /// Others know of it, or not.
    Access {
        /// Whether only its members, and who is invited, know of it.
        is_private: bool,
    },
    /// An account may join it, or not.
    Invitation {
        /// Who is invited.
        account: AccountId,
        /// Whether it is, or no more.
        is_set: bool,
    },
    /// It is about something else.
    Topic {
        /// What it is about, as it was sent; empty: nothing is said of it.
        topic: String,
    },
    /// Members may post in it, or not.
    ReadOnly {
        /// Whether only its moderators and owners may.
        is_read_only: bool,
    },
}
