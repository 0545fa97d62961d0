//! What the user is told of followed logs: each log's line of events, with names.

use chat_proto::{AccountId, LogId, Renamed, RoomId, RoomInfo, Seq, Subscribe, Subscribed};

use super::Following;
use crate::event::{self, Event, Refusal};
use crate::event_queue::EventQueue;
use crate::logged::{set_names, wanted_names};
use crate::memberships::Changes;
use crate::request::answer;
use crate::requests::PendingRequests;

impl Following {
    /// A room was looked up.
    pub(crate) fn room_seen(&mut self, info: &RoomInfo, events: &mut EventQueue) {
        self.names.learn_room(info.room, &info.name);
        self.announce(info.room, events);
    }

    /// What waited for names that have come goes on. A name may come by an answer, with a
    /// subscription or with an event, whichever is first; who waits for it knows nothing of that.
    pub(crate) fn go_on(&mut self, events: &mut EventQueue) {
        if !self.names.take_news() {
            return;
        }
        let ids: Vec<_> = self.logs.keys().copied().collect();
        for id in ids {
            self.release(id, events);
        }
        self.pages.go_on(&mut self.names);
    }

    /// Somebody has another name from now on; account 0: anybody may have.
    pub(super) fn renamed(&mut self, renamed: Renamed, events: &mut EventQueue) {
        let Renamed { account, name } = renamed;
        if account == AccountId(0) {
            self.names.forget_accounts();
        } else if let Some(old_name) = self.names.rename(account, &name) {
            events.push(Event::Renamed { account, old_name, name });
        }
    }

    /// Whoever comes into a room may have been renamed while nothing of that was told here.
    pub(super) fn forget_who_comes(&mut self, event: &Event, live: bool) {
        if let Event::Joined(change) = event
            && live
            && self.account != Some(change.account)
        {
            self.names.forget_account(change.account);
        }
    }

    pub(super) fn room_subscribed(
        &mut self,
        subscribed: Subscribed,
        from: Seq,
        news: bool,
        events: &mut EventQueue,
    ) {
        let room = RoomId(subscribed.log.0);
        self.names.learn_room(room, &subscribed.name);
        if subscribed.member_count as usize > subscribed.members.len() {
            // Of the others nobody has told what they are called by now.
            self.names.forget_accounts();
        }
        for member in subscribed.members.iter() {
            self.names.learn_account(member.account, member.name.clone());
        }
        self.announce(room, events);
        // What waited for one of these names comes before the news.
        self.release(subscribed.log, events);
        if news {
            let event = Event::Subscribed(event::Subscribed {
                room,
                name: subscribed.name,
                topic: subscribed.topic,
                epoch: subscribed.epoch,
                head: subscribed.head,
                members: subscribed.members.into_vec(),
                member_count: subscribed.member_count,
                online: subscribed.online,
                from,
            });
            self.tell(subscribed.log, event, events);
        }
    }

    /// Tells of a room whose history is over, once.
    pub(super) fn tell_if_caught_up(&mut self, id: LogId, events: &mut EventQueue) {
        let position = self.resume.position(id);
        let Some(log) = self.logs.get_mut(&id) else { return };
        if let (Some(head), Some(position)) = (log.live_after, position)
            && position.seq >= head
            && !std::mem::replace(&mut log.is_caught_up, true)
        {
            self.tell(id, Event::CaughtUp { room: RoomId(id.0), head }, events);
        }
    }

    /// A log is not followed any more, whoever wanted it to be.
    pub(super) fn end(&mut self, id: LogId, refusal: &Refusal, events: &mut EventQueue) {
        let Some(log) = self.logs.get_mut(&id) else { return };
        let waiters = std::mem::take(&mut log.waiters);
        let is_told = !waiters.is_empty();
        waiters.into_iter().for_each(|waiter| answer(waiter, Err(refusal.clone())));
        self.drop_log(id);
        let room = RoomId(id.0);
        self.announce(room, events);
        if !is_told && self.account.map(LogId::from) != Some(id) {
            events.push(Event::Ended { room, room_name: self.names.room(room) });
        }
    }

    /// Tells what the own log has come to.
    pub(super) fn settle(&mut self, requests: &mut PendingRequests, events: &mut EventQueue) {
        let position = self.account.and_then(|own| self.resume.position(own.into()));
        let Some(position) = position else { return };
        let Changes { joined, left, invited } = self.memberships.settle(position.seq);
        for (room, name) in invited {
            events.push(Event::Invited { room, name });
        }
        for room in joined {
            self.unnamed.insert(room);
            if self.follow_memberships {
                let (log, after) = (room.into(), None);
                self.follow(&Subscribe { log, after }, None, requests);
            }
            if self.names.knows_room(room) {
                self.announce(room, events);
            }
        }
        for room in left {
            self.unnamed.remove(&room);
            let name = self.names.room(room);
            // Who asked to follow a room goes on: a restored server knows less of memberships.
            if self.follow_memberships {
                self.unfollow(room.into(), requests);
            }
            events.push(Event::Membership { room, name, joined: false });
        }
    }

    /// Tells of a membership whose room's name is known now, or never will be.
    pub(crate) fn announce(&mut self, room: RoomId, events: &mut EventQueue) {
        if self.unnamed.remove(&room) {
            let name = self.names.room(room);
            events.push(Event::Membership { room, name, joined: true });
        }
    }

    /// Puts an event at the end of its log's line.
    pub(super) fn tell(&mut self, id: LogId, event: Event, events: &mut EventQueue) {
        let Some(log) = self.logs.get_mut(&id) else { return };
        log.held.push_back(event);
        self.held += 1;
        self.release(id, events);
    }

    /// Tells of a log what has its names.
    fn release(&mut self, id: LogId, events: &mut EventQueue) {
        let Some(log) = self.logs.get_mut(&id) else { return };
        while let Some(first) = log.held.front() {
            if wanted_names(first).any(|account| self.names.account(account).is_none()) {
                for event in &log.held {
                    let wanted = wanted_names(event);
                    let unknown: Vec<_> =
                        wanted.filter(|account| self.names.account(*account).is_none()).collect();
                    unknown.into_iter().for_each(|account| self.names.want(account));
                }
                return;
            }
            let Some(mut event) = log.held.pop_front() else { return };
            debug_assert!(self.held > 0, "what is held was counted");
            self.held -= 1;
            set_names(&mut event, &self.names);
            events.push(event);
        }
    }
}
