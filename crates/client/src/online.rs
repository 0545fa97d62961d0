//! What the driver and the handles know together: whether there is a connection, and to which server.
//!
//! It must not know how a connection is made.

use std::sync::{Mutex, PoisonError};

use chat_proto::PublicKey;

/// Whether a client is connected.
#[derive(Debug, Default)]
pub(crate) struct Online(Mutex<State>);

#[derive(Clone, Copy, Debug, Default)]
struct State {
    is_up: bool,
    /// The identity of the server of the last connection.
    server_key: Option<PublicKey>,
}

impl Online {
    /// Signed in to the server of this identity.
    pub(crate) fn up(&self, server_key: PublicKey) {
        self.change(|state| *state = State { is_up: true, server_key: Some(server_key) });
    }

    /// There is no connection.
    pub(crate) fn down(&self) {
        self.change(|state| state.is_up = false);
    }

    pub(crate) fn is_up(&self) -> bool {
        self.change(|state| state.is_up)
    }

    /// The identity of the server; `None` before the first connection.
    pub(crate) fn server_key(&self) -> Option<PublicKey> {
        self.change(|state| state.server_key)
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
