//! What wakes a reactor: the slots whose sockets have become ready, and word from other threads.
//!
//! The runtime wakes a socket's waker; that puts its slot on the list, and the first of a batch wakes
//! the reactor. It must not know what a slot holds: one that was emptied meanwhile is looked at in
//! vain.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

/// The list of one reactor.
#[derive(Debug, Default)]
pub(crate) struct ReadyList {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// At most two for each waker that a socket was given: one for reading, one for writing.
    slots: Vec<u32>,
    /// Something has come since the list was taken.
    is_woken: bool,
    /// The reactor, once it has waited.
    reactor: Option<Waker>,
}

impl ReadyList {
    /// Something has come that is not on the list.
    pub(crate) fn wake(&self) {
        self.wake_with(|_slots| {});
    }

    fn push(&self, slot: u32) {
        self.wake_with(|slots| {
            // A socket that can be read and written at once says so twice.
            if slots.last() != Some(&slot) {
                slots.push(slot);
            }
        });
    }

    fn wake_with(&self, put: impl FnOnce(&mut Vec<u32>)) {
        let mut inner = self.lock();
        put(&mut inner.slots);
        let was_woken = std::mem::replace(&mut inner.is_woken, true);
        let reactor = if was_woken { None } else { inner.reactor.clone() };
        // The system may run the reactor at once: it must not find the lock taken.
        drop(inner);
        if let Some(reactor) = reactor {
            reactor.wake();
        }
    }

    /// The reactor waits from now on: `waker` is woken by what comes, and now if something has come
    /// since the list was taken.
    pub(crate) fn wait(&self, waker: &Waker) {
        let mut inner = self.lock();
        match &mut inner.reactor {
            Some(reactor) => reactor.clone_from(waker),
            none => *none = Some(waker.clone()),
        }
        if inner.is_woken {
            drop(inner);
            waker.wake_by_ref();
        }
    }

    /// Takes the list; the room in `slots` is used again.
    pub(crate) fn take(&self, slots: &mut Vec<u32>) {
        slots.clear();
        let mut inner = self.lock();
        std::mem::swap(&mut inner.slots, slots);
        inner.is_woken = false;
    }

    /// Nothing that holds the lock can panic half way through a change.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Puts one slot on its reactor's list.
#[derive(Debug)]
struct SlotWaker {
    list: Arc<ReadyList>,
    slot: u32,
}

/// What is woken when the socket in a slot is ready.
pub(crate) fn slot_waker(list: &Arc<ReadyList>, slot: u32) -> Waker {
    Waker::from(Arc::new(SlotWaker { list: Arc::clone(list), slot }))
}

impl Wake for SlotWaker {
    fn wake(self: Arc<Self>) {
        self.list.push(self.slot);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.list.push(self.slot);
    }
}

#[cfg(test)]
#[path = "ready_list_tests.rs"]
mod tests;
