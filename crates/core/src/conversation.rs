//! What one peer says and is told: from the bytes of a connection to what is to be done, and from the
//! logs that it follows back to its bytes.
//!
//! It must not know whether a request is allowed, nor what is stored.

pub(crate) mod connection;
pub(crate) mod cursor;
pub(crate) mod follower;
mod frames;
#[cfg(any(test, feature = "conformance"))]
pub mod introduction;
pub(crate) mod keys;
mod naming;
pub(crate) mod pace;
pub(crate) mod pace_table;
pub(crate) mod presence;
pub(crate) mod rate;
pub(crate) mod reply;
pub(crate) mod session;
pub(crate) mod subscriptions;
pub(crate) mod tail;
#[cfg(test)]
pub(crate) mod test_frames;
