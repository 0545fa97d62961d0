//! Frames as bytes.

use bytes::BytesMut;
use chat_proto::{Body, FrameCodec, RequestId, encode_frame};

/// Appends the frame of a body.
pub(crate) fn put<B: Body>(body: &B, request: RequestId, out: &mut BytesMut) {
    let mut frame = Vec::new();
    encode_frame(body, request, &mut frame).expect("what the simulator says fits a frame");
    out.extend_from_slice(&frame);
}

/// The body of a whole frame, when it is a `B`.
pub(crate) fn frame_of<B: Body>(bytes: &[u8]) -> Option<B> {
    // Kind, after the length: most frames are something else.
    let kind = u16::from_le_bytes(bytes.get(4..6)?.try_into().ok()?);
    if kind != B::KIND as u16 {
        return None;
    }
    let frame = FrameCodec::default().take_frame(&mut BytesMut::from(bytes)).ok()??;
    frame.decode_lenient().ok()
}
