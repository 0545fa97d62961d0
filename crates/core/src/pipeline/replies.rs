//! What is said without being asked for.

use chat_proto::{CloseReason, Error, LogId, RequestId, SubscriptionEnded, encode_frame};

use crate::{Closing, Refusal};

/// What ends a subscription without being asked to.
pub(super) fn subscription_ended(log: LogId, why: &Refusal) -> Vec<u8> {
    let Error { code, message, .. } = why.to_error();
    let mut frame = Vec::new();
    let ended = SubscriptionEnded { log, code, message };
    encode_frame(&ended, RequestId(0), &mut frame).expect("a sentence fits a frame");
    frame
}

/// What is said to whoever is signed in with something that is good for nothing any more.
pub(super) fn signed_out(why: &Refusal) -> Closing {
    Closing::because(CloseReason::SignedOut, Some(why.code()), why.to_string())
}
