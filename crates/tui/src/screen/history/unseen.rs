//! What the screen has said and the reader has not seen yet.
//!
//! It stands below everything, whatever comes above, until it was seen: it stood in the pane for a
//! while, and then a key was pressed. From then on it has its place in time. Owns which that is,
//! and since when it is shown.

use super::{Entry, History, Local, Place, Row, Viewport};

/// How long a line must stand in the pane to be seen, in milliseconds: somebody who is typing does
/// not look at what came with the last key.
const SEEN_AFTER_MS: u64 = 2000;

/// Lines that stay below everything; one more sends the oldest to its place.
const UNSEEN_MAX: usize = 32;

/// A line that was not seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Unseen {
    local: Local,
    /// The event after which it was said.
    pub(super) after: u64,
    /// Since when it is in the pane, in the screen's milliseconds.
    shown_ms: Option<u64>,
}

impl History {
    /// What is said next stays below everything until it was seen.
    pub(super) fn hold_as_unseen(&mut self, local: Local, after: u64) {
        if self.locals.unseen.len() >= UNSEEN_MAX
            && let Some(oldest) = self.locals.unseen.pop_front()
        {
            self.move_local(oldest.local, Place::after(oldest.after, oldest.local));
        }
        self.locals.unseen.push_back(Unseen { local, after, shown_ms: None });
        debug_assert!(self.locals.unseen.len() <= UNSEEN_MAX, "one comes, one goes");
    }

    /// Notes what is in the pane from now on; `None`: nobody can see it.
    pub fn note_shown(&mut self, viewport: Option<Viewport>, now_ms: u64) {
        if self.locals.unseen.is_empty() {
            return;
        }
        let shown = viewport.map(|viewport| self.shown_whole(viewport)).unwrap_or_default();
        for unseen in &mut self.locals.unseen {
            unseen.shown_ms = match shown.contains(&unseen.local) {
                true => unseen.shown_ms.or(Some(now_ms)),
                false => None,
            };
        }
    }

    /// The reader does something: what was in the pane for a while is seen.
    pub fn see_shown(&mut self, now_ms: u64) {
        let is_seen = |unseen: &Unseen| {
            unseen.shown_ms.is_some_and(|shown_ms| now_ms >= shown_ms + SEEN_AFTER_MS)
        };
        let held = std::mem::take(&mut self.locals.unseen);
        let (seen, unseen): (Vec<Unseen>, Vec<Unseen>) = held.into_iter().partition(is_seen);
        self.locals.unseen = unseen.into();
        for seen in seen {
            self.move_local(seen.local, Place::after(seen.after, seen.local));
        }
    }

    /// What floats and has all its lines in the pane, or as many as the pane has.
    fn shown_whole(&self, viewport: Viewport) -> Vec<Local> {
        let rows = self.rows(viewport);
        let lines = |floating: &Entry| {
            let is_line = |row: &&Row<'_>| match row {
                Row::Body { entry, .. } => entry.place == floating.place,
                Row::Lead(_) | Row::Blank => false,
            };
            rows.iter().filter(is_line).count()
        };
        let floating = self.entries.iter().rev().take_while(|entry| entry.place.is_floating());
        let whole = floating
            .filter(|entry| lines(entry) >= entry.height(viewport.columns).min(viewport.rows));
        whole.filter_map(|entry| entry.place.local()).collect()
    }
}
