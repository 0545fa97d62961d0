//! The parts that a daemon cannot do without, and how it is noticed that one has ended.

use std::fmt::{self, Display};

use tokio_util::sync::{CancellationToken, DropGuard};

/// A part of the daemon without which some of what it promises is not done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum VitalPart {
    /// The thread that commits.
    Committing,
    /// A thread that serves connections.
    Reactor,
    /// A thread that reads from disk.
    Reader,
    /// The timer that all connections share.
    Timer,
}

/// Tells that a part has ended, in order or by a panic.
#[derive(Clone, Debug, Default)]
pub(crate) struct EndNotices {
    reactor: CancellationToken,
    reader: CancellationToken,
    timer: CancellationToken,
}

impl EndNotices {
    /// Tells, when it is dropped, that a reactor has ended.
    pub(crate) fn of_reactor(&self) -> DropGuard {
        self.reactor.clone().drop_guard()
    }

    /// Tells, when it is dropped, that a reader has ended.
    pub(crate) fn of_reader(&self) -> DropGuard {
        self.reader.clone().drop_guard()
    }

    /// Tells, when it is dropped, that the timer has ended.
    pub(crate) fn of_timer(&self) -> DropGuard {
        self.timer.clone().drop_guard()
    }

    /// Waits for the first end. Cancel-safe.
    pub(crate) async fn first(&self) -> VitalPart {
        tokio::select! {
            () = self.reactor.cancelled() => VitalPart::Reactor,
            () = self.reader.cancelled() => VitalPart::Reader,
            () = self.timer.cancelled() => VitalPart::Timer,
        }
    }
}

impl Display for VitalPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Committing => "the committing thread",
            Self::Reactor => "a thread that serves connections",
            Self::Reader => "a thread that reads from disk",
            Self::Timer => "the timer",
        })
    }
}
