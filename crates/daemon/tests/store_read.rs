//! Reading history beside the writer: the frames that everyone gets, and what is gone said aloud.

mod store_seed;

use std::collections::BTreeSet;

use bytes::BytesMut;
use chat_core::{BotScope, Content, Event, EventKind, HistoryRead, OPERATOR, Store};
use chat_proto::limits::{HISTORY_MESSAGES_MAX, HISTORY_TEXT_BYTES_MAX, TEXT_BYTES_MAX};
use chat_proto::{
    AccountId, Epoch, EventSeq, FrameCodec, Gap, HistoryPage, InvitationCode, InvitationHash, Kind,
    LinkCodeHash, LogId, LoggedHead, Nickname, PublicKey, RequestId, Role, RoomId, RoomName, Seq,
    TextKind, Timestamp, encode_frame,
};
use chatd::store::{Durability, LogPage, Reader, SqliteStore};
use store_seed::{ADA, LOBBY, event, message, post, put, seeded};
use tempfile::TempDir;

fn store() -> (SqliteStore, Reader, TempDir) {
    let dir = tempfile::tempdir().expect("there is room");
    let store = seeded(dir.path(), Durability::Full);
    let reader = Reader::open(&store).expect("the file is there");
    (store, reader, dir)
}

/// What there is, whatever the head.
fn events_after(reader: &mut Reader, log: LogId, after: u64, bytes_max: usize) -> LogPage {
    reader.events_after(log, Seq(after), Seq(0), bytes_max).expect("the file can be read")
}

fn frames(events: &[Event]) -> Vec<u8> {
    let mut frames = Vec::new();
    events.iter().for_each(|event| event.encode(&mut frames));
    frames
}

/// What a page tells: each event as its seq twice, each gap as its ends.
fn told(page: &LogPage) -> Vec<(u64, u64)> {
    let mut bytes = BytesMut::from(&*page.frames);
    let codec = FrameCodec::default();
    let mut told = Vec::new();
    while let Some(frame) = codec.take_last_frame(&mut bytes).expect("they are frames") {
        told.push(match frame.known_kind() {
            Some(Kind::Gap) => {
                let gap: Gap = frame.decode().expect("it is a gap");
                (gap.from.0, gap.to.0)
            }
            _ => {
                let seq = LoggedHead::of(&frame).expect("it is an event").seq.0;
                (seq, seq)
            }
        });
    }
    told
}

/// Takes events away from under the store.
fn lose(store: &SqliteStore, condition: &str) {
    let other = rusqlite::Connection::open(store.path()).expect("it is there");
    other
        .execute(&format!("DELETE FROM events WHERE log = 1 AND ({condition})"), [])
        .expect("it takes writes");
}

fn banned(account: AccountId) -> Content {
    let (until, reason, was_member) = (Timestamp(1 << 41), "two\nlines".to_owned(), false);
    Content::Banned { account, by: ADA, until, reason, was_member }
}

fn reported() -> Content {
    Content::Reported { room: RoomId(4), by: ADA, message: Seq(3), reason: "rude".to_owned() }
}

fn invited(by: AccountId, hash: InvitationHash) -> Content {
    let (expires, rooms) = (Timestamp(9_000), [RoomId(4)].into());
    Content::InvitationCreated { by, hash, uses: 3, expires, rooms, name: "".into() }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one of each kind")]
fn every_kind_of_event_comes_back_as_the_same_frame() {
    let (mut store, mut reader, _dir) = store();
    let bob = AccountId(3);
    let nickname = |name| Nickname::parse(name).expect("a name");
    let side = RoomName::parse("side").expect("a name");
    let scope = BotScope::of_words("send,read", Timestamp(9)).expect("words");
    let lobby = RoomName::parse("lobby").expect("a name");
    let (credential, laptop) = (PublicKey([0xB0; 32]).into(), PublicKey([0xB1; 32]).into());
    let hash = InvitationCode([7; 16]).hash();
    let (room, until, reason) = (RoomId(4), Timestamp(1 << 41), str::to_owned);
    let (banned, reported) = (banned(bob), reported());
    let events = [
        event(bob.into(), 1, Content::AccountCreated { credential, name: nickname("bob").into() }),
        event(bob.into(), 2, Content::AccountRenamed { by: bob, name: nickname("rob").into() }),
        event(LogId(4), 1, Content::RoomCreated { by: Some(bob), name: side.into() }),
        event(LogId(4), 2, Content::Joined { account: bob }),
        event(bob.into(), 3, Content::RoomJoined { room: RoomId(4) }),
        event(LogId(4), 3, Content::RoleSet { by: Some(ADA), account: bob, role: Role::Moderator }),
        event(LogId(4), 4, Content::RoleSet { by: None, account: bob, role: Role::Owner }),
        event(LogId(4), 5, Content::Muted { account: bob, by: ADA, until, reason: reason("") }),
        event(LogId(4), 6, Content::Unmuted { account: bob, by: ADA }),
        event(LogId(4), 7, Content::SlowSet { by: ADA, seconds: 30 }),
        event(LogId(4), 8, Content::Kicked { account: bob, by: ADA, reason: reason("spam") }),
        event(LogId(4), 9, banned),
        event(LogId(4), 10, Content::Unbanned { account: bob, by: ADA }),
        event(LogId(4), 11, Content::AccessSet { by: bob, is_private: true }),
        event(LogId(4), 12, Content::AccessSet { by: bob, is_private: false }),
        event(LogId(4), 13, Content::InvitationSet { by: bob, account: ADA, is_set: true }),
        event(LogId(4), 14, Content::TopicSet { by: bob, topic: "sides".to_owned() }),
        event(LogId(4), 15, Content::TopicSet { by: bob, topic: String::new() }),
        event(LogId(4), 16, Content::ReadOnlySet { by: bob, is_read_only: true }),
        event(
            LogId(4),
            17,
            Content::MessagesRemoved { account: bob, by: ADA, since: Timestamp(9) },
        ),
        event(LogId(4), 18, Content::Left { account: bob }),
        event(LogId(4), 19, Content::RoomRemoved {}),
        event(bob.into(), 4, Content::RoomKicked { room, by: ADA, reason: reason("spam") }),
        event(bob.into(), 5, Content::RoomBanned { room, by: ADA, until, reason: reason("") }),
        event(bob.into(), 6, Content::RoomUnbanned { room, by: ADA }),
        event(bob.into(), 7, reported),
        event(bob.into(), 8, Content::RoomLeft { room: RoomId(4) }),
        event(bob.into(), 9, Content::LinkOpened { code: LinkCodeHash([0xC0; 32]) }),
        event(bob.into(), 10, Content::CredentialAdded { credential: laptop, label: "lap".into() }),
        event(bob.into(), 11, Content::CredentialRemoved { credential: laptop }),
        event(bob.into(), 12, Content::CredentialAdded { credential: laptop, label: "".into() }),
        event(bob.into(), 13, Content::BotCreated { by: ADA, scope }),
        event(bob.into(), 14, Content::AccountDisabled { by: OPERATOR, reason: "left".into() }),
        event(bob.into(), 15, Content::AccountDisabled { by: ADA, reason: String::new() }),
        event(bob.into(), 16, Content::AccountEnabled { by: OPERATOR }),
        event(bob.into(), 17, Content::AdministratorSet { by: OPERATOR, is_set: true }),
        event(bob.into(), 18, Content::AdministratorSet { by: OPERATOR, is_set: false }),
        event(bob.into(), 19, Content::KeySet { by: OPERATOR, fingerprint: "SHA256:abc".into() }),
        event(bob.into(), 20, Content::RoomInvited { room: RoomId(LOBBY.0), by: ADA, name: lobby }),
        event(bob.into(), 21, Content::InvitationWithdrawn { room: RoomId(LOBBY.0) }),
        event(LogId(5), 1, Content::DirectBegun { by: ADA, account: bob }),
        message(2, "hello\n\u{1b}[31m wörld 👍"),
        event(LogId::SERVER, 1, invited(bob, hash)),
        event(LogId::SERVER, 2, Content::InvitationUsed { id: hash.id(), account: bob }),
        event(LogId::SERVER, 3, Content::InvitationRevoked { id: hash.id(), by: bob }),
    ];
    let kinds: BTreeSet<_> = events.iter().map(|event| event.content.kind().name()).collect();
    let all: BTreeSet<_> = EventKind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(kinds, all, "an event of each kind is written and read here");
    events.iter().for_each(|event| put(&mut store, event));
    store.commit().expect("there is room");
    for log in [bob.into(), LogId(4), LogId(5), LogId::SERVER] {
        let of_log: Vec<_> = events.iter().filter(|event| event.log == log).cloned().collect();
        let head = Seq(of_log.len() as u64);
        let page = events_after(&mut reader, log, 0, usize::MAX);
        assert_eq!(page, LogPage { frames: frames(&of_log), after: head });
    }
    let page = events_after(&mut reader, LOBBY, 1, usize::MAX);
    let posted = events.iter().position(|event| event.log == LOBBY).expect("one is");
    assert_eq!(page, LogPage { frames: frames(&events[posted..=posted]), after: Seq(2) });
    let lobby = events_after(&mut reader, LOBBY, 0, usize::MAX);
    assert_eq!(told(&lobby), [(1, 1), (2, 2)]);
}

/// The lobby's message with this seq, of another kind or as an answer.
fn meant(seq: u64, kind: TextKind, reply_to: Option<u64>) -> Event {
    let mut event = message(seq, "waves");
    if let Content::Posted { body, .. } = &mut event.content {
        (body.kind, body.reply_to) =
            (kind as u16, reply_to.and_then(|seq| EventSeq::new(Seq(seq))));
    }
    event
}

#[test]
fn how_a_message_is_meant_and_what_it_answers_comes_back() {
    let (mut store, mut reader, _dir) = store();
    let events = [
        message(2, "plain"),
        meant(3, TextKind::Action, None),
        meant(4, TextKind::Say, Some(2)),
        message(5, "plain again"),
        meant(6, TextKind::Notice, Some(1)),
    ];
    events.iter().for_each(|event| put(&mut store, event));
    store.commit().expect("there is room");
    let page = events_after(&mut reader, LOBBY, 1, usize::MAX);
    assert_eq!(page, LogPage { frames: frames(&events), after: Seq(6) });
    let (room, epoch, as_of) = (RoomId(LOBBY.0), store.epoch(), Seq(6));
    let read = HistoryRead { room, epoch, before: Seq(u64::MAX), limit: 10, as_of };
    let page = reader.history(&read).expect("the file can be read");
    let meant: Vec<_> =
        page.messages.iter().map(|it| (it.seq.0, it.body.known_kind(), it.body.reply_to)).collect();
    let (say, seq) = (Some(TextKind::Say), |seq| EventSeq::new(Seq(seq)));
    let expected = [
        (2, say, None),
        (3, Some(TextKind::Action), None),
        (4, say, seq(2)),
        (5, say, None),
        (6, Some(TextKind::Notice), seq(1)),
    ];
    assert_eq!(meant, expected);
}

#[test]
fn a_log_is_read_in_pages_without_a_seam() {
    let (mut store, mut reader, _dir) = store();
    post(&mut store, 2..=500);
    for bytes_max in [0, 1, 500, 10_000, usize::MAX] {
        let (mut after, mut all) = (0, Vec::new());
        loop {
            let page = events_after(&mut reader, LOBBY, after, bytes_max);
            if page.frames.is_empty() {
                assert_eq!(page.after, Seq(after));
                break;
            }
            let longest = frames(&[message(500, "text 500")]).len();
            assert!(page.frames.len() <= bytes_max.saturating_add(longest));
            after = page.after.0;
            all.extend(told(&page));
        }
        assert!(all.into_iter().eq((1..=500).map(|seq| (seq, seq))), "by {bytes_max}");
    }
}

#[test]
fn what_is_not_there_any_more_is_said_aloud() {
    let (mut store, mut reader, _dir) = store();
    post(&mut store, 2..=10);
    lose(&store, "seq <= 3 OR seq = 5 OR seq >= 9");
    let (mut after, mut all) = (Seq(0), Vec::new());
    while after < Seq(10) {
        let page = reader.events_after(LOBBY, after, Seq(10), usize::MAX).expect("it is read");
        assert!(page.after > after, "it always comes further");
        after = page.after;
        all.extend(told(&page));
    }
    assert_eq!(all, [(1, 3), (4, 4), (5, 5), (6, 6), (7, 7), (8, 8), (9, 10)]);
    assert_eq!(after, Seq(10));

    lose(&store, "true");
    let page = reader.events_after(LOBBY, Seq(4), Seq(10), 1).expect("it is read");
    // Nobody has deleted anything: it is a damaged file.
    let gap = Gap { log: LOBBY, from: Seq(5), to: Seq(10), reason: 2 };
    let mut frames = Vec::new();
    encode_frame(&gap, RequestId(0), &mut frames).expect("it is short");
    assert_eq!(page, LogPage { frames, after: Seq(10) });
}

#[test]
fn a_log_that_is_not_there_and_a_place_past_the_head_have_nothing() {
    let (_store, mut reader, _dir) = store();
    for (log, after) in [(LogId(99), 0), (LogId(u64::MAX), 0), (LOBBY, 1), (LOBBY, u64::MAX)] {
        let page = events_after(&mut reader, log, after, usize::MAX);
        assert_eq!(page, LogPage { frames: Vec::new(), after: Seq(after) });
    }
}

#[test]
fn a_reader_sees_what_is_committed_and_only_that() {
    let (mut store, mut reader, _dir) = store();
    put(&mut store, &message(2, "soon"));
    assert_eq!(events_after(&mut reader, LOBBY, 1, usize::MAX).after, Seq(1));
    store.commit().expect("there is room");
    assert_eq!(events_after(&mut reader, LOBBY, 1, usize::MAX).after, Seq(2));
}

#[test]
fn a_reader_keeps_nothing_open_between_reads() {
    let (mut store, mut reader, _dir) = store();
    post(&mut store, 2..=300);
    events_after(&mut reader, LOBBY, 0, 100);
    history(&mut reader, u64::MAX, 5, 300);
    post(&mut store, 301..=302);
    let other = rusqlite::Connection::open(store.path()).expect("it is there");
    let busy: i64 = other
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .expect("it answers");
    assert_eq!(busy, 0);
}

fn history(reader: &mut Reader, before: u64, limit: usize, as_of: u64) -> HistoryPage {
    let (room, epoch) = (RoomId(LOBBY.0), Epoch(7));
    let read = HistoryRead { room, epoch, before: Seq(before), limit, as_of: Seq(as_of) };
    reader.history(&read).expect("the file can be read")
}

fn seqs(page: HistoryPage) -> Vec<u64> {
    page.messages.into_vec().iter().map(|message| message.seq.0).collect()
}

#[test]
fn history_pages_go_back_to_the_first_message() {
    let (mut store, mut reader, _dir) = store();
    post(&mut store, 2..=20);
    put(&mut store, &event(LOBBY, 21, Content::Joined { account: ADA }));
    post(&mut store, 22..=600);
    let (mut before, mut all) = (u64::MAX, Vec::new());
    loop {
        let page = history(&mut reader, before, HISTORY_MESSAGES_MAX, 600);
        assert_eq!((page.room, page.epoch, page.as_of), (RoomId(1), Epoch(7), Seq(600)));
        let more = page.more;
        let mut seqs = seqs(page);
        before = seqs[0];
        seqs.extend(all);
        all = seqs;
        if !more {
            break;
        }
    }
    assert!(all.into_iter().eq((2..=600).filter(|seq| *seq != 21)));
    assert!(seqs(history(&mut reader, 2, 10, 600)).is_empty());
}

#[test]
fn a_page_is_read_as_of_its_head() {
    let (mut store, mut reader, _dir) = store();
    post(&mut store, 2..=20);
    let page = history(&mut reader, u64::MAX, 3, 10);
    assert!(page.more);
    assert_eq!(seqs(page), [8, 9, 10]);
    let page = history(&mut reader, 5, 3, 10);
    assert!(!page.more);
    assert_eq!(seqs(page), [2, 3, 4]);
}

#[test]
fn a_page_of_long_messages_fits_a_reply() {
    let (mut store, mut reader, _dir) = store();
    for seq in 2..=9 {
        put(&mut store, &message(seq, &"é".repeat(TEXT_BYTES_MAX / 2)));
    }
    store.commit().expect("there is room");
    let page = history(&mut reader, u64::MAX, HISTORY_MESSAGES_MAX, 9);
    let bytes: usize = page.messages.iter().map(|message| message.body.text.len()).sum();
    assert!(bytes <= HISTORY_TEXT_BYTES_MAX && page.more);
    let mut frame = Vec::new();
    encode_frame(&page, RequestId(1), &mut frame).expect("it fits a frame");
    assert_eq!(seqs(page), [8, 9]);
}

#[test]
fn the_longest_page_of_short_messages_fits_a_reply() {
    let (mut store, mut reader, _dir) = store();
    for seq in 2..=300 {
        put(&mut store, &message(seq, &"x".repeat(HISTORY_TEXT_BYTES_MAX / HISTORY_MESSAGES_MAX)));
    }
    store.commit().expect("there is room");
    let page = history(&mut reader, u64::MAX, HISTORY_MESSAGES_MAX, 300);
    let mut frame = Vec::new();
    encode_frame(&page, RequestId(1), &mut frame).expect("it fits a frame");
    assert_eq!(seqs(page).len(), HISTORY_MESSAGES_MAX);
}
