//! What is pasted, and what the person wants done with it.

use crossterm::event::{KeyCode, KeyEvent};

use super::keyboard::{UNQUEUED_MAX, cannot_be_said, is_full, say};
use super::{Effect, settle};
use crate::screen::input;
use crate::screen::keys::Action;
use crate::screen::model::{Model, Overlay};
use crate::screen::pasted::{Choice, Pasted, Verdict, judge};

pub(super) fn paste(model: &mut Model, text: &str) {
    let mut text = input::typeable(text);
    match std::mem::take(&mut model.overlay) {
        Overlay::GoTo(mut goto) => {
            goto.query.extend(text.chars().filter(|character| !character.is_control()));
            model.overlay = Overlay::GoTo(goto);
            return;
        }
        // The rest of one that came in pieces.
        Overlay::Paste(before) => text.insert_str(0, &before.text),
        Overlay::None | Overlay::Help(_) | Overlay::Invitation(_) => {}
    }
    match judge(text, model.input.bytes()) {
        Verdict::Plain(text) => model.input.paste(&text),
        Verdict::Ask(pasted) => model.overlay = Overlay::Paste(pasted),
        Verdict::TooLong(why) => model.flash = Some(why),
    }
    settle(model);
}

/// Gives a key to the question about a paste.
pub(super) fn decide(
    model: &mut Model,
    key: KeyEvent,
    action: Option<Action>,
    effects: &mut Vec<Effect>,
) {
    let Overlay::Paste(mut pasted) = std::mem::take(&mut model.overlay) else {
        return;
    };
    let nth = match (key.code, action) {
        (KeyCode::Enter, _) => Some(pasted.chosen),
        (KeyCode::Esc, _) | (_, Some(Action::Interrupt)) => pasted.choices.len().checked_sub(1),
        (KeyCode::Char(digit @ '1'..='9'), None) => {
            digit.to_digit(10).and_then(|digit| usize::try_from(digit).ok()).map(|nth| nth - 1)
        }
        (KeyCode::Up | KeyCode::BackTab, _) => {
            pasted.choose(false);
            None
        }
        (KeyCode::Down | KeyCode::Tab, _) => {
            pasted.choose(true);
            None
        }
        _ => None,
    };
    match nth.and_then(|nth| pasted.choices.get(nth).copied()) {
        Some(choice) => carry_out(model, pasted, choice, effects),
        None => model.overlay = Overlay::Paste(pasted),
    }
    settle(model);
}

fn carry_out(model: &mut Model, pasted: Pasted, choice: Choice, effects: &mut Vec<Effect>) {
    match choice {
        Choice::Edit => model.input.paste(&pasted.text),
        Choice::Cancel => {
            model.input.remember(&pasted.text);
            model.flash = Some("not sent; Up brings the paste back".to_owned());
        }
        Choice::One => {
            model.input.paste(&pasted.text);
            let text = model.input.text();
            let text = text.trim_end_matches('\n').to_owned();
            if !is_full(model) && !cannot_be_said(model, &text) {
                model.input.take();
                model.input.remember(&text);
                say(model, text, effects);
            }
        }
        Choice::Each(count) => {
            if model.unqueued.len() + count > UNQUEUED_MAX {
                model.flash = Some("the outbox is full; wait a moment".to_owned());
                model.overlay = Overlay::Paste(pasted);
            } else if cannot_be_said(model, "") {
                model.overlay = Overlay::Paste(pasted);
            } else {
                model.input.remember(&pasted.text);
                for line in pasted.messages() {
                    say(model, line.to_owned(), effects);
                }
            }
        }
    }
}
