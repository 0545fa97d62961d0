//! The commands about rooms: who knows of one, who does what in it, what it is about.

use chat_proto::{Nickname, Role};

use super::{Command, Entered, bare, named};

/// A change of the open room.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RoomCommand {
    /// Only its members, and who is invited, shall know of it; or everybody.
    Access {
        /// Whether it is to be private.
        is_private: bool,
    },
    /// Only its moderators and owners shall post in it; or all members.
    ReadOnly {
        /// Whether it is to be read-only.
        is_read_only: bool,
    },
    /// It shall be about something else; empty: nothing is said of it.
    Topic(String),
    /// Somebody may join it, or not any more.
    Invite {
        /// Who.
        name: Nickname,
        /// Whether it is so.
        is_set: bool,
    },
    /// Somebody has another role in it.
    Role(Nickname, Role),
}

/// As the help shows them.
pub const COMMANDS: &[(&str, &str)] = &[
    ("/msg NAME", "the conversation with somebody, which nobody else sees"),
    ("/private, /public", "who knows of this room: its members, or everybody"),
    ("/private ROOM", "make a room that only those know of whom you invite"),
    ("/invite @NAME", "let somebody join this room; /uninvite @NAME takes it back"),
    ("/op NAME [owner]", "let somebody keep order here; /deop NAME ends it"),
    ("/topic TEXT", "what this room is about; /topic - takes it away"),
    ("/readonly, /readwrite", "who posts here: moderators and owners, or all members"),
];

/// Reads a command; `None`: it is not one of these.
pub(super) fn read(name: &str, argument: &str) -> Option<Entered> {
    let access = |is_private| Command::Room(RoomCommand::Access { is_private });
    let read_only = |is_read_only| Command::Room(RoomCommand::ReadOnly { is_read_only });
    Some(match name {
        "private" if argument.is_empty() => Entered::Command(access(true)),
        "private" => super::room(argument, Command::CreatePrivate, ""),
        "public" => bare("/public", argument, access(false)),
        "readonly" => bare("/readonly", argument, read_only(true)),
        "readwrite" => bare("/readwrite", argument, read_only(false)),
        "topic" => topic(argument),
        "op" => op(argument),
        "deop" => {
            let member = |name| Command::Room(RoomCommand::Role(name, Role::Member));
            person(argument, "/deop", member)
        }
        "msg" | "query" => person(argument, "/msg", Command::Talk),
        // Without a name it shows how others join the server.
        "invite" if argument.starts_with('@') => {
            person(argument, "/invite", |name| invitation(name, true))
        }
        "uninvite" => person(argument, "/uninvite", |name| invitation(name, false)),
        _ => return None,
    })
}

fn invitation(name: Nickname, is_set: bool) -> Command {
    Command::Room(RoomCommand::Invite { name, is_set })
}

fn topic(argument: &str) -> Entered {
    match argument {
        "" => Entered::Unclear("/topic needs a text; /topic - takes it away".to_owned()),
        "-" => Entered::Command(Command::Room(RoomCommand::Topic(String::new()))),
        text => Entered::Command(Command::Room(RoomCommand::Topic(text.to_owned()))),
    }
}

fn op(argument: &str) -> Entered {
    let (name, role) = argument.split_once(char::is_whitespace).unwrap_or((argument, "moderator"));
    match role.trim().to_lowercase().parse() {
        Ok(role) => person(name, "/op", |name| Command::Room(RoomCommand::Role(name, role))),
        Err(none) => Entered::Unclear(format!("{role:?} is no role; {none}")),
    }
}

fn person(argument: &str, command: &str, make: impl Fn(Nickname) -> Command) -> Entered {
    match argument.strip_prefix('@').unwrap_or(argument) {
        "" => Entered::Unclear(format!("{command} needs a name, as in {command} @ada")),
        name => named(Nickname::parse(name), make),
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::RoomName;

    use super::*;
    use crate::screen::commands;

    fn entered(text: &str) -> Entered {
        commands::read(text)
    }

    fn room(command: RoomCommand) -> Entered {
        Entered::Command(Command::Room(command))
    }

    #[test]
    fn what_can_be_changed_of_a_room_is_read() {
        let ada = || Nickname::parse("ada").unwrap();
        for (text, expected) in [
            ("/private", room(RoomCommand::Access { is_private: true })),
            ("/public", room(RoomCommand::Access { is_private: false })),
            ("/readonly", room(RoomCommand::ReadOnly { is_read_only: true })),
            ("/readwrite", room(RoomCommand::ReadOnly { is_read_only: false })),
            ("/topic who brings what", room(RoomCommand::Topic("who brings what".to_owned()))),
            ("/topic -", room(RoomCommand::Topic(String::new()))),
            ("/invite @ada", room(RoomCommand::Invite { name: ada(), is_set: true })),
            ("/uninvite ada", room(RoomCommand::Invite { name: ada(), is_set: false })),
            ("/op ada", room(RoomCommand::Role(ada(), Role::Moderator))),
            ("/op @ada  Owner", room(RoomCommand::Role(ada(), Role::Owner))),
            ("/deop ada", room(RoomCommand::Role(ada(), Role::Member))),
            ("/msg ada", Entered::Command(Command::Talk(ada()))),
        ] {
            assert_eq!(entered(text), expected, "{text}");
        }
        let den = RoomName::parse("den").unwrap();
        assert_eq!(entered("/private #den"), Entered::Command(Command::CreatePrivate(den)));
    }

    #[test]
    fn what_is_unclear_about_a_room_says_why() {
        for (text, says) in [
            ("/public den", "stands alone"),
            ("/topic", "needs a text"),
            ("/op", "needs a name"),
            ("/op ada king", "owner, moderator, member"),
            ("/msg @", "needs a name"),
            ("/invite @a b", "only letters"),
        ] {
            let Entered::Unclear(why) = entered(text) else { panic!("{text}") };
            assert!(why.contains(says), "{text}: {why}");
        }
    }
}
