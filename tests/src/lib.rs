//! What the tests of whole processes share.

pub mod process;
pub mod raw;
