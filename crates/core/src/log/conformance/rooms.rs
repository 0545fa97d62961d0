//! Rooms that go: nothing of them is left, and their names are free.

use chat_proto::{AccountId, Credential, LogId, PublicKey, Role, RoomId, Seq};

use super::{ADA, BOB, Disk, LOBBY, append, event, named_room, posted, settled};
use crate::{Content, Event, RoomRow, Store};

const DEN: LogId = LogId(11);
const NEW_DEN: LogId = LogId(12);

/// The den is made and joined.
fn made(log: LogId, ada_seq: u64) -> [Event; 3] {
    let content = Content::RoomCreated { by: Some(ADA), name: named_room("den") };
    [
        event(log, 1, content),
        event(log, 2, Content::Joined { account: ADA }),
        event(ADA, ada_seq, Content::RoomJoined { room: RoomId(log.0) }),
    ]
}

/// It is left, and goes.
fn gone(log: LogId, ada_seq: u64) -> [Event; 3] {
    [
        event(log, 3, Content::Left { account: ADA }),
        event(log, 4, Content::RoomRemoved {}),
        event(ADA, ada_seq, Content::RoomLeft { room: RoomId(log.0) }),
    ]
}

fn append_all(store: &mut impl Store, fact: &str, events: &[Event]) {
    events.iter().for_each(|event| append(store, fact, event));
}

fn rooms(store: &mut impl Store, fact: &str) -> Vec<RoomRow> {
    let mut rooms = store.roll_back().expect(fact).rooms;
    rooms.sort_by_key(|room| room.id);
    rooms
}

pub(super) fn a_room_that_is_gone_leaves_nothing<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    let lobby = RoomRow::new(RoomId(LOBBY.0), named_room("lobby"), Seq(3));
    let lobby = RoomRow { is_permanent: true, ..lobby };
    append_all(&mut store, fact, &made(DEN, 3));
    store.commit().expect(fact);
    let den = RoomRow::new(RoomId(DEN.0), named_room("den"), Seq(2));
    assert_eq!(rooms(&mut store, fact), [lobby.clone(), den.clone()], "{fact}");

    append_all(&mut store, fact, &gone(DEN, 4));
    assert_eq!(rooms(&mut store, fact), [lobby.clone(), den], "{fact}: it was rolled back");
    append_all(&mut store, fact, &gone(DEN, 4));
    store.commit().expect(fact);
    assert_eq!(rooms(&mut store, fact), std::slice::from_ref(&lobby), "{fact}");
    drop(store);

    let mut store = disk.open();
    let snapshot = store.recover().expect(fact);
    assert_eq!(snapshot.rooms, std::slice::from_ref(&lobby), "{fact}");
    assert!(snapshot.members.iter().all(|(room, _)| *room == RoomId(LOBBY.0)), "{fact}");
    // Its name is free, also for one that is made and goes in one commit.
    append_all(&mut store, fact, &made(NEW_DEN, 5));
    append_all(&mut store, fact, &gone(NEW_DEN, 6));
    append_all(&mut store, fact, &made(LogId(13), 7));
    store.commit().expect(fact);
    let newest = RoomRow::new(RoomId(13), named_room("den"), Seq(2));
    assert_eq!(rooms(&mut store, fact), [lobby, newest], "{fact}");
    append(
        &mut store,
        fact,
        &event(BOB, 3, Content::AccountRenamed { by: BOB, name: super::named("rob") }),
    );
    store.commit().expect(fact);
    let heads = store.recover().expect(fact).accounts.iter().map(|row| row.head.0).sum::<u64>();
    assert_eq!(heads, 7 + 3, "{fact}: accounts keep what happened to them");
}

pub(super) fn a_room_stays_once_something_was_said<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    append_all(&mut store, fact, &made(DEN, 3));
    append(&mut store, fact, &posted(4, 1, "one"));
    store.commit().expect(fact);
    let said = |store: &mut D::Store| {
        let found = rooms(store, fact);
        found.iter().map(|room| (room.id.0, room.has_posts)).collect::<Vec<_>>()
    };
    assert_eq!(said(&mut store), [(LOBBY.0, true), (DEN.0, false)], "{fact}");
    append(&mut store, fact, &event(LOBBY, 5, Content::Left { account: BOB }));
    append(&mut store, fact, &event(BOB, 3, Content::RoomLeft { room: RoomId(LOBBY.0) }));
    store.commit().expect(fact);
    assert_eq!(said(&mut store), [(LOBBY.0, true), (DEN.0, false)], "{fact}: whatever follows");
    drop(store);
    assert_eq!(said(&mut disk.open()), [(LOBBY.0, true), (DEN.0, false)], "{fact}: after a kill");
}

/// What a role is kept as: who, and which.
fn roles(store: &mut impl Store, fact: &str) -> Vec<(u64, u64, Role)> {
    let roles = store.roll_back().expect(fact).roles;
    roles.iter().map(|(room, account, role)| (room.0, account.0, *role)).collect()
}

pub(super) fn roles_follow_the_events_in_their_order<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    append_all(&mut store, fact, &made(DEN, 3));
    let set =
        |seq, account, role| event(DEN, seq, Content::RoleSet { by: Some(ADA), account, role });
    append(&mut store, fact, &event(DEN, 3, Content::Joined { account: BOB }));
    append(&mut store, fact, &event(BOB, 3, Content::RoomJoined { room: RoomId(DEN.0) }));
    append(&mut store, fact, &set(4, BOB, Role::Moderator));
    store.commit().expect(fact);
    let expected = [(DEN.0, ADA.0, Role::Owner), (DEN.0, BOB.0, Role::Moderator)];
    assert_eq!(roles(&mut store, fact), expected, "{fact}: whoever makes a room owns it");

    append(&mut store, fact, &set(5, ADA, Role::Member));
    assert_eq!(roles(&mut store, fact), expected, "{fact}: it was rolled back");
    append(&mut store, fact, &set(5, ADA, Role::Member));
    append(&mut store, fact, &set(6, ADA, Role::Owner));
    store.commit().expect(fact);
    drop(store);
    let mut store = disk.open();
    let expected = [(DEN.0, BOB.0, Role::Moderator), (DEN.0, ADA.0, Role::Owner)];
    assert_eq!(roles(&mut store, fact), expected, "{fact}: in the order in which they got them");

    append(&mut store, fact, &event(DEN, 7, Content::Left { account: BOB }));
    append(&mut store, fact, &event(BOB, 4, Content::RoomLeft { room: RoomId(DEN.0) }));
    store.commit().expect(fact);
    let expected = [(DEN.0, ADA.0, Role::Owner)];
    assert_eq!(roles(&mut store, fact), expected, "{fact}: a role goes with the membership");
}

pub(super) fn what_is_set_of_a_room_follows_the_events<D: Disk>(disk: &mut D, fact: &str) {
    let mut store = settled(disk, fact);
    let by = ADA;
    append_all(&mut store, fact, &made(DEN, 3));
    let told = [
        Content::AccessSet { by, is_private: true },
        Content::InvitationSet { by, account: BOB, is_set: true },
        Content::TopicSet { by, topic: "what the den is for".to_owned() },
        Content::ReadOnlySet { by, is_read_only: true },
    ];
    for (seq, content) in (3..).zip(told) {
        append(&mut store, fact, &event(DEN, seq, content));
    }
    store.commit().expect(fact);
    let den = RoomRow::new(RoomId(DEN.0), named_room("den"), Seq(6));
    let topic = "what the den is for".to_owned();
    let den = RoomRow { is_public: false, is_read_only: true, topic, ..den };
    assert_eq!(rooms(&mut store, fact)[1], den, "{fact}");
    let invited = |store: &mut D::Store| store.roll_back().expect(fact).invited;
    assert_eq!(invited(&mut store), [(RoomId(DEN.0), BOB)], "{fact}");
    append(&mut store, fact, &event(DEN, 7, Content::Joined { account: BOB }));
    append(&mut store, fact, &event(BOB, 3, Content::RoomJoined { room: RoomId(DEN.0) }));
    store.commit().expect(fact);
    drop(store);
    assert!(invited(&mut disk.open()).is_empty(), "{fact}: it has served");
}

/// Whose names everybody may know, and whom the logs of private rooms tell of.
fn names(store: &mut impl Store, fact: &str) -> (Vec<u64>, Vec<(u64, u64)>) {
    let snapshot = store.roll_back().expect(fact);
    let mut known: Vec<_> = snapshot.accounts.iter().filter(|row| row.is_known).collect();
    known.sort_by_key(|row| row.id);
    let mut named: Vec<_> =
        snapshot.named.iter().map(|(room, account)| (room.0, account.0)).collect();
    named.sort_unstable();
    (known.into_iter().map(|row| row.id.0).collect(), named)
}

pub(super) fn whom_the_logs_tell_of_follows_the_events<D: Disk>(disk: &mut D, fact: &str) {
    const EVE: AccountId = AccountId(30);
    const IDA: AccountId = AccountId(31);
    let mut store = settled(disk, fact);
    assert_eq!(names(&mut store, fact), (vec![ADA.0, BOB.0], vec![]), "{fact}: in the lobby");
    for (account, key, name) in [(EVE, 0xE0, "eve"), (IDA, 0x1D, "ida")] {
        let credential = Credential::Key(PublicKey([key; 32]));
        let content = Content::AccountCreated { credential, name: super::named(name) };
        append(&mut store, fact, &event(account, 1, content));
    }
    let made = Content::RoomCreated { by: Some(EVE), name: named_room("den") };
    append(&mut store, fact, &event(DEN, 1, made));
    append(&mut store, fact, &event(DEN, 2, Content::AccessSet { by: EVE, is_private: true }));
    append(&mut store, fact, &event(DEN, 3, Content::Joined { account: EVE }));
    append(&mut store, fact, &event(DEN, 4, Content::Joined { account: BOB }));
    for (seq, is_set) in [(5, true), (6, false)] {
        let content = Content::InvitationSet { by: EVE, account: IDA, is_set };
        append(&mut store, fact, &event(DEN, seq, content));
    }
    let talk = Content::DirectBegun { by: ADA, account: IDA };
    append(&mut store, fact, &event(NEW_DEN, 1, talk));
    for (seq, account) in [(2, ADA), (3, IDA)] {
        append(&mut store, fact, &event(NEW_DEN, seq, Content::Joined { account }));
    }
    store.commit().expect(fact);
    let named = vec![(DEN.0, EVE.0), (DEN.0, IDA.0), (NEW_DEN.0, IDA.0)];
    assert_eq!(names(&mut store, fact), (vec![ADA.0, BOB.0], named), "{fact}");
    let snapshot = store.roll_back().expect(fact);
    let talk = snapshot.rooms.iter().find(|row| row.id.0 == NEW_DEN.0).expect(fact);
    let between = crate::direct_name([IDA, ADA]);
    assert_eq!((&talk.name, talk.is_public), (&between, false), "{fact}");

    append(&mut store, fact, &event(DEN, 7, Content::AccessSet { by: EVE, is_private: false }));
    store.commit().expect(fact);
    drop(store);
    let expected = (vec![ADA.0, BOB.0, EVE.0, IDA.0], vec![]);
    assert_eq!(names(&mut disk.open(), fact), expected, "{fact}: it is everybody's to read");
}
