//! A cursor: where one reader is in one log.

use std::num::NonZeroU64;

use bytes::Bytes;
use chat_proto::Seq;

use super::frames::frames;

/// Where one reader is in one log: the last event it has, and, while the tail holds that place,
/// the offset there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cursor {
    after: Seq,
    /// No place in a tail is 0, so that a cursor costs no more for not having one.
    offset: Option<NonZeroU64>,
}

/// What comes next for a cursor.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Read {
    /// Nothing, until the log grows.
    UpToDate,
    /// These frames, from memory.
    Frames(FrameRun),
    /// The events after `after`, from disk: the tail does not go back so far.
    Disk {
        /// The last event that the reader has.
        after: Seq,
        /// The head of the log now.
        head: Seq,
    },
}

/// Whole frames to write: shared with the tail, or come from disk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FrameRun {
    /// Where they begin in the tail; `None` when they come from disk.
    pub(crate) offset: Option<u64>,
    /// The frames; a slice holds whole ones.
    pub(crate) slices: Vec<Bytes>,
    /// How many bytes they are.
    pub(crate) bytes: usize,
    /// The seq of the last event in them, or before them when they hold none.
    pub(crate) after: Seq,
}

impl FrameRun {
    /// Frames from disk: every event up to `after` is in them, or said to be gone.
    pub(crate) fn from_disk(frames: Bytes, after: Seq) -> Self {
        Self { offset: None, bytes: frames.len(), slices: vec![frames], after }
    }

    pub(crate) fn is_from_disk(&self) -> bool {
        self.offset.is_none()
    }

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
        self.offset.map(NonZeroU64::get)
    }

    /// The reader took `written` bytes of a run. What is left of a frame that has begun is
    /// returned as a copy: the connection finishes it before anything else, and pins nothing.
    pub fn advance(&mut self, run: &FrameRun, written: usize) -> Bytes {
        let place =
            |passed: usize| run.offset.and_then(|offset| NonZeroU64::new(offset + passed as u64));
        if written == run.bytes {
            self.offset = place(run.bytes);
            self.after = run.after;
            return Bytes::new();
        }
        let mut passed = 0;
        for slice in &run.slices {
            for frame in frames(slice) {
                if passed + frame.start >= written {
                    self.offset = place(passed + frame.start);
                    return Bytes::new();
                }
                self.after = frame.after(self.after);
                if passed + frame.end > written {
                    self.offset = place(passed + frame.end);
                    return Bytes::copy_from_slice(&slice[written - passed..frame.end]);
                }
            }
            passed += slice.len();
        }
        self.offset = place(passed);
        Bytes::new()
    }

    /// The reader has everything, and waits at this place of the tail.
    pub(crate) fn wait_at(&mut self, place: Option<u64>) {
        self.offset = place.and_then(NonZeroU64::new);
    }

    /// The reader was given everything up to `after`, not from the tail.
    #[cfg(test)]
    pub(crate) fn advance_from_disk(&mut self, after: Seq) {
        self.after = after;
        self.offset = None;
    }
}
