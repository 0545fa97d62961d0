//! What is read from disk before a client starts.

use crate::config::{Config, OutboxKind};
use crate::identity::{Identity, random_bytes};
use crate::journal_writer::JournalWriter;
use crate::outbox::FreshStreams;
use crate::outbox_dir::OutboxDir;
use crate::send_queue::{ExplicitId, Policy, SendQueue};
use crate::sending::Sending;
use crate::start::StartError;
use crate::target::as_file_name;

/// The outbox: of a screen, with what dead screens left.
pub(super) fn open_outbox(config: &Config, identity: &Identity) -> Result<Sending, StartError> {
    let credential = identity.credential().id();
    let fresh = FreshStreams::from_random(random_bytes().map_err(chat_files::key::KeyError::from)?);
    if let OutboxKind::Headless { explicit_id, renewable } = &config.outbox {
        let explicit = explicit_id.clone().map(|id| ExplicitId {
            id,
            first_n: config.first_n,
            is_firm: !renewable,
        });
        let queue = SendQueue::new(Policy::Script { explicit }, fresh, Vec::new());
        return Ok(Sending::new(queue, JournalWriter::Memory, credential));
    }
    let root = config.data_dir.join("outbox");
    let account = identity.fingerprint().for_url();
    let address = as_file_name(&config.target.to_string());
    let mut outbox_dir = OutboxDir::new(root.clone(), account, address);
    if let Some(server) = config.known_server()? {
        outbox_dir.identified(server.for_url());
    }
    let adopted = outbox_dir.adopt().map_err(|cause| StartError::Outbox { path: root, cause })?;
    let writer = JournalWriter::Idle(Box::new(outbox_dir));
    let queue = SendQueue::new(Policy::Screen, fresh, adopted);
    Ok(Sending::new(queue, writer, credential))
}
