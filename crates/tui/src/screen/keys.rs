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
        if let KeyCode::Char(character) = event.code {
            let sent = if known.contains(CTRL) { control(character) } else { character };
            return Self(known - SHIFT, KeyCode::Char(sent));
        }
        Self::shifted_tab(known, event.code)
    }

    /// A key that is no character. Tab with Shift is a key of its own to terminals.
    fn shifted_tab(modifiers: KeyModifiers, code: KeyCode) -> Self {
        let is_shifted = code == KeyCode::Tab && modifiers.contains(SHIFT);
        match is_shifted || code == KeyCode::BackTab {
            true => Self(modifiers - SHIFT, KeyCode::BackTab),
            false => Self(modifiers, code),
        }
    }
}

/// The character of which terminals send the control character, for one that comes with Ctrl:
/// 0x00 and 0x1C to 0x1F are those of `@ \ ] ^ _`, and crossterm calls them Space and 4 to 7.
fn control(character: char) -> char {
    match character {
        ' ' | '2' => '@',
        '4' => '\\',
        '5' => ']',
        '6' => '^',
        '7' | '/' => '_',
        other => other.to_ascii_lowercase(),
    }
}

/// The name of the key that comes in the place of Ctrl and a character, if one does.
fn sent_as(character: char) -> Option<&'static str> {
    Some(match character.to_ascii_lowercase() {
        'i' => "Tab",
        'm' => "Enter",
        '[' | '3' => "Esc",
        '?' | '8' => "Backspace",
        '2' => "Ctrl-@",
        '4' => "Ctrl-\\",
        '5' => "Ctrl-]",
        '6' => "Ctrl-^",
        '7' | '/' => "Ctrl-_",
        _ => return None,
    })
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (modifier, name) in [(CTRL, "Ctrl-"), (ALT, "Alt-"), (SHIFT, "Shift-")] {
            if self.0.contains(modifier) {
                f.write_str(name)?;
            }
        }
        // crossterm has other names for some of them on other systems.
        if let Some((name, _code)) = NAMED.iter().find(|(_name, code)| *code == self.1) {
            return f.write_str(name);
        }
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "what has no name here can be neither bound nor shown"
        )]
        match self.1 {
            KeyCode::Char(character) if self.0.contains(CTRL) => {
                write!(f, "{}", character.to_ascii_uppercase())
            }
            KeyCode::Char(character) => write!(f, "{character}"),
            KeyCode::BackTab => f.write_str("Shift-Tab"),
            KeyCode::F(number) => write!(f, "F{number}"),
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
    #[error("terminals send the same for {0} as for {1}; bind that, or another key")]
    Same(String, String),
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
            (KeyModifiers::NONE, KeyCode::Char(typed)) => Err(KeyError::Typed(typed)),
            (_, KeyCode::Char(_)) if modifiers.contains(SHIFT) => {
                Err(KeyError::Unknown(text.to_owned()))
            }
            (_, KeyCode::Char(character)) if modifiers.contains(CTRL) => match sent_as(character) {
                Some(sent) => {
                    let alt = if modifiers.contains(ALT) { "Alt-" } else { "" };
                    Err(KeyError::Same(text.to_owned(), format!("{alt}{sent}")))
                }
                None => Ok(Self(modifiers, KeyCode::Char(control(character)))),
            },
            (_, KeyCode::Char(_)) => Ok(Self(modifiers, code)),
            _ => Ok(Self::shifted_tab(modifiers, code)),
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
    fn keys_that_are_shown_alike_on_every_system_are_read_so() {
        for (name, code) in NAMED {
            let key = Key(CTRL, code);
            assert_eq!(key.to_string(), format!("Ctrl-{name}"));
            assert_eq!(key.to_string().parse(), Ok(key));
        }
        assert_eq!(Key(ALT, KeyCode::Backspace).to_string(), "Alt-Backspace");
        let back = Key(CTRL, KeyCode::BackTab);
        assert_eq!(
            (back.to_string().as_str(), "Ctrl-Shift-Tab".parse()),
            ("Ctrl-Shift-Tab", Ok(back))
        );
    }

    #[test]
    fn every_key_that_can_be_bound_is_one_that_comes() {
        // What terminals send with Ctrl, as crossterm gives it.
        for (written, comes) in [('@', ' '), ('\\', '4'), (']', '5'), ('^', '6'), ('_', '7')] {
            let bound: Key = format!("Ctrl-{written}").parse().unwrap();
            assert_eq!(Key::pressed(KeyEvent::new(KeyCode::Char(comes), CTRL)), bound);
            assert_eq!(Key::pressed(KeyEvent::new(KeyCode::Char(written), CTRL)), bound);
        }
        let names = NAMED.iter().map(|(name, _code)| (*name).to_owned());
        let names: Vec<String> =
            names.chain((33..127_u8).map(|byte| char::from(byte).into())).collect();
        for modifiers in ["Ctrl-", "Alt-", "Shift-", "Ctrl-Alt-", "Ctrl-Shift-", "Alt-Shift-"] {
            for name in &names {
                if let Ok(key) = format!("{modifiers}{name}").parse::<Key>() {
                    assert_eq!(Key::pressed(KeyEvent::new(key.1, key.0)), key, "{modifiers}{name}");
                    assert_eq!(key.to_string().parse(), Ok(key), "{modifiers}{name}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_bound_says_why() {
        for (text, says) in [
            ("k", "is typed as it is"),
            ("Ctrl-I", "as for Tab"),
            ("ctrl-m", "as for Enter"),
            ("Ctrl-/", "the same for Ctrl-/ as for Ctrl-_"),
            ("Ctrl-7", "as for Ctrl-_"),
            ("Ctrl-?", "as for Backspace"),
            ("Ctrl-Alt-I", "as for Alt-Tab"),
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
