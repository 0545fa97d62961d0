//! The windows above the history: which keys they take, and what those change.

use chat_proto::RoomName;
use crossterm::event::{KeyCode, KeyEvent};
use ratatui::layout::Rect;

use super::keyboard::{join, open};
use super::{Effect, pasting};
use crate::screen::goto::{Choice, GoTo};
use crate::screen::help::Help;
use crate::screen::keys::{self, Action, Edit};
use crate::screen::model::{Model, Overlay};

/// Gives a key to what is open above the history. Says whether the key was meant for it.
pub(super) fn takes(
    model: &mut Model,
    key: KeyEvent,
    action: Option<Action>,
    effects: &mut Vec<Effect>,
) -> bool {
    match &model.overlay {
        Overlay::None => false,
        Overlay::Help(_) => in_help(model, key, action),
        Overlay::Invitation(_) => {
            model.overlay = Overlay::None;
            // Whatever else is typed closes it and is typed.
            let closes = matches!(key.code, KeyCode::Esc | KeyCode::Enter);
            closes || action == Some(Action::Interrupt)
        }
        Overlay::GoTo(_) => {
            in_go_to(model, key, action, effects);
            true
        }
        Overlay::Paste(_) => {
            pasting::decide(model, key, action, effects);
            true
        }
    }
}

/// Reads on in the help, or closes it. Says whether the key was meant for it: whatever else is
/// typed closes it and is typed.
fn in_help(model: &mut Model, key: KeyEvent, action: Option<Action>) -> bool {
    let page = isize::try_from(model.size.1.saturating_sub(3).max(1)).unwrap_or(1);
    let is_plain = key.modifiers.is_empty();
    match (key.code, action) {
        (_, Some(Action::LineUp)) => scroll_help(model, -1),
        (_, Some(Action::LineDown)) => scroll_help(model, 1),
        (KeyCode::Up, _) if is_plain => scroll_help(model, -1),
        (KeyCode::Down, _) if is_plain => scroll_help(model, 1),
        (KeyCode::PageUp, _) => scroll_help(model, -page),
        (KeyCode::PageDown | KeyCode::Char(' '), _) => scroll_help(model, page),
        (KeyCode::Home, _) => scroll_help(model, isize::MIN),
        (KeyCode::End, _) => scroll_help(model, isize::MAX),
        (KeyCode::Esc | KeyCode::Enter, _) | (_, Some(Action::Help | Action::Interrupt)) => {
            model.overlay = Overlay::None;
        }
        (KeyCode::Char('q'), None) => model.overlay = Overlay::None,
        _ => {
            model.overlay = Overlay::None;
            return false;
        }
    }
    true
}

pub(super) fn scroll_help(model: &mut Model, lines: isize) {
    let last = Help::new(Rect::new(0, 0, model.size.0, model.size.1)).last_top();
    if let Overlay::Help(top) = &mut model.overlay {
        let moved = isize::try_from((*top).min(last)).unwrap_or(0).saturating_add(lines);
        *top = u16::try_from(moved.max(0)).unwrap_or(u16::MAX).min(last);
    }
}

/// Chooses a room, or adds to what it is looked for by.
fn in_go_to(model: &mut Model, key: KeyEvent, action: Option<Action>, effects: &mut Vec<Effect>) {
    let Overlay::GoTo(mut goto) = std::mem::take(&mut model.overlay) else {
        return;
    };
    let choices = goto.choices(model);
    match (key.code, action) {
        (KeyCode::Enter, _) => {
            if let Some(choice) = choices.get(goto.chosen) {
                go_to(model, &goto, choice, effects);
            }
            return;
        }
        (KeyCode::Esc, _) | (_, Some(Action::GoTo | Action::Interrupt)) => return,
        (KeyCode::Up | KeyCode::BackTab, _) => goto.choose(false, choices.len()),
        (KeyCode::Down | KeyCode::Tab, _) => goto.choose(true, choices.len()),
        (_, Some(Action::Edit(Edit::KillToStart))) => goto.query.clear(),
        (KeyCode::Backspace, _) => {
            goto.query.pop();
            goto.chosen = 0;
        }
        _ => {
            goto.query.extend(keys::character_of(key));
            goto.chosen = 0;
        }
    }
    model.overlay = Overlay::GoTo(goto);
}

fn go_to(model: &mut Model, goto: &GoTo, choice: &Choice, effects: &mut Vec<Effect>) {
    match choice {
        Choice::Listed(index) => open(model, *index),
        Choice::New(name) => join(model, name.clone(), effects),
        Choice::Other(_) => {
            let name = goto.room(choice).map(|room| RoomName::parse(&room.name));
            if let Some(Ok(name)) = name {
                join(model, name, effects);
            }
        }
    }
}
