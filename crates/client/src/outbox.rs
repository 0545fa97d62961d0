//! The sends of one stream, in order, each until its answer is known (promises G2 and G3).
//!
//! Owns which send goes out next, what may be sent again and what must not. Sans-IO: it must not
//! know about sockets, files, the clock or randomness; the simulator runs this very type.
//!
//! The daemon takes the `n` of a stream one by one. From that, three rules follow:
//!
//! * **No answer means unknown.** The same nonce goes out again, never a new one: the daemon gives
//!   the first answer again.
//! * **A refusal that may not be retried is an answer**: the daemon has stored it under that `n`,
//!   and the sends behind it go on. (Errors below 100 are refusals by the session, which stores
//!   nothing. They are answers here too, or a poisoned message would close every connection; the
//!   hole that they leave is mended by the third rule.)
//! * **A refusal that may be retried is none**: the send is out again as soon as the driver asks,
//!   and everything behind it gets `Behind` until it is there. What a `Behind { awaited }` for `n`
//!   means depends on `awaited` alone:
//!   - below the lowest unanswered: the daemon has forgotten sends that it had answered, so it was
//!     restored from a backup (or a session refused one, see above). Its high-water mark proves
//!     that no unanswered send is in its logs, so all of them may go out under a fresh stream.
//!   - from there up to `n - 1`: that one is in flight or about to be sent again. Should it be one
//!     that has been answered, then lower ones go first, and after them the case above applies.
//!   - 0, `n` or more: no daemon says that. Tried again after a pause, so that a bug on the other
//!     side does not become a busy loop here.

mod destination;

use std::collections::VecDeque;

use chat_proto::{Ack, Epoch, Error, ErrorCode, Nonce, RoomId, RoomName, StreamId};

pub use destination::Destination;

/// How long to leave a daemon alone that cannot write now.
const UNAVAILABLE_PAUSE_MS: u64 = 1_000;

/// How long to wait when a send is told to await one that is out.
const OVERTAKEN_PAUSE_MS: u64 = 50;

/// Longest pause that a daemon can impose; what it asks for beyond that is cut.
const PAUSE_MS_MAX: u64 = 60_000;

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

/// What a refusal means for the send that was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// For good: the entry is out of the outbox, and the ones behind it go on.
    Refused(Entry),
    /// Not an answer: [`Outbox::next_to_send`] will give it again. The driver should not ask before
    /// so many milliseconds have passed. (Also the verdict on a nonce that is not waited for.)
    Retry {
        /// The pause; 0 for none.
        after_ms: u64,
    },
    /// The daemon has lost the end of this stream: call [`Outbox::restart_stream`]. Until then
    /// nothing is given to be sent.
    NewStreamNeeded,
}

/// The unanswered sends of one stream. Unbounded by itself: whoever pushes looks at
/// [`Outbox::len`].
#[derive(Clone, Debug)]
pub struct Outbox {
    stream: StreamId,
    next_n: u64,
    /// The life of the logs that the room ids belong to.
    epoch: Option<Epoch>,
    link: Link,
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
    entry: Entry,
    in_flight: bool,
}

impl Outbox {
    /// An empty outbox. `stream` must never have been used before (or be of an explicit id).
    #[must_use]
    pub fn new(stream: StreamId) -> Self {
        Self::restore(stream, 1, Vec::new())
    }

    /// An outbox as it was written down: `entries` rising in `n`, all below `next_n`. An `n` that
    /// is missing has been answered.
    #[must_use]
    pub fn restore(stream: StreamId, next_n: u64, entries: Vec<Entry>) -> Self {
        let pending: VecDeque<PendingSend> =
            entries.into_iter().map(PendingSend::waiting).collect();
        debug_assert!(pending.iter().is_sorted_by_key(PendingSend::n));
        Self {
            stream,
            next_n: pending.back().map_or(next_n, |last| next_n.max(last.n() + 1)),
            epoch: None,
            link: Link::Down,
            pending,
            in_flight: 0,
            waiting_from: 0,
            refused: VecDeque::new(),
        }
    }

    /// The same, with the life of the logs that the room ids of its entries belong to.
    #[must_use]
    pub fn of_epoch(mut self, epoch: Epoch) -> Self {
        self.epoch = Some(epoch);
        self
    }

    /// Takes one more send, and gives it the stream's next `n`.
    pub fn push(&mut self, to: impl Into<Destination>, text: String) -> Entry {
        let nonce = Nonce { stream: self.stream, n: self.next_n };
        self.next_n += 1;
        let entry = Entry { nonce, to: to.into(), text };
        self.pending.push_back(PendingSend::waiting(entry.clone()));
        entry
    }

    /// A connection is signed in: everything unanswered is to be sent again, in order. When the
    /// logs have another life than before, rooms with a name must be found by it again.
    pub fn connected(&mut self, epoch: Epoch) {
        self.disconnected();
        self.link = Link::Up;
        if self.epoch.replace(epoch).is_some_and(|old| old != epoch) {
            for pending in &mut self.pending {
                if pending.entry.to.name.is_some() {
                    pending.entry.to.room = None;
                }
            }
        }
    }

    /// The connection is gone: nothing is in flight any more, and nothing can be sent.
    pub fn disconnected(&mut self) {
        self.link = Link::Down;
        self.recall_all();
    }

    /// The next send, in order of `n`, and marks it in flight. `None`: nothing waits, `in_flight_max`
    /// are in flight, there is no connection, or the next one's room is [unresolved](Self::unresolved).
    pub fn next_to_send(&mut self, in_flight_max: usize) -> Option<&Entry> {
        if self.link != Link::Up || self.in_flight >= in_flight_max {
            return None;
        }
        self.skip_in_flight();
        let next = self.pending.get_mut(self.waiting_from)?;
        next.entry.to.room?;
        next.in_flight = true;
        self.in_flight += 1;
        Some(&next.entry)
    }

    /// The room name that must be [resolved](Self::resolve) before the next send can go out.
    #[must_use]
    pub fn unresolved(&self) -> Option<&RoomName> {
        let next = self.pending.iter().find(|pending| !pending.in_flight)?;
        match next.entry.to.room {
            Some(_known) => None,
            None => next.entry.to.name.as_ref(),
        }
    }

    /// The id of a room that was known by its name only. Returns the nonces that now have one.
    ///
    /// A room that cannot be had is resolved to [`Destination::NOWHERE`]: such a send was never
    /// out, so the daemon must refuse it, or its `n` would be awaited for ever.
    pub fn resolve(&mut self, name: &RoomName, room: RoomId) -> Vec<Nonce> {
        let unknown = |to: &Destination| to.room.is_none() && to.name.as_ref() == Some(name);
        let found = self.pending.iter_mut().filter(|pending| unknown(&pending.entry.to));
        found
            .map(|pending| {
                pending.entry.to.room = Some(room);
                pending.entry.nonce
            })
            .collect()
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
            _ => Verdict::Retry { after_ms: UNAVAILABLE_PAUSE_MS },
        }
    }

    /// Gives every unanswered send a new nonce, from 1 on a stream that was never used. Only after
    /// [`Verdict::NewStreamNeeded`]: at any other time it could double a message. Returns the old
    /// nonce of each with its new one, in order.
    pub fn restart_stream(&mut self, fresh: StreamId) -> Vec<(Nonce, Nonce)> {
        self.stream = fresh;
        self.recall_all();
        if self.link == Link::Lost {
            self.link = Link::Up;
        }
        self.next_n = 1;
        self.refused.clear();
        let mut renamed = Vec::with_capacity(self.pending.len());
        for pending in &mut self.pending {
            let new = Nonce { stream: fresh, n: self.next_n };
            self.next_n += 1;
            renamed.push((std::mem::replace(&mut pending.entry.nonce, new), new));
        }
        renamed
    }

    /// Gives every unanswered send back, never to be sent: instead of [`Self::restart_stream`], for
    /// a stream that must stay what it is. Later sends go out under it.
    pub fn give_up(&mut self) -> Vec<Entry> {
        self.recall_all();
        if self.link == Link::Lost {
            self.link = Link::Up;
        }
        let given_up = std::mem::take(&mut self.pending);
        given_up.iter().for_each(|pending| self.remember_refused(pending.n()));
        given_up.into_iter().map(|pending| pending.entry).collect()
    }

    /// How many sends of this stream have been acked from an `n` on, below the first that is not
    /// answered. (A refusal that lies more than `REFUSED_MAX` refusals back counts as an ack.)
    #[must_use]
    pub fn acked_from(&self, n: u64) -> u64 {
        let end = self.pending.front().map_or(self.next_n, PendingSend::n);
        let refused = self.refused.iter().filter(|&&refused| (n..end).contains(&refused)).count();
        end.saturating_sub(n).saturating_sub(refused as u64)
    }

    /// The unanswered sends, in order.
    pub fn pending(&self) -> impl Iterator<Item = &Entry> {
        self.pending.iter().map(|pending| &pending.entry)
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
            Some(first) => (first.n(), first.in_flight),
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
        self.pending.binary_search_by_key(&nonce.n, PendingSend::n).ok()
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
        if index < self.waiting_from {
            self.waiting_from -= 1;
        }
        self.in_flight -= usize::from(taken.in_flight);
        Some(taken.entry)
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

    fn skip_in_flight(&mut self) {
        while self.pending.get(self.waiting_from).is_some_and(|pending| pending.in_flight) {
            self.waiting_from += 1;
        }
    }
}

impl PendingSend {
    fn waiting(entry: Entry) -> Self {
        Self { entry, in_flight: false }
    }

    fn n(&self) -> u64 {
        self.entry.nonce.n
    }
}

#[cfg(test)]
#[path = "outbox_tests.rs"]
mod tests;
