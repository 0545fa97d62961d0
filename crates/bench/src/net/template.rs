//! A message of a sender, encoded once: only its stamp and its numbers change.

use std::ops::Range;

use crate::stamp::{STAMP_BYTES, Stamp};

/// The bytes of a message, and where what changes stands in them.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    stamp: Range<usize>,
    numbers: Option<Numbers>,
}

/// What a native `Send` has beside its text; all in fixed places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    /// The request id: u32, little endian.
    pub(crate) request_at: usize,
    /// The `n` of the nonce: u64, little endian.
    pub(crate) n_at: usize,
    /// The room: u64, little endian.
    pub(crate) room_at: usize,
}

/// A text of so many bytes, to be stamped.
pub(crate) fn text(bytes: usize) -> String {
    ".".repeat(bytes.max(STAMP_BYTES))
}

impl Template {
    /// A message whose text begins at `text_at`.
    pub(crate) fn new(bytes: Vec<u8>, text_at: usize, numbers: Option<Numbers>) -> Self {
        assert!(bytes.len() >= text_at + STAMP_BYTES, "a text is at least as long as its stamp");
        Self { bytes, stamp: text_at..text_at + STAMP_BYTES, numbers }
    }

    /// Bytes of a message.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Sends to another room from now on.
    pub(crate) fn set_room(&mut self, room: u64) {
        if let Some(Numbers { room_at, .. }) = self.numbers {
            self.bytes[room_at..room_at + 8].copy_from_slice(&room.to_le_bytes());
        }
    }

    /// Appends the message with this stamp. Its request id and its `n` follow from the count.
    pub(crate) fn put(&mut self, stamp: Stamp, out: &mut Vec<u8>) {
        stamp.write(&mut self.bytes[self.stamp.clone()]);
        if let Some(Numbers { request_at, n_at, .. }) = self.numbers {
            // Ids may come round again: far fewer are in flight. 0 is for events.
            let request = (stamp.count % u64::from(u32::MAX)) as u32 + 1;
            self.bytes[request_at..request_at + 4].copy_from_slice(&request.to_le_bytes());
            self.bytes[n_at..n_at + 8].copy_from_slice(&stamp.count.to_le_bytes());
        }
        out.extend_from_slice(&self.bytes);
    }
}
