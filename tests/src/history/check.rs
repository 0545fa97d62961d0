//! The checker: one pass over the observations, one over the store, and then both together.

use std::collections::{BTreeMap, HashMap};

use chat_proto::{Ack, Epoch, ErrorCode, LogId, Nonce, Seq, Timestamp};

use super::{History, Log, Observation, Reader, Sender, Stored, Truth, Violation, What};

/// Checks everything. See [`History::check`].
pub(super) fn check(history: &History, truth: &Truth) -> Vec<Violation> {
    let mut checker = Checker::of(truth);
    checker.index_store();
    for (at, observation) in history.observations.iter().enumerate() {
        checker.observe(at, observation);
    }
    checker.compare_store_with_sends();
    checker.violations
}

struct Checker<'a> {
    truth: &'a Truth,
    /// Where each send stands, in each epoch.
    places: HashMap<(Epoch, Nonce), (LogId, Seq)>,
    sends: BTreeMap<Nonce, Send<'a>>,
    readers: BTreeMap<Reader, Reading>,
    /// What is durable, of the epochs that are watched.
    committed: BTreeMap<Epoch, BTreeMap<LogId, Seq>>,
    violations: Vec<Violation>,
}

/// What is known of a send.
struct Send<'a> {
    sender: Sender,
    room: &'a str,
    text: &'a str,
    /// Its rank among all sends, which it keeps under another nonce.
    order: usize,
    invoked_at: usize,
    acks: Vec<(usize, Seq, Timestamp)>,
    is_answered: bool,
}

/// What is known of a reader.
struct Reading {
    epoch: Epoch,
    log: LogId,
    at: Seq,
}

impl<'a> Checker<'a> {
    fn of(truth: &'a Truth) -> Self {
        Self {
            truth,
            places: HashMap::new(),
            sends: BTreeMap::new(),
            readers: BTreeMap::new(),
            committed: BTreeMap::new(),
            violations: Vec::new(),
        }
    }

    /// The store by itself: gapless, in time, each nonce once, each stream in one room.
    fn index_store(&mut self) {
        for (&epoch, logs) in self.truth {
            let mut bound = HashMap::new();
            for (&log, Log { events, .. }) in logs {
                let mut last = (Seq::ZERO, Timestamp::default());
                for Stored { seen, nonce } in events {
                    let (expected, found, seq) = (last.0.next(), seen.seq, seen.seq);
                    if found != expected {
                        self.violate(Violation::NotGapless { epoch, log, expected, found });
                    }
                    if seen.ts < last.1 {
                        self.violate(Violation::TimeGoesBack { epoch, log, seq });
                    }
                    last = (seen.seq, seen.ts);
                    let Some(nonce) = *nonce else { continue };
                    if self.places.insert((epoch, nonce), (log, seq)).is_some() {
                        self.violate(Violation::PostedTwice { epoch, nonce, log, seq });
                    }
                    let bound = *bound.entry(nonce.stream).or_insert(log);
                    if bound != log {
                        self.violate(Violation::StreamInTwoRooms { epoch, nonce, log, seq, bound });
                    }
                }
            }
        }
    }

    fn observe(&mut self, at: usize, observation: &'a Observation) {
        match observation {
            Observation::Invoked { sender, nonce, room, text } => {
                let send = Send {
                    sender: *sender,
                    room,
                    text,
                    order: at,
                    invoked_at: at,
                    acks: Vec::new(),
                    is_answered: false,
                };
                self.sends.insert(*nonce, send);
            }
            Observation::Renamed { old, new } => self.rename(at, *old, *new),
            Observation::Acked { epoch, ack } => self.acked(at, *epoch, ack),
            Observation::Refused { epoch, nonce, code } => self.refused(*epoch, *nonce, *code),
            Observation::GivenUp { nonce } => {
                self.sends.get_mut(nonce).into_iter().for_each(|send| send.is_answered = true);
            }
            Observation::Opened { reader, epoch, log, after } => {
                let reading = Reading { epoch: *epoch, log: *log, at: *after };
                self.readers.insert(*reader, reading);
            }
            Observation::Received { reader, seq, digest } => {
                self.received(*reader, *seq, *digest);
            }
            Observation::Gone { reader, from, to } => self.gone(*reader, *from, *to),
            Observation::Resumed { reader, epoch } => self.resumed(*reader, *epoch),
            Observation::Reset { reader, epoch } => self.reset(*reader, *epoch),
            Observation::Closed { reader } => drop(self.readers.remove(reader)),
            Observation::Committed { epoch, log, head } => {
                self.committed.entry(*epoch).or_default().insert(*log, *head);
            }
            Observation::Settled { epoch } => self.demand_everything(*epoch),
        }
    }

    fn rename(&mut self, at: usize, old: Nonce, new: Nonce) {
        let Some(send) = self.sends.get_mut(&old) else {
            return self.violate(Violation::AnsweredNotInvoked { nonce: old });
        };
        send.is_answered = true;
        let renamed = Send { invoked_at: at, acks: Vec::new(), is_answered: false, ..*send };
        self.sends.insert(new, renamed);
        for &epoch in self.truth.keys() {
            let both = [old, new].map(|nonce| self.places.get(&(epoch, nonce)).copied());
            if let [Some(_), Some((log, seq))] = both {
                self.violate(Violation::PostedTwice { epoch, nonce: new, log, seq });
            }
        }
    }

    fn acked(&mut self, at: usize, epoch: Epoch, ack: &Ack) {
        let (nonce, log, seq) = (ack.nonce, LogId::from(ack.room), ack.seq);
        let Some(send) = self.sends.get_mut(&nonce) else {
            return self.violate(Violation::AnsweredNotInvoked { nonce });
        };
        send.is_answered = true;
        send.acks.push((at, ack.seq, ack.ts));
        let text = send.text;
        let is_as_acked = self.stored(epoch, log, seq).is_some_and(|stored| {
            stored.nonce == Some(nonce)
                && stored.seen.ts == ack.ts
                && matches!(&stored.seen.what, What::Posted { id, text: said, .. }
                    if *id == ack.id && said == text)
        });
        if !is_as_acked {
            self.violate(Violation::AckNotInStore { epoch, nonce, log, seq });
        }
        self.demand_committed(epoch, log, seq);
    }

    fn refused(&mut self, epoch: Epoch, nonce: Nonce, code: ErrorCode) {
        let Some(send) = self.sends.get_mut(&nonce) else {
            return self.violate(Violation::AnsweredNotInvoked { nonce });
        };
        send.is_answered = true;
        if code == ErrorCode::NonceReused {
            self.violate(Violation::CalledReused { nonce });
        }
        if self.places.contains_key(&(epoch, nonce)) {
            self.violate(Violation::RefusedButPosted { epoch, nonce, code });
        }
    }

    fn received(&mut self, reader: Reader, found: Seq, digest: u64) {
        let Some(reading) = self.readers.get_mut(&reader) else { return };
        let (epoch, log, expected) = (reading.epoch, reading.log, reading.at.next());
        reading.at = found;
        if found != expected {
            self.violate(Violation::OutOfTurn { reader, log, expected, found });
        }
        let stored = self.stored(epoch, log, found);
        if stored.is_none_or(|stored| stored.seen.digest() != digest) {
            self.violate(Violation::NotAsStored { reader, epoch, log, seq: found });
        }
        self.demand_committed(epoch, log, found);
    }

    /// What is gone has its place in the order, as everything else.
    fn gone(&mut self, reader: Reader, found: Seq, to: Seq) {
        let Some(reading) = self.readers.get_mut(&reader) else { return };
        let (epoch, log, expected) = (reading.epoch, reading.log, reading.at.next());
        reading.at = to;
        if found != expected || to < found {
            self.violate(Violation::OutOfTurn { reader, log, expected, found });
        }
        self.demand_committed(epoch, log, to);
    }

    fn resumed(&mut self, reader: Reader, epoch: Epoch) {
        let Some(reading) = self.readers.get_mut(&reader) else { return };
        // A position before the first event is good in every epoch.
        let of = std::mem::replace(&mut reading.epoch, epoch);
        if of != epoch && reading.at != Seq::ZERO {
            self.violate(Violation::EpochIgnored { reader, of, epoch });
        }
    }

    /// Past the head of its own epoch, a reader is ahead of the server, and has to be waited for.
    fn reset(&mut self, reader: Reader, epoch: Epoch) {
        let Some(Reading { epoch: of, at: seq, .. }) = self.readers.remove(&reader) else { return };
        if of == epoch {
            self.violate(Violation::NeedlessReset { reader, epoch, seq });
        }
    }

    /// Nothing is shown before it is durable.
    fn demand_committed(&mut self, epoch: Epoch, log: LogId, seq: Seq) {
        let Some(watched) = self.committed.get(&epoch) else { return };
        if watched.get(&log).is_none_or(|head| *head < seq) {
            self.violate(Violation::ShownBeforeCommit { epoch, log, seq });
        }
    }

    /// Every message was sent so, and the messages of each log and sender are in order.
    fn compare_store_with_sends(&mut self) {
        for (&epoch, logs) in self.truth {
            let mut last_of_sender = BTreeMap::new();
            for (&log, of_log) in logs {
                self.compare_log(epoch, log, of_log, &mut last_of_sender);
            }
            self.demand_senders_time(epoch, last_of_sender);
        }
    }

    /// Walks a log from its end: whatever is acked here must not have been so before anything in
    /// front of it was sent.
    fn compare_log(
        &mut self,
        epoch: Epoch,
        log: LogId,
        of_log: &'a Log,
        by_sender: &mut BTreeMap<Sender, Vec<Place>>,
    ) {
        let mut acked_behind = usize::MAX;
        for Stored { seen, nonce } in of_log.events.iter().rev() {
            let What::Posted { text, .. } = &seen.what else { continue };
            let seq = seen.seq;
            let send = nonce.and_then(|nonce| Some((nonce, self.sends.get(&nonce)?)));
            let Some((nonce, send)) =
                send.filter(|(_, send)| send.text == text && send.room == of_log.name)
            else {
                self.violate(Violation::NotInvoked { epoch, nonce: *nonce, log, seq });
                continue;
            };
            let place = Place { order: send.order, nonce, log, seq, ts: seen.ts };
            by_sender.entry(send.sender).or_default().push(place);
            // Only an ack of this very place counts: an earlier life of the log is another story.
            let acks = send.acks.iter().filter(|(_, acked, ts)| (*acked, *ts) == (seq, seen.ts));
            let acked_at = acks.map(|(at, ..)| *at).min();
            if acked_behind < send.invoked_at {
                self.violate(Violation::RealTimeOrder { epoch, log, seq });
            }
            acked_behind = acked_behind.min(acked_at.unwrap_or(usize::MAX));
        }
    }

    /// In the order of sending, places rise in each log, and time does not go back in it.
    fn demand_senders_time(&mut self, epoch: Epoch, by_sender: BTreeMap<Sender, Vec<Place>>) {
        for (sender, mut places) in by_sender {
            places.sort_by_key(|place| place.order);
            let mut reached: BTreeMap<LogId, (Seq, Timestamp)> = BTreeMap::new();
            for Place { nonce, log, seq, ts, .. } in places {
                let before = reached.insert(log, (seq, ts));
                if before.is_some_and(|(last_seq, last_ts)| seq <= last_seq || ts < last_ts) {
                    self.violate(Violation::SenderOrder { epoch, sender, nonce, log, seq });
                }
            }
        }
    }

    fn demand_everything(&mut self, epoch: Epoch) {
        let unanswered: Vec<Violation> = self
            .sends
            .iter()
            .filter(|(_, send)| !send.is_answered)
            .map(|(&nonce, send)| Violation::Unanswered { sender: send.sender, nonce })
            .collect();
        self.violations.extend(unanswered);
        for (&reader, &Reading { epoch: of, log, at }) in &self.readers {
            let head = self.head(epoch, log);
            if (of, at) != (epoch, head) {
                let left_behind = Violation::LeftBehind { reader, log, epoch: of, at, head };
                self.violations.push(left_behind);
            }
        }
    }

    /// The head of a log now, when its store is watched, else at the end of the epoch.
    fn head(&self, epoch: Epoch, log: LogId) -> Seq {
        if let Some(watched) = self.committed.get(&epoch) {
            return watched.get(&log).copied().unwrap_or_default();
        }
        let at_the_end = self.truth.get(&epoch).and_then(|logs| logs.get(&log));
        Seq(at_the_end.map_or(0, |log| log.events.len() as u64))
    }

    fn stored(&self, epoch: Epoch, log: LogId, seq: Seq) -> Option<&'a Stored> {
        let events = &self.truth.get(&epoch)?.get(&log)?.events;
        let index = usize::try_from(seq.0.checked_sub(1)?).ok()?;
        events.get(index).filter(|stored| stored.seen.seq == seq)
    }

    fn violate(&mut self, violation: Violation) {
        self.violations.push(violation);
    }
}

/// Where a send stands.
struct Place {
    order: usize,
    nonce: Nonce,
    log: LogId,
    seq: Seq,
    ts: Timestamp,
}
