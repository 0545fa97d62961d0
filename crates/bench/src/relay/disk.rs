//! A file that is laid out beforehand and overwritten in a circle: the cheapest way to have bytes
//! survive a loss of power, since a write changes nothing but the bytes.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// What is written at once while the file is laid out.
const BLOCK_BYTES: usize = 1024 * 1024;

/// The file.
pub(super) struct Disk {
    file: File,
    bytes: u64,
}

impl Disk {
    /// Lays out a file of so many bytes, which are a multiple of 1 MiB.
    pub(super) fn create(path: &Path, bytes: u64) -> io::Result<Self> {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path)?;
        let block = vec![0; BLOCK_BYTES];
        for offset in (0..bytes).step_by(BLOCK_BYTES) {
            file.write_all_at(&block, offset)?;
        }
        file.sync_all()?;
        Ok(Self { file, bytes })
    }

    /// Writes bytes at a position, and returns when they are on the disk.
    pub(super) fn write(&self, position: u64, mut bytes: &[u8]) -> io::Result<()> {
        let mut position = position;
        while !bytes.is_empty() {
            let (offset, there) = self.place(position, bytes.len());
            self.file.write_all_at(&bytes[..there], offset)?;
            position += there as u64;
            bytes = &bytes[there..];
        }
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
    fn what_is_written_over_the_end_goes_on_at_the_beginning() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::create(&dir.path().join("log"), 1 << 20).unwrap();
        let bytes: Vec<u8> = (0..100).collect();
        disk.write((5 << 20) - 40, &bytes).unwrap();
        let mut end = [0; 40];
        disk.file().read_exact_at(&mut end, (1 << 20) - 40).unwrap();
        let mut beginning = [0; 60];
        disk.file().read_exact_at(&mut beginning, 0).unwrap();
        assert_eq!((&end[..], &beginning[..]), (&bytes[..40], &bytes[40..]));
        assert_eq!(disk.file().metadata().unwrap().len(), 1 << 20);
        assert_eq!(disk.place((3 << 20) - 1, 10), ((1 << 20) - 1, 1));
    }
}
