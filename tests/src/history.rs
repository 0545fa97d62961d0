//! A history: what clients invoked, were answered and received, in the order in which it happened;
//! and the checker that holds it against what the store says.
//!
//! Knows the promises G1 to G4 and nothing else: the simulator and the tests over real processes
//! record into the same history. It must not know how an observation was made.

mod check;
#[cfg(test)]
mod tests;
mod violation;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use chat_proto::{AccountId, Ack, Epoch, ErrorCode, LogId, MessageId, Nonce, Seq, Timestamp};

pub use violation::Violation;

/// Somebody whose sends have an order: one outbox, for as long as its journal lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Sender(pub u32);

/// Somebody who reads one log in order: a cursor on one connection, or a reader who goes on over
/// many connections. Made by [`History::opened`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Reader(u32);

/// An event as a reader sees it.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Seen {
    /// Its place.
    pub seq: Seq,
    /// When.
    pub ts: Timestamp,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum What {
    /// A message.
    Posted {
        /// Who.
        from: AccountId,
        /// Its id.
        id: MessageId,
        /// What was said.
        text: String,
    },
    /// Any other event, in words that are the same for everyone.
    Notice(String),
}

impl Seen {
    fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.hash(&mut hasher);
        hasher.finish()
    }
}

/// An event as the store has it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// What readers see of it.
    pub seen: Seen,
    /// A message's nonce.
    pub nonce: Option<Nonce>,
}

/// A log as the store has it: every event, in the order of the store.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Log {
    /// The room's name; empty for an account's log.
    pub name: String,
    /// The events.
    pub events: Vec<Stored>,
}

/// What the store said at the end of each epoch. In an epoch logs only grow, so its end says
/// everything that was ever true in it.
pub type Truth = BTreeMap<Epoch, BTreeMap<LogId, Log>>;

/// Observations, in the order in which they were made.
#[derive(Clone, Debug, Default)]
pub struct History {
    observations: Vec<Observation>,
    readers: u32,
}

#[derive(Clone, Debug)]
enum Observation {
    Invoked { sender: Sender, nonce: Nonce, room: String, text: String },
    Renamed { old: Nonce, new: Nonce },
    Acked { epoch: Epoch, ack: Ack },
    Refused { epoch: Epoch, nonce: Nonce, code: ErrorCode },
    GivenUp { nonce: Nonce },
    Opened { reader: Reader, epoch: Epoch, log: LogId, after: Seq },
    Received { reader: Reader, seq: Seq, digest: u64 },
    Gone { reader: Reader, from: Seq, to: Seq },
    Resumed { reader: Reader, epoch: Epoch },
    Reset { reader: Reader, epoch: Epoch },
    Closed { reader: Reader },
    Committed { epoch: Epoch, log: LogId, head: Seq },
    Settled { epoch: Epoch },
}

impl History {
    /// A sender begins a send: from now on it may be in the log.
    pub fn invoked(&mut self, sender: Sender, nonce: Nonce, room: &str, text: &str) {
        let (room, text) = (room.to_owned(), text.to_owned());
        self.note(Observation::Invoked { sender, nonce, room, text });
    }

    /// A send goes on under another nonce, because the store has lost the stream's end.
    pub fn renamed(&mut self, old: Nonce, new: Nonce) {
        self.note(Observation::Renamed { old, new });
    }

    /// A send was acked.
    pub fn acked(&mut self, epoch: Epoch, ack: &Ack) {
        self.note(Observation::Acked { epoch, ack: ack.clone() });
    }

    /// A send was refused for good.
    pub fn refused(&mut self, epoch: Epoch, nonce: Nonce, code: ErrorCode) {
        self.note(Observation::Refused { epoch, nonce, code });
    }

    /// A send whose outcome nobody knows was given up: its room cannot be had in a later epoch.
    pub fn given_up(&mut self, nonce: Nonce) {
        self.note(Observation::GivenUp { nonce });
    }

    /// A reader begins behind `after`.
    pub fn opened(&mut self, epoch: Epoch, log: LogId, after: Seq) -> Reader {
        self.readers += 1;
        let reader = Reader(self.readers);
        self.note(Observation::Opened { reader, epoch, log, after });
        reader
    }

    /// A reader was given an event.
    pub fn received(&mut self, reader: Reader, seen: &Seen) {
        self.note(Observation::Received { reader, seq: seen.seq, digest: seen.digest() });
    }

    /// A reader was told that these events are gone: nobody may read them any more.
    pub fn gone(&mut self, reader: Reader, from: Seq, to: Seq) {
        self.note(Observation::Gone { reader, from, to });
    }

    /// A reader goes on, on a new connection, where it was; `epoch` is what the server said.
    pub fn resumed(&mut self, reader: Reader, epoch: Epoch) {
        self.note(Observation::Resumed { reader, epoch });
    }

    /// A reader was told that its position is of no use. It ends here.
    pub fn reset(&mut self, reader: Reader, epoch: Epoch) {
        self.note(Observation::Reset { reader, epoch });
    }

    /// A reader ends. What it has not been given is not missed.
    pub fn closed(&mut self, reader: Reader) {
        self.note(Observation::Closed { reader });
    }

    /// A log has become durable up to `head`. When the store of an epoch is watched so, nothing may
    /// be received or acked before.
    pub fn committed(&mut self, epoch: Epoch, log: LogId, head: Seq) {
        self.note(Observation::Committed { epoch, log, head });
    }

    /// Nothing disturbs any more and everybody has had time: by now every send must have its answer,
    /// and every reader that is still there must have everything (of a watched store, everything that
    /// is durable now).
    pub fn settled(&mut self, epoch: Epoch) {
        self.note(Observation::Settled { epoch });
    }

    /// How many observations there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.observations.len()
    }

    /// Whether nothing was observed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.observations.is_empty()
    }

    /// Everything that breaks a promise.
    #[must_use]
    pub fn check(&self, truth: &Truth) -> Vec<Violation> {
        check::check(self, truth)
    }

    /// A number that two histories share when they are the same.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for observation in &self.observations {
            format!("{observation:?}").hash(&mut hasher);
        }
        hasher.finish()
    }

    fn note(&mut self, observation: Observation) {
        self.observations.push(observation);
    }
}
