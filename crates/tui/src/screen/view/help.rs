//! The help: the bindings and commands in force.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::widgets::{Block, Clear, Widget};

use super::Theme;
use crate::screen::commands::COMMANDS;
use crate::screen::keys::{BINDINGS, Binding};
use crate::text;

/// The widest help.
const COLUMNS_MAX: u16 = 78;

pub(super) fn draw(top: u16, theme: Theme, whole: Rect, buffer: &mut Buffer) {
    let width = whole.width.min(COLUMNS_MAX);
    let area = Rect { x: whole.x + (whole.width - width) / 2, width, ..whole };
    Clear.render(area, buffer);
    let block = Block::bordered()
        .title(" help ")
        .title_bottom(" ↑ ↓ PgDn, any other key closes ")
        .border_style(theme.quiet());
    let framed = area.width > 20 && area.height > 4;
    let inner = if framed { block.inner(area) } else { area };
    if framed {
        block.render(area, buffer);
    }
    let lines = lines();
    let last = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(inner.height);
    let first = usize::from(top.min(last));
    let column = if inner.width < 50 { 14 } else { 26 };
    for (y, (left, right)) in (inner.y..inner.bottom()).zip(lines.into_iter().skip(first)) {
        let end = text::put(buffer, inner.x, y, &left, inner.width, theme.strong());
        let x = (inner.x + column).max(end + 1).min(inner.right());
        text::put(buffer, x, y, &right, inner.right() - x, theme.text());
    }
}

fn lines() -> Vec<(String, String)> {
    let commands = COMMANDS.iter().map(|(command, says)| (format!(" {command}"), (*says).into()));
    let bindings = BINDINGS.iter().map(|binding| (keys(binding), binding.says.to_owned()));
    let marks = [
        (" ⏳", "waiting: not committed by the server yet; kept, and sent until it is"),
        (" ✓", "committed by the server"),
        (" ✗", "refused, with the reason"),
    ];
    let marks = marks.into_iter().map(|(mark, says)| (mark.to_owned(), says.to_owned()));
    let empty = || std::iter::once((String::new(), String::new()));
    commands.chain(empty()).chain(bindings).chain(empty()).chain(marks).collect()
}

fn keys(binding: &Binding) -> String {
    let keys: Vec<String> = binding.keys.iter().map(ToString::to_string).collect();
    format!(" {}", keys.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_binding_and_command_is_in_the_help() {
        let lines = lines();
        let has = |text: &str| lines.iter().any(|(_, says)| says == text);
        assert!(BINDINGS.iter().all(|binding| has(binding.says)));
        assert!(COMMANDS.iter().all(|(_, says)| has(says)));
    }
}
