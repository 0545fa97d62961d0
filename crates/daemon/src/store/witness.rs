//! The witness beside the store: a small text file, rewritten in place after every commit, by
//! which an older copy of the store is recognised. See [`chat_core::Lineage`].
//!
//! It is not synchronised with each commit: it may lag behind the store, never run ahead of it.
//! It names its own inode, so that a witness that was restored together with the store is none.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use chat_core::Witness;
use chat_proto::Epoch;

use super::directory::open_private;

/// The record is shorter.
const RECORD_BYTES_MAX: u64 = 1024;

/// The file.
#[derive(Debug)]
pub(super) struct WitnessFile {
    file: File,
    inode: u64,
}

impl WitnessFile {
    /// Opens the file, made where it is missing, and tells what it says.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Option<Witness>)> {
        let file = open_private(path)?;
        let inode = file.metadata()?.ino();
        let mut record = Vec::new();
        (&file).take(RECORD_BYTES_MAX).read_to_end(&mut record)?;
        let witness = parse(&String::from_utf8_lossy(&record), inode);
        Ok((Self { file, inode }, witness))
    }

    /// Replaces the record. A killed process leaves the old one or the new one, never a mixture.
    pub(super) fn write(&self, witness: &Witness) -> io::Result<()> {
        self.file.write_all_at(format(witness, self.inode).as_bytes(), 0)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}

/// The machine's boot: another one after each start of the machine.
pub(super) fn boot() -> Result<u128, getrandom::Error> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    match u128::from_str_radix(&id.trim().replace('-', ""), 16) {
        Ok(boot) => Ok(boot),
        // Elsewhere nobody tells: each start of the daemon then counts as a boot.
        Err(_not_linux) => {
            let mut bytes = [0; 16];
            getrandom::fill(&mut bytes)?;
            Ok(u128::from_le_bytes(bytes))
        }
    }
}

/// Always of the same length, so that it is replaced in place.
fn format(witness: &Witness, inode: u64) -> String {
    let Witness { epoch: Epoch(epoch), commits, survives_power_loss, boot } = witness;
    let durability = if *survives_power_loss { "full" } else { "process" };
    format!(
        "chatd witness 1\n\
         epoch {epoch:016x}\n\
         commits {commits:020}\n\
         durability {durability:7}\n\
         boot {boot:032x}\n\
         inode {inode:020}\n"
    )
}

fn parse(record: &str, inode: u64) -> Option<Witness> {
    let mut lines = record.lines();
    (lines.next()? == "chatd witness 1").then_some(())?;
    let mut value = |key| Some(lines.next()?.strip_prefix(key)?.trim());
    let witness = Witness {
        epoch: Epoch(u64::from_str_radix(value("epoch ")?, 16).ok()?),
        commits: value("commits ")?.parse().ok()?,
        survives_power_loss: match value("durability ")? {
            "full" => true,
            "process" => false,
            _ => return None,
        },
        boot: u128::from_str_radix(value("boot ")?, 16).ok()?,
    };
    (value("inode ")?.parse() == Ok(inode)).then_some(witness)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITNESS: Witness =
        Witness { epoch: Epoch(0xAB), commits: 12, survives_power_loss: false, boot: 7 };

    #[test]
    fn what_was_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness");
        let (file, none) = WitnessFile::open(&path).unwrap();
        assert_eq!(none, None);
        file.write(&Witness { survives_power_loss: true, ..WITNESS }).unwrap();
        file.write(&WITNESS).unwrap();
        assert_eq!(WitnessFile::open(&path).unwrap().1, Some(WITNESS));
    }

    #[test]
    fn a_witness_that_was_copied_or_cut_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness");
        WitnessFile::open(&path).unwrap().0.write(&WITNESS).unwrap();
        std::fs::copy(&path, dir.path().join("copy")).unwrap();
        assert_eq!(WitnessFile::open(&dir.path().join("copy")).unwrap().1, None);

        let record = format(&WITNESS, 5);
        assert_eq!(parse(&record, 5), Some(WITNESS));
        for end in 0..record.len() - 1 {
            assert_eq!(parse(&record[..end], 5), None, "cut at {end}");
        }
    }
}
