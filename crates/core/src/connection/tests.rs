//! What a connection writes, and in which order.

use std::cell::RefCell;

use chat_proto::{CloseReason, Done, Ping, Rename};

use super::*;
use crate::{Rate, ServerKey, Tail};

const LOG: LogId = LogId(9);

struct Handle(RefCell<Tail>);

impl TailHandle for Handle {
    fn with<R>(&self, look: impl FnOnce(&Tail) -> R) -> R {
        look(&self.0.borrow())
    }
}

fn admission() -> Admission {
    let rate = Rate { per_second: 10, burst: 10 };
    Admission { identity: ServerKey::from_seed(&[1; 32]), rate }
}

fn connection() -> Connection<Handle> {
    let seed = SessionSeed { id: chat_proto::SessionId(1), challenge: [2; 32] };
    Connection::new(seed, &admission(), 0)
}

fn reply(effect: Effect) -> Reply {
    let mut frame = Vec::new();
    encode_frame(&Done {}, RequestId(1), &mut frame).unwrap();
    Reply { frame, effect }
}

fn opening(after: u64) -> (Reply, Option<Handle>) {
    let effect = Effect::Open { log: LOG, after: Seq(after), head: Seq(7) };
    (reply(effect), Some(Handle(RefCell::new(Tail::new(Seq(7))))))
}

/// Takes the replies that wait.
fn drain(connection: &mut Connection<Handle>) {
    let bytes = connection.outgoing().len();
    connection.wrote(&Parcel::default(), bytes);
}

#[test]
fn nothing_follows_a_close() {
    let mut connection = connection();
    let (subscribed, handle) = opening(3);
    assert!(connection.deliver(Lane::Queries, &subscribed, handle).is_none());
    drain(&mut connection);
    let Output::ReadDisk { after, .. } = connection.output() else { panic!("it is behind") };

    let closing =
        Closing { reason: CloseReason::GoingAway, code: None, message: "away".to_owned() };
    connection.close(&closing);
    let page = Bytes::from_static(b"a frame from disk");
    connection.read_from_disk(LOG, after, page, Seq(7));
    connection.deliver(Lane::Commands, &reply(Effect::None), None);
    let (subscribed, handle) = opening(7);
    assert!(connection.deliver(Lane::Queries, &subscribed, handle).is_some(), "it is given back");
    connection.say(b"a probe");
    assert_eq!(connection.outgoing(), closing.frame());
    drain(&mut connection);
    assert_eq!(connection.output(), Output::Close);
}

#[test]
fn while_an_account_is_renamed_nothing_else_is_read() {
    let mut connection = connection();
    connection.deliver(Lane::Commands, &reply(Effect::SignedIn(AccountId(1))), None);
    let mut asked = Vec::new();
    encode_frame(&Rename { name: "ada".to_owned() }, RequestId(1), &mut asked).unwrap();
    encode_frame(&Ping { token: 1 }, RequestId(2), &mut asked).unwrap();
    let mut asked = &asked[..];
    let rename = connection.receive(&admission(), &mut asked, 0).unwrap();
    assert_eq!((rename.request, rename.lane), (RequestId(1), Lane::Alone));
    assert_eq!(connection.receive(&admission(), &mut asked, 0), None);
    connection.deliver(Lane::Alone, &reply(Effect::None), None);
    drain(&mut connection);
    let ping = connection.receive(&admission(), &mut asked, 0).unwrap();
    assert_eq!(ping.request, RequestId(2));
}
