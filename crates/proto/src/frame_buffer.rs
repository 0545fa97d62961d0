//! What frames are written into.

use bytes::{BufMut, BytesMut};

/// What frames are appended to: a vector, or the bytes that a connection is to be sent.
pub trait FrameBuffer: BufMut + std::ops::DerefMut<Target = [u8]> {
    /// Takes back what is behind the first `bytes`.
    fn truncate_to(&mut self, bytes: usize);
}

impl FrameBuffer for Vec<u8> {
    fn truncate_to(&mut self, bytes: usize) {
        self.truncate(bytes);
    }
}

impl FrameBuffer for BytesMut {
    fn truncate_to(&mut self, bytes: usize) {
        self.truncate(bytes);
    }
}
