//! What the person does, and what it changes.

use chat_client::Destination;
use chat_proto::limits::TEXT_BYTES_MAX;
use chat_proto::{Nickname, RoomName};
use crossterm::event::KeyEvent;

use super::{Effect, moments, overlay, settle};
use crate::screen::areas;
use crate::screen::commands::{self, Command, Entered, Moment};
use crate::screen::goto::GoTo;
use crate::screen::invitation::Invitation;
use crate::screen::keys::{self, Action, Edit};
use crate::screen::model::{Connection, Model, Overlay, RoomIndex, Unqueued};
use crate::screen::shown;

/// Sends that the outbox has not taken yet, at most; past it what is typed stays where it is.
pub(super) const UNQUEUED_MAX: usize = 256;

const QUIT_HINT: &str = "Ctrl-C again quits";

pub(super) fn key(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    let told = model.flash.take();
    let asked_to_quit = told.as_deref() == Some(QUIT_HINT);
    let action = keys::action_of(key);
    match action {
        Some(Action::Suspend) => return effects.push(Effect::Suspend),
        Some(Action::Repaint) => return effects.push(Effect::Repaint),
        Some(Action::Quit) => return effects.push(Effect::Quit),
        Some(Action::Interrupt) if asked_to_quit => return effects.push(Effect::Quit),
        _ => {}
    }
    if overlay::takes(model, key, action, effects) {
        return;
    }
    if action == Some(Action::Send) && told.is_some() && told == doubt(model) {
        return effects.push(Effect::Quit);
    }
    in_room(model, key, action, effects);
}

/// The wheel reads on in the help, if that is open, else in the history.
pub(super) fn wheel(model: &mut Model, lines: isize) {
    match model.overlay {
        Overlay::Help(_) => overlay::scroll_help(model, lines),
        Overlay::None | Overlay::GoTo(_) | Overlay::Paste(_) | Overlay::Invitation(_) => {
            scroll(model, lines);
        }
    }
}

fn scroll(model: &mut Model, lines: isize) {
    let viewport = model.viewport();
    let history = &mut model.room_mut().history;
    history.scroll(lines, viewport);
    history.retry_pages();
}

pub(super) fn click(model: &mut Model, column: u16, row: u16) {
    match model.overlay {
        Overlay::None => {}
        Overlay::Paste(_) => return,
        // The mouse may be on its way to copy it.
        Overlay::Invitation(_) => return,
        Overlay::Help(_) | Overlay::GoTo(_) => return model.overlay = Overlay::None,
    }
    let Some(pane) = areas::of(model).rooms else {
        return;
    };
    let inside = column > pane.x && column + 1 < pane.right() && row > pane.y;
    let offset = areas::first_listed(model, pane);
    let nth = usize::from(row.saturating_sub(pane.y + 1)) + offset;
    if let (true, Some(&index)) = (inside && row + 1 < pane.bottom(), model.listed().get(nth)) {
        open(model, index);
    }
}

fn in_room(model: &mut Model, key: KeyEvent, action: Option<Action>, effects: &mut Vec<Effect>) {
    match action {
        Some(action) => act(model, action, effects),
        None => {
            if let Some(character) = keys::character_of(key) {
                type_char(model, character);
            }
        }
    }
    settle(model);
}

fn act(model: &mut Model, action: Action, effects: &mut Vec<Effect>) {
    let page = isize::try_from(model.viewport().rows.saturating_sub(1).max(1)).unwrap_or(1);
    match action {
        Action::Send => enter(model, effects),
        Action::Edit(edit) => model.input.edit(edit),
        Action::End if model.input.is_at_end() => bottom(model),
        Action::End => model.input.edit(Edit::LineEnd),
        Action::Bottom => bottom(model),
        Action::Oldest => oldest(model, effects),
        Action::PageUp => scroll(model, -page),
        Action::PageDown => scroll(model, page),
        Action::LineUp => scroll(model, -1),
        Action::LineDown => scroll(model, 1),
        Action::NextRoom => step(model, 1),
        Action::PreviousRoom => step(model, -1),
        Action::NextUnread => next_unread(model),
        Action::GoTo => model.overlay = Overlay::GoTo(GoTo::default()),
        Action::Again => again(model, effects),
        Action::Discard => discard(model),
        Action::Retry => effects.push(Effect::Retry),
        Action::Help => model.overlay = Overlay::Help(0),
        Action::Interrupt if model.input.is_empty() => model.flash = Some(QUIT_HINT.to_owned()),
        Action::Interrupt => {
            let cleared = model.input.take();
            model.input.remember(&cleared);
        }
        Action::Eof if model.input.is_empty() => effects.push(Effect::Quit),
        Action::Eof => model.input.edit(Edit::DeleteRight),
        Action::Suspend | Action::Repaint | Action::Quit => {}
    }
}

fn type_char(model: &mut Model, character: char) {
    match model.input.bytes() + character.len_utf8() > TEXT_BYTES_MAX {
        true => model.flash = Some(format!("a message has at most {TEXT_BYTES_MAX} bytes")),
        false => model.input.type_char(character),
    }
}

/// What has to be asked before the typed line is taken for the end.
fn doubt(model: &Model) -> Option<String> {
    match commands::read(&model.input.text()) {
        Entered::Unsure(why) => Some(why),
        Entered::Say(_) | Entered::Command(_) | Entered::Unclear(_) => None,
    }
}

fn enter(model: &mut Model, effects: &mut Vec<Effect>) {
    let text = model.input.text();
    if text.trim().is_empty() {
        let viewport = model.viewport();
        model.room_mut().history.fold_or_unfold(viewport);
        return;
    }
    match commands::read(&text) {
        Entered::Unclear(why) | Entered::Unsure(why) => model.flash = Some(shown::line(&why)),
        Entered::Command(command) => {
            model.input.take();
            model.input.remember(&text);
            run(model, command, effects);
        }
        Entered::Say(said) if cannot_be_said(model, &said) => {}
        Entered::Say(_) if is_full(model) => {
            // A line of its own: what is typed next does not run into this one.
            model.input.begin_line();
            model.flash = Some("the outbox is full: your lines wait here for Enter".to_owned());
        }
        Entered::Say(said) => {
            model.input.take();
            model.input.remember(&text);
            say(model, said.trim_end_matches('\n').to_owned(), effects);
        }
    }
}

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
    model.flash = Some(why);
    true
}

/// Whether the outbox takes no more now, which is said.
pub(super) fn is_full(model: &mut Model) -> bool {
    let is_full = model.unqueued.len() >= UNQUEUED_MAX;
    if is_full {
        model.flash = Some("the outbox is full; wait a moment".to_owned());
    }
    is_full
}

pub(super) fn say(model: &mut Model, text: String, effects: &mut Vec<Effect>) {
    let (room, time) = (model.current, model.clock_now());
    let online = model.is_online();
    let shown = shown::text(&text);
    model.seen_missed();
    if let Connection::Offline { .. } = model.connection {
        effects.push(Effect::Retry);
    }
    let held = model.room_mut();
    let to = Destination { room: held.id, name: RoomName::parse(&held.title).ok() };
    held.history.divider = None;
    let local = held.history.wait(None, time, &shown);
    held.history.scroll_to_bottom(online);
    model.tickets += 1;
    let ticket = model.tickets;
    model.unqueued.push_back(Unqueued { ticket, room, local, text: text.clone() });
    effects.push(Effect::Send { ticket, to, text });
}

fn run(model: &mut Model, command: Command, effects: &mut Vec<Effect>) {
    match command {
        Command::Join(name) => join(model, name, effects),
        Command::Leave(name) => leave(model, name.as_ref(), effects),
        Command::Rooms => ask(model, Effect::Rooms, effects),
        Command::Who => match model.room().id {
            Some(id) => ask(model, Effect::Who(model.current, id), effects),
            None => not_connected(model),
        },
        Command::Nick(name) => rename(model, name, effects),
        Command::GoTo(moment) => moments::go_to(model, moment, effects),
        Command::Invite => invite(model, effects),
        Command::Help => model.overlay = Overlay::Help(0),
        Command::Quit => effects.push(Effect::Quit),
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

fn leave(model: &mut Model, name: Option<&RoomName>, effects: &mut Vec<Effect>) {
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

/// Another name. When the server has refused the one that was wished for, everything begins anew
/// under the new one.
fn rename(model: &mut Model, name: Nickname, effects: &mut Vec<Effect>) {
    let Connection::Ended { .. } = model.connection else {
        return ask(model, Effect::Nick(name), effects);
    };
    model.begin_anew(name.as_str());
    effects.push(Effect::SignInAs(name));
}

/// Shows how others join, and gives that to the clipboard.
fn invite(model: &mut Model, effects: &mut Vec<Effect>) {
    match Invitation::of(model) {
        Some(invitation) => {
            effects.push(Effect::Copy(invitation.command.clone()));
            model.overlay = Overlay::Invitation(invitation);
        }
        None => not_connected(model),
    }
}

/// Asks the server, or says at once that there is none.
fn ask(model: &mut Model, effect: Effect, effects: &mut Vec<Effect>) {
    match model.is_online() {
        true => effects.push(effect),
        false => not_connected(model),
    }
}

fn not_connected(model: &mut Model) {
    let why = match &model.connection {
        Connection::Offline { why, .. } | Connection::Ended { why } => format!(": {why}"),
        Connection::Starting | Connection::Connecting { .. } | Connection::Online { .. } => {
            String::new()
        }
    };
    model.trouble(&format!("that needs a connection, and there is none{why}"));
}

pub(super) fn open(model: &mut Model, index: RoomIndex) {
    model.open(index);
    settle(model);
}

fn step(model: &mut Model, by: isize) {
    let listed = model.listed();
    let at = listed.iter().position(|&index| index == model.current).unwrap_or(0);
    let count = isize::try_from(listed.len()).unwrap_or(1);
    let next = (isize::try_from(at).unwrap_or(0) + by).rem_euclid(count.max(1));
    if let Some(&index) = usize::try_from(next).ok().and_then(|next| listed.get(next)) {
        open(model, index);
    }
}

/// Opens the next room with something new; those where the reader is named come first.
fn next_unread(model: &mut Model) {
    let listed = model.listed();
    let named = listed.iter().find(|&&index| model.rooms[index].mentions > 0);
    let unread = listed.iter().find(|&&index| model.rooms[index].unread > 0);
    match named.or(unread) {
        Some(&index) => open(model, index),
        None => model.flash = Some("nothing new in any room".to_owned()),
    }
}

fn bottom(model: &mut Model) {
    let online = model.is_online();
    model.seen_missed();
    model.room_mut().history.scroll_to_bottom(online);
}

/// To the beginning of the room; without a connection, of what is here.
fn oldest(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.is_online() && model.room().history.has_more_above() {
        return moments::go_to(model, Moment::Beginning, effects);
    }
    let viewport = model.viewport();
    model.room_mut().history.scroll_to_top(viewport);
}

fn again(model: &mut Model, effects: &mut Vec<Effect>) {
    match model.take_refused() {
        Some((local, text)) if !is_full(model) && !cannot_be_said(model, &text) => {
            model.room_mut().history.discard(local);
            say(model, text, effects);
        }
        Some(kept) => model.room_mut().refused.push(kept),
        None => model.flash = Some("no message was refused here".to_owned()),
    }
}

fn discard(model: &mut Model) {
    match model.take_refused() {
        Some((local, text)) => {
            model.room_mut().history.discard(local);
            model.input.remember(&text);
            model.flash = Some("dropped; Up brings the text back".to_owned());
        }
        None => model.flash = Some("no message was refused here".to_owned()),
    }
}
