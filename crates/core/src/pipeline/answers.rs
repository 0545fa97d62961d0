//! Answers: what the asker is told once the commit is through.

use std::collections::BTreeSet;

use chat_proto::limits::{HISTORY_MESSAGES_MAX, PAGE_ITEMS_MAX};
use chat_proto::{
    AccountId, AccountInfo, AccountList, Accounts, Ack, Close, CloseReason, Done, FindRoom,
    History, List, LogId, Member, MemberList, MemberRef, Members, Ping, Pong, Position,
    QueryRequest, Reset, RoomId, RoomInfo, RoomList, RoomName, Rooms, Seq, SignedIn, Subscribe,
    SubscribedRef, Unsubscribe, Written, encode_frame,
};

use super::staged::{Send, Waiting};
use super::{Pipeline, Presence};
use crate::{Answer, Effect, Fanout, HistoryRead, Origin, Refusal, Reply, State, Store};

/// Room for an ack: nearly every reply is one.
const REPLY_BYTES: usize = 80;

impl<S: Store> Pipeline<S> {
    pub(super) fn answer(&mut self, waiting: Waiting, fanout: &mut impl Fanout) {
        match waiting {
            Waiting::Answer { origin, answer, send } => {
                let reply = self.answer_command(origin, answer, send);
                fanout.reply(origin, reply);
            }
            Waiting::Query { origin, account, query } => {
                self.answer_query(origin, account, &query, fanout);
            }
            Waiting::Gone(conn) => {
                self.forget(conn);
                fanout.gone(conn);
            }
        }
    }

    fn answer_command(
        &mut self,
        origin: Origin,
        answer: Result<Answer, Refusal>,
        send: Option<Send>,
    ) -> Reply {
        let asker = self.signed_in.get(&origin.conn).copied();
        let Some(state) = &self.state else {
            return match asker {
                Some(_) => refusal(origin, &Refusal::Unavailable),
                None => sign_in_refused(&Refusal::Unavailable),
            };
        };
        match (answer, send, asker) {
            (Ok(Answer::SignedIn(account)), _, None) => {
                self.signed_in.insert(origin.conn, account);
                self.presence.connected(account, state.rooms_of(account));
                Reply {
                    effect: Effect::SignedIn(account),
                    ..frame(origin, &signed_in(state, account))
                }
            }
            (Ok(Answer::Posted { room, seq, ts, id }), Some(Send { nonce, .. }), _) => {
                frame(origin, &Ack { nonce, room, seq, ts, id })
            }
            (Ok(Answer::Room(room)), _, Some(account)) => {
                answer_room(state, &self.presence, origin, account, Some(room))
            }
            (Ok(_), _, _) => frame(origin, &Done {}),
            (Err(why), _, None) => sign_in_refused(&why),
            (Err(why), _, Some(_)) => refusal(origin, &why),
        }
    }

    fn forget(&mut self, conn: crate::Conn) {
        let Some(account) = self.signed_in.remove(&conn) else { return };
        // Without a state no room is counted: the rooms are counted anew when it is read back.
        let rooms = self.state.iter().flat_map(|state| state.rooms_of(account));
        self.presence.disconnected(account, rooms);
    }

    fn answer_query(
        &self,
        origin: Origin,
        account: AccountId,
        query: &QueryRequest,
        fanout: &mut impl Fanout,
    ) {
        let Some(state) = &self.state else {
            return fanout.reply(origin, answer_without_state(origin, query));
        };
        let presence = &self.presence;
        let reply = match query {
            QueryRequest::Subscribe(asked) => subscribe(state, presence, origin, account, asked),
            QueryRequest::Unsubscribe(Unsubscribe { log }) => shut(origin, *log),
            QueryRequest::History(asked) => match history(state, account, asked) {
                Ok(read) => return fanout.read_history(origin, account, read),
                Err(why) => refusal(origin, &why),
            },
            QueryRequest::FindRoom(FindRoom { name }) => match find_room(state, name) {
                Ok(room) => answer_room(state, presence, origin, account, Some(room)),
                Err(why) => refusal(origin, &why),
            },
            QueryRequest::Rooms(Rooms { after }) => {
                frame(origin, &rooms(state, presence, account, *after))
            }
            QueryRequest::Members(asked) => match members(state, presence, asked) {
                Some(list) => frame(origin, &list),
                None => refusal(origin, &unknown(asked.room)),
            },
            QueryRequest::Accounts(Accounts { ids }) => frame(origin, &accounts(state, ids)),
            QueryRequest::Ping(Ping { token }) => frame(origin, &Pong { token: *token }),
        };
        fanout.reply(origin, reply);
    }
}

/// The answer while the store cannot be read. A cursor can be closed all the same, and a sign of
/// life given.
#[expect(clippy::wildcard_enum_match_arm, reason = "every other question is about the state")]
fn answer_without_state(origin: Origin, query: &QueryRequest) -> Reply {
    match query {
        QueryRequest::Unsubscribe(Unsubscribe { log }) => shut(origin, *log),
        QueryRequest::Ping(Ping { token }) => frame(origin, &Pong { token: *token }),
        _ => refusal(origin, &Refusal::Unavailable),
    }
}

fn shut(origin: Origin, log: LogId) -> Reply {
    Reply { effect: Effect::Shut { log }, ..frame(origin, &Done {}) }
}

fn subscribe(
    state: &State,
    presence: &Presence,
    origin: Origin,
    account: AccountId,
    &Subscribe { log, after }: &Subscribe,
) -> Reply {
    let Some(head) = state.head(log).filter(|_| state.may_read(account, log)) else {
        return refusal(origin, &Refusal::NotReadable { log: log.0 });
    };
    let epoch = state.epoch();
    let after = match after {
        None => head,
        Some(Position { seq: Seq::ZERO, .. }) => Seq::ZERO,
        Some(position) if position.epoch == epoch && position.seq <= head => position.seq,
        Some(_) => return frame(origin, &Reset { log, epoch, head }),
    };
    let effect = Effect::Open { log, after, head };
    Reply { effect, ..frame(origin, &subscribed(state, presence, log, head)) }
}

fn subscribed<'a>(
    state: &'a State,
    presence: &'a Presence,
    log: LogId,
    head: Seq,
) -> SubscribedRef<'a> {
    let room = RoomId(log.0);
    let name = match (state.room(room), state.account(AccountId(log.0))) {
        (Some(room), _) => room.name.as_str(),
        (None, account) => account.map(|held| held.name.as_str()).unwrap_or_default(),
    };
    SubscribedRef {
        log,
        epoch: state.epoch(),
        head,
        name,
        members: List::first_of(members_after(state, presence, room, AccountId(0))),
        member_count: state.room(room).map_or(0, |room| count(room.members.len())),
        online: presence.online(room),
    }
}

fn history(
    state: &State,
    account: AccountId,
    &History { room, before, limit }: &History,
) -> Result<HistoryRead, Refusal> {
    let as_of = state.room(room).map(|room| room.head).ok_or_else(|| unknown(room))?;
    if !state.may_read(account, room.into()) {
        return Err(Refusal::NotReadable { log: room.0 });
    }
    let limit = usize::from(limit).clamp(1, HISTORY_MESSAGES_MAX);
    Ok(HistoryRead { room, epoch: state.epoch(), before, limit, as_of })
}

fn find_room(state: &State, name: &str) -> Result<RoomId, Refusal> {
    let name = RoomName::parse(name)?;
    let unknown = || Refusal::UnknownRoom { room: format!("#{name}") };
    state.room_named(&name).ok_or_else(unknown)
}

fn answer_room(
    state: &State,
    presence: &Presence,
    origin: Origin,
    account: AccountId,
    room: Option<RoomId>,
) -> Reply {
    match room.and_then(|id| room_info(state, presence, account, id)) {
        Some(info) => frame(origin, &info),
        None => refusal(origin, &unknown(room.unwrap_or_default())),
    }
}

fn room_info(
    state: &State,
    presence: &Presence,
    account: AccountId,
    id: RoomId,
) -> Option<RoomInfo> {
    let room = state.room(id)?;
    Some(RoomInfo {
        room: id,
        name: room.name.to_string(),
        head: room.head,
        members: count(room.members.len()),
        online: presence.online(id),
        joined: room.members.contains(account),
    })
}

fn rooms(state: &State, presence: &Presence, account: AccountId, after: RoomId) -> RoomList {
    let mut ids = state.rooms_after(after).map(|(id, _room)| id);
    let page: Vec<RoomId> = ids.by_ref().take(PAGE_ITEMS_MAX).collect();
    let more = ids.next().is_some();
    let infos = page.into_iter().filter_map(|id| room_info(state, presence, account, id));
    RoomList { rooms: List::first_of(infos), more }
}

fn members(
    state: &State,
    presence: &Presence,
    &Members { room, after }: &Members,
) -> Option<MemberList> {
    state.room(room)?;
    let mut rest = members_after(state, presence, room, after);
    let owned = |member: MemberRef<'_>| {
        let MemberRef { account, name, online } = member;
        Member { account, name: name.to_owned(), online }
    };
    let members = List::first_of(rest.by_ref().take(PAGE_ITEMS_MAX).map(owned));
    let more = rest.next().is_some();
    Some(MemberList { room, members, more })
}

fn members_after<'a>(
    state: &'a State,
    presence: &'a Presence,
    room: RoomId,
    after: AccountId,
) -> impl Iterator<Item = MemberRef<'a>> + 'a {
    let ids = state.room(room).into_iter().flat_map(move |room| room.members.after(after));
    ids.filter_map(move |id| {
        let name = state.account(id)?.name.as_str();
        Some(MemberRef { account: id, name, online: presence.is_online(id) })
    })
}

fn accounts(state: &State, ids: &[AccountId]) -> AccountList {
    let ids: BTreeSet<AccountId> = ids.iter().copied().collect();
    let known = ids.iter().filter_map(|id| {
        let account = state.account(*id)?;
        Some(AccountInfo { account: *id, name: account.name.to_string() })
    });
    AccountList { accounts: List::first_of(known) }
}

fn signed_in(state: &State, id: AccountId) -> SignedIn {
    let account = state.account(id);
    SignedIn {
        account: id,
        name: account.map(|held| held.name.to_string()).unwrap_or_default(),
        epoch: state.epoch(),
        head: account.map(|held| held.head).unwrap_or_default(),
    }
}

/// A sign-in that is refused ends the connection: there is nothing else that it could ask.
fn sign_in_refused(why: &Refusal) -> Reply {
    let reason = match why.code().may_be_retried() {
        true => CloseReason::Internal,
        false => CloseReason::SignInRefused,
    };
    let close = Close::new(reason, why.to_string()).because_of(why.code());
    let mut frame = Vec::new();
    encode_frame(&close, chat_proto::RequestId(0), &mut frame).expect("a sentence fits a frame");
    Reply { frame, effect: Effect::Close }
}

fn refusal(origin: Origin, why: &Refusal) -> Reply {
    frame(origin, &why.to_error())
}

fn frame(origin: Origin, body: &impl Written) -> Reply {
    let mut frame = Vec::with_capacity(REPLY_BYTES);
    encode_frame(body, origin.request, &mut frame).expect("replies are bounded below a frame");
    Reply { frame, effect: Effect::None }
}

fn unknown(room: RoomId) -> Refusal {
    Refusal::UnknownRoom { room: format!("with the id {room}") }
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}
