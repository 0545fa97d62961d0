//! Replies as frames.

use chat_proto::{Error, LogId, RequestId, SubscriptionEnded, Written, encode_frame};

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

/// What ends a subscription without being asked to.
pub(super) fn subscription_ended(log: LogId, why: &Refusal) -> Vec<u8> {
    let Error { code, message, .. } = why.to_error();
    let mut frame = Vec::new();
    let ended = SubscriptionEnded { log, code, message };
    encode_frame(&ended, RequestId(0), &mut frame).expect("a sentence fits a frame");
    frame
}
