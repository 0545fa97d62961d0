//! The pane of rooms: names, how much is unread, and what is beyond its edges.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Widget};

use crate::screen::areas;
use crate::screen::model::Model;
use crate::screen::room::{Room, RoomIndex, capped};
use crate::screen::theme::Theme;
use crate::text;

pub(super) fn draw(model: &Model, theme: &Theme, pane: Rect, buffer: &mut Buffer) {
    let mut block = Block::bordered().border_style(theme.quiet);
    let inner = block.inner(pane);
    let listed = model.server().listed();
    let first = areas::first_listed(model, pane).min(listed.len());
    let end = (first + usize::from(inner.height)).min(listed.len());
    let above = beyond(model, '↑', &listed[..first], inner.width);
    let above = above.unwrap_or_else(|| (" rooms ".to_owned(), false));
    block = block.title(painted(above, theme));
    if let Some(below) = beyond(model, '↓', &listed[end..], inner.width) {
        block = block.title_bottom(painted(below, theme));
    }
    block.render(pane, buffer);
    for (y, &index) in (inner.y..inner.bottom()).zip(&listed[first..end]) {
        let area = Rect { y, height: 1, ..inner };
        draw_room(
            &model.server().rooms[index],
            index == model.server().current,
            theme,
            area,
            buffer,
        );
    }
}

/// What is told at an edge of the rooms that are beyond it, in the longest form that fits, and
/// whether the reader is named there.
fn beyond(model: &Model, arrow: char, rooms: &[RoomIndex], cells: u16) -> Option<(String, bool)> {
    if rooms.is_empty() {
        return None;
    }
    let sum =
        |count: fn(&Room) -> usize| rooms.iter().map(|&at| count(&model.server().rooms[at])).sum();
    let (unread, mentions): (usize, usize) = (sum(|room| room.unread), sum(|room| room.mentions));
    let (count, plural) = (rooms.len(), if rooms.len() == 1 { "" } else { "s" });
    let said = |number: usize, before: &str, behind: &str| match number {
        0 => String::new(),
        number => format!("{before}{}{behind}", capped(number)),
    };
    let named = said(mentions, " !", "");
    let forms = [
        format!(" {arrow} {count} room{plural}{}{named} ", said(unread, ", ", " new")),
        format!(" {arrow}{count}{}{named} ", said(unread, ", ", " new")),
        format!("{arrow}{count}{}{named}", said(unread, " +", "")),
    ];
    let fits = |form: &&String| text::width(form) <= usize::from(cells);
    let shortest = || text::fit(&forms[2], usize::from(cells));
    let told = forms.iter().find(fits).cloned().unwrap_or_else(shortest);
    Some((told, mentions > 0))
}

/// A title of the pane: what names the reader stands out.
fn painted((told, is_named): (String, bool), theme: &Theme) -> Line<'static> {
    let style = if is_named { theme.mention } else { Style::new() };
    Line::from(Span::styled(told, style))
}

fn draw_room(room: &Room, open: bool, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let style = match (open, room.unread > 0, room.member) {
        (true, _, _) => theme.chosen,
        (false, true, _) => theme.strong,
        (false, false, true) => theme.text,
        (false, false, false) => theme.quiet,
    };
    if open {
        buffer.set_style(area, style);
    }
    let count = room.unread_label();
    let counted = u16::try_from(text::width(&count)).unwrap_or(0);
    let name_cells = area.width.saturating_sub(counted + 3);
    let name = text::fit(&room.label(), usize::from(name_cells));
    text::put(buffer, area.x + 1, area.y, &name, name_cells, style);
    let x = area.right().saturating_sub(counted + 1);
    let count_style = if room.mentions > 0 { theme.mention } else { style };
    text::put(buffer, x, area.y, &count, counted, count_style);
}
