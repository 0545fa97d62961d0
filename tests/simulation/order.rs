//! What commits say of the order, held against what was put into it.

use std::collections::{BTreeMap, BTreeSet};

use chat_core::{
    Action, Content, Event, Input, OrderDigest, OrderProgress, Ordered, Submission, SubmitterId,
};
use chat_proto::{AccountId, Nonce};

use crate::data::Owned;

/// Which submissions had which sends: those that failed are sent again, in another one.
#[derive(Default)]
pub(crate) struct Submitted {
    sends: BTreeMap<(AccountId, Nonce), BTreeSet<u64>>,
}

impl Submitted {
    /// A batch is handed to the pipeline.
    pub(crate) fn note(&mut self, batch: &[Input]) {
        let mut n = 0;
        for input in batch {
            match input {
                Input::Begins(submission) => n = submission.n,
                Input::Ordered(ordered) => {
                    if let Action::Post { account, nonce, .. } = &ordered.command.action {
                        self.sends.entry((*account, *nonce)).or_default().insert(n);
                    }
                }
                Input::Local(_) | Input::Ends => {}
            }
        }
    }

    /// What is wrong with what a transaction says of the order, which comes behind `before`.
    pub(crate) fn judge(&self, before: &OrderProgress, transaction: &[Owned]) -> Option<String> {
        let Some(Owned::OrderProgress(progress)) = transaction.last() else {
            return Some("a commit does not say how far in the order it is".to_owned());
        };
        if progress.place <= before.place {
            let (place, before) = (progress.place.0, before.place.0);
            return Some(format!("a commit is at place {place}, and the one before at {before}"));
        }
        let digest = transaction.iter().fold(before.digest, with);
        if progress.digest != digest {
            let found = progress.digest;
            return Some(format!("what was carried out has {digest:?}, its commit says {found:?}"));
        }
        let [from, to] = [before, progress].map(|progress| progress.last_of(SubmitterId::ALONE));
        transaction.iter().find_map(|record| {
            let Owned::Event(Event { content: Content::Posted { from: by, nonce, .. }, .. }) =
                record
            else {
                return None;
            };
            let submissions = self.sends.get(&(*by, *nonce))?;
            let is_whole = submissions.iter().any(|n| (from + 1..=to).contains(n));
            (!is_whole).then(|| {
                format!("a commit says submission {to}, and has a send of {submissions:?}")
            })
        })
    }
}

/// A submission that is contained comes another time: as it was, but nobody waits for it here.
pub(crate) fn again(batch: &[Input]) -> impl Iterator<Item = Input> {
    batch.iter().filter_map(|input| match input {
        Input::Ordered(ordered) => {
            let command = ordered.command.clone();
            Some(Input::Ordered(Ordered { origin: None, command }))
        }
        Input::Begins(submission) => Some(Input::Begins(*submission)),
        Input::Ends => Some(Input::Ends),
        Input::Local(_) => None,
    })
}

/// The last submission of a batch.
pub(crate) fn newest(batch: &[Input]) -> Option<Submission> {
    batch.iter().rev().find_map(|input| match input {
        Input::Begins(submission) => Some(*submission),
        Input::Ordered(_) | Input::Local(_) | Input::Ends => None,
    })
}

fn with(digest: OrderDigest, record: &Owned) -> OrderDigest {
    match record {
        Owned::Genesis(genesis) => digest.with_genesis(genesis),
        Owned::Event(event) => digest.with_event(event),
        Owned::OrderProgress(_) => digest,
    }
}
