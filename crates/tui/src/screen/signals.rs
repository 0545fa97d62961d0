//! The signals that the screen minds. Owns their streams, and whether a stop is under way.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// `SIGTSTP`, the same number on every system that this runs on. tokio has no name for it.
const TERMINAL_STOP: i32 = rustix::process::Signal::TSTP.as_raw();
const CONTINUE: i32 = rustix::process::Signal::CONT.as_raw();

/// What a signal asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum SignalEvent {
    /// End in order.
    End,
    /// Stop until continued.
    Stop,
    /// Somebody stopped the program without asking, and it goes on now.
    Continue,
    /// The terminal has another size.
    Resized,
}

/// The streams of signals.
pub(super) struct Signals {
    terminate: Signal,
    hangup: Signal,
    interrupt: Signal,
    stop: Signal,
    go_on: Signal,
    resize: Signal,
    stopping: bool,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
            interrupt: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(TERMINAL_STOP))?,
            go_on: signal(SignalKind::from_raw(CONTINUE))?,
            resize: signal(SignalKind::window_change())?,
            stopping: false,
        })
    }

    /// The next one. Cancel-safe.
    pub(super) async fn next(&mut self) -> SignalEvent {
        tokio::select! {
            _ended = self.terminate.recv() => SignalEvent::End,
            _ended = self.hangup.recv() => SignalEvent::End,
            _ended = self.interrupt.recv() => SignalEvent::End,
            _stopped = self.stop.recv() => {
                self.stopping = true;
                SignalEvent::Stop
            }
            _continued = self.go_on.recv() => SignalEvent::Continue,
            _resized = self.resize.recv() => SignalEvent::Resized,
        }
    }

    /// The job is about to be stopped.
    pub(super) fn expect_stop(&mut self) {
        self.stopping = true;
    }

    /// The stop is over.
    pub(super) fn has_continued(&mut self) {
        self.stopping = false;
    }

    /// Whether the terminal is lent because of a stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.stopping
    }

    /// Waits until the program goes on.
    pub(super) async fn continued(&mut self) {
        self.go_on.recv().await;
    }
}
