//! What is held in memory has a bound, whatever is said and in however many rooms.

use chat_proto::RoomId;
use chat_tui::screen::history::ALL_BYTES_MAX;

use crate::stage::{LOBBY, Stage, said, said_in};

fn bytes(stage: &Stage) -> usize {
    stage.model.server().rooms.iter().map(|room| room.history.bytes()).sum()
}

#[test]
fn all_rooms_together_have_a_bound_in_bytes() {
    let mut stage = Stage::online(80, 24);
    let text = "x".repeat(16 * 1024 - 8);
    let rooms: Vec<(RoomId, String)> = (2..42).map(|n| (RoomId(n), format!("room-{n}"))).collect();
    for (id, name) in &rooms {
        stage.subscribe(*id, name, 0);
    }
    for seq in 1..=80 {
        stage.hears(said(seq, &text));
        for (id, name) in &rooms {
            stage.hears(said_in(*id, name, seq, &format!("{seq:08}{text}")));
        }
        assert!(bytes(&stage) <= ALL_BYTES_MAX, "{} bytes after {seq}", bytes(&stage));
    }
    let lobby = stage.model.server().room_of(LOBBY).unwrap();
    assert!(
        stage.model.server().rooms[lobby].history.bytes() > 1 << 20,
        "the open room keeps the most"
    );
    let last = stage.model.server().room_of(rooms[0].0).unwrap();
    stage.model.open(last);
    assert!(stage.shows("00000080xxx"), "what is dropped is the oldest:\n{}", stage.screen());
}
