//! Which part of the terminal is what. Owns the arithmetic of small terminals.

use ratatui::layout::Rect;

use super::history::Viewport;
use super::model::Model;
use crate::text;

/// From this many columns on, the rooms have a pane.
const ROOMS_FROM_COLUMNS: u16 = 60;
/// The widest room pane, borders included.
const ROOMS_COLUMNS_MAX: u16 = 24;
/// The narrowest room pane, borders included.
const ROOMS_COLUMNS_MIN: u16 = 14;
/// From this many rows on, there is a line at the top.
const TOP_FROM_ROWS: u16 = 5;
/// From this many rows on, there is a status line.
const STATUS_FROM_ROWS: u16 = 3;
/// From this many columns on, there is a prompt before the input.
const PROMPT_FROM_COLUMNS: u16 = 8;
/// The most rows that the input takes.
const INPUT_ROWS_MAX: u16 = 8;

/// The parts of the terminal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Areas {
    /// The line at the top.
    pub top: Option<Rect>,
    /// The pane of rooms, borders included.
    pub rooms: Option<Rect>,
    /// What was said in the open room.
    pub history: Rect,
    /// What is typed, prompt included.
    pub input: Rect,
    /// The columns of the prompt.
    pub prompt: u16,
    /// The status line.
    pub status: Option<Rect>,
}

/// The parts of the terminal, as it is now.
#[must_use]
pub fn of(model: &Model) -> Areas {
    let (columns, rows) = model.size;
    let prompt = if columns < PROMPT_FROM_COLUMNS { 0 } else { 2 };
    let top_rows = u16::from(rows >= TOP_FROM_ROWS);
    let status_rows = u16::from(rows >= STATUS_FROM_ROWS);
    let typed = model.input.height(columns.saturating_sub(prompt));
    let most = INPUT_ROWS_MAX.min(rows / 3).max(1);
    let input_rows = u16::try_from(typed).unwrap_or(u16::MAX).clamp(1, most).min(rows);
    let middle = rows.saturating_sub(top_rows + status_rows + input_rows);
    debug_assert_eq!(top_rows + middle + input_rows + status_rows, rows, "each row is of one part");
    let rooms_columns = rooms_columns(model, columns);
    debug_assert!(rooms_columns == 0 || rooms_columns < columns, "the history has room beside it");
    let row = |y, height| Rect::new(0, y, columns, height);
    Areas {
        top: (top_rows > 0).then(|| row(0, 1)),
        rooms: (rooms_columns > 0 && middle > 2)
            .then(|| Rect::new(0, top_rows, rooms_columns, middle)),
        history: match rooms_columns > 0 && middle > 2 {
            true => {
                let left = rooms_columns + 1;
                Rect::new(left, top_rows, columns - left, middle)
            }
            false => row(top_rows, middle),
        },
        input: row(top_rows + middle, input_rows),
        prompt,
        status: (status_rows > 0).then(|| row(rows - 1, 1)),
    }
}

/// The pane that the history is shown in.
#[must_use]
pub fn viewport(model: &Model) -> Viewport {
    let pane = of(model).history;
    Viewport::new(pane.width, pane.height)
}

/// The first room that the pane lists: the open one is always in sight.
#[must_use]
pub fn first_listed(model: &Model, pane: Rect) -> usize {
    let rows = usize::from(pane.height.saturating_sub(2));
    let (listed, current) = (model.server().listed(), model.server().current);
    let open = listed.iter().position(|&index| index == current).unwrap_or(0);
    (open + 1).saturating_sub(rows)
}

fn rooms_columns(model: &Model, columns: u16) -> u16 {
    if columns < ROOMS_FROM_COLUMNS {
        return 0;
    }
    let rooms = model.server().rooms.iter();
    let longest = rooms.map(|room| text::width(&room.title)).max().unwrap_or(0);
    // Borders, a sigil, a count.
    let wanted = u16::try_from(longest + 9).unwrap_or(u16::MAX);
    wanted.clamp(ROOMS_COLUMNS_MIN, ROOMS_COLUMNS_MAX.min(columns / 4).max(ROOMS_COLUMNS_MIN))
}
