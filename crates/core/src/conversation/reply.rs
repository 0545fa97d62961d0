//! Replies: what a request is answered with, as a value. It becomes bytes where it is written, by whoever
//! has the connection; what it does to the connection follows from what it is.
//!
//! A reply must not grow past what is moved cheaply: an ack is all of it, and what is larger and seldom is
//! in a box.

use chat_proto::{
    AccountId, AccountList, Ack, BanList, DeviceList, Done, Epoch, FrameBuffer, HistoryPage,
    InvitationList, InvitationMade, Kind, List, LogId, MemberList, MemberRef, Pong, RequestId,
    Reset, RoomInfo, RoomList, Seq, SignedIn, SubscribedRef, Written, encode_frame,
};

use crate::{Closing, Refusal};

/// A reply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// A send is in its log.
    Ack(Ack),
    /// It is done.
    Done,
    /// It was not carried out.
    Refused(Refusal),
    /// From here on the connection speaks for this account.
    SignedIn(Box<SignedIn>),
    /// The sign-in was refused: the connection closes behind this.
    Closing(Box<Closing>),
    /// A cursor opens behind this.
    Subscribed(Box<Opening>),
    /// The position is of another epoch: no cursor opens.
    Reset(Reset),
    /// A cursor closes before this.
    Unsubscribed(LogId),
    /// A sign of life.
    Pong(Pong),
    /// A room.
    Room(Box<RoomInfo>),
    /// Rooms.
    Rooms(RoomList),
    /// Members of a room.
    Members(MemberList),
    /// Accounts with their names.
    Accounts(AccountList),
    /// Bans of a room.
    Bans(Box<BanList>),
    /// A page of history.
    History(Box<HistoryPage>),
    /// What an account signs in with.
    Devices(DeviceList),
    /// An invitation is made. Its code is put in where the connection is, which has drawn it.
    Invited(InvitationMade),
    /// Invitations that are open.
    Invitations(InvitationList),
}

/// What a subscription is answered with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Opening {
    /// On which log.
    pub log: LogId,
    /// The logs' epoch.
    pub epoch: Epoch,
    /// After which event the cursor opens.
    pub after: Seq,
    /// The log's head.
    pub head: Seq,
    /// What the log is called.
    pub name: String,
    /// What the room is about.
    pub topic: String,
    /// The first members of a room.
    pub members: Roster,
    /// How many there are.
    pub member_count: u32,
    /// How many of them are connected.
    pub online: u32,
}

/// Members with their names, in two pieces of memory and not one for each: rooms are opened by thousands
/// who come back at once.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Roster {
    /// Each with where its name ends, and whether it is connected.
    members: Vec<(AccountId, usize, bool)>,
    /// The names, one behind the other.
    names: String,
}

/// What a connection does when a reply passes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Effect {
    /// Nothing: it is only written.
    None,
    /// From here on the connection speaks for this account.
    SignedIn(AccountId),
    /// The connection closes behind the frame, which is a `Close`.
    Close,
    /// A cursor opens behind the frame.
    Open {
        /// On which log.
        log: LogId,
        /// After which event.
        after: Seq,
        /// The log's head, when its tail is not in memory.
        head: Seq,
    },
    /// The cursor closes before the frame.
    Shut {
        /// On which log.
        log: LogId,
    },
}

impl Reply {
    /// What the connection does along with it.
    #[must_use]
    pub fn effect(&self) -> Effect {
        match self {
            Self::SignedIn(signed_in) => Effect::SignedIn(signed_in.account),
            Self::Closing(_) => Effect::Close,
            Self::Subscribed(opening) => {
                let Opening { log, after, head, .. } = **opening;
                Effect::Open { log, after, head }
            }
            Self::Unsubscribed(log) => Effect::Shut { log: *log },
            Self::Ack(_)
            | Self::Done
            | Self::Refused(_)
            | Self::Reset(_)
            | Self::Pong(_)
            | Self::Room(_)
            | Self::Rooms(_)
            | Self::Members(_)
            | Self::Accounts(_)
            | Self::Devices(_)
            | Self::Bans(_)
            | Self::History(_)
            | Self::Invited(_)
            | Self::Invitations(_) => Effect::None,
        }
    }

    /// The kind of its frame.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Ack(_) => Kind::Ack,
            Self::Done | Self::Unsubscribed(_) => Kind::Done,
            Self::Refused(_) => Kind::Error,
            Self::SignedIn(_) => Kind::SignedIn,
            Self::Closing(_) => Kind::Close,
            Self::Subscribed(_) => Kind::Subscribed,
            Self::Reset(_) => Kind::Reset,
            Self::Pong(_) => Kind::Pong,
            Self::Room(_) => Kind::RoomInfo,
            Self::Rooms(_) => Kind::RoomList,
            Self::Members(_) => Kind::MemberList,
            Self::Accounts(_) => Kind::AccountList,
            Self::Bans(_) => Kind::BanList,
            Self::History(_) => Kind::HistoryPage,
            Self::Devices(_) => Kind::DeviceList,
            Self::Invited(_) => Kind::InvitationMade,
            Self::Invitations(_) => Kind::InvitationList,
        }
    }

    /// Appends its frame, as the answer to `request`.
    pub fn encode(&self, request: RequestId, out: &mut impl FrameBuffer) {
        match self {
            Self::Ack(ack) => put(ack, request, out),
            Self::Done | Self::Unsubscribed(_) => put(&Done {}, request, out),
            Self::Refused(why) => put(&why.to_error(), request, out),
            Self::SignedIn(signed_in) => put(&**signed_in, request, out),
            // It is the last word, and not about a request alone.
            Self::Closing(closing) => put(&closing.to_close(), RequestId(0), out),
            Self::Subscribed(opening) => put(&opening.body(), request, out),
            Self::Reset(reset) => put(reset, request, out),
            Self::Pong(pong) => put(pong, request, out),
            Self::Room(room) => put(&**room, request, out),
            Self::Rooms(rooms) => put(rooms, request, out),
            Self::Members(members) => put(members, request, out),
            Self::Accounts(accounts) => put(accounts, request, out),
            Self::Bans(page) => put(&**page, request, out),
            Self::History(page) => put(&**page, request, out),
            Self::Devices(devices) => put(devices, request, out),
            Self::Invited(made) => put(made, request, out),
            Self::Invitations(page) => put(page, request, out),
        }
    }
}

impl Opening {
    fn body(&self) -> SubscribedRef<'_> {
        SubscribedRef {
            log: self.log,
            epoch: self.epoch,
            head: self.head,
            name: &self.name,
            topic: &self.topic,
            members: List::first_of(self.members.iter()),
            member_count: self.member_count,
            online: self.online,
        }
    }
}

impl Roster {
    /// Takes one more.
    pub fn push(&mut self, member: &MemberRef<'_>) {
        self.names.push_str(member.name);
        self.members.push((member.account, self.names.len(), member.online));
    }

    /// All of them, as they were taken.
    pub fn iter(&self) -> impl Iterator<Item = MemberRef<'_>> {
        let mut begin = 0;
        self.members.iter().map(move |(account, end, online)| {
            let name = &self.names[std::mem::replace(&mut begin, *end)..*end];
            MemberRef { account: *account, name, online: *online }
        })
    }
}

fn put(body: &impl Written, request: RequestId, out: &mut impl FrameBuffer) {
    encode_frame(body, request, out).expect("replies are bounded below a frame");
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use chat_proto::{
        CloseReason, FrameCodec, InvitationCode, InvitationId, MessageId, Nonce, RoomId, StreamId,
        Timestamp,
    };

    use super::*;

    /// Each is moved some four times on its way from the commit to the connection.
    #[test]
    fn a_reply_is_hardly_larger_than_an_ack() {
        assert!(size_of::<Reply>() <= size_of::<Ack>() + 8, "{}", size_of::<Reply>());
    }

    #[test]
    #[expect(clippy::too_many_lines, reason = "one of each reply")]
    fn a_reply_says_what_it_is_and_to_what_it_is_the_answer() {
        let (log, epoch, seq, account) = (LogId(4), Epoch(3), Seq(2), AccountId(1));
        let (room, name) = (RoomId(4), || "ada".to_owned());
        let closing = Closing::because(CloseReason::SignInRefused, None, "no");
        let info = RoomInfo {
            room,
            name: name(),
            head: seq,
            members: 1,
            online: 1,
            joined: true,
            ..RoomInfo::default()
        };
        let opening = Opening {
            log,
            epoch,
            after: Seq(1),
            head: seq,
            name: name(),
            topic: String::new(),
            members: Roster::default(),
            member_count: 1,
            online: 1,
        };
        let page = HistoryPage {
            room,
            epoch,
            as_of: seq,
            messages: List::default(),
            more: false,
            gaps: List::default(),
        };
        let nonce = Nonce { stream: StreamId([5; 16]), n: 1 };
        let (ts, id) = (Timestamp(9), MessageId([6; 16]));
        let (rooms, members, more) = (List::default(), List::default(), false);
        let (invitation, code) = (InvitationId(8), InvitationCode([9; 16]));
        let invitations = List::default();
        let replies = [
            (Reply::Ack(Ack { nonce, room, seq, ts, id }), Effect::None),
            (Reply::Done, Effect::None),
            (Reply::Refused(Refusal::Busy), Effect::None),
            (
                Reply::SignedIn(Box::new(SignedIn { account, name: name(), epoch, head: seq })),
                Effect::SignedIn(account),
            ),
            (Reply::Closing(Box::new(closing)), Effect::Close),
            (Reply::Subscribed(Box::new(opening)), Effect::Open { log, after: Seq(1), head: seq }),
            (Reply::Reset(Reset { log, epoch, head: seq }), Effect::None),
            (Reply::Unsubscribed(log), Effect::Shut { log }),
            (Reply::Pong(Pong { token: 7 }), Effect::None),
            (Reply::Room(Box::new(info)), Effect::None),
            (Reply::Rooms(RoomList { rooms, more }), Effect::None),
            (Reply::Members(MemberList { room, members, more }), Effect::None),
            (Reply::Accounts(AccountList { accounts: List::default() }), Effect::None),
            (
                Reply::Bans(Box::new(BanList { room, bans: List::default(), more: false })),
                Effect::None,
            ),
            (Reply::History(Box::new(page)), Effect::None),
            (Reply::Devices(DeviceList { devices: List::default() }), Effect::None),
            (Reply::Invited(InvitationMade { invitation, code, expires: ts }), Effect::None),
            (Reply::Invitations(InvitationList { invitations, more }), Effect::None),
        ];
        for (reply, effect) in replies {
            let (mut bytes, mut behind) = (Vec::new(), BytesMut::from(&b"before"[..]));
            reply.encode(RequestId(77), &mut bytes);
            reply.encode(RequestId(77), &mut behind);
            assert_eq!(behind[6..], bytes[..], "{reply:?}");
            let frame = FrameCodec::default().split_frame(&mut &bytes[..]).unwrap().unwrap();
            // A `Close` is not about a request alone.
            let request = if effect == Effect::Close { RequestId(0) } else { RequestId(77) };
            assert_eq!((frame.known_kind(), frame.request), (Some(reply.kind()), request));
            assert_eq!(reply.effect(), effect, "{reply:?}");
        }
    }

    #[test]
    fn a_roster_gives_its_members_as_it_took_them() {
        let mut roster = Roster::default();
        let member = |number, name, online| MemberRef { account: AccountId(number), name, online };
        let members = [member(1, "ada", true), member(2, "", false), member(3, "zoë", true)];
        members.iter().for_each(|member| roster.push(member));
        let given = roster.iter().map(|member| (member.account, member.name, member.online));
        let taken = members.iter().map(|member| (member.account, member.name, member.online));
        assert!(given.eq(taken));
        assert_eq!(roster.iter().count(), 3);
    }
}
