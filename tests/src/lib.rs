//! What the tests of whole processes share.

pub mod crowd;
pub mod history;
pub mod log;
pub mod process;
pub mod pty;
pub mod raw;
pub mod tls;
pub mod truth;
