//! Draws the model. Pure: nothing here changes anything, waits for anything or asks for anything.

mod history;
mod rooms;
mod status;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::areas::{self, Areas};
use super::model::Model;
use super::theme::Theme;
use crate::text;

/// Draws the screen, and puts the terminal's cursor where the person types, if anywhere.
pub fn draw(model: &Model, frame: &mut Frame<'_>) {
    let whole = frame.area();
    if whole != Rect::new(0, 0, model.size.0, model.size.1) || whole.is_empty() {
        return; // The terminal's size has changed: the message that says so is on its way.
    }
    let (areas, theme) = (areas::of(model), &model.theme);
    let buffer = frame.buffer_mut();
    if let Some(top) = areas.top {
        status::top(model, theme, top, buffer);
    }
    if let Some(pane) = areas.rooms {
        rooms::draw(model, theme, pane, buffer);
    }
    history::draw(model, theme, areas.history, buffer);
    let mut cursor = Some(input(model, theme, &areas, buffer));
    if let Some(status) = areas.status {
        status::bottom(model, theme, status, buffer);
    }
    if !model.layers.is_empty() {
        let context = model.layer_context();
        for layer in model.layers.iter() {
            cursor = layer.view(&context, whole, buffer);
        }
    }
    text::guard(buffer);
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
}

/// Draws what is typed; gives the cell of the cursor.
fn input(model: &Model, theme: &Theme, areas: &Areas, buffer: &mut Buffer) -> Position {
    let area = areas.input;
    text::put(buffer, area.x, area.y, "> ", areas.prompt, theme.strong);
    let cells = area.width.saturating_sub(areas.prompt);
    let laid_out = model.input.lay_out(cells);
    let rows = usize::from(area.height);
    let first = (laid_out.row + 1).saturating_sub(rows);
    let left = area.x + areas.prompt;
    for (y, line) in (area.y..area.bottom()).zip(laid_out.lines.iter().skip(first)) {
        text::put(buffer, left, y, line, cells, theme.text);
    }
    let column = u16::try_from(laid_out.column).unwrap_or(u16::MAX);
    let row = u16::try_from(laid_out.row - first).unwrap_or(u16::MAX);
    let x = left.saturating_add(column).min(area.right().saturating_sub(1));
    let y = area.y.saturating_add(row).min(area.bottom().saturating_sub(1));
    Position::new(x, y)
}
