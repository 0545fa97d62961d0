//! A connection from its first frame on: it takes what comes in any pieces, says `Close` at most once and
//! last, and hands nothing on before a sign-in is proven.

use std::sync::Arc;

use chat_core::introduction::introduction;
use chat_core::{
    Action, Admission, Connection, Rate, Registration, Reply, Request, ServerKey, SessionSeed,
    Tail, TailHandle, Transmit, TurnTokens, WayIn,
};
use chat_proto::limits::FRAME_BYTES_MAX;
use chat_proto::{AccountId, Epoch, FrameCodec, Kind, RequestId, Seq, SessionId, SignedIn, Window};
use chatd::identity::server_key;

use super::{Target, bodies, holds};

const CHALLENGE: [u8; 32] = [2; 32];

/// Nobody follows anything here.
#[derive(Debug)]
struct NoTail;

impl TailHandle for NoTail {
    fn with<R>(&self, _look: impl FnOnce(&Tail) -> R) -> Option<R> {
        None
    }
}

fn admission() -> Admission {
    thread_local! {
        static IDENTITY: ServerKey = server_key(&[1; 32]);
    }
    let rate = Rate { per_second: 1_000_000, burst: 1_000_000 };
    let identity = IDENTITY.with(Clone::clone);
    Admission { identity, rate, at_network: Registration::Open, at_socket: Registration::Open }
}

pub(crate) fn target() -> Target {
    let signed_in = introduction(&server_key(&[0xC1; 32]), &admission(), &CHALLENGE);
    let frames = bodies::golden_frames();
    let mut valid: Vec<Vec<u8>> =
        frames.iter().map(|frame| [&signed_in[..], frame].concat()).collect();
    valid.push([&signed_in[..], &frames.concat()].concat());
    valid.push(signed_in);
    let corpus = include_str!("../corpus/session.hex");
    let is_taken = |input: &[u8]| heard(input, usize::MAX).requests > 1;
    Target { name: "a connection", corpus, valid, check, is_taken }
}

/// What a connection made of its input.
#[derive(PartialEq, Eq, Debug, Default)]
struct Heard {
    requests: usize,
    said: Vec<u8>,
    is_closing: bool,
    fault: Option<&'static str>,
}

/// A connection that is given its input in pieces of this size.
fn heard(input: &[u8], piece: usize) -> Heard {
    let seed = SessionSeed { id: SessionId(1), challenge: CHALLENGE, binding: None };
    let (mut connection, admission) =
        (Connection::<Arc<NoTail>>::new(seed, WayIn::Network), admission());
    let (mut heard, mut buffer) = (Heard::default(), Vec::new());
    for part in input.chunks(piece.min(input.len().max(1))) {
        buffer.extend_from_slice(part);
        let mut rest = &buffer[..];
        while let Some(received) =
            connection.receive(&admission, &mut rest, &mut TurnTokens::of(u64::MAX))
        {
            heard.requests += 1;
            let is_sign_in = matches!(received.request, Request::Command(Action::SignIn { .. }));
            if (heard.requests == 1) != is_sign_in {
                heard.fault = Some("a sign-in comes first, and once");
            }
            answer(&mut connection, received.id, received.window, is_sign_in);
            take(&mut connection, &mut heard.said);
        }
        let taken = buffer.len() - rest.len();
        buffer.drain(..taken);
        take(&mut connection, &mut heard.said);
    }
    heard.is_closing = connection.is_closing();
    heard
}

fn answer(
    connection: &mut Connection<Arc<NoTail>>,
    request: RequestId,
    window: Window,
    is_sign_in: bool,
) {
    let reply = match is_sign_in {
        true => {
            let (account, name) = (AccountId(1), "ada".to_owned());
            Reply::SignedIn(Box::new(SignedIn { account, name, epoch: Epoch(1), head: Seq(1) }))
        }
        false => Reply::Done,
    };
    connection.deliver((request, window), &reply, None);
}

fn take(connection: &mut Connection<Arc<NoTail>>, said: &mut Vec<u8>) {
    said.extend_from_slice(connection.outgoing());
    let bytes = connection.outgoing().len();
    connection.wrote(&Transmit::default(), bytes);
}

fn check(input: &[u8]) -> Result<(), String> {
    let whole = heard(input, usize::MAX);
    holds(whole.fault.is_none(), || whole.fault.unwrap_or_default().to_owned())?;
    let piece = input.get(input.len() / 3).map_or(1, |byte| usize::from(*byte) % 61 + 1);
    let pieces = heard(input, piece);
    holds(pieces == whole, || format!("in pieces of {piece}: {pieces:?}, not {whole:?}"))?;
    let (mut rest, mut is_closed) = (&whole.said[..], false);
    while let Ok(Some(frame)) = FrameCodec::default().split_frame(&mut rest) {
        holds(!is_closed, || "something follows the Close".to_owned())?;
        holds(frame.body.len() < FRAME_BYTES_MAX, || "a frame over the limit".to_owned())?;
        is_closed = frame.known_kind() == Some(Kind::Close);
    }
    holds(rest.is_empty(), || "what it says is no frames".to_owned())?;
    holds(is_closed == whole.is_closing, || "it closes and says nothing, or the reverse".to_owned())
}
