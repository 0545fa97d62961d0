//! How far in the order a store is, which each commit says.

use super::{Disk, append, posted, settled};
use crate::{OrderDigest, OrderProgress, Place, Record, Store, Submission, SubmitterId};

fn progress(place: u64) -> OrderProgress {
    let of = |submitter, n| Submission { submitter: SubmitterId(submitter), n };
    let submitters = vec![of(1, place / 2), of(7, u64::MAX - place)];
    let digest = OrderDigest(u64::MAX - place);
    OrderProgress { place: Place(place), digest, ids_given: 3 * place, submitters }
}

fn put(store: &mut impl Store, fact: &str, place: u64) {
    store.append(Record::OrderProgress(&progress(place))).expect(fact);
}

pub(super) fn each_commit_says_how_far_it_is<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    assert_eq!(store.roll_back().expect(fact).progress, OrderProgress::default(), "{fact}");
    append(&mut store, fact, &posted(4, 1, "one"));
    put(&mut store, fact, 10);
    assert_eq!(store.roll_back().expect(fact).progress, OrderProgress::default(), "{fact}");
    append(&mut store, fact, &posted(4, 1, "one"));
    put(&mut store, fact, 10);
    put(&mut store, fact, 11);
    store.commit().expect(fact);
    assert_eq!(store.roll_back().expect(fact).progress, progress(11), "{fact}: the last one");
    put(&mut store, fact, 12);
    store.commit().expect(fact);
    assert_eq!(store.recover().expect(fact).progress, progress(12), "{fact}");

    // Large, so that it is worth while to commit it beside the caller.
    append(&mut store, fact, &posted(5, 3, &"x".repeat(30_000)));
    put(&mut store, fact, 20);
    store.begin_commit().expect(fact);
    append(&mut store, fact, &posted(6, 4, "behind it"));
    put(&mut store, fact, 21);
    store.finish_commit().expect(fact);
    assert_eq!(store.roll_back().expect(fact).progress, progress(20), "{fact}: the other is lost");
    append(&mut store, fact, &posted(6, 4, "again"));
    put(&mut store, fact, 22);
    store.commit().expect(fact);
    store.commit().expect(fact);
    append(&mut store, fact, &posted(7, 5, "lost"));
    put(&mut store, fact, 23);
    drop(store);
    assert_eq!(disk.open().recover().expect(fact).progress, progress(22), "{fact}");
}
