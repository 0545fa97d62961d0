//! The order of commands, and how far a state has come in it.
//!
//! What is compared between machines and kept with each commit stands here: the place in the order, a
//! digest of everything that the commands up to there have led to, and whose submissions are in it. It
//! must not know what carries the order from machine to machine.

use std::fmt;

use chat_proto::Timestamp;

use crate::{Content, Decision, Event, Genesis, Input, RefusedSend, Unsequenced};

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

    /// A command was carried out, and this came of it.
    pub(crate) fn advance_by(&mut self, decision: &Decision) {
        self.advance();
        let mut digest = self.digest;
        if let Some(genesis) = &decision.genesis {
            digest = digest.with_genesis(genesis);
        }
        digest = decision.events.iter().fold(digest, |digest, event| digest.with_event(event));
        if let Some(refused) = &decision.refused_send {
            digest = digest.with_refused_send(refused);
        }
        self.digest = digest;
    }
}

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

/// A digest of everything that the commands have led to, in its order: events, sends that were refused
/// for good, beginnings. It goes on from record to record, wherever commits end.
///
/// Frozen: it is kept, and compared between machines. It is no defence against somebody who can choose
/// what machines carry out, only a means to find that one of them has carried out something else; two
/// pasts that differ are taken for the same by a chance of one in 2^64. A message costs five
/// multiplications: what it says comes as its [`crate::BodyDigest`], and its nonce and credential as its id.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderDigest(pub u64);

/// What a block says.
#[derive(Clone, Copy)]
enum Tag {
    Posted = 1,
    Bytes = 2,
    RefusedSend = 3,
    Genesis = 4,
}

/// Words of a block.
const WORDS: usize = 8;

/// Digits of pi behind the point, by 64 bits: nothing is hidden in them.
const PI: [u64; WORDS] = [
    0x243F_6A88_85A3_08D3,
    0x1319_8A2E_0370_7344,
    0xA409_3822_299F_31D0,
    0x082E_FA98_EC4E_6C89,
    0x4528_21E6_38D0_1377,
    0xBE54_66CF_34E9_0C6C,
    0xC0AC_29B7_C97C_50DD,
    0x3F84_D5B5_B547_0917,
];

/// The next ones, made odd.
const CHAIN: u64 = 0x9216_D5D9_8979_FB1B;

impl OrderDigest {
    /// With one event more.
    #[must_use]
    pub fn with_event(self, event: &Event) -> Self {
        let Content::Posted { from, id, digest, .. } = &event.content else {
            return self.with_rare_event(event);
        };
        let [first, second] = halves(id.0);
        let (log, seq, ts) = (event.log.0, event.seq.0, event.ts.0);
        self.with([Tag::Posted as u64, log, seq, ts, from.0, first, second, digest.0])
    }

    /// With one send more that was refused for good.
    #[must_use]
    pub fn with_refused_send(self, refused: &RefusedSend) -> Self {
        let RefusedSend { account, room, nonce, code, digest } = *refused;
        let [first, second] = halves(nonce.stream.0);
        let (tag, code) = (Tag::RefusedSend as u64, u64::from(code as u16));
        self.with([tag, account.0, first, second, nonce.n, code, digest.0, room.0])
    }

    /// With another beginning.
    #[must_use]
    pub fn with_genesis(self, genesis: &Genesis) -> Self {
        let [first, second] = halves(genesis.secret.0);
        let (tag, rules) = (Tag::Genesis as u64, u64::from(genesis.rules));
        self.with([tag, genesis.epoch.0, rules, first, second, 0, 0, 0])
    }

    /// With an event that is no message: its frame, and what stands in no frame.
    fn with_rare_event(self, event: &Event) -> Self {
        let mut bytes = Vec::with_capacity(128);
        event.encode(&mut bytes);
        if let Content::AccountCreated { credential, .. } = &event.content {
            bytes.extend((credential.kind() as u16).to_le_bytes());
            bytes.extend(credential.bytes());
        }
        if let Some(keys) = event.content.name_keys() {
            bytes.extend(keys.to_bytes());
        }
        let mut digest = self.with([Tag::Bytes as u64, bytes.len() as u64, 0, 0, 0, 0, 0, 0]);
        for chunk in bytes.chunks(WORDS * 8) {
            let mut block = [0; WORDS];
            for (word, some) in block.iter_mut().zip(chunk.chunks(8)) {
                let mut whole = [0; 8];
                whole[..some.len()].copy_from_slice(some);
                *word = u64::from_le_bytes(whole);
            }
            digest = digest.with(block);
        }
        digest
    }

    fn with(self, words: [u64; WORDS]) -> Self {
        // The four products do not wait for each other.
        let pair = |at: usize| multiply(words[at] ^ PI[at], words[at + 1] ^ PI[at + 1]);
        let block = pair(0)
            .wrapping_add(pair(2).rotate_left(16))
            .wrapping_add(pair(4).rotate_left(32))
            .wrapping_add(pair(6).rotate_left(48));
        Self(multiply(self.0 ^ block, CHAIN) ^ self.0.rotate_left(29))
    }
}

impl fmt::Debug for OrderDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OrderDigest({:016x})", self.0)
    }
}

/// Both halves of the product, one over the other.
fn multiply(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    (product >> 64) as u64 ^ product as u64
}

fn halves(bytes: [u8; 16]) -> [u64; 2] {
    let whole = u128::from_le_bytes(bytes);
    [whole as u64, (whole >> 64) as u64]
}

#[cfg(test)]
mod tests;
