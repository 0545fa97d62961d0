//! What is open above the room: a stack of layers, each with its own keys and its own view.
//!
//! Owns the stack and its bound, and what a layer may answer to a key. A layer changes nothing but
//! itself: what the person has decided in it is told as a [`Decision`], which the update carries
//! out. It must not know how.

pub mod goto;
pub mod help;
pub mod invitation;
pub mod linking;
pub mod paste;

use std::fmt::Debug;

use chat_proto::{Nickname, RoomName};
use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::keymap::Keymap;
use super::keys::Action;
use super::room::{Room, RoomIndex};
use super::theme::Theme;

/// Layers that are open at once, at most. There are not so many kinds, and one of each kind can be
/// open; what would be one more replaces the lowest.
pub const LAYERS_MAX: usize = 8;

/// What a layer sees of the rest.
#[derive(Clone, Debug)]
pub struct Context<'a> {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Which key does what in the room.
    pub keymap: &'a Keymap,
    /// How it is painted.
    pub theme: &'a Theme,
    /// Every room that was heard of.
    pub rooms: &'a [Room],
    /// Those of them that are listed, by name.
    pub listed: Vec<RoomIndex>,
}

/// A key that was pressed, and what it is bound to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Press {
    /// The key.
    pub key: KeyEvent,
    /// What it does in the room.
    pub action: Option<Action>,
}

/// What a layer makes of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// It was meant for the layer, which stays.
    Consumed,
    /// It was not: what is below gets it, and the layer stays.
    Ignored,
    /// It closes the layer, and that is all.
    Closed,
    /// It closes the layer, and what is below gets it.
    Dismissed,
    /// The person has decided. The layer closes, unless that cannot be carried out now.
    Decided(Decision),
}

/// What a person decides in a layer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Decision {
    /// Open a listed room.
    Open(RoomIndex),
    /// Join a room, and open it.
    Join(RoomName),
    /// Open the conversation with somebody.
    Talk(Nickname),
    /// A text was pasted, as it can be typed.
    Paste(String),
    /// What becomes of a paste that was asked about.
    Answer(paste::Pasted, paste::Choice),
}

/// Something that is open above the room.
pub trait Layer: Debug {
    /// Names the kind. One of each is open at once.
    fn kind(&self) -> &'static str;

    /// Takes a key.
    fn on_key(&mut self, press: Press, context: &Context<'_>) -> Outcome;

    /// Takes the wheel: lines, negative upwards.
    fn on_wheel(&mut self, _lines: isize, _context: &Context<'_>) -> Outcome {
        Outcome::Ignored
    }

    /// Takes a press of the mouse, anywhere.
    fn on_click(&mut self) -> Outcome {
        Outcome::Consumed
    }

    /// Takes a pasted text, as it can be typed.
    fn on_paste(&mut self, _text: &str) -> Outcome {
        Outcome::Dismissed
    }

    /// A text in it that the person has not decided about, and must not lose.
    fn unsent(&self) -> Option<&str> {
        None
    }

    /// Draws it; gives the cell of the cursor, if the person types in it.
    fn view(&self, context: &Context<'_>, whole: Rect, buffer: &mut Buffer) -> Option<Position>;
}

/// The layers that are open, the lowest first.
#[derive(Debug, Default)]
pub struct Layers {
    open: Vec<Box<dyn Layer>>,
}

impl Layers {
    /// Whether nothing is open.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Opens a layer above the others. One of its kind that is open already closes.
    pub fn push(&mut self, layer: Box<dyn Layer>) {
        self.open.retain(|open| open.kind() != layer.kind());
        if self.open.len() >= LAYERS_MAX {
            self.open.remove(0);
        }
        self.open.push(layer);
    }

    /// Takes the uppermost away.
    pub fn pop(&mut self) -> Option<Box<dyn Layer>> {
        self.open.pop()
    }

    /// Those that are open, the lowest first.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &dyn Layer> {
        self.open.iter().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Named(&'static str);

    impl Layer for Named {
        fn kind(&self) -> &'static str {
            self.0
        }

        fn on_key(&mut self, _press: Press, _context: &Context<'_>) -> Outcome {
            Outcome::Closed
        }

        fn view(&self, _: &Context<'_>, _: Rect, _: &mut Buffer) -> Option<Position> {
            None
        }
    }

    fn kinds(layers: &Layers) -> Vec<&'static str> {
        layers.iter().map(Layer::kind).collect()
    }

    #[test]
    fn one_layer_of_a_kind_is_open_and_the_newest_is_above() {
        let mut layers = Layers::default();
        for kind in ["a", "b", "a"] {
            layers.push(Box::new(Named(kind)));
        }
        assert_eq!(kinds(&layers), ["b", "a"]);
        assert_eq!(layers.pop().map(|layer| layer.kind()), Some("a"));
    }

    #[test]
    fn the_stack_has_a_bound() {
        let mut layers = Layers::default();
        for kind in ["0", "1", "2", "3", "4", "5", "6", "7", "8"] {
            layers.push(Box::new(Named(kind)));
        }
        assert_eq!(kinds(&layers).len(), LAYERS_MAX);
        assert_eq!(kinds(&layers)[0], "1");
    }
}
