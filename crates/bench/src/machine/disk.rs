//! What one `fdatasync` costs here: the price of a promise, measured beside whoever pays it.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::now_ns;
use crate::stats::Histogram;

/// How much is written before each sync: what a commit of one row puts into a log, about.
const BLOCK_BYTES: usize = 4096;

/// Syncs of one measurement.
const SYNCS: u64 = 100;

/// Syncs of one measurement at a pace.
const PACED_SYNCS: u64 = 40;

/// Blocks that are overwritten in turn.
const BLOCKS: u64 = 16;

/// Half of all syncs took no longer, in microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SyncCost {
    /// Overwriting what is allocated.
    pub(crate) overwriting_us: f64,
    /// Growing the file.
    pub(crate) appending_us: f64,
}

/// Half of so many syncs at a steady pace took no longer, in microseconds. A disk and a processor that
/// rest in between take longer than those that are busy.
pub(crate) fn paced_sync_us(folder: &Path, per_second: f64) -> Result<f64> {
    let path = folder.join("fdatasync");
    let file = File::create(&path).context("cannot measure the disk")?;
    let block = [0x5A; BLOCK_BYTES];
    let mut times = Histogram::default();
    for turn in 0..PACED_SYNCS {
        std::thread::sleep(Duration::from_secs_f64(1.0 / per_second));
        let began = now_ns();
        file.write_all_at(&block, turn * BLOCK_BYTES as u64)?;
        file.sync_data()?;
        times.record(now_ns() - began);
    }
    std::fs::remove_file(&path)?;
    Ok(times.quantile_us(0.5))
}

/// Measures in a file of its own in `folder`.
pub(crate) fn sync_cost(folder: &Path) -> Result<SyncCost> {
    let path = folder.join("fdatasync");
    let file = File::create(&path).context("cannot measure the disk")?;
    let appending = syncs(&file, |turn| turn * BLOCK_BYTES as u64)?;
    let overwriting = syncs(&file, |turn| turn % BLOCKS * BLOCK_BYTES as u64)?;
    std::fs::remove_file(&path)?;
    Ok(SyncCost { overwriting_us: overwriting, appending_us: appending })
}

fn syncs(file: &File, place: impl Fn(u64) -> u64) -> Result<f64> {
    let block = [0x5A; BLOCK_BYTES];
    let mut times = Histogram::default();
    for turn in 0..SYNCS {
        let began = now_ns();
        file.write_all_at(&block, place(turn))?;
        file.sync_data()?;
        times.record(now_ns() - began);
    }
    Ok(times.quantile_us(0.5))
}
