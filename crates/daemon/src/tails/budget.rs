//! The budget that all tails share: what was published first is freed first.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};

use super::SharedTail;

/// Frames older than this are freed also when there is room: an idle room costs nothing.
const IDLE_MS: u64 = 60_000;

/// What one entry of the queue costs beside the frames it stands for.
const ENTRY_BYTES: usize = size_of::<Published>();

/// Counts what the tails hold, oldest first.
#[derive(Debug)]
pub(crate) struct TailBudget {
    bytes_max: usize,
    bytes: usize,
    published: VecDeque<Published>,
}

#[derive(Debug)]
struct Published {
    log: Weak<SharedTail>,
    bytes: usize,
    at_ms: u64,
}

impl TailBudget {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { bytes_max, bytes: 0, published: VecDeque::new() }
    }

    /// A tail has grown.
    pub(crate) fn charge(&mut self, log: &Arc<SharedTail>, bytes: usize, at_ms: u64) {
        self.bytes += bytes;
        match self.published.back_mut() {
            Some(last) if last.log.as_ptr() == Arc::as_ptr(log) && last.at_ms == at_ms => {
                last.bytes += bytes;
            }
            _ => self.published.push_back(Published { log: Arc::downgrade(log), bytes, at_ms }),
        }
    }

    /// A tail was emptied by somebody else.
    pub(crate) fn credit(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes);
    }

    /// Frees the oldest until the budget is kept.
    pub(crate) fn release_excess(&mut self) {
        while self.bytes + self.published.len() * ENTRY_BYTES > self.bytes_max
            && self.release_oldest()
        {}
    }

    /// Frees what nobody has added to for a while.
    pub(crate) fn release_idle(&mut self, now_ms: u64) {
        while self.published.front().is_some_and(|oldest| oldest.at_ms + IDLE_MS < now_ms)
            && self.release_oldest()
        {}
    }

    fn release_oldest(&mut self) -> bool {
        let Some(oldest) = self.published.pop_front() else { return false };
        // A log that is gone was empty: its bytes have been counted back.
        if let Some(log) = oldest.log.upgrade() {
            self.credit(log.release(oldest.bytes));
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use chat_core::{Batch, Content, Event, Read, TailHandle};
    use chat_proto::{AccountId, LogId, Seq, Timestamp};

    use super::*;

    fn publish(budget: &mut TailBudget, log: &Arc<SharedTail>, at_ms: u64) {
        let mut batch = Batch::after(log.head());
        for seq in log.head().0 + 1..=log.head().0 + 1000 {
            let content = Content::Joined { account: AccountId(1) };
            batch.push(&Event { log: LogId(1), seq: Seq(seq), ts: Timestamp(1), content });
        }
        let grown = log.append(|tail| tail.publish(batch));
        budget.charge(log, grown, at_ms);
        budget.release_excess();
    }

    #[test]
    fn all_tails_together_stay_within_the_budget_and_the_oldest_goes_first() {
        let mut budget = TailBudget::new(100_000);
        let logs: Vec<_> = (0..3).map(|_| Arc::new(SharedTail::new(Seq(0)))).collect();
        for round in 0..50 {
            for log in &logs {
                publish(&mut budget, log, round);
                let held: usize =
                    logs.iter().filter_map(|log| log.follow().with(|tail| tail.bytes())).sum();
                assert!(held <= 100_000 && held == budget.bytes, "{held} bytes held");
            }
        }
        let oldest = chat_core::Cursor::new(Seq(0));
        let read = logs[0].follow().with(|tail| tail.read(&oldest, 1));
        assert!(matches!(read, Some(Read::Disk { .. })));
    }

    #[test]
    fn what_is_idle_is_freed() {
        let mut budget = TailBudget::new(1 << 20);
        let log = Arc::new(SharedTail::new(Seq(0)));
        publish(&mut budget, &log, 0);
        budget.release_idle(IDLE_MS);
        assert!(!log.is_empty());
        budget.release_idle(IDLE_MS + 1);
        assert!(log.is_empty());
    }
}
