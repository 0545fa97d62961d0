//! The bucket of an account is taken from by all reactors at the same time.

use std::sync::Barrier;

use chat_core::{Rate, TokenBucket};

#[test]
fn whoever_takes_at_once_takes_from_one_bucket() {
    const THREADS: u64 = 4;
    const TAKES: u64 = 10_000;
    let (bucket, rate) = (TokenBucket::default(), Rate { per_second: 1000, burst: 0 });
    let together = Barrier::new(THREADS as usize);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                together.wait();
                (0..TAKES).for_each(|_| bucket.take(1, rate, 0));
            });
        }
    });
    assert_eq!(bucket.overdrawn_ms(0), THREADS * TAKES);
}
