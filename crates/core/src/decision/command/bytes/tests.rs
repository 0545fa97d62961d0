//! Golden bytes, made by hand from the description of the module.

mod moderation;
mod room_changes;

use chat_proto::{
    AttachmentId, Context, Epoch, EventSeq, InvitationHash, InvitationId, List, MessageId,
    NameError, Nickname, Nonce, PublicKey, Role, RoomName, Seq, StreamId, TextBody,
};

use super::*;
use crate::{
    AccountChange, AccountOrder, Named, NewInvitation, PostBody, Registration, RoomChange,
    WishedName,
};

const TS: Timestamp = Timestamp(0x0192);
const ADA: AccountId = AccountId(2);
const CODE: chat_proto::LinkCodeHash = chat_proto::LinkCodeHash([0xC0; 32]);
const KEY: Credential = Credential::Key(PublicKey([0xAD; 32]));

fn room(name: &str) -> Named<RoomName> {
    RoomName::parse(name).unwrap().into()
}

fn wish(name: &str) -> Result<Box<WishedName>, NameError> {
    Nickname::parse(name).map(|name| Box::new(name.into()))
}

/// What is behind a name.
fn keys(name: &str) -> NameKeys {
    *room(name).keys
}

/// Actions about credentials as they are written.
fn golden_of_credentials() -> Vec<(&'static str, Action)> {
    vec![
        (
            "92010000000000003600010000000000000000707070707070707070707070707070707070707070707070707070707070707003000000616461fdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033d000400000073656e64090000000000000001000000030000006f7073a92c36e66a25ee99ff862faa8e87987ba92c36e66a25ee99ff862faa8e87987ba92c36e66a25ee99ff862faa8e87987b",
            Action::CreateBot(Box::new(crate::BotOrder {
                by: AccountId(0),
                token: chat_proto::TokenId([0x70; 32]),
                name: Nickname::parse("ada").unwrap().into(),
                is_reserved: false,
                scope: crate::BotScope::of_words("send", Timestamp(9)).unwrap(),
                rooms: vec![room("ops")],
            })),
        ),
        (
            "9201000000000000370001000000000000000003000000616461fdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033d",
            Action::RevokeToken { by: AccountId(0), name: Nickname::parse("ada").unwrap().into() },
        ),
        (
            "92010000000000003300010100adadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadc0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0060000006c6170746f70",
            Action::LinkDevice(Box::new(crate::DeviceLink {
                credential: KEY,
                code: CODE,
                label: "laptop".to_owned(),
            })),
        ),
        (
            "92010000000000003400010200000000000000c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0",
            Action::OpenLink { account: ADA, code: CODE },
        ),
        (
            "92010000000000003500010200000000000000cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
            Action::RevokeCredential { account: ADA, credential: CredentialId([0xCD; 16]) },
        ),
        (
            "9201000000000000320001cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd04000102000000000000000900000000000000",
            Action::Authenticated {
                credential: CredentialId([0xCD; 16]),
                action: Box::new(Action::Leave { account: ADA, room: RoomId(9) }),
            },
        ),
    ]
}

/// Every other action as it is written. Released bytes are never changed: an action that changes gets
/// another version.
fn golden() -> Vec<(&'static str, Action)> {
    let mut golden = actions();
    let of_rooms = room_changes::golden().into_iter().chain(moderation::golden());
    golden.splice(4..4, of_rooms.chain(invitations()));
    golden.splice(4..4, account_orders());
    golden.splice(1..1, sign_ins());
    golden
}

fn sign_ins() -> Vec<(&'static str, Action)> {
    vec![
        (
            "92010000000000000200010100adadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadad00040000007a6fc3ab4cabdb66b968b79c1e356c81df2cb88e4cabdb66b968b79c1e356c81df2cb88e2752b88686847fa5c86f47b94ce652b700040000007a6fc3ab050000007a6f65cc88050000007a6f65cc88040000007a6fc3ab010200",
            Action::SignIn {
                credential: KEY,
                name: wish("zo\u{eb}"),
                name_is_firm: true,
                registration: Registration::Invite,
                invitation: None,
            },
        ),
        (
            "92010000000000000200010100adadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadad04200000000003017c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c",
            Action::SignIn {
                credential: KEY,
                name: wish("a b"),
                name_is_firm: false,
                registration: Registration::Closed,
                invitation: Some(Box::new(InvitationHash([0x7C; 32]))),
            },
        ),
    ]
}

fn invitations() -> Vec<(&'static str, Action)> {
    vec![
        (
            "92010000000000001e000102000000000000007c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c7c14000000803a09000200000009000000000000000a0000000000000003000000657665",
            Action::CreateInvitation {
                account: ADA,
                invitation: Box::new(NewInvitation {
                    hash: InvitationHash([0x7C; 32]),
                    uses: 20,
                    seconds: 604_800,
                    rooms: vec![RoomId(9), RoomId(10)],
                    name: "eve".to_owned(),
                }),
            },
        ),
        (
            "92010000000000001f000102000000000000000800000000000000",
            Action::RevokeInvitation { account: ADA, invitation: InvitationId(8) },
        ),
    ]
}

fn account_orders() -> Vec<(&'static str, Action)> {
    let order = |change| {
        let name = Nickname::parse("ada").unwrap().into();
        Action::Govern(Box::new(AccountOrder { by: AccountId(0), name, change }))
    };
    let to = Nickname::parse("zo\u{eb}").unwrap().into();
    vec![
        (
            "9201000000000000280001000000000000000003000000616461fdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033d0100adadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadad080000005348413235363a7800",
            order(AccountChange::Create {
                credential: KEY,
                fingerprint: "SHA256:x".to_owned(),
                is_reserved: false,
            }),
        ),
        (
            "9201000000000000290001000000000000000003000000616461fdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033d03000000776879",
            order(AccountChange::Disable { reason: "why".to_owned() }),
        ),
        (
            "92010000000000002a0001000000000000000003000000616461fdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033d",
            order(AccountChange::Enable),
        ),
        (
            "92010000000000002b0001000000000000000003000000616461fdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033d01",
            order(AccountChange::SetAdministrator { is_set: true }),
        ),
        (
            "92010000000000002c0001000000000000000003000000616461fdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033d040000007a6fc3ab4cabdb66b968b79c1e356c81df2cb88e4cabdb66b968b79c1e356c81df2cb88e2752b88686847fa5c86f47b94ce652b701",
            order(AccountChange::Rename { to, is_reserved: true }),
        ),
        (
            "92010000000000002d0001000000000000000003000000616461fdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033d0100adadadadadadadadadadadadadadadadadadadadadadadadadadadadadadadad080000005348413235363a79",
            order(AccountChange::ReplaceKey {
                credential: KEY,
                fingerprint: "SHA256:y".to_owned(),
            }),
        ),
    ]
}

fn actions() -> Vec<(&'static str, Action)> {
    vec![
        (
            "92010000000000000100010102030405060708a0a1a2a3a4a5a6a7a8a9aaabacadaeaf050000006c6f6262794b5dc076e7b9c122b3c89121a9710fc74b5dc076e7b9c122b3c89121a9710fc74b5dc076e7b9c122b3c89121a9710fc7",
            Action::Genesis {
                epoch: Epoch(0x0807_0605_0403_0201),
                secret: StoreSecret(std::array::from_fn(|i| 0xA0 + i as u8)),
                lobby: room("lobby"),
            },
        ),
        (
            "92010000000000000300010200000000000000030000006f7073a92c36e66a25ee99ff862faa8e87987ba92c36e66a25ee99ff862faa8e87987ba92c36e66a25ee99ff862faa8e87987b",
            Action::Join { account: ADA, name: room("ops") },
        ),
        (
            "920100000000000004000102000000000000000900000000000000",
            Action::Leave { account: ADA, room: RoomId(9) },
        ),
        (
            "9201000000000000050001020000000000000003000000616461fdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033dfdee430d40bd57deeac186cd9790033d01",
            Action::Rename {
                account: ADA,
                name: Nickname::parse("ada").unwrap().into(),
                is_reserved: true,
            },
        ),
        (
            "92010000000000000600010200000000000000c63c487997f598add981632a57c080765e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e07000000000000000000000000000000090000000000000001010000000400000068c3a90a",
            post(PostBody::Text(TextBody::say("h\u{e9}\n"))),
        ),
        (
            "92010000000000000600010200000000000000c63c487997f598add981632a57c080765e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e07000000000000000000000000000000090000000000000001020001080000000000000001010300000000000000010000001a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a011d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d0103000000697263010000007e",
            post(PostBody::Text(TextBody {
                kind: 2,
                reply_to: EventSeq::new(Seq(8)),
                context: Some(Box::new(Context {
                    thread: Some(Seq(3)),
                    attachments: List::first_of([AttachmentId([0x1A; 32])]),
                    cause: Some(MessageId([0x1D; 16])),
                    via: Some("irc".to_owned()),
                })),
                text: "~".to_owned(),
            })),
        ),
        (
            "92010000000000000600010200000000000000c63c487997f598add981632a57c080765e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e07000000000000000000000000000000090000000000000002080000000000000002000000686f",
            post(PostBody::Edit { of: Seq(8), text: "ho".to_owned() }),
        ),
        (
            "92010000000000000600010200000000000000c63c487997f598add981632a57c080765e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e070000000000000000000000000000000900000000000000030800000000000000",
            post(PostBody::Delete { of: Seq(8) }),
        ),
        (
            "92010000000000000600010200000000000000c63c487997f598add981632a57c080765e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e070000000000000000000000000000000900000000000000040800000000000000010000002b01",
            post(PostBody::React { of: Seq(8), reaction: "+".to_owned(), is_set: true }),
        ),
        (
            "92010000000000000600010200000000000000c63c487997f598add981632a57c080765e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e07000000000000000600000000000000090000000000000001010000000400000068c3a90a",
            post(PostBody::Text(TextBody::say("h\u{e9}\n")).after_refused(6)),
        ),
    ]
}

fn change(change: RoomChange) -> Action {
    Action::ChangeRoom { account: ADA, room: RoomId(9), change }
}

fn post(body: PostBody) -> Action {
    let nonce = Nonce { stream: StreamId([0x5E; 16]), n: 7 };
    Action::Post { account: ADA, credential: KEY.id(), nonce, room: RoomId(9), body }
}

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits = hex.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect()
}

#[test]
fn every_action_has_its_bytes_and_is_read_from_them() {
    for (hex, action) in golden().into_iter().chain(golden_of_credentials()) {
        let (command, mut bytes) = (Command { ts: TS, action }, Vec::new());
        command.encode(&mut bytes);
        assert_eq!(bytes, bytes_of(hex), "{command:?}");
        assert_eq!(Command::decode(&bytes), Ok(command));
    }
}

#[test]
fn every_reason_why_a_name_is_none_comes_back() {
    let long = "x".repeat(33);
    let wide = "\u{1F1}".repeat(32) + &"\u{301}".repeat(64);
    for name in ["", long.as_str(), wide.as_str(), "a\u{1F600}", "--"] {
        let name = wish(name);
        assert!(name.is_err(), "{name:?}");
        let action = Action::SignIn {
            credential: KEY,
            name,
            name_is_firm: false,
            registration: Registration::Open,
            invitation: None,
        };
        let (command, mut bytes) = (Command { ts: TS, action }, Vec::new());
        command.encode(&mut bytes);
        assert_eq!(Command::decode(&bytes), Ok(command));
    }
}

#[test]
fn bytes_that_are_cut_or_go_on_are_no_command() {
    for (hex, _action) in golden().into_iter().chain(golden_of_credentials()) {
        let whole = bytes_of(hex);
        for end in 0..whole.len() {
            let cut = Command::decode(&whole[..end]);
            assert_eq!(cut, Err(UnreadableCommand::Length { bytes: end }), "{hex}");
        }
        let longer = [&whole[..], &[0]].concat();
        assert_eq!(
            Command::decode(&longer),
            Err(UnreadableCommand::Length { bytes: longer.len() })
        );
    }
}

#[test]
fn an_epoch_that_is_none_and_a_send_before_the_first_are_no_command() {
    let mut genesis = bytes_of(golden()[0].0);
    genesis[11..19].fill(0);
    let epoch = Err(UnreadableCommand::Field { field: "epoch" });
    assert_eq!(Command::decode(&genesis), epoch);
    let mut posts = 0;
    for (hex, action) in golden().into_iter().chain(golden_of_credentials()) {
        let Action::Post { .. } = action else { continue };
        let mut bytes = bytes_of(hex);
        let at = 8 + 3 + 8 + 16 + 16;
        bytes[at..at + 8].fill(0);
        let nonce = Err(UnreadableCommand::Field { field: "nonce" });
        assert_eq!(Command::decode(&bytes), nonce, "{hex}");
        posts += 1;
    }
    assert!(posts > 0);
}

#[test]
fn a_role_that_is_none_is_no_command() {
    let mut bytes = bytes_of(room_changes::golden()[0].0);
    let at = bytes.len() - 2;
    assert_eq!(bytes[at], 2);
    bytes[at] = 4;
    assert_eq!(Command::decode(&bytes), Err(UnreadableCommand::Field { field: "role" }));
}

#[test]
fn more_refused_sends_than_there_can_be_before_a_send_are_no_command() {
    let mut bytes = bytes_of(golden().last().unwrap().0);
    let at = 8 + 3 + 8 + 16 + 16 + 8;
    assert_eq!(bytes[at], 6);
    bytes[at] = 7;
    let nonce = Err(UnreadableCommand::Field { field: "nonce" });
    assert_eq!(Command::decode(&bytes), nonce);
}

#[test]
fn what_a_newer_version_wrote_is_said_to_be_so() {
    let mut bytes = bytes_of(golden()[3].0);
    bytes[10] = 2;
    assert_eq!(Command::decode(&bytes), Err(UnreadableCommand::Unknown { number: 3, version: 2 }));
    (bytes[8], bytes[10]) = (99, 1);
    assert_eq!(Command::decode(&bytes), Err(UnreadableCommand::Unknown { number: 99, version: 1 }));
}

#[test]
fn a_length_that_is_a_lie_allocates_nothing() {
    let mut bytes = bytes_of(golden()[3].0);
    let at = 8 + 3 + 8;
    bytes[at..at + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let bytes_len = bytes.len();
    assert_eq!(Command::decode(&bytes), Err(UnreadableCommand::Length { bytes: bytes_len }));
}

#[test]
fn a_name_that_another_version_of_unicode_would_judge_otherwise_is_read_as_it_came() {
    let (name, keys) = (RoomName::from_judged("a\u{1F600}").unwrap(), keys("other"));
    assert!(RoomName::parse(name.as_str()).is_err(), "here it would be none");
    let name = Named { name, keys: Box::new(keys) };
    let command = Command { ts: TS, action: Action::Join { account: ADA, name } };
    let mut bytes = Vec::new();
    command.encode(&mut bytes);
    assert_eq!(Command::decode(&bytes), Ok(command), "neither the name nor its keys are made anew");
}

#[test]
fn a_stem_without_room_for_a_number_is_no_command() {
    let mut wished = WishedName::from(Nickname::parse("ada").unwrap());
    wished.stem.name = "x".repeat(chat_proto::limits::NAME_BYTES_MAX - 7);
    let name = Ok(Box::new(wished));
    let command = Command {
        ts: TS,
        action: Action::SignIn {
            credential: KEY,
            name,
            name_is_firm: false,
            registration: Registration::Open,
            invitation: None,
        },
    };
    let mut bytes = Vec::new();
    command.encode(&mut bytes);
    assert_eq!(Command::decode(&bytes), Err(UnreadableCommand::Field { field: "stem" }));
}
