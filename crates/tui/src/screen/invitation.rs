//! How others join, as it is shown when the reader asks for it.
//!
//! Owns the words and their rows. It must not know how they are drawn.

use chat_proto::RoomName;

use super::model::Model;
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
    /// How others join the open room; `None`: no server was reached yet.
    #[must_use]
    pub fn of(model: &Model) -> Option<Self> {
        let reach = model.host.as_ref().or(model.reached.as_ref())?;
        let title = &model.room().title;
        let room = RoomName::parse(title).ok();
        let copied = "It was given to the terminal's clipboard, too. Esc closes this.".to_owned();
        Some(match reach.elsewhere(room.as_ref()) {
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
        })
    }

    /// The rows on a terminal of this size, and whether each is a part of the command. That one
    /// begins at the edge, and goes on there.
    #[must_use]
    pub fn rows(&self, columns: u16, rows: u16) -> Vec<(String, bool)> {
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
