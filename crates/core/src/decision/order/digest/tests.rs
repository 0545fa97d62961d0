//! The digest's bits, and what is in it.

use chat_proto::{
    AccountId, Credential, Epoch, InvitationCode, LinkCodeHash, LogId, MessageId, Nickname, Nonce,
    PublicKey, Role, RoomId, RoomName, Seq, StreamId, TextBody, Timestamp,
};

use super::*;
use crate::{BodyDigest, EventKind, StoreSecret};

fn event(content: Content) -> Event {
    Event { log: LogId(3), seq: Seq(4), ts: Timestamp(5), content }
}

fn posted() -> Event {
    let id = MessageId(std::array::from_fn(|at| at as u8));
    let nonce = Nonce { stream: StreamId([9; 16]), n: 8 };
    let (digest, body) = (BodyDigest(7), TextBody::say("hi"));
    event(Content::Posted { from: AccountId(6), id, nonce, digest, body })
}

fn created(key: u8) -> Event {
    let credential = Credential::Key(PublicKey([key; 32]));
    event(Content::AccountCreated { credential, name: Nickname::parse("ada").unwrap().into() })
}

/// Machines compare it, and it is kept: it may never become another one.
#[test]
fn the_digest_is_frozen() {
    let start = OrderDigest::default();
    let genesis = Genesis { epoch: Epoch(2), rules: 3, secret: StoreSecret([4; 16]) };
    let digests = [
        start.with_event(&posted()),
        start.with_event(&posted()).with_event(&posted()),
        start.with_event(&created(1)),
        start.with_genesis(&genesis),
    ];
    let expected: [u64; 4] = [
        0x65A0_F75E_6BE0_3119,
        0x5872_B1E6_86E4_B210,
        0x57BE_086A_468B_8F84,
        0xC420_A177_95AE_5E18,
    ];
    assert_eq!(digests.map(|digest| digest.0), expected);
}

/// The wire's newest version of a frame is hashed: a kind that gets another one is to be hashed as before.
#[test]
#[expect(clippy::too_many_lines, reason = "one of each kind")]
fn the_digest_of_every_kind_of_event_is_frozen() {
    let (account, room) = (AccountId(6), RoomId(7));
    let credential = Credential::Key(PublicKey([1; 32]));
    let scope = crate::BotScope::of_words("send,read", Timestamp(9)).unwrap();
    let (by, until, reason) = (AccountId(8), Timestamp(9), || "spam".to_owned());
    let (nickname, name) = (Nickname::parse("ada").unwrap(), RoomName::parse("lobby").unwrap());
    let hash = InvitationCode([7; 16]).hash();
    let frozen = [
        (created(1).content, 0x57BE_086A_468B_8F84),
        (Content::AccountRenamed { by: account, name: nickname.into() }, 0x72CF_1674_AEDE_2763),
        (Content::BotCreated { by: AccountId(0), scope }, 0x0181_C926_3CE3_0A78),
        (
            Content::CredentialAdded { credential, label: "laptop".to_owned() },
            0x7DFE_E8E1_5B31_894D,
        ),
        (Content::CredentialRemoved { credential }, 0x8651_670C_F130_2D52),
        (Content::LinkOpened { code: LinkCodeHash([8; 32]) }, 0x1B52_2959_20CB_B87C),
        (Content::RoomJoined { room }, 0x9C54_9B96_4191_3492),
        (Content::RoomLeft { room }, 0x2360_C13E_1107_4E80),
        (
            Content::RoomCreated { by: Some(account), name: name.clone().into() },
            0xEF6F_411C_B7B2_4071,
        ),
        (Content::RoomCreated { by: None, name: name.clone().into() }, 0xB0EE_E9D7_51DB_472F),
        (Content::RoomRemoved {}, 0xEE5A_7045_9727_6300),
        (Content::Joined { account }, 0x9D28_CA18_C8DA_06C4),
        (Content::Left { account }, 0x6093_79AB_F9CD_DA6D),
        (
            Content::RoleSet { by: Some(account), account, role: Role::Moderator },
            0x260E_FB62_01C2_3F35,
        ),
        (Content::RoleSet { by: None, account, role: Role::Owner }, 0x3344_C82E_05D9_046C),
        (posted().content, 0x65A0_F75E_6BE0_3119_u64),
        (
            Content::InvitationCreated {
                by: account,
                hash,
                uses: 3,
                expires: Timestamp(9),
                rooms: [room].into(),
                name: "eve".into(),
            },
            0xB9F2_A447_3832_FE51,
        ),
        (Content::InvitationUsed { id: hash.id(), account }, 0x1F9D_5844_C689_3B4C),
        (Content::InvitationRevoked { id: hash.id(), by: account }, 0x0BBA_FA31_2229_5A4C),
        (Content::AccountDisabled { by: account, reason: "left".into() }, 0xF04C_99BA_5FC8_6231),
        (Content::AccountEnabled { by: account }, 0xA7EE_23B5_E59F_682D),
        (Content::AdministratorSet { by: account, is_set: true }, 0x1F4E_0F31_11E0_CD5E),
        (Content::KeySet { by: account, fingerprint: "SHA256:abc".into() }, 0xD3DD_62D9_F330_5B9B),
        (Content::RoomInvited { room, by: account, name }, 0xD80B_FEFE_4EEE_D104),
        (Content::InvitationWithdrawn { room }, 0xC355_B51B_85B0_7F29),
        (Content::AccessSet { by: account, is_private: true }, 0xCEC3_9585_137F_0C75),
        (Content::InvitationSet { by: account, account, is_set: true }, 0x96D6_5CD5_AF2A_6C77),
        (Content::TopicSet { by: account, topic: "topic".to_owned() }, 0xC838_4411_860D_D04F),
        (Content::ReadOnlySet { by: account, is_read_only: true }, 0xD72B_8EF0_9E42_B075),
        (Content::DirectBegun { by: account, account: AccountId(8) }, 0x7EBA_10CC_E0E1_9219),
        (Content::Kicked { account, by, reason: reason() }, 0x4084_808F_C818_4628),
        (
            Content::Banned { account, by, until, reason: reason(), was_member: true },
            0xD738_82A3_7585_BBD9,
        ),
        (Content::Unbanned { account, by }, 0x599B_F02B_CB78_51CA),
        (Content::Muted { account, by, until, reason: String::new() }, 0xA23C_CF6A_E58A_79E3),
        (Content::Unmuted { account, by }, 0x72B1_D86D_083B_E387),
        (Content::SlowSet { by, seconds: 30 }, 0x4315_FD38_04DB_E0CE),
        (Content::MessagesRemoved { account, by, since: until }, 0xFD67_6479_8BA5_DD97),
        (Content::RoomKicked { room, by, reason: reason() }, 0x6208_6531_AA30_16DC),
        (Content::RoomBanned { room, by, until, reason: reason() }, 0xFADE_80E3_0D42_E123),
        (Content::RoomUnbanned { room, by }, 0x0161_6444_FAB7_0821),
        (Content::Reported { room, by, message: Seq(8), reason: reason() }, 0x3C97_8295_F0D1_6E1B),
    ];
    let mut kinds: Vec<_> = frozen.iter().map(|(content, _)| content.kind()).collect();
    kinds.dedup();
    assert_eq!(kinds, EventKind::ALL, "each has its value here");
    let digest = |content: &Content| OrderDigest::default().with_event(&event(content.clone())).0;
    let found = frozen.iter().map(|(content, _)| format!("{:#018X}", digest(content)));
    let expected = frozen.iter().map(|(_, digest)| format!("{digest:#018X}"));
    assert_eq!(found.collect::<Vec<_>>(), expected.collect::<Vec<_>>());
}

#[test]
fn every_part_of_what_came_of_a_command_is_in_the_digest() {
    let with = |event: &Event| OrderDigest::default().with_event(event);
    let mut other_keys = created(1);
    let Content::AccountCreated { name, .. } = &mut other_keys.content else { panic!() };
    name.keys.spelling.0[0] += 1;
    let mut others = vec![posted(), created(1), created(2), other_keys];
    for change in 0..7 {
        let mut other = posted();
        let Content::Posted { from, id, digest, .. } = &mut other.content else { panic!() };
        match change {
            0 => from.0 += 1,
            1 => id.0[0] += 1,
            2 => id.0[15] += 1,
            3 => digest.0 += 1,
            4 => other.log.0 += 1,
            5 => other.seq.0 += 1,
            _ => other.ts.0 += 1,
        }
        others.push(other);
    }
    others.push(event(Content::Joined { account: AccountId(6) }));
    others.push(event(Content::RoomJoined { room: RoomId(6) }));
    let digests: std::collections::BTreeSet<u64> =
        others.iter().map(|event| with(event).0).collect();
    assert_eq!(digests.len(), others.len());
    let (a, b) = (posted(), created(1));
    assert_ne!(with(&a).with_event(&b), with(&b).with_event(&a), "the order is in it, too");
}

/// Neighbouring words that change places, or cancel each other, must not be the same.
#[test]
fn no_two_words_of_a_block_stand_for_each_other() {
    let mut found = std::collections::BTreeSet::new();
    let start = OrderDigest(0x1234_5678_9ABC_DEF0);
    for at in 0..WORDS {
        for bit in 0..64 {
            let mut words = [0; WORDS];
            words[at] = 1 << bit;
            found.insert(start.with(words).0);
        }
    }
    assert_eq!(found.len(), WORDS * 64);
}
