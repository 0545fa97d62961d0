//! The state of the connection, and what can come from it.
//!
//! Owns the socket once it is signed in, and the bytes on their way out. It must not know what the
//! frames mean.

use std::io;
use std::pin::Pin;

use chat_proto::{Body, Frame, FrameCodec, FrameError, RequestId, encode_frame};
use futures::{FutureExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use crate::connection::{ConnectError, Established, Reader, Writer};

/// Past so many bytes that the socket has not taken, nothing more is written ahead.
const OUT_BYTES_MAX: usize = 128 * 1024;

/// Written bytes are cut off the front when there are so many of them.
const WRITTEN_BYTES_MAX: usize = 64 * 1024;

type Connecting = Pin<Box<dyn Future<Output = Result<Established, ConnectError>> + Send>>;

/// Where the connection is.
pub(crate) enum Link {
    /// Waits for the next attempt.
    Idle { until: Instant },
    /// An attempt is under way; it has a deadline.
    Connecting(Connecting),
    /// Signed in.
    Up(Box<Up>),
    /// No attempt will be made any more.
    Ended,
}

/// A signed-in connection.
pub(crate) struct Up {
    reader: Reader,
    writer: Writer,
    out: Vec<u8>,
    written: usize,
    /// What was written may still be held by TLS.
    is_flushed: bool,
    next_id: u32,
}

/// What came from the connection.
pub(crate) enum LinkEvent {
    /// It is time for the next attempt.
    Retry,
    /// An attempt is over.
    Connected(Result<Box<Established>, ConnectError>),
    /// A frame has come.
    Frame(Frame),
    /// The socket has taken bytes.
    Wrote,
    /// The connection is gone; `None`: closed by the daemon without a word.
    Broken(Option<FrameError>),
}

impl Link {
    /// Waits for what comes next. Cancel-safe: nothing is lost when it is dropped before its end.
    /// Bytes are written and frames are read at the same time; `read` says whether frames may come.
    pub(crate) async fn next(&mut self, read: bool) -> LinkEvent {
        match self {
            Self::Idle { until } => {
                tokio::time::sleep_until(*until).await;
                LinkEvent::Retry
            }
            Self::Connecting(attempt) => LinkEvent::Connected(attempt.await.map(Box::new)),
            Self::Up(up) => up.next(read).await,
            Self::Ended => std::future::pending().await,
        }
    }

    pub(crate) fn up(&mut self) -> Option<&mut Up> {
        match self {
            Self::Up(up) => Some(up),
            Self::Idle { .. } | Self::Connecting(_) | Self::Ended => None,
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }
}

impl Up {
    pub(crate) fn new(reader: Reader, writer: Writer) -> Self {
        Self {
            reader,
            writer,
            out: Vec::new(),
            written: 0,
            is_flushed: true,
            // The handshake has used the first two.
            next_id: 3,
        }
    }

    /// Whether more may be written ahead.
    pub(crate) fn has_room(&self) -> bool {
        self.out.len() - self.written < OUT_BYTES_MAX
    }

    /// An id that no request in flight has; never 0, which means events.
    pub(crate) fn new_id(&mut self) -> RequestId {
        let id = self.next_id;
        // 2^32 requests later the first has long been answered.
        self.next_id = self.next_id.checked_add(1).unwrap_or(1);
        debug_assert_ne!(id, 0, "that id means events");
        RequestId(id)
    }

    /// Queues a frame. Whoever queues many asks [`Self::has_room`] first.
    pub(crate) fn put<B: Body>(&mut self, body: &B, id: RequestId) -> Result<(), FrameError> {
        encode_frame(body, id, &mut self.out)
    }

    /// Queues a frame that is encoded already.
    pub(crate) fn put_frame(&mut self, frame: &Frame) -> Result<(), FrameError> {
        FrameCodec::default().put_frame(frame, &mut self.out)
    }

    /// A frame that is there already.
    pub(crate) fn frame_at_hand(&mut self) -> Option<LinkEvent> {
        self.reader.next().now_or_never().map(came)
    }

    async fn next(&mut self, read: bool) -> LinkEvent {
        let has_bytes = self.written < self.out.len();
        let is_to_write = has_bytes || !self.is_flushed;
        tokio::select! {
            // A frame: `FramedRead` keeps a part of one for the next call.
            frame = self.reader.next(), if read => came(frame),
            // The socket takes bytes: a single `write` has written nothing when it is dropped, and a
            // `flush` goes on with the next.
            wrote = write_out(&mut self.writer, &self.out[self.written..]), if is_to_write => {
                match wrote {
                    Ok(0) if has_bytes => LinkEvent::Broken(None),
                    Ok(count) => {
                        self.took(count);
                        LinkEvent::Wrote
                    }
                    Err(error) => LinkEvent::Broken(Some(error.into())),
                }
            }
            // Neither may happen now: the driver's other arms decide when that changes.
            else => std::future::pending().await,
        }
    }

    fn took(&mut self, count: usize) {
        self.written += count;
        // TLS may hold what the socket has not taken.
        self.is_flushed = count == 0;
        debug_assert!(self.written <= self.out.len(), "the socket takes what there is");
        if self.written == self.out.len() {
            self.out.clear();
            self.written = 0;
        } else if self.written >= WRITTEN_BYTES_MAX {
            // Each cut moves what is left: often, and it would cost more than the write.
            self.out.drain(..self.written);
            self.written = 0;
        }
    }
}

/// Writes some of the bytes; when there are none, what was written before and is held. Then it is 0.
async fn write_out(writer: &mut Writer, bytes: &[u8]) -> io::Result<usize> {
    if bytes.is_empty() {
        writer.flush().await?;
        return Ok(0);
    }
    writer.write(bytes).await
}

fn came(frame: Option<Result<Frame, FrameError>>) -> LinkEvent {
    match frame {
        Some(Ok(frame)) => LinkEvent::Frame(frame),
        Some(Err(error)) => LinkEvent::Broken(Some(error)),
        None => LinkEvent::Broken(None),
    }
}
