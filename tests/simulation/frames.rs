//! Frames as bytes.

use bytes::BytesMut;
use chat_proto::{Body, RequestId, encode_frame};

/// Appends the frame of a body.
pub(crate) fn put<B: Body>(body: &B, request: RequestId, out: &mut BytesMut) {
    encode_frame(body, request, out).expect("what the simulator says fits a frame");
}
