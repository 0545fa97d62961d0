//! What a loss of power leaves of a store. A worker writes one under strace, which makes syncs
//! fail; from the trace every state is rebuilt that the disk may be in when the power goes at some
//! moment; the store is started on it, and must have every acknowledged message, in order, once.
//!
//! `SEED=n` chooses the failures and the moments, `SCHEMES=n` how many failures, `IMAGES=n` how many
//! states of each. A scheme that fails is printed; `SCHEME=n` with its seed runs it alone.

#![expect(clippy::print_stdout, reason = "a test says what it measured")]

mod disk;
mod scheme;
mod trace;

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use chat_core::Store;
use chat_tests::history::What;
use chat_tests::truth;
use chatd::store::{Durability, OpenError, SqliteStore};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tempfile::TempDir;

use disk::{Disk, Left};
use scheme::{Scheme, Traced};
use trace::Op;

/// The files of a store that SQLite keeps on the disk.
const FILES: [&str; 3] = ["chatd.db", "chatd.db-wal", "chatd.db-journal"];

/// So many operations behind a sync that failed are looked at more closely.
const CLOSE_LOOK: usize = 40;

/// Schemes at work at the same time: they mostly wait.
const AT_ONCE: usize = 8;

#[test]
fn no_acknowledged_message_is_lost_when_syncs_fail_and_then_the_power() -> Result<()> {
    let test = "no_acknowledged_message_is_lost_when_syncs_fail_and_then_the_power";
    let seed = from_env("SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let schemes = from_env("SCHEMES").unwrap_or(8);
    let images = from_env("IMAGES").unwrap_or(30);
    println!("SEED={seed} SCHEMES={schemes} IMAGES={images}");
    if let Some(why_not) = scheme::why_not() {
        writeln!(std::io::stderr(), "skipped: {test}: {why_not}")?;
        return Ok(());
    }
    let chosen: Vec<u64> =
        from_env("SCHEME").map_or_else(|| (0..schemes).collect(), |one| vec![one]);
    let mut outcomes = Vec::new();
    for some in chosen.chunks(AT_ONCE) {
        outcomes.extend(std::thread::scope(|scope| {
            let threads: Vec<_> = some
                .iter()
                .map(|number| scope.spawn(move || attempt(seed, *number, images)))
                .collect();
            threads.into_iter().map(std::thread::ScopedJoinHandle::join).collect::<Vec<_>>()
        }));
    }
    let mut total = Tally::default();
    let mut failures = Vec::new();
    for outcome in outcomes {
        match outcome.expect("a scheme that fails says so") {
            Ok(tally) => total.add(&tally),
            Err(error) => failures.push(format!("{error:#}")),
        }
    }
    println!("{total:?}");
    ensure!(failures.is_empty(), "{} schemes failed: {failures:#?}", failures.len());
    ensure!(total.failed_syncs > 0 && total.acked > 0, "nothing failed, or nothing was done");
    Ok(())
}

/// What was looked at.
#[derive(Default, Debug)]
struct Tally {
    acked: u64,
    failed_syncs: u64,
    images: u64,
}

impl Tally {
    fn add(&mut self, other: &Self) {
        self.acked += other.acked;
        self.failed_syncs += other.failed_syncs;
        self.images += other.images;
    }
}

fn attempt(seed: u64, number: u64, images: u64) -> Result<Tally> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    chance.set_stream(number);
    let scheme = Scheme::choose(number, &mut chance);
    let about = format!("SEED={seed} SCHEME={number} {scheme:?}");
    let began = std::time::Instant::now();
    let Traced { ops } = scheme.run().with_context(|| about.clone())?;
    let traced = began.elapsed();
    let tally = look(&ops, images, &mut chance).with_context(|| about.clone())?;
    println!(
        "{about}: {} operations in {traced:.1?}, then {:.1?}",
        ops.len(),
        began.elapsed() - traced
    );
    Ok(tally)
}

/// Follows the operations, and loses the power now and then.
fn look(ops: &[Op], images: u64, chance: &mut impl Rng) -> Result<Tally> {
    let mut disk = Disk::default();
    let mut tally = Tally::default();
    let mut violations = Vec::new();
    let mut failed_at = None;
    let per_op = images as f64 / ops.len().max(1) as f64;
    for (at, op) in ops.iter().enumerate() {
        disk.follow(op, chance);
        match op {
            Op::Acked(acked) => tally.acked = tally.acked.max(*acked),
            Op::SyncEnds { is_ok: false, .. } => {
                tally.failed_syncs += 1;
                failed_at = Some(at);
            }
            Op::Write { .. }
            | Op::Truncate { .. }
            | Op::Unlink { .. }
            | Op::SyncBegins { .. }
            | Op::SyncEnds { is_ok: true, .. } => {}
        }
        let is_close = failed_at.is_some_and(|failed| at - failed < CLOSE_LOOK);
        let likely = if is_close { 3.0 * per_op } else { per_op };
        let is_last = at + 1 == ops.len();
        if is_last || chance.random_bool(likely.min(1.0)) {
            for left in [Left::Nothing, Left::All, Left::Prefix, Left::Some] {
                tally.images += 1;
                if let Err(error) = lose_power(&disk, left, tally.acked, chance) {
                    violations
                        .push(format!("operation {at} of {}, {left:?}: {error:#}", ops.len()));
                }
            }
        }
    }
    let (bad, all) = (violations.len(), tally.images);
    ensure!(bad == 0, "{bad} of {all} images are bad: {:#?}", &violations[..bad.min(3)]);
    Ok(tally)
}

fn lose_power(disk: &Disk, left: Left, acked: u64, chance: &mut impl Rng) -> Result<()> {
    let dir = TempDir::new_in(scheme::fast_place())?;
    for file in FILES {
        std::fs::write(dir.path().join(file), disk.image(file, left, chance))?;
    }
    let mut store = match SqliteStore::open(dir.path(), Durability::Full) {
        // A first start that was cut short is refused, lest a store that was there be replaced.
        Err(OpenError::Missing { .. }) if acked == 0 => return Ok(()),
        opened => opened?,
    };
    store.recover()?;
    store.close();
    check(&dir.path().join("chatd.db"), acked)
}

/// Every message that was acknowledged is there, in order, once; and what else there is follows.
fn check(database: &Path, acked: u64) -> Result<()> {
    let truth = truth::read(database)?;
    let log = truth::room(&truth, "lobby").map(|log| &log.events[..]).unwrap_or_default();
    let mut posted = 0;
    for (event, seq) in log.iter().zip(1..) {
        ensure!(event.seen.seq.0 == seq, "event {seq} has seq {}", event.seen.seq);
        if let What::Posted { text, .. } = &event.seen.what {
            posted += 1;
            let number = text.trim_end_matches('x');
            ensure!(number == posted.to_string(), "message {posted} is {number}");
        }
    }
    ensure!(posted >= acked, "{acked} messages were acknowledged, and {posted} are there");
    Ok(())
}

fn from_env(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|value| value.parse().ok())
}
