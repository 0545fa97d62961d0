//! A connection with its socket: moves bytes between the peer and what is spoken with it (`phase`),
//! mostly the core's [`Connection`](chat_core::Connection).
//!
//! Small when idle: what is read goes through the reactor's buffer, and only the beginning of a
//! frame whose end has not come yet is kept here.

mod input;
mod logging;
mod output;
mod phase;

use std::ops::RangeInclusive;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Waker};

use chat_core::{Closing, Conn, Connection, DiskRead, Effect, RevocationNumber, TokenBucket};
use chat_proto::{AccountId, CredentialId, LogId, Seq};

use super::turn::{Followed, Progress};
use crate::arrival::Arrival;
use crate::fair_queue::Party;
use crate::liveness::{KeepAlive, Verdict};
use crate::mailbox::Answer;
use crate::notices::probe_frame;
use crate::peer::{Network, Peer};
use crate::refusals::Refusals;
use crate::socket::Socket;
use crate::store::LogPage;
use crate::transport::Transport;
use phase::Phase;

/// Ticks that a peer may take to read the reason for a close.
const LINGER_TICKS: u8 = 2;

/// A connection and its socket.
#[derive(Debug)]
pub(super) struct SocketConnection {
    pub(super) conn: Conn,
    phase: Phase,
    transport: Transport,
    /// Puts it on the reactor's ready list.
    waker: Waker,
    peer: Peer,
    stage: Stage,
    keep_alive: KeepAlive,
    /// What was read and not understood yet: the window is full, or a frame is not whole.
    unread: Box<[u8]>,
    /// The system has something to read, and takes something to write, as far as is known. Where it
    /// has not, the socket has the waker.
    is_readable: bool,
    is_writable: bool,
    /// It is a proxy that has not told yet for whom it connects, or that connects for somebody who may not
    /// come in.
    pub(super) is_proxy: bool,
    /// Its turn comes.
    pub(super) awaits_reading: bool,
    pub(super) awaits_writing: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Open,
    /// The peer says no more: what it has asked is still answered.
    HungUp,
    /// Everything is said. Closing at once would let unread bytes turn the goodbye into a reset.
    Lingering {
        ticks: u8,
    },
}

impl SocketConnection {
    pub(super) fn new(conn: Conn, arrival: Arrival, waker: Waker) -> Self {
        Self {
            conn,
            phase: Phase::Undecided,
            transport: arrival.socket.into(),
            waker,
            peer: arrival.peer,
            stage: Stage::Open,
            keep_alive: KeepAlive::default(),
            unread: Box::default(),
            // The first bytes are often there by now.
            is_readable: true,
            is_writable: true,
            is_proxy: arrival.is_proxy,
            awaits_reading: false,
            awaits_writing: false,
        }
    }

    /// Who the peer is, once it has signed in.
    pub(super) fn account(&self) -> Option<AccountId> {
        self.phase.native()?.account()
    }

    /// What the peer has signed in with.
    pub(super) fn credential(&self) -> Option<CredentialId> {
        self.phase.native()?.credential()
    }

    /// Where it comes from.
    pub(super) fn network(&self) -> Network {
        if self.is_proxy { Network::Proxy } else { self.peer.network() }
    }

    /// The network among whose connections it counts, if it does.
    pub(super) fn counted_in(&self) -> Option<Network> {
        Some(self.network()).filter(|network| network.is_limited())
    }

    /// With whom it shares its turns.
    pub(super) fn party(&self) -> Party {
        self.account().map_or(Party::Network(self.network()), Party::Account)
    }

    /// Whether the peer has proved who it is, and waits to be signed in.
    pub(super) fn is_signing_in(&self) -> bool {
        let core = self.phase.native();
        core.is_some_and(|core| core.account().is_none() && core.in_flight() > 0)
    }

    /// Whether the committing thread knows of it, or soon will: it has signed in, or is about to.
    pub(super) fn is_known(&self) -> bool {
        self.account().is_some() || self.is_signing_in()
    }

    /// Whether it ends once everything is said.
    pub(super) fn is_closing(&self) -> bool {
        self.phase.is_closing()
    }

    /// Says why, and ends.
    pub(super) fn close(&mut self, closing: &Closing) {
        self.phase.close(closing);
    }

    /// The socket and the peer, without the connection, and what has been read and not understood.
    /// `None`: the socket alone is of no use, since it is that of TLS.
    pub(super) fn into_arrival(self) -> Option<(Arrival, Vec<u8>)> {
        let socket = self.transport.into_plain()?;
        Some((Arrival { socket, peer: self.peer, is_proxy: false }, self.unread.into_vec()))
    }

    /// The socket without the connection, and what is to be written on it to say why.
    pub(super) fn into_farewell(self, why: &Closing) -> (Socket, Vec<u8>) {
        self.transport.into_farewell(why.frame())
    }

    /// Whether there is something to read that was waited for.
    pub(super) fn became_readable(&mut self) -> bool {
        if self.is_readable {
            return false;
        }
        self.is_readable = self.transport.is_readable(&mut Context::from_waker(&self.waker));
        self.is_readable
    }

    /// Whether the peer takes something that it was waited for to take: a sign of life.
    pub(super) fn became_writable(&mut self) -> bool {
        if self.is_writable || !self.transport.is_writable(&mut Context::from_waker(&self.waker)) {
            return false;
        }
        self.is_writable = true;
        self.keep_alive.beat();
        true
    }

    /// Whether there is anything to read or to understand, and room for what it asks.
    pub(super) fn has_input(&self) -> bool {
        // What is at hand is asked first: most who are written to have said nothing.
        let has_bytes = self.is_readable || !self.unread.is_empty();
        let lingers = || matches!(self.stage, Stage::Lingering { .. });
        has_bytes && (lingers() || self.phase.wants_input())
    }

    /// Its turn at something. One that panics ends alone.
    pub(super) fn contained(&mut self, act: impl FnOnce(&mut Self) -> Progress) -> Progress {
        let turn = catch_unwind(AssertUnwindSafe(|| act(self)));
        turn.unwrap_or_else(|_the_hook_has_told_it| {
            self.log_fault();
            Progress::Gone
        })
    }

    /// Whether there is anything to say.
    pub(super) fn has_output(&self) -> bool {
        let has_replies = self.phase.native().is_some_and(|core| !core.outgoing().is_empty());
        has_replies
            || self.phase.is_closing()
            || self.stage == Stage::HungUp
            || self.transport.has_pending()
    }

    /// What its account has taken of its rate, once it has signed in. Before that there is hardly
    /// anything that it may ask.
    pub(super) fn bucket(&self) -> Option<&TokenBucket> {
        self.phase.bucket()
    }

    /// The account turns out to be that of this bucket.
    pub(super) fn share(&mut self, bucket: Arc<TokenBucket>) {
        self.phase.share(bucket);
    }

    /// Takes a reply. Gives the log that the connection follows from now on, or no more.
    pub(super) fn deliver(&mut self, answer: Answer, refusals: &Refusals) -> Option<Followed> {
        let Answer { to, reply, tail } = answer;
        self.log_answer(to.request, &reply, refusals);
        let core = self.phase.native_mut()?;
        let followed_before = match reply.effect() {
            Effect::Open { log, .. } => core.follows(log),
            Effect::None | Effect::SignedIn(_) | Effect::Close | Effect::Shut { .. } => false,
        };
        let unused = core.deliver((to.request, to.window), &reply, tail);
        match (reply.effect(), unused) {
            (Effect::SignedIn(_), _) => {
                self.keep_alive.sign_in();
                None
            }
            (Effect::Open { log, .. }, None) if !followed_before => Some(Followed::From(log)),
            (Effect::Shut { log }, Some(_tail)) => Some(Followed::NoMore(log)),
            _ => None,
        }
    }

    /// The peer may not follow a log any more, and is told so. Whether it did.
    pub(super) fn revoke(&mut self, log: LogId, frame: &[u8]) -> bool {
        self.phase.native_mut().is_some_and(|core| core.revoke(log, frame).is_some())
    }

    /// Somebody else may not follow a log any more, which was carried out.
    pub(super) fn carry_on(&mut self, log: LogId, revocation: RevocationNumber) {
        let Some(core) = self.phase.native_mut() else { return };
        if let Some(tail) = core.handle(log) {
            tail.carry_on(revocation);
            core.wake(log);
        }
    }

    /// The texts of some of these events are gone.
    pub(super) fn redacted(&mut self, log: LogId, seqs: RangeInclusive<Seq>) {
        if let Some(core) = self.phase.native_mut() {
            core.redacted(log, seqs);
        }
    }

    /// A log has grown.
    pub(super) fn wake(&mut self, log: LogId) {
        if let Some(core) = self.phase.native_mut() {
            core.wake(log);
        }
    }

    /// Somebody in a room that is followed has another name.
    pub(super) fn tell_renamed(&mut self, frame: &[u8]) {
        if let Some(core) = self.phase.native_mut() {
            core.tell_renamed(frame);
        }
    }

    /// Takes a page of a log.
    pub(super) fn take_page(&mut self, read: DiskRead, page: LogPage) {
        let core = self.phase.native_mut();
        if core.is_none_or(|core| !core.read_from_disk(read, page.frames.into(), page.after)) {
            self.log_stale_page(read.log);
        }
    }

    /// How many bytes of frames the next read from disk is to bring.
    pub(super) fn page_bytes(&self) -> usize {
        self.phase.page_bytes()
    }

    /// A log could not be read: it is tried again.
    pub(super) fn disk_failed(&mut self, log: LogId) {
        if let Some(core) = self.phase.native_mut() {
            core.disk_failed(log);
        }
    }

    /// A second has passed: whether the peer is to be let go at once.
    pub(super) fn tick(&mut self) -> Progress {
        if let Stage::Lingering { ticks } = &mut self.stage {
            *ticks += 1;
            return if *ticks > LINGER_TICKS { Progress::Gone } else { Progress::Done };
        }
        if self.phase.is_closing() && self.keep_alive.closing_tick() {
            self.log_dead();
            return Progress::Gone;
        }
        // What waits to be read is no silence. Nor is it one to read slowly: a peer whose window is
        // closed cannot be told from one that takes a byte now and then, so TCP itself asks it.
        // A peer that owes the rest of what it has begun is silent: it may be gone.
        let waits_for_us =
            !self.unread.is_empty() && !self.owes_frame() && !self.phase.is_closing();
        let has_bytes = self.is_readable || waits_for_us;
        let is_unheard = has_bytes || !self.is_writable;
        match self.keep_alive.tick(is_unheard) {
            Verdict::Lives => Progress::Done,
            Verdict::Ask => {
                if let Some(core) = self.phase.native_mut() {
                    core.say(&probe_frame());
                }
                Progress::Again
            }
            Verdict::Close(closing) => {
                self.phase.close(&closing);
                Progress::Again
            }
            Verdict::Dead => {
                self.log_dead();
                Progress::Gone
            }
        }
    }

    /// The logs that the connection follows.
    pub(super) fn followed(&self) -> impl Iterator<Item = LogId> {
        self.phase.native().into_iter().flat_map(Connection::followed)
    }
}

#[cfg(test)]
#[path = "connection_tests.rs"]
mod tests;
