//! Where a reactor is made: what all of them share, and what each has before its thread runs.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use chat_core::Admission;
use mio::{Poll, Waker};
use tokio_util::sync::DropGuard;
use tokio_util::task::task_tracker::TaskTrackerToken;

use super::door::Door;
use super::followers::Followers;
use super::gathered::Gathered;
use super::inbox::Inbox;
use super::parting::Parting;
use super::places::Places;
use super::slots::Slots;
use super::strangers::Strangers;
use super::to_read::ToRead;
use super::unread::Unread;
use super::wired::Wired;
use super::{BUFFER_BYTES, Reactor, WAKER};
use crate::listener::Listener;
use crate::reader::ReadPool;
use crate::refusals::Refusals;
use crate::sequencer::Sequencer;

/// What all reactors share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) admission: Admission,
    pub(crate) readers: ReadPool,
    pub(crate) started: Instant,
    pub(crate) places: Places,
    pub(crate) refusals: Arc<Refusals>,
}

impl Shared {
    /// Milliseconds since the daemon started: a clock that never steps back.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A connection has left.
    pub(super) fn left(&self, wired: &Wired) {
        self.places.give_back();
        if let Some(account) = wired.account() {
            self.places.sign_out(account);
        }
        wired.tell_end(&self.refusals);
    }
}

/// What a reactor lets go of when it ends, in order or not.
#[derive(Debug)]
pub(crate) struct Alive {
    /// Whoever waits for all of them counts it.
    pub(crate) _counted: TaskTrackerToken,
    /// Tells that one has ended.
    pub(crate) _told: DropGuard,
}

/// A reactor's `epoll` instance and the way in to it, before its thread runs.
#[derive(Debug)]
pub(crate) struct Seat {
    index: usize,
    poll: Poll,
    inbox: Arc<Inbox>,
}

impl Seat {
    pub(crate) fn new(index: usize) -> io::Result<Self> {
        let poll = Poll::new()?;
        let inbox = Arc::new(Inbox::new(Waker::new(poll.registry(), WAKER)?));
        Ok(Self { index, poll, inbox })
    }

    pub(crate) fn inbox(&self) -> Arc<Inbox> {
        Arc::clone(&self.inbox)
    }

    /// Runs the reactor on a thread of its own. It ends, and lets go of `alive`, once it drains and
    /// every connection is gone.
    pub(crate) fn start(
        self,
        listeners: Vec<Listener>,
        all: Vec<Arc<Inbox>>,
        shared: Arc<Shared>,
        sequencer: Sequencer,
        alive: Alive,
    ) -> io::Result<JoinHandle<()>> {
        let Self { index, poll, inbox } = self;
        let reactors = all.len();
        let door = Door::open(listeners, all, index, poll.registry())?;
        let reactor = Reactor {
            poll,
            inbox,
            door,
            shared,
            sequencer,
            slots: Slots::new(index),
            strangers: Strangers::default(),
            parting: Parting::of_one_in(reactors),
            followers: Followers::default(),
            to_read: ToRead::default(),
            to_write: VecDeque::new(),
            paced: Vec::new(),
            unreadable: Vec::new(),
            unread: Unread::of_one_in(reactors),
            gathered: Gathered::default(),
            is_to_wake: false,
            buffer: vec![0; BUFFER_BYTES].into(),
            now_ms: 0,
            is_draining: false,
        };
        std::thread::Builder::new().name(format!("chatd-net-{index}")).spawn(move || {
            reactor.run();
            drop(alive);
        })
    }
}
