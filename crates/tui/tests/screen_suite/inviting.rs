//! How others join: the command stands alone on its rows, so that it can be copied.

use chat_client::TargetUrl;
use chat_tui::reach::{Reach, SERVE_FOR_OTHERS};
use chat_tui::screen::update::{Effect, Msg};
use crossterm::event::KeyCode;

use crate::stage::Stage;

/// What is given to the clipboard.
#[track_caller]
fn copied(stage: &mut Stage) -> String {
    let taken = stage.effects.pop();
    let Some(Effect::Copy(text)) = taken else { panic!("{taken:?}\n{}", stage.screen()) };
    text
}

#[test]
fn the_command_for_others_stands_at_the_edge_and_is_whole_at_every_width() {
    for alias in ["/invite", "/address"] {
        let mut stage = Stage::online(80, 24);
        stage.enters(alias);
        let command = copied(&mut stage);
        let url = command.strip_prefix("chat-tui '").and_then(|url| url.strip_suffix('\''));
        let meant: TargetUrl = url.unwrap().parse().unwrap();
        assert_eq!(meant.target.to_string(), "server:5018");
        assert_eq!(meant.room.unwrap().as_str(), "lobby");
        for (columns, rows) in [(200, 50), (80, 24), (40, 15), (40, 12), (20, 6), (20, 5)] {
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
    stage.enters("/invite");
    assert!(stage.shows("others join #lobby") && !stage.shows("> "), "{}", stage.screen());
    stage.types("h");
    assert!(stage.shows("> h") && !stage.shows("others join"), "{}", stage.screen());
    stage.ctrl('c');
    stage.enters("/invite");
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
    stage.enters("/invite");
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
