//! What whoever runs the server does to accounts, and what they may do then.

use chat_proto::{AccountId, LinkCodeHash, Nickname, Role, RoomName};

use super::tests::{World, contents, key_numbered};
use super::*;
use crate::{AccountChange, AccountOrder, Content, DeviceLink, OPERATOR, Refusal};

/// Carries an order out, and holds who is told of the events alone, and who reads the state back, to it.
fn run(world: &mut World, order: AccountOrder) -> Decision {
    let before = world.state.clone();
    let applied = world.run(Action::Govern(Box::new(order)));
    let mut told = before;
    applied.events.iter().for_each(|event| told.evolve(event));
    told.progress = world.state.progress.clone();
    assert_eq!(told, world.state);
    assert_eq!(State::restore(told.snapshot()).expect("it is whole").snapshot(), told.snapshot());
    applied
}

fn order(
    world: &mut World,
    by: AccountId,
    name: &str,
    change: AccountChange,
) -> Result<Answer, Refusal> {
    run(world, AccountOrder { by, name: nick(name).into(), change }).answer
}

fn nick(name: &str) -> Nickname {
    Nickname::parse(name).unwrap()
}

fn disable(reason: &str) -> AccountChange {
    AccountChange::Disable { reason: reason.to_owned() }
}

fn rename(to: &str) -> AccountChange {
    AccountChange::Rename { to: nick(to).into(), is_reserved: false }
}

fn create(key: u8) -> AccountChange {
    let (credential, fingerprint) = (key_numbered(key), "SHA256:abc".to_owned());
    AccountChange::Create { credential, fingerprint, is_reserved: false }
}

#[test]
fn a_disabled_account_signs_in_no_more_and_does_nothing_until_it_is_enabled() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let room = world.join(ada, "dev").unwrap();
    assert_eq!(order(&mut world, OPERATOR, "ADA", disable("on leave")), Ok(Answer::Done));
    let refused = Refusal::AccountDisabled { reason: "on leave".to_owned() };
    assert_eq!(world.sign_in(1, "ada", true), Err(refused.clone()));
    // What was under way when it happened, and what would change nothing.
    assert_eq!(world.join(ada, "ops"), Err(refused.clone()));
    let again = Action::Join { account: ada, name: RoomName::parse("dev").unwrap().into() };
    assert_eq!(world.state.answer_without_change(&again), None);
    assert_eq!(world.run(Action::Leave { account: ada, room }).answer, Err(refused));
    assert!(world.state.access(ada).may_act().is_err());
    // Its name stays its own, and so do its rooms.
    assert!(matches!(world.sign_in(2, "ada", true), Err(Refusal::NameTaken { .. })));
    assert_eq!(world.state.rooms_of(ada).collect::<Vec<_>>(), [room]);
    assert_eq!(order(&mut world, OPERATOR, "ada", AccountChange::Enable), Ok(Answer::Done));
    assert_eq!(world.sign_in(1, "ada", true), Ok(ada));
    assert_eq!(world.join(ada, "ops").map(|_room| ()), Ok(()));
}

#[test]
fn what_is_so_already_is_not_logged_again() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let mut events = |change| {
        run(&mut world, AccountOrder { by: OPERATOR, name: nick("ada").into(), change })
            .events
            .len()
    };
    assert_eq!((events(AccountChange::Enable), events(rename("ada"))), (0, 0));
    assert_eq!((events(disable("")), events(disable("")), events(disable("why"))), (1, 0, 1));
    assert_eq!((events(AccountChange::Enable), events(AccountChange::Enable)), (1, 0));
    let admin = |is_set| AccountChange::SetAdministrator { is_set };
    assert_eq!((events(admin(false)), events(admin(true)), events(admin(true))), (0, 1, 0));
    assert!(world.state.access(ada).is_administrator());
}

#[test]
fn nobody_but_the_operator_governs_accounts() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    world.sign_in(2, "bob", true).unwrap();
    let administrator = AccountChange::SetAdministrator { is_set: true };
    assert_eq!(order(&mut world, ada, "ada", administrator.clone()), Err(Refusal::NotOperator));
    order(&mut world, OPERATOR, "ada", administrator).unwrap();
    for change in [disable(""), AccountChange::Enable, rename("eve"), create(9)] {
        assert_eq!(order(&mut world, ada, "bob", change), Err(Refusal::NotOperator));
    }
}

#[test]
fn a_name_is_taken_from_one_account_and_given_to_another() {
    let mut world = World::new();
    let (ada, eve) =
        (world.sign_in(1, "ada", true).unwrap(), world.sign_in(2, "eve", true).unwrap());
    let taken = order(&mut world, OPERATOR, "eve", rename("ada")).unwrap_err();
    assert!(matches!(taken, Refusal::NameTaken { .. }), "{taken}");
    order(&mut world, OPERATOR, "ada", rename("ada-old")).unwrap();
    order(&mut world, OPERATOR, "eve", rename("Ada")).unwrap();
    let name_of = |id| world.state.access(OPERATOR).account(id).map(|held| held.name.to_string());
    assert_eq!((name_of(ada).unwrap(), name_of(eve).unwrap()), ("ada-old".into(), "Ada".into()));
    let unknown = order(&mut world, OPERATOR, "nobody", disable("")).unwrap_err();
    assert!(matches!(unknown, Refusal::UnknownAccount { .. }), "{unknown}");
    // One that only looks alike is not meant.
    let alike = order(&mut world, OPERATOR, "аda", disable("")).unwrap_err();
    assert!(matches!(alike, Refusal::UnknownAccount { .. }), "{alike}");
}

#[test]
fn an_account_is_made_for_a_key_once_and_no_name_is_invented() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    assert!(matches!(
        order(&mut world, OPERATOR, "ada", create(5)),
        Err(Refusal::NameTaken { .. })
    ));
    let taken = Refusal::KeyTaken { holder: "ada".to_owned() };
    assert_eq!(order(&mut world, OPERATOR, "bob", create(1)), Err(taken));
    let made = AccountOrder { by: OPERATOR, name: nick("bob").into(), change: create(5) };
    let made = run(&mut world, made);
    assert_eq!(made.answer, Ok(Answer::Done));
    let [Content::AccountCreated { .. }, Content::KeySet { by: OPERATOR, fingerprint }] =
        contents(&made)[..]
    else {
        panic!("{made:?}")
    };
    assert_eq!(fingerprint, "SHA256:abc");
    // The same once more is no matter.
    let again = AccountOrder { by: OPERATOR, name: nick("bob").into(), change: create(5) };
    let again = run(&mut world, again);
    assert_eq!((again.answer, again.events.len()), (Ok(Answer::Done), 0));
    // Whoever has the key has the account, whatever name it asks for.
    let bob = world.sign_in(5, "ada", true).unwrap();
    assert_ne!(bob, ada);
    assert_eq!(world.state.access(bob).account(bob).unwrap().name.as_str(), "bob");
}

#[test]
fn a_lost_key_is_replaced_and_nothing_else_signs_in_any_more() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    world.sign_in(2, "bob", true).unwrap();
    let replace = |key| {
        let (credential, fingerprint) = (key_numbered(key), "SHA256:new".to_owned());
        let change = AccountChange::ReplaceKey { credential, fingerprint };
        AccountOrder { by: OPERATOR, name: nick("ada").into(), change }
    };
    let taken = Refusal::KeyTaken { holder: "bob".to_owned() };
    assert_eq!(run(&mut world, replace(2)).answer, Err(taken));
    let replaced = run(&mut world, replace(7));
    assert!(
        matches!(
            contents(&replaced)[..],
            [
                Content::CredentialRemoved { .. },
                Content::CredentialAdded { .. },
                Content::KeySet { by: OPERATOR, .. }
            ]
        ),
        "{replaced:?}"
    );
    assert_eq!(world.sign_in(7, "whoever", true), Ok(ada));
    assert_eq!(world.sign_in(1, "ada", true), Err(Refusal::CredentialRevoked));
    assert_eq!(run(&mut world, replace(7)).events.len(), 0, "it is so already");
    // One that was taken away may come back.
    run(&mut world, replace(1)).answer.unwrap();
    assert_eq!(world.sign_in(1, "ada", true), Ok(ada));
    assert_eq!(world.sign_in(7, "ada", true), Err(Refusal::CredentialRevoked));
}

#[test]
fn no_device_is_linked_to_a_disabled_account() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let code = LinkCodeHash([9; 32]);
    world.run(Action::OpenLink { account: ada, code }).answer.unwrap();
    order(&mut world, OPERATOR, "ada", disable("")).unwrap();
    let (credential, label) = (key_numbered(3), "laptop".to_owned());
    let link = DeviceLink { credential, code, label };
    let ask = |world: &mut World| world.run(Action::LinkDevice(Box::new(link.clone()))).answer;
    assert_eq!(ask(&mut world), Err(Refusal::BadLinkCode), "how the account stands is not told");
    order(&mut world, OPERATOR, "ada", AccountChange::Enable).unwrap();
    assert_eq!(ask(&mut world), Err(Refusal::BadLinkCode), "it went with the account");
    let code = LinkCodeHash([10; 32]);
    world.run(Action::OpenLink { account: ada, code }).answer.unwrap();
    let link = DeviceLink { code, ..link };
    let linked = world.run(Action::LinkDevice(Box::new(link.clone()))).answer;
    assert_eq!(linked, Ok(Answer::SignedIn(ada)));
    // Whoever asks again was linked before.
    order(&mut world, OPERATOR, "ada", disable("")).unwrap();
    assert_eq!(world.state.answer_without_change(&Action::LinkDevice(Box::new(link))), None);
}

#[test]
fn an_administrator_acts_as_an_owner_where_everybody_may_read_and_where_nobody_owns() {
    let mut world = World::new();
    let (ada, bob) =
        (world.sign_in(1, "ada", true).unwrap(), world.sign_in(2, "bob", true).unwrap());
    let eve = world.sign_in(3, "eve", true).unwrap();
    let room = world.join(bob, "dev").unwrap();
    world.join(eve, "dev").unwrap();
    let may = |world: &World, who| world.state.access(who).can_rule(room, Role::Owner).is_ok();
    assert!(!may(&world, ada) && may(&world, bob) && may(&world, OPERATOR));
    order(&mut world, OPERATOR, "ada", AccountChange::SetAdministrator { is_set: true }).unwrap();
    assert!(may(&world, ada));
    assert!(world.state.access(ada).can_moderate(room, bob).is_ok(), "also on an owner");
    assert!(world.state.access(bob).can_moderate(room, ada).is_err(), "and no owner on it");
    // But speaks only where it is a member.
    assert!(world.state.access(ada).can_post(room).is_err());
    world.state.hide(room);
    assert!(!may(&world, ada) && may(&world, OPERATOR));
    assert!(world.state.access(ada).knows_of(room).is_err(), "as anybody else");
    order(&mut world, OPERATOR, "ada", AccountChange::SetAdministrator { is_set: false }).unwrap();
    assert!(!world.state.access(ada).is_administrator());
}
