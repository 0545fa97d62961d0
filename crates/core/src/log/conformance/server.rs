//! The server's own log, and the invitations that follow from it.

use chat_proto::{InvitationHash, LogId, RoomId, Seq, Timestamp};

use super::{ADA, BOB, Disk, LOBBY, append, event, settled};
use crate::{Content, Event, InvitationRow, Lookup, Store};

fn hash(number: u8) -> InvitationHash {
    InvitationHash([number; 32])
}

fn created(seq: u64, number: u8, uses: u32, expires: u64) -> Event {
    let (rooms, name) = ([RoomId(LOBBY.0)].into(), "eve".into());
    let (hash, expires) = (hash(number), Timestamp(expires));
    let content = Content::InvitationCreated { by: ADA, hash, uses, expires, rooms, name };
    event(LogId::SERVER, seq, content)
}

fn row(number: u8, uses_left: u32, expires: u64) -> InvitationRow {
    let (rooms, name) = (vec![RoomId(LOBBY.0)], "eve".to_owned());
    let expires = Timestamp(expires);
    InvitationRow { hash: hash(number), by: ADA, uses_left, expires, rooms, name }
}

pub(super) fn the_server_has_a_log_and_invitations<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    let snapshot = store.roll_back().expect(fact);
    assert_eq!((snapshot.server_head, snapshot.invitations), (Seq(0), vec![]), "{fact}");
    let used = |number| Content::InvitationUsed { id: hash(number).id(), account: BOB };
    append(&mut store, fact, &created(1, 1, 2, 9_000));
    append(&mut store, fact, &created(2, 2, 1, 9_000));
    append(&mut store, fact, &created(3, 3, 7, 1_004));
    store.commit().expect(fact);
    let open = [row(1, 2, 9_000), row(2, 1, 9_000), row(3, 7, 1_004)];
    let snapshot = store.roll_back().expect(fact);
    assert_eq!((snapshot.server_head, snapshot.invitations), (Seq(3), open.to_vec()), "{fact}");

    append(&mut store, fact, &event(LogId::SERVER, 4, used(1)));
    append(&mut store, fact, &event(LogId::SERVER, 5, used(2)));
    append(&mut store, fact, &created(6, 4, 1, 9_000));
    assert_eq!(store.roll_back().expect(fact).invitations, open, "{fact}: it was rolled back");
    append(&mut store, fact, &event(LogId::SERVER, 4, used(1)));
    append(&mut store, fact, &event(LogId::SERVER, 5, used(2)));
    // One that has expired by now goes with it.
    append(&mut store, fact, &created(6, 4, 1, 9_000));
    store.commit().expect(fact);
    drop(store);
    let mut store = disk.open();
    let snapshot = store.recover().expect(fact);
    let open = [row(1, 1, 9_000), row(4, 1, 9_000)];
    assert_eq!((snapshot.server_head, snapshot.invitations), (Seq(6), open.to_vec()), "{fact}");

    let id = hash(4).id();
    append(&mut store, fact, &event(LogId::SERVER, 7, Content::InvitationRevoked { id, by: ADA }));
    store.commit().expect(fact);
    assert_eq!(store.newest_ts(LogId::SERVER).expect(fact), Timestamp(1_007), "{fact}");
    drop(store);
    let snapshot = disk.open().recover().expect(fact);
    let open = vec![row(1, 1, 9_000)];
    assert_eq!((snapshot.server_head, snapshot.invitations), (Seq(7), open), "{fact}");
}
