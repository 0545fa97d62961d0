//! A place of the code that speaks too often is silenced for a while, and counted.
//!
//! Peers can cause lines; this bounds how many, whatever they do. What an operator has asked for
//! (`debug`, `trace`) is not bounded.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};

use crate::Lines;

/// A place may write so many lines …
const LINES_MAX: u32 = 10;

/// … in this time.
const WINDOW: Duration = Duration::from_secs(60);

/// Decides about events.
pub(crate) struct Throttle {
    tallies: Arc<Tallies>,
    lines: Lines,
}

impl Throttle {
    pub(crate) fn new(tallies: Arc<Tallies>, lines: Lines) -> Self {
        Self { tallies, lines }
    }
}

impl<S: Subscriber> Layer<S> for Throttle {
    fn event_enabled(&self, event: &Event<'_>, _context: Context<'_, S>) -> bool {
        if *event.metadata().level() > Level::INFO {
            return true;
        }
        match self.tallies.count(event, Instant::now()) {
            Counted::Told => true,
            Counted::FirstSilenced => {
                self.lines.look_again();
                false
            }
            Counted::Silenced => false,
        }
    }
}

/// What became of an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Counted {
    Told,
    FirstSilenced,
    Silenced,
}

/// How often each place has spoken. There are as many as there are in the program.
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    places: Mutex<HashMap<Identifier, Tally>>,
}

#[derive(Debug)]
struct Tally {
    since: Instant,
    told: u32,
    silenced: u64,
    message: String,
    level: Level,
}

/// That a place was silenced.
#[derive(Debug)]
pub(crate) struct Silenced {
    lines: u64,
    message: String,
    level: Level,
}

impl fmt::Display for Silenced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, message, level } = self;
        write!(f, "more lines of the same were left out lines={lines} level={level} of={message:?}")
    }
}

impl Tallies {
    fn count(&self, event: &Event<'_>, now: Instant) -> Counted {
        let level = *event.metadata().level();
        let mut places = self.lock();
        let tally = places.entry(event.metadata().callsite()).or_insert_with(|| Tally {
            since: now,
            told: 0,
            silenced: 0,
            message: String::new(),
            level,
        });
        // What was silenced is told first, by whoever writes.
        if tally.silenced == 0 && now.saturating_duration_since(tally.since) >= WINDOW {
            (tally.since, tally.told) = (now, 0);
        }
        if tally.told < LINES_MAX {
            tally.told += 1;
            return Counted::Told;
        }
        debug_assert_eq!(
            tally.told, LINES_MAX,
            "a place is silenced when it has said as much as it may"
        );
        tally.silenced += 1;
        if tally.silenced > 1 {
            return Counted::Silenced;
        }
        tally.message.clear();
        event.record(&mut MessageOf(&mut tally.message));
        Counted::FirstSilenced
    }

    /// When a silenced place is to be told of next.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        let places = self.lock();
        let silenced = places.values().filter(|tally| tally.silenced > 0);
        silenced.map(|tally| tally.since + WINDOW).min()
    }

    /// Takes what is to be told of silenced places now; all of them, when this is the end. They may
    /// speak again.
    pub(crate) fn take_due(&self, now: Instant, is_end: bool) -> Vec<Silenced> {
        let mut places = self.lock();
        let due = places.values_mut().filter(|tally| {
            let is_over = now.saturating_duration_since(tally.since) >= WINDOW;
            tally.silenced > 0 && (is_over || is_end)
        });
        let taken = due.map(|tally| {
            (tally.since, tally.told) = (now, 0);
            let lines = std::mem::take(&mut tally.silenced);
            Silenced { lines, message: tally.message.clone(), level: tally.level }
        });
        taken.collect()
    }

    /// Nobody who holds the lock can leave half a change behind.
    fn lock(&self) -> MutexGuard<'_, HashMap<Identifier, Tally>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds the sentence of an event; its fields may differ from one to the next.
struct MessageOf<'a>(&'a mut String);

impl Visit for MessageOf<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            *self.0 = format!("{value:?}");
        }
    }
}

#[cfg(test)]
#[path = "throttle_tests.rs"]
mod tests;
