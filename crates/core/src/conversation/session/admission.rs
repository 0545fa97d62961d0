//! What all sessions of a daemon share, and what differs by the way in.
//!
//! It must not know of listeners and addresses: whoever accepts a connection says which way it came.

use crate::{Rate, Registration, ServerKey};

/// What all sessions of a daemon share.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The daemon's identity.
    pub identity: ServerKey,
    /// How fast one account may ask: whoever reads from its connections keeps to it.
    pub rate: Rate,
    /// Whether a new account is made for whom comes over the network.
    pub at_network: Registration,
    /// The same for whom comes over the Unix socket.
    pub at_socket: Registration,
}

/// By which way a connection came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum WayIn {
    /// Over the network: also from the same machine.
    #[default]
    Network,
    /// Over the Unix socket.
    Socket,
}

impl Admission {
    /// How registration stands for whom came by a way.
    #[must_use]
    pub fn registration(&self, way_in: WayIn) -> Registration {
        match way_in {
            WayIn::Network => self.at_network,
            WayIn::Socket => self.at_socket,
        }
    }

    /// Whether no account is made, whichever way somebody comes.
    pub(crate) fn is_closed(&self) -> bool {
        [self.at_network, self.at_socket] == [Registration::Closed; 2]
    }
}
