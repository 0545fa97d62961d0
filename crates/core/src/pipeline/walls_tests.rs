//! Every request about a private room from everybody who stands in some relation to it, as one table:
//! whoever knows nothing of it is answered as if it were not there, byte for byte, and all others as the
//! table says.

use chat_proto::{ErrorCode, Role};

use super::*;
use crate::{AccountChange, AccountOrder, OPERATOR, RoomChange};

/// How somebody stands to the room.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Relation {
    /// Never had to do with it.
    Stranger,
    /// Was a member, and left.
    Removed,
    /// Was invited, and is no more.
    Uninvited,
    /// Looks after the server, and has nothing to do with the room.
    Administrator,
    Invited,
    Member,
    Moderator,
    Owner,
}

use Relation::{
    Administrator, Invited, Member as Plain, Moderator, Owner, Removed, Stranger, Uninvited,
};

/// Those who are not to learn of it.
const OUTSIDE: [Relation; 4] = [Stranger, Removed, Uninvited, Administrator];

/// Those who know of it.
const INSIDE: [Relation; 4] = [Invited, Plain, Moderator, Owner];

struct Walls {
    state: State,
    room: RoomId,
    accounts: Vec<(Relation, AccountId)>,
}

impl Walls {
    fn of(&self, relation: Relation) -> AccountId {
        self.accounts.iter().find(|(held, _)| *held == relation).unwrap().1
    }

    fn change(&mut self, by: Relation, change: RoomChange) {
        let (account, room) = (self.of(by), self.room);
        run(&mut self.state, Action::ChangeRoom { account, room, change }).answer.unwrap();
    }
}

/// A private room with somebody in every relation to it. It was public for a while.
fn walls() -> Walls {
    let blank =
        Snapshot { epoch: Epoch(1), secret: Some(StoreSecret::default()), ..Snapshot::default() };
    let mut state = State::restore(blank).unwrap();
    let everybody = [&OUTSIDE[..], &INSIDE[..]].concat();
    let sign = |state: &mut State, (at, relation): (usize, &Relation)| {
        (*relation, sign_in(state, u8::try_from(at).unwrap() + 1, &format!("{relation:?}")))
    };
    let accounts: Vec<_> = everybody.iter().enumerate().map(|it| sign(&mut state, it)).collect();
    let (room, name) = (RoomId(0), RoomName::parse(SECRET).unwrap());
    let mut walls = Walls { state, room, accounts };
    let create =
        Action::CreateRoom { account: walls.of(Owner), name: name.into(), is_private: true };
    let made = run(&mut walls.state, create);
    let Ok(Answer::Room(room)) = made.answer else { panic!("{made:?}") };
    walls.room = room;
    for relation in [Removed, Uninvited, Invited, Plain, Moderator] {
        let account = walls.of(relation);
        walls.change(Owner, RoomChange::Invitation { account, is_set: true });
    }
    for relation in [Removed, Plain, Moderator] {
        let account = walls.of(relation);
        assert_eq!(join(&mut walls.state, account, SECRET), room);
    }
    walls.change(Owner, RoomChange::Access { is_private: false });
    walls.change(Owner, RoomChange::Access { is_private: true });
    let account = walls.of(Moderator);
    walls.change(Owner, RoomChange::Role { account, role: Role::Moderator });
    let account = walls.of(Uninvited);
    walls.change(Moderator, RoomChange::Invitation { account, is_set: false });
    let leave = Action::Leave { account: walls.of(Removed), room };
    run(&mut walls.state, leave).answer.unwrap();
    let administrator = walls.of(Administrator);
    make_administrator(&mut walls.state, administrator);
    walls
}

fn make_administrator(state: &mut State, account: AccountId) {
    let name = Nickname::parse(state.access(account).account(account).unwrap().name.as_str());
    let (by, name) = (OPERATOR, name.unwrap().into());
    let change = AccountChange::SetAdministrator { is_set: true };
    run(state, Action::Govern(Box::new(AccountOrder { by, name, change }))).answer.unwrap();
}

/// What is told, as bytes.
fn bytes_of(outcome: Outcome) -> Vec<u8> {
    let mut bytes = Vec::new();
    match outcome {
        Outcome::Query(Ok(Answered::Reply(reply))) => reply.encode(RequestId(1), &mut bytes),
        Outcome::Query(Err(why)) => Reply::Refused(why).encode(RequestId(1), &mut bytes),
        Outcome::Command(_unchanged, Decision { answer: Err(why), events, .. }) => {
            assert!(events.is_empty(), "{events:?}");
            Reply::Refused(why).encode(RequestId(1), &mut bytes);
        }
        other @ (Outcome::Query(_) | Outcome::Command(..)) => {
            bytes.extend(format!("{other:?}").into_bytes());
        }
    }
    bytes
}

/// Everything that can be asked, about the room wherever it can be.
fn every_request(room: RoomId) -> impl Iterator<Item = (Kind, AnyRequest)> {
    Kind::ALL.iter().filter_map(move |kind| Some((*kind, asks_for(*kind, room)?)))
}

#[test]
fn whoever_is_outside_is_answered_as_if_the_room_were_not_there() {
    let walls = walls();
    let without = walls.state.clone().without_room(walls.room);
    let mut asked = 0;
    for relation in OUTSIDE {
        let account = walls.of(relation);
        for (kind, request) in every_request(walls.room) {
            let told = bytes_of(outcome(&walls.state, account, request.clone()));
            let expected = bytes_of(outcome(&without, account, request));
            assert_eq!(told, expected, "a {relation:?} asks with a {kind:?}");
            asked += 1;
        }
    }
    assert!(asked >= 4 * 31, "{asked}");
}

/// What those inside are told: `None`, it is done.
fn expected(kind: Kind) -> Option<[Option<ErrorCode>; 4]> {
    use ErrorCode::{NoSuchMember, NotMember, NotReadable, RoleTooLow, Unsupported};
    #[expect(clippy::wildcard_enum_match_arm, reason = "others are not about a room")]
    Some(match kind {
        Kind::Send => [Some(NotMember), None, None, None],
        Kind::Edit | Kind::Delete | Kind::React => {
            [Some(NotMember), Some(Unsupported), Some(Unsupported), Some(Unsupported)]
        }
        Kind::Leave | Kind::Unsubscribe | Kind::FindRoom | Kind::Rooms => [None; 4],
        // Of somebody who is not there.
        Kind::SetRole => [Some(NotMember), Some(RoleTooLow), Some(RoleTooLow), Some(NoSuchMember)],
        Kind::SetAccess => [Some(NotMember), Some(RoleTooLow), Some(RoleTooLow), None],
        Kind::Invite => [Some(NotMember), Some(RoleTooLow), Some(NoSuchMember), Some(NoSuchMember)],
        // What is not there ends with nothing said.
        Kind::Unban | Kind::Unmute => [Some(NotMember), Some(RoleTooLow), None, None],
        Kind::Kick | Kind::Ban | Kind::Mute | Kind::RemoveMessages => {
            [Some(NotMember), Some(RoleTooLow), Some(NoSuchMember), Some(NoSuchMember)]
        }
        Kind::Report => [Some(NotMember), None, None, None],
        Kind::SetSlow | Kind::Bans | Kind::SetTopic | Kind::SetReadOnly => {
            [Some(NotMember), Some(RoleTooLow), None, None]
        }
        Kind::Subscribe | Kind::History => [Some(NotReadable), None, None, None],
        Kind::Members => [Some(NotMember), None, None, None],
        _ => return None,
    })
}

fn code_of(outcome: Outcome) -> Option<ErrorCode> {
    match outcome {
        Outcome::Query(answered) => answered.err(),
        Outcome::Command(_unchanged, decision) => decision.answer.err(),
    }
    .map(|why| why.code())
}

#[test]
fn whoever_is_inside_may_do_what_the_table_says() {
    let walls = walls();
    let mut rows = 0;
    for (kind, request) in every_request(walls.room) {
        let Some(row) = expected(kind) else { continue };
        let told = INSIDE
            .map(|relation| code_of(outcome(&walls.state, walls.of(relation), request.clone())));
        assert_eq!(told, row, "{kind:?} by {INSIDE:?}");
        rows += 1;
    }
    assert_eq!(rows, 25, "every request about a room is in the table");
}

#[test]
fn a_name_that_is_taken_by_a_private_room_is_refused_as_any_other_is() {
    let walls = walls();
    let account = walls.of(Stranger);
    let named = |name: &str| RoomName::parse(name).unwrap().into();
    let told = |action: Action| run(&mut walls.state.clone(), action).answer.unwrap_err();
    let join = told(Action::Join { account, name: named(SECRET) });
    let create = told(Action::CreateRoom { account, name: named(SECRET), is_private: false });
    assert_eq!((join.code(), &join), (ErrorCode::NameTaken, &create));
    // Those who are invited, and members, join by it; nobody makes another.
    for relation in INSIDE {
        let account = walls.of(relation);
        let joined = Action::Join { account, name: named("SECRET") };
        assert_eq!(run(&mut walls.state.clone(), joined).answer, Ok(Answer::Room(walls.room)));
        let again = Action::CreateRoom { account, name: named(SECRET), is_private: true };
        assert_eq!(told(again), create);
    }
}

#[test]
fn whoever_is_invited_hears_the_name_in_its_own_log_and_knows_of_the_room() {
    let mut walls = walls();
    let (account, by, room) = (walls.of(Stranger), walls.of(Owner), walls.room);
    let change = RoomChange::Invitation { account, is_set: true };
    let invited = run(&mut walls.state, Action::ChangeRoom { account: by, room, change });
    let told: Vec<_> = invited.events.iter().map(|event| (event.log, &event.content)).collect();
    let name = RoomName::parse(SECRET).unwrap();
    let expected = [
        (room.into(), &crate::Content::InvitationSet { by, account, is_set: true }),
        (account.into(), &crate::Content::RoomInvited { room, by, name }),
    ];
    assert_eq!(told, expected);
    let presence = Presence::default();
    let asker = Asker::new(&walls.state, &presence, account, Timestamp(1_000));
    let Ok(Reply::Room(info)) = asker.room(room) else { panic!() };
    assert_eq!(
        (info.name.as_str(), info.joined, info.role, info.is_private),
        (SECRET, false, 0, true)
    );
    assert!(asker.rooms(&Rooms { after: RoomId(0) }).rooms.iter().any(|info| info.room == room));
}

/// The accounts of those that are asked for.
fn names_of(state: &State, asker: AccountId, ids: &[AccountId]) -> Vec<AccountId> {
    let presence = Presence::default();
    let asked = Accounts { ids: List::first_of(ids.iter().copied()) };
    let known = Asker::new(state, &presence, asker, Timestamp(1_000)).accounts(&asked);
    known.accounts.iter().map(|info| info.account).collect()
}

#[test]
fn names_are_told_to_those_who_read_of_them() {
    let mut state = walls().state;
    let [ada, bob, eve] =
        [(51, "ada"), (52, "bob"), (53, "eve")].map(|(key, name)| sign_in(&mut state, key, name));
    let knows = |state: &State, asker, id| !names_of(state, asker, &[id]).is_empty();
    assert!(knows(&state, ada, ada), "one's own");
    assert!(!knows(&state, ada, bob) && !knows(&state, ada, AccountId(7)));
    let create = |account, name: &str| {
        let name = RoomName::parse(name).unwrap().into();
        Action::CreateRoom { account, name, is_private: true }
    };
    let made = run(&mut state, create(bob, "den"));
    let Ok(Answer::Room(den)) = made.answer else { panic!("{made:?}") };
    let change = |account, change| Action::ChangeRoom { account, room: den, change };
    let invitation = |account, is_set| RoomChange::Invitation { account, is_set };
    run(&mut state, change(bob, invitation(ada, true))).answer.unwrap();
    assert!(knows(&state, ada, bob), "whoever is invited knows by whom");
    assert!(knows(&state, bob, ada), "the log tells of whoever is invited");
    assert!(!knows(&state, eve, ada) && !knows(&state, eve, bob));
    join(&mut state, ada, "den");
    run(&mut state, Action::Leave { account: bob, room: den }).answer.unwrap();
    assert!(knows(&state, ada, bob), "who has left is in the history");
    assert!(!knows(&state, bob, ada), "who has left reads it no more");
    // What becomes public is everybody's to read.
    run(&mut state, change(ada, RoomChange::Access { is_private: false })).answer.unwrap();
    assert!(knows(&state, eve, bob) && knows(&state, eve, ada));
    let found = |name: &str| {
        let presence = Presence::default();
        let asker = Asker::new(&state, &presence, eve, Timestamp(1_000));
        let found = asker.account_named(&Nickname::parse(name).unwrap().into());
        found.accounts.iter().map(|info| info.account).collect::<Vec<_>>()
    };
    assert_eq!((found("Ada"), found("\u{430}da"), found("nobody")), (vec![ada], vec![], vec![]));
}

#[test]
fn a_conversation_of_two_is_nobody_elses_whoever_rules_the_server() {
    let mut state = walls().state;
    let [ada, bob, eve] =
        [(51, "ada"), (52, "bob"), (53, "eve")].map(|(key, name)| sign_in(&mut state, key, name));
    make_administrator(&mut state, eve);
    let opened = run(&mut state, Action::OpenDirect { account: ada, with: bob });
    let Ok(Answer::Room(room)) = opened.answer else { panic!("{opened:?}") };
    let leave = |state: &mut State, account| run(state, Action::Leave { account, room });
    let check = |state: &State| {
        let without = state.clone().without_room(room);
        for (kind, request) in every_request(room) {
            let told = bytes_of(outcome(state, eve, request.clone()));
            assert_eq!(told, bytes_of(outcome(&without, eve, request)), "{kind:?}");
        }
    };
    check(&state);
    // Nobody comes to own it.
    let left = leave(&mut state, bob).events;
    assert!(left.iter().all(|event| event.log != room.into() || event.seq == Seq(4)), "{left:?}");
    check(&state);
    let told = |account, request| code_of(outcome(&state, account, request));
    let mut refused = 0;
    for (kind, request) in every_request(room) {
        let sets = [Kind::SetAccess, Kind::SetTopic, Kind::SetReadOnly, Kind::Invite];
        if sets.contains(&kind) {
            assert_eq!(told(ada, request), Some(ErrorCode::NotPossible), "{kind:?}");
            refused += 1;
        }
    }
    assert_eq!(refused, 4);
}

#[test]
fn an_administrator_rules_a_private_room_that_nobody_owns_and_reads_it_not() {
    let Walls { mut state, room, accounts } = walls();
    let [owner, moderator, administrator] = [Owner, Moderator, Administrator]
        .map(|relation| accounts.iter().find(|(held, _account)| *held == relation).unwrap().1);
    // As a store may have it whose owners were disabled.
    state.forget_roles(room);
    let mut told = 0;
    for (kind, request) in every_request(room) {
        #[expect(clippy::wildcard_enum_match_arm, reason = "others are not about reading")]
        let expected = match kind {
            Kind::Subscribe | Kind::History => ErrorCode::NotReadable,
            Kind::Members | Kind::Send | Kind::Report => ErrorCode::NotMember,
            _ => continue,
        };
        let code = code_of(outcome(&state, administrator, request));
        assert_eq!(code, Some(expected), "{kind:?}");
        told += 1;
    }
    assert_eq!(told, 5);
    let change = RoomChange::Role { account: moderator, role: Role::Owner };
    let by = |account| Action::ChangeRoom { account, room, change: change.clone() };
    run(&mut state.clone(), by(owner)).answer.unwrap_err();
    run(&mut state, by(administrator)).answer.unwrap();
    let stranger = AccountId(u64::MAX);
    assert_eq!(
        state.access(administrator).knows_of(room).unwrap_err(),
        state.access(stranger).knows_of(room).unwrap_err(),
        "it has an owner again"
    );
}

#[test]
fn whoever_is_invited_can_decline() {
    let mut walls = walls();
    let (account, room) = (walls.of(Invited), walls.room);
    let leave = Action::Leave { account, room };
    assert_eq!(walls.state.answer_without_change(&leave), None);
    let declined = run(&mut walls.state, leave);
    let told: Vec<_> = declined.events.iter().map(|event| (event.log, &event.content)).collect();
    let expected = [
        (room.into(), &crate::Content::InvitationSet { by: account, account, is_set: false }),
        (account.into(), &crate::Content::InvitationWithdrawn { room }),
    ];
    assert_eq!(told, expected);
    let without = walls.state.clone().without_room(room);
    for (kind, request) in every_request(room) {
        let told = bytes_of(outcome(&walls.state, account, request.clone()));
        assert_eq!(told, bytes_of(outcome(&without, account, request)), "{kind:?}");
    }
}

#[test]
fn whatever_a_state_was_told_it_is_the_same_after_a_start() {
    let state = walls().state;
    assert_eq!(State::restore(state.snapshot()).unwrap(), state);
}
