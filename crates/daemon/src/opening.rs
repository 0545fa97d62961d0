//! The store at a start: opened, corrected where that is asked for, and begun where nothing is in it.

use chat_core::{Action, Command, Pipeline, StoreSecret};
use chat_proto::{Epoch, RoomName};

use crate::clock::utc_now;
use crate::config::Config;
use crate::start_error::StartError;
use crate::store::{OpenError, SqliteStore, correct_times};

/// The room that is always there.
const LOBBY: &str = "lobby";

/// The store, with its times corrected where that is asked for.
pub(crate) fn open_store(config: &Config) -> Result<SqliteStore, StartError> {
    if config.correct_times {
        let events = correct_times(&config.data_dir, config.durability, utc_now())?;
        tracing::info!(events, "times that were in the future have been corrected");
    }
    let open = match config.new_store {
        true => SqliteStore::open_or_begin_again,
        false => SqliteStore::open,
    };
    Ok(open(&config.data_dir, config.durability)?)
}

pub(crate) fn begin_pipeline(store: SqliteStore) -> Result<Pipeline<SqliteStore>, StartError> {
    let mut pipeline = Pipeline::open(store)?;
    if !pipeline.has_begun() {
        pipeline.begin(genesis()?)?;
    }
    Ok(pipeline)
}

/// What begins the logs, or another life of them.
fn genesis() -> Result<Command, OpenError> {
    let (mut bytes, mut secret) = ([0; 8], StoreSecret::default());
    getrandom::fill(&mut bytes)?;
    getrandom::fill(&mut secret.0)?;
    // SQLite's integers are signed, and 0 is no epoch.
    let epoch = Epoch((u64::from_le_bytes(bytes) >> 1).max(1));
    let lobby = RoomName::parse(LOBBY).expect("the lobby's name is a name").into();
    Ok(Command { ts: utc_now(), action: Action::Genesis { epoch, secret, lobby } })
}
