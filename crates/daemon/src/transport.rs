//! What a connection's bytes go through: a socket, and TLS on it where the peer has begun with that.
//!
//! It must not know what the bytes mean, nor when they are asked for.

use std::io;
use std::task::{Context, Poll, ready};

use chat_proto::ChannelBinding;

use crate::socket::Socket;
use crate::tails::MemfdSlice;
use crate::tls::{TlsAcceptor, TlsBuffers, TlsFault, TlsStream};

/// A socket, and what is spoken on it.
#[derive(Debug)]
pub(crate) struct Transport {
    socket: Socket,
    tls: Option<Box<TlsStream>>,
}

/// What one write came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Sent {
    /// How many of the bytes that were offered need not be offered again.
    pub(crate) taken: usize,
    /// The socket takes no more for now.
    pub(crate) is_full: bool,
}

/// What one read brought.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Received {
    /// How many bytes came from the socket; 0 at the end of the stream.
    pub(crate) bytes: usize,
    /// How many there are in the buffer, with those that were kept in front of them.
    pub(crate) with_kept: usize,
}

impl From<Socket> for Transport {
    fn from(socket: Socket) -> Self {
        Self { socket, tls: None }
    }
}

impl Transport {
    /// Whether the peer has begun with TLS.
    pub(crate) fn is_tls(&self) -> bool {
        self.tls.is_some()
    }

    /// What both ends sign of the channel.
    pub(crate) fn binding(&self) -> Option<ChannelBinding> {
        self.tls.as_ref()?.binding()
    }

    /// Whether something may be said: not before the handshake of TLS is over.
    pub(crate) fn may_speak(&self) -> bool {
        self.tls.as_ref().is_none_or(|tls| tls.is_established())
    }

    /// Whether the peer has said in TLS that nothing more comes.
    pub(crate) fn peer_has_closed(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.peer_has_closed())
    }

    /// Whether TLS has ended with a fault: nothing can be said any more, but what is pending.
    pub(crate) fn is_broken(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| tls.is_broken())
    }

    /// Lets go of half a record. Nothing can be read or said any more.
    pub(crate) fn abandon_tls(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.abandon();
        }
    }

    /// How many bytes are taken at once, where it is not as many as the socket takes.
    pub(crate) fn send_bytes_max(&self) -> Option<usize> {
        self.tls.as_ref().map(|tls| tls.sealed_bytes_max())
    }

    /// How much is kept of what was read.
    pub(crate) fn kept_bytes(&self) -> usize {
        self.tls.as_ref().map_or(0, |tls| tls.kept_bytes())
    }

    /// The peer has begun with TLS: these are its first bytes. What it says in them is in the shared
    /// buffer.
    pub(crate) fn begin_tls(
        &mut self,
        acceptor: &TlsAcceptor,
        first: &[u8],
        buffers: &mut TlsBuffers,
    ) -> Result<(), TlsFault> {
        debug_assert!(self.tls.is_none(), "there is no TLS in TLS");
        let tls = self.tls.insert(Box::new(acceptor.begin()?));
        tls.open(&mut first.to_vec(), buffers)
    }

    /// Reads what has come behind what was kept, at most `room` bytes. Pending when nothing has; the
    /// waker is woken when something does.
    pub(crate) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        room: usize,
        buffer: &mut [u8],
    ) -> Poll<io::Result<Received>> {
        let kept = self.tls.as_mut().map(|tls| tls.take_kept()).unwrap_or_default();
        let begin = kept.len();
        buffer[..begin].copy_from_slice(&kept);
        let room = room.min(buffer.len() - begin);
        debug_assert!(room > 0, "half a record leaves room for the other half");
        let read = self.socket.poll_read(cx, &mut buffer[begin..begin + room]);
        if !matches!(read, Poll::Ready(Ok(1..)))
            && let Some(tls) = &mut self.tls
        {
            tls.keep(kept);
        }
        let bytes = ready!(read)?;
        Poll::Ready(Ok(Received { bytes, with_kept: begin + bytes }))
    }

    /// What the peer says in what was read: the same, or what TLS makes of it.
    pub(crate) fn open<'a>(
        &mut self,
        read: &'a mut [u8],
        buffers: &'a mut TlsBuffers,
    ) -> Result<&'a [u8], TlsFault> {
        match &mut self.tls {
            None => Ok(read),
            Some(tls) => {
                tls.open(read, buffers)?;
                Ok(&buffers.plain)
            }
        }
    }

    /// Reads what nobody wants any more: 0 at the end of the stream.
    pub(crate) fn poll_discard(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.socket.poll_read(cx, buffer)
    }

    /// Whether there is something to read. If not, the waker is woken when there is.
    pub(crate) fn is_readable(&self, cx: &mut Context<'_>) -> bool {
        self.socket.is_readable(cx)
    }

    /// Whether the socket may take something. If not, the waker is woken when it does.
    pub(crate) fn is_writable(&self, cx: &mut Context<'_>) -> bool {
        self.socket.is_writable(cx)
    }

    /// The socket was full. The waker is woken when it takes more; `true` when it does already.
    pub(crate) fn was_full(&self, cx: &mut Context<'_>) -> bool {
        self.socket.was_full(cx)
    }

    /// Whether something is encrypted that the socket has not taken.
    pub(crate) fn has_pending(&self) -> bool {
        self.tls.as_ref().is_some_and(|tls| !tls.pending().is_empty())
    }

    /// Writes what is pending, all of which was taken before.
    pub(crate) fn flush(&mut self) -> io::Result<Sent> {
        if let Some(tls) = &mut self.tls {
            let written = self.socket.write(&std::iter::once(tls.pending()))?;
            tls.took(written);
        }
        Ok(Sent { taken: 0, is_full: self.has_pending() })
    }

    /// Writes what the peer takes now of these bytes, `offered` in all. With TLS, only once nothing is
    /// pending.
    pub(crate) fn send<'a>(
        &mut self,
        slices: impl Iterator<Item = &'a [u8]> + Clone,
        offered: usize,
        buffers: &mut TlsBuffers,
    ) -> io::Result<Sent> {
        let Some(tls) = &mut self.tls else {
            let taken = self.socket.write(&slices)?;
            return Ok(Sent { taken, is_full: taken < offered });
        };
        buffers.plain.clear();
        let mut room = tls.sealed_bytes_max();
        for slice in slices {
            let fits = &slice[..slice.len().min(room)];
            buffers.plain.extend_from_slice(fits);
            room -= fits.len();
            if room == 0 {
                break;
            }
        }
        tls.seal(buffers).map_err(io::Error::other)?;
        let written = self.socket.write(&std::iter::once(&buffers.sealed[..]))?;
        let is_full = written < buffers.sealed.len();
        match is_full {
            true => tls.keep_pending(&buffers.sealed[written..]),
            false => tls.took_all(),
        }
        // What is encrypted is on its way.
        Ok(Sent { taken: buffers.plain.len(), is_full })
    }

    /// Writes what lies in a file, as far as the peer takes it now. Not with TLS, which has to see it.
    pub(crate) fn send_file(&self, from: &MemfdSlice) -> io::Result<Sent> {
        debug_assert!(!self.is_tls(), "it would not be encrypted");
        let taken = self.socket.send_file(from)?;
        Ok(Sent { taken, is_full: taken < from.bytes })
    }

    /// Says in TLS that nothing more comes. Whether that is pending now.
    pub(crate) fn close(&mut self) -> bool {
        self.tls.as_mut().is_some_and(|tls| tls.close())
    }

    /// Says that nothing more comes.
    pub(crate) fn say_last_word(&self) -> io::Result<()> {
        self.socket.say_last_word()
    }

    /// The socket alone: nobody has begun with TLS.
    pub(crate) fn into_plain(self) -> Option<Socket> {
        self.tls.is_none().then_some(self.socket)
    }

    /// The socket, and the last word to write on it: `frame`, as the peer reads it.
    pub(crate) fn into_farewell(mut self, frame: Vec<u8>) -> (Socket, Vec<u8>) {
        let Some(tls) = &mut self.tls else { return (self.socket, frame) };
        let mut buffers = TlsBuffers { plain: frame, sealed: Vec::new() };
        let mut words = tls.pending().to_vec();
        tls.took(words.len());
        if tls.is_established() && tls.seal(&mut buffers).is_ok() {
            words.append(&mut buffers.sealed);
            if tls.close() {
                words.extend_from_slice(tls.pending());
            }
        }
        (self.socket, words)
    }
}
