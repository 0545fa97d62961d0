//! How numbers and kinds stand in the columns of rows.
//!
//! It must not know which row has what: which columns a kind of event has says the core's table of kinds.

use chat_proto::{Credential, EventSeq, Seq, TextKind};

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

/// A credential as it stands beside an event: its kind, and its bytes.
pub(super) fn credential_column(credential: &Credential) -> [u8; 34] {
    let mut column = [0; 34];
    column[..2].copy_from_slice(&(credential.kind() as u16).to_le_bytes());
    column[2..].copy_from_slice(credential.bytes());
    column
}

/// The credential that [`credential_column`] stored; `None`: its kind is not known here.
pub(super) fn credential(column: Option<[u8; 34]>) -> Option<Credential> {
    let (kind, bytes) = column.as_ref()?.split_first_chunk()?;
    Credential::from_parts(u16::from_le_bytes(*kind), bytes.try_into().ok()?)
}
