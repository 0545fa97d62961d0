//! The bytes of a terminal as keys and pastes.
//!
//! Owns what is a paste: what the terminal marks as one, and, as not every terminal does, so many
//! keys in one read that nobody has typed them. Pure: the time comes with the bytes. How a key is
//! written is the business of `sequence`.

use std::time::{Duration, Instant};

use crossterm::event::Event;

use super::sequence::{self, Parsed};

/// Bytes of a paste that are kept; more is told by its length only.
pub const PASTE_BYTES_MAX: usize = 1024 * 1024;

/// A paste that the terminal does not end is over when nothing comes for so long.
const PASTE_TIMEOUT: Duration = Duration::from_secs(1);

/// Pieces of a paste without marks follow each other faster than that.
const PIECE_TIMEOUT: Duration = Duration::from_millis(40);

/// A sequence that does not go on is over.
const SEQUENCE_TIMEOUT: Duration = Duration::from_millis(50);

/// So many keys in one read, with more behind an Enter, were not typed.
const PASTE_KEYS_MIN: usize = 8;

/// So many bytes in one read were not typed, whatever they are.
const PASTE_READ_BYTES_MIN: usize = 1024;

const PASTE_END: &[u8] = b"\x1b[201~";
const CTRL_C: u8 = 3;

/// What a person does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Input {
    /// A key, the mouse, the focus.
    Event(Event),
    /// A paste.
    Paste(String),
    /// A paste that is too long to be kept: its bytes.
    TooLong(usize),
}

/// Reads keys and pastes out of bytes.
#[derive(Debug, Default)]
pub struct Reader {
    state: State,
    due: Option<Instant>,
}

#[derive(Debug, Default)]
enum State {
    /// Keys; the beginning of a sequence may be here.
    #[default]
    Idle,
    Sequence(Vec<u8>),
    /// In a paste that the terminal has begun.
    Marked(Paste),
    /// In what looks like one, all of it text and Enters.
    Unmarked(Paste),
}

#[derive(Debug, Default)]
struct Paste {
    bytes: Vec<u8>,
    /// With what is not kept.
    total: usize,
}

impl Reader {
    /// When [`Self::end`] is to be called if no bytes come.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// Takes in what one read gave.
    pub fn take_in(&mut self, bytes: &[u8], now: Instant) -> Vec<Input> {
        let mut inputs = Vec::new();
        match std::mem::take(&mut self.state) {
            State::Marked(paste) if is_interrupt(bytes) => {
                // No terminal pastes that alone: it is a person who wants the keyboard back.
                inputs.push(paste.input());
                self.keys(bytes, &mut inputs);
            }
            State::Marked(paste) => self.marked(paste, bytes, &mut inputs),
            State::Unmarked(mut paste) if is_text(bytes) => {
                paste.add(bytes);
                self.state = State::Unmarked(paste);
            }
            State::Unmarked(paste) => {
                unmarked(paste, &mut inputs);
                self.keys(bytes, &mut inputs);
            }
            State::Sequence(mut begun) => {
                begun.extend_from_slice(bytes);
                self.keys(&begun, &mut inputs);
            }
            State::Idle if looks_pasted(bytes) => {
                let mut paste = Paste::default();
                paste.add(bytes);
                self.state = State::Unmarked(paste);
            }
            State::Idle => self.keys(bytes, &mut inputs),
        }
        self.due = match self.state {
            State::Idle => None,
            State::Sequence(_) => Some(now + SEQUENCE_TIMEOUT),
            State::Marked(_) => Some(now + PASTE_TIMEOUT),
            State::Unmarked(_) => Some(now + PIECE_TIMEOUT),
        };
        inputs
    }

    /// Nothing more has come in time: what has come stands for itself.
    pub fn end(&mut self, now: Instant) -> Vec<Input> {
        let mut inputs = Vec::new();
        if self.due.is_none_or(|due| now < due) {
            return inputs;
        }
        self.due = None;
        match std::mem::take(&mut self.state) {
            State::Idle => {}
            State::Sequence(begun) => inputs.extend(sequence::alone(&begun).map(Input::Event)),
            State::Marked(paste) => inputs.push(paste.input()),
            State::Unmarked(paste) => unmarked(paste, &mut inputs),
        }
        inputs
    }

    fn keys(&mut self, bytes: &[u8], inputs: &mut Vec<Input>) {
        let mut rest = bytes;
        while !rest.is_empty() {
            match sequence::parse(rest) {
                Parsed::Event(event, length) => {
                    debug_assert!(length > 0, "a key has bytes, or reading them has no end");
                    inputs.push(Input::Event(event));
                    rest = &rest[length..];
                }
                Parsed::PasteBegins(length) => {
                    return self.marked(Paste::default(), &rest[length..], inputs);
                }
                Parsed::Nothing(length) => {
                    debug_assert!(length > 0, "what is passed over has bytes");
                    rest = &rest[length..];
                }
                Parsed::Unfinished => {
                    self.state = State::Sequence(rest.to_vec());
                    return;
                }
            }
        }
    }

    fn marked(&mut self, mut paste: Paste, bytes: &[u8], inputs: &mut Vec<Input>) {
        // The end may have come in two reads.
        let before = paste.bytes.len();
        let overlap = before.min(PASTE_END.len() - 1);
        let mut seen = paste.bytes[before - overlap..].to_vec();
        seen.extend_from_slice(bytes);
        match seen.windows(PASTE_END.len()).position(|window| window == PASTE_END) {
            None => {
                paste.add_marked(bytes);
                self.state = State::Marked(paste);
            }
            Some(at) => {
                match at.checked_sub(overlap) {
                    Some(of_these) => paste.add(&bytes[..of_these]),
                    None => paste.cut(overlap - at),
                }
                inputs.push(paste.input());
                self.keys(&seen[at + PASTE_END.len()..], inputs);
            }
        }
    }
}

impl Paste {
    fn add(&mut self, bytes: &[u8]) {
        self.total += bytes.len();
        let room = (PASTE_BYTES_MAX + 1).saturating_sub(self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        debug_assert!(self.bytes.len() <= PASTE_BYTES_MAX + 1, "no more is kept");
    }

    /// The same while an end is waited for. Past the bound, only as many bytes are kept as the
    /// end may have begun with.
    fn add_marked(&mut self, bytes: &[u8]) {
        self.total += bytes.len();
        self.bytes.extend_from_slice(bytes);
        if self.total > PASTE_BYTES_MAX {
            let excess = self.bytes.len().saturating_sub(PASTE_END.len() - 1);
            self.bytes.drain(..excess);
        }
        debug_assert!(self.bytes.len() <= PASTE_BYTES_MAX, "no more is kept");
    }

    fn cut(&mut self, count: usize) {
        debug_assert!(count <= self.bytes.len(), "what is cut off has been kept");
        self.total = self.total.saturating_sub(count);
        self.bytes.truncate(self.bytes.len().saturating_sub(count));
    }

    fn input(self) -> Input {
        match self.total > PASTE_BYTES_MAX {
            true => Input::TooLong(self.total),
            false => Input::Paste(String::from_utf8_lossy(&self.bytes).into_owned()),
        }
    }
}

/// What came without marks, and is over. One line, and perhaps an Enter behind it, may have been
/// typed all the same while the program was busy: then the Enter is one.
fn unmarked(mut paste: Paste, inputs: &mut Vec<Input>) {
    let is_enter = |byte: &u8| matches!(byte, b'\r' | b'\n');
    let inner = paste.bytes.iter().position(is_enter);
    let is_line = inner.is_some_and(|at| at + 1 == paste.total);
    let enter = is_line.then(|| paste.bytes.last().copied()).flatten();
    if enter.is_some() {
        paste.cut(1);
    }
    inputs.push(paste.input());
    if let Some(Parsed::Event(event, _)) = enter.map(|byte| sequence::parse(&[byte])) {
        inputs.push(Input::Event(event));
    }
}

/// Whether a read is Ctrl-C, and perhaps other keys with Ctrl, and nothing else.
fn is_interrupt(bytes: &[u8]) -> bool {
    let is_control = |byte: &u8| matches!(byte, 1..=0x1a) && !b"\t\r\n".contains(byte);
    bytes.contains(&CTRL_C) && bytes.iter().all(is_control)
}

/// Whether a read is the beginning of a paste. An Enter at its very end is waited behind.
fn looks_pasted(bytes: &[u8]) -> bool {
    let has_enter = bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    let is_long = bytes.len() >= PASTE_READ_BYTES_MIN;
    let keys = bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xbf)).count();
    (is_long || (has_enter && keys > PASTE_KEYS_MIN)) && is_text(bytes)
}

/// Whether bytes are text, tabs and Enters only.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| matches!(byte, b'\r' | b'\n' | b'\t' | b' '..=b'~' | 0x80..))
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
