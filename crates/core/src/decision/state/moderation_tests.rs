//! What moderators can do, to whom, and until when.

use chat_proto::limits::{SANCTIONS_MAX, SLOW_SECONDS_MAX};
use chat_proto::{ErrorCode, Role, TextBody};

use super::tests::World;
use super::*;
use crate::{Content, Moderation, PostBody, Refusal, RoomChange, SanctionKind};

/// A room of an owner, a moderator and two members.
fn den() -> (World, RoomId, [AccountId; 4]) {
    let mut world = World::new();
    let mut key = 0;
    let accounts = ["ada", "bob", "eve", "joe"].map(|name| {
        key += 1;
        world.sign_in(key, name, true).unwrap()
    });
    let room = accounts.map(|account| world.join(account, "den").unwrap())[0];
    let change = RoomChange::Role { account: accounts[1], role: Role::Moderator };
    world.run(Action::ChangeRoom { account: accounts[0], room, change }).answer.unwrap();
    (world, room, accounts)
}

fn moderate(world: &mut World, by: AccountId, room: RoomId, asked: Moderation) -> Decision {
    world.run(Action::Moderate { account: by, room, asked })
}

fn kick(account: AccountId) -> Moderation {
    Moderation::Kick { account, reason: "spam".to_owned() }
}

fn sanction(kind: SanctionKind, account: AccountId, until: u64) -> Moderation {
    Moderation::Sanction { kind, account, until: Timestamp(until), reason: "spam".to_owned() }
}

fn ban(account: AccountId, until: u64) -> Moderation {
    sanction(SanctionKind::Ban, account, until)
}

fn mute(account: AccountId, until: u64) -> Moderation {
    sanction(SanctionKind::Mute, account, until)
}

fn contents(decision: &Decision) -> Vec<(LogId, Content)> {
    decision.events.iter().map(|event| (event.log, event.content.clone())).collect()
}

fn code(decision: &Decision) -> ErrorCode {
    assert!(decision.events.is_empty(), "{decision:?}");
    decision.answer.as_ref().expect_err("it is not allowed").code()
}

#[test]
fn a_kick_ends_a_membership_and_both_logs_say_by_whom_and_why() {
    let (mut world, room, [ada, _bob, eve, _joe]) = den();
    let kicked = moderate(&mut world, ada, room, kick(eve));
    let reason = || "spam".to_owned();
    let expected = [
        (room.into(), Content::Kicked { account: eve, by: ada, reason: reason() }),
        (eve.into(), Content::RoomKicked { room, by: ada, reason: reason() }),
    ];
    assert_eq!((contents(&kicked), kicked.answer), (expected.to_vec(), Ok(Answer::Done)));
    assert!(!world.state.rooms[&room].members.contains(eve));
    assert_eq!(code(&world.send(eve, 1, room, "no")), ErrorCode::NotMember);
    let again = moderate(&mut world, ada, room, kick(eve));
    assert_eq!(code(&again), ErrorCode::NoSuchMember);
    assert_eq!(world.join(eve, "den"), Ok(room), "nothing keeps it out");
}

#[test]
fn only_who_ranks_above_somebody_can_act_on_them() {
    // What an owner, a moderator, and a member may do to an owner, a moderator, a member and a stranger.
    for asked in [kick, |account| ban(account, 0), |account| mute(account, 0)] {
        let (world, room, [ada, bob, eve, joe]) = den();
        let mut stranger = world;
        let zoe = stranger.sign_in(9, "zoe", true).unwrap();
        for (by, allowed) in [(ada, &[bob, eve][..]), (bob, &[eve]), (eve, &[]), (zoe, &[])] {
            for target in [ada, bob, eve] {
                let mut trial = stranger.clone();
                let decided = moderate(&mut trial, by, room, asked(target));
                match allowed.contains(&target) {
                    true => assert_eq!(decided.answer, Ok(Answer::Done), "{by} on {target}"),
                    false if by == zoe => assert_eq!(code(&decided), ErrorCode::NotMember),
                    false => assert_eq!(code(&decided), ErrorCode::RoleTooLow, "{by} on {target}"),
                }
            }
        }
        let joe = moderate(&mut stranger, joe, room, Moderation::Slow { seconds: 1 });
        assert_eq!(code(&joe), ErrorCode::RoleTooLow);
    }
}

#[test]
fn whoever_is_banned_neither_joins_nor_reads_nor_finds_until_it_is_over() {
    let (mut world, room, [ada, _bob, eve, joe]) = den();
    world.send(ada, 1, room, "before");
    let until = world.now() + 100;
    let banned = moderate(&mut world, ada, room, ban(eve, until));
    let (reason, until) = (|| "spam".to_owned(), Timestamp(until));
    let expected = [
        (
            room.into(),
            Content::Banned { account: eve, by: ada, until, reason: reason(), was_member: true },
        ),
        (eve.into(), Content::RoomBanned { room, by: ada, until, reason: reason() }),
    ];
    assert_eq!(contents(&banned), expected);
    let refused = world.join(eve, "DEN").unwrap_err();
    assert_eq!(refused.code(), ErrorCode::Banned);
    assert!(refused.to_string().ends_with("UTC: spam"), "{refused}");
    assert_eq!(code(&world.send(eve, 1, room, "no")), ErrorCode::Banned);
    let (name, now) = (chat_proto::RoomName::parse("den").unwrap().into(), world.now());
    let reads = |world: &World, account, at: u64| {
        let access = world.state.access(account).at(Timestamp(at));
        let found = access.room_named(&name).is_ok();
        assert_eq!(access.can_read(room.into()).is_ok(), found);
        assert_eq!(access.knows_of(room).is_ok(), found);
        assert_eq!(access.rooms_after(RoomId(0)).any(|(id, _room)| id == room), found);
        found
    };
    assert!(reads(&world, joe, now) && !reads(&world, eve, now));
    assert!(!reads(&world, eve, until.0 - 1) && reads(&world, eve, until.0));
    let left = world.run(Action::Leave { account: eve, room });
    assert_eq!((left.events, left.answer), (vec![], Ok(Answer::Done)), "there is nothing to end");
    world.advance_to(until.0);
    assert_eq!(world.join(eve, "den"), Ok(room), "the command's own time counts");
}

#[test]
fn a_ban_for_ever_ends_when_a_moderator_says_so() {
    let (mut world, room, [ada, bob, eve, _joe]) = den();
    moderate(&mut world, bob, room, ban(eve, 0)).answer.unwrap();
    world.advance_to(1 << 50);
    assert_eq!(world.join(eve, "den").unwrap_err().code(), ErrorCode::Banned);
    let lift = || Moderation::Lift { kind: SanctionKind::Ban, account: eve };
    let lifted = moderate(&mut world, ada, room, lift());
    let expected = [
        (room.into(), Content::Unbanned { account: eve, by: ada }),
        (eve.into(), Content::RoomUnbanned { room, by: ada }),
    ];
    assert_eq!(contents(&lifted), expected);
    assert_eq!(world.join(eve, "den"), Ok(room));
    let again = moderate(&mut world, ada, room, lift());
    assert_eq!((again.events, again.answer), (vec![], Ok(Answer::Done)), "nothing is there");
}

#[test]
fn whoever_is_mute_reads_and_says_nothing_and_changes_nothing() {
    let (mut world, room, [ada, _bob, eve, _joe]) = den();
    let until = world.now() + 100;
    moderate(&mut world, ada, room, mute(eve, until)).answer.unwrap();
    let refused = world.send(eve, 1, room, "no");
    assert_eq!(code(&refused), ErrorCode::Muted);
    assert!(refused.uses_nonce_up, "it is refused for good");
    let sentence = refused.answer.unwrap_err().to_string();
    assert!(sentence.contains("until 1970-01-01 00:00 UTC: spam"), "{sentence}");
    let of = Seq(1);
    let react = PostBody::React { of, reaction: "+".to_owned(), is_set: true };
    let edit = PostBody::Edit { of, text: "no".to_owned() };
    for (n, body) in [(1, edit), (2, PostBody::Delete { of }), (3, react)] {
        assert_eq!(code(&world.post(eve, n, room, body.after_refused(n - 1))), ErrorCode::Muted);
    }
    assert!(world.state.access(eve).can_read(room.into()).is_ok());
    world.advance_to(until);
    let said = PostBody::Text(TextBody::say("again")).after_refused(3);
    assert!(world.post(eve, 4, room, said).answer.is_ok());
    moderate(&mut world, ada, room, mute(eve, 0)).answer.unwrap();
    let unmute = Moderation::Lift { kind: SanctionKind::Mute, account: eve };
    let own = moderate(&mut world, eve, room, unmute.clone());
    assert_eq!(code(&own), ErrorCode::RoleTooLow);
    moderate(&mut world, ada, room, unmute).answer.unwrap();
    assert!(world.send(eve, 5, room, "again").answer.is_ok());
}

#[test]
fn a_time_that_is_over_a_reason_that_is_too_long_and_nobody_are_refused() {
    let (mut world, room, [ada, _bob, eve, _joe]) = den();
    let (past, far) = (world.now(), u64::MAX);
    assert_eq!(code(&moderate(&mut world, ada, room, ban(eve, past))), ErrorCode::BadTime);
    assert_eq!(
        code(&moderate(&mut world, ada, room, ban(AccountId(7), 0))),
        ErrorCode::NoSuchMember
    );
    for (reason, why) in
        [("x".repeat(513), ErrorCode::TextTooLong), ("\0".to_owned(), ErrorCode::NulInText)]
    {
        let asked = Moderation::Kick { account: eve, reason };
        assert_eq!(code(&moderate(&mut world, ada, room, asked)), why);
    }
    let slow = Moderation::Slow { seconds: SLOW_SECONDS_MAX + 1 };
    assert_eq!(code(&moderate(&mut world, ada, room, slow)), ErrorCode::BadTime);
    moderate(&mut world, ada, room, ban(eve, far)).answer.unwrap();
}

#[test]
fn a_room_keeps_so_many_out_and_no_more_and_those_that_are_over_make_room() {
    let (mut world, room, [ada, _bob, eve, joe]) = den();
    let until = world.now() + 4 * SANCTIONS_MAX as u64;
    moderate(&mut world, ada, room, mute(joe, until)).answer.unwrap();
    for number in 1..SANCTIONS_MAX {
        let other = world.account(&format!("n{number}"));
        moderate(&mut world, ada, room, mute(other, 0)).answer.unwrap();
    }
    let full = moderate(&mut world, ada, room, mute(eve, 0));
    assert_eq!(code(&full), ErrorCode::TooManySanctions);
    moderate(&mut world, ada, room, ban(eve, 0)).answer.expect("bans are counted apart");
    moderate(&mut world, ada, room, mute(joe, until + 1)).answer.expect("it takes a place it has");
    world.advance_to(until + 1);
    moderate(&mut world, ada, room, mute(eve, 0)).answer.expect("one is over");
    assert!(!world.state.rooms[&room].sanctions.holds(SanctionKind::Mute, joe));
}

#[test]
fn a_clock_that_was_set_back_makes_nobody_wait_in_a_slow_room() {
    let (mut world, room, [ada, _bob, eve, _joe]) = den();
    moderate(&mut world, ada, room, Moderation::Slow { seconds: 10 }).answer.unwrap();
    world.advance_to(1_000_000);
    assert!(world.send(eve, 1, room, "one").answer.is_ok());
    let waits = world.send(eve, 2, room, "two");
    assert_eq!(code(&waits), ErrorCode::SlowMode);
    assert!(!waits.uses_nonce_up, "it is sent again, under the same");
    world.advance_to(500_000);
    assert!(world.send(eve, 2, room, "two").answer.is_ok());
}

#[test]
fn what_was_refused_for_good_is_not_told_to_wait_when_it_comes_again() {
    let (mut world, room, [ada, _bob, eve, _joe]) = den();
    moderate(&mut world, ada, room, Moderation::Slow { seconds: 10 }).answer.unwrap();
    assert!(world.send(eve, 1, room, "one").answer.is_ok());
    let body = PostBody::Text(TextBody::say("hello"));
    let now = Timestamp(world.now());
    assert_eq!(world.state.refuse_again(eve, now, room, &body), Refusal::RefusedBefore);
}

#[test]
fn a_report_reaches_the_moderators_and_nobody_else() {
    let (mut world, room, [ada, bob, eve, joe]) = den();
    let Ok(Answer::Posted { seq, .. }) = world.send(joe, 1, room, "rude").answer else { panic!() };
    let report = |seq| Moderation::Report { seq, reason: "rude".to_owned() };
    let reported = moderate(&mut world, eve, room, report(seq));
    let event = Content::Reported { room, by: eve, message: seq, reason: "rude".to_owned() };
    let expected = [(ada.into(), event.clone()), (bob.into(), event)];
    assert_eq!(contents(&reported), expected);
    for seq in [Seq(0), Seq(u64::MAX)] {
        let refused = moderate(&mut world, eve, room, report(seq));
        assert_eq!(code(&refused), ErrorCode::UnknownEvent);
    }
    let zoe = world.sign_in(9, "zoe", true).unwrap();
    assert_eq!(code(&moderate(&mut world, zoe, room, report(seq))), ErrorCode::NotMember);
}

#[test]
fn what_somebody_has_said_is_taken_away_by_those_above_and_from_a_time_on() {
    let (mut world, room, [ada, bob, eve, joe]) = den();
    let remove = |account, seconds| Moderation::RemoveMessages { account, seconds };
    assert_eq!(code(&moderate(&mut world, joe, room, remove(eve, 0))), ErrorCode::RoleTooLow);
    assert_eq!(code(&moderate(&mut world, bob, room, remove(ada, 0))), ErrorCode::RoleTooLow);
    let nobody = moderate(&mut world, bob, room, remove(AccountId(999), 0));
    assert_eq!(code(&nobody), ErrorCode::NoSuchMember);
    // Also of somebody who is gone; a clock that is younger than the time asked for is no error.
    moderate(&mut world, ada, room, ban(eve, 0)).answer.unwrap();
    for (seconds, expected) in [(0, 0), (u32::MAX, 0)] {
        let removed = moderate(&mut world, bob, room, remove(eve, seconds));
        let since = Timestamp(expected);
        let told = (room.into(), Content::MessagesRemoved { account: eve, by: bob, since });
        assert_eq!(contents(&removed), [told]);
    }
}
