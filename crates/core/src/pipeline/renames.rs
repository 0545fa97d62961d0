//! What is told of a rename, and how often an account may take another name.
//!
//! A rename is told to everybody who shares a room with the account: the pace is of the account,
//! whatever connections it has. It knows no rooms.

use chat_proto::{AccountId, Renamed, RequestId, Timestamp, encode_frame};
use rustc_hash::FxHashMap;

/// Renames that may follow each other at once.
const BURST: u64 = 5;

/// After which time there is another one, in milliseconds.
const INTERVAL_MS: u64 = 10_000;

/// The frame that tells of a rename.
pub(super) fn renamed_frame(account: AccountId, name: String) -> Vec<u8> {
    let mut frame = Vec::new();
    encode_frame(&Renamed { account, name }, RequestId(0), &mut frame)
        .expect("a name fits a frame");
    frame
}

/// The frame that tells that any name may be out of date.
pub(crate) fn unsure_of_names() -> Vec<u8> {
    renamed_frame(AccountId(0), String::new())
}

/// The accounts that were renamed of late.
#[derive(Clone, Debug, Default)]
pub(super) struct RenamePace {
    /// When the whole burst is there again.
    full_at: FxHashMap<AccountId, u64>,
}

impl RenamePace {
    /// How long an account has to wait before it may be renamed, in milliseconds.
    pub(super) fn wait_ms(&self, account: AccountId, now: Timestamp) -> u64 {
        let full_at = self.full_at.get(&account).copied().unwrap_or_default();
        // A clock that was set back must not make the wait longer.
        let used_ms = full_at.saturating_sub(now.0).min(BURST * INTERVAL_MS);
        used_ms.saturating_sub((BURST - 1) * INTERVAL_MS)
    }

    /// It was renamed.
    pub(super) fn count(&mut self, account: AccountId, now: Timestamp) {
        let latest = now.0.saturating_add(BURST * INTERVAL_MS);
        let full_at = self.full_at.entry(account).or_default();
        *full_at = (*full_at).max(now.0).saturating_add(INTERVAL_MS).min(latest);
    }

    /// Forgets those who may do as they like again.
    pub(super) fn forget_rested(&mut self, now: Timestamp) {
        self.full_at.retain(|_account, full_at| *full_at > now.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: AccountId = AccountId(1);

    fn rename_all(pace: &mut RenamePace, now: Timestamp) -> u64 {
        let may = |pace: &mut RenamePace| pace.wait_ms(ADA, now) == 0;
        let mut renames = 0;
        while may(pace) && renames < 100 {
            pace.count(ADA, now);
            renames += 1;
        }
        renames
    }

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let mut pace = RenamePace::default();
        assert_eq!(rename_all(&mut pace, Timestamp(1_000_000)), BURST);
        assert_eq!(pace.wait_ms(ADA, Timestamp(1_000_000)), INTERVAL_MS);
        assert_eq!(pace.wait_ms(AccountId(2), Timestamp(1_000_000)), 0, "it is of the account");
        assert_eq!(rename_all(&mut pace, Timestamp(1_000_000 + INTERVAL_MS - 1)), 0);
        assert_eq!(rename_all(&mut pace, Timestamp(1_000_000 + INTERVAL_MS)), 1);
        pace.forget_rested(Timestamp(1_000_000 + 7 * INTERVAL_MS));
        assert!(pace.full_at.is_empty());
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_longer() {
        let mut pace = RenamePace::default();
        rename_all(&mut pace, Timestamp(1_000_000_000));
        assert_eq!(pace.wait_ms(ADA, Timestamp(5)), INTERVAL_MS);
        assert_eq!(rename_all(&mut pace, Timestamp(5)), 0);
        pace.count(ADA, Timestamp(5));
        assert_eq!(rename_all(&mut pace, Timestamp(5 + 2 * INTERVAL_MS)), 2);
    }
}
