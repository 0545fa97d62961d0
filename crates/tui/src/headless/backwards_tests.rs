//! Facts about reading a room backwards, against a room whose pages come in any order.

use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use chat_proto::{AccountId, GapReason, MessageId, RoomId, Timestamp};
use tokio::time::sleep;

use super::*;

const EPOCH: Epoch = Epoch(7);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Join,
    Unreadable,
}

/// A room, and how its pages come.
struct Room {
    log: Vec<Kind>,
    page_max: usize,
    delay_ms: RangeInclusive<u64>,
    dice: Mutex<Dice>,
    asked: AtomicU64,
    under_way: AtomicUsize,
    under_way_max: AtomicUsize,
    /// From this question on the log has another life.
    restored_at: u64,
}

/// Numbers that follow from a seed.
struct Dice(u64);

impl Dice {
    fn within(&mut self, range: &RangeInclusive<u64>) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        range.start() + (self.0 >> 33) % (range.end() - range.start() + 1)
    }
}

impl Room {
    fn new(log: Vec<Kind>, page_max: usize, delay_ms: RangeInclusive<u64>, seed: u64) -> Arc<Self> {
        Arc::new(Self {
            log,
            page_max,
            delay_ms,
            dice: Mutex::new(Dice(seed)),
            asked: AtomicU64::new(0),
            under_way: AtomicUsize::new(0),
            under_way_max: AtomicUsize::new(0),
            restored_at: u64::MAX,
        })
    }

    fn drawn(seed: u64) -> Arc<Self> {
        let mut dice = Dice(seed);
        let (joins, damage) = (dice.within(&(0..=99)), dice.within(&(0..=20)));
        let mut kind = |before| match dice.within(&(0..=99)) {
            draw if draw < 5 && damage > 10 => Kind::Unreadable,
            draw if draw < 90 && before == Kind::Unreadable => Kind::Unreadable,
            draw if draw < joins => Kind::Join,
            _ => Kind::Message,
        };
        let mut log = vec![Kind::Join];
        for _ in 0..seed * 37 % 1500 {
            log.push(kind(log[log.len() - 1]));
        }
        let page_max = Dice(seed + 1).within(&(1..=256)) as usize;
        Self::new(log, page_max, 0..=50, seed)
    }

    fn head(&self) -> Seq {
        Seq(self.log.len() as u64)
    }

    /// As a server reads it: from the newest down, so many messages and sixteen gaps at the most.
    fn page(&self, before: Option<Seq>) -> HistoryPage {
        let end = before.map_or(self.log.len() as u64 + 1, |before| before.0);
        let (mut messages, mut gaps) = (Vec::new(), Vec::<Gap>::new());
        let mut at = end.min(self.log.len() as u64 + 1);
        while at > 1 && messages.len() < self.page_max && gaps.len() < 16 {
            at -= 1;
            match self.log[at as usize - 1] {
                Kind::Join => {}
                Kind::Message => messages.push(message(at)),
                Kind::Unreadable => {
                    let (log, to) = (RoomId(1).into(), Seq(at));
                    while at > 1 && self.log[at as usize - 2] == Kind::Unreadable {
                        at -= 1;
                    }
                    let reason = GapReason::Unreadable as u16;
                    gaps.push(Gap { log, from: Seq(at), to, reason });
                }
            }
        }
        messages.reverse();
        let more = self.log[..at as usize - 1].iter().any(|kind| *kind != Kind::Join);
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        let epoch = if asked >= self.restored_at { Epoch(8) } else { EPOCH };
        HistoryPage { room: RoomId(1), epoch, as_of: self.head(), messages, more, gaps }
    }

    async fn ask(self: Arc<Self>, before: Option<Seq>) -> Result<HistoryPage, RequestError> {
        let now = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        self.under_way_max.fetch_max(now, Ordering::Relaxed);
        let page = self.page(before);
        let delay_ms = self.dice.lock().unwrap().within(&self.delay_ms);
        sleep(Duration::from_millis(delay_ms)).await;
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        Ok(page)
    }

    async fn ending(self: &Arc<Self>, head: Seq, first: Seq, count: usize) -> Option<Ending> {
        let room = Arc::clone(self);
        let ask = move |before| Arc::clone(&room).ask(before);
        Backwards::new(ask, head, first).read(count, &|_said: &Message| true).await.unwrap()
    }
}

fn message(seq: u64) -> Message {
    Message {
        room: RoomId(1),
        room_name: "lobby".into(),
        seq: Seq(seq),
        ts: Timestamp(seq),
        from: AccountId(2),
        from_name: "ada".into(),
        id: MessageId([0; 16]),
        kind: chat_proto::TextKind::Say,
        text: seq.to_string(),
        reply_to: None,
        live: false,
    }
}

fn seqs(ending: &Ending) -> Vec<u64> {
    ending.messages.iter().map(|message| message.seq.0).collect()
}

#[tokio::test(start_paused = true)]
async fn in_whatever_order_the_pages_come_the_end_of_the_room_is_the_same() {
    for seed in 0..300 {
        let room = Room::drawn(seed);
        let mut dice = Dice(seed + 2);
        let first = dice.within(&(1..=room.head().0));
        let count = dice.within(&(0..=room.head().0)) as usize;
        let ending = room.ending(room.head(), Seq(first), count).await.expect("one life");
        let is = |kind: Kind| {
            let log = &room.log;
            move |seq: &u64| log[*seq as usize - 1] == kind
        };
        let all: Vec<u64> = (first..=room.head().0).filter(is(Kind::Message)).collect();
        let expected = &all[all.len().saturating_sub(count)..];
        assert_eq!(seqs(&ending), expected, "seed {seed}");
        assert_eq!(ending.behind, Position { epoch: EPOCH, seq: room.head() }, "seed {seed}");
        let told = |seq: &u64| ending.gaps.iter().filter(|gap| covers(gap, *seq)).count();
        // Whatever is missing behind the first message that came is told, and once.
        let oldest = expected.first().copied().unwrap_or(u64::MAX);
        let from = if all.len() < count { first } else { oldest };
        for seq in (from..=room.head().0).filter(is(Kind::Unreadable)) {
            assert_eq!(told(&seq), 1, "seed {seed}, seq {seq}");
        }
        assert!(ending.gaps.is_sorted_by(|one, next| one.to < next.from), "seed {seed}");
        assert!(room.under_way_max.load(Ordering::Relaxed) <= AHEAD_MAX, "seed {seed}");
    }
}

fn covers(gap: &Gap, seq: u64) -> bool {
    (gap.from.0..=gap.to.0).contains(&seq)
}

#[tokio::test(start_paused = true)]
async fn many_messages_from_far_away_come_in_a_few_round_trips() {
    let room = Room::new(vec![Kind::Message; 20_000], 256, 30..=30, 1);
    let started = Instant::now();
    let ending = room.ending(room.head(), Seq(1), 20_000).await.expect("one life");
    assert_eq!(ending.messages.len(), 20_000);
    let took = started.elapsed();
    // One after the other they are 79 round trips, that is 2.4 s.
    assert!(took <= Duration::from_millis(800), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_few_messages_are_one_question_and_none_are_one_too() {
    for (count, log) in [(0, 1000), (10, 1000), (256, 1000), (10, 0)] {
        let room = Room::new(vec![Kind::Message; log], 256, 30..=30, 1);
        let ending = room.ending(room.head(), Seq(1), count).await.expect("one life");
        assert_eq!(ending.messages.len(), count.min(log));
        assert_eq!(room.asked.load(Ordering::Relaxed), 1, "{count} of {log}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_way_gets_one_page_at_a_time() {
    let room = Room::new(vec![Kind::Message; 3_000], 256, 1500..=1500, 1);
    room.ending(room.head(), Seq(1), 3_000).await.expect("one life");
    assert_eq!(room.under_way_max.load(Ordering::Relaxed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_no_log_can_have_leads_nowhere_else() {
    let room = Room::new(vec![Kind::Message; 600], 256, 1..=30, 1);
    let ending = room.ending(Seq(u64::MAX), Seq(1), 600).await.expect("one life");
    assert_eq!(seqs(&ending), (1..=600).collect::<Vec<_>>());
    assert!(room.asked.load(Ordering::Relaxed) < 10);
}

#[tokio::test(start_paused = true)]
async fn a_log_that_begins_another_life_meanwhile_is_not_mixed() {
    let room = Room::new(vec![Kind::Message; 3_000], 256, 1..=30, 1);
    let mut room = Arc::into_inner(room).expect("nobody else has it");
    room.restored_at = 3;
    let room = Arc::new(room);
    assert!(room.ending(room.head(), Seq(1), 3_000).await.is_none());
    assert!(room.ending(room.head(), Seq(1), 3_000).await.is_some());
}
