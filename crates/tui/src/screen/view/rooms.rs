//! The pane of rooms: names, and how much is unread.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Widget};

use super::Theme;
use crate::screen::areas;
use crate::screen::model::{Model, Room};
use crate::text;

pub(super) fn draw(model: &Model, theme: Theme, pane: Rect, buffer: &mut Buffer) {
    let block = Block::bordered().title(" rooms ").border_style(theme.quiet());
    let inner = block.inner(pane);
    block.render(pane, buffer);
    let first = areas::first_listed(model, pane);
    for (y, index) in (inner.y..inner.bottom()).zip(model.listed().into_iter().skip(first)) {
        let area = Rect { y, height: 1, ..inner };
        draw_room(&model.rooms[index], index == model.current, theme, area, buffer);
    }
}

fn draw_room(room: &Room, open: bool, theme: Theme, area: Rect, buffer: &mut Buffer) {
    let style = match (open, room.unread > 0, room.member) {
        (true, _, _) => theme.chosen(),
        (false, true, _) => theme.strong(),
        (false, false, true) => theme.text(),
        (false, false, false) => theme.quiet(),
    };
    if open {
        buffer.set_style(area, style);
    }
    let count = room.unread_label();
    let counted = u16::try_from(text::width(&count)).unwrap_or(0);
    let name_cells = area.width.saturating_sub(counted + 3);
    let name = text::fit(&format!("#{}", room.title), usize::from(name_cells));
    text::put(buffer, area.x + 1, area.y, &name, name_cells, style);
    let x = area.right().saturating_sub(counted + 1);
    let count_style = if room.mentions > 0 { theme.mention() } else { style };
    text::put(buffer, x, area.y, &count, counted, count_style);
}
