//! What becomes of an event in memory when its text is gone.
//!
//! Its chunk is divided, and the frame that stands in its place has a chunk of its own, which takes up
//! as much of the tail as what was there. So every other frame keeps its place, and so does whoever
//! reads there. The rest is copied: a slice would keep the text in memory.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use chat_proto::{FrameCodec, Gap, GapReason, Kind, LogId, Posted, RequestId, Seq, encode_frame};

use super::{CHUNK_BYTES_MAX, Chunk, Tail};
use crate::Removal;
use crate::conversation::frames::frames;

impl Tail {
    /// Puts a `Gap` in the place of an event of this log, for whoever reads it from now on. Tells which
    /// place that is, or `None` when the event is not held, or was redacted before.
    pub fn redact(&mut self, log: LogId, seq: Seq) -> Option<Range<u64>> {
        if seq > self.head {
            return None;
        }
        let at = self.chunks.partition_point(|chunk| chunk.after < seq).checked_sub(1)?;
        let whole = self.chunks.get(at).filter(|chunk| !chunk.is_redacted)?.clone();
        let mut before = whole.after;
        let event = frames(&whole.bytes).find(|frame| {
            before = frame.after(before);
            before >= seq
        })?;
        let place = whole.start + event.start as u64..whole.start + event.end as u64;
        let part = |from: u64, to: u64, after, bytes: &[u8]| {
            let bytes = Bytes::copy_from_slice(bytes);
            Chunk { start: from, end: to, after, bytes, is_redacted: false }
        };
        let redacted = Chunk {
            start: place.start,
            end: place.end,
            after: Seq(seq.0 - 1),
            bytes: deleted(log, seq).into(),
            is_redacted: true,
        };
        let parts = [
            part(whole.start, place.start, whole.after, &whole.bytes[..event.start]),
            redacted,
            part(place.end, whole.end, seq, &whole.bytes[event.end..]),
        ];
        let behind = self.chunks.split_off(at + 1);
        self.chunks.truncate(at);
        self.chunks.extend(parts.into_iter().filter(|part| part.span() > 0));
        self.chunks.extend(behind);
        self.merge_redacted(at);
        Some(place)
    }

    /// The same for every message of an account, from a time on and up to an event. Tells the places.
    pub fn remove_messages(&mut self, removal: Removal) -> Vec<Range<u64>> {
        let Removal { log, .. } = removal;
        let whole = self.chunks.iter().filter(|chunk| !chunk.is_redacted);
        let removed: Vec<_> = whole.flat_map(|chunk| removed_in(&chunk.bytes, removal)).collect();
        removed.into_iter().filter_map(|seq| self.redact(log, seq)).collect()
    }

    /// Merges what is redacted side by side: of a log that loses much, few chunks are left.
    fn merge_redacted(&mut self, at: usize) {
        for left in (at.saturating_sub(1)..=at + 1).rev() {
            let (Some(first), Some(second)) = (self.chunks.get(left), self.chunks.get(left + 1))
            else {
                continue;
            };
            let are_redacted = first.is_redacted && second.is_redacted;
            if !are_redacted || first.bytes.len() + second.bytes.len() > CHUNK_BYTES_MAX {
                continue;
            }
            let mut bytes = BytesMut::with_capacity(first.bytes.len() + second.bytes.len());
            bytes.extend_from_slice(&first.bytes);
            bytes.extend_from_slice(&second.bytes);
            let merged = Chunk { end: second.end, bytes: bytes.freeze(), ..first.clone() };
            self.chunks[left] = merged;
            self.chunks.remove(left + 1);
        }
    }
}

/// The messages of a chunk that are taken away.
fn removed_in(bytes: &Bytes, removal: Removal) -> impl Iterator<Item = Seq> {
    let Removal { log, account, since, to } = removal;
    let posted = frames(bytes).filter_map(|place| {
        let frame = FrameCodec::default().next_frame(&bytes[place.start..place.end]).ok()??;
        (frame.known_kind() == Some(Kind::Posted)).then(|| frame.decode::<Posted>().ok())?
    });
    posted.filter_map(move |posted| {
        let is_meant = posted.from == account && LogId::from(posted.room) == log;
        (is_meant && posted.ts >= since && posted.seq <= to).then_some(posted.seq)
    })
}

/// The frame that tells what a page from disk tells of an event without a text.
fn deleted(log: LogId, seq: Seq) -> Vec<u8> {
    let mut frame = Vec::new();
    let gap = Gap { log, from: seq, to: seq, reason: GapReason::Deleted as u16 };
    encode_frame(&gap, RequestId(0), &mut frame).expect("four numbers fit a frame");
    frame
}

#[cfg(test)]
#[path = "redaction_tests.rs"]
mod tests;
