//! What the daemon does for each verb.
//!
//! It must not know how requests come and answers go.

use super::accounts;
use super::answer::{Answer, ErrorKind};
use super::audit::audit;
use super::inviting;
use super::operator::{AskError, Operator};
use super::status::status;
use super::token;
use super::verb::Verb;

/// Carries a request out.
pub(super) async fn carry_out(verb: Verb, daemon: &Operator) -> Answer {
    let done = match verb {
        Verb::Status {} => status(daemon).await,
        Verb::Accounts { after } => accounts::list(daemon, after.as_deref()).await,
        Verb::Audit { after } => audit(daemon, after.as_deref()).await,
        Verb::Account(verb) => accounts::change(daemon, verb).await,
        Verb::Admin(verb) => accounts::administer(daemon, verb).await,
        Verb::TokenCreate(asked) => token::create(daemon, asked).await,
        Verb::TokenRevoke { name } => token::revoke(daemon, &name).await,
        Verb::Invite { uses, expires, rooms, name } => {
            let terms = inviting::Terms { uses, expires, rooms, name };
            inviting::invite(daemon, terms).await
        }
        Verb::Invitations { after } => inviting::invitations(daemon, after.as_deref()).await,
        Verb::RevokeInvitation { id } => inviting::revoke(daemon, id).await,
    };
    done.map_or_else(Answer::from, Answer::Ok)
}

/// Why a verb was not carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum VerbError {
    /// What it says is wrong.
    #[error("{0}")]
    Usage(String),
    /// The store cannot be read.
    #[error("the store cannot be read: {0}")]
    Store(String),
    /// The daemon refuses it.
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl From<VerbError> for Answer {
    fn from(error: VerbError) -> Self {
        match error {
            VerbError::Usage(message) => Self::error(ErrorKind::Usage, message),
            VerbError::Store(_) => Self::error(ErrorKind::Retry, error),
            VerbError::Ask(error) => error.into(),
        }
    }
}
