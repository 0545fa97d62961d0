//! What the operator, or an administrator, has done to an account.

use chat_proto::{AccountId, Credential, Nickname};

use crate::Named;

/// Something that is to be done to one account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountOrder {
    /// Who orders it; 0: the operator.
    pub by: AccountId,
    /// What the account is called, or is to be called where it is made.
    pub name: Named<Nickname>,
    /// What is to be done.
    pub change: AccountChange,
}

/// What is to be done to an account.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AccountChange {
    /// It is there, for whoever has this key.
    Create {
        /// What signs in to it.
        credential: Credential,
        /// What people compare, as `ssh-keygen -l` shows it.
        fingerprint: String,
        /// Whether nobody may be called so.
        is_reserved: bool,
    },
    /// This key signs in to it, and nothing else does any more.
    ReplaceKey {
        /// What signs in to it.
        credential: Credential,
        /// What people compare, as `ssh-keygen -l` shows it.
        fingerprint: String,
    },
    /// Nobody signs in to it, and whoever has is signed out.
    Disable {
        /// Why, in words for whoever has its key; may be empty.
        reason: String,
    },
    /// It may be signed in to again.
    Enable,
    /// It is an administrator of the server, or is none any more.
    SetAdministrator {
        /// Whether it is one.
        is_set: bool,
    },
    /// It has another name.
    Rename {
        /// The nickname from now on.
        to: Named<Nickname>,
        /// Whether nobody may be called so.
        is_reserved: bool,
    },
}
