//! The connections of a reactor, each in a slot that is used again when it is free.

use std::io;

use chat_core::{Admission, Conn};
use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};

use super::Socket;
use super::wired::Wired;

/// Bits of a connection's number that name its slot; above them stand the reactor's, and then how
/// many connections the reactor had before.
const SLOT_BITS: u32 = 24;
const REACTOR_BITS: u32 = 8;

/// How many connections a reactor can have.
pub(super) const SLOTS_MAX: usize = (1 << SLOT_BITS) - 1;

/// How many reactors there can be.
pub(crate) const REACTORS_MAX: usize = 1 << REACTOR_BITS;

/// The reactor that serves a connection.
pub(crate) fn reactor_of(conn: Conn) -> usize {
    (conn.0 >> SLOT_BITS) as usize % REACTORS_MAX
}

/// The connections.
#[derive(Debug)]
pub(super) struct Slots {
    reactor: u64,
    /// How many there have been.
    admitted: u64,
    wired: Vec<Option<Wired>>,
    free: Vec<u32>,
}

impl Slots {
    pub(super) fn new(reactor: usize) -> Self {
        Self { reactor: reactor as u64, admitted: 0, wired: Vec::new(), free: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.wired.len()
    }

    /// The slots that are taken now.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u32> + use<> {
        let taken = |(slot, wired): (u32, &Option<Wired>)| wired.as_ref().map(|_| slot);
        let numbers: Vec<u32> = (0..).zip(&self.wired).filter_map(taken).collect();
        numbers.into_iter()
    }

    pub(super) fn at(&mut self, slot: usize) -> Option<&mut Wired> {
        self.wired.get_mut(slot)?.as_mut()
    }

    /// A connection's slot, if it is still there.
    pub(super) fn of(&mut self, conn: Conn) -> Option<(u32, &mut Wired)> {
        let slot = (conn.0 as u32) & SLOTS_MAX as u32;
        let wired = self.at(slot as usize)?;
        (wired.conn == conn).then_some((slot, wired))
    }

    /// A connection begins. It is heard of from now on.
    pub(super) fn admit(
        &mut self,
        socket: Socket,
        admission: &Admission,
        now_ms: u64,
        registry: &Registry,
    ) -> io::Result<u32> {
        let mut challenge = [0; 32];
        getrandom::fill(&mut challenge).map_err(io::Error::other)?;
        let next = u32::try_from(self.wired.len()).unwrap_or(u32::MAX);
        let slot = self.free.last().copied().unwrap_or(next);
        if slot as usize >= SLOTS_MAX {
            return Err(io::Error::other("there is no slot left"));
        }
        self.admitted += 1;
        let above = self.admitted << REACTOR_BITS | self.reactor;
        let conn = Conn(above << SLOT_BITS | u64::from(slot));
        let wired = Wired::new(conn, socket, challenge, admission, now_ms);
        registry.register(
            &mut SourceFd(&wired.descriptor()),
            Token(slot as usize),
            Interest::READABLE | Interest::WRITABLE,
        )?;
        match self.free.pop() {
            Some(_slot) => self.wired[slot as usize] = Some(wired),
            None => self.wired.push(Some(wired)),
        }
        Ok(slot)
    }

    /// Empties a slot. Closing the socket, when the connection is dropped, also ends its
    /// registration.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Wired> {
        let wired = self.wired.get_mut(slot as usize)?.take()?;
        self.free.push(slot);
        Some(wired)
    }
}
