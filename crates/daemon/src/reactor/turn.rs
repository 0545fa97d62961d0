//! A connection's turn: what it is given, and what comes of it.

use chat_core::{Admission, DiskRead};
use chat_proto::LogId;

use super::turn_batch::TurnBatch;
use crate::live::Counts;
use crate::protocols::{ProtocolId, Protocols};
use crate::tls::{TlsAcceptor, TlsBuffers};

/// What a turn of any connection needs of its reactor.
pub(super) struct TurnContext<'a> {
    pub(super) parse: ParseContext<'a>,
    pub(super) buffer: &'a mut [u8],
    pub(super) tls: &'a mut TlsBuffers,
    /// How much of it one read may fill.
    pub(super) read_bytes: usize,
    pub(super) is_draining: bool,
    pub(super) counts: &'a mut Counts,
}

/// What it takes to understand what a peer has said.
pub(super) struct ParseContext<'a> {
    pub(super) admission: &'a Admission,
    pub(super) protocols: &'a Protocols,
    pub(super) acceptor: &'a TlsAcceptor,
    /// What is asked.
    pub(super) batch: &'a mut TurnBatch,
}

/// How a turn ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Progress {
    /// Nothing more is to be done now.
    Done,
    /// There is more; others come first.
    Again,
    /// It has asked all that it may in a turn, in the middle of what it has said.
    Interrupted,
    /// Events of a log are to be read from disk; then there is more.
    ReadDisk(DiskRead),
    /// The proxy has told whose connection it is.
    Arrived,
    /// It speaks a protocol of somebody else, who takes its socket.
    HandOver(ProtocolId),
    /// It is over.
    Gone,
}

/// A log that a connection began or ceased to follow.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Followed {
    From(LogId),
    NoMore(LogId),
}
