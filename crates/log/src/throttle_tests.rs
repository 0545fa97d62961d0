use std::io::{self, Write};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::{fmt, registry};

use super::*;
use crate::Notices;

const PATIENCE: Duration = Duration::from_secs(30);

struct Silent;

impl Notices for Silent {
    fn lost(&self, _lines: u64) -> String {
        String::new()
    }
}

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Runs `speak` with a throttled log; gives what was written, and what was left out.
fn log_of(speak: impl FnOnce()) -> (String, Arc<Tallies>) {
    let (page, tallies) = (Page::default(), Arc::new(Tallies::default()));
    let lines = Lines::start("log", page.clone(), Silent).unwrap();
    let layer = fmt::layer().with_writer(lines.clone()).with_ansi(false);
    let throttle = Throttle::new(Arc::clone(&tallies), lines.clone());
    tracing::subscriber::with_default(registry().with(layer).with(throttle), speak);
    lines.finish(PATIENCE);
    let written = page.0.lock().unwrap().clone();
    (String::from_utf8(written).unwrap(), tallies)
}

#[test]
fn a_place_that_speaks_too_often_is_silenced_and_others_are_not() {
    let (written, tallies) = log_of(|| {
        for n in 0..561 {
            tracing::warn!(n, "a connection was turned away");
        }
        tracing::warn!("something else");
    });
    let lines_of = |what| written.lines().filter(|line| line.contains(what)).count();
    assert_eq!(lines_of("a connection was turned away"), 10);
    assert_eq!(lines_of("something else"), 1);
    let silenced = tallies.take_due(Instant::now(), true);
    let [silenced] = &silenced[..] else { panic!("one place was silenced: {silenced:?}") };
    let said = silenced.to_string();
    assert!(said.contains("lines=551"), "{said}");
    assert!(said.contains("a connection was turned away"), "{said}");
}

#[test]
fn a_silenced_place_speaks_again_when_it_was_told_of() {
    let mut now = Instant::now();
    let (_written, tallies) = log_of(|| {
        for _ in 0..12 {
            tracing::error!("again");
        }
    });
    assert!(tallies.take_due(now, false).is_empty(), "the minute is not over");
    now = tallies.due_at().unwrap();
    let lines: Vec<u64> = tallies.take_due(now, false).iter().map(|told| told.lines).collect();
    assert_eq!(lines, [2]);
    assert_eq!(tallies.due_at(), None);
    let places = tallies.lock();
    assert!(places.values().all(|tally| tally.told == 0 && tally.silenced == 0));
}

#[test]
fn what_was_asked_for_is_not_bounded() {
    let (written, _tallies) = log_of(|| {
        for _ in 0..100 {
            tracing::debug!("a frame");
        }
    });
    assert_eq!(written.lines().count(), 100);
}
