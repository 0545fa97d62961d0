//! From an address to a connection on which nothing has been said, in TLS where others could read along.

use std::io;

use chat_proto::{ChannelBinding, Close, FrameCodec, Kind};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::UnixStream;
use tokio_util::bytes::BytesMut;

use super::{ConnectError, Dial, Writer};
use crate::eyeballs;
use crate::target::Target;
use crate::tls::{self, NoTls};

/// A connection on which nothing has been said.
pub(super) struct Opened {
    pub(super) reader: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) writer: Writer,
    /// What both ends sign of it, where it is TLS.
    pub(super) binding: Option<ChannelBinding>,
    /// Nobody can read along, by TLS or because it does not leave this machine's kernel.
    pub(super) is_private: bool,
}

pub(super) async fn open_any(dial: &Dial) -> Result<(Target, Opened), ConnectError> {
    let candidates = dial.target.candidates();
    let mut failed = None;
    for address in &candidates {
        match open(address, dial).await {
            Ok(opened) => return Ok((address.clone(), opened)),
            Err(cause) => failed = Some((address.clone(), cause)),
        }
    }
    let tried: Vec<String> = candidates.iter().map(Target::to_string).collect();
    match failed {
        Some((address, cause)) if candidates.len() == 1 => Err(not_opened(address, cause)),
        _ => Err(ConnectError::NobodyHome { tried: tried.join(", ") }),
    }
}

/// Why a connection could not be opened, as far as the answer tells.
fn not_opened(address: Target, cause: io::Error) -> ConnectError {
    let inner = cause.get_ref();
    if let Some(NoTls(said)) = inner.and_then(|inner| inner.downcast_ref()) {
        // It may be the right server, that has no place for one more.
        return match close_in(said) {
            Some(close) => ConnectError::Closed { close },
            None => ConnectError::NoTls { address },
        };
    }
    match inner.and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(error) => ConnectError::Tls { address, cause: error.clone() },
        None => ConnectError::Unreachable { address, cause },
    }
}

async fn open(address: &Target, dial: &Dial) -> io::Result<Opened> {
    match address {
        Target::Unix(path) => {
            let (reader, writer) = UnixStream::connect(path).await?.into_split();
            Ok(unbound(reader, writer, true))
        }
        Target::Tcp { host, port } => {
            let stream = eyeballs::connect(host, *port).await?;
            stream.set_nodelay(true)?;
            let is_here = stream.peer_addr()?.ip().to_canonical().is_loopback();
            if is_here && !dial.tls.always {
                let (reader, writer) = stream.into_split();
                return Ok(unbound(reader, writer, false));
            }
            let (stream, binding) = tls::connect(stream, host, dial.tls).await?;
            let (reader, writer) = tokio::io::split(stream);
            Ok(Opened { binding: Some(binding), ..unbound(reader, writer, true) })
        }
        Target::Local => Err(io::ErrorKind::Unsupported.into()),
    }
}

fn unbound(
    reader: impl AsyncRead + Send + Unpin + 'static,
    writer: impl AsyncWrite + Send + Unpin + 'static,
    is_private: bool,
) -> Opened {
    Opened { reader: Box::new(reader), writer: Box::new(writer), binding: None, is_private }
}

fn close_in(said: &[u8]) -> Option<Close> {
    let frame = FrameCodec::default().take_frame(&mut BytesMut::from(said)).ok().flatten()?;
    (frame.known_kind() == Some(Kind::Close)).then(|| frame.decode_lenient().ok())?
}
