//! How a body becomes bytes: bincode 2, standard configuration (little endian, variable-length
//! integers), always with a limit.
//!
//! This is the only file that names bincode. Whatever replaces it must write the same bytes.

use bincode::config::{Configuration, Limit, LittleEndian, Varint};
use bincode::de::{BorrowDecode, BorrowDecoder, Decoder};
use bincode::enc::Encoder;
use bincode::error::{DecodeError, EncodeError};
pub(crate) use bincode::{Decode, Encode};

use bytes::BufMut;

use crate::Kind;
use crate::frame_buffer::FrameBuffer;
use crate::limits::DECODE_BYTES_MAX;

/// One struct of the protocol: which kind and body version name it on the wire.
pub trait Body: Encode + Decode<()> {
    /// The kind in the frame's header.
    const KIND: Kind;
    /// The version of this struct. A released version is frozen; a new field makes a new one.
    const VERSION: u8 = 1;
}

/// A body that can be written. Beside every [`Body`] these are bodies that borrow what they say:
/// the same bytes without a copy of a text or of a name.
pub trait Written: Encode {
    /// The body whose bytes it makes.
    type Body: Body;
}

impl<B: Body> Written for B {
    type Body = B;
}

/// Makes a struct of the protocol, in its first version, of the kind that has its name.
macro_rules! body {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
        }

        impl $crate::Body for $name {
            const KIND: $crate::Kind = $crate::Kind::$name;
        }
    };
}
pub(crate) use body;

/// Says why a body could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// The header names another struct than the one asked for.
    #[error("kind {kind:#06x} version {version} is not a {wanted:?} that is known here")]
    OtherStruct {
        /// What was asked for.
        wanted: Kind,
        /// The number of the kind in the header.
        kind: u16,
        /// The body version in the header.
        version: u8,
    },
    /// The bytes are not the bincode of the struct that the header names.
    #[error("the body is not a valid {kind:?}: {cause}")]
    Malformed {
        /// What the header said.
        kind: Kind,
        /// Why it cannot be read.
        cause: DecodeError,
    },
    /// Bytes were left over after the struct.
    #[error("{extra} bytes follow the {kind:?}")]
    Trailing {
        /// What the header said.
        kind: Kind,
        /// How many bytes were left.
        extra: usize,
    },
    /// The struct cannot be written.
    #[error("a {kind:?} cannot be written: {cause}")]
    Unwritable {
        /// What was to be written.
        kind: Kind,
        /// What bincode could not do.
        cause: EncodeError,
    },
}

type Config = Configuration<LittleEndian, Varint, Limit<DECODE_BYTES_MAX>>;

fn config() -> Config {
    bincode::config::standard().with_limit::<DECODE_BYTES_MAX>()
}

/// Reads a whole body: what follows the struct is an error.
///
/// # Errors
/// [`WireError::Malformed`] or [`WireError::Trailing`]; at most [`DECODE_BYTES_MAX`] is allocated.
pub fn decode<B: Body>(bytes: &[u8]) -> Result<B, WireError> {
    let (body, used) = read(bytes)?;
    debug_assert!(used <= bytes.len(), "no more is read than there is");
    match bytes.len() - used {
        0 => Ok(body),
        extra => Err(WireError::Trailing { kind: B::KIND, extra }),
    }
}

/// Reads the part of a body that this version knows, and ignores what a newer one added.
///
/// # Errors
/// [`WireError::Malformed`]; at most [`DECODE_BYTES_MAX`] is allocated.
pub fn decode_known_part<B: Body>(bytes: &[u8]) -> Result<B, WireError> {
    read(bytes).map(|(body, _used)| body)
}

/// Reads how every logged event begins, whatever its kind.
pub(crate) fn decode_head(bytes: &[u8]) -> Result<crate::LoggedHead, WireError> {
    bincode::decode_from_slice(bytes, config())
        .map(|(head, _used)| head)
        .map_err(|cause| WireError::Malformed { kind: Kind::Posted, cause })
}

fn read<B: Body>(bytes: &[u8]) -> Result<(B, usize), WireError> {
    bincode::decode_from_slice(bytes, config())
        .map_err(|cause| WireError::Malformed { kind: B::KIND, cause })
}

/// Appends the bytes of `body` to `out`.
pub(crate) fn encode_into<W: Written, B: FrameBuffer>(
    body: &W,
    out: &mut B,
) -> Result<(), WireError> {
    let before = out.len();
    bincode::encode_into_std_write(body, &mut (&mut *out).writer(), config())
        .map(|written| debug_assert_eq!(out.len(), before + written, "it is put behind the rest"))
        .map_err(|cause| WireError::Unwritable { kind: W::Body::KIND, cause })
}

/// A vector of at most `MAX` elements. The count is checked before anything is allocated: a few
/// bytes can announce 2^64 elements.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> List<T, MAX> {
    /// Takes at most `MAX` of `items`; the rest is dropped.
    pub fn first_of(items: impl IntoIterator<Item = T>) -> Self {
        Self(items.into_iter().take(MAX).collect())
    }

    /// The elements, owned.
    #[must_use]
    pub fn into_vec(self) -> Vec<T> {
        self.0
    }
}

impl<T, const MAX: usize> Default for List<T, MAX> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T, const MAX: usize> std::ops::Deref for List<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Encode, const MAX: usize> Encode for List<T, MAX> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<(), EncodeError> {
        debug_assert!(self.0.len() <= MAX, "no peer would take more");
        (self.0.len() as u64).encode(encoder)?;
        self.0.iter().try_for_each(|item| item.encode(encoder))
    }
}

impl<C, T: Decode<C>, const MAX: usize> Decode<C> for List<T, MAX> {
    fn decode<D: Decoder<Context = C>>(decoder: &mut D) -> Result<Self, DecodeError> {
        let len = claim_list::<T, D, MAX>(decoder)?;
        let mut items = Vec::with_capacity(len);
        for _ in 0..len {
            decoder.unclaim_bytes_read(size_of::<T>());
            items.push(T::decode(decoder)?);
        }
        Ok(Self(items))
    }
}

// The derive of the structs that hold a list asks for this one too.
impl<'de, C, T: BorrowDecode<'de, C>, const MAX: usize> BorrowDecode<'de, C> for List<T, MAX> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = C>>(
        decoder: &mut D,
    ) -> Result<Self, DecodeError> {
        let len = claim_list::<T, D, MAX>(decoder)?;
        let mut items = Vec::with_capacity(len);
        for _ in 0..len {
            decoder.unclaim_bytes_read(size_of::<T>());
            items.push(T::borrow_decode(decoder)?);
        }
        Ok(Self(items))
    }
}

/// Reads a count, checks it against `MAX`, and books the memory of so many elements.
fn claim_list<T, D: Decoder, const MAX: usize>(decoder: &mut D) -> Result<usize, DecodeError> {
    let len = u64::decode(decoder)?;
    let len = usize::try_from(len).map_err(|_too_large| DecodeError::LimitExceeded)?;
    if len > MAX {
        return Err(DecodeError::LimitExceeded);
    }
    decoder.claim_container_read::<T>(len)?;
    Ok(len)
}
