//! What belongs to one server stays with it: another one beside it changes nothing that is looked
//! at.

use chat_client::{Connected, Event, Subscribed};
use chat_proto::{AccountId, Epoch, PublicKey, RoomId, RoomName, Seq, SessionId};
use chat_tui::screen::history::ALL_BYTES_MAX;
use chat_tui::screen::server::{Server, ServerId};
use chat_tui::screen::update::{Effect, Msg, ServerEffect};

use crate::stage::{LOBBY, ME, Stage, said, said_in};

const OTHER: ServerId = ServerId(1);

/// Signed in at two servers, of which the first is looked at.
fn two() -> Stage {
    let mut stage = Stage::online(80, 12);
    let lobby = RoomName::parse("lobby").unwrap();
    stage.model.servers.push(Server::new(OTHER, "me too", &lobby));
    stage.hears(said(1, "of the first"));
    for event in [
        Event::Connected(Connected {
            account: AccountId(ME.0 + 50),
            name: "me too".into(),
            server_key: PublicKey([8; 32]),
            epoch: Epoch(3),
            session: SessionId(1),
            address: "other:5018".into(),
            encrypted: false,
            first_contact: false,
        }),
        Event::Subscribed(Subscribed {
            room: LOBBY,
            name: "lobby".into(),
            topic: String::new(),
            epoch: Epoch(3),
            head: Seq(0),
            members: Vec::new(),
            member_count: 1,
            online: 1,
            from: Seq(1),
        }),
    ] {
        stage.feed(Msg::Client(OTHER, event));
    }
    stage.effects.clear();
    stage
}

#[test]
fn what_one_server_says_changes_nothing_of_another() {
    let mut stage = two();
    let before = stage.screen();
    stage.feed(Msg::Client(OTHER, Event::Message(said(1, "of the other"))));
    let why = "it is gone".to_owned();
    stage.feed(Msg::Client(OTHER, Event::Disconnected { why, retry_in: None }));
    assert_eq!(stage.screen(), before);
    let (first, other) = (stage.model.server(), &stage.model.servers[1]);
    assert!(first.is_online() && !other.is_online());
    assert_eq!((first.room().unread, other.room().unread), (0, 1));
    assert_eq!((first.me.name.as_str(), other.me.name.as_str()), ("me", "me too"));
}

#[test]
fn what_is_said_goes_to_the_server_that_is_looked_at() {
    let mut stage = two();
    for (focus, text) in [(ServerId::FIRST, "to the first"), (OTHER, "to the other")] {
        stage.model.focus = focus;
        stage.enters(text);
        let sent = stage.effects.iter().find_map(|effect| {
            let Effect::Server(server, ServerEffect::Send { text, .. }) = effect else {
                return None;
            };
            Some((*server, text.clone()))
        });
        assert_eq!(sent, Some((focus, text.to_owned())));
        stage.effects.clear();
    }
    assert!(!stage.shows("to the first") && stage.shows("you are me too"), "{}", stage.screen());
}

#[test]
fn all_rooms_of_all_servers_have_one_bound_in_bytes() {
    let mut stage = two();
    let text = "x".repeat(16 * 1024 - 8);
    for seq in 2..=100 {
        stage.hears(said(seq, &text));
    }
    for n in 2..=31 {
        for seq in 1..=66 {
            let said = said_in(RoomId(n), &format!("room-{n}"), seq, &text);
            stage.feed(Msg::Client(OTHER, Event::Message(said)));
        }
    }
    let rooms = stage.model.servers.iter().flat_map(|server| &server.rooms);
    let bytes: usize = rooms.map(|room| room.history.bytes()).sum();
    assert!(bytes > ALL_BYTES_MAX / 2 && bytes <= ALL_BYTES_MAX, "{bytes} bytes");
    assert!(stage.model.room().history.bytes() > 1 << 20, "the open room keeps the most");
}
