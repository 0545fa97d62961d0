//! Whether a store that was opened continues the one that was closed: the epoch's rule.

use chat_proto::Epoch;

/// What was written beside the store, not into it, after each commit: the store's shadow. It is
/// not part of a backup of the store, so a store that was restored is behind it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Witness {
    /// The epoch of the store that it stands beside.
    pub epoch: Epoch,
    /// Commits that it saw: the store may have more, never fewer.
    pub commits: u64,
    /// Whether the store promised to survive a loss of power.
    pub survives_power_loss: bool,
    /// The machine's boot that it was written in.
    pub boot: u128,
}

/// What the epoch of an opened store is to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lineage {
    /// The logs go on: every position that a client holds is still good.
    Continues,
    /// The logs may have lost their end: a new epoch is due.
    Broken,
}

impl Lineage {
    /// Judges a store by its witness: `epoch` and `commits` are what the store itself says,
    /// `boot` is the boot of the machine now.
    #[must_use]
    pub fn judge(epoch: Epoch, commits: u64, boot: u128, witness: Option<&Witness>) -> Self {
        let Some(witness) = witness else {
            // Without a witness nobody knows: a store that was moved here alone is a copy.
            return if commits == 0 { Self::Continues } else { Self::Broken };
        };
        let lost_power_unprotected = !witness.survives_power_loss && witness.boot != boot;
        if witness.epoch != epoch || commits < witness.commits || lost_power_unprotected {
            return Self::Broken;
        }
        Self::Continues
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WITNESS: Witness =
        Witness { epoch: Epoch(7), commits: 10, survives_power_loss: true, boot: 1 };

    #[test]
    fn a_store_with_all_that_was_witnessed_continues() {
        for commits in [10, 11] {
            let lineage = Lineage::judge(Epoch(7), commits, 2, Some(&WITNESS));
            assert_eq!(lineage, Lineage::Continues);
        }
        assert_eq!(Lineage::judge(Epoch(7), 0, 1, None), Lineage::Continues);
    }

    #[test]
    fn a_store_that_lacks_commits_is_broken() {
        assert_eq!(Lineage::judge(Epoch(7), 9, 1, Some(&WITNESS)), Lineage::Broken);
        assert_eq!(Lineage::judge(Epoch(8), 10, 1, Some(&WITNESS)), Lineage::Broken);
        assert_eq!(Lineage::judge(Epoch(7), 3, 1, None), Lineage::Broken);
    }

    #[test]
    fn a_reboot_breaks_only_a_store_that_did_not_promise_to_survive_it() {
        let process = Witness { survives_power_loss: false, ..WITNESS };
        assert_eq!(Lineage::judge(Epoch(7), 10, 1, Some(&process)), Lineage::Continues);
        assert_eq!(Lineage::judge(Epoch(7), 10, 2, Some(&process)), Lineage::Broken);
        assert_eq!(Lineage::judge(Epoch(7), 10, 2, Some(&WITNESS)), Lineage::Continues);
    }
}
