//! The question about a paste of many lines.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Clear, Widget};

use super::Theme;
use crate::screen::pasted::Pasted;
use crate::screen::shown;
use crate::text;

const COLUMNS_MAX: u16 = 60;
/// Rows of the text that are shown above the choices.
const TEXT_ROWS: u16 = 4;

pub(super) fn draw(pasted: &Pasted, theme: Theme, whole: Rect, buffer: &mut Buffer) {
    let choices = u16::try_from(pasted.choices.len()).unwrap_or(u16::MAX);
    let framed = whole.width > 12 && whole.height > choices + 2;
    let frame = if framed { 2 } else { 0 };
    let height = whole.height.min(choices + TEXT_ROWS + frame);
    let width = whole.width.min(COLUMNS_MAX);
    let x = whole.x + (whole.width - width) / 2;
    let y = whole.y + (whole.height - height) / 2;
    let area = Rect::new(x, y, width, height);
    Clear.render(area, buffer);
    let block = Block::bordered()
        .title(format!(" {} lines pasted ", pasted.lines))
        .border_style(theme.quiet());
    let inner = if framed { block.inner(area) } else { area };
    if framed {
        block.render(area, buffer);
    }
    let cells = usize::from(inner.width);
    let text_rows = usize::from(inner.height.saturating_sub(choices));
    let mut rows = inner.y..inner.bottom();
    for (line, y) in pasted.text.lines().take(text_rows).zip(&mut rows) {
        let line = text::fit(&text::prepared(&shown::line(line)), cells);
        text::put(buffer, inner.x, y, &line, inner.width, theme.quiet());
    }
    let first = inner.bottom().saturating_sub(choices).max(inner.y);
    for (y, (nth, choice)) in (first..inner.bottom()).zip(pasted.choices.iter().enumerate()) {
        let style = if nth == pasted.chosen { theme.chosen() } else { theme.text() };
        let line = text::fit(&format!(" {}  {}", nth + 1, choice.says()), cells);
        text::put(buffer, inner.x, y, &line, inner.width, style);
    }
}
