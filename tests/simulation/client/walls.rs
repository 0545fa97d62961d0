//! What people do to each other and to rooms: they keep order, say who may come in, and ask for what they may
//! not know.

use chat_proto::{
    AccountId, Accounts, Ban, CreateRoom, ErrorCode, FindAccount, Invite, Join, Kick, List,
    Members, Mute, OpenDirect, Role, RoomId, RoomName, Rooms, SetAccess, SetReadOnly, SetRole,
    SetSlow, SetTopic, Timestamp, Unban, Unmute,
};

use super::{Asked, Client, Phase};
use crate::coverage::Situation;
use crate::env::Env;
use crate::rights::Rights;

/// Rooms that are made by those who want to be alone.
const PRIVATE_ROOMS: &[&str] = &["vault", "cellar"];

/// A ban is over after at least so long: no commit takes longer, so that one is in force when it is shown.
const BAN_MS_MIN: u64 = 60_000;

impl Client {
    /// Keeps order, or is curious.
    pub(super) fn act_on_walls(&mut self, rights: &Rights, env: &mut Env) {
        let (Some(account), Phase::Up) = (self.account, self.phase) else { return };
        let ruled = match env.chance.percent(85) {
            true => rights.ruled_by(account),
            // Somebody who may not.
            false => rights.rooms.keys().copied().collect(),
        };
        let others: Vec<_> = rights.people().into_iter().filter(|id| *id != account).collect();
        let other = env.chance.pick(&others).unwrap_or(account);
        match (env.chance.pick(&ruled), env.chance.percent(60)) {
            (Some(room), true) => self.keep_order(room, other, rights, env),
            _ => self.meet(other, env),
        }
    }

    fn keep_order(&mut self, room: RoomId, account: AccountId, rights: &Rights, env: &mut Env) {
        let Some(known) = rights.rooms.get(&room) else { return };
        let reason = || "so it is".to_owned();
        match env.chance.below(100) {
            0..22 => self.ask(&Kick { room, account, reason: reason() }, Asked::Other),
            22..36 => {
                let until = until(BAN_MS_MIN, rights, env);
                self.ask(&Ban { room, account, until, reason: reason() }, Asked::Other);
            }
            36..48 => {
                let banned = known.bans.keys().next().copied().unwrap_or(account);
                self.ask(&Unban { room, account: banned }, Asked::Other);
            }
            48..58 => {
                let until = until(1_000, rights, env);
                self.ask(&Mute { room, account, until, reason: reason() }, Asked::Other);
            }
            58..64 => {
                let mute = known.mutes.keys().next().copied().unwrap_or(account);
                self.ask(&Unmute { room, account: mute }, Asked::Other);
            }
            64..67 => {
                let seconds = u32::from(known.slow_seconds == 0);
                self.ask(&SetSlow { room, seconds }, Asked::Other);
            }
            67..73 => {
                let role = env.chance.pick(Role::ALL).unwrap_or(Role::Member) as u16;
                self.ask(&SetRole { room, account, role }, Asked::Other);
            }
            73..83 => {
                let is_private = env.chance.percent(60);
                self.ask(&SetAccess { room, is_private }, Asked::Other);
            }
            83..94 => {
                let is_set = env.chance.percent(85);
                self.ask(&Invite { room, account, is_set }, Asked::Other);
            }
            94..97 => {
                let topic = format!("{} says what it is about", self.index);
                self.ask(&SetTopic { room, topic }, Asked::Other);
            }
            _ => {
                // Not for long: nobody else says anything meanwhile.
                let is_read_only = !known.is_read_only;
                self.ask(&SetReadOnly { room, is_read_only }, Asked::Other);
            }
        }
    }

    /// Looks for company, and asks what is not meant for everybody.
    fn meet(&mut self, other: AccountId, env: &mut Env) {
        match env.chance.below(100) {
            0..15 => {
                let Some(name) = env.chance.pick(PRIVATE_ROOMS) else { return };
                let asked = CreateRoom { name: name.to_owned(), is_private: true };
                if let Ok(name) = RoomName::parse(name) {
                    self.ask(&asked, Asked::Join { name });
                }
            }
            15..35 => {
                if let Ok(name) = RoomName::parse(env.chance.pick(PRIVATE_ROOMS).unwrap_or("vault"))
                {
                    self.ask(&Join { name: name.to_string() }, Asked::Join { name });
                }
            }
            35..50 => {
                self.ask(&OpenDirect { account: other }, Asked::Direct { with: other });
            }
            50..65 => {
                let ids = List::first_of([other, AccountId(1)]);
                self.ask(&Accounts { ids }, Asked::Other);
            }
            65..75 => {
                let asked = FindAccount { name: "ada".to_owned() };
                self.ask(&asked, Asked::Other);
            }
            75..85 => self.ask(&Rooms { after: RoomId(0) }, Asked::Other),
            _ => {
                let rooms: Vec<_> = self.rooms.values().copied().collect();
                if let Some(room) = env.chance.pick(&rooms) {
                    self.ask(&Members { room, after: AccountId(0) }, Asked::Other);
                }
            }
        }
    }

    /// A send was refused because of what somebody has ordered.
    #[expect(clippy::wildcard_enum_match_arm, reason = "of all others nobody has")]
    pub(super) fn note_wall(&self, code: ErrorCode, env: &Env) {
        match code {
            ErrorCode::Muted => env.coverage.hit(Situation::RefusedAsMute),
            ErrorCode::Banned => env.coverage.hit(Situation::RefusedAsBanned),
            ErrorCode::ReadOnly => env.coverage.hit(Situation::RefusedAsReadOnly),
            _ => {}
        }
    }

    /// Says something where only two are.
    pub(super) fn found_direct(&mut self, with: AccountId, room: RoomId, env: &mut Env) {
        let name = format!("@{with}");
        self.rooms.insert(name.clone(), room);
        if !self.followed.contains_key(&room.into()) {
            self.follow(room.into(), name, Some(chat_proto::Position::default()), env);
        }
    }
}

/// For good, or for so long and up to four times as long.
fn until(least_ms: u64, rights: &Rights, env: &mut Env) -> Timestamp {
    match env.chance.percent(50) {
        true => Timestamp(0),
        false => {
            let lasts_ms = env.chance.within(&(least_ms..=4 * least_ms));
            Timestamp(rights.newest_ts.0 + lasts_ms)
        }
    }
}
