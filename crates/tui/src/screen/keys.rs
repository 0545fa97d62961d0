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

/// Why a text names no key that can be bound.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyError {
    /// No key is written so.
    #[error("{0:?} is no key; keys are written as Ctrl-K, Alt-x, Shift-Up, F5, PgDn, Tab")]
    Unknown(String),
    /// It is what the person types.
    #[error("{0:?} is typed as it is; with Ctrl- or Alt- before it, it can be bound")]
    Typed(char),
    /// Terminals send the same for another key.
    #[error("to a terminal, {0} is {1}")]
    Same(String, &'static str),
}

/// Keys that have names, as they are shown.
const NAMED: [(&str, KeyCode); 14] = [
    ("Enter", KeyCode::Enter),
    ("Tab", KeyCode::Tab),
    ("Esc", KeyCode::Esc),
    ("Backspace", KeyCode::Backspace),
    ("Del", KeyCode::Delete),
    ("Insert", KeyCode::Insert),
    ("Up", KeyCode::Up),
    ("Down", KeyCode::Down),
    ("Left", KeyCode::Left),
    ("Right", KeyCode::Right),
    ("Home", KeyCode::Home),
    ("End", KeyCode::End),
    ("PgUp", KeyCode::PageUp),
    ("PgDn", KeyCode::PageDown),
];

/// Function keys that terminals have.
const FUNCTION_KEYS: u8 = 12;

impl std::str::FromStr for Key {
    type Err = KeyError;

    /// Reads a key as it is shown; upper and lower case are the same, but for Alt and a letter.
    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (mut modifiers, mut rest) = (KeyModifiers::NONE, text);
        while let Some((modifier, behind)) = modifier(rest) {
            (modifiers, rest) = (modifiers | modifier, behind);
        }
        let code = code(rest).ok_or_else(|| KeyError::Unknown(text.to_owned()))?;
        match (modifiers, code) {
            (SHIFT, KeyCode::Tab) => Ok(Self(KeyModifiers::NONE, KeyCode::BackTab)),
            (CTRL, KeyCode::Char('i' | 'I')) => Err(KeyError::Same(text.to_owned(), "Tab")),
            (CTRL, KeyCode::Char('m' | 'M')) => Err(KeyError::Same(text.to_owned(), "Enter")),
            (CTRL, KeyCode::Char('[')) => Err(KeyError::Same(text.to_owned(), "Esc")),
            (KeyModifiers::NONE, KeyCode::Char(typed)) => Err(KeyError::Typed(typed)),
            (_, KeyCode::Char(_)) if modifiers.contains(SHIFT) => {
                Err(KeyError::Unknown(text.to_owned()))
            }
            (_, KeyCode::Char(letter)) if modifiers.contains(CTRL) => {
                Ok(Self(modifiers, KeyCode::Char(letter.to_ascii_lowercase())))
            }
            _ => Ok(Self(modifiers, code)),
        }
    }
}

/// The modifier that a text begins with, and what is behind it.
fn modifier(text: &str) -> Option<(KeyModifiers, &str)> {
    let (name, behind) = text.split_once('-').filter(|(_name, behind)| !behind.is_empty())?;
    let known = [("ctrl", CTRL), ("alt", ALT), ("shift", SHIFT)];
    let found = known.into_iter().find(|(known, _modifier)| name.eq_ignore_ascii_case(known));
    found.map(|(_name, modifier)| (modifier, behind))
}

fn code(text: &str) -> Option<KeyCode> {
    let mut characters = text.chars();
    if let (Some(one), None) = (characters.next(), characters.next()) {
        return (!one.is_whitespace() && !one.is_control()).then_some(KeyCode::Char(one));
    }
    let named = NAMED.iter().find(|(name, _code)| name.eq_ignore_ascii_case(text));
    let function = || {
        let number = text.strip_prefix(['F', 'f'])?.parse().ok()?;
        (1..=FUNCTION_KEYS).contains(&number).then_some(KeyCode::F(number))
    };
    named.map(|(_name, code)| *code).or_else(function)
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
    fn keys_are_read_as_they_are_shown() {
        let keymap = super::super::keymap::Keymap::default();
        for key in keymap.bindings().iter().flat_map(|binding| &binding.keys) {
            assert_eq!(key.to_string().parse(), Ok(*key), "{key}");
        }
        assert_eq!("ctrl-alt-X".parse(), Ok(Key(CTRL | ALT, KeyCode::Char('x'))));
        assert_eq!("Ctrl--".parse(), Ok(Key(CTRL, KeyCode::Char('-'))));
    }

    #[test]
    fn what_cannot_be_bound_says_why() {
        for (text, says) in [
            ("k", "is typed as it is"),
            ("Ctrl-I", "is Tab"),
            ("ctrl-m", "is Enter"),
            ("Ctrl-Shift-K", "is no key"),
            ("F13", "is no key"),
            ("Control-K", "is no key"),
            ("", "is no key"),
            ("Ctrl-", "is no key"),
        ] {
            let why = text.parse::<Key>().unwrap_err().to_string();
            assert!(why.contains(says), "{text}: {why}");
        }
    }

    #[test]
    fn a_shifted_character_types_itself() {
        let shifted = KeyEvent::new(KeyCode::Char('A'), SHIFT);
        assert_eq!(character_of(shifted), Some('A'));
        assert_eq!(Key::pressed(shifted), Key(KeyModifiers::NONE, KeyCode::Char('A')));
    }
}
