//! What accounts are kept from in rooms: a store has what the state has of it.

use chat_proto::{AccountId, RoomId, Seq, Timestamp};

use super::{ADA, BOB, Disk, LOBBY, append, event, posted, settled};
use crate::{Content, Event, Sanction, SanctionKind, SanctionRow, Snapshot, Store};

const SPAM: &str = "spam\n\u{1b}[31m";

fn at(seq: u64, ts: u64, content: Content) -> Event {
    Event { ts: Timestamp(ts), ..event(LOBBY, seq, content) }
}

fn row(kind: SanctionKind, account: AccountId, since: u64, until: u64) -> SanctionRow {
    let sanction = Sanction {
        by: ADA,
        since: Timestamp(since),
        until: Timestamp(until),
        reason: SPAM.to_owned(),
    };
    SanctionRow { room: RoomId(LOBBY.0), kind, account, sanction }
}

fn kept(store: &mut impl Store, fact: &str) -> Snapshot {
    let snapshot = store.roll_back().expect(fact);
    let (sanctions, slow_rooms) = (snapshot.sanctions, snapshot.slow_rooms);
    Snapshot { sanctions, slow_rooms, slow_posts: snapshot.slow_posts, ..Snapshot::default() }
}

pub(super) fn sanctions_follow_the_events<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    let (ada, bob) = (ADA, BOB);
    let reason = || SPAM.to_owned();
    let muted = |account, until| Content::Muted { account, by: ada, until, reason: reason() };
    let banned = Content::Banned {
        account: bob,
        by: ada,
        until: Timestamp(0),
        reason: reason(),
        was_member: true,
    };
    append(&mut store, fact, &at(4, 2_000, muted(bob, Timestamp(2_500))));
    append(&mut store, fact, &at(5, 2_001, banned));
    append(&mut store, fact, &at(6, 2_002, Content::SlowSet { by: ada, seconds: 30 }));
    append(&mut store, fact, &posted(7, 1, "one"));
    append(&mut store, fact, &posted(8, 2, "two"));
    store.commit().expect(fact);
    let (ban, mute) = (SanctionKind::Ban, SanctionKind::Mute);
    let said = |seq: u64| vec![(RoomId(LOBBY.0), ada, posted(seq, 1, "").ts)];
    let expected = Snapshot {
        sanctions: vec![row(ban, BOB, 2_001, 0), row(mute, BOB, 2_000, 2_500)],
        slow_rooms: vec![(RoomId(LOBBY.0), 30)],
        slow_posts: said(8),
        ..Snapshot::default()
    };
    assert_eq!(kept(&mut store, fact), expected, "{fact}");
    let members = store.roll_back().expect(fact).members;
    assert!(members.iter().all(|(_room, member)| *member != bob), "{fact}: who is banned is none");

    append(&mut store, fact, &at(9, 3_000, muted(ada, Timestamp(0))));
    append(&mut store, fact, &at(10, 3_001, Content::Unbanned { account: bob, by: ada }));
    append(&mut store, fact, &at(11, 3_002, Content::SlowSet { by: ada, seconds: 0 }));
    append(&mut store, fact, &posted(12, 3, "three"));
    assert_eq!(kept(&mut store, fact), expected, "{fact}: it was rolled back");

    append(&mut store, fact, &posted(9, 3, "three"));
    store.commit().expect(fact);
    assert_eq!(kept(&mut store, fact).slow_posts, said(9), "{fact}");
    append(&mut store, fact, &at(10, 3_000, muted(ada, Timestamp(0))));
    append(&mut store, fact, &at(11, 3_001, Content::Unbanned { account: bob, by: ada }));
    store.commit().expect(fact);
    drop(store);
    let mut store = disk.open();
    let expected =
        Snapshot { sanctions: vec![row(mute, ADA, 3_000, 0)], slow_posts: said(9), ..expected };
    assert_eq!(kept(&mut store, fact), expected, "{fact}: what is over goes with the next");

    append(&mut store, fact, &at(12, 3_002, Content::SlowSet { by: ada, seconds: 0 }));
    append(&mut store, fact, &posted(13, 4, "four"));
    append(&mut store, fact, &at(14, 3_003, Content::Unmuted { account: ada, by: ada }));
    store.commit().expect(fact);
    assert_eq!(kept(&mut store, fact), Snapshot::default(), "{fact}: nothing is left of it");
    assert_eq!(store.roll_back().expect(fact).rooms[0].head, Seq(14), "{fact}");
}
