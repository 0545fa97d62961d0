//! Somebody who has come in: a socket, and who is at its other end.

use std::io;

use crate::peer::Peer;
use crate::socket::{Socket, Unregistered};

/// Somebody who has come in, at this reactor.
#[derive(Debug)]
pub(crate) struct Arrival {
    pub(crate) socket: Socket,
    pub(crate) peer: Peer,
}

/// The same on its way to another thread.
#[derive(Debug)]
pub(crate) struct Transfer {
    pub(crate) socket: Unregistered,
    pub(crate) peer: Peer,
}

impl Arrival {
    /// Takes the socket out of its runtime.
    pub(crate) fn unregister(self) -> io::Result<Transfer> {
        Ok(Transfer { socket: self.socket.unregister()?, peer: self.peer })
    }
}

impl Transfer {
    /// Registers the socket with the runtime of the caller.
    ///
    /// # Panics
    /// Outside of a runtime.
    pub(crate) fn register(self) -> io::Result<Arrival> {
        Ok(Arrival { socket: self.socket.register()?, peer: self.peer })
    }
}
