//! Facts about what is followed, and what the user is told of it.

use chat_client::{Client, Event, Events, HistoryPage, Message, RequestError};
use chat_proto::{
    AccountInfo, AccountList, Accounts, Epoch, Error, ErrorCode, FindRoom, Frame, History, Join,
    List, Member, MessageId, Position, Posted, RequestId, Reset, RoomInfo, RoomJoined, RoomLeft,
    RoomName, Seq, Subscribe, Subscribed, TextBody, Timestamp, Unsubscribe,
};

use crate::fake::*;

pub(crate) fn posted(seq: u64, text: &str) -> Posted {
    Posted {
        room: LOBBY,
        seq: Seq(seq),
        ts: Timestamp(seq),
        from: BOB,
        id: MessageId([1; 16]),
        body: TextBody::say(text),
    }
}

pub(crate) async fn message(events: &mut Events) -> Message {
    event(events, |event| match event {
        Event::Message(message) => Some(message),
        _ => None,
    })
    .await
}

pub(crate) fn with_bob(epoch: Epoch, head: u64) -> Subscribed {
    let bob = Member { account: BOB, name: "bob".into(), online: true };
    Subscribed {
        log: LOBBY.into(),
        epoch,
        head: Seq(head),
        name: "lobby".into(),
        topic: String::new(),
        members: List::first_of([bob]),
        member_count: 1,
        online: 1,
    }
}

/// A script that follows the lobby from its beginning.
pub(crate) async fn following(
    daemon: &Daemon,
    dir: &std::path::Path,
    head: u64,
) -> (Client, Events, Peer) {
    let (client, events) = daemon.script(dir);
    let mut peer = daemon.serve().await;
    let follower = client.clone();
    let follow =
        tokio::spawn(async move { follower.follow(LOBBY.into(), Some(Position::default())).await });
    let (id, ask) = peer.subscribe().await;
    assert_eq!((ask.log, ask.after), (LOBBY.into(), Some(Position::default())));
    peer.reply(id, &with_bob(EPOCH, head)).await;
    within(follow).await.unwrap().unwrap();
    (client, events, peer)
}

#[tokio::test]
async fn a_membership_brings_its_room_and_what_is_said_there() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    let joined = |seq| RoomJoined { account: ADA, seq: Seq(seq), ts: Timestamp(1), room: LOBBY };
    peer.event(&joined(1)).await;
    let (id, ask) = peer.subscribe().await;
    assert_eq!(ask, Subscribe { log: LOBBY.into(), after: None });
    peer.reply(id, &with_bob(EPOCH, 4)).await;
    peer.event(&posted(5, "hi")).await;
    let member = event(&mut events, |event| match event {
        Event::Membership { room, name, joined } => Some((room, name, joined)),
        _ => None,
    })
    .await;
    assert_eq!(member, (LOBBY, "lobby".into(), true));
    let message = message(&mut events).await;
    assert_eq!((message.room_name.as_str(), message.from_name.as_str()), ("lobby", "bob"));
    assert!(message.live);

    let left = RoomLeft { account: ADA, seq: Seq(2), ts: Timestamp(2), room: LOBBY };
    peer.event(&left).await;
    let _: (_, Unsubscribe) = peer.expect().await;
    event(&mut events, |event| match event {
        Event::Membership { joined: false, .. } => Some(()),
        _ => None,
    })
    .await;
}

#[tokio::test]
async fn a_join_follows_the_room_from_what_is_new_on() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.script(dir.path());
    let mut peer = daemon.serve().await;
    let joining = tokio::spawn(async move {
        let info = client.join(&RoomName::parse("lobby").unwrap()).await;
        (info, client)
    });
    let (id, join): (_, Join) = peer.expect().await;
    assert_eq!(join.name, "lobby");
    let info = RoomInfo {
        room: LOBBY,
        name: "lobby".into(),
        head: Seq(4),
        members: 1,
        online: 1,
        joined: true,
        ..RoomInfo::default()
    };
    peer.reply(id, &info).await;
    let (id, ask) = peer.subscribe().await;
    assert_eq!(ask.after, None);
    peer.reply(id, &with_bob(EPOCH, 4)).await;
    let (joined, _client) = within(joining).await.unwrap();
    assert_eq!(joined.unwrap(), info);
    peer.event(&posted(5, "hi")).await;
    assert_eq!(message(&mut events).await.seq, Seq(5));
}

#[tokio::test]
async fn the_past_is_told_as_the_past() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events, mut peer) = following(&daemon, dir.path(), 2).await;
    for seq in 1..=3 {
        peer.event(&posted(seq, "x")).await;
    }
    for (seq, live) in [(1, false), (2, false), (3, true)] {
        let message = message(&mut events).await;
        assert_eq!((message.seq, message.live), (Seq(seq), live));
    }
}

#[tokio::test]
async fn an_event_of_a_stranger_waits_for_the_name_and_so_do_those_behind_it() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events, mut peer) = following(&daemon, dir.path(), 0).await;
    let stranger = chat_proto::AccountId(77);
    peer.event(&Posted { from: stranger, ..posted(1, "who am I") }).await;
    peer.event(&posted(2, "hello")).await;
    let (id, asked): (_, Accounts) = peer.expect().await;
    assert_eq!(asked.ids[..], [stranger]);
    let info = AccountInfo { account: stranger, name: "eve".into() };
    peer.reply(id, &AccountList { accounts: List::first_of([info]) }).await;
    assert_eq!(message(&mut events).await.from_name, "eve");
    assert_eq!(message(&mut events).await.from_name, "bob");
}

#[tokio::test]
async fn after_a_reconnect_the_cursor_goes_on_where_it_was() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events, mut peer) = following(&daemon, dir.path(), 0).await;
    peer.event(&posted(1, "a")).await;
    peer.event(&posted(2, "b")).await;
    assert_eq!(message(&mut events).await.seq, Seq(1));
    assert_eq!(message(&mut events).await.seq, Seq(2));
    drop(peer);
    disconnected(&mut events).await;
    let mut peer = daemon.sign_in().await;
    let asked = [peer.subscribe().await, peer.subscribe().await];
    let lobby = asked.iter().find(|(_, ask)| ask.log == LOBBY.into()).unwrap();
    assert_eq!(lobby.1.after, Some(Position { epoch: EPOCH, seq: Seq(2) }));
    peer.reply(lobby.0, &with_bob(EPOCH, 3)).await;
    peer.event(&posted(3, "c")).await;
    let message = message(&mut events).await;
    assert_eq!((message.seq, message.live), (Seq(3), true), "it was said while we were away");
}

#[tokio::test]
async fn events_that_came_twice_or_too_early_are_not_told() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events, mut peer) = following(&daemon, dir.path(), 0).await;
    peer.event(&posted(1, "a")).await;
    peer.event(&posted(1, "a")).await;
    peer.event(&posted(3, "c")).await;
    let (id, ask) = peer.subscribe().await;
    assert_eq!(ask.after, Some(Position { epoch: EPOCH, seq: Seq(1) }));
    peer.event(&posted(4, "from the old cursor")).await;
    peer.reply(id, &with_bob(EPOCH, 3)).await;
    for seq in 2..=3 {
        peer.event(&posted(seq, "again")).await;
    }
    for seq in 1..=3 {
        assert_eq!(message(&mut events).await.seq, Seq(seq));
    }
}

#[tokio::test]
async fn a_log_that_begins_anew_is_said_and_read_from_its_start() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.script(dir.path());
    let mut peer = daemon.serve().await;
    let old = Position { epoch: Epoch(3), seq: Seq(9) };
    let following = tokio::spawn(async move {
        client.follow(LOBBY.into(), Some(old)).await.unwrap();
        client
    });
    let (id, ask) = peer.subscribe().await;
    assert_eq!(ask.after, Some(old));
    peer.reply(id, &Reset { log: LOBBY.into(), epoch: EPOCH, head: Seq(1) }).await;
    let (id, ask) = peer.subscribe().await;
    assert_eq!(ask.after, Some(Position { epoch: EPOCH, seq: Seq(0) }));
    peer.reply(id, &with_bob(EPOCH, 1)).await;
    peer.event(&posted(1, "a")).await;
    let _client = within(following).await.unwrap();
    event(&mut events, |event| match event {
        Event::Reset { room: LOBBY, epoch: EPOCH, head: Seq(1), .. } => Some(()),
        Event::Message(_) => panic!("before the reset was said"),
        _ => None,
    })
    .await;
    assert_eq!(message(&mut events).await.seq, Seq(1));
}

#[tokio::test]
async fn who_is_ahead_of_the_server_asks_again_from_the_same_place() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.script(dir.path());
    let mut peer = daemon.serve().await;
    let ahead = Position { epoch: EPOCH, seq: Seq(9) };
    let following = tokio::spawn(async move {
        client.follow(LOBBY.into(), Some(ahead)).await.unwrap();
        client
    });
    for _ in 0..2 {
        let (id, ask) = peer.subscribe().await;
        assert_eq!(ask.after, Some(ahead));
        peer.reply(id, &Error::new(ErrorCode::Busy, "not so far yet")).await;
    }
    let (id, ask) = peer.subscribe().await;
    assert_eq!(ask.after, Some(ahead));
    peer.reply(id, &with_bob(EPOCH, 9)).await;
    peer.event(&posted(10, "a")).await;
    let _client = within(following).await.unwrap();
    assert_eq!(message(&mut events).await.seq, Seq(10));
}

#[tokio::test]
async fn a_log_that_may_not_be_read_is_refused_to_the_one_who_asked() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, _events) = daemon.script(dir.path());
    let mut peer = daemon.serve().await;
    let following = tokio::spawn(async move { client.follow(LOBBY.into(), None).await });
    let (id, _) = peer.subscribe().await;
    peer.reply(id, &Error::new(ErrorCode::NotReadable, "not yours")).await;
    let refused = within(following).await.unwrap();
    assert!(matches!(refused, Err(RequestError::Refused(why)) if why.reason == "not yours"));
}

#[tokio::test]
async fn a_page_of_history_comes_with_names() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, _events) = daemon.script(dir.path());
    let mut peer = daemon.serve().await;
    let asking = tokio::spawn(async move { client.history(LOBBY, None, 50).await });
    let (id, asked): (_, History) = peer.expect().await;
    assert_eq!((asked.before, asked.limit), (Seq(u64::MAX), 50));
    let message = chat_proto::Message {
        seq: Seq(4),
        ts: Timestamp(1),
        from: BOB,
        id: MessageId([0; 16]),
        body: TextBody::say("old"),
    };
    let page = chat_proto::HistoryPage {
        room: LOBBY,
        epoch: EPOCH,
        as_of: Seq(9),
        messages: List::first_of([message]),
        more: true,
        gaps: List::default(),
    };
    peer.reply(id, &page).await;
    let (id, _): (_, Accounts) = peer.expect().await;
    let bob = AccountInfo { account: BOB, name: "bob".into() };
    peer.reply(id, &AccountList { accounts: List::first_of([bob]) }).await;
    let page: HistoryPage = within(asking).await.unwrap().unwrap();
    assert_eq!((page.as_of, page.more), (Seq(9), true));
    assert_eq!(page.messages[0].from_name, "bob");
    assert!(!page.messages[0].live);
}

#[tokio::test]
async fn kinds_of_events_that_are_not_known_are_passed_over() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events, mut peer) = following(&daemon, dir.path(), 0).await;
    let mut unknown = Frame::of(&posted(1, "a"), RequestId(0)).unwrap();
    unknown.kind = 0x03F0;
    peer.raw(unknown).await.unwrap();
    let mut newer = Frame::of(&posted(2, "b"), RequestId(0)).unwrap();
    newer.version = 2;
    newer.body = [&newer.body[..], b"more"].concat().into();
    peer.raw(newer).await.unwrap();
    assert_eq!(message(&mut events).await.seq, Seq(2));
}

#[tokio::test]
async fn too_many_events_of_strangers_are_read_again_when_they_have_names() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events, mut peer) = following(&daemon, dir.path(), 0).await;
    let stranger = chat_proto::AccountId(77);
    for seq in 1..=1500 {
        peer.event(&Posted { from: stranger, ..posted(seq, "x") }).await;
    }
    let (names, _): (_, Accounts) = peer.expect().await;
    for _cursor in 0..2 {
        let (id, _): (_, Unsubscribe) = peer.expect().await;
        peer.reply(id, &chat_proto::Done {}).await;
    }
    let info = AccountInfo { account: stranger, name: "eve".into() };
    peer.reply(names, &AccountList { accounts: List::first_of([info]) }).await;
    for seq in 1..=1024 {
        let message = message(&mut events).await;
        assert_eq!((message.seq, message.from_name.as_str()), (Seq(seq), "eve"));
    }
    let asked = [peer.subscribe().await, peer.subscribe().await];
    let lobby = asked.iter().find(|(_, ask)| ask.log == LOBBY.into()).unwrap();
    assert_eq!(lobby.1.after, Some(Position { epoch: EPOCH, seq: Seq(1024) }));
}

#[tokio::test]
async fn a_daemon_that_is_busy_is_asked_again() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, _events) = daemon.script(dir.path());
    let mut peer = daemon.serve().await;
    let asking =
        tokio::spawn(async move { client.find_room(&RoomName::parse("x").unwrap()).await });
    let (id, _): (_, FindRoom) = peer.expect().await;
    peer.reply(id, &Error::new(ErrorCode::Busy, "later")).await;
    let (id, _): (_, FindRoom) = peer.expect().await;
    peer.reply(id, &Error::new(ErrorCode::UnknownRoom, "there is none")).await;
    let refused = within(asking).await.unwrap();
    assert!(matches!(refused, Err(RequestError::Refused(why)) if why.reason == "there is none"));
}

#[tokio::test]
async fn a_restored_own_log_tells_the_difference() {
    let dir = tempfile::tempdir().unwrap();
    let mut daemon = Daemon::new().await;
    let (_client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    let joined = |seq, room| RoomJoined { account: ADA, seq: Seq(seq), ts: Timestamp(1), room };
    let ops = chat_proto::RoomId(2);
    for (seq, room) in [(1, LOBBY), (2, ops)] {
        peer.event(&joined(seq, room)).await;
        let (id, ask) = peer.subscribe().await;
        peer.subscribed(id, ask.log, Seq(0), &format!("room-{room}")).await;
    }
    let membership = |event| match event {
        Event::Membership { room, name, joined } => Some((room, name, joined)),
        _ => None,
    };
    assert_eq!(event(&mut events, membership).await, (LOBBY, "room-1".into(), true));
    assert_eq!(event(&mut events, membership).await, (ops, "room-2".into(), true));
    drop(peer);
    disconnected(&mut events).await;

    daemon.epoch = Epoch(8);
    let mut peer = daemon.sign_in().await;
    loop {
        let (id, ask) = peer.subscribe().await;
        let (log, head) = (ask.log, Seq(1));
        if ask.after.is_some_and(|after| after.seq > Seq(0) && after.epoch != Epoch(8)) {
            peer.reply(id, &Reset { log, epoch: Epoch(8), head }).await;
        } else {
            peer.subscribed(id, log, head, &format!("room-{log}")).await;
            if log == ADA.into() {
                assert_eq!(ask.after, Some(Position::default()));
                break;
            }
        }
    }
    peer.event(&joined(1, LOBBY)).await;
    assert_eq!(event(&mut events, membership).await, (ops, "room-2".into(), false));
}
