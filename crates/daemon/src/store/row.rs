//! What rows of the table `events` are made of. Which kind of event has which columns says the core's
//! table of kinds.

use chat_core::{self as core, BodyDigest, Content, Event, EventRow, MessageColumns};
use chat_proto::{AccountId, EventSeq, MessageId, Nonce, RoomId, Seq, TextKind};

/// What an event's content puts into the columns behind `kind`.
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
    pub(super) reply_to: Option<EventSeq>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(event: &'a Event) -> Self {
        let EventRow { kind, columns, .. } = event.row();
        let core::Columns { account, room, words, message } = columns;
        let post = match (&event.content, message) {
            (Content::Posted { nonce, digest, .. }, Some(message)) => {
                let MessageColumns { id, text_kind, reply_to } = message;
                Some(PostColumns { id, nonce: *nonce, digest: *digest, text_kind, reply_to })
            }
            _ => None,
        };
        Self { kind: kind.name(), account, room, words, post }
    }
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

/// The event that a column names. No event has the place 0, which nothing here writes.
pub(super) fn event_seq(column: Option<i64>) -> Option<EventSeq> {
    column.and_then(|seq| EventSeq::new(Seq(unsigned(seq))))
}

/// The number that [`text_kind_column`] stored.
pub(super) fn text_kind(column: Option<u16>) -> u16 {
    column.unwrap_or(TextKind::Say as u16)
}
