//! A message of a sender, encoded once: only its stamp and its numbers change.

use crate::stamp::{STAMP_BYTES, Stamp};

/// The bytes of a message, and where what changes stands in them.
#[derive(Clone, Debug)]
pub(crate) struct Template {
    bytes: Vec<u8>,
    /// Where a text begins: a message may say it twice.
    texts_at: Vec<usize>,
    numbers: Option<Numbers>,
    /// The `n` of the next message, where it is not that of its stamp.
    next_n: Option<u64>,
}

/// What a native `Send` has beside its text; all in fixed places.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Numbers {
    /// The request id: u32, little endian.
    pub(crate) request_at: usize,
    /// The stream of the nonce: 16 bytes, of which the first eight may be any.
    pub(crate) stream_at: usize,
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
        Self { bytes, texts_at: vec![text_at], numbers, next_n: None }
    }

    /// Two messages one behind the other, with the same stamp.
    pub(crate) fn and(mut self, next: &Self) -> Self {
        let behind = self.bytes.len();
        self.texts_at.extend(next.texts_at.iter().map(|at| behind + at));
        self.bytes.extend_from_slice(&next.bytes);
        self
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

    /// Sends the next message to a room of many, as the `n`th there: a stream belongs to one room.
    pub(crate) fn address(&mut self, room: u64, n: u64) {
        self.set_room(room);
        if let Some(Numbers { stream_at, .. }) = self.numbers {
            self.bytes[stream_at..stream_at + 8].copy_from_slice(&room.to_le_bytes());
            self.next_n = Some(n);
        }
    }

    /// Appends the message with this stamp. Its request id and its `n` follow from the count.
    pub(crate) fn put(&mut self, stamp: Stamp, out: &mut Vec<u8>) {
        for at in &self.texts_at {
            stamp.write(&mut self.bytes[*at..*at + STAMP_BYTES]);
        }
        if let Some(Numbers { request_at, n_at, .. }) = self.numbers {
            // Ids may come round again: far fewer are in flight. 0 is for events.
            let request = (stamp.count % u64::from(u32::MAX)) as u32 + 1;
            self.bytes[request_at..request_at + 4].copy_from_slice(&request.to_le_bytes());
            let n = self.next_n.take().unwrap_or(stamp.count);
            self.bytes[n_at..n_at + 8].copy_from_slice(&n.to_le_bytes());
        }
        out.extend_from_slice(&self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_twice_has_the_same_stamp() {
        let part = |head: &str| {
            Template::new(format!("{head}{}", text(20)).into_bytes(), head.len(), None)
        };
        let mut both = part("ADD ").and(&part("TELL "));
        let mut out = Vec::new();
        let stamp = Stamp { sender: 7, count: 70, at_ns: 7000 };
        both.put(stamp, &mut out);
        assert_eq!(out.len(), both.len());
        assert_eq!(Stamp::read(&out[4..24]), Some(stamp));
        assert_eq!(Stamp::read(&out[29..]), Some(stamp));
        assert!(out.starts_with(b"ADD ") && out[24..].starts_with(b"TELL "));
    }
}
