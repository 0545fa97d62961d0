//! How messages leave, and how a stream that the daemon has lost is exchanged for a fresh one.

use chat_proto::{Join, Send};

use super::{
    Delivery, Entry, Error, ErrorCode, Event, Job, Ordering, Outbox, OutgoingState, RETRY_PAUSE,
    Record, Refusal, Sending, StreamId, message_id, random_bytes,
};
use crate::link::Up;
use crate::request::ReplyTo;
use crate::requests::PendingRequests;

impl Sending {
    /// Puts what may leave now into the connection. At most `window` messages are in flight.
    pub(crate) fn put(
        &mut self,
        up: &mut Up,
        window: usize,
        requests: &mut PendingRequests,
        delivery: &mut Delivery,
    ) {
        if !self.online || self.is_paused() || self.restart.is_some() {
            return;
        }
        // A stream is begun when the one before it is answered: that keeps their order.
        let active = |lanes: &std::collections::VecDeque<Outbox>| {
            lanes.iter().position(|lane| !lane.is_empty())
        };
        while up.has_room()
            && !(delivery.is_full() && self.tells())
            && let Some(index) = active(&self.lanes)
        {
            let Some(entry) = self.lanes[index].next_to_send(window).cloned() else {
                self.find_room(index, requests);
                return;
            };
            self.put_one(&entry, up, delivery);
        }
    }

    fn put_one(&mut self, entry: &Entry, up: &mut Up, delivery: &mut Delivery) {
        let (nonce, id) = (entry.nonce, up.new_id());
        let send = Send {
            nonce,
            room: entry.to.room.unwrap_or(crate::Destination::NOWHERE),
            text: entry.text.clone(),
        };
        if let Err(cause) = up.put(&send, id) {
            // Only a file that was written by hand can hold such a message.
            let error = Error::new(ErrorCode::FrameTooLong, cause.to_string());
            self.refused(nonce, &error, delivery);
            return;
        }
        self.in_flight.insert(id, nonce);
        if let Some(waiter) = self.waiters.get(&nonce) {
            waiter.left.store(true, Ordering::Relaxed);
        }
        self.tell(entry, OutgoingState::InFlight, delivery);
    }

    /// The next message knows only the name of its room: joining tells the id.
    fn find_room(&mut self, index: usize, requests: &mut PendingRequests) {
        if let Some(name) = self.lanes[index].unresolved()
            && !self.finding
        {
            self.finding = true;
            requests.ask(&Join { name: name.to_string() }, ReplyTo::Destination(name.clone()));
        }
    }

    /// The daemon has lost the end of a stream.
    pub(super) fn lost_stream(&mut self, stream: StreamId, delivery: &mut Delivery) {
        if self.firm {
            self.give_up(stream, delivery);
        } else if self.tells() {
            self.restart = Some(stream);
        } else {
            match random_bytes() {
                Ok(fresh) => self.move_to(stream, StreamId(fresh), delivery),
                Err(error) => {
                    tracing::error!(%error, "no fresh stream can be made");
                    self.pause(RETRY_PAUSE);
                }
            }
        }
    }

    /// Puts the unanswered messages into a file of a fresh stream; they move when it is there.
    pub(super) fn begin_restart(&mut self, old: StreamId) {
        let fresh = match random_bytes() {
            Ok(fresh) => StreamId(fresh),
            Err(error) => {
                tracing::error!(%error, "no fresh stream can be made");
                return self.pause(RETRY_PAUSE);
            }
        };
        let Some(mut moved) = self.lanes.iter().find(|lane| lane.stream() == old).cloned() else {
            self.restart = None;
            return;
        };
        moved.restart_stream(fresh);
        let epoch = self.epoch.map(|epoch| Record::Epoch(fresh, epoch));
        let entries = epoch.into_iter().chain(moved.pending().cloned().map(Record::Push));
        let entries = entries.collect();
        self.keeper.begin(Job::Restart { old, fresh, entries });
    }

    pub(super) fn restarted(
        &mut self,
        old: StreamId,
        fresh: StreamId,
        result: std::io::Result<()>,
        delivery: &mut Delivery,
    ) {
        match result {
            Ok(()) => {
                self.restart = None;
                self.move_to(old, fresh, delivery);
            }
            Err(error) => {
                tracing::warn!(%error, "the outbox file cannot be replaced; trying again");
                self.pause(RETRY_PAUSE);
            }
        }
    }

    /// What dead screens left goes in front of what is typed here.
    pub(super) fn adopted(&mut self, adopted: Vec<Outbox>, delivery: &mut Delivery) {
        for mut outbox in adopted {
            for entry in outbox.pending() {
                self.tell(entry, OutgoingState::Waiting, delivery);
            }
            if let (true, Some(epoch)) = (self.online, self.epoch) {
                outbox.connected(epoch);
                self.notes.push(Record::Epoch(outbox.stream(), epoch));
            }
            self.lanes.insert(self.lanes.len() - 1, outbox);
        }
    }

    fn move_to(&mut self, old: StreamId, fresh: StreamId, delivery: &mut Delivery) {
        let Some(lane) = self.lanes.iter_mut().find(|lane| lane.stream() == old) else { return };
        let before: Vec<Entry> = lane.pending().cloned().collect();
        let moved = lane.restart_stream(fresh);
        for (entry, (old, new)) in before.iter().zip(moved) {
            if let Some(waiter) = self.waiters.remove(&old) {
                self.waiters.insert(new, waiter);
            }
            if let Some(reason) = self.doomed.remove(&old) {
                self.doomed.insert(new, reason);
            }
            let (nonce, id) = (new, message_id(new, &self.credential));
            self.tell(entry, OutgoingState::Moved { nonce, id }, delivery);
        }
    }

    /// Of what was acked, the daemon has what is before `awaited`.
    pub(super) fn tell_of_loss(&mut self, stream: StreamId, awaited: u64, delivery: &mut Delivery) {
        if !self.restored || std::mem::replace(&mut self.told_of_loss, true) {
            return;
        }
        let messages = self.lane_of_stream(stream).map_or(0, |lane| lane.acked_from(awaited));
        if messages > 0 {
            delivery.push(Event::Forgotten { messages });
        }
    }

    /// A stream whose id somebody gave cannot be exchanged: the messages are refused here, and so
    /// is each that comes later, when the daemon still awaits an earlier one.
    fn give_up(&mut self, stream: StreamId, delivery: &mut Delivery) {
        let refusal = match self.restored {
            true => Refusal::local(
                "the server was restored from a backup and has lost earlier messages of this id; \
                 send all of them again",
            ),
            false => Refusal {
                code: Some(ErrorCode::Behind),
                reason: "the server has not taken an earlier message of this id; send all of them \
                         again"
                    .to_owned(),
            },
        };
        let entries = self.lane_of_stream(stream).map(Outbox::give_up).unwrap_or_default();
        for entry in entries {
            self.refused_for_good(&entry, refusal.clone(), delivery);
        }
    }
}
