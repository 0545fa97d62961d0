//! The logs that are in memory: their tails, what of them is cached in memfds, and the budget that all share.

mod budget;
mod memfd_cache;
mod shared_tail;

pub(crate) use budget::TailBudget;
pub(crate) use memfd_cache::MemfdSlice;
pub(crate) use shared_tail::{SharedTail, TailFollower};
