//! Who gets an account: how registration stands, and what an invitation is asked for with.
//!
//! It must not know at which listener anybody has come in: how registration stands there is data here.

use std::str::FromStr;

use chat_proto::{InvitationHash, RoomId};

/// Whether somebody who signs in with a credential that has no account gets one.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Registration {
    /// Everybody does.
    #[default]
    Open,
    /// Whoever has an invitation does.
    Invite,
    /// Nobody does.
    Closed,
}

impl Registration {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Open, Self::Invite, Self::Closed];

    /// As people write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Invite => "invite",
            Self::Closed => "closed",
        }
    }

    /// What is said to whom it lets in nowhere, whatever the reason is.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Open => "sign in again",
            Self::Invite => {
                "A new account needs an invitation here: ask somebody who is in for one"
            }
            Self::Closed => "No accounts are made here: ask whoever runs the server",
        }
    }
}

impl FromStr for Registration {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.into_iter().find(|registration| registration.as_str() == text);
        named.ok_or("registration is open, invite or closed")
    }
}

/// An invitation that is to be made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct NewInvitation {
    /// Of its code, which was drawn at random and is nowhere else.
    pub hash: InvitationHash,
    /// How many accounts may be made with it.
    pub uses: u32,
    /// For how long it is good, in seconds.
    pub seconds: u32,
    /// The rooms that a new account is made a member of.
    pub rooms: Vec<RoomId>,
    /// For whom it is; may be empty.
    pub name: String,
}
