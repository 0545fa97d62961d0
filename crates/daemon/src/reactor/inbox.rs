//! What other threads hand in to a reactor.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chat_core::{Conn, Reply, StoreError};
use chat_proto::{AccountId, LogId, RoomId, Seq, Window};

use super::door::Transfer;
use super::ready_list::ReadyList;
use crate::fanout::SharedTail;
use crate::store::LogPage;

/// A reply on its way to a connection, with the tail whose cursor opens with it.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) conn: Conn,
    pub(crate) window: Window,
    pub(crate) reply: Reply,
    pub(crate) tail: Option<Arc<SharedTail>>,
}

/// A page of a log that a connection asked for.
#[derive(Debug)]
pub(crate) struct PageRead {
    pub(crate) conn: Conn,
    pub(crate) log: LogId,
    pub(crate) after: Seq,
    pub(crate) page: Result<LogPage, StoreError>,
}

/// An account that was renamed, for whoever follows one of its rooms.
#[derive(Debug)]
pub(crate) struct Renaming {
    pub(crate) account: AccountId,
    pub(crate) rooms: Vec<RoomId>,
    pub(crate) frame: Vec<u8>,
}

/// What has come since the reactor looked last. Everything in it is bounded by what its
/// connections have asked for.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// At most the windows of all connections.
    pub(super) deliveries: Vec<Delivery>,
    /// At most the logs that are followed.
    pub(super) grown: HashSet<LogId>,
    /// At most one for an account: the newest.
    pub(super) renamings: HashMap<AccountId, Arc<Renaming>>,
    /// At most one for a connection.
    pub(super) pages: Vec<PageRead>,
    /// At most as many as there may be connections.
    pub(super) transfers: Vec<Transfer>,
    /// The shared timer.
    pub(super) ticked: bool,
    /// Say goodbye to everybody.
    pub(super) drain: bool,
    /// Cut whoever is still there.
    pub(super) cut: bool,
    /// Inputs were taken out of the queue to the committing thread, and the reactor has asked to be told.
    pub(super) allowances_grew: bool,
    /// The reactor has been woken, and has not looked yet.
    is_woken: bool,
}

/// The way in.
#[derive(Debug)]
pub(crate) struct Inbox {
    notes: Mutex<Notes>,
    ready: Arc<ReadyList>,
    /// A party waits until it may hand in again.
    awaits_allowance: AtomicBool,
}

impl Inbox {
    /// A way in to the reactor that this list wakes.
    pub(super) fn new(ready: Arc<ReadyList>) -> Self {
        Self { notes: Mutex::default(), ready, awaits_allowance: AtomicBool::new(false) }
    }

    /// Replies, and logs that have grown: all of one commit at once. Takes what is in them.
    pub(crate) fn release(
        &self,
        deliveries: &mut Vec<Delivery>,
        grown: &[LogId],
        renamings: &[Arc<Renaming>],
    ) {
        if deliveries.is_empty() && grown.is_empty() && renamings.is_empty() {
            return;
        }
        self.put(|notes| {
            match notes.deliveries.is_empty() {
                true => std::mem::swap(&mut notes.deliveries, deliveries),
                false => notes.deliveries.append(deliveries),
            }
            notes.grown.extend(grown);
            let renamings = renamings.iter().map(|newest| (newest.account, Arc::clone(newest)));
            notes.renamings.extend(renamings);
        });
    }

    /// A reply that needed no commit.
    pub(crate) fn reply(&self, delivery: Delivery) {
        self.put(|notes| notes.deliveries.push(delivery));
    }

    /// A page from disk.
    pub(crate) fn page(&self, page: PageRead) {
        self.put(|notes| notes.pages.push(page));
    }

    /// A connection that another reactor has accepted.
    pub(super) fn arrive(&self, transfer: Transfer) {
        self.put(|notes| notes.transfers.push(transfer));
    }

    /// A second has passed.
    pub(crate) fn tick(&self) {
        self.put(|notes| notes.ticked = true);
    }

    /// Reading stops; each connection ends once everything that it asked has been answered.
    pub(crate) fn drain(&self) {
        self.put(|notes| notes.drain = true);
    }

    /// Ends every connection now.
    pub(crate) fn cut(&self) {
        self.put(|notes| notes.cut = true);
    }

    /// An account has all that it may in the queue to the committing thread: the reactor is to be told
    /// when it may be more.
    pub(super) fn await_allowance(&self) {
        self.awaits_allowance.store(true, Ordering::SeqCst);
    }

    /// Inputs were taken out of the queue: parties that had all they may have in it may hand in again.
    pub(crate) fn allowances_grew(&self) {
        if self.awaits_allowance.swap(false, Ordering::SeqCst) {
            self.put(|notes| notes.allowances_grew = true);
        }
    }

    /// Takes what has come; what is given back in `read` is used again.
    pub(super) fn take(&self, read: &mut Notes) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *notes, read);
        notes.is_woken = false;
    }

    fn put(&self, put: impl FnOnce(&mut Notes)) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        put(&mut notes);
        let was_woken = std::mem::replace(&mut notes.is_woken, true);
        drop(notes);
        if !was_woken {
            self.ready.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the reactor is told that allowances grew when it looks now.
    fn is_told(inbox: &Inbox) -> bool {
        let mut notes = Notes::default();
        inbox.take(&mut notes);
        notes.allowances_grew
    }

    #[test]
    fn whoever_asked_is_told_once_that_allowances_grew() {
        let inbox = Inbox::new(Arc::default());
        inbox.allowances_grew();
        assert!(!is_told(&inbox), "nobody waits for it");
        inbox.await_allowance();
        inbox.tick();
        assert!(!is_told(&inbox), "it was woken for something else");
        inbox.allowances_grew();
        assert!(is_told(&inbox));
        inbox.allowances_grew();
        assert!(!is_told(&inbox), "it has not asked again");
    }
}
