//! Keys: what makes it safe to run a task again whose outcome is unknown.
//!
//! A key names the stream of the nonces. The same lines under the same key have the same nonces, so
//! those that are posted already are not posted again.

use chat_client::{Config, OutboxKind};

use super::failure::Failure;

/// The key of one task: that of `--id`, or a random one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Key(String);

impl Key {
    /// The key that was given, or else a random one.
    pub(super) fn given_or_random(given: Option<String>) -> Result<Self, Failure> {
        given.map_or_else(Self::random, |key| Ok(Self(key)))
    }

    fn random() -> Result<Self, Failure> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(Failure::internal)?;
        Ok(Self(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    /// A client's configuration whose sends are under this key.
    pub(super) fn of_client(&self, config: &Config) -> Config {
        let outbox = OutboxKind::Headless { explicit_id: Some(self.0.clone()) };
        Config { outbox, ..config.clone() }
    }

    /// How to go on when the outcome is unknown. `options` make the same messages of the same input.
    pub(super) fn hint(&self, room: &str, options: &str) -> String {
        format!(
            "To post it once and not twice, send the same again with: \
             chat-tui --no-tui send -r {room}{options} --id {}",
            self.0
        )
    }
}
