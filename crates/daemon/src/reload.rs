//! What a running daemon does for whoever sends it a signal: it reads its settings again, or writes how
//! things stand.

use std::time::Duration;

use chat_log::Log;
use chatd::config::{Config, read_again};
use chatd::{CertificateError, Server, TlsCertificate};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use tracing_subscriber::EnvFilter;

/// How long reading the settings may take. A disk may hang, and nothing else is done meanwhile.
const READ_MAX: Duration = Duration::from_secs(5);

/// What was read, with the certificate that it names.
pub(crate) type Settings = (Config, Result<TlsCertificate, CertificateError>);

/// Reads the settings again, on a thread beside: at most one at a time, however long its disk hangs.
#[derive(Debug, Default)]
pub(crate) struct SettingsReader {
    reading: Option<JoinHandle<Result<Settings, String>>>,
}

impl SettingsReader {
    /// Reads them, or says in a sentence what is wrong. Cancelled, it reads on for nobody.
    pub(crate) async fn read(&mut self) -> Result<Settings, String> {
        if self.reading.as_ref().is_some_and(|earlier| !earlier.is_finished()) {
            return Err("an earlier reading has not come to its end: look at the disk".to_owned());
        }
        let reading = self.reading.insert(spawn_blocking(read_all_again));
        let Ok(read) = timeout(READ_MAX, reading).await else {
            return Err(format!("it takes longer than {READ_MAX:?}: look at the disk"));
        };
        self.reading = None;
        read.map_err(|fault| fault.to_string())?
    }
}

fn read_all_again() -> Result<Settings, String> {
    let config = read_again()?;
    let certificate = TlsCertificate::of(&config);
    Ok((config, certificate))
}

/// Puts those settings in force that a running daemon takes anew. Gives those that are in force then:
/// where they could not be read, those of before.
pub(crate) fn reload(
    config: Config,
    read: Result<Settings, String>,
    server: &Server,
    log: &Log,
) -> Config {
    let (new, loaded) = match read {
        Ok(settings) => settings,
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
    let Config { requests_per_second, connections, registration, .. } = new;
    let Config { limits, certificate, insecure_plaintext, .. } = new;
    let config = Config {
        requests_per_second,
        connections,
        registration,
        limits,
        certificate,
        insecure_plaintext,
        log: new.log,
        ..config
    };
    if let Err(error) = &loaded {
        tracing::error!(%error, "the certificate is of no use; the one of before stays in force");
    }
    server.reload(&config, loaded.ok());
    tracing::info!(
        requests_per_second,
        connections_max = server.metrics().connections_max,
        registration = %config.registration,
        log = config.log,
        "the settings have been read again"
    );
    config
}

/// Writes how things stand: a line that was asked for, whatever else the log tells.
pub(crate) fn report(server: &Server, log: &Log) {
    log.say(&format!("chatd: metrics {}", server.metrics()));
}
