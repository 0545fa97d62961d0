use std::time::Duration;

use chat_core::introduction::introduction;
use chat_core::{Admission, Rate, Reply, SessionSeed, TurnTokens};
use chat_proto::{CloseReason, Epoch, MAGIC, RequestId, Seq, SessionId, SignedIn, Window};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::phase::Native;
use super::*;
use crate::Config;
use crate::identity::server_key;
use crate::live::Counts;
use crate::notices::unknown_protocol;
use crate::protocols::Protocols;
use crate::reactor::turn::{ParseContext, TurnContext};
use crate::reactor::turn_batch::TurnBatch;
use crate::tls::{LinkSettings, TlsAcceptor, TlsBuffers, TlsCertificate};

/// Longer than anybody may be silent, in ticks.
const LONG: usize = 200;

/// Longer than anything here takes.
const DEADLINE: Duration = Duration::from_secs(60);

fn admission() -> Admission {
    let identity = server_key(&[1; 32]);
    Admission {
        identity,
        rate: Rate { per_second: 1, burst: 1 },
        at_network: chat_core::Registration::Open,
        at_socket: chat_core::Registration::Open,
    }
}

fn acceptor(takes_plaintext: bool) -> TlsAcceptor {
    let certificate = TlsCertificate::of(&Config::default()).unwrap();
    TlsAcceptor::new(&LinkSettings { certificate, takes_plaintext })
}

fn connection(ours: UnixStream) -> SocketConnection {
    let peer = Peer::of(ours.peer_cred());
    let arrival = Arrival { socket: Socket::Unix(ours), peer, is_proxy: false };
    SocketConnection::new(Conn(1), arrival, Waker::noop().clone())
}

fn connected() -> (SocketConnection, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (connection(ours), theirs)
}

fn signed_in() -> (SocketConnection, UnixStream) {
    let (mut connection, theirs) = connected();
    let seed = SessionSeed { id: SessionId(1), challenge: [2; 32], binding: None };
    connection.phase = Phase::Native(Native::new(Connection::new(seed, chat_core::WayIn::Network)));
    connection.keep_alive.sign_in();
    connection.is_readable = false;
    (connection, theirs)
}

#[tokio::test]
async fn the_committing_thread_does_not_know_who_comes_and_goes_without_signing_in() {
    let (mut connection, theirs) = signed_in();
    assert!(!connection.is_known());
    drop(theirs);
    let introduction = introduction(&server_key(&[0xC1; 32]), &admission(), &[2; 32]);
    let core = connection.phase.native_mut().unwrap();
    assert!(core.receive(&admission(), &mut &introduction[..], &mut TurnTokens::of(9)).is_some());
    let (account, name) = (AccountId(7), "ada".to_owned());
    let signed_in = SignedIn { account, name, epoch: Epoch(1), head: Seq(1) };
    core.deliver((RequestId(1), Window::Commands), &Reply::SignedIn(Box::new(signed_in)), None);
    assert!(connection.is_known());
}

#[tokio::test]
async fn a_reader_to_whom_nothing_can_be_written_is_not_closed_for_it() {
    let (mut connection, _theirs) = signed_in();
    connection.is_writable = false;
    assert!((0..LONG).all(|_| connection.tick() == Progress::Done));
}

#[tokio::test]
async fn a_reader_that_is_closed_and_takes_nothing_is_let_go() {
    let (mut connection, _theirs) = signed_in();
    connection.close(&unknown_protocol());
    connection.is_writable = false;
    connection.is_readable = true;
    let ticks = (0..LONG).take_while(|_| connection.tick() == Progress::Done).count();
    assert_eq!(ticks, 60);
}

#[tokio::test]
async fn a_peer_that_does_not_answer_a_probe_that_it_could_have_taken_is_let_go() {
    let (mut connection, _theirs) = signed_in();
    assert!((0..LONG).any(|_| connection.tick() == Progress::Gone));
}

#[tokio::test]
async fn a_peer_that_is_gone_behind_half_a_frame_is_let_go() {
    let (mut connection, _theirs) = signed_in();
    connection.unread = Box::new([0, 0, 0]);
    assert!(connection.owes_bytes());
    assert!((0..LONG).any(|_| connection.tick() == Progress::Gone));
}

/// A connection that has had `bytes` from its peer, and a turn at reading and at writing.
async fn say(bytes: &[u8]) -> (SocketConnection, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    assert_eq!(theirs.try_write(bytes).unwrap(), bytes.len());
    timeout(DEADLINE, ours.readable()).await.unwrap().unwrap();
    let (mut connection, mut batch) = (connection(ours), TurnBatch::default());
    batch.begin(usize::MAX, TurnTokens::of(9));
    let parse = ParseContext {
        admission: &admission(),
        protocols: &Protocols::default(),
        acceptor: &acceptor(false),
        batch: &mut batch,
    };
    let buffer = &mut [0; 4096];
    let (read_bytes, counts) = (4096, &mut Counts::default());
    let tls = &mut TlsBuffers::default();
    let mut context = TurnContext { parse, buffer, tls, read_bytes, is_draining: false, counts };
    while connection.on_readable(&mut context) == Progress::Again {}
    connection.on_writable(false, tls, &mut Counts::default());
    (connection, theirs)
}

async fn answer(mut theirs: UnixStream) -> Vec<u8> {
    let mut answer = Vec::new();
    let read = theirs.read_to_end(&mut answer);
    timeout(DEADLINE, read).await.unwrap().unwrap();
    answer
}

#[tokio::test]
async fn nothing_is_made_for_a_peer_that_has_not_said_what_it_speaks() {
    let (connection, _theirs) = say(&MAGIC[..3]).await;
    assert!(matches!(connection.phase, Phase::Undecided));
    assert_eq!(connection.unread[..], MAGIC[..3]);
    let (connection, _theirs) = say(&MAGIC).await;
    assert!(matches!(connection.phase, Phase::Native(_)));
    assert!(connection.unread.is_empty());
}

#[tokio::test]
async fn who_speaks_something_else_is_told_so_in_its_own_words() {
    for (said, begins) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], &b"HTTP/1.1 400 "[..]),
        (b"NICK ada\r\nUSER ada 0 * :ada\r\n", b"ERROR :"),
        (b"cap ls 302\r\n", b"ERROR :"),
        (b"SSH-2.0-OpenSSH_9.9\r\n", b"This port "),
        (b"EHLO me\r\n", &unknown_protocol().frame()[..]),
    ] {
        let (connection, theirs) = say(said).await;
        assert!(matches!(connection.stage, Stage::Lingering { .. }), "{}", said.escape_ascii());
        let answer = answer(theirs).await;
        assert!(answer.starts_with(begins), "{}", answer.escape_ascii());
        let has_sentence = answer.windows(8).any(|part| part == b"chat-tui");
        assert!(has_sentence, "{}", answer.escape_ascii());
    }
}

#[tokio::test]
async fn a_peer_that_has_not_decided_in_time_is_told_so() {
    let (mut connection, theirs) = connected();
    while connection.tick() == Progress::Done {}
    assert_eq!(connection.phase.closing().unwrap().reason, CloseReason::HandshakeTimeout);
    let frame = connection.phase.closing().unwrap().frame();
    connection.on_writable(false, &mut TlsBuffers::default(), &mut Counts::default());
    assert_eq!(answer(theirs).await, frame);
}

#[test]
fn nobody_says_more_than_16_kib_before_the_sign_in() {
    let seed = SessionSeed { id: SessionId(1), challenge: [2; 32], binding: None };
    let mut native = Native::new(Connection::new(seed, chat_core::WayIn::Network));
    assert!((0..16).all(|_| native.has_said(1024)));
    assert!(!native.has_said(1));
    assert!(!native.has_said(usize::MAX));
}

#[test]
fn a_connection_is_small() {
    let (slot, session) = (size_of::<Option<SocketConnection>>(), size_of::<Native>());
    assert!(slot <= 144, "{slot} bytes for one that has said nothing");
    assert!(session <= 200, "{session} bytes for its session");
}

#[tokio::test]
async fn who_comes_over_the_unix_socket_is_known_by_user() {
    let (connection, _theirs) = connected();
    let own = rustix::process::geteuid().as_raw();
    assert!(
        matches!(connection.peer, Peer::User { uid, .. } if uid == own),
        "{:?}",
        connection.peer
    );
}
