//! What is printed: the JSON objects that `docs/json-schema.json` describes, and lines of text.
//!
//! Fields are only ever added. Hostile characters are inert in text, and `\u` escapes in JSON.

use chat_client::{Connected, Message, sanitize};
use chat_proto::{Ack, Member, RoomInfo, Seq, TextKind};
use serde::Serialize;

use super::time::Clock;
use crate::exit::Exit;

/// The version of the objects.
const VERSION: u8 = 1;

/// One object of the JSON output, with the version of its form.
#[derive(Serialize)]
pub(super) struct Record<'a> {
    v: u8,
    #[serde(flatten)]
    content: Content<'a>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Content<'a> {
    Message {
        id: String,
        room: &'a str,
        room_id: u64,
        seq: u64,
        ts: u64,
        from: &'a str,
        from_id: u64,
        kind: &'static str,
        text: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reply_to: Option<u64>,
        own: bool,
    },
    Reconnecting {
        reason: &'a str,
    },
    Resumed {},
    Gap {
        room: &'a str,
        room_id: u64,
        from: u64,
        to: u64,
        reason: &'static str,
    },
    Reset {
        room: &'a str,
        room_id: u64,
        head: u64,
    },
    Room {
        room: &'a str,
        room_id: u64,
        members: u32,
        online: u32,
        joined: bool,
    },
    Left {
        room: &'a str,
        room_id: u64,
    },
    Identity {
        name: &'a str,
        account_id: u64,
        fingerprint: String,
        server: &'a str,
    },
    Unanswered {
        line: u64,
        id: &'a str,
        nth: u64,
        room: &'a str,
        text: &'a str,
    },
    Notice {
        text: &'a str,
    },
    Error {
        exit: u8,
        text: &'a str,
    },
    Member {
        room: &'a str,
        room_id: u64,
        name: &'a str,
        account_id: u64,
        online: bool,
    },
}

impl<'a> Record<'a> {
    fn of(content: Content<'a>) -> Self {
        Self { v: VERSION, content }
    }

    pub(super) fn message(message: &'a Message, own: bool) -> Self {
        Self::of(Content::Message {
            id: message.id.to_string(),
            room: &message.room_name,
            room_id: message.room.0,
            seq: message.seq.0,
            ts: message.ts.0,
            from: &message.from_name,
            from_id: message.from.0,
            kind: kind_name(message.kind),
            text: &message.text,
            reply_to: message.reply_to.map(|seq| seq.0),
            own,
        })
    }

    /// The same object for a message of one's own, which nobody has read back.
    pub(super) fn sent(ack: &Ack, room: &'a RoomInfo, me: &'a Connected, text: &'a str) -> Self {
        Self::of(Content::Message {
            id: ack.id.to_string(),
            room: &room.name,
            room_id: ack.room.0,
            seq: ack.seq.0,
            ts: ack.ts.0,
            from: &me.name,
            from_id: me.account.0,
            kind: kind_name(TextKind::Say),
            text,
            reply_to: None,
            own: true,
        })
    }

    pub(super) fn reconnecting(reason: &'a str) -> Self {
        Self::of(Content::Reconnecting { reason })
    }

    pub(super) fn resumed() -> Self {
        Self::of(Content::Resumed {})
    }

    pub(super) fn gap(
        room: &'a str,
        room_id: u64,
        (from, to): (Seq, Seq),
        reason: &'static str,
    ) -> Self {
        Self::of(Content::Gap { room, room_id, from: from.0, to: to.0, reason })
    }

    pub(super) fn reset(room: &'a str, room_id: u64, head: Seq) -> Self {
        Self::of(Content::Reset { room, room_id, head: head.0 })
    }

    pub(super) fn room(info: &'a RoomInfo) -> Self {
        let (members, online, joined) = (info.members, info.online, info.joined);
        Self::of(Content::Room { room: &info.name, room_id: info.room.0, members, online, joined })
    }

    pub(super) fn member(info: &'a RoomInfo, member: &'a Member) -> Self {
        let (account_id, online) = (member.account.0, member.online);
        let (room, name) = (&info.name, &member.name);
        Self::of(Content::Member { room, room_id: info.room.0, name, account_id, online })
    }

    pub(super) fn left(info: &'a RoomInfo) -> Self {
        Self::of(Content::Left { room: &info.name, room_id: info.room.0 })
    }

    pub(super) fn identity(me: &'a Connected, fingerprint: String) -> Self {
        let (account_id, server) = (me.account.0, &me.address);
        Self::of(Content::Identity { name: &me.name, account_id, fingerprint, server })
    }

    /// A line of the input without an answer, and its place in the stream of the key `id`.
    pub(super) fn unanswered(
        (line, nth): (u64, u64),
        id: &'a str,
        room: &'a str,
        text: &'a str,
    ) -> Self {
        Self::of(Content::Unanswered { line, id, nth, room, text })
    }

    pub(super) fn notice(text: &'a str) -> Self {
        Self::of(Content::Notice { text })
    }

    pub(super) fn error(exit: Exit, text: &'a str) -> Self {
        Self::of(Content::Error { exit: exit as u8, text })
    }

    /// One line of JSON.
    pub(super) fn json(&self) -> String {
        sanitize::to_json(self).expect("a record has only texts, numbers and truth values")
    }
}

fn kind_name(kind: TextKind) -> &'static str {
    match kind {
        TextKind::Say => "say",
        TextKind::Action => "action",
        TextKind::Notice => "notice",
    }
}

/// How messages are printed.
#[derive(Clone, Debug)]
pub(super) struct Style {
    pub(super) json: bool,
    /// Whether a line of text names the room.
    pub(super) names_room: bool,
    pub(super) clock: Clock,
}

impl Style {
    pub(super) fn new(json: bool, rooms: usize) -> Self {
        Self { json, names_room: rooms > 1, clock: Clock::local() }
    }

    /// One line, without its end.
    pub(super) fn message(&self, message: &Message, own: bool) -> String {
        if self.json {
            return Record::message(message, own).json();
        }
        let time = self.clock.time(message.ts);
        let room = match self.names_room {
            true => format!("#{} ", sanitize::inert(&message.room_name)),
            false => String::new(),
        };
        let from = sanitize::inert(&message.from_name);
        let text = sanitize::inert(&message.text);
        // No nickname has these marks in it.
        match message.kind {
            TextKind::Say => format!("{time} {room}{from}: {text}"),
            TextKind::Action => format!("{time} {room}* {from} {text}"),
            TextKind::Notice => format!("{time} {room}{from} [notice]: {text}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::{AccountId, MessageId, RoomId, Timestamp};

    use super::*;

    fn waving(kind: TextKind) -> Message {
        Message {
            room: RoomId(1),
            room_name: "lobby".into(),
            seq: Seq(5),
            ts: Timestamp(0),
            from: AccountId(2),
            from_name: "ada".into(),
            id: MessageId([0; 16]),
            kind,
            text: "waves".into(),
            reply_to: (kind == TextKind::Action).then_some(Seq(4)),
            live: false,
        }
    }

    #[test]
    fn what_is_done_and_what_a_program_says_is_marked() {
        let style = Style::new(false, 1);
        let line = |kind| {
            let line = style.message(&waving(kind), false);
            line.split_once(' ').expect("a time comes first").1.to_owned()
        };
        assert!(line(TextKind::Say).ends_with("ada: waves"));
        assert!(line(TextKind::Action).ends_with("* ada waves"));
        assert!(line(TextKind::Notice).ends_with("ada [notice]: waves"));
    }

    #[test]
    fn an_object_says_how_it_is_meant_and_what_it_answers() {
        let json = Record::message(&waving(TextKind::Action), false).json();
        assert!(json.contains(r#""kind":"action""#) && json.contains(r#""reply_to":4"#), "{json}");
        let json = Record::message(&waving(TextKind::Say), false).json();
        assert!(json.contains(r#""kind":"say""#) && !json.contains("reply_to"), "{json}");
    }
}
