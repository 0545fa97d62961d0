//! Who is woken and told, in the table of a reactor and over real sockets.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::BytesMut;
use chat_core::introduction::signed_by;
use chat_core::{Admission, Rate, RevocationNumber};
use chat_proto::{
    AccountId, Body, Frame, FrameCodec, Hello, Join, Kind, List, MAGIC, Nonce, Ping, RequestId,
    RoomId, RoomInfo, Send, SignedIn, StreamId, Subscribe, SubscriptionEnded, TextBody, Welcome,
    encode_frame,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Duration, timeout};

use super::*;
use crate::identity::{Identity, server_key};
use crate::mailbox::{Delivery, Mailbox, Released, Whose};
use crate::protocols::Protocols;
use crate::reactor::ReactorBuilder;
use crate::{Config, Server};

/// Longer than anything here takes.
const LONG: Duration = Duration::from_secs(60);

#[test]
fn who_follows_several_of_the_logs_is_named_once() {
    let mut followers = Followers::default();
    for (log, slot) in [(1, 7), (1, 8), (2, 7), (3, 9)] {
        followers.add(LogId(log), slot);
    }
    let of_any = |followers: &Followers, logs: &[u64]| {
        followers.of_any(logs.iter().copied().map(LogId)).into_iter().collect::<Vec<_>>()
    };
    assert_eq!(of_any(&followers, &[1, 2, 4]), [7, 8]);
    followers.remove(LogId(1), 7);
    followers.remove(LogId(2), 7);
    assert_eq!(of_any(&followers, &[1, 2]), [8]);
    assert!(!followers.slots.contains_key(&LogId(2)), "a log without followers is forgotten");
}

/// A client that speaks frames.
struct Client {
    stream: TcpStream,
    heard: BytesMut,
}

impl Client {
    async fn sign_in(address: SocketAddr, admission: &Admission, key: u8) -> (Self, SignedIn) {
        let stream = TcpStream::connect(address).await.unwrap();
        let mut client = Self { stream, heard: BytesMut::new() };
        client.stream.write_all(&MAGIC).await.unwrap();
        let versions = List::first_of([Hello::VERSION_SPOKEN]);
        client.say(&Hello { versions, agent: "test".to_owned(), random: [3; 32] }).await;
        let welcome: Welcome = client.frame().await.decode().unwrap();
        let key = server_key(&[key; 32]);
        client.say(&signed_by(&key, admission, &welcome.challenge)).await;
        let signed_in = client.frame().await.decode().unwrap();
        (client, signed_in)
    }

    async fn say<B: Body>(&mut self, body: &B) {
        let mut bytes = Vec::new();
        encode_frame(body, RequestId(1), &mut bytes).unwrap();
        self.stream.write_all(&bytes).await.unwrap();
    }

    async fn frame(&mut self) -> Frame {
        loop {
            if let Some(frame) = FrameCodec::default().take_frame(&mut self.heard).unwrap() {
                return frame;
            }
            let read = self.stream.read_buf(&mut self.heard);
            assert!(timeout(LONG, read).await.expect("it hears nothing").unwrap() > 0);
        }
    }

    /// Says something, and takes what comes up to the answer to a ping behind it.
    async fn say_and_hear<B: Body>(&mut self, body: &B) -> Vec<Frame> {
        self.say(body).await;
        self.say(&Ping { token: 1 }).await;
        let mut frames = Vec::new();
        loop {
            let frame = self.frame().await;
            if frame.known_kind() == Some(Kind::Pong) {
                return frames;
            }
            // Who is online is told when it likes.
            if frame.known_kind() != Some(Kind::Presence) {
                frames.push(frame);
            }
        }
    }
}

fn kinds(frames: &[Frame]) -> Vec<Kind> {
    frames.iter().filter_map(Frame::known_kind).collect()
}

fn post(n: u64, room: RoomId) -> Send {
    Send { nonce: Nonce { stream: StreamId([9; 16]), n }, room, body: TextBody::say("hello") }
}

/// Tells the reactor that somebody may not follow a log any more.
fn revoke(mailbox: &Mailbox, log: LogId, whose: Whose) {
    let mut frame = Vec::new();
    let ended = SubscriptionEnded { log, code: 107, message: "it is not yours".to_owned() };
    encode_frame(&ended, RequestId(0), &mut frame).unwrap();
    // No tail is held back by it.
    let number = RevocationNumber::default();
    let revocation = Arc::new(Revocation { log, whose, number, frame });
    mailbox.release(&mut vec![Delivery::Revoke(revocation)], &Released::default());
}

#[tokio::test]
async fn who_may_follow_a_log_no_more_is_told_so_at_once_and_follows_anew_when_it_may() {
    let dir = tempfile::tempdir().unwrap();
    let listen = vec!["127.0.0.1:0".to_owned()];
    let data_dir = dir.path().join("data");
    let config = Config { listen, socket: None, data_dir, ..Config::default() };
    let builder = ReactorBuilder::new(0);
    let mailbox = builder.mailbox();
    let server = Server::start_with(config, Protocols::default(), vec![builder]).await.unwrap();
    let identity = Identity::load_or_make(&dir.path().join("data")).unwrap().key;
    let admission = Admission {
        identity,
        rate: Rate { per_second: 1, burst: 1 },
        at_network: chat_core::Registration::Open,
        at_socket: chat_core::Registration::Open,
    };
    let (mut client, signed_in) = Client::sign_in(server.addresses()[0], &admission, 7).await;
    let account = signed_in.account;
    let joined = client.say_and_hear(&Join { name: "lobby".to_owned() }).await;
    let room = joined[0].decode::<RoomInfo>().unwrap().room;
    let log = LogId::from(room);
    let subscribe = Subscribe { log, after: None };
    assert_eq!(kinds(&client.say_and_hear(&subscribe).await), [Kind::Subscribed]);

    // Somebody else's is not this one's.
    revoke(&mailbox, log, Whose::Account(AccountId(account.0 + 1)));
    revoke(&mailbox, log, Whose::OthersThan(vec![account]));
    let heard = kinds(&client.say_and_hear(&post(1, room)).await);
    assert!(heard.contains(&Kind::Posted) && heard.contains(&Kind::Ack), "{heard:?}");

    revoke(&mailbox, log, Whose::Account(account));
    let ended: SubscriptionEnded = client.frame().await.decode().unwrap();
    assert_eq!((ended.log, ended.code), (log, 107));
    let heard = kinds(&client.say_and_hear(&post(2, room)).await);
    assert_eq!(heard, [Kind::Ack], "nothing of the log follows");
    let others = vec![AccountId(account.0 - 1), AccountId(account.0 + 1)];
    revoke(&mailbox, log, Whose::OthersThan(others));
    assert_eq!(kinds(&client.say_and_hear(&subscribe).await), [Kind::Subscribed]);
    let heard = kinds(&client.say_and_hear(&post(3, room)).await);
    assert!(heard.contains(&Kind::Posted), "{heard:?}");

    // A log that is gone is nobody's to follow.
    revoke(&mailbox, log, Whose::Everybody);
    assert_eq!(client.frame().await.known_kind(), Some(Kind::SubscriptionEnded));
    assert_eq!(kinds(&client.say_and_hear(&post(4, room)).await), [Kind::Ack]);
    server.shutdown().await;
}
