//! The history pane: rows of entries and separators, as the history lays them out.

use jiff::civil::Date;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::screen::history::{Columns, Entry, Kind, Lead, MARK_CELLS, Row, SendMark, Viewport};
use crate::screen::keymap::Keymap;
use crate::screen::keys::Action;
use crate::screen::model::Model;
use crate::screen::theme::Theme;
use crate::text;

pub(super) fn draw(model: &Model, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    if area.is_empty() {
        return;
    }
    let viewport = Viewport::new(area.width, area.height);
    let rows = model.room().history.rows(viewport);
    let today = model.clock.local_now().date();
    for (y, row) in (area.y..area.bottom()).zip(rows) {
        let row_area = Rect { y, height: 1, ..area };
        match row {
            Row::Blank => {}
            Row::Lead(lead) => draw_lead(model, lead, today, theme, row_area, buffer),
            Row::Body { entry, line } => {
                let painted =
                    Painted { entry, columns: viewport.columns, theme, keymap: &model.keymap };
                painted.draw(line, row_area, buffer);
            }
        }
    }
}

fn draw_lead(
    model: &Model,
    lead: Lead,
    today: Date,
    theme: &Theme,
    area: Rect,
    buffer: &mut Buffer,
) {
    let (label, style) = match lead {
        Lead::Older if model.server().is_online() => {
            ("older messages are on their way".into(), theme.quiet)
        }
        Lead::Older => ("older messages are on the server".into(), theme.quiet),
        Lead::Beginning => (format!("beginning of {}", model.room().label()), theme.quiet),
        Lead::Day(date) => (day(date, today), theme.quiet),
        Lead::New(count) => (format!("{count} new"), theme.mention),
    };
    let cells = usize::from(area.width);
    let label = text::fit(&label, cells.saturating_sub(4));
    let rule = cells.saturating_sub(text::width(&label) + 2);
    let (left, right) = ("─".repeat(rule / 2), "─".repeat(rule - rule / 2));
    let line = format!("{left} {label} {right}");
    text::put(buffer, area.x, area.y, &line, area.width, style);
}

fn day(date: Date, today: Date) -> String {
    let yesterday = today.yesterday().ok();
    if date == today {
        "today".to_owned()
    } else if Some(date) == yesterday {
        "yesterday".to_owned()
    } else {
        date.strftime("%A, %Y-%m-%d").to_string()
    }
}

/// An entry and how it is painted.
struct Painted<'a> {
    entry: &'a Entry,
    columns: Columns,
    theme: &'a Theme,
    keymap: &'a Keymap,
}

impl Painted<'_> {
    fn draw(&self, line: usize, area: Rect, buffer: &mut Buffer) {
        if line == 0 {
            self.draw_head(area, buffer);
        }
        let indent = cells(self.entry.indent(self.columns, line)).min(area.width);
        let (x, room) = (area.x + indent, area.width - indent);
        let end = match self.entry.hidden(self.columns, line) {
            Some(hidden) => {
                let shows = self.keymap.hint(Action::Send);
                let told = text::fit(&format!("… {hidden} more, {shows} shows"), usize::from(room));
                text::put(buffer, x, area.y, &told, room, self.theme.quiet)
            }
            None => {
                let parts = self.entry.parts(self.columns, line);
                parts.fold(x, |x, (part, kind)| {
                    let style = kind.map_or(self.text_style(), |kind| self.theme.span(kind));
                    let room = area.right().saturating_sub(x);
                    text::put(buffer, x, area.y, part, room, style)
                })
            }
        };
        if line + 1 == self.entry.height(self.columns) {
            self.draw_mark(end, area, buffer);
        }
    }

    fn draw_head(&self, area: Rect, buffer: &mut Buffer) {
        let mut x = area.x;
        if self.columns.time > 0 {
            let time = self.entry.time.strftime("%H:%M").to_string();
            text::put(buffer, x, area.y, &time, area.width, self.theme.quiet);
            x += cells(self.columns.time);
        }
        let room = area.right().saturating_sub(x);
        let sender = self.entry.sender();
        let colon = self.columns.name == 0 && self.entry.has_colon();
        let most = match self.columns.name {
            0 => usize::from(room.saturating_sub(u16::from(colon))),
            column => column - 1,
        };
        let sender = text::fit(&sender, most);
        let end = text::put(buffer, x, area.y, &sender, room, self.sender_style());
        if colon {
            let left = area.right().saturating_sub(end);
            text::put(buffer, end, area.y, ":", left, self.theme.quiet);
        }
    }

    fn draw_mark(&self, end: u16, area: Rect, buffer: &mut Buffer) {
        let (mark, style) = match &self.entry.kind {
            Kind::Own(SendMark::Typed) => ("…", self.theme.quiet),
            Kind::Own(SendMark::Waiting) => ("⏳", self.theme.waiting),
            Kind::Own(SendMark::Committed) => ("✓", self.theme.good),
            // The reason that follows begins with its own mark.
            Kind::Own(SendMark::Refused) => return,
            Kind::Message { .. } | Kind::Notice | Kind::Answer | Kind::Trouble => return,
        };
        let gap = u16::from(end > area.x);
        let x = end.saturating_add(gap).min(area.right().saturating_sub(cells(MARK_CELLS) - 1));
        let x = x.max(area.x);
        text::put(buffer, x, area.y, mark, area.right() - x, style);
    }

    fn sender_style(&self) -> Style {
        match &self.entry.kind {
            Kind::Message { mention: true, .. } => self.theme.mention,
            Kind::Message { from, .. } => self.theme.name(from),
            Kind::Own(_) => self.theme.strong,
            Kind::Notice | Kind::Answer => self.theme.quiet,
            Kind::Trouble => self.theme.trouble,
        }
    }

    fn text_style(&self) -> Style {
        match &self.entry.kind {
            Kind::Message { .. } | Kind::Own(_) | Kind::Answer | Kind::Trouble => self.theme.text,
            Kind::Notice => self.theme.quiet,
        }
    }
}

fn cells(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(u16::MAX)
}
