//! The order of commands, and how far a state has come in it.
//!
//! What is compared between machines and kept with each commit stands here: the place in the order, a
//! digest of everything that the commands up to there have led to, and whose submissions are in it. It
//! must not know what carries the order from machine to machine.

mod digest;

use std::fmt;

/// How many commands of the order there were up to here; 0: none.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Place(pub u64);

/// Whoever puts commands into the order: a machine, under an id of its own for as long as there is the
/// order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct SubmitterId(pub u64);

impl SubmitterId {
    /// The daemon of a machine that is alone.
    pub const ALONE: Self = Self(1);
}

/// Commands that were put into the order together, and come into one commit together. A submitter
/// counts its own from 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Submission {
    /// Who put it into the order.
    pub submitter: SubmitterId,
    /// Which of its submissions. That none before it is missing is for whoever reads the order to see:
    /// a machine that is alone leaves out those that it gave up.
    pub n: u64,
}

/// How far in the order a state has come. Two that are at the same place have the same digest, or one
/// of them has carried out something else.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct OrderProgress {
    /// The last command that was carried out.
    pub place: Place,
    /// Of everything that came of the commands up to there.
    pub digest: OrderDigest,
    /// How many ids were given to rooms and accounts. None is given twice, also when the room that had
    /// the newest is gone: whoever holds a place in its log must not go on in another.
    pub ids_given: u64,
    /// The last submission of each submitter that is contained, by their ids.
    pub submitters: Vec<Submission>,
}

impl OrderProgress {
    /// The number of a submitter's last submission that is contained; 0: none is.
    #[must_use]
    pub fn last_of(&self, submitter: SubmitterId) -> u64 {
        let found = self.submitters.binary_search_by_key(&submitter, |last| last.submitter);
        found.map_or(0, |at| self.submitters[at].n)
    }

    /// Whether a submission was carried out before: it has come another time.
    #[must_use]
    pub fn contains(&self, submission: Submission) -> bool {
        submission.n <= self.last_of(submission.submitter)
    }

    /// All of a submission has been carried out.
    pub(crate) fn complete(&mut self, submission: Submission) {
        debug_assert!(!self.contains(submission), "it is passed over when it comes again");
        match self.submitters.binary_search_by_key(&submission.submitter, |last| last.submitter) {
            Ok(at) => self.submitters[at] = submission,
            Err(at) => self.submitters.insert(at, submission),
        }
    }

    /// A command was carried out, whatever came of it.
    pub(crate) fn advance(&mut self) {
        self.place.0 += 1;
    }
}

/// A digest of everything that the commands have led to, in its order: events and beginnings. It goes on from record to record, wherever commits end.
///
/// Frozen: it is kept, and compared between machines. It is no defence against somebody who can choose
/// what machines carry out, only a means to find that one of them has carried out something else; two
/// pasts that differ are taken for the same by a chance of one in 2^64. A message costs five
/// multiplications: what it says comes as its [`crate::BodyDigest`], and its nonce and credential as its id.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderDigest(pub u64);

impl fmt::Debug for OrderDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrderDigest({:016x})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_is_contained_once_all_of_it_was_carried_out() {
        let mut progress = OrderProgress::default();
        let of = |submitter, n| Submission { submitter: SubmitterId(submitter), n };
        assert!(!progress.contains(of(5, 1)));
        for submission in [of(5, 1), of(2, 1), of(5, 2), of(9, 4)] {
            progress.complete(submission);
            assert!(progress.contains(submission));
        }
        assert!(progress.contains(of(9, 1)) && !progress.contains(of(9, 5)));
        assert!(!progress.contains(of(2, 2)) && !progress.contains(of(1, 1)));
        assert_eq!(progress.submitters, [of(2, 1), of(5, 2), of(9, 4)]);
        assert_eq!(progress.last_of(SubmitterId(7)), 0);
    }
}
