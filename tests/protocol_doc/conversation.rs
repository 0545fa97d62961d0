//! Writes the conversation that the document shows, and compares the bytes.

use chat_proto::*;
use ed25519_dalek::{Signer, SigningKey};
use sha2::{Digest, Sha256};

use super::section;

#[test]
fn the_worked_conversation_is_what_the_code_writes() {
    let told = told();
    let mut written = vec![MAGIC.to_vec()];
    written.extend(handshake());
    written.extend(in_the_lobby());
    for (told, written) in told.iter().zip(&written) {
        assert_eq!(hex(told), hex(written));
    }
    assert_eq!(told.len(), written.len());
}

/// The frames of the document: hexadecimal digits up to two spaces, a frame from each arrow.
fn told() -> Vec<Vec<u8>> {
    let section = section("## A whole conversation, byte by byte");
    let (_before, block) = section.split_once("```wire\n").expect("a block of bytes");
    let (block, _after) = block.split_once("```").expect("the block ends");
    let mut frames: Vec<Vec<u8>> = Vec::new();
    for line in block.lines() {
        if line.starts_with(['→', '←']) {
            frames.push(Vec::new());
        }
        let line = line.trim_start_matches(['→', '←', ' ']);
        let bytes = line.split("  ").next().expect("split gives one at least").replace(' ', "");
        let frame = frames.last_mut().expect("the block begins with an arrow");
        frame.extend((0..bytes.len() / 2).map(|at| byte(&bytes[2 * at..2 * at + 2])));
    }
    frames
}

fn byte(digits: &str) -> u8 {
    u8::from_str_radix(digits, 16).expect("hexadecimal digits")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn frame<B: Body>(request: u32, body: &B) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_frame(body, RequestId(request), &mut bytes).expect("it is small");
    bytes
}

const EPOCH: Epoch = Epoch(0x0123_4567_89AB_CDEF);
const LOBBY: RoomId = RoomId(1);
const ADA: AccountId = AccountId(2);

fn client_key() -> SigningKey {
    SigningKey::from_bytes(&[1; 32])
}

fn public(key: &SigningKey) -> PublicKey {
    PublicKey(key.verifying_key().to_bytes())
}

fn handshake() -> Vec<Vec<u8>> {
    let (client, server) = (client_key(), SigningKey::from_bytes(&[2; 32]));
    let (random, challenge) = ([0x11; 32], [0x22; 32]);
    let server_key = public(&server);
    let hello = Hello { versions: List::first_of([1]), agent: "demo".into(), random };
    let welcome = Welcome {
        version: 1,
        server_key,
        signature: server.sign(&welcome_transcript(&random, &challenge, &[])).to_bytes(),
        session: SessionId(1),
        limits: Limits {
            frame_bytes_max: limits::FRAME_BYTES_MAX as u32,
            text_bytes_max: limits::TEXT_BYTES_MAX as u32,
            commands_in_flight_max: limits::COMMANDS_IN_FLIGHT_MAX as u32,
            queries_in_flight_max: limits::QUERIES_IN_FLIGHT_MAX as u32,
        },
        challenge,
    };
    let sign_in = SignIn {
        credential_kind: 1,
        credential: public(&client).0,
        proof_kind: 1,
        proof: List::first_of(
            client.sign(&sign_in_transcript(&challenge, &server_key, &[])).to_bytes(),
        ),
        name: "ada".into(),
        name_is_firm: false,
        invitation: None,
    };
    let signed_in = SignedIn { account: ADA, name: "ada".into(), epoch: EPOCH, head: Seq(1) };
    vec![frame(1, &hello), frame(1, &welcome), frame(2, &sign_in), frame(2, &signed_in)]
}

fn in_the_lobby() -> Vec<Vec<u8>> {
    let (room, seq, ts) = (LOBBY, Seq(3), Timestamp(1_767_225_600_000));
    let nonce = |n| Nonce { stream: StreamId([0x33; 16]), n };
    let id = message_id(nonce(1));
    let behind = Error::new(ErrorCode::Behind, "number 2 of this stream is awaited");
    vec![
        frame(3, &Join { name: "lobby".into() }),
        frame(3, &lobby()),
        frame(4, &Subscribe { log: LOBBY.into(), after: None }),
        frame(4, &subscribed()),
        frame(5, &Send { nonce: nonce(1), room, body: TextBody::say("hi") }),
        frame(5, &Ack { nonce: nonce(1), room, seq, ts, id }),
        frame(0, &Posted { room, seq, ts, from: ADA, id, body: TextBody::say("hi") }),
        frame(6, &Send { nonce: nonce(3), room, body: TextBody::say("ho") }),
        frame(6, &behind.with_detail(2)),
        frame(0, &Close::new(CloseReason::GoingAway, "the server stops")),
    ]
}

fn message_id(nonce: Nonce) -> MessageId {
    // By hand, as the page tells it: the ids of others must come out the same.
    let credential = Sha256::new()
        .chain_update(b"chatd credential 1\x01\x00")
        .chain_update(public(&client_key()).0)
        .finalize();
    let message = Sha256::new()
        .chain_update(b"chatd message 1")
        .chain_update(&credential[..16])
        .chain_update(nonce.stream.0)
        .chain_update(nonce.n.to_le_bytes())
        .finalize();
    MessageId(message[..16].try_into().expect("16 of 32 bytes"))
}

fn lobby() -> RoomInfo {
    RoomInfo {
        room: LOBBY,
        name: "lobby".into(),
        head: Seq(2),
        members: 1,
        online: 1,
        joined: true,
        role: 1,
        ..RoomInfo::default()
    }
}

fn subscribed() -> Subscribed {
    Subscribed {
        log: LOBBY.into(),
        epoch: EPOCH,
        head: Seq(2),
        name: "lobby".into(),
        topic: String::new(),
        members: List::first_of([Member { account: ADA, name: "ada".into(), online: true }]),
        member_count: 1,
        online: 1,
    }
}
