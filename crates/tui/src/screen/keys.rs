//! Keys, and what one can do: the words that a keymap is made of.
//!
//! Owns how a key is written. It must not know which key does what, nor what an action does.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// An edit of the line that is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is named for what it does, and the keymap says it")]
pub enum Edit {
    Left,
    Right,
    WordLeft,
    WordRight,
    LineStart,
    LineEnd,
    Up,
    Down,
    Newline,
    DeleteLeft,
    DeleteRight,
    KillWordLeft,
    KillWordRight,
    KillToStart,
    KillToEnd,
    Yank,
    Undo,
    Redo,
}

/// What a key does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is named for what it does, and the keymap says it")]
pub enum Action {
    Send,
    Edit(Edit),
    /// The end of the line; at the end already, the end of the history.
    End,
    Bottom,
    Oldest,
    PageUp,
    PageDown,
    LineUp,
    LineDown,
    NextRoom,
    PreviousRoom,
    NextUnread,
    GoTo,
    Again,
    Retry,
    Discard,
    Help,
    Repaint,
    Suspend,
    /// Clears what is typed; twice on an empty line, quits.
    Interrupt,
    /// Deletes to the right; on an empty line, quits.
    Eof,
    Quit,
}

/// A key with its modifiers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key(pub KeyModifiers, pub KeyCode);

const CTRL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;

/// The character that a key types, if it types one.
#[must_use]
pub fn character_of(event: KeyEvent) -> Option<char> {
    let KeyCode::Char(character) = event.code else {
        return None;
    };
    // AltGr is reported as both by some terminals.
    let plain = !event.modifiers.intersects(CTRL | ALT) || event.modifiers.contains(CTRL | ALT);
    plain.then_some(character)
}

impl Key {
    /// The key of an event. Shift says nothing beside a character, which is what Shift made it.
    pub(super) fn pressed(event: KeyEvent) -> Self {
        let known = event.modifiers & (CTRL | ALT | SHIFT);
        let said_by_shift = matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab);
        Self(if said_by_shift { known - SHIFT } else { known }, event.code)
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (modifier, name) in [(CTRL, "Ctrl-"), (ALT, "Alt-"), (SHIFT, "Shift-")] {
            if self.0.contains(modifier) {
                f.write_str(name)?;
            }
        }
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "crossterm names its keys well, but for these"
        )]
        match self.1 {
            KeyCode::Char(character) if self.0.contains(CTRL) => {
                write!(f, "{}", character.to_ascii_uppercase())
            }
            KeyCode::Char(character) => write!(f, "{character}"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::PageUp => f.write_str("PgUp"),
            KeyCode::PageDown => f.write_str("PgDn"),
            KeyCode::Delete => f.write_str("Del"),
            code => write!(f, "{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_as_people_write_them() {
        assert_eq!(Key(CTRL, KeyCode::Char('k')).to_string(), "Ctrl-K");
        assert_eq!(Key(ALT, KeyCode::Enter).to_string(), "Alt-Enter");
        assert_eq!(Key(KeyModifiers::NONE, KeyCode::F(1)).to_string(), "F1");
    }

    #[test]
    fn a_shifted_character_types_itself() {
        let shifted = KeyEvent::new(KeyCode::Char('A'), SHIFT);
        assert_eq!(character_of(shifted), Some('A'));
        assert_eq!(Key::pressed(shifted), Key(KeyModifiers::NONE, KeyCode::Char('A')));
    }
}
