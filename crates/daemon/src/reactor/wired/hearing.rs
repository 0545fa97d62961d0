//! What a peer says: read once in a turn, and understood as far as there is room for what it asks.

use std::task::{Context, Poll};

use chat_core::{Admission, Connection, SessionSeed};
use chat_proto::{MAGIC, SessionId};

use super::phase::{Leaving, Native, Phase};
use super::{Stage, Wired};
use crate::reactor::gathered::Gathered;
use crate::reactor::places::no_memory;
use crate::reactor::stranger::{self, FirstBytes};
use crate::reactor::turn::{Desk, Turn};
use crate::reactor::unread::CAUTIOUS_READ_BYTES;

impl Wired {
    /// A turn at reading: understands what was left, and reads once.
    pub(in crate::reactor) fn hear(&mut self, desk: &mut Desk<'_>) -> Turn {
        if matches!(self.stage, Stage::Lingering { .. }) {
            return self.hear_nothing(desk);
        }
        if self.phase.is_closing() || desk.is_draining {
            return Turn::Done;
        }
        if !self.unread.is_empty() {
            let unread = std::mem::take(&mut self.unread);
            self.understand(&unread, desk.admission, desk.gathered, desk.now_ms);
        }
        if desk.gathered.is_full() && self.has_input(desk.now_ms) {
            return Turn::Interrupted;
        }
        if !self.is_readable || !self.phase.wants_input(desk.now_ms) {
            return Turn::Done;
        }
        let room = match self.account() {
            None => CAUTIOUS_READ_BYTES,
            Some(_) => desk.read_bytes,
        };
        let mut cx = Context::from_waker(&self.waker);
        match self.socket.poll_read(&mut cx, &mut desk.buffer[..room]) {
            Poll::Pending => self.is_readable = false,
            Poll::Ready(Ok(0)) => {
                self.is_readable = false;
                self.stage = Stage::HungUp;
            }
            Poll::Ready(Ok(read)) => {
                self.pulse.beat();
                // Less than there was room for is all there is; the end of the stream may follow.
                self.is_readable = read == room || self.socket.is_readable(&mut cx);
                let new = &desk.buffer[..read];
                if self.unread.is_empty() {
                    self.understand(new, desk.admission, desk.gathered, desk.now_ms);
                } else {
                    let mut all = std::mem::take(&mut self.unread);
                    if all.try_reserve(new.len()).is_err() {
                        self.phase.close(&no_memory());
                        return Turn::Again;
                    }
                    all.extend_from_slice(new);
                    self.understand(&all, desk.admission, desk.gathered, desk.now_ms);
                }
            }
            Poll::Ready(Err(error)) => {
                self.tell_gone(&error);
                return Turn::Gone;
            }
        }
        match self.has_input(desk.now_ms) {
            true if desk.gathered.is_full() => Turn::Interrupted,
            true if self.is_readable => Turn::Again,
            _ => Turn::Done,
        }
    }

    /// Reads what a peer still had under way when everything was said.
    fn hear_nothing(&mut self, desk: &mut Desk<'_>) -> Turn {
        let mut cx = Context::from_waker(&self.waker);
        match self.socket.poll_read(&mut cx, desk.buffer) {
            Poll::Pending => {
                self.is_readable = false;
                Turn::Done
            }
            Poll::Ready(Ok(1..)) => Turn::Again,
            Poll::Ready(Ok(0) | Err(_)) => Turn::Gone,
        }
    }

    /// Asks what `bytes` ask, and keeps the rest.
    fn understand(
        &mut self,
        mut bytes: &[u8],
        admission: &Admission,
        gathered: &mut Gathered,
        now_ms: u64,
    ) {
        if matches!(self.phase, Phase::Undecided) {
            self.decide(&mut bytes, admission, now_ms);
        }
        let Phase::Native(native) = &mut self.phase else { return self.keep(bytes) };
        let mut left = bytes.len();
        while !gathered.is_full()
            && let Some(asked) = native.core.receive(admission, &mut bytes, now_ms)
        {
            gathered.ask(self.conn, asked, left - bytes.len());
            left = bytes.len();
        }
        self.keep(bytes);
    }

    /// Keeps what cannot be understood yet, for as long as the peer likes: in an exact fit.
    fn keep(&mut self, bytes: &[u8]) {
        if self.phase.is_closing() || bytes.is_empty() {
            return;
        }
        let mut unread = Vec::new();
        if unread.try_reserve_exact(bytes.len()).is_err() {
            return self.phase.close(&no_memory());
        }
        unread.extend_from_slice(bytes);
        self.unread = unread;
    }

    /// How much is kept.
    pub(in crate::reactor) fn unread_bytes(&self) -> usize {
        self.unread.capacity()
    }

    /// Whether what is kept is a frame whose end the peer owes. The rest waits for the daemon.
    pub(in crate::reactor) fn owes_bytes(&self, now_ms: u64) -> bool {
        !self.unread.is_empty() && self.phase.wants_input(now_ms)
    }

    /// Drops what is kept, and ends the connection.
    pub(in crate::reactor) fn shed_unread(&mut self) {
        self.unread = Vec::new();
        self.phase.close(&no_memory());
    }

    /// Looks at the first bytes, and takes the magic. A peer that speaks something else is told so in
    /// its own words.
    fn decide(&mut self, bytes: &mut &[u8], admission: &Admission, now_ms: u64) {
        match stranger::look(bytes) {
            FirstBytes::Undecided => {}
            FirstBytes::Native => {
                *bytes = &bytes[MAGIC.len()..];
                self.phase = self.begin(admission, now_ms);
            }
            seen @ (FirstBytes::Http | FirstBytes::Unknown) => {
                self.phase = Phase::Leaving(Leaving::saying(stranger::farewell(seen)));
            }
        }
    }

    /// A conversation begins, with a challenge of its own.
    fn begin(&self, admission: &Admission, now_ms: u64) -> Phase {
        let mut challenge = [0; 32];
        if let Err(error) = getrandom::fill(&mut challenge) {
            tracing::error!(%error, "the system gives no random bytes: nobody can sign in");
            return Phase::Leaving(Leaving::saying(Vec::new()));
        }
        let seed = SessionSeed { id: SessionId(self.conn.0), challenge };
        Phase::Native(Native::new(Connection::new(seed, admission, now_ms)))
    }
}
