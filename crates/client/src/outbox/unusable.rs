//! What becomes of the sends of a stream that is of no use any more.

use chat_proto::{Nonce, StreamId};

use super::{Entry, Link, Outbox, PendingSend, UNAVAILABLE_PAUSE_MS, Verdict};

impl Outbox {
    /// Gives every unanswered send a new nonce, from 1 on a stream that was never used. Only after
    /// [`NewStreamNeeded`](super::Verdict::NewStreamNeeded): at any other time it could double a
    /// message. Returns the old nonce of each with its new one, in order.
    pub fn restart_stream(&mut self, fresh: StreamId) -> Vec<(Nonce, Nonce)> {
        let old = std::mem::replace(&mut self.stream, fresh);
        debug_assert_ne!(old, fresh, "under the same one it could be posted twice");
        self.recall_all();
        if self.link == Link::Lost {
            self.link = Link::Up;
        }
        self.is_fresh = true;
        self.next_n = 1;
        self.may_have_lost = false;
        self.refused.clear();
        let mut renamed = Vec::with_capacity(self.pending.len());
        for pending in &mut self.pending {
            let before = Nonce { stream: old, n: pending.n };
            pending.n = self.next_n;
            self.next_n += 1;
            renamed.push((before, Nonce { stream: fresh, n: pending.n }));
        }
        renamed
    }

    /// The daemon says that the stream is another room's.
    pub(super) fn bound_elsewhere(&mut self, index: usize) -> Verdict {
        self.recall(index);
        if self.is_fresh {
            // Nobody has used it, so the daemon is wrong, and would say so of the next one, too.
            return Verdict::Retry { after_ms: UNAVAILABLE_PAUSE_MS };
        }
        self.link = Link::Lost;
        Verdict::NewStreamNeeded
    }

    /// Gives every unanswered send back, never to be sent: instead of [`Self::restart_stream`], for
    /// a stream that must stay what it is. Later sends go out under it.
    pub fn give_up(&mut self) -> Vec<Entry> {
        self.recall_all();
        if self.link == Link::Lost {
            self.link = Link::Up;
        }
        let given_up = std::mem::take(&mut self.pending);
        given_up.iter().for_each(|pending| self.remember_refused(pending.n));
        given_up.into_iter().map(|PendingSend { n, text, .. }| self.entry(n, text)).collect()
    }

    /// How many sends that had been acked the daemon has not any more, since it was restored from a
    /// backup and awaits an `n` again. It is told once.
    pub fn take_loss(&mut self, awaited: u64) -> u64 {
        match std::mem::take(&mut self.may_have_lost) {
            true => self.acked_from(awaited),
            false => 0,
        }
    }

    /// How many sends of this stream have been acked from an `n` on, below the first that is not
    /// answered. (A refusal that lies more than `REFUSED_MAX` refusals back counts as an ack.)
    #[must_use]
    pub fn acked_from(&self, n: u64) -> u64 {
        let end = self.pending.front().map_or(self.next_n, |first| first.n);
        let refused = self.refused.iter().filter(|&&refused| (n..end).contains(&refused)).count();
        end.saturating_sub(n).saturating_sub(refused as u64)
    }
}
