//! How far in the order the state is. Each command moves it on, also one that changes nothing else.

use super::State;
use crate::{Decision, OrderProgress, Submission};

impl State {
    /// How far in the order this is.
    #[must_use]
    pub fn progress(&self) -> &OrderProgress {
        &self.progress
    }

    /// A command had its place in the order, and led to this.
    pub(super) fn advance_by(&mut self, decision: &Decision) {
        self.progress.advance();
        let mut digest = self.progress.digest;
        if let Some(genesis) = &decision.genesis {
            digest = digest.with_genesis(genesis);
        }
        digest = decision.events.iter().fold(digest, |digest, event| digest.with_event(event));
        self.progress.digest = digest;
    }

    /// A command had its place in the order that was answered without a change
    /// ([`Self::answer_without_change`]).
    pub(crate) fn pass_over(&mut self) {
        self.progress.advance();
    }

    /// Every command of a submission has been carried out.
    pub(crate) fn complete(&mut self, submission: Submission) {
        self.progress.complete(submission);
    }
}
