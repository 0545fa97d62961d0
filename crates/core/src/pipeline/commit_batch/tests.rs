use chat_proto::Timestamp;

use super::*;

fn joined(log: u64, seq: u64) -> Event {
    let content = Content::Joined { account: AccountId(1) };
    Event { log: LogId(log), seq: Seq(seq), ts: Timestamp(1), content }
}

#[test]
fn what_is_reserved_for_many_logs_is_no_more_than_the_batch_before_had() {
    let mut batch = CommitBatch::default();
    (1..=10_000).for_each(|seq| batch.push(&joined(1, seq)));
    let before = batch.close().bytes();
    (1..=1_000).for_each(|log| batch.push(&joined(log, 1)));
    let reserved: usize = batch.batches.values().map(|batch| batch.frames.capacity()).sum();
    assert!(reserved <= before + 1_000 * 128, "{reserved} for {} bytes", batch.bytes());
    // As many logs as before have what they had, and do not grow.
    let of_each = batch.close().bytes() / 1_000;
    batch.push(&joined(7, 2));
    assert_eq!(batch.batches[&LogId(7)].frames.capacity(), of_each);
}
