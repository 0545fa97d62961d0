//! Runs many seeds on all cores.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::coverage::Tally;
use crate::say;
use crate::world::run;

/// How often a long series of runs says how far it is.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// A seed that breaks a promise.
#[derive(Debug)]
pub(crate) struct Broken {
    pub(crate) seed: u64,
    why: String,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {} breaks:\n{}", self.seed, self.why)
    }
}

/// A series of seeds at work.
struct Series {
    first: u64,
    seeds: u64,
    next: AtomicU64,
    has_failed: AtomicBool,
    broken: Mutex<Option<Broken>>,
    tally: Mutex<Tally>,
}

/// Runs `seeds` seeds, and stops when one breaks a promise: the smallest that does is told.
pub(crate) fn run_all(first: u64, seeds: u64) -> Result<Tally, Broken> {
    let series = Series {
        first,
        seeds,
        next: AtomicU64::new(first),
        has_failed: AtomicBool::new(false),
        broken: Mutex::default(),
        tally: Mutex::default(),
    };
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| series.run_some());
        }
        scope.spawn(|| series.show_progress());
    });
    match lock(&series.broken).take() {
        Some(broken) => Err(broken),
        None => Ok(lock(&series.tally).clone()),
    }
}

impl Series {
    /// One thread: a seed at a time. Every seed below a broken one has been begun, so it ends too.
    fn run_some(&self) {
        let mut own = Tally::default();
        while !self.has_failed.load(Ordering::Relaxed) {
            let seed = self.next.fetch_add(1, Ordering::Relaxed);
            if seed >= self.first + self.seeds {
                break;
            }
            match catch_unwind(AssertUnwindSafe(|| run(seed, false))) {
                Ok(outcome) if outcome.violations.is_empty() => own.add(&outcome.situations),
                Ok(outcome) => self.broke(seed, outcome.violations.join("\n")),
                Err(_shown_by_the_hook) => self.broke(seed, "it panicked, see above".to_owned()),
            }
        }
        lock(&self.tally).merge(&own);
    }

    fn broke(&self, seed: u64, why: String) {
        let mut broken = lock(&self.broken);
        if broken.as_ref().is_none_or(|known| seed < known.seed) {
            *broken = Some(Broken { seed, why });
        }
        self.has_failed.store(true, Ordering::Relaxed);
    }

    fn show_progress(&self) {
        let started = Instant::now();
        let mut told = started;
        loop {
            let done = self.next.load(Ordering::Relaxed) - self.first;
            if done >= self.seeds || self.has_failed.load(Ordering::Relaxed) {
                return;
            }
            if told.elapsed() > PROGRESS_EVERY {
                told = Instant::now();
                let per_second = done as f64 / started.elapsed().as_secs_f64();
                say(&format!("{done} of {} seeds, {per_second:.0} a second", self.seeds));
            }
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
}

/// Nothing that holds one of these locks can panic half way through a change.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
