//! What the daemon does for each verb.
//!
//! It must not know how requests come and answers go.

use chat_core::{AccountSummary, OperatorAnswer, OperatorQuery};
use chat_proto::AccountId;

use super::answer::{Answer, ErrorKind, Page, Record};
use super::inviting;
use super::operator::{AskError, Operator};
use super::status::status;
use super::token;
use super::verb::Verb;

/// Carries a request out.
pub(super) async fn carry_out(verb: Verb, daemon: &Operator) -> Answer {
    let done = match verb {
        Verb::Status {} => status(daemon).await,
        Verb::TokenCreate(asked) => token::create(daemon, asked).await,
        Verb::TokenRevoke { name } => token::revoke(daemon, &name).await,
        Verb::Accounts { after } => accounts(daemon, after.as_deref()).await,
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
    /// The daemon refuses it.
    #[error(transparent)]
    Ask(#[from] AskError),
}

impl From<VerbError> for Answer {
    fn from(error: VerbError) -> Self {
        match error {
            VerbError::Usage(message) => Self::error(ErrorKind::Usage, message),
            VerbError::Ask(error) => error.into(),
        }
    }
}

async fn accounts(daemon: &Operator, after: Option<&str>) -> Result<Page, VerbError> {
    let after = match after.map(str::parse) {
        None => 0,
        Some(Ok(after)) => after,
        Some(Err(_no_number)) => {
            return Err(VerbError::Usage("`after` is no id of an account".to_owned()));
        }
    };
    let query = OperatorQuery::Accounts { after: AccountId(after) };
    let OperatorAnswer::Accounts { accounts, more } = daemon.ask(query).await? else {
        return Err(AskError::Astray.into());
    };
    let last = accounts.last().map(|account| account.id.to_string());
    let records = accounts.iter().map(record_of).collect();
    Ok(Page { records, next: last.filter(|_last| more) })
}

fn record_of(account: &AccountSummary) -> Record {
    let AccountSummary { id, name, rooms, credentials, is_online } = account;
    Record::default()
        .with("name", name.as_str())
        .with("id", id.0)
        .with("online", *is_online)
        .with("rooms", *rooms)
        .with("credentials", *credentials)
}
