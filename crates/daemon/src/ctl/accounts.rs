//! `accounts`, `account` and `admin`: who has an account, and what is done to one.

use chat_core::{
    AccountChange, AccountOrder, AccountSummary, Action, Named, OPERATOR, OperatorAnswer,
    OperatorQuery, WishedName,
};
use chat_proto::{AccountId, NameError, Nickname};

use super::answer::{Page, Record};
use super::authorized_key::AuthorizedKey;
use super::carry_out::VerbError;
use super::operator::{AskError, Operator};
use super::verb::{AccountVerb, AdminVerb};

/// A page of all accounts.
pub(super) async fn list(daemon: &Operator, after: Option<&str>) -> Result<Page, VerbError> {
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
    let records = accounts.into_iter().map(record_of).collect();
    Ok(Page { records, next: last.filter(|_last| more) })
}

fn record_of(account: AccountSummary) -> Record {
    let AccountSummary { id, name, rooms, credentials, disabled, is_administrator, is_online } =
        account;
    Record::default()
        .with("name", name)
        .with("id", id.0)
        .with("online", is_online)
        .with("rooms", rooms)
        .with("credentials", credentials)
        .with("administrator", is_administrator)
        .with("disabled", disabled.is_some())
        .with("reason", disabled)
}

/// Does something to an account.
pub(super) async fn change(daemon: &Operator, verb: AccountVerb) -> Result<Page, VerbError> {
    let (name, change) = match verb {
        AccountVerb::Disable { name, reason } => (known(&name)?, AccountChange::Disable { reason }),
        AccountVerb::Enable { name } => (known(&name)?, AccountChange::Enable),
        AccountVerb::Rename { name, to } => {
            let (to, is_reserved) = wished(&to)?;
            (known(&name)?, AccountChange::Rename { to, is_reserved })
        }
        AccountVerb::SetKey { name, line } => {
            let AuthorizedKey { credential, fingerprint, .. } = key_of(&line)?;
            let record = Record::default()
                .with("name", name.as_str())
                .with("fingerprint", fingerprint.as_str());
            let change = AccountChange::ReplaceKey { credential, fingerprint };
            order(daemon, known(&name)?, change).await?;
            return Ok(Page { records: vec![record], next: None });
        }
        AccountVerb::Import { line, .. } => {
            let key = key_of(&line)?;
            let (name, is_reserved) = wished(&key.comment)?;
            let record = Record::default()
                .with("name", key.comment)
                .with("fingerprint", key.fingerprint.as_str());
            let AuthorizedKey { credential, fingerprint, .. } = key;
            let change = AccountChange::Create { credential, fingerprint, is_reserved };
            order(daemon, name, change).await?;
            return Ok(Page { records: vec![record], next: None });
        }
    };
    order(daemon, name, change).await
}

/// Makes an account an administrator, or one no longer.
pub(super) async fn administer(daemon: &Operator, verb: AdminVerb) -> Result<Page, VerbError> {
    let (name, is_set) = match verb {
        AdminVerb::Add { name } => (name, true),
        AdminVerb::Remove { name } => (name, false),
    };
    order(daemon, known(&name)?, AccountChange::SetAdministrator { is_set }).await
}

async fn order(
    daemon: &Operator,
    name: Named<Nickname>,
    change: AccountChange,
) -> Result<Page, VerbError> {
    let order = AccountOrder { by: OPERATOR, name, change };
    daemon.order(Action::Govern(Box::new(order))).await?;
    Ok(Page::default())
}

fn key_of(line: &str) -> Result<AuthorizedKey, VerbError> {
    AuthorizedKey::read(line).map_err(|cause| VerbError::Usage(cause.to_string()))
}

/// A name that somebody has. Names of other times may be none by the rules of this one.
fn known(name: &str) -> Result<Named<Nickname>, VerbError> {
    Nickname::parse(name).map(Into::into).map_err(|cause| no_name(name, &cause))
}

/// A name that somebody is to have, and whether nobody may.
fn wished(name: &str) -> Result<(Named<Nickname>, bool), VerbError> {
    let name = Nickname::parse(name).map_err(|cause| no_name(name, &cause))?;
    let WishedName { named, is_reserved, .. } = name.into();
    Ok((named, is_reserved))
}

fn no_name(name: &str, cause: &NameError) -> VerbError {
    VerbError::Usage(format!("{name:?} cannot be the name of an account: {cause}"))
}
