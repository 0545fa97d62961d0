//! Panics go into the log, like everything else that an operator is to know.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;

/// Has panics told as errors in the log. The usual way writes to stderr itself, and would wait there
/// for a reader.
pub fn log_panics() {
    std::panic::set_hook(Box::new(log_panic));
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let what = panic.payload_as_str().unwrap_or("a panic without words");
    let at = panic.location().map(ToString::to_string).unwrap_or_default();
    let current = std::thread::current();
    let thread = current.name().unwrap_or_default();
    let backtrace = Backtrace::capture();
    if backtrace.status() == BacktraceStatus::Captured {
        tracing::error!(what, at, thread, %backtrace, "a thread panicked");
    } else {
        tracing::error!(what, at, thread, "a thread panicked");
    }
}
