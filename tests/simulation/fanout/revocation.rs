//! Cursors that close because somebody may not read a log any more.

use chat_core::RevocationNumber;
use chat_proto::{AccountId, LogId};

/// Cursors on a log close.
pub(crate) struct Revocation {
    pub(crate) log: LogId,
    pub(crate) whose: Whose,
    pub(crate) number: RevocationNumber,
    pub(crate) frame: Vec<u8>,
}

/// Whose cursors close.
pub(crate) enum Whose {
    Account(AccountId),
    OthersThan(Vec<AccountId>),
}

impl Whose {
    pub(crate) fn is(&self, account: Option<AccountId>) -> bool {
        match self {
            Self::Account(meant) => account == Some(*meant),
            Self::OthersThan(spared) => account.is_none_or(|account| !spared.contains(&account)),
        }
    }
}
