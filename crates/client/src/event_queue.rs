//! Events on their way to the user.
//!
//! Owns how many may wait, and says when it is too many: then the driver stops reading from the
//! daemon. It drops nothing but what may be dropped.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use crate::event::Event;

/// Events that wait in front of the full channel before the driver stops reading.
const READY_MAX: usize = 256;

/// The driver reads again when no more than so many wait.
const READY_LOW: usize = READY_MAX / 2;

/// Events that the channel has not taken yet.
pub(crate) struct EventQueue {
    ready: VecDeque<Event>,
    channel: mpsc::Sender<Event>,
}

impl EventQueue {
    pub(crate) fn new(channel: mpsc::Sender<Event>) -> Self {
        Self { ready: VecDeque::new(), channel }
    }

    pub(crate) fn push(&mut self, event: Event) {
        if self.ready.len() >= READY_MAX && tells_of_the_link(&event) {
            // Attempts go on while the user sleeps: only the last of them is of interest.
            self.ready.retain(|event| !tells_of_the_link(event));
        }
        self.ready.push_back(event);
    }

    /// For what may be dropped.
    pub(crate) fn push_if_room(&mut self, event: Event) {
        if !self.is_full() {
            self.ready.push_back(event);
        }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.ready.len() >= READY_MAX
    }

    pub(crate) fn is_low(&self) -> bool {
        self.ready.len() <= READY_LOW
    }

    /// Whether something waits for room in the channel.
    pub(crate) fn waits(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Gives the channel what it takes. A user who has dropped the receiver wants no events.
    pub(crate) fn flush(&mut self) {
        while let Some(event) = self.ready.pop_front() {
            match self.channel.try_send(event) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(event)) => {
                    self.ready.push_front(event);
                    return;
                }
                Err(mpsc::error::TrySendError::Closed(_)) => self.ready.clear(),
            }
        }
    }

    /// Waits until the channel has room, or nobody reads it. Cancel-safe.
    pub(crate) async fn room(&self) {
        drop(self.channel.reserve().await);
    }
}

fn tells_of_the_link(event: &Event) -> bool {
    matches!(event, Event::Connecting { .. } | Event::Disconnected { .. } | Event::Connected(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sleeping_user_costs_no_more_than_the_last_attempt() {
        let (channel, _events) = mpsc::channel(1);
        let mut events = EventQueue::new(channel);
        for attempt in 0..10_000 {
            let target = String::new();
            events.push(Event::Connecting { target, attempt });
            events.flush();
        }
        assert!(events.ready.len() <= READY_MAX + 1);
        let last = events.ready.back();
        assert!(matches!(last, Some(Event::Connecting { attempt: 9_999, .. })));
    }

    #[test]
    fn a_user_who_reads_no_events_holds_up_nothing() {
        let (channel, events) = mpsc::channel(1);
        drop(events);
        let mut events = EventQueue::new(channel);
        events.push(Event::OwnName { name: "ada".into() });
        events.flush();
        assert!(!events.waits());
    }
}
