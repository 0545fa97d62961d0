//! Posts: exactly once, in turn, and what becomes of those that are refused.

use chat_proto::limits::TEXT_BYTES_MAX;
use chat_proto::{ErrorCode, EventSeq, TextBody, TextKind};

use super::tests::{World, contents};
use super::*;
use crate::{Content, PostBody, Refusal};

#[test]
fn the_same_nonce_gets_the_first_answer_and_another_body_is_refused() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let room = world.join(ada, "ops").unwrap();
    let first = world.send(ada, 1, room, "once");
    let again = world.send(ada, 1, room, "once");
    assert_eq!((&again.answer, again.events.len()), (&first.answer, 0));
    let reused = world.send(ada, 1, room, "twice");
    assert_eq!(reused.answer.unwrap_err(), Refusal::NonceReused);
    let eve = world.sign_in(2, "eve", true).unwrap();
    world.join(eve, "ops").unwrap();
    let of_eve = world.send(eve, 1, room, "mine");
    assert!(of_eve.answer.is_ok(), "a stream belongs to its account");
}

#[test]
fn a_stream_goes_on_one_by_one() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let room = world.join(ada, "ops").unwrap();
    for n in [2, u64::MAX] {
        assert_eq!(world.send(ada, n, room, "x").answer, Err(Refusal::Behind { awaited: 1 }));
    }
    assert!(world.send(ada, 1, room, "x").answer.is_ok());
    assert_eq!(world.send(ada, 3, room, "x").answer, Err(Refusal::Behind { awaited: 2 }));
}

#[test]
fn a_refusal_for_good_leaves_nothing_and_is_skipped_by_what_is_posted_next() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let room = world.join(ada, "ops").unwrap();
    let too_long = "x".repeat(TEXT_BYTES_MAX + 1);
    let texts = [
        ("", ErrorCode::EmptyText),
        ("a\0", ErrorCode::NulInText),
        (&too_long, ErrorCode::TextTooLong),
    ];
    let digest = world.state.progress().digest;
    for (skipped, (text, code)) in (0..).zip(texts) {
        let text = PostBody::Text(TextBody::say(text)).after_refused(skipped);
        let refused = world.post(ada, skipped + 1, room, text);
        assert_eq!(refused.answer.unwrap_err().code(), code);
        assert!(refused.uses_nonce_up && refused.events.is_empty());
    }
    assert_eq!(
        world.state.progress().digest,
        digest,
        "whoever did not hear of them is where we are"
    );
    let better = |skipped| PostBody::Text(TextBody::say("better")).after_refused(skipped);
    // As many as were refused, not more, and not fewer.
    let behind = world.post(ada, 4, room, better(2));
    assert_eq!(behind.answer, Err(Refusal::Behind { awaited: 1 }));
    let posted = world.post(ada, 4, room, better(3));
    assert!(posted.answer.is_ok());
    assert_eq!(world.post(ada, 4, room, better(0)).answer, posted.answer);
    assert_eq!(world.post(ada, 4, room, better(3)).answer, posted.answer);
    for (n, (text, code)) in (1..).zip(texts) {
        let again = world.send(ada, n, room, text);
        assert_eq!(again.answer.unwrap_err().code(), code);
        let mended = world.send(ada, n, room, "better");
        assert_eq!(mended.answer, Err(Refusal::RefusedBefore), "nothing is posted so late");
        assert!(!mended.uses_nonce_up && !again.uses_nonce_up, "they are past");
    }
    assert!(world.send(ada, 5, room, "and on").answer.is_ok());
}

#[test]
fn a_node_that_says_too_much_was_refused_posts_nothing_a_second_time() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let room = world.join(ada, "ops").unwrap();
    let first = world.send(ada, 1, room, "one").answer;
    let body = |text: &str| PostBody::Text(TextBody::say(text)).after_refused(6);
    assert_eq!(world.post(ada, 1, room, body("one")).answer, first);
    assert!(world.post(ada, 7, room, body("seven")).answer.is_ok());
    assert_eq!(world.send(ada, 4, room, "four").answer, Err(Refusal::RefusedBefore));
    assert_eq!(world.send(ada, 9, room, "nine").answer, Err(Refusal::Behind { awaited: 8 }));
    let last = world.post(ada, u64::MAX, room, body("last"));
    assert_eq!(last.answer, Err(Refusal::Behind { awaited: 8 }));
}

#[test]
fn a_reply_names_an_event_that_the_room_has() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let room = world.join(ada, "ops").unwrap();
    let head = world.state.access(ada).can_read(room.into()).unwrap();
    let reply = |seq| {
        let kind = TextKind::Action as u16;
        PostBody::Text(TextBody { kind, reply_to: EventSeq::new(seq), ..TextBody::say("nods") })
    };
    for (skipped, seq) in [(0, head.next()), (1, Seq(head.0 + 9)), (2, Seq(u64::MAX))] {
        let refused = world.post(ada, skipped + 1, room, reply(seq).after_refused(skipped));
        let expected = Refusal::UnknownEvent { seq: seq.0, head: head.0 };
        assert_eq!(refused.answer, Err(expected));
        assert!(refused.uses_nonce_up);
    }
    let posted = world.post(ada, 4, room, reply(head).after_refused(3));
    let Content::Posted { body, .. } = contents(&posted)[0] else { panic!("{posted:?}") };
    assert_eq!((body.reply_to, body.known_kind()), (EventSeq::new(head), Some(TextKind::Action)));
    let again = world.post(ada, 4, room, reply(head));
    assert_eq!((&again.answer, again.events.len()), (&posted.answer, 0));
    let other = world.post(ada, 4, room, PostBody::Text(TextBody::say("nods")));
    assert_eq!(other.answer, Err(Refusal::NonceReused), "the digest is of the whole body");
}

#[test]
fn what_is_not_known_yet_is_refused_for_good() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let room = world.join(ada, "ops").unwrap();
    let refused = world.post(ada, 1, room, PostBody::Delete { of: Seq(1) });
    assert_eq!(refused.answer.unwrap_err().code(), ErrorCode::Unsupported);
    assert!(refused.uses_nonce_up && refused.events.is_empty());
    let in_words = PostBody::Text(TextBody::say("then in words")).after_refused(1);
    assert!(world.post(ada, 2, room, in_words).answer.is_ok());
    let again = world.post(ada, 1, room, PostBody::Delete { of: Seq(1) });
    assert_eq!(again.answer.unwrap_err().code(), ErrorCode::Unsupported);
}

#[test]
fn who_may_not_post_learns_nothing_else_whatever_is_posted() {
    let mut world = World::new();
    let (ada, bob) =
        (world.sign_in(1, "ada", true).unwrap(), world.sign_in(2, "bob", true).unwrap());
    let (theirs, of) = (world.join(bob, "theirs").unwrap(), Seq(1));
    let bodies = [
        PostBody::Edit { of, text: "x".to_owned() },
        PostBody::Delete { of },
        PostBody::React { of, reaction: "x".to_owned(), is_set: true },
        PostBody::Text(TextBody::say("")),
        PostBody::Text(TextBody { kind: 9, ..TextBody::say("x") }),
    ];
    for (skipped, body) in (0..).zip(bodies) {
        let (n, body) = (skipped + 1, body.after_refused(skipped));
        let as_stranger = world.post(ada, n, theirs, body.clone()).answer.unwrap_err();
        assert_eq!(as_stranger.code(), ErrorCode::NotMember, "{body:?}");
        let as_member = world.post(bob, n, theirs, body.clone()).answer.unwrap_err();
        assert_ne!(as_member.code(), ErrorCode::NotMember, "{body:?}");
    }
}
