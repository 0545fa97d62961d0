//! Queries: questions that change nothing, answered from the committed state.

use chat_proto::{AccountId, LogId, Position, RoomId, RoomName, Seq};

/// A question of a signed-in account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Query {
    /// Open a cursor.
    Subscribe {
        /// On which log.
        log: LogId,
        /// After what; `None`: after the head.
        after: Option<Position>,
    },
    /// Close a cursor.
    Unsubscribe {
        /// On which log.
        log: LogId,
    },
    /// A page of messages.
    History {
        /// Of which room.
        room: RoomId,
        /// Only smaller seqs.
        before: Seq,
        /// How many at the most.
        limit: u16,
    },
    /// A room by its name.
    FindRoom {
        /// Its name.
        name: RoomName,
    },
    /// A page of rooms.
    Rooms {
        /// Only larger ids.
        after: RoomId,
    },
    /// A page of members.
    Members {
        /// Of which room.
        room: RoomId,
        /// Only larger ids.
        after: AccountId,
    },
    /// Names of accounts.
    Accounts {
        /// Whose.
        ids: Vec<AccountId>,
    },
    /// A sign of life, behind everything asked before.
    Ping {
        /// Comes back.
        token: u64,
    },
}
