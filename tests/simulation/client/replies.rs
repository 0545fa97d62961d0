//! What the server says to a client, and what the client makes of it.

use chat_client::outbox::Entry;
use chat_client::resume::Step;
use chat_proto::{
    Ack, Body, Close, CloseReason, Epoch, Error, ErrorCode, Frame, HistoryPage, Kind, LogId,
    LoggedHead, Nonce, Position, PublicKey, RoomId, RoomInfo, SignIn, SignedIn, Subscribed,
    Welcome, sign_in_transcript,
};
use ed25519_dalek::Signer;

use super::{ANSWERED_MAX, Answered, Asked, Client, FLOOD, Phase};
use crate::coverage::Situation;
use crate::env::Env;
use crate::schedule::SECOND;
use crate::seen::seen_of_frame;
use crate::server::CODE;
use crate::trace::trace;

impl Client {
    pub(super) fn frame(&mut self, frame: &Frame, env: &mut Env) {
        self.take_frame(frame, env);
        self.take_news(frame, env);
    }

    fn take_frame(&mut self, frame: &Frame, env: &mut Env) {
        if Kind::is_logged(frame.kind) {
            return self.event(frame, env);
        }
        match frame.known_kind() {
            Some(Kind::Close) => self.closed(frame, env),
            Some(Kind::Presence) => {}
            Some(Kind::Gap) => self.with(frame, env, Self::gap),
            Some(Kind::Renamed) => self.with(frame, env, Self::renamed),
            Some(Kind::SubscriptionEnded) => self.with(frame, env, Self::subscription_ended),
            _ if frame.request == FLOOD => {}
            _ => match self.requests.remove(&frame.request) {
                Some(asked) => {
                    self.note_order(frame.request, &asked, frame, env);
                    self.reply(asked, frame, env);
                }
                None => env.complain(format!("a reply that nobody asked for: {frame:?}")),
            },
        }
    }

    fn event(&mut self, frame: &Frame, env: &mut Env) {
        let (Some((log, seen)), Ok(head)) = (seen_of_frame(frame), LoggedHead::of(frame)) else {
            return env.complain(format!("an event that cannot be read: {frame:?}"));
        };
        trace!(env.trace, "client {} gets seq {} of log {log}", self.index, seen.seq);
        self.forget_who_came_or_went(frame);
        match self.cursors.get_mut(&log) {
            Some(cursor) => {
                cursor.at = seen.seq;
                env.history.received(cursor.reader, &seen);
            }
            None => {
                let words = format!("client {} follows no log {log} here", self.index);
                return env.complain(words);
            }
        }
        self.demand_not_gone(log, seen.seq, env);
        self.note_shown(log, seen.seq, env);
        if self.subscribing.contains_key(&log) {
            // Of the cursor that is about to be moved.
            return;
        }
        match self.resume.event(head) {
            Step::Fresh => {
                if let Some(reader) = self.readers.get(&log) {
                    env.history.received(*reader, &seen);
                }
            }
            Step::NotFollowed => {}
            step @ (Step::Duplicate | Step::Hole { .. }) => {
                let Self { index, .. } = self;
                env.complain(format!("client {index}: seq {} of log {log}: {step:?}", seen.seq));
            }
        }
    }

    fn closed(&mut self, frame: &Frame, env: &mut Env) {
        let close = frame.decode_lenient::<Close>();
        trace!(env.trace, "client {} is told {close:?}", self.index);
        match close.ok().as_ref().and_then(Close::known_reason) {
            Some(CloseReason::GoingAway) => {}
            Some(CloseReason::Internal) => env.coverage.hit(Situation::SignInUnavailable),
            reason => env.complain(format!("client {} was closed: {reason:?}", self.index)),
        }
        self.disconnect(env);
    }

    fn reply(&mut self, asked: Asked, frame: &Frame, env: &mut Env) {
        trace!(env.trace, "client {} gets {:?} to {asked:?}", self.index, frame.known_kind());
        if let Ok(error) = frame.decode_lenient::<Error>() {
            return self.failed(asked, &error, env);
        }
        match asked {
            Asked::Hello => self.with(frame, env, Self::welcomed),
            Asked::SignIn => self.with(frame, env, Self::signed_in),
            Asked::Send(nonce) => self.with(frame, env, |client, ack: &Ack, env| {
                client.acked(nonce, ack, env);
            }),
            Asked::Again(answered) => self.with(frame, env, |_, ack: &Ack, env| {
                env.coverage.hit(Situation::AckedAgain);
                if answered.answer != Ok(ack.clone()) {
                    env.complain(format!("{answered:?} was answered later with {ack:?}"));
                }
            }),
            Asked::Stray(stream) => {
                env.complain(format!("{stream:?} was taken in another room"));
            }
            Asked::Reuse(answered) => {
                env.complain(format!("another text for {answered:?} was taken"));
            }
            Asked::Join { name } => self.with(frame, env, |client, info: &RoomInfo, env| {
                client.found(name.as_str(), info.room, env);
            }),
            Asked::Room { name } => self.with(frame, env, |client, info: &RoomInfo, env| {
                env.coverage.hit(Situation::RoomFoundByName);
                client.queue.found(&name, info.room);
                client.journal.write(client.queue.take_records());
                client.found(name.as_str(), info.room, env);
            }),
            Asked::Find { name } => self.with(frame, env, |client, info: &RoomInfo, env| {
                client.rooms.insert(name.clone(), info.room);
                // Whoever is only invited does not read yet.
                if info.is_private && !info.joined {
                    return;
                }
                client.follow(info.room.into(), name, Some(Position::default()), env);
            }),
            Asked::Direct { with } => self.with(frame, env, |client, info: &RoomInfo, env| {
                client.found_direct(with, info.room, env);
            }),
            Asked::Subscribe { log, after, acked, at_us } => match frame.known_kind() {
                Some(Kind::Reset) => self.with(frame, env, Self::reset),
                _ => self.with(frame, env, |client, subscribed: &Subscribed, env| {
                    if subscribed.head < acked {
                        let head = subscribed.head;
                        env.complain(format!("log {log} was at {acked}, and is at {head} now"));
                    }
                    client.subscribed(after, subscribed, (frame.request, at_us), env);
                }),
            },
            Asked::Unsubscribe { log } => {
                if let Some(cursor) = self.cursors.remove(&log) {
                    env.history.closed(cursor.reader);
                }
            }
            Asked::Page(asked) => self.with(frame, env, |client, page: &HistoryPage, env| {
                client.page_came(asked, page, env);
            }),
            Asked::Names => self.with(frame, env, Self::names_came),
            Asked::Other => {}
        }
    }

    fn with<B: Body>(
        &mut self,
        frame: &Frame,
        env: &mut Env,
        then: impl FnOnce(&mut Self, &B, &mut Env),
    ) {
        match frame.decode_lenient::<B>() {
            Ok(body) => then(self, &body, env),
            Err(error) => env.complain(format!("another reply than {:?}: {error}", B::KIND)),
        }
    }

    fn welcomed(&mut self, welcome: &Welcome, _env: &mut Env) {
        let transcript = sign_in_transcript(&welcome.challenge, &welcome.server_key, &[]);
        let signature = self.key.sign(&transcript).to_bytes();
        let key = PublicKey(self.key.verifying_key().to_bytes());
        let sign_in = SignIn {
            name_is_firm: false,
            invitation: Some(CODE),
            ..SignIn::with_key(key, signature, &*self.name)
        };
        self.phase = Phase::SigningIn;
        self.ask(&sign_in, Asked::SignIn);
    }

    fn signed_in(&mut self, signed_in: &SignedIn, env: &mut Env) {
        let SignedIn { account, epoch, .. } = *signed_in;
        trace!(env.trace, "client {} is account {account}, epoch {epoch}", self.index);
        if self.epoch != Some(epoch) {
            self.rooms.clear();
            self.answered.clear();
        }
        if let Some(before) = self.account.filter(|before| *before != account) {
            self.forget(before.into(), env);
        }
        (self.account, self.epoch) = (Some(account), Some(epoch));
        self.phase = Phase::Up;
        self.failures = 0;
        // Nobody told of renames meanwhile.
        self.names.forget_accounts();
        self.queue.connected(epoch);
        self.journal.write(self.queue.take_records());
        for subscribe in self.resume.connected() {
            self.subscribe(&subscribe, env);
        }
        let own = LogId::from(account);
        if self.followed.get(&own).is_none_or(|name| !name.is_empty()) {
            self.follow(own, String::new(), Some(Position::default()), env);
        }
    }

    pub(super) fn epoch(&self) -> Epoch {
        self.epoch.unwrap_or_default()
    }

    fn acked(&mut self, nonce: Nonce, ack: &Ack, env: &mut Env) {
        if ack.nonce != nonce {
            env.complain(format!("{nonce:?} was answered with {ack:?}"));
        }
        self.note_ack(ack.room, ack.seq, env);
        env.history.acked(self.epoch(), ack);
        env.note_acked(self.epoch(), ack.room.into(), ack.seq);
        self.queue.acked(ack);
        if self.take_changes(env) == 0 {
            env.coverage.hit(Situation::AckedAgain);
        }
    }

    pub(super) fn answered(&mut self, entry: Entry, answer: Result<Ack, ErrorCode>) {
        if let (Some(epoch), Ok(_ack)) = (self.epoch, &answer) {
            self.acked_in.insert(entry.nonce.stream, (epoch, entry.nonce.n));
        }
        if self.answered.len() == ANSWERED_MAX {
            self.answered.pop_front();
        }
        self.answered.push_back(Answered { entry, answer });
    }

    fn failed(&mut self, asked: Asked, error: &Error, env: &mut Env) {
        trace!(env.trace, "client {}: {asked:?} failed: {}", self.index, error.message);
        let code = error.known_code();
        match asked {
            Asked::Send(nonce) => self.refused(nonce, error, env),
            Asked::Again(answered) => match answered.answer {
                _ if code == Some(ErrorCode::Unavailable) => {}
                // As it is now: it may have become a member.
                Err(_before) if !error.retry => {
                    env.coverage.hit(Situation::RefusedAgain);
                    if code == Some(ErrorCode::RefusedBefore) {
                        env.coverage.hit(Situation::RefusedBefore);
                    }
                }
                _ => env.complain(format!("{answered:?} was answered later with {error:?}")),
            },
            Asked::Reuse(answered) => match code {
                Some(ErrorCode::Unavailable) => {}
                Some(ErrorCode::NonceReused) => env.coverage.hit(Situation::NonceReused),
                // Nothing is kept of it but that it is not posted.
                Some(_) if answered.answer.is_err() && !error.retry => {}
                _ => env.complain(format!("another text for {answered:?} got {error:?}")),
            },
            Asked::Stray(stream) => match code {
                Some(ErrorCode::Unavailable) => {}
                Some(ErrorCode::StreamBound) => env.coverage.hit(Situation::StreamBound),
                _ => env.complain(format!("{stream:?} in another room got {error:?}")),
            },
            // A driver asks again later: see the client's `ask_later`.
            Asked::Room { name } if error.retry => {
                self.asks_again.push((env.schedule.now_us() + SECOND, name));
            }
            Asked::Room { name } => {
                self.queue.not_found(&name, error.clone());
                self.take_refused_here(env);
            }
            Asked::Subscribe { log, .. } => self.may_not_read(log, error, env),
            Asked::Hello | Asked::SignIn => {
                env.complain(format!("the handshake got {error:?}"));
                self.disconnect(env);
            }
            Asked::Unsubscribe { log } => {
                env.complain(format!("the cursor on log {log} cannot be closed: {error:?}"));
            }
            // Whoever wants the names asks again.
            Asked::Names => self.names.unanswered(),
            Asked::Join { .. }
            | Asked::Find { .. }
            | Asked::Direct { .. }
            | Asked::Page(_)
            | Asked::Other => {}
        }
    }

    fn refused(&mut self, nonce: Nonce, error: &Error, env: &mut Env) {
        match error.known_code() {
            Some(ErrorCode::Behind) => {
                env.coverage.hit(Situation::Behind);
                self.demand_acked(nonce.stream, error.detail, env);
            }
            Some(ErrorCode::Unavailable) => env.coverage.hit(Situation::Unavailable),
            Some(ErrorCode::SlowMode) => env.coverage.hit(Situation::SlowedDown),
            Some(code) if !error.retry => {
                self.note_wall(code, env);
                if code == ErrorCode::StreamBound {
                    self.demand_acked(nonce.stream, 0, env);
                }
                env.coverage.hit(Situation::RefusedForGood);
                env.history.refused(self.epoch(), nonce, code);
            }
            code => env.complain(format!("{nonce:?} got {code:?}")),
        }
        self.queue.refused(nonce, error, env.schedule.now_ms());
        self.take_changes(env);
    }

    /// A room's id is known: sends to it can go out, and it is followed if nobody does.
    fn found(&mut self, name: &str, room: RoomId, env: &mut Env) {
        self.rooms.insert(name.to_owned(), room);
        if !self.followed.contains_key(&room.into()) {
            let after = env.chance.percent(50).then(Position::default);
            self.follow(room.into(), name.to_owned(), after, env);
        }
    }
}
