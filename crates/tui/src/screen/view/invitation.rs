//! How others join, over the whole screen: the command stands at the edge, alone on its rows, so
//! that it can be copied as it is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Clear, Widget};

use super::Theme;
use crate::screen::invitation::Invitation;
use crate::text;

pub(super) fn draw(invitation: &Invitation, theme: Theme, whole: Rect, buffer: &mut Buffer) {
    Clear.render(whole, buffer);
    let rows = invitation.rows(whole.width, whole.height);
    for (y, (row, is_command)) in (whole.y..whole.bottom()).zip(rows) {
        let style = if is_command { theme.strong() } else { theme.text() };
        text::put(buffer, whole.x, y, &row, whole.width, style);
    }
}
