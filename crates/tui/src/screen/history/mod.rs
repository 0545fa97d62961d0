//! The history of one room as far as it is loaded: a window on the log, and where the reader
//! stands in it.
//!
//! Owns the order of what is shown, the anchor that keeps the view from jumping, the pages that
//! are asked for, and every bound on them. It must not know how anything is drawn, nor about
//! connections: pages are asked for and come back as data.

mod amend;
mod entries;
mod entry;
mod layout;
mod local;
mod paging;
mod pending;
mod place;
mod span;
mod unseen;
mod window;

pub use entry::{Columns, Entry, Kind, MARK_CELLS, SendMark, YOU};
pub use layout::{Lead, Row, Viewport};
pub use paging::{PageRequest, PageWanted};
pub use place::{Local, Place};
pub use span::SpanKind;

use entries::Entries;
use local::Locals;

/// How much of a room's log is held. What is furthest from the view is dropped first; the server
/// has it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Bound {
    /// Entries, at the most.
    pub entries: usize,
    /// Bytes of memory at the most, as [`Entry::bytes`] counts them.
    pub bytes: usize,
}

impl Bound {
    /// For a room that is open.
    pub const OPEN: Self = Self { entries: 4096, bytes: 8 << 20 };
    /// For one that is not.
    pub const RESTING: Self = Self { entries: 512, bytes: 1 << 20 };
}

/// Bytes that all rooms together may take.
pub const ALL_BYTES_MAX: usize = 24 << 20;

/// Where the reader stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Anchor {
    /// At the end: new messages push the old ones up.
    Bottom,
    /// The line that shows this byte of this entry stays on this row of the pane, whatever comes
    /// above or below.
    Line { place: Place, byte: usize, row: usize },
}

/// What is known of the end of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Below {
    /// The window reaches to the head of the log.
    Attached,
    /// Messages below the window were dropped, or never taken in.
    Detached {
        /// How many there are; behind a jump, how many events.
        messages: usize,
        /// Up to where the window has everything.
        loaded_to: u64,
    },
}

/// The line "3 new": what came while nobody looked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Divider {
    /// The first that is new.
    pub first: Place,
    /// How many messages are new from there on.
    pub count: usize,
    /// Whether they were looked at: what comes unseen after that is new by itself.
    pub seen: bool,
}

/// The loaded part of a room's history.
#[derive(Debug)]
pub struct History {
    /// Sorted by place.
    entries: Entries,
    anchor: Anchor,
    below: Below,
    paging: paging::Paging,
    /// The highest seq that was heard of.
    head: u64,
    locals: Locals,
    /// What is marked as new.
    pub divider: Option<Divider>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            entries: Entries::default(),
            anchor: Anchor::Bottom,
            below: Below::Attached,
            paging: paging::Paging::default(),
            head: 0,
            locals: Locals::default(),
            divider: None,
        }
    }
}

impl History {
    /// Whether the reader stands at the end.
    #[must_use]
    pub fn is_at_bottom(&self) -> bool {
        self.anchor == Anchor::Bottom && self.below == Below::Attached
    }

    /// Whether there is nothing to show.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The memory that what is loaded takes, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.entries.bytes()
    }

    /// What is loaded, in order.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = &Entry> + ExactSizeIterator {
        self.entries.iter()
    }
}
