//! Which lines of the history stand on which rows of the pane, and how the view moves.
//!
//! Only what is visible is laid out, walking from the anchor; nothing here is linear in the
//! length of the history but the counts of the status line.

use jiff::civil::Date;

use super::{Anchor, Below, Columns, Entry, History};

/// The pane that the history is shown in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Viewport {
    /// How lines are laid out.
    pub columns: Columns,
    /// How many rows there are.
    pub rows: usize,
}

impl Viewport {
    /// The viewport of a pane.
    #[must_use]
    pub fn new(cells: u16, rows: u16) -> Self {
        Self { columns: Columns::for_cells(cells), rows: usize::from(rows) }
    }
}

/// A line above an entry that belongs to no message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lead {
    /// Older messages are there or on their way.
    Older,
    /// The first line of the room.
    Beginning,
    /// A day begins.
    Day(Date),
    /// So many are new from here on.
    New(usize),
}

/// What one row of the pane shows.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// Nothing: there are fewer lines than rows.
    Blank,
    /// A line between entries that is of none of them.
    Lead(Lead),
    /// A line of an entry.
    Body {
        /// The entry that the line is of.
        entry: &'a Entry,
        /// The line, from 0.
        line: usize,
    },
}

/// A line of the history: the `line`th of an entry, its leads counted first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Spot {
    index: usize,
    line: usize,
}

/// Where the pane begins: that many blank rows, then this line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Top {
    blank: usize,
    spot: Spot,
}

impl History {
    /// What the pane shows, row by row.
    #[must_use]
    pub fn rows(&self, viewport: Viewport) -> Vec<Row<'_>> {
        let mut rows = Vec::with_capacity(viewport.rows);
        let Some(top) = self.top(viewport) else {
            rows.resize_with(viewport.rows, || Row::Blank);
            if let (Some(last), true) = (rows.last_mut(), self.paging.is_loaded()) {
                *last = Row::Lead(Lead::Beginning);
            }
            return rows;
        };
        rows.resize_with(top.blank.min(viewport.rows), || Row::Blank);
        let mut next = Some(top.spot);
        while let (Some(spot), true) = (next, rows.len() < viewport.rows) {
            rows.push(self.row(spot, viewport.columns));
            next = self.down(spot, viewport.columns);
        }
        rows.resize_with(viewport.rows, || Row::Blank);
        debug_assert_eq!(
            rows.len(),
            viewport.rows,
            "each row of the pane shows something or nothing"
        );
        rows
    }

    /// How many messages are above the first visible one, and whether the server has more.
    #[must_use]
    pub fn above(&self, viewport: Viewport) -> (usize, bool) {
        let index = self.top(viewport).map_or(0, |top| top.spot.index);
        let loaded = self.entries.range(..index).filter(|entry| entry.is_message()).count();
        (loaded, self.paging.more_above)
    }

    /// How many messages are below the last visible one.
    #[must_use]
    pub fn below(&self, viewport: Viewport) -> usize {
        let beyond = match self.below {
            Below::Attached => 0,
            Below::Detached { messages, .. } => messages,
        };
        let Some(top) = self.top(viewport) else {
            return beyond;
        };
        let last = self.walk_down(top.spot, viewport.rows.saturating_sub(1 + top.blank), viewport);
        let loaded = self.entries.range(last.index + 1..);
        beyond + loaded.filter(|entry| entry.is_message()).count()
    }

    /// Moves the view up (negative) or down by lines.
    pub fn scroll(&mut self, lines: isize, viewport: Viewport) {
        let Some(top) = self.top(viewport) else {
            return;
        };
        let distance = lines.unsigned_abs();
        let mut spot = top.spot;
        if lines < 0 {
            for _ in 0..distance {
                spot = self.up(spot, viewport.columns).unwrap_or(spot);
            }
        } else {
            spot = self.walk_down(spot, distance.saturating_sub(top.blank), viewport);
        }
        self.settle_at(spot, viewport);
    }

    /// Moves the view to the oldest line that is loaded.
    pub fn scroll_to_top(&mut self, viewport: Viewport) {
        if !self.entries.is_empty() {
            self.settle_at(Spot { index: 0, line: 0 }, viewport);
        }
    }

    /// Lets the view fill the pane after its size has changed.
    pub fn settle(&mut self, viewport: Viewport) {
        if self.anchor != Anchor::Bottom
            && let Some(top) = self.top(viewport)
        {
            self.settle_at(top.spot, viewport);
        }
    }

    /// Shows the lowest visible text that is long whole, or folds it again. Says whether there was
    /// one.
    pub fn fold_or_unfold(&mut self, viewport: Viewport) -> bool {
        let is_long = |row: &Row<'_>| match row {
            Row::Body { entry, .. } if entry.is_long(viewport.columns) => Some(entry.place),
            Row::Body { .. } | Row::Lead(_) | Row::Blank => None,
        };
        let Some(place) = self.rows(viewport).iter().rev().find_map(is_long) else {
            return false;
        };
        let Ok(index) = self.entries.find(place) else {
            return false;
        };
        // The line that stood for what was hidden stays where it is.
        if let Some(top) = self.top(viewport) {
            self.anchor = self.anchor_at(top.spot, viewport);
        }
        self.entries.change(index, Entry::fold_or_unfold);
        true
    }

    fn settle_at(&mut self, spot: Spot, viewport: Viewport) {
        let mut last = Some(spot);
        for _ in 0..viewport.rows {
            last = last.and_then(|spot| self.down(spot, viewport.columns));
        }
        self.anchor = match last {
            None => Anchor::Bottom,
            Some(_more) => self.anchor_at(spot, viewport),
        };
    }

    /// The anchor that keeps a line on the first row: its own, or the next that is of an entry.
    fn anchor_at(&self, top: Spot, viewport: Viewport) -> Anchor {
        let mut spot = top;
        let mut row = 0;
        loop {
            debug_assert!(spot.index < self.entries.len(), "a spot is in an entry that is loaded");
            let leads = self.leads(spot.index).len();
            let entry = &self.entries[spot.index];
            if let Some(line) = spot.line.checked_sub(leads) {
                let byte = entry.byte_of_line(viewport.columns, line);
                // Of two lines that begin at the same byte, the anchor means the later one.
                let meant = entry.line_of_byte(viewport.columns, byte);
                row += meant.saturating_sub(line);
                return Anchor::Line { place: entry.place, byte, row };
            }
            match self.down(spot, viewport.columns) {
                Some(next) => spot = next,
                None => return Anchor::Bottom,
            }
            row += 1;
        }
    }

    /// Where the pane begins; nothing if there is nothing to show.
    fn top(&self, viewport: Viewport) -> Option<Top> {
        let bottom = self.top_at_bottom(viewport)?;
        let Anchor::Line { place, byte, row } = self.anchor else {
            return Some(bottom);
        };
        let index = self.index_near(place);
        debug_assert!(index < self.entries.len(), "where there is a bottom, there is an entry");
        let line = self.entries[index].line_of_byte(viewport.columns, byte);
        let line = self.leads(index).len() + line;
        let row = row.min(viewport.rows.saturating_sub(1));
        let top = self.walk_up(Spot { index, line }, row, viewport.columns);
        // Never beyond the end: there would be nothing to show on the last rows.
        Some(if top.spot >= bottom.spot { bottom } else { top })
    }

    fn top_at_bottom(&self, viewport: Viewport) -> Option<Top> {
        let index = self.entries.len().checked_sub(1)?;
        let line = self.height(index, viewport.columns) - 1;
        let rows = viewport.rows.saturating_sub(1);
        Some(self.walk_up(Spot { index, line }, rows, viewport.columns))
    }

    fn walk_up(&self, mut spot: Spot, rows: usize, columns: Columns) -> Top {
        for climbed in 0..rows {
            match self.up(spot, columns) {
                Some(above) => spot = above,
                None => return Top { blank: rows - climbed, spot },
            }
        }
        Top { blank: 0, spot }
    }

    fn walk_down(&self, mut spot: Spot, lines: usize, viewport: Viewport) -> Spot {
        for _ in 0..lines {
            match self.down(spot, viewport.columns) {
                Some(below) => spot = below,
                None => break,
            }
        }
        spot
    }

    fn up(&self, spot: Spot, columns: Columns) -> Option<Spot> {
        match spot.line.checked_sub(1) {
            Some(line) => Some(Spot { line, ..spot }),
            None => {
                let index = spot.index.checked_sub(1)?;
                Some(Spot { index, line: self.height(index, columns) - 1 })
            }
        }
    }

    fn down(&self, spot: Spot, columns: Columns) -> Option<Spot> {
        if spot.line + 1 < self.height(spot.index, columns) {
            return Some(Spot { line: spot.line + 1, ..spot });
        }
        let index = spot.index + 1;
        (index < self.entries.len()).then_some(Spot { index, line: 0 })
    }

    fn row(&self, spot: Spot, columns: Columns) -> Row<'_> {
        let leads = self.leads(spot.index);
        match leads.get(spot.line) {
            Some(lead) => Row::Lead(*lead),
            None => {
                let entry = &self.entries[spot.index];
                let line = spot.line - leads.len();
                debug_assert!(line < entry.height(columns), "the spot is inside its entry");
                Row::Body { entry, line }
            }
        }
    }

    fn height(&self, index: usize, columns: Columns) -> usize {
        let height = self.entries[index].height(columns);
        debug_assert!(height > 0, "the last line of an entry is one less than its height");
        self.leads(index).len() + height
    }

    /// The separators above an entry. Which there are depends on what stands before it, so they
    /// come and go; the anchor is never one of them.
    fn leads(&self, index: usize) -> Leads {
        let entry = &self.entries[index];
        let before = index.checked_sub(1).map(|before| &self.entries[before]);
        let mut leads = Leads::default();
        if before.is_none() && self.paging.is_loaded() {
            leads.push(if self.paging.more_above { Lead::Older } else { Lead::Beginning });
        }
        let day = entry.time.date();
        // What floats may be of an earlier day than what is above it.
        if before.is_none_or(|before| before.time.date() != day && !entry.place.is_floating()) {
            leads.push(Lead::Day(day));
        }
        if let Some(divider) = self.divider
            && entry.place >= divider.first
            && before.is_none_or(|before| before.place < divider.first)
        {
            leads.push(Lead::New(divider.count));
        }
        leads
    }
}

/// The few separators above one entry.
#[derive(Clone, Copy, Default, Debug)]
struct Leads {
    held: [Option<Lead>; 3],
}

impl Leads {
    fn push(&mut self, lead: Lead) {
        debug_assert!(
            self.len() < self.held.len(),
            "one of the beginning, one of the day, one of the new"
        );
        if let Some(free) = self.held.iter_mut().find(|held| held.is_none()) {
            *free = Some(lead);
        }
    }

    fn len(&self) -> usize {
        self.held.iter().flatten().count()
    }

    fn get(&self, nth: usize) -> Option<&Lead> {
        self.held.iter().flatten().nth(nth)
    }
}
