//! Bodies that borrow what they say: what the daemon writes most, without a copy.

use crate::limits::SUBSCRIBED_MEMBERS_MAX;
use crate::wire::{Encode, List, Written};
use crate::{
    AccountId, Epoch, LogId, MessageId, Posted, RoomId, Seq, Subscribed, TextRef, Timestamp,
};

/// The bytes of a [`Posted`].
#[derive(Clone, Copy, Debug, Encode)]
pub struct PostedRef<'a> {
    /// As of a [`Posted`].
    pub room: RoomId,
    /// As of a [`Posted`].
    pub seq: Seq,
    /// As of a [`Posted`].
    pub ts: Timestamp,
    /// As of a [`Posted`].
    pub from: AccountId,
    /// As of a [`Posted`].
    pub id: MessageId,
    /// As of a [`Posted`].
    pub body: TextRef<'a>,
}

impl Written for PostedRef<'_> {
    type Body = Posted;
}

/// The bytes of a [`crate::Member`].
#[derive(Clone, Copy, Debug, Encode)]
pub struct MemberRef<'a> {
    /// As of a [`crate::Member`].
    pub account: AccountId,
    /// As of a [`crate::Member`].
    pub name: &'a str,
    /// As of a [`crate::Member`].
    pub online: bool,
}

/// The bytes of a [`Subscribed`].
#[derive(Clone, Debug, Encode)]
pub struct SubscribedRef<'a> {
    /// As of a [`Subscribed`].
    pub log: LogId,
    /// As of a [`Subscribed`].
    pub epoch: Epoch,
    /// As of a [`Subscribed`].
    pub head: Seq,
    /// As of a [`Subscribed`].
    pub name: &'a str,
    /// As of a [`Subscribed`].
    pub topic: &'a str,
    /// The first members of a room in order of their ids: fewer than a [`Subscribed`] may have, for it is
    /// written often.
    pub members: List<MemberRef<'a>, SUBSCRIBED_MEMBERS_MAX>,
    /// As of a [`Subscribed`].
    pub member_count: u32,
    /// As of a [`Subscribed`].
    pub online: u32,
}

impl Written for SubscribedRef<'_> {
    type Body = Subscribed;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Context, Member, RequestId, TextBody, encode_frame};

    #[test]
    fn a_borrowed_body_makes_the_same_bytes() {
        let (room, seq, ts) = (RoomId(7), Seq(300), Timestamp(1 << 40));
        let (from, id, kind) = (AccountId(70_000), MessageId([9; 16]), 2);
        let via = Some("irc".to_owned());
        for context in [None, Some(Box::new(Context { via, ..Context::default() }))] {
            let body = TextBody {
                kind,
                text: "grüße".to_owned(),
                reply_to: crate::EventSeq::new(seq),
                context,
            };
            let borrowed = PostedRef { room, seq, ts, from, id, body: body.borrowed() };
            assert_eq!(
                frame(&Posted { room, seq, ts, from, id, body: body.clone() }),
                frame(&borrowed)
            );
        }

        let (log, epoch, name) = (LogId(7), Epoch(1 << 60), "lobby");
        let member = Member { account: from, name: "ada".to_owned(), online: true };
        let owned = Subscribed {
            log,
            epoch,
            head: seq,
            name: name.to_owned(),
            topic: "talk".to_owned(),
            members: List::first_of([member]),
            member_count: 300,
            online: 2,
        };
        let members = List::first_of([MemberRef { account: from, name: "ada", online: true }]);
        let (member_count, online) = (300, 2);
        let (head, topic) = (seq, "talk");
        let borrowed =
            SubscribedRef { log, epoch, head, name, topic, members, member_count, online };
        assert_eq!(frame(&owned), frame(&borrowed));
    }

    fn frame(body: &impl Written) -> Vec<u8> {
        let mut frame = Vec::new();
        encode_frame(body, RequestId(3), &mut frame).unwrap();
        frame
    }
}
