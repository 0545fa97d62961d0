//! Sends that are refused for good: nothing of them is stored, and they are not posted.

use chat_proto::{ErrorCode, Kind, Nonce, Seq, StreamId};

use super::tests::{LOBBY, NOW, TICK, World, join, kinds, leave, post, send, sign_in};
use super::*;
use crate::{Ordered, Refusal};

fn empty(conn: u64, stream: u8, n: u64) -> Input {
    post(conn, Nonce { stream: StreamId([stream; 16]), n }, String::new())
}

fn gone(conn: u64) -> Input {
    Input::Local(Local::Gone(Conn(conn)))
}

impl World {
    /// The codes of the refusals since somebody last looked.
    fn codes(&mut self) -> Vec<ErrorCode> {
        self.heard.take();
        self.heard.refusals.drain(..).map(|why| why.code()).collect()
    }
}

#[test]
fn a_refusal_for_good_leaves_nothing_on_the_disk_and_comes_in_its_turn() {
    let mut world = World::new();
    let (commits, records) = (world.commits(), world.pipeline.store().records());
    world.run((1..=10_000).map(|n| empty(1, 9, n)));
    assert_eq!(world.codes(), vec![ErrorCode::EmptyText; 10_000]);
    assert_eq!((world.commits(), world.pipeline.store().records()), (commits, records));
    world.run([send(1, 1), empty(1, 7, 2), send(1, 3), empty(1, 7, 2), send(1, 5)]);
    let expected = [Kind::Ack, Kind::Error, Kind::Ack, Kind::Error, Kind::Error];
    assert_eq!(world.heard.take(), kinds(1, &expected));
    let behind = Refusal::Behind { awaited: 4 };
    assert_eq!(world.heard.refusals.pop(), Some(behind));
    assert_eq!((world.commits(), world.pipeline.store().records()), (commits + 1, records + 2));
}

#[test]
fn a_copy_in_an_older_connection_is_not_posted_though_its_sender_has_joined_since() {
    let mut world = World::new();
    world.run([leave(1, LOBBY), sign_in(2, 0xAD, "ada")]);
    world.run([send(2, 1), send(2, 2)]);
    assert_eq!(world.codes(), [ErrorCode::NotMember; 2]);
    world.run([gone(2), sign_in(3, 0xAD, "ada"), join(3, "lobby"), TICK]);
    // The first connection is read at last.
    world.run([send(1, 1), send(1, 2), send(3, 4)]);
    let before = [ErrorCode::RefusedBefore, ErrorCode::RefusedBefore, ErrorCode::Behind];
    assert_eq!(world.codes(), before);
    world.run([send(3, 3)]);
    assert_eq!(world.heard.take(), kinds(3, &[Kind::Ack]), "and the stream goes on");
    assert!(world.pipeline.refused.is_empty(), "the store knows that they are past");
    world.run([send(1, 1), send(1, 2), send(1, 3)]);
    let told = [Kind::Error, Kind::Error, Kind::Ack];
    assert_eq!(world.heard.take(), kinds(1, &told));
}

#[test]
fn without_a_connection_nobody_has_a_copy_and_the_stream_awaits_what_was_not_posted() {
    let mut world = World::new();
    world.run([send(1, 1), empty(1, 7, 2), gone(1)]);
    (0..60).for_each(|_second| world.run([TICK]));
    assert!(world.pipeline.refused.is_empty());
    world.run([sign_in(2, 0xAD, "ada"), send(2, 3)]);
    assert_eq!(world.heard.refusals.pop(), Some(Refusal::Behind { awaited: 2 }));
}

#[test]
fn a_refusal_falls_with_what_it_was_judged_by() {
    let mut world = World::new();
    world.pipeline.store_mut().fails = true;
    world.run([leave(1, LOBBY), send(1, 1)]);
    assert_eq!(world.codes(), [ErrorCode::Unavailable; 2], "nobody knows whether she has left");
    let later = Timestamp(NOW.0 + 10_000);
    world.pipeline.run_alone([send(1, 1)], later, &mut world.heard);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Ack]));
}

#[test]
fn one_that_was_told_stands_when_a_later_commit_fails() {
    let mut world = World::new();
    world.run([leave(1, LOBBY), send(1, 1)]);
    assert_eq!(world.codes(), [ErrorCode::NotMember]);
    world.pipeline.store_mut().fails = true;
    world.run([join(1, "lobby"), send(1, 2), empty(1, 7, 3)]);
    assert_eq!(world.codes(), [ErrorCode::Unavailable; 3]);
    let later = Timestamp(NOW.0 + 10_000);
    let again = [join(1, "lobby"), send(1, 1), send(1, 3), send(1, 2)];
    world.pipeline.run_alone(again, later, &mut world.heard);
    assert_eq!(world.codes(), [ErrorCode::RefusedBefore, ErrorCode::Behind]);
    assert_eq!(world.heard.published.get(&LOBBY.into()), Some(&Seq(5)), "the second, once");
}

#[test]
fn a_refusal_does_not_overtake_the_acks_before_it() {
    let mut world = World::new();
    world.begin_slow_send(1);
    world.run([empty(1, 7, 2)]);
    assert_eq!(world.heard.take(), [], "what it was judged by is not durable");
    world.pipeline.settle(NOW, &mut world.heard).unwrap();
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Ack, Kind::Error]));
}

#[test]
fn who_has_too_many_streams_of_refusals_waits_and_nobody_else_does() {
    let mut world = World::new();
    let lone = |stream: u64| {
        let stream = StreamId(u128::from(stream).to_le_bytes());
        post(1, Nonce { stream, n: 1 }, String::new())
    };
    world.run((1..=3_000).map(lone));
    let codes = world.codes();
    let refused = codes.iter().filter(|code| **code == ErrorCode::EmptyText).count();
    let limited = codes.iter().filter(|code| **code == ErrorCode::RateLimited).count();
    assert_eq!((refused, limited), (1_024, 3_000 - 1_024));
    world.run([send(1, 1), empty(1, 1, 1), lone(7)]);
    let told = [Kind::Ack, Kind::Error, Kind::Error];
    assert_eq!(world.heard.take(), kinds(1, &told), "what is posted goes on");
    let codes: Vec<_> = world.heard.refusals.drain(..).map(|why| why.code()).collect();
    assert_eq!(codes, [ErrorCode::RateLimited, ErrorCode::EmptyText], "so do repetitions");
}

#[test]
fn what_another_node_has_judged_is_carried_out_as_it_came() {
    let mut world = World::new();
    let elsewhere = |input: Input| {
        let Input::Ordered(ordered) = input else { panic!("a send is ordered") };
        Input::Ordered(Ordered { origin: None, ..ordered })
    };
    world.run([elsewhere(empty(1, 7, 1))]);
    assert!(world.pipeline.refused.is_empty(), "its node remembers it");
    let records = world.pipeline.store().records();
    world.run([elsewhere(send(1, 2))]);
    assert_eq!(world.pipeline.store().records(), records, "it does not say what was before it");
    let Input::Ordered(mut ordered) = elsewhere(send(1, 2)) else { panic!("a send is ordered") };
    if let crate::Action::Post { body, .. } = &mut ordered.command.action {
        body.skip_refused(1);
    }
    world.run([Input::Ordered(ordered)]);
    assert_eq!(world.pipeline.store().records(), records + 1);
}
