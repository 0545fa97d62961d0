//! Golden bytes of what moderators ask for.

use super::*;
use crate::{Moderation, SanctionKind};

const BOB: AccountId = AccountId(3);

/// See [`super::golden`].
pub(super) fn golden() -> Vec<(&'static str, Action)> {
    let asked = [
        (
            "9201000000000000140001020000000000000009000000000000000300000000000000040000007370616d",
            Moderation::Kick { account: BOB, reason: "spam".to_owned() },
        ),
        (
            "92010000000000001500010200000000000000090000000000000001030000000000000093010000000000000300000068c3a9",
            Moderation::Sanction {
                kind: SanctionKind::Ban,
                account: BOB,
                until: Timestamp(0x0193),
                reason: "h\u{e9}".to_owned(),
            },
        ),
        (
            "920100000000000015000102000000000000000900000000000000020300000000000000000000000000000000000000",
            Moderation::Sanction {
                kind: SanctionKind::Mute,
                account: BOB,
                until: Timestamp(0),
                reason: String::new(),
            },
        ),
        (
            "920100000000000016000102000000000000000900000000000000010300000000000000",
            Moderation::Lift { kind: SanctionKind::Ban, account: BOB },
        ),
        (
            "9201000000000000170001020000000000000009000000000000001e000000",
            Moderation::Slow { seconds: 30 },
        ),
        (
            "92010000000000001800010200000000000000090000000000000008000000000000000400000072756465",
            Moderation::Report { seq: Seq(8), reason: "rude".to_owned() },
        ),
        (
            "92010000000000001900010200000000000000090000000000000003000000000000003c000000",
            Moderation::RemoveMessages { account: BOB, seconds: 60 },
        ),
    ];
    let of_room = |asked| Action::Moderate { account: ADA, room: RoomId(9), asked };
    asked.into_iter().map(|(hex, asked)| (hex, of_room(asked))).collect()
}

#[test]
fn a_kind_of_sanction_that_is_none_is_no_command() {
    for (hex, action) in golden() {
        let Action::Moderate {
            asked: Moderation::Sanction { .. } | Moderation::Lift { .. }, ..
        } = action
        else {
            continue;
        };
        let mut bytes = bytes_of(hex);
        bytes[8 + 3 + 8 + 8] = 3;
        let kind = Err(UnreadableCommand::Field { field: "kind of sanction" });
        assert_eq!(Command::decode(&bytes), kind, "{hex}");
    }
}
