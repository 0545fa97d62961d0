//! Which room is open, and what the server is asked about rooms.

use chat_proto::RoomName;

use super::{Effect, settle};
use crate::screen::model::{Connection, Model, RoomIndex};

pub(super) fn open(model: &mut Model, index: RoomIndex) {
    model.open(index);
    settle(model);
}

pub(super) fn step(model: &mut Model, by: isize) {
    let listed = model.listed();
    let at = listed.iter().position(|&index| index == model.current).unwrap_or(0);
    let count = isize::try_from(listed.len()).unwrap_or(1);
    let next = (isize::try_from(at).unwrap_or(0) + by).rem_euclid(count.max(1));
    if let Some(&index) = usize::try_from(next).ok().and_then(|next| listed.get(next)) {
        open(model, index);
    }
}

/// Opens the next room with something new; those where the reader is named come first.
pub(super) fn next_unread(model: &mut Model) {
    let listed = model.listed();
    let named = listed.iter().find(|&&index| model.rooms[index].mentions > 0);
    let unread = listed.iter().find(|&&index| model.rooms[index].unread > 0);
    match named.or(unread) {
        Some(&index) => open(model, index),
        None => model.flash = Some("nothing new in any room".to_owned()),
    }
}

pub(super) fn join(model: &mut Model, name: RoomName, effects: &mut Vec<Effect>) {
    let index = model.room_by_title(name.as_str());
    let room = &mut model.rooms[index];
    room.wanted = !room.member;
    let wanted = room.wanted;
    open(model, index);
    match (wanted, model.is_online()) {
        (true, true) => effects.push(Effect::Join(name)),
        (true, false) => {
            model.answer(&format!("#{name} is joined as soon as there is a connection"));
        }
        (false, _) => {}
    }
}

pub(super) fn leave(model: &mut Model, name: Option<&RoomName>, effects: &mut Vec<Effect>) {
    let index = match name {
        None => Some(model.current),
        Some(name) => model.rooms.iter().position(|room| room.title == name.as_str()),
    };
    let Some(index) = index.filter(|&index| model.rooms[index].member || model.rooms[index].wanted)
    else {
        model.trouble("you are not in that room");
        return;
    };
    match model.rooms[index].id {
        Some(id) => ask(model, Effect::Leave(index, id), effects),
        None => {
            model.rooms[index].wanted = false;
            model.answer("that room will not be joined");
        }
    }
}

/// Asks the server, or says at once that there is none.
pub(super) fn ask(model: &mut Model, effect: Effect, effects: &mut Vec<Effect>) {
    match model.is_online() {
        true => effects.push(effect),
        false => not_connected(model),
    }
}

pub(super) fn not_connected(model: &mut Model) {
    let why = match &model.connection {
        Connection::Offline { why, .. } | Connection::Ended { why } => format!(": {why}"),
        Connection::Starting | Connection::Connecting { .. } | Connection::Online { .. } => {
            String::new()
        }
    };
    model.trouble(&format!("that needs a connection, and there is none{why}"));
}
