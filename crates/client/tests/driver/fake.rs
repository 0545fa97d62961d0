//! A daemon that does nothing by itself: the test says what it answers.

use std::path::Path;
use std::time::Duration;

use chat_client::{Client, Config, Event, Events, Name, Target, start};
use chat_proto::limits::{
    COMMANDS_IN_FLIGHT_MAX, FRAME_BYTES_MAX, QUERIES_IN_FLIGHT_MAX, TEXT_BYTES_MAX,
};
use chat_proto::{
    AccountId, Ack, Body, Credential, CredentialKind, Epoch, Frame, FrameCodec, Hello, Kind,
    Limits, List, LogId, MAGIC, Ping, Pong, PublicKey, RequestId, RoomId, Send, Seq, SessionId,
    SignIn, SignedIn, Subscribe, Subscribed, Timestamp, Welcome, sign_in_transcript,
    welcome_transcript,
};
use ed25519_dalek::{Signer, SigningKey};
use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::codec::Framed;

/// No wait in a test is longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(300);

pub(crate) const ADA: AccountId = AccountId(10);
pub(crate) const BOB: AccountId = AccountId(11);
pub(crate) const LOBBY: RoomId = RoomId(1);
pub(crate) const EPOCH: Epoch = Epoch(7);

pub(crate) struct Daemon {
    listener: TcpListener,
    key: SigningKey,
    pub(crate) epoch: Epoch,
}

/// One connection, as the daemon sees it.
pub(crate) struct Peer {
    framed: Framed<TcpStream, FrameCodec>,
    epoch: Epoch,
    pub(crate) name: String,
    credential: Credential,
}

impl Daemon {
    pub(crate) async fn new() -> Self {
        Self {
            listener: TcpListener::bind("127.0.0.1:0").await.unwrap(),
            key: SigningKey::from_bytes(&[42; 32]),
            epoch: EPOCH,
        }
    }

    pub(crate) fn with_key(mut self, seed: u8) -> Self {
        self.key = SigningKey::from_bytes(&[seed; 32]);
        self
    }

    pub(crate) fn public_key(&self) -> PublicKey {
        PublicKey(self.key.verifying_key().to_bytes())
    }

    pub(crate) fn target(&self) -> Target {
        self.listener.local_addr().unwrap().to_string().parse().unwrap()
    }

    pub(crate) fn screen(&self, dir: &Path) -> (Client, Events) {
        start(self.screen_config(dir)).unwrap()
    }

    pub(crate) fn screen_config(&self, dir: &Path) -> Config {
        Config::screen(self.target(), Name::firm("ada"), dir.to_owned())
    }

    pub(crate) fn script(&self, dir: &Path) -> (Client, Events) {
        start(self.script_config(dir)).unwrap()
    }

    pub(crate) fn script_config(&self, dir: &Path) -> Config {
        Config::headless(self.target(), Name::firm("ada"), dir.to_owned())
    }

    /// Accepts, and says nothing.
    pub(crate) async fn accept(&self) -> TcpStream {
        let socket = within(self.listener.accept()).await.unwrap().0;
        // Else each small frame behind another one waits for the client's system to acknowledge.
        socket.set_nodelay(true).unwrap();
        socket
    }

    /// Accepts, and lets the client sign in. The own log is answered too.
    pub(crate) async fn serve(&self) -> Peer {
        let mut peer = self.sign_in().await;
        let own = peer.subscribe().await;
        assert_eq!(own.1.log, LogId::from(ADA));
        peer.subscribed(own.0, ADA.into(), Seq(1), "ada").await;
        peer
    }

    /// Accepts, and lets the client sign in.
    pub(crate) async fn sign_in(&self) -> Peer {
        let (mut peer, hello) = self.greeted().await;
        let welcome = self.welcome(&hello);
        peer.reply(RequestId(1), &welcome).await;
        let (id, sign_in): (_, SignIn) = peer.expect().await;
        peer.credential = check_sign_in(&sign_in, &welcome);
        peer.name = sign_in.name;
        let signed_in =
            SignedIn { account: ADA, name: peer.name.clone(), epoch: self.epoch, head: Seq(1) };
        peer.reply(id, &signed_in).await;
        peer
    }

    /// Accepts, and reads the client's first words.
    pub(crate) async fn greeted(&self) -> (Peer, Hello) {
        let mut socket = self.accept().await;
        let mut magic = [0; 4];
        within(socket.read_exact(&mut magic)).await.unwrap();
        assert_eq!(magic, MAGIC);
        let mut peer = Peer {
            framed: Framed::new(socket, FrameCodec::default()),
            epoch: self.epoch,
            name: String::new(),
            credential: Credential::Key(PublicKey([0; 32])),
        };
        let (id, hello): (_, Hello) = peer.expect().await;
        assert_eq!((id, hello.versions.first()), (RequestId(1), Some(&1)));
        (peer, hello)
    }

    pub(crate) fn welcome(&self, hello: &Hello) -> Welcome {
        let challenge = [9; 32];
        let transcript = welcome_transcript(&hello.random, &challenge, &[]);
        Welcome {
            version: 1,
            server_key: self.public_key(),
            signature: self.key.sign(&transcript).to_bytes(),
            session: SessionId(1),
            limits: Limits {
                frame_bytes_max: FRAME_BYTES_MAX as u32,
                text_bytes_max: TEXT_BYTES_MAX as u32,
                commands_in_flight_max: COMMANDS_IN_FLIGHT_MAX as u32,
                queries_in_flight_max: QUERIES_IN_FLIGHT_MAX as u32,
            },
            challenge,
        }
    }
}

impl Peer {
    /// The next request, which must be a `B`. Pings are answered on the way.
    pub(crate) async fn expect<B: Body>(&mut self) -> (RequestId, B) {
        let frame = self.frame().await.expect("the client closed the connection");
        assert_eq!(frame.known_kind(), Some(B::KIND));
        (frame.request, frame.decode().unwrap())
    }

    /// The next frame but pings, which are answered; `None`: the client is gone.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        loop {
            let frame = within(self.framed.next()).await?.ok()?;
            if frame.known_kind() != Some(Kind::Ping) {
                return Some(frame);
            }
            let Ping { token } = frame.decode().unwrap();
            self.reply(frame.request, &Pong { token }).await;
        }
    }

    /// The next frame but pings; `None`: nothing came for a moment, and some time has passed for the
    /// client since.
    pub(crate) async fn frame_or_pause(&mut self) -> Option<Frame> {
        let moment = Duration::from_millis(5);
        match tokio::time::timeout(moment, self.frame()).await {
            Ok(frame) => Some(frame.expect("the client closed the connection")),
            Err(_elapsed) => {
                pass(Duration::from_millis(100)).await;
                None
            }
        }
    }

    /// The next frame, whatever it is.
    pub(crate) async fn any_frame(&mut self) -> Option<Frame> {
        within(self.framed.next()).await?.ok()
    }

    pub(crate) async fn reply<B: Body>(&mut self, id: RequestId, body: &B) {
        let frame = Frame::of(body, id).unwrap();
        within(self.framed.send(frame)).await.unwrap();
    }

    pub(crate) async fn event<B: Body>(&mut self, body: &B) {
        self.reply(RequestId(0), body).await;
    }

    /// Bytes that are no frame.
    pub(crate) async fn bytes(&mut self, bytes: &[u8]) {
        within(self.framed.get_mut().write_all(bytes)).await.unwrap();
    }

    /// The client's socket does not take it all: whether everything is written in a moment.
    pub(crate) async fn raw(&mut self, frame: Frame) -> Result<(), chat_proto::FrameError> {
        self.framed.send(frame).await
    }

    pub(crate) async fn subscribe(&mut self) -> (RequestId, Subscribe) {
        self.expect().await
    }

    pub(crate) async fn subscribed(&mut self, id: RequestId, log: LogId, head: Seq, name: &str) {
        let subscribed = Subscribed {
            log,
            epoch: self.epoch,
            head,
            name: name.to_owned(),
            topic: String::new(),
            members: List::default(),
            member_count: 0,
            online: 0,
        };
        self.reply(id, &subscribed).await;
    }

    /// A message comes, and is committed at `seq`.
    pub(crate) async fn take(&mut self, seq: u64) -> Send {
        let (id, send): (_, Send) = self.expect().await;
        self.ack(id, &send, seq).await;
        send
    }

    pub(crate) async fn ack(&mut self, id: RequestId, send: &Send, seq: u64) {
        let ack = Ack {
            nonce: send.nonce,
            room: send.room,
            seq: Seq(seq),
            ts: Timestamp(1),
            id: send.nonce.message_id(self.credential.id()),
        };
        self.reply(id, &ack).await;
    }
}

fn check_sign_in(sign_in: &SignIn, welcome: &Welcome) -> Credential {
    let transcript = sign_in_transcript(&welcome.challenge, &welcome.server_key, &[]);
    let signature = ed25519_dalek::Signature::from_slice(&sign_in.proof).unwrap();
    let key = ed25519_dalek::VerifyingKey::from_bytes(&sign_in.credential).unwrap();
    key.verify_strict(&transcript, &signature).unwrap();
    let credential = sign_in.known_credential().unwrap();
    assert_eq!(credential.kind(), CredentialKind::Key);
    credential
}

/// Lets the clock jump. (A clock that is paused all the time jumps by itself while bytes are on
/// their way through the sockets.)
pub(crate) async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

/// The connection is lost; the pause before the next attempt passes.
pub(crate) async fn disconnected(events: &mut Events) -> (String, Option<Duration>) {
    let (why, retry_in) = event(events, |event| match event {
        Event::Disconnected { why, retry_in } => Some((why, retry_in)),
        _ => None,
    })
    .await;
    pass(retry_in.unwrap_or_default()).await;
    (why, retry_in)
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.expect("nothing happened")
}

/// The next event that `pick` takes; the others are passed over.
pub(crate) async fn event<T>(events: &mut Events, pick: impl Fn(Event) -> Option<T>) -> T {
    loop {
        let event = within(events.next()).await.expect("the client has ended");
        if let Some(picked) = pick(event) {
            return picked;
        }
    }
}

pub(crate) async fn connected(events: &mut Events) -> chat_client::Connected {
    event(events, |event| match event {
        Event::Connected(connected) => Some(connected),
        _ => None,
    })
    .await
}
