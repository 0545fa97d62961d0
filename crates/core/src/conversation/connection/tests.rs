//! What a connection writes, and in which order.

use std::cell::RefCell;

use chat_proto::{
    CloseReason, CreateInvitation, Epoch, InvitationCode, List, Rename, Renamed, SignedIn,
};

use super::*;
use crate::conversation::introduction::introduction;
use crate::conversation::keys::tests::key_of;
use crate::{Action, Batch, Content, Event, Opening, Rate, Request, Roster, Tail};

const LOG: LogId = LogId(9);

struct Handle(RefCell<Tail>);

impl TailHandle for Handle {
    fn with<R>(&self, look: impl FnOnce(&Tail) -> R) -> Option<R> {
        Some(look(&self.0.borrow()))
    }
}

fn admission() -> Admission {
    let rate = Rate { per_second: 10, burst: 10 };
    Admission {
        identity: key_of([1; 32]),
        rate,
        at_network: crate::Registration::Open,
        at_socket: crate::Registration::Open,
    }
}

fn connection() -> Connection<Handle> {
    let seed = SessionSeed { id: chat_proto::SessionId(1), challenge: [2; 32], binding: None };
    Connection::new(seed, WayIn::Network)
}

/// The same, whose peer has signed in and took what was said to it.
fn signed_in() -> Connection<Handle> {
    let mut connection = connection();
    let introduction = introduction(&key_of([0xC1; 32]), &admission(), &[2; 32]);
    assert!(
        connection.receive(&admission(), &mut &introduction[..], &mut TurnTokens::of(9)).is_some()
    );
    let (account, name) = (AccountId(1), "ada".to_owned());
    let signed_in = SignedIn { account, name, epoch: Epoch(1), head: Seq(1) };
    connection.deliver(COMMAND, &Reply::SignedIn(Box::new(signed_in)), None);
    assert_eq!(connection.account(), Some(AccountId(1)));
    drain(&mut connection);
    connection
}

const COMMAND: (RequestId, Window) = (RequestId(1), Window::Commands);
const QUERY: (RequestId, Window) = (RequestId(1), Window::Queries);

fn opening(after: u64) -> (Reply, Option<Handle>) {
    let (name, topic, members) = (String::new(), String::new(), Roster::default());
    let (epoch, after, head) = (Epoch(1), Seq(after), Seq(7));
    let (log, member_count, online) = (LOG, 0, 0);
    let opening = Opening { log, epoch, after, head, name, topic, members, member_count, online };
    let handle = Handle(RefCell::new(Tail::new(Seq(7))));
    (Reply::Subscribed(Box::new(opening)), Some(handle))
}

/// Takes the replies that wait.
fn drain(connection: &mut Connection<Handle>) {
    let bytes = connection.outgoing().len();
    connection.wrote(&Transmit::default(), bytes);
}

#[test]
fn nothing_follows_a_close() {
    let mut connection = connection();
    let (subscribed, handle) = opening(3);
    assert!(connection.deliver(QUERY, &subscribed, handle).is_none());
    drain(&mut connection);
    let Output::ReadDisk(read) = connection.output() else { panic!("it is behind") };

    let closing = Closing::because(CloseReason::GoingAway, None, "away");
    connection.close(&closing);
    let page = Bytes::from_static(b"a frame from disk");
    connection.read_from_disk(read, page, Seq(7));
    connection.deliver(COMMAND, &Reply::Done, None);
    let (subscribed, handle) = opening(7);
    assert!(connection.deliver(QUERY, &subscribed, handle).is_some(), "it is given back");
    connection.say(b"a probe");
    assert_eq!(connection.outgoing(), closing.frame());
    drain(&mut connection);
    assert_eq!(connection.output(), Output::Close);
}

#[test]
fn whoever_may_follow_no_more_gets_nothing_behind_the_frame_that_has_begun() {
    let mut connection = connection();
    let (subscribed, handle) = opening(6);
    let handle = handle.inspect(|handle| {
        handle.0.replace(Tail::new(Seq(6)));
    });
    assert!(connection.deliver(QUERY, &subscribed, handle).is_none());
    drain(&mut connection);
    let mut batch = Batch::after(Seq(6));
    for seq in 7..=8 {
        let content = Content::RoomJoined { room: chat_proto::RoomId(1) };
        batch.push(&Event { log: LOG, seq: Seq(seq), ts: chat_proto::Timestamp(1), content });
    }
    let first = chat_proto::frame_end(&batch.frames, 0).expect("it is whole");
    let frames = batch.frames.clone();
    connection.handle(LOG).expect("it follows").0.borrow_mut().publish(batch);
    connection.wake(LOG);
    let Output::Write(transmit) = connection.output() else { panic!("there is something") };
    connection.wrote(&transmit, 5);

    assert!(connection.revoke(LOG, b"it ends").is_some());
    assert_eq!(connection.outgoing(), [&frames[5..first], b"it ends"].concat());
    drain(&mut connection);
    connection.wake(LOG);
    assert_eq!(connection.output(), Output::Nothing);
    assert!(connection.revoke(LOG, b"it ends").is_none(), "it is told once");
    assert!(connection.outgoing().is_empty());
}

#[test]
fn renames_do_not_pile_up_for_a_peer_that_takes_nothing_and_it_learns_that_it_missed_some() {
    let renamed = |account| {
        let mut frame = Vec::new();
        let renamed = Renamed { account: AccountId(account), name: "eve".to_owned() };
        encode_frame(&renamed, RequestId(0), &mut frame).unwrap();
        frame
    };
    let mut connection = connection();
    let mut told = 0;
    while connection.outgoing().len() < OUTGOING_BYTES_HIGH {
        connection.tell_renamed(&renamed(1));
        told += 1;
        assert_eq!(connection.outgoing().len(), told * renamed(1).len(), "{told}");
    }
    let held = connection.outgoing().len();
    (0..1000).for_each(|_| connection.tell_renamed(&renamed(2)));
    assert_eq!(connection.outgoing().len(), held);
    drain(&mut connection);
    assert_eq!(connection.outgoing(), unsure_of_names(), "said once, and last");
    drain(&mut connection);
    assert!(connection.outgoing().is_empty());
    connection.tell_renamed(&renamed(3));
    assert_eq!(connection.outgoing(), renamed(3));
}

/// The first bytes of a frame, and none of the body that they announce.
fn header(kind: chat_proto::Kind, body_bytes: usize) -> Vec<u8> {
    let length = u32::try_from(8 + body_bytes).unwrap();
    let kind = (kind as u16).to_le_bytes();
    [&length.to_le_bytes()[..], &kind, &[1, 0, 1, 0, 0, 0]].concat()
}

/// What a connection that has read a header says to it; `None`: the body may come.
fn said_to(connection: &mut Connection<Handle>, header: &[u8]) -> Option<ErrorCode> {
    assert_eq!(connection.receive(&admission(), &mut &header[..], &mut TurnTokens::of(9)), None);
    if !connection.is_closing() {
        return None;
    }
    let said = FrameCodec::default().next_frame(connection.outgoing()).unwrap().unwrap();
    ErrorCode::from_number(said.decode::<chat_proto::Close>().unwrap().code)
}

#[test]
fn what_is_refused_is_refused_by_its_header() {
    use chat_proto::Kind;
    for kind in Kind::ALL.iter().copied() {
        let said = said_to(&mut connection(), &header(kind, 100));
        let expected = (kind != Kind::Hello).then_some(ErrorCode::OutOfTurn);
        assert_eq!(said, expected, "{kind:?} comes first");

        for over in [0, 1] {
            let mut connection = signed_in();
            let most = kind.request_bytes_max();
            let said = said_to(&mut connection, &header(kind, most.unwrap_or(0) + over));
            let expected = match most {
                None => Some(ErrorCode::OutOfTurn),
                Some(_) if matches!(kind, Kind::Hello | Kind::SignIn | Kind::LinkDevice) => {
                    Some(ErrorCode::OutOfTurn)
                }
                Some(_) => (over == 1).then_some(ErrorCode::FrameTooLong),
            };
            assert_eq!(said, expected, "{kind:?}, {over} bytes over the most");
        }
    }
}

#[test]
fn a_name_that_is_none_is_refused_here_and_costs_its_tokens() {
    let mut connection = signed_in();
    let mut asked = Vec::new();
    for request in 1..=12 {
        encode_frame(&Rename { name: "a b".to_owned() }, RequestId(request), &mut asked).unwrap();
    }
    let (mut rest, mut tokens) = (&asked[..], TurnTokens::of(10));
    assert_eq!(connection.receive(&admission(), &mut rest, &mut tokens), None);
    assert_eq!(connection.in_flight(), 0);
    let said = FrameCodec::default().next_frame(connection.outgoing()).unwrap().unwrap();
    let error: chat_proto::Error = said.decode().unwrap();
    assert_eq!((said.request, error.known_code()), (RequestId(1), Some(ErrorCode::BadName)));
    assert_eq!(tokens.taken(), 10);
    assert_eq!(rest.len(), asked.len() / 12 * 2, "the last two wait for more tokens");
}

fn invite(connection: &mut Connection<Handle>) -> Option<ReceivedRequest> {
    let asked =
        CreateInvitation { uses: 1, seconds: 60, rooms: List::default(), name: String::new() };
    let mut frame = Vec::new();
    encode_frame(&asked, RequestId(1), &mut frame).unwrap();
    connection.receive(&admission(), &mut &frame[..], &mut TurnTokens::of(9))
}

#[test]
fn the_code_of_an_invitation_goes_to_whoever_asked_and_its_hash_alone_goes_on() {
    let mut connection = signed_in();
    let asked = invite(&mut connection).expect("it is a request");
    let Request::Command(Action::Authenticated { action, .. }) = asked.request else {
        panic!("{asked:?}");
    };
    let Action::CreateInvitation { invitation, .. } = *action else { panic!("{action:?}") };
    let code = InvitationCode([0xD4; 16]);
    assert_eq!(invitation.hash, code.hash());
    // One at a time: the second is refused, and the first keeps its code.
    assert!(invite(&mut connection).is_none());
    drain(&mut connection);
    let (expires, invitation) = (chat_proto::Timestamp(9), code.hash().id());
    let untold = InvitationMade { invitation, code: InvitationCode([0; 16]), expires };
    connection.deliver(COMMAND, &Reply::Invited(untold), None);
    let frame = FrameCodec::default().split_frame(&mut connection.outgoing()).unwrap().unwrap();
    let told: InvitationMade = frame.decode().unwrap();
    assert_eq!(told, InvitationMade { code, ..untold });
    drain(&mut connection);
    assert!(invite(&mut connection).is_some(), "the next one may be made");
}
