//! SQLite does what every store must do, whatever a commit is to survive.

use chat_core::conformance::{Disk, run};
use chatd::store::{Durability, SqliteStore};
use tempfile::TempDir;

struct Sqlite {
    dir: TempDir,
    durability: Durability,
    /// It commits in a thread of its own.
    is_beside: bool,
}

impl Disk for Sqlite {
    type Store = SqliteStore;

    fn open(&mut self) -> SqliteStore {
        let opened = SqliteStore::open(self.dir.path(), self.durability);
        let mut store = opened.expect("the store opens");
        if self.is_beside {
            store.commit_beside(|| ()).expect("there is a thread");
        }
        store
    }
}

fn fresh(durability: Durability) -> Sqlite {
    let dir = tempfile::tempdir().expect("there is room");
    Sqlite { dir, durability, is_beside: false }
}

#[test]
fn sqlite_conforms_with_full_durability() {
    run(|| fresh(Durability::Full));
}

#[test]
fn sqlite_conforms_when_only_a_kill_is_to_be_survived() {
    run(|| fresh(Durability::Process));
}

#[test]
fn sqlite_conforms_when_it_commits_in_a_thread_of_its_own() {
    run(|| Sqlite { is_beside: true, ..fresh(Durability::Full) });
}
