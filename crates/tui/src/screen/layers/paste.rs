//! A paste of many lines, about which the person is asked: one message, many, or none.
//!
//! Owns what can be chosen, how the question is drawn, and what cannot be taken at all. It must not
//! know how anything is sent.

use chat_proto::limits::TEXT_BYTES_MAX;
use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Block, Clear, Widget};

use super::{Context, Decision, Layer, Outcome, Press};
use crate::screen::keys::Action;
use crate::screen::sanitize;
use crate::text;

/// The widest question, in columns.
const COLUMNS_MAX: u16 = 60;
/// Rows of the text that are shown above the choices.
const TEXT_ROWS: u16 = 4;

/// From so many lines on, a paste is asked about.
pub const ASK_FROM_LINES: usize = 5;

/// Messages that one paste can become.
pub const MESSAGES_MAX: usize = 200;

/// What can become of a paste.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Choice {
    /// It is sent as one message, with what was typed around it.
    One,
    /// Each line that is not empty is sent as a message.
    Each(usize),
    /// It goes to the line that is typed.
    Edit,
    /// It is dropped.
    Cancel,
}

/// A paste that waits for the person.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pasted {
    /// The text, as it can be typed.
    pub text: String,
    /// How many lines it has.
    pub lines: usize,
    /// What can be chosen.
    pub choices: Vec<Choice>,
    /// Which of them is marked.
    pub chosen: usize,
    /// The bytes of later pieces that were not taken, because no message can have so many.
    pub left_out_bytes: usize,
}

/// What a paste is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Short enough to be taken as if it were typed.
    Plain(String),
    /// The person is asked.
    Ask(Pasted),
    /// It cannot be taken, for a reason that says what to do.
    TooLong(String),
}

impl Choice {
    /// The choice for a person.
    #[must_use]
    pub fn says(self) -> String {
        match self {
            Self::One => "one message".to_owned(),
            Self::Each(count) => format!("{count} messages"),
            Self::Edit => "edit".to_owned(),
            Self::Cancel => "cancel".to_owned(),
        }
    }
}

impl Pasted {
    /// The lines that become messages.
    pub fn messages(&self) -> impl Iterator<Item = &str> {
        messages(&self.text)
    }

    /// Marks the next choice, or the one before.
    fn choose(&mut self, forward: bool) {
        let count = self.choices.len();
        self.chosen = (self.chosen + if forward { 1 } else { count - 1 }) % count;
    }

    fn title(&self) -> String {
        match self.left_out_bytes {
            0 => format!(" {} lines pasted ", self.lines),
            bytes => format!(" {} lines pasted; {} not taken ", self.lines, readable(bytes)),
        }
    }

    fn decide(&self, nth: usize) -> Outcome {
        match self.choices.get(nth) {
            Some(choice) => Outcome::Decided(Decision::Answer(self.clone(), *choice)),
            None => Outcome::Consumed,
        }
    }
}

impl Layer for Pasted {
    fn kind(&self) -> &'static str {
        "paste"
    }

    fn on_key(&mut self, Press { key, action }: Press, _context: &Context<'_>) -> Outcome {
        match (key.code, action) {
            (KeyCode::Enter, _) => return self.decide(self.chosen),
            (KeyCode::Esc, _) | (_, Some(Action::Interrupt)) => {
                return self.decide(self.choices.len().saturating_sub(1));
            }
            (KeyCode::Char(digit @ '1'..='9'), None) => {
                return self.decide(usize::from(digit as u8 - b'1'));
            }
            (KeyCode::Up | KeyCode::BackTab, _) => self.choose(false),
            (KeyCode::Down | KeyCode::Tab, _) => self.choose(true),
            _ => {}
        }
        Outcome::Consumed
    }

    /// The rest of one that came in pieces. What was pasted until then stays where that cannot be
    /// taken; and what comes after such a piece is none that follows this text.
    fn on_paste(&mut self, text: &str) -> Outcome {
        let is_cut = self.left_out_bytes > 0;
        // Counts where this question stays; where the piece is taken, another one is in its place.
        self.left_out_bytes += text.len();
        match is_cut {
            true => Outcome::Consumed,
            false => Outcome::Decided(Decision::Paste(format!("{}{text}", self.text))),
        }
    }

    fn unsent(&self) -> Option<&str> {
        Some(&self.text)
    }

    fn view(&self, context: &Context<'_>, whole: Rect, buffer: &mut Buffer) -> Option<Position> {
        let choices = u16::try_from(self.choices.len()).unwrap_or(u16::MAX);
        let framed = whole.width > 12 && whole.height > choices + 2;
        let frame = if framed { 2 } else { 0 };
        let height = whole.height.min(choices + TEXT_ROWS + frame);
        let width = whole.width.min(COLUMNS_MAX);
        let x = whole.x + (whole.width - width) / 2;
        let y = whole.y + (whole.height - height) / 2;
        let area = Rect::new(x, y, width, height);
        Clear.render(area, buffer);
        let block = Block::bordered().title(self.title()).border_style(context.theme.quiet);
        let inner = if framed { block.inner(area) } else { area };
        if framed {
            block.render(area, buffer);
        }
        let cells = usize::from(inner.width);
        let text_rows = usize::from(inner.height.saturating_sub(choices));
        let mut rows = inner.y..inner.bottom();
        for (line, y) in self.text.lines().take(text_rows).zip(&mut rows) {
            let line = text::fit(&text::prepared(&sanitize::line(line)), cells);
            text::put(buffer, inner.x, y, &line, inner.width, context.theme.quiet);
        }
        let first = inner.bottom().saturating_sub(choices).max(inner.y);
        for (y, (nth, choice)) in (first..inner.bottom()).zip(self.choices.iter().enumerate()) {
            let style = if nth == self.chosen { context.theme.chosen } else { context.theme.text };
            let line = text::fit(&format!(" {}  {}", nth + 1, choice.says()), cells);
            text::put(buffer, inner.x, y, &line, inner.width, style);
        }
        None
    }
}

/// Judges a text that was pasted beside so many typed bytes.
#[must_use]
pub fn judge(text: String, typed_bytes: usize) -> Verdict {
    let lines = text.lines().count();
    let fits = typed_bytes + text.len() <= TEXT_BYTES_MAX;
    if fits && lines < ASK_FROM_LINES {
        return Verdict::Plain(text);
    }
    let count = messages(&text).count();
    let can_be_split = (2..=MESSAGES_MAX).contains(&count)
        && messages(&text).all(|line| line.len() <= TEXT_BYTES_MAX);
    if !fits && !can_be_split {
        return Verdict::TooLong(too_long(text.len()));
    }
    let choices = [
        fits.then_some(Choice::One),
        can_be_split.then_some(Choice::Each(count)),
        fits.then_some(Choice::Edit),
        Some(Choice::Cancel),
    ];
    let choices = choices.into_iter().flatten().collect();
    Verdict::Ask(Pasted { text, lines, choices, chosen: 0, left_out_bytes: 0 })
}

/// Says that a paste was not taken, and what to do.
#[must_use]
pub fn too_long(bytes: usize) -> String {
    format!(
        "not taken: {} pasted, a message has at most {}; from a file: chat-tui --no-tui send \
         --lines",
        readable(bytes),
        readable(TEXT_BYTES_MAX)
    )
}

fn messages(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}

fn readable(bytes: usize) -> String {
    match bytes {
        0..10_240 => format!("{bytes} bytes"),
        10_240..1_048_576 => format!("{} KiB", bytes / 1024),
        _ => format!("{}.{} MiB", bytes >> 20, (bytes % (1 << 20)) * 10 / (1 << 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(text: &str, typed: usize) -> Vec<Choice> {
        match judge(text.to_owned(), typed) {
            Verdict::Ask(pasted) => pasted.choices,
            other @ (Verdict::Plain(_) | Verdict::TooLong(_)) => panic!("{other:?}"),
        }
    }

    #[test]
    fn only_what_is_possible_can_be_chosen() {
        use Choice::{Cancel, Each, Edit, One};
        let five = "a\nb\n\nc\nd\n";
        assert_eq!(choices(five, 0), [One, Each(4), Edit, Cancel]);
        assert_eq!(choices(five, TEXT_BYTES_MAX), [Each(4), Cancel]);
        assert_eq!(choices(&"a\n".repeat(1000), 0), [One, Edit, Cancel]);
        assert_eq!(choices(&format!("{}\nb\n", "x".repeat(TEXT_BYTES_MAX)), 0), [Each(2), Cancel]);
    }

    #[test]
    fn what_is_short_is_plain_and_what_is_too_long_says_so() {
        assert_eq!(judge("a\nb".to_owned(), 0), Verdict::Plain("a\nb".to_owned()));
        let Verdict::TooLong(why) = judge("x".repeat(5_700_000), 0) else {
            panic!("it is too long");
        };
        assert!(why.contains("5.4 MiB") && why.contains("16 KiB") && why.contains("send"), "{why}");
    }
}
