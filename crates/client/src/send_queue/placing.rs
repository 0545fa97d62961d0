//! Which outbox a message goes to: that of its room, which may have to be begun.

use chat_proto::{Nonce, RoomId, StreamId};

use super::{ExplicitId, Policy, Record, SendQueue, UNANSWERED_MAX};
use crate::event::Refusal;
use crate::outbox::{Destination, Entry, Outbox};

/// Outboxes that are kept for more, though nothing waits in them. Those that were used longest ago are
/// let go; the next message to their room begins another stream.
const OUTBOXES_KEPT: usize = 64;

impl SendQueue {
    /// Gives a screen's messages the places that they will have, and notes them to be written down.
    /// They [count](Self::push_written) when they are, in this order; nothing else is placed before.
    pub fn prepare(
        &mut self,
        sends: impl IntoIterator<Item = (Destination, String)>,
    ) -> Vec<Entry> {
        debug_assert!(self.policy == Policy::Screen, "nobody else writes anything down");
        self.let_go();
        let mut entries: Vec<Entry> = Vec::new();
        for (to, text) in sends {
            let to = self.as_of_now(to);
            let at = match self.own_of(&to) {
                Some(at) => at,
                None => {
                    let stream = self.fresh.draw();
                    self.begin(Outbox::new(stream, to))
                }
            };
            let outbox = &self.outboxes[at];
            let (stream, to) = (outbox.stream(), outbox.to().clone());
            let placed = entries.iter().filter(|entry| entry.nonce.stream == stream).count();
            let n = outbox.next_n() + placed as u64;
            if let (0, Some(epoch)) = (placed, self.epoch) {
                self.note(Record::Epoch(stream, epoch));
            }
            let entry = Entry { nonce: Nonce { stream, n }, to, text };
            self.note(Record::Push(entry.clone()));
            entries.push(entry);
        }
        entries
    }

    /// A message that was prepared and is written down counts from now on.
    pub fn push_written(&mut self, written: Entry) -> Entry {
        let outbox = self.outbox_of(written.nonce.stream);
        let outbox =
            outbox.expect("what messages were prepared for is not let go before they count");
        let pushed = outbox.push(written.text);
        debug_assert_eq!(pushed.nonce, written.nonce, "it is in the file under this one");
        pushed
    }

    /// A script's message, which counts from now on.
    ///
    /// # Errors
    /// A refusal when its stream is to follow from an explicit id and the room is not known, or when
    /// that id has been used for too many rooms.
    pub fn push(&mut self, to: Destination, text: String) -> Result<Entry, Refusal> {
        self.let_go();
        let to = self.as_of_now(to);
        let at = match self.own_of(&to) {
            Some(at) => at,
            None => {
                let outbox = self.outbox_for(to)?;
                self.begin(outbox)
            }
        };
        Ok(self.outboxes[at].push(text))
    }

    /// An explicit id has another stream in another room. A daemon that was restored may have another
    /// room of the name: what waits there under the stream of the first would be posted a second time
    /// when everything is sent again.
    pub(super) fn demand_stream_of(&mut self, stream: StreamId, room: RoomId) {
        let is_its = |explicit: &ExplicitId| StreamId::explicit(&explicit.id, room) == stream;
        if self.firm().is_some_and(|explicit| !is_its(explicit)) {
            self.give_up(stream, &Self::lost_by_restore());
            self.outboxes.retain(|outbox| outbox.stream() != stream);
        }
    }

    /// The id that somebody gave, and may give again.
    pub(super) fn firm(&self) -> Option<&ExplicitId> {
        match &self.policy {
            Policy::Script { explicit: Some(explicit) } if explicit.is_firm => Some(explicit),
            Policy::Script { .. } | Policy::Screen => None,
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

    /// The outbox of a room, which becomes the last.
    fn own_of(&mut self, to: &Destination) -> Option<usize> {
        let last = self.outboxes.len().checked_sub(1)?;
        let own = self.outboxes.iter().enumerate().skip(self.adopted);
        let mut of_room = own.rev().filter(|(_at, outbox)| outbox.to().is_same(to));
        let (at, _outbox) = of_room.next()?;
        if at != last {
            let outbox = self.outboxes.remove(at);
            self.outboxes.push(outbox);
        }
        self.outboxes[last].learn(to);
        Some(last)
    }

    fn outbox_for(&mut self, to: Destination) -> Result<Outbox, Refusal> {
        let Policy::Script { explicit: Some(explicit) } = &self.policy else {
            return Ok(Outbox::new(self.fresh.draw(), to));
        };
        let Some(room) = to.room else {
            return Err(Refusal::local(
                "under an id of your own a message needs the id of its room: find the room first",
            ));
        };
        if self.outboxes.len() >= UNANSWERED_MAX {
            return Err(Refusal::local("one id has been used for as many rooms as it may be"));
        }
        let stream = StreamId::explicit(&explicit.id, room);
        Ok(Outbox::restore(stream, to, explicit.first_n.max(1), Vec::new()))
    }

    fn begin(&mut self, mut outbox: Outbox) -> usize {
        if let Some(epoch) = self.epoch {
            outbox = outbox.of_epoch(epoch);
            if self.is_online {
                outbox.connected(epoch);
            }
        }
        // Else what waits in one would be asked for in the other.
        debug_assert!(self.outboxes.iter().all(|other| other.stream() != outbox.stream()));
        self.outboxes.push(outbox);
        self.outboxes.len() - 1
    }

    /// Lets go of outboxes in which nothing waits, where there are many. Under an explicit id, the
    /// places that were used are not to be used again.
    fn let_go(&mut self) {
        if matches!(self.policy, Policy::Script { explicit: Some(_) }) {
            return;
        }
        while self.outboxes.len() - self.adopted > OUTBOXES_KEPT {
            let own = self.outboxes.iter().skip(self.adopted);
            let mut idle = own.enumerate().filter(|(_at, outbox)| outbox.is_empty());
            let Some((at, _outbox)) = idle.next() else { return };
            let ended = self.outboxes.remove(self.adopted + at).stream();
            self.lost.retain(|stream| *stream != ended);
            self.note(Record::Ended(ended));
        }
    }
}
