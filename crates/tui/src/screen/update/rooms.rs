//! Which room is open, and what the server is asked about rooms.

use chat_proto::RoomName;

use super::{Effect, ServerEffect, settle};
use crate::screen::model::Model;
use crate::screen::room::RoomIndex;
use crate::screen::server::Connection;

pub(super) fn open(model: &mut Model, index: RoomIndex) {
    model.open(index);
    settle(model);
}

pub(super) fn step(model: &mut Model, by: isize) {
    let listed = model.server().listed();
    let at = listed.iter().position(|&index| index == model.server().current).unwrap_or(0);
    let count = isize::try_from(listed.len()).unwrap_or(1);
    let next = (isize::try_from(at).unwrap_or(0) + by).rem_euclid(count.max(1));
    if let Some(&index) = usize::try_from(next).ok().and_then(|next| listed.get(next)) {
        open(model, index);
    }
}

/// Opens the next room with something new; those where the reader is named come first.
pub(super) fn next_unread(model: &mut Model) {
    let listed = model.server().listed();
    let named = listed.iter().find(|&&index| model.server().rooms[index].mentions > 0);
    let unread = listed.iter().find(|&&index| model.server().rooms[index].unread > 0);
    match named.or(unread) {
        Some(&index) => open(model, index),
        None => model.flash = Some("nothing new in any room".into()),
    }
}

pub(super) fn join(model: &mut Model, name: RoomName, effects: &mut Vec<Effect>) {
    let index = model.server_mut().room_by_title(name.as_str());
    let room = &mut model.server_mut().rooms[index];
    room.wanted = !room.member;
    let wanted = room.wanted;
    open(model, index);
    match (wanted, model.server().is_online()) {
        (true, true) => effects.push(at_server(model, ServerEffect::Join(name))),
        (true, false) => {
            model.answer(&format!("#{name} is joined as soon as there is a connection"));
        }
        (false, _) => {}
    }
}

pub(super) fn leave(model: &mut Model, name: Option<&RoomName>, effects: &mut Vec<Effect>) {
    let index = match name {
        None => Some(model.server().current),
        Some(name) => model.server().rooms.iter().position(|room| room.title == name.as_str()),
    };
    let rooms = &model.server().rooms;
    let is_in = |index: RoomIndex| rooms[index].member || rooms[index].wanted;
    let Some(index) = index.filter(|&index| is_in(index)) else {
        model.trouble("you are not in that room");
        return;
    };
    match model.server().rooms[index].id {
        Some(id) => ask(model, ServerEffect::Leave(index, id), effects),
        None => {
            model.server_mut().rooms[index].wanted = false;
            model.answer("that room will not be joined");
        }
    }
}

/// An effect of the server that is looked at.
pub(super) fn at_server(model: &Model, effect: ServerEffect) -> Effect {
    Effect::Server(model.focus, effect)
}

/// Asks the server, or says at once that there is none.
pub(super) fn ask(model: &mut Model, effect: ServerEffect, effects: &mut Vec<Effect>) {
    match model.server().is_online() {
        true => effects.push(at_server(model, effect)),
        false => not_connected(model),
    }
}

pub(super) fn not_connected(model: &mut Model) {
    let why = match &model.server().connection {
        Connection::Offline { why, .. } | Connection::Ended { why } => format!(": {why}"),
        Connection::Starting | Connection::Connecting { .. } | Connection::Online { .. } => {
            String::new()
        }
    };
    model.trouble(&format!("that needs a connection, and there is none{why}"));
}
