//! What has happened: events, the logs that they stand in, and what a store and a fan-out are asked to
//! do with them.
//!
//! It must not know why something happened, nor who is connected.

#[cfg(feature = "conformance")]
pub mod conformance;
pub(crate) mod event;
pub(crate) mod fanout;
pub(crate) mod lineage;
pub(crate) mod lookup;
pub(crate) mod record;
pub(crate) mod store;
