//! A client that says exactly what it is told to, and nothing by itself: for tests that must
//! see the bytes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail, ensure};
use chat_proto::{
    Body, ChannelBinding, Close, Error, Frame, FrameCodec, Hello, Kind, MAGIC, Nonce, PublicKey,
    RequestId, RoomId, SessionId, SignIn, SignedIn, StreamId, Welcome, sign_in_transcript,
    welcome_transcript,
};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use futures::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_util::codec::Framed;
use tokio_util::either::Either;

use crate::tls;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A socket of either kind, or TLS on one.
type Stream = Either<Either<TcpStream, UnixStream>, TlsStream<TcpStream>>;

/// A connection that speaks frames.
#[derive(Debug)]
pub struct Raw {
    frames: Framed<Stream, FrameCodec>,
    next_request: u32,
    /// What both ends sign of the channel, where it is TLS.
    binding: Option<ChannelBinding>,
    /// What the daemon calls this conversation, once it has greeted.
    pub session: Option<SessionId>,
    /// Events that came while a reply was awaited.
    pub events: Vec<Frame>,
}

impl Raw {
    /// Connects and says the magic.
    ///
    /// # Errors
    /// When there is nobody.
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Self::over(Either::Left(Either::Left(stream)), None).await
    }

    /// The same over TLS.
    ///
    /// # Errors
    /// When there is nobody, or no TLS.
    pub async fn connect_tls(address: SocketAddr) -> Result<Self> {
        let (stream, binding) = tls::connect(address).await?;
        Self::over(Either::Right(stream), Some(binding)).await
    }

    /// The same behind a proxy, which says in a PROXY header that it connects for `from`.
    ///
    /// # Errors
    /// When there is nobody.
    pub async fn connect_for(address: SocketAddr, from: SocketAddr) -> Result<Self> {
        let mut stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        stream.write_all(&proxy_header(from)).await?;
        Self::over(Either::Left(Either::Left(stream)), None).await
    }

    /// The same over a Unix socket.
    ///
    /// # Errors
    /// When there is nobody.
    pub async fn connect_unix(socket: &Path) -> Result<Self> {
        let stream = UnixStream::connect(socket).await?;
        Self::over(Either::Left(Either::Right(stream)), None).await
    }

    /// The same as soon as somebody serves there.
    ///
    /// # Errors
    /// When nobody does in time.
    pub async fn connect_unix_when_served(socket: &Path) -> Result<Self> {
        let connected = async {
            loop {
                if let Ok(raw) = Self::connect_unix(socket).await {
                    return raw;
                }
                // Polling an outside process, not synchronising with it.
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, connected).await.context("nobody serves there")
    }

    /// Says the magic on a stream, whose binding is signed instead of its own.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn over(mut stream: Stream, binding: Option<ChannelBinding>) -> Result<Self> {
        stream.write_all(&MAGIC).await?;
        stream.flush().await?;
        let frames = Framed::new(stream, FrameCodec::default());
        Ok(Self { frames, next_request: 1, binding, session: None, events: Vec::new() })
    }

    /// Connects and signs in with a key made of one byte.
    ///
    /// # Errors
    /// When the daemon refuses, or its signature is wrong.
    pub async fn sign_in(address: SocketAddr, key: u8, name: &str) -> Result<(Self, SignedIn)> {
        Self::connect(address).await?.introduce(key, name).await
    }

    /// Signs in with a key made of one byte.
    ///
    /// # Errors
    /// When the daemon refuses, or its signature is wrong.
    pub async fn introduce(mut self, key: u8, name: &str) -> Result<(Self, SignedIn)> {
        let request = self.begin_to_introduce(key, name).await?;
        let signed_in = self.answer(request).await?;
        Ok((self, signed_in))
    }

    /// Says who it is, and waits for no answer; tells the id of the request.
    ///
    /// # Errors
    /// When the daemon's signature is wrong.
    pub async fn begin_to_introduce(&mut self, key: u8, name: &str) -> Result<RequestId> {
        let key = SigningKey::from_bytes(&[key; 32]);
        let welcome = self.greet().await?;
        let sign_in = self.proof(&key, &welcome, name);
        self.tell(&sign_in).await
    }

    /// Signs in with a key made of one byte whoever the daemon is, and is refused; tells how.
    ///
    /// # Errors
    /// When it is not refused.
    pub async fn sign_in_unchecked(&mut self, key: u8, name: &str) -> Result<Close> {
        let key = SigningKey::from_bytes(&[key; 32]);
        let versions = chat_proto::List::first_of([Hello::VERSION_SPOKEN]);
        let hello = Hello { versions, agent: "raw".to_owned(), random: [7; 32] };
        let welcome: Welcome = self.ask(&hello).await?;
        let sign_in = self.proof(&key, &welcome, name);
        self.tell(&sign_in).await?;
        self.closed().await
    }

    fn proof(&self, key: &SigningKey, welcome: &Welcome, name: &str) -> SignIn {
        let binding = ChannelBinding::signed(self.binding.as_ref());
        let transcript = sign_in_transcript(&welcome.challenge, &welcome.server_key, binding);
        let public = PublicKey(key.verifying_key().to_bytes());
        SignIn::with_key(public, key.sign(&transcript).to_bytes(), name)
    }

    /// Says hello, and checks who the daemon is.
    ///
    /// # Errors
    /// When the daemon refuses, or its signature is wrong.
    pub async fn greet(&mut self) -> Result<Welcome> {
        let random = [7; 32];
        let versions = chat_proto::List::first_of([Hello::VERSION_SPOKEN]);
        let hello = Hello { versions, agent: "raw".to_owned(), random };
        let welcome: Welcome = self.ask(&hello).await?;
        self.session = Some(welcome.session);
        let server = VerifyingKey::from_bytes(&welcome.server_key.0)?;
        let proof = welcome_transcript(
            &random,
            &welcome.challenge,
            ChannelBinding::signed(self.binding.as_ref()),
        );
        server.verify_strict(&proof, &Signature::from_bytes(&welcome.signature))?;
        Ok(welcome)
    }

    /// Sends a request without waiting; tells its id.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn tell<B: Body>(&mut self, body: &B) -> Result<RequestId> {
        let request = RequestId(self.next_request);
        self.next_request += 1;
        self.frames.send(Frame::of(body, request)?).await?;
        Ok(request)
    }

    /// Sends requests with one write, as far as the socket takes it, and waits for no reply.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn tell_at_once<B: Body>(&mut self, bodies: &[B]) -> Result<()> {
        for body in bodies {
            let request = RequestId(self.next_request);
            self.next_request += 1;
            self.frames.feed(Frame::of(body, request)?).await?;
        }
        Ok(self.frames.flush().await?)
    }

    /// Sends a request and waits for its reply; events meanwhile are kept.
    ///
    /// # Errors
    /// When the reply is an [`Error`] or a [`Close`] (found with `downcast_ref`), or does not come.
    pub async fn ask<B: Body, R: Body>(&mut self, body: &B) -> Result<R> {
        let request = self.tell(body).await?;
        self.answer(request).await
    }

    async fn answer<R: Body>(&mut self, request: RequestId) -> Result<R> {
        loop {
            let frame = self.frame().await?;
            if frame.request != request {
                self.events.push(frame);
                continue;
            }
            return match frame.known_kind() {
                Some(kind) if kind == R::KIND => Ok(frame.decode()?),
                Some(Kind::Error) => Err(anyhow!(Refused(frame.decode()?))),
                _ => bail!("{frame:?} is no {:?}", R::KIND),
            };
        }
    }

    /// The next frame, whatever it is; a `Close` is an error.
    ///
    /// # Errors
    /// When none comes.
    pub async fn frame(&mut self) -> Result<Frame> {
        let frame = timeout(PATIENCE, self.frames.next()).await.context("no frame came in time")?;
        let frame = frame.context("the connection was closed")??;
        match frame.known_kind() {
            Some(Kind::Close) => Err(anyhow!(Closed(frame.decode()?))),
            _ => Ok(frame),
        }
    }

    /// Waits for an event of one kind; others are kept.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn event<B: Body>(&mut self) -> Result<B> {
        let kept = self.events.iter().position(|frame| frame.known_kind() == Some(B::KIND));
        if let Some(index) = kept {
            return Ok(self.events.remove(index).decode()?);
        }
        loop {
            let frame = self.frame().await?;
            if frame.known_kind() == Some(B::KIND) {
                return Ok(frame.decode()?);
            }
            self.events.push(frame);
        }
    }

    /// Waits for the end of the connection; tells what was said last.
    ///
    /// # Errors
    /// When it does not end, or ends without a `Close`.
    pub async fn closed(&mut self) -> Result<Close> {
        let close = loop {
            match self.frame().await {
                Ok(_) => {}
                Err(error) => break error.downcast::<Closed>()?.0,
            }
        };
        let after = timeout(PATIENCE, self.frames.next()).await.context("it stays open")?;
        ensure!(after.is_none_or(|frame| frame.is_err()), "nothing follows a Close");
        Ok(close)
    }

    /// The socket itself, for bytes that are no frames.
    pub fn socket(&mut self) -> &mut Stream {
        self.frames.get_mut()
    }
}

/// The header of version 2 with which a proxy says for whom it connects.
#[must_use]
pub fn proxy_header(from: SocketAddr) -> Vec<u8> {
    let (family, source, here) = match from.ip() {
        IpAddr::V4(ip) => (0x11, ip.octets().to_vec(), Ipv4Addr::LOCALHOST.octets().to_vec()),
        IpAddr::V6(ip) => (0x21, ip.octets().to_vec(), Ipv6Addr::LOCALHOST.octets().to_vec()),
    };
    let length = u8::try_from(source.len() * 2 + 4).expect("an address is short");
    let port = from.port().to_be_bytes();
    let fixed = [b"\r\n\r\n\0\r\nQUIT\n".as_slice(), &[0x21, family, 0, length]].concat();
    [fixed, source, here, port.to_vec(), vec![0, 1]].concat()
}

/// A message under a nonce of a stream that is made of one byte.
#[must_use]
pub fn send(stream: u8, n: u64, room: RoomId, text: &str) -> chat_proto::Send {
    let nonce = Nonce { stream: StreamId([stream; 16]), n };
    chat_proto::Send { nonce, room, body: chat_proto::TextBody::say(text) }
}

/// The daemon refused a request.
#[derive(Debug, thiserror::Error)]
#[error("{0:?}")]
pub struct Refused(pub Error);

/// The daemon closed the connection.
#[derive(Debug, thiserror::Error)]
#[error("{0:?}")]
pub struct Closed(pub Close);
