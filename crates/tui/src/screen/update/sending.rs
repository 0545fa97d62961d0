//! Own messages on their way: what is said goes to the outbox, and what was refused is sent again
//! or dropped.

use chat_client::Destination;
use chat_proto::RoomName;
use chat_proto::limits::TEXT_BYTES_MAX;

use super::rooms::at_server;
use super::{Effect, ServerEffect};
use crate::screen::areas;
use crate::screen::history::Local;
use crate::screen::keys::{Action, Edit};
use crate::screen::model::Model;
use crate::screen::server::Connection;

/// Whether a text has to stay where it is typed, for a reason that is said.
pub(super) fn cannot_be_said(model: &mut Model, text: &str) -> bool {
    let room = model.room();
    let why = if text.len() > TEXT_BYTES_MAX {
        format!("too long: {} bytes of at most {TEXT_BYTES_MAX}", text.len())
    } else if !room.member && !room.wanted {
        format!("you are not in #{0}; /join {0}", room.title)
    } else {
        return false;
    };
    model.flash = Some(why.into());
    true
}

/// Whether the outbox takes no more now, which is said.
pub(super) fn is_full(model: &mut Model) -> bool {
    let is_full = !model.server().sends.has_room_for(1);
    if is_full {
        model.flash = Some("the outbox is full; wait a moment".into());
    }
    is_full
}

pub(super) fn say(model: &mut Model, text: String, effects: &mut Vec<Effect>) {
    let time = model.clock.local_now();
    let server = model.server_mut();
    let (online, room) = (server.is_online(), server.current);
    server.outage.see();
    let retries = matches!(server.connection, Connection::Offline { .. });
    let held = server.room_mut();
    let to = Destination { room: held.id, name: RoomName::parse(&held.title).ok() };
    held.history.divider = None;
    let local = held.history.wait(None, time, &text);
    held.history.scroll_to_bottom(online);
    let ticket = server.sends.push(room, local, text.clone());
    if retries {
        effects.push(at_server(model, ServerEffect::Retry));
    }
    effects.push(at_server(model, ServerEffect::Send { ticket, to, text }));
}

fn take_refused(model: &mut Model) -> Option<(Local, String)> {
    let viewport = areas::viewport(model);
    model.room_mut().take_refused(viewport)
}

pub(super) fn again(model: &mut Model, effects: &mut Vec<Effect>) {
    match take_refused(model) {
        Some((local, text)) if !is_full(model) && !cannot_be_said(model, &text) => {
            model.room_mut().history.discard(local);
            say(model, text, effects);
        }
        Some(kept) => model.room_mut().refused.push(kept),
        None => model.flash = Some("no message was refused here".into()),
    }
}

/// The key that brings back what was sent.
pub(super) fn recall(model: &Model) -> String {
    model.keymap.hint(Action::Edit(Edit::Up))
}

pub(super) fn discard(model: &mut Model) {
    match take_refused(model) {
        Some((local, text)) => {
            model.room_mut().history.discard(local);
            model.input.remember(&text);
            model.flash = Some(format!("dropped; {} brings the text back", recall(model)).into());
        }
        None => model.flash = Some("no message was refused here".into()),
    }
}
