//! The newest part of a log in memory: a chain of chunks of encoded frames, shared by every
//! cursor, and bounded by whoever owns it.
//!
//! Places in a tail are byte offsets that only rise, also when old chunks are released or small
//! ones are merged. A chunk knows the seq before its first frame; the frames inside are found by
//! walking their length prefixes, which happens only where a cursor opens or stops half way. What was
//! redacted has a chunk of its own, which keeps its place and has other bytes (`redaction`).

mod redaction;

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};
use chat_proto::Seq;

use super::follower::RevocationNumber;
use super::frames::frames;
use crate::{Batch, Cursor, FrameRun, Read};

/// Chunks grow by merging up to this size: what a partial write can pin, and the grain of release.
const CHUNK_BYTES_MAX: usize = 64 * 1024;

/// Slices of one run: what one `writev` takes without the kernel's limit (1,024) in sight.
const RUN_SLICES_MAX: usize = 64;

/// Where a tail begins: a cursor that has no place in it is told by 0.
const FIRST_OFFSET: u64 = 1;

/// The newest frames of one log.
#[derive(Clone, Debug)]
pub struct Tail {
    chunks: VecDeque<Chunk>,
    /// Offset behind the last byte.
    end: u64,
    /// The seq of the newest event.
    head: Seq,
    /// The last revocation on the log.
    revocation: RevocationNumber,
}

#[derive(Clone, Debug)]
struct Chunk {
    start: u64,
    /// Behind its place.
    end: u64,
    /// The seq before the first logged frame.
    after: Seq,
    bytes: Bytes,
    /// Its bytes are others than those that were appended here: offsets inside it mean nothing.
    is_redacted: bool,
}

/// A place in the chunks: in which, and behind how many of its bytes.
#[derive(Clone, Copy, Debug)]
struct Place {
    chunk: usize,
    inside: usize,
}

impl Chunk {
    /// How much of the tail it takes up.
    fn span(&self) -> usize {
        usize::try_from(self.end - self.start).expect("what is in memory fits an address")
    }
}

impl Tail {
    /// A tail that holds nothing of a log whose head is `head`.
    #[must_use]
    pub fn new(head: Seq) -> Self {
        let revocation = RevocationNumber::default();
        Self { chunks: VecDeque::new(), end: FIRST_OFFSET, head, revocation }
    }

    /// The seq of the newest event.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head
    }

    /// How many bytes of frames are held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let start = self.chunks.front().map_or(self.end, |chunk| chunk.start);
        usize::try_from(self.end - start).expect("what is in memory fits an address")
    }

    /// The offset behind the last byte.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The bytes from `offset` on, when they are still held.
    #[must_use]
    pub fn since(&self, offset: u64) -> Vec<Bytes> {
        if !self.holds(offset) {
            return Vec::new();
        }
        let skip = |chunk: &Chunk| offset.saturating_sub(chunk.start) as usize;
        let behind = self.chunks.iter().skip_while(|chunk| skip(chunk) >= chunk.span());
        debug_assert!(behind.clone().all(|chunk| !chunk.is_redacted), "what is new is as it was");
        behind.map(|chunk| chunk.bytes.slice(skip(chunk)..)).collect()
    }

    /// Somebody may not follow the log any more. Nobody reads what is appended from now on before that
    /// is carried out where he is served.
    pub fn revoke(&mut self) -> RevocationNumber {
        self.revocation = self.revocation.next();
        self.revocation
    }

    /// The last revocation on the log.
    #[must_use]
    pub fn revocation(&self) -> RevocationNumber {
        self.revocation
    }

    /// Appends committed events.
    ///
    /// # Panics
    /// When the batch does not continue the log: a gap here would be a gap for everyone.
    pub fn publish(&mut self, batch: Batch) {
        assert_eq!(batch.after, self.head, "a tail continues without a gap");
        let (mut after, mut frames) = (batch.after, batch.frames);
        // What is held is no more than what is counted.
        frames.shrink_to_fit();
        let frames = Bytes::from(frames);
        let mut start = 0;
        while start < frames.len() {
            let (end, logged) = cut_chunk(&frames, start);
            self.push(after, frames.slice(start..end));
            after = Seq(after.0 + logged);
            start = end;
        }
        self.head = batch.head;
    }

    /// Appends a frame that is not logged: whoever reads from disk does not see it.
    pub fn announce(&mut self, frame: Vec<u8>) {
        self.push(self.head, frame.into());
    }

    /// Frees the oldest chunks, as long as they fit into `bytes`; tells how much was freed.
    pub fn release(&mut self, bytes: usize) -> usize {
        let mut freed = 0;
        while let Some(chunk) = self.chunks.front()
            && freed + chunk.span() <= bytes
        {
            freed += chunk.span();
            self.chunks.pop_front();
        }
        freed
    }

    /// Forgets everything held: cursors behind `head` go on from disk.
    pub fn rewind(&mut self, head: Seq) {
        self.chunks.clear();
        self.head = head;
        // Nobody's offset may fit by chance.
        self.end += 1;
    }

    /// What comes next for a cursor, at most about `bytes_max`, in whole frames.
    #[must_use]
    pub fn read(&self, cursor: &Cursor, bytes_max: usize) -> Read {
        let place = cursor.offset().and_then(|offset| self.place_at(offset));
        match place.or_else(|| self.locate(cursor.after())) {
            Some(place) => self.run(place, bytes_max),
            None => Read::Disk { after: cursor.after(), head: self.head },
        }
    }

    /// Where a cursor that is up to date stands, so that what is announced next is not before it.
    /// None when it has events that the tail is only about to get: it must not get them again.
    pub(crate) fn place_at_head(&self, cursor: &Cursor) -> Option<u64> {
        (cursor.after() == self.head).then_some(self.end)
    }

    fn holds(&self, offset: u64) -> bool {
        let start = self.chunks.front().map_or(self.end, |chunk| chunk.start);
        (start..=self.end).contains(&offset)
    }

    /// The place with an offset, when the tail holds it and it means something there.
    fn place_at(&self, offset: u64) -> Option<Place> {
        if !self.holds(offset) {
            return None;
        }
        if offset == self.end {
            return Some(self.place_at_end());
        }
        let chunk = self.chunks.partition_point(|chunk| chunk.start <= offset) - 1;
        let inside = usize::try_from(offset - self.chunks[chunk].start).ok()?;
        (inside == 0 || !self.chunks[chunk].is_redacted).then_some(Place { chunk, inside })
    }

    fn place_at_end(&self) -> Place {
        Place { chunk: self.chunks.len(), inside: 0 }
    }

    /// The place behind the event `after`, when the event that follows it is held or still to come.
    fn locate(&self, after: Seq) -> Option<Place> {
        if after >= self.head {
            return Some(self.place_at_end());
        }
        let behind = self.chunks.partition_point(|chunk| chunk.after <= after);
        let chunk = behind.checked_sub(1)?;
        let mut before = self.chunks[chunk].after;
        if before == after {
            return Some(Place { chunk, inside: 0 });
        }
        let passed = frames(&self.chunks[chunk].bytes).find(|frame| {
            before = frame.after(before);
            before >= after
        });
        debug_assert!(passed.is_some(), "a chunk has all events up to the next one's");
        Some(Place { chunk, inside: passed.map_or(0, |frame| frame.end) })
    }

    fn run(&self, place: Place, bytes_max: usize) -> Read {
        let Some(first) = self.chunks.get(place.chunk) else { return Read::UpToDate };
        let slice = first.bytes.slice(place.inside..);
        let mut bytes = slice.len();
        let mut slices = vec![slice];
        let mut last = place.chunk;
        // What was redacted is a run of its own, without a place: nobody sends it from elsewhere.
        if !first.is_redacted {
            for chunk in self.chunks.range(last + 1..) {
                if bytes + chunk.bytes.len() > bytes_max
                    || slices.len() == RUN_SLICES_MAX
                    || chunk.is_redacted
                {
                    break;
                }
                bytes += chunk.bytes.len();
                slices.push(chunk.bytes.clone());
                last += 1;
            }
        }
        let offset = (!first.is_redacted).then_some(first.start + place.inside as u64);
        let after = self.chunks.get(last + 1).map_or(self.head, |chunk| chunk.after);
        Read::Frames(FrameRun { offset, slices, bytes, after })
    }

    fn push(&mut self, after: Seq, bytes: Bytes) {
        let start = self.end;
        self.end += bytes.len() as u64;
        let end = self.end;
        self.chunks.push_back(Chunk { start, end, after, bytes, is_redacted: false });
        self.merge();
    }

    /// Merges the newest chunks while the last is at least half as large as the one before it:
    /// each byte is copied a logarithmic number of times, and a run has few slices.
    fn merge(&mut self) {
        while let [.., left, right] = &*self.chunks.make_contiguous()
            && !(left.is_redacted || right.is_redacted)
            && left.bytes.len() / 2 <= right.bytes.len()
            && left.bytes.len() + right.bytes.len() <= CHUNK_BYTES_MAX
        {
            let mut bytes = BytesMut::with_capacity(left.bytes.len() + right.bytes.len());
            bytes.extend_from_slice(&left.bytes);
            bytes.extend_from_slice(&right.bytes);
            let merged = Chunk { end: right.end, bytes: bytes.freeze(), ..left.clone() };
            self.chunks.truncate(self.chunks.len() - 2);
            self.chunks.push_back(merged);
        }
    }
}

/// Where a chunk that begins at `start` ends, and how many events it has: as many whole frames as
/// fit, at least one.
fn cut_chunk(bytes: &[u8], start: usize) -> (usize, u64) {
    let mut end = start;
    let mut logged = 0;
    for frame in frames(&bytes[start..]) {
        if end > start && frame.end > CHUNK_BYTES_MAX {
            break;
        }
        end = start + frame.end;
        logged += u64::from(frame.is_logged);
    }
    (end, logged)
}

#[cfg(test)]
#[path = "tail_tests.rs"]
mod tests;
