//! SQLite does what every store must do, whatever a commit is to survive.

use chat_core::conformance::{Disk, run};
use chatd::store::{Durability, SqliteStore};
use tempfile::TempDir;

struct Sqlite {
    dir: TempDir,
    durability: Durability,
}

impl Disk for Sqlite {
    type Store = SqliteStore;

    fn open(&mut self) -> SqliteStore {
        SqliteStore::open(self.dir.path(), self.durability).expect("the store opens")
    }
}

fn fresh(durability: Durability) -> Sqlite {
    Sqlite { dir: tempfile::tempdir().expect("there is room"), durability }
}

#[test]
fn sqlite_conforms_with_full_durability() {
    run(|| fresh(Durability::Full));
}

#[test]
fn sqlite_conforms_when_only_a_kill_is_to_be_survived() {
    run(|| fresh(Durability::Process));
}
