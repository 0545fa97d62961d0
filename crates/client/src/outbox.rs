//! The sends to one room, which are one stream, in order, each until its answer is known (promises G2 and G3).
//!
//! Owns which send goes out next, what may be sent again and what must not. Sans-IO: it must not
//! know about sockets, files, the clock or randomness; the simulator runs this very type.
//!
//! The daemon takes the `n` of a stream one by one. From that, three rules follow:
//!
//! * **No answer means unknown.** The same nonce goes out again, never a new one: the daemon gives
//!   the first answer again.
//! * **A refusal that may not be retried is an answer**: that `n` is used up and never sent again, and
//!   the sends behind it go on. (Errors below 100 are refusals by the session, which knows nothing of
//!   streams. They are answers here too, or a poisoned message would close every connection; the
//!   hole that they leave is mended by the last rule.)
//! * **A stream that is another room's** has taken none of these sends: all of them may go out under a
//!   fresh one. It happens where a name has come to be another room's with a new life of the logs. Of a
//!   fresh one no daemon says it: tried again after a pause, as below.
//! * **A refusal that may be retried is none**: the send is out again as soon as the driver asks,
//!   and everything behind it gets `Behind` until it is there. What a `Behind { awaited }` for `n`
//!   means depends on `awaited` alone:
//!   - below the lowest unanswered: the daemon has forgotten sends that it had answered. They were
//!     refused, at the end of the stream, and it has been restarted since or there was no connection for
//!     a while; or it was restored from a backup (or a session refused one, see above). Its high-water
//!     mark proves that no unanswered send is in its logs, so all of them may go out under a fresh
//!     stream.
//!   - from there up to `n - 1`: that one is in flight or about to be sent again. Should it be one
//!     that has been answered, then lower ones go first, and after them the case above applies.
//!   - 0, `n` or more: no daemon says that. Tried again after a pause, so that a bug on the other
//!     side does not become a busy loop here.

mod destination;
mod fresh_streams;
mod unusable;
mod verdict;

use std::collections::VecDeque;

use chat_proto::limits::SLOW_SECONDS_MAX;
use chat_proto::{Ack, Epoch, Error, ErrorCode, Nonce, RoomId, RoomName, StreamId};

pub use destination::Destination;
pub use fresh_streams::FreshStreams;
pub use verdict::Verdict;

/// How long to leave a daemon alone that cannot write now.
const UNAVAILABLE_PAUSE_MS: u64 = 1_000;

/// How long to wait when a send is told to await one that is out.
const OVERTAKEN_PAUSE_MS: u64 = 50;

/// Longest pause that a daemon can impose; what it asks for beyond that is cut.
const PAUSE_MS_MAX: u64 = 60_000;

/// Longest wait between two messages of a slow room.
const SLOW_MS_MAX: u64 = 1_000 * SLOW_SECONDS_MAX as u64;

/// Refusals that are remembered, to know how many sends were acked.
const REFUSED_MAX: usize = 1_024;

/// One send that has no answer yet.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Names this send for ever.
    pub nonce: Nonce,
    /// Where to.
    pub to: Destination,
    /// What is said.
    pub text: String,
}

/// The unanswered sends of one stream, which are for one room. Unbounded by itself: whoever pushes
/// looks at [`Outbox::len`].
#[derive(Clone, Debug)]
pub struct Outbox {
    stream: StreamId,
    to: Destination,
    next_n: u64,
    /// The life of the logs that the room's id belongs to.
    epoch: Option<Epoch>,
    /// Whether the logs have begun another life since what was acked was: some of it may be gone.
    may_have_lost: bool,
    link: Link,
    /// The stream was begun anew on this connection, and nothing of it has an answer.
    is_fresh: bool,
    /// Rising in `n`; answered ones are missing.
    pending: VecDeque<PendingSend>,
    in_flight: usize,
    /// Everything before this index is in flight.
    waiting_from: usize,
    /// The last that were refused for good.
    refused: VecDeque<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Link {
    Down,
    Up,
    /// Up, but the stream is of no use any more.
    Lost,
}

#[derive(Clone, Debug)]
struct PendingSend {
    n: u64,
    text: String,
    in_flight: bool,
}

impl Outbox {
    /// An empty outbox. `stream` must never have been used before (or be of an explicit id).
    #[must_use]
    pub fn new(stream: StreamId, to: impl Into<Destination>) -> Self {
        Self::restore(stream, to, 1, Vec::new())
    }

    /// An outbox as it was written down: texts with their `n`, rising, all below `next_n`. An `n`
    /// that is missing has been answered.
    #[must_use]
    pub fn restore(
        stream: StreamId,
        to: impl Into<Destination>,
        next_n: u64,
        sends: Vec<(u64, String)>,
    ) -> Self {
        let pending: VecDeque<PendingSend> =
            sends.into_iter().map(|(n, text)| PendingSend::waiting(n, text)).collect();
        debug_assert!(pending.iter().is_sorted_by_key(|pending| pending.n));
        Self {
            stream,
            to: to.into(),
            next_n: pending.back().map_or(next_n, |last| next_n.max(last.n + 1)),
            epoch: None,
            may_have_lost: false,
            link: Link::Down,
            is_fresh: false,
            pending,
            in_flight: 0,
            waiting_from: 0,
            refused: VecDeque::new(),
        }
    }

    /// The same, with the life of the logs that the room's id belongs to.
    #[must_use]
    pub fn of_epoch(mut self, epoch: Epoch) -> Self {
        self.epoch = Some(epoch);
        self
    }

    /// Takes one more send, and gives it the stream's next `n`.
    pub fn push(&mut self, text: String) -> Entry {
        let n = self.next_n;
        debug_assert!(self.pending.back().is_none_or(|last| last.n < n), "places rise");
        self.next_n += 1;
        self.pending.push_back(PendingSend::waiting(n, text.clone()));
        self.entry(n, text)
    }

    /// Takes what somebody else knows of the room, which is this one.
    pub fn learn(&mut self, to: &Destination) {
        debug_assert!(self.to.is_same(to), "an outbox is of one room");
        if self.to.name.is_none() {
            self.to.name.clone_from(&to.name);
        }
    }

    /// A connection is signed in: everything unanswered is to be sent again, in order. When the
    /// logs have another life than before, rooms with a name must be found by it again.
    pub fn connected(&mut self, epoch: Epoch) {
        self.disconnected();
        self.link = Link::Up;
        if self.epoch.replace(epoch).is_some_and(|old| old != epoch) {
            self.may_have_lost = true;
            if self.to.name.is_some() {
                self.to.room = None;
            }
        }
    }

    /// The connection is gone: nothing is in flight any more, and nothing can be sent.
    pub fn disconnected(&mut self) {
        self.check();
        self.link = Link::Down;
        self.is_fresh = false;
        self.recall_all();
    }

    /// The next send, in order of `n`, and marks it in flight. `None`: nothing waits, `in_flight_max`
    /// are in flight, there is no connection, or the room is [unresolved](Self::unresolved).
    pub fn next_to_send(&mut self, in_flight_max: usize) -> Option<Entry> {
        if self.link != Link::Up || self.in_flight >= in_flight_max {
            return None;
        }
        self.to.room?;
        self.skip_in_flight();
        let next = self.pending.get_mut(self.waiting_from)?;
        debug_assert!(!next.in_flight, "what is out is skipped");
        next.in_flight = true;
        self.in_flight += 1;
        debug_assert!(self.in_flight <= in_flight_max, "the window holds");
        let (n, text) = (next.n, next.text.clone());
        Some(self.entry(n, text))
    }

    /// The room's name, when its id must be [found](Self::resolve) before the next send can go out.
    #[must_use]
    pub fn unresolved(&self) -> Option<&RoomName> {
        match self.to.room {
            Some(_known) => None,
            None => self.to.name.as_ref().filter(|_name| !self.pending.is_empty()),
        }
    }

    /// The id of a room that was known by its name only. Tells whether it is this one.
    pub fn resolve(&mut self, name: &RoomName, room: RoomId) -> bool {
        let is_this_one = self.to.room.is_none() && self.to.name.as_ref() == Some(name);
        if is_this_one {
            self.to.room = Some(room);
        }
        is_this_one
    }

    /// A send is committed: gives its entry back, `None` when its answer was known already.
    pub fn acked(&mut self, ack: &Ack) -> Option<Entry> {
        self.take(ack.nonce)
    }

    /// A send was refused.
    pub fn refused(&mut self, nonce: Nonce, error: &Error) -> Verdict {
        let Some(index) = self.index_of(nonce) else {
            return Verdict::Retry { after_ms: 0 };
        };
        self.check();
        if error.known_code() == Some(ErrorCode::StreamBound) {
            return self.bound_elsewhere(index);
        }
        if !error.retry {
            return match self.take(nonce) {
                Some(entry) => {
                    self.remember_refused(nonce.n);
                    Verdict::Refused(entry)
                }
                None => Verdict::Retry { after_ms: 0 },
            };
        }
        self.recall(index);
        match error.known_code() {
            Some(ErrorCode::Behind) => self.behind(nonce.n, error.detail),
            Some(ErrorCode::RateLimited) => {
                Verdict::Retry { after_ms: error.detail.clamp(1, PAUSE_MS_MAX) }
            }
            Some(ErrorCode::SlowMode) => {
                Verdict::Slow { after_ms: error.detail.clamp(1, SLOW_MS_MAX) }
            }
            _ => Verdict::Retry { after_ms: UNAVAILABLE_PAUSE_MS },
        }
    }

    /// The unanswered sends, in order.
    pub fn pending(&self) -> impl Iterator<Item = Entry> {
        self.pending.iter().map(|pending| self.entry(pending.n, pending.text.clone()))
    }

    /// The room.
    #[must_use]
    pub fn to(&self) -> &Destination {
        &self.to
    }

    /// Whether everything is answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pending.is_empty()
    }

    /// How many sends are unanswered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pending.len()
    }

    /// How many of them are in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// The stream.
    #[must_use]
    pub fn stream(&self) -> StreamId {
        self.stream
    }

    /// The `n` of the next push.
    #[must_use]
    pub fn next_n(&self) -> u64 {
        self.next_n
    }

    /// See the head of this module.
    fn behind(&mut self, n: u64, awaited: u64) -> Verdict {
        let (lowest, is_out) = match self.pending.front() {
            Some(first) => (first.n, first.in_flight),
            None => (n, false),
        };
        if (1..lowest).contains(&awaited) {
            self.link = Link::Lost;
            Verdict::NewStreamNeeded
        } else if (lowest..n).contains(&awaited) {
            // Answers come in order: one that overtakes the lowest's is no reason to hurry.
            Verdict::Retry { after_ms: if is_out { OVERTAKEN_PAUSE_MS } else { 0 } }
        } else {
            Verdict::Retry { after_ms: UNAVAILABLE_PAUSE_MS }
        }
    }

    fn index_of(&self, nonce: Nonce) -> Option<usize> {
        if nonce.stream != self.stream {
            return None;
        }
        self.pending.binary_search_by_key(&nonce.n, |pending| pending.n).ok()
    }

    fn remember_refused(&mut self, n: u64) {
        if self.refused.len() >= REFUSED_MAX {
            self.refused.pop_front();
        }
        self.refused.push_back(n);
    }

    fn take(&mut self, nonce: Nonce) -> Option<Entry> {
        let index = self.index_of(nonce)?;
        let taken = self.pending.remove(index)?;
        self.is_fresh = false;
        if index < self.waiting_from {
            self.waiting_from -= 1;
        }
        self.in_flight -= usize::from(taken.in_flight);
        debug_assert!(
            self.waiting_from <= self.pending.len(),
            "the next is behind those that are out"
        );
        Some(self.entry(taken.n, taken.text))
    }

    fn entry(&self, n: u64, text: String) -> Entry {
        Entry { nonce: Nonce { stream: self.stream, n }, to: self.to.clone(), text }
    }

    fn recall(&mut self, index: usize) {
        let pending = &mut self.pending[index];
        self.in_flight -= usize::from(pending.in_flight);
        pending.in_flight = false;
        self.waiting_from = self.waiting_from.min(index);
    }

    fn recall_all(&mut self) {
        for pending in &mut self.pending {
            pending.in_flight = false;
        }
        self.in_flight = 0;
        self.waiting_from = 0;
    }

    /// What is sent next follows from these; a wrong one would hold a message back, or send it twice.
    fn check(&self) {
        let out = || self.pending.iter().filter(|pending| pending.in_flight).count();
        debug_assert_eq!(self.in_flight, out(), "what is out is counted");
        let mut skipped = self.pending.iter().take(self.waiting_from);
        debug_assert!(skipped.all(|pending| pending.in_flight), "nothing that waits is skipped");
    }

    fn skip_in_flight(&mut self) {
        while self.pending.get(self.waiting_from).is_some_and(|pending| pending.in_flight) {
            self.waiting_from += 1;
        }
    }
}

impl PendingSend {
    fn waiting(n: u64, text: String) -> Self {
        Self { n, text, in_flight: false }
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
