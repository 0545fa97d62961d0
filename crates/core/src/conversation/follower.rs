//! Whose right to read a log has ended, as far as those who follow it know.
//!
//! A tail is read while others append to it. So nobody reads what comes behind a revocation before he
//! knows whose it was: see docs/adr/0023-what-is-gone-keeps-its-place.md.

use std::cell::Cell;

/// Which of the revocations on a log, from 1; 0: there was none. A tail that nobody follows is let go, and
/// they are counted anew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct RevocationNumber(u64);

impl RevocationNumber {
    pub(crate) fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// One who follows a log, as far as its tail is concerned.
#[derive(Clone, Debug)]
pub struct Follower {
    /// The last revocation that was carried out here.
    carried_out: Cell<RevocationNumber>,
}

impl Follower {
    /// One more follows a log, whom no revocation up to the `last` one concerns.
    #[must_use]
    pub fn behind(last: RevocationNumber) -> Self {
        Self { carried_out: Cell::new(last) }
    }

    /// Whether the tail may be read: the `last` revocation on the log, if it was this one's, has been
    /// carried out.
    #[must_use]
    pub fn may_read(&self, last: RevocationNumber) -> bool {
        debug_assert!(self.carried_out.get() <= last, "it is counted before it is carried out");
        self.carried_out.get() == last
    }

    /// A revocation on the log was carried out, and was not this one's: it reads on.
    pub fn carry_on(&self, revocation: RevocationNumber) {
        // One that opened meanwhile is further.
        self.carried_out.set(self.carried_out.get().max(revocation));
    }
}
