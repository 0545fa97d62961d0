//! Lists that come in pages: all of them, or an error; never a part that looks like all.

use chat_client::RequestError;
use chat_proto::{
    AccountId, BanInfo, BanList, Bans, InvitationId, InvitationInfo, InvitationList, Invitations,
    List, Member, MemberList, Members, RequestId, RoomId, RoomInfo, RoomList, Rooms, Seq,
    Timestamp,
};

use crate::fake::*;

/// More than any number of pages that one would think of as enough.
const PAGES: u64 = 200;

fn page(id: u64, more: bool) -> RoomList {
    let room = RoomInfo {
        room: RoomId(id),
        name: format!("room-{id}"),
        head: Seq(1),
        ..RoomInfo::default()
    };
    RoomList { rooms: List::first_of([room]), more }
}

#[tokio::test]
async fn all_rooms_come_however_many_pages_they_are() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    connected(&mut events).await;
    let asked = tokio::spawn(async move { client.rooms().await });
    for number in 1..=PAGES {
        let (id, rooms): (RequestId, Rooms) = peer.expect().await;
        assert_eq!(rooms.after, RoomId(number - 1));
        peer.reply(id, &page(number, number < PAGES)).await;
    }
    let rooms = within(asked).await.unwrap().unwrap();
    assert_eq!(rooms.len() as u64, PAGES);
}

#[tokio::test]
async fn a_page_that_brings_nothing_new_is_an_error_and_not_asked_for_again() {
    for again in [page(1, true), RoomList { rooms: List::default(), more: true }] {
        let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
        let (client, mut events) = daemon.screen(dir.path());
        let mut peer = daemon.serve().await;
        connected(&mut events).await;
        let asked = tokio::spawn(async move { client.rooms().await });
        for page in [page(1, true), again] {
            let (id, _rooms): (RequestId, Rooms) = peer.expect().await;
            peer.reply(id, &page).await;
        }
        assert!(matches!(within(asked).await.unwrap(), Err(RequestError::Refused(_))));
    }
}

#[tokio::test]
async fn a_million_members_of_a_server_that_does_not_end_are_an_error() {
    const PAGE: u64 = 256;
    const ENDED_BY: u64 = 1_000_000;
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    connected(&mut events).await;
    let asking = client.clone();
    let mut asked = tokio::spawn(async move { asking.members(LOBBY).await });
    let mut told = 0;
    let answer = loop {
        let (id, members): (RequestId, Members) = tokio::select! {
            ended = &mut asked => break ended.unwrap(),
            next = peer.expect() => next,
        };
        let of = |number| Member { account: AccountId(number), name: "m".into(), online: true };
        let first = members.after.0 + 1;
        let page = List::first_of((first..first + PAGE).map(of));
        peer.reply(id, &MemberList { room: LOBBY, members: page, more: true }).await;
        told += PAGE;
        assert!(told < ENDED_BY, "it goes on for ever");
    };
    let Err(RequestError::Refused(refusal)) = answer else { panic!("it is no list") };
    assert!(refusal.reason.contains("does not end"), "{refusal:?}");
}

#[tokio::test]
async fn invitations_that_do_not_end_are_an_error() {
    const PAGE: u64 = 64;
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    connected(&mut events).await;
    let asking = client.clone();
    let mut asked = tokio::spawn(async move { asking.invitations().await });
    let answer = loop {
        let (id, asked): (RequestId, Invitations) = tokio::select! {
            ended = &mut asked => break ended.unwrap(),
            next = peer.expect() => next,
        };
        let of = |number| InvitationInfo {
            invitation: InvitationId(number),
            by: AccountId(1),
            name: String::new(),
            uses_left: 1,
            expires: Timestamp(1),
            rooms: List::default(),
        };
        let first = asked.after.0 + 1;
        assert!(first < 10_000, "it goes on for ever");
        let invitations = List::first_of((first..first + PAGE).map(of));
        peer.reply(id, &InvitationList { invitations, more: true }).await;
    };
    let Err(RequestError::Refused(refusal)) = answer else { panic!("it is no list") };
    assert!(refusal.reason.contains("does not end"), "{refusal:?}");
}

#[tokio::test]
async fn bans_that_do_not_end_are_an_error() {
    const PAGE: u64 = 64;
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, mut events) = daemon.screen(dir.path());
    let mut peer = daemon.serve().await;
    connected(&mut events).await;
    let asking = client.clone();
    let mut asked = tokio::spawn(async move { asking.bans(LOBBY).await });
    let answer = loop {
        let (id, asked): (RequestId, Bans) = tokio::select! {
            ended = &mut asked => break ended.unwrap(),
            next = peer.expect() => next,
        };
        let of = |number| BanInfo {
            account: AccountId(number),
            name: "m".into(),
            by: AccountId(1),
            by_name: "o".into(),
            since: Timestamp(1),
            until: Timestamp(0),
            reason: String::new(),
        };
        let first = asked.after.0 + 1;
        assert!(first < 200_000, "it goes on for ever");
        let bans = List::first_of((first..first + PAGE).map(of));
        peer.reply(id, &BanList { room: LOBBY, bans, more: true }).await;
    };
    let Err(RequestError::Refused(refusal)) = answer else { panic!("it is no list") };
    assert!(refusal.reason.contains("does not end"), "{refusal:?}");
}
