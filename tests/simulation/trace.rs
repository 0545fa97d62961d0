//! What happened, in words, for whoever replays a seed.

use std::cell::{Cell, RefCell};
use std::fmt::Arguments;
use std::rc::Rc;

/// The trace of one run, shared by all of its parts. Costs nothing unless it is on.
#[derive(Clone, Default)]
pub(crate) struct Trace(Rc<Inner>);

#[derive(Default)]
struct Inner {
    is_on: bool,
    now_us: Cell<u64>,
    lines: RefCell<Vec<String>>,
}

impl Trace {
    pub(crate) fn new(is_on: bool) -> Self {
        Self(Rc::new(Inner { is_on, ..Inner::default() }))
    }

    pub(crate) fn is_on(&self) -> bool {
        self.0.is_on
    }

    pub(crate) fn set_now(&self, now_us: u64) {
        self.0.now_us.set(now_us);
    }

    pub(crate) fn note(&self, words: Arguments<'_>) {
        if self.0.is_on {
            let now_us = self.0.now_us.get();
            let line = format!("{:>4}.{:06} {words}", now_us / 1_000_000, now_us % 1_000_000);
            self.0.lines.borrow_mut().push(line);
        }
    }

    pub(crate) fn into_lines(self) -> Vec<String> {
        self.0.lines.take()
    }
}

/// Notes a line, formatted only when the trace is on.
macro_rules! trace {
    ($trace:expr, $($words:tt)*) => {
        $trace.note(format_args!($($words)*))
    };
}
pub(crate) use trace;
