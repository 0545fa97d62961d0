//! Facts about the outbox on disk.

use chat_proto::Nonce;

use super::*;
use crate::outbox::Entry;

const STREAM: StreamId = StreamId([5; 16]);

fn nonce(n: u64) -> Nonce {
    Nonce { stream: STREAM, n }
}

fn push(n: u64, text: &str) -> Record {
    Record::Push(Entry { nonce: nonce(n), to: RoomId(3).into(), text: text.into() })
}

fn path(dir: &Path) -> PathBuf {
    dir.join(format!("{STREAM}.{EXTENSION}"))
}

fn adopted(dir: &Path) -> Orphan {
    Journal::adopt(&path(dir)).unwrap().expect("nobody holds it")
}

fn texts(outbox: &Outbox) -> Vec<(u64, String)> {
    outbox.pending().map(|entry| (entry.nonce.n, entry.text)).collect()
}

fn numbered<const N: usize>(texts: [(u64, &str); N]) -> [(u64, String); N] {
    texts.map(|(n, text)| (n, text.to_owned()))
}

#[test]
fn what_is_unanswered_comes_back_under_its_own_nonce() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(dir.path(), STREAM, 1, &[push(1, "a\n\u{2028}\"")]).unwrap();
    journal.write(&[push(2, "b"), push(3, "c")]).unwrap();
    journal.write(&[Record::Answered(nonce(2))]).unwrap();
    drop(journal);
    let left = adopted(dir.path());
    assert_eq!(texts(&left.outbox), numbered([(1, "a\n\u{2028}\""), (3, "c")]));
    assert_eq!((left.outbox.stream(), left.outbox.next_n()), (STREAM, 4));
}

#[test]
fn the_outbox_of_a_living_process_is_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::create(dir.path(), STREAM, 1, &[push(1, "a")]).unwrap();
    assert!(Journal::adopt(&path(dir.path())).unwrap().is_none());
    drop(journal);
    assert!(Journal::adopt(&path(dir.path())).unwrap().is_some());
}

#[test]
fn a_torn_last_line_is_cut_off_and_the_file_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    drop(Journal::create(dir.path(), STREAM, 1, &[push(1, "a"), push(2, "b")]).unwrap());
    let whole = std::fs::read(path(dir.path())).unwrap();
    let first_line = whole.iter().position(|byte| *byte == b'\n').unwrap();
    for cut in first_line + 1..whole.len() {
        std::fs::write(path(dir.path()), &whole[..cut]).unwrap();
        let mut left = adopted(dir.path());
        assert!(left.outbox.len() < 2, "cut at {cut}");
        left.journal.write(&[push(9, "later")]).unwrap();
        drop(left);
        let again = adopted(dir.path());
        assert!(texts(&again.outbox).contains(&(9, "later".to_owned())), "cut at {cut}");
    }
}

#[test]
fn a_file_that_was_cut_in_its_first_line_is_no_journal() {
    let dir = tempfile::tempdir().unwrap();
    for bytes in ["", "{\"v\":1,", "hello\n", "{\"v\":1,\"stream\":\"00\",\"created_ms\":1}\n"] {
        std::fs::write(path(dir.path()), bytes).unwrap();
        assert!(Journal::adopt(&path(dir.path())).unwrap().is_none());
    }
}

#[test]
fn a_broken_line_in_the_middle_costs_only_itself() {
    let dir = tempfile::tempdir().unwrap();
    drop(Journal::create(dir.path(), STREAM, 1, &[push(1, "a")]).unwrap());
    let mut bytes = std::fs::read(path(dir.path())).unwrap();
    bytes.extend_from_slice(b"\0\0\0\n{\"n\":2,\"room\":3,\"text\":\"b\"}\n");
    std::fs::write(path(dir.path()), bytes).unwrap();
    assert_eq!(texts(&adopted(dir.path()).outbox), numbered([(1, "a"), (2, "b")]));
}

#[test]
fn a_room_that_was_found_and_the_life_of_the_logs_come_back() {
    let dir = tempfile::tempdir().unwrap();
    let ops = RoomName::parse("ops").unwrap();
    let entry =
        Record::Push(Entry { nonce: nonce(1), to: Destination::from(&ops), text: "hi".into() });
    let mut journal = Journal::create(dir.path(), STREAM, 1, &[entry]).unwrap();
    let found = Record::Found(STREAM, RoomId(8));
    journal.write(&[Record::Epoch(STREAM, Epoch(4)), found]).unwrap();
    drop(journal);
    let mut outbox = adopted(dir.path()).outbox;
    outbox.connected(Epoch(4));
    let sent = outbox.next_to_send(1).expect("the room is known");
    assert_eq!(sent.to, Destination::known(RoomId(8), ops));
    outbox.connected(Epoch(5));
    assert!(outbox.unresolved().is_some(), "another life");
}

#[test]
fn a_replaced_journal_has_the_new_stream_only() {
    let dir = tempfile::tempdir().unwrap();
    let journal = Journal::create(dir.path(), STREAM, 7, &[push(4, "a")]).unwrap();
    let fresh = StreamId([6; 16]);
    let entry = Record::Push(Entry {
        nonce: Nonce { stream: fresh, n: 1 },
        to: RoomId(3).into(),
        text: "a".into(),
    });
    let journal = journal.replace(fresh, &[entry]).unwrap();
    assert!(Journal::adopt(&path(dir.path())).unwrap().is_none(), "still locked");
    drop(journal);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    let left = adopted(dir.path());
    assert_eq!((left.outbox.stream(), left.journal.created_ms()), (fresh, 7));
    assert_eq!(texts(&left.outbox), numbered([(1, "a")]));
}

#[test]
fn a_long_journal_without_pending_sends_is_cut_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = Journal::create(dir.path(), STREAM, 1, &[]).unwrap();
    let text = "x".repeat(100_000);
    for n in 1..=20 {
        journal.write(&[push(n, &text)]).unwrap();
        journal.write(&[Record::Answered(nonce(n))]).unwrap();
    }
    assert!(std::fs::metadata(path(dir.path())).unwrap().len() < 2 * EMPTY_BYTES_MAX);
    assert!(journal.is_empty());
}

#[test]
fn a_room_of_an_earlier_life_is_not_believed() {
    let dir = tempfile::tempdir().unwrap();
    let ops = RoomName::parse("ops").unwrap();
    let entry = Record::Push(Entry {
        nonce: nonce(1),
        to: Destination::known(RoomId(8), ops),
        text: "hi".into(),
    });
    let epoch = |epoch| Record::Epoch(STREAM, Epoch(epoch));
    drop(Journal::create(dir.path(), STREAM, 1, &[epoch(4), entry, epoch(5)]).unwrap());
    assert!(adopted(dir.path()).outbox.unresolved().is_some());
}

#[test]
fn a_line_for_another_room_is_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let to = |n: u64, room: u64| {
        let entry = Entry { nonce: nonce(n), to: RoomId(room).into(), text: n.to_string() };
        Record::Push(entry)
    };
    drop(Journal::create(dir.path(), STREAM, 1, &[to(1, 3), to(2, 4), to(3, 3)]).unwrap());
    let left = adopted(dir.path());
    assert_eq!(texts(&left.outbox), numbered([(1, "1"), (3, "3")]));
    assert_eq!(*left.outbox.to(), RoomId(3).into());
}
