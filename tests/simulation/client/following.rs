//! The logs that a client follows: subscribing, resuming, and finding rooms again in another epoch.

use chat_proto::{
    Error, ErrorCode, FindRoom, LogId, Position, RequestId, Reset, Seq, Subscribe, Subscribed,
    Unsubscribe,
};

use super::ending::OpenCursor;
use super::{Asked, Client};
use crate::coverage::Situation;
use crate::env::Env;

impl Client {
    pub(super) fn subscribe(&mut self, subscribe: &Subscribe, env: &Env) {
        let Subscribe { log, after } = *subscribe;
        *self.subscribing.entry(log).or_default() += 1;
        let acked = env.newest_ack(self.epoch(), log);
        let at_us = env.schedule.now_us();
        self.ask(subscribe, Asked::Subscribe { log, after, acked, at_us });
    }

    /// Follows a log from a position on. What it read there before, as another reader, is over.
    pub(super) fn follow(
        &mut self,
        log: LogId,
        name: String,
        after: Option<Position>,
        env: &mut Env,
    ) {
        self.stop_reading(log, env);
        self.resume.follow(log, after);
        self.followed.insert(log, name);
        if let Some(position) = after {
            self.readers.insert(log, env.history.opened(position.epoch, log, position.seq));
        }
        if let Some(subscribe) = self.resume.ask(log) {
            self.subscribe(&subscribe, env);
        }
    }

    pub(super) fn forget(&mut self, log: LogId, env: &mut Env) {
        self.stop_reading(log, env);
        self.resume.forget(log);
        self.followed.remove(&log);
    }

    pub(super) fn stop_reading(&mut self, log: LogId, env: &mut Env) {
        if let Some(reader) = self.readers.remove(&log) {
            env.history.closed(reader);
        }
    }

    pub(super) fn subscribed(
        &mut self,
        after: Option<Position>,
        subscribed: &Subscribed,
        (request, asked_us): (RequestId, u64),
        env: &mut Env,
    ) {
        let log = subscribed.log;
        let is_newest = self.is_newest_answer(log);
        let after = after.map_or(subscribed.head, |position| position.seq);
        self.learn_members(subscribed);
        if let Some(cursor) = self.cursors.remove(&log) {
            env.history.closed(cursor.reader);
        }
        let reader = env.history.opened(subscribed.epoch, log, after);
        let place = self.link.and_then(|link| env.net.link(link)).map(|link| link.conn);
        let place = place.and_then(|conn| env.openings.take(conn, request)).unwrap_or_default();
        let opened = (subscribed.epoch, place);
        self.cursors.insert(log, OpenCursor { reader, opened, asked_us, at: after });
        let name = self.followed.get(&log).cloned();
        let Some(name) = name.filter(|_| is_newest) else { return };
        self.resume.subscribed(subscribed);
        match self.readers.get(&log) {
            Some(reader) => env.history.resumed(*reader, subscribed.epoch),
            None => {
                let reader = env.history.opened(subscribed.epoch, log, after);
                self.readers.insert(log, reader);
            }
        }
        if after > Seq::ZERO && after < subscribed.head {
            env.coverage.hit(Situation::ResumedBehindHead);
        }
        // A conversation is called after the other, who may be renamed.
        let are_direct = name.starts_with('@') && subscribed.name.starts_with('@');
        if !(name.is_empty() || name == subscribed.name || are_direct) {
            // In this epoch the id is another room's: the room is looked for by its name.
            self.forget(log, env);
            self.ask(&Unsubscribe { log }, Asked::Unsubscribe { log });
            self.ask(&FindRoom { name: name.clone() }, Asked::Find { name });
        }
    }

    /// The room is gone: perhaps there is another one of its name.
    pub(super) fn room_gone(&mut self, log: LogId, env: &mut Env) {
        env.coverage.hit(Situation::ToldThatRoomIsGone);
        let name = self.followed.get(&log).cloned().unwrap_or_default();
        self.forget(log, env);
        self.rooms.retain(|_name, room| LogId::from(*room) != log);
        if !name.is_empty() {
            self.ask(&FindRoom { name: name.clone() }, Asked::Find { name });
        }
    }

    /// Whether a request to subscribe was the last one in flight for its log.
    pub(super) fn is_newest_answer(&mut self, log: LogId) -> bool {
        let in_flight = self.subscribing.entry(log).or_default();
        *in_flight = in_flight.saturating_sub(1);
        let is_newest = *in_flight == 0;
        if is_newest {
            self.subscribing.remove(&log);
        }
        is_newest
    }

    pub(super) fn reset(&mut self, reset: &Reset, env: &mut Env) {
        env.coverage.hit(Situation::Reset);
        if !self.is_newest_answer(reset.log) {
            return;
        }
        if let Some(reader) = self.readers.remove(&reset.log) {
            env.history.reset(reader, reset.epoch);
        }
        if self.followed.contains_key(&reset.log) {
            let subscribe = self.resume.reset(reset);
            self.subscribe(&subscribe, env);
        }
    }

    /// In this epoch the id is nobody's, or another account's.
    pub(super) fn may_not_read(&mut self, log: LogId, error: &Error, env: &mut Env) {
        if !self.is_newest_answer(log) {
            return;
        }
        if error.known_code() == Some(ErrorCode::Busy) {
            // Nobody is further than a server that is alone: the place was made up.
            env.coverage.hit(Situation::Ahead);
            if let Some(name) = self.followed.get(&log).cloned() {
                self.follow(log, name, Some(Position::default()), env);
            }
            return;
        }
        if error.retry {
            // The store cannot be read now: a driver asks again after a while.
            env.coverage.hit(Situation::StoreUnreadable);
            return self.disconnect(env);
        }
        let name = self.followed.get(&log).cloned().unwrap_or_default();
        self.forget(log, env);
        if !name.is_empty() {
            self.ask(&FindRoom { name: name.clone() }, Asked::Find { name });
        }
    }
}
