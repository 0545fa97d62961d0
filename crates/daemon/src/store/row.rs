//! Events as rows of the table `events`, in both directions.

use chat_core::{Content, Event, StoreError};
use chat_proto::{
    AccountId, LogId, MessageId, Nickname, Nonce, PublicKey, RoomId, RoomName, Seq, StreamId,
    Timestamp,
};
use rusqlite::Row;

/// What an event's content puts into the columns behind `kind`.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) kind: &'static str,
    pub(super) account: Option<AccountId>,
    pub(super) room: Option<RoomId>,
    pub(super) name: Option<&'a str>,
    pub(super) text: Option<&'a str>,
    pub(super) message_id: Option<MessageId>,
    pub(super) nonce: Option<Nonce>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(event: &'a Event) -> Self {
        let own = Some(AccountId(event.log.0));
        let blank = Self::default();
        match &event.content {
            Content::AccountCreated { name, .. } => {
                Self { kind: ACCOUNT_CREATED, account: own, name: Some(name.as_str()), ..blank }
            }
            Content::AccountRenamed { name } => {
                Self { kind: ACCOUNT_RENAMED, account: own, name: Some(name.as_str()), ..blank }
            }
            Content::RoomJoined { room } => {
                Self { kind: ROOM_JOINED, account: own, room: Some(*room), ..blank }
            }
            Content::RoomLeft { room } => {
                Self { kind: ROOM_LEFT, account: own, room: Some(*room), ..blank }
            }
            Content::RoomCreated { by, name } => {
                Self { kind: ROOM_CREATED, account: *by, name: Some(name.as_str()), ..blank }
            }
            Content::Joined { account } => Self { kind: JOINED, account: Some(*account), ..blank },
            Content::Left { account } => Self { kind: LEFT, account: Some(*account), ..blank },
            Content::MemberRenamed { account, name } => {
                let name = Some(name.as_str());
                Self { kind: MEMBER_RENAMED, account: Some(*account), name, ..blank }
            }
            Content::Posted { from, id, nonce, text } => Self {
                kind: POSTED,
                account: Some(*from),
                text: Some(text),
                message_id: Some(*id),
                nonce: Some(*nonce),
                ..blank
            },
        }
    }
}

/// The columns that [`event_of`] reads, in its order.
pub(super) const EVENT_COLUMNS: &str = "events.log, events.seq, events.ts, events.kind, \
     events.account, events.room, events.name, events.text, events.message_id, \
     (SELECT streams.stream FROM streams WHERE streams.id = events.stream), events.n, \
     (SELECT accounts.key FROM accounts \
      WHERE events.kind = 'account_created' AND accounts.id = events.account)";

/// The event that [`EVENT_COLUMNS`] of a row tell.
pub(super) fn event_of(row: &Row<'_>) -> Result<Event, StoreError> {
    let read = |cause| StoreError::new("read an event", cause);
    Ok(Event {
        log: LogId(unsigned(row.get(0).map_err(read)?)),
        seq: Seq(unsigned(row.get(1).map_err(read)?)),
        ts: Timestamp(unsigned(row.get(2).map_err(read)?)),
        content: content_of(row)?,
    })
}

fn content_of(row: &Row<'_>) -> Result<Content, StoreError> {
    let read = |cause| StoreError::new("read an event", cause);
    let kind = row.get_ref(3).map_err(read)?;
    let kind = kind.as_str().map_err(|cause| StoreError::new("read an event", cause))?;
    let account = || row.get(4).map(|id| AccountId(unsigned(id))).map_err(read);
    let room = || row.get(5).map(|id| RoomId(unsigned(id))).map_err(read);
    let nickname = || nickname(&row.get::<_, String>(6).map_err(read)?);
    Ok(match kind {
        ACCOUNT_CREATED => {
            let key = PublicKey(row.get(11).map_err(read)?);
            Content::AccountCreated { key, name: nickname()? }
        }
        ACCOUNT_RENAMED => Content::AccountRenamed { name: nickname()? },
        ROOM_JOINED => Content::RoomJoined { room: room()? },
        ROOM_LEFT => Content::RoomLeft { room: room()? },
        ROOM_CREATED => {
            let by = row.get::<_, Option<i64>>(4).map_err(read)?;
            let name = room_name(&row.get::<_, String>(6).map_err(read)?)?;
            Content::RoomCreated { by: by.map(|id| AccountId(unsigned(id))), name }
        }
        JOINED => Content::Joined { account: account()? },
        LEFT => Content::Left { account: account()? },
        MEMBER_RENAMED => Content::MemberRenamed { account: account()?, name: nickname()? },
        POSTED => Content::Posted {
            from: account()?,
            id: MessageId(row.get(8).map_err(read)?),
            nonce: Nonce {
                stream: StreamId(row.get(9).map_err(read)?),
                n: unsigned(row.get(10).map_err(read)?),
            },
            text: row.get(7).map_err(read)?,
        },
        unknown => {
            let cause = format!("its kind {unknown:?} is not one that this version knows");
            return Err(StoreError::new("read an event", cause));
        }
    })
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

const ACCOUNT_CREATED: &str = "account_created";
const ACCOUNT_RENAMED: &str = "account_renamed";
const ROOM_JOINED: &str = "room_joined";
const ROOM_LEFT: &str = "room_left";
const ROOM_CREATED: &str = "room_created";
const JOINED: &str = "joined";
const LEFT: &str = "left";
const MEMBER_RENAMED: &str = "member_renamed";
const POSTED: &str = "posted";
