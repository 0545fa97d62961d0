//! SIGINT and SIGTERM as values: the exit code that a shell expects.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::Failure;
use crate::exit::Exit;

/// The signals that end the process.
pub(super) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for one. Cancel-safe.
    pub(super) async fn next(&mut self) -> Failure {
        tokio::select! {
            _ = self.interrupt.recv() => Failure::silent(Exit::Interrupted),
            _ = self.terminate.recv() => Failure::silent(Exit::Terminated),
        }
    }
}
