//! The little window of "go to…".

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Block, Clear, Widget};

use super::Theme;
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
    let choices = goto.choices(model);
    let all = goto.rooms.as_ref().map_or_else(|| model.listed().len(), Vec::len);
    let wanted = u16::try_from(all + 3).unwrap_or(u16::MAX);
    let height = whole.height.min(wanted.clamp(ROWS_MIN, ROWS_MAX));
    let width = whole.width.min(COLUMNS_MAX);
    let x = whole.x + (whole.width - width) / 2;
    let area = Rect { x, y: whole.y, width, height };
    Clear.render(area, buffer);
    let framed = width > 12 && height > 4;
    let title = goto.rooms.as_ref().map(|rooms| match rooms.len() {
        1 => " 1 room ".to_owned(),
        count => format!(" {count} rooms "),
    });
    let title = title.unwrap_or_else(|| " go to… ".to_owned());
    let block = Block::bordered().title(title).border_style(theme.quiet());
    let inner = if framed { block.inner(area) } else { area };
    if framed {
        block.render(area, buffer);
    }
    let typed = format!("#{}", goto.query.trim_start_matches('#'));
    let typed = crate::screen::shown::line(&typed);
    let end = text::put(buffer, inner.x, inner.y, &typed, inner.width, theme.text());
    let shown = usize::from(inner.height.saturating_sub(1));
    let first = (goto.chosen + 1).saturating_sub(shown);
    for (y, (nth, choice)) in
        (inner.y + 1..inner.bottom()).zip(choices.iter().enumerate().skip(first))
    {
        let style = if nth == goto.chosen { theme.chosen() } else { theme.text() };
        let line = text::fit(&format!(" {}", goto.line(choice, model)), usize::from(inner.width));
        text::put(buffer, inner.x, y, &line, inner.width, style);
    }
    Position::new(end.min(area.right().saturating_sub(1)), inner.y)
}
