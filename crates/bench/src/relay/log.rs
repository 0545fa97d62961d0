//! What the relay has to send: bytes from a position on, in memory, and in files that sockets are
//! given by reference.
//!
//! Nothing that was handed to a socket by reference is ever changed: a socket refers to pages, not
//! to what they held.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::net::TcpStream;

use anyhow::{Context, Result, ensure};
use rustix::fs::{MemfdFlags, memfd_create, sendfile};
use rustix::io::Errno;

use super::disk::Disk;
use crate::net::socket::{Moved, write};

/// A segment that has so many bytes gets no more.
const SEGMENT_BYTES: usize = 1024 * 1024;

/// So far a receiver may be behind before the relay gives up: a load with a window never gets there.
pub(super) const LAG_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What is shorter is copied: to refer to pages costs more than to copy a few.
const BY_REFERENCE_BYTES: usize = 16 * 1024;

/// With fewer receivers everything is copied: the bytes go into the file first, which is a copy, too.
const BY_REFERENCE_RECEIVERS: usize = 4;

/// The newest bytes of everything that came.
pub(super) struct Log {
    segments: VecDeque<Segment>,
    disk: Option<Disk>,
    head: u64,
}

struct Segment {
    start: u64,
    bytes: Vec<u8>,
    /// The first of the bytes once more, for those who get them by reference.
    mirror: Option<Mirror>,
}

struct Mirror {
    file: File,
    bytes: usize,
}

impl Log {
    pub(super) fn new(disk: Option<Disk>) -> Self {
        Self { segments: VecDeque::new(), disk, head: 0 }
    }

    /// The position behind the last byte.
    pub(super) fn head(&self) -> u64 {
        self.head
    }

    /// Appends; with a disk it returns when the bytes survive a loss of power. `slowest` tells the
    /// position of whoever is furthest behind.
    pub(super) fn append(&mut self, bytes: &[u8], slowest: impl FnOnce() -> u64) -> Result<()> {
        if let Some(disk) = &self.disk {
            disk.write(self.head, bytes).context("cannot write what is to be durable")?;
        }
        match self.segments.back_mut() {
            Some(last) if last.bytes.len() < SEGMENT_BYTES => last.bytes.extend_from_slice(bytes),
            _ => {
                self.let_go(slowest())?;
                let mut fresh = Vec::with_capacity(SEGMENT_BYTES + bytes.len());
                fresh.extend_from_slice(bytes);
                self.segments.push_back(Segment { start: self.head, bytes: fresh, mirror: None });
            }
        }
        self.head += bytes.len() as u64;
        Ok(())
    }

    /// Drops what everybody has.
    fn let_go(&mut self, slowest: u64) -> Result<()> {
        let lag = self.head - slowest;
        ensure!(lag < LAG_BYTES_MAX, "a receiver is {lag} bytes behind");
        while self.segments.front().is_some_and(|first| first.end() <= slowest) {
            self.segments.pop_front();
        }
        Ok(())
    }

    /// Sends as much as the socket takes of what follows `position`, which is one send where nobody
    /// is behind; returns the position that was reached.
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
        let holds = |segment: &Segment| segment.end() <= position;
        let index = self.segments.partition_point(holds);
        let segment = self.segments.get_mut(index).ok_or(io::ErrorKind::NotFound)?;
        let from = usize::try_from(position - segment.start).map_err(io::Error::other)?;
        let bytes = segment.bytes.len() - from;
        if receivers < BY_REFERENCE_RECEIVERS || bytes < BY_REFERENCE_BYTES {
            return write(socket, &segment.bytes[from..]);
        }
        let sent = match &self.disk {
            Some(disk) => {
                let (mut offset, bytes) = disk.place(position, bytes);
                sendfile(socket, disk.file(), Some(&mut offset), bytes)
            }
            None => {
                let (file, mut offset) = (segment.mirror()?, from as u64);
                sendfile(socket, file, Some(&mut offset), bytes)
            }
        };
        match sent {
            Ok(0) => Ok(Moved::Ended),
            Ok(bytes) => Ok(Moved::Bytes(bytes)),
            Err(Errno::AGAIN) => Ok(Moved::Nothing),
            Err(error) => Err(error.into()),
        }
    }
}

impl Segment {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// The file that has all of the bytes.
    fn mirror(&mut self) -> io::Result<&File> {
        use std::os::unix::fs::FileExt;

        let mirror = match &mut self.mirror {
            Some(mirror) => mirror,
            none => {
                let file = memfd_create("chat-bench-relay", MemfdFlags::CLOEXEC)?.into();
                none.insert(Mirror { file, bytes: 0 })
            }
        };
        if mirror.bytes < self.bytes.len() {
            mirror.file.write_all_at(&self.bytes[mirror.bytes..], mirror.bytes as u64)?;
            mirror.bytes = self.bytes.len();
        }
        Ok(&mirror.file)
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
            log.append(&batch(turn, bytes), || position).unwrap();
            position = log.send(&ours, position, receivers).unwrap();
        }
        while position < log.head() {
            position = log.send(&ours, position, receivers).unwrap();
            std::thread::yield_now();
        }
        assert!(reader.join().unwrap().unwrap() == all);
    }

    #[test]
    fn what_is_copied_arrives() {
        everything_arrives(Log::new(None), 1);
    }

    #[test]
    fn what_is_referred_to_arrives() {
        everything_arrives(Log::new(None), BY_REFERENCE_RECEIVERS);
    }

    #[test]
    fn what_was_written_to_disk_first_arrives() {
        let dir = tempfile::tempdir().unwrap();
        for receivers in [1, BY_REFERENCE_RECEIVERS] {
            let disk = Disk::create(&dir.path().join("log"), 4 << 20).unwrap();
            // What comes goes over the end of the file.
            let log = Log { head: (4 << 20) - 600_000, ..Log::new(Some(disk)) };
            everything_arrives(log, receivers);
        }
    }

    #[test]
    fn what_everybody_has_is_let_go_and_who_is_too_far_behind_is_told() {
        let mut log = Log::new(None);
        let chunk = vec![1; SEGMENT_BYTES];
        for _ in 0..10 {
            let head = log.head();
            log.append(&chunk, || head).unwrap();
        }
        assert_eq!(log.segments.len(), 1);
        let told = (0..=LAG_BYTES_MAX / SEGMENT_BYTES as u64)
            .find_map(|_| log.append(&chunk, || 0).err())
            .unwrap();
        assert!(told.to_string().contains("behind"), "{told}");
    }
}
