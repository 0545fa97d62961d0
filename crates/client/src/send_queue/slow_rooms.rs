//! Rooms in which one waits behind each message: their streams wait alone, and go on one by one.
//!
//! More than one at a time would only be refused. That a room is slow no longer shows when one is
//! committed right behind another.

use std::collections::HashMap;

use chat_proto::StreamId;

/// The streams of such rooms. No more than there are outboxes on one connection.
#[derive(Clone, Default, Debug)]
pub(super) struct SlowRooms {
    streams: HashMap<StreamId, Slow>,
}

#[derive(Clone, Copy, Debug)]
struct Slow {
    /// Nothing of the stream leaves before; `None`: that has come.
    until_ms: Option<u64>,
    /// Whether one was committed since one was told to wait.
    is_acked: bool,
}

impl SlowRooms {
    /// A send was told to wait.
    pub(super) fn refused(&mut self, stream: StreamId, now_ms: u64, after_ms: u64) {
        let until_ms = Some(now_ms.saturating_add(after_ms));
        self.streams.insert(stream, Slow { until_ms, is_acked: false });
    }

    /// One was committed.
    pub(super) fn acked(&mut self, stream: StreamId) {
        if let Some(slow) = self.streams.get_mut(&stream)
            && std::mem::replace(&mut slow.is_acked, true)
        {
            self.streams.remove(&stream);
        }
    }

    /// Those whose moment has come wait no longer.
    pub(super) fn wake(&mut self, now_ms: u64) {
        for slow in self.streams.values_mut() {
            slow.until_ms = slow.until_ms.filter(|until_ms| *until_ms > now_ms);
        }
    }

    /// How many of a stream may be in flight now.
    pub(super) fn in_flight_max(&self, stream: StreamId) -> usize {
        match self.streams.get(&stream) {
            None => usize::MAX,
            Some(slow) => usize::from(slow.until_ms.is_none()),
        }
    }

    /// When the next of them goes on, in milliseconds.
    pub(super) fn due_ms(&self) -> Option<u64> {
        self.streams.values().filter_map(|slow| slow.until_ms).min()
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::{Ack, Epoch, Error, ErrorCode, MessageId, Nonce, RoomId, Seq, Timestamp};

    use super::super::{Outbound, Policy, SendQueue};
    use crate::outbox::FreshStreams;

    const SLOW: RoomId = RoomId(5);
    const OTHER: RoomId = RoomId(6);

    fn online() -> SendQueue {
        let policy = Policy::Script { explicit: None };
        let mut queue = SendQueue::new(policy, FreshStreams::from_random([1; 16]), Vec::new());
        queue.connected(Epoch(1));
        queue
    }

    fn say(queue: &mut SendQueue, to: RoomId, text: &str) -> Nonce {
        queue.push(to.into(), text.to_owned()).unwrap().nonce
    }

    fn sent(queue: &mut SendQueue, now_ms: u64) -> Vec<String> {
        let left = std::iter::from_fn(|| queue.next(10, now_ms));
        let texts = left.filter_map(|outbound| match outbound {
            Outbound::Send(entry) => Some(entry.text),
            Outbound::Find(_) => None,
        });
        texts.collect()
    }

    fn slow(queue: &mut SendQueue, nonce: Nonce, now_ms: u64) {
        let error = Error::new(ErrorCode::SlowMode, "slow").with_detail(30_000);
        queue.refused(nonce, &error, now_ms);
    }

    fn ack(queue: &mut SendQueue, nonce: Nonce) {
        let (room, seq) = (SLOW, Seq(nonce.n));
        queue.acked(&Ack { nonce, room, seq, ts: Timestamp(1), id: MessageId([0; 16]) });
    }

    #[test]
    fn a_slow_room_waits_alone_and_goes_on_one_by_one() {
        let mut queue = online();
        let [a, b, c] = ["a", "b", "c"].map(|text| say(&mut queue, SLOW, text));
        assert_eq!(sent(&mut queue, 0), ["a", "b", "c"]);
        ack(&mut queue, a);
        slow(&mut queue, b, 100);
        let behind = Error::new(ErrorCode::Behind, "wait").with_detail(b.n);
        queue.refused(c, &behind, 100);
        assert_eq!((sent(&mut queue, 100), queue.due_ms()), (vec![], Some(30_100)));
        say(&mut queue, OTHER, "elsewhere");
        assert_eq!(sent(&mut queue, 101), ["elsewhere"]);
        assert_eq!(sent(&mut queue, 30_099), [""; 0]);
        assert_eq!((sent(&mut queue, 30_100), queue.due_ms()), (vec!["b".to_owned()], None));
        assert_eq!(sent(&mut queue, 30_101), [""; 0], "the next would only be refused");
        ack(&mut queue, b);
        assert_eq!(sent(&mut queue, 30_102), ["c"]);
        slow(&mut queue, c, 30_103);
        assert_eq!(sent(&mut queue, 60_102), [""; 0]);
        assert_eq!(sent(&mut queue, 60_103), ["c"]);
        ack(&mut queue, c);
        assert!(queue.next_change().is_some());
    }

    #[test]
    fn a_room_that_is_slow_no_longer_gets_all_that_waits() {
        let mut queue = online();
        let nonces = ["a", "b", "c", "d", "e"].map(|text| say(&mut queue, SLOW, text));
        sent(&mut queue, 0);
        slow(&mut queue, nonces[0], 0);
        for nonce in &nonces[1..] {
            let behind = Error::new(ErrorCode::Behind, "wait").with_detail(1);
            queue.refused(*nonce, &behind, 0);
        }
        assert_eq!(sent(&mut queue, 30_000), ["a"]);
        ack(&mut queue, nonces[0]);
        assert_eq!(sent(&mut queue, 30_001), ["b"]);
        ack(&mut queue, nonces[1]);
        assert_eq!(sent(&mut queue, 30_002), ["c", "d", "e"]);
    }

    #[test]
    fn whoever_comes_back_tries_at_once() {
        let mut queue = online();
        let nonce = say(&mut queue, SLOW, "a");
        sent(&mut queue, 0);
        slow(&mut queue, nonce, 0);
        queue.disconnected();
        queue.connected(Epoch(1));
        assert_eq!(sent(&mut queue, 1), ["a"]);
    }
}
