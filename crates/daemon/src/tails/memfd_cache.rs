//! A busy tail's bytes a second time, in files in memory: what many receivers get is then handed to
//! their sockets by reference (`sendfile`), and not copied for each of them.
//!
//! A file is only ever appended to, and lives for as long as anybody sends from it.

use std::collections::VecDeque;
use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::pwrite;

use crate::system::memory_file;

/// A file that has so many bytes gets no more.
const FILE_BYTES: u64 = 1024 * 1024;

/// How many files are kept. Who is further behind is written to as ever.
const FILES_MAX: usize = 4;

/// The newest bytes of one tail.
#[derive(Debug, Default)]
pub(super) struct MemfdCache {
    files: VecDeque<File>,
}

#[derive(Debug)]
struct File {
    descriptor: Arc<OwnedFd>,
    /// The tail's offset of its first byte, and the one behind its last.
    start: u64,
    end: u64,
}

/// Where bytes of a tail lie in a file.
#[derive(Debug)]
pub(crate) struct MemfdSlice {
    pub(crate) file: Arc<OwnedFd>,
    pub(crate) offset: u64,
    pub(crate) bytes: usize,
}

impl MemfdCache {
    /// Whether it is worth its second copy on this system.
    pub(super) const IS_OF_USE: bool = memory_file::SPARES_COPIES;

    /// Appends what the tail has from `offset` on.
    pub(super) fn push<'a>(
        &mut self,
        offset: u64,
        slices: impl Iterator<Item = &'a [u8]>,
    ) -> io::Result<()> {
        let file = match self.files.back_mut() {
            Some(last) if last.end == offset && last.end - last.start < FILE_BYTES => last,
            _ => self.begin(offset)?,
        };
        for slice in slices {
            let mut rest = slice;
            while !rest.is_empty() {
                let written = pwrite(&*file.descriptor, rest, file.end - file.start)?;
                rest = &rest[written..];
                file.end += written as u64;
            }
        }
        Ok(())
    }

    /// Where `bytes` of the tail from `offset` on lie, or the first of them.
    pub(super) fn find(&self, offset: u64, bytes: usize) -> Option<MemfdSlice> {
        let file = self.files.iter().find(|file| (file.start..file.end).contains(&offset))?;
        let there = usize::try_from(file.end - offset).unwrap_or(usize::MAX);
        Some(MemfdSlice {
            file: Arc::clone(&file.descriptor),
            offset: offset - file.start,
            bytes: bytes.min(there),
        })
    }

    /// What lies at this place is gone: the files that have some of it are let go. Whoever sends from
    /// one still has it; everybody else is written to from the tail.
    pub(super) fn forget(&mut self, place: Range<u64>) {
        self.files.retain(|file| file.end <= place.start || place.end <= file.start);
    }

    fn begin(&mut self, offset: u64) -> io::Result<&mut File> {
        let descriptor = Arc::new(memory_file::create("chatd-tail")?);
        if self.files.len() == FILES_MAX {
            self.files.pop_front();
        }
        self.files.push_back(File { descriptor, start: offset, end: offset });
        self.files.back_mut().ok_or_else(|| io::Error::other("it was put there"))
    }
}

// Elsewhere there are no such files, and nothing is cached in them.
#[cfg(all(target_os = "linux", not(feature = "portable")))]
#[cfg(test)]
mod tests {
    use rustix::io::pread;

    use super::*;

    fn at(cache: &MemfdCache, offset: u64, bytes: usize) -> Option<Vec<u8>> {
        let found = cache.find(offset, bytes)?;
        let mut read = vec![0; found.bytes];
        let count = pread(&*found.file, &mut read, found.offset).unwrap();
        assert_eq!(count, found.bytes);
        Some(read)
    }

    #[test]
    fn what_is_pushed_is_found_at_its_offset() {
        let mut cache = MemfdCache::default();
        cache.push(1000, [&b"one"[..], b"two"].into_iter()).unwrap();
        cache.push(1006, std::iter::once(&b"three"[..])).unwrap();
        assert_eq!(at(&cache, 1003, 5).unwrap(), b"twoth");
        assert_eq!(at(&cache, 1008, 100).unwrap(), b"ree", "as much as there is");
        assert_eq!(at(&cache, 999, 1), None);
        assert_eq!(at(&cache, 1011, 1), None);
    }

    #[test]
    fn old_bytes_are_let_go_and_a_sender_keeps_its_file() {
        let mut cache = MemfdCache::default();
        let chunk = vec![7; FILE_BYTES as usize];
        cache.push(0, std::iter::once(&chunk[..])).unwrap();
        let held = cache.find(10, 10).unwrap();
        for n in 1..=FILES_MAX as u64 {
            cache.push(n * FILE_BYTES, std::iter::once(&chunk[..])).unwrap();
        }
        assert!(cache.find(10, 10).is_none());
        let mut read = [0; 10];
        assert_eq!(pread(&*held.file, &mut read, held.offset), Ok(10));
        assert_eq!(read, [7; 10]);
    }

    #[test]
    fn a_tail_that_jumped_goes_on_in_another_file() {
        let mut cache = MemfdCache::default();
        cache.push(0, std::iter::once(&b"before"[..])).unwrap();
        cache.push(7, std::iter::once(&b"behind"[..])).unwrap();
        assert_eq!(at(&cache, 0, 100).unwrap(), b"before");
        assert_eq!(at(&cache, 7, 100).unwrap(), b"behind");
        assert_eq!(at(&cache, 6, 1), None);
    }
}
