//! What a connection asks in its turn, bounded in what it costs.

use std::vec::Drain;

use chat_core::{Conn, Origin, ReceivedRequest, TurnTokens, Unsequenced};

use crate::sequencer::{INPUT_COST, cost_of};

/// What a turn takes at the most, in cost: some three hundred small messages.
const TURN_COST_MAX: usize = 128 * 1024;

/// What is read at once at the least: long requests do not come in crumbs.
const READ_BYTES_MIN: usize = 4 * 1024;

/// The inputs of a turn.
#[derive(Debug, Default)]
pub(super) struct TurnBatch {
    inputs: Vec<(Unsequenced, usize)>,
    allowance: usize,
    /// What the rate of the account allows.
    pub(super) tokens: TurnTokens,
}

impl TurnBatch {
    /// A turn begins, of a party that has such an allowance in the queue, and may ask so much.
    pub(super) fn begin(&mut self, allowance: usize, tokens: TurnTokens) {
        debug_assert!(self.inputs.is_empty(), "the turn before has been handed in");
        self.allowance = allowance.min(TURN_COST_MAX);
        self.tokens = tokens;
    }

    /// What one read may bring, of as much as there is a buffer for: what the turn cannot take has to be
    /// kept, and keeps the others of the account waiting.
    pub(super) fn read_bytes(&self, most: usize) -> usize {
        let asked = usize::try_from(self.tokens.left()).unwrap_or(usize::MAX);
        self.allowance.min(asked.saturating_mul(INPUT_COST)).clamp(READ_BYTES_MIN, most)
    }

    /// A connection asks, in so many bytes.
    pub(super) fn ask(&mut self, conn: Conn, received: ReceivedRequest, bytes: usize) {
        let ReceivedRequest { id, window, request } = received;
        let cost = cost_of(bytes);
        let origin = Origin { conn, request: id, window };
        self.inputs.push((Unsequenced::Request { origin, request }, cost));
        self.allowance = self.allowance.saturating_sub(cost);
    }

    /// The turn has taken what it may.
    pub(super) fn is_full(&self) -> bool {
        self.allowance == 0 || self.tokens.are_spent()
    }

    /// How many inputs there are.
    pub(super) fn len(&self) -> usize {
        self.inputs.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// Hands over what was asked.
    pub(super) fn drain(&mut self) -> Drain<'_, (Unsequenced, usize)> {
        self.inputs.drain(..)
    }
}

#[cfg(test)]
mod tests {
    use chat_core::Request;
    use chat_proto::{AccountId, Ping, QueryRequest, RequestId, Window};

    use super::*;

    fn received() -> ReceivedRequest {
        let request = Request::Query(AccountId(1), QueryRequest::Ping(Ping { token: 1 }));
        ReceivedRequest { id: RequestId(1), window: Window::Queries, request }
    }

    fn count(allowance: usize, bytes: usize) -> usize {
        let mut batch = TurnBatch::default();
        batch.begin(allowance, TurnTokens::of(u64::MAX));
        while !batch.is_full() {
            batch.ask(Conn(1), received(), bytes);
        }
        batch.drain().count()
    }

    #[test]
    fn a_turn_asks_no_more_than_the_rate_allows() {
        let mut batch = TurnBatch::default();
        batch.begin(usize::MAX, TurnTokens::default());
        assert!(batch.is_full());
        batch.begin(usize::MAX, TurnTokens::of(1));
        assert!(!batch.is_full());
    }

    #[test]
    fn a_turn_is_bounded_in_bytes_and_in_inputs() {
        assert_eq!(count(usize::MAX, 16 * 1024), 8);
        assert_eq!(count(usize::MAX, 0), 512);
        assert_eq!(count(1, 16 * 1024), 1, "whoever has any allowance may ask once");
        assert_eq!(count(1024, 0), 4);
        let read_bytes = |(allowance, tokens)| {
            let mut batch = TurnBatch::default();
            batch.begin(allowance, TurnTokens::of(tokens));
            batch.read_bytes(65_536)
        };
        let least = READ_BYTES_MIN;
        let (few, some, many) = ((1, u64::MAX), (10_000, u64::MAX), (1_000_000, u64::MAX));
        assert_eq!([few, some, many].map(read_bytes), [least, 10_000, 65_536]);
        let (few, some) = ((1_000_000, 1), (1_000_000, 100));
        assert_eq!([few, some].map(read_bytes), [least, 100 * INPUT_COST]);
    }
}
