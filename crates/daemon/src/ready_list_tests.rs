use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::wait::for_next_pass;

#[derive(Default)]
struct Counted(AtomicUsize);

impl Wake for Counted {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A reactor that looks at its list, and waits.
struct Reactor {
    list: Arc<ReadyList>,
    woken: Arc<Counted>,
    /// How often it was woken when it began to wait.
    woken_before: usize,
    slots: Vec<u32>,
}

impl Reactor {
    fn new() -> Self {
        let (list, woken) = (Arc::default(), Arc::default());
        Self { list, woken, woken_before: 0, slots: Vec::new() }
    }

    fn wait(&mut self) {
        self.woken_before = self.woken.0.load(Ordering::SeqCst);
        self.list.wait(&Waker::from(Arc::clone(&self.woken)));
    }

    fn is_woken(&self) -> bool {
        self.woken.0.load(Ordering::SeqCst) > self.woken_before
    }

    fn take(&mut self) -> Vec<u32> {
        self.list.take(&mut self.slots);
        self.slots.clone()
    }
}

/// Every order of these.
fn orders(of: &[usize]) -> Vec<Vec<usize>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let with_first = |at: usize| {
        let mut rest = of.to_vec();
        let first = rest.remove(at);
        orders(&rest).into_iter().map(move |mut order| {
            order.insert(0, first);
            order
        })
    };
    (0..of.len()).flat_map(with_first).collect()
}

/// Two slots become ready and another thread wakes, in every order among two rounds of a reactor.
#[test]
fn nothing_is_lost_in_whatever_order_it_comes() {
    const SLOTS: [u32; 2] = [7, 8];
    for order in orders(&[0, 1, 2, 3, 4, 5, 6]) {
        // Wait, take, wait, take: in this order alone.
        let rounds: Vec<_> = order.iter().filter(|step| **step >= 3).collect();
        if !rounds.is_sorted() {
            continue;
        }
        let mut reactor = Reactor::new();
        let (mut pending, mut comes, mut waits) = (Vec::new(), false, false);
        for step in &order {
            match step {
                0 | 1 => {
                    slot_waker(&reactor.list, SLOTS[*step]).wake();
                    pending.push(SLOTS[*step]);
                    comes = true;
                }
                2 => {
                    reactor.list.wake();
                    comes = true;
                }
                3 | 5 => {
                    reactor.wait();
                    waits = true;
                }
                _ => {
                    assert_eq!(reactor.take(), pending, "{order:?}");
                    pending.clear();
                    (comes, waits) = (false, false);
                }
            }
            assert!(!waits || comes == reactor.is_woken(), "{order:?} at {step}");
        }
    }
}

#[test]
fn a_batch_wakes_once() {
    let mut reactor = Reactor::new();
    reactor.wait();
    for slot in 0..10 {
        slot_waker(&reactor.list, slot).wake();
        reactor.list.wake();
    }
    assert_eq!(reactor.woken.0.load(Ordering::SeqCst), 1);
    assert_eq!(reactor.take(), (0..10).collect::<Vec<_>>());
}

#[test]
fn a_socket_that_is_ready_for_both_is_on_the_list_once() {
    let mut reactor = Reactor::new();
    let waker = slot_waker(&reactor.list, 3);
    waker.wake_by_ref();
    waker.wake();
    assert_eq!(reactor.take(), [3]);
}

/// What another thread puts in during a pass is seen in the next, however the two threads meet.
#[test]
fn a_wake_of_another_thread_during_a_pass_is_not_lost() {
    const WAKES: u32 = 20_000;
    const DEADLINE: Duration = Duration::from_secs(60);
    let list = Arc::new(ReadyList::default());
    let other = Arc::clone(&list);
    let (told, tells) = std::sync::mpsc::sync_channel(1);
    let waking = std::thread::spawn(move || {
        for slot in 0..WAKES {
            slot_waker(&other, slot).wake();
            // Not before it was seen: each wake has to get through by itself.
            let () = tells.recv().unwrap();
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let all_seen = async {
        let mut timer = std::pin::pin!(tokio::time::sleep(DEADLINE));
        let (mut slots, mut next) = (Vec::new(), 0);
        while next < WAKES {
            for_next_pass(&list, timer.as_mut(), None).await;
            list.take(&mut slots);
            for slot in &slots {
                assert_eq!(*slot, next);
                next += 1;
                told.send(()).unwrap();
            }
        }
    };
    let seen = async { tokio::time::timeout(DEADLINE, all_seen).await };
    runtime.block_on(seen).expect("a wake was lost");
    waking.join().unwrap();
}
