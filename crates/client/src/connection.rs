//! From an address to a signed-in connection.
//!
//! Owns sockets, the handshake and the proof of both identities. What is said afterwards is the
//! driver's business.

use std::io;
use std::path::Path;
use std::time::Duration;

use chat_proto::limits::LABEL_BYTES_MAX;
use chat_proto::{
    Body, Close, Frame, FrameCodec, FrameError, Hello, InvitationCode, Kind, LinkDevice, List,
    MAGIC, PublicKey, RequestId, SignIn, SignedIn, Welcome, encode_frame, sign_in_transcript,
    welcome_transcript,
};
use ed25519_dalek::{Signature, VerifyingKey};
use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio_util::codec::FramedRead;

use crate::config::DeviceLink;
use crate::event::Refusal;
use crate::eyeballs;
use crate::identity::{AgentError, Identity, random_bytes};
use crate::known_servers::{Contact, KnownServers, UntrustedServer};
use crate::sanitize::beginning;
use crate::target::{Fingerprint, Target};

/// Plaintext binds to no channel.
const NO_BINDING: &[u8] = &[];

pub(crate) type Reader = FramedRead<Box<dyn AsyncRead + Send + Unpin>, FrameCodec>;
pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// What an attempt to connect needs.
#[derive(Clone, Debug)]
pub(crate) struct Dial {
    pub(crate) target: Target,
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) known_servers: KnownServers,
    pub(crate) identity: Identity,
    pub(crate) name: String,
    pub(crate) name_is_firm: bool,
    /// Until the first sign-in.
    pub(crate) link: Option<DeviceLink>,
    pub(crate) invitation: Option<InvitationCode>,
    pub(crate) agent: String,
}

/// A connection that is signed in. Nothing else has been said on it.
pub(crate) struct Established {
    pub(crate) address: Target,
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
    pub(crate) welcome: Welcome,
    pub(crate) signed_in: SignedIn,
    pub(crate) contact: Contact,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectError {
    #[error("cannot connect to {address}: {}", plain(cause))]
    Unreachable { address: Target, cause: io::Error },
    #[error("nothing listens on this machine (looked for {tried})")]
    NobodyHome { tried: String },
    #[error("{address} did not answer in {seconds} s")]
    TimedOut { address: Target, seconds: u64 },
    #[error("what answers at {address} is no chatd: {cause}")]
    NoChatd { address: Target, cause: FrameError },
    #[error("the connection to {address} was closed while it was being opened")]
    Cut { address: Target },
    #[error("the server closed the connection: {}", close.message)]
    Closed { close: Close },
    #[error("{}", error.message)]
    Refused { error: chat_proto::Error },
    #[error(
        "the server at {address} speaks version {version} of the protocol, this client speaks {}",
        Hello::VERSION_SPOKEN
    )]
    Version { address: Target, version: u16 },
    #[error("the server at {address} could not prove that it has the identity that it shows")]
    Signature { address: Target },
    #[error(transparent)]
    Pin(#[from] UntrustedServer),
    #[error("the system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    #[error(transparent)]
    Agent(#[from] AgentError),
}

/// No server is stayed away from for longer because it says so: it may be one that means harm.
const WAIT_MAX: Duration = Duration::from_secs(300);

impl ConnectError {
    /// How long the server asks to stay away.
    pub(crate) fn wait(&self) -> Duration {
        if let Self::Closed { close } = self { wait_of_close(close) } else { Duration::ZERO }
    }

    /// Why another attempt would end the same way; `None`: it may end better.
    pub(crate) fn fatal(&self) -> Option<Refusal> {
        match self {
            Self::Unreachable { .. }
            | Self::NobodyHome { .. }
            | Self::TimedOut { .. }
            | Self::NoChatd { .. }
            | Self::Cut { .. }
            | Self::Random(_)
            | Self::Agent(AgentError::Io { .. } | AgentError::TimedOut { .. })
            | Self::Pin(UntrustedServer::Io { .. }) => None,
            Self::Closed { close } => refusal_of_close(close),
            Self::Refused { error } if error.retry => None,
            Self::Refused { error } => Some(Refusal::from(error.clone())),
            // Somebody may have said no: they are not asked again and again.
            Self::Version { .. } | Self::Signature { .. } | Self::Pin(_) | Self::Agent(_) => {
                Some(Refusal::local(self.to_string()))
            }
        }
    }
}

/// How long a close asks to stay away: as long as a person would believe it.
pub(crate) fn wait_of_close(close: &Close) -> Duration {
    Duration::from_millis(close.wait_ms).min(WAIT_MAX)
}

/// What a close says that ends it all.
pub(crate) fn refusal_of_close(close: &Close) -> Option<Refusal> {
    (!close.reconnect).then(|| Refusal {
        code: chat_proto::ErrorCode::from_number(close.code),
        reason: close.message.clone(),
    })
}

/// An I/O error as a person reads it.
pub(crate) fn plain(error: &io::Error) -> String {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the common ones get plain words; the rest speaks for itself"
    )]
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nobody listens there".into(),
        io::ErrorKind::ConnectionReset => "the connection was reset".into(),
        io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            "the connection was closed".into()
        }
        io::ErrorKind::NotFound => "there is no such socket".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::TimedOut => "no answer".into(),
        io::ErrorKind::HostUnreachable => "there is no way to that machine".into(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".into(),
        io::ErrorKind::NetworkUnreachable => "there is no way to that network".into(),
        _ => error.to_string(),
    }
}

/// Connects and signs in. The caller sets the deadline.
pub(crate) async fn establish(dial: Dial) -> Result<Established, ConnectError> {
    let (address, socket) = open_any(&dial.target).await?;
    let (reader, writer) = socket;
    let reader = FramedRead::new(reader, FrameCodec::default());
    Handshake { address, reader, writer }.run(&dial).await
}

type Halves = (Box<dyn AsyncRead + Send + Unpin>, Writer);

async fn open_any(target: &Target) -> Result<(Target, Halves), ConnectError> {
    let candidates = target.candidates();
    let mut failed = None;
    for address in &candidates {
        match open(address).await {
            Ok(halves) => return Ok((address.clone(), halves)),
            Err(cause) => failed = Some((address.clone(), cause)),
        }
    }
    let tried: Vec<String> = candidates.iter().map(Target::to_string).collect();
    match failed {
        Some((address, cause)) if candidates.len() == 1 => {
            Err(ConnectError::Unreachable { address, cause })
        }
        _ => Err(ConnectError::NobodyHome { tried: tried.join(", ") }),
    }
}

async fn open(address: &Target) -> io::Result<Halves> {
    match address {
        Target::Unix(path) => open_unix(path).await,
        Target::Tcp { host, port } => {
            let stream = eyeballs::connect(host, *port).await?;
            stream.set_nodelay(true)?;
            let (reader, writer) = stream.into_split();
            Ok((Box::new(reader), Box::new(writer)))
        }
        Target::Local => Err(io::ErrorKind::Unsupported.into()),
    }
}

async fn open_unix(path: &Path) -> io::Result<Halves> {
    let (reader, writer) = UnixStream::connect(path).await?.into_split();
    Ok((Box::new(reader), Box::new(writer)))
}

struct Handshake {
    address: Target,
    reader: Reader,
    writer: Writer,
}

impl Handshake {
    async fn run(mut self, dial: &Dial) -> Result<Established, ConnectError> {
        let random = random_bytes()?;
        let mut opening = MAGIC.to_vec();
        let hello = Hello {
            versions: List::first_of([Hello::VERSION_SPOKEN]),
            agent: beginning(&dial.agent, chat_proto::limits::AGENT_BYTES_MAX).to_owned(),
            random,
        };
        self.put(&hello, RequestId(1), &mut opening)?;
        self.write(&opening).await?;
        let welcome: Welcome = self.reply().await?;
        self.verify(&welcome, &random)?;
        let contact = check_identity(dial, &self.address, welcome.server_key).await?;

        let transcript = sign_in_transcript(&welcome.challenge, &welcome.server_key, NO_BINDING);
        let sign_in = dial.identity.sign_in(&transcript, &dial.name).await?;
        let sign_in =
            SignIn { name_is_firm: dial.name_is_firm, invitation: dial.invitation, ..sign_in };
        let mut bytes = Vec::new();
        match &dial.link {
            None => self.put(&sign_in, RequestId(2), &mut bytes)?,
            Some(DeviceLink { code, label }) => {
                let link = LinkDevice::of(sign_in, *code, beginning(label, LABEL_BYTES_MAX));
                self.put(&link, RequestId(2), &mut bytes)?;
            }
        }
        self.write(&bytes).await?;
        let signed_in: SignedIn = self.reply().await?;
        Ok(Established {
            address: self.address,
            reader: self.reader,
            writer: self.writer,
            welcome,
            signed_in,
            contact,
        })
    }

    fn verify(&self, welcome: &Welcome, random: &[u8; 32]) -> Result<(), ConnectError> {
        if welcome.version != Hello::VERSION_SPOKEN {
            return Err(ConnectError::Version {
                address: self.address.clone(),
                version: welcome.version,
            });
        }
        let transcript = welcome_transcript(random, &welcome.challenge, NO_BINDING);
        let signature = Signature::from_bytes(&welcome.signature);
        let proved = VerifyingKey::from_bytes(&welcome.server_key.0)
            .and_then(|key| key.verify_strict(&transcript, &signature));
        proved.map_err(|_false_or_malformed| ConnectError::Signature {
            address: self.address.clone(),
        })
    }

    fn put<B: Body>(&self, body: &B, id: RequestId, out: &mut Vec<u8>) -> Result<(), ConnectError> {
        encode_frame(body, id, out).map_err(|cause| self.no_chatd(cause))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ConnectError> {
        let written = self.writer.write_all(bytes).await;
        written.map_err(|cause| ConnectError::Unreachable { address: self.address.clone(), cause })
    }

    /// The next frame, which must be a `B`. An error or a close may come in its place.
    async fn reply<B: Body>(&mut self) -> Result<B, ConnectError> {
        let frame = self.frame().await?;
        match frame.known_kind() {
            Some(kind) if kind == B::KIND => self.decode(&frame),
            Some(Kind::Error) => Err(ConnectError::Refused { error: self.decode(&frame)? }),
            Some(Kind::Close) => Err(ConnectError::Closed { close: self.decode(&frame)? }),
            _ => Err(ConnectError::Cut { address: self.address.clone() }),
        }
    }

    async fn frame(&mut self) -> Result<Frame, ConnectError> {
        match self.reader.next().await {
            Some(Ok(frame)) => Ok(frame),
            Some(Err(FrameError::Io(cause))) => {
                Err(ConnectError::Unreachable { address: self.address.clone(), cause })
            }
            Some(Err(cause)) => Err(self.no_chatd(cause)),
            None => Err(ConnectError::Cut { address: self.address.clone() }),
        }
    }

    fn decode<B: Body>(&self, frame: &Frame) -> Result<B, ConnectError> {
        frame.decode_lenient().map_err(|cause| self.no_chatd(cause.into()))
    }

    fn no_chatd(&self, cause: FrameError) -> ConnectError {
        ConnectError::NoChatd { address: self.address.clone(), cause }
    }
}

/// Reads and writes a small file, on a thread for blocking work.
async fn check_identity(
    dial: &Dial,
    address: &Target,
    shown: PublicKey,
) -> Result<Contact, ConnectError> {
    let (known_servers, wanted) = (dial.known_servers.clone(), dial.fingerprint);
    let address = address.clone();
    let checked =
        tokio::task::spawn_blocking(move || known_servers.check(&address, &shown, wanted));
    match checked.await {
        Ok(contact) => Ok(contact?),
        Err(failed) => Err(UntrustedServer::Io {
            path: dial.known_servers.path().display().to_string(),
            cause: io::Error::other(failed),
        }
        .into()),
    }
}
