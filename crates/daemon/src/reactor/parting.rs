//! Sockets of peers that were sent away: kept until the peer has read why.
//!
//! A socket that is closed with unread bytes, or that gets some later, is reset, and what was written
//! to it is lost. So the last word is said, and what comes is read for a while.

use std::collections::VecDeque;

use chat_core::Closing;

use super::Socket;

/// How many a daemon keeps; for one more, the first has to go.
const PARTING_MAX: usize = 16;

/// For how many ticks.
const TICKS: u8 = 3;

/// Reads of one look: a peer that sends for ever is not listened to for ever.
const READS_MAX: usize = 4;

/// Those who are on their way out.
#[derive(Debug)]
pub(super) struct Parting {
    max: usize,
    sockets: VecDeque<(Socket, u8)>,
}

impl Parting {
    pub(super) fn of_one_in(reactors: usize) -> Self {
        Self { max: (PARTING_MAX / reactors.max(1)).max(1), sockets: VecDeque::new() }
    }

    /// Tells a peer why it has to go.
    pub(super) fn send_away(&mut self, socket: Socket, why: &Closing, buffer: &mut [u8]) {
        // A fresh socket takes one small frame at once; one that does not is closed all the same.
        let told = socket.write(std::iter::once(&why.frame()[..]));
        if told.is_err() || socket.say_last_word().is_err() {
            tracing::debug!("a peer that was sent away is already gone");
            return;
        }
        if self.sockets.len() >= self.max
            && let Some((first, _ticks)) = self.sockets.pop_front()
        {
            is_there(&first, buffer);
        }
        if is_there(&socket, buffer) {
            self.sockets.push_back((socket, 0));
        }
    }

    /// A second has passed.
    pub(super) fn tick(&mut self, buffer: &mut [u8]) {
        self.sockets.retain_mut(|(socket, ticks)| {
            *ticks += 1;
            is_there(socket, buffer) && *ticks < TICKS
        });
    }
}

/// Reads what has come, and tells whether more may come.
fn is_there(socket: &Socket, buffer: &mut [u8]) -> bool {
    for _ in 0..READS_MAX {
        match socket.read(buffer) {
            Ok(Some(1..)) => {}
            Ok(None) => return true,
            Ok(Some(0)) | Err(_) => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::OwnedFd;

    use super::*;
    use crate::reactor::places::full;

    #[test]
    fn who_has_spoken_already_reads_why_he_is_sent_away() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut peer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (ours, _from) = listener.accept().unwrap();
        ours.set_nonblocking(true).unwrap();
        peer.write_all(b"spoken before").unwrap();
        let (mut parting, mut buffer) = (Parting::of_one_in(1), [0; 64]);
        parting.send_away(Socket::new(OwnedFd::from(ours)), &full(), &mut buffer);
        peer.write_all(b"spoken after").unwrap();
        for _ in 0..TICKS {
            assert_eq!(parting.sockets.len(), 1);
            parting.tick(&mut buffer);
        }
        assert!(parting.sockets.is_empty());
        let mut heard = Vec::new();
        peer.read_to_end(&mut heard).unwrap();
        assert_eq!(heard, full().frame());
    }

    #[test]
    fn those_on_their_way_out_are_few() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (mut parting, mut peers) = (Parting::of_one_in(2), Vec::new());
        for _ in 0..PARTING_MAX + 3 {
            peers.push(TcpStream::connect(listener.local_addr().unwrap()).unwrap());
            let (ours, _from) = listener.accept().unwrap();
            ours.set_nonblocking(true).unwrap();
            parting.send_away(Socket::new(OwnedFd::from(ours)), &full(), &mut [0; 64]);
        }
        assert_eq!(parting.sockets.len(), PARTING_MAX / 2);
    }
}
