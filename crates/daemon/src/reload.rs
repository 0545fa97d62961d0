//! What a running daemon does for whoever sends it a signal: it reads its settings again, or writes how
//! things stand.

use chat_log::Log;
use chatd::Server;
use chatd::config::{Config, read_again};
use tracing_subscriber::EnvFilter;

/// Reads the settings again and puts those in force that a running daemon takes anew. Gives those that
/// are in force then: where they cannot be read, those of before.
pub(crate) fn reload(config: Config, server: &Server, log: &Log) -> Config {
    let new = match read_again() {
        Ok(new) => new,
        Err(error) => {
            tracing::error!(%error, "the settings cannot be read again; those of before stay in force");
            return config;
        }
    };
    let fixed = config.changed_for_next_start(&new);
    if !fixed.is_empty() {
        let settings = fixed.join(", ");
        tracing::warn!(%settings, "settings have changed that count from the next start on");
    }
    if let Err(error) = log.set_filter(EnvFilter::new(&new.log)) {
        tracing::error!(%error, "the log keeps its filter");
    }
    let Config { requests_per_second, connections, log, .. } = new;
    let config = Config { requests_per_second, connections, log, ..config };
    server.reload(&config);
    tracing::info!(
        requests_per_second,
        connections_max = server.metrics().connections_max,
        log = config.log,
        "the settings have been read again"
    );
    config
}

/// Writes how things stand.
pub(crate) fn report(server: &Server) {
    let now = server.metrics();
    tracing::info!(
        connections = now.connections,
        signed_in = now.signed_in,
        connections_max = now.connections_max,
        accepted = now.accepted,
        requests = now.requests,
        bytes_read = now.bytes_read,
        bytes_written = now.bytes_written,
        pages = now.pages,
        events = now.events,
        "metrics"
    );
}
