//! What is too fast has no place in the order, and what comes to nothing is given back.

use std::sync::Arc;

use chat_proto::limits::ROOMS_PER_ACCOUNT_MAX;

use super::*;
use crate::Registration;

fn asks(n: u32, action: Action) -> Unsequenced {
    let origin = Origin { conn: Conn(1), request: RequestId(n), window: Window::Commands };
    Unsequenced::Request { origin, request: Request::Command(action) }
}

fn renames(n: u32, name: &str) -> Unsequenced {
    let name = Nickname::parse(name).unwrap().into();
    asks(n, Action::Rename { account: ADA, name, is_reserved: false })
}

fn joins(n: u32, name: &str) -> Unsequenced {
    asks(n, Action::Join { account: ADA, name: RoomName::parse(name).unwrap().into() })
}

impl World {
    /// Puts what has come in order and runs it; tells which was refused before that.
    fn sequence(&mut self, came: impl IntoIterator<Item = Unsequenced>) -> Vec<usize> {
        let (mut refused, mut inputs) = (Vec::new(), Vec::new());
        for (at, input) in came.into_iter().enumerate() {
            let input = self.pipeline.refuse_for_pace(&input, NOW).unwrap_or(input);
            if !input.is_command() {
                refused.push(at);
            }
            inputs.push(input.into_input(NOW));
        }
        self.run(inputs);
        refused
    }

    fn place(&self) -> u64 {
        self.pipeline.state().unwrap().progress().place.0
    }
}

#[test]
fn what_is_refused_for_its_pace_has_no_place_in_the_order() {
    let mut world = World::new();
    let place = world.place();
    let came = (0..7).map(|n| renames(n, &format!("ada{n}")));
    assert_eq!(world.sequence(came), [5, 6], "five at once");
    assert_eq!(world.place(), place + 5);
    let told = [Kind::Done, Kind::Done, Kind::Done, Kind::Done, Kind::Done];
    let refused = [Kind::Error, Kind::Error];
    assert_eq!(world.heard.take(), kinds(1, &[&told[..], &refused[..]].concat()), "in order");
    assert_eq!(world.sequence([send_unsequenced(1)]), [0; 0], "others may go on");
}

fn send_unsequenced(n: u64) -> Unsequenced {
    let (credential, body) = (credential(0xAD).id(), PostBody::Text(TextBody::say("say")));
    let nonce = Nonce { stream: StreamId([9; 16]), n };
    asks(9, Action::Post { account: ADA, credential, nonce, room: LOBBY, body })
}

#[test]
fn joining_and_leaving_rooms_that_are_there_has_a_pace_and_who_is_bulk_has_none() {
    let mut world = World::new();
    let mut paces = AccountPaces::default();
    paces.joins = paces.joins.with_burst(3);
    world.pipeline.set_paces(Arc::new(paces.clone()));
    let joins_and_leaves = |world: &mut World, n| {
        let leaves = asks(n, Action::Leave { account: ADA, room: LOBBY });
        world.sequence([leaves]);
        world.sequence([joins(n + 100, "lobby")]).is_empty()
    };
    // She has joined once before.
    assert_eq!([1, 2, 3].map(|n| joins_and_leaves(&mut world, n)), [true, true, false]);
    let refused = world.pipeline.refuse_for_pace(&joins(200, "lobby"), NOW);
    let Some(Unsequenced::Refused { refusal, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(refusal, crate::Refusal::RateLimited { wait_ms: 100 });
    assert_eq!(world.sequence([joins(300, "new")]), [0; 0], "a new room has a pace of its own");
    paces.bulk.insert("ada".to_owned());
    world.pipeline.set_paces(Arc::new(paces));
    assert!((5..50).all(|n| joins_and_leaves(&mut world, n)), "nobody slows a bulk account down");
}

#[test]
fn only_a_sign_in_of_somebody_unknown_makes_an_account() {
    let world = World::new();
    let signs_in_where = |registration, key, name: &str| {
        let credential = credential(key);
        let name = Ok(Box::new(Nickname::parse(name).unwrap().into()));
        let (name_is_firm, invitation) = (false, None);
        asks(1, Action::SignIn { credential, name, name_is_firm, invitation, registration })
    };
    let signs_in = |key, name| signs_in_where(Registration::Open, key, name);
    assert!(!world.pipeline.makes_account(&signs_in(0xAD, "ada")));
    assert!(world.pipeline.makes_account(&signs_in(0xB0, "bob")));
    let refused = signs_in_where(Registration::Closed, 0xB0, "bob");
    assert!(!world.pipeline.makes_account(&refused), "nothing would come of it");
    assert!(!world.pipeline.makes_account(&joins(1, "lobby")));
}

#[test]
fn a_rename_that_is_refused_or_changes_nothing_gives_back_what_was_counted() {
    let mut world = World::new();
    world.run([sign_in(2, 0xB0, "bob")]);
    for n in 0..20 {
        assert_eq!(world.sequence([renames(n, "bob"), renames(n + 100, "ada")]), [0; 0], "{n}");
    }
    // The second of two in a batch changes nothing.
    for _ in 0..4 {
        assert_eq!(world.sequence([renames(1, "zoe"), renames(2, "zoe")]), [0; 0]);
        assert_eq!(world.sequence([renames(1, "zoe")]), [0; 0]);
    }
    // Once she has become zoe; four more, and no fifth.
    let came = (0..5).map(|n| renames(n, &format!("ada{n}")));
    assert_eq!(world.sequence(came), [4]);
}

#[test]
fn many_who_join_one_new_room_have_made_one() {
    let mut world = World::new();
    let burst = u32::try_from(ROOMS_PER_ACCOUNT_MAX).unwrap();
    assert_eq!(world.sequence((0..burst).map(|n| joins(n, "new"))), [0; 0]);
    // What is only judged is counted, too.
    let mut is_refused =
        |n: u32| world.pipeline.refuse_for_pace(&joins(n, &format!("other{n}")), NOW).is_some();
    assert!((1..burst).all(|n| !is_refused(n)), "one of the burst is used up");
    assert!(is_refused(burst));
}

#[test]
fn a_room_that_is_made_anew_in_the_batch_in_which_it_went_counts() {
    let mut world = World::new();
    let burst = u32::try_from(ROOMS_PER_ACCOUNT_MAX).unwrap();
    assert_eq!(world.sequence([joins(0, "den")]), [0; 0]);
    let den = RoomName::parse("den").unwrap().into();
    for _ in 0..3 {
        let room = world.pipeline.state().unwrap().access(ADA).room_named(&den).unwrap();
        let leaves = asks(1, Action::Leave { account: ADA, room });
        // As of before the batch, nothing is made.
        assert_eq!(world.sequence([leaves, joins(2, "den")]), [0; 0]);
        let again = world.pipeline.state().unwrap().access(ADA).room_named(&den).unwrap();
        assert_ne!(room, again, "it is another one");
    }
    let mut is_refused =
        |n: u32| world.pipeline.refuse_for_pace(&joins(n, &format!("other{n}")), NOW).is_some();
    assert!((1..burst).all(|n| !is_refused(n)), "one of the burst is used up");
    assert!(is_refused(burst), "and no less");
}

#[test]
fn what_could_not_be_carried_out_gives_back_what_was_counted() {
    let mut world = World::new();
    for n in 0..20 {
        world.pipeline.store_mut().takes = Some(0);
        assert_eq!(world.sequence([renames(n, &format!("ada{n}"))]), [0; 0], "{n}");
        world.pipeline.run_alone([], later(NOW), &mut world.heard);
    }
}
