//! Sockets and what goes over them: readiness, frames, the texts of messages. Knows no server.

pub(crate) mod acks;
pub(crate) mod framing;
pub(crate) mod poll;
pub(crate) mod socket;
pub(crate) mod template;
