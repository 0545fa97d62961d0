//! Rooms with walls: what is asked for, what everybody in one sees of it, and conversations of two.

use chat_client::{Event, RoomChange, RoomChanged, RoomNews};
use chat_proto::{AccountId, Nickname, Role, RoomId, RoomInfo, RoomName, Seq, Timestamp};
use chat_tui::screen::commands::RoomCommand;
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Answer, Effect, Failure, Msg, ServerEffect};

use crate::stage::{ADA, LOBBY, MORNING_MS, Stage, said_in};

const BOB: AccountId = AccountId(102);
const TALK: RoomId = RoomId(9);

fn news(what: RoomNews) -> Event {
    let change = RoomChange {
        room: LOBBY,
        room_name: "lobby".into(),
        seq: Seq(1),
        ts: Timestamp(MORNING_MS),
        account: ADA,
        name: "ada".into(),
        live: true,
    };
    Event::RoomChanged(Box::new(RoomChanged { change, what }))
}

fn answer(stage: &mut Stage, answer: Answer) {
    stage.feed(Msg::Answer(ServerId::FIRST, answer));
}

fn bob() -> Nickname {
    Nickname::parse("bob").unwrap()
}

fn talk() -> RoomInfo {
    RoomInfo { room: TALK, name: "@bob".into(), joined: true, with: BOB, ..RoomInfo::default() }
}

#[test]
fn a_change_of_the_open_room_is_asked_of_the_server_and_answered() {
    for (typed, command, told) in [
        ("/private", RoomCommand::Access { is_private: true }, "know of this room now"),
        ("/topic plans", RoomCommand::Topic("plans".into()), ""),
        ("/invite @bob", RoomCommand::Invite { name: bob(), is_set: true }, ""),
        ("/op bob", RoomCommand::Role(bob(), Role::Moderator), ""),
    ] {
        let mut stage = Stage::online(120, 12);
        stage.enters(typed);
        let effect = ServerEffect::Change(0, LOBBY, command.clone());
        assert_eq!(stage.effects, [Effect::Server(ServerId::FIRST, effect)], "{typed}");
        answer(&mut stage, Answer::Changed(0, command.clone(), Ok(())));
        assert!(told.is_empty() || stage.shows(told), "{typed}: {}", stage.screen());
        let why = "that is for the owners of #lobby; ask one of them".to_owned();
        answer(&mut stage, Answer::Changed(0, command, Err(Failure { why, refused: true })));
        assert!(stage.shows("#lobby: that is for the owners"), "{}", stage.screen());
    }
}

#[test]
fn what_was_set_is_a_line_of_the_room() {
    let name = || "bob".to_owned();
    for (what, line) in [
        (RoomNews::Access { is_private: true }, "ada made this room private"),
        (RoomNews::ReadOnly { is_read_only: true }, "ada made this room read-only"),
        (RoomNews::Topic("a\u{1b}[31mb".into()), "ada set the topic: a"),
        (RoomNews::Invitation { account: BOB, name: name(), is_set: true }, "ada invited bob"),
        (RoomNews::Role { account: BOB, name: name(), role: Role::Owner }, "ada made bob owner"),
    ] {
        let mut stage = Stage::online(80, 12);
        stage.event(news(what));
        assert!(stage.shows(line), "{line}: {}", stage.screen());
        assert!(!stage.screen().contains('\u{1b}'));
    }
}

#[test]
fn the_topic_stands_at_the_top_as_far_as_there_is_room() {
    let mut stage = Stage::online(60, 12);
    stage.event(news(RoomNews::Topic("who brings what on Friday, and who does the rest".into())));
    let top = stage.screen().lines().next().unwrap().to_owned();
    assert!(top.starts_with(" #lobby  · who brings what"), "{top}");
    assert!(top.contains('…') && top.trim_end().ends_with("2 online"), "{top}");
    stage.event(news(RoomNews::Topic(String::new())));
    assert!(stage.screen().lines().next().unwrap().contains("you are me"), "{}", stage.screen());
}

#[test]
fn a_private_room_is_made_and_says_what_to_do_next() {
    let mut stage = Stage::online(120, 12);
    stage.enters("/private den");
    let den = RoomName::parse("den").unwrap();
    let effect = ServerEffect::CreatePrivate(den.clone());
    assert_eq!(stage.effects, [Effect::Server(ServerId::FIRST, effect)]);
    let info = RoomInfo { room: TALK, name: "den".into(), is_private: true, ..RoomInfo::default() };
    answer(&mut stage, Answer::Created(den, Ok(info)));
    assert_eq!(stage.model.room().title, "den");
    assert!(stage.shows("/invite @NAME lets somebody in"), "{}", stage.screen());
}

#[test]
fn a_conversation_of_two_is_called_after_the_other_whatever_that_one_is_called() {
    let mut stage = Stage::online(80, 12);
    stage.enters("/msg @bob");
    assert_eq!(stage.effects, [Effect::Server(ServerId::FIRST, ServerEffect::Talk(bob()))]);
    answer(&mut stage, Answer::Talks(bob(), Ok(talk())));
    assert!(stage.screen().starts_with(" @bob"), "{}", stage.screen());
    assert!(!stage.shows("#@"), "{}", stage.screen());
    let (account, old_name, name) = (BOB, "bob".to_owned(), "robert".to_owned());
    stage.event(Event::Renamed { account, old_name, name });
    assert!(stage.screen().starts_with(" @robert"), "{}", stage.screen());
    stage.subscribe(TALK, "@rob", 0);
    assert!(stage.screen().starts_with(" @rob "), "{}", stage.screen());
    let why = "nobody here is called bob".to_owned();
    answer(&mut stage, Answer::Talks(bob(), Err(Failure { why, refused: true })));
    assert!(stage.shows("no conversation with bob: nobody here"), "{}", stage.screen());
}

#[test]
fn what_the_other_begins_is_there_unread() {
    let mut stage = Stage::online(80, 12);
    stage.event(Event::Membership { room: TALK, name: "@bob".into(), joined: true });
    stage.subscribe(TALK, "@bob", 0);
    stage.hears(said_in(TALK, "@bob", 1, "hello"));
    assert_eq!(stage.model.room().title, "lobby");
    assert!(stage.shows("@bob") && !stage.shows("#@bob"), "{}", stage.screen());
    stage.alt('a');
    assert!(stage.screen().starts_with(" @bob"), "{}", stage.screen());
}

#[test]
fn in_the_list_of_rooms_a_conversation_is_opened_by_whom_it_is_with() {
    let mut stage = Stage::online(80, 12);
    answer(&mut stage, Answer::Rooms(Ok(vec![talk()])));
    assert!(stage.shows("@bob") && !stage.shows("#@bob"), "{}", stage.screen());
    stage.press(crossterm::event::KeyCode::Enter);
    assert_eq!(stage.effects, [Effect::Server(ServerId::FIRST, ServerEffect::Talk(bob()))]);
}

#[test]
fn an_invitation_says_how_to_join() {
    let mut stage = Stage::online(80, 12);
    stage.event(Event::Invited { room: TALK, name: "den".into() });
    assert!(stage.shows("you may join #den: /join den"), "{}", stage.screen());
}
