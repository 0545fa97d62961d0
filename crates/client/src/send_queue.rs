//! Everything that one client sends, on its way (promises G2 and G3): which message goes out next,
//! what is to be written down, and what becomes of each.
//!
//! Owns an outbox for each room, and what dead processes left. Only within a room is there an order:
//! what was left goes first there, then what is said here. Rooms take turns in one window, and none waits
//! for another's name or stream to be found or begun anew. What they do share: a refusal that may be
//! retried pauses all, since it is the daemon or the account that is to wait (only a slow room waits alone); and while a stream is lost,
//! no new message is taken.
//!
//! Sans-IO: time comes in as milliseconds of any clock that never steps back, randomness as the bytes that
//! fresh streams follow from. It must not know about sockets, files or who waits; the simulator runs this
//! very type.

mod lost_stream;
mod placing;
mod slow_rooms;

use std::collections::{HashMap, HashSet, VecDeque};

use chat_proto::{Ack, Epoch, Error, Nonce, RoomId, RoomName, StreamId};

use crate::event::Refusal;
use crate::outbox::{Entry, FreshStreams, Outbox, Verdict};
use slow_rooms::SlowRooms;

/// Unanswered messages; past it senders wait.
pub const UNANSWERED_MAX: usize = 1024;

/// Rooms that are remembered by their names; past it they are found anew.
const FOUND_MAX: usize = 1024;

/// Rooms that are looked for by their names at the same time; others wait until one is found.
const FINDING_MAX: usize = 16;

/// What becomes of messages when their process ends, and with a stream that the daemon has lost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Policy {
    /// Of a screen: every message is in a journal before it counts, and whoever comes next goes on
    /// with it. A stream that the daemon has lost goes on under a fresh one.
    Screen,
    /// Of a script: nothing outlives it, and whoever sent a message waits for its answer.
    Script {
        /// What its streams follow from, together with the room; `None`: nobody else has them.
        explicit: Option<ExplicitId>,
    },
}

/// An id that makes the same messages have the same nonces again.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ExplicitId {
    /// The id.
    pub id: String,
    /// The place of the first message, from 1.
    pub first_n: u64,
    /// Whether whoever gave it may send everything again under it: a stream that the daemon has lost is
    /// then not exchanged for a fresh one, and what waits is refused.
    pub is_firm: bool,
}

/// One thing to write down. Only a screen's queue has any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// A message. It is to be on disk before it is [pushed](SendQueue::push).
    Push(Entry),
    /// A message is committed, and that is told before it is on disk. One that is lost means that
    /// the message goes out again, and gets the same answer.
    Answered(Nonce),
    /// A message was refused for good. It is to be on disk at once, as nobody else keeps it: when the
    /// machine fails in the moment between, such a message is tried again, and may be posted though it was
    /// called refused.
    Refused(Nonce),
    /// The id of the room that a stream's messages are for.
    Found(StreamId, RoomId),
    /// The life of the daemon's logs that the room's id belongs to.
    Epoch(StreamId, Epoch),
    /// Nothing of the stream waits, and nothing more will be pushed.
    Ended(StreamId),
}

/// What is to leave.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outbound {
    /// This message.
    Send(Entry),
    /// A request to join this room, whose id the next message needs. The answer goes to
    /// [`SendQueue::found`] or [`SendQueue::not_found`].
    Find(RoomName),
}

/// What has become of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// A message that a dead process left waits in this queue now.
    Adopted(Entry),
    /// It is committed.
    Acked(Entry, Ack),
    /// It was refused for good.
    Refused(Entry, Refusal),
    /// It goes on under another nonce.
    Moved(Entry, Nonce),
    /// The daemon was restored from a backup, and so many messages that it had acknowledged are
    /// gone.
    Forgotten(u64),
}

/// All messages on their way.
#[derive(Clone, Debug)]
pub struct SendQueue {
    policy: Policy,
    fresh: FreshStreams,
    /// The first were left by dead processes, in the order in which they are sent. The others are pushed
    /// to, one for each room, the last one last.
    outboxes: Vec<Outbox>,
    /// How many were left.
    adopted: usize,
    records: Vec<Record>,
    changes: VecDeque<Change>,
    /// Streams of no use any more. Nothing of them leaves until they are restarted.
    lost: VecDeque<StreamId>,
    paused_until_ms: Option<u64>,
    /// The streams of rooms in which one waits behind each message.
    slow: SlowRooms,
    /// The rooms that are being looked for by their names.
    finding: HashSet<RoomName>,
    /// The stream of which a message left last: the others have their turn first.
    sent_last: Option<StreamId>,
    epoch: Option<Epoch>,
    is_online: bool,
    /// Whether the daemon was restored from a backup since the first connection. Then ids of rooms
    /// that somebody still holds may be other rooms' by now, and names find them again.
    is_restored: bool,
    /// The rooms that were found so since then.
    found: HashMap<RoomName, RoomId>,
}

impl SendQueue {
    /// `adopted` in the order in which it is to be sent.
    #[must_use]
    pub fn new(policy: Policy, fresh: FreshStreams, adopted: Vec<Outbox>) -> Self {
        let mut queue = Self {
            policy,
            fresh,
            outboxes: Vec::new(),
            adopted: 0,
            records: Vec::new(),
            changes: VecDeque::new(),
            lost: VecDeque::new(),
            paused_until_ms: None,
            slow: SlowRooms::default(),
            finding: HashSet::new(),
            sent_last: None,
            epoch: None,
            is_online: false,
            is_restored: false,
            found: HashMap::new(),
        };
        queue.adopt(adopted);
        queue
    }

    /// Takes over what dead processes left: it goes in front of what is said here.
    pub fn adopt(&mut self, adopted: Vec<Outbox>) {
        for mut outbox in adopted {
            self.changes.extend(outbox.pending().map(Change::Adopted));
            if let (true, Some(epoch)) = (self.is_online, self.epoch) {
                outbox.connected(epoch);
                self.note(Record::Epoch(outbox.stream(), epoch));
            }
            self.outboxes.insert(self.adopted, outbox);
            self.adopted += 1;
        }
    }

    /// Whether more messages may be taken.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.len() < UNANSWERED_MAX && self.lost.is_empty()
    }

    /// How many messages are unanswered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.outboxes.iter().map(Outbox::len).sum()
    }

    /// Whether every message is answered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.outboxes.iter().all(Outbox::is_empty)
    }

    /// A connection is signed in.
    pub fn connected(&mut self, epoch: Epoch) {
        self.is_online = true;
        if self.epoch.replace(epoch).is_some_and(|before| before != epoch) {
            self.is_restored = true;
            self.found.clear();
        }
        self.paused_until_ms = None;
        self.slow = SlowRooms::default();
        for index in 0..self.outboxes.len() {
            self.outboxes[index].connected(epoch);
            self.note(Record::Epoch(self.outboxes[index].stream(), epoch));
        }
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.is_online = false;
        self.finding.clear();
        self.outboxes.iter_mut().for_each(Outbox::disconnected);
    }

    /// What may leave now, which is then in flight. At most `in_flight_max` messages are.
    pub fn next(&mut self, in_flight_max: usize, now_ms: u64) -> Option<Outbound> {
        self.slow.wake(now_ms);
        if !self.is_online || self.is_paused(now_ms) {
            return None;
        }
        let in_flight: usize = self.outboxes.iter().map(Outbox::in_flight).sum();
        let first = self.first_in_turn();
        for at in (first..self.outboxes.len()).chain(0..first) {
            if !self.may_leave(at) {
                continue;
            }
            let of_room = self.slow.in_flight_max(self.outboxes[at].stream());
            if in_flight < in_flight_max
                && let Some(entry) = self.outboxes[at].next_to_send(in_flight_max.min(of_room))
            {
                self.sent_last = Some(entry.nonce.stream);
                return Some(Outbound::Send(entry));
            }
            // Only the name of the room is known: joining tells the id.
            if let Some(name) = self.outboxes[at].unresolved()
                && self.finding.len() < FINDING_MAX
                && self.finding.insert(name.clone())
            {
                return Some(Outbound::Find(name.clone()));
            }
        }
        None
    }

    /// The outbox behind the one that sent last. Else a room with a backlog would have the whole window.
    fn first_in_turn(&self) -> usize {
        let sent_last = |outbox: &Outbox| Some(outbox.stream()) == self.sent_last;
        self.outboxes.iter().position(sent_last).map_or(0, |at| at + 1)
    }

    /// Whether an outbox is of use, and nothing that was left for its room is still unanswered.
    fn may_leave(&self, at: usize) -> bool {
        debug_assert!(self.adopted <= self.outboxes.len(), "what was left comes first");
        let outbox = &self.outboxes[at];
        let mut before = self.outboxes[..at.min(self.adopted)].iter();
        !outbox.is_empty()
            && !self.lost.contains(&outbox.stream())
            && !before.any(|before| !before.is_empty() && before.to().is_same(outbox.to()))
    }

    /// When something may leave that now waits, in milliseconds; `None`: not by the clock.
    #[must_use]
    pub fn due_ms(&self) -> Option<u64> {
        let due_ms = self.paused_until_ms.into_iter().chain(self.slow.due_ms()).min();
        due_ms.filter(|_until| self.is_online)
    }

    /// A message is committed. An answer that was known already changes nothing.
    pub fn acked(&mut self, ack: &Ack) {
        let outbox = self.outbox_of(ack.nonce.stream);
        if let Some(entry) = outbox.and_then(|outbox| outbox.acked(ack)) {
            self.slow.acked(ack.nonce.stream);
            self.note(Record::Answered(ack.nonce));
            self.let_go_answered(ack.nonce);
            self.changes.push_back(Change::Acked(entry, ack.clone()));
        }
    }

    /// A message was refused, for now or for good.
    pub fn refused(&mut self, nonce: Nonce, error: &Error, now_ms: u64) {
        let Some(outbox) = self.outbox_of(nonce.stream) else { return };
        match outbox.refused(nonce, error) {
            Verdict::Retry { after_ms: 0 } => {}
            Verdict::Retry { after_ms } => self.pause(now_ms, after_ms),
            Verdict::Slow { after_ms } => self.slow.refused(nonce.stream, now_ms, after_ms),
            Verdict::Refused(entry) => self.refused_for_good(entry, Refusal::from(error.clone())),
            Verdict::NewStreamNeeded => self.lost_stream(nonce.stream, error),
        }
    }

    /// A room of which only the name was known.
    pub fn found(&mut self, name: &RoomName, room: RoomId) {
        self.finding.remove(name);
        if self.is_restored {
            if self.found.len() >= FOUND_MAX {
                self.found.clear();
            }
            self.found.insert(name.clone(), room);
        }
        let outboxes = self.outboxes.iter_mut();
        let found = outboxes.filter_map(|it| it.resolve(name, room).then(|| it.stream()));
        for stream in found.collect::<Vec<_>>() {
            self.note(Record::Found(stream, room));
            self.demand_stream_of(stream, room);
        }
    }

    /// The room cannot be had: what waits for it is refused here. The daemon would await the places of
    /// these messages for ever, so the stream is of no use any more.
    pub fn not_found(&mut self, name: &RoomName, error: Error) {
        self.finding.remove(name);
        let refusal = Refusal::from(error);
        let waiting = self.outboxes.iter().filter(|outbox| outbox.unresolved() == Some(name));
        for stream in waiting.map(Outbox::stream).collect::<Vec<_>>() {
            self.give_up(stream, &refusal);
            if !self.is_firm() && self.outbox_of(stream).is_some() {
                self.lost.push_back(stream);
            }
        }
    }

    /// What is to be written down, in order.
    pub fn take_records(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.records)
    }

    /// Whether anything is.
    #[must_use]
    pub fn has_records(&self) -> bool {
        !self.records.is_empty()
    }

    /// What has become of messages, one by one. Whoever drives the queue asks until there is none.
    pub fn next_change(&mut self) -> Option<Change> {
        self.changes.pop_front()
    }

    fn refused_for_good(&mut self, entry: Entry, refusal: Refusal) {
        self.note(Record::Refused(entry.nonce));
        self.let_go_answered(entry.nonce);
        self.changes.push_back(Change::Refused(entry, refusal));
    }

    /// An outbox that was left is of no use once everything in it is answered.
    fn let_go_answered(&mut self, nonce: Nonce) {
        let left = &self.outboxes[..self.adopted];
        let done = |outbox: &Outbox| outbox.stream() == nonce.stream && outbox.is_empty();
        if let Some(at) = left.iter().position(done) {
            self.outboxes.remove(at);
            self.adopted -= 1;
            self.lost.retain(|stream| *stream != nonce.stream);
        }
    }

    fn note(&mut self, record: Record) {
        if self.policy == Policy::Screen {
            self.records.push(record);
        }
    }

    fn pause(&mut self, now_ms: u64, pause_ms: u64) {
        self.paused_until_ms = self.paused_until_ms.max(Some(now_ms.saturating_add(pause_ms)));
    }

    fn is_paused(&mut self, now_ms: u64) -> bool {
        if self.paused_until_ms.is_some_and(|until_ms| until_ms <= now_ms) {
            self.paused_until_ms = None;
        }
        self.paused_until_ms.is_some()
    }

    fn outbox_of(&mut self, stream: StreamId) -> Option<&mut Outbox> {
        self.outboxes.iter_mut().find(|outbox| outbox.stream() == stream)
    }
}

#[cfg(test)]
#[path = "send_queue_tests.rs"]
mod tests;
