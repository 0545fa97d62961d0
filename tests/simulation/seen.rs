//! Events as readers see them: what a frame says, in words that the history compares.

use bytes::BytesMut;
use chat_core::Event;
use chat_proto::{Frame, FrameCodec, Kind, LogId, LoggedHead, Posted};
use chat_tests::history::{Seen, What};

/// The event of a logged frame, and its log.
pub(crate) fn seen_of_frame(frame: &Frame) -> Option<(LogId, Seen)> {
    let head = LoggedHead::of(frame).ok()?;
    let kind = frame.known_kind()?;
    let what = if kind == Kind::Posted {
        let Posted { from, id, body, .. } = frame.decode_lenient().ok()?;
        What::Posted { from, id, text: body.text }
    } else {
        What::Notice(format!("{kind:?} {:02x?}", &frame.body[..]))
    };
    Some((head.log, Seen { seq: head.seq, ts: head.ts, what }))
}

/// The same of an event of the store, by way of its frame.
pub(crate) fn seen_of_event(event: &Event) -> Seen {
    let mut frame = Vec::new();
    event.encode(&mut frame);
    let mut bytes = BytesMut::from(&frame[..]);
    let frame = FrameCodec::default().take_frame(&mut bytes).expect("an event makes a frame");
    let (_log, seen) = frame.as_ref().and_then(seen_of_frame).expect("its frame is readable");
    seen
}
