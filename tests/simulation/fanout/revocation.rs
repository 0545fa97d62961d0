//! Cursors that close because somebody may not read a log any more.

use std::ops::RangeInclusive;
use std::rc::Rc;

use chat_core::{Removal, RevocationNumber};
use chat_proto::{AccountId, LogId, Seq};

use super::{Delivery, SimFanout};

/// Cursors on a log close.
pub(crate) struct Revocation {
    pub(crate) log: LogId,
    pub(crate) whose: Whose,
    pub(crate) number: RevocationNumber,
    pub(crate) frame: Vec<u8>,
}

/// Whose cursors close.
pub(crate) enum Whose {
    Account(AccountId),
    OthersThan(Vec<AccountId>),
}

impl Whose {
    pub(crate) fn is(&self, account: Option<AccountId>) -> bool {
        match self {
            Self::Account(meant) => account == Some(*meant),
            Self::OthersThan(spared) => account.is_none_or(|account| !spared.contains(&account)),
        }
    }
}

impl SimFanout {
    pub(super) fn close_cursors(&mut self, log: LogId, whose: Whose, frame: Vec<u8>) {
        self.end_pages(log, &whose);
        let Some(tail) = self.tails.get(&log) else { return };
        let number = tail.borrow_mut().revoke();
        let revocation = Rc::new(Revocation { log, whose, number, frame });
        for (conn, peer) in &mut self.peers {
            if peer.follows(log) {
                peer.inbox.push_back(Delivery::Revoke(Rc::clone(&revocation)));
                self.woken.insert(*conn);
            }
        }
    }

    pub(super) fn remove_said(&mut self, removal: Removal) {
        if let Some(tail) = self.tails.get(&removal.log) {
            tail.borrow_mut().remove_messages(removal);
        }
        self.redact_pages(removal.log, &(Seq(1)..=removal.to));
    }

    /// Nobody writes what was read from disk of these events before.
    pub(super) fn redact_pages(&mut self, log: LogId, seqs: &RangeInclusive<Seq>) {
        for (conn, peer) in &mut self.peers {
            if peer.follows(log) {
                peer.connection.redacted(log, seqs.clone());
                self.woken.insert(*conn);
            }
        }
    }
}
