//! What is read from disk before a client starts.

use chat_proto::{Credential, StreamId};

use crate::config::{Config, OutboxKind};
use crate::identity::{Identity, random_bytes};
use crate::journal_writer::JournalWriter;
use crate::outbox::Outbox;
use crate::outbox_dir::OutboxDir;
use crate::send_queue::{Policy, SendQueue};
use crate::sending::Sending;
use crate::start::StartError;
use crate::target::{Fingerprint, as_file_name};

/// The outbox: of a screen, with what dead screens left.
pub(super) fn open_outbox(config: &Config, identity: &Identity) -> Result<Sending, StartError> {
    let key = identity.public_key();
    let fresh =
        || Ok::<_, StartError>(StreamId(random_bytes().map_err(chat_files::key::KeyError::from)?));
    let (own, is_stream_firm) = match &config.outbox {
        OutboxKind::Screen | OutboxKind::Headless { explicit_id: None, .. } => (fresh()?, false),
        OutboxKind::Headless { explicit_id: Some(id), renewable } => {
            (StreamId::explicit(id), !renewable)
        }
    };
    if config.outbox != OutboxKind::Screen {
        let own = Outbox::restore(own, config.first_n.max(1), Vec::new());
        let queue = SendQueue::new(own, Vec::new(), Policy::Script { is_stream_firm });
        return Ok(Sending::new(queue, JournalWriter::Memory, Credential::Key(key).id()));
    }
    let root = config.data_dir.join("outbox");
    let account = Fingerprint::of(&key).for_url();
    let address = as_file_name(&config.target.to_string());
    let mut outbox_dir = OutboxDir::new(root.clone(), account, address, own);
    if let Some(server) = config.known_server()? {
        outbox_dir.identified(server.for_url());
    }
    let adopted = outbox_dir.adopt().map_err(|cause| StartError::Outbox { path: root, cause })?;
    let writer = JournalWriter::Idle(Box::new(outbox_dir));
    let queue = SendQueue::new(Outbox::new(own), adopted, Policy::Screen);
    Ok(Sending::new(queue, writer, Credential::Key(key).id()))
}
