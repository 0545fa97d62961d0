//! Where an entry stands in a room's history.
//!
//! Owns the order. It must not know what stands there.

use chat_proto::Seq;

/// Something that only the screen has: a line that it says, or an own message that is not
/// committed. Numbered from 1 in each room, for as long as the screen lives.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Local(pub u64);

/// Where an entry stands: confirmed ones in the order of the log, what only the screen has after
/// the event that was the last one when it came, and what the reader has not seen yet of that
/// after everything.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// The seq of the event, or of the one before it.
    pub seq: u64,
    /// 0 for the event itself, else what only the screen has after it.
    pub sub: u64,
}

impl Place {
    /// The place of a logged event.
    #[must_use]
    pub fn of(seq: Seq) -> Self {
        Self { seq: seq.0, sub: 0 }
    }

    /// The place of what only the screen has, after an event.
    #[must_use]
    pub fn after(seq: u64, local: Local) -> Self {
        Self { seq, sub: local.0 }
    }

    /// The place after everything.
    #[must_use]
    pub fn floating(local: Local) -> Self {
        Self { seq: u64::MAX, sub: local.0 }
    }

    /// Whether what stands here stays below everything for now.
    #[must_use]
    pub fn is_floating(self) -> bool {
        self.seq == u64::MAX
    }

    /// What only the screen has, when it stands here.
    #[must_use]
    pub fn local(self) -> Option<Local> {
        (self.sub > 0).then_some(Local(self.sub))
    }

    /// The seq, when a logged event stands here.
    #[must_use]
    pub fn logged(self) -> Option<Seq> {
        (self.sub == 0).then_some(Seq(self.seq))
    }
}
