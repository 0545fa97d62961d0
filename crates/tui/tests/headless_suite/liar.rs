//! A server that claims what no server has: whoever asks it comes to an end all the same. Heads that no
//! log can have, and a page for each room.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chat_proto::{
    AccountId, Body, Epoch, FindRoom, Frame, FrameCodec, Hello, HistoryPage, Kind, Limits, List,
    LogId, MAGIC, Ping, Pong, PublicKey, RequestId, RoomId, RoomInfo, RoomList, Rooms, Seq,
    SessionId, SignIn, SignedIn, Subscribe, Subscribed, Welcome, welcome_transcript,
};
use ed25519_dalek::{Signer, SigningKey};
use futures::{SinkExt, StreamExt};
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;
use tokio_util::codec::Framed;

use super::stage::{bare_command, finish, headless};

const ME: AccountId = AccountId(2);
const ROOM: RoomId = RoomId(1);
const EPOCH: Epoch = Epoch(7);

/// The head of every log, as it says.
const HEAD: Seq = Seq(u64::MAX);

/// More questions than this are a loop.
const QUESTIONS_MAX: usize = 30;

/// The rooms that it lists. More pages than any number that one would think of as enough.
pub(crate) const ROOMS: u64 = 200;

/// The server; it ends when it is dropped.
pub(crate) struct Liar {
    pub(crate) address: SocketAddr,
    questions: Arc<AtomicUsize>,
    serving: JoinHandle<()>,
}

impl Liar {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let questions = Arc::new(AtomicUsize::new(0));
        let serving = tokio::spawn(serve(listener, Arc::clone(&questions)));
        Self { address, questions, serving }
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, questions: Arc<AtomicUsize>) {
    while let Ok((socket, _peer)) = listener.accept().await {
        // A client that has heard enough hangs up.
        talk(socket, &questions).await;
    }
}

async fn talk(mut socket: TcpStream, questions: &AtomicUsize) -> Option<()> {
    let mut magic = [0; MAGIC.len()];
    socket.read_exact(&mut magic).await.ok()?;
    let mut framed = Framed::new(socket, FrameCodec::default());
    loop {
        let frame = framed.next().await?.ok()?;
        questions.fetch_add(1, Ordering::Relaxed);
        framed.send(answer(&frame)?).await.ok()?;
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "whatever else is asked ends it")]
fn answer(frame: &Frame) -> Option<Frame> {
    let id = frame.request;
    match frame.known_kind()? {
        Kind::Hello => reply(id, &welcome(&frame.decode().ok()?)),
        Kind::SignIn => {
            let name = frame.decode::<SignIn>().ok()?.name;
            reply(id, &SignedIn { account: ME, name, epoch: EPOCH, head: Seq(1) })
        }
        Kind::Ping => reply(id, &Pong { token: frame.decode::<Ping>().ok()?.token }),
        Kind::FindRoom => reply(id, &room(frame.decode::<FindRoom>().ok()?.name)),
        Kind::Rooms => reply(id, &rooms(frame.decode().ok()?)),
        Kind::Subscribe => reply(id, &subscribed(frame.decode::<Subscribe>().ok()?.log)),
        Kind::History => reply(id, &page()),
        _ => None,
    }
}

fn reply<B: Body>(id: RequestId, body: &B) -> Option<Frame> {
    Frame::of(body, id).ok()
}

fn welcome(hello: &Hello) -> Welcome {
    let key = SigningKey::from_bytes(&[42; 32]);
    let challenge = [9; 32];
    let signature = key.sign(&welcome_transcript(&hello.random, &challenge, &[])).to_bytes();
    let limits = Limits {
        frame_bytes_max: 65_536,
        text_bytes_max: 16_384,
        commands_in_flight_max: 1_024,
        queries_in_flight_max: 4,
    };
    let server_key = PublicKey(key.verifying_key().to_bytes());
    let (version, session) = (1, SessionId(1));
    Welcome { version, server_key, signature, session, limits, challenge }
}

fn room(name: String) -> RoomInfo {
    RoomInfo {
        room: ROOM,
        name,
        head: HEAD,
        members: 0,
        online: 0,
        joined: false,
        ..RoomInfo::default()
    }
}

/// The one room behind another.
fn rooms(Rooms { after }: Rooms) -> RoomList {
    let next = RoomId(after.0 + 1);
    let rooms = List::first_of([RoomInfo { room: next, ..room(format!("room-{next}")) }]);
    RoomList { rooms, more: next.0 < ROOMS }
}

fn subscribed(log: LogId) -> Subscribed {
    Subscribed {
        log,
        epoch: EPOCH,
        head: HEAD,
        name: "lobby".to_owned(),
        topic: String::new(),
        members: List::default(),
        member_count: 0,
        online: 0,
    }
}

fn page() -> HistoryPage {
    let (messages, gaps) = (List::default(), List::default());
    HistoryPage { room: ROOM, epoch: EPOCH, as_of: HEAD, messages, more: true, gaps }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_no_log_can_have_is_not_walked_to() {
    let dir = tempfile::tempdir().unwrap();
    let liar = Liar::start().await;
    for (args, code) in [
        (&["tail", "-n", "5000"][..], 0),
        (&["tail", "-n", "5000", "--since", "seq:1"], 0),
        (&["tail", "--since", "seq:1"], 5),
    ] {
        liar.questions.store(0, Ordering::Relaxed);
        let mut command = bare_command(dir.path(), &headless(args));
        command.env("CHAT_SERVER", liar.address.to_string()).env("CHAT_NAME", "ada");
        let ended = finish(command, b"").await;
        ended.ended_with(code);
        assert_eq!(ended.stdout, "", "{args:?}");
        let asked = liar.questions.load(Ordering::Relaxed);
        assert!(asked < QUESTIONS_MAX, "{asked} questions, {args:?}");
    }
}
