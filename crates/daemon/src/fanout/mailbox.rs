//! What waits for one connection, and whether its peer lives.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use chat_core::{Closing, Lane, Reply};
use chat_proto::LogId;
use tokio::sync::Notify;

use super::{FollowedLog, lock};

/// A reply on its way, with the log whose cursor opens with it.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) lane: Lane,
    pub(crate) reply: Reply,
    pub(crate) log: Option<Arc<FollowedLog>>,
}

/// What has come since the connection looked last.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// Bounded by the windows of the session: one per request in flight.
    pub(crate) deliveries: Vec<Delivery>,
    /// Bounded by the logs that the connection follows.
    pub(crate) grown: BTreeSet<LogId>,
    /// Frames that answer nothing: probes. At most one at a time.
    pub(crate) probe: Option<u64>,
    /// Why the connection is to end.
    pub(crate) close: Option<Closing>,
}

/// One connection as others see it.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    news: Notify,
    room: Notify,
    killed: Notify,
    draining: AtomicBool,
    /// The daemon does not read from the socket now: silence is not the peer's.
    reading_paused: AtomicBool,
    signed_in: AtomicBool,
    born_at_ms: u64,
    /// The peer sent a byte, or took one that waited for it, since it was judged last.
    heard: AtomicBool,
    /// How often in a row it was judged silent.
    silent_ticks: AtomicU32,
}

impl Mailbox {
    pub(crate) fn new(now_ms: u64) -> Self {
        Self { born_at_ms: now_ms, ..Self::default() }
    }

    pub(crate) fn deliver(&self, delivery: Delivery) {
        self.put(|mail| mail.deliveries.push(delivery));
    }

    /// A log has grown.
    pub(crate) fn wake(&self, log: LogId) {
        self.put(|mail| {
            mail.grown.insert(log);
        });
    }

    /// Asks the peer for a sign of life.
    pub(crate) fn probe(&self, token: u64) {
        self.put(|mail| mail.probe = Some(token));
    }

    /// Ends the connection once what waits is written.
    pub(crate) fn close(&self, closing: Closing) {
        self.put(|mail| mail.close = Some(closing));
    }

    /// Ends the connection now: its peer takes nothing.
    pub(crate) fn kill(&self) {
        self.killed.notify_one();
    }

    /// Reading stops; the connection ends once everything asked has been answered.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
        self.news.notify_one();
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Takes what has come.
    pub(crate) fn take(&self) -> Mail {
        std::mem::take(&mut *lock(&self.mail))
    }

    /// Waits until something has come since the last call.
    pub(crate) async fn news(&self) {
        self.news.notified().await;
    }

    /// The reader has left something to write.
    pub(crate) fn nudge(&self) {
        self.news.notify_one();
    }

    /// Replies have left: the windows have room again.
    pub(crate) fn made_room(&self) {
        self.room.notify_one();
    }

    /// Waits until replies have left since the last call.
    pub(crate) async fn room(&self) {
        self.room.notified().await;
    }

    /// Waits until the connection is killed.
    pub(crate) async fn killed(&self) {
        self.killed.notified().await;
    }

    /// The peer sent a byte, or took one that waited for it.
    pub(crate) fn heard(&self) {
        self.heard.store(true, Ordering::Relaxed);
    }

    /// A tick has passed; tells for how many in a row the peer has been silent while it could have
    /// been heard. Ticks are counted, not time: a daemon that stood still heard nobody.
    pub(crate) fn tick(&self) -> u32 {
        let was_heard = self.heard.swap(false, Ordering::Relaxed);
        let is_paused = self.reading_paused.load(Ordering::Relaxed);
        let silent = match was_heard || is_paused {
            true => 0,
            false => self.silent_ticks.load(Ordering::Relaxed).saturating_add(1),
        };
        self.silent_ticks.store(silent, Ordering::Relaxed);
        silent
    }

    /// How long the connection has been there, in milliseconds.
    pub(crate) fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.born_at_ms)
    }

    pub(crate) fn set_reading_paused(&self, paused: bool) {
        self.reading_paused.store(paused, Ordering::Relaxed);
    }

    pub(crate) fn set_signed_in(&self) {
        self.signed_in.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        self.signed_in.load(Ordering::Relaxed)
    }

    fn put(&self, put: impl FnOnce(&mut Mail)) {
        put(&mut lock(&self.mail));
        self.news.notify_one();
    }
}
