use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::*;

/// Longer than any of these tests takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What stands for a write that failed.
const FAILED: &str = "(failed)";

struct Counts;

impl Notices for Counts {
    fn lost(&self, lines: u64) -> String {
        format!("({lines} lost)\n")
    }
}

/// A place that does with each write what the test says.
struct Place {
    orders: Receiver<io::Result<usize>>,
    written: SyncSender<String>,
}

impl Write for Place {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = match self.orders.recv().unwrap_or(Ok(usize::MAX)) {
            Ok(bytes_max) => bytes_max.min(bytes.len()),
            Err(error) => {
                self.written.send(FAILED.to_owned()).ok();
                return Err(error);
            }
        };
        self.written.send(String::from_utf8_lossy(&bytes[..taken]).into_owned()).ok();
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Bench {
    lines: Lines,
    orders: SyncSender<io::Result<usize>>,
    written: Receiver<String>,
}

impl Bench {
    fn new() -> Self {
        let (orders, obeyed) = sync_channel(1_024);
        let (told, written) = sync_channel(1_024);
        let place = Place { orders: obeyed, written: told };
        Self { lines: Lines::start("lines", place, Counts).unwrap(), orders, written }
    }

    fn next_write(&self) -> String {
        self.written.recv_timeout(PATIENCE).unwrap()
    }

    /// Lets every write succeed from now on, and gives all that comes.
    fn rest(self) -> String {
        drop(self.orders);
        self.lines.finish(PATIENCE);
        self.written.try_iter().collect()
    }
}

fn full() -> io::Result<usize> {
    Err(io::Error::from(ErrorKind::StorageFull))
}

#[test]
fn lines_are_written_in_the_order_in_which_they_came() {
    let bench = Bench::new();
    for n in 0..1_000 {
        bench.lines.push(format!("{n}\n").as_bytes());
    }
    let expected: String = (0..1_000).map(|n| format!("{n}\n")).collect();
    assert_eq!(bench.rest(), expected);
}

#[test]
fn a_place_that_takes_nothing_holds_nobody_up_and_what_was_lost_is_counted() {
    let bench = Bench::new();
    let line = format!("{}\n", "x".repeat(1023));
    let pushed = 10 * WAITING_BYTES_MAX / line.len();
    for _ in 0..pushed {
        bench.lines.push(line.as_bytes());
    }
    let all = bench.rest();
    let written = all.lines().filter(|line| line.starts_with('x')).count();
    assert!(written * line.len() <= 2 * WAITING_BYTES_MAX, "{written}");
    let told: usize = all.lines().filter_map(lost_in).sum();
    assert_eq!(written + told, pushed, "each line was written or counted");
    assert!(told > 0);
}

fn lost_in(line: &str) -> Option<usize> {
    line.strip_prefix('(')?.strip_suffix(" lost)")?.parse().ok()
}

#[test]
fn what_cannot_be_written_is_counted_and_told_when_something_can_be() {
    let bench = Bench::new();
    bench.lines.push(b"one\ntwo\n");
    // The lines, and that they were lost.
    for _ in 0..2 {
        bench.orders.send(full()).unwrap();
        assert_eq!(bench.next_write(), FAILED);
    }
    bench.lines.push(b"three\n");
    assert_eq!(bench.rest(), "three\n(2 lost)\n");
}

#[test]
fn a_line_that_was_cut_does_not_spoil_the_next() {
    let bench = Bench::new();
    bench.lines.push(b"whole\ncut\n");
    bench.orders.send(Ok(8)).unwrap();
    assert_eq!(bench.next_write(), "whole\ncu");
    bench.orders.send(full()).unwrap();
    assert_eq!(bench.next_write(), FAILED);
    assert_eq!(bench.rest(), "\n(1 lost)\n");
}

#[test]
fn the_end_waits_for_what_is_there_but_not_for_ever() {
    let bench = Bench::new();
    bench.lines.push(b"nobody takes this\n");
    let asked = Instant::now();
    bench.lines.finish(Duration::from_millis(50));
    assert!(asked.elapsed() < PATIENCE);
    assert_eq!(bench.rest(), "nobody takes this\n");
}

#[test]
fn who_waits_for_a_line_waits_in_vain_once() {
    let bench = Bench::new();
    let (vain, never) = (Duration::from_millis(20), Duration::from_secs(3_600));
    bench.lines.say(b"one\n", vain);
    // Nobody takes the first: this would never end.
    bench.lines.say(b"two\n", never);
    bench.orders.send(Ok(usize::MAX)).unwrap();
    assert_eq!(bench.next_write(), "one\n");
    bench.orders.send(Ok(usize::MAX)).unwrap();
    assert_eq!(bench.next_write(), "two\n");
}

#[test]
fn who_waits_for_a_line_goes_on_when_it_is_written() {
    let bench = Bench::new();
    bench.orders.send(Ok(usize::MAX)).unwrap();
    bench.lines.say(b"one\n", PATIENCE);
    assert_eq!(bench.written.try_recv().unwrap(), "one\n");
}
