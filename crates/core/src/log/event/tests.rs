//! The table of kinds against that of the wire.

use std::collections::BTreeSet;

use bytes::BytesMut;
use chat_proto::{
    AccountId, Frame, FrameCodec, InvitationId, Kind, LogId, LoggedHead, MessageId, RoomId, Seq,
};

use super::*;

/// A row of a kind that has every column.
fn full(kind: EventKind) -> EventRow<'static> {
    let message = MessageColumns { id: MessageId([7; 16]), text_kind: 1, reply_to: None };
    let terms = Some((3, Timestamp(1 << 40)));
    let invitation = InvitationColumns { id: InvitationId(8), terms };
    let columns = Columns {
        account: Some(AccountId(300)),
        room: Some(RoomId(9)),
        by: Some(AccountId(70_000)),
        words: Some("words"),
        number: Some(2),
        credential: Some(chat_proto::Credential::Key(chat_proto::PublicKey([3; 32]))),
        message: Some(message),
        invitation: Some(invitation),
    };
    EventRow { log: LogId(70_000), seq: Seq(1 << 20), ts: Timestamp(1 << 40), kind, columns }
}

fn frame_of(kind: EventKind) -> Frame {
    let mut bytes = Vec::new();
    full(kind).encode(&mut bytes).expect("it has every column");
    let frame = FrameCodec::default().take_frame(&mut BytesMut::from(&bytes[..]));
    frame.expect("it is short").expect("it is whole")
}

#[test]
fn every_logged_kind_of_the_wire_is_a_kind_of_event() {
    let numbers: BTreeSet<u16> = EventKind::ALL.iter().map(|kind| frame_of(*kind).kind).collect();
    let wire = Kind::ALL.iter().map(|kind| *kind as u16);
    assert_eq!(numbers, wire.filter(|number| Kind::is_logged(*number)).collect());
    assert_eq!(numbers.len(), EventKind::ALL.len(), "no two are one on the wire");
}

#[test]
fn every_frame_begins_as_its_row_says() {
    for kind in EventKind::ALL {
        let head = LoggedHead::of(&frame_of(*kind)).expect("it is a logged event");
        let EventRow { log, seq, ts, .. } = full(*kind);
        assert_eq!(head, LoggedHead { log, seq, ts }, "{kind:?}");
    }
}

#[test]
fn a_kind_is_known_by_its_name() {
    for kind in EventKind::ALL {
        assert_eq!(EventKind::of_name(kind.name()), Some(*kind));
    }
    assert_eq!(EventKind::of_name("posted "), None);
}

#[test]
fn a_row_without_a_column_that_its_frame_needs_leaves_nothing() {
    let mut bytes = b"before".to_vec();
    let row = EventRow { columns: Columns::default(), ..full(EventKind::Posted) };
    assert!(row.encode(&mut bytes).is_err());
    let row = EventRow { columns: Columns::default(), ..full(EventKind::RoomJoined) };
    let refused = row.encode(&mut bytes).expect_err("it tells of no room");
    assert_eq!(
        (refused.to_string().as_str(), &bytes[..]),
        ("its column room is empty", &b"before"[..])
    );
}
