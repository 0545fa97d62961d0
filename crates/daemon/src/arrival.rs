//! Somebody who has come in: a socket, and who is at its other end.

use std::io;

use crate::peer::{Network, Peer};
use crate::socket::{Socket, Unregistered};

/// Somebody who has come in, at this reactor.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) socket: Socket,
    pub(crate) peer: Peer,
    /// It is a proxy, and tells first for whom it connects.
    pub(crate) is_proxy: bool,
}

/// The same on its way to another thread.
#[derive(Debug)]
pub(crate) struct Transfer {
    pub(crate) socket: Unregistered,
    pub(crate) peer: Peer,
    pub(crate) is_proxy: bool,
}

impl Arrival {
    /// Where it comes from, as far as is known.
    pub(crate) fn network(&self) -> Network {
        if self.is_proxy { Network::Proxy } else { self.peer.network() }
    }

    /// Takes the socket out of its runtime.
    pub(crate) fn unregister(self) -> io::Result<Transfer> {
        let Self { socket, peer, is_proxy } = self;
        Ok(Transfer { socket: socket.unregister()?, peer, is_proxy })
    }
}

impl Transfer {
    /// Registers the socket with the runtime of the caller.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub(crate) fn register(self) -> io::Result<Arrival> {
        let Self { socket, peer, is_proxy } = self;
        Ok(Arrival { socket: socket.register()?, peer, is_proxy })
    }
}
