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

/// Where what a key does begins.
const COLUMN_WIDE: usize = 26;
/// The same on a narrow terminal.
const COLUMN_NARROW: usize = 8;

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
    let column = if inner.width < 50 { COLUMN_NARROW } else { COLUMN_WIDE };
    let rows: Vec<(String, String)> =
        lines().iter().flat_map(|line| rows(line, column, usize::from(inner.width))).collect();
    let last = rows.len().saturating_sub(usize::from(inner.height));
    let first = usize::from(top).min(last);
    for (y, (left, right)) in (inner.y..inner.bottom()).zip(rows.into_iter().skip(first)) {
        text::put(buffer, inner.x, y, &left, inner.width, theme.strong());
        let x = (inner.x + u16::try_from(column).unwrap_or(0)).min(inner.right());
        text::put(buffer, x, y, &right, inner.right() - x, theme.text());
    }
}

/// A line of the help in rows: its right side wraps beside its left, or under it.
fn rows((left, right): &(String, String), column: usize, cells: usize) -> Vec<(String, String)> {
    let ranges = text::wrap(right, cells.saturating_sub(column).max(1), 0);
    let rights = ranges.into_iter().map(|range| right[range].to_owned());
    let fits = text::width(left) < column;
    let mut lefts = fits.then(|| left.clone()).into_iter();
    let under: Vec<_> = rights.map(|right| (lefts.next().unwrap_or_default(), right)).collect();
    let above = (!fits).then(|| (left.clone(), String::new()));
    above.into_iter().chain(under).collect()
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
