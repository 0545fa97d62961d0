//! What signals mean to the daemon: two ask for its end, and what others mean elsewhere is nothing
//! here.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that would end a process that does not know them.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// The terminal that it was started from has closed.
    hangup: Signal,
    user: [Signal; 2],
}

impl Signals {
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user: [signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?],
        })
    }

    /// Waits until the end is asked for. Cancel-safe.
    pub(crate) async fn end(&mut self) {
        let Self { terminate, interrupt, hangup, user: [user1, user2] } = self;
        loop {
            let ignored = tokio::select! {
                _ = terminate.recv() => return,
                _ = interrupt.recv() => return,
                _ = hangup.recv() => "SIGHUP",
                _ = user1.recv() => "SIGUSR1",
                _ = user2.recv() => "SIGUSR2",
            };
            tracing::info!(signal = ignored, "a signal is ignored; SIGTERM is the one that stops");
        }
    }
}
