//! Submissions: what was put into the order together, and is committed together.

use super::Pipeline;
use super::commit_batch::{self, Waiting};
use crate::{Ordered, Refusal, Store, Submission};

/// Where in a submission the inputs are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Within {
    /// Between two. A command that comes here stands alone.
    Nothing,
    /// In one that is carried out.
    New(Submission),
    /// In one that the state contains: nothing of it is carried out another time.
    Repeated,
}

impl Within {
    /// Whether a commit may end here.
    pub(super) fn is_between(self) -> bool {
        self == Self::Nothing
    }

    /// Whether what comes now was carried out before.
    pub(super) fn is_repeated(self) -> bool {
        self == Self::Repeated
    }
}

impl<S: Store> Pipeline<S> {
    pub(super) fn begin_submission(&mut self, submission: Submission) {
        debug_assert!(self.within.is_between(), "the one before has ended");
        let progress = self.state.as_ref().map(crate::State::progress);
        let is_contained = progress.is_some_and(|progress| progress.contains(submission));
        self.within = if is_contained { Within::Repeated } else { Within::New(submission) };
    }

    /// A command of a submission that is contained. What came of it is not kept: whoever should wait here
    /// for an answer, which nobody has given, asks again.
    pub(super) fn pass_over(&mut self, Ordered { origin, command }: Ordered) {
        let Some(origin) = origin else { return };
        let send = commit_batch::send_of(&command.action);
        self.open.wait(Waiting::Answer { origin, answer: Err(Refusal::Unavailable), send });
    }

    pub(super) fn end_submission(&mut self) {
        debug_assert!(!self.within.is_between(), "it has begun");
        let within = std::mem::replace(&mut self.within, Within::Nothing);
        let Some(state) = &mut self.state else { return };
        // While the store takes nothing, none of it was carried out.
        if let (Within::New(submission), None) = (within, self.recover_at) {
            state.complete(submission);
        }
    }
}
