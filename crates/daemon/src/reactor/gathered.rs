//! What a pass has read and not handed in yet: a batch for the committing thread, bounded in inputs
//! and in bytes.

use chat_core::{Asked, Conn, Input, Origin};

/// Inputs after which a pass hands in what it has read.
const INPUTS_MAX: usize = 4096;

/// Bytes of frames after which it does: what one commit takes. Behind them a batch has what one turn
/// of one connection reads, at the most.
const BYTES_MAX: usize = 1024 * 1024;

/// A batch in the making.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    inputs: Vec<Input>,
    bytes: usize,
}

impl Gathered {
    /// A connection asks, in so many bytes.
    pub(super) fn ask(&mut self, conn: Conn, asked: Asked, bytes: usize) {
        let Asked { request, lane, ask } = asked;
        self.inputs.push(Input::Ask { origin: Origin { conn, request, lane }, ask });
        self.bytes += bytes;
    }

    /// A connection is gone.
    pub(super) fn gone(&mut self, conn: Conn) {
        self.inputs.push(Input::Gone(conn));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// It is to be handed in before anything more is read.
    pub(super) fn is_full(&self) -> bool {
        self.inputs.len() >= INPUTS_MAX || self.bytes >= BYTES_MAX
    }

    /// Hands it over, with its bytes.
    pub(super) fn take(&mut self) -> (Vec<Input>, usize) {
        (std::mem::take(&mut self.inputs), std::mem::take(&mut self.bytes))
    }

    /// It was not taken.
    pub(super) fn put_back(&mut self, inputs: Vec<Input>, bytes: usize) {
        (self.inputs, self.bytes) = (inputs, bytes);
    }
}

#[cfg(test)]
mod tests {
    use chat_core::{Ask, Lane, Query};
    use chat_proto::{AccountId, RequestId};

    use super::*;

    fn asked() -> Asked {
        let ask = Ask::Query(AccountId(1), Query::Ping { token: 1 });
        Asked { request: RequestId(1), lane: Lane::Queries, ask }
    }

    #[test]
    fn a_batch_is_bounded_in_bytes_and_in_inputs() {
        let mut few_large = Gathered::default();
        let mut many_small = Gathered::default();
        let count = |gathered: &mut Gathered, bytes| {
            while !gathered.is_full() {
                gathered.ask(Conn(1), asked(), bytes);
            }
            gathered.inputs.len()
        };
        assert_eq!(count(&mut few_large, 16 * 1024), 64);
        assert_eq!(count(&mut many_small, 20), INPUTS_MAX);
        let (inputs, bytes) = few_large.take();
        assert_eq!((inputs.len(), bytes, few_large.is_empty()), (64, BYTES_MAX, true));
        few_large.put_back(inputs, bytes);
        assert!(few_large.is_full());
    }
}
