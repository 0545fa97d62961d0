//! What the operator can say: each verb is a command of the command line and a request in JSON at once.
//!
//! It must not know what is done for it.

mod account;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

pub use account::{AccountVerb, AdminVerb};

/// A request of the operator's. On the wire it is an object with its name as `verb`.
#[derive(Clone, PartialEq, Eq, Debug, Subcommand, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Verb {
    /// How the daemon stands: version, connections, accounts, rooms, the size of its store
    Status {},
    /// An account for a program: shows its token, once
    TokenCreate(TokenVerb),
    /// Take its token from a program: it is cut off, and signs in no more
    TokenRevoke {
        /// The program's name
        #[arg(long)]
        name: String,
    },
    /// Every account, with its id, its rooms and what signs in to it
    Accounts {
        /// Behind which account: `next` of the page before.
        #[arg(skip)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// What moderators, administrators and the operator have done, oldest first
    Audit {
        /// Behind which event: `next` of the page before.
        #[arg(skip)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Make an invitation, and print the line that lets its holder in; it is printed this once
    Invite {
        /// How many accounts may be made with it
        #[arg(long, default_value_t = 20)]
        uses: u32,
        /// For how long it is good: 30m, 2h, 7d, 4w
        #[arg(long, default_value = "7d")]
        expires: String,
        /// A room that its holder becomes a member of; repeatable
        #[arg(long = "room", value_name = "ROOM")]
        #[serde(default)]
        rooms: Vec<String>,
        /// For whom it is, as the list is to say
        #[arg(long = "for", value_name = "NAME", default_value = "", hide_default_value = true)]
        #[serde(default)]
        name: String,
    },
    /// The invitations that are open, whoever has made them
    Invitations {
        /// Behind which one: `next` of the page before.
        #[arg(skip)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// End an invitation
    RevokeInvitation {
        /// Its id, as the list shows it
        id: u64,
    },
    /// Disable, enable or rename an account, or make accounts for keys
    #[command(subcommand)]
    Account(AccountVerb),
    /// Say who is an administrator of the server
    #[command(subcommand)]
    Admin(AdminVerb),
}

/// A program that is to have an account.
#[derive(Clone, PartialEq, Eq, Debug, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenVerb {
    /// What it is called
    #[arg(long)]
    pub(crate) name: String,
    /// A room that it is a member of, repeatable; without --can join it knows of no other
    #[arg(long = "room", value_name = "ROOM")]
    #[serde(default)]
    pub(crate) rooms: Vec<String>,
    /// What its token is for: send, read and join, with commas between
    #[arg(long, default_value = "send,read")]
    pub(crate) can: String,
    /// How long the token is good, as in 90d or 12h; or never
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: String,
    /// What names the token, which the daemon is not told.
    #[arg(skip)]
    pub(crate) token: String,
}

impl Verb {
    /// How its answer is shown to people.
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::Status {}
            | Self::TokenCreate(_)
            | Self::TokenRevoke { .. }
            | Self::Invite { .. }
            | Self::RevokeInvitation { .. } => Shape::Fields,
            Self::Accounts { .. }
            | Self::Audit { .. }
            | Self::Invitations { .. }
            | Self::Account(_)
            | Self::Admin(_) => Shape::Table,
        }
    }

    /// The same request for the page behind another.
    pub(crate) fn for_page(&mut self, next: String) {
        match self {
            Self::Accounts { after } | Self::Audit { after } | Self::Invitations { after } => {
                *after = Some(next);
            }
            Self::Status {}
            | Self::TokenCreate(_)
            | Self::TokenRevoke { .. }
            | Self::Invite { .. }
            | Self::RevokeInvitation { .. }
            | Self::Account(_)
            | Self::Admin(_) => {}
        }
    }
}

/// How records are shown to people.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Shape {
    /// A line for each field.
    Fields,
    /// A line for each record, under the names of the fields.
    Table,
}
