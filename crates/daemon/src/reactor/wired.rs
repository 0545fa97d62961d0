//! A connection with its socket: moves bytes between the peer and the core's [`Connection`].
//!
//! Small when idle: what is read goes through the reactor's buffer, and only the beginning of a
//! frame whose end has not come yet is kept here.

mod hearing;
mod telling;

use std::io;
use std::sync::Arc;
use std::task::{Context, Waker};

use chat_core::{Admission, Closing, Conn, Connection, Effect, Output, Parcel, SessionSeed};
use chat_proto::{
    AccountId, ErrorCode, FrameError, HEADER_BYTES, LogId, Seq, SessionId, frame_end,
};

use super::door::Arrival;
use super::inbox::Delivery;
use super::socket::Socket;
use super::turn::{Followed, Turn};
use crate::fair_queue::Party;
use crate::fanout::{SharedTail, going_away};
use crate::listener::Network;
use crate::liveness::{Pulse, Verdict, probe_frame};
use crate::refusals::Refusals;
use crate::store::LogPage;

/// Writes of one turn; then others have theirs.
const WRITES_PER_TURN: usize = 4;

/// Less than this is copied faster than it is handed over.
const SEND_FILE_BYTES_MIN: usize = 16 * 1024;

/// Ticks that a peer may take to read the reason for a close.
const LINGER_TICKS: u8 = 2;

/// The least that one read from disk brings, and the most, in bytes of frames. In between it
/// follows what the peer took last: what it does not take is read again.
const PAGE_BYTES: std::ops::RangeInclusive<u32> = 16 * 1024..=512 * 1024;

/// A connection and its socket.
#[derive(Debug)]
pub(super) struct Wired {
    pub(super) conn: Conn,
    core: Connection<Arc<SharedTail>>,
    socket: Socket,
    /// Puts it on the reactor's ready list.
    waker: Waker,
    pub(super) network: Network,
    stage: Stage,
    pulse: Pulse,
    /// What was read and not understood yet: the window is full, or a frame is not whole.
    unread: Vec<u8>,
    page_bytes: u32,
    /// The system has something to read, and takes something to write, as far as is known. Where it
    /// has not, the socket has the waker.
    is_readable: bool,
    is_writable: bool,
    /// The magic has come.
    is_native: bool,
    /// Its turn comes.
    pub(super) awaits_reading: bool,
    pub(super) awaits_writing: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// The magic has not come yet.
    Greeting,
    Open,
    /// The peer says no more: what it has asked is still answered.
    HungUp,
    /// Everything is said. Closing at once would let unread bytes turn the goodbye into a reset.
    Lingering {
        ticks: u8,
    },
}

impl Wired {
    pub(super) fn new(
        conn: Conn,
        arrival: Arrival,
        waker: Waker,
        challenge: [u8; 32],
        admission: &Admission,
        now_ms: u64,
    ) -> Self {
        let seed = SessionSeed { id: SessionId(conn.0), challenge };
        Self {
            conn,
            core: Connection::new(seed, admission, now_ms),
            socket: arrival.socket,
            waker,
            network: arrival.network,
            stage: Stage::Greeting,
            pulse: Pulse::default(),
            unread: Vec::new(),
            page_bytes: *PAGE_BYTES.start(),
            // The first bytes are often there by now.
            is_readable: true,
            is_writable: true,
            is_native: false,
            awaits_reading: false,
            awaits_writing: false,
        }
    }

    /// Who the peer is, once it has signed in.
    pub(super) fn account(&self) -> Option<AccountId> {
        self.core.account()
    }

    /// With whom it shares its turns.
    pub(super) fn party(&self) -> Party {
        self.account().map_or(Party::Network(self.network), Party::Account)
    }

    /// Whether the peer has proved who it is, and waits to be signed in.
    pub(super) fn is_signing_in(&self) -> bool {
        self.core.account().is_none() && self.core.in_flight() > 0
    }

    /// Whether the committing thread knows of it, or soon will: it has signed in, or is about to.
    pub(super) fn is_known(&self) -> bool {
        self.account().is_some() || self.is_signing_in()
    }

    /// Whether it ends once everything is said.
    pub(super) fn is_closing(&self) -> bool {
        self.core.is_closing()
    }

    /// Says why, and ends.
    pub(super) fn close(&mut self, closing: &Closing) {
        self.core.close(closing);
    }

    /// The socket, without the connection.
    pub(super) fn into_socket(self) -> Socket {
        self.socket
    }

    /// Whether there is something to read that was waited for.
    pub(super) fn became_readable(&mut self) -> bool {
        if self.is_readable {
            return false;
        }
        self.is_readable = self.socket.is_readable(&mut Context::from_waker(&self.waker));
        self.is_readable
    }

    /// Whether the peer takes something that it was waited for to take: a sign of life.
    pub(super) fn became_writable(&mut self) -> bool {
        if self.is_writable || !self.socket.is_writable(&mut Context::from_waker(&self.waker)) {
            return false;
        }
        self.is_writable = true;
        self.pulse.beat();
        true
    }

    /// Whether there is anything to read or to understand, and room for what it asks.
    pub(super) fn has_input(&self, now_ms: u64) -> bool {
        let lingers = matches!(self.stage, Stage::Lingering { .. });
        let wants_input = lingers || self.core.wants_input(now_ms);
        wants_input && (self.is_readable || !self.unread.is_empty())
    }

    /// Whether there is anything to say.
    pub(super) fn has_output(&self) -> bool {
        !self.core.outgoing().is_empty() || self.core.is_closing() || self.stage == Stage::HungUp
    }

    /// How long its pace keeps it from being read, in milliseconds.
    pub(super) fn pause_ms(&self, now_ms: u64) -> u64 {
        self.core.pause_ms(now_ms)
    }

    /// Takes a reply. Gives the log that the connection follows from now on, or no more.
    pub(super) fn deliver(&mut self, delivery: Delivery, refusals: &Refusals) -> Option<Followed> {
        let Delivery { window, reply, tail, .. } = delivery;
        self.tell_answer(&reply, refusals);
        let followed_before = match reply.effect {
            Effect::Open { log, .. } => self.core.follows(log),
            Effect::None | Effect::SignedIn(_) | Effect::Close | Effect::Shut { .. } => false,
        };
        let unused = self.core.deliver(window, &reply, tail);
        match (reply.effect, unused) {
            (Effect::SignedIn(_), _) => {
                self.pulse.sign_in();
                None
            }
            (Effect::Open { log, .. }, None) if !followed_before => Some(Followed::From(log)),
            (Effect::Shut { log }, Some(_tail)) => Some(Followed::NoMore(log)),
            _ => None,
        }
    }

    /// A log has grown.
    pub(super) fn wake(&mut self, log: LogId) {
        self.core.wake(log);
    }

    /// Somebody in a room that is followed has another name.
    pub(super) fn tell_renamed(&mut self, frame: &[u8]) {
        self.core.tell_renamed(frame);
    }

    /// Takes a page of a log.
    pub(super) fn take_page(&mut self, log: LogId, from: Seq, page: LogPage) {
        if !self.core.read_from_disk(log, from, page.frames.into(), page.after) {
            tracing::debug!(%log, "a page came for a cursor that has moved");
        }
    }

    /// A log could not be read: it is tried again.
    pub(super) fn disk_failed(&mut self, log: LogId) {
        self.core.disk_failed(log);
    }

    /// A turn at writing: everything that there is, as far as the peer takes it.
    pub(super) fn speak(&mut self, is_draining: bool, now_ms: u64) -> Turn {
        self.settle(is_draining, now_ms);
        for _ in 0..WRITES_PER_TURN {
            if !self.is_writable || matches!(self.stage, Stage::Lingering { .. }) {
                return Turn::Done;
            }
            match self.core.output() {
                Output::Nothing => return Turn::Done,
                Output::Write(parcel) => {
                    let written = match self.write(&parcel) {
                        Ok(written) => written,
                        Err(error) => {
                            self.tell_gone(&error);
                            return Turn::Gone;
                        }
                    };
                    let Written { taken, offered } = written;
                    self.core.wrote(&parcel, taken);
                    if taken < offered {
                        let mut cx = Context::from_waker(&self.waker);
                        self.is_writable = self.socket.was_full(&mut cx);
                    }
                    self.fit_page(taken);
                    // A peer that hung up waits for its last reply.
                    self.settle(is_draining, now_ms);
                }
                Output::ReadDisk { log, after, head } => {
                    return Turn::ReadDisk {
                        log,
                        after,
                        head,
                        bytes_max: self.page_bytes as usize,
                    };
                }
                Output::Close => return self.say_goodbye(),
            }
        }
        Turn::Again
    }

    /// Writes a parcel. What many get is sent by reference.
    fn write(&self, parcel: &Parcel) -> io::Result<Written> {
        if parcel.bytes() >= SEND_FILE_BYTES_MIN
            && let Some((log, offset)) = parcel.place_in_tail()
            && let Some(tail) = self.core.handle(log)
            && let Some(mirrored) = tail.mirrored(offset, parcel.bytes())
        {
            let taken = self.socket.send_file(&mirrored)?;
            return Ok(Written { taken, offered: mirrored.bytes });
        }
        let taken = self.socket.write(self.core.slices(parcel))?;
        Ok(Written { taken, offered: parcel.bytes() })
    }

    /// Ends what is to end: everything asked has been answered.
    fn settle(&mut self, is_draining: bool, now_ms: u64) {
        if self.core.is_closing() || matches!(self.stage, Stage::Lingering { .. }) {
            return;
        }
        let is_answered = self.core.in_flight() == 0;
        if is_draining && is_answered {
            self.core.close(&going_away());
        } else if self.stage == Stage::HungUp && self.core.wants_input(now_ms) {
            if !self.unread.is_empty() {
                let cut = FrameError::Truncated { missing: missing_bytes(&self.unread) };
                self.core.close(&Closing::protocol(ErrorCode::Malformed, cut.to_string()));
            } else if is_answered {
                self.core.part(&[]);
            }
        }
    }

    fn say_goodbye(&mut self) -> Turn {
        if self.stage == Stage::HungUp || self.socket.say_last_word().is_err() {
            return Turn::Gone;
        }
        self.stage = Stage::Lingering { ticks: 0 };
        // What came meanwhile is read, so that the end of the stream is seen.
        self.is_readable = true;
        Turn::Done
    }

    fn fit_page(&mut self, written: usize) {
        let wanted = match self.is_writable {
            true => self.page_bytes.saturating_mul(2),
            false => u32::try_from(written).unwrap_or(u32::MAX),
        };
        self.page_bytes = wanted.clamp(*PAGE_BYTES.start(), *PAGE_BYTES.end());
    }

    /// A second has passed: whether the peer is to be let go at once.
    pub(super) fn tick(&mut self) -> Turn {
        if let Stage::Lingering { ticks } = &mut self.stage {
            *ticks += 1;
            return if *ticks > LINGER_TICKS { Turn::Gone } else { Turn::Done };
        }
        // What waits to be read is no silence. Nor is it one to read slowly: a peer whose window is
        // closed cannot be told from one that takes a byte now and then, so TCP itself asks it.
        let has_bytes = self.is_readable || !self.unread.is_empty();
        let is_unheard = has_bytes || !self.is_writable;
        match self.pulse.tick(is_unheard) {
            Verdict::Lives => Turn::Done,
            Verdict::Ask => {
                self.core.say(&probe_frame());
                Turn::Again
            }
            Verdict::Close(closing) => {
                self.core.close(&closing);
                Turn::Again
            }
            Verdict::Dead => {
                self.tell_dead();
                Turn::Gone
            }
        }
    }

    /// The logs that the connection follows.
    pub(super) fn followed(&self) -> impl Iterator<Item = LogId> {
        self.core.followed()
    }
}

/// What one write came to, in bytes. A socket that takes less than it is offered is full.
struct Written {
    taken: usize,
    offered: usize,
}

fn missing_bytes(cut: &[u8]) -> usize {
    frame_end(cut, 0).unwrap_or(HEADER_BYTES).saturating_sub(cut.len())
}

#[cfg(test)]
#[path = "wired_tests.rs"]
mod tests;
