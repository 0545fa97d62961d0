//! Lines on their way to a place that may be slow, full or gone.
//!
//! Who has a line to write never waits: it finds room in a buffer, or is counted as lost. A thread
//! takes the buffer and writes it; it alone waits, for as long as the place likes.

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter;

/// What may wait to be written, in bytes; as much again may be in the hands of the thread.
const WAITING_BYTES_MAX: usize = 256 * 1024;

/// What is written between the lines, about the lines.
pub trait Notices: Send + 'static {
    /// Says that so many lines were lost.
    fn lost(&self, lines: u64) -> String;

    /// When there is something to be said next, if nothing else happens.
    fn due_at(&self) -> Option<Instant> {
        None
    }

    /// What is to be said now; everything, when this is the end.
    fn due(&self, _is_end: bool) -> String {
        String::new()
    }
}

/// Where lines are handed in. A copy is the same place.
#[derive(Clone, Debug)]
pub struct Lines {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    lost: u64,
    stage: Stage,
    /// The thread has something in its hands.
    is_writing: bool,
    /// Somebody has waited for it in vain, and nobody does again until it is done.
    is_stuck: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
enum Stage {
    #[default]
    Open,
    /// What is there is written, and then it is over.
    Finishing,
    /// Everything was written, or could not be.
    Finished,
}

impl Lines {
    /// Starts the thread. It ends with [`Self::finish`], or with the process, should it hang in a
    /// write then.
    ///
    /// # Errors
    /// There can be no thread.
    pub fn start(
        name: &str,
        out: impl Write + Send + 'static,
        notices: impl Notices,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let mut writer = Writer { shared: Arc::clone(&shared), out, notices, is_mid_line: false };
        std::thread::Builder::new().name(name.to_owned()).spawn(move || writer.run())?;
        Ok(Self { shared })
    }

    /// Hands in whole lines, all or none of them. Never waits for who reads them.
    pub fn push(&self, lines: &[u8]) {
        let mut waiting = self.shared.lock();
        if waiting.bytes.len() + lines.len() <= WAITING_BYTES_MAX {
            waiting.bytes.extend_from_slice(lines);
        } else {
            waiting.lost += count_lines(lines);
        }
        drop(waiting);
        self.shared.changed.notify_all();
    }

    /// Hands in whole lines, and waits until they are written, at most so long: when it was in vain
    /// once, not at all until the place takes lines again.
    pub fn say(&self, lines: &[u8], patience: Duration) {
        self.push(lines);
        let waiting = self.shared.lock();
        let is_under_way = |waiting: &mut Waiting| {
            (waiting.is_writing || !waiting.bytes.is_empty()) && !waiting.is_stuck
        };
        let waited = self.shared.changed.wait_timeout_while(waiting, patience, is_under_way);
        let (mut waiting, end) = waited.unwrap_or_else(PoisonError::into_inner);
        waiting.is_stuck |= end.timed_out();
    }

    /// The notices have changed.
    pub(crate) fn look_again(&self) {
        // The thread either waits, or has yet to look.
        drop(self.shared.lock());
        self.shared.changed.notify_all();
    }

    /// Waits until everything is written, at most so long. Nothing is taken any more.
    pub fn finish(&self, patience: Duration) {
        let mut waiting = self.shared.lock();
        if waiting.stage == Stage::Open {
            waiting.stage = Stage::Finishing;
        }
        self.shared.changed.notify_all();
        let is_unfinished = |waiting: &mut Waiting| waiting.stage != Stage::Finished;
        drop(self.shared.changed.wait_timeout_while(waiting, patience, is_unfinished));
    }
}

impl Write for Lines {
    /// An event is formatted first, and comes as a whole.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl Shared {
    /// Nobody who holds the lock can leave half a change behind.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the thread has.
struct Writer<W, N> {
    shared: Arc<Shared>,
    out: W,
    notices: N,
    /// The last write stopped within a line.
    is_mid_line: bool,
}

impl<W: Write, N: Notices> Writer<W, N> {
    fn run(&mut self) {
        loop {
            let Waiting { bytes, lost, stage, .. } = self.wait();
            let is_end = stage != Stage::Open;
            let mut lost = lost + self.write(&bytes);
            lost += self.write(self.notices.due(is_end).as_bytes());
            if lost > 0 && self.write(self.notices.lost(lost).as_bytes()) > 0 {
                self.shared.lock().lost += lost;
            }
            if is_end {
                self.shared.lock().stage = Stage::Finished;
                self.shared.changed.notify_all();
                return;
            }
        }
    }

    /// Waits until there is something to write. What was lost alone is nothing: it is told when a line
    /// can be written again.
    fn wait(&self) -> Waiting {
        let mut waiting = self.shared.lock();
        (waiting.is_writing, waiting.is_stuck) = (false, false);
        self.shared.changed.notify_all();
        loop {
            let now = Instant::now();
            let due_in = self.notices.due_at().map(|at| at.saturating_duration_since(now));
            let is_due = due_in.is_some_and(|time| time.is_zero());
            if is_due || !waiting.bytes.is_empty() || waiting.stage != Stage::Open {
                debug_assert!(waiting.bytes.len() <= WAITING_BYTES_MAX, "what waits is bounded");
                let stage = waiting.stage;
                let left = Waiting { stage, is_writing: true, ..Waiting::default() };
                return std::mem::replace(&mut *waiting, left);
            }
            waiting = match due_in {
                None => self.shared.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner),
                Some(time) => {
                    let woken = self.shared.changed.wait_timeout(waiting, time);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    /// Writes lines; gives how many of them could not be written. A failure is not reported in any
    /// other way: there is nobody to report it to.
    fn write(&mut self, lines: &[u8]) -> u64 {
        if lines.is_empty() {
            return 0;
        }
        if std::mem::take(&mut self.is_mid_line) && self.out.write_all(b"\n").is_err() {
            self.is_mid_line = true;
            return count_lines(lines);
        }
        let mut rest = lines;
        while !rest.is_empty() {
            match self.out.write(rest) {
                Ok(written @ 1..) => {
                    self.is_mid_line = rest.get(written - 1) != Some(&b'\n');
                    rest = rest.get(written..).unwrap_or_default();
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Ok(0) | Err(_) => return count_lines(rest),
            }
        }
        0
    }
}

/// How many lines end in `bytes`.
fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
