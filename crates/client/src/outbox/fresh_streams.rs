//! Streams that nobody has used.

use chat_proto::StreamId;
use sha2::{Digest, Sha256};

/// Streams that nobody has used: each follows from random bytes that a process draws once, and from
/// how many it has had.
#[derive(Clone, Debug)]
pub struct FreshStreams {
    drawn: [u8; 16],
    count: u64,
}

impl FreshStreams {
    /// From bytes that must be random, and drawn for this alone.
    #[must_use]
    pub fn from_random(drawn: [u8; 16]) -> Self {
        Self { drawn, count: 0 }
    }

    /// One more.
    pub fn draw(&mut self) -> StreamId {
        self.count += 1;
        let count = self.count.to_le_bytes();
        let preimage = [b"chatd fresh stream v1\0", &self.drawn[..], &count].concat();
        let hash: [u8; 32] = Sha256::digest(preimage).into();
        let mut stream = [0; 16];
        stream.copy_from_slice(&hash[..16]);
        StreamId(stream)
    }
}
