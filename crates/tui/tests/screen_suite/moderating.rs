//! Keeping order in a room: what is asked for, and what everybody sees of it.

use chat_client::{Deed, Event, HistoryPage, Moderated, Removed, Reported};
use chat_proto::{AccountId, BanInfo, Epoch, Nickname, Seq, Timestamp};
use chat_tui::screen::commands::Moderation;
use chat_tui::screen::moderating::Moderating;
use chat_tui::screen::server::ServerId;
use chat_tui::screen::update::{Answer, Effect, Failure, Msg, ServerEffect};

use crate::stage::{ADA, DEV, LOBBY, ME, MORNING_MS, Stage, own, said, said_in};

const BOB: AccountId = AccountId(102);
const HOUR_MS: u64 = 60 * 60 * 1_000;
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

fn moderated(seq: u64, account: Option<AccountId>, deed: Deed) -> Event {
    Event::Moderated(Moderated {
        room: LOBBY,
        room_name: "lobby".into(),
        seq: Seq(seq),
        ts: Timestamp(MORNING_MS),
        by: ADA,
        by_name: "ada".into(),
        account,
        name: account.map_or_else(String::new, |_bob| "bob".into()),
        deed,
        live: true,
    })
}

fn answer(stage: &mut Stage, result: Result<Moderating, Failure>) {
    stage.feed(Msg::Answer(ServerId::FIRST, Answer::Moderated(0, result)));
}

#[test]
fn a_command_is_asked_of_the_server_with_the_readers_time() {
    let mut stage = Stage::online(80, 12);
    stage.enters("/ban bob 7d spam");
    let bob = Nickname::parse("bob").unwrap();
    let asked = Moderation::Ban(bob, Some(7 * DAY_MS / 1_000), "spam".into());
    let effect = ServerEffect::Moderate(0, LOBBY, asked, Timestamp(MORNING_MS));
    assert_eq!(stage.effects, [Effect::Server(ServerId::FIRST, effect)]);
    answer(&mut stage, Ok(Moderating::Nobody(Nickname::parse("bob").unwrap())));
    assert!(stage.shows("nobody called bob is in #lobby"), "{}", stage.screen());
    let why = "that is for the moderators of #lobby".to_owned();
    answer(&mut stage, Err(Failure { why, refused: true }));
    assert!(stage.shows("that is for the moderators of #lobby"), "{}", stage.screen());
}

#[test]
fn without_a_connection_nothing_is_asked() {
    let mut stage = Stage::online(80, 12);
    stage.disconnect();
    stage.effects.clear();
    stage.enters("/kick bob");
    assert_eq!(stage.effects, []);
    assert!(stage.shows("that needs a connection"), "{}", stage.screen());
}

#[test]
fn what_was_done_is_a_line_of_the_room() {
    let until = |days| Some(Timestamp(MORNING_MS + days * DAY_MS));
    let reason = || "spam".to_owned();
    for (account, deed, line) in [
        (Some(BOB), Deed::Kicked { reason: reason() }, "ada removed bob: spam"),
        (Some(BOB), Deed::Kicked { reason: String::new() }, "ada removed bob"),
        (
            Some(BOB),
            Deed::Banned { until: until(7), reason: reason() },
            "ada banned bob until 2026-03-11 10:00: spam",
        ),
        (Some(BOB), Deed::Unbanned, "ada lets bob come back"),
        (Some(BOB), Deed::Muted { until: None, reason: reason() }, "ada muted bob: spam"),
        (Some(BOB), Deed::Unmuted, "ada lets bob speak again"),
        (None, Deed::Slow { seconds: 30 }, "ada made this room slow: a message in 30 s"),
        (None, Deed::Slow { seconds: 0 }, "ada lets everybody speak as they like"),
    ] {
        let mut stage = Stage::online(80, 12);
        stage.event(moderated(1, account, deed));
        assert!(stage.shows(line), "{line}: {}", stage.screen());
    }
}

#[test]
fn a_reason_is_inert() {
    let mut stage = Stage::online(80, 14);
    let reason = "\u{1b}[31mred\n12:00 ada: I agree".to_owned();
    stage.event(moderated(1, Some(BOB), Deed::Kicked { reason: reason.clone() }));
    let ban = BanInfo {
        account: BOB,
        name: "bob".into(),
        by: ADA,
        by_name: "ada".into(),
        since: Timestamp(MORNING_MS),
        until: Timestamp(0),
        reason,
    };
    answer(&mut stage, Ok(Moderating::Bans(vec![ban])));
    let screen = stage.screen();
    assert!(!screen.contains('\u{1b}'), "{screen:?}");
    assert!(!screen.lines().any(|line| line.trim_start().starts_with("12:00 ada:")), "{screen}");
    assert!(screen.contains("bob, by ada: ␛[31mred␊12:00 ada: I agree"), "{screen}");
}

#[test]
fn whoever_is_removed_reads_by_whom_and_why() {
    let mut stage = Stage::online(80, 12);
    let removed = |banned_until| Removed {
        room: DEV,
        room_name: "dev".into(),
        by: ADA,
        by_name: "ada".into(),
        banned_until,
        reason: "spam".into(),
    };
    stage.event(Event::Removed(removed(None)));
    stage.event(Event::Removed(removed(Some(Timestamp(0)))));
    assert!(stage.shows("ada removed you from #dev: spam"), "{}", stage.screen());
    assert!(stage.shows("ada banned you from #dev: spam"), "{}", stage.screen());
}

#[test]
fn a_report_is_shown_with_what_was_said_before() {
    let mut stage = Stage::online(80, 14);
    let reported = Reported {
        room: DEV,
        room_name: "dev".into(),
        message: Seq(9),
        ts: Timestamp(MORNING_MS),
        by: BOB,
        by_name: "bob".into(),
        reason: "rude".into(),
    };
    stage.event(Event::Reported(reported.clone()));
    let effect = ServerEffect::Reported(Box::new(reported.clone()));
    assert_eq!(stage.effects, [Effect::Server(ServerId::FIRST, effect)]);
    let messages = vec![said_in(DEV, "dev", 8, "hello"), said_in(DEV, "dev", 9, "go away")];
    let (room, epoch, as_of) = (DEV, Epoch(7), Seq(9));
    let page = HistoryPage { room, epoch, as_of, messages, more: true, gaps: Vec::new() };
    let answered = Answer::Reported(Box::new(reported), Ok(page));
    stage.feed(Msg::Answer(ServerId::FIRST, answered));
    let screen = stage.screen();
    for line in ["bob reports a message in #dev: rude", "ada: hello", "> ada: go away"] {
        assert!(screen.contains(line), "{line}: {screen}");
    }
    stage.hears(said(1, "goes on"));
    assert!(stage.shows("goes on"));
}

#[test]
fn messages_that_are_taken_away_are_no_longer_on_the_screen() {
    let mut stage = Stage::online(120, 20);
    let by_bob = |seq, ts_ms, text: &str| chat_client::Message {
        from: BOB,
        from_name: "bob".into(),
        ts: Timestamp(ts_ms),
        ..said(seq, text)
    };
    stage.hears(by_bob(1, MORNING_MS - 2 * HOUR_MS, "early bird"));
    stage.hears(said(2, "between"));
    stage.hears(by_bob(3, MORNING_MS, "buy now"));
    let since = Some(Timestamp(MORNING_MS - HOUR_MS));
    stage.event(moderated(4, Some(BOB), Deed::MessagesRemoved { since }));
    assert!(!stage.shows("buy now"), "{}", stage.screen());
    assert!(stage.shows("early bird") && stage.shows("between"), "{}", stage.screen());
    assert!(stage.shows("a message of bob was removed"), "{}", stage.screen());
    assert!(stage.shows("ada removed the messages of bob since 2026-03-04 09:00"));
    stage.event(moderated(5, Some(BOB), Deed::MessagesRemoved { since: None }));
    assert!(!stage.shows("early bird") && stage.shows("between"), "{}", stage.screen());
    assert!(stage.shows("ada removed all messages of bob"), "{}", stage.screen());
}

#[test]
fn ones_own_are_taken_away_too_and_what_waits_stays() {
    let mut stage = Stage::online(80, 20);
    stage.hears(own(1, 1, "an old word"));
    stage.types("not yet sent");
    stage.event(moderated(2, Some(ME), Deed::MessagesRemoved { since: None }));
    assert!(!stage.shows("an old word") && stage.shows("not yet sent"), "{}", stage.screen());
}
