//! The client's side of chatd's protocol, as little of it as a load needs.

mod door;
mod key;
mod send;
mod talk;

pub(crate) use door::{Door, Follow, Guest, Visit};
pub(crate) use key::Key;
pub(crate) use send::{fresh_stream, send_template};
pub(crate) use talk::Talk;
