//! Devices: the code is shown, and nowhere else; what signs in is listed and revoked.

use chat_client::Fingerprint;
use chat_proto::{CredentialId, Device, LinkCode, Timestamp};
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Answer, Effect, Failure, Msg, ServerEffect};
use crossterm::event::KeyCode;

use crate::stage::{MORNING_MS, Stage};

fn answer(stage: &mut Stage, answer: Answer) {
    stage.feed(Msg::Answer(ServerId::FIRST, answer));
}

#[track_caller]
fn asked(stage: &mut Stage) -> ServerEffect {
    match stage.effects.pop() {
        Some(Effect::Server(ServerId::FIRST, effect)) => effect,
        other => panic!("{other:?}\n{}", stage.screen()),
    }
}

#[test]
fn a_code_is_shown_whole_at_every_width_and_leaves_nothing_behind() {
    for (columns, rows) in [(80, 24), (40, 12), (20, 5)] {
        let mut stage = Stage::online(columns, rows);
        stage.enters("/link");
        assert_eq!(asked(&mut stage), ServerEffect::Link);
        let code = LinkCode([0x5A; 16]);
        answer(&mut stage, Answer::Link(Ok(code)));
        let screen = stage.screen();
        let bare = |text: &str| text.replace(|c: char| c.is_whitespace() || c == '-', "");
        assert!(bare(&screen).contains(&bare(&code.reveal())), "{columns}x{rows}\n{screen}");
        assert!(stage.effects.is_empty(), "nothing is copied: {:?}", stage.effects);
        stage.press(KeyCode::Esc);
        let group = &code.reveal()[..5];
        assert!(!stage.screen().contains(group), "{}", stage.screen());
        assert!(!format!("{:?}", stage.model).contains(group), "it is kept nowhere");
    }
}

#[test]
fn devices_are_listed_with_what_revokes_them_and_hostile_labels_are_inert() {
    let mut stage = Stage::online(100, 24);
    stage.enters("/devices");
    assert_eq!(asked(&mut stage), ServerEffect::Devices);
    let device = |byte, label: &str| Device {
        credential: CredentialId([byte; 16]),
        kind: 1,
        fingerprint: [byte; 32],
        label: label.to_owned(),
        added: Timestamp(MORNING_MS),
    };
    let devices = vec![device(1, ""), device(2, "lap\u{1b}[2Jtop")];
    answer(&mut stage, Answer::Devices(Ok(devices)));
    for shown in ["2 sign in as you", &Fingerprint([2; 32]).to_string(), "lap␛[2Jtop"] {
        assert!(stage.shows(shown), "{shown}\n{}", stage.screen());
    }
    stage.enters("/devices revoke SHA256:AgIC");
    assert_eq!(asked(&mut stage), ServerEffect::Revoke("SHA256:AgIC".to_owned()));
    answer(&mut stage, Answer::Revoked(Ok(Fingerprint([2; 32]))));
    assert!(stage.shows("revoked, and cut off"), "{}", stage.screen());
    let why = "this is the only device of the account".to_owned();
    answer(&mut stage, Answer::Revoked(Err(Failure { why, refused: true })));
    assert!(stage.shows("nothing was revoked: this is the only device"), "{}", stage.screen());
}
