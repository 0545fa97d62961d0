//! What the operator can have done to accounts.

use std::path::PathBuf;

use clap::Subcommand;
use serde::{Deserialize, Serialize};

/// Something that is done to accounts. On the wire its name is in `do`.
#[derive(Clone, PartialEq, Eq, Debug, Subcommand, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AccountVerb {
    /// Let nobody sign in to an account, and sign out whoever has
    Disable {
        /// What the account is called
        name: String,
        /// Why, in words for whoever has its key
        #[arg(long, default_value = "")]
        #[serde(default)]
        reason: String,
    },
    /// Let its owner sign in to an account again
    Enable {
        /// What the account is called
        name: String,
    },
    /// Give an account another name, which is then free for others
    Rename {
        /// What the account is called
        name: String,
        /// What it is to be called
        to: String,
    },
    /// Let a key, read from standard input (key.pub), sign in to an account, and nothing else any more
    SetKey {
        /// What the account is called
        name: String,
        /// A line as in a key.pub.
        #[arg(skip)]
        line: String,
    },
    /// Make an account for each line of an authorized_keys file: the comment behind a key is the name
    Import {
        /// The file; - is standard input
        #[serde(skip)]
        file: PathBuf,
        /// A line of it.
        #[arg(skip)]
        line: String,
    },
}

/// Who is an administrator. On the wire its name is in `do`.
#[derive(Clone, PartialEq, Eq, Debug, Subcommand, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum AdminVerb {
    /// Make an account an administrator of the server
    Add {
        /// What the account is called
        name: String,
    },
    /// Make it one no longer
    Remove {
        /// What the account is called
        name: String,
    },
}
