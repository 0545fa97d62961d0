//! The logs that are followed: cursors that are opened, moved and closed, and events that get their
//! names.
//!
//! Owns the order of what the user is told of each log. It must not know about sockets: it asks
//! through [`PendingRequests`], and tells through [`EventQueue`].
//!
//! A log's events are taken only while its cursor is open, and a cursor counts as open from the
//! answer to the last question for it. Whatever else comes was sent from where the cursor stood
//! before; it is passed over, and comes again from the new place.

mod opening;
mod telling;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chat_proto::{
    AccountId, ErrorCode, Frame, Gap, Kind, LogId, LoggedHead, Position, Presence, RoomId, Seq,
    SignedIn, Subscribe, Subscribed, SubscriptionEnded, Unsubscribe, WireError,
};

use crate::event::{Event, Refusal};
use crate::event_queue::EventQueue;
use crate::logged::Logged;
use crate::memberships::Memberships;
use crate::names::Names;
use crate::pages::Pages;
use crate::request::{ReplyTo, Waiter, answer};
use crate::requests::PendingRequests;
use crate::resume::{AfterReset, Resume, Step};

/// Events that wait for names; past it the cursors are closed until they have them.
const HELD_MAX: usize = 1024;

/// Everything that is followed.
pub(crate) struct Following {
    resume: Resume,
    logs: BTreeMap<LogId, Log>,
    pub(crate) names: Names,
    pub(crate) pages: Pages,
    memberships: Memberships,
    follow_memberships: bool,
    /// Memberships that the user is told of as soon as the room's name is known.
    unnamed: BTreeSet<RoomId>,
    account: Option<AccountId>,
    online: bool,
    /// The number of the connection, from 1.
    connection: u64,
    /// All cursors are closed because the user does not keep up.
    parked: bool,
    held: usize,
}

#[derive(Default)]
struct Log {
    cursor: Cursor,
    /// Answers to a `Subscribe` that are still to come.
    answers_due: u32,
    /// What follows it is live.
    live_after: Option<Seq>,
    /// Whether the user has been told that this is reached.
    is_caught_up: bool,
    /// The connection on which the user was told of the subscription.
    told_on: u64,
    /// Events that wait for a name, or are behind one that does.
    held: VecDeque<Event>,
    waiters: Vec<Waiter<()>>,
    /// How often the cursor was opened again since it last moved.
    setbacks: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Default)]
enum Cursor {
    #[default]
    Closed,
    Asked,
    Open,
}

impl Following {
    pub(crate) fn new(after_reset: AfterReset, follow_memberships: bool) -> Self {
        Self {
            resume: Resume::new(after_reset),
            logs: BTreeMap::new(),
            names: Names::default(),
            pages: Pages::default(),
            memberships: Memberships::default(),
            follow_memberships,
            unnamed: BTreeSet::new(),
            account: None,
            online: false,
            connection: 0,
            parked: false,
            held: 0,
        }
    }

    /// A connection is signed in: every cursor is opened again where it stood.
    pub(crate) fn connected(&mut self, signed_in: &SignedIn, requests: &mut PendingRequests) {
        self.online = true;
        self.connection += 1;
        // Nobody told of renames meanwhile.
        self.names.forget_accounts();
        self.names.learn_account(signed_in.account, signed_in.name.clone());
        if self.account != Some(signed_in.account) {
            if let Some(old) = self.account.replace(signed_in.account) {
                self.drop_log(old.into());
            }
            self.memberships.begin_anew();
            let own = LogId::from(signed_in.account);
            self.resume.follow(own, self.own_log_begin());
            self.logs.insert(own, Log::default());
        }
        if !self.parked {
            self.open_all(requests);
        }
    }

    /// Where the own log is read from: only who follows the memberships needs those that there are.
    fn own_log_begin(&self) -> Option<Position> {
        self.follow_memberships.then(Position::default)
    }

    pub(crate) fn disconnected(&mut self) {
        self.online = false;
        self.names.unanswered();
        for log in self.logs.values_mut() {
            (log.cursor, log.answers_due, log.setbacks) = (Cursor::Closed, 0, 0);
        }
    }

    /// Closes all cursors: what comes from now on is passed over, and comes again later.
    pub(crate) fn park(&mut self, requests: &mut PendingRequests) {
        debug_assert!(!self.parked, "the cursors are closed once");
        self.check_held();
        self.parked = true;
        for (id, log) in &mut self.logs {
            log.answers_due -= requests.forget_later(*id).min(log.answers_due);
            if std::mem::take(&mut log.cursor) != Cursor::Closed {
                requests.ask(&Unsubscribe { log: *id }, ReplyTo::Unsubscribe);
            }
        }
    }

    /// Opens them again where they stood.
    pub(crate) fn unpark(&mut self, requests: &mut PendingRequests) {
        debug_assert!(self.parked, "they are opened again once");
        self.check_held();
        self.parked = false;
        if self.online {
            self.open_all(requests);
        }
    }

    pub(crate) fn is_parked(&self) -> bool {
        self.parked
    }

    /// Whether so many events wait for names that no more should come.
    pub(crate) fn holds_too_many(&self) -> bool {
        self.held >= HELD_MAX
    }

    /// Whether so few wait that more may come again.
    pub(crate) fn holds_few(&self) -> bool {
        self.held <= HELD_MAX / 2
    }

    /// There will be no connection any more.
    pub(crate) fn refuse_all(&mut self, refusal: &Refusal) {
        for log in self.logs.values_mut() {
            for waiter in log.waiters.drain(..) {
                answer(waiter, Err(refusal.clone()));
            }
        }
    }

    pub(crate) fn follow(
        &mut self,
        wish: &Subscribe,
        waiter: Option<Waiter<()>>,
        requests: &mut PendingRequests,
    ) {
        let &Subscribe { log: id, after } = wish;
        let goes_on = after.is_none() && self.resume.follows(id);
        if !goes_on {
            self.resume.follow(id, after);
        }
        let log = self.logs.entry(id).or_default();
        log.waiters.retain(|waiter| !waiter.is_closed());
        match waiter {
            Some(waiter) if goes_on && log.cursor == Cursor::Open => {
                answer(waiter, Ok(()));
            }
            Some(waiter) => log.waiters.push(waiter),
            None => {}
        }
        if !goes_on {
            self.held -= log.held.len();
            log.held.clear();
            log.is_caught_up = false;
            self.open(id, requests);
        }
    }

    pub(crate) fn unfollow(&mut self, log: LogId, requests: &mut PendingRequests) {
        if self.account.map(LogId::from) == Some(log) {
            return;
        }
        requests.forget_later(log);
        if self.drop_log(log) && self.online {
            requests.ask(&Unsubscribe { log }, ReplyTo::Unsubscribe);
        }
    }

    pub(crate) fn subscribed(
        &mut self,
        subscribed: Subscribed,
        requests: &mut PendingRequests,
        events: &mut EventQueue,
    ) {
        let id = subscribed.log;
        let Some(log) = self.logs.get_mut(&id) else { return };
        log.answers_due = log.answers_due.saturating_sub(1);
        if log.answers_due > 0 {
            // It was asked for again since, from another place: the answer to that counts.
            return;
        }
        let from = self.resume.position(id).map_or(subscribed.head, |position| position.seq);
        self.resume.subscribed(&subscribed);
        debug_assert!(self.resume.position(id).is_some(), "an open cursor has a place");
        log.live_after.get_or_insert(subscribed.head);
        log.waiters.drain(..).for_each(|waiter| answer(waiter, Ok(())));
        if self.parked {
            requests.ask(&Unsubscribe { log: id }, ReplyTo::Unsubscribe);
        } else {
            log.cursor = Cursor::Open;
        }
        let news = log.told_on != self.connection;
        log.told_on = self.connection;
        if self.account.map(LogId::from) == Some(id) {
            self.memberships.subscribed(subscribed.head);
            self.settle(requests, events);
        } else {
            self.room_subscribed(subscribed, from.next(), news, events);
            self.tell_if_caught_up(id, events);
        }
    }

    /// The daemon will not open the cursor.
    pub(crate) fn subscribe_refused(
        &mut self,
        id: LogId,
        refusal: &Refusal,
        events: &mut EventQueue,
    ) {
        tracing::warn!(log = id.0, reason = %refusal.reason, "the log cannot be followed");
        self.end(id, refusal, events);
    }

    /// The daemon has closed the cursor: the account may not read the log any more.
    fn subscription_ended(&mut self, ended: &SubscriptionEnded, events: &mut EventQueue) {
        let SubscriptionEnded { log, code, message } = ended;
        let refusal = Refusal { code: ErrorCode::from_number(*code), reason: message.clone() };
        tracing::warn!(log = log.0, reason = %message, "the log cannot be followed any more");
        self.end(*log, &refusal, events);
    }

    /// Takes a frame that belongs to no request. Frames of unknown kinds are passed over.
    pub(crate) fn frame(
        &mut self,
        frame: &Frame,
        requests: &mut PendingRequests,
        events: &mut EventQueue,
    ) -> Result<(), WireError> {
        if Kind::is_logged(frame.kind) {
            return self.logged(frame, requests, events);
        }
        if frame.known_kind() == Some(Kind::Gap) {
            self.gap(&frame.decode_lenient()?, requests, events);
        } else if frame.known_kind() == Some(Kind::Presence) {
            let Presence { room, online } = frame.decode_lenient()?;
            if self.resume.follows(room.into()) {
                events.push_if_room(Event::Presence { room, online });
            }
        } else if frame.known_kind() == Some(Kind::Renamed) {
            self.renamed(frame.decode_lenient()?, events);
        } else if frame.known_kind() == Some(Kind::SubscriptionEnded) {
            self.subscription_ended(&frame.decode_lenient()?, events);
        }
        Ok(())
    }

    fn logged(
        &mut self,
        frame: &Frame,
        requests: &mut PendingRequests,
        events: &mut EventQueue,
    ) -> Result<(), WireError> {
        let head = LoggedHead::of(frame)?;
        if !self.is_open(head.log) {
            return Ok(());
        }
        match self.resume.event(head) {
            Step::Duplicate | Step::NotFollowed => return Ok(()),
            Step::Hole { expected } => {
                tracing::warn!(log = head.log.0, %expected, got = %head.seq, "events are missing");
                self.open_again(head.log, requests);
                return Ok(());
            }
            Step::Fresh => self.moved(head.log),
        }
        let live_after = self.logs.get(&head.log).and_then(|log| log.live_after);
        let live = live_after.is_none_or(|seen| head.seq > seen);
        match Logged::read(frame, live)? {
            Logged::Room(event) => {
                self.forget_who_comes(&event, live);
                self.tell(head.log, event, events);
            }
            Logged::RoomJoined(room) => self.memberships.joined(room),
            Logged::RoomLeft(room) => self.memberships.left(room),
            Logged::Removed(removed) => {
                self.memberships.left(removed.room);
                if self.memberships.is_live(head.seq) {
                    self.tell(head.log, Event::Removed(removed), events);
                }
            }
            Logged::Reported(reported) => {
                if self.memberships.is_live(head.seq) {
                    self.tell(head.log, Event::Reported(reported), events);
                }
            }
            Logged::Invited(room, name) => self.memberships.invited(room, name),
            Logged::Uninvited(room) => self.memberships.uninvited(room),
            Logged::OwnName(name) if self.memberships.is_live(head.seq) => {
                events.push(Event::OwnName { name });
            }
            Logged::OwnName(_) | Logged::Unknown => {}
        }
        if self.account.map(LogId::from) == Some(head.log) {
            self.settle(requests, events);
        } else {
            self.tell_if_caught_up(head.log, events);
        }
        Ok(())
    }

    fn gap(&mut self, gap: &Gap, requests: &mut PendingRequests, events: &mut EventQueue) {
        if !self.is_open(gap.log) {
            return;
        }
        let step = self.resume.gap(gap);
        if step == Step::Fresh {
            self.moved(gap.log);
        }
        match step {
            Step::Duplicate | Step::NotFollowed => {}
            Step::Hole { .. } => self.open_again(gap.log, requests),
            Step::Fresh if self.account.map(LogId::from) == Some(gap.log) => {
                self.settle(requests, events);
            }
            Step::Fresh => {
                let room = RoomId(gap.log.0);
                let event = Event::Gap {
                    room,
                    room_name: self.names.room(room),
                    from: gap.from,
                    to: gap.to,
                    reason: gap.known_reason(),
                };
                self.tell(gap.log, event, events);
                self.tell_if_caught_up(gap.log, events);
            }
        }
    }

    fn is_open(&self, id: LogId) -> bool {
        self.logs.get(&id).is_some_and(|log| log.cursor == Cursor::Open)
    }

    fn drop_log(&mut self, id: LogId) -> bool {
        self.resume.forget(id);
        match self.logs.remove(&id) {
            Some(log) => {
                self.held -= log.held.len();
                self.check_held();
                true
            }
            None => false,
        }
    }

    /// Reading stops and goes on by this count.
    fn check_held(&self) {
        let held = || self.logs.values().map(|log| log.held.len()).sum::<usize>();
        debug_assert_eq!(self.held, held(), "what waits for names is counted");
    }
}
