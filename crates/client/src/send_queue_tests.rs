//! The two policies of a queue, side by side, and the order of its outboxes.

use chat_proto::{ErrorCode, MessageId, Seq, Timestamp};

use super::*;
use crate::outbox::Destination;

const EPOCH: Epoch = Epoch(1);
const LOBBY: RoomId = RoomId(5);
const RENEWABLE: Policy = Policy::Script { explicit: None };

fn firm() -> Policy {
    let explicit = ExplicitId { id: "bot".to_owned(), first_n: 1, is_firm: true };
    Policy::Script { explicit: Some(explicit) }
}

fn queue(policy: Policy) -> SendQueue {
    SendQueue::new(policy, FreshStreams::from_random([1; 16]), Vec::new())
}

fn name(name: &str) -> RoomName {
    RoomName::parse(name).unwrap()
}

fn online(policy: Policy) -> SendQueue {
    let mut queue = queue(policy);
    queue.connected(EPOCH);
    queue
}

fn say(queue: &mut SendQueue, to: impl Into<Destination>, text: &str) -> Nonce {
    say_all(queue, [(to.into(), text)])[0]
}

fn say_all<const N: usize>(queue: &mut SendQueue, sends: [(Destination, &str); N]) -> [Nonce; N] {
    if queue.policy != Policy::Screen {
        return sends.map(|(to, text)| queue.push(to, text.to_owned()).unwrap().nonce);
    }
    let entries = queue.prepare(sends.map(|(to, text)| (to, text.to_owned())));
    let nonces = entries.into_iter().map(|entry| {
        let pushed = queue.push_written(entry.clone());
        assert_eq!(pushed, entry, "it has the place that it was given");
        pushed.nonce
    });
    nonces.collect::<Vec<_>>().try_into().unwrap()
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
    for (policy, is_written) in [(Policy::Screen, true), (RENEWABLE, false)] {
        let mut queue = online(policy.clone());
        let nonce = say(&mut queue, name("lobby"), "a");
        assert_eq!(sent(&mut queue, 0), ["#lobby?"]);
        queue.found(&name("lobby"), LOBBY);
        assert_eq!(sent(&mut queue, 0), ["a"]);
        queue.acked(&ack(nonce));
        let records = queue.take_records();
        let kinds = records.iter().map(|record| match record {
            Record::Epoch(stream, EPOCH) if *stream == nonce.stream => 'e',
            Record::Push(entry) if entry.nonce == nonce && entry.to.room.is_none() => 'p',
            Record::Found(stream, LOBBY) if *stream == nonce.stream => 'f',
            Record::Answered(answered) if *answered == nonce => 'a',
            Record::Push(_)
            | Record::Found(..)
            | Record::Answered(_)
            | Record::Refused(_)
            | Record::Epoch(..)
            | Record::Ended(_) => panic!("{record:?}"),
        });
        let expected = if is_written { "epfa" } else { "" };
        assert_eq!(kinds.collect::<String>(), expected, "{policy:?}");
        assert!(!queue.has_records() && queue.is_empty());
        assert!(matches!(&changes(&mut queue)[..], [Change::Acked(entry, _)] if entry.text == "a"));
    }
}

#[test]
fn a_lost_stream_goes_on_under_a_fresh_one_unless_somebody_gave_its_id() {
    for policy in [Policy::Screen, RENEWABLE, firm()] {
        let mut queue = online(policy.clone());
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
        if policy == firm() {
            let [_, Change::Refused(entry, refusal)] = &told[..] else { panic!("{told:?}") };
            assert_eq!((entry.nonce, queue.lost(0)), (second, None));
            assert!(refusal.reason.contains("backup"), "{refusal}");
            assert!(queue.is_empty() && queue.has_room());
            continue;
        }
        assert_eq!((told.len(), queue.lost(0)), (1, Some(first.stream)));
        assert!(!queue.has_room(), "nothing is said into a stream that is lost");
        assert_eq!(sent(&mut queue, 0), [""; 0]);
        let (old, fresh) = (first.stream, queue.fresh_stream());
        let new = Nonce { stream: fresh, n: 1 };
        let records = queue.restart_records(old, fresh);
        assert!(
            matches!(&records[..], [Record::Epoch(stream, Epoch(2)), Record::Push(entry)]
            if (*stream, entry.nonce) == (fresh, new)),
            "{records:?}"
        );
        queue.restarted(old, fresh);
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
    assert_eq!(queue.lost(100), Some(nonce.stream));
    queue.restart_failed(100);
    assert_eq!((queue.lost(1_099), queue.due_ms()), (None, Some(1_100)));
    assert_eq!(queue.lost(1_100), Some(nonce.stream));
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
fn a_room_that_cannot_be_had_refuses_what_waits_and_its_stream_is_not_used_again() {
    for policy in [Policy::Screen, RENEWABLE] {
        let mut queue = online(policy);
        let first = say(&mut queue, name("ops"), "a");
        say(&mut queue, name("ops"), "b");
        assert_eq!(sent(&mut queue, 0), ["#ops?"], "one request at a time");
        queue.not_found(&name("ops"), error(ErrorCode::NameTaken, 0));
        let told = changes(&mut queue);
        let is_told = |change: &Change| matches!(change, Change::Refused(_, why) if why.code == Some(ErrorCode::NameTaken));
        assert!(told.len() == 2 && told.iter().all(is_told), "{told:?}");
        assert!(queue.is_empty() && sent(&mut queue, 0).is_empty(), "nothing of it leaves");
        let old = queue.lost(0).expect("the daemon would await the first for ever");
        let fresh = queue.fresh_stream();
        queue.restarted(old, fresh);
        let later = say(&mut queue, name("ops"), "c");
        assert_eq!((old, later), (first.stream, Nonce { stream: fresh, n: 1 }));
        assert_eq!(sent(&mut queue, 0), ["#ops?"]);
    }
}

#[test]
fn each_room_has_a_stream_of_its_own_and_none_waits_for_another() {
    for policy in [Policy::Screen, RENEWABLE, firm()] {
        let mut queue = online(policy);
        let dev = RoomId(6);
        let [one, two] = say_all(&mut queue, [(LOBBY.into(), "a"), (dev.into(), "b")]);
        let [three, four] = say_all(&mut queue, [(LOBBY.into(), "c"), (LOBBY.into(), "d")]);
        assert_eq!([one.n, two.n, three.n, four.n], [1, 1, 2, 3]);
        assert_eq!([one.stream; 2], [three.stream, four.stream]);
        assert_ne!(one.stream, two.stream);
        let mut texts = sent(&mut queue, 0);
        assert!(
            texts.iter().position(|text| text == "c") < texts.iter().position(|text| text == "d")
        );
        texts.sort_unstable();
        assert_eq!(texts, ["a", "b", "c", "d"]);
        // The lobby's is lost; the other goes on.
        queue.refused(four, &error(ErrorCode::StreamBound, 77), 0);
        let five = say_all(&mut queue, [(dev.into(), "e")])[0];
        assert_eq!((five.stream, sent(&mut queue, 0)), (two.stream, vec!["e".to_owned()]));
    }
}

#[test]
fn a_window_is_shared_by_all_rooms() {
    let mut queue = online(RENEWABLE);
    for room in 1..=4 {
        say(&mut queue, RoomId(room), "a");
    }
    let left = std::iter::from_fn(|| queue.next(3, 0)).count();
    assert_eq!(left, 3);
}

#[test]
fn a_backlog_of_one_room_leaves_the_others_their_turns() {
    let mut queue = online(RENEWABLE);
    for _ in 0..20 {
        say(&mut queue, LOBBY, "a");
    }
    let left = |queue: &mut SendQueue| -> Vec<String> {
        let next = std::iter::from_fn(|| queue.next(10, 0));
        let text = |out| match out {
            Outbound::Send(entry) => entry.text,
            Outbound::Find(name) => panic!("{name} is looked for"),
        };
        next.map(text).collect()
    };
    assert_eq!(left(&mut queue), ["a"; 10]);
    let acked = |queue: &mut SendQueue, stream, n| queue.acked(&ack(Nonce { stream, n }));
    let backlog = queue.outboxes[0].stream();
    for text in ["b", "c", "b", "c"] {
        let room = if text == "b" { RoomId(6) } else { RoomId(7) };
        say(&mut queue, room, text);
    }
    (1..=6).for_each(|n| acked(&mut queue, backlog, n));
    assert_eq!(left(&mut queue), ["b", "c", "a", "b", "c", "a"]);
}

#[test]
fn a_room_that_is_looked_for_keeps_no_other_from_being_found() {
    let mut queue = online(RENEWABLE);
    for room in ["ops", "dev", "ops"] {
        say(&mut queue, name(room), room);
    }
    let mut asked = sent(&mut queue, 0);
    asked.sort_unstable();
    assert_eq!(asked, ["#dev?", "#ops?"], "each once");
    queue.found(&name("dev"), RoomId(9));
    assert_eq!(sent(&mut queue, 0), ["dev"]);
    queue.disconnected();
    queue.connected(EPOCH);
    let again = sent(&mut queue, 0);
    assert!(again.contains(&"#ops?".to_owned()), "the answer went down with its connection");
    for number in 0..FINDING_MAX {
        say(&mut queue, name(&format!("room{number}")), "a");
    }
    assert_eq!(sent(&mut queue, 0).len(), FINDING_MAX - 1, "so many at a time");
    queue.found(&name("ops"), RoomId(8));
    assert_eq!(sent(&mut queue, 0).len(), 3, "two messages, and the one that is left");
}

#[test]
fn a_room_is_the_same_however_it_is_known() {
    let mut queue = online(RENEWABLE);
    let by_name = say(&mut queue, name("ops"), "a");
    let by_both = say(&mut queue, Destination::known(RoomId(9), name("ops")), "b");
    queue.found(&name("ops"), RoomId(9));
    let by_id = say(&mut queue, RoomId(9), "c");
    assert_eq!([by_name.stream; 2], [by_both.stream, by_id.stream]);
    assert_eq!([by_name.n, by_both.n, by_id.n], [1, 2, 3]);
}

#[test]
fn an_explicit_id_has_another_stream_in_another_room_and_none_in_a_room_that_is_not_known() {
    let mut queue = queue(firm());
    let lobby = say(&mut queue, LOBBY, "a");
    let dev = say(&mut queue, RoomId(6), "a");
    assert_ne!(lobby.stream, dev.stream);
    let explicit = |room| StreamId::explicit("bot", room);
    assert_eq!([lobby.stream, dev.stream], [explicit(LOBBY), explicit(RoomId(6))]);
    let refused = queue.push(name("ops").into(), "b".to_owned()).unwrap_err();
    assert!(refused.reason.contains("find the room first"), "{refused}");
}

#[test]
fn an_explicit_id_is_not_carried_on_in_another_room_of_the_name() {
    let mut queue = online(firm());
    let held = || Destination::known(LOBBY, name("ops"));
    let first = say(&mut queue, held(), "a");
    sent(&mut queue, 0);
    queue.disconnected();
    queue.connected(Epoch(2));
    assert_eq!(sent(&mut queue, 0), ["#ops?"]);
    queue.found(&name("ops"), RoomId(9));
    let told = changes(&mut queue);
    let [Change::Refused(entry, why)] = &told[..] else { panic!("{told:?}") };
    assert!(entry.nonce == first && why.reason.contains("backup"), "{why}");
    let again = say(&mut queue, held(), "a");
    assert_eq!(again.stream, StreamId::explicit("bot", RoomId(9)));
    assert_eq!(sent(&mut queue, 0), ["a"]);
}

#[test]
fn outboxes_in_which_nothing_waits_are_let_go_where_there_are_many() {
    let mut queue = online(Policy::Screen);
    let waits = say(&mut queue, LOBBY, "waits");
    for room in 100..300 {
        let nonce = say(&mut queue, RoomId(room), "a");
        queue.acked(&Ack { room: RoomId(room), ..ack(nonce) });
    }
    let ended = queue.take_records().into_iter().filter_map(|record| match record {
        Record::Ended(stream) => Some(stream),
        Record::Push(_) | Record::Answered(_) | Record::Refused(_) => None,
        Record::Found(..) | Record::Epoch(..) => None,
    });
    let ended: Vec<_> = ended.collect();
    assert!((130..=140).contains(&ended.len()), "{}", ended.len());
    assert!(!ended.contains(&waits.stream));
    assert_eq!(say(&mut queue, LOBBY, "more"), Nonce { n: 2, ..waits });
}

#[test]
fn what_dead_processes_left_goes_first_in_its_room_and_is_answered_before_the_next() {
    let left = |stream: u8, room: RoomId, text: &str| {
        let mut outbox = Outbox::new(StreamId([stream; 16]), room);
        outbox.push(text.to_owned());
        outbox
    };
    let adopted = vec![left(7, LOBBY, "older")];
    let fresh = FreshStreams::from_random([1; 16]);
    let mut queue = SendQueue::new(Policy::Screen, fresh, adopted);
    let own = say(&mut queue, LOBBY, "own");
    queue.connected(EPOCH);
    queue.adopt(vec![left(8, LOBBY, "newer"), left(9, RoomId(6), "elsewhere")]);
    let adopted = changes(&mut queue).len();
    assert_eq!((adopted, queue.len()), (3, 4));
    assert_eq!(sent(&mut queue, 0), ["older", "elsewhere"]);
    queue.acked(&ack(Nonce { stream: StreamId([9; 16]), n: 1 }));
    let streams = [StreamId([7; 16]), StreamId([8; 16]), own.stream];
    for (stream, next) in streams.into_iter().zip([&["newer"][..], &["own"], &[]]) {
        queue.acked(&ack(Nonce { stream, n: 1 }));
        assert_eq!(sent(&mut queue, 0), next);
    }
    assert!(queue.is_empty());
}

#[test]
fn after_a_restore_a_room_is_found_by_its_name_once_whatever_id_the_sender_holds() {
    let name = name("ops");
    let held = || Destination::known(LOBBY, name.clone());
    let mut queue = online(RENEWABLE);
    let first = say(&mut queue, held(), "a");
    assert_eq!(sent(&mut queue, 0), ["a"]);
    queue.acked(&ack(first));
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

#[test]
fn a_stream_that_goes_on_behind_forgotten_refusals_is_begun_anew_and_nothing_was_lost() {
    let mut queue = online(RENEWABLE);
    let [one, two] = say_all(&mut queue, [(LOBBY.into(), "a"), (LOBBY.into(), "b")]);
    assert_eq!(sent(&mut queue, 0).len(), 2);
    queue.refused(one, &error(ErrorCode::NotMember, 0), 0);
    queue.connected(EPOCH);
    assert_eq!(sent(&mut queue, 0), ["b"], "what was refused is not sent again");
    queue.refused(two, &error(ErrorCode::Behind, 1), 0);
    assert_eq!(queue.lost(0), Some(one.stream));
    assert!(matches!(&changes(&mut queue)[..], [Change::Refused(..)]), "nothing is forgotten");
}
