//! The cursors of one connection, taken in turn.

use std::collections::{HashMap, HashSet, VecDeque};

use chat_proto::limits::SUBSCRIPTIONS_MAX;
use chat_proto::{LogId, Seq};

use crate::{Cursor, Read, Run, Tail};

/// Something that leads to a tail: a lock in the daemon, a cell in the simulator.
pub trait TailHandle {
    /// Looks at the tail.
    fn with<R>(&self, look: impl FnOnce(&Tail) -> R) -> R;
}

impl<T: TailHandle> TailHandle for std::sync::Arc<T> {
    fn with<R>(&self, look: impl FnOnce(&Tail) -> R) -> R {
        T::with(self, look)
    }
}

/// What a connection is to do next for its cursors.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Work {
    /// Nothing, until [`Feed::wake`].
    None,
    /// Write these frames, then call [`Feed::wrote`].
    Write {
        /// Of which log.
        log: LogId,
        /// The frames.
        run: Run,
    },
    /// Read the events after `after` from disk and write them, then call
    /// [`Feed::wrote_from_disk`].
    ReadDisk {
        /// Of which log.
        log: LogId,
        /// After which event.
        after: Seq,
        /// The log's head now.
        head: Seq,
    },
}

/// The open cursors of one connection. Each is served in turn, a run at a time, so that a busy
/// room does not hold up the others.
#[derive(Debug)]
pub struct Feed<H> {
    cursors: HashMap<LogId, (H, Cursor)>,
    ready: VecDeque<LogId>,
    queued: HashSet<LogId>,
}

impl<H> Default for Feed<H> {
    fn default() -> Self {
        Self { cursors: HashMap::new(), ready: VecDeque::new(), queued: HashSet::new() }
    }
}

impl<H: TailHandle> Feed<H> {
    /// Opens a cursor, or moves the one that is there.
    pub fn open(&mut self, log: LogId, handle: H, after: Seq) {
        self.cursors.insert(log, (handle, Cursor::new(after)));
        self.wake(log);
    }

    /// Closes a cursor: nothing of the log comes any more. Gives its handle back.
    pub fn shut(&mut self, log: LogId) -> Option<H> {
        self.cursors.remove(&log).map(|(handle, _cursor)| handle)
    }

    /// Whether another cursor may be opened.
    #[must_use]
    pub fn has_room_for(&self, log: LogId) -> bool {
        self.cursors.len() < SUBSCRIPTIONS_MAX || self.cursors.contains_key(&log)
    }

    /// The logs that are followed, with their handles.
    pub fn followed(&self) -> impl Iterator<Item = (LogId, &H)> {
        self.cursors.iter().map(|(log, (handle, _cursor))| (*log, handle))
    }

    /// The log has grown.
    pub fn wake(&mut self, log: LogId) {
        if self.cursors.contains_key(&log) && self.queued.insert(log) {
            self.ready.push_back(log);
        }
    }

    /// What to do next: at most about `bytes_max` to write.
    pub fn next(&mut self, bytes_max: usize) -> Work {
        while let Some(log) = self.ready.pop_front() {
            self.queued.remove(&log);
            let Some((handle, cursor)) = self.cursors.get_mut(&log) else {
                continue;
            };
            let read = handle.with(|tail| {
                let read = tail.read(cursor, bytes_max);
                if read == Read::UpToDate {
                    cursor.wait_at(tail.place_at_head(cursor));
                }
                read
            });
            match read {
                Read::UpToDate => {}
                Read::Frames(run) => return Work::Write { log, run },
                Read::Disk { after, head } => return Work::ReadDisk { log, after, head },
            }
        }
        Work::None
    }

    /// The peer took `written` bytes of a run. Returns the rest of the frame that has begun, to be
    /// written before anything else.
    pub fn wrote(&mut self, log: LogId, run: &Run, written: usize) -> bytes::Bytes {
        let rest = match self.cursors.get_mut(&log) {
            Some((_handle, cursor)) => cursor.advance(run, written),
            None => bytes::Bytes::new(),
        };
        self.wake(log);
        rest
    }

    /// Everything after `from` up to `after` was read from disk and is on its way to the peer. Tells
    /// whether the cursor was still there: if not, nothing of it may be written.
    pub fn wrote_from_disk(&mut self, log: LogId, from: Seq, after: Seq) -> bool {
        let is_awaited = match self.cursors.get_mut(&log) {
            Some((_handle, cursor)) if cursor.after() == from => {
                cursor.advance_from_disk(after);
                true
            }
            Some(_) | None => false,
        };
        self.wake(log);
        is_awaited
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use chat_proto::{RoomId, Timestamp};

    use super::*;
    use crate::{Batch, Content, Event};

    const LOG: LogId = LogId(9);

    struct Handle<'a>(&'a RefCell<Tail>);

    impl TailHandle for Handle<'_> {
        fn with<R>(&self, look: impl FnOnce(&Tail) -> R) -> R {
            look(&self.0.borrow())
        }
    }

    fn batch(seq: u64) -> Batch {
        let mut batch = Batch::after(Seq(seq - 1));
        let content = Content::RoomJoined { room: RoomId(1) };
        batch.push(&Event { log: LOG, seq: Seq(seq), ts: Timestamp(seq), content });
        batch
    }

    fn announcement() -> Vec<u8> {
        let mut frame = Vec::new();
        let body = chat_proto::Presence { room: RoomId(9), online: 3 };
        chat_proto::encode_frame(&body, chat_proto::RequestId(0), &mut frame).unwrap();
        frame
    }

    fn bytes_of(work: &Work) -> usize {
        match work {
            Work::Write { run, .. } => run.bytes(),
            Work::None | Work::ReadDisk { .. } => 0,
        }
    }

    #[test]
    fn who_waits_at_the_head_of_a_quiet_log_gets_what_is_announced() {
        let tail = RefCell::new(Tail::new(Seq(7)));
        let mut feed = Feed::default();
        feed.open(LOG, Handle(&tail), Seq(7));
        assert_eq!(feed.next(1000), Work::None);
        for _ in 0..2 {
            tail.borrow_mut().announce(announcement());
            feed.wake(LOG);
            let work = feed.next(1000);
            assert_eq!(bytes_of(&work), announcement().len());
            let Work::Write { run, .. } = work else { return };
            feed.wrote(LOG, &run, run.bytes());
            assert_eq!(feed.next(1000), Work::None);
            tail.borrow_mut().rewind(Seq(7));
            feed.wake(LOG);
            assert_eq!(feed.next(1000), Work::None);
        }
    }

    #[test]
    fn an_event_that_came_from_disk_before_it_was_in_the_tail_does_not_come_again() {
        let tail = RefCell::new(Tail::new(Seq(7)));
        let mut feed = Feed::default();
        feed.open(LOG, Handle(&tail), Seq(8));
        assert_eq!(feed.next(1000), Work::None);
        tail.borrow_mut().publish(batch(8));
        feed.wake(LOG);
        assert_eq!(feed.next(1000), Work::None);
        tail.borrow_mut().publish(batch(9));
        feed.wake(LOG);
        assert_eq!(bytes_of(&feed.next(1000)), batch(9).frames.len());
    }
}
