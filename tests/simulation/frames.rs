//! Frames as bytes.

use bytes::BytesMut;
use chat_proto::{Body, FrameCodec, RequestId, encode_frame};

/// Appends the frame of a body.
pub(crate) fn put<B: Body>(body: &B, request: RequestId, out: &mut BytesMut) {
    let mut frame = Vec::new();
    encode_frame(body, request, &mut frame).expect("what the simulator says fits a frame");
    out.extend_from_slice(&frame);
}

/// Whether a whole frame is a `B`.
pub(crate) fn is_frame_of<B: Body>(bytes: &[u8]) -> bool {
    // The kind is behind the length.
    bytes.get(4..6).is_some_and(|kind| kind == (B::KIND as u16).to_le_bytes())
}

/// The body of a whole frame, when it is a `B`.
pub(crate) fn frame_of<B: Body>(bytes: &[u8]) -> Option<B> {
    // Most frames are something else.
    if !is_frame_of::<B>(bytes) {
        return None;
    }
    let frame = FrameCodec::default().take_frame(&mut BytesMut::from(bytes)).ok()??;
    frame.decode_lenient().ok()
}
