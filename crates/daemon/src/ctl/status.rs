//! `status`: how the daemon stands.

use std::path::Path;

use chat_core::{Census, OperatorAnswer, OperatorQuery};

use super::answer::{Page, Record};
use super::carry_out::VerbError;
use super::operator::{AskError, Operator};

/// What a store is made of.
const STORE_FILES: [&str; 3] = ["chatd.db", "chatd.db-wal", "chatd.db-shm"];

pub(super) async fn status(daemon: &Operator) -> Result<Page, VerbError> {
    let OperatorAnswer::Census(census) = daemon.ask(OperatorQuery::Census).await? else {
        return Err(AskError::Astray.into());
    };
    let Census { epoch, accounts, online, rooms, takes_commands } = census;
    let metrics = daemon.live.snapshot();
    let record = Record::default()
        .with("version", env!("CARGO_PKG_VERSION"))
        .with("fingerprint", daemon.fingerprint.as_str())
        .with("data-dir", daemon.data_dir.to_string_lossy())
        .with("uptime-s", daemon.started.elapsed().as_secs())
        .with("connections", metrics.connections)
        .with("connections-max", metrics.connections_max)
        .with("signed-in", metrics.signed_in)
        .with("accounts", accounts)
        .with("online", online)
        .with("rooms", rooms)
        .with("epoch", epoch.0.to_string())
        .with("writable", takes_commands)
        .with("store-bytes", store_bytes(&daemon.data_dir));
    Ok(Page::of(record))
}

/// Bytes that the store has on the disk; a file that is missing has none.
fn store_bytes(data_dir: &Path) -> u64 {
    let bytes = |name| std::fs::metadata(data_dir.join(name)).map_or(0, |found| found.len());
    STORE_FILES.into_iter().map(bytes).sum()
}
