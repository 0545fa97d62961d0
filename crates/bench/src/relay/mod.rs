//! The server of the targets `raw` and `raw-durable`: it looks at nothing. A *look* is one wait for
//! whatever has happened; what all senders' sockets have by then goes to every receiver with one
//! send. With a file, it is on the disk before.
//!
//! A connection says with its first byte what it is: `r`, a receiver; `s` and the length of its
//! messages, a sender. The length is there because a read can end inside a message, and somebody
//! else's must not come between its halves. Where there is a file, each message gets a byte as its
//! ack.

mod log;
mod ring;

use std::io::{self, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::net::poll::{Interest, Poll, Ready};
use crate::net::socket::{Moved, read, write};
use log::{Log, RING_BYTES};
use ring::Ring;

/// What one read takes at the most.
const READ_BYTES: usize = 512 * 1024;

pub(crate) const RECEIVER: u8 = b'r';
pub(crate) const SENDER: u8 = b's';
pub(crate) const WELCOME: &[u8] = b"!";
/// What a sender gets for each message that is durable.
pub(crate) const ACK: u8 = b'.';

const LISTENER: usize = usize::MAX;

/// Serves until it is killed; what comes is made durable in a file if there is one.
pub(crate) fn serve(durable: Option<&Path>) -> Result<()> {
    let ring = match durable {
        Some(path) => Ring::on_disk(path, RING_BYTES),
        None => Ring::in_memory(RING_BYTES),
    };
    let ring = ring.context("cannot lay out the file")?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    writeln!(io::stdout(), "{}", listener.local_addr()?)?;
    listener.set_nonblocking(true)?;
    let poll = Poll::new()?;
    poll.watch(&listener, LISTENER, Interest::Read)?;
    let mut relay = Relay {
        poll,
        peers: Vec::new(),
        receivers: Vec::new(),
        came: Vec::new(),
        filled: 0,
        acks: Vec::new(),
        has_acks: durable.is_some(),
        log: Log::new(ring, durable.is_some()),
    };
    let mut ready = Vec::new();
    loop {
        relay.poll.wait(Duration::from_secs(3600), &mut ready)?;
        relay.look(&listener, &ready)?;
    }
}

struct Relay {
    poll: Poll,
    peers: Vec<Peer>,
    /// Indices of those that receive.
    receivers: Vec<usize>,
    /// Whole messages that this look brought, as far as it is filled. It is zeroed once.
    came: Vec<u8>,
    filled: usize,
    /// How many messages of whom.
    acks: Vec<(usize, usize)>,
    has_acks: bool,
    log: Log,
}

struct Peer {
    socket: TcpStream,
    role: Role,
}

enum Role {
    Unknown,
    /// Has everything before a position; one that is full is sent to when its socket has room.
    Receiver {
        position: u64,
        is_full: bool,
    },
    /// Has begun a message.
    Sender {
        message_bytes: usize,
        begun: Vec<u8>,
    },
    Gone,
}

impl Relay {
    fn look(&mut self, listener: &TcpListener, ready: &[Ready]) -> Result<()> {
        self.filled = 0;
        self.acks.clear();
        for event in ready.iter().filter(|event| event.token != LISTENER) {
            if event.to_read {
                self.take(event.token)?;
            }
            if event.to_write {
                self.send_on(event.token)?;
            }
        }
        if self.filled > 0 {
            self.pass_on()?;
        }
        if ready.iter().any(|event| event.token == LISTENER) {
            self.accept(listener)?;
        }
        Ok(())
    }

    fn accept(&mut self, listener: &TcpListener) -> Result<()> {
        while let Ok((socket, _peer)) = listener.accept() {
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            self.poll.watch(&socket, self.peers.len(), Interest::Read)?;
            self.peers.push(Peer { socket, role: Role::Unknown });
        }
        Ok(())
    }

    /// Reads what somebody said.
    fn take(&mut self, token: usize) -> Result<()> {
        let Peer { socket, role } = &mut self.peers[token];
        let start = self.filled;
        let mut end = start;
        if let Role::Sender { begun, .. } = role {
            end += begun.len();
            make_room(&mut self.came, end);
            self.came[start..end].copy_from_slice(begun);
            begun.clear();
        }
        make_room(&mut self.came, end + READ_BYTES);
        let moved = read(socket, &mut self.came[end..end + READ_BYTES]).unwrap_or(Moved::Ended);
        if let Moved::Bytes(bytes) = moved {
            end += bytes;
        }
        if let Role::Sender { message_bytes, begun } = role {
            let messages = (end - start) / *message_bytes;
            self.filled = start + messages * *message_bytes;
            begun.extend_from_slice(&self.came[self.filled..end]);
            self.acks.push((token, messages));
        } else {
            let said = self.came[start..end].to_vec();
            self.introduce(token, &said)?;
        }
        if moved == Moved::Ended { self.part(token) } else { Ok(()) }
    }

    /// Somebody says who they are. A receiver says nothing more.
    fn introduce(&mut self, token: usize, said: &[u8]) -> Result<()> {
        let head = self.log.head();
        let peer = &mut self.peers[token];
        if matches!(peer.role, Role::Unknown) && !said.is_empty() {
            peer.role = role(said, head)?;
            if matches!(peer.role, Role::Receiver { .. }) {
                self.receivers.push(token);
            }
            write(&peer.socket, WELCOME)?;
        }
        Ok(())
    }

    /// Passes on what this look brought.
    fn pass_on(&mut self) -> Result<()> {
        let head = self.log.head();
        let positions = self.receivers.iter().map(|index| match self.peers[*index].role {
            Role::Receiver { position, .. } => position,
            Role::Unknown | Role::Sender { .. } | Role::Gone => head,
        });
        let slowest = positions.min().unwrap_or(head);
        self.log.append(&self.came[..self.filled], slowest)?;
        if self.has_acks {
            for (token, messages) in &self.acks {
                // A byte for each of a window's messages: there is room.
                write(&self.peers[*token].socket, &vec![ACK; *messages])?;
            }
        }
        for turn in 0..self.receivers.len() {
            let index = self.receivers[turn];
            if matches!(self.peers[index].role, Role::Receiver { is_full: false, .. }) {
                self.send_on(index)?;
            }
        }
        Ok(())
    }

    /// Sends to a receiver what it does not have, as far as its socket takes it.
    fn send_on(&mut self, token: usize) -> Result<()> {
        let Peer { socket, role } = &mut self.peers[token];
        let Role::Receiver { position, is_full } = role else { return Ok(()) };
        // One that has left is noticed when it is read from.
        let Ok(reached) = self.log.send(socket, *position, self.receivers.len()) else {
            return Ok(());
        };
        *position = reached;
        let was_full = std::mem::replace(is_full, reached < self.log.head());
        if was_full != *is_full {
            let interest = if *is_full { Interest::ReadAndWrite } else { Interest::Read };
            self.poll.rewatch(&*socket, token, interest)?;
        }
        Ok(())
    }

    fn part(&mut self, token: usize) -> Result<()> {
        let peer = &mut self.peers[token];
        self.poll.forget(&peer.socket)?;
        peer.role = Role::Gone;
        self.receivers.retain(|index| *index != token);
        Ok(())
    }
}

fn make_room(buffer: &mut Vec<u8>, bytes: usize) {
    if buffer.len() < bytes {
        buffer.resize(bytes, 0);
    }
}

fn role(first: &[u8], head: u64) -> Result<Role> {
    match first {
        [RECEIVER] => Ok(Role::Receiver { position: head, is_full: false }),
        [SENDER, length @ ..] => {
            let length = u32::from_le_bytes(length.try_into().context("a length")?);
            Ok(Role::Sender { message_bytes: length.max(1) as usize, begun: Vec::new() })
        }
        _ => bail!("somebody who is neither sender nor receiver"),
    }
}
