//! The help, drawn above everything.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Clear, Widget};

use super::Theme;
use crate::screen::help::Help;
use crate::text;

pub(super) fn draw(top: u16, theme: Theme, whole: Rect, buffer: &mut Buffer) {
    let help = Help::new(whole);
    Clear.render(help.area, buffer);
    if help.framed {
        let block = Block::bordered()
            .title(" help ")
            .title_bottom(" ↑ ↓ PgDn · Esc closes ")
            .border_style(theme.quiet());
        block.render(help.area, buffer);
    }
    let inner = help.inner;
    let first = usize::from(top.min(help.last_top()));
    let x = (inner.x + help.column).min(inner.right());
    for (y, (left, right)) in (inner.y..inner.bottom()).zip(help.rows.into_iter().skip(first)) {
        text::put(buffer, inner.x, y, &left, inner.width, theme.strong());
        text::put(buffer, x, y, &right, inner.right() - x, theme.text());
    }
}
