//! What the person in front of a client does.

use chat_client::outbox::Destination;
use chat_proto::limits::TEXT_BYTES_MAX;
use chat_proto::{
    Epoch, Join, Leave, LogId, Nonce, Ping, Position, Rename, RoomId, RoomName, Send, Seq,
    TextBody, Unsubscribe,
};

use super::{Answered, Asked, Client, FLOOD, OUTPUT_BYTES_MAX, Phase};
use crate::env::Env;
use crate::frames::put;
use crate::rights::Rights;
use crate::trace::trace;

/// Where nobody says anything: these go with those who leave them, and are made anew.
const QUIET_ROOMS: &[&str] = &["den", "attic"];

const NAMES: &[&str] = &["ada", "bob", "eve", "\u{430}da", "Bob"];

impl Client {
    /// Does something.
    pub(crate) fn act(&mut self, rights: &Rights, env: &mut Env) {
        if env.chance.percent(env.plan.walls_percent) {
            self.act_on_walls(rights, env);
            return self.wake(0, env);
        }
        let dice = env.chance.below(100);
        trace!(env.trace, "person {} acts: {dice}", self.index);
        match dice {
            0..35 => self.say_something(env),
            35..43 => {
                for _ in 0..env.chance.within(&(1..=env.plan.burst)) {
                    self.say_something(env);
                }
            }
            43..50 => self.say_what_is_refused(env),
            _ if self.phase == Phase::Up => self.act_online(dice, env),
            _ => {}
        }
        let pause_us = env.chance.within(&env.plan.turn_us);
        self.wake(pause_us, env);
    }

    fn act_online(&mut self, dice: usize, env: &mut Env) {
        let is_quiet = env.chance.percent(30);
        let room = match is_quiet {
            true => env.chance.pick(QUIET_ROOMS),
            false => env.chance.pick(&env.plan.rooms),
        };
        let room = room.unwrap_or("dev");
        match dice {
            50..62 => {
                if let Some(&room) = self.rooms.get(room).filter(|_| is_quiet)
                    && env.chance.percent(60)
                {
                    self.ask(&Leave { room }, Asked::Other);
                } else if let Ok(name) = RoomName::parse(room) {
                    self.ask(&Join { name: name.to_string() }, Asked::Join { name });
                }
            }
            62..65 => {
                if let Some(&room) = self.rooms.get(room) {
                    self.ask(&Leave { room }, Asked::Other);
                }
            }
            65..69 => {
                let name = env.chance.pick(NAMES).unwrap_or("ada").to_owned();
                self.ask(&Rename { name }, Asked::Other);
            }
            69..78 => {
                // A room that is opened: its cursor and its newest messages, all at once.
                for _ in 0..env.chance.below(3) {
                    self.look_back(room, env);
                }
                self.follow_anew(room, env);
                self.look_back(room, env);
            }
            78..82 => self.unfollow(room, env),
            82..86 => self.look_back(room, env),
            86..88 => self.ask(&Ping { token: 7 }, Asked::Other),
            88..95 => self.repeat(env),
            95..98 => self.reuse(env),
            _ => self.stray(env),
        }
    }

    fn say_something(&mut self, env: &mut Env) {
        let room = env.chance.pick(&env.plan.rooms).unwrap_or("dev");
        let is_long = env.chance.percent(5);
        let pad = env.chance.below(if is_long { 600 } else { 20 });
        let text = format!("{} says {} {}", self.index, self.said, "x".repeat(pad));
        self.say(room, text, env);
    }

    fn say_what_is_refused(&mut self, env: &mut Env) {
        let room = env.chance.pick(&env.plan.rooms).unwrap_or("dev");
        match env.chance.below(20) {
            0..8 => self.say(room, String::new(), env),
            8..14 => self.say(room, format!("{}\0{}", self.index, self.said), env),
            14..16 => {
                // It looks like the lobby, which is always there.
                self.say("l0bby", "to no room".to_owned(), env);
            }
            16..19 => self.push(RoomId(1 << 40).into(), "nowhere", "to nobody".to_owned(), env),
            _ => self.say(room, "y".repeat(TEXT_BYTES_MAX + 1), env),
        }
    }

    fn say(&mut self, room: &str, text: String, env: &mut Env) {
        let Ok(name) = RoomName::parse(room) else { return };
        let to = match self.rooms.get(room) {
            Some(&id) => Destination::known(id, name),
            None => Destination::from(name),
        };
        self.push(to, room, text, env);
    }

    fn push(&mut self, to: Destination, room: &str, text: String, env: &mut Env) {
        self.said += 1;
        if !self.queue.has_room() {
            return;
        }
        let entries = self.queue.prepare([(to, text)]);
        self.journal.write(self.queue.take_records());
        for entry in entries {
            env.history.invoked(self.sender, entry.nonce, room, &entry.text);
            self.queue.push_written(entry);
        }
    }

    /// Follows a room from anywhere: the head, the start, some place, a place of another life.
    fn follow_anew(&mut self, room: &str, env: &mut Env) {
        let Some(&id) = self.rooms.get(room) else { return };
        let log = LogId::from(id);
        let at = self.resume.position(log).unwrap_or_default();
        let after = match env.chance.below(8) {
            0 | 1 => None,
            2 | 3 => Some(Position::default()),
            4 | 5 => Some(Position { seq: Seq(env.chance.within(&(0..=at.seq.0))), ..at }),
            6 => Some(Position { epoch: Epoch(77), ..at }),
            _ => {
                let ahead =
                    if env.chance.percent(50) { 1_000_000 } else { env.chance.within(&(1..=3)) };
                Some(Position { seq: Seq(at.seq.0 + ahead), ..at })
            }
        };
        if !self.subscribing.contains_key(&log) {
            self.follow(log, room.to_owned(), after, env);
        }
    }

    /// Asks for some of a room's messages.
    fn look_back(&mut self, room: &str, env: &mut Env) {
        if let Some(&room) = self.rooms.get(room) {
            self.ask_for_page(room, env);
        }
    }

    fn unfollow(&mut self, room: &str, env: &mut Env) {
        let Some(&id) = self.rooms.get(room) else { return };
        let log = LogId::from(id);
        self.forget(log, env);
        self.ask(&Unsubscribe { log }, Asked::Unsubscribe { log });
    }

    /// Sends once more what was answered.
    fn repeat(&mut self, env: &mut Env) {
        if let Some(answered) = self.some_answered(env) {
            let send = send_of(&answered);
            self.ask(&send, Asked::Again(answered));
        }
    }

    /// Sends another text under a nonce that was answered.
    fn reuse(&mut self, env: &mut Env) {
        if let Some(answered) = self.some_answered(env) {
            let send = Send { body: TextBody::say("another text"), ..send_of(&answered) };
            self.ask(&send, Asked::Reuse(answered));
        }
    }

    /// Sends to another room than a stream's, under its next place or one that was answered.
    fn stray(&mut self, env: &mut Env) {
        let Some(Answered { entry, .. }) = self.some_answered(env) else { return };
        let elsewhere = |room: &RoomId| Some(*room) != entry.to.room;
        let others: Vec<_> = self.rooms.values().copied().filter(elsewhere).collect();
        let room = env.chance.pick(&others).unwrap_or(RoomId(1 << 41));
        let Nonce { stream, n } = entry.nonce;
        let nonce = Nonce { stream, n: n + u64::from(env.chance.percent(70)) };
        let body = TextBody::say(format!("{} strays {}", self.index, self.said));
        self.ask(&Send { nonce, room, body }, Asked::Stray(stream));
    }

    fn some_answered(&self, env: &mut Env) -> Option<Answered> {
        let most = self.answered.len();
        (most > 0).then(|| self.answered[env.chance.below(most)].clone())
    }

    /// Asks as much as the socket takes.
    pub(super) fn flood(&mut self, env: &mut Env) {
        if !self.is_flooding || self.phase != Phase::Up || self.answered.len() < 5 {
            return;
        }
        self.deaf_until_us = u64::MAX / 2;
        while self.output.len() < OUTPUT_BYTES_MAX {
            if let Some(answered) = self.some_answered(env) {
                put(&send_of(&answered), FLOOD, &mut self.output);
            }
        }
    }
}

fn send_of(answered: &Answered) -> Send {
    let entry = &answered.entry;
    let room = entry.to.room.unwrap_or_default();
    Send { nonce: entry.nonce, room, body: TextBody::say(&*entry.text) }
}
