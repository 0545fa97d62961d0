//! The order of a machine that is alone: it puts what comes to it one behind the other, in submissions.
//!
//! It must not know what the inputs mean.

use chat_proto::Timestamp;

use crate::{Input, OrderProgress, Submission, SubmitterId, Unsequenced};

/// Puts what has come to a machine that is alone in order, and its commands into submissions: each comes
/// into one commit, or is given up as a whole.
#[derive(Clone, Debug)]
pub struct LoneSubmitter {
    last: Submission,
    cost_max: usize,
    /// What the submission that has begun may still cost.
    left: Option<usize>,
}

impl LoneSubmitter {
    /// Goes on behind what a state contains. A submission ends when its inputs cost `cost_max`, in
    /// whatever unit they are counted.
    #[must_use]
    pub fn after(progress: &OrderProgress, cost_max: usize) -> Self {
        let submitter = SubmitterId::ALONE;
        let last = Submission { submitter, n: progress.last_of(submitter) };
        Self { last, cost_max, left: None }
    }

    /// Puts the next input behind those that are in order already.
    pub fn put(&mut self, input: Unsequenced, cost: usize, ts: Timestamp, order: &mut Vec<Input>) {
        let left = match self.left {
            Some(left) => left,
            // Nobody else hears of it.
            None if !input.is_command() => return order.push(input.into_input(ts)),
            None => {
                self.last.n += 1;
                order.push(Input::Begins(self.last));
                self.cost_max
            }
        };
        order.push(input.into_input(ts));
        self.left = Some(left.saturating_sub(cost));
        if self.left == Some(0) {
            self.end(order);
        }
    }

    /// Nothing more is taken now: the submission that has begun ends.
    pub fn end(&mut self, order: &mut Vec<Input>) {
        if self.left.take().is_some() {
            order.push(Input::Ends);
        }
    }
}

#[cfg(test)]
mod tests;
