//! Keys: what makes it safe to run a task again whose outcome is unknown.
//!
//! A key names the stream of the nonces. The same lines under the same key have the same nonces, so
//! those that are posted already are not posted again.

use chat_client::{Config, OutboxKind};

use super::failure::Failure;
use super::quoting::quoted;

/// The key of one task: that of `--id`, or a random one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Key {
    id: String,
    /// The place of the first message.
    first: u64,
    is_random: bool,
}

impl Key {
    /// The key that was given, or else a random one.
    pub(super) fn given_or_random(given: Option<String>, first: u64) -> Result<Self, Failure> {
        given.map_or_else(Self::random, |id| Ok(Self { id, first, is_random: false }))
    }

    pub(super) fn id(&self) -> &str {
        &self.id
    }

    fn random() -> Result<Self, Failure> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(Failure::internal)?;
        let id = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id, first: 1, is_random: true })
    }

    /// A client's configuration whose sends are under this key.
    pub(super) fn of_client(&self, config: &Config) -> Config {
        let outbox =
            OutboxKind::Headless { explicit_id: Some(self.id.clone()), renewable: self.is_random };
        Config { outbox, first_n: self.first, ..config.clone() }
    }

    /// How to go on when the outcome is unknown. `options` make the same messages of the same input.
    pub(super) fn hint(&self, room: &str, options: &str) -> String {
        let nth = match self.first {
            1 => String::new(),
            first => format!(" --nth {first}"),
        };
        format!(
            "To post it once and not twice, send the same again with: \
             chat-tui --no-tui send -r {room}{options} --id {}{nth}",
            quoted(&self.id)
        )
    }
}
