//! Submissions come into one commit each, once; and each commit says how far in the order it is.

use chat_proto::{Kind, Nickname};

use super::tests::{ADA, LOBBY, NOW, World, genesis, join, kinds, leave, rename, send, sign_in};
use super::*;
use crate::pipeline::test_store::MemoryStore;
use crate::{Action, Command, OrderProgress, Ordered, Place, Submission, SubmitterId};

fn begins(n: u64) -> Input {
    Input::Begins(Submission { submitter: SubmitterId::ALONE, n })
}

fn submission(n: u64, inputs: impl IntoIterator<Item = Input>) -> Vec<Input> {
    std::iter::once(begins(n)).chain(inputs).chain([Input::Ends]).collect()
}

/// Every input makes a commit full.
fn with_small_commits() -> World {
    let mut world = World::new();
    let pipeline = Pipeline::open(MemoryStore::default()).unwrap();
    world.pipeline = std::mem::replace(&mut world.pipeline, pipeline).with_commits_of(1);
    world
}

fn progress(world: &World) -> OrderProgress {
    world.pipeline.state().unwrap().progress().clone()
}

fn last_contained(progress: &OrderProgress) -> u64 {
    progress.last_of(SubmitterId::ALONE)
}

#[test]
fn a_commit_ends_where_a_submission_does() {
    let mut world = with_small_commits();
    let commits = world.commits();
    world.run([send(1, 1), send(1, 2)]);
    assert_eq!(world.commits(), commits + 2, "those that stand alone");
    let batch = submission(1, (3..=9).map(|n| send(1, n)));
    world.run(batch.into_iter().chain(submission(2, [send(1, 10)])));
    assert_eq!(world.commits(), commits + 4);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Ack; 10]));
    let places: Vec<_> = world.pipeline.store().progress();
    let of = |progress: &OrderProgress| (progress.place.0, last_contained(progress));
    let newest: Vec<_> = places.iter().rev().take(4).rev().map(of).collect();
    let before = newest[0].0;
    assert_eq!(newest, [(before, 0), (before + 1, 0), (before + 8, 1), (before + 9, 2)]);
}

#[test]
fn a_submission_is_not_parted_by_a_commit_under_way_that_fails() {
    let mut world = World::new();
    world.pipeline.store_mut().is_slow = true;
    world.run(submission(1, [send(1, 1)]));
    assert!(!world.pipeline.is_settled());
    world.pipeline.store_mut().fails_after_looks = Some(2);
    let inputs = submission(2, [send(1, 2), send(1, 3)]).into_iter().chain(submission(3, []));
    let mut inputs = inputs.collect::<Vec<_>>().into_iter();
    let failed = world.pipeline.run(&mut inputs, NOW, &mut world.heard).unwrap_err();
    assert_eq!(inputs.as_slice(), [begins(3), Input::Ends], "the second was taken as a whole");
    world.pipeline.give_up(failed, &mut world.heard);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Error; 3]), "and has failed with the first");
    assert_eq!(last_contained(&progress(&world)), 0);
    world.pipeline.store_mut().is_slow = false;
    world.pipeline.run_alone(submission(4, [send(1, 1)]), later(NOW), &mut world.heard);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Ack]));
    assert_eq!(last_contained(&progress(&world)), 4, "those that were given up are left out");
}

#[test]
fn a_submission_that_comes_again_is_passed_over() {
    let mut world = World::new();
    let first = || submission(1, [send(1, 1), leave(1, LOBBY)]);
    world.run(first());
    world.run(submission(2, [join(1, "lobby")]));
    let (before, records) = (progress(&world), world.pipeline.store().records());
    world.heard.take();
    world.run(first());
    assert_eq!((progress(&world), world.pipeline.store().records()), (before, records));
    let unknown = kinds(1, &[Kind::Error; 2]);
    assert_eq!(world.heard.take(), unknown, "nobody waits for ever; the outcome is unknown here");
    let nobody_here = first().into_iter().map(|input| match input {
        Input::Ordered(ordered) => Input::Ordered(Ordered { origin: None, ..ordered }),
        own @ (Input::Begins(_) | Input::Ends | Input::Local(_)) => own,
    });
    world.run(nobody_here.collect::<Vec<_>>());
    assert_eq!(world.heard.take(), [], "of what another machine asked, nobody is told here");
    // The same under a number of its own is asked for anew.
    world.run(submission(3, [send(1, 1), leave(1, LOBBY)]));
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Ack, Kind::Done]));
    assert_eq!(world.pipeline.store().records(), records + 2);
}

#[test]
fn each_command_has_a_place_and_a_restart_goes_on_from_that_of_the_last_commit() {
    let mut world = World::new();
    let begun = progress(&world).place;
    world.run(submission(1, [send(1, 1), rename(1, "ada")]));
    assert_eq!(progress(&world).place, Place(begun.0 + 2), "also one that changes nothing");
    let committed = progress(&world);
    world.run(submission(2, [rename(1, "ada")]));
    assert_eq!(progress(&world).place, Place(begun.0 + 3));
    let mut pipeline = Pipeline::open(world.pipeline.into_store()).unwrap();
    assert_eq!(*pipeline.state().unwrap().progress(), committed);
    // What came behind it comes again, from whoever keeps the order.
    let command = Command { ts: NOW, action: renames("ada") };
    let again = submission(2, [Input::Ordered(Ordered { origin: None, command })]);
    pipeline.run_alone(again, NOW, &mut world.heard);
    assert_eq!(pipeline.state().unwrap().progress().place, Place(begun.0 + 3));
}

fn renames(name: &str) -> Action {
    Action::Rename { account: ADA, name: Nickname::parse(name).unwrap().into(), is_reserved: false }
}

#[test]
fn the_same_order_in_other_commits_leads_to_the_same_place_and_digest() {
    let digest = |commit_bytes_max: usize, is_slow: bool| {
        let mut store = MemoryStore::default();
        store.is_slow = is_slow;
        let mut pipeline = Pipeline::open(store).unwrap().with_commits_of(commit_bytes_max);
        pipeline.begin(genesis(1)).unwrap();
        let mut world = World { pipeline, ..World::new() };
        world.run([sign_in(1, 0xAD, "ada"), join(1, "lobby")]);
        (1..20).for_each(|n| world.run(submission(n, [send(1, 2 * n - 1), send(1, 2 * n)])));
        world.pipeline.settle(NOW, &mut world.heard).unwrap();
        let stored = world.pipeline.store().progress();
        (stored.len(), stored.last().cloned().unwrap())
    };
    let (many, one) = (digest(1, false), digest(usize::MAX, true));
    assert!(many.0 > one.0, "{} and {} commits", many.0, one.0);
    assert_eq!(many.1, one.1);
}

#[test]
fn a_record_that_could_not_be_appended_is_the_last_that_is_tried() {
    let mut world = World::new();
    let before = progress(&world);
    world.pipeline.store_mut().takes = Some(1);
    world.run(submission(1, [send(1, 1), send(1, 2)]));
    assert_eq!(world.pipeline.store().refused_appends, 1, "how far it is would be another");
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Error; 2]));
    assert_eq!(progress(&world), before);
}

#[test]
fn a_commit_that_failed_takes_its_place_and_digest_with_it() {
    let mut world = World::new();
    let before = progress(&world);
    world.pipeline.store_mut().fails = true;
    world.run(submission(1, [send(1, 1), send(1, 2)]));
    assert_eq!(progress(&world), before);
    world.run(submission(2, [send(1, 1)]));
    assert_eq!(progress(&world), before, "the store takes nothing yet");
    world.heard.take();
    world.pipeline.run_alone(submission(3, [send(1, 1)]), later(NOW), &mut world.heard);
    assert_eq!(world.heard.take(), kinds(1, &[Kind::Ack]));
    assert_eq!(progress(&world).place, Place(before.place.0 + 1));
}
