//! A log in memory: its tail, shared by the cursors on it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chat_core::{Tail, TailHandle};
use chat_proto::Seq;

/// A tail behind a lock that nobody holds for longer than it takes to look.
#[derive(Debug)]
pub(crate) struct SharedTail {
    inner: Mutex<Inner>,
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
        Self { inner: Mutex::new(inner) }
    }

    pub(crate) fn head(&self) -> Seq {
        self.lock().tail.head()
    }

    /// Appends to the tail; tells by how many bytes it grew.
    pub(crate) fn append(&self, append: impl FnOnce(&mut Tail)) -> usize {
        let mut inner = self.lock();
        let before = inner.tail.bytes();
        append(&mut inner.tail);
        inner.tail.bytes() - before
    }

    /// Forgets the tail when it is not at `head`; tells how many bytes it held then.
    pub(crate) fn rewind(&self, head: Seq) -> Option<usize> {
        let mut inner = self.lock();
        if inner.tail.head() == head {
            return None;
        }
        let held = inner.tail.bytes();
        inner.tail.rewind(head);
        Some(held)
    }

    /// Frees old chunks for `bytes` more; tells how much was freed.
    pub(crate) fn release(&self, bytes: usize) -> usize {
        let mut inner = self.lock();
        let owed = inner.owed_bytes + bytes;
        let freed = inner.tail.release(owed);
        inner.owed_bytes = owed - freed;
        freed
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

impl TailHandle for SharedTail {
    fn with<R>(&self, look: impl FnOnce(&Tail) -> R) -> R {
        look(&self.lock().tail)
    }
}
