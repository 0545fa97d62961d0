//! With more rooms than rows, what is beyond the edges is told.

use chat_proto::RoomId;

use crate::stage::{Stage, said_in};

/// The lobby and 29 rooms more; something is unread in three of the last ones, once with the
/// reader's name.
fn thirty_rooms(columns: u16, rows: u16, name: &str) -> Stage {
    let mut stage = Stage::online(columns, rows);
    for nth in 1..30 {
        stage.subscribe(RoomId(nth + 10), &format!("{name}-{nth:02}"), 0);
    }
    for (nth, seq, text) in
        [(27, 1, "hello"), (28, 1, "hello"), (28, 2, "again"), (29, 1, "me: look")]
    {
        stage.hears(said_in(RoomId(nth + 10), &format!("{name}-{nth:02}"), seq, text));
    }
    stage
}

#[test]
fn what_is_unread_below_the_edge_is_told_at_every_height() {
    for rows in 8..40 {
        let stage = thirty_rooms(120, rows, "project-room");
        let shown = usize::from(rows - 5);
        let told = match 30_usize.saturating_sub(shown) {
            0 => String::new(),
            1 => "↓ 1 room, 1 new !1 ─".to_owned(),
            2 => "↓ 2 rooms, 3 new !1 ─".to_owned(),
            below => format!("↓ {below} rooms, 4 new !1 "),
        };
        assert!(stage.shows(&told), "{rows} rows:\n{}", stage.screen());
        assert_eq!(stage.shows("↓"), shown < 30, "{rows} rows:\n{}", stage.screen());
        assert!(stage.shows("┌ rooms ─"), "nothing is above: {}", stage.screen());
    }
}

#[test]
fn what_is_above_is_told_too() {
    let mut stage = thirty_rooms(120, 15, "project-room");
    stage.hears(said_in(RoomId(11), "project-room-01", 1, "hello"));
    stage.alt('a');
    assert_eq!(stage.model.room().title, "project-room-29", "who names the reader comes first");
    assert!(stage.shows("┌ ↑ 20 rooms, 1 new ───┐"), "{}", stage.screen());
    assert!(!stage.shows("↓"), "the last room is in sight: {}", stage.screen());
}

#[test]
fn a_narrow_pane_tells_it_briefly() {
    let stage = thirty_rooms(80, 15, "r");
    assert!(stage.shows("└↓20 +4 !1───┘"), "{}", stage.screen());
    let stage = thirty_rooms(80, 15, "rooms");
    assert!(stage.shows("└ ↓20, 4 new !1 ┘"), "{}", stage.screen());
}

#[test]
fn without_a_pane_the_status_names_the_rooms_that_name_the_reader_first() {
    let mut stage = thirty_rooms(40, 15, "room");
    for nth in 1..5 {
        stage.hears(said_in(RoomId(nth + 10), &format!("room-{nth:02}"), 2, "hello"));
    }
    for (columns, told) in [
        (59, "#room-29 !1 #room-01 1 #room-02 1 +4 more"),
        (46, "#room-29 !1 #room-01 1 +5 more"),
        (40, "#room-29 !1 +6 more"),
        (29, "#room-29 !1 +6 more"),
        (21, "new in 7 rooms !1"),
        (20, "new in 7 rooms"),
    ] {
        stage.feed(chat_tui::screen::update::Msg::Resize(columns, 15));
        let shown =
            stage.shows(&format!("connected  {told}")) || stage.shows(&format!("●  {told}"));
        assert_eq!(shown, columns > 20, "{columns}: {}", stage.screen());
    }
}
