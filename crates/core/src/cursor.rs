//! A cursor: where one reader is in one log.

use bytes::Bytes;
use chat_proto::Seq;

use crate::tail::frames;

/// Where one reader is in one log: the last event it has, and, while the tail holds that place,
/// the offset there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    after: Seq,
    offset: Option<u64>,
}

/// What comes next for a cursor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Read {
    /// Nothing, until the log grows.
    UpToDate,
    /// These frames, from memory.
    Frames(Run),
    /// The events after `after`, from disk: the tail does not go back so far.
    Disk {
        /// The last event that the reader has.
        after: Seq,
        /// The head of the log now.
        head: Seq,
    },
}

/// Whole frames to write, shared with the tail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Run {
    /// Where they begin in the tail.
    pub(crate) offset: u64,
    /// The frames; a slice holds whole ones.
    pub(crate) slices: Vec<Bytes>,
    /// How many bytes they are.
    pub(crate) bytes: usize,
    /// The seq of the last event in them, or before them when they hold none.
    pub(crate) after: Seq,
}

impl Run {
    /// The frames, in order.
    #[must_use]
    pub fn slices(&self) -> &[Bytes] {
        &self.slices
    }

    /// How many bytes they are.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Cursor {
    /// A cursor behind the event `after`.
    #[must_use]
    pub fn new(after: Seq) -> Self {
        Self { after, offset: None }
    }

    /// The last event that the reader has, or has begun.
    #[must_use]
    pub fn after(&self) -> Seq {
        self.after
    }

    pub(crate) fn offset(&self) -> Option<u64> {
        self.offset
    }

    /// The reader took `written` bytes of a run. What is left of a frame that has begun is
    /// returned as a copy: the connection finishes it before anything else, and pins nothing.
    pub fn advance(&mut self, run: &Run, written: usize) -> Bytes {
        if written == run.bytes {
            self.offset = Some(run.offset + run.bytes as u64);
            self.after = run.after;
            return Bytes::new();
        }
        let mut passed = 0;
        for slice in &run.slices {
            for frame in frames(slice) {
                if passed + frame.start >= written {
                    self.offset = Some(run.offset + (passed + frame.start) as u64);
                    return Bytes::new();
                }
                self.after = Seq(self.after.0 + u64::from(frame.is_logged));
                if passed + frame.end > written {
                    self.offset = Some(run.offset + (passed + frame.end) as u64);
                    return Bytes::copy_from_slice(&slice[written - passed..frame.end]);
                }
            }
            passed += slice.len();
        }
        self.offset = Some(run.offset + passed as u64);
        Bytes::new()
    }

    /// The reader has everything, and waits at this place of the tail.
    pub(crate) fn wait_at(&mut self, place: Option<u64>) {
        self.offset = place;
    }

    /// The reader was given everything up to `after` from disk.
    pub fn advance_from_disk(&mut self, after: Seq) {
        self.after = after;
        self.offset = None;
    }
}
