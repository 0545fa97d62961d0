//! Sockets of peers that were sent away: kept until the peer has read why.
//!
//! A socket that is closed with unread bytes, or that gets some later, is reset, and what was written
//! to it is lost. So the last word is said, and what comes is read for a while.

use std::collections::VecDeque;
use std::io::ErrorKind;

use crate::socket::Socket;

/// How many a daemon keeps; for one more, the first has to go.
const LINGERING_MAX: usize = 16;

/// For how many ticks.
const TICKS: u8 = 3;

/// Reads of one look: a peer that sends for ever is not listened to for ever.
const READS_MAX: usize = 4;

/// Those who are on their way out.
#[derive(Debug)]
pub(super) struct LingeringSockets {
    max: usize,
    sockets: VecDeque<(Socket, u8)>,
}

impl LingeringSockets {
    pub(super) fn of_one_in(reactors: usize) -> Self {
        Self { max: (LINGERING_MAX / reactors.max(1)).max(1), sockets: VecDeque::new() }
    }

    /// Tells a peer why it has to go, in these words.
    pub(super) fn send_away(&mut self, socket: Socket, words: &[u8], buffer: &mut [u8]) {
        // A fresh socket takes one small frame at once; one that does not is closed all the same.
        let told = socket.write(&std::iter::once(words));
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
        match socket.read_now(buffer) {
            Ok(1..) => {}
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
            Ok(0) => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;
    use crate::notices::full;

    async fn connected(listener: &TcpListener) -> (Socket, TcpStream) {
        let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Socket::Tcp(listener.accept().await.unwrap().0), peer)
    }

    #[tokio::test]
    async fn who_has_spoken_already_reads_why_he_is_sent_away() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (ours, mut peer) = connected(&listener).await;
        peer.write_all(b"spoken before").await.unwrap();
        let (mut lingering, mut buffer) = (LingeringSockets::of_one_in(1), [0; 64]);
        lingering.send_away(ours, &full().frame(), &mut buffer);
        peer.write_all(b"spoken after").await.unwrap();
        for _ in 0..TICKS {
            assert_eq!(lingering.sockets.len(), 1);
            lingering.tick(&mut buffer);
            // The runtime has its turn, as between any two ticks.
            tokio::task::yield_now().await;
        }
        assert!(lingering.sockets.is_empty());
        let mut heard = Vec::new();
        peer.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, full().frame());
    }

    #[tokio::test]
    async fn who_has_to_make_room_is_not_reset_even_if_the_runtime_had_no_turn() {
        const POPPED: usize = 3;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut lingering = LingeringSockets::of_one_in(1);
        let mut peers = Vec::new();
        for _ in 0..LINGERING_MAX + POPPED {
            let mut peer = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            Write::write_all(&mut peer, b"spoken before").unwrap();
            peers.push(peer);
            // Nothing is awaited here: the runtime has not looked at the socket.
            let (ours, _from) = listener.accept().unwrap();
            ours.set_nonblocking(true).unwrap();
            let ours = Socket::Tcp(TcpStream::from_std(ours).unwrap());
            lingering.send_away(ours, &full().frame(), &mut [0; 64]);
        }
        for mut peer in peers.drain(..POPPED) {
            let mut heard = Vec::new();
            Read::read_to_end(&mut peer, &mut heard).unwrap();
            assert_eq!(heard, full().frame());
            // What was under way when a reset came would be lost.
            assert!(peer.take_error().unwrap().is_none(), "the peer was reset");
        }
    }

    #[tokio::test]
    async fn those_on_their_way_out_are_few() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (mut lingering, mut peers) = (LingeringSockets::of_one_in(2), Vec::new());
        for _ in 0..LINGERING_MAX + 3 {
            let (ours, peer) = connected(&listener).await;
            peers.push(peer);
            lingering.send_away(ours, &full().frame(), &mut [0; 64]);
        }
        assert_eq!(lingering.sockets.len(), LINGERING_MAX / 2);
    }
}
