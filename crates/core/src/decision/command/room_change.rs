//! What can change about a room, for all who are in it.

use chat_proto::{AccountId, Role};

/// A change of a room that somebody asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RoomChange {
    /// A member has another role.
    Role {
        /// Whose it is.
        account: AccountId,
        /// The role from now on.
        role: Role,
    },
}
