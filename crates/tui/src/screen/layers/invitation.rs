//! How others join, over the whole screen: the command stands at the edge, alone on its rows, so
//! that it can be copied as it is.
//!
//! Owns the words and their rows. It must not know how the server was reached.

use chat_proto::{InvitationCode, RoomName};
use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Clear, Widget};

use super::{Context, Layer, Outcome, Press};
use crate::reach::Reach;
use crate::screen::keys::Action;
use crate::text;

/// Below this many rows, only what matters most is shown.
const BRIEF_BELOW_ROWS: usize = 4;

/// A command that others can use, and what is to be said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Invitation {
    /// What is passed on.
    pub command: String,
    above: String,
    below: Vec<String>,
}

impl Invitation {
    /// How others join a room of a server that is reached so.
    #[must_use]
    pub fn new(reach: &Reach, title: &str) -> Self {
        let room = RoomName::parse(title).ok();
        let copied = "It was given to the terminal's clipboard, too. Esc closes this.".to_owned();
        match reach.elsewhere(room.as_ref()) {
            Some(command) => Self {
                command,
                above: format!(" From another machine, others join #{title} with"),
                below: vec![format!("On this machine: {}", reach.here), copied],
            },
            None => Self {
                command: reach.here.clone(),
                above: " On this machine, others join with".to_owned(),
                below: vec![format!("From elsewhere: {}", reach.otherwise), copied],
            },
        }
    }

    /// How others join with an invitation that has just been made: `until` says how long and for how many
    /// it is good. `None`: others have no way to the server.
    #[must_use]
    pub fn with_code(
        reach: &Reach,
        room: Option<&RoomName>,
        code: InvitationCode,
        until: &str,
    ) -> Option<Self> {
        let command = reach.inviting(room, Some(code))?;
        Some(Self {
            command,
            above: " Whoever has this line may come in with".to_owned(),
            below: vec![
                format!("It is good {until}. It is shown this once; /invites lists and revokes."),
                "It was given to the terminal's clipboard, too. Esc closes this.".to_owned(),
            ],
        })
    }

    /// The rows on a terminal of this size, and whether each is a part of the command. That one
    /// begins at the edge, and goes on there.
    fn rows(&self, columns: u16, rows: u16) -> Vec<(String, bool)> {
        let cells = usize::from(columns.max(1));
        let said = |text: &str| -> Vec<(String, bool)> {
            let lines = text::wrap(text, cells.saturating_sub(2).max(1), 0);
            lines.into_iter().map(|line| (format!(" {}", text[line].trim()), false)).collect()
        };
        let blank = || vec![(String::new(), false)];
        let command = pieces(&self.command, cells);
        let below = self.below.iter().flat_map(|line| [blank(), said(line)].concat());
        let all = [said(&self.above), blank(), command.clone(), below.collect()].concat();
        let fits = all.len() <= usize::from(rows) && usize::from(rows) >= BRIEF_BELOW_ROWS;
        if fits { all } else { [command, said(&self.below.join(" "))].concat() }
    }
}

impl Layer for Invitation {
    fn kind(&self) -> &'static str {
        "invitation"
    }

    fn on_key(&mut self, Press { key, action }: Press, _context: &Context<'_>) -> Outcome {
        let closes = matches!(key.code, KeyCode::Esc | KeyCode::Enter);
        match closes || action == Some(Action::Interrupt) {
            true => Outcome::Closed,
            // Whatever else is typed closes it and is typed.
            false => Outcome::Dismissed,
        }
    }

    /// The mouse may be on its way to copy it.
    fn on_click(&mut self) -> Outcome {
        Outcome::Consumed
    }

    fn view(&self, context: &Context<'_>, whole: Rect, buffer: &mut Buffer) -> Option<Position> {
        Clear.render(whole, buffer);
        let rows = self.rows(whole.width, whole.height);
        for (y, (row, is_command)) in (whole.y..whole.bottom()).zip(rows) {
            let style = if is_command { context.theme.strong } else { context.theme.text };
            text::put(buffer, whole.x, y, &row, whole.width, style);
        }
        None
    }
}

/// A text cut where the row ends, not at spaces: put together again, it is what it was.
fn pieces(text: &str, cells: usize) -> Vec<(String, bool)> {
    let mut pieces = vec![String::new()];
    for character in text.chars() {
        if let Some(piece) = pieces.last_mut() {
            match text::width(piece) + text::width(character.encode_utf8(&mut [0; 4])) <= cells {
                true => piece.push(character),
                false => pieces.push(character.to_string()),
            }
        }
    }
    pieces.into_iter().map(|piece| (piece, true)).collect()
}
