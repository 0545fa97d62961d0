//! The driver against a daemon whose every word the test chooses, over real sockets.
#![allow(clippy::unwrap_used, reason = "a test may panic")]
#![allow(clippy::wildcard_enum_match_arm, reason = "a test waits for one kind of event of many")]

mod broken;
mod catching_up;
mod cost;
mod fake;
mod following;
mod handshake;
mod listing;
mod naming;
mod orders;
mod restored;
mod seeded;
mod sending;
mod timing;
