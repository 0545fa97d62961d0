//! Facts about names: what a client does when they change, and when it may have missed that.

use chat_client::Event;
use chat_proto::{
    AccountId, AccountInfo, AccountList, Accounts, Joined, Left, List, Renamed, Seq, Subscribed,
    Timestamp,
};

use crate::fake::*;
use crate::following::{following, message, posted, with_bob};

#[tokio::test]
async fn a_rename_changes_the_names_behind_it() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events, mut peer) = following(&daemon, dir.path(), 0).await;
    peer.event(&posted(1, "a")).await;
    peer.event(&Renamed { account: BOB, name: "robert".into() }).await;
    peer.event(&posted(2, "b")).await;
    assert_eq!(message(&mut events).await.from_name, "bob");
    let told = event(&mut events, |event| match event {
        Event::Renamed { account, old_name, name } => Some((account, old_name, name)),
        _ => None,
    });
    assert_eq!(told.await, (BOB, "bob".to_owned(), "robert".to_owned()));
    assert_eq!(message(&mut events).await.from_name, "robert");
}

#[tokio::test]
async fn a_client_that_was_away_or_missed_renames_asks_for_the_names_anew() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events, mut peer) = following(&daemon, dir.path(), 0).await;
    peer.event(&posted(1, "a")).await;
    assert_eq!(message(&mut events).await.from_name, "bob");

    peer.event(&Renamed { account: AccountId(0), name: String::new() }).await;
    peer.event(&posted(2, "b")).await;
    is_asked_for(&mut peer, BOB, "robert").await;
    assert_eq!(message(&mut events).await.from_name, "robert");

    drop(peer);
    disconnected(&mut events).await;
    let mut peer = daemon.sign_in().await;
    let asked = [peer.subscribe().await, peer.subscribe().await];
    let lobby = asked.iter().find(|(_, ask)| ask.log == LOBBY.into()).unwrap();
    // Of a large room the answer brings only the first members, and bob is none of them.
    let large = Subscribed { members: List::default(), member_count: 1000, ..with_bob(EPOCH, 3) };
    peer.reply(lobby.0, &large).await;
    peer.event(&posted(3, "c")).await;
    is_asked_for(&mut peer, BOB, "bobby").await;
    assert_eq!(message(&mut events).await.from_name, "bobby");
}

#[tokio::test]
async fn who_comes_back_into_the_room_may_have_another_name_by_now() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events, mut peer) = following(&daemon, dir.path(), 0).await;
    let (room, ts) = (LOBBY, Timestamp(1));
    peer.event(&Left { room, seq: Seq(1), ts, account: BOB }).await;
    peer.event(&Joined { room, seq: Seq(2), ts, account: BOB }).await;
    is_asked_for(&mut peer, BOB, "robert").await;
    let name = |event| match event {
        Event::Left(change) | Event::Joined(change) => Some(change.name),
        _ => None,
    };
    assert_eq!(event(&mut events, name).await, "bob");
    assert_eq!(event(&mut events, name).await, "robert");
}

#[tokio::test]
async fn the_names_of_many_who_come_together_are_asked_for_together() {
    const NEWCOMERS: u64 = 1000;
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (_client, mut events, mut peer) = following(&daemon, dir.path(), 0).await;
    for seq in 1..=NEWCOMERS {
        let (room, seq, account) = (LOBBY, Seq(seq), AccountId(1000 + seq));
        peer.event(&Joined { room, seq, ts: Timestamp(1), account }).await;
    }
    let answering = async {
        let (mut questions, mut named) = (0, 0);
        while named < NEWCOMERS {
            let (id, asked): (_, Accounts) = peer.expect().await;
            (questions, named) = (questions + 1, named + asked.ids.len() as u64);
            let infos = asked.ids.iter().map(|account| {
                let name = format!("n{account}");
                AccountInfo { account: *account, name }
            });
            peer.reply(id, &AccountList { accounts: List::first_of(infos) }).await;
        }
        questions
    };
    let hearing = async {
        for seq in 1..=NEWCOMERS {
            let joined = event(&mut events, |event| match event {
                Event::Joined(change) => Some(change),
                _ => None,
            });
            let joined = joined.await;
            assert_eq!((joined.seq, joined.name), (Seq(seq), format!("n{}", 1000 + seq)));
        }
    };
    let (questions, ()) = tokio::join!(answering, hearing);
    assert!(questions <= 20, "{questions} questions");
}

async fn is_asked_for(peer: &mut Peer, account: AccountId, name: &str) {
    let (id, asked): (_, Accounts) = peer.expect().await;
    assert_eq!(asked.ids[..], [account]);
    let info = AccountInfo { account, name: name.to_owned() };
    peer.reply(id, &AccountList { accounts: List::first_of([info]) }).await;
}
