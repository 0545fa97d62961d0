//! Walks frames that lie one behind the other, by their length prefixes: where each of them is, and how
//! far in its log whoever gets it is then.
//!
//! It must not know where the bytes are kept.

use chat_proto::{FrameCodec, Gap, Kind, Seq, frame_end};

/// Where a frame is, and what it is to whoever reads along a log.
pub(crate) struct FramePlace {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) is_logged: bool,
    /// The last seq that a [`Gap`] covers.
    covers_to: Option<Seq>,
}

impl FramePlace {
    /// The last event of a reader who was at `before` and gets this frame.
    pub(crate) fn after(&self, before: Seq) -> Seq {
        self.covers_to.unwrap_or(Seq(before.0 + u64::from(self.is_logged)))
    }
}

/// Walks the frames of `bytes`, which begins at a frame and holds whole frames.
pub(crate) fn frames(bytes: &[u8]) -> impl Iterator<Item = FramePlace> {
    let mut start = 0;
    std::iter::from_fn(move || {
        let end = frame_end(bytes, start)?;
        let kind = u16::from_le_bytes([*bytes.get(start + 4)?, *bytes.get(start + 5)?]);
        let covers_to = (kind == Kind::Gap as u16).then(|| gap_end(&bytes[start..end])).flatten();
        let place = FramePlace { start, end, is_logged: Kind::is_logged(kind), covers_to };
        start = end;
        Some(place)
    })
}

fn gap_end(frame: &[u8]) -> Option<Seq> {
    let frame = FrameCodec::default().next_frame(frame).ok()??;
    frame.decode::<Gap>().ok().map(|gap| gap.to)
}
