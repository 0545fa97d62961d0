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
    /// What was asked for while only the end was awaited.
    deferred: Deferred,
}

/// What is to be done later, each once however often it was asked for.
#[derive(Debug, Default)]
struct Deferred {
    reload: bool,
    report: bool,
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
            deferred: Deferred::default(),
        })
    }

    /// Waits for what is asked for next, or was while only the end was awaited. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Request {
        if std::mem::take(&mut self.deferred.reload) {
            return Request::Reload;
        }
        if std::mem::take(&mut self.deferred.report) {
            return Request::Report;
        }
        self.receive().await
    }

    async fn receive(&mut self) -> Request {
        let Self { terminate, interrupt, hangup, user: [user1, user2], deferred: _ } = self;
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

    /// Waits until the end is asked for; what else is asked for is done later. Cancel-safe.
    pub(crate) async fn end(&mut self) {
        loop {
            match self.receive().await {
                Request::Stop => return,
                Request::Reload => self.deferred.reload = true,
                Request::Report => self.deferred.report = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::process::{Signal, getpid, kill_process};
    use tokio::time::{Duration, timeout};

    use super::*;

    #[tokio::test]
    async fn what_is_asked_for_while_only_the_end_is_awaited_is_done_later_and_once() {
        let mut signals = Signals::listen().unwrap();
        for signal in [Signal::USR1, Signal::HUP, Signal::HUP] {
            kill_process(getpid(), signal).unwrap();
        }
        let heard = async {
            while !(signals.deferred.reload && signals.deferred.report) {
                // It was no end, so the wait for one is over with its time only.
                timeout(Duration::from_millis(5), signals.end()).await.unwrap_err();
            }
        };
        timeout(Duration::from_secs(60), heard).await.expect("both are heard");
        assert_eq!(signals.next().await, Request::Reload);
        assert_eq!(signals.next().await, Request::Report);
        kill_process(getpid(), Signal::TERM).unwrap();
        assert_eq!(timeout(Duration::from_secs(60), signals.next()).await, Ok(Request::Stop));
    }
}
