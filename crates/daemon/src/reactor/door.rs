//! The door: connections come in here, and are shared out among the reactors.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use super::inbox::Inbox;
use super::{FIRST_LISTENER, Socket};
use crate::listener::{Listener, Network};

/// Connections that one pass takes in at the most: others are to be heard meanwhile.
const ACCEPTS_PER_PASS: usize = 256;

/// The listeners of a reactor; only the first has any.
#[derive(Debug)]
pub(super) struct Door {
    listeners: Vec<Listening>,
    /// Where connections go, in turn.
    all: Vec<Arc<Inbox>>,
    own: usize,
    next: usize,
    /// The process has no descriptors left: accepting rests until the next tick.
    rests: bool,
    accepted_in_pass: usize,
}

/// Somebody who has come in.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) socket: Socket,
    pub(super) network: Network,
}

#[derive(Debug)]
struct Listening {
    listener: Listener,
    somebody_knocks: bool,
}

impl Door {
    pub(super) fn open(
        listeners: Vec<Listener>,
        all: Vec<Arc<Inbox>>,
        own: usize,
        registry: &Registry,
    ) -> io::Result<Self> {
        for (number, listener) in listeners.iter().enumerate() {
            let token = Token(FIRST_LISTENER + number);
            registry.register(&mut SourceFd(&listener.as_raw_fd()), token, Interest::READABLE)?;
        }
        // Who came before is not announced again.
        let listening = |listener| Listening { listener, somebody_knocks: true };
        Ok(Self {
            listeners: listeners.into_iter().map(listening).collect(),
            all,
            own,
            next: own,
            rests: false,
            accepted_in_pass: 0,
        })
    }

    /// Somebody is at a listener.
    pub(super) fn knock(&mut self, listener: usize) {
        if let Some(listening) = self.listeners.get_mut(listener) {
            listening.somebody_knocks = true;
        }
    }

    /// Whether somebody waits to be taken in.
    pub(super) fn is_open(&self) -> bool {
        !self.rests && self.listeners.iter().any(|listening| listening.somebody_knocks)
    }

    /// Nobody is taken in any more.
    pub(super) fn shut(&mut self) {
        self.listeners.clear();
    }

    /// A second has passed.
    pub(super) fn rest_is_over(&mut self) {
        self.rests = false;
    }

    /// Takes the next one in; `None` when this pass has taken enough.
    pub(super) fn accept(&mut self) -> Option<Arrival> {
        while self.is_open() && self.accepted_in_pass < ACCEPTS_PER_PASS {
            let waiting = self.listeners.iter_mut().find(|listening| listening.somebody_knocks)?;
            match waiting.listener.accept() {
                Ok(None) => waiting.somebody_knocks = false,
                Ok(Some((socket, network))) => {
                    self.accepted_in_pass += 1;
                    return Some(Arrival { socket, network });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    self.rests = true;
                }
            }
        }
        self.accepted_in_pass = 0;
        None
    }

    /// Gives a connection to the reactor whose turn it is; gives it back when that is this one.
    pub(super) fn share_out(&mut self, arrival: Arrival) -> Option<Arrival> {
        let reactor = self.next;
        self.next = (reactor + 1) % self.all.len().max(1);
        match self.all.get(reactor) {
            Some(inbox) if reactor != self.own => {
                inbox.arrive(arrival);
                None
            }
            _ => Some(arrival),
        }
    }

    /// How many reactors there are.
    pub(super) fn reactors(&self) -> usize {
        self.all.len()
    }
}
