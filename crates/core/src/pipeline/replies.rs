//! What is said without being asked for.

use chat_proto::{Error, LogId, RequestId, SubscriptionEnded, encode_frame};

use crate::Refusal;

/// What ends a subscription without being asked to.
pub(super) fn subscription_ended(log: LogId, why: &Refusal) -> Vec<u8> {
    let Error { code, message, .. } = why.to_error();
    let mut frame = Vec::new();
    let ended = SubscriptionEnded { log, code, message };
    encode_frame(&ended, RequestId(0), &mut frame).expect("a sentence fits a frame");
    frame
}
