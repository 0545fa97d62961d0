//! What has changed about a room: what the reader is told, and what is remembered.

use chat_client::{RoomChanged, RoomNews};
use chat_proto::{AccountId, RoomInfo};

use super::{Answer, Reader, apart, network};
use crate::screen::commands::RoomCommand;
use crate::screen::model::Model;
use crate::screen::sanitize;
use crate::screen::server::{Server, ServerId};

/// Somebody has changed something about a room.
pub(super) fn changed(server: &mut Server, reader: &mut Reader<'_>, changed: &RoomChanged) {
    if let RoomNews::Topic(topic) = &changed.what {
        let index = server.room_with(changed.change.room, &changed.change.room_name);
        server.rooms[index].topic = sanitize::line(topic);
    }
    network::notice(server, reader, &changed.change, &words(changed));
}

/// Somebody lets the reader join a room.
pub(super) fn invited(server: &mut Server, reader: &Reader<'_>, name: &str) {
    let name = sanitize::line(name);
    server.answer(&format!("you may join #{name}: /join {name}"), reader.clock);
}

/// What has become of something that was asked for about a room.
pub(super) fn answered(model: &mut Model, id: ServerId, answer: Answer) {
    let (server, reader) = apart(model, id);
    #[expect(clippy::wildcard_enum_match_arm, reason = "no other answer is about a room's walls")]
    match answer {
        Answer::Changed(_index, command, Ok(())) => {
            told(&command).into_iter().for_each(|text| server.answer(text, reader.clock));
        }
        Answer::Changed(index, _command, Err(failure)) => {
            let told = format!("{}: {}", server.rooms[index].label(), failure.why);
            server.trouble(&told, reader.clock);
        }
        Answer::Created(_name, Ok(info)) => {
            open(model, id, &info);
            model.answer("nobody knows of this room but you: /invite @NAME lets somebody in");
        }
        Answer::Created(name, Err(failure)) => {
            server.trouble(&format!("#{name} was not made: {}", failure.why), reader.clock);
        }
        Answer::Talks(_name, Ok(info)) => open(model, id, &info),
        Answer::Talks(name, Err(failure)) => {
            server.trouble(&format!("no conversation with {name}: {}", failure.why), reader.clock);
        }
        _ => {}
    }
}

/// A room is there that the reader is a member of, and wants to see.
fn open(model: &mut Model, id: ServerId, info: &RoomInfo) {
    let server = &mut model.servers[id.0];
    let index = server.room_with(info.room, &info.name);
    let room = &mut server.rooms[index];
    (room.member, room.wanted) = (true, false);
    room.online = room.online.or(Some(info.online));
    model.open_in(id, index);
}

/// The line in the room.
fn words(changed: &RoomChanged) -> String {
    let by = match changed.change.account {
        AccountId(0) => "the server".to_owned(),
        _ => sanitize::name(&changed.change.name).to_string(),
    };
    match &changed.what {
        RoomNews::Role { name, role, .. } => format!("{by} made {} {role}", sanitize::name(name)),
        RoomNews::Access { is_private: true } => format!("{by} made this room private"),
        RoomNews::Access { is_private: false } => format!("{by} made this room public"),
        RoomNews::Invitation { name, is_set: true, .. } => {
            format!("{by} invited {}", sanitize::name(name))
        }
        RoomNews::Invitation { name, is_set: false, .. } => {
            format!("{by} took the invitation of {} back", sanitize::name(name))
        }
        RoomNews::Topic(topic) if topic.is_empty() => format!("{by} took the topic away"),
        RoomNews::Topic(topic) => format!("{by} set the topic: {}", sanitize::line(topic)),
        RoomNews::ReadOnly { is_read_only: true } => {
            format!("{by} made this room read-only: moderators and owners post")
        }
        RoomNews::ReadOnly { is_read_only: false } => format!("{by} lets all members post again"),
        RoomNews::DirectBegun { name, .. } => {
            format!("{by} began this conversation with {}", sanitize::name(name))
        }
    }
}

/// What follows from a change, where the line in the room does not say it to whoever asked for it.
fn told(command: &RoomCommand) -> Option<&'static str> {
    match command {
        RoomCommand::Access { is_private: true } => {
            Some("only its members, and who is invited, know of this room now")
        }
        RoomCommand::Access { is_private: false } => {
            Some("everybody can find this room now, and read it from its beginning")
        }
        RoomCommand::ReadOnly { .. }
        | RoomCommand::Topic(_)
        | RoomCommand::Invite { .. }
        | RoomCommand::Role(..) => None,
    }
}
