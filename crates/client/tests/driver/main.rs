//! The driver against a daemon whose every word the test chooses, over real sockets.

mod fake;
mod following;
mod handshake;
mod sending;
mod timing;
