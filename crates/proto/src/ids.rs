//! Identifiers, each its own type, so that no two can be confused.

use std::fmt;
use std::num::NonZeroU64;

use sha2::{Digest, Sha256};

use crate::wire::{Decode, Encode};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Encode, Decode)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

/// Makes an id of so many bytes, which people see as hexadecimal digits.
macro_rules! bytes_id {
    ($(#[$doc:meta])* $name:ident[$len:literal]) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
        pub struct $name(pub [u8; $len]);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ids::ParseIdError;

            fn from_str(hex: &str) -> Result<Self, Self::Err> {
                $crate::ids::parse_hex(hex).map(Self)
            }
        }
    };
}
pub(crate) use bytes_id;

id! {
    /// A log: a room's, an account's or the server's own. No two have the same id, so a log id
    /// alone names either. Ids tell neither order nor number.
    LogId(u64)
}
id! {
    /// A room, which is also the id of its log.
    RoomId(u64)
}
id! {
    /// An account, which is also the id of its own log.
    AccountId(u64)
}
id! {
    /// An invitation. It is made of the hash of its code, and says nothing of it.
    InvitationId(u64)
}
id! {
    /// The place of an event in its log: gapless, from 1. 0 is the place before the first event.
    Seq(u64)
}
/// The place of an event that there can be: from 1. An `Option` of it takes no more room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct EventSeq(NonZeroU64);

impl EventSeq {
    /// `None`: it is the place before the first event.
    #[must_use]
    pub fn new(seq: Seq) -> Option<Self> {
        NonZeroU64::new(seq.0).map(Self)
    }

    /// The place.
    #[must_use]
    pub fn seq(self) -> Seq {
        Seq(self.0.get())
    }
}

id! {
    /// The life of a store's logs. Changes whenever a log may have lost its end; never 0.
    Epoch(u64)
}
id! {
    /// Milliseconds of UTC since 1970-01-01, stamped by the daemon. Never decreases along a log.
    Timestamp(u64)
}
id! {
    /// Chosen by the client; comes back in the one reply to its request. 0 in events.
    RequestId(u32)
}
id! {
    /// A signed-in conversation, for logs and for people who compare notes.
    SessionId(u64)
}

bytes_id! {
    /// The id of a message, the same for every reader and for every repetition of its nonce.
    /// See [`Nonce::message_id`].
    MessageId[16]
}
bytes_id! {
    /// Something that is attached to a message: the SHA-256 of its bytes.
    AttachmentId[32]
}
bytes_id! {
    /// One outbox: 128 random bits, or the hash of an explicit id that a script gave.
    StreamId[16]
}
bytes_id! {
    /// Names a credential in few bytes. See [`Credential::id`](crate::Credential::id).
    CredentialId[16]
}
bytes_id! {
    /// An Ed25519 public key (RFC 8032).
    PublicKey[32]
}

impl LogId {
    /// The server's own log: of what belongs to no room and to no account. It is the first number behind
    /// those that rooms and accounts have, which are below 2^46, and is the same everywhere: nothing has
    /// to be asked for, or agreed on, before the log can begin.
    pub const SERVER: Self = Self(1 << 46);
}

impl From<RoomId> for LogId {
    fn from(room: RoomId) -> Self {
        Self(room.0)
    }
}

impl From<AccountId> for LogId {
    fn from(account: AccountId) -> Self {
        Self(account.0)
    }
}

impl Seq {
    /// The place before the first event of every log.
    pub const ZERO: Self = Self(0);

    /// The place after this one. No log gets as far as the last place, but a peer may claim so.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// Names one send for ever: the `n`th of a stream. `n` starts at 1 and rises by one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Encode, Decode)]
pub struct Nonce {
    /// The outbox that the send belongs to, and with it the room.
    pub stream: StreamId,
    /// Its place there, from 1.
    pub n: u64,
}

impl Nonce {
    /// The id of the message that is sent under this nonce with a credential: SHA-256 of a domain
    /// string, the credential's id, the stream, and `n` as `u64` LE, cut to its first 16 bytes.
    #[must_use]
    pub fn message_id(&self, credential: CredentialId) -> MessageId {
        // One block of SHA-256 takes 55 bytes, and this is done for each message.
        let mut bytes = [0; 55];
        bytes[..15].copy_from_slice(b"chatd message 1");
        bytes[15..31].copy_from_slice(&credential.0);
        bytes[31..47].copy_from_slice(&self.stream.0);
        bytes[47..].copy_from_slice(&self.n.to_le_bytes());
        MessageId(first_16_of_sha256(&bytes))
    }
}

impl StreamId {
    /// The stream of an explicit id that a script gave, in a room: SHA-256 of a domain string, the
    /// room's id as `u64` LE and the id, cut to its first 16 bytes.
    #[must_use]
    pub fn explicit(id: &str, room: RoomId) -> Self {
        let room = room.0.to_le_bytes();
        Self(first_16_of_sha256(&[b"chatd explicit id v1\0", &room[..], id.as_bytes()].concat()))
    }
}

pub(crate) fn first_16_of_sha256(bytes: &[u8]) -> [u8; 16] {
    let hash: [u8; 32] = Sha256::digest(bytes).into();
    let mut first = [0; 16];
    first.copy_from_slice(&hash[..16]);
    first
}

/// A place in a log that survives reconnects, restarts and restored backups.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Encode, Decode)]
pub struct Position {
    /// The life of the log that `seq` belongs to. Not looked at when `seq` is 0.
    pub epoch: Epoch,
    /// The last event that the reader has.
    pub seq: Seq,
}

/// Says that a text is not the hexadecimal form of an id.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("not an id: {expected} hexadecimal digits are needed")]
pub struct ParseIdError {
    expected: usize,
}

pub(crate) fn parse_hex<const N: usize>(hex: &str) -> Result<[u8; N], ParseIdError> {
    let mismatch = ParseIdError { expected: 2 * N };
    if hex.len() != 2 * N || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(mismatch);
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let pair = std::str::from_utf8(pair).map_err(|_not_ascii| mismatch)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_not_hex| mismatch)?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_form_round_trips() {
        let id = MessageId([0xAB; 16]);
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!("ab".parse::<MessageId>().is_err());
        assert!("+b".repeat(16).parse::<MessageId>().is_err());
        assert!("é".repeat(16).parse::<MessageId>().is_err());
    }
}
