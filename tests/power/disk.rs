//! A disk with a cache, and what a loss of power may leave on it: what was synchronised, and any
//! part of what was not. After a sync that failed, what it covered is clean and may never get there,
//! as on ext4 and XFS.

use std::collections::{BTreeMap, HashMap};

use rand::{Rng, RngExt};

use crate::trace::Op;

const PAGE: usize = 4096;
const SECTOR: usize = 512;

/// The directory's name.
pub(crate) const DIR: &str = "data";

/// What of the writes that were not synchronised is on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Left {
    /// Nothing.
    Nothing,
    /// Everything that is going to be.
    All,
    /// What came before a moment.
    Prefix,
    /// Any of it, and of some pages only some sectors.
    Some,
}

/// The files.
#[derive(Default, Debug)]
pub(crate) struct Disk {
    files: HashMap<String, File>,
    /// Of operations: the moment.
    now: usize,
    /// By thread: when its sync began.
    syncs: HashMap<u32, usize>,
}

#[derive(Default, Debug)]
struct File {
    cache: Vec<u8>,
    durable: Vec<u8>,
    /// What was durable before the file was cut, until that is durable.
    before_cut: Option<Vec<u8>>,
    is_unlinked: bool,
    /// Dirty pages: what each held, from moment to moment.
    dirty: BTreeMap<usize, Vec<(usize, Vec<u8>)>>,
}

impl Disk {
    /// Follows an operation. A sync that failed wrote each of its pages, or not.
    pub(crate) fn follow(&mut self, op: &Op, chance: &mut impl Rng) {
        self.now += 1;
        let now = self.now;
        match op {
            Op::Write { file, at, bytes } => self.file(file).write(*at, bytes, now),
            Op::Truncate { file, len } => self.file(file).truncate(*len, now),
            // Whoever finds it empty does as if it were not there.
            Op::Unlink { file } => {
                self.file(file).truncate(0, now);
                self.file(file).is_unlinked = true;
            }
            Op::SyncBegins { thread, .. } => {
                self.syncs.insert(*thread, now);
            }
            Op::SyncEnds { file, thread, is_ok } => {
                let begun = self.syncs.remove(thread).unwrap_or(now);
                let writes = if *is_ok || chance.random_bool(0.3) { 1.0 } else { 0.0 };
                let writes = if chance.random_bool(0.3) && !is_ok { 0.5 } else { writes };
                if file == DIR {
                    // What is to become of names is written in the end, or the file system stops.
                    if *is_ok {
                        self.files.values_mut().for_each(File::settle_unlinking);
                    }
                    return;
                }
                self.file(file).sync(begun, *is_ok, || chance.random_bool(writes));
            }
            Op::Acked(_) => {}
        }
    }

    fn file(&mut self, name: &str) -> &mut File {
        self.files.entry(name.to_owned()).or_default()
    }

    /// What a file may be when the power is lost now.
    pub(crate) fn image(&self, name: &str, left: Left, chance: &mut impl Rng) -> Vec<u8> {
        let moment = chance.random_range(0..=self.now);
        self.files.get(name).map(|file| file.image(left, moment, chance)).unwrap_or_default()
    }
}

impl File {
    fn write(&mut self, at: usize, bytes: &[u8], now: usize) {
        let end = at + bytes.len();
        if self.cache.len() < end {
            self.cache.resize(end, 0);
        }
        self.cache[at..end].copy_from_slice(bytes);
        for page in at / PAGE..end.div_ceil(PAGE) {
            let held = self.cache[page * PAGE..self.cache.len().min((page + 1) * PAGE)].to_vec();
            self.dirty.entry(page).or_default().push((now, held));
        }
    }

    fn truncate(&mut self, len: usize, now: usize) {
        if len >= self.cache.len() {
            self.cache.resize(len, 0);
            return;
        }
        self.before_cut.get_or_insert_with(|| self.durable.clone());
        self.durable.truncate(len);
        self.cache.truncate(len);
        self.dirty.split_off(&len.div_ceil(PAGE));
        if !len.is_multiple_of(PAGE) {
            let page = self.cache.split_off(len - len % PAGE);
            self.write(len - len % PAGE, &page, now);
        }
    }

    fn sync(&mut self, begun: usize, is_ok: bool, mut writes: impl FnMut() -> bool) {
        let Self { cache, durable, before_cut, dirty, is_unlinked } = self;
        dirty.retain(|page, held| {
            let covered = held.partition_point(|(at, _)| *at <= begun);
            if let Some((_, bytes)) = held[..covered].last()
                && writes()
            {
                put(durable, *page, bytes);
            }
            held.drain(..covered);
            !held.is_empty()
        });
        if is_ok {
            // What is written meanwhile may make it longer.
            durable.resize(durable.len().max(cache.len()), 0);
            if !*is_unlinked {
                *before_cut = None;
            }
        }
    }

    fn settle_unlinking(&mut self) {
        if std::mem::take(&mut self.is_unlinked) {
            self.before_cut = None;
        }
    }

    fn image(&self, left: Left, moment: usize, chance: &mut impl Rng) -> Vec<u8> {
        if let Some(before) = &self.before_cut
            && left != Left::All
            && chance.random_bool(0.5)
        {
            return before.clone();
        }
        let mut image = self.durable.clone();
        for (page, held) in &self.dirty {
            let chosen = match left {
                Left::Nothing => None,
                Left::All => held.last(),
                Left::Prefix => held[..held.partition_point(|(at, _)| *at <= moment)].last(),
                Left::Some => held.get(chance.random_range(0..2 * held.len())),
            };
            let Some((_at, bytes)) = chosen else { continue };
            if left == Left::Some && chance.random_bool(0.2) {
                put_sectors(&mut image, *page, bytes, chance);
            } else {
                put(&mut image, *page, bytes);
            }
        }
        image
    }
}

fn put(file: &mut Vec<u8>, page: usize, bytes: &[u8]) {
    let at = page * PAGE;
    if file.len() < at + bytes.len() {
        file.resize(at + bytes.len(), 0);
    }
    file[at..at + bytes.len()].copy_from_slice(bytes);
}

fn put_sectors(file: &mut Vec<u8>, page: usize, bytes: &[u8], chance: &mut impl Rng) {
    let at = page * PAGE;
    if file.len() < at + bytes.len() {
        file.resize(at + bytes.len(), 0);
    }
    for (sector, bytes) in bytes.chunks(SECTOR).enumerate() {
        if chance.random_bool(0.5) {
            let at = at + sector * SECTOR;
            file[at..at + bytes.len()].copy_from_slice(bytes);
        }
    }
}
