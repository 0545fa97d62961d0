//! Which key does what: the one value that the screen, its hints and its help are made from.
//!
//! Owns the bindings. It must not know what an action does.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::keys::{Action, Edit, Key};

/// Keys that do the same, what that is, and how a person reads it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// How the action is called in the settings.
    pub name: &'static str,
    /// The keys, at least one.
    pub keys: Vec<Key>,
    /// What they do.
    pub action: Action,
    /// The same for a person.
    pub says: &'static str,
}

/// All bindings: no key is in two of them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Keymap {
    bindings: Vec<Binding>,
}

impl Default for Keymap {
    fn default() -> Self {
        let bindings = DEFAULTS.iter().map(|row| Binding {
            name: row.name,
            keys: row.keys.to_vec(),
            action: row.action,
            says: row.says,
        });
        Self { bindings: bindings.collect() }
    }
}

/// Why bindings cannot be had.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeymapError {
    /// What it does could not be done any more.
    #[error("{0} needs a key")]
    NoKey(&'static str),
    /// A key is given twice to one thing.
    #[error("{key} stands twice in the keys of {name}; leave one of them out")]
    Twice {
        /// The key.
        key: Key,
        /// What it does.
        name: &'static str,
    },
    /// A key cannot do two things.
    #[error("{key} is bound to {first} and to {second}; give one of them another key")]
    Conflict {
        /// The key.
        key: Key,
        /// One of the two.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
}

impl Keymap {
    /// These bindings, but for those actions other keys, all at once.
    ///
    /// # Errors
    /// [`KeymapError`]: an action would be without a key, or a key would do two things.
    pub fn rebound(
        mut self,
        changes: impl IntoIterator<Item = (Action, Vec<Key>)>,
    ) -> Result<Self, KeymapError> {
        for (action, keys) in changes {
            if let Some(binding) = self.bindings.iter_mut().find(|held| held.action == action) {
                binding.keys = keys;
            }
        }
        let mut seen: Vec<(Key, &'static str)> = Vec::new();
        for binding in &self.bindings {
            if binding.keys.is_empty() {
                return Err(KeymapError::NoKey(binding.name));
            }
            for &key in &binding.keys {
                match seen.iter().find(|(known, _name)| *known == key) {
                    Some(&(_key, first)) if first == binding.name => {
                        return Err(KeymapError::Twice { key, name: first });
                    }
                    Some(&(_key, first)) => {
                        return Err(KeymapError::Conflict { key, first, second: binding.name });
                    }
                    None => seen.push((key, binding.name)),
                }
            }
        }
        Ok(self)
    }

    /// The bindings, in the order in which the help shows them.
    #[must_use]
    pub fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// What a key does, if it is bound.
    #[must_use]
    pub fn action_of(&self, event: KeyEvent) -> Option<Action> {
        let pressed = Key::pressed(event);
        let bound = self.bindings.iter().find(|binding| binding.keys.contains(&pressed));
        bound.map(|binding| binding.action)
    }

    /// The first key that does something.
    #[must_use]
    pub fn key_of(&self, action: Action) -> Option<Key> {
        let bound = self.bindings.iter().find(|binding| binding.action == action);
        bound.and_then(|binding| binding.keys.first().copied())
    }

    /// The same as a person reads it.
    #[must_use]
    pub fn hint(&self, action: Action) -> String {
        self.key_of(action).map(|key| key.to_string()).unwrap_or_default()
    }
}

/// A binding as it is written down here.
struct Row {
    name: &'static str,
    keys: &'static [Key],
    action: Action,
    says: &'static str,
}

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

const fn bind(name: &'static str, keys: &'static [Key], action: Action, says: &'static str) -> Row {
    Row { name, keys, action, says }
}

const fn edit(name: &'static str, keys: &'static [Key], edit: Edit, says: &'static str) -> Row {
    bind(name, keys, Action::Edit(edit), says)
}

/// The bindings that hold when nobody says otherwise, in the order in which the help shows them.
const DEFAULTS: &[Row] = &[
    // What is typed before the screen is there comes with Ctrl-J in the place of Enter.
    bind(
        "send",
        &[key(KeyCode::Enter), ctrl('j')],
        Action::Send,
        "send; with nothing typed: show a long message whole, or fold it",
    ),
    edit(
        "newline",
        &[Key(ALT, KeyCode::Enter), Key(SHIFT, KeyCode::Enter)],
        Edit::Newline,
        "new line",
    ),
    edit("up", &[key(KeyCode::Up)], Edit::Up, "what was sent before"),
    edit("down", &[key(KeyCode::Down)], Edit::Down, "back from there"),
    bind("again", &[alt('r')], Action::Again, "send the refused message again"),
    bind("discard", &[alt('x')], Action::Discard, "drop the refused message"),
    bind("retry", &[key(KeyCode::F(5)), alt('c')], Action::Retry, "try to connect now"),
    bind("page-up", &[key(KeyCode::PageUp)], Action::PageUp, "older messages"),
    bind("page-down", &[key(KeyCode::PageDown)], Action::PageDown, "newer messages"),
    bind("line-up", &[Key(SHIFT, KeyCode::Up)], Action::LineUp, "one line up"),
    bind("line-down", &[Key(SHIFT, KeyCode::Down)], Action::LineDown, "one line down"),
    bind("end", &[key(KeyCode::End)], Action::End, "to the newest message, or the end of the line"),
    bind("bottom", &[Key(CTRL, KeyCode::End)], Action::Bottom, "to the newest message"),
    bind("oldest", &[Key(CTRL, KeyCode::Home)], Action::Oldest, "to the beginning of the room"),
    bind(
        "next-room",
        &[key(KeyCode::Tab), ctrl('n'), Key(ALT, KeyCode::Down)],
        Action::NextRoom,
        "next room",
    ),
    bind(
        "previous-room",
        &[key(KeyCode::BackTab), ctrl('p'), Key(ALT, KeyCode::Up)],
        Action::PreviousRoom,
        "previous room",
    ),
    bind("next-unread", &[alt('a')], Action::NextUnread, "next room with something new"),
    bind("go-to", &[ctrl('k')], Action::GoTo, "go to a room, or join another"),
    edit("left", &[key(KeyCode::Left), ctrl('b')], Edit::Left, "left"),
    edit("right", &[key(KeyCode::Right), ctrl('f')], Edit::Right, "right"),
    edit("word-left", &[Key(CTRL, KeyCode::Left), alt('b')], Edit::WordLeft, "a word left"),
    edit("word-right", &[Key(CTRL, KeyCode::Right), alt('f')], Edit::WordRight, "a word right"),
    edit("line-start", &[key(KeyCode::Home), ctrl('a')], Edit::LineStart, "start of the line"),
    edit("line-end", &[ctrl('e')], Edit::LineEnd, "end of the line"),
    edit(
        "delete-left",
        &[key(KeyCode::Backspace), ctrl('h')],
        Edit::DeleteLeft,
        "delete to the left",
    ),
    edit("delete-right", &[key(KeyCode::Delete)], Edit::DeleteRight, "delete to the right"),
    edit(
        "kill-word-left",
        &[ctrl('w'), Key(ALT, KeyCode::Backspace)],
        Edit::KillWordLeft,
        "kill the word to the left",
    ),
    edit(
        "kill-word-right",
        &[alt('d'), Key(ALT, KeyCode::Delete)],
        Edit::KillWordRight,
        "kill the word to the right",
    ),
    edit("kill-to-start", &[ctrl('u')], Edit::KillToStart, "kill to the start of the line"),
    edit("kill-to-end", &[alt('k')], Edit::KillToEnd, "kill to the end of the line"),
    edit("yank", &[ctrl('y')], Edit::Yank, "yank what was killed"),
    edit("undo", &[ctrl('_'), alt('u')], Edit::Undo, "undo"),
    edit("redo", &[alt('U'), alt('y')], Edit::Redo, "redo"),
    bind("help", &[key(KeyCode::F(1))], Action::Help, "this help"),
    bind("repaint", &[ctrl('l')], Action::Repaint, "paint the screen anew"),
    bind("suspend", &[ctrl('z')], Action::Suspend, "back to the shell; fg comes back"),
    bind("interrupt", &[ctrl('c')], Action::Interrupt, "clear the line; twice: quit"),
    bind("eof", &[ctrl('d')], Action::Eof, "delete to the right; on an empty line: quit"),
    bind("quit", &[ctrl('q')], Action::Quit, "quit"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_key_is_bound_twice_and_every_action_has_one() {
        assert_eq!(Keymap::default().rebound([]), Ok(Keymap::default()));
    }

    #[test]
    fn keys_can_be_swapped_but_none_does_two_things_and_no_action_is_left_without() {
        let (help, go_to) = (vec![ctrl('k')], vec![key(KeyCode::F(1))]);
        let changes = [(Action::Help, help.clone()), (Action::GoTo, go_to)];
        let swapped = Keymap::default().rebound(changes).expect("no key is bound twice");
        let pressed = KeyEvent::new(KeyCode::Char('k'), CTRL);
        assert_eq!(swapped.action_of(pressed), Some(Action::Help));
        assert_eq!(swapped.hint(Action::GoTo), "F1");
        let conflict = Keymap::default().rebound([(Action::Help, help)]).unwrap_err();
        let said = "Ctrl-K is bound to go-to and to help; give one of them another key";
        assert_eq!(conflict.to_string(), said);
        let none = Keymap::default().rebound([(Action::Help, Vec::new())]).unwrap_err();
        assert_eq!(none, KeymapError::NoKey("help"));
        let f2 = key(KeyCode::F(2));
        let twice = Keymap::default().rebound([(Action::Help, vec![f2, f2])]).unwrap_err();
        assert_eq!(twice.to_string(), "F2 stands twice in the keys of help; leave one of them out");
    }

    #[test]
    fn no_two_actions_have_one_name() {
        let keymap = Keymap::default();
        let mut names: Vec<&str> = keymap.bindings().iter().map(|binding| binding.name).collect();
        names.sort_unstable();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all);
    }

    #[test]
    fn a_shifted_character_is_not_bound() {
        let shifted = KeyEvent::new(KeyCode::Char('A'), SHIFT);
        assert_eq!(Keymap::default().action_of(shifted), None);
    }
}
