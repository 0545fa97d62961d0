//! Three states: one decides, one is restored from what is stored, again and again, and one is told of
//! the events alone. Nobody may be able to tell them apart.

use chat_proto::{InvitationCode, Nickname, Nonce, Role, RoomName, StreamId, TextBody};

use super::test_memory::Memory;
use super::tests::{blank, key_numbered};
use super::*;
use crate::{
    AccountChange, AccountOrder, BoundStream, Moderation, NewInvitation, OPERATOR, PastSend, Place,
    PostBody, Registration, RoomChange, SanctionKind, Submission, SubmitterId,
};

/// A small generator of numbers (xorshift64): the same seed makes the same run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What a store would say of a state, with the latest time as that of an *event*, and how far in the
/// order it was with the last of its commits: a command that led to nothing has left nothing.
fn stored(state: &State, memory: &Memory, progress: &OrderProgress) -> Snapshot {
    let (progress, last_ts) = (progress.clone(), memory.latest_ts());
    Snapshot { progress, last_ts, ..state.snapshot() }
}

/// Some commands are refused, some change nothing, and some are late: their clock was set back.
#[expect(clippy::too_many_lines, reason = "a few for each action")]
fn command(chance: &mut Chance, now: &mut u64, state: &State) -> Command {
    *now = match chance.below(10) {
        0 => now.saturating_sub(chance.below(5_000)),
        1 => *now + chance.below(5_000),
        _ => *now + chance.below(20),
    };
    let ts = Timestamp(*now);
    let number = chance.below(4) + 1;
    // One more than there are: some are of nobody.
    let mut nth = |ids: &mut Vec<u64>| {
        ids.sort_unstable();
        let at = usize::try_from(chance.below(ids.len() as u64 + 1)).unwrap();
        ids.get(at).copied().unwrap_or(7)
    };
    let account = AccountId(nth(&mut state.accounts.keys().map(|id| id.0).collect()));
    let room = RoomId(nth(&mut state.rooms.keys().map(|id| id.0).collect()));
    let member = AccountId(nth(&mut state.accounts.keys().map(|id| id.0).collect()));
    let name = ["ada", "bob", "eve", "ops", "dev"][usize::try_from(chance.below(5)).unwrap()];
    let code = InvitationCode([u8::try_from(number).unwrap(); 16]).hash();
    let action = match chance.below(25) {
        0 => {
            let credential = key_numbered(u8::try_from(chance.below(6)).unwrap());
            Action::SignIn {
                credential,
                name: Nickname::parse(name).map(|name| Box::new(name.into())),
                name_is_firm: false,
                registration: Registration::ALL[usize::try_from(chance.below(2)).unwrap()],
                invitation: (chance.below(2) > 0).then(|| Box::new(code)),
            }
        }
        1 | 2 => Action::Join { account, name: RoomName::parse(name).unwrap().into() },
        3 => Action::Leave { account, room },
        4 => Action::Rename {
            account,
            name: Nickname::parse(name).unwrap().into(),
            is_reserved: false,
        },
        5 | 6 => {
            let role = Role::ALL[usize::try_from(chance.below(3)).unwrap()];
            let is_set = chance.below(3) > 0;
            let change = match chance.below(6) {
                0 | 1 => RoomChange::Role { account: member, role },
                2 => RoomChange::Access { is_private: is_set },
                3 => RoomChange::Invitation { account: member, is_set },
                4 => RoomChange::Topic { topic: format!("of {number}") },
                _ => RoomChange::ReadOnly { is_read_only: is_set },
            };
            Action::ChangeRoom { account, room, change }
        }
        20 => match chance.below(2) {
            0 => Action::OpenDirect { account, with: member },
            _ => Action::CreateRoom {
                account,
                name: RoomName::parse(name).unwrap().into(),
                is_private: chance.below(2) == 0,
            },
        },
        18 | 19 => Action::CreateInvitation {
            account,
            invitation: Box::new(NewInvitation {
                hash: code,
                uses: u32::try_from(number).unwrap() - 1,
                seconds: u32::try_from(chance.below(4)).unwrap(),
                rooms: vec![room],
                name: name.to_owned(),
            }),
        },
        21 => Action::RevokeInvitation { account, invitation: code.id() },
        7..=9 => {
            let asked = moderation(chance, member, ts, state.head_of(room.into()));
            Action::Moderate { account, room, asked }
        }
        22 | 23 => Action::Govern(Box::new(account_order(chance, name))),
        _ => {
            let nonce = Nonce { stream: StreamId([7; 16]), n: chance.below(30) + 1 };
            let credential = key_numbered(u8::try_from(number).unwrap());
            // Those before it may have been refused, or its node is wrong: all take it alike.
            let body = PostBody::Text(TextBody::say(format!("say {number}")));
            let body = body.after_refused(chance.below(4).saturating_sub(1).min(nonce.n - 1));
            Action::Post { account, credential: credential.id(), nonce, room, body }
        }
    };
    Command { ts, action }
}

/// Some of it ends by itself, soon.
fn moderation(chance: &mut Chance, account: AccountId, now: Timestamp, head: Seq) -> Moderation {
    let kind = SanctionKind::ALL[usize::try_from(chance.below(2)).unwrap()];
    let reason = ["", "spam"][usize::try_from(chance.below(2)).unwrap()].to_owned();
    match chance.below(6) {
        0 => Moderation::Kick { account, reason },
        1 | 2 => {
            let until = [0, now.0 + chance.below(2_000)][usize::try_from(chance.below(2)).unwrap()];
            Moderation::Sanction { kind, account, until: Timestamp(until), reason }
        }
        3 => Moderation::Lift { kind, account },
        4 if chance.below(2) == 0 => Moderation::RemoveMessages { account, seconds: 1 },
        4 => Moderation::Slow { seconds: u32::try_from(chance.below(3)).unwrap() },
        _ => Moderation::Report { seq: Seq(chance.below(head.0 + 2)), reason },
    }
}

/// Something that the operator has done to an account.
fn account_order(chance: &mut Chance, name: &str) -> AccountOrder {
    let number = u8::try_from(chance.below(5)).unwrap();
    let named = |name| Nickname::parse(name).unwrap().into();
    let change = match number {
        0 => AccountChange::Disable { reason: format!("for {}", chance.below(3)) },
        1 | 2 => AccountChange::Enable,
        3 => AccountChange::SetAdministrator { is_set: chance.below(2) == 0 },
        _ if chance.below(3) == 0 => {
            let key = 100 + u8::try_from(chance.below(4)).unwrap();
            let (credential, fingerprint) = (key_numbered(key), "SHA256:abc".to_owned());
            AccountChange::ReplaceKey { credential, fingerprint }
        }
        _ if chance.below(2) == 0 => AccountChange::Rename { to: named("max"), is_reserved: false },
        _ => {
            let key = 100 + u8::try_from(chance.below(4)).unwrap();
            let (credential, fingerprint) = (key_numbered(key), "SHA256:abc".to_owned());
            AccountChange::Create { credential, fingerprint, is_reserved: false }
        }
    };
    AccountOrder { by: OPERATOR, name: named(name), change }
}

/// A store that cannot be read now.
struct Unreadable;

impl Unreadable {
    fn error<T>() -> Result<T, StoreError> {
        Err(StoreError::new("read it", "it was told to fail"))
    }
}

impl Lookup for Unreadable {
    fn stream(&self, _by: AccountId, _of: StreamId) -> Result<Option<BoundStream>, StoreError> {
        Self::error()
    }

    fn past_send(&self, _by: AccountId, _nonce: Nonce) -> Result<Option<PastSend>, StoreError> {
        Self::error()
    }

    fn newest_ts(&self, _log: LogId) -> Result<Timestamp, StoreError> {
        Self::error()
    }
}

fn genesis() -> Command {
    let (secret, lobby) = (StoreSecret([0x5E; 16]), RoomName::parse("lobby").unwrap());
    let action = Action::Genesis { epoch: Epoch(7), secret, lobby: lobby.into() };
    Command { ts: Timestamp(9_000), action }
}

fn sender_of(command: &Command) -> AccountId {
    match &command.action {
        Action::Post { account, .. } => *account,
        Action::Genesis { .. }
        | Action::SignIn { .. }
        | Action::Join { .. }
        | Action::Leave { .. }
        | Action::CreateBot(_)
        | Action::RevokeToken { .. }
        | Action::LinkDevice(_)
        | Action::OpenLink { .. }
        | Action::RevokeCredential { .. }
        | Action::Authenticated { .. }
        | Action::ChangeRoom { .. }
        | Action::Moderate { .. }
        | Action::Govern(_)
        | Action::CreateRoom { .. }
        | Action::OpenDirect { .. }
        | Action::Rename { .. }
        | Action::CreateInvitation { .. }
        | Action::RevokeInvitation { .. } => AccountId(0),
    }
}

#[test]
fn whoever_is_told_of_the_events_has_the_state_of_whoever_decides() {
    for seed in 1..=100 {
        let (mut chance, mut now) = (Chance(seed), 10_000);
        let mut memory = Memory::default();
        let mut decides = State::restore(Snapshot::default()).unwrap();
        let mut follows = decides.clone();
        for step in 0..300 {
            let command = match step {
                0 => genesis(),
                _ => command(&mut chance, &mut now, &decides),
            };
            let before = decides.clone();
            let decision = decides.decide(command.clone(), &memory).unwrap();
            assert_eq!(decides, before, "seed {seed}, step {step}: deciding changes nothing");
            let applied = decides.apply(command.clone(), &memory).unwrap();
            assert_eq!(decision, applied, "seed {seed}, step {step}: {command:?}");
            applied.genesis.into_iter().for_each(|genesis| follows.begin(genesis));
            applied.events.iter().for_each(|event| follows.evolve(event));
            follows.advance_by(&applied);
            assert_eq!(follows, decides, "seed {seed}, step {step}: {command:?}");
            memory.keep(sender_of(&command), &applied);
        }
    }
}

#[test]
fn a_command_whose_lookup_fails_leaves_the_state_as_it_was() {
    let (mut failed_posts, mut failed_others) = (0, 0);
    for seed in 1..=20 {
        let (mut chance, mut now) = (Chance(seed), 10_000);
        let mut memory = Memory::default();
        let mut state = State::restore(blank()).unwrap();
        for step in 0..300 {
            let command = command(&mut chance, &mut now, &state);
            let mut trial = state.clone();
            if trial.apply(command.clone(), &Unreadable).is_err() {
                assert_eq!(trial, state, "seed {seed}, step {step}: {command:?}");
                match sender_of(&command) {
                    AccountId(0) => failed_others += 1,
                    _sender => failed_posts += 1,
                }
            }
            let applied = state.apply(command.clone(), &memory).unwrap();
            memory.keep(sender_of(&command), &applied);
        }
    }
    // Others ask for a log's newest time alone, while the clock is behind it.
    assert!(failed_posts > 1_000 && failed_others > 50, "{failed_posts}, {failed_others}");
}

/// Two replicas of one order; what the one that restarts has to read again, because it came behind the
/// last commit.
struct Replicas {
    memory: Memory,
    stayed: State,
    restarted: State,
    committed: OrderProgress,
    behind: Vec<(Command, Submission)>,
}

impl Replicas {
    fn new() -> Self {
        let state = || State::restore(blank()).unwrap();
        let (memory, committed) = (Memory::default(), OrderProgress::default());
        Self { memory, stayed: state(), restarted: state(), committed, behind: Vec::new() }
    }

    fn restart(&mut self) {
        let snapshot = stored(&self.stayed, &self.memory, &self.committed);
        self.restarted = State::restore(snapshot).unwrap();
        for (command, submission) in &self.behind {
            assert!(!self.restarted.progress().contains(*submission));
            let applied = self.restarted.apply(command.clone(), &self.memory).unwrap();
            assert!(applied.events.is_empty());
            self.restarted.complete(*submission);
        }
        assert_eq!(self.restarted.progress(), self.stayed.progress());
    }

    fn carry_out(&mut self, command: Command, submission: Submission) -> Result<(), String> {
        let sender = sender_of(&command);
        let applied = self.stayed.apply(command.clone(), &self.memory).unwrap();
        let again = self.restarted.apply(command.clone(), &self.memory).unwrap();
        self.stayed.complete(submission);
        self.restarted.complete(submission);
        self.memory.keep(sender, &applied);
        if applied.events.is_empty() {
            self.behind.push((command, submission));
        } else {
            self.committed = self.stayed.progress().clone();
            self.behind.clear();
        }
        let progress = [self.stayed.progress(), self.restarted.progress()];
        match applied == again && progress[0] == progress[1] {
            true => Ok(()),
            false => Err(format!("{applied:?}, {:?}; {again:?}, {:?}", progress[0], progress[1])),
        }
    }
}

#[test]
fn a_restarted_replica_stamps_as_the_others_do_and_is_where_they_are() {
    for seed in 1..=200 {
        let (mut chance, mut now, mut replicas) = (Chance(seed), 10_000, Replicas::new());
        let mut submitted = [0, 0];
        for step in 0..300 {
            if chance.below(4) == 0 {
                replicas.restart();
            }
            let submitter = chance.below(2);
            let count = &mut submitted[usize::try_from(submitter).unwrap()];
            *count += 1;
            let submission = Submission { submitter: SubmitterId(submitter), n: *count };
            let command = command(&mut chance, &mut now, &replicas.stayed);
            let outcome = replicas.carry_out(command, submission);
            outcome.unwrap_or_else(|parted| panic!("seed {seed}, step {step}: {parted}"));
        }
        assert_eq!(replicas.stayed.progress().place, Place(300));
    }
}

#[test]
fn a_replica_that_decides_otherwise_has_another_digest_from_there_on() {
    let sign_in = |ts, name: &str| Command {
        ts: Timestamp(ts),
        action: Action::SignIn {
            credential: key_numbered(u8::try_from(ts).unwrap()),
            name: Nickname::parse(name).map(|name| Box::new(name.into())),
            name_is_firm: true,
            registration: Registration::Open,
            invitation: None,
        },
    };
    let digest = |commands: &[Command]| {
        let mut state = State::restore(blank()).unwrap();
        for command in commands {
            state.apply(command.clone(), &Memory::default()).unwrap();
        }
        (state.progress().place, state.progress().digest)
    };
    let both = [sign_in(1, "ada"), sign_in(2, "bob")];
    assert_eq!(digest(&both), digest(&both));
    let (place, expected) = digest(&both);
    for others in [
        [sign_in(1, "eve"), sign_in(2, "bob")],
        [sign_in(2, "bob"), sign_in(1, "ada")],
        [sign_in(1, "ada"), sign_in(3, "bob")],
        [sign_in(1, "ada"), sign_in(2, "ADA")],
    ] {
        let (there, found) = digest(&others);
        assert_eq!(there, place);
        assert_ne!(found, expected, "{others:?}");
    }
}

#[test]
fn a_refused_command_of_a_clock_that_was_ahead_leaves_nothing_behind() {
    let mut memory = Memory::default();
    let mut stayed = State::restore(blank()).unwrap();
    let mut run = |state: &mut State, ts: u64, action: Action| {
        let applied = state.apply(Command { ts: Timestamp(ts), action }, &memory).unwrap();
        memory.keep(AccountId(0), &applied);
        applied
    };
    let sign_in = |key: u8, name: &str| Action::SignIn {
        credential: key_numbered(key),
        name: Nickname::parse(name).map(|name| Box::new(name.into())),
        name_is_firm: true,
        registration: Registration::Open,
        invitation: None,
    };
    run(&mut stayed, 50, sign_in(1, "ada"));
    let ahead = run(&mut stayed, 100, sign_in(2, "ADA"));
    assert!(ahead.answer.is_err() && ahead.events.is_empty());
    let stamps = run(&mut stayed, 60, sign_in(3, "bob")).events;
    assert_eq!(stamps[0].ts, Timestamp(60), "as a replica that has forgotten the refused one");
}
