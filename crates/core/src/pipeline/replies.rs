//! Replies as frames.

use chat_proto::{Written, encode_frame};

use crate::{Effect, Origin, Refusal, Reply};

/// Room for an ack: nearly every reply is one.
const REPLY_BYTES: usize = 80;

pub(super) fn refusal(origin: Origin, why: &Refusal) -> Reply {
    frame(origin, &why.to_error())
}

pub(super) fn frame(origin: Origin, body: &impl Written) -> Reply {
    let mut frame = Vec::with_capacity(REPLY_BYTES);
    encode_frame(body, origin.request, &mut frame).expect("replies are bounded below a frame");
    Reply { frame, effect: Effect::None }
}
