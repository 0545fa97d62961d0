//! The witness beside the store: a small text file, rewritten in place after every commit, by
//! which an older copy of the store is recognised. See [`chat_core::Lineage`].
//!
//! It is not synchronised with each commit: it may lag behind the store, never run ahead of it.
//! It names its own inode, so that a witness that was restored together with the store is none, and
//! that of the database, so that a WAL is not taken for that of a file that was put in its place.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use chat_core::Witness;
use chat_proto::Epoch;

use super::directory::open_private;
use crate::system::boot;

/// The record is shorter.
const RECORD_BYTES_MAX: u64 = 1024;

/// Each number is written with so many digits.
const NUMBER_DIGITS: usize = 20;

/// The file, held open: it is rewritten in place.
#[derive(Debug)]
pub(super) struct WitnessFile {
    file: File,
    inode: u64,
    /// Of the file that it stands beside.
    database: u64,
}

/// What a witness says that was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Testimony {
    pub(super) witness: Witness,
    /// The inode of the database that it stood beside.
    pub(super) database: u64,
    /// It is the very file that was written there, not a copy.
    pub(super) is_original: bool,
}

impl WitnessFile {
    /// Opens the file, made where it is missing, to stand beside this database.
    pub(super) fn open(path: &Path, database: &File) -> io::Result<Self> {
        let file = open_private(path)?;
        let inode = file.metadata()?.ino();
        Ok(Self { file, inode, database: database.metadata()?.ino() })
    }

    /// The file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Whether what was found there is of the database that it stands beside now.
    pub(super) fn is_of(&self, found: &Testimony) -> bool {
        found.database == self.database
    }

    /// Replaces the record. A killed process leaves the old one or the new one, never a mixture.
    pub(super) fn write(&self, witness: &Witness) -> io::Result<()> {
        let record = format(witness, self.inode, self.database);
        self.file.write_all_at(record.as_bytes(), 0)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_all()
    }
}

/// What a witness says, if there is one.
pub(super) fn read(path: &Path) -> io::Result<Option<Testimony>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let inode = file.metadata()?.ino();
    let mut record = Vec::new();
    file.take(RECORD_BYTES_MAX).read_to_end(&mut record)?;
    Ok(parse(&String::from_utf8_lossy(&record), inode))
}

/// The machine's boot: another one after each start of the machine. Where nobody tells, each start of
/// the daemon counts as one.
pub(super) fn boot() -> Result<u128, getrandom::Error> {
    if let Some(boot) = boot::id() {
        return Ok(boot);
    }
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(u128::from_le_bytes(bytes))
}

/// Always of the same length, so that it is replaced in place.
fn format(witness: &Witness, inode: u64, database: u64) -> String {
    let Witness { epoch: Epoch(epoch), commits, survives_power_loss, boot } = witness;
    let durability = if *survives_power_loss { "full" } else { "process" };
    format!(
        "chatd witness 1\n\
         epoch {epoch:016x}\n\
         commits {commits:020}\n\
         durability {durability:7}\n\
         boot {boot:032x}\n\
         inode {inode:020}\n\
         database {database:020}\n"
    )
}

fn parse(record: &str, inode: u64) -> Option<Testimony> {
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
    let is_original = value("inode ")?.parse() == Ok(inode);
    let database = value("database ")?;
    // A number that was cut off is another number.
    let database = (database.len() == NUMBER_DIGITS).then(|| database.parse().ok())??;
    Some(Testimony { witness, database, is_original })
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITNESS: Witness =
        Witness { epoch: Epoch(0xAB), commits: 12, survives_power_loss: false, boot: 7 };

    fn open(path: &Path) -> WitnessFile {
        WitnessFile::open(path, &File::open("/dev/null").unwrap()).unwrap()
    }

    #[test]
    fn what_was_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness");
        assert_eq!(read(&path).unwrap(), None);
        let file = open(&path);
        assert_eq!(read(&path).unwrap(), None);
        file.write(&Witness { survives_power_loss: true, ..WITNESS }).unwrap();
        file.write(&WITNESS).unwrap();
        let found = read(&path).unwrap().unwrap();
        assert_eq!((found.witness, found.is_original), (WITNESS, true));
        assert_eq!(found.database, std::fs::metadata("/dev/null").unwrap().ino());
    }

    #[test]
    fn a_witness_that_was_copied_or_cut_is_told_from_the_original() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("witness");
        open(&path).write(&WITNESS).unwrap();
        std::fs::copy(&path, dir.path().join("copy")).unwrap();
        let copy = read(&dir.path().join("copy")).unwrap().unwrap();
        assert_eq!((copy.witness, copy.is_original), (WITNESS, false));

        let record = format(&WITNESS, 5, 6);
        let whole = Testimony { witness: WITNESS, database: 6, is_original: true };
        assert_eq!(parse(&record, 5), Some(whole));
        for end in 0..record.len() - 1 {
            assert_eq!(parse(&record[..end], 5), None, "cut at {end}");
        }
    }
}
