//! Requests that are understood and refused: a typed error with a sentence, and the connection
//! lives on.

use anyhow::{Context, Result};
use chat_proto::limits::TEXT_BYTES_MAX;
use chat_proto::{
    Ack, Body, Done, ErrorCode, FindRoom, History, HistoryPage, Join, Kind, Leave, LogId,
    MemberList, Members, Ping, Pong, Rename, RoomId, RoomInfo, Seq, Subscribe, Subscribed,
};
use chat_tests::raw::{Raw, Refused, send};

use crate::TestServer;

async fn refused<B: Body, R: Body + std::fmt::Debug>(raw: &mut Raw, body: &B) -> Result<ErrorCode> {
    let answer: Result<R> = raw.ask(body).await;
    let error = answer.err().context("it is refused")?.downcast::<Refused>()?.0;
    assert!(error.message.len() > 10, "a sentence for a person: {error:?}");
    let pong: Pong = raw.ask(&Ping { token: 1 }).await?;
    assert_eq!(pong.token, 1, "the connection lives");
    error.known_code().context("a code that is documented")
}

#[tokio::test]
async fn a_bad_message_is_refused_for_good_and_the_next_one_goes_on() -> Result<()> {
    let server = TestServer::start().await?;
    let (mut ada, _) = Raw::sign_in(server.address, 1, "ada").await?;
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    let room = lobby.room;
    let longest = "ä".repeat(TEXT_BYTES_MAX / 2);
    let cases = [
        ("empty", String::new(), ErrorCode::EmptyText),
        ("one byte over", format!("{longest}x"), ErrorCode::TextTooLong),
        ("NUL", "a\0b".to_owned(), ErrorCode::NulInText),
    ];
    let mut n = 0;
    for (what, text, code) in cases {
        n += 1;
        assert_eq!(refused::<_, Ack>(&mut ada, &send(9, n, room, &text)).await?, code, "{what}");
        let again = refused::<_, Ack>(&mut ada, &send(9, n, room, &text)).await?;
        assert_eq!(again, code, "{what}: it is as bad as before");
        let reused = refused::<_, Ack>(&mut ada, &send(9, n, room, "other")).await?;
        assert_eq!(reused, ErrorCode::RefusedBefore, "{what}");
    }
    let ack: Ack = ada.ask(&send(9, n + 1, room, &longest)).await?;
    assert_eq!(ack.nonce.n, n + 1);
    let ahead = refused::<_, Ack>(&mut ada, &send(9, n + 3, room, "too early")).await?;
    assert_eq!(ahead, ErrorCode::Behind);
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn rooms_and_names_that_cannot_be_are_refused() -> Result<()> {
    let server = TestServer::start().await?;
    let (mut ada, signed_in) = Raw::sign_in(server.address, 1, "ada").await?;
    let (mut eve, _) = Raw::sign_in(server.address, 2, "eve").await?;
    let nowhere = RoomId(u64::MAX);
    let join = |name: &str| Join { name: name.to_owned() };
    let rename = |name: &str| Rename { name: name.to_owned() };

    for name in ["", "a b", "#a", "a\u{202E}b", "a\u{200B}", &"x".repeat(33), "a\0"] {
        assert_eq!(refused::<_, RoomInfo>(&mut eve, &join(name)).await?, ErrorCode::BadName);
        assert_eq!(refused::<_, Done>(&mut eve, &rename(name)).await?, ErrorCode::BadName);
    }
    for name in ["ada", "ADA", "\u{430}da"] {
        assert_eq!(refused::<_, Done>(&mut eve, &rename(name)).await?, ErrorCode::NameTaken);
    }
    assert_eq!(refused::<_, RoomInfo>(&mut eve, &join("l0bby")).await?, ErrorCode::NameTaken);
    for name in ["nowhere", "l0bby"] {
        let find = FindRoom { name: name.to_owned() };
        assert_eq!(refused::<_, RoomInfo>(&mut eve, &find).await?, ErrorCode::UnknownRoom);
    }
    assert_eq!(
        refused::<_, Done>(&mut eve, &Leave { room: nowhere }).await?,
        ErrorCode::UnknownRoom
    );
    assert_eq!(
        refused::<_, Ack>(&mut eve, &send(1, 1, nowhere, "x")).await?,
        ErrorCode::UnknownRoom
    );
    let members = Members { room: nowhere, after: Default::default() };
    assert_eq!(refused::<_, MemberList>(&mut eve, &members).await?, ErrorCode::UnknownRoom);
    let history = History { room: nowhere, before: Seq(u64::MAX), limit: u16::MAX };
    assert_eq!(refused::<_, HistoryPage>(&mut eve, &history).await?, ErrorCode::UnknownRoom);
    for log in [LogId(u64::MAX), LogId(0), signed_in.account.into()] {
        let subscribe = Subscribe { log, after: None };
        let code = refused::<_, Subscribed>(&mut eve, &subscribe).await?;
        assert_eq!(code, ErrorCode::NotReadable, "log {log}");
    }
    let ops: RoomInfo = ada.ask(&join("ops")).await?;
    let code = refused::<_, Ack>(&mut eve, &send(2, 1, ops.room, "x")).await?;
    assert_eq!(code, ErrorCode::NotMember);
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_send_numbered_0_breaks_the_protocol() -> Result<()> {
    let server = TestServer::start().await?;
    let (mut ada, _) = Raw::sign_in(server.address, 1, "ada").await?;
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    ada.tell(&send(9, 0, lobby.room, "never")).await?;
    let close = ada.closed().await?;
    assert_eq!(close.code, ErrorCode::Malformed as u16, "{close:?}");
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_stream_is_of_one_account_on_all_of_its_connections() -> Result<()> {
    let server = TestServer::start().await?;
    let (mut ada, _) = Raw::sign_in(server.address, 1, "ada").await?;
    let (mut again, _) = Raw::sign_in(server.address, 1, "ada").await?;
    let (mut eve, _) = Raw::sign_in(server.address, 2, "eve").await?;
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    let _: RoomInfo = eve.ask(&Join { name: "lobby".to_owned() }).await?;
    let first: Ack = ada.ask(&send(9, 1, lobby.room, "deployed")).await?;
    let repeated: Ack = again.ask(&send(9, 1, lobby.room, "deployed")).await?;
    assert_eq!(repeated.seq, first.seq, "it is posted once");
    let other: Ack = eve.ask(&send(9, 1, lobby.room, "deployed")).await?;
    assert!(other.seq > first.seq, "another account has streams of its own");
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_stream_is_of_one_room_and_what_strays_into_another_is_refused_and_uses_nothing_up()
-> Result<()> {
    let server = TestServer::start().await?;
    let (mut ada, _) = Raw::sign_in(server.address, 1, "ada").await?;
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    let ops: RoomInfo = ada.ask(&Join { name: "ops".to_owned() }).await?;
    let _: Ack = ada.ask(&send(9, 1, lobby.room, "one")).await?;
    for n in [1, 2, 7] {
        let answer: Result<Ack> = ada.ask(&send(9, n, ops.room, "stray")).await;
        let error = answer.err().context("it is refused")?.downcast::<Refused>()?.0;
        assert_eq!(error.known_code(), Some(ErrorCode::StreamBound), "{n}");
        assert_eq!((error.detail, error.retry), (lobby.room.0, false), "{n}");
    }
    let two: Ack = ada.ask(&send(9, 2, lobby.room, "two")).await?;
    assert_eq!((two.room, two.nonce.n), (lobby.room, 2));
    // A first send that is refused binds as well.
    let nowhere = RoomId(u64::MAX);
    let refused = refused::<_, Ack>(&mut ada, &send(8, 1, nowhere, "one")).await?;
    assert_eq!(refused, ErrorCode::UnknownRoom);
    let bound = self::refused::<_, Ack>(&mut ada, &send(8, 2, ops.room, "two")).await?;
    assert_eq!(bound, ErrorCode::StreamBound);
    let _: Ack = ada.ask(&send(7, 1, ops.room, "here")).await?;
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn requests_may_follow_the_sign_in_at_once() -> Result<()> {
    let server = TestServer::start().await?;
    let mut ada = Raw::connect(server.address).await?;
    ada.begin_to_introduce(1, "ada").await?;
    let join = ada.tell(&Join { name: "lobby".to_owned() }).await?;
    let ping = ada.tell(&Ping { token: 9 }).await?;
    let answered = [ada.frame().await?, ada.frame().await?, ada.frame().await?];
    let kinds = answered.each_ref().map(|frame| frame.known_kind());
    assert_eq!(kinds, [Some(Kind::SignedIn), Some(Kind::RoomInfo), Some(Kind::Pong)]);
    assert_eq!([answered[1].request, answered[2].request], [join, ping]);
    server.stop().await;
    Ok(())
}
