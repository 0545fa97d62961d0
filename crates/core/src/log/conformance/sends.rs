//! Facts about sends: what has become of each, and what a stream is bound to.

use chat_proto::{Nonce, RoomId, StreamId};

use super::{ADA, BOB, Disk, LOBBY, STREAM, append, nonce, past, posted, settled};
use crate::{BoundStream, Content, Lookup, Store};

pub(super) fn every_send_is_remembered<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    let is_posted = |n: u64| !n.is_multiple_of(4) && !(20..30).contains(&n);
    let seq = |n: u64| 3 + (1..=n).filter(|n| is_posted(*n)).count() as u64;
    let said = |n: u64| format!("said {n}");
    for n in (1..=41).filter(|n| is_posted(*n)) {
        append(&mut store, fact, &posted(seq(n), n, &said(n)));
        if n % 3 == 0 {
            store.commit().expect(fact);
        }
    }
    assert_eq!(store.high_water(ADA, STREAM).expect(fact), 41, "{fact}");
    for n in 0..=50 {
        let expected = (is_posted(n) && n <= 41).then(|| past(seq(n), n, &said(n)));
        assert_eq!(store.past_send(ADA, nonce(n)).expect(fact), expected, "{fact}: {n}");
    }
    assert_eq!(store.past_send(ADA, nonce(u64::MAX)).expect(fact), None, "{fact}");
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
    let room = RoomId(LOBBY.0);
    assert_eq!(store.stream(ADA, STREAM).expect(fact), None, "{fact}");
    // What was before it was refused.
    append(&mut store, fact, &posted(4, 3, "three"));
    let check = |store: &D::Store, when: &str| {
        let mark = store.stream(ADA, STREAM).expect(fact);
        assert_eq!(mark, Some(BoundStream { room, high_water: 3 }), "{fact}: {when}");
        assert_eq!(store.stream(BOB, STREAM).expect(fact), None, "{fact}: {when}");
        let other = Nonce { stream: StreamId([0x0F; 16]), n: 1 };
        assert_eq!(store.stream(ADA, other.stream).expect(fact), None, "{fact}: {when}");
    };
    check(&store, "in the open transaction");
    store.commit().expect(fact);
    check(&store, "after the commit");
    drop(store);
    let mut store = disk.open();
    store.recover().expect(fact);
    check(&store, "after a restart");
}
