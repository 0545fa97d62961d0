//! The epoch of the logs: the one that the file has, unless the logs may have lost their end. Opening
//! decides which it is, and writes nothing of it: the next epoch begins with a record.

use chat_core::{Genesis, Lineage, Witness};
use chat_proto::Epoch;
use rusqlite::{Connection, Result};

use super::{lookup, meta};

/// The keys in the table `meta`.
const EPOCH: &str = "epoch";
const RULES: &str = "rules";

/// What is known of it.
#[derive(Debug)]
pub(super) struct CurrentEpoch {
    /// 0: none; one is to begin.
    current: Epoch,
    /// What the file says, whether it is still so or not; 0: nothing.
    in_file: Epoch,
    /// The open transaction begins it, or one that may have become durable.
    begun: Option<Epoch>,
}

impl CurrentEpoch {
    /// Of a file that is opened, which has so many events.
    pub(super) fn judge(
        connection: &Connection,
        committed: u64,
        boot: u128,
        seen: Option<&Witness>,
    ) -> Result<Self> {
        let in_file = Epoch(meta::get(connection, EPOCH)?.unwrap_or_default());
        let lineage = Lineage::judge(in_file, committed, boot, seen);
        let current = match lineage {
            Lineage::Continues => in_file,
            Lineage::Broken if in_file == Epoch(0) => in_file,
            Lineage::Broken => {
                tracing::warn!(
                    events = committed,
                    "the store may lack its newest events: it was restored from a copy, moved, or \
                     lost power; a new epoch begins, and clients read their rooms again"
                );
                Epoch(0)
            }
        };
        Ok(Self { current, in_file, begun: None })
    }

    /// The epoch; 0 when one is to begin.
    pub(super) fn current(&self) -> Epoch {
        self.current
    }

    /// Puts another one into the open transaction.
    pub(super) fn begin(&mut self, transaction: &Connection, genesis: Genesis) -> Result<()> {
        self.begun = Some(genesis.epoch);
        meta::set(transaction, EPOCH, genesis.epoch.0)?;
        meta::set(transaction, RULES, genesis.rules.into())?;
        lookup::set_secret(transaction, genesis.secret)
    }

    /// The transaction is durable. Tells whether another epoch has begun with it.
    pub(super) fn committed(&mut self) -> bool {
        let Some(begun) = self.begun.take() else { return false };
        (self.current, self.in_file) = (begun, begun);
        true
    }

    /// The file was read back, and says this: the epoch of its logs, unless it is one that the store
    /// does not know.
    pub(super) fn read_back(&mut self, in_file: Epoch) -> Option<Epoch> {
        let begun = self.begun.take();
        if in_file == self.in_file {
            return Some(self.current);
        }
        // Its commit seemed to fail.
        (Some(in_file) == begun).then(|| {
            (self.current, self.in_file) = (in_file, in_file);
            in_file
        })
    }
}
