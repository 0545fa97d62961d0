//! What each event changes: marks, rooms, counts, commands, and the line that is typed.

use chat_client::{Event, OutgoingState, Refusal};
use chat_proto::{RoomInfo, RoomName, Seq, Timestamp};
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Answer, Effect, Failure, Msg, ServerEffect};
use crossterm::event::{KeyCode, KeyModifiers};

use crate::stage::{DEV, LOBBY, MORNING_MS, Stage, id, log, nonce, own, said, said_in};

fn acked(seq: u64) -> OutgoingState {
    OutgoingState::Acked { room: LOBBY, seq: Seq(seq), ts: Timestamp(MORNING_MS) }
}

fn refused(reason: &str) -> OutgoingState {
    OutgoingState::Refused(Refusal { code: None, reason: reason.into() })
}

#[test]
fn what_is_sent_is_shown_at_once_and_as_waiting_when_it_is_on_disk() {
    let mut stage = Stage::online(40, 12);
    stage.enters("hello");
    assert!(stage.shows("hello …"), "a mark that would survive nothing is no ⏳");
    assert_eq!(stage.sends(), [(1, "hello".to_owned())]);
    stage.feed(Msg::Answer(ServerId::FIRST, Answer::Sent { ticket: 1, result: Ok(id(1001)) }));
    assert!(stage.shows("hello ⏳"));
}

#[test]
fn an_ack_turns_waiting_into_committed() {
    let mut stage = Stage::online(40, 12);
    stage.enters("hello");
    stage.feed(Msg::Answer(ServerId::FIRST, Answer::Sent { ticket: 1, result: Ok(id(1001)) }));
    stage.outgoing(1, "hello", OutgoingState::Waiting);
    stage.outgoing(1, "hello", OutgoingState::InFlight);
    assert!(stage.shows("hello ⏳"));
    stage.outgoing(1, "hello", acked(1));
    assert!(stage.shows("hello ✓"));
    assert_eq!(stage.count("hello"), 1);
}

#[test]
fn an_own_message_is_shown_once_in_every_order_of_ack_event_and_answer() {
    let steps: [fn(&mut Stage); 4] = [
        |stage| {
            stage.feed(Msg::Answer(
                ServerId::FIRST,
                Answer::Sent { ticket: 1, result: Ok(id(1001)) },
            ));
        },
        |stage| stage.outgoing(1, "hello", OutgoingState::Waiting),
        |stage| stage.outgoing(1, "hello", acked(1)),
        |stage| stage.hears(own(1, 1, "hello")),
    ];
    // The client tells waiting before the ack; the answer and the message may come at any time.
    for order in
        [[0, 1, 2, 3], [1, 0, 2, 3], [1, 2, 0, 3], [1, 2, 3, 0], [1, 3, 2, 0], [0, 1, 3, 2]]
    {
        let mut stage = Stage::online(40, 12);
        stage.enters("hello");
        for step in order {
            steps[step](&mut stage);
            assert_eq!(stage.count("hello"), 1, "{order:?} after {step}:\n{}", stage.screen());
        }
        assert!(stage.shows("hello ✓"), "{order:?}");
    }
}

#[test]
fn a_refusal_says_why_and_the_message_can_be_sent_again() {
    let mut stage = Stage::online(60, 12);
    stage.enters("hello");
    stage.outgoing(1, "hello", OutgoingState::Waiting);
    stage.outgoing(1, "hello", refused("you are not a member"));
    assert!(stage.shows("✗ you are not a member"), "{}", stage.screen());
    stage.sends();
    stage.alt('r');
    assert_eq!(stage.sends(), [(2, "hello".to_owned())]);
    assert!(!stage.shows("✗"));
    assert!(stage.shows("hello …"));
}

#[test]
fn a_refused_message_can_be_dropped_and_its_text_comes_back() {
    let mut stage = Stage::online(60, 12);
    stage.enters("hello");
    stage.feed(Msg::Answer(
        ServerId::FIRST,
        Answer::Sent { ticket: 1, result: Err("the disk is full".into()) },
    ));
    assert!(stage.shows("✗ the disk is full"));
    stage.alt('x');
    assert!(!stage.shows("hello"));
    stage.press(KeyCode::Up);
    assert!(stage.shows("> hello"));
}

#[test]
fn a_message_that_goes_on_under_another_id_is_still_one() {
    let mut stage = Stage::online(40, 12);
    stage.enters("hello");
    stage.outgoing(1, "hello", OutgoingState::Waiting);
    stage.outgoing(1, "hello", OutgoingState::Moved { nonce: nonce(2), id: id(1002) });
    stage.outgoing(2, "hello", OutgoingState::Waiting);
    stage.outgoing(2, "hello", acked(1));
    assert_eq!(stage.count("hello"), 1);
    assert!(stage.shows("hello ✓"));
}

#[test]
fn what_an_earlier_screen_left_waiting_is_shown() {
    let mut stage = Stage::new(40, 12);
    stage.outgoing(7, "from before", OutgoingState::Waiting);
    assert!(stage.shows("from before ⏳"));
    stage.outgoing(7, "from before", acked(1));
    assert!(stage.shows("from before ✓"));
}

#[test]
fn two_equal_messages_are_two() {
    let mut stage = Stage::online(40, 12);
    stage.enters("hi");
    stage.enters("hi");
    stage.outgoing(1, "hi", OutgoingState::Waiting);
    stage.outgoing(2, "hi", OutgoingState::Waiting);
    stage.outgoing(1, "hi", acked(1));
    stage.hears(own(2, 2, "hi"));
    assert_eq!(stage.count("hi ✓"), 2, "{}", stage.screen());
    assert_eq!(stage.count("hi"), 2);
}

#[test]
fn what_is_typed_before_any_connection_waits_in_its_room() {
    let mut stage = Stage::new(60, 12);
    stage.enters("early");
    assert_eq!(stage.sends(), [(1, "early".to_owned())]);
    stage.outgoing(1, "early", OutgoingState::Waiting);
    assert!(stage.shows("early ⏳"));
    stage.disconnect();
    stage.connect();
    assert!(stage.effects.contains(&Effect::Server(
        ServerId::FIRST,
        ServerEffect::Join(RoomName::parse("lobby").unwrap())
    )));
    stage.subscribe(LOBBY, "lobby", 0);
    stage.outgoing(1, "early", OutgoingState::Waiting);
    stage.outgoing(1, "early", acked(1));
    assert_eq!(stage.count("early"), 1);
    assert!(stage.shows("early ✓"));
}

#[test]
fn a_room_that_is_left_takes_no_text_and_keeps_what_is_typed() {
    let mut stage = Stage::online(60, 12);
    stage.enters("/leave");
    assert!(stage.effects.iter().any(|effect| matches!(
        effect,
        Effect::Server(ServerId::FIRST, ServerEffect::Leave(_, LOBBY))
    )));
    stage.feed(Msg::Answer(ServerId::FIRST, Answer::Left(0, Ok(()))));
    stage.enters("anybody?");
    assert!(stage.sends().is_empty());
    assert!(stage.shows("> anybody?"));
    assert!(stage.shows("/join lobby"));
}

#[test]
fn an_unknown_command_is_explained_and_stays_typed() {
    let mut stage = Stage::online(100, 12);
    stage.enters("/jion dev");
    assert!(stage.sends().is_empty());
    assert!(stage.shows("/jion is no command"), "{}", stage.screen());
    assert!(stage.shows("> /jion dev"));
}

#[test]
fn two_slashes_say_one() {
    let mut stage = Stage::online(60, 12);
    stage.enters("//etc/hosts");
    assert_eq!(stage.sends(), [(1, "/etc/hosts".to_owned())]);
}

#[test]
fn joining_opens_the_room_and_asks_once() {
    let mut stage = Stage::online(60, 12);
    stage.enters("/join #dev");
    let dev = RoomName::parse("dev").unwrap();
    assert_eq!(stage.effects, [Effect::Server(ServerId::FIRST, ServerEffect::Join(dev.clone()))]);
    let info = RoomInfo {
        room: DEV,
        name: "dev".into(),
        head: Seq(0),
        members: 1,
        online: 1,
        joined: true,
        ..RoomInfo::default()
    };
    stage.feed(Msg::Answer(ServerId::FIRST, Answer::Joined(dev, Ok(info))));
    assert_eq!(stage.model.room().title, "dev");
    assert_eq!(stage.model.room().id, Some(DEV));
}

#[test]
fn a_refused_join_says_why() {
    let mut stage = Stage::online(80, 12);
    stage.enters("/join dev");
    let failure = Failure { why: "it is too like #dεv".into(), refused: true };
    stage.feed(Msg::Answer(
        ServerId::FIRST,
        Answer::Joined(RoomName::parse("dev").unwrap(), Err(failure)),
    ));
    assert!(stage.shows("#dev could not be joined: it is too like #dεv"), "{}", stage.screen());
}

#[test]
fn commands_that_need_a_connection_say_so_at_once() {
    let mut stage = Stage::new(80, 12);
    stage.enters("/rooms");
    assert!(stage.effects.is_empty());
    assert!(stage.shows("there is none"));
}

#[test]
fn unread_counts_and_mentions_are_kept_apart_and_opening_reads() {
    let mut stage = Stage::online(80, 12);
    stage.subscribe(DEV, "dev", 0);
    stage.hears(said_in(DEV, "dev", 1, "hello"));
    stage.hears(said_in(DEV, "dev", 2, "hello again"));
    assert!(stage.shows("#dev     2 │"), "{}", stage.screen());
    stage.hears(said_in(DEV, "dev", 3, "me: look"));
    assert!(stage.shows("!1"));
    stage.alt('a');
    assert_eq!(stage.model.room().title, "dev");
    assert_eq!(stage.model.room().unread, 0);
    assert!(stage.shows("3 new"), "{}", stage.screen());
}

#[test]
fn a_draft_stays_in_its_room() {
    let mut stage = Stage::online(80, 12);
    stage.subscribe(DEV, "dev", 0);
    stage.types("for the lobby");
    stage.press(KeyCode::Tab);
    assert_eq!(stage.model.room().title, "dev");
    assert!(!stage.shows("for the lobby"));
    stage.press(KeyCode::BackTab);
    assert!(stage.shows("> for the lobby"));
}

#[test]
fn what_was_missed_is_counted_and_divided() {
    let mut stage = Stage::online(80, 12);
    stage.hears(said(1, "before"));
    stage.disconnect();
    stage.connect();
    stage.subscribe(LOBBY, "lobby", 3);
    for message in log(2, 4) {
        stage.hears(message);
    }
    assert!(stage.shows("missed 2"), "{}", stage.screen());
    assert!(stage.shows("2 new"));
    assert_eq!(stage.count("before"), 1);
}

#[test]
fn an_outage_is_told_once_and_counted_down() {
    let mut stage = Stage::online(80, 12);
    stage.disconnect();
    assert!(stage.shows("again in 3 s"), "{}", stage.screen());
    stage.now_ms = 1600;
    stage.feed(Msg::Tick);
    assert!(stage.shows("again in 1 s"));
    stage.event(Event::Connecting { target: "server:5018".into(), attempt: 2 });
    stage.disconnect();
    assert_eq!(stage.count("connection lost"), 1);
}

#[test]
fn nothing_reachable_says_what_was_tried_and_what_to_do() {
    let mut stage = Stage::new(80, 12);
    stage.event(Event::Disconnected {
        why: "127.0.0.1:5018: connection refused".into(),
        retry_in: Some(std::time::Duration::from_millis(500)),
    });
    for word in ["127.0.0.1:5018", "chatd", "--serve"] {
        assert!(stage.shows(word), "{word}: {}", stage.screen());
    }
}

#[test]
fn a_paste_of_many_lines_is_one_message() {
    let mut stage = Stage::online(60, 12);
    stage.feed(Msg::Paste("one\r\ntwo\rthree\u{1b}[31m".into()));
    stage.press(KeyCode::Enter);
    assert_eq!(stage.sends(), [(1, "one\ntwo\nthree[31m".to_owned())]);
}

#[test]
fn editing_goes_by_what_a_person_sees_as_one_character() {
    let mut stage = Stage::online(60, 12);
    stage.feed(Msg::Paste("a👨\u{200D}👩\u{200D}👧e\u{301}".into()));
    stage.press(KeyCode::Backspace);
    assert_eq!(stage.model.input.text(), "a👨\u{200D}👩\u{200D}👧");
    stage.press(KeyCode::Left);
    stage.press(KeyCode::Delete);
    assert_eq!(stage.model.input.text(), "a");
    stage.alt('u');
    assert_eq!(stage.model.input.text(), "a👨\u{200D}👩\u{200D}👧");
}

#[test]
fn words_are_killed_and_yanked() {
    let mut stage = Stage::online(60, 12);
    stage.types("one two three");
    stage.ctrl('w');
    assert_eq!(stage.model.input.text(), "one two ");
    stage.press(KeyCode::Home);
    stage.ctrl('y');
    assert_eq!(stage.model.input.text(), "threeone two ");
}

#[test]
fn alt_enter_makes_lines_and_enter_sends_them_as_one() {
    let mut stage = Stage::online(60, 12);
    stage.types("a");
    stage.press_with(KeyModifiers::ALT, KeyCode::Enter);
    stage.types("b");
    stage.press(KeyCode::Enter);
    assert_eq!(stage.sends(), [(1, "a\nb".to_owned())]);
    stage.press(KeyCode::Up);
    assert_eq!(stage.model.input.text(), "a\nb");
}

#[test]
fn ctrl_c_clears_then_asks_then_quits() {
    let mut stage = Stage::online(60, 12);
    stage.types("x");
    stage.ctrl('c');
    assert!(stage.model.input.is_empty());
    stage.ctrl('c');
    assert!(stage.effects.is_empty());
    assert!(stage.shows("Ctrl-C again quits"));
    stage.types("y");
    stage.ctrl('c');
    stage.ctrl('c');
    assert!(stage.effects.is_empty());
    stage.ctrl('c');
    assert_eq!(stage.effects, [Effect::Quit]);
}

#[test]
fn go_to_finds_rooms_by_a_few_letters() {
    let mut stage = Stage::online(80, 20);
    stage.subscribe(DEV, "dev", 0);
    stage.ctrl('k');
    stage.types("dv");
    assert!(stage.shows("go to…"));
    stage.press(KeyCode::Enter);
    assert_eq!(stage.model.room().title, "dev");
    assert!(stage.model.layers.is_empty());
}

#[test]
fn memberships_that_end_elsewhere_leave_the_list() {
    let mut stage = Stage::online(80, 12);
    let membership = |joined| Event::Membership { room: DEV, name: "dev".into(), joined };
    stage.event(membership(true));
    assert_eq!(stage.model.server().listed().len(), 2);
    stage.event(membership(false));
    assert_eq!(stage.model.server().listed().len(), 1);
}

#[test]
fn what_comes_while_the_terminal_has_no_focus_is_divided_anew_each_time() {
    let mut stage = Stage::online(60, 12);
    stage.hears(said(1, "seen"));
    stage.feed(Msg::Focus(false));
    stage.hears(said(2, "a"));
    stage.hears(said(3, "b"));
    assert!(stage.shows("2 new"), "{}", stage.screen());
    stage.feed(Msg::Focus(true));
    stage.hears(said(4, "seen too"));
    stage.feed(Msg::Focus(false));
    stage.hears(said(5, "c"));
    assert!(stage.shows("1 new"), "{}", stage.screen());
    assert!(!stage.shows("2 new"));
}

#[test]
fn a_server_that_will_not_have_the_reader_says_why_once() {
    let mut stage = Stage::new(80, 12);
    let refusal = Refusal { code: None, reason: "the name ada is taken".into() };
    stage.event(Event::Refused(refusal));
    stage.event(Event::Disconnected { why: "the name ada is taken".into(), retry_in: None });
    assert_eq!(stage.count("!!"), 1, "{}", stage.screen());
    assert!(stage.shows("the name ada is taken"));
}
