//! The client's side of chatd's protocol, as little of it as a load needs.

mod door;
mod guest;
mod key;
mod send;
mod talk;

pub(crate) use door::{Door, Follow, Visit};
pub(crate) use guest::{Guest, hear_log};
pub(crate) use key::Key;
pub(crate) use send::{fresh_stream, send_template};
pub(crate) use talk::Talk;
