//! The one task that owns a client.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use chat_proto::{Nickname, PublicKey};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::client::{Call, SendCall};
use crate::config::Config;
use crate::event::Event;
use crate::identity::Identity;
use crate::start::StartError;

pub(crate) struct Driver {
    identity: Identity,
    calls: mpsc::Receiver<Call>,
    sends: mpsc::Receiver<SendCall>,
    events: mpsc::Sender<Event>,
    online: Arc<AtomicBool>,
}

impl Driver {
    pub(crate) fn new(
        config: Config,
        calls: mpsc::Receiver<Call>,
        sends: mpsc::Receiver<SendCall>,
        events: mpsc::Sender<Event>,
        online: Arc<AtomicBool>,
    ) -> Result<Self, StartError> {
        let name = Nickname::parse(&config.name.wished)
            .map_err(|cause| StartError::BadName { name: config.name.wished.clone(), cause })?;
        let identity = Identity::load_or_create(&config.data_dir, &name)?;
        Ok(Self { identity, calls, sends, events, online })
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        self.identity.public_key()
    }

    pub(crate) async fn run(self, stop: CancellationToken) {
        stop.cancelled().await;
        drop((self.calls, self.sends, self.events, self.online));
    }
}
