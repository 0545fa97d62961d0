//! Who follows which log, by slot, and what they are told.

use std::collections::{BTreeSet, HashMap};
use std::ops::RangeInclusive;

use chat_proto::{LogId, Seq};

use super::Reactor;
use crate::mailbox::{Renaming, Revocation, SignOut};

/// The followers of all logs, among the connections of a reactor.
#[derive(Debug, Default)]
pub(super) struct Followers {
    slots: HashMap<LogId, Vec<u32>>,
}

impl Followers {
    pub(super) fn add(&mut self, log: LogId, slot: u32) {
        self.slots.entry(log).or_default().push(slot);
    }

    pub(super) fn remove(&mut self, log: LogId, slot: u32) {
        let Some(followers) = self.slots.get_mut(&log) else { return };
        if let Some(at) = followers.iter().position(|follower| *follower == slot) {
            followers.swap_remove(at);
        }
        if followers.is_empty() {
            self.slots.remove(&log);
        }
    }

    pub(super) fn of(&self, log: LogId) -> &[u32] {
        self.slots.get(&log).map_or(&[], Vec::as_slice)
    }

    /// Those of any of these logs, each once.
    pub(super) fn of_any(&self, logs: impl Iterator<Item = LogId>) -> BTreeSet<u32> {
        logs.flat_map(|log| self.of(log)).copied().collect()
    }
}

impl Reactor {
    /// A log has grown.
    pub(super) fn wake_followers(&mut self, log: LogId) {
        for slot in self.followers.of(log) {
            let Some(connection) = self.slab.at(*slot as usize) else { continue };
            connection.wake(log);
            self.queue.line_up_to_write(*slot, connection);
        }
    }

    /// Somebody may not follow a log any more. Whoever else follows it was held back
    /// meanwhile.
    pub(super) fn revoke(&mut self, revocation: &Revocation) {
        let Revocation { log, whose, number, frame } = revocation;
        for slot in self.followers.of(*log).to_vec() {
            let Some(connection) = self.slab.at(slot as usize) else { continue };
            if !whose.is(connection.account()) {
                connection.carry_on(*log, *number);
            } else if connection.revoke(*log, frame) {
                self.followers.remove(*log, slot);
            }
            self.queue.line_up_to_write(slot, connection);
        }
    }

    /// Connections of an account close, each behind the frame that has begun.
    pub(super) fn sign_out(&mut self, sign_out: &SignOut) {
        let SignOut { account, credential, closing } = sign_out;
        for slot in self.slab.numbers() {
            let Some(connection) = self.slab.at(slot as usize) else { continue };
            let is_meant = connection.account() == Some(*account)
                && (credential.is_none() || connection.credential() == *credential);
            if is_meant && !connection.is_closing() {
                connection.close(closing);
                self.queue.line_up_to_write(slot, connection);
            }
        }
    }

    /// The texts of some of these events are gone: no page that was read before is written any more.
    pub(super) fn redact(&mut self, log: LogId, seqs: &RangeInclusive<Seq>) {
        for slot in self.followers.of(log) {
            let Some(connection) = self.slab.at(*slot as usize) else { continue };
            connection.redacted(log, seqs.clone());
            self.queue.line_up_to_write(*slot, connection);
        }
    }

    /// Tells whoever follows a room of an account of its new name, once.
    pub(super) fn tell_renamed(&mut self, renaming: &Renaming) {
        let rooms = renaming.rooms.iter().map(|room| LogId::from(*room));
        for slot in self.followers.of_any(rooms) {
            if let Some(connection) = self.slab.at(slot as usize) {
                connection.tell_renamed(&renaming.frame);
                self.line_up_to_write(slot);
            }
        }
    }
}

#[cfg(test)]
#[path = "followers_tests.rs"]
mod tests;
