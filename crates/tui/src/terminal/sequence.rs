//! Keys, the mouse and the focus as terminals write them (ECMA-48, and what xterm added to it).
//!
//! Owns the tables. It must not know how bytes come, nor what a key does.

use crossterm::event::{
    Event, KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};

const ESC: u8 = 0x1b;

/// A sequence that is longer is none.
const SEQUENCE_BYTES_MAX: usize = 64;

/// What stands at the beginning of some bytes, and how many of them it takes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Parsed {
    Event(Event, usize),
    PasteBegins(usize),
    /// Something that means nothing here.
    Nothing(usize),
    /// The rest has not come yet.
    Unfinished,
}

/// Reads the first key of some bytes, which are not empty.
pub(super) fn parse(bytes: &[u8]) -> Parsed {
    match bytes {
        [] => Parsed::Unfinished,
        [ESC] => Parsed::Unfinished,
        [ESC, b'[', ..] => control_sequence(bytes),
        [ESC, b'O'] => Parsed::Unfinished,
        [ESC, b'O', last, ..] => match of_letter(*last) {
            Some(code) => key(code, KeyModifiers::NONE, 3),
            None => Parsed::Nothing(3),
        },
        [ESC, ESC, ..] => key(KeyCode::Esc, KeyModifiers::NONE, 1),
        [ESC, rest @ ..] => with_alt(&parse(rest)),
        [first, ..] => plain(*first, bytes),
    }
}

/// What the beginning of a sequence is that does not go on.
pub(super) fn alone(bytes: &[u8]) -> Option<Event> {
    let (code, modifiers) = match bytes {
        [ESC] => (KeyCode::Esc, KeyModifiers::NONE),
        [ESC, b'['] => (KeyCode::Char('['), KeyModifiers::ALT),
        [ESC, b'O'] => (KeyCode::Char('O'), KeyModifiers::ALT),
        _ => return None,
    };
    Some(Event::Key(KeyEvent::new(code, modifiers)))
}

fn key(code: KeyCode, modifiers: KeyModifiers, length: usize) -> Parsed {
    Parsed::Event(Event::Key(KeyEvent::new(code, modifiers)), length)
}

fn with_alt(parsed: &Parsed) -> Parsed {
    match parsed {
        Parsed::Event(Event::Key(pressed), length) => {
            key(pressed.code, pressed.modifiers | KeyModifiers::ALT, length + 1)
        }
        Parsed::Event(_, length) | Parsed::PasteBegins(length) | Parsed::Nothing(length) => {
            Parsed::Nothing(length + 1)
        }
        Parsed::Unfinished => Parsed::Unfinished,
    }
}

fn plain(first: u8, bytes: &[u8]) -> Parsed {
    let control = |letter: u8| key(KeyCode::Char(letter.into()), KeyModifiers::CONTROL, 1);
    match first {
        b'\r' => key(KeyCode::Enter, KeyModifiers::NONE, 1),
        b'\t' => key(KeyCode::Tab, KeyModifiers::NONE, 1),
        0x7f => key(KeyCode::Backspace, KeyModifiers::NONE, 1),
        0 => control(b' '),
        1..=0x1a => control(first - 1 + b'a'),
        0x1c..=0x1f => control(first - 0x1c + b'4'),
        _ => character(bytes),
    }
}

/// A character of UTF-8; bytes that are none mean nothing.
fn character(bytes: &[u8]) -> Parsed {
    let most = &bytes[..bytes.len().min(4)];
    let valid = match std::str::from_utf8(most) {
        Ok(valid) => valid,
        Err(error) => match (error.valid_up_to(), error.error_len()) {
            (0, None) => return Parsed::Unfinished,
            (0, Some(length)) => return Parsed::Nothing(length),
            (up_to, _) => std::str::from_utf8(&most[..up_to]).unwrap_or_default(),
        },
    };
    match valid.chars().next() {
        Some(character) => key(KeyCode::Char(character), KeyModifiers::NONE, character.len_utf8()),
        None => Parsed::Nothing(1),
    }
}

/// `ESC [`, parameters, and a last byte that says what it is.
fn control_sequence(bytes: &[u8]) -> Parsed {
    // The Linux console's F1 to F5.
    if let [_, _, b'[', rest @ ..] = bytes {
        return match rest.first() {
            None => Parsed::Unfinished,
            Some(letter @ b'A'..=b'E') => key(KeyCode::F(letter - b'A' + 1), KeyModifiers::NONE, 4),
            Some(_other) => Parsed::Nothing(4),
        };
    }
    let Some(at) = bytes[2..].iter().position(|byte| !(0x20..=0x3f).contains(byte)) else {
        return if bytes.len() > SEQUENCE_BYTES_MAX {
            Parsed::Nothing(bytes.len())
        } else {
            Parsed::Unfinished
        };
    };
    let (parameters, last, length) = (&bytes[2..2 + at], bytes[2 + at], at + 3);
    if !(0x40..=0x7e).contains(&last) {
        return Parsed::Nothing(length - 1); // It was broken off by something else.
    }
    if let [b'<', mouse @ ..] = parameters {
        return match mouse_event(&numbers(mouse), last) {
            Some(event) => Parsed::Event(event, length),
            None => Parsed::Nothing(length),
        };
    }
    of_parameters(&numbers(parameters), last, length)
}

fn of_parameters(numbers: &[u32], last: u8, length: usize) -> Parsed {
    let modifiers = modifiers_of(numbers.get(1).copied().unwrap_or(1));
    let first = numbers.first().copied().unwrap_or(0);
    let code = match (last, first) {
        (b'~', 200) => return Parsed::PasteBegins(length),
        // xterm's modifyOtherKeys.
        (b'~', 27) => numbers.get(2).copied().and_then(of_code),
        (b'~', number) => of_number(number),
        (b'u', code) => of_code(code),
        (b'Z', _) => Some(KeyCode::BackTab),
        (b'I', _) => return Parsed::Event(Event::FocusGained, length),
        (b'O', _) => return Parsed::Event(Event::FocusLost, length),
        // Three bytes more, in the mouse's oldest form, which is not asked for.
        (b'M', _) if numbers.is_empty() => return Parsed::Nothing(length + 3),
        (letter, _) => of_letter(letter),
    };
    code.map_or(Parsed::Nothing(length), |code| key(code, modifiers, length))
}

fn of_letter(letter: u8) -> Option<KeyCode> {
    Some(match letter {
        b'A' => KeyCode::Up,
        b'B' => KeyCode::Down,
        b'C' => KeyCode::Right,
        b'D' => KeyCode::Left,
        b'H' => KeyCode::Home,
        b'F' => KeyCode::End,
        b'P'..=b'S' => KeyCode::F(letter - b'P' + 1),
        b'M' => KeyCode::Enter,
        _ => return None,
    })
}

fn of_number(number: u32) -> Option<KeyCode> {
    Some(match number {
        1 | 7 => KeyCode::Home,
        2 => KeyCode::Insert,
        3 => KeyCode::Delete,
        4 | 8 => KeyCode::End,
        5 => KeyCode::PageUp,
        6 => KeyCode::PageDown,
        11..=15 => KeyCode::F(u8::try_from(number - 10).ok()?),
        17..=21 => KeyCode::F(u8::try_from(number - 11).ok()?),
        23 | 24 => KeyCode::F(u8::try_from(number - 12).ok()?),
        _ => return None,
    })
}

fn of_code(code: u32) -> Option<KeyCode> {
    Some(match code {
        9 => KeyCode::Tab,
        13 => KeyCode::Enter,
        27 => KeyCode::Esc,
        8 | 127 => KeyCode::Backspace,
        code => KeyCode::Char(char::from_u32(code).filter(|character| !character.is_control())?),
    })
}

fn modifiers_of(number: u32) -> KeyModifiers {
    let bits = number.saturating_sub(1);
    let mut modifiers = KeyModifiers::NONE;
    modifiers.set(KeyModifiers::SHIFT, bits & 1 != 0);
    modifiers.set(KeyModifiers::ALT, bits & 2 != 0);
    modifiers.set(KeyModifiers::CONTROL, bits & 4 != 0);
    modifiers
}

fn mouse_event(numbers: &[u32], last: u8) -> Option<Event> {
    let &[button, column, row] = numbers else { return None };
    let kind = match (button & !0b1_1100, last) {
        (64, b'M') => MouseEventKind::ScrollUp,
        (65, b'M') => MouseEventKind::ScrollDown,
        (0, b'M') => MouseEventKind::Down(MouseButton::Left),
        (1, b'M') => MouseEventKind::Down(MouseButton::Middle),
        (2, b'M') => MouseEventKind::Down(MouseButton::Right),
        _ => return None,
    };
    let cell = |from_one: u32| u16::try_from(from_one.checked_sub(1)?).ok();
    let (column, row) = (cell(column)?, cell(row)?);
    Some(Event::Mouse(MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE }))
}

/// Numbers between semicolons; of those with colons in them, the first.
fn numbers(parameters: &[u8]) -> Vec<u32> {
    let number = |part: &[u8]| {
        let digits = part.split(|byte| *byte == b':').next().unwrap_or_default();
        std::str::from_utf8(digits).ok()?.parse().ok()
    };
    match parameters {
        [] => Vec::new(),
        some => some.split(|byte| *byte == b';').map(|part| number(part).unwrap_or(0)).collect(),
    }
}
