//! A socket whose first bytes are looked at: whether the other end speaks TLS at all.
//!
//! A daemon that has no place for one more answers with a frame of its own. That is kept, so that it can
//! be told.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use chat_proto::frame_end;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What is kept of an answer that is not TLS.
const KEPT_BYTES_MAX: usize = 1024;

/// So many bytes tell: the kind of a record and its version (RFC 8446, section 5.1). In a frame of chatd
/// the third is 0.
const TELLING_BYTES: usize = 3;

/// The kinds of records that a server may begin with: an alert, or its part of the handshake.
const RECORD_KINDS: [u8; 2] = [0x15, 0x16];

/// The other end does not speak TLS: what it has said.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("what answers does not speak TLS")]
pub(crate) struct NoTls(pub(crate) Vec<u8>);

/// A socket, and what it began with.
#[derive(Debug)]
pub(crate) struct FirstBytes<S> {
    socket: S,
    /// What has come and was not passed on.
    first: Vec<u8>,
    is_tls: bool,
}

impl<S> FirstBytes<S> {
    pub(super) fn of(socket: S) -> Self {
        Self { socket, first: Vec::new(), is_tls: false }
    }

    /// What is to be passed on goes before anything new.
    fn pass_on(&mut self, into: &mut ReadBuf<'_>) {
        let fits = self.first.len().min(into.remaining());
        into.put_slice(&self.first[..fits]);
        self.first.drain(..fits);
        if self.first.is_empty() {
            self.first = Vec::new();
        }
    }
}

/// Whether these are the first bytes of a record.
fn is_record(first: &[u8]) -> bool {
    matches!(first, [kind, 3, minor, ..] if RECORD_KINDS.contains(kind) && *minor != 0)
}

/// Whether nothing more need come of an answer that is not TLS: it is a whole frame, or none at all.
fn is_told(first: &[u8]) -> bool {
    first.len() == KEPT_BYTES_MAX
        || frame_end(first, 0).is_some_and(|end| end <= first.len() || end > KEPT_BYTES_MAX)
}

impl<S: AsyncRead + Unpin> AsyncRead for FirstBytes<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        while !this.is_tls {
            let mut buffer = [0; KEPT_BYTES_MAX];
            let mut read = ReadBuf::new(&mut buffer[this.first.len()..]);
            ready!(Pin::new(&mut this.socket).poll_read(cx, &mut read))?;
            let is_end = read.filled().is_empty();
            this.first.extend_from_slice(read.filled());
            if this.first.is_empty() {
                return Poll::Ready(Ok(()));
            }
            this.is_tls = is_record(&this.first);
            let is_undecided = this.first.len() < TELLING_BYTES;
            if !this.is_tls && (is_end || !is_undecided && is_told(&this.first)) {
                let said = std::mem::take(&mut this.first);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, NoTls(said))));
            }
        }
        if this.first.is_empty() {
            return Pin::new(&mut this.socket).poll_read(cx, into);
        }
        this.pass_on(into);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for FirstBytes<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().socket).poll_write(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use chat_proto::{Close, CloseReason, RequestId, encode_frame};
    use tokio::io::AsyncReadExt;

    use super::*;

    async fn read(answer: &[u8]) -> Result<Vec<u8>, NoTls> {
        let mut read = Vec::new();
        let ended = FirstBytes::of(answer).read_to_end(&mut read).await;
        let no_tls = |error: io::Error| {
            let inner = error.into_inner().expect("it says what came");
            inner.downcast::<NoTls>().map(|no_tls| *no_tls).expect("it is no other fault")
        };
        ended.map(|_bytes| read).map_err(no_tls)
    }

    #[tokio::test]
    async fn records_are_passed_on_and_what_is_none_is_told() {
        let close = Close::new(CloseReason::Full, "come back");
        let mut frame = Vec::new();
        encode_frame(&close, RequestId(0), &mut frame).unwrap();
        for record in [&b"\x16\x03\x03\x00\x7a\x02"[..], b"\x15\x03\x01\x00\x02\x02\x46", b""] {
            assert_eq!(read(record).await.as_deref(), Ok(record));
        }
        let mut of_a_kind = frame.clone();
        of_a_kind[..2].copy_from_slice(&[0x16, 3]);
        for other in [&frame[..], &of_a_kind, b"SSH-2.0-OpenSSH_9.9\r\n", b"\x16\x03", b"x"] {
            assert_eq!(read(other).await, Err(NoTls(other.to_vec())));
        }
    }

    #[tokio::test]
    async fn nobody_waits_for_the_end_of_an_answer_that_is_no_frame() {
        let (mut theirs, ours) = tokio::io::duplex(64);
        tokio::io::AsyncWriteExt::write_all(&mut theirs, b"220 mail\r\n").await.unwrap();
        let mut ours = FirstBytes::of(ours);
        let told = tokio::time::timeout(std::time::Duration::from_secs(60), ours.read_u8()).await;
        assert!(told.expect("it is told at once").is_err());
        drop(theirs);
    }
}
