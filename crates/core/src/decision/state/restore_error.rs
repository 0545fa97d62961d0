//! Why the state of a store is not carried on.

use super::RULES;
use crate::StoreError;

/// Says why the state of a store is not carried on, and what to do.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Newer rules have made it.
    #[error(
        "the store's logs go by the rules {found}, and this version knows those up to {RULES}. Use a \
         newer version"
    )]
    NewerRules {
        /// Their number.
        found: u16,
    },
    /// Rules have made it that nobody goes by any more.
    #[error(
        "the store's logs go by the rules {found} of an earlier, unreleased version, and this one knows \
         only {RULES}. Keep them for that version, and begin with another data directory"
    )]
    OlderRules {
        /// Their number.
        found: u16,
    },
    /// Its logs have begun, and what ids and digests follow from is not there.
    #[error(
        "the store lacks the secret that its ids follow from: the file is damaged, or was changed by \
         another program. Restore it from a backup"
    )]
    NoSecret,
    /// Neither of two names may be taken for the other.
    #[error(
        "two {what} of the store have names that may be taken for each other, {held:?} and {name:?}: \
         the file was changed by another program. Rename one of them in it"
    )]
    SameNames {
        /// Accounts or rooms.
        what: &'static str,
        /// The one.
        held: String,
        /// The other.
        name: String,
    },
}

/// For whoever has restored the state before, and only wants to know that it was in vain now.
impl From<RestoreError> for StoreError {
    fn from(error: RestoreError) -> Self {
        match error {
            RestoreError::Store(error) => error,
            other @ (RestoreError::NewerRules { .. }
            | RestoreError::OlderRules { .. }
            | RestoreError::NoSecret
            | RestoreError::SameNames { .. }) => Self::new("read the state back", other),
        }
    }
}
