//! Sends that were refused for good, of which nothing is stored: which `n` of a stream is the next, and
//! which must not be posted though a copy of one comes.
//!
//! A copy may come as long as a connection lives that may have brought it: until an account has none any
//! more, and whoever was about to sign in has done so. A process that dies takes its connections with it,
//! and need not have kept anything. It must not know why a send was refused.
//!
//! Bounded: by account, and in all.

use std::collections::BTreeMap;

use chat_proto::{AccountId, Nonce, RoomId, StreamId};
use rustc_hash::FxHashMap;

/// Streams of an account that end in a refusal. More are not refused for good: they are told to wait.
const STREAMS_PER_ACCOUNT_MAX: usize = 1_024;

/// Those of all accounts; beyond that, an account has a few all the same.
const STREAMS_MAX: usize = 65_536;

/// Of these an account is sure, whatever others have.
const STREAMS_SURE: usize = 16;

/// How long they are kept of an account without a connection, in ticks. Whoever has not signed in ten
/// seconds after coming is sent away; behind its sign-in it may have sent a copy already.
const KEPT_TICKS: u8 = 30;

/// The streams that end in a refusal.
#[derive(Debug)]
pub(super) struct RefusedSends {
    of: FxHashMap<AccountId, OfAccount>,
    /// Streams of all accounts.
    streams: usize,
    streams_max: usize,
}

#[derive(Default, Debug)]
struct OfAccount {
    /// Whoever sends chooses the ids: they are not hashed.
    streams: BTreeMap<StreamId, RefusedEnd>,
    /// `None` while it is connected.
    ticks_left: Option<u8>,
}

/// The end of a stream: every send behind what was posted of it, up to this one, was refused for good.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct RefusedEnd {
    /// Where they were to go, and all others of the stream.
    pub(super) room: RoomId,
    /// The last.
    pub(super) last_n: u64,
    /// The last whose sender was told so; 0: none was. The others wait for a commit, and count with it.
    told_n: u64,
}

impl Default for RefusedSends {
    fn default() -> Self {
        Self { of: FxHashMap::default(), streams: 0, streams_max: STREAMS_MAX }
    }
}

impl RefusedSends {
    /// Whether there is none: nobody has to look for anything.
    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// How a stream ends, if it is in refusals. What was posted since is not looked at.
    pub(super) fn end_of(&self, account: AccountId, stream: StreamId) -> Option<RefusedEnd> {
        self.of.get(&account)?.streams.get(&stream).copied()
    }

    /// A send at its turn is refused for good. Tells whether there is room to remember it.
    #[must_use]
    pub(super) fn refuse(&mut self, account: AccountId, nonce: Nonce, room: RoomId) -> bool {
        let held = self.of.get(&account).map_or(0, |of| of.streams.len());
        let are_all_taken = self.streams >= self.streams_max && held >= STREAMS_SURE;
        let is_full = held >= STREAMS_PER_ACCOUNT_MAX || are_all_taken;
        if is_full && self.end_of(account, nonce.stream).is_none() {
            return false;
        }
        let streams = &mut self.of.entry(account).or_default().streams;
        let end = streams.entry(nonce.stream).or_insert_with(|| {
            self.streams += 1;
            RefusedEnd { room, last_n: 0, told_n: 0 }
        });
        debug_assert!(end.last_n < nonce.n, "a send is refused once");
        (end.room, end.last_n) = (room, nonce.n);
        true
    }

    /// Its sender is told.
    pub(super) fn tell(&mut self, account: AccountId, nonce: Nonce) {
        let of = self.of.get_mut(&account);
        if let Some(end) = of.and_then(|of| of.streams.get_mut(&nonce.stream))
            && nonce.n <= end.last_n
        {
            end.told_n = end.told_n.max(nonce.n);
        }
    }

    /// A send of the stream is durable: those before it are past.
    pub(super) fn posted(&mut self, account: AccountId, nonce: Nonce) {
        let Some(of) = self.of.get_mut(&account) else { return };
        if of.streams.get(&nonce.stream).is_some_and(|end| end.last_n < nonce.n) {
            of.streams.remove(&nonce.stream);
            self.streams -= 1;
        }
        if of.streams.is_empty() {
            self.of.remove(&account);
        }
    }

    /// Nobody was told of the others, and nobody will be: what they were judged by is not so.
    pub(super) fn forget_untold(&mut self) {
        self.of.retain(|_account, of| {
            of.streams.retain(|_stream, end| {
                end.last_n = end.told_n;
                end.told_n > 0
            });
            !of.streams.is_empty()
        });
        self.streams = self.of.values().map(|of| of.streams.len()).sum();
    }

    /// A second has passed. Tells of each account whether it has a connection.
    pub(super) fn tick(&mut self, is_online: impl Fn(AccountId) -> bool) {
        self.of.retain(|account, of| {
            let left = of.ticks_left.unwrap_or(KEPT_TICKS).saturating_sub(1);
            of.ticks_left = (!is_online(*account)).then_some(left);
            of.ticks_left != Some(0)
        });
        self.streams = self.of.values().map(|of| of.streams.len()).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: AccountId = AccountId(2);
    const ROOM: RoomId = RoomId(9);

    fn nonce(stream: u64, n: u64) -> Nonce {
        Nonce { stream: StreamId(u128::from(stream).to_le_bytes()), n }
    }

    fn last_n(refused: &RefusedSends, account: AccountId) -> Option<u64> {
        refused.end_of(account, nonce(1, 1).stream).map(|end| end.last_n)
    }

    fn told(sends: &[u64]) -> RefusedSends {
        let mut refused = RefusedSends::default();
        for n in sends {
            assert!(refused.refuse(ADA, nonce(1, *n), ROOM));
            refused.tell(ADA, nonce(1, *n));
        }
        refused
    }

    #[test]
    fn what_nobody_was_told_is_forgotten_with_the_commit_that_failed() {
        let mut refused = told(&[1, 2]);
        assert!(refused.refuse(ADA, nonce(1, 3), ROOM) && refused.refuse(ADA, nonce(2, 1), ROOM));
        refused.tell(ADA, nonce(1, 4));
        refused.forget_untold();
        assert_eq!(last_n(&refused, ADA), Some(2));
        assert_eq!((refused.end_of(ADA, nonce(2, 1).stream), refused.streams), (None, 1));
    }

    #[test]
    fn what_was_posted_behind_them_takes_their_place() {
        let mut refused = told(&[1, 2]);
        refused.posted(ADA, nonce(1, 1));
        assert_eq!(last_n(&refused, ADA), Some(2), "an old one, once more");
        refused.posted(ADA, nonce(1, 3));
        assert!(refused.is_empty() && refused.streams == 0);
    }

    #[test]
    fn they_are_kept_until_nobody_can_have_a_copy_any_more() {
        let mut refused = told(&[1]);
        let tick = |refused: &mut RefusedSends, seconds, is_online: bool| {
            (0..seconds).for_each(|_second| refused.tick(|account| is_online && account == ADA));
        };
        tick(&mut refused, 100, true);
        tick(&mut refused, KEPT_TICKS - 1, false);
        assert_eq!(last_n(&refused, ADA), Some(1), "somebody may be about to sign in");
        tick(&mut refused, 100, true);
        tick(&mut refused, KEPT_TICKS - 1, false);
        assert_eq!(last_n(&refused, ADA), Some(1));
        tick(&mut refused, 1, false);
        assert!(refused.is_empty() && refused.streams == 0);
    }

    #[test]
    fn an_account_has_so_many_streams_and_all_have_so_many() {
        let mut refused = RefusedSends { streams_max: 1_100, ..RefusedSends::default() };
        let mut refuse = |account, streams: u64| {
            let first = 1..=streams;
            first.filter(|stream| refused.refuse(account, nonce(*stream, 1), ROOM)).count()
        };
        assert_eq!(refuse(ADA, 2_000), STREAMS_PER_ACCOUNT_MAX);
        assert_eq!(refuse(AccountId(3), 2_000), 1_100 - STREAMS_PER_ACCOUNT_MAX);
        assert!(refused.refuse(ADA, nonce(1, 2), ROOM), "a stream goes on");
        refused.posted(ADA, nonce(1, 3));
        assert!(refused.refuse(ADA, nonce(5_000, 1), ROOM), "there is room again");
        let sure = (1..100).filter(|n| refused.refuse(AccountId(4), nonce(*n, 1), ROOM)).count();
        assert_eq!(sure, STREAMS_SURE, "nobody can take the place of everybody");
    }
}
