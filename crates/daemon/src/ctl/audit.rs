//! `audit`: what moderators, administrators and the operator have done.

use chat_core::OPERATOR;
use chat_proto::{Role, Timestamp};
use serde_json::Value;

use super::answer::{Page, Record};
use super::carry_out::VerbError;
use super::operator::Operator;
use crate::store::audit::AuditEntry;

/// A page of it, oldest first.
pub(super) async fn audit(daemon: &Operator, after: Option<&str>) -> Result<Page, VerbError> {
    let after = match after.map(str::parse) {
        None => 0,
        Some(Ok(after)) => after,
        Some(Err(_no_number)) => {
            return Err(VerbError::Usage("`after` is no place in the audit".to_owned()));
        }
    };
    let log = daemon.audit.clone();
    let read = tokio::task::spawn_blocking(move || log.page(after)).await;
    let page = match read {
        Ok(Ok(page)) => page,
        Ok(Err(error)) => return Err(VerbError::Store(error.to_string())),
        Err(error) => return Err(VerbError::Store(error.to_string())),
    };
    let records = page.entries.into_iter().map(record_of).collect();
    Ok(Page { records, next: page.next.map(|next| next.to_string()) })
}

fn record_of(entry: AuditEntry) -> Record {
    let AuditEntry { ts, what, by, by_name, account, room, words, number } = entry;
    let by = match by {
        OPERATOR => "(operator)".to_owned(),
        by => by_name.unwrap_or_else(|| by.to_string()),
    };
    let number = match (&*what, number) {
        ("role_set", Some(role)) => {
            let role = u16::try_from(role).ok().and_then(Role::from_number);
            role.map_or(Value::Null, |role| role.to_string().into())
        }
        (_, number) => number.into(),
    };
    Record::default()
        .with("time", time(ts))
        .with("by", by)
        .with("what", what)
        .with("account", account)
        .with("room", room.map(|room| format!("#{room}")))
        .with("reason", words)
        .with("value", number)
}

/// As RFC 3339 has it, in UTC and whole seconds.
fn time(ts: Timestamp) -> String {
    let seconds = i64::try_from(ts.0 / 1_000).ok();
    let time = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or_else(|| ts.to_string(), |time| time.to_string())
}
