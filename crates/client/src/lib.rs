//! The client library of chatd.
//!
//! Owns what every client of the daemon needs, whatever it looks like. [`outbox`] and [`resume`]
//! are sans-IO and carry the promises. It must not know about terminals.

pub mod outbox;
pub mod resume;
