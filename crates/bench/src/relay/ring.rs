//! A file that is laid out beforehand and overwritten in a circle: on the disk the cheapest way to have
//! bytes survive a loss of power, since a write changes nothing but the bytes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use rustix::fs::{MemfdFlags, memfd_create};

/// What is written at once while the file is laid out.
const BLOCK_BYTES: usize = 1024 * 1024;

/// The file.
pub(super) struct Ring {
    file: File,
    bytes: u64,
}

impl Ring {
    /// A file of so many bytes, which are a multiple of 1 MiB, on the disk.
    pub(super) fn on_disk(path: &Path, bytes: u64) -> io::Result<Self> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        let ring = Self::laid_out(file, bytes)?;
        ring.file.sync_all()?;
        Ok(ring)
    }

    /// The same in memory.
    pub(super) fn in_memory(bytes: u64) -> io::Result<Self> {
        Self::laid_out(memfd_create("chat-bench-relay", MemfdFlags::CLOEXEC)?.into(), bytes)
    }

    fn laid_out(file: File, bytes: u64) -> io::Result<Self> {
        debug_assert_eq!(bytes % BLOCK_BYTES as u64, 0, "whole blocks make up the file");
        let block = vec![0; BLOCK_BYTES];
        for offset in (0..bytes).step_by(BLOCK_BYTES) {
            file.write_all_at(&block, offset)?;
        }
        Ok(Self { file, bytes })
    }

    /// Writes at an offset, not over the end.
    pub(super) fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        debug_assert!(offset + bytes.len() as u64 <= self.bytes);
        self.file.write_all_at(bytes, offset)
    }

    /// Returns when what was written survives a loss of power.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// Where a position lies in the file, and how many of so many bytes lie there.
    pub(super) fn place(&self, position: u64, bytes: usize) -> (u64, usize) {
        let offset = position % self.bytes;
        let there = usize::try_from(self.bytes - offset).unwrap_or(usize::MAX);
        (offset, bytes.min(there))
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_behind_the_end_is_at_the_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let ring = Ring::on_disk(&dir.path().join("log"), 1 << 20).unwrap();
        assert_eq!(ring.place((3 << 20) - 1, 10), ((1 << 20) - 1, 1));
        assert_eq!(ring.place(3 << 20, 10), (0, 10));
        ring.write((1 << 20) - 3, b"end").unwrap();
        ring.sync().unwrap();
        let mut end = [0; 4];
        ring.file().read_exact_at(&mut end, (1 << 20) - 4).unwrap();
        assert_eq!(&end, b"\0end");
        assert_eq!(ring.file().metadata().unwrap().len(), 1 << 20);
    }
}
