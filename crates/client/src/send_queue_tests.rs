//! The two policies of a queue, side by side, and the order of its streams.

use chat_proto::{ErrorCode, MessageId, Seq, Timestamp};

use super::*;

const EPOCH: Epoch = Epoch(1);
const LOBBY: RoomId = RoomId(5);
const OWN: StreamId = StreamId([1; 16]);
const FRESH: StreamId = StreamId([2; 16]);
const RENEWABLE: Policy = Policy::Script { is_stream_firm: false };
const FIRM: Policy = Policy::Script { is_stream_firm: true };

fn queue(policy: Policy) -> SendQueue {
    SendQueue::new(Outbox::new(OWN), Vec::new(), policy)
}

fn online(policy: Policy) -> SendQueue {
    let mut queue = queue(policy);
    queue.connected(EPOCH);
    queue
}

fn say(queue: &mut SendQueue, to: impl Into<Destination>, text: &str) -> Nonce {
    let entries = queue.prepare([(to.into(), text.to_owned())]);
    let nonces: Vec<_> = entries
        .into_iter()
        .map(|entry| {
            let pushed = queue.push(entry.to, entry.text);
            assert_eq!(pushed.nonce, entry.nonce, "it has the place that it was given");
            pushed.nonce
        })
        .collect();
    nonces[0]
}

fn ack(nonce: Nonce) -> Ack {
    Ack { nonce, room: LOBBY, seq: Seq(nonce.n), ts: Timestamp(1), id: MessageId([0; 16]) }
}

fn error(code: ErrorCode, detail: u64) -> Error {
    Error::new(code, "no").with_detail(detail)
}

fn sent(queue: &mut SendQueue, now_ms: u64) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(outbound) = queue.next(10, now_ms) {
        match outbound {
            Outbound::Send(entry) => texts.push(entry.text),
            Outbound::Find(name) => texts.push(format!("#{name}?")),
        }
    }
    texts
}

fn changes(queue: &mut SendQueue) -> Vec<Change> {
    std::iter::from_fn(|| queue.next_change()).collect()
}

#[test]
fn a_screen_writes_everything_down_and_a_script_nothing() {
    for (policy, is_written) in [(Policy::Screen, true), (RENEWABLE, false), (FIRM, false)] {
        let mut queue = online(policy);
        let nonce = say(&mut queue, RoomName::parse("lobby").unwrap(), "a");
        assert_eq!(sent(&mut queue, 0), ["#lobby?"]);
        queue.found(&RoomName::parse("lobby").unwrap(), LOBBY);
        assert_eq!(sent(&mut queue, 0), ["a"]);
        queue.acked(&ack(nonce));
        let records = queue.take_records();
        let kinds = records.iter().map(|record| match record {
            Record::Epoch(OWN, EPOCH) => 'e',
            Record::Push(entry) if entry.nonce == nonce && entry.to.room.is_none() => 'p',
            Record::Found(found, LOBBY) if *found == nonce => 'f',
            Record::Answered(answered) if *answered == nonce => 'a',
            Record::Push(_) | Record::Found(..) | Record::Answered(_) | Record::Epoch(..) => {
                panic!("{record:?}")
            }
        });
        let expected = if is_written { "eepfa" } else { "" };
        assert_eq!(kinds.collect::<String>(), expected, "{policy:?}");
        assert!(!queue.has_records() && queue.is_empty());
        assert!(matches!(&changes(&mut queue)[..], [Change::Acked(entry, _)] if entry.text == "a"));
    }
}

#[test]
fn a_lost_stream_goes_on_under_a_fresh_one_unless_somebody_gave_its_id() {
    for policy in [Policy::Screen, RENEWABLE, FIRM] {
        let mut queue = online(policy);
        let first = say(&mut queue, LOBBY, "a");
        sent(&mut queue, 0);
        queue.acked(&ack(first));
        let second = say(&mut queue, LOBBY, "b");
        changes(&mut queue);
        queue.disconnected();
        // The daemon is restored from a backup of before the first message.
        queue.connected(Epoch(2));
        assert_eq!(sent(&mut queue, 0), ["b"]);
        queue.refused(second, &error(ErrorCode::Behind, 1), 0);
        let told = changes(&mut queue);
        assert!(matches!(told[0], Change::Forgotten(1)), "{told:?}");
        if policy == FIRM {
            let [_, Change::Refused(entry, refusal)] = &told[..] else { panic!("{told:?}") };
            assert_eq!((entry.nonce, queue.lost(0)), (second, None));
            assert!(refusal.reason.contains("backup"), "{refusal}");
            assert!(queue.is_empty() && queue.has_room());
            continue;
        }
        assert_eq!((told.len(), queue.lost(0)), (1, Some(OWN)));
        assert!(!queue.has_room(), "nothing is said into a stream that is lost");
        assert_eq!(sent(&mut queue, 0), [""; 0]);
        let new = Nonce { stream: FRESH, n: 1 };
        let records = queue.restart_records(OWN, FRESH);
        assert!(
            matches!(&records[..], [Record::Epoch(FRESH, Epoch(2)), Record::Push(entry)]
            if entry.nonce == new),
            "{records:?}"
        );
        queue.restarted(OWN, FRESH);
        assert!(matches!(&changes(&mut queue)[..], [Change::Moved(entry, to)]
            if entry.nonce == second && *to == new));
        assert_eq!(sent(&mut queue, 0), ["b"]);
    }
}

#[test]
fn a_journal_that_cannot_be_had_is_tried_again_after_a_pause() {
    let mut queue = online(Policy::Screen);
    let nonce = say(&mut queue, LOBBY, "a");
    let acked = say(&mut queue, LOBBY, "b");
    sent(&mut queue, 0);
    queue.acked(&ack(nonce));
    queue.refused(acked, &error(ErrorCode::Behind, 1), 100);
    assert_eq!(queue.lost(100), Some(OWN));
    queue.restart_failed(100);
    assert_eq!((queue.lost(1_099), queue.due_ms()), (None, Some(1_100)));
    assert_eq!(queue.lost(1_100), Some(OWN));
}

#[test]
fn a_refusal_that_may_be_retried_pauses_everything() {
    let mut queue = online(RENEWABLE);
    let nonce = say(&mut queue, LOBBY, "a");
    assert_eq!(sent(&mut queue, 0), ["a"]);
    queue.refused(nonce, &error(ErrorCode::RateLimited, 250), 50);
    say(&mut queue, LOBBY, "b");
    assert_eq!(queue.due_ms(), Some(300));
    assert_eq!(sent(&mut queue, 299), [""; 0]);
    assert_eq!(sent(&mut queue, 300), ["a", "b"]);
    assert_eq!(changes(&mut queue), []);
}

#[test]
fn a_room_that_cannot_be_had_is_the_reason_of_the_refusal() {
    let mut queue = online(Policy::Screen);
    let name = RoomName::parse("ops").unwrap();
    let nonce = say(&mut queue, name.clone(), "a");
    assert_eq!(sent(&mut queue, 0).len(), 1, "one request at a time");
    queue.not_found(&name, error(ErrorCode::NameTaken, 0));
    let Some(Outbound::Send(entry)) = queue.next(10, 0) else { panic!("it has to be refused") };
    assert_eq!(entry.to.room, Some(Destination::NOWHERE));
    queue.refused(nonce, &error(ErrorCode::UnknownRoom, 0), 0);
    let told = changes(&mut queue);
    assert!(
        matches!(&told[..], [Change::Refused(_, why)] if why.code == Some(ErrorCode::NameTaken)),
        "{told:?}"
    );
}

#[test]
fn what_dead_processes_left_goes_first_and_its_stream_is_answered_before_the_next() {
    let left = |stream: u8, text: &str| {
        let mut outbox = Outbox::new(StreamId([stream; 16]));
        outbox.push(LOBBY, text.to_owned());
        outbox
    };
    let mut queue = SendQueue::new(Outbox::new(OWN), vec![left(7, "older")], Policy::Screen);
    say(&mut queue, LOBBY, "own");
    queue.connected(EPOCH);
    queue.adopt(vec![left(8, "newer")]);
    let adopted = changes(&mut queue).len();
    assert_eq!((adopted, queue.len()), (2, 3));
    for (stream, text) in [(7, "older"), (8, "newer"), (1, "own")] {
        assert_eq!(sent(&mut queue, 0), [text]);
        queue.acked(&ack(Nonce { stream: StreamId([stream; 16]), n: 1 }));
    }
    assert!(queue.is_empty());
}

#[test]
fn after_a_restore_a_room_is_found_by_its_name_once_whatever_id_the_sender_holds() {
    let name = RoomName::parse("ops").unwrap();
    let held = || Destination::known(LOBBY, name.clone());
    let mut queue = online(RENEWABLE);
    say(&mut queue, held(), "a");
    assert_eq!(sent(&mut queue, 0), ["a"]);
    queue.acked(&ack(Nonce { stream: OWN, n: 1 }));
    queue.disconnected();
    queue.connected(Epoch(2));
    say(&mut queue, held(), "b");
    assert_eq!(sent(&mut queue, 0), ["#ops?"]);
    queue.found(&name, RoomId(9));
    say(&mut queue, held(), "c");
    let mut rooms = Vec::new();
    while let Some(Outbound::Send(entry)) = queue.next(10, 0) {
        rooms.push((entry.text, entry.to.room));
    }
    let ninth = Some(RoomId(9));
    assert_eq!(rooms, [("b".to_owned(), ninth), ("c".to_owned(), ninth)]);
    say(&mut queue, LOBBY, "d");
    assert_eq!(sent(&mut queue, 0), ["d"], "who gives no name gets the room of that id");
}

#[test]
fn a_full_queue_takes_no_more() {
    let mut queue = queue(RENEWABLE);
    for _ in 0..UNANSWERED_MAX {
        assert!(queue.has_room());
        say(&mut queue, LOBBY, "a");
    }
    assert!(!queue.has_room());
}
