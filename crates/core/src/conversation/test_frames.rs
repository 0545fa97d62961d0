//! Frames that tests of tails and cursors write.

use chat_proto::{Presence, RequestId, RoomId, encode_frame};

/// One that is no event: it has a place in a tail, and none in a log.
pub(crate) fn presence_frame() -> Vec<u8> {
    let mut frame = Vec::new();
    let presence = Presence { room: RoomId(9), online: 3 };
    encode_frame(&presence, RequestId(0), &mut frame).expect("two numbers fit a frame");
    frame
}
