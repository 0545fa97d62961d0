//! Panics go into the log, like everything else that an operator is to know.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;

/// Has panics told as errors in the log. The usual way writes to stderr itself, and would wait there
/// for a reader.
pub fn log_panics() {
    std::panic::set_hook(Box::new(log_panic));
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let what = words(panic.payload()).unwrap_or("a panic without words");
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

/// What `panic!` was given: a literal, or a text that was formatted.
fn words(payload: &dyn Any) -> Option<&str> {
    let literal = payload.downcast_ref::<&str>().copied();
    literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_panic_are_found() {
        let panicked = |panics: fn()| std::panic::catch_unwind(panics).unwrap_err();
        let literal = panicked(|| std::panic::resume_unwind(Box::new("a literal")));
        assert_eq!(words(&*literal), Some("a literal"));
        let formatted = panicked(|| std::panic::resume_unwind(Box::new(format!("{} of them", 2))));
        assert_eq!(words(&*formatted), Some("2 of them"));
        let neither = panicked(|| std::panic::resume_unwind(Box::new(7)));
        assert_eq!(words(&*neither), None);
    }
}
