//! What the tests of whole processes share.

pub mod history;
pub mod process;
pub mod pty;
pub mod raw;
pub mod truth;
