//! Requests and their replies as values: what the driver asks, and what may come back.
//!
//! Owns the pairing of request structs with frames. It must not know who asks.

use chat_proto::{
    AccountId, AccountList, Accounts, Ack, Body, Done, Error, FindRoom, Frame, FrameError, History,
    HistoryPage, Join, Kind, Leave, List, LogId, MemberList, Members, Ping, Pong, Rename,
    RequestId, Reset, RoomId, RoomInfo, RoomList, RoomName, Rooms, Seq, Subscribe, Subscribed,
    Unsubscribe, WireError, encode_frame,
};

/// Anything but a send.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Question {
    Join(RoomName),
    FindRoom(RoomName),
    Leave(RoomId),
    Rename(String),
    Rooms { after: RoomId },
    Members { room: RoomId, after: AccountId },
    Accounts(Vec<AccountId>),
    History { room: RoomId, before: Seq, limit: u16 },
    Ping(u64),
    Subscribe(Subscribe),
    Unsubscribe(LogId),
}

/// Any reply, that to a send included.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Done,
    Ack(Ack),
    Room(RoomInfo),
    Rooms(RoomList),
    Members(MemberList),
    Accounts(AccountList),
    History(HistoryPage),
    Pong(Pong),
    Subscribed(Subscribed),
    Reset(Reset),
    Refused(Error),
}

impl Question {
    /// Appends the request's frame to `out`.
    pub(crate) fn encode(&self, id: RequestId, out: &mut Vec<u8>) -> Result<(), FrameError> {
        match self {
            Self::Join(name) => encode_frame(&Join { name: name.to_string() }, id, out),
            Self::FindRoom(name) => encode_frame(&FindRoom { name: name.to_string() }, id, out),
            Self::Leave(room) => encode_frame(&Leave { room: *room }, id, out),
            Self::Rename(name) => encode_frame(&Rename { name: name.clone() }, id, out),
            Self::Rooms { after } => encode_frame(&Rooms { after: *after }, id, out),
            Self::Members { room, after } => {
                let (room, after) = (*room, *after);
                encode_frame(&Members { room, after }, id, out)
            }
            Self::Accounts(ids) => {
                let ids = List::first_of(ids.iter().copied());
                encode_frame(&Accounts { ids }, id, out)
            }
            &Self::History { room, before, limit } => {
                let history = History { room, before, limit };
                encode_frame(&history, id, out)
            }
            Self::Ping(token) => encode_frame(&Ping { token: *token }, id, out),
            Self::Subscribe(subscribe) => encode_frame(subscribe, id, out),
            Self::Unsubscribe(log) => encode_frame(&Unsubscribe { log: *log }, id, out),
        }
    }

    /// Whether the daemon counts it among the queries, of which few may be in flight.
    pub(crate) fn is_query(&self) -> bool {
        match self {
            Self::Join(_) | Self::Leave(_) | Self::Rename(_) => false,
            Self::FindRoom(_)
            | Self::Rooms { .. }
            | Self::Members { .. }
            | Self::Accounts(_)
            | Self::History { .. }
            | Self::Ping(_)
            | Self::Subscribe(_)
            | Self::Unsubscribe(_) => true,
        }
    }
}

impl Answer {
    /// Reads a reply; `None` when the frame is of a kind that answers nothing.
    pub(crate) fn read(frame: &Frame) -> Option<Result<Self, WireError>> {
        fn body<B: Body>(
            frame: &Frame,
            answer: fn(B) -> Answer,
        ) -> Option<Result<Answer, WireError>> {
            Some(frame.decode_lenient().map(answer))
        }
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "replies are a few of the kinds; the rest is no answer"
        )]
        match frame.known_kind()? {
            Kind::Done => body(frame, |_: Done| Self::Done),
            Kind::Ack => body(frame, Self::Ack),
            Kind::RoomInfo => body(frame, Self::Room),
            Kind::RoomList => body(frame, Self::Rooms),
            Kind::MemberList => body(frame, Self::Members),
            Kind::AccountList => body(frame, Self::Accounts),
            Kind::HistoryPage => body(frame, Self::History),
            Kind::Pong => body(frame, Self::Pong),
            Kind::Subscribed => body(frame, Self::Subscribed),
            Kind::Reset => body(frame, Self::Reset),
            Kind::Error => body(frame, Self::Refused),
            _ => None,
        }
    }
}
