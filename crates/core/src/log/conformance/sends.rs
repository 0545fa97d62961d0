//! Facts about sends: what was decided of each, and what a stream is bound to.

use chat_proto::{ErrorCode, Nonce, RoomId, StreamId};

use super::{
    ADA, BOB, Disk, LOBBY, STREAM, append, digest, nonce, past, posted, refuse, refused, settled,
};
use crate::{BoundStream, Content, Lookup, Record, RefusedSend, Store};

pub(super) fn every_send_is_remembered<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    for n in 1..=40 {
        match n % 4 {
            0 => refuse(&mut store, fact, n, &format!("refused {n}")),
            _ => {
                let seq = 3 + n - n / 4;
                append(&mut store, fact, &posted(seq, n, &format!("said {n}")));
            }
        }
        if n % 3 == 0 {
            store.commit().expect(fact);
        }
    }
    assert_eq!(store.high_water(ADA, STREAM).expect(fact), 40, "{fact}");
    for n in 1..=40 {
        let expected = match n % 4 {
            0 => refused(&format!("refused {n}")),
            _ => past(3 + n - n / 4, n, &format!("said {n}")),
        };
        assert_eq!(store.past_send(ADA, nonce(n)).expect(fact), Some(expected), "{fact}: {n}");
    }
    for n in [0, 41, u64::MAX] {
        assert_eq!(store.past_send(ADA, nonce(n)).expect(fact), None, "{fact}: {n}");
    }
}

pub(super) fn streams_of_two_accounts_are_apart<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    append(&mut store, fact, &posted(4, 1, "one"));
    store.commit().expect(fact);
    assert_eq!(store.high_water(BOB, STREAM).expect(fact), 0, "{fact}");
    assert_eq!(store.past_send(BOB, nonce(1)).expect(fact), None, "{fact}");
    let mut his = posted(5, 1, "one");
    if let Content::Posted { from, .. } = &mut his.content {
        *from = BOB;
    }
    append(&mut store, fact, &his);
    store.commit().expect(fact);
    assert_eq!(store.past_send(BOB, nonce(1)).expect(fact), Some(past(5, 1, "one")), "{fact}");
    assert_eq!(store.past_send(ADA, nonce(1)).expect(fact), Some(past(4, 1, "one")), "{fact}");
}

pub(super) fn a_stream_keeps_its_room<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    let posted_in = RoomId(LOBBY.0);
    // Any number: whoever sends says it.
    let refused_in = [
        (StreamId([0x0F; 16]), RoomId(1 << 40)),
        (StreamId([0x1F; 16]), RoomId(1 << 63)),
        (StreamId([0x2F; 16]), RoomId(u64::MAX)),
    ];
    assert_eq!(store.stream(ADA, STREAM).expect(fact), None, "{fact}");
    append(&mut store, fact, &posted(4, 1, "one"));
    for (stream, room) in refused_in {
        let (nonce, code) = (Nonce { stream, n: 1 }, ErrorCode::UnknownRoom);
        let refused = RefusedSend { account: ADA, room, nonce, code, digest: digest("nowhere") };
        store.append(Record::RefusedSend(refused)).expect(fact);
    }
    let check = |store: &D::Store, when: &str| {
        for (stream, room) in [(STREAM, posted_in)].into_iter().chain(refused_in) {
            let mark = store.stream(ADA, stream).expect(fact);
            assert_eq!(mark, Some(BoundStream { room, high_water: 1 }), "{fact}: {when}");
            assert_eq!(store.stream(BOB, stream).expect(fact), None, "{fact}: {when}");
        }
    };
    check(&store, "in the open transaction");
    store.commit().expect(fact);
    check(&store, "after the commit");
    drop(store);
    let mut store = disk.open();
    store.recover().expect(fact);
    check(&store, "after a restart");
}
