//! Cursors: when they are opened, and how soon again.
//!
//! A cursor that is reset or meets a hole is opened again at once, but not for ever: one that has
//! not moved since waits longer each time, so that a daemon that contradicts itself is not asked in
//! a busy loop.

use std::time::Duration;

use chat_proto::{LogId, Reset, RoomId};

use super::{Cursor, Following};
use crate::event::Event;
use crate::event_queue::EventQueue;
use crate::request::ReplyTo;
use crate::requests::PendingRequests;

/// The pause before the third opening without progress; it doubles with each.
const PAUSE: Duration = Duration::from_millis(100);

/// No pause is longer.
const PAUSE_MAX: Duration = Duration::from_secs(30);

impl Following {
    pub(crate) fn reset(
        &mut self,
        reset: &Reset,
        requests: &mut PendingRequests,
        events: &mut EventQueue,
    ) {
        let id = reset.log;
        let Some(log) = self.logs.get_mut(&id) else { return };
        log.answers_due = log.answers_due.saturating_sub(1);
        if log.answers_due > 0 {
            return;
        }
        if self.account.map(LogId::from) == Some(id) {
            self.resume.follow(id, self.own_log_begin());
            if self.follow_memberships {
                self.memberships.begin_anew();
            }
        } else {
            let again = self.resume.reset(reset);
            tracing::debug!(?again, "the log has begun another life");
            log.live_after = Some(reset.head);
            (log.told_on, log.is_caught_up) = (0, false);
            let room = RoomId(id.0);
            let event = Event::Reset {
                room,
                room_name: self.names.room(room),
                epoch: reset.epoch,
                head: reset.head,
            };
            self.tell(id, event, events);
        }
        if !self.parked {
            self.open_again(id, requests);
        }
    }

    pub(super) fn open_all(&mut self, requests: &mut PendingRequests) {
        let ids: Vec<_> = self.logs.keys().copied().collect();
        for id in ids {
            self.open(id, requests);
        }
    }

    /// Asks for a log's events from behind its position.
    pub(super) fn open(&mut self, id: LogId, requests: &mut PendingRequests) {
        self.open_after(id, Duration::ZERO, requests);
    }

    /// The same, because what came did not fit: the sooner, the longer ago it happened last.
    pub(super) fn open_again(&mut self, id: LogId, requests: &mut PendingRequests) {
        let Some(log) = self.logs.get_mut(&id) else { return };
        let pause = pause(log.setbacks);
        log.setbacks = log.setbacks.saturating_add(1);
        self.open_after(id, pause, requests);
    }

    /// The cursor has moved.
    pub(super) fn moved(&mut self, id: LogId) {
        if let Some(log) = self.logs.get_mut(&id) {
            log.setbacks = 0;
        }
    }

    fn open_after(&mut self, id: LogId, pause: Duration, requests: &mut PendingRequests) {
        if !self.online || self.parked {
            return;
        }
        debug_assert_eq!(
            self.resume.follows(id),
            self.logs.contains_key(&id),
            "a log has a cursor"
        );
        if let (Some(ask), Some(log)) = (self.resume.ask(id), self.logs.get_mut(&id)) {
            // One that still waits for its moment would ask from where the cursor stood before.
            log.answers_due -= requests.forget_later(id).min(log.answers_due);
            log.cursor = Cursor::Asked;
            log.answers_due += 1;
            requests.ask_after(&ask, ReplyTo::Subscribe(ask.clone()), pause);
        }
    }
}

/// The first opening after progress is at once.
fn pause(setbacks: u32) -> Duration {
    match setbacks.checked_sub(1) {
        None => Duration::ZERO,
        Some(doublings) => PAUSE_MAX.min(PAUSE * (1 << doublings.min(16))),
    }
}
