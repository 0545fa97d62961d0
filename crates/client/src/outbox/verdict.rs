//! What a refusal means for a send.

use super::Entry;

/// What a refusal means for the send that was refused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// For good: the entry is out of the outbox, and the ones behind it go on.
    Refused(Entry),
    /// Not an answer: [`super::Outbox::next_to_send`] will give it again. The driver should not ask before
    /// so many milliseconds have passed. (Also the verdict on a nonce that is not waited for.)
    Retry {
        /// The pause; 0 for none.
        after_ms: u64,
    },
    /// Not an answer either: the room is slow. This stream alone waits so many milliseconds, and then
    /// goes on one by one.
    Slow {
        /// The wait.
        after_ms: u64,
    },
    /// The daemon has lost the end of this stream, or knows it as another room's: call
    /// [`super::Outbox::restart_stream`]. Until then nothing is given to be sent.
    NewStreamNeeded,
}
