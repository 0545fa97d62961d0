//! What the relay has to send: the newest bytes of everything that came, in a circle in memory, and
//! in a file of the same length that sockets are given by reference.
//!
//! Both are laid out once and overwritten, since fresh pages cost more than the sends. A socket refers
//! to pages, not to what they held: nothing is overwritten that may still lie in one.

use std::io;
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use rustix::fs::sendfile;
use rustix::io::Errno;

use super::ring::Ring;
use crate::net::socket::{Moved, write};

/// So far a receiver may be behind before the relay gives up: a load with a window never gets there.
const LAG_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// More than the queues of both ends of a socket may hold (`tcp_wmem` and `tcp_rmem` in tcp(7)).
const SOCKET_BYTES_MAX: u64 = 48 * 1024 * 1024;

/// Bytes of the circle.
pub(super) const RING_BYTES: u64 = LAG_BYTES_MAX + SOCKET_BYTES_MAX;

/// What is shorter is copied: to refer to pages costs more than to copy a few.
const BY_REFERENCE_BYTES: usize = 16 * 1024;

/// With fewer receivers everything is copied: the bytes go into the file first, which is a copy, too.
const BY_REFERENCE_RECEIVERS: usize = 4;

/// The newest bytes of everything that came.
pub(super) struct Log {
    memory: Vec<u8>,
    file: Ring,
    /// Whether the file has everything before anybody gets it, and survives a loss of power.
    is_durable: bool,
    /// The file has what is before this.
    filed: u64,
    head: u64,
}

impl Log {
    pub(super) fn new(file: Ring, is_durable: bool) -> Self {
        Self { memory: vec![0; RING_BYTES as usize], file, is_durable, filed: 0, head: 0 }
    }

    /// The position behind the last byte.
    pub(super) fn head(&self) -> u64 {
        self.head
    }

    /// Appends; a durable log returns when the bytes survive a loss of power. `slowest` is the position
    /// of whoever is furthest behind.
    pub(super) fn append(&mut self, bytes: &[u8], slowest: u64) -> Result<()> {
        debug_assert!(slowest <= self.head, "nobody has what has not come");
        let lag = self.head + bytes.len() as u64 - slowest;
        ensure!(lag < LAG_BYTES_MAX, "a receiver is {lag} bytes behind");
        let mut rest = bytes;
        while !rest.is_empty() {
            let (offset, there) = self.file.place(self.head, rest.len());
            let offset = usize::try_from(offset)?;
            self.memory[offset..offset + there].copy_from_slice(&rest[..there]);
            self.head += there as u64;
            rest = &rest[there..];
        }
        if self.is_durable {
            self.file_all().context("cannot write what is to be durable")?;
            self.file.sync().context("cannot sync what is to be durable")?;
        }
        Ok(())
    }

    /// The file gets what it does not have.
    fn file_all(&mut self) -> io::Result<()> {
        // What is older is not asked for any more.
        self.filed = self.filed.max(self.head.saturating_sub(RING_BYTES));
        debug_assert!(self.filed <= self.head, "the file has nothing that has not come");
        while self.filed < self.head {
            let missing = usize::try_from(self.head - self.filed).map_err(io::Error::other)?;
            let (offset, there) = self.file.place(self.filed, missing);
            let from = usize::try_from(offset).map_err(io::Error::other)?;
            self.file.write(offset, &self.memory[from..from + there])?;
            self.filed += there as u64;
        }
        Ok(())
    }

    /// Sends as much as the socket takes of what follows `position`, which is one send, or two at the
    /// end of the circle; returns the position that was reached.
    pub(super) fn send(
        &mut self,
        socket: &TcpStream,
        mut position: u64,
        receivers: usize,
    ) -> io::Result<u64> {
        while position < self.head {
            match self.send_once(socket, position, receivers)? {
                Moved::Bytes(bytes) => position += bytes as u64,
                Moved::Nothing => break,
                Moved::Ended => return Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
        Ok(position)
    }

    fn send_once(
        &mut self,
        socket: &TcpStream,
        position: u64,
        receivers: usize,
    ) -> io::Result<Moved> {
        debug_assert!(self.head - position <= RING_BYTES, "what somebody lacks is not overwritten");
        let missing = usize::try_from(self.head - position).map_err(io::Error::other)?;
        let (mut offset, bytes) = self.file.place(position, missing);
        if receivers < BY_REFERENCE_RECEIVERS || missing < BY_REFERENCE_BYTES {
            let from = usize::try_from(offset).map_err(io::Error::other)?;
            return write(socket, &self.memory[from..from + bytes]);
        }
        self.file_all()?;
        match sendfile(socket, self.file.file(), Some(&mut offset), bytes) {
            Ok(0) => Ok(Moved::Ended),
            Ok(bytes) => Ok(Moved::Bytes(bytes)),
            Err(Errno::AGAIN) => Ok(Moved::Nothing),
            Err(error) => Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::TcpListener;

    use super::*;

    /// Two ends of a connection; the first does not wait.
    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        ours.set_nonblocking(true).unwrap();
        (ours, listener.accept().unwrap().0)
    }

    fn batch(turn: u64, bytes: usize) -> Vec<u8> {
        (0..bytes).map(|index| (index as u64 * 7 + turn * 31) as u8).collect()
    }

    /// Appends batches of several sizes; whoever reads slowly gets all of them.
    fn everything_arrives(mut log: Log, receivers: usize) {
        let (ours, theirs) = pair();
        let sizes = [1, 300, 20_000, 500_000, 17_000, 700_000, 5, 900_000, 16_384];
        let all: Vec<u8> = (0..).zip(sizes).flat_map(|(turn, bytes)| batch(turn, bytes)).collect();
        let wanted = all.len();
        let reader = std::thread::spawn(move || {
            let mut got = vec![0; wanted];
            (&theirs).read_exact(&mut got).map(|()| got)
        });
        let mut position = log.head();
        for (turn, bytes) in (0..).zip(sizes) {
            log.append(&batch(turn, bytes), position).unwrap();
            position = log.send(&ours, position, receivers).unwrap();
        }
        while position < log.head() {
            position = log.send(&ours, position, receivers).unwrap();
            std::thread::yield_now();
        }
        assert!(reader.join().unwrap().unwrap() == all);
    }

    /// One whose bytes are about to go over the end of the circle.
    fn near_its_end(file: Ring, is_durable: bool) -> Log {
        let end = 3 * RING_BYTES - 600_000;
        Log { head: end, filed: end, ..Log::new(file, is_durable) }
    }

    #[test]
    fn what_is_copied_arrives() {
        everything_arrives(near_its_end(Ring::in_memory(RING_BYTES).unwrap(), false), 1);
    }

    #[test]
    fn what_is_referred_to_arrives() {
        let ring = Ring::in_memory(RING_BYTES).unwrap();
        everything_arrives(near_its_end(ring, false), BY_REFERENCE_RECEIVERS);
    }

    #[test]
    fn what_was_written_to_disk_first_arrives() {
        let dir = tempfile::tempdir().unwrap();
        for receivers in [1, BY_REFERENCE_RECEIVERS] {
            let ring = Ring::on_disk(&dir.path().join("log"), RING_BYTES).unwrap();
            everything_arrives(near_its_end(ring, true), receivers);
        }
    }

    #[test]
    fn who_is_too_far_behind_is_told() {
        let mut log = Log::new(Ring::in_memory(RING_BYTES).unwrap(), false);
        let chunk = vec![1; 1 << 20];
        for _ in 0..100 {
            log.append(&chunk, log.head()).unwrap();
        }
        let slowest = log.head();
        let told = (0..100).find_map(|_| log.append(&chunk, slowest).err()).unwrap();
        assert!(told.to_string().contains("behind"), "{told}");
        assert!(log.head() - slowest < LAG_BYTES_MAX);
    }
}
