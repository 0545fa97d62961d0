//! The little window of "go to…".

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Block, Clear, Widget};

use super::{Theme, rooms};
use crate::screen::goto::GoTo;
use crate::screen::model::Model;
use crate::text;

const COLUMNS_MAX: u16 = 44;
/// All rooms in their frame, as far as this goes.
const ROWS_MAX: u16 = 12;
const ROWS_MIN: u16 = 5;

/// Draws it; gives the cell of the cursor.
pub(super) fn draw(
    model: &Model,
    goto: &GoTo,
    theme: Theme,
    whole: Rect,
    buffer: &mut Buffer,
) -> Position {
    let wanted = u16::try_from(model.listed().len() + 3).unwrap_or(u16::MAX);
    let height = whole.height.min(wanted.clamp(ROWS_MIN, ROWS_MAX));
    let width = whole.width.min(COLUMNS_MAX);
    let x = whole.x + (whole.width - width) / 2;
    let area = Rect { x, y: whole.y, width, height };
    Clear.render(area, buffer);
    let framed = width > 12 && height > 4;
    let block = Block::bordered().title(" go to… ").border_style(theme.quiet());
    let inner = if framed { block.inner(area) } else { area };
    if framed {
        block.render(area, buffer);
    }
    let typed = format!("#{}", goto.query.trim_start_matches('#'));
    let typed = crate::screen::shown::line(&typed);
    let end = text::put(buffer, inner.x, inner.y, &typed, inner.width, theme.text());
    let shown = usize::from(inner.height.saturating_sub(1));
    let first = (goto.chosen + 1).saturating_sub(shown);
    let matches = goto.matches(model);
    for (y, (nth, &index)) in
        (inner.y + 1..inner.bottom()).zip(matches.iter().enumerate().skip(first))
    {
        let room = &model.rooms[index];
        let style = if nth == goto.chosen { theme.chosen() } else { theme.text() };
        let line = format!(" #{} {}", room.title, rooms::unread(room));
        let line = text::fit(&line, usize::from(inner.width));
        text::put(buffer, inner.x, y, &line, inner.width, style);
    }
    Position::new(end.min(area.right().saturating_sub(1)), inner.y)
}
