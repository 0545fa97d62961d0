//! What events and rows of the table `events` are made of.

use chat_core::{BodyDigest, Content, Event, StoreError};
use chat_proto::{AccountId, MessageId, Nickname, Nonce, RoomId, RoomName, Seq, TextKind};

/// What an event's content puts into the columns behind `kind`.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) kind: &'static str,
    pub(super) account: Option<AccountId>,
    pub(super) room: Option<RoomId>,
    /// A name or a text.
    pub(super) words: Option<&'a str>,
    pub(super) post: Option<PostColumns>,
}

/// The same of a message.
#[derive(Clone, Copy, Debug)]
pub(super) struct PostColumns {
    pub(super) id: MessageId,
    pub(super) nonce: Nonce,
    pub(super) digest: BodyDigest,
    pub(super) text_kind: u16,
    pub(super) reply_to: Option<Seq>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(event: &'a Event) -> Self {
        let own = Some(AccountId(event.log.0));
        let blank = Self::default();
        match &event.content {
            Content::AccountCreated { name, .. } => {
                Self { kind: ACCOUNT_CREATED, account: own, words: Some(name.as_str()), ..blank }
            }
            Content::AccountRenamed { name } => {
                Self { kind: ACCOUNT_RENAMED, account: own, words: Some(name.as_str()), ..blank }
            }
            Content::RoomJoined { room } => {
                Self { kind: ROOM_JOINED, account: own, room: Some(*room), ..blank }
            }
            Content::RoomLeft { room } => {
                Self { kind: ROOM_LEFT, account: own, room: Some(*room), ..blank }
            }
            Content::RoomCreated { by, name } => {
                Self { kind: ROOM_CREATED, account: *by, words: Some(name.as_str()), ..blank }
            }
            Content::Joined { account } => Self { kind: JOINED, account: Some(*account), ..blank },
            Content::Left { account } => Self { kind: LEFT, account: Some(*account), ..blank },
            Content::Posted { from, id, nonce, digest, body } => Self {
                kind: POSTED,
                account: Some(*from),
                words: Some(&body.text),
                post: Some(PostColumns {
                    id: *id,
                    nonce: *nonce,
                    digest: *digest,
                    text_kind: body.kind,
                    reply_to: body.reply_to,
                }),
                ..blank
            },
        }
    }
}

pub(super) fn nickname(name: &str) -> Result<Nickname, StoreError> {
    Nickname::parse(name).map_err(|cause| StoreError::new("read a nickname", cause))
}

pub(super) fn room_name(name: &str) -> Result<RoomName, StoreError> {
    RoomName::parse(name).map_err(|cause| StoreError::new("read a room's name", cause))
}

/// A number as SQLite has it. Ids, seqs and times never come near the limit; what a client makes
/// up may, and then finds nothing.
pub(super) fn integer(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// The number that [`integer`] stored.
pub(super) fn unsigned(integer: i64) -> u64 {
    u64::try_from(integer).unwrap_or(0)
}

/// The kind of a message's words as it is stored: nearly all of them are said, and say nothing of
/// it.
pub(super) fn text_kind_column(kind: u16) -> Option<u16> {
    (kind != TextKind::Say as u16).then_some(kind)
}

/// The number that [`text_kind_column`] stored.
pub(super) fn text_kind(column: Option<u16>) -> u16 {
    column.unwrap_or(TextKind::Say as u16)
}

pub(super) const ACCOUNT_CREATED: &str = "account_created";
pub(super) const ACCOUNT_RENAMED: &str = "account_renamed";
pub(super) const ROOM_JOINED: &str = "room_joined";
pub(super) const ROOM_LEFT: &str = "room_left";
pub(super) const ROOM_CREATED: &str = "room_created";
pub(super) const JOINED: &str = "joined";
pub(super) const LEFT: &str = "left";
pub(super) const POSTED: &str = "posted";

/// The kinds of events of a room that are no message.
pub(super) const ROOM_NOTICES: [&str; 3] = [ROOM_CREATED, JOINED, LEFT];
