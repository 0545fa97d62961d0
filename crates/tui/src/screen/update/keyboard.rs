//! What the person does, and what it changes.

use chat_client::sanitize::Inert;
use chat_proto::Nickname;
use chat_proto::limits::TEXT_BYTES_MAX;
use crossterm::event::KeyEvent;

use super::rooms::{ask, at_server, join, leave, next_unread, not_connected, open, step};
use super::sending::{again, cannot_be_said, discard, is_full, say};
use super::{Effect, ServerEffect, inviting, layers, moments, settle};
use crate::screen::areas;
use crate::screen::commands::{self, Command, Entered, Moderation, Moment};
use crate::screen::keys::{self, Action, Edit};
use crate::screen::layers::Press;
use crate::screen::layers::goto::GoTo;
use crate::screen::layers::help::Help;
use crate::screen::model::Model;
use crate::screen::sanitize;
use crate::screen::server::Connection;

pub(super) fn key(model: &mut Model, key: KeyEvent, effects: &mut Vec<Effect>) {
    let told = model.flash.take();
    let asked_to_quit = told.is_some() && told == Some(quit_hint(model));
    let action = model.keymap.action_of(key);
    match action {
        Some(Action::Suspend) => return effects.push(Effect::Suspend),
        Some(Action::Repaint) => return effects.push(Effect::Repaint),
        Some(Action::Quit) => return effects.push(Effect::Quit),
        Some(Action::Interrupt) if asked_to_quit => return effects.push(Effect::Quit),
        _ => {}
    }
    let press = Press { key, action };
    if layers::take(model, effects, |layer, context| layer.on_key(press, context)) {
        return;
    }
    if action == Some(Action::Send) && told.is_some() && told == doubt_now(model) {
        return effects.push(Effect::Quit);
    }
    in_room(model, key, action, effects);
}

fn quit_hint(model: &Model) -> Inert {
    format!("{} again quits", model.keymap.hint(Action::Interrupt)).into()
}

/// The wheel moves the history, unless a layer reads on.
pub(super) fn wheel(model: &mut Model, lines: isize, effects: &mut Vec<Effect>) {
    if !layers::take(model, effects, |layer, context| layer.on_wheel(lines, context)) {
        scroll(model, lines);
    }
}

fn scroll(model: &mut Model, lines: isize) {
    let viewport = areas::viewport(model);
    let history = &mut model.room_mut().history;
    history.scroll(lines, viewport);
    history.retry_pages();
}

pub(super) fn click(model: &mut Model, column: u16, row: u16, effects: &mut Vec<Effect>) {
    if layers::take(model, effects, |layer, _context| layer.on_click()) {
        return;
    }
    let Some(pane) = areas::of(model).rooms else {
        return;
    };
    let inside = column > pane.x && column + 1 < pane.right() && row > pane.y;
    let offset = areas::first_listed(model, pane);
    let nth = usize::from(row.saturating_sub(pane.y + 1)) + offset;
    if let (true, Some(&index)) =
        (inside && row + 1 < pane.bottom(), model.server().listed().get(nth))
    {
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
    let page = isize::try_from(areas::viewport(model).rows.saturating_sub(1).max(1)).unwrap_or(1);
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
        Action::GoTo => model.layers.push(Box::new(GoTo::default())),
        Action::Again => again(model, effects),
        Action::Discard => discard(model),
        Action::Retry => effects.push(at_server(model, ServerEffect::Retry)),
        Action::Help => model.layers.push(Box::new(Help::default())),
        Action::Interrupt if model.input.is_empty() => model.flash = Some(quit_hint(model)),
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
        true => model.flash = Some(format!("a message has at most {TEXT_BYTES_MAX} bytes").into()),
        false => model.input.type_char(character),
    }
}

/// What is asked before the typed line is taken for the end.
fn doubt(model: &Model, said: &str) -> Inert {
    let send = model.keymap.hint(Action::Send);
    sanitize::line(&format!("{send} again quits; to say it: {said}"))
}

fn doubt_now(model: &Model) -> Option<Inert> {
    match commands::read(&model.input.text()) {
        Entered::Unsure(said) => Some(doubt(model, &said)),
        Entered::Say(_) | Entered::Command(_) | Entered::Unclear(_) => None,
    }
}

fn enter(model: &mut Model, effects: &mut Vec<Effect>) {
    let text = model.input.text();
    if text.trim().is_empty() {
        let viewport = areas::viewport(model);
        model.room_mut().history.fold_or_unfold(viewport);
        return;
    }
    match commands::read(&text) {
        Entered::Unclear(why) => model.flash = Some(sanitize::line(&why)),
        Entered::Unsure(said) => model.flash = Some(doubt(model, &said)),
        Entered::Command(command) => {
            model.input.take();
            model.input.remember(&text);
            run(model, command, effects);
        }
        Entered::Say(said) if inviting::comes_with(model, &said, effects) => {
            // It is a secret: nothing of it is kept.
            model.input.take();
        }
        Entered::Say(said) if cannot_be_said(model, &said) => {}
        Entered::Say(_) if is_full(model) => {
            // A line of its own: what is typed next does not run into this one.
            model.input.begin_line();
            let send = model.keymap.hint(Action::Send);
            model.flash =
                Some(format!("the outbox is full: your lines wait here for {send}").into());
        }
        Entered::Say(said) => {
            model.input.take();
            model.input.remember(&text);
            say(model, said.trim_end_matches('\n').to_owned(), effects);
        }
    }
}

fn run(model: &mut Model, command: Command, effects: &mut Vec<Effect>) {
    match command {
        Command::Join(name) => join(model, name, effects),
        Command::Leave(name) => leave(model, name.as_ref(), effects),
        Command::Rooms => ask(model, ServerEffect::Rooms, effects),
        Command::Who => match model.room().id {
            Some(id) => ask(model, ServerEffect::Who(model.server().current, id), effects),
            None => not_connected(model),
        },
        Command::Moderate(asked) => moderate(model, asked, effects),
        Command::Nick(name) => rename(model, name, effects),
        Command::GoTo(moment) => moments::go_to(model, moment, effects),
        Command::Room(command) => match model.room().id {
            Some(id) => {
                let index = model.server().current;
                ask(model, ServerEffect::Change(index, id, command), effects);
            }
            None => not_connected(model),
        },
        Command::CreatePrivate(name) => ask(model, ServerEffect::CreatePrivate(name), effects),
        Command::Talk(name) => ask(model, ServerEffect::Talk(name), effects),
        Command::Link => ask(model, ServerEffect::Link, effects),
        Command::Devices => ask(model, ServerEffect::Devices, effects),
        Command::Revoke(which) => ask(model, ServerEffect::Revoke(which), effects),
        Command::Invite(terms) => inviting::invite(model, terms, effects),
        Command::Invites => ask(model, ServerEffect::Invites, effects),
        Command::RevokeInvitation(id) => ask(model, ServerEffect::RevokeInvitation(id), effects),
        Command::Help => model.layers.push(Box::new(Help::default())),
        Command::Quit => effects.push(Effect::Quit),
    }
}

/// Something that keeps order in the open room.
fn moderate(model: &mut Model, asked: Moderation, effects: &mut Vec<Effect>) {
    let wall_ms = model.clock.now.wall.as_millisecond();
    let now = chat_proto::Timestamp(u64::try_from(wall_ms).unwrap_or(0));
    match model.room().id {
        Some(id) => {
            let index = model.server().current;
            ask(model, ServerEffect::Moderate(index, id, asked, now), effects);
        }
        None => not_connected(model),
    }
}

/// Another name. When the server has refused the one that was wished for, everything begins anew
/// under the new one.
fn rename(model: &mut Model, name: Nickname, effects: &mut Vec<Effect>) {
    let Connection::Ended { .. } = model.server().connection else {
        return ask(model, ServerEffect::Nick(name), effects);
    };
    model.server_mut().begin_anew(name.as_str());
    effects.push(at_server(model, ServerEffect::SignInAs(name)));
}

fn bottom(model: &mut Model) {
    let server = model.server_mut();
    let online = server.is_online();
    server.outage.see();
    server.room_mut().history.scroll_to_bottom(online);
}

/// To the beginning of the room; without a connection, of what is here.
fn oldest(model: &mut Model, effects: &mut Vec<Effect>) {
    if model.server().is_online() && model.room().history.has_more_above() {
        return moments::go_to(model, Moment::Beginning, effects);
    }
    let viewport = areas::viewport(model);
    model.room_mut().history.scroll_to_top(viewport);
}
