//! The operator: whoever runs the daemon, who asks at this node without being anybody's account.
//!
//! What the operator asks is data, and so is the answer: nothing of it goes over the wire of clients.
//! It must not know how the operator is told, and how it was proved who that is.

use chat_proto::{AccountId, Epoch};

use crate::Conn;

/// Who does what the operator orders: no account has this id.
pub const OPERATOR: AccountId = AccountId(0);

/// Accounts of one page.
pub const OPERATOR_PAGE: usize = 500;

impl Conn {
    /// What stands for the operator where others have a connection: it is always there, and no
    /// connection has its number.
    pub const OPERATOR: Self = Self(u64::MAX);
}

/// What the operator may ask of the committed state, beside what accounts may.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum OperatorQuery {
    /// How much there is.
    Census,
    /// A page of all accounts, in order of their ids.
    Accounts {
        /// Only larger ids.
        after: AccountId,
    },
}

/// What the operator is told.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OperatorAnswer {
    /// How much there is.
    Census(Census),
    /// Accounts, at most [`OPERATOR_PAGE`] of them.
    Accounts {
        /// In order of their ids.
        accounts: Vec<AccountSummary>,
        /// Whether there are more behind them.
        more: bool,
    },
}

/// How much there is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Census {
    /// The epoch of all logs.
    pub epoch: Epoch,
    /// Accounts that there are.
    pub accounts: usize,
    /// Those of them that are connected to this node.
    pub online: usize,
    /// Rooms that there are.
    pub rooms: usize,
    /// Whether commands are carried out now: not while the store cannot be written.
    pub takes_commands: bool,
}

/// What the operator is told of an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountSummary {
    /// Its id.
    pub id: AccountId,
    /// Its nickname.
    pub name: String,
    /// How many rooms it is a member of.
    pub rooms: usize,
    /// How many credentials sign in to it.
    pub credentials: usize,
    /// Why nobody signs in to it; `None`: its owner does.
    pub disabled: Option<String>,
    /// Whether it is an administrator of the server.
    pub is_administrator: bool,
    /// Whether it is connected to this node.
    pub is_online: bool,
}
