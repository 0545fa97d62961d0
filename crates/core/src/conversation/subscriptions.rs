//! The cursors of one connection, taken in turn.

mod places;

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use bytes::Bytes;
use chat_proto::limits::SUBSCRIPTIONS_MAX;
use chat_proto::{LogId, Seq};

use self::places::Places;
use crate::{Cursor, FrameRun, Read, Tail};

/// Something that leads to a tail: a lock in the daemon, a cell in the simulator.
pub trait TailHandle {
    /// Looks at the tail. `None`: nothing of it is for this reader before he is woken again. Somebody
    /// may not follow the log any more, and the reader has not been told yet whether it is he.
    fn with<R>(&self, look: impl FnOnce(&Tail) -> R) -> Option<R>;
}

impl<T: TailHandle> TailHandle for std::sync::Arc<T> {
    fn with<R>(&self, look: impl FnOnce(&Tail) -> R) -> Option<R> {
        T::with(self, look)
    }
}

/// What a connection is to do next for its cursors.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Work {
    /// Nothing, until [`Subscriptions::wake`].
    None,
    /// Write these frames, then call [`Subscriptions::wrote`].
    Write {
        /// Of which log.
        log: LogId,
        /// The frames.
        run: FrameRun,
    },
    /// Read from disk, then call [`Subscriptions::read_from_disk`] or [`Subscriptions::disk_failed`].
    ReadDisk(DiskRead),
}

/// Events that a cursor needs from disk: the same value from the cursor to the disk and back.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DiskRead {
    /// Of which log.
    pub log: LogId,
    /// After which event: where the cursor stands.
    pub after: Seq,
    /// The log's head when it was asked for.
    pub head: Seq,
}

/// The open cursors of one connection. Each is served in turn, a run at a time, so that a busy
/// room does not hold up the others. One at a time reads from disk.
#[derive(Debug)]
pub struct Subscriptions<H> {
    places: Places<H>,
    ready: VecDeque<LogId>,
    disk: Disk,
}

#[derive(Debug)]
struct Place<H> {
    log: LogId,
    handle: H,
    cursor: Cursor,
    is_queued: bool,
}

/// The one read from disk of a connection.
#[derive(Debug)]
enum Disk {
    Free,
    /// Somebody reads.
    Busy(Box<Reading>),
    /// A page has come.
    Page(Box<Page>),
}

#[derive(Debug)]
struct Reading {
    /// What for.
    read: DiskRead,
    /// Logs that wait for their turn, each once: they count as queued.
    waiting: Vec<LogId>,
    /// The first event whose text is gone since: a page that holds it may hold the text.
    stale_from: Option<Seq>,
}

#[derive(Debug)]
struct Page {
    read: DiskRead,
    run: FrameRun,
}

impl<H> Default for Subscriptions<H> {
    fn default() -> Self {
        Self { places: Places::default(), ready: VecDeque::new(), disk: Disk::Free }
    }
}

impl<H: TailHandle> Subscriptions<H> {
    /// Opens a cursor, or moves the one that is there.
    pub fn open(&mut self, log: LogId, handle: H, after: Seq) {
        let cursor = Cursor::new(after);
        match self.places.get_mut(log) {
            Some(place) => (place.handle, place.cursor) = (handle, cursor),
            None => self.places.insert(log, Place { log, handle, cursor, is_queued: false }),
        }
        self.wake(log);
    }

    /// Closes a cursor: nothing of the log comes any more. Gives its handle back.
    pub fn shut(&mut self, log: LogId) -> Option<H> {
        // A turn that was left behind would be a second one when the log is opened again.
        self.ready.retain(|queued| *queued != log);
        if let Disk::Busy(reading) = &mut self.disk {
            reading.waiting.retain(|queued| *queued != log);
        }
        self.places.remove(log).map(|place| place.handle)
    }

    /// What leads to the tail of a log that is followed.
    #[must_use]
    pub fn handle(&self, log: LogId) -> Option<&H> {
        self.places.get(log).map(|place| &place.handle)
    }

    /// Whether there is a cursor on a log.
    #[must_use]
    pub fn follows(&self, log: LogId) -> bool {
        self.places.get(log).is_some()
    }

    /// Whether another cursor may be opened.
    #[must_use]
    pub fn has_room_for(&self, log: LogId) -> bool {
        self.places.len() < SUBSCRIPTIONS_MAX || self.follows(log)
    }

    /// The logs that are followed.
    pub fn followed(&self) -> impl Iterator<Item = LogId> {
        self.places.logs()
    }

    /// The log has grown.
    pub fn wake(&mut self, log: LogId) {
        if let Some(place) = self.places.get_mut(log) {
            queue(&mut self.ready, place);
        }
    }

    /// What to do next: at most about `bytes_max` to write. A log that needs the disk keeps its turn,
    /// and there is no more to do now, unless `may_read_disk`.
    pub fn next(&mut self, bytes_max: usize, may_read_disk: bool) -> Work {
        if let Some(work) = self.take_page() {
            return work;
        }
        while let Some(log) = self.ready.pop_front() {
            let Some(place) = self.places.get_mut(log) else { continue };
            let Place { handle, cursor, is_queued, .. } = place;
            *is_queued = false;
            let read = handle.with(|tail| {
                let read = tail.read(cursor, bytes_max);
                if read == Read::UpToDate {
                    cursor.wait_at(tail.place_at_head(cursor));
                }
                read
            });
            match (read, &mut self.disk) {
                (None | Some(Read::UpToDate), _) => {}
                (Some(Read::Frames(run)), _) => return Work::Write { log, run },
                (Some(Read::Disk { .. }), Disk::Busy(reading)) => {
                    *is_queued = true;
                    reading.waiting.push(log);
                    debug_assert!(reading.waiting.len() <= SUBSCRIPTIONS_MAX, "each waits once");
                }
                (Some(Read::Disk { .. }), Disk::Free | Disk::Page(_)) if !may_read_disk => {
                    *is_queued = true;
                    self.ready.push_front(log);
                    return Work::None;
                }
                (Some(Read::Disk { after, head }), Disk::Free | Disk::Page(_)) => {
                    let read = DiskRead { log, after, head };
                    let waiting = Vec::new();
                    self.disk = Disk::Busy(Box::new(Reading { read, waiting, stale_from: None }));
                    return Work::ReadDisk(read);
                }
            }
        }
        Work::None
    }

    /// The peer took `written` bytes of a run. Returns the rest of the frame that has begun, to be
    /// written before anything else. What is left behind it is read again when its turn comes.
    pub fn wrote(&mut self, log: LogId, run: &FrameRun, written: usize) -> Bytes {
        // It may have been closed meanwhile.
        let Some(place) = self.places.get_mut(log) else { return Bytes::new() };
        let rest = place.cursor.advance(run, written);
        queue(&mut self.ready, place);
        rest
    }

    /// What was asked for has come: every event up to `after` is in `frames`, or said to be gone. It is
    /// written next, unless the cursor has been closed or moved, or something of it redacted since:
    /// tells whether it is.
    pub fn read_from_disk(&mut self, read: DiskRead, frames: Bytes, after: Seq) -> bool {
        let stale_from = match &self.disk {
            Disk::Busy(reading) => reading.stale_from,
            Disk::Free | Disk::Page(_) => None,
        };
        let is_stale = stale_from.is_some_and(|from| from <= after);
        self.free_disk();
        if is_stale || !self.awaits(read) {
            self.wake(read.log);
            return false;
        }
        // It is written before the log's turn comes again, also when it is queued already.
        self.disk = Disk::Page(Box::new(Page { read, run: FrameRun::from_disk(frames, after) }));
        true
    }

    /// The texts of some of these events are gone: what was read from disk before that is read again,
    /// whether it has come already or is on its way.
    pub fn redacted(&mut self, log: LogId, seqs: RangeInclusive<Seq>) {
        let (first, last) = seqs.into_inner();
        let is_in = |read: &DiskRead| read.log == log && read.after < last;
        match &mut self.disk {
            Disk::Busy(reading) if is_in(&reading.read) => {
                let first = reading.stale_from.map_or(first, |from| from.min(first));
                reading.stale_from = Some(first);
            }
            Disk::Page(page) if is_in(&page.read) && first <= page.run.after => {
                self.disk = Disk::Free;
                self.wake(log);
            }
            Disk::Free | Disk::Busy(_) | Disk::Page(_) => {}
        }
    }

    /// The disk could not be read; the log is tried again.
    pub fn disk_failed(&mut self, log: LogId) {
        self.free_disk();
        self.wake(log);
    }

    fn take_page(&mut self) -> Option<Work> {
        if !matches!(self.disk, Disk::Page(_)) {
            return None;
        }
        let Disk::Page(page) = std::mem::replace(&mut self.disk, Disk::Free) else { return None };
        let Page { read, run } = *page;
        if !self.awaits(read) {
            return None;
        }
        let log = read.log;
        // Its next turn comes when this is written.
        self.ready.retain(|queued| *queued != log);
        if let Some(place) = self.places.get_mut(log) {
            place.is_queued = false;
        }
        Some(Work::Write { log, run })
    }

    /// Whether the cursor still stands where it asked from.
    fn awaits(&self, read: DiskRead) -> bool {
        self.places.get(read.log).is_some_and(|place| place.cursor.after() == read.after)
    }

    /// The logs that waited for the disk have their turn.
    fn free_disk(&mut self) {
        if let Disk::Busy(reading) = std::mem::replace(&mut self.disk, Disk::Free) {
            for log in reading.waiting {
                if let Some(place) = self.places.get_mut(log) {
                    place.is_queued = false;
                    self.wake(log);
                }
            }
        }
    }
}

/// Gives a cursor a turn, unless it has one.
fn queue<H>(ready: &mut VecDeque<LogId>, place: &mut Place<H>) {
    if std::mem::replace(&mut place.is_queued, true) {
        return;
    }
    if ready.capacity() == 0 {
        // Many connections follow one log or two for as long as they last.
        ready.reserve_exact(1);
    }
    ready.push_back(place.log);
}

#[cfg(test)]
#[path = "subscriptions_tests.rs"]
mod tests;
