//! Who has heard what: finds what is missing, doubled or out of order, as it comes.

use std::collections::HashMap;

use anyhow::{Result, ensure};

use crate::stamp::Stamp;
use crate::target::ReceiverConn;

/// Which order is promised.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Order {
    /// Everybody hears every sender, each in its order; with seqs, in one order for all.
    OneRoom,
    /// Each receiver hears one sender (receiver by receiver), and each log has its own order.
    ManyRooms { speaker_of: Vec<usize> },
}

/// What each receiver has.
pub(crate) struct Hearing {
    order: Order,
    senders: usize,
    /// Messages by receiver and sender.
    counts: Vec<u64>,
    /// The last event of the one log, by receiver.
    seqs: Vec<u64>,
    /// The last event by receiver and log.
    seqs_of_logs: Vec<HashMap<u64, u64>>,
    /// Which receiver says that a message has arrived, by sender.
    watched: Vec<usize>,
}

impl Hearing {
    pub(super) fn new(order: Order, receiver_conns: &[ReceiverConn], senders: usize) -> Self {
        let mut hearing = Self {
            order,
            senders,
            counts: vec![0; receiver_conns.len() * senders],
            seqs: receiver_conns.iter().map(|conn| conn.seq).collect(),
            seqs_of_logs: vec![HashMap::new(); receiver_conns.len()],
            watched: Vec::new(),
        };
        hearing.watch_among(receiver_conns.len());
        hearing
    }

    /// Watches one in the middle of the first `receivers`.
    pub(super) fn watch_among(&mut self, receivers: usize) {
        self.watched = (0..self.senders).map(|sender| self.middle(receivers, sender)).collect();
    }

    fn middle(&self, receivers: usize, sender: usize) -> usize {
        match &self.order {
            Order::OneRoom => receivers / 2,
            Order::ManyRooms { speaker_of } => {
                let hears = |receiver: &usize| speaker_of[*receiver] == sender;
                let listeners: Vec<usize> = (0..receivers).filter(hears).collect();
                listeners.get(listeners.len() / 2).copied().unwrap_or_default()
            }
        }
    }

    /// An event came, with its log and seq where there are any.
    pub(super) fn place(&mut self, receiver: usize, place: Option<(u64, u64)>) -> Result<()> {
        let Some((log, seq)) = place else { return Ok(()) };
        let last = match self.order {
            Order::OneRoom => &mut self.seqs[receiver],
            // The first event of a log that is followed from now on may have any seq.
            Order::ManyRooms { .. } => {
                self.seqs_of_logs[receiver].entry(log).or_insert(seq.saturating_sub(1))
            }
        };
        ensure!(seq == *last + 1, "event {seq} of log {log} came after {last}");
        *last = seq;
        Ok(())
    }

    /// A message came.
    pub(super) fn message(&mut self, receiver: usize, stamp: &Stamp) -> Result<()> {
        ensure!(stamp.sender < self.senders, "a message of nobody");
        let count = &mut self.counts[receiver * self.senders + stamp.sender];
        *count += 1;
        let in_order = match &self.order {
            Order::OneRoom => *count == stamp.count,
            Order::ManyRooms { speaker_of } => speaker_of[receiver] == stamp.sender,
        };
        let Stamp { sender, count: came, .. } = stamp;
        ensure!(in_order, "message {came} of sender {sender} came where {count} was awaited");
        Ok(())
    }

    /// How many messages of a sender its watched receiver has.
    pub(super) fn watched(&self, sender: usize) -> u64 {
        let receiver = self.watched.get(sender).copied().unwrap_or_default();
        self.counts.get(receiver * self.senders + sender).copied().unwrap_or_default()
    }

    /// How many messages a receiver has.
    pub(super) fn total(&self, receiver: usize) -> u64 {
        self.of(receiver).iter().sum()
    }

    /// How many messages a receiver lacks, when each sender has sent so many.
    pub(super) fn missing(&self, receiver: usize, sent: &[u64]) -> u64 {
        match &self.order {
            Order::OneRoom => sent.iter().sum::<u64>().saturating_sub(self.total(receiver)),
            Order::ManyRooms { speaker_of } => {
                let wanted = sent.get(speaker_of[receiver]).copied().unwrap_or_default();
                wanted.saturating_sub(self.total(receiver))
            }
        }
    }

    fn of(&self, receiver: usize) -> &[u64] {
        &self.counts[receiver * self.senders..(receiver + 1) * self.senders]
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    fn receiver_conns(count: usize) -> Vec<ReceiverConn> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let socket = || TcpStream::connect(address).unwrap();
        (0..count).map(|_| ReceiverConn { socket: socket(), rest: Vec::new(), seq: 10 }).collect()
    }

    fn stamp(sender: usize, count: u64) -> Stamp {
        Stamp { sender, count, at_ns: 0 }
    }

    #[test]
    fn what_is_missing_doubled_or_out_of_order_is_found() {
        let mut hearing = Hearing::new(Order::OneRoom, &receiver_conns(2), 2);
        hearing.message(0, &stamp(0, 1)).unwrap();
        hearing.message(0, &stamp(1, 1)).unwrap();
        hearing.message(0, &stamp(0, 2)).unwrap();
        assert_eq!((hearing.missing(0, &[2, 1]), hearing.missing(1, &[2, 1])), (0, 3));
        hearing.message(0, &stamp(0, 2)).unwrap_err();
        hearing.message(1, &stamp(1, 2)).unwrap_err();
        hearing.message(1, &stamp(7, 1)).unwrap_err();
    }

    #[test]
    fn seqs_go_up_by_one() {
        let mut hearing = Hearing::new(Order::OneRoom, &receiver_conns(1), 1);
        hearing.place(0, Some((5, 11))).unwrap();
        hearing.place(0, None).unwrap();
        hearing.place(0, Some((5, 13))).unwrap_err();
        let order = Order::ManyRooms { speaker_of: vec![0] };
        let mut hearing = Hearing::new(order, &receiver_conns(1), 1);
        hearing.place(0, Some((5, 70))).unwrap();
        hearing.place(0, Some((6, 3))).unwrap();
        hearing.place(0, Some((5, 71))).unwrap();
        hearing.place(0, Some((6, 3))).unwrap_err();
    }
}
