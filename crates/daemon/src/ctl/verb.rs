//! What the operator can say: each verb is a command of the command line and a request in JSON at once.
//!
//! It must not know what is done for it.

use clap::Subcommand;
use serde::{Deserialize, Serialize};

/// A request of the operator's. On the wire it is an object with its name as `verb`.
#[derive(Clone, PartialEq, Eq, Debug, Subcommand, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Verb {
    /// How the daemon stands: version, connections, accounts, rooms, the size of its store
    Status {},
    /// Every account, with its id, its rooms and what signs in to it
    Accounts {
        /// Behind which account: `next` of the page before.
        #[arg(skip)]
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
}

impl Verb {
    /// How its answer is shown to people.
    pub(crate) fn shape(&self) -> Shape {
        match self {
            Self::Status {} => Shape::Fields,
            Self::Accounts { .. } => Shape::Table,
        }
    }

    /// The same request for the page behind another.
    pub(crate) fn for_page(&mut self, next: String) {
        match self {
            Self::Accounts { after } => *after = Some(next),
            Self::Status {} => {}
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
