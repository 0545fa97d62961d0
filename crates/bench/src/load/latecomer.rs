//! Somebody who reads a log from its beginning while others talk in it.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use chat_proto::{LogId, Position, RequestId, Subscribe, encode_frame};

use crate::native::{Key, Talk};
use crate::net::framing::Framing;
use crate::net::socket::{Moved, read, write};

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
        let (socket, rest) = Talk::begin(address, key)?.into_socket()?;
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
        let kept = self.rest.len();
        buffer[..kept].copy_from_slice(&self.rest);
        self.rest.clear();
        let bytes = match read(&self.socket, &mut buffer[kept..])? {
            Moved::Bytes(bytes) => kept + bytes,
            Moved::Nothing => kept,
            Moved::Ended => bail!("the latecomer was cut off"),
        };
        let seq = &mut self.seq;
        let whole = Framing::Native { text_bytes: 0 }.walk(&buffer[..bytes], |event| {
            let found = event.place.map_or(*seq + 1, |(_log, found)| found);
            ensure!(found == *seq + 1, "event {found} came after {seq}");
            *seq = found;
            Ok(())
        })?;
        self.rest.extend_from_slice(&buffer[whole..bytes]);
        if self.seq >= self.head && self.took.is_none() {
            self.took = Some(self.began.elapsed());
        }
        Ok(())
    }
}
