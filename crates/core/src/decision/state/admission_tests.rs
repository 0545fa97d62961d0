//! Who gets an account, and what invitations lead to.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test that meets another variant fails")]

use chat_proto::limits::{INVITATION_USES_MAX, INVITATIONS_PER_ACCOUNT_MAX};
use chat_proto::{InvitationCode, InvitationHash, InvitationId, Nickname};

use super::tests::{World, blank, key_numbered};
use super::*;
use crate::{NewInvitation, OPERATOR, Refusal, Registration};

fn hash(code: u8) -> InvitationHash {
    InvitationCode([code; 16]).hash()
}

fn new(code: u8, uses: u32, rooms: &[RoomId]) -> NewInvitation {
    let (hash, rooms) = (hash(code), rooms.to_vec());
    NewInvitation { hash, uses, seconds: 60, rooms, name: String::new() }
}

impl World {
    fn create(&mut self, account: AccountId, new: NewInvitation) -> Result<InvitationId, Refusal> {
        let action = Action::CreateInvitation { account, invitation: Box::new(new) };
        match self.run(action).answer? {
            Answer::Invitation { id, .. } => Ok(id),
            other => panic!("{other:?}"),
        }
    }

    fn revoke(&mut self, account: AccountId, invitation: InvitationId) -> Result<(), Refusal> {
        self.run(Action::RevokeInvitation { account, invitation }).answer.map(drop)
    }

    /// Signs the key in under a name of its own.
    fn come(
        &mut self,
        key: u8,
        registration: Registration,
        code: Option<u8>,
    ) -> Result<AccountId, Refusal> {
        let name = Nickname::parse(&format!("guest-{key}")).map(|name| Box::new(name.into()));
        let action = Action::SignIn {
            credential: key_numbered(key),
            name,
            name_is_firm: true,
            registration,
            invitation: code.map(|code| Box::new(hash(code))),
        };
        match self.run(action).answer? {
            Answer::SignedIn(account) => Ok(account),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn whoever_has_an_account_signs_in_however_registration_stands() {
    let mut world = World::new();
    let ada = world.come(1, Registration::Open, None).unwrap();
    for registration in Registration::ALL {
        for code in [None, Some(9)] {
            assert_eq!(world.come(1, registration, code), Ok(ada));
        }
    }
    for registration in [Registration::Invite, Registration::Closed] {
        let refused = world.come(2, registration, None);
        assert_eq!(refused, Err(Refusal::NotAdmitted { registration }));
    }
}

#[test]
fn an_invitation_makes_an_account_and_joins_it_to_its_rooms_in_one_decision() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let (ops, dev) = (world.join(ada, "ops").unwrap(), world.join(ada, "dev").unwrap());
    let id = world.create(ada, new(5, 1, &[ops, dev, ops])).unwrap();
    let bob = world.come(2, Registration::Invite, Some(5)).unwrap();
    assert!([ops, dev].iter().all(|room| world.state.rooms[room].members.contains(bob)));
    assert_eq!(world.state.accounts[&bob].head, Seq(3));
    assert_eq!(world.state.head_of(LogId::SERVER), Seq(2), "made {id} and used");
    assert!(world.state.heads().any(|head| head == (LogId::SERVER, Seq(2))));
}

#[test]
fn an_invitation_leads_only_where_the_inviter_still_is() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let (ops, dev) = (world.join(ada, "ops").unwrap(), world.join(ada, "dev").unwrap());
    world.create(ada, new(5, 1, &[ops, dev])).unwrap();
    world.run(Action::Leave { account: ada, room: ops });
    let bob = world.come(2, Registration::Invite, Some(5)).unwrap();
    assert!(!world.state.has_room(ops), "it went with ada");
    assert!(world.state.rooms[&dev].members.contains(bob));
    // Nobody lets others into a room in which they are not.
    let elsewhere = world.join(bob, "elsewhere").unwrap();
    assert!(world.create(ada, new(6, 1, &[elsewhere])).is_err());
    assert!(world.create(OPERATOR, new(6, 1, &[elsewhere])).is_ok(), "the operator does");
}

#[test]
fn used_expired_revoked_and_guessed_are_answered_alike() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    world.create(ada, new(5, 1, &[])).unwrap();
    world.come(2, Registration::Invite, Some(5)).unwrap();
    let revoked = world.create(ada, new(6, 1, &[])).unwrap();
    world.revoke(ada, revoked).unwrap();
    world.create(ada, NewInvitation { seconds: 1, ..new(7, 1, &[]) }).unwrap();
    world.now += 1_000;
    for (code, what) in [(5, "used"), (6, "revoked"), (7, "expired"), (8, "guessed")] {
        let refused = world.come(9, Registration::Invite, Some(code));
        assert_eq!(refused, Err(Refusal::BadInvitation), "{what}");
    }
    // Where none is needed, a bad one keeps nobody out.
    assert!(world.come(9, Registration::Open, Some(8)).is_ok());
}

#[test]
fn an_invitation_is_good_as_often_as_it_says() {
    let mut world = World::new();
    world.create(OPERATOR, new(5, 3, &[])).unwrap();
    let came = (10..20).filter(|key| world.come(*key, Registration::Invite, Some(5)).is_ok());
    assert_eq!(came.count(), 3);
    assert_eq!(world.state.invitations.rows().count(), 0, "with its last use it ends");
}

#[test]
fn only_so_many_are_open_and_those_that_expired_make_room() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    let most = u8::try_from(INVITATIONS_PER_ACCOUNT_MAX).unwrap();
    for code in 0..most {
        world.create(ada, new(code, 1, &[])).unwrap();
    }
    assert_eq!(world.create(ada, new(200, 1, &[])), Err(Refusal::TooManyInvitations));
    let bob = world.sign_in(2, "bob", true).unwrap();
    world.create(bob, new(201, 1, &[])).unwrap();
    world.now += 60_000;
    world.create(ada, new(202, 1, &[])).unwrap();
    assert_eq!(world.state.invitations.rows().count(), 1, "all others have gone");
}

#[test]
fn nobody_ends_or_sees_the_invitation_of_somebody_else() {
    let mut world = World::new();
    let (ada, bob) = (world.sign_in(1, "ada", true), world.sign_in(2, "bob", true));
    let (ada, bob) = (ada.unwrap(), bob.unwrap());
    let id = world.create(ada, new(5, 1, &[])).unwrap();
    assert_eq!(world.revoke(bob, id), Err(Refusal::UnknownInvitation));
    assert_eq!(world.revoke(bob, InvitationId(7)), Err(Refusal::UnknownInvitation));
    let seen = |state: &State, account| {
        state.access(account).invitations_after(InvitationId(0)).map(InvitationRow::id).collect()
    };
    let (of_ada, of_bob): (Vec<_>, Vec<_>) = (seen(&world.state, ada), seen(&world.state, bob));
    assert_eq!((&of_ada[..], &of_bob[..]), (&[id][..], &[][..]));
    let of_all: Vec<_> = seen(&world.state, OPERATOR);
    assert_eq!(of_all, [id], "whoever runs the daemon sees all");
    assert!(world.state.access(ada).can_read(LogId::SERVER).is_err());
    world.revoke(OPERATOR, id).unwrap();
    assert_eq!(world.revoke(ada, id), Err(Refusal::UnknownInvitation), "it is not open any more");
}

#[test]
fn an_invitation_for_too_much_or_for_nothing_is_not_made() {
    let mut world = World::new();
    let terms = [
        NewInvitation { uses: 0, ..new(5, 1, &[]) },
        NewInvitation { uses: INVITATION_USES_MAX + 1, ..new(5, 1, &[]) },
        NewInvitation { seconds: 0, ..new(5, 1, &[]) },
        NewInvitation { seconds: u32::MAX, ..new(5, 1, &[]) },
        NewInvitation { name: "x".repeat(129), ..new(5, 1, &[]) },
    ];
    for new in terms {
        assert_eq!(world.create(OPERATOR, new), Err(Refusal::BadTerms));
    }
    world.create(OPERATOR, new(5, INVITATION_USES_MAX, &[])).unwrap();
    assert_eq!(world.create(OPERATOR, new(5, 1, &[])), Err(Refusal::Busy), "the code is another's");
}

#[test]
fn a_restored_state_knows_its_invitations() {
    let mut world = World::new();
    let ada = world.sign_in(1, "ada", true).unwrap();
    world.create(ada, new(5, 2, &[])).unwrap();
    world.come(2, Registration::Invite, Some(5)).unwrap();
    let snapshot = world.state.snapshot();
    let left: Vec<_> = snapshot.invitations.iter().map(|row| row.uses_left).collect();
    assert_eq!((left, snapshot.server_head), (vec![1], Seq(2)));
    world.state = State::restore(Snapshot { secret: blank().secret, ..snapshot }).unwrap();
    world.come(3, Registration::Invite, Some(5)).unwrap();
    assert_eq!(world.come(4, Registration::Invite, Some(5)), Err(Refusal::BadInvitation));
}
