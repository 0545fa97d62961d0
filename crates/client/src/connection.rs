//! From an address to a signed-in connection.
//!
//! Owns sockets, the handshake and the proof of both identities. What is said afterwards is the
//! driver's business.

mod opening;

use std::io;
use std::time::Duration;

use chat_proto::limits::LABEL_BYTES_MAX;
use chat_proto::{
    Body, ChannelBinding, Close, Frame, FrameCodec, FrameError, Hello, InvitationCode, Kind,
    LinkDevice, List, MAGIC, PublicKey, RequestId, SignIn, SignedIn, Welcome, encode_frame,
    sign_in_transcript, welcome_transcript,
};
use ed25519_dalek::{Signature, VerifyingKey};
use futures::StreamExt;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio_util::codec::FramedRead;

use crate::config::DeviceLink;
use crate::event::Refusal;
use crate::identity::{AgentError, Identity, random_bytes};
use crate::known_servers::{Contact, KnownServers, UntrustedServer};
use crate::sanitize::beginning;
use crate::target::{Fingerprint, Target};
use crate::tls::TlsPolicy;
use opening::{Opened, open_any};

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
    pub(crate) tls: TlsPolicy,
}

/// A connection that is signed in. Nothing else has been said on it.
pub(crate) struct Established {
    pub(crate) address: Target,
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
    pub(crate) welcome: Welcome,
    pub(crate) signed_in: SignedIn,
    pub(crate) contact: Contact,
    /// Whether nobody in between can read along.
    pub(crate) is_encrypted: bool,
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
    #[error(
        "something between this machine and {address} ends TLS: the server proves its identity to \
         that, and not to you. Let whatever it is pass TCP through"
    )]
    TlsEnded { address: Target },
    #[error(
        "the server at {address} could not prove its identity on this connection: either something in \
         between ends TLS (let it pass TCP through), or it is not that server"
    )]
    SignatureOverTls { address: Target },
    #[error(
        "what answers at {address} does not speak TLS: it is no chatd, an older one, or something in \
         between answers in its place. Nothing was said to it"
    )]
    NoTls { address: Target },
    #[error("there is no encrypted connection to {address}: {cause}")]
    Tls { address: Target, cause: rustls::Error },
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
            | Self::NoTls { .. }
            | Self::Tls { .. }
            | Self::Random(_)
            | Self::Agent(AgentError::Io { .. } | AgentError::TimedOut { .. })
            | Self::Pin(UntrustedServer::Io { .. }) => None,
            Self::Closed { close } => refusal_of_close(close),
            Self::Refused { error } if error.retry => None,
            Self::Refused { error } => Some(Refusal::from(error.clone())),
            // Somebody may have said no: they are not asked again and again.
            Self::Version { .. }
            | Self::Signature { .. }
            | Self::TlsEnded { .. }
            | Self::SignatureOverTls { .. }
            | Self::Pin(_)
            | Self::Agent(_) => Some(Refusal::local(self.to_string())),
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
    let (address, opened) = open_any(&dial).await?;
    let Opened { reader, writer, binding, is_private } = opened;
    let reader = FramedRead::new(reader, FrameCodec::default());
    Handshake { address, reader, writer, binding, is_private }.run(&dial).await
}

struct Handshake {
    address: Target,
    reader: Reader,
    writer: Writer,
    binding: Option<ChannelBinding>,
    is_private: bool,
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

        let binding = ChannelBinding::signed(self.binding.as_ref());
        let transcript = sign_in_transcript(&welcome.challenge, &welcome.server_key, binding);
        let sign_in = dial.identity.sign_in(&transcript, &dial.name).await?;
        let sign_in =
            SignIn { name_is_firm: dial.name_is_firm, invitation: dial.invitation, ..sign_in };
        let mut bytes = Vec::new();
        match &dial.link {
            None => self.put(&sign_in, RequestId(2), &mut bytes)?,
            Some(DeviceLink { code, label }) => {
                // Whoever is in between is told nothing that the server itself would take.
                let code = code.for_server(&welcome.server_key);
                let link = LinkDevice::of(sign_in, code, beginning(label, LABEL_BYTES_MAX));
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
            is_encrypted: self.is_private,
        })
    }

    fn verify(&self, welcome: &Welcome, random: &[u8; 32]) -> Result<(), ConnectError> {
        if welcome.version != Hello::VERSION_SPOKEN {
            return Err(ConnectError::Version {
                address: self.address.clone(),
                version: welcome.version,
            });
        }
        let key = VerifyingKey::from_bytes(&welcome.server_key.0);
        let signature = Signature::from_bytes(&welcome.signature);
        let is_signed = |binding: &[u8]| {
            let transcript = welcome_transcript(random, &welcome.challenge, binding);
            key.as_ref().is_ok_and(|key| key.verify_strict(&transcript, &signature).is_ok())
        };
        if is_signed(ChannelBinding::signed(self.binding.as_ref())) {
            return Ok(());
        }
        let address = self.address.clone();
        Err(match self.binding {
            // It speaks without TLS to whatever it is that we speak with.
            Some(_) if is_signed(&[]) => ConnectError::TlsEnded { address },
            Some(_) => ConnectError::SignatureOverTls { address },
            None => ConnectError::Signature { address },
        })
    }

    fn put<B: Body>(&self, body: &B, id: RequestId, out: &mut Vec<u8>) -> Result<(), ConnectError> {
        encode_frame(body, id, out).map_err(|cause| self.no_chatd(cause))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), ConnectError> {
        let written = async {
            self.writer.write_all(bytes).await?;
            self.writer.flush().await
        };
        let written = written.await;
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
