//! Every violation is found in a history that was made by hand to have it, and in no other.

use std::collections::BTreeMap;

use chat_proto::{
    AccountId, Ack, Epoch, ErrorCode, LogId, MessageId, Nonce, RoomId, Seq, StreamId, Timestamp,
};

use super::{History, Log, Reader, Seen, Sender, Stored, Truth, Violation, What};

const ONE: Epoch = Epoch(1);
const TWO: Epoch = Epoch(2);
const ROOM: LogId = LogId(5);
const ADA: Sender = Sender(1);
const BOB: Sender = Sender(2);

fn nonce(sender: Sender, n: u64) -> Nonce {
    Nonce { stream: StreamId([sender.0 as u8; 16]), n }
}

fn text(nonce: Nonce) -> String {
    format!("{} of {}", nonce.n, nonce.stream.0[0])
}

fn seen(seq: u64, nonce: Nonce) -> Seen {
    let id = MessageId([nonce.n as u8; 16]);
    let what = What::Posted { from: AccountId(1), id, text: text(nonce) };
    Seen { seq: Seq(seq), ts: Timestamp(100 + seq), what }
}

fn stored(seq: u64, nonce: Nonce) -> Stored {
    Stored { seen: seen(seq, nonce), nonce: Some(nonce) }
}

fn log(nonces: &[Nonce]) -> Log {
    let events = nonces.iter().zip(1..).map(|(nonce, seq)| stored(seq, *nonce)).collect();
    Log { name: "dev".to_owned(), events }
}

fn truth_of(nonces: &[Nonce]) -> Truth {
    BTreeMap::from([(ONE, BTreeMap::from([(ROOM, log(nonces))]))])
}

fn invoke(history: &mut History, sender: Sender, n: u64) -> Nonce {
    let nonce = nonce(sender, n);
    history.invoked(sender, nonce, "dev", &text(nonce));
    nonce
}

fn ack(seq: u64, nonce: Nonce) -> Ack {
    let Seen { seq, ts, .. } = seen(seq, nonce);
    Ack { nonce, room: RoomId(ROOM.0), seq, ts, id: MessageId([nonce.n as u8; 16]) }
}

/// Ada's first two sends, both acked.
fn two_sends() -> (History, [Nonce; 2]) {
    let mut history = History::default();
    let nonces = [1, 2].map(|n| invoke(&mut history, ADA, n));
    history.acked(ONE, &ack(1, nonces[0]));
    history.acked(ONE, &ack(2, nonces[1]));
    (history, nonces)
}

fn read(history: &mut History, reader: Reader, seqs: &[u64], nonces: &[Nonce]) {
    for &seq in seqs {
        history.received(reader, &seen(seq, nonces[seq as usize - 1]));
    }
}

#[track_caller]
fn assert_only(history: &History, truth: &Truth, expected: &Violation) {
    assert_eq!(history.check(truth), std::slice::from_ref(expected));
}

#[test]
fn a_good_history_breaks_nothing() {
    let (mut history, nonces) = two_sends();
    let reader = history.opened(ONE, ROOM, Seq(0));
    read(&mut history, reader, &[1], &nonces);
    history.resumed(reader, ONE);
    read(&mut history, reader, &[2], &nonces);
    history.settled(ONE);
    assert_eq!(history.check(&truth_of(&nonces)), []);
}

#[test]
fn a_hole_in_the_store_is_found() {
    let (history, nonces) = two_sends();
    let mut truth = truth_of(&nonces);
    let events = &mut truth.get_mut(&ONE).unwrap().get_mut(&ROOM).unwrap().events;
    events[1].seen.seq = Seq(3);
    let hole = Violation::NotGapless { epoch: ONE, log: ROOM, expected: Seq(2), found: Seq(3) };
    assert!(history.check(&truth).contains(&hole));
}

#[test]
fn a_seq_that_was_used_twice_is_found() {
    let (history, nonces) = two_sends();
    let mut truth = truth_of(&nonces);
    let events = &mut truth.get_mut(&ONE).unwrap().get_mut(&ROOM).unwrap().events;
    events[1].seen.seq = Seq(1);
    let reuse = Violation::NotGapless { epoch: ONE, log: ROOM, expected: Seq(2), found: Seq(1) };
    assert!(history.check(&truth).contains(&reuse));
}

#[test]
fn time_that_goes_back_is_found() {
    let mut history = History::default();
    let nonces = [invoke(&mut history, ADA, 1), invoke(&mut history, BOB, 1)];
    let mut truth = truth_of(&nonces);
    let events = &mut truth.get_mut(&ONE).unwrap().get_mut(&ROOM).unwrap().events;
    events[1].seen.ts = Timestamp(0);
    assert_only(&history, &truth, &Violation::TimeGoesBack { epoch: ONE, log: ROOM, seq: Seq(2) });
}

#[test]
fn a_stream_in_two_rooms_is_found() {
    let mut history = History::default();
    let first = invoke(&mut history, ADA, 1);
    let (second, other) = (nonce(ADA, 2), LogId(6));
    history.invoked(ADA, second, "ops", &text(second));
    let mut truth = truth_of(&[first]);
    let ops = Log { name: "ops".to_owned(), ..log(&[second]) };
    truth.get_mut(&ONE).unwrap().insert(other, ops);
    let (epoch, log, seq) = (ONE, other, Seq(1));
    let stray = Violation::StreamInTwoRooms { epoch, nonce: second, log, seq, bound: ROOM };
    assert_only(&history, &truth, &stray);
}

#[test]
fn a_message_that_is_there_twice_is_found() {
    let mut history = History::default();
    let first = invoke(&mut history, ADA, 1);
    let twice = Violation::PostedTwice { epoch: ONE, nonce: first, log: ROOM, seq: Seq(2) };
    assert!(history.check(&truth_of(&[first, first])).contains(&twice));
}

#[test]
fn a_message_that_is_there_under_its_old_and_its_new_nonce_is_found() {
    let mut history = History::default();
    let old = invoke(&mut history, ADA, 1);
    let new = nonce(BOB, 1);
    history.renamed(old, new);
    let mut both = log(&[old, new]);
    both.events[1].seen.what = both.events[0].seen.what.clone();
    let truth = BTreeMap::from([(ONE, BTreeMap::from([(ROOM, both)]))]);
    let twice = Violation::PostedTwice { epoch: ONE, nonce: new, log: ROOM, seq: Seq(2) };
    assert!(history.check(&truth).contains(&twice));
}

#[test]
fn a_message_that_nobody_sent_is_found() {
    let history = History::default();
    let nonce = nonce(ADA, 1);
    let invented = Violation::NotInvoked { epoch: ONE, nonce: Some(nonce), log: ROOM, seq: Seq(1) };
    assert_only(&history, &truth_of(&[nonce]), &invented);
}

#[test]
fn a_message_in_another_room_than_it_was_sent_to_is_found() {
    let mut history = History::default();
    let nonce = nonce(ADA, 1);
    history.invoked(ADA, nonce, "ops", &text(nonce));
    let astray = Violation::NotInvoked { epoch: ONE, nonce: Some(nonce), log: ROOM, seq: Seq(1) };
    assert_only(&history, &truth_of(&[nonce]), &astray);
}

#[test]
fn an_ack_that_is_not_in_the_store_is_found() {
    let (history, nonces) = two_sends();
    let lost = Violation::AckNotInStore { epoch: ONE, nonce: nonces[1], log: ROOM, seq: Seq(2) };
    assert_only(&history, &truth_of(&nonces[..1]), &lost);
}

#[test]
fn an_ack_of_a_lost_end_is_held_against_its_own_epoch() {
    let (history, nonces) = two_sends();
    let mut truth = truth_of(&nonces);
    truth.insert(TWO, BTreeMap::from([(ROOM, log(&nonces[..1]))]));
    assert_eq!(history.check(&truth), []);
}

#[test]
fn two_acks_that_disagree_are_found() {
    let (mut history, nonces) = two_sends();
    history.acked(ONE, &ack(1, nonces[1]));
    let other = Violation::AckNotInStore { epoch: ONE, nonce: nonces[1], log: ROOM, seq: Seq(1) };
    assert_only(&history, &truth_of(&nonces), &other);
}

#[test]
fn an_answer_to_nothing_is_found() {
    let mut history = History::default();
    let nonce = nonce(ADA, 1);
    history.refused(ONE, nonce, ErrorCode::EmptyText);
    assert_only(&history, &Truth::new(), &Violation::AnsweredNotInvoked { nonce });
}

#[test]
fn a_refused_message_that_is_there_is_found() {
    let mut history = History::default();
    let nonce = invoke(&mut history, ADA, 1);
    let code = ErrorCode::NotMember;
    history.refused(ONE, nonce, code);
    let posted = Violation::RefusedButPosted { epoch: ONE, nonce, code };
    assert_only(&history, &truth_of(&[nonce]), &posted);
}

#[test]
fn an_honest_client_that_is_told_that_it_reuses_a_nonce_is_found() {
    let mut history = History::default();
    let nonce = invoke(&mut history, ADA, 1);
    history.refused(ONE, nonce, ErrorCode::NonceReused);
    assert_only(&history, &Truth::new(), &Violation::CalledReused { nonce });
}

#[test]
fn a_send_that_overtakes_one_that_was_acked_before_it_began_is_found() {
    let mut history = History::default();
    let first = invoke(&mut history, ADA, 1);
    history.acked(ONE, &ack(2, first));
    let second = invoke(&mut history, BOB, 1);
    let overtaken = Violation::RealTimeOrder { epoch: ONE, log: ROOM, seq: Seq(1) };
    assert_only(&history, &truth_of(&[second, first]), &overtaken);
}

#[test]
fn sends_that_ran_at_the_same_time_may_stand_in_any_order() {
    let mut history = History::default();
    let first = invoke(&mut history, ADA, 1);
    let second = invoke(&mut history, BOB, 1);
    history.acked(ONE, &ack(2, first));
    history.acked(ONE, &ack(1, second));
    assert_eq!(history.check(&truth_of(&[second, first])), []);
}

#[test]
fn sends_of_one_sender_in_another_order_are_found() {
    let mut history = History::default();
    let nonces = [1, 2].map(|n| invoke(&mut history, ADA, n));
    let order = Violation::SenderOrder {
        epoch: ONE,
        sender: ADA,
        nonce: nonces[1],
        log: ROOM,
        seq: Seq(1),
    };
    let found = history.check(&truth_of(&[nonces[1], nonces[0]]));
    assert!(found.contains(&order), "{found:?}");
}

#[test]
fn a_reader_that_was_made_to_skip_is_found() {
    let (mut history, nonces) = two_sends();
    let reader = history.opened(ONE, ROOM, Seq(0));
    read(&mut history, reader, &[2], &nonces);
    let (log, expected, found) = (ROOM, Seq(1), Seq(2));
    let skipped = Violation::OutOfTurn { reader, log, expected, found };
    assert_only(&history, &truth_of(&nonces), &skipped);
}

#[test]
fn a_reader_that_was_given_something_twice_is_found() {
    let (mut history, nonces) = two_sends();
    let reader = history.opened(ONE, ROOM, Seq(0));
    read(&mut history, reader, &[1, 1], &nonces);
    let (log, expected, found) = (ROOM, Seq(2), Seq(1));
    let repeated = Violation::OutOfTurn { reader, log, expected, found };
    assert_only(&history, &truth_of(&nonces), &repeated);
}

#[test]
fn a_reader_that_was_given_something_else_than_is_stored_is_found() {
    let (mut history, nonces) = two_sends();
    let reader = history.opened(ONE, ROOM, Seq(0));
    let other = Seen { ts: Timestamp(7), ..seen(1, nonces[0]) };
    history.received(reader, &other);
    let differs = Violation::NotAsStored { reader, epoch: ONE, log: ROOM, seq: Seq(1) };
    assert_only(&history, &truth_of(&nonces), &differs);
}

#[test]
fn a_reader_that_was_given_what_was_never_stored_is_found() {
    let (mut history, nonces) = two_sends();
    let reader = history.opened(ONE, ROOM, Seq(2));
    history.received(reader, &seen(3, nonces[0]));
    let phantom = Violation::NotAsStored { reader, epoch: ONE, log: ROOM, seq: Seq(3) };
    assert_only(&history, &truth_of(&nonces), &phantom);
}

#[test]
fn what_is_shown_or_acked_before_it_is_durable_is_found() {
    let mut history = History::default();
    let nonces = [1, 2].map(|n| invoke(&mut history, ADA, n));
    let reader = history.opened(ONE, ROOM, Seq(0));
    history.committed(ONE, ROOM, Seq(1));
    read(&mut history, reader, &[1, 2], &nonces);
    history.acked(ONE, &ack(2, nonces[1]));
    history.committed(ONE, ROOM, Seq(2));
    let early = Violation::ShownBeforeCommit { epoch: ONE, log: ROOM, seq: Seq(2) };
    assert_eq!(history.check(&truth_of(&nonces)), [early.clone(), early]);
}

#[test]
fn a_reader_that_goes_on_in_another_epoch_is_found() {
    let (mut history, nonces) = two_sends();
    let reader = history.opened(ONE, ROOM, Seq(0));
    read(&mut history, reader, &[1], &nonces);
    history.resumed(reader, TWO);
    let ignored = Violation::EpochIgnored { reader, of: ONE, epoch: TWO };
    assert_only(&history, &truth_of(&nonces), &ignored);
}

#[test]
fn a_reader_that_has_read_nothing_may_go_on_in_any_epoch() {
    let (mut history, nonces) = two_sends();
    let reader = history.opened(Epoch(0), ROOM, Seq(0));
    history.resumed(reader, ONE);
    read(&mut history, reader, &[1, 2], &nonces);
    assert_eq!(history.check(&truth_of(&nonces)), []);
}

#[test]
fn a_reset_in_the_epoch_that_goes_on_is_found_and_that_of_another_epoch_is_not() {
    for seq in [Seq(1), Seq(9)] {
        let (mut history, nonces) = two_sends();
        let good = history.opened(ONE, ROOM, seq);
        let foreign = history.opened(TWO, ROOM, Seq(1));
        for reader in [good, foreign] {
            history.reset(reader, ONE);
        }
        let needless = Violation::NeedlessReset { reader: good, epoch: ONE, seq };
        assert_only(&history, &truth_of(&nonces), &needless);
    }
}

#[test]
fn a_send_without_an_answer_is_found_once_everything_has_healed() {
    let mut history = History::default();
    let nonce = invoke(&mut history, ADA, 1);
    assert_eq!(history.check(&truth_of(&[nonce])), []);
    history.settled(ONE);
    let unanswered = Violation::Unanswered { sender: ADA, nonce };
    assert_only(&history, &truth_of(&[nonce]), &unanswered);
}

#[test]
fn a_reader_without_the_end_is_found_once_everything_has_healed() {
    let (mut history, nonces) = two_sends();
    let reader = history.opened(ONE, ROOM, Seq(0));
    read(&mut history, reader, &[1], &nonces);
    let gone = history.opened(ONE, ROOM, Seq(0));
    history.closed(gone);
    assert_eq!(history.check(&truth_of(&nonces)), []);
    history.settled(ONE);
    history.closed(reader);
    let (log, epoch) = (ROOM, ONE);
    let behind = Violation::LeftBehind { reader, log, epoch, at: Seq(1), head: Seq(2) };
    assert_only(&history, &truth_of(&nonces), &behind);
}

#[test]
fn a_reader_in_an_epoch_that_is_over_is_found_once_everything_has_healed() {
    let (mut history, nonces) = two_sends();
    let reader = history.opened(ONE, ROOM, Seq(2));
    let mut truth = truth_of(&nonces);
    truth.insert(TWO, BTreeMap::from([(ROOM, log(&nonces))]));
    history.settled(TWO);
    let (log, epoch) = (ROOM, ONE);
    let behind = Violation::LeftBehind { reader, log, epoch, at: Seq(2), head: Seq(2) };
    assert_only(&history, &truth, &behind);
}

#[test]
fn what_is_committed_after_everything_has_settled_is_nobodys_loss() {
    let (mut history, nonces) = two_sends();
    history.committed(ONE, ROOM, Seq(2));
    let reader = history.opened(ONE, ROOM, Seq(2));
    history.settled(ONE);
    history.closed(reader);
    let third = invoke(&mut history, BOB, 1);
    history.committed(ONE, ROOM, Seq(3));
    let found = history.check(&truth_of(&[nonces[0], nonces[1], third]));
    assert!(!found.iter().any(|violation| matches!(violation, Violation::LeftBehind { .. })));
}
