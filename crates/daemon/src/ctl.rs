//! The operator's way in: `chatd ctl` at the Unix socket.
//!
//! Whoever runs the daemon, and root, is its operator. That is known of a connection to the Unix socket
//! alone, from the system, so nothing is proved and nothing is kept secret here. Lines of JSON go both
//! ways: one request, one answer, as `docs/OPERATING.md` says.
//!
//! A verb is added in three places: what can be said in [`verb`], what the daemon does with it in
//! `carry_out`, and its words in `docs/OPERATING.md`. The command line, the bytes and the tables that
//! people read follow from the first.

mod accounts;
mod answer;
mod audit;
mod authorized_key;
mod carry_out;
pub mod cli;
mod client;
mod conversation;
mod inviting;
mod operator;
mod prepare;
mod service;
mod status;
mod table;
mod token;
pub mod verb;

pub use answer::{Answer, ErrorKind, Page, Record};
pub(crate) use inviting::NewTerms;
pub(crate) use operator::{Operator, OperatorReplies};
pub(crate) use service::{CtlProtocol, ctl_protocol};

/// With what a connection begins that is the operator's; a request follows in the same line.
pub const OPENING: &[u8] = b"chatctl/1 ";

/// Bytes of a request, with the end of its line.
pub const REQUEST_BYTES_MAX: usize = 64 * 1024;

/// Bytes of an answer, with the end of its line.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;
