//! What a script costs does not grow with the rooms of its account.

use chat_proto::{RoomId, RoomJoined, Seq, Timestamp};

use crate::fake::*;

#[tokio::test]
async fn a_script_that_sends_asks_for_nothing_about_the_rooms_of_its_account() {
    let (dir, daemon) = (tempfile::tempdir().unwrap(), Daemon::new().await);
    let (client, _events) = daemon.script(dir.path());
    let mut peer = daemon.sign_in().await;
    let (id, own) = peer.subscribe().await;
    assert_eq!((own.log, own.after), (ADA.into(), None), "only what is new in the own log");
    peer.subscribed(id, ADA.into(), Seq(990), "ada").await;
    for seq in 991..=999 {
        let room = RoomId(seq);
        peer.event(&RoomJoined { account: ADA, seq: Seq(seq), ts: Timestamp(1), room }).await;
    }
    // A script that has something to say has nothing to ask: its message is the next that comes.
    for n in 1..=3 {
        let sent = within(client.send(LOBBY, "hi")).await.unwrap();
        assert_eq!(peer.take(n).await.nonce.n, n);
        within(sent.answer).await.unwrap();
    }
}
