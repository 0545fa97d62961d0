//! The commands: what a line that begins with a slash means.
//!
//! Owns their names and arguments. It must not know how they are carried out.

mod invites;
mod moderation;
mod rooms;

use chat_proto::{InvitationId, NameError, Nickname, RoomName};
use jiff::civil::Date;

pub use invites::Terms;
pub use moderation::{COMMANDS as MODERATION_COMMANDS, Moderation, Span};
pub use rooms::{COMMANDS as ROOM_COMMANDS, RoomCommand};

/// What an entered line is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Entered {
    /// Something to say.
    Say(String),
    /// A command.
    Command(Command),
    /// Neither, and why.
    Unclear(String),
    /// Perhaps the end, perhaps something to say, which is then written so.
    Unsure(String),
}

/// A place in a room's history.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Moment {
    /// The first message.
    Beginning,
    /// A day on the reader's calendar.
    Day(Date),
    /// So many days before today.
    DaysAgo(i32),
}

/// A command.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// Join a room and open it.
    Join(RoomName),
    /// Leave a room; `None`: the open one.
    Leave(Option<RoomName>),
    /// List all rooms.
    Rooms,
    /// List the members of the open room.
    Who,
    /// Change the nickname.
    Nick(Nickname),
    /// Go to a place in the open room's history.
    GoTo(Moment),
    /// Keep order in the open room.
    Moderate(Moderation),
    /// Change the open room.
    Room(RoomCommand),
    /// Make a room that nobody knows of who is not invited.
    CreatePrivate(RoomName),
    /// Open the conversation with somebody.
    Talk(Nickname),
    /// Show a code with which another device signs in to the account.
    Link,
    /// List what the account signs in with.
    Devices,
    /// Take a device's right to sign in, by the beginning of its fingerprint.
    Revoke(String),
    /// Show how others join; with terms, or where others come from elsewhere, by an invitation.
    Invite(Option<Terms>),
    /// List the invitations that are open.
    Invites,
    /// End one of them.
    RevokeInvitation(InvitationId),
    /// Show the help.
    Help,
    /// Quit.
    Quit,
}

/// The commands as the help shows them: how they are written, and what they do.
pub const COMMANDS: &[(&str, &str)] = &[
    ("/join ROOM", "join a room; it is made when nobody has been there"),
    ("/leave [ROOM]", "leave this room, or another"),
    ("/rooms", "all rooms"),
    ("/who", "who is in this room"),
    ("/nick NAME", "change your name"),
    ("/goto DAY", "to a day in the history: 2026-03-31, today, yesterday, beginning"),
    ("/link", "a code with which another device signs in as you: chat-tui --link"),
    ("/devices", "what signs in as you; /devices revoke FINGERPRINT takes it back"),
    ("/invite", "how others join, to be copied: 20 people in 7 days; /address makes no invitation"),
    ("/invite --uses 1 --expires 2h --room dev", "the same for whom, how long and where you say"),
    ("/invites [revoke ID]", "the invitations that you have made, or the end of one"),
    ("/help", "this help"),
    ("/quit, /bye", "quit; what waits is sent the next time"),
    ("//text", "say a text that begins with a slash"),
];

/// Reads an entered text.
#[must_use]
pub fn read(text: &str) -> Entered {
    let Some(rest) = text.strip_prefix('/') else {
        return Entered::Say(text.to_owned());
    };
    if rest.starts_with('/') {
        return Entered::Say(rest.to_owned());
    }
    let (name, argument) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let argument = argument.trim();
    let name = name.to_lowercase();
    if let Some(entered) = rooms::read(&name, argument) {
        return entered;
    }
    match name.as_str() {
        "join" | "j" => room(argument, Command::Join, "/join needs a room, as in /join dev"),
        "leave" | "part" if argument.is_empty() => Entered::Command(Command::Leave(None)),
        "leave" | "part" => room(argument, |room| Command::Leave(Some(room)), ""),
        "rooms" | "list" => bare("/rooms", argument, Command::Rooms),
        "who" | "names" => bare("/who", argument, Command::Who),
        "nick" => nick(argument),
        "link" => bare("/link", argument, Command::Link),
        "devices" => devices(argument),
        "address" => bare("/address", argument, Command::Invite(None)),
        "invite" => match invites::terms(argument) {
            Ok(terms) => Entered::Command(Command::Invite(Some(terms))),
            Err(why) => Entered::Unclear(why),
        },
        "invites" => match invites::asked(argument) {
            Ok(command) => Entered::Command(command),
            Err(why) => Entered::Unclear(why),
        },
        "help" => Entered::Command(Command::Help),
        "goto" => go_to(argument),
        "quit" | "bye" | "exit" if argument.is_empty() => Entered::Command(Command::Quit),
        "quit" | "bye" | "exit" => Entered::Unsure(format!("//{rest}")),
        lower => moderation::read(lower, argument).unwrap_or_else(|| {
            let why = format!("/{name} is no command; /help lists them. As a message: //{rest}");
            Entered::Unclear(why)
        }),
    }
}

fn room(argument: &str, command: impl Fn(RoomName) -> Command, missing: &str) -> Entered {
    if argument.is_empty() {
        return Entered::Unclear(missing.to_owned());
    }
    named(RoomName::parse(argument.strip_prefix('#').unwrap_or(argument)), command)
}

fn nick(argument: &str) -> Entered {
    if argument.is_empty() {
        return Entered::Unclear("/nick needs a name, as in /nick ada".to_owned());
    }
    named(Nickname::parse(argument.strip_prefix('@').unwrap_or(argument)), Command::Nick)
}

fn devices(argument: &str) -> Entered {
    let (verb, which) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
    match (verb, which.trim()) {
        ("", _) => Entered::Command(Command::Devices),
        ("revoke", which) if !which.is_empty() && !which.contains(char::is_whitespace) => {
            Entered::Command(Command::Revoke(which.to_owned()))
        }
        _ => Entered::Unclear(
            "/devices stands alone, or as in /devices revoke FINGERPRINT, as /devices shows it"
                .to_owned(),
        ),
    }
}

fn go_to(argument: &str) -> Entered {
    let moment = match argument.to_lowercase().as_str() {
        "beginning" | "start" => Some(Moment::Beginning),
        "today" => Some(Moment::DaysAgo(0)),
        "yesterday" => Some(Moment::DaysAgo(1)),
        day => day.parse().ok().map(Moment::Day),
    };
    match moment {
        Some(moment) => Entered::Command(Command::GoTo(moment)),
        None => Entered::Unclear(
            "/goto needs a day: 2026-03-31, today, yesterday, beginning".to_owned(),
        ),
    }
}

fn named<T>(name: Result<T, NameError>, command: impl Fn(T) -> Command) -> Entered {
    match name {
        Ok(name) => Entered::Command(command(name)),
        Err(broken) => Entered::Unclear(broken.to_string()),
    }
}

fn bare(name: &str, argument: &str, command: Command) -> Entered {
    match argument {
        "" => Entered::Command(command),
        _ => Entered::Unclear(format!("{name} stands alone; {argument:?} is too much")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_without_a_slash_is_said() {
        assert_eq!(read("hello"), Entered::Say("hello".into()));
        assert_eq!(read("//etc"), Entered::Say("/etc".into()));
        assert_eq!(read(" /join x"), Entered::Say(" /join x".into()));
    }

    #[test]
    fn commands_are_read_with_their_arguments() {
        let dev = || RoomName::parse("dev").unwrap();
        assert_eq!(read("/join #dev"), Entered::Command(Command::Join(dev())));
        assert_eq!(read("/JOIN dev "), Entered::Command(Command::Join(dev())));
        assert_eq!(read("/leave"), Entered::Command(Command::Leave(None)));
        assert_eq!(read("/leave dev"), Entered::Command(Command::Leave(Some(dev()))));
        assert_eq!(read("/bye"), Entered::Command(Command::Quit));
        assert_eq!(read("/address"), Entered::Command(Command::Invite(None)));
        assert_eq!(read("/who"), Entered::Command(Command::Who));
        assert_eq!(read("/link"), Entered::Command(Command::Link));
        assert_eq!(read("/devices"), Entered::Command(Command::Devices));
        let revoke = Entered::Command(Command::Revoke("SHA256:aB3".to_owned()));
        assert_eq!(read("/devices revoke  SHA256:aB3 "), revoke);
        let day = Moment::Day(jiff::civil::date(2026, 3, 31));
        assert_eq!(read("/goto 2026-03-31"), Entered::Command(Command::GoTo(day)));
        let yesterday = Moment::DaysAgo(1);
        assert_eq!(read("/goto Yesterday"), Entered::Command(Command::GoTo(yesterday)));
        let beginning = Moment::Beginning;
        assert_eq!(read("/goto beginning"), Entered::Command(Command::GoTo(beginning)));
    }

    #[test]
    fn a_sentence_that_begins_with_quit_is_asked_about() {
        assert_eq!(read("/exit now we go"), Entered::Unsure("//exit now we go".to_owned()));
    }

    #[test]
    fn what_is_unclear_says_why() {
        for (line, says) in [
            ("/jion dev", "/jion is no command"),
            ("/jion dev", "//jion dev"),
            ("/join", "needs a room"),
            ("/join a b", "only letters"),
            ("/nick", "needs a name"),
            ("/who ada", "stands alone"),
            ("/link me", "stands alone"),
            ("/devices revoke", "revoke FINGERPRINT"),
            ("/devices revoke a b", "revoke FINGERPRINT"),
            ("/", "/ is no command"),
            ("/goto next year", "needs a day"),
        ] {
            let Entered::Unclear(why) = read(line) else {
                panic!("{line}");
            };
            assert!(why.contains(says), "{line}: {why}");
        }
    }
}
