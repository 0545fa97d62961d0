//! The client's side of chatd's protocol, as little of it as a load needs.

mod blocking_conn;
mod connector;
mod key;
mod send;
mod signed_in_conn;

pub(crate) use blocking_conn::BlockingConn;
pub(crate) use connector::{ConnectPlan, Connector, Follow};
pub(crate) use key::Key;
pub(crate) use send::{fresh_stream, send_template};
pub(crate) use signed_in_conn::{SignedInConn, receive_log};
