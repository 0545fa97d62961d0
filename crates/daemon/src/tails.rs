//! The logs that are in memory: their tails, what is mirrored of them, and the budget that all share.

mod budget;
mod mirror;
mod shared_tail;

pub(crate) use budget::TailBudget;
pub(crate) use mirror::Mirrored;
pub(crate) use shared_tail::{SharedTail, TailFollower};
