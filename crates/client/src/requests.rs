//! Requests that wait, and requests that are in flight.
//!
//! Owns the order in which they go out and whose reply has come. It must not know what the replies
//! mean.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use chat_proto::{LogId, Request, RequestId};
use tokio::time::Instant;

use crate::event::Refusal;
use crate::request::{PendingRequest, ReplyTo};

/// Callers' requests that wait; past it no more are taken from the client's queue.
const CALLERS_MAX: usize = 128;

/// All requests of a client but its sends.
#[derive(Debug, Default)]
pub(crate) struct PendingRequests {
    waiting: VecDeque<PendingRequest>,
    /// To be asked again, not before a moment.
    later: Vec<(Instant, PendingRequest)>,
    in_flight: HashMap<RequestId, PendingRequest>,
    queries_in_flight: usize,
}

impl PendingRequests {
    /// Asks behind everything that waits.
    pub(crate) fn push(&mut self, pending: PendingRequest) {
        self.waiting.push_back(pending);
    }

    /// Asks something for the driver itself.
    pub(crate) fn ask<R: Request>(&mut self, request: &R, reply_to: ReplyTo) {
        self.waiting.push_back(own(request, reply_to));
    }

    /// The same, in front of everything that waits.
    pub(crate) fn ask_first<R: Request>(&mut self, request: &R, reply_to: ReplyTo) {
        self.waiting.push_front(own(request, reply_to));
    }

    /// Whether callers may ask more.
    pub(crate) fn has_room(&mut self) -> bool {
        if self.waiting.len() >= CALLERS_MAX {
            self.waiting.retain(|pending| !pending.reply_to.is_gone());
        }
        self.waiting.len() < CALLERS_MAX
    }

    /// The next request that may go out: of queries, few may be in flight at a time, and they do
    /// not hold up the others.
    pub(crate) fn next(&mut self, queries_max: usize) -> Option<PendingRequest> {
        debug_assert!(self.queries_in_flight <= queries_max.max(1), "the window holds");
        let full = self.queries_in_flight >= queries_max.max(1);
        loop {
            let may_go = |pending: &PendingRequest| !full || !pending.is_query();
            let index = self.waiting.iter().position(may_go)?;
            let next = self.waiting.remove(index)?;
            if !next.reply_to.is_gone() {
                return Some(next);
            }
        }
    }

    /// The request has gone out.
    pub(crate) fn sent(&mut self, id: RequestId, pending: PendingRequest) {
        self.queries_in_flight += usize::from(pending.is_query());
        let before = self.in_flight.insert(id, pending);
        debug_assert!(before.is_none(), "{id:?} is one request's until it is answered");
        debug_assert!(self.queries_in_flight <= self.in_flight.len());
    }

    /// Whether a reply is awaited.
    pub(crate) fn awaits(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Whose reply has come.
    pub(crate) fn replied(&mut self, id: RequestId) -> Option<PendingRequest> {
        let pending = self.in_flight.remove(&id)?;
        debug_assert!(self.queries_in_flight >= usize::from(pending.is_query()), "it was counted");
        self.queries_in_flight -= usize::from(pending.is_query());
        Some(pending)
    }

    /// Asks again after a pause: the daemon had no time.
    pub(crate) fn ask_later(&mut self, pending: PendingRequest, pause: Duration) {
        self.later.push((Instant::now() + pause, pending));
    }

    /// Asks for the first time after a pause: what was answered before has led nowhere.
    pub(crate) fn ask_after<R: Request>(
        &mut self,
        request: &R,
        reply_to: ReplyTo,
        pause: Duration,
    ) {
        if pause.is_zero() {
            self.ask(request, reply_to);
        } else {
            self.ask_later(own(request, reply_to), pause);
        }
    }

    /// Forgets the subscriptions of a log that wait for their moment; says how many.
    pub(crate) fn forget_later(&mut self, log: LogId) -> u32 {
        let is_of = |pending: &PendingRequest| matches!(&pending.reply_to, ReplyTo::Subscribe(asked) if asked.log == log);
        let forgotten = self.later.extract_if(.., |(_due, pending)| is_of(pending)).count();
        u32::try_from(forgotten).unwrap_or(u32::MAX)
    }

    /// When the next of those is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.later.iter().map(|(due, _)| *due).min()
    }

    /// Queues those that are due.
    pub(crate) fn wake(&mut self) {
        let now = Instant::now();
        for (_due, pending) in self.later.extract_if(.., |(due, _)| *due <= now) {
            self.waiting.push_back(pending);
        }
    }

    /// The connection is gone. What callers asked is asked again on the next one: every such
    /// request may be asked twice. The rest depends on the connection, and is asked anew.
    pub(crate) fn disconnected(&mut self) {
        let mut in_flight: Vec<_> = self.in_flight.drain().collect();
        // Ids rise: what was asked first is asked first again.
        in_flight.sort_by_key(|(id, _)| *id);
        for (_, pending) in in_flight.into_iter().rev() {
            self.waiting.push_front(pending);
        }
        self.queries_in_flight = 0;
        self.waiting.extend(self.later.drain(..).map(|(_due, pending)| pending));
        self.waiting.retain(|pending| pending.reply_to.is_caller() && !pending.reply_to.is_gone());
    }

    /// There will be no connection any more.
    pub(crate) fn refuse_all(&mut self, refusal: &Refusal) {
        for pending in self.waiting.drain(..) {
            pending.reply_to.refuse(refusal.clone());
        }
    }
}

/// A request of the driver itself.
fn own<R: Request>(request: &R, reply_to: ReplyTo) -> PendingRequest {
    PendingRequest::new(request, reply_to).expect("names and pages of ids fit a frame")
}

#[cfg(test)]
mod tests {
    use chat_proto::{FrameRef, Leave, Ping, Pong, RoomId, Window};
    use tokio::sync::oneshot;

    use super::*;
    use crate::request::{Timed, Waiter};

    /// What goes out, as kinds and pings' tokens.
    fn sent(requests: &mut PendingRequests, queries_max: usize) -> Vec<Option<u64>> {
        let mut out = Vec::new();
        while let Some(mut pending) = requests.next(queries_max) {
            let id = RequestId(out.len() as u32 + 1);
            let frame: FrameRef<'_> = pending.frame(id).borrowed();
            assert_eq!(frame.request, id);
            out.push(frame.decode::<Ping>().ok().map(|ping| ping.token));
            requests.sent(id, pending);
        }
        out
    }

    fn of_caller(token: u64, waiter: Waiter<Timed<Pong>>) -> PendingRequest {
        PendingRequest::of_caller(Ping { token }, waiter).unwrap()
    }

    #[test]
    fn queries_wait_for_each_other_and_hold_up_no_command() {
        assert_eq!((Ping::WINDOW, Leave::WINDOW), (Window::Queries, Window::Commands));
        let mut requests = PendingRequests::default();
        for token in 0..3 {
            requests.ask(&Ping { token }, ReplyTo::Alive);
        }
        requests.ask(&Leave { room: RoomId(1) }, ReplyTo::Unsubscribe);
        assert_eq!(sent(&mut requests, 2), [Some(0), Some(1), None]);
        requests.replied(RequestId(1)).unwrap();
        assert_eq!(sent(&mut requests, 2), [Some(2)]);
    }

    #[test]
    fn what_callers_asked_is_asked_again_in_order_after_a_reconnect() {
        let mut requests = PendingRequests::default();
        let (first, _first) = oneshot::channel();
        let (second, second_gone) = oneshot::channel();
        let (third, _third) = oneshot::channel();
        requests.push(of_caller(1, first));
        requests.push(of_caller(2, second));
        requests.ask(&Ping { token: 9 }, ReplyTo::Alive);
        assert_eq!(sent(&mut requests, 9).len(), 3);
        requests.push(of_caller(3, third));
        drop(second_gone);
        requests.disconnected();
        assert_eq!(sent(&mut requests, 9), [Some(1), Some(3)]);
    }
}
