//! Three states: one decides, one is restored from what is stored, again and again, and one is told of
//! the events alone. Nobody may be able to tell them apart.

use chat_proto::{Nickname, Nonce, StreamId, TextBody};

use super::test_memory::Memory;
use super::tests::{blank, key_numbered};
use super::*;
use crate::{BoundStream, PastSend, PostBody};

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

/// What a store would say of a state, with the latest time as that of an *event*: a command that led
/// to none has left nothing.
fn stored(state: &State, memory: &Memory) -> Snapshot {
    Snapshot { last_ts: memory.latest_ts(), ..state.snapshot() }
}

/// Some commands are refused, some change nothing, and some are late: their clock was set back.
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
    let name = ["ada", "bob", "eve", "ops", "dev"][usize::try_from(chance.below(5)).unwrap()];
    let action = match chance.below(12) {
        0 => {
            let credential = key_numbered(u8::try_from(number).unwrap());
            Action::SignIn { credential, name: Nickname::parse(name), name_is_firm: false }
        }
        1 | 2 => Action::Join { account, name: RoomName::parse(name).unwrap() },
        3 => Action::Leave { account, room },
        4 => Action::Rename { account, name: Nickname::parse(name).unwrap() },
        _ => {
            let nonce = Nonce { stream: StreamId([7; 16]), n: chance.below(30) + 1 };
            let credential = key_numbered(u8::try_from(number).unwrap());
            let body = PostBody::Text(TextBody::say(format!("say {number}")));
            Action::Post { account, credential: credential.id(), nonce, room, body }
        }
    };
    Command { ts, action }
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
    let action = Action::Genesis { epoch: Epoch(7), secret, lobby };
    Command { ts: Timestamp(9_000), action }
}

fn sender_of(command: &Command) -> AccountId {
    match &command.action {
        Action::Post { account, .. } => *account,
        Action::Genesis { .. }
        | Action::SignIn { .. }
        | Action::Join { .. }
        | Action::Leave { .. }
        | Action::Rename { .. } => AccountId(0),
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

#[test]
fn a_restarted_replica_stamps_as_the_others_do() {
    for seed in 1..=200 {
        let (mut chance, mut now) = (Chance(seed), 10_000);
        let mut memory = Memory::default();
        let mut stayed = State::restore(blank()).unwrap();
        let mut restarted = State::restore(blank()).unwrap();
        for step in 0..300 {
            if chance.below(4) == 0 {
                restarted = State::restore(stored(&stayed, &memory)).unwrap();
            }
            let command = command(&mut chance, &mut now, &stayed);
            let applied = stayed.apply(command.clone(), &memory).unwrap();
            let again = restarted.apply(command.clone(), &memory).unwrap();
            assert_eq!(applied, again, "seed {seed}, step {step}: {command:?}");
            memory.keep(sender_of(&command), &applied);
        }
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
        name: Nickname::parse(name),
        name_is_firm: true,
    };
    run(&mut stayed, 50, sign_in(1, "ada"));
    let ahead = run(&mut stayed, 100, sign_in(2, "ADA"));
    assert!(ahead.answer.is_err() && ahead.events.is_empty());
    let stamps = run(&mut stayed, 60, sign_in(3, "bob")).events;
    assert_eq!(stamps[0].ts, Timestamp(60), "as a replica that has forgotten the refused one");
}
