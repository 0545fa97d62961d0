//! An event: one entry of a log, and its frame.

use chat_proto::{
    AccountCreated, AccountId, AccountRenamed, Credential, Joined, Left, LogId, MessageId,
    Nickname, Nonce, PostedRef, RequestId, RoomCreated, RoomId, RoomJoined, RoomLeft, RoomName,
    Seq, TextBody, Timestamp, Written, encode_frame,
};

use crate::BodyDigest;

/// One entry of a log.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Event {
    /// Which log.
    pub log: LogId,
    /// Its place there.
    pub seq: Seq,
    /// When.
    pub ts: Timestamp,
    /// What happened.
    pub content: Content,
}

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// An account's first event.
    AccountCreated {
        /// Its first credential.
        credential: Credential,
        /// Its first nickname.
        name: Nickname,
    },
    /// In an account's log: another nickname.
    AccountRenamed {
        /// The nickname from now on.
        name: Nickname,
    },
    /// In an account's log: it became a member of a room.
    RoomJoined {
        /// Which.
        room: RoomId,
    },
    /// In an account's log: its membership of a room ended.
    RoomLeft {
        /// Which.
        room: RoomId,
    },
    /// A room's first event.
    RoomCreated {
        /// Who made it; `None`: the daemon.
        by: Option<AccountId>,
        /// Its name.
        name: RoomName,
    },
    /// In a room's log: somebody became a member.
    Joined {
        /// Who.
        account: AccountId,
    },
    /// In a room's log: a membership ended.
    Left {
        /// Whose.
        account: AccountId,
    },
    /// In a room's log: a message.
    Posted {
        /// Who.
        from: AccountId,
        /// Its id, which everyone sees.
        id: MessageId,
        /// Its nonce, which nobody but the sender and the store sees.
        nonce: Nonce,
        /// Of the room and the body: tells a repetition of the nonce from a reuse.
        digest: BodyDigest,
        /// What.
        body: TextBody,
    },
}

impl Event {
    /// Appends the event's frame: the same bytes for every receiver.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match &self.content {
            Content::AccountCreated { .. }
            | Content::AccountRenamed { .. }
            | Content::RoomJoined { .. }
            | Content::RoomLeft { .. } => self.encode_of_account(AccountId(self.log.0), out),
            Content::RoomCreated { .. }
            | Content::Joined { .. }
            | Content::Left { .. }
            | Content::Posted { .. } => self.encode_of_room(RoomId(self.log.0), out),
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller has parted the two halves")]
    fn encode_of_account(&self, account: AccountId, out: &mut Vec<u8>) {
        let Self { seq, ts, .. } = *self;
        match &self.content {
            Content::AccountCreated { name, .. } => {
                put(&AccountCreated { account, seq, ts, name: name.to_string() }, out);
            }
            Content::AccountRenamed { name } => {
                put(&AccountRenamed { account, seq, ts, name: name.to_string() }, out);
            }
            Content::RoomJoined { room } => put(&RoomJoined { account, seq, ts, room: *room }, out),
            Content::RoomLeft { room } => put(&RoomLeft { account, seq, ts, room: *room }, out),
            _ => {}
        }
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the caller has parted the two halves")]
    fn encode_of_room(&self, room: RoomId, out: &mut Vec<u8>) {
        let Self { seq, ts, .. } = *self;
        match &self.content {
            Content::RoomCreated { by, name } => {
                let by = by.unwrap_or_default();
                put(&RoomCreated { room, seq, ts, by, name: name.to_string() }, out);
            }
            Content::Joined { account } => put(&Joined { room, seq, ts, account: *account }, out),
            Content::Left { account } => put(&Left { room, seq, ts, account: *account }, out),
            Content::Posted { from, id, body, .. } => {
                let body = body.borrowed();
                put(&PostedRef { room, seq, ts, from: *from, id: *id, body }, out);
            }
            _ => {}
        }
    }
}

fn put(body: &impl Written, out: &mut Vec<u8>) {
    encode_frame(body, RequestId(0), out)
        .expect("names and texts are far under the frame limit once they are in an event");
}

/// Consecutive events of one log as one run of frames.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// The seq before the first event.
    pub after: Seq,
    /// The seq of the last event.
    pub head: Seq,
    /// Their frames, one after the other.
    pub frames: Vec<u8>,
    /// Whether there is something else in it than who came and went (see [`crate::WakePace`]).
    pub is_urgent: bool,
}

impl Batch {
    /// An empty batch that continues a log after `after`.
    #[must_use]
    pub fn after(after: Seq) -> Self {
        Self { after, head: after, frames: Vec::new(), is_urgent: false }
    }

    /// Appends the next event.
    ///
    /// # Panics
    /// When `event` is not the next one of the log: a gap here would be a gap for everyone.
    pub fn push(&mut self, event: &Event) {
        assert_eq!(event.seq, self.head.next(), "log {} continues without a gap", event.log);
        event.encode(&mut self.frames);
        self.head = event.seq;
        self.is_urgent |= !matches!(event.content, Content::Joined { .. } | Content::Left { .. });
    }
}
