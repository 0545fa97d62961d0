//! TLS on one connection, without its socket: records in, bytes out, and the other way round.
//!
//! Small when idle: what is on its way goes through buffers that all connections of a reactor share,
//! and only half a record, or what the socket has not taken, is kept here. It must not know what the
//! bytes mean.

use std::sync::Arc;

use chat_proto::ChannelBinding;
use rustls::ServerConfig;
use rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, InsufficientSizeError,
    UnbufferedStatus, WriteTraffic,
};

use super::exporter::{self, ExporterSecret};

/// A record of TLS has at most so many bytes (RFC 8446, section 5.2): what is kept is never more than
/// one of them, or as much of a handshake, which is far less.
const KEPT_BYTES_MAX: usize = 5 + 16 * 1024 + 256;

/// What one record brings.
const RECORD_BYTES: usize = 16 * 1024;

/// What a record has beside what it brings: its header, its kind, and the tag.
const RECORD_OVERHEAD: usize = 5 + 1 + 16;

/// What TLS may have to say itself in front of that: that it changes its keys.
const KEY_UPDATE_BYTES: usize = RECORD_OVERHEAD + 5;

/// What is encrypted at once, at the least and at the most. In between it follows what the peer takes:
/// what it does not take is kept.
const SEALED_BYTES: std::ops::RangeInclusive<usize> = RECORD_BYTES..=4 * RECORD_BYTES;

/// What connections of a reactor share: nothing stays in it from one turn to the next.
#[derive(Debug, Default)]
pub(crate) struct TlsBuffers {
    /// What was decrypted, or is to be encrypted.
    pub(crate) plain: Vec<u8>,
    /// What was encrypted.
    pub(crate) sealed: Vec<u8>,
}

/// A connection on which something may be said.
type Traffic<'a> = WriteTraffic<'a, ServerConnectionData>;

/// TLS on a connection.
pub(crate) struct TlsStream {
    connection: UnbufferedServerConnection,
    exporter: Arc<ExporterSecret>,
    binding: Option<ChannelBinding>,
    /// What has come and is not a whole record, in an exact fit.
    kept: Vec<u8>,
    /// What the socket has not taken.
    pending: Vec<u8>,
    /// How much is encrypted at once.
    sealed_bytes_max: usize,
    peer_has_closed: bool,
    has_closed: bool,
    /// Nothing is read or said any more, but what is pending.
    is_broken: bool,
}

/// Says why TLS ends.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TlsFault {
    #[error(transparent)]
    Tls(#[from] rustls::Error),
    #[error("a record or handshake of TLS is too long")]
    TooLong,
    /// It comes before the handshake is over, or behind the end.
    #[error("nothing can be said over TLS at this point")]
    OutOfTurn,
    #[error("the keys of this connection are used up")]
    UsedUp,
    #[error("TLS announced another length than it wrote")]
    Size,
}

impl std::fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsStream").field("pending", &self.pending.len()).finish_non_exhaustive()
    }
}

impl TlsStream {
    pub(super) fn new(
        config: Arc<ServerConfig>,
        exporter: Arc<ExporterSecret>,
    ) -> Result<Self, TlsFault> {
        Ok(Self {
            connection: UnbufferedServerConnection::new(config)?,
            exporter,
            binding: None,
            kept: Vec::new(),
            pending: Vec::new(),
            sealed_bytes_max: *SEALED_BYTES.end(),
            peer_has_closed: false,
            has_closed: false,
            is_broken: false,
        })
    }

    /// What both ends sign. There is one before the first byte has been decrypted.
    pub(crate) fn binding(&self) -> Option<ChannelBinding> {
        self.binding
    }

    /// Whether something may be said.
    pub(crate) fn is_established(&self) -> bool {
        !self.is_broken && !self.connection.is_handshaking()
    }

    /// Whether it has ended with a fault.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken
    }

    /// Gives up: what is kept goes, and nothing is said any more.
    pub(crate) fn abandon(&mut self) {
        self.is_broken = true;
        self.kept = Vec::new();
    }

    /// Whether the peer has said in TLS that nothing more comes.
    pub(crate) fn peer_has_closed(&self) -> bool {
        self.peer_has_closed
    }

    /// What came before and is to be in front of what comes next.
    pub(crate) fn take_kept(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.kept)
    }

    /// Keeps what was taken out, since nothing has come behind it.
    pub(crate) fn keep(&mut self, kept: Vec<u8>) {
        self.kept = kept;
    }

    /// How much is kept of what has come.
    pub(crate) fn kept_bytes(&self) -> usize {
        self.kept.capacity()
    }

    /// Decrypts what was kept and what has come behind it, into the shared buffer. What the handshake
    /// answers is pending from then on.
    ///
    /// # Errors
    /// [`TlsFault`]: the alert that tells the peer is pending.
    pub(crate) fn open(
        &mut self,
        records: &mut [u8],
        buffers: &mut TlsBuffers,
    ) -> Result<(), TlsFault> {
        debug_assert!(self.kept.is_empty(), "it is in front of the records");
        buffers.plain.clear();
        let opened = self.process(records, &mut buffers.plain);
        // Another connection has the next turn: nothing of this one is left for it.
        let secret = self.exporter.take();
        let left = match opened {
            Ok(left) if left <= KEPT_BYTES_MAX || self.peer_has_closed => left,
            Ok(_too_much) => {
                self.abandon();
                return Err(TlsFault::TooLong);
            }
            Err(fault) => {
                self.queue_alert(records);
                self.abandon();
                return Err(fault);
            }
        };
        if let Some(secret) = secret
            && let Some(suite) = self.connection.negotiated_cipher_suite()
        {
            self.binding = exporter::export(suite, &secret);
        }
        debug_assert!(buffers.plain.is_empty() || self.binding.is_some(), "it exports first");
        // What comes behind the end is nobody's.
        let left = if self.peer_has_closed { 0 } else { left };
        self.kept = records[records.len() - left..].into();
        Ok(())
    }

    /// Takes records as far as they are whole. Gives how many bytes are left at their end.
    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else there is waits for more")]
    fn process(&mut self, records: &mut [u8], plain: &mut Vec<u8>) -> Result<usize, TlsFault> {
        let mut at = 0;
        loop {
            let status = self.connection.process_tls_records(&mut records[at..]);
            let UnbufferedStatus { mut discard, state, .. } = status;
            let goes_on = match state? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record?;
                        discard += record.discard;
                        plain.extend_from_slice(record.payload);
                    }
                    true
                }
                ConnectionState::EncodeTlsData(mut data) => {
                    encode(&mut data, &mut self.pending)?;
                    true
                }
                ConnectionState::TransmitTlsData(data) => {
                    data.done();
                    true
                }
                ConnectionState::PeerClosed => {
                    self.peer_has_closed = true;
                    true
                }
                // There is none: nothing is resumed.
                ConnectionState::ReadEarlyData(_) => return Err(TlsFault::OutOfTurn),
                _ => false,
            };
            at += discard;
            debug_assert!(at <= records.len(), "no more than there is");
            if !goes_on {
                return Ok(records.len() - at);
            }
        }
    }

    /// How many bytes may be encrypted next.
    pub(crate) fn sealed_bytes_max(&self) -> usize {
        self.sealed_bytes_max
    }

    /// Encrypts what is in the shared buffer, for a socket that has taken all that was pending.
    ///
    /// # Errors
    /// [`TlsFault`]: there is no connection any more.
    pub(crate) fn seal(&mut self, buffers: &mut TlsBuffers) -> Result<(), TlsFault> {
        debug_assert!(self.pending.is_empty(), "that goes first");
        let TlsBuffers { plain, sealed } = buffers;
        debug_assert!(plain.len() <= *SEALED_BYTES.end(), "that much is buffered");
        sealed.clear();
        let records = plain.len() / RECORD_BYTES + 1;
        let most = plain.len() + records * RECORD_OVERHEAD + KEY_UPDATE_BYTES;
        self.write(sealed, most, |traffic, into| traffic.encrypt(plain, into))
    }

    /// Says that nothing more comes. `false`: that was said, or cannot be.
    pub(crate) fn close(&mut self) -> bool {
        if self.has_closed || !self.is_established() {
            return false;
        }
        self.has_closed = true;
        let mut alert = Vec::new();
        let most = 2 + RECORD_OVERHEAD + KEY_UPDATE_BYTES;
        let said = self.write(&mut alert, most, |traffic, into| traffic.queue_close_notify(into));
        self.pending.extend_from_slice(&alert);
        said.is_ok()
    }

    /// Writes with `act` behind what TLS has to say itself, in at most so many bytes.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "what rustls may have to add is out of turn"
    )]
    fn write(
        &mut self,
        into: &mut Vec<u8>,
        most: usize,
        act: impl FnOnce(&mut Traffic<'_>, &mut [u8]) -> Result<usize, EncryptError>,
    ) -> Result<(), TlsFault> {
        if self.is_broken {
            return Err(TlsFault::OutOfTurn);
        }
        loop {
            // rustls counts from the beginning of what is kept.
            let status = self.connection.process_tls_records(&mut self.kept);
            let UnbufferedStatus { discard, state, .. } = status;
            debug_assert_eq!(discard, 0, "what is kept is not whole");
            match state? {
                ConnectionState::EncodeTlsData(mut data) => encode(&mut data, into)?,
                ConnectionState::TransmitTlsData(data) => data.done(),
                ConnectionState::PeerClosed => self.peer_has_closed = true,
                ConnectionState::WriteTraffic(mut traffic) => {
                    let begin = into.len();
                    into.resize(begin + most, 0);
                    let written = act(&mut traffic, &mut into[begin..]);
                    into.truncate(begin + *written.as_ref().unwrap_or(&0));
                    return match written {
                        Ok(_bytes) => Ok(()),
                        Err(EncryptError::EncryptExhausted) => Err(TlsFault::UsedUp),
                        Err(EncryptError::InsufficientSize(_)) => Err(TlsFault::Size),
                    };
                }
                _ => return Err(TlsFault::OutOfTurn),
            }
        }
    }

    /// What is encrypted and not taken yet.
    pub(crate) fn pending(&self) -> &[u8] {
        &self.pending
    }

    /// The socket has taken so much of what is pending.
    pub(crate) fn took(&mut self, bytes: usize) {
        if bytes == self.pending.len() {
            // An idle connection holds no buffer.
            self.pending = Vec::new();
        } else {
            self.pending.drain(..bytes);
        }
    }

    /// The socket has not taken this: it is pending, and less is encrypted the next time.
    pub(crate) fn keep_pending(&mut self, rest: &[u8]) {
        debug_assert!(self.pending.is_empty(), "that went first");
        self.pending = rest.into();
        self.sealed_bytes_max = *SEALED_BYTES.start();
    }

    /// The socket has taken all.
    pub(crate) fn took_all(&mut self) {
        self.sealed_bytes_max = (self.sealed_bytes_max * 2).min(*SEALED_BYTES.end());
    }

    /// After a fault there may be an alert that tells the peer. It comes before the records are looked
    /// at again.
    fn queue_alert(&mut self, records: &mut [u8]) {
        // Only as long as there is something: behind it rustls would look at the records again.
        while self.connection.wants_write() {
            let status = self.connection.process_tls_records(records);
            let Ok(ConnectionState::EncodeTlsData(mut data)) = status.state else { return };
            if encode(&mut data, &mut self.pending).is_err() {
                return tracing::debug!("an alert of TLS could not be written");
            }
        }
    }
}

/// Writes a message of TLS's own behind what there is.
fn encode<Data>(data: &mut EncodeTlsData<'_, Data>, into: &mut Vec<u8>) -> Result<(), TlsFault> {
    let begin = into.len();
    let written = match data.encode(&mut []) {
        Err(EncodeError::InsufficientSize(InsufficientSizeError { required_size })) => {
            into.resize(begin + required_size, 0);
            data.encode(&mut into[begin..])
        }
        written => written,
    };
    match written {
        Ok(bytes) if begin + bytes == into.len() => Ok(()),
        Ok(_) | Err(_) => Err(TlsFault::Size),
    }
}
