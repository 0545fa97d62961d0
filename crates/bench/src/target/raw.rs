//! The limit: a server that looks at nothing. What a sender's socket has is copied to every
//! receiver with one write.
//!
//! A connection says with its first byte what it is: `r`, a receiver; `s` and the length of its
//! messages, a sender. The length is there because a read can end inside a message, and somebody
//! else's must not come between its halves.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::plain::{self, Line};
use super::{Cast, Ground, Stage, Voice};
use crate::machine::process::Process;
use crate::native::send_template;
use crate::net::framing::Framing;
use crate::net::poll::{Interest, Poll, Ready};
use crate::net::socket::{Moved, read, write};

/// What one read takes at the most. Smaller reads make more writes; larger ones gain nothing.
const READ_BYTES: usize = 256 * 1024;

const RECEIVER: u8 = b'r';
const SENDER: u8 = b's';
const WELCOME: &[u8] = b"!";

pub(super) fn start(ground: &Ground, folder: &Path) -> Result<(Process, SocketAddr)> {
    let this = std::env::current_exe()?;
    let mut process = Process::start(&this, &["relay".to_owned()], ground.cores.server, folder)?;
    let stdout = process.stdout().context("stdout is a pipe")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.trim().parse().with_context(|| process.last_words())?;
    Ok((process, address))
}

pub(super) fn set(address: SocketAddr, cast: &Cast) -> Result<Stage> {
    let enter = |first: &[u8]| {
        let mut line = Line::connect(address)?;
        line.say(first)?;
        line.await_bytes(WELCOME)?;
        Ok(line)
    };
    let ears = plain::ears(cast.receivers, |_| enter(&[RECEIVER]))?;
    // What comes in goes out: the receivers see the senders' own frames.
    let length = send_template(0, cast.text_bytes).len();
    let announced = u32::try_from(length)?.to_le_bytes();
    let first = [&[SENDER], &announced[..]].concat();
    let voices = plain::ears(cast.senders, |_| enter(&first))?
        .into_iter()
        .map(|ear| Voice { socket: ear.socket, template: send_template(0, cast.text_bytes) });
    let text_at = length - cast.text_bytes;
    let framing = Framing::Fixed { bytes: length, text_at, begin: Vec::new() };
    Ok(Stage { ears, voices: voices.collect(), framing, has_acks: false })
}

/// Serves until it is killed.
pub(crate) fn relay() -> Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    listener.set_nonblocking(true)?;
    let poll = Poll::new()?;
    poll.watch(&listener, LISTENER, Interest::Read)?;
    let mut relay =
        Relay { poll, peers: Vec::new(), receivers: Vec::new(), buffer: vec![0; READ_BYTES] };
    let mut ready = Vec::new();
    loop {
        relay.poll.wait(Duration::from_secs(3600), &mut ready)?;
        for event in &ready {
            match event.token {
                LISTENER => relay.accept(&listener)?,
                _ => relay.serve(*event)?,
            }
        }
    }
}

const LISTENER: usize = usize::MAX;

struct Relay {
    poll: Poll,
    peers: Vec<Peer>,
    /// Indices of those that receive.
    receivers: Vec<usize>,
    buffer: Vec<u8>,
}

struct Peer {
    socket: TcpStream,
    role: Role,
}

enum Role {
    Unknown,
    Receiver { backlog: Vec<u8> },
    Sender { message_bytes: usize, cut: Vec<u8> },
    Gone,
}

impl Relay {
    fn accept(&mut self, listener: &TcpListener) -> Result<()> {
        while let Ok((socket, _peer)) = listener.accept() {
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            self.poll.watch(&socket, self.peers.len(), Interest::Read)?;
            self.peers.push(Peer { socket, role: Role::Unknown });
        }
        Ok(())
    }

    fn serve(&mut self, event: Ready) -> Result<()> {
        let peer = &mut self.peers[event.token];
        if event.to_write
            && let Role::Receiver { backlog } = &mut peer.role
        {
            flush(&self.poll, event.token, &peer.socket, backlog)?;
        }
        if !event.to_read {
            return Ok(());
        }
        let cut = match &mut peer.role {
            Role::Sender { cut, .. } => std::mem::take(cut),
            Role::Unknown | Role::Receiver { .. } | Role::Gone => Vec::new(),
        };
        self.buffer[..cut.len()].copy_from_slice(&cut);
        match read(&peer.socket, &mut self.buffer[cut.len()..]) {
            Ok(Moved::Bytes(bytes)) => self.take(event.token, cut.len() + bytes),
            Ok(Moved::Nothing) => Ok(()),
            Ok(Moved::Ended) | Err(_) => self.part(event.token),
        }
    }

    fn take(&mut self, token: usize, bytes: usize) -> Result<()> {
        let peer = &mut self.peers[token];
        match &mut peer.role {
            Role::Sender { message_bytes, cut } => {
                let whole = bytes - bytes % *message_bytes;
                cut.extend_from_slice(&self.buffer[whole..bytes]);
                self.copy_to_all(whole)
            }
            Role::Unknown => {
                peer.role = role(&self.buffer[..bytes])?;
                if matches!(peer.role, Role::Receiver { .. }) {
                    self.receivers.push(token);
                }
                write(&peer.socket, WELCOME)?;
                Ok(())
            }
            Role::Receiver { .. } | Role::Gone => Ok(()),
        }
    }

    fn copy_to_all(&mut self, bytes: usize) -> Result<()> {
        let chunk = &self.buffer[..bytes];
        for index in &self.receivers {
            let peer = &mut self.peers[*index];
            let Role::Receiver { backlog } = &mut peer.role else { continue };
            let written = match backlog.is_empty() {
                true => write(&peer.socket, chunk).unwrap_or(Moved::Ended),
                false => Moved::Nothing,
            };
            let taken = match written {
                Moved::Bytes(taken) => taken,
                Moved::Nothing => 0,
                Moved::Ended => continue,
            };
            if taken < chunk.len() {
                backlog.extend_from_slice(&chunk[taken..]);
                self.poll.rewatch(&peer.socket, *index, Interest::ReadAndWrite)?;
            }
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

fn flush(poll: &Poll, token: usize, socket: &TcpStream, backlog: &mut Vec<u8>) -> Result<()> {
    if let Moved::Bytes(taken) = write(socket, backlog).unwrap_or(Moved::Ended) {
        backlog.drain(..taken);
    }
    if backlog.is_empty() {
        poll.rewatch(socket, token, Interest::Read)?;
    }
    Ok(())
}

fn role(first: &[u8]) -> Result<Role> {
    match first {
        [RECEIVER] => Ok(Role::Receiver { backlog: Vec::new() }),
        [SENDER, length @ ..] => {
            let length = u32::from_le_bytes(length.try_into().context("a length")?);
            Ok(Role::Sender { message_bytes: length as usize, cut: Vec::new() })
        }
        _ => bail!("somebody who is neither sender nor receiver"),
    }
}
