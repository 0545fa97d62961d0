//! What readers of a damaged store are told of the lobby: live, and as history.

use bytes::BytesMut;
use chat_core::HistoryRead;
use chat_proto::limits::HISTORY_MESSAGES_MAX;
use chat_proto::{FrameCodec, Gap, Kind, LoggedHead, RoomId, Seq};
use chatd::store::{Reader, SqliteStore};

use crate::store_seed::LOBBY;

/// Why events are missing: nothing deletes any, whatever it may look like.
const UNREADABLE: u16 = 2;

/// The seqs that came, and those that cannot be read; both rising.
pub(crate) type Told = (Vec<u64>, Vec<u64>);

/// Follows the lobby from its beginning to `head`.
pub(crate) fn follow(reader: &mut Reader, head: u64) -> Told {
    let (mut came, mut missing, mut after) = (Vec::new(), Vec::new(), Seq(0));
    while after < Seq(head) {
        let page = reader.events_after(LOBBY, after, Seq(head), 4_096).expect("it is read");
        assert!(page.after > after, "it always comes further");
        after = page.after;
        let mut bytes = BytesMut::from(&*page.frames);
        while let Some(frame) =
            FrameCodec::default().take_last_frame(&mut bytes).expect("they are frames")
        {
            if frame.known_kind() == Some(Kind::Gap) {
                let gap: Gap = frame.decode().expect("it is a gap");
                assert_eq!((gap.log, gap.reason), (LOBBY, UNREADABLE), "{gap:?}");
                missing.extend(gap.from.0..=gap.to.0);
            } else {
                let told = LoggedHead::of(&frame).expect("it is an event");
                assert_eq!(told.log, LOBBY);
                came.push(told.seq.0);
            }
        }
    }
    assert_eq!(after, Seq(head), "and not past the head");
    (came, missing)
}

/// Pages back through the lobby from `head` to its beginning.
pub(crate) fn page_back(reader: &mut Reader, store: &SqliteStore, head: u64) -> Told {
    let (mut came, mut missing, mut before) = (Vec::new(), Vec::new(), Seq(u64::MAX));
    loop {
        let (room, epoch, limit) = (RoomId(LOBBY.0), store.epoch(), HISTORY_MESSAGES_MAX);
        let read = HistoryRead { room, epoch, as_of: Seq(head), before, limit };
        let page = reader.history(&read).expect("it is read");
        came.extend(page.messages.iter().rev().map(|message| message.seq.0));
        for gap in page.gaps.iter() {
            assert_eq!((gap.log, gap.reason), (LOBBY, UNREADABLE), "{gap:?}");
            missing.extend((gap.from.0..=gap.to.0).rev());
        }
        let first = page.messages.first().map(|message| message.seq);
        let oldest = first.into_iter().chain(page.gaps.iter().map(|gap| gap.from)).min();
        match oldest.filter(|_| page.more) {
            Some(oldest) => {
                assert!(oldest < before, "it always comes further");
                before = oldest;
            }
            None => break,
        }
    }
    came.reverse();
    missing.reverse();
    (came, missing)
}
