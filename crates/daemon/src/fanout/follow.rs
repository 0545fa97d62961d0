//! A log in memory: its tail, and the connections that follow it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chat_core::{Conn, Tail, TailHandle};
use chat_proto::{LogId, Seq};

use super::{Mailbox, lock};

/// A tail and its followers.
#[derive(Debug)]
pub(crate) struct FollowedLog {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    tail: Tail,
    followers: HashMap<Conn, Arc<Mailbox>>,
    /// Bytes that the budget wants back and that no whole chunk covered yet.
    owed_bytes: usize,
}

impl FollowedLog {
    pub(crate) fn new(head: Seq) -> Self {
        let inner = Inner { tail: Tail::new(head), followers: HashMap::new(), owed_bytes: 0 };
        Self { inner: Mutex::new(inner) }
    }

    pub(crate) fn head(&self) -> Seq {
        lock(&self.inner).tail.head()
    }

    /// Appends to the tail; tells by how many bytes it grew.
    pub(crate) fn append(&self, append: impl FnOnce(&mut Tail)) -> usize {
        let mut inner = lock(&self.inner);
        let before = inner.tail.bytes();
        append(&mut inner.tail);
        inner.tail.bytes() - before
    }

    /// A connection follows from now on. It says so itself, where its cursor opens, and before the
    /// cursor reads: so it hears of all that comes later, and its comings and goings have one order.
    pub(crate) fn follow(&self, conn: Conn, mailbox: Arc<Mailbox>) {
        lock(&self.inner).followers.insert(conn, mailbox);
    }

    pub(crate) fn unfollow(&self, conn: Conn) {
        lock(&self.inner).followers.remove(&conn);
    }

    pub(crate) fn wake_followers(&self, log: LogId) {
        for mailbox in lock(&self.inner).followers.values() {
            mailbox.wake(log);
        }
    }

    /// Forgets the tail when it is not at `head`; tells how many bytes it held then.
    pub(crate) fn rewind(&self, head: Seq) -> Option<usize> {
        let mut inner = lock(&self.inner);
        if inner.tail.head() == head {
            return None;
        }
        let held = inner.tail.bytes();
        inner.tail.rewind(head);
        Some(held)
    }

    /// Frees old chunks for `bytes` more; tells how much was freed.
    pub(crate) fn release(&self, bytes: usize) -> usize {
        let mut inner = lock(&self.inner);
        let owed = inner.owed_bytes + bytes;
        let freed = inner.tail.release(owed);
        inner.owed_bytes = owed - freed;
        freed
    }

    /// Whether nobody follows it and nothing is in memory.
    pub(crate) fn is_idle(&self) -> bool {
        let inner = lock(&self.inner);
        inner.followers.is_empty() && inner.tail.bytes() == 0
    }
}

impl TailHandle for FollowedLog {
    fn with<R>(&self, look: impl FnOnce(&Tail) -> R) -> R {
        look(&lock(&self.inner).tail)
    }
}
