//! The few words on stderr: what a person is told, or as JSON what a program is.
//!
//! Owns the form of it, and that nobody waits for a stderr that nobody reads. stdout is another's.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chat_log::{Descriptor, Lines, Notices};

use super::record::Record;
use crate::exit::Exit;

/// How long who has something to tell waits for a stderr that takes nothing.
const TELL_MAX: Duration = Duration::from_millis(200);

/// Whether what is said on stderr is JSON as well.
static IN_JSON: AtomicBool = AtomicBool::new(false);

/// From now on what is said on stderr is JSON, one object a line.
pub fn tell_in_json() {
    IN_JSON.store(true, Ordering::Relaxed);
}

/// Says something to the person at the terminal. Whatever the server said in it is made inert. When
/// nobody reads it, nothing else waits.
pub fn tell(text: &str) {
    say(text, &Record::notice(text));
}

/// Says why the process ends as it does.
pub fn tell_error(exit: Exit, text: &str) {
    say(text, &Record::error(exit, text));
}

/// From now on a panic is told like everything else: its words may be somebody else's.
pub fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let backtrace = Backtrace::capture();
        match backtrace.status() == BacktraceStatus::Captured {
            true => tell(&format!("{panic}\n{backtrace}")),
            false => tell(&panic.to_string()),
        }
    }));
}

/// Says the text, or the record of it.
pub(super) fn say(text: &str, record: &Record<'_>) {
    static STDERR: OnceLock<Option<Lines>> = OnceLock::new();
    let text = match IN_JSON.load(Ordering::Relaxed) {
        true => format!("{}\n", record.json()),
        false => format!("chat-tui: {}\n", chat_client::sanitize::inert_lines(text)),
    };
    let start = || Lines::start("stderr", Descriptor::of(io::stderr())?, StderrNotices);
    match STDERR.get_or_init(|| start().ok()) {
        Some(stderr) => stderr.say(text.as_bytes(), TELL_MAX),
        // When stderr is gone there is nobody to tell.
        None => drop(io::stderr().write_all(text.as_bytes())),
    }
}

struct StderrNotices;

impl Notices for StderrNotices {
    fn lost(&self, lines: u64) -> String {
        format!("chat-tui: {lines} lines that belong here could not be written\n")
    }
}
