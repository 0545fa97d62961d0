//! Which key does what. The one table that both the screen and its help are made from.
//!
//! Owns the bindings. It must not know what an action does.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// An edit of the line that is typed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is named for what it does, and the table below says it")]
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
#[expect(missing_docs, reason = "each is named for what it does, and the table below says it")]
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

/// A row of the help: keys that do the same, and what that is.
#[derive(Clone, Copy, Debug)]
pub struct Binding {
    /// The keys.
    pub keys: &'static [Key],
    /// What they do.
    pub action: Action,
    /// The same for a person.
    pub says: &'static str,
}

/// A key with its modifiers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key(pub KeyModifiers, pub KeyCode);

const NONE: KeyModifiers = KeyModifiers::NONE;
const CTRL: KeyModifiers = KeyModifiers::CONTROL;
const ALT: KeyModifiers = KeyModifiers::ALT;
const SHIFT: KeyModifiers = KeyModifiers::SHIFT;

const fn key(code: KeyCode) -> Key {
    Key(NONE, code)
}

const fn ctrl(character: char) -> Key {
    Key(CTRL, KeyCode::Char(character))
}

const fn alt(character: char) -> Key {
    Key(ALT, KeyCode::Char(character))
}

const fn bind(keys: &'static [Key], action: Action, says: &'static str) -> Binding {
    Binding { keys, action, says }
}

const fn edit(keys: &'static [Key], edit: Edit, says: &'static str) -> Binding {
    Binding { keys, action: Action::Edit(edit), says }
}

/// The bindings, in the order in which the help shows them.
pub const BINDINGS: &[Binding] = &[
    // What is typed before the screen is there comes with Ctrl-J in the place of Enter.
    bind(
        &[key(KeyCode::Enter), ctrl('j')],
        Action::Send,
        "send; with nothing typed: show a long message whole, or fold it",
    ),
    edit(&[Key(ALT, KeyCode::Enter), Key(SHIFT, KeyCode::Enter)], Edit::Newline, "new line"),
    edit(&[key(KeyCode::Up)], Edit::Up, "what was sent before"),
    edit(&[key(KeyCode::Down)], Edit::Down, "back from there"),
    bind(&[alt('r')], Action::Again, "send the refused message again"),
    bind(&[alt('x')], Action::Discard, "drop the refused message"),
    bind(&[key(KeyCode::F(5)), alt('c')], Action::Retry, "try to connect now"),
    bind(&[key(KeyCode::PageUp)], Action::PageUp, "older messages"),
    bind(&[key(KeyCode::PageDown)], Action::PageDown, "newer messages"),
    bind(&[Key(SHIFT, KeyCode::Up)], Action::LineUp, "one line up"),
    bind(&[Key(SHIFT, KeyCode::Down)], Action::LineDown, "one line down"),
    bind(&[key(KeyCode::End)], Action::End, "to the newest message, or the end of the line"),
    bind(&[Key(CTRL, KeyCode::End)], Action::Bottom, "to the newest message"),
    bind(&[Key(CTRL, KeyCode::Home)], Action::Oldest, "to the beginning of the room"),
    bind(&[key(KeyCode::Tab), ctrl('n'), Key(ALT, KeyCode::Down)], Action::NextRoom, "next room"),
    bind(
        &[key(KeyCode::BackTab), ctrl('p'), Key(ALT, KeyCode::Up)],
        Action::PreviousRoom,
        "previous room",
    ),
    bind(&[alt('a')], Action::NextUnread, "next room with something new"),
    bind(&[ctrl('k')], Action::GoTo, "go to a room, or join another"),
    edit(&[key(KeyCode::Left), ctrl('b')], Edit::Left, "left"),
    edit(&[key(KeyCode::Right), ctrl('f')], Edit::Right, "right"),
    edit(&[Key(CTRL, KeyCode::Left), alt('b')], Edit::WordLeft, "a word left"),
    edit(&[Key(CTRL, KeyCode::Right), alt('f')], Edit::WordRight, "a word right"),
    edit(&[key(KeyCode::Home), ctrl('a')], Edit::LineStart, "start of the line"),
    edit(&[ctrl('e')], Edit::LineEnd, "end of the line"),
    edit(&[key(KeyCode::Backspace), ctrl('h')], Edit::DeleteLeft, "delete to the left"),
    edit(&[key(KeyCode::Delete)], Edit::DeleteRight, "delete to the right"),
    edit(
        &[ctrl('w'), Key(ALT, KeyCode::Backspace)],
        Edit::KillWordLeft,
        "kill the word to the left",
    ),
    edit(&[alt('d'), Key(ALT, KeyCode::Delete)], Edit::KillWordRight, "kill the word to the right"),
    edit(&[ctrl('u')], Edit::KillToStart, "kill to the start of the line"),
    edit(&[alt('k')], Edit::KillToEnd, "kill to the end of the line"),
    edit(&[ctrl('y')], Edit::Yank, "yank what was killed"),
    // Terminals send Ctrl-_ as the byte that crossterm calls Ctrl-7.
    edit(&[ctrl('_'), ctrl('7'), alt('u')], Edit::Undo, "undo"),
    edit(&[alt('U'), alt('y')], Edit::Redo, "redo"),
    bind(&[key(KeyCode::F(1))], Action::Help, "this help"),
    bind(&[ctrl('l')], Action::Repaint, "paint the screen anew"),
    bind(&[ctrl('z')], Action::Suspend, "back to the shell; fg comes back"),
    bind(&[ctrl('c')], Action::Interrupt, "clear the line; twice: quit"),
    bind(&[ctrl('d')], Action::Eof, "delete to the right; on an empty line: quit"),
    bind(&[ctrl('q')], Action::Quit, "quit"),
];

/// What a key does, if it is bound.
#[must_use]
pub fn action_of(event: KeyEvent) -> Option<Action> {
    let pressed = Key::pressed(event);
    let bound = BINDINGS.iter().find(|binding| binding.keys.contains(&pressed));
    bound.map(|binding| binding.action)
}

/// The first key that does something.
#[must_use]
pub fn key_of(action: Action) -> Option<Key> {
    let bound = BINDINGS.iter().find(|binding| binding.action == action);
    bound.and_then(|binding| binding.keys.first().copied())
}

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
    fn pressed(event: KeyEvent) -> Self {
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
    fn no_key_is_bound_twice() {
        let mut bound: Vec<Key> = Vec::new();
        for key in BINDINGS.iter().flat_map(|binding| binding.keys) {
            assert!(!bound.contains(key), "{key}");
            bound.push(*key);
        }
    }

    #[test]
    fn keys_read_as_people_write_them() {
        assert_eq!(ctrl('k').to_string(), "Ctrl-K");
        assert_eq!(Key(ALT, KeyCode::Enter).to_string(), "Alt-Enter");
        assert_eq!(key(KeyCode::F(1)).to_string(), "F1");
    }

    #[test]
    fn a_shifted_character_types_itself() {
        let shifted = KeyEvent::new(KeyCode::Char('A'), SHIFT);
        assert_eq!(action_of(shifted), None);
        assert_eq!(character_of(shifted), Some('A'));
    }
}
