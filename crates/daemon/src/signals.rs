//! What signals mean to the daemon: two ask for its end, one has the settings read again, one has
//! figures written, and what another means elsewhere is nothing here.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that would end a process that does not know them.
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    /// Also comes when the terminal that it was started from has closed.
    hangup: Signal,
    user: [Signal; 2],
}

/// What somebody asks for by a signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Request {
    /// The end.
    Stop,
    /// To read the settings again.
    Reload,
    /// To write how things stand.
    Report,
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

    /// Waits for what is asked for next. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Request {
        let Self { terminate, interrupt, hangup, user: [user1, user2] } = self;
        loop {
            tokio::select! {
                _ = terminate.recv() => return Request::Stop,
                _ = interrupt.recv() => return Request::Stop,
                _ = hangup.recv() => return Request::Reload,
                _ = user1.recv() => return Request::Report,
                _ = user2.recv() => {
                    tracing::info!(signal = "SIGUSR2", "a signal is ignored; SIGTERM is the one that stops");
                }
            }
        }
    }

    /// Waits until the end is asked for; there is nothing to reload or to report. Cancel-safe.
    pub(crate) async fn end(&mut self) {
        while self.next().await != Request::Stop {}
    }
}
