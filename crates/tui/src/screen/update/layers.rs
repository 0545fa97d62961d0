//! Events go to the layers first, from the uppermost down, and what a person decides in one of
//! them is carried out here.

use super::rooms::{ask, join, open};
use super::sending::{cannot_be_said, is_full, recall, say};
use super::{Effect, ServerEffect, inviting, settle};
use crate::screen::input;
use crate::screen::layers::paste::{Choice, Pasted, Verdict, judge};
use crate::screen::layers::{Context, Decision, Layer, Outcome};
use crate::screen::model::Model;

/// Gives an event to the layers. Says whether it was meant for one of them.
pub(super) fn take(
    model: &mut Model,
    effects: &mut Vec<Effect>,
    mut give: impl FnMut(&mut dyn Layer, &Context<'_>) -> Outcome,
) -> bool {
    let mut passed = Vec::new();
    let mut taken = true;
    loop {
        let Some(mut layer) = model.layers.pop() else {
            taken = false;
            break;
        };
        match give(layer.as_mut(), &model.layer_context()) {
            Outcome::Ignored => passed.push(layer),
            Outcome::Dismissed => {}
            Outcome::Closed => break,
            Outcome::Consumed => {
                model.layers.push(layer);
                break;
            }
            Outcome::Decided(decision) => {
                if !carry_out(model, decision, effects) {
                    model.layers.push(layer);
                }
                break;
            }
        }
    }
    passed.into_iter().rev().for_each(|layer| model.layers.push(layer));
    taken
}

/// Takes in a paste: where the person types, or as a question.
pub(super) fn paste(model: &mut Model, text: &str, effects: &mut Vec<Effect>) {
    let text = input::typeable(text);
    if inviting::comes_with(model, &text, effects) {
        return;
    }
    if !take(model, effects, |layer, _context| layer.on_paste(&text)) {
        if let Err(why) = paste_into_input(model, text) {
            model.flash = Some(why.into());
        }
        settle(model);
    }
}

/// Takes a paste in, or says why it is too long.
fn paste_into_input(model: &mut Model, text: String) -> Result<(), String> {
    match judge(text, model.input.bytes()) {
        Verdict::Plain(text) => model.input.paste(&text),
        Verdict::Ask(pasted) => model.layers.push(Box::new(pasted)),
        Verdict::TooLong(why) => return Err(why),
    }
    Ok(())
}

/// Does what was decided. Says whether that is done: if not, the person may decide again.
fn carry_out(model: &mut Model, decision: Decision, effects: &mut Vec<Effect>) -> bool {
    let is_done = match decision {
        Decision::Open(index) => {
            open(model, index);
            true
        }
        Decision::Join(name) => {
            join(model, name, effects);
            true
        }
        Decision::Talk(name) => {
            ask(model, ServerEffect::Talk(name), effects);
            true
        }
        Decision::Paste(text) => {
            let taken = paste_into_input(model, text);
            let is_done = taken.is_ok();
            if let Err(why) = taken {
                model.flash = Some(format!("the last piece is {why}").into());
            }
            is_done
        }
        Decision::Answer(pasted, choice) => send_pasted(model, &pasted, choice, effects),
    };
    settle(model);
    is_done
}

fn send_pasted(
    model: &mut Model,
    pasted: &Pasted,
    choice: Choice,
    effects: &mut Vec<Effect>,
) -> bool {
    match choice {
        Choice::Edit => model.input.paste(&pasted.text),
        Choice::Cancel => {
            model.input.remember(&pasted.text);
            model.flash = Some(format!("not sent; {} brings the paste back", recall(model)).into());
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
            if !model.server().sends.has_room_for(count) {
                model.flash = Some("the outbox is full; wait a moment".into());
                return false;
            }
            if cannot_be_said(model, "") {
                return false;
            }
            model.input.remember(&pasted.text);
            for line in pasted.messages() {
                say(model, line.to_owned(), effects);
            }
        }
    }
    true
}
