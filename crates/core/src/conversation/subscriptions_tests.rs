//! Turns of cursors, from memory and from disk.

use std::cell::RefCell;

use chat_proto::{RoomId, Timestamp};

use super::*;
use crate::conversation::test_frames::presence_frame;
use crate::{Batch, Content, Event};

const LOG: LogId = LogId(9);

struct Handle<'a>(&'a RefCell<Tail>);

impl TailHandle for Handle<'_> {
    fn with<R>(&self, look: impl FnOnce(&Tail) -> R) -> Option<R> {
        Some(look(&self.0.borrow()))
    }
}

fn batch(seq: u64) -> Batch {
    let mut batch = Batch::after(Seq(seq - 1));
    let content = Content::RoomJoined { room: RoomId(1) };
    batch.push(&Event { log: LOG, seq: Seq(seq), ts: Timestamp(seq), content });
    batch
}

fn bytes_of(work: &Work) -> usize {
    match work {
        Work::Write { run, .. } => run.bytes(),
        Work::None | Work::ReadDisk(_) => 0,
    }
}

#[test]
fn who_waits_at_the_head_of_a_quiet_log_gets_what_is_announced() {
    let tail = RefCell::new(Tail::new(Seq(7)));
    let mut subscriptions = Subscriptions::default();
    subscriptions.open(LOG, Handle(&tail), Seq(7));
    assert_eq!(subscriptions.next(1000, true), Work::None);
    for _ in 0..2 {
        tail.borrow_mut().announce(presence_frame());
        subscriptions.wake(LOG);
        let work = subscriptions.next(1000, true);
        assert_eq!(bytes_of(&work), presence_frame().len());
        let Work::Write { run, .. } = work else { return };
        subscriptions.wrote(LOG, &run, run.bytes());
        assert_eq!(subscriptions.next(1000, true), Work::None);
        tail.borrow_mut().rewind(Seq(7));
        subscriptions.wake(LOG);
        assert_eq!(subscriptions.next(1000, true), Work::None);
    }
}

#[test]
fn an_idle_cursor_is_small() {
    assert!(size_of::<Place<std::sync::Arc<u8>>>() <= 40);
}

#[test]
fn a_log_that_is_closed_and_opened_again_has_one_turn() {
    let tail = RefCell::new(Tail::new(Seq(7)));
    let mut subscriptions = Subscriptions::default();
    subscriptions.open(LOG, Handle(&tail), Seq(7));
    assert!(subscriptions.shut(LOG).is_some());
    subscriptions.open(LOG, Handle(&tail), Seq(7));
    tail.borrow_mut().publish(batch(8));
    assert_eq!(bytes_of(&subscriptions.next(1000, true)), batch(8).frames.len());
    assert_eq!(subscriptions.next(1000, true), Work::None, "its run is not written yet");
}

#[test]
fn a_page_from_disk_has_the_turn_of_its_log() {
    let tail = RefCell::new(Tail::new(Seq(9)));
    let mut subscriptions = Subscriptions::default();
    subscriptions.open(LOG, Handle(&tail), Seq(7));
    let read = DiskRead { log: LOG, after: Seq(7), head: Seq(9) };
    assert_eq!(subscriptions.next(1000, false), Work::None);
    assert_eq!(subscriptions.next(1000, true), Work::ReadDisk(read), "it kept its turn");
    subscriptions.wake(LOG);
    assert_eq!(subscriptions.next(1000, true), Work::None, "one read at a time");
    assert!(subscriptions.read_from_disk(read, batch(8).frames.into(), Seq(8)));
    subscriptions.wake(LOG);
    let work = subscriptions.next(1000, true);
    assert_eq!(bytes_of(&work), batch(8).frames.len());
    assert_eq!(subscriptions.next(1000, true), Work::None, "its page is not written yet");
    let Work::Write { run, .. } = work else { return };
    // What the peer did not take is read again.
    subscriptions.wrote(LOG, &run, 0);
    assert_eq!(subscriptions.next(1000, true), Work::ReadDisk(read));
    let before = DiskRead { after: Seq(6), ..read };
    assert!(!subscriptions.read_from_disk(before, batch(7).frames.into(), Seq(7)), "it moved");
}

#[test]
fn a_log_that_grows_while_the_disk_is_read_waits_for_it_once() {
    let tail = RefCell::new(Tail::new(Seq(9)));
    let mut subscriptions = Subscriptions::default();
    let logs = [LogId(1), LOG];
    logs.iter().for_each(|log| subscriptions.open(*log, Handle(&tail), Seq(7)));
    let read = DiskRead { log: LogId(1), after: Seq(7), head: Seq(9) };
    assert_eq!(subscriptions.next(1000, true), Work::ReadDisk(read));
    for _ in 0..1_000 {
        logs.iter().for_each(|log| subscriptions.wake(*log));
        assert_eq!(subscriptions.next(1000, true), Work::None);
    }
    let Disk::Busy(reading) = &subscriptions.disk else { panic!("it is read") };
    assert_eq!(reading.waiting, [LOG, LogId(1)]);
    // One that is closed does not wait, and one that is opened again has one turn.
    subscriptions.shut(LOG);
    subscriptions.open(LOG, Handle(&tail), Seq(7));
    assert_eq!(subscriptions.next(1000, true), Work::None);
    subscriptions.disk_failed(LogId(1));
    assert_eq!(subscriptions.ready, [LogId(1), LOG]);
}

#[test]
fn a_page_is_not_read_again_for_what_is_gone_behind_it() {
    let tail = RefCell::new(Tail::new(Seq(9)));
    let mut subscriptions = Subscriptions::default();
    subscriptions.open(LOG, Handle(&tail), Seq(7));
    let read = DiskRead { log: LOG, after: Seq(7), head: Seq(9) };
    assert_eq!(subscriptions.next(1000, true), Work::ReadDisk(read));
    subscriptions.redacted(LOG, Seq(9)..=Seq(9));
    assert!(subscriptions.read_from_disk(read, batch(8).frames.into(), Seq(8)), "readers get on");
}

#[test]
fn a_page_that_holds_something_that_is_gone_is_read_again() {
    let tail = RefCell::new(Tail::new(Seq(9)));
    let mut subscriptions = Subscriptions::default();
    subscriptions.open(LOG, Handle(&tail), Seq(7));
    let read = DiskRead { log: LOG, after: Seq(7), head: Seq(9) };
    let page = |seq| batch(seq).frames.into();
    // While the disk is read,
    assert_eq!(subscriptions.next(1000, true), Work::ReadDisk(read));
    subscriptions.redacted(LOG, Seq(9)..=Seq(9));
    subscriptions.redacted(LOG, Seq(8)..=Seq(8));
    assert!(!subscriptions.read_from_disk(read, page(8), Seq(8)));
    // and when the page has come and was not written.
    assert_eq!(subscriptions.next(1000, true), Work::ReadDisk(read));
    assert!(subscriptions.read_from_disk(read, page(8), Seq(8)));
    subscriptions.redacted(LOG, Seq(8)..=Seq(8));
    assert_eq!(subscriptions.next(1000, true), Work::ReadDisk(read));
    // What is not in the page changes nothing.
    subscriptions.redacted(LOG, Seq(7)..=Seq(7));
    subscriptions.redacted(LogId(1), Seq(8)..=Seq(8));
    assert!(subscriptions.read_from_disk(read, page(8), Seq(8)));
    subscriptions.redacted(LOG, Seq(9)..=Seq(9));
    assert_eq!(bytes_of(&subscriptions.next(1000, true)), batch(8).frames.len());
}

#[test]
fn an_event_that_came_from_disk_before_it_was_in_the_tail_does_not_come_again() {
    let tail = RefCell::new(Tail::new(Seq(7)));
    let mut subscriptions = Subscriptions::default();
    subscriptions.open(LOG, Handle(&tail), Seq(8));
    assert_eq!(subscriptions.next(1000, true), Work::None);
    tail.borrow_mut().publish(batch(8));
    subscriptions.wake(LOG);
    assert_eq!(subscriptions.next(1000, true), Work::None);
    tail.borrow_mut().publish(batch(9));
    subscriptions.wake(LOG);
    assert_eq!(bytes_of(&subscriptions.next(1000, true)), batch(9).frames.len());
}

#[test]
fn of_a_few_logs_and_of_many_each_has_its_turn() {
    let tail = RefCell::new(Tail::new(Seq(0)));
    tail.borrow_mut().publish(batch(1));
    for count in [1, 15, 16, 17, 300] {
        let logs: Vec<LogId> = (1..=count).map(|nth| LogId(nth * 7919 % 1009)).collect();
        let mut subscriptions = Subscriptions::default();
        for log in &logs {
            subscriptions.open(*log, Handle(&tail), Seq(0));
        }
        let closed = logs[logs.len() / 2];
        assert!(subscriptions.shut(closed).is_some() && subscriptions.shut(closed).is_none());
        let open: Vec<LogId> = logs.iter().copied().filter(|log| *log != closed).collect();
        let mut served = Vec::new();
        while let Work::Write { log, run } = subscriptions.next(1000, true) {
            subscriptions.wrote(log, &run, run.bytes());
            served.push(log);
        }
        assert_eq!(served, open, "{count} logs take turns in the order in which they were opened");
        let mut followed: Vec<LogId> = subscriptions.followed().collect();
        followed.sort_unstable();
        assert_eq!(followed, {
            let mut open = open;
            open.sort_unstable();
            open
        });
    }
}
