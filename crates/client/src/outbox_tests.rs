//! Facts about the outbox, some against a small model of the daemon's side of a stream.

use chat_proto::{Credential, MessageId, PublicKey, Seq, Timestamp};

use super::*;

const STREAM: StreamId = StreamId([7; 16]);
const ROOM: RoomId = RoomId(3);
const EPOCH: Epoch = Epoch(1);

fn outbox_of(count: u64) -> Outbox {
    let mut outbox = Outbox::new(STREAM, ROOM);
    for n in 1..=count {
        outbox.push(n.to_string());
    }
    outbox.connected(EPOCH);
    outbox
}

fn nonce(n: u64) -> Nonce {
    Nonce { stream: STREAM, n }
}

fn ack(n: u64) -> Ack {
    ack_of(nonce(n))
}

fn ack_of(nonce: Nonce) -> Ack {
    Ack { nonce, room: ROOM, seq: Seq(nonce.n), ts: Timestamp(0), id: MessageId([0; 16]) }
}

fn error(code: ErrorCode, detail: u64) -> Error {
    Error::new(code, "no").with_detail(detail)
}

/// Everything that may go out now, by `n`.
fn send_all(outbox: &mut Outbox, in_flight_max: usize) -> Vec<u64> {
    let next = || outbox.next_to_send(in_flight_max).map(|entry| entry.nonce.n);
    std::iter::from_fn(next).collect()
}

#[test]
fn sends_go_out_in_order_up_to_the_window() {
    let mut outbox = outbox_of(5);
    assert_eq!(send_all(&mut outbox, 3), [1, 2, 3]);
    assert_eq!(outbox.acked(&ack(1)).map(|entry| entry.text), Some("1".into()));
    assert_eq!(send_all(&mut outbox, 3), [4]);
    assert_eq!((outbox.len(), outbox.in_flight()), (4, 3));
}

#[test]
fn nothing_goes_out_without_a_connection() {
    let mut outbox = outbox_of(2);
    outbox.disconnected();
    assert_eq!(send_all(&mut outbox, 9), [0u64; 0]);
    outbox.connected(EPOCH);
    assert_eq!(send_all(&mut outbox, 9), [1, 2]);
}

#[test]
fn a_reconnect_sends_the_unanswered_again_with_the_same_nonces() {
    let mut outbox = outbox_of(4);
    send_all(&mut outbox, 3);
    outbox.acked(&ack(2));
    outbox.disconnected();
    outbox.connected(EPOCH);
    assert_eq!(send_all(&mut outbox, 9), [1, 3, 4]);
}

#[test]
fn an_ack_that_comes_twice_is_nothing_new() {
    let mut outbox = outbox_of(1);
    send_all(&mut outbox, 9);
    assert!(outbox.acked(&ack(1)).is_some());
    assert!(outbox.acked(&ack(1)).is_none());
    assert!(outbox.is_empty());
    let other = Nonce { stream: StreamId([8; 16]), n: 1 };
    assert!(outbox.acked(&ack_of(other)).is_none());
}

#[test]
fn a_refusal_for_good_removes_one_and_the_rest_goes_on() {
    let mut outbox = outbox_of(3);
    send_all(&mut outbox, 2);
    let verdict = outbox.refused(nonce(1), &error(ErrorCode::NotMember, 0));
    assert!(matches!(verdict, Verdict::Refused(entry) if entry.nonce == nonce(1)));
    assert_eq!(send_all(&mut outbox, 9), [3]);
    assert!(outbox.acked(&ack(2)).is_some());
}

#[test]
fn a_refusal_that_may_be_retried_is_sent_again_from_the_lowest() {
    let mut outbox = outbox_of(4);
    send_all(&mut outbox, 9);
    let limited = outbox.refused(nonce(1), &error(ErrorCode::RateLimited, 40));
    assert_eq!(limited, Verdict::Retry { after_ms: 40 });
    for n in [2, 3, 4] {
        let behind = outbox.refused(nonce(n), &error(ErrorCode::Behind, 1));
        assert_eq!(behind, Verdict::Retry { after_ms: 0 });
    }
    assert_eq!(send_all(&mut outbox, 9), [1, 2, 3, 4]);
}

#[test]
fn a_daemon_that_cannot_write_is_left_alone_for_a_while() {
    let mut outbox = outbox_of(1);
    send_all(&mut outbox, 9);
    let verdict = outbox.refused(nonce(1), &error(ErrorCode::Unavailable, 0));
    assert_eq!(verdict, Verdict::Retry { after_ms: UNAVAILABLE_PAUSE_MS });
    assert_eq!(send_all(&mut outbox, 9), [1]);
}

#[test]
fn an_absurd_pause_is_cut() {
    let mut outbox = outbox_of(1);
    send_all(&mut outbox, 9);
    let verdict = outbox.refused(nonce(1), &error(ErrorCode::RateLimited, u64::MAX));
    assert_eq!(verdict, Verdict::Retry { after_ms: PAUSE_MS_MAX });
}

#[test]
fn an_unknown_code_is_judged_by_its_retry_flag() {
    let mut outbox = outbox_of(2);
    send_all(&mut outbox, 9);
    let mut unknown = error(ErrorCode::Busy, 0);
    unknown.code = 9_999;
    assert!(matches!(outbox.refused(nonce(1), &unknown), Verdict::Retry { .. }));
    unknown.retry = false;
    assert!(matches!(outbox.refused(nonce(2), &unknown), Verdict::Refused(_)));
}

#[test]
fn a_daemon_that_forgot_answered_sends_gets_a_fresh_stream() {
    let mut outbox = outbox_of(5);
    send_all(&mut outbox, 9);
    outbox.acked(&ack(1));
    outbox.acked(&ack(2));
    outbox.connected(Epoch(2));
    send_all(&mut outbox, 9);
    let verdict = outbox.refused(nonce(3), &error(ErrorCode::Behind, 2));
    assert_eq!(verdict, Verdict::NewStreamNeeded);
    assert_eq!(send_all(&mut outbox, 9), [0u64; 0], "not on the lost stream");

    let fresh = StreamId([9; 16]);
    let renamed = outbox.restart_stream(fresh);
    let expected: Vec<_> = (1..=3).map(|n| (nonce(n + 2), Nonce { stream: fresh, n })).collect();
    assert_eq!(renamed, expected);
    let stale = outbox.refused(nonce(4), &error(ErrorCode::Behind, 2));
    assert_eq!(stale, Verdict::Retry { after_ms: 0 });
    assert_eq!(send_all(&mut outbox, 9), [1, 2, 3]);
    assert_eq!(outbox.push("next".into()).nonce, Nonce { stream: fresh, n: 4 });
}

#[test]
fn a_lost_stream_that_is_given_up_goes_on_with_what_comes_later() {
    let mut outbox = outbox_of(4);
    send_all(&mut outbox, 9);
    outbox.acked(&ack(1));
    outbox.acked(&ack(2));
    outbox.refused(nonce(3), &error(ErrorCode::NotMember, 0));
    outbox.connected(Epoch(2));
    send_all(&mut outbox, 9);
    let verdict = outbox.refused(nonce(4), &error(ErrorCode::Behind, 2));
    assert_eq!(verdict, Verdict::NewStreamNeeded);
    assert_eq!(outbox.acked_from(2), 1, "the third was refused, the fourth is not answered");
    let given_up: Vec<_> = outbox.give_up().into_iter().map(|entry| entry.nonce).collect();
    assert_eq!(given_up, [nonce(4)]);
    assert_eq!(outbox.push("later".into()).nonce, nonce(5));
    assert_eq!(send_all(&mut outbox, 9), [5]);
}

#[test]
fn a_forgotten_send_between_unanswered_ones_waits_for_the_lower_ones() {
    let mut outbox = outbox_of(3);
    send_all(&mut outbox, 9);
    outbox.acked(&ack(2));
    let verdict = outbox.refused(nonce(3), &error(ErrorCode::Behind, 2));
    assert_eq!(verdict, Verdict::Retry { after_ms: OVERTAKEN_PAUSE_MS });
    outbox.acked(&ack(1));
    assert_eq!(send_all(&mut outbox, 9), [3]);
    let verdict = outbox.refused(nonce(3), &error(ErrorCode::Behind, 2));
    assert_eq!(verdict, Verdict::NewStreamNeeded);
}

#[test]
fn a_daemon_that_awaits_what_it_refuses_is_not_asked_in_a_busy_loop() {
    let mut outbox = outbox_of(1);
    for awaited in [0, 1, 2, u64::MAX] {
        send_all(&mut outbox, 9);
        let verdict = outbox.refused(nonce(1), &error(ErrorCode::Behind, awaited));
        assert_eq!(verdict, Verdict::Retry { after_ms: UNAVAILABLE_PAUSE_MS });
    }
}

#[test]
fn a_room_known_by_name_holds_the_line_until_it_is_found() {
    let ops = RoomName::parse("ops").unwrap();
    let mut outbox = Outbox::new(STREAM, &ops);
    outbox.connected(EPOCH);
    assert_eq!(outbox.unresolved(), None, "nothing waits for it");
    outbox.push("first".into());
    outbox.push("second".into());
    assert_eq!(send_all(&mut outbox, 9), [0u64; 0]);
    assert_eq!(outbox.unresolved(), Some(&ops));
    assert!(!outbox.resolve(&RoomName::parse("dev").unwrap(), RoomId(8)));
    assert!(outbox.resolve(&ops, RoomId(9)));
    assert_eq!(outbox.unresolved(), None);
    assert_eq!(outbox.to().room, Some(RoomId(9)));
    assert_eq!(send_all(&mut outbox, 9), [1, 2]);
}

#[test]
fn another_life_of_the_logs_means_that_rooms_are_found_by_name_again() {
    let ops = RoomName::parse("ops").unwrap();
    let mut outbox = Outbox::new(STREAM, Destination::known(ROOM, ops.clone()));
    outbox.push("to ops".into());
    outbox.connected(EPOCH);
    outbox.connected(EPOCH);
    assert_eq!(outbox.unresolved(), None, "the same life");
    outbox.connected(Epoch(2));
    assert_eq!(outbox.unresolved(), Some(&ops));
    assert_eq!(send_all(&mut outbox, 9), [0u64; 0]);
}

#[test]
fn what_was_written_down_goes_on_where_it_was() {
    let sends = outbox_of(5).pending().skip(2).map(|entry| (entry.nonce.n, entry.text)).collect();
    let mut outbox = Outbox::restore(STREAM, ROOM, 4, sends).of_epoch(EPOCH);
    assert_eq!(outbox.next_n(), 6, "never an n that is in use");
    outbox.connected(EPOCH);
    assert_eq!(send_all(&mut outbox, 9), [3, 4, 5]);
    assert_eq!(outbox.push(String::new()).nonce, nonce(6));
}

/// The daemon's side of one stream, as `State` keeps it.
#[derive(Default)]
struct Model {
    taken: Vec<(u64, String)>,
    high_water: u64,
}

impl Model {
    fn answer(&mut self, entry: &Entry, fault: Option<ErrorCode>) -> Result<Ack, Error> {
        let n = entry.nonce.n;
        if n <= self.high_water {
            return Ok(ack_of(entry.nonce));
        }
        if n > self.high_water + 1 {
            return Err(error(ErrorCode::Behind, self.high_water + 1));
        }
        match fault {
            Some(code) if code.may_be_retried() => return Err(error(code, 1)),
            Some(code) => {
                self.high_water = n;
                return Err(error(code, 0));
            }
            None => {}
        }
        self.high_water = n;
        self.taken.push((n, entry.text.clone()));
        Ok(ack_of(entry.nonce))
    }
}

fn draw(seed: &mut u64) -> u64 {
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    *seed
}

/// Sends through a pipe that loses connections and a daemon that refuses, until all is answered.
/// Returns the daemon's side.
fn run_against_model(mut seed: u64, count: u64) -> Model {
    let (mut outbox, mut model) = (outbox_of(count), Model::default());
    let mut pipe: VecDeque<Result<Ack, (Nonce, Error)>> = VecDeque::new();
    for _turn in 0..1_000_000 {
        if outbox.is_empty() {
            return model;
        }
        match draw(&mut seed) % 20 {
            0 => {
                pipe.clear();
                outbox.connected(EPOCH);
            }
            1..10 => {
                let Some(entry) = outbox.next_to_send(8) else {
                    continue;
                };
                let fault = match draw(&mut seed) % 8 {
                    0 => Some(ErrorCode::RateLimited),
                    1 => Some(ErrorCode::NotMember),
                    2 => Some(ErrorCode::SlowMode),
                    _ => None,
                };
                let answer = model.answer(&entry, fault);
                pipe.push_back(answer.map_err(|error| (entry.nonce, error)));
            }
            _ => match pipe.pop_front() {
                Some(Ok(ack)) => drop(outbox.acked(&ack)),
                Some(Err((nonce, error))) => match outbox.refused(nonce, &error) {
                    Verdict::Refused(_) | Verdict::Retry { .. } | Verdict::Slow { .. } => {}
                    Verdict::NewStreamNeeded => panic!("seed {seed}: nothing was forgotten"),
                },
                None => {}
            },
        }
    }
    panic!("seed {seed}: the outbox is never empty");
}

#[test]
fn every_send_is_taken_once_and_in_order_whatever_happens_on_the_way() {
    for seed in 1..=300 {
        let model = run_against_model(seed * 7_919, 40);
        let taken: Vec<u64> = model.taken.iter().map(|(n, _text)| *n).collect();
        assert!(taken.is_sorted_by(|a, b| a < b), "seed {seed}: {taken:?}");
        assert_eq!(model.high_water, 40, "seed {seed}");
        assert!(model.taken.iter().all(|(n, text)| *text == n.to_string()));
    }
}

#[test]
fn ids_do_not_depend_on_when_they_are_asked_for() {
    let id = |n, key| nonce(n).message_id(Credential::Key(PublicKey([key; 32])).id());
    assert_eq!(id(1, 1), id(1, 1));
    assert_ne!(id(1, 1), id(2, 1));
    assert_ne!(id(1, 1), id(1, 2));
    let explicit = StreamId::explicit;
    assert_ne!(explicit("a", ROOM), explicit("b", ROOM));
    assert_ne!(explicit("a", ROOM), explicit("a", RoomId(4)), "each room has its own");
}

#[test]
fn fresh_streams_follow_from_the_bytes_that_were_drawn_and_none_comes_twice() {
    let draw = |drawn: u8| {
        let mut fresh = FreshStreams::from_random([drawn; 16]);
        [fresh.draw(), fresh.draw(), fresh.draw()]
    };
    assert_eq!(draw(1), draw(1));
    let all: std::collections::HashSet<_> = draw(1).into_iter().chain(draw(2)).collect();
    assert_eq!(all.len(), 6);
}

#[test]
fn a_stream_that_is_another_rooms_is_exchanged() {
    let mut outbox = outbox_of(3);
    send_all(&mut outbox, 2);
    for n in [1, 2] {
        let verdict = outbox.refused(nonce(n), &error(ErrorCode::StreamBound, 77));
        assert_eq!(verdict, Verdict::NewStreamNeeded);
    }
    assert_eq!(send_all(&mut outbox, 9), [0u64; 0], "not on the stream of the other room");
    assert_eq!(outbox.restart_stream(StreamId([9; 16])).len(), 3, "none of them was taken");
    assert_eq!(send_all(&mut outbox, 9), [1, 2, 3]);
}

#[test]
fn a_fresh_stream_that_is_said_to_be_another_rooms_is_no_reason_for_the_next_one() {
    let mut outbox = outbox_of(2);
    send_all(&mut outbox, 1);
    let bound = error(ErrorCode::StreamBound, 77);
    assert_eq!(outbox.refused(nonce(1), &bound), Verdict::NewStreamNeeded);
    let stream = StreamId([9; 16]);
    outbox.restart_stream(stream);
    for _ in 0..3 {
        assert_eq!(send_all(&mut outbox, 1), [1]);
        let verdict = outbox.refused(Nonce { stream, n: 1 }, &bound);
        assert_eq!(verdict, Verdict::Retry { after_ms: UNAVAILABLE_PAUSE_MS });
    }
    // Another daemon, or another life of this one, may know of it.
    outbox.connected(Epoch(2));
    send_all(&mut outbox, 1);
    assert_eq!(outbox.refused(Nonce { stream, n: 1 }, &bound), Verdict::NewStreamNeeded);
}
