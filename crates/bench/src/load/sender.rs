//! One sender: what it has sent, and what of it is acked.

use std::collections::VecDeque;

use anyhow::{Context, Result, bail};

use crate::machine::now_ns;
use crate::net::acks::{Acks, Told};
use crate::net::framing::probe_reply;
use crate::net::poll::{Interest, Poll};
use crate::net::socket::{Moved, read, write};
use crate::stamp::Stamp;
use crate::stats::Histogram;
use crate::target::SenderConn;

/// A sender.
pub(super) struct Sender {
    index: usize,
    conn: SenderConn,
    acks: Option<Acks>,
    out: Vec<u8>,
    written: usize,
    /// Whether there was no room to write, and it waits to be told that there is.
    waits: bool,
    inbox: Vec<u8>,
    /// When each message that is not acked was sent.
    times: VecDeque<u64>,
    pub(super) sent: u64,
    pub(super) acked: u64,
    /// Rooms to go through, and how many each has been sent; none: the one of the template.
    rooms: Vec<(u64, u64)>,
}

impl Sender {
    pub(super) fn new(index: usize, conn: SenderConn, acks: Option<Acks>) -> Self {
        Self {
            index,
            conn,
            acks,
            out: Vec::new(),
            written: 0,
            waits: false,
            inbox: Vec::new(),
            times: VecDeque::new(),
            sent: 0,
            acked: 0,
            rooms: Vec::new(),
        }
    }

    /// Goes through these rooms from now on.
    pub(super) fn set_rooms(&mut self, rooms: Vec<u64>) {
        self.rooms = rooms.into_iter().map(|room| (room, 0)).collect();
    }

    /// Whether everything said before has left.
    pub(super) fn is_free(&self) -> bool {
        self.out.is_empty()
    }

    /// Sends so many messages at once. `base` is the token of the first sender.
    pub(super) fn say(&mut self, messages: u64, poll: &Poll, base: usize) -> Result<()> {
        let at_ns = now_ns();
        for _ in 0..messages {
            self.sent += 1;
            if !self.rooms.is_empty() {
                let turn = usize::try_from(self.sent).unwrap_or(0) % self.rooms.len();
                let (room, sent) = &mut self.rooms[turn];
                *sent += 1;
                self.conn.template.address(*room, *sent);
            }
            let stamp = Stamp { sender: self.index, count: self.sent, at_ns };
            self.conn.template.put(stamp, &mut self.out);
            if self.acks.is_some() {
                self.times.push_back(at_ns);
            }
        }
        self.flush(poll, base)
    }

    /// Writes what there is room for; asks to be told when there is more.
    pub(super) fn flush(&mut self, poll: &Poll, base: usize) -> Result<()> {
        while self.written < self.out.len() {
            match write(&self.conn.socket, &self.out[self.written..])? {
                Moved::Bytes(bytes) => self.written += bytes,
                Moved::Nothing => return self.wait(true, poll, base),
                Moved::Ended => bail!("sender {} was cut off", self.index),
            }
        }
        self.out.clear();
        self.written = 0;
        self.wait(false, poll, base)
    }

    fn wait(&mut self, waits: bool, poll: &Poll, base: usize) -> Result<()> {
        if waits != self.waits {
            let interest = if waits { Interest::ReadAndWrite } else { Interest::Read };
            poll.rewatch(&self.conn.socket, base + self.index, interest)?;
            self.waits = waits;
        }
        Ok(())
    }

    /// Takes what the server says: acks, or what is of no use.
    pub(super) fn hear(
        &mut self,
        buffer: &mut [u8],
        latency: &mut Histogram,
        poll: &Poll,
        base: usize,
    ) -> Result<()> {
        let kept = self.inbox.len();
        buffer[..kept].copy_from_slice(&self.inbox);
        self.inbox.clear();
        let bytes = match read(&self.conn.socket, &mut buffer[kept..])? {
            Moved::Bytes(bytes) => kept + bytes,
            Moved::Nothing => kept,
            Moved::Ended => bail!("sender {} was cut off", self.index),
        };
        let Some(acks) = self.acks else { return Ok(()) };
        let now = now_ns();
        let (times, acked, out) = (&mut self.times, &mut self.acked, &mut self.out);
        let walked = acks.walk(&buffer[..bytes], |told| match told {
            Told::Ack => {
                *acked += 1;
                if let Some(at) = times.pop_front() {
                    latency.record(now - at);
                }
            }
            Told::Probe(token) => out.extend_from_slice(&probe_reply(token)),
        });
        let whole = walked.with_context(|| format!("sender {}", self.index))?;
        self.inbox.extend_from_slice(&buffer[whole..bytes]);
        self.flush(poll, base)
    }
}
