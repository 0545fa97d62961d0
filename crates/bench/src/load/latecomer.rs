//! Somebody who reads a log from its beginning while others talk in it.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use chat_proto::{LogId, Position, RequestId, Subscribe, encode_frame};

use crate::native::{BlockingConn, Key, receive_log};
use crate::net::framing::probe_reply;
use crate::net::socket::{Moved, write};

/// A reader of history.
pub(crate) struct Latecomer {
    socket: TcpStream,
    rest: Vec<u8>,
    seq: u64,
    head: u64,
    began: Instant,
    took: Option<Duration>,
}

impl Latecomer {
    /// Asks for everything of a log that has a head now.
    pub(crate) fn ask(
        address: std::net::SocketAddr,
        key: Arc<Key>,
        log: LogId,
        head: u64,
    ) -> Result<Self> {
        let (socket, rest) = BlockingConn::begin(address, key)?.into_socket()?;
        let mut bytes = Vec::new();
        let after = Some(Position::default());
        encode_frame(&Subscribe { log, after }, RequestId(4), &mut bytes)?;
        let written = write(&socket, &bytes)?;
        ensure!(written == Moved::Bytes(bytes.len()), "a fresh socket took {written:?}");
        Ok(Self { socket, rest, seq: 0, head, began: Instant::now(), took: None })
    }

    /// How long it took to reach the head; `None` while it is on the way.
    pub(crate) fn took(&self) -> Option<Duration> {
        self.took
    }

    pub(super) fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// There is something to read.
    pub(super) fn read_on(&mut self, buffer: &mut [u8]) -> Result<()> {
        if let Some(token) = receive_log(&self.socket, &mut self.rest, &mut self.seq, buffer)? {
            write(&self.socket, &probe_reply(token))?;
        }
        if self.seq >= self.head && self.took.is_none() {
            self.took = Some(self.began.elapsed());
        }
        Ok(())
    }
}
