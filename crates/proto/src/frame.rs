//! Length-prefixed frames: the one codec of daemon and clients.
//!
//! ```text
//! u32 LE  length of what follows (8 + body)
//! u16 LE  kind
//! u8      body version
//! u8      flags, 0
//! u32 LE  request id, 0 in events
//! ...     body
//! ```

use std::cmp::Ordering;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::frame_buffer::FrameBuffer;
use crate::limits::FRAME_BYTES_MAX;
use crate::wire::{Body, WireError, Written, encode_into};
use crate::{Kind, RequestId};

/// The first four bytes that a native client sends. Neither TLS, HTTP, IRC nor SSH begins so.
pub const MAGIC: [u8; 4] = [0x89, b'C', b'H', b'T'];

/// Bytes of a frame before its body, the length prefix included.
pub const HEADER_BYTES: usize = LENGTH_BYTES + HEAD_BYTES;

const LENGTH_BYTES: usize = 4;
/// Kind, version, flags, request id: counted by the length prefix.
const HEAD_BYTES: usize = 8;

/// Where the flags are behind the length prefix.
const FLAGS_AT: usize = 3;

/// One frame, its body still bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Frame {
    /// The number of the kind; [`Kind::from_number`] says whether this version knows it.
    pub kind: u16,
    /// The body's version.
    pub version: u8,
    /// The request that this belongs to.
    pub request: RequestId,
    /// The bincode of the struct that kind and version name.
    pub body: Bytes,
}

/// One frame that lies in somebody's buffer: what a server reads, without a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FrameRef<'a> {
    /// The number of the kind; [`Kind::from_number`] says whether this version knows it.
    pub kind: u16,
    /// The body's version.
    pub version: u8,
    /// The request that this belongs to.
    pub request: RequestId,
    /// The bincode of the struct that kind and version name.
    pub body: &'a [u8],
}

/// Says why a stream of bytes is not a stream of frames. After any of these nothing that follows
/// can be trusted: the connection closes.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The length prefix is smaller than the header it must cover.
    #[error("a frame of {length} bytes is shorter than its header of {HEAD_BYTES}")]
    TooShort {
        /// The announced length.
        length: usize,
    },
    /// The length prefix is over the cap.
    #[error("a frame of {length} bytes is over the limit of {max}")]
    TooLong {
        /// The announced length.
        length: usize,
        /// The longest that is allowed.
        max: usize,
    },
    /// A flag that means nothing yet is set.
    #[error("the flags byte is {flags:#04x}; it must be 0")]
    Flags {
        /// The byte as it came.
        flags: u8,
    },
    /// The stream ended inside a frame.
    #[error("the stream ended {missing} bytes before the end of a frame")]
    Truncated {
        /// How many bytes are known to be missing.
        missing: usize,
    },
    /// A body could not be written.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// The socket failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Frame {
    /// Makes a frame of a body.
    ///
    /// # Errors
    /// [`FrameError::Wire`] or [`FrameError::TooLong`].
    pub fn of<B: Body>(body: &B, request: RequestId) -> Result<Self, FrameError> {
        let mut bytes = Vec::new();
        encode_into(body, &mut bytes)?;
        check_length(HEAD_BYTES + bytes.len(), FRAME_BYTES_MAX)?;
        Ok(Self { kind: B::KIND as u16, version: B::VERSION, request, body: bytes.into() })
    }

    /// The kind, when this version knows it.
    #[must_use]
    pub fn known_kind(&self) -> Option<Kind> {
        Kind::from_number(self.kind)
    }

    /// Reads the body strictly: the exact version, every byte used.
    ///
    /// # Errors
    /// [`WireError`] when the header does not name `B`, or the bytes are not one.
    pub fn decode<B: Body>(&self) -> Result<B, WireError> {
        self.borrowed().decode()
    }

    /// Reads the body as a client does: what a newer version added at the end is ignored.
    ///
    /// # Errors
    /// [`WireError`] when the header names another kind or an older version, when the bytes do not
    /// begin with a `B`, or when an equal version has more bytes.
    pub fn decode_lenient<B: Body>(&self) -> Result<B, WireError> {
        self.borrowed().decode_lenient()
    }

    /// The same frame, lying here.
    #[must_use]
    pub fn borrowed(&self) -> FrameRef<'_> {
        let Self { kind, version, request, ref body } = *self;
        FrameRef { kind, version, request, body }
    }
}

impl FrameRef<'_> {
    /// The kind, when this version knows it.
    #[must_use]
    pub fn known_kind(&self) -> Option<Kind> {
        Kind::from_number(self.kind)
    }

    /// Reads the body strictly, as [`Frame::decode`] does.
    ///
    /// # Errors
    /// [`WireError`] when the header does not name `B`, or the bytes are not one.
    pub fn decode<B: Body>(&self) -> Result<B, WireError> {
        if self.version != B::VERSION {
            return Err(self.is_not::<B>());
        }
        self.decode_lenient()
    }

    fn decode_lenient<B: Body>(&self) -> Result<B, WireError> {
        if self.kind != B::KIND as u16 {
            return Err(self.is_not::<B>());
        }
        match self.version.cmp(&B::VERSION) {
            Ordering::Less => Err(self.is_not::<B>()),
            Ordering::Equal => crate::wire::decode(self.body),
            Ordering::Greater => crate::wire::decode_known_part(self.body),
        }
    }

    fn is_not<B: Body>(&self) -> WireError {
        WireError::OtherStruct { wanted: B::KIND, kind: self.kind, version: self.version }
    }
}

/// Appends the whole frame of `body` to `out`. On an error `out` is as it was.
///
/// # Errors
/// [`FrameError::Wire`] or [`FrameError::TooLong`].
pub fn encode_frame<W: Written, B: FrameBuffer>(
    body: &W,
    request: RequestId,
    out: &mut B,
) -> Result<(), FrameError> {
    let start = out.len();
    // Its place is kept: how long the body is shows only once it is written.
    out.put_u32_le(0);
    put_head(out, W::Body::KIND as u16, W::Body::VERSION, request);
    let written = encode_into(body, out).map_err(FrameError::from).and_then(|()| {
        let length = out.len() - start - LENGTH_BYTES;
        check_length(length, FRAME_BYTES_MAX)
    });
    match written {
        Ok(length) => {
            out[start..start + LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
            debug_assert_eq!(
                frame_end(out, start),
                Some(out.len()),
                "the length is that of the rest"
            );
        }
        Err(_) => out.truncate_to(start),
    }
    written.map(|_length| ())
}

/// What the header of a frame says of its body, which may not be there yet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Announced {
    /// The number of the kind.
    pub kind: u16,
    /// The body's version.
    pub version: u8,
    /// The body's length in bytes.
    pub body_bytes: usize,
}

impl Announced {
    /// Looks at the header that `bytes` begin with; `None` when it is not whole yet.
    #[must_use]
    pub fn by(bytes: &[u8]) -> Option<Self> {
        let mut header = bytes.get(..HEADER_BYTES)?;
        let body_bytes = (header.get_u32_le() as usize).saturating_sub(HEAD_BYTES);
        Some(Self { kind: header.get_u16_le(), version: header.get_u8(), body_bytes })
    }
}

impl From<&FrameRef<'_>> for Announced {
    fn from(frame: &FrameRef<'_>) -> Self {
        Self { kind: frame.kind, version: frame.version, body_bytes: frame.body.len() }
    }
}

/// Where the frame that begins at `start` ends, when `bytes` holds its length prefix.
#[must_use]
pub fn frame_end(bytes: &[u8], start: usize) -> Option<usize> {
    let prefix = bytes.get(start..start + LENGTH_BYTES)?.try_into().ok()?;
    Some(start + LENGTH_BYTES + u32::from_le_bytes(prefix) as usize)
}

/// Cuts a stream of bytes into frames, and writes frames.
#[derive(Clone, Debug)]
pub struct FrameCodec {
    frame_bytes_max: usize,
}

impl Default for FrameCodec {
    fn default() -> Self {
        Self { frame_bytes_max: FRAME_BYTES_MAX }
    }
}

impl FrameCodec {
    /// A codec that refuses frames longer than `frame_bytes_max` (after the length prefix).
    #[must_use]
    pub fn with_limit(frame_bytes_max: usize) -> Self {
        debug_assert!(frame_bytes_max >= HEAD_BYTES, "no frame at all would pass");
        Self { frame_bytes_max }
    }

    /// Takes the next frame out of `bytes`; `None` when it is not whole yet.
    ///
    /// # Errors
    /// [`FrameError`], before anything is allocated.
    pub fn take_frame(&self, bytes: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        let Some(FrameRef { kind, version, request, body }) = self.next_frame(bytes)? else {
            return Ok(None);
        };
        let end = HEADER_BYTES + body.len();
        debug_assert!(end <= bytes.len(), "only a frame that is whole is given");
        let body = bytes.split_to(end).freeze().slice(HEADER_BYTES..);
        Ok(Some(Frame { kind, version, request, body }))
    }

    /// Looks at the frame that `bytes` begin with; `None` when it is not whole yet.
    ///
    /// # Errors
    /// [`FrameError::TooLong`], [`FrameError::TooShort`] or [`FrameError::Flags`].
    pub fn next_frame<'a>(&self, bytes: &'a [u8]) -> Result<Option<FrameRef<'a>>, FrameError> {
        let Some((prefix, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
            return Ok(None);
        };
        let length = u32::from_le_bytes(*prefix) as usize;
        check_length(length, self.frame_bytes_max)?;
        if length < HEAD_BYTES {
            return Err(FrameError::TooShort { length });
        }
        // As soon as they are there: a stream in pieces is refused for the same reason as in one.
        match rest.get(FLAGS_AT) {
            Some(&flags) if flags != 0 => Err(FrameError::Flags { flags }),
            _ => Ok(rest.get(..length).map(read_frame)),
        }
    }

    /// Takes the frame that `bytes` begin with off them; `None` when it is not whole yet.
    ///
    /// # Errors
    /// [`FrameError::TooLong`], [`FrameError::TooShort`] or [`FrameError::Flags`].
    pub fn split_frame<'a>(
        &self,
        bytes: &mut &'a [u8],
    ) -> Result<Option<FrameRef<'a>>, FrameError> {
        let frame = self.next_frame(bytes)?;
        if let Some(frame) = &frame {
            *bytes = &bytes[HEADER_BYTES + frame.body.len()..];
        }
        Ok(frame)
    }

    /// Takes the last frames of a stream that has ended.
    ///
    /// # Errors
    /// [`FrameError::Truncated`] when the stream ended inside a frame.
    pub fn take_last_frame(&self, bytes: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        match self.take_frame(bytes)? {
            Some(frame) => Ok(Some(frame)),
            None if bytes.is_empty() => Ok(None),
            None => {
                let whole = frame_end(bytes, 0).unwrap_or(HEADER_BYTES);
                debug_assert!(whole > bytes.len(), "a frame that is whole would have been taken");
                Err(FrameError::Truncated { missing: whole.saturating_sub(bytes.len()) })
            }
        }
    }

    /// Appends a frame to `out`.
    ///
    /// # Errors
    /// [`FrameError::TooLong`].
    pub fn put_frame(&self, frame: &Frame, out: &mut impl BufMut) -> Result<(), FrameError> {
        let length = check_length(HEAD_BYTES + frame.body.len(), self.frame_bytes_max)?;
        out.put_u32_le(length);
        put_head(out, frame.kind, frame.version, frame.request);
        out.put_slice(&frame.body);
        Ok(())
    }
}

#[cfg(feature = "codec")]
impl tokio_util::codec::Decoder for FrameCodec {
    type Item = Frame;
    type Error = FrameError;

    fn decode(&mut self, bytes: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        self.take_frame(bytes)
    }

    fn decode_eof(&mut self, bytes: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
        self.take_last_frame(bytes)
    }
}

#[cfg(feature = "codec")]
impl tokio_util::codec::Encoder<Frame> for FrameCodec {
    type Error = FrameError;

    fn encode(&mut self, frame: Frame, out: &mut BytesMut) -> Result<(), FrameError> {
        self.put_frame(&frame, out)
    }
}

fn check_length(length: usize, max: usize) -> Result<u32, FrameError> {
    u32::try_from(length).ok().filter(|_| length <= max).ok_or(FrameError::TooLong { length, max })
}

fn put_head(out: &mut impl BufMut, kind: u16, version: u8, request: RequestId) {
    out.put_u16_le(kind);
    out.put_u8(version);
    out.put_u8(0);
    out.put_u32_le(request.0);
}

/// Reads what a length prefix has covered, which is a header at least.
fn read_frame(mut bytes: &[u8]) -> FrameRef<'_> {
    debug_assert!(bytes.len() >= HEAD_BYTES, "the length prefix was checked");
    let kind = bytes.get_u16_le();
    let version = bytes.get_u8();
    let flags = bytes.get_u8();
    debug_assert_eq!(flags, 0, "they were checked");
    let request = RequestId(bytes.get_u32_le());
    FrameRef { kind, version, request, body: bytes }
}

#[cfg(test)]
mod tests;
