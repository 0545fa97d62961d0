//! How others join: the command stands alone on its rows, so that it can be copied.

use chat_client::TargetUrl;
use chat_client::{Event, Refusal};
use chat_proto::{
    ErrorCode, InvitationCode, InvitationId, InvitationInfo, InvitationMade, List, RoomName,
    Timestamp,
};
use chat_tui::reach::{Reach, SERVE_FOR_OTHERS};
use chat_tui::screen::commands::Terms;
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Answer, Effect, Failure, Msg, ServerEffect};
use crossterm::event::KeyCode;

use crate::stage::{DEV, LOBBY, MINUTE_MS, MORNING_MS, Stage};

const CODE: InvitationCode = InvitationCode([0x1F; 16]);

/// Enters a command, and has the server make the invitation that is asked for.
#[track_caller]
fn is_invited(stage: &mut Stage, command: &str) {
    stage.enters(command);
    let asked = stage.effects.pop();
    let Some(Effect::Server(_, ServerEffect::Invite(terms, _rooms))) = asked else {
        panic!("{asked:?}\n{}", stage.screen())
    };
    let (invitation, expires) = (InvitationId(90_210), Timestamp(MORNING_MS + 60 * MINUTE_MS));
    let made = InvitationMade { invitation, code: CODE, expires };
    stage.feed(Msg::Answer(ServerId::FIRST, Answer::Invited(terms, Ok(made))));
}

/// What is given to the clipboard.
#[track_caller]
fn copied(stage: &mut Stage) -> String {
    let taken = stage.effects.pop();
    let Some(Effect::Copy(text)) = taken else { panic!("{taken:?}\n{}", stage.screen()) };
    text
}

#[test]
fn the_command_for_others_stands_at_the_edge_and_is_whole_at_every_width() {
    for invited in [false, true] {
        let mut stage = Stage::online(80, 24);
        match invited {
            true => is_invited(&mut stage, "/invite"),
            false => stage.enters("/address"),
        }
        let command = copied(&mut stage);
        let url = command.strip_prefix("chat-tui '").and_then(|url| url.strip_suffix('\''));
        let meant: TargetUrl = url.unwrap().parse().unwrap();
        assert_eq!(meant.target.to_string(), "server:5018");
        assert_eq!(meant.room.unwrap().as_str(), "lobby");
        assert_eq!(meant.invite, invited.then_some(CODE));
        for (columns, rows) in [(200, 50), (80, 24), (40, 15), (40, 12), (20, 6), (20, 5)] {
            if command.len() > usize::from(columns * rows) {
                continue; // It has no room, whatever is left out.
            }
            stage.feed(Msg::Resize(columns, rows));
            let screen = stage.screen();
            let shown = screen.replace('\n', "");
            assert!(shown.contains(&command), "{columns}x{rows}\n{screen}");
            let lines = screen.lines().skip_while(|line| !line.starts_with("chat-tui "));
            let wanted = command.len().div_ceil(usize::from(columns));
            let lines: Vec<_> = lines.take(wanted).collect();
            assert_eq!(lines.concat(), command, "{columns}x{rows}\n{screen}");
            // A shell keeps the ends of rows inside the quotes; the address is understood.
            let pasted = lines.join("\n");
            let word = pasted.split('\'').nth(1).unwrap();
            assert_eq!(word.parse::<TargetUrl>().unwrap(), url.unwrap().parse().unwrap());
        }
    }
}

#[test]
fn the_next_key_closes_it_and_a_letter_is_typed() {
    let mut stage = Stage::online(80, 12);
    stage.enters("/address");
    assert!(stage.shows("others join #lobby") && !stage.shows("> "), "{}", stage.screen());
    stage.types("h");
    assert!(stage.shows("> h") && !stage.shows("others join"), "{}", stage.screen());
    stage.ctrl('c');
    stage.enters("/address");
    stage.press(KeyCode::Esc);
    assert!(stage.shows("connected"), "{}", stage.screen());
    stage.press(KeyCode::Enter);
    assert!(stage.sends().is_empty());
}

#[test]
fn whoever_serves_passes_on_the_address_that_others_see() {
    let mut stage = Stage::online(80, 12);
    let mut reach = Reach {
        here: "chat-tui".into(),
        address: Some("192.0.2.10:5018".into()),
        fingerprint: None,
        otherwise: SERVE_FOR_OTHERS,
    };
    stage.model.server_mut().host = Some(reach.clone());
    stage.enters("/address");
    assert_eq!(copied(&mut stage), "chat-tui 'chat://192.0.2.10:5018/lobby#'");
    assert!(stage.shows("On this machine: chat-tui\n"), "{}", stage.screen());
    stage.press(KeyCode::Esc);
    reach.address = None;
    stage.model.server_mut().host = Some(reach);
    stage.enters("/invite");
    assert_eq!(copied(&mut stage), "chat-tui");
    assert!(stage.shows("From elsewhere: not now; start with --serve 0.0.0.0"));
}

#[test]
fn without_a_server_nobody_can_be_invited() {
    let mut stage = Stage::new(80, 12);
    stage.enters("/invite");
    assert!(stage.effects.is_empty());
    assert!(stage.shows("that needs a connection"), "{}", stage.screen());
}

#[test]
fn an_invitation_is_for_the_rooms_and_the_time_that_are_said() {
    let mut stage = Stage::online(80, 12);
    stage.subscribe(LOBBY, "lobby", 0);
    stage.subscribe(DEV, "dev", 0);
    stage.effects.clear();
    stage.enters("/invite --uses 1 --expires 2h --room #dev");
    let dev = vec![RoomName::parse("dev").unwrap()];
    let terms = Terms { uses: 1, seconds: 7_200, rooms: dev };
    let asked = stage.effects.pop();
    let expected = Effect::Server(ServerId::FIRST, ServerEffect::Invite(terms, vec![DEV]));
    assert_eq!(asked, Some(expected));
    stage.enters("/invite --room nowhere");
    assert!(stage.shows("you are not in #nowhere"), "{}", stage.screen());
    stage.enters("/invite ada");
    assert!(stage.shows("/invite takes --uses"), "{}", stage.screen());
    stage.ctrl('c');
    let failure = Failure { why: "No accounts are made here".to_owned(), refused: true };
    let refused = Answer::Invited(Terms::default(), Err(failure));
    stage.feed(Msg::Answer(ServerId::FIRST, refused));
    assert!(stage.shows("no invitation was made: No accounts"), "{}", stage.screen());
}

#[test]
fn open_invitations_are_listed_without_their_codes_and_revoked_by_their_ids() {
    let mut stage = Stage::online(80, 16);
    stage.subscribe(LOBBY, "lobby", 0);
    stage.effects.clear();
    stage.enters("/invites");
    let asked = Effect::Server(ServerId::FIRST, ServerEffect::Invites);
    assert_eq!(stage.effects.pop(), Some(asked));
    let open = |id, expires| InvitationInfo {
        invitation: InvitationId(id),
        by: crate::stage::ME,
        name: String::new(),
        uses_left: 19,
        expires: Timestamp(expires),
        rooms: List::first_of([LOBBY]),
    };
    let both = vec![open(90_210, MORNING_MS + MINUTE_MS * 60), open(90_211, 1_000)];
    stage.feed(Msg::Answer(ServerId::FIRST, Answer::Invites(Ok(both))));
    assert!(stage.shows("90210  19 left  until") && stage.shows("#lobby"), "{}", stage.screen());
    assert!(!stage.shows("90211"), "it has expired\n{}", stage.screen());
    stage.enters("/invites revoke 90210");
    let asked = ServerEffect::RevokeInvitation(InvitationId(90_210));
    assert_eq!(stage.effects.pop(), Some(Effect::Server(ServerId::FIRST, asked)));
    stage.feed(Msg::Answer(
        ServerId::FIRST,
        Answer::InvitationRevoked(InvitationId(90_210), Ok(())),
    ));
    assert!(stage.shows("nobody comes in with 90210"), "{}", stage.screen());
}

/// A server that lets nobody in without an invitation has said so.
fn turned_away() -> Stage {
    let mut stage = Stage::new(80, 12);
    let reason = "A new account needs an invitation here".to_owned();
    let refusal = Refusal { code: Some(ErrorCode::NotAdmitted), reason: reason.clone() };
    stage.event(Event::Refused(refusal));
    stage.event(Event::Disconnected { why: reason, retry_in: None });
    stage.effects.clear();
    stage
}

#[test]
fn whoever_needs_an_invitation_is_told_so_and_comes_in_with_the_line_that_is_pasted() {
    let line = format!("chat://server:5018/lobby#.{CODE}");
    let command = format!("chat-tui '{line}'\n");
    for pasted in [line.clone(), command] {
        let mut stage = turned_away();
        assert!(stage.shows("needs an invitation") && stage.shows("Paste"), "{}", stage.screen());
        stage.feed(Msg::Paste(pasted));
        let asked = stage.effects.pop();
        let Some(Effect::Server(_, ServerEffect::SignInWith(url))) = asked else {
            panic!("{asked:?}\n{}", stage.screen())
        };
        assert_eq!(url.invite, Some(CODE));
        assert!(!stage.shows(&CODE.to_string()), "{}", stage.screen());
    }
    let mut stage = turned_away();
    stage.enters(&line);
    assert!(matches!(stage.effects.pop(), Some(Effect::Server(_, ServerEffect::SignInWith(_)))));
    assert!(stage.sends().is_empty() && !stage.shows(&CODE.to_string()), "{}", stage.screen());
    stage.press(KeyCode::Up);
    assert!(!stage.shows(&CODE.to_string()), "it is in no memory of lines\n{}", stage.screen());
}
