//! A log in memory: its tail, shared by the cursors on it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError};

use bytes::Bytes;
use chat_core::{Follower, Removal, RevocationNumber, Tail, TailHandle};
use chat_proto::{LogId, Seq};

use super::memfd_cache::{MemfdCache, MemfdSlice};

/// Followers and bytes of one append from which on it is cached in a memfd: for fewer, the second copy
/// costs more than it spares.
const MEMFD_FOLLOWERS_MIN: usize = 32;
const MEMFD_BYTES_MIN: usize = 16 * 1024;

/// A tail behind a lock that nobody holds for longer than it takes to look.
#[derive(Debug)]
pub(crate) struct SharedTail {
    inner: Mutex<Inner>,
    memfd_cache: Mutex<Option<MemfdCache>>,
    followers: AtomicUsize,
}

/// The tail of a log that is followed. It is counted for as long as this is kept.
#[derive(Debug)]
pub(crate) struct TailFollower {
    tail: Arc<SharedTail>,
    follower: Follower,
}

#[derive(Debug)]
struct Inner {
    tail: Tail,
    /// Bytes that the budget wants back and that no whole chunk covered yet.
    owed_bytes: usize,
}

impl SharedTail {
    pub(crate) fn new(head: Seq) -> Self {
        let inner = Inner { tail: Tail::new(head), owed_bytes: 0 };
        Self {
            inner: Mutex::new(inner),
            memfd_cache: Mutex::default(),
            followers: AtomicUsize::new(0),
        }
    }

    /// One more follows it, whom no revocation so far concerns.
    pub(crate) fn follow(self: &Arc<Self>) -> TailFollower {
        self.followers.fetch_add(1, Ordering::Relaxed);
        let follower = Follower::behind(self.lock().tail.revocation());
        TailFollower { tail: Arc::clone(self), follower }
    }

    /// Somebody may not follow the log any more. Nobody reads what is appended from now on before his
    /// reactor has carried that out.
    pub(crate) fn revoke(&self) -> RevocationNumber {
        self.lock().tail.revoke()
    }

    /// How many follow it, or are about to.
    pub(crate) fn followers(&self) -> usize {
        self.followers.load(Ordering::Relaxed)
    }

    pub(crate) fn head(&self) -> Seq {
        self.lock().tail.head()
    }

    /// Appends to the tail; tells by how many bytes it grew.
    pub(crate) fn append(&self, append: impl FnOnce(&mut Tail)) -> usize {
        let mut inner = self.lock();
        let (before, held) = (inner.tail.end(), inner.tail.bytes());
        append(&mut inner.tail);
        let grown = inner.tail.bytes() - held;
        let is_busy = MemfdCache::IS_OF_USE
            && grown >= MEMFD_BYTES_MIN
            && self.followers() >= MEMFD_FOLLOWERS_MIN;
        let new = if is_busy { inner.tail.since(before) } else { Vec::new() };
        drop(inner);
        if is_busy {
            self.reflect(before, &new);
        }
        grown
    }

    fn memfd_slice(&self, offset: u64, bytes: usize) -> Option<MemfdSlice> {
        match self.memfd_cache.try_lock() {
            Ok(memfd_cache) => memfd_cache.as_ref()?.find(offset, bytes),
            Err(TryLockError::Poisoned(memfd_cache)) => {
                memfd_cache.get_ref().as_ref()?.find(offset, bytes)
            }
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn reflect(&self, offset: u64, new: &[Bytes]) {
        let mut memfd_cache = self.memfd_cache.lock().unwrap_or_else(PoisonError::into_inner);
        let slices = new.iter().map(|slice| &slice[..]);
        if let Err(error) = memfd_cache.get_or_insert_default().push(offset, slices) {
            // Everybody is written to all the same, only dearer.
            tracing::debug!(%error, "a tail is not cached in memfds");
            *memfd_cache = None;
        }
    }

    /// Forgets the tail when it is not at `head`; tells how many bytes it held then.
    pub(crate) fn rewind(&self, head: Seq) -> Option<usize> {
        let mut inner = self.lock();
        if inner.tail.head() == head {
            return None;
        }
        let held = inner.tail.bytes();
        inner.tail.rewind(head);
        *self.memfd_cache.lock().unwrap_or_else(PoisonError::into_inner) = None;
        Some(held)
    }

    /// The text of an event is gone: nobody who reads later gets it, and no copy of it is kept.
    pub(crate) fn redact(&self, log: LogId, seq: Seq) {
        let Some(place) = self.lock().tail.redact(log, seq) else { return };
        // Nobody finds a place of what was redacted any more.
        let mut memfd_cache = self.memfd_cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(memfd_cache) = memfd_cache.as_mut() {
            memfd_cache.forget(place);
        }
    }

    /// The same for all that somebody has said, from a time on.
    pub(crate) fn remove_messages(&self, removal: Removal) {
        let places = self.lock().tail.remove_messages(removal);
        let mut memfd_cache = self.memfd_cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(memfd_cache) = memfd_cache.as_mut() {
            places.into_iter().for_each(|place| memfd_cache.forget(place));
        }
    }

    /// Frees old chunks for `bytes` more; tells how much was freed.
    pub(crate) fn release(&self, bytes: usize) -> usize {
        let mut inner = self.lock();
        let owed = inner.owed_bytes + bytes;
        let freed = inner.tail.release(owed);
        inner.owed_bytes = owed - freed;
        if inner.tail.bytes() == 0 {
            *self.memfd_cache.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        freed
    }

    /// Frees all of it: nothing is read from it any more. Tells how much was freed.
    pub(crate) fn release_all(&self) -> usize {
        let held = self.lock().tail.bytes();
        self.release(held)
    }

    /// Whether nothing is in memory.
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().tail.bytes() == 0
    }

    /// Nothing that holds the lock can panic half way through a change.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TailHandle for TailFollower {
    fn with<R>(&self, look: impl FnOnce(&Tail) -> R) -> Option<R> {
        let inner = self.tail.lock();
        self.follower.may_read(inner.tail.revocation()).then(|| look(&inner.tail))
    }
}

impl TailFollower {
    /// Bytes of the tail in a file, if they are there and nobody is writing them just now.
    pub(crate) fn memfd_slice(&self, offset: u64, bytes: usize) -> Option<MemfdSlice> {
        self.tail.memfd_slice(offset, bytes)
    }

    /// A revocation on the log is carried out, and is not this one's: it reads on.
    pub(crate) fn carry_on(&self, revocation: RevocationNumber) {
        self.follower.carry_on(revocation);
    }
}

impl Drop for TailFollower {
    fn drop(&mut self) {
        self.tail.followers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
#[path = "shared_tail_tests.rs"]
mod tests;
