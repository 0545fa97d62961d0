//! The bytes of a command, as one machine hands it to another.

use chat_core::{Action, Command, Named};
use chat_proto::{AccountId, Nickname, RoomId, RoomName, Timestamp};

use super::{Target, holds};

pub(crate) fn target() -> Target {
    let (account, room) = (AccountId(7), RoomId(9));
    let name = Named::from(RoomName::parse("dev").expect("it is a name"));
    let nickname = Named::from(Nickname::parse("ada").expect("it is a name"));
    let actions = [
        Action::Join { account, name },
        Action::Leave { account, room },
        Action::Rename { account, name: nickname, is_reserved: false },
    ];
    let bytes = |action| {
        let mut bytes = Vec::new();
        Command { ts: Timestamp(1_767_225_600_000), action }.encode(&mut bytes);
        bytes
    };
    Target {
        name: "commands",
        corpus: include_str!("../corpus/commands.hex"),
        valid: actions.map(bytes).into(),
        check,
        is_taken: |input| Command::decode(input).is_ok(),
    }
}

fn check(input: &[u8]) -> Result<(), String> {
    let Ok(command) = Command::decode(input) else { return Ok(()) };
    let mut again = Vec::new();
    command.encode(&mut again);
    holds(again == input, || format!("{command:?} is written as other bytes"))
}
