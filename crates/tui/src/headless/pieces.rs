//! Cuts an input into the texts of messages: lines or the whole, and what is too long for one.
//!
//! Never holds more than a window of the input. Where it cuts depends on the text alone, not on how
//! the bytes arrive: the same input gives the same messages again, which `--id` relies on.

use std::io::{self, BufRead, Read};

use chat_client::sanitize::beginning;
use chat_proto::limits::TEXT_BYTES_MAX;
use unicode_segmentation::UnicodeSegmentation;

use crate::args::TooLong;

/// How much of an input is looked at together: the longest message, and what tells whether it goes
/// on behind it.
const WINDOW_BYTES: usize = 2 * TEXT_BYTES_MAX;

/// Room for the mark at the end of a text that was cut.
const MARK_BYTES_MAX: usize = 80;

/// How an input becomes messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Shape {
    /// One message a line.
    pub(super) by_line: bool,
    /// What becomes of what is longer than a message.
    pub(super) too_long: TooLong,
    /// Whether what no text can have is replaced.
    pub(super) lossy: bool,
}

/// The text of a message, or why there is none.
pub(super) type Text = Result<String, String>;

/// An input that is being cut.
pub(super) struct Cutter<R> {
    input: R,
    shape: Shape,
    /// The beginning of a character whose end has not been read.
    raw: Vec<u8>,
    /// What has been read of this unit and is in no message yet.
    text: String,
    /// Bytes read of this unit.
    bytes: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Filled {
    /// The unit goes on.
    Part,
    /// The unit has ended.
    End,
    /// The unit is no text. Whether it has ended.
    NotText { ended: bool },
}

impl<R: BufRead> Cutter<R> {
    pub(super) fn new(input: R, shape: Shape) -> Self {
        Self { input, shape, raw: Vec::new(), text: String::new(), bytes: 0 }
    }

    /// Gives the messages of the next line, or of the whole input, to `emit`; `false` when there is
    /// nothing more to read.
    pub(super) fn next_unit(&mut self, emit: &mut impl FnMut(Text)) -> io::Result<bool> {
        self.text.clear();
        self.raw.clear();
        self.bytes = 0;
        let mut pieces = 0_u64;
        loop {
            let filled = self.fill()?;
            if let Filled::NotText { ended } = filled {
                let why = "is not UTF-8; not sent (--lossy replaces what is no text)";
                emit(Err(why.to_owned()));
                self.skip_rest(ended)?;
                return Ok(true);
            }
            let ended = filled == Filled::End;
            if ended {
                let length = without_line_break(&self.text).len();
                self.text.truncate(length);
            }
            if self.text.len() > TEXT_BYTES_MAX && self.shape.too_long != TooLong::Split {
                self.too_long(ended, emit)?;
                return Ok(true);
            }
            while self.text.len() > TEXT_BYTES_MAX {
                emit(Ok(self.cut_off()));
                pieces += 1;
            }
            if ended {
                return Ok(self.last_piece(pieces, emit));
            }
        }
    }

    /// Reads to the end, and keeps nothing.
    pub(super) fn drain(mut self) {
        // Whoever writes is what matters here; what cannot be read is the end.
        io::copy(&mut self.input, &mut io::sink()).ok();
    }

    fn last_piece(&mut self, pieces: u64, emit: &mut impl FnMut(Text)) -> bool {
        debug_assert!(self.text.len() <= TEXT_BYTES_MAX, "what is longer was cut off before");
        let is_empty_input = self.bytes == 0 && self.shape.by_line;
        if !is_empty_input && (pieces == 0 || !self.text.is_empty()) {
            emit(Ok(std::mem::take(&mut self.text)));
        }
        !is_empty_input
    }

    fn too_long(&mut self, ended: bool, emit: &mut impl FnMut(Text)) -> io::Result<()> {
        if self.shape.too_long == TooLong::Refuse {
            emit(Err(format!(
                "is longer than {TEXT_BYTES_MAX} bytes; not sent (--split sends it as several \
                 messages, --truncate its beginning)"
            )));
            return self.skip_rest(ended);
        }
        self.text.truncate(boundary(&self.text, TEXT_BYTES_MAX - MARK_BYTES_MAX));
        self.skip_rest(ended)?;
        let space = if self.shape.by_line { ' ' } else { '\n' };
        let kept = self.text.len();
        self.text.push_str(&format!("{space}[… cut after {kept} of {} bytes]", self.bytes));
        emit(Ok(std::mem::take(&mut self.text)));
        Ok(())
    }

    /// Takes a message off the beginning: whole lines if possible, else whole clusters.
    fn cut_off(&mut self) -> String {
        let window = beginning(&self.text, TEXT_BYTES_MAX + 1).len();
        let line_break = self.text[..window].rfind('\n').filter(|at| *at > 0);
        let (end, next) = match line_break {
            Some(at) => (at, at + 1),
            None => {
                let at = boundary(&self.text, TEXT_BYTES_MAX);
                (at, at)
            }
        };
        let rest = self.text.split_off(next);
        let mut piece = std::mem::replace(&mut self.text, rest);
        piece.truncate(end);
        piece
    }

    fn fill(&mut self) -> io::Result<Filled> {
        let missing = WINDOW_BYTES.saturating_sub(self.text.len()) as u64;
        let mut input = self.input.by_ref().take(missing);
        let read = match self.shape.by_line {
            true => input.read_until(b'\n', &mut self.raw)?,
            false => input.read_to_end(&mut self.raw)?,
        };
        self.bytes += read as u64;
        let at_line_end = self.shape.by_line && self.raw.ends_with(b"\n");
        let ended = at_line_end || (read as u64) < missing;
        Ok(match self.decode(ended) {
            false => Filled::NotText { ended },
            true if ended => Filled::End,
            true => Filled::Part,
        })
    }

    /// Moves what was read to the text; `false` when it is none.
    fn decode(&mut self, ended: bool) -> bool {
        let raw = std::mem::take(&mut self.raw);
        let mut rest = raw.as_slice();
        loop {
            let (valid, error) = match std::str::from_utf8(rest) {
                Ok(valid) => (valid, None),
                Err(error) => {
                    let valid = std::str::from_utf8(&rest[..error.valid_up_to()]);
                    (valid.expect("it is valid up to there"), Some(error))
                }
            };
            match self.shape.lossy {
                true => self.text.push_str(&valid.replace('\0', "\u{FFFD}")),
                false => self.text.push_str(valid),
            }
            let Some(error) = error else {
                return true;
            };
            rest = &rest[error.valid_up_to()..];
            match error.error_len() {
                None if !ended => {
                    self.raw = rest.to_vec();
                    return true;
                }
                _ if !self.shape.lossy => return false,
                length => {
                    self.text.push('\u{FFFD}');
                    rest = &rest[length.unwrap_or(rest.len())..];
                }
            }
        }
    }

    fn skip_rest(&mut self, ended: bool) -> io::Result<()> {
        if !ended {
            self.bytes += match self.shape.by_line {
                true => self.input.skip_until(b'\n')? as u64,
                false => io::copy(&mut self.input, &mut io::sink())?,
            };
        }
        Ok(())
    }
}

/// The last place at or before `limit`, and not at the beginning, where no cluster is cut; a
/// cluster that is longer is cut between characters.
fn boundary(text: &str, limit: usize) -> usize {
    let places = text.grapheme_indices(true).map(|(at, _cluster)| at);
    let last = places.take_while(|at| *at <= limit).last().filter(|at| *at > 0);
    last.unwrap_or_else(|| beginning(text, limit).len())
}

fn without_line_break(text: &str) -> &str {
    match text.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => text,
    }
}

#[cfg(test)]
#[path = "pieces_tests.rs"]
mod tests;
