//! The one list of requests: what each is answered with, which window it takes a place in, and how
//! long its body may be.
//!
//! Owns everything about a request that both ends must see alike. It must not know what a request
//! does. A server knows from the header alone how long a body may be, before it keeps a byte of it.

use crate::limits::{PAGE_ITEMS_MAX, REASON_BYTES_MAX, TEXT_BYTES_MAX, TOPIC_BYTES_MAX};
use crate::{
    AccountList, Accounts, Ack, Body, CreateInvitation, CreateRoom, Delete, DeviceList, Devices,
    Done, Edit, FindAccount, FindRoom, Frame, FrameRef, History, HistoryPage, InvitationList,
    InvitationMade, Invitations, Invite, Join, Kind, Leave, MemberList, Members, OpenDirect,
    OpenLink, Ping, Pong, React, Rename, Reset, RevokeCredential, RevokeInvitation, RoomInfo,
    RoomList, Rooms, Send, Seq, SetAccess, SetReadOnly, SetRole, SetTopic, Subscribe, Subscribed,
    Unsubscribe, WireError,
};
use crate::{Ban, BanList, Bans, Kick, Mute, RemoveMessages, Report, SetSlow, Unban, Unmute};

/// The longest a number can be on the wire.
const NUMBER_BYTES_MAX: usize = 9;

/// Room for a few numbers, ids and flags.
const NUMBERS: usize = 64;

/// A name, and as much again as lets one that is too long be refused with a sentence.
const NAME: usize = 512;

/// A topic, and as much again as lets one that is too long be refused with a sentence.
const TOPIC: usize = 2 * TOPIC_BYTES_MAX;
/// A name beside the longest proof, and an invitation.
const SIGN_IN: usize = NAME + 64;

/// A text with what may come with it; one that is a little too long is refused, and the connection
/// lives.
const TEXT: usize = TEXT_BYTES_MAX + 2048;

/// A reason with the ids that come with it; one that is a little too long is refused with a sentence.
const REASON: usize = REASON_BYTES_MAX + 1024;

/// A full list of ids.
const IDS: usize = NUMBER_BYTES_MAX * (1 + PAGE_ITEMS_MAX);

/// What a signed-in client may ask, and what answers it: this, or [`crate::Error`].
pub trait Request: Body + std::fmt::Debug + std::marker::Send + 'static {
    /// What it is answered with.
    type Reply: ReplyBody + std::fmt::Debug + std::marker::Send;
    /// In which window it takes a place until then.
    const WINDOW: Window;
    /// The longest body that a server reads, in bytes.
    const BODY_BYTES_MAX: usize;

    /// Whether a reply can be the answer to this very request. A client believes no other.
    fn is_answered_by(&self, reply: &Self::Reply) -> bool;
}

/// The windows of a connection: what is in flight is bounded in each.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Window {
    /// Requests that may change something. Their replies are small: acks and refusals.
    Commands,
    /// Requests that only read, and whatever opens and closes cursors. Replies of up to a frame.
    Queries,
}

/// What a request can be answered with: one body, or one of two.
pub trait ReplyBody: Sized {
    /// Reads a reply as a client does; `None` when the frame is of another kind.
    fn read(frame: &Frame) -> Option<Result<Self, WireError>>;
}

impl<B: Body> ReplyBody for B {
    fn read(frame: &Frame) -> Option<Result<Self, WireError>> {
        (frame.kind == B::KIND as u16).then(|| frame.decode_lenient())
    }
}

/// What a [`Subscribe`] is answered with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SubscribeReply {
    /// The cursor is open.
    Subscribed(Subscribed),
    /// The position is of another life of the log.
    Reset(Reset),
}

impl ReplyBody for SubscribeReply {
    fn read(frame: &Frame) -> Option<Result<Self, WireError>> {
        let subscribed = Subscribed::read(frame).map(|body| body.map(Self::Subscribed));
        subscribed.or_else(|| Reset::read(frame).map(|body| body.map(Self::Reset)))
    }
}

/// A request that has come, of whichever kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum AnyRequest {
    /// It may change something.
    Command(CommandRequest),
    /// It changes nothing that is logged.
    Query(QueryRequest),
}

macro_rules! requests {
    ($($(#[$doc:meta])* $any:ident in $window:ident {
        $($name:ident -> $reply:ty, $bytes_max:expr $(, if $fits:expr)?;)*
    })*) => {
        $($(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum $any {
            $(#[doc = concat!("A [`", stringify!($name), "`](crate::", stringify!($name), ").")]
            $name($name),)*
        }

        impl $any {
            /// Reads such a request strictly; `None` when the frame is of another kind.
            pub fn read(frame: &FrameRef<'_>) -> Option<Result<Self, WireError>> {
                match frame.known_kind()? {
                    $(Kind::$name => Some(frame.decode().map(Self::$name)),)*
                    _ => None,
                }
            }
        }

        $(impl Request for $name {
            type Reply = $reply;
            const WINDOW: Window = Window::$window;
            const BODY_BYTES_MAX: usize = $bytes_max;

            fn is_answered_by(&self, reply: &$reply) -> bool {
                let fits: fn(&Self, &$reply) -> bool = requests!(@fits $($fits)?);
                fits(self, reply)
            }
        })*)*

        impl Kind {
            /// The longest body of what a client says of this kind, in bytes; `None` when it is
            /// the server that says it.
            #[must_use]
            pub fn request_bytes_max(self) -> Option<usize> {
                match self {
                    Self::Hello | Self::LinkDevice => Some(NAME),
                    Self::SignIn => Some(SIGN_IN),
                    Self::ProbeReply => Some(NUMBERS),
                    $($(Self::$name => Some($bytes_max),)*)*
                    _ => None,
                }
            }
        }
    };
    (@fits) => { |_request, _reply| true };
    (@fits $fits:expr) => { $fits };
}

requests! {
    /// A request that may change something.
    CommandRequest in Commands {
        Send -> Ack, TEXT, if |send, ack| ack.nonce == send.nonce;
        Join -> RoomInfo, NAME;
        Leave -> Done, NUMBERS;
        Rename -> Done, NAME;
        Edit -> Ack, TEXT, if |edit, ack| ack.nonce == edit.nonce;
        Delete -> Ack, NUMBERS, if |delete, ack| ack.nonce == delete.nonce;
        React -> Ack, NAME, if |react, ack| ack.nonce == react.nonce;
        SetRole -> Done, NUMBERS;
        SetAccess -> Done, NUMBERS;
        Invite -> Done, NUMBERS;
        SetTopic -> Done, TOPIC;
        SetReadOnly -> Done, NUMBERS;
        OpenDirect -> RoomInfo, NUMBERS, if |asked, room| room.with == asked.account;
        CreateRoom -> RoomInfo, NAME;
        OpenLink -> Done, NUMBERS;
        RevokeCredential -> Done, NUMBERS;
        CreateInvitation -> InvitationMade, NAME;
        RevokeInvitation -> Done, NUMBERS;
        Kick -> Done, REASON;
        Ban -> Done, REASON;
        Unban -> Done, NUMBERS;
        Mute -> Done, REASON;
        Unmute -> Done, NUMBERS;
        SetSlow -> Done, NUMBERS;
        Report -> Done, REASON;
        RemoveMessages -> Done, NUMBERS;
    }
    /// A request that changes nothing that is logged.
    QueryRequest in Queries {
        Subscribe -> SubscribeReply, NUMBERS, if is_of_log;
        Unsubscribe -> Done, NUMBERS;
        History -> HistoryPage, NUMBERS, if |asked, page| leads_on(asked, page);
        FindRoom -> RoomInfo, NAME;
        Rooms -> RoomList, NUMBERS, if |asked, page| rises(asked.after, &page.rooms, page.more, |it| it.room);
        Members -> MemberList, NUMBERS, if |asked, page| page.room == asked.room
            && rises(asked.after, &page.members, page.more, |it| it.account);
        Accounts -> AccountList, IDS;
        Invitations -> InvitationList, NUMBERS, if |asked, page| rises(asked.after, &page.invitations, page.more, |it| it.invitation);
        Bans -> BanList, NUMBERS, if |asked, page| page.room == asked.room
            && rises(asked.after, &page.bans, page.more, |it| it.account);
        FindAccount -> AccountList, NAME, if |_asked, found| found.accounts.len() <= 1;
        Ping -> Pong, NUMBERS, if |ping, pong| ping.token == pong.token;
        Devices -> DeviceList, NUMBERS;
    }
}

impl AnyRequest {
    /// Reads a request strictly; `None` when the frame is none.
    pub fn read(frame: &FrameRef<'_>) -> Option<Result<Self, WireError>> {
        let command = CommandRequest::read(frame).map(|read| read.map(Self::Command));
        command.or_else(|| QueryRequest::read(frame).map(|read| read.map(Self::Query)))
    }
}

fn is_of_log(asked: &Subscribe, reply: &SubscribeReply) -> bool {
    match reply {
        SubscribeReply::Subscribed(subscribed) => subscribed.log == asked.log,
        SubscribeReply::Reset(reset) => reset.log == asked.log,
    }
}

/// Whether a page is behind what was asked for, so that whoever goes on from it comes to an end.
fn rises<T, I: Ord + Copy>(after: I, items: &[T], more: bool, id: impl Fn(&T) -> I) -> bool {
    let first_is_new = items.first().is_none_or(|item| id(item) > after);
    first_is_new
        && items.is_sorted_by(|one, next| id(one) < id(next))
        && !(more && items.is_empty())
}

/// The same of a page that goes backwards. One that says `more` and brings nothing leads nowhere.
fn leads_on(asked: &History, page: &HistoryPage) -> bool {
    let is_older = |seq: Seq| seq < asked.before;
    let rises = page.messages.is_sorted_by(|one, next| one.seq < next.seq);
    page.room == asked.room
        && rises
        && page.messages.last().is_none_or(|newest| is_older(newest.seq))
        && page.gaps.iter().all(|gap| is_older(gap.from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{
        AGENT_BYTES_MAX, ATTACHMENTS_MAX, INVITATION_ROOMS_MAX, LABEL_BYTES_MAX, NAME_BYTES_MAX,
        PROOF_BYTES_MAX, REACTION_BYTES_MAX, VERSIONS_MAX, VIA_BYTES_MAX,
    };
    use crate::wire::encode_into;
    use crate::{
        AccountId, AttachmentId, Context, Epoch, Hello, InvitationCode, LinkCode, LinkDevice, List,
        LogId, MessageId, Nonce, Position, PublicKey, RequestId, RoomId, SignIn, StreamId,
        TextBody,
    };

    fn fits<B: Body>(body: &B) {
        let mut bytes = Vec::new();
        encode_into(body, &mut bytes).unwrap();
        let most = B::KIND.request_bytes_max().unwrap();
        assert!(bytes.len() <= most, "a {:?} has {} of {most} bytes", B::KIND, bytes.len());
    }

    #[test]
    fn the_longest_request_of_each_kind_fits() {
        let name = "x".repeat(NAME_BYTES_MAX);
        let versions = List::first_of([u16::MAX; VERSIONS_MAX]);
        fits(&Hello { versions, agent: "x".repeat(AGENT_BYTES_MAX), random: [0; 32] });
        let sign_in = SignIn::with_key(PublicKey([0; 32]), [0; 64], &*name);
        fits(&SignIn {
            credential_kind: u16::MAX,
            proof_kind: u16::MAX,
            proof: List::first_of([0; PROOF_BYTES_MAX]),
            invitation: Some(InvitationCode([0; 16])),
            ..sign_in.clone()
        });
        let label = "x".repeat(LABEL_BYTES_MAX);
        fits(&LinkDevice {
            proof: List::first_of([0; PROOF_BYTES_MAX]),
            ..LinkDevice::of(sign_in, LinkCode([0; 16]), label)
        });
        let rooms = List::first_of([RoomId(u64::MAX); INVITATION_ROOMS_MAX]);
        fits(&CreateInvitation { uses: u32::MAX, seconds: u32::MAX, rooms, name: name.clone() });
        fits(&Join { name });
        let nonce = Nonce { stream: StreamId([0; 16]), n: u64::MAX };
        let (room, of) = (RoomId(u64::MAX), Seq(u64::MAX));
        let text = "x".repeat(TEXT_BYTES_MAX + 512);
        let context = Context {
            thread: Some(of),
            attachments: List::first_of([AttachmentId([0; 32]); ATTACHMENTS_MAX]),
            cause: Some(MessageId([0; 16])),
            via: Some("x".repeat(VIA_BYTES_MAX)),
        };
        let context = Some(Box::new(context));
        let reply_to = crate::EventSeq::new(of);
        let body = TextBody { kind: u16::MAX, text: text.clone(), reply_to, context };
        fits(&Send { nonce, room, body });
        fits(&Edit { nonce, room, of, text });
        fits(&Delete { nonce, room, of });
        fits(&React { nonce, room, of, reaction: "x".repeat(REACTION_BYTES_MAX), is_set: true });
        let (account, until) = (AccountId(u64::MAX), crate::Timestamp(u64::MAX));
        let reason = "x".repeat(REASON_BYTES_MAX + 512);
        fits(&Ban { room, account, until, reason: reason.clone() });
        fits(&Report { room, seq: of, reason });
        fits(&Accounts { ids: List::first_of([AccountId(u64::MAX); PAGE_ITEMS_MAX]) });
        let after = Position { epoch: Epoch(u64::MAX), seq: Seq(u64::MAX) };
        fits(&Subscribe { log: LogId(u64::MAX), after: Some(after) });
        fits(&History { room: RoomId(u64::MAX), before: Seq(u64::MAX), limit: u16::MAX });
    }

    #[test]
    fn what_the_server_says_is_no_request() {
        for kind in [Kind::Welcome, Kind::Error, Kind::Posted, Kind::Gap, Kind::Close] {
            assert_eq!(kind.request_bytes_max(), None, "{kind:?}");
        }
    }

    #[test]
    fn every_kind_of_a_client_but_those_without_a_reply_is_in_the_table() {
        for kind in Kind::ALL.iter().copied() {
            let frame =
                FrameRef { kind: kind as u16, version: 1, request: RequestId(1), body: &[] };
            let in_table = AnyRequest::read(&frame).is_some();
            let is_numbered_so = (0x0100..0x0200).contains(&(kind as u16));
            assert_eq!(in_table, is_numbered_so && kind != Kind::ProbeReply, "{kind:?}");
            let is_beside =
                matches!(kind, Kind::Hello | Kind::SignIn | Kind::LinkDevice | Kind::ProbeReply);
            assert_eq!(kind.request_bytes_max().is_some(), in_table || is_beside, "{kind:?}");
        }
    }

    #[test]
    fn a_page_that_leads_nowhere_answers_nothing() {
        let page = |ids: &[u64], more| {
            let room = |id: &u64| RoomInfo {
                room: RoomId(*id),
                name: String::new(),
                ..RoomInfo::default()
            };
            RoomList { rooms: List::first_of(ids.iter().map(room)), more }
        };
        let asked = Rooms { after: RoomId(4) };
        assert!(asked.is_answered_by(&page(&[5, 7], true)));
        assert!(asked.is_answered_by(&page(&[], false)));
        assert!(!asked.is_answered_by(&page(&[], true)), "it would be asked for for ever");
        assert!(!asked.is_answered_by(&page(&[4, 5], false)));
        assert!(!asked.is_answered_by(&page(&[7, 5], false)));
    }

    #[test]
    fn a_reply_to_another_request_answers_nothing() {
        assert!(!Ping { token: 1 }.is_answered_by(&Pong { token: 2 }));
        let (epoch, head) = (Epoch(1), Seq(0));
        let reset = |log| SubscribeReply::Reset(Reset { log, epoch, head });
        let asked = Subscribe { log: LogId(1), after: None };
        assert!(asked.is_answered_by(&reset(LogId(1))));
        assert!(!asked.is_answered_by(&reset(LogId(2))));
    }
}
