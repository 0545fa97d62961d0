//! What is spoken on a connection. It begins undecided; the first bytes decide, and nothing is made for
//! a protocol before they have come.

use std::sync::Arc;

use chat_core::{Closing, Connection, TokenBucket};

use crate::protocols::ProtocolId;
use crate::tails::TailFollower;

/// The least that one read from disk brings, and the most, in bytes of frames. In between it
/// follows what the peer took last: what it does not take is read again.
const PAGE_BYTES: std::ops::RangeInclusive<u32> = 16 * 1024..=512 * 1024;

/// What a peer may say before it has signed in, in bytes, all in all.
const UNAUTHENTICATED_BYTES_MAX: u16 = 16 * 1024;

/// What is spoken, with what that needs.
#[derive(Debug)]
pub(super) enum Phase {
    /// The peer has not told yet which protocol it speaks.
    Undecided,
    /// The magic has come: the peer speaks chatd's own protocol.
    Native(Box<Native>),
    /// It speaks a protocol of somebody else, who takes its socket when the turn ends.
    Taken(ProtocolId),
    /// The peer is told why it has to go, before or without ever having spoken the protocol.
    Leaving(Box<Leaving>),
}

impl From<Leaving> for Phase {
    fn from(leaving: Leaving) -> Self {
        Self::Leaving(Box::new(leaving))
    }
}

/// A conversation in chatd's own protocol.
#[derive(Debug)]
pub(super) struct Native {
    pub(super) core: Connection<TailFollower>,
    /// That of its account, once it has signed in: shared with all connections of it.
    bucket: Option<Arc<TokenBucket>>,
    page_bytes: u32,
    /// How much has come before the sign-in.
    unauthenticated_bytes: u16,
}

/// The last words to a peer.
#[derive(Debug)]
pub(super) struct Leaving {
    words: Vec<u8>,
    /// How much of them the peer has taken.
    taken: usize,
    /// Why, for the operator, where it was said in a frame.
    pub(super) closing: Option<Closing>,
    /// The protocol that the peer speaks, where it is one that is known and not served.
    pub(super) declined: Option<&'static str>,
}

impl Native {
    pub(super) fn new(core: Connection<TailFollower>) -> Box<Self> {
        let page_bytes = *PAGE_BYTES.start();
        Box::new(Self { core, bucket: None, page_bytes, unauthenticated_bytes: 0 })
    }

    /// So much has come; whether that is no more than anybody has to say before the sign-in.
    pub(super) fn has_said(&mut self, bytes: usize) -> bool {
        if self.core.account().is_none() {
            let bytes = u16::try_from(bytes).unwrap_or(u16::MAX);
            self.unauthenticated_bytes = self.unauthenticated_bytes.saturating_add(bytes);
        }
        self.unauthenticated_bytes <= UNAUTHENTICATED_BYTES_MAX
    }

    /// The peer has taken so many bytes, and may take more at once.
    pub(super) fn fit_page(&mut self, written: usize, is_writable: bool) {
        let wanted = match is_writable {
            true => self.page_bytes.saturating_mul(2),
            false => u32::try_from(written).unwrap_or(u32::MAX),
        };
        self.page_bytes = wanted.clamp(*PAGE_BYTES.start(), *PAGE_BYTES.end());
    }
}

impl Leaving {
    /// Says why in a frame.
    pub(super) fn with(closing: &Closing) -> Self {
        Self { words: closing.frame(), taken: 0, closing: Some(closing.clone()), declined: None }
    }

    /// Says something in the peer's own words, or nothing.
    pub(super) fn saying(words: Vec<u8>) -> Self {
        Self { words, taken: 0, closing: None, declined: None }
    }

    /// Says in the words of a protocol that nobody speaks it here.
    pub(super) fn declining(protocol: &'static str, words: Vec<u8>) -> Self {
        Self { declined: Some(protocol), ..Self::saying(words) }
    }

    /// What the peer has not taken yet.
    pub(super) fn rest(&self) -> &[u8] {
        &self.words[self.taken..]
    }

    /// The peer has taken so many bytes more.
    pub(super) fn wrote(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.rest().len(), "no more than there was");
        self.taken += bytes;
    }
}

impl Phase {
    /// The conversation, where there is one.
    pub(super) fn native(&self) -> Option<&Connection<TailFollower>> {
        match self {
            Self::Native(native) => Some(&native.core),
            Self::Undecided | Self::Taken(_) | Self::Leaving(_) => None,
        }
    }

    /// The conversation, where there is one.
    pub(super) fn native_mut(&mut self) -> Option<&mut Connection<TailFollower>> {
        match self {
            Self::Native(native) => Some(&mut native.core),
            Self::Undecided | Self::Taken(_) | Self::Leaving(_) => None,
        }
    }

    /// What the account has taken of its rate, once it is known.
    pub(super) fn bucket(&self) -> Option<&TokenBucket> {
        match self {
            Self::Native(native) => native.bucket.as_deref(),
            Self::Undecided | Self::Taken(_) | Self::Leaving(_) => None,
        }
    }

    /// The account is known: what it takes is taken from this bucket.
    pub(super) fn share(&mut self, bucket: Arc<TokenBucket>) {
        if let Self::Native(native) = self {
            native.bucket = Some(bucket);
        }
    }

    /// How many bytes of frames the next read from disk is to bring.
    pub(super) fn page_bytes(&self) -> usize {
        match self {
            Self::Native(native) => native.page_bytes as usize,
            Self::Undecided | Self::Taken(_) | Self::Leaving(_) => *PAGE_BYTES.start() as usize,
        }
    }

    /// Whether it ends once everything is said.
    pub(super) fn is_closing(&self) -> bool {
        match self {
            Self::Undecided | Self::Taken(_) => false,
            Self::Native(native) => native.core.is_closing(),
            Self::Leaving(_) => true,
        }
    }

    /// Says why, and ends.
    pub(super) fn close(&mut self, closing: &Closing) {
        match self {
            Self::Undecided | Self::Taken(_) => *self = Leaving::with(closing).into(),
            Self::Native(native) => native.core.close(closing),
            Self::Leaving(_) => {}
        }
    }

    /// Whether there is room for what the peer asks.
    pub(super) fn wants_input(&self) -> bool {
        match self {
            Self::Undecided => true,
            Self::Native(native) => native.core.wants_input(),
            Self::Taken(_) | Self::Leaving(_) => false,
        }
    }

    /// The protocol that the peer speaks, where it was told that nobody does here.
    pub(super) fn declined(&self) -> Option<&'static str> {
        match self {
            Self::Leaving(leaving) => leaving.declined,
            Self::Undecided | Self::Native(_) | Self::Taken(_) => None,
        }
    }

    /// Why it ends, as the peer was told in a frame.
    pub(super) fn closing(&self) -> Option<&Closing> {
        match self {
            Self::Undecided | Self::Taken(_) => None,
            Self::Native(native) => native.core.closing(),
            Self::Leaving(leaving) => leaving.closing.as_ref(),
        }
    }
}
