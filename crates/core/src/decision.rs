//! What is to happen: commands in their one order, and the state that decides them.
//!
//! It must not know of connections and frames, nor of how anything is stored.

pub(crate) mod admission;
pub(crate) mod bot_scope;
pub(crate) mod command;
pub(crate) mod idset;
pub(crate) mod input;
pub(crate) mod lone_submitter;
mod moment;
pub(crate) mod names;
pub(crate) mod operator;
pub(crate) mod order;
pub(crate) mod permutation;
pub(crate) mod post;
pub(crate) mod refusal;
pub(crate) mod secret;
pub(crate) mod state;
