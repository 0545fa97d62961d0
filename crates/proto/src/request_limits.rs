//! How long the body of each request may be: no longer than what can stand in it.
//!
//! A server knows it from the header alone, before it keeps a byte of the body.

use crate::Kind;
use crate::limits::{PAGE_ITEMS_MAX, TEXT_BYTES_MAX};

/// The longest a number can be on the wire.
const NUMBER_BYTES_MAX: usize = 9;

/// Room for a few numbers, ids and flags.
const FEW_NUMBERS_BYTES_MAX: usize = 64;

/// A name, and as much again as lets one that is too long be refused with a sentence.
const NAME_BODY_BYTES_MAX: usize = 512;

/// The same for a text: one that is a little too long is refused, and the connection lives.
const TEXT_SLACK_BYTES: usize = 1024;

impl Kind {
    /// The longest body of a request of this kind, in bytes; `None` when it is no request.
    #[must_use]
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "whatever else there is, a client never says"
    )]
    pub fn request_bytes_max(self) -> Option<usize> {
        match self {
            Self::Hello | Self::SignIn | Self::Join | Self::Rename | Self::FindRoom => {
                Some(NAME_BODY_BYTES_MAX)
            }
            Self::Send => Some(TEXT_BYTES_MAX + TEXT_SLACK_BYTES),
            Self::Accounts => Some(NUMBER_BYTES_MAX * (1 + PAGE_ITEMS_MAX)),
            Self::Leave
            | Self::Subscribe
            | Self::Unsubscribe
            | Self::History
            | Self::Rooms
            | Self::Members
            | Self::Ping
            | Self::ProbeReply => Some(FEW_NUMBERS_BYTES_MAX),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{AGENT_BYTES_MAX, NAME_BYTES_MAX, VERSIONS_MAX};
    use crate::wire::encode_into;
    use crate::{
        AccountId, Accounts, Body, Epoch, Hello, History, Join, List, LogId, Nonce, Position,
        PublicKey, RoomId, Send, Seq, SignIn, StreamId, Subscribe,
    };

    fn fits<B: Body>(body: &B) {
        let mut bytes = Vec::new();
        encode_into(body, &mut bytes).unwrap();
        let most = B::KIND.request_bytes_max().unwrap();
        assert!(bytes.len() <= most, "a {:?} has {} of {most} bytes", B::KIND, bytes.len());
    }

    #[test]
    fn the_longest_request_of_each_kind_fits() {
        let name = "x".repeat(NAME_BYTES_MAX);
        let versions = List::first_of([u16::MAX; VERSIONS_MAX]);
        fits(&Hello { versions, agent: "x".repeat(AGENT_BYTES_MAX), random: [0; 32] });
        let (key, signature) = (PublicKey([0; 32]), [0; 64]);
        fits(&SignIn { key, signature, name: name.clone(), name_is_firm: true });
        fits(&Join { name });
        let nonce = Nonce { stream: StreamId([0; 16]), n: u64::MAX };
        fits(&Send { nonce, room: RoomId(u64::MAX), text: "x".repeat(TEXT_BYTES_MAX + 512) });
        fits(&Accounts { ids: List::first_of([AccountId(u64::MAX); PAGE_ITEMS_MAX]) });
        let after = Position { epoch: Epoch(u64::MAX), seq: Seq(u64::MAX) };
        fits(&Subscribe { log: LogId(u64::MAX), after: Some(after) });
        fits(&History { room: RoomId(u64::MAX), before: Seq(u64::MAX), limit: u16::MAX });
    }

    #[test]
    fn what_the_server_says_is_no_request() {
        for kind in [Kind::Welcome, Kind::Error, Kind::Posted, Kind::Gap, Kind::Close] {
            assert_eq!(kind.request_bytes_max(), None, "{kind:?}");
        }
    }
}
