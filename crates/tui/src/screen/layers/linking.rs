//! The code with which another device signs in, over the whole screen. It is nowhere else: not in the
//! history of a room, in no log and in no clipboard, and gone when this is closed.

use chat_proto::LinkCode;
use chat_proto::limits::LINK_CODE_MS;
use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Clear, Widget};

use super::{Context, Layer, Outcome, Press};
use crate::screen::keys::Action;
use crate::text;

/// Below this many rows, only the code is shown.
const BRIEF_BELOW_ROWS: usize = 4;

/// A code, shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Linking {
    code: LinkCode,
}

impl Linking {
    /// Shows a code.
    #[must_use]
    pub fn new(code: LinkCode) -> Self {
        Self { code }
    }

    /// The rows on a terminal of this size, and whether each is a part of the code.
    fn rows(&self, columns: u16, rows: u16) -> Vec<(String, bool)> {
        let cells = usize::from(columns.max(1));
        let wrapped = |text: &str, is_code: bool| -> Vec<(String, bool)> {
            let lines = text::wrap(text, cells.saturating_sub(2).max(1), 0);
            lines.into_iter().map(|line| (format!(" {}", text[line].trim()), is_code)).collect()
        };
        let blank = || vec![(String::new(), false)];
        // At spaces it can be broken.
        let code = wrapped(&self.code.reveal().replace('-', " "), true);
        let minutes = LINK_CODE_MS / 60_000;
        let said = format!(
            "It is good for one device, in the next {minutes} minutes. Whoever has it can sign in as you. \
             Esc closes this."
        );
        let above = wrapped("On the other device, start chat-tui --link and type", false);
        let all = [above, blank(), code.clone(), blank(), wrapped(&said, false)].concat();
        let fits = all.len() <= usize::from(rows) && usize::from(rows) >= BRIEF_BELOW_ROWS;
        if fits { all } else { code }
    }
}

impl Layer for Linking {
    fn kind(&self) -> &'static str {
        "linking"
    }

    fn on_key(&mut self, Press { key, action }: Press, _context: &Context<'_>) -> Outcome {
        let closes = matches!(key.code, KeyCode::Esc | KeyCode::Enter);
        match closes || action == Some(Action::Interrupt) {
            true => Outcome::Closed,
            false => Outcome::Dismissed,
        }
    }

    fn view(&self, context: &Context<'_>, whole: Rect, buffer: &mut Buffer) -> Option<Position> {
        Clear.render(whole, buffer);
        let rows = self.rows(whole.width, whole.height);
        for (y, (row, is_code)) in (whole.y..whole.bottom()).zip(rows) {
            let style = if is_code { context.theme.strong } else { context.theme.text };
            text::put(buffer, whole.x, y, &row, whole.width, style);
        }
        None
    }
}
