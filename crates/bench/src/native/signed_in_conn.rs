//! A signed-in connection that takes what comes.

use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use chat_proto::SignedIn;

use crate::net::framing::{Framing, probe_reply};
use crate::net::socket::{Moved, read, write};

/// A connection behind its handshake. With a position to resume after, it has everything up to the
/// head of that moment.
#[derive(Debug)]
pub(crate) struct SignedInConn {
    pub(crate) socket: TcpStream,
    /// What has come and was not looked at.
    pub(crate) rest: Vec<u8>,
    pub(crate) signed_in: SignedIn,
    pub(crate) seq: u64,
    /// From the beginning of connecting.
    pub(crate) took: Duration,
}

impl SignedInConn {
    /// Takes what has come; returns how many events of the one log were new.
    ///
    /// # Errors
    /// When one is missing, doubled or out of order.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Result<u64> {
        let before = self.seq;
        if let Some(token) = receive_log(&self.socket, &mut self.rest, &mut self.seq, buffer)? {
            // Nothing else is said here by now: there is room.
            write(&self.socket, &probe_reply(token))?;
        }
        Ok(self.seq - before)
    }
}

/// Takes what has come of one log, behind `seq`; returns the token of the last probe in it, which is
/// to be answered.
///
/// # Errors
/// When an event is missing, doubled or out of order, or the connection has ended.
pub(crate) fn receive_log(
    socket: &TcpStream,
    rest: &mut Vec<u8>,
    seq: &mut u64,
    buffer: &mut [u8],
) -> Result<Option<u64>> {
    let kept = rest.len();
    debug_assert!(kept < buffer.len(), "there is room behind what was left");
    buffer[..kept].copy_from_slice(rest);
    rest.clear();
    let bytes = match read(socket, &mut buffer[kept..])? {
        Moved::Bytes(bytes) => kept + bytes,
        Moved::Nothing => kept,
        Moved::Ended => bail!("a connection that is read on was cut off"),
    };
    let mut probe = None;
    let whole = Framing::Native { text_bytes: 0 }.walk(&buffer[..bytes], |event| {
        probe = event.probe.or(probe);
        let Some((_log, found)) = event.place else { return Ok(()) };
        ensure!(found == *seq + 1, "event {found} came after {seq}");
        *seq = found;
        Ok(())
    })?;
    rest.extend_from_slice(&buffer[whole..bytes]);
    Ok(probe)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use chat_proto::{
        AccountId, Body, Epoch, Joined, RequestId, RoomId, Seq, Timestamp, encode_frame,
    };

    use super::*;

    fn joined(seq: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let (room, ts, account) = (RoomId(3), Timestamp(1), AccountId(seq));
        encode(&Joined { room, seq: Seq(seq), ts, account }, &mut bytes);
        bytes
    }

    fn encode(body: &impl Body, bytes: &mut Vec<u8>) {
        encode_frame(body, RequestId(0), bytes).unwrap();
    }

    fn conn(seq: u64) -> (SignedInConn, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let theirs = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let socket = listener.accept().unwrap().0;
        let (account, epoch) = (AccountId(1), Epoch(1));
        let signed_in = SignedIn { account, name: "ada".to_owned(), epoch, head: Seq(0) };
        (SignedInConn { socket, rest: Vec::new(), signed_in, seq, took: Duration::ZERO }, theirs)
    }

    #[test]
    fn who_stays_gets_each_event_once() {
        let (mut conn, mut server) = conn(6);
        let mut buffer = vec![0; 4096];
        let bytes = [joined(7), joined(8)].concat();
        conn.rest.extend_from_slice(&bytes[..10]);
        server.write_all(&bytes[10..]).unwrap();
        assert_eq!(conn.receive(&mut buffer).unwrap(), 2);
        assert_eq!((conn.seq, conn.rest.len()), (8, 0));
        server.write_all(&joined(10)).unwrap();
        let told = conn.receive(&mut buffer).unwrap_err().to_string();
        assert!(told.contains("event 10 came after 8"), "{told}");
    }
}
