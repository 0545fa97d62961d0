//! Everything that one client sends, on its way (promises G2 and G3): which message goes out next,
//! what is to be written down, and what becomes of each.
//!
//! Owns the outboxes of all its streams, and their order: what dead processes left goes first, then
//! what is said here. Sans-IO: time comes in as milliseconds of any clock that never steps back,
//! fresh streams come from whoever draws random numbers. It must not know about sockets, files or
//! who waits; the simulator runs this very type.

mod lost_stream;

use std::collections::{HashMap, VecDeque};

use chat_proto::{Ack, Epoch, Error, Nonce, RoomId, RoomName, StreamId};

use crate::event::Refusal;
use crate::outbox::{Destination, Entry, Outbox, Verdict};

/// Unanswered messages; past it senders wait.
pub const UNANSWERED_MAX: usize = 1024;

/// Rooms that are remembered by their names; past it they are found anew.
const FOUND_MAX: usize = 1024;

/// What becomes of messages when their process ends, and with a stream that the daemon has lost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    /// Of a screen: every message is in a journal before it counts, and whoever comes next goes on
    /// with it. A stream that the daemon has lost goes on under a fresh one.
    Screen,
    /// Of a script: nothing outlives it, and whoever sent a message waits for its answer.
    Script {
        /// Whoever gave the stream's id may send everything again under it: it is not exchanged
        /// for a fresh one, and what waits is refused.
        is_stream_firm: bool,
    },
}

/// One thing to write down. Only a screen's queue has any.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Record {
    /// A message. It is to be on disk before it is [pushed](SendQueue::push).
    Push(Entry),
    /// The answer to a message is known. One that is lost means that the message goes out again,
    /// and gets the same answer.
    Answered(Nonce),
    /// The id of the room that a message is for.
    Found(Nonce, RoomId),
    /// The life of the daemon's logs that the room ids of a stream's messages belong to.
    Epoch(StreamId, Epoch),
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
    /// The last is the one that is pushed to; those before it were left by dead processes.
    outboxes: VecDeque<Outbox>,
    /// Messages to rooms that cannot be had: why.
    doomed: HashMap<Nonce, Refusal>,
    records: Vec<Record>,
    changes: VecDeque<Change>,
    /// A stream that the daemon has lost the end of. Nothing leaves until it is restarted.
    lost: Option<StreamId>,
    paused_until_ms: Option<u64>,
    /// Whether the room of the next message is being looked for.
    is_finding: bool,
    epoch: Option<Epoch>,
    is_online: bool,
    /// Whether the daemon was restored from a backup since the first connection. Then ids of rooms
    /// that somebody still holds may be other rooms' by now, and names find them again.
    is_restored: bool,
    /// The rooms that were found so since then.
    found: HashMap<RoomName, RoomId>,
    /// Whether the user knows how many messages are gone by that.
    has_told_loss: bool,
}

impl SendQueue {
    /// `adopted` in the order in which it is to be sent; `own` is pushed to.
    #[must_use]
    pub fn new(own: Outbox, adopted: Vec<Outbox>, policy: Policy) -> Self {
        let mut queue = Self {
            policy,
            outboxes: VecDeque::from([own]),
            doomed: HashMap::new(),
            records: Vec::new(),
            changes: VecDeque::new(),
            lost: None,
            paused_until_ms: None,
            is_finding: false,
            epoch: None,
            is_online: false,
            is_restored: false,
            found: HashMap::new(),
            has_told_loss: false,
        };
        queue.adopt(adopted);
        queue
    }

    /// Takes over what dead processes left: it goes in front of what is said here.
    pub fn adopt(&mut self, adopted: Vec<Outbox>) {
        for mut outbox in adopted {
            self.changes.extend(outbox.pending().cloned().map(Change::Adopted));
            if let (true, Some(epoch)) = (self.is_online, self.epoch) {
                outbox.connected(epoch);
                self.note(Record::Epoch(outbox.stream(), epoch));
            }
            self.outboxes.insert(self.outboxes.len() - 1, outbox);
        }
    }

    /// Whether more messages may be taken.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.len() < UNANSWERED_MAX && self.lost.is_none()
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

    /// The unanswered messages of the queue's own stream, in order, and the stream.
    #[must_use]
    pub fn own(&self) -> &Outbox {
        self.outboxes.back().expect("the last outbox is never removed")
    }

    /// Gives messages the places that they will have, and notes them to be written down. They are
    /// [pushed](Self::push) in this order when they are; nothing else is pushed before.
    pub fn prepare(
        &mut self,
        sends: impl IntoIterator<Item = (Destination, String)>,
    ) -> Vec<Entry> {
        let (stream, first) = (self.own().stream(), self.own().next_n());
        let numbered = (first..).zip(sends);
        let entries: Vec<_> = numbered
            .map(|(n, (to, text))| Entry {
                nonce: Nonce { stream, n },
                to: self.as_of_now(to),
                text,
            })
            .collect();
        if let Some(epoch) = self.epoch {
            self.note(Record::Epoch(stream, epoch));
        }
        entries.iter().cloned().for_each(|entry| self.note(Record::Push(entry)));
        entries
    }

    /// A message that counts from now on.
    pub fn push(&mut self, to: Destination, text: String) -> Entry {
        let to = self.as_of_now(to);
        self.own_mut().push(to, text)
    }

    /// A connection is signed in.
    pub fn connected(&mut self, epoch: Epoch) {
        self.is_online = true;
        if self.epoch.replace(epoch).is_some_and(|before| before != epoch) {
            (self.is_restored, self.has_told_loss) = (true, false);
            self.found.clear();
        }
        self.paused_until_ms = None;
        for index in 0..self.outboxes.len() {
            self.outboxes[index].connected(epoch);
            self.note(Record::Epoch(self.outboxes[index].stream(), epoch));
        }
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.is_online = false;
        self.is_finding = false;
        self.outboxes.iter_mut().for_each(Outbox::disconnected);
    }

    /// What may leave now, which is then in flight. At most `in_flight_max` messages are.
    pub fn next(&mut self, in_flight_max: usize, now_ms: u64) -> Option<Outbound> {
        if !self.is_online || self.is_paused(now_ms) || self.lost.is_some() {
            return None;
        }
        // A stream is begun when the one before it is answered: that keeps their order.
        let outbox = self.outboxes.iter_mut().find(|outbox| !outbox.is_empty())?;
        if let Some(entry) = outbox.next_to_send(in_flight_max) {
            return Some(Outbound::Send(entry.clone()));
        }
        // The next message knows only the name of its room: joining tells the id.
        let name = outbox.unresolved().filter(|_name| !self.is_finding)?;
        self.is_finding = true;
        Some(Outbound::Find(name.clone()))
    }

    /// When something may leave that now waits, in milliseconds; `None`: not by the clock.
    #[must_use]
    pub fn due_ms(&self) -> Option<u64> {
        self.paused_until_ms.filter(|_until| self.is_online)
    }

    /// A message is committed. An answer that was known already changes nothing.
    pub fn acked(&mut self, ack: &Ack) {
        let outbox = self.outbox_of(ack.nonce.stream);
        if let Some(entry) = outbox.and_then(|outbox| outbox.acked(ack)) {
            self.answered(ack.nonce);
            self.changes.push_back(Change::Acked(entry, ack.clone()));
        }
    }

    /// A message was refused, for now or for good.
    pub fn refused(&mut self, nonce: Nonce, error: &Error, now_ms: u64) {
        let Some(outbox) = self.outbox_of(nonce.stream) else { return };
        match outbox.refused(nonce, error) {
            Verdict::Retry { after_ms: 0 } => {}
            Verdict::Retry { after_ms } => self.pause(now_ms, after_ms),
            Verdict::Refused(entry) => self.refused_for_good(entry, Refusal::from(error.clone())),
            Verdict::NewStreamNeeded => self.lost_stream(nonce.stream, error.detail),
        }
    }

    /// The room of messages that knew only its name.
    pub fn found(&mut self, name: &RoomName, room: RoomId) {
        self.is_finding = false;
        if self.is_restored {
            if self.found.len() >= FOUND_MAX {
                self.found.clear();
            }
            self.found.insert(name.clone(), room);
        }
        for nonce in self.resolve(name, room) {
            self.note(Record::Found(nonce, room));
        }
    }

    /// The room cannot be had. The daemon itself must refuse the messages, or it would await them
    /// for ever; the reason is kept for the user.
    pub fn not_found(&mut self, name: &RoomName, error: Error) {
        self.is_finding = false;
        let refusal = Refusal::from(error);
        for nonce in self.resolve(name, Destination::NOWHERE) {
            self.doomed.insert(nonce, refusal.clone());
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
        let refusal = self.doomed.remove(&entry.nonce).unwrap_or(refusal);
        self.answered(entry.nonce);
        self.changes.push_back(Change::Refused(entry, refusal));
    }

    fn answered(&mut self, nonce: Nonce) {
        self.note(Record::Answered(nonce));
        while self.outboxes.len() > 1 && self.outboxes.front().is_some_and(Outbox::is_empty) {
            self.outboxes.pop_front();
        }
    }

    /// Where a message goes in this life of the logs: whoever sends may know the room by an id of
    /// the one before.
    fn as_of_now(&self, to: Destination) -> Destination {
        match &to.name {
            Some(name) if self.is_restored => {
                Destination { room: self.found.get(name).copied(), ..to }
            }
            _ => to,
        }
    }

    fn resolve(&mut self, name: &RoomName, room: RoomId) -> Vec<Nonce> {
        self.outboxes.iter_mut().flat_map(|outbox| outbox.resolve(name, room)).collect()
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

    fn own_mut(&mut self) -> &mut Outbox {
        self.outboxes.back_mut().expect("the last outbox is never removed")
    }

    fn outbox_of(&mut self, stream: StreamId) -> Option<&mut Outbox> {
        self.outboxes.iter_mut().find(|outbox| outbox.stream() == stream)
    }
}

#[cfg(test)]
#[path = "send_queue_tests.rs"]
mod tests;
