//! What a transaction holds in memory until its commit. Only then is it known which events of a log
//! lie together.

use std::ops::Range;

use chat_core::{
    BodyDigest, Columns, Content, Event, EventRow, InvitationColumns, MessageColumns, PastSend,
};
use chat_proto::{AccountId, LogId, RoomId, Seq, Timestamp};

use super::row::credential_column;

/// Bytes of buffers that are kept for the next transaction.
const KEPT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Records of the open transaction. Bounded by whoever appends.
#[derive(Debug, Default)]
pub(super) struct RowBuffer {
    rows: Vec<Row>,
    /// The texts and names of the rows, one behind the other.
    words: String,
    sends: Vec<StreamSends>,
    /// Whether rows of one log come after those of another.
    is_mixed: bool,
}

/// An event that is to become a row of the table `events`.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) log: LogId,
    pub(super) seq: Seq,
    pub(super) ts: Timestamp,
    pub(super) kind: &'static str,
    pub(super) account: Option<AccountId>,
    pub(super) done_by: Option<AccountId>,
    pub(super) room: Option<RoomId>,
    pub(super) number: Option<u64>,
    /// As the column has it. Few have one.
    pub(super) credential: Option<Box<[u8; 34]>>,
    /// What is special about an invitation: few rows are of one.
    pub(super) invitation: Option<Box<InvitationColumns>>,
    /// What is special about a message.
    pub(super) post: Option<Post>,
    /// The newest message of the log, this one included; 0: there is none.
    pub(super) last_post: Seq,
    words: Range<usize>,
}

/// What only a message has: what everyone sees, and what the store keeps with its stream.
#[derive(Clone, Copy, Debug)]
pub(super) struct Post {
    pub(super) message: MessageColumns,
    /// The row of its stream.
    pub(super) stream: i64,
    pub(super) n: u64,
    pub(super) digest: BodyDigest,
}

/// The messages of one stream.
#[derive(Debug)]
pub(super) struct StreamSends {
    /// The stream's row.
    pub(super) stream: i64,
    /// The `n` and the row in the buffer of each, rising in `n`. What is missing was refused.
    pub(super) posted: Vec<(u64, usize)>,
}

impl RowBuffer {
    /// Takes an event, with the newest message of its log; tells its row.
    pub(super) fn push(&mut self, event: &Event, stream: Option<i64>, last_post: Seq) -> usize {
        debug_assert!(last_post <= event.seq, "the newest message is not behind the head");
        let EventRow { log, seq, ts, kind, columns } = event.row();
        let Columns { account, by: done_by, room, words, number, credential, message, invitation } =
            columns;
        let begin = self.words.len();
        self.words.push_str(words.unwrap_or_default());
        let post = match (&event.content, message, stream) {
            (Content::Posted { nonce, digest, .. }, Some(message), Some(stream)) => {
                Some(Post { message, stream, n: nonce.n, digest: *digest })
            }
            _ => None,
        };
        debug_assert_eq!(post.is_some(), stream.is_some(), "messages have a stream, and only they");
        self.is_mixed |= self.rows.last().is_some_and(|last| last.log != log);
        self.rows.push(Row {
            log,
            seq,
            ts,
            kind: kind.name(),
            account,
            done_by,
            room,
            number,
            credential: credential.map(|credential| Box::new(credential_column(&credential))),
            invitation: invitation.map(Box::new),
            post,
            last_post,
            words: begin..self.words.len(),
        });
        self.rows.len() - 1
    }

    /// The time of a log's newest event in this transaction.
    pub(super) fn newest_ts(&self, log: LogId) -> Option<Timestamp> {
        self.rows.iter().rev().find(|row| row.log == log).map(|row| row.ts)
    }

    /// The first message of a stream in this transaction is to come; tells where they go.
    pub(super) fn begin_sends(&mut self, stream: i64) -> usize {
        self.sends.push(StreamSends { stream, posted: Vec::new() });
        self.sends.len() - 1
    }

    /// The next message of a stream, which is in this row.
    pub(super) fn send(&mut self, sends: usize, n: u64, row: usize) {
        let posted = &mut self.sends[sends].posted;
        debug_assert!(posted.last().is_none_or(|(last, _row)| *last < n), "sends come in turn");
        posted.push((n, row));
    }

    /// What a send has led to, if that is in this transaction.
    pub(super) fn past_send(&self, sends: usize, n: u64) -> Option<PastSend> {
        let posted = &self.sends[sends].posted;
        let at = posted.binary_search_by_key(&n, |(n, _row)| *n).ok()?;
        let Row { log, seq, ts, post, .. } = self.rows[posted[at].1];
        let Post { message, digest, .. } = post?;
        Some(PastSend::Posted { room: RoomId(log.0), seq, ts, id: message.id, digest })
    }

    /// The rows, those of each log together as they came, and the newest of all at the end.
    pub(super) fn rows_by_log(&self) -> Vec<usize> {
        let mut order: Vec<_> = (0..self.rows.len()).collect();
        if !self.is_mixed {
            return order;
        }
        let log = |row: &usize| self.rows[*row].log;
        order.sort_by_key(log);
        let mut logs: Vec<_> = order.chunk_by(|a, b| log(a) == log(b)).collect();
        logs.sort_by_key(|rows| rows.last().copied());
        let order = logs.concat();
        // The time of the newest event of all is looked up under the last id.
        debug_assert_eq!(order.last().copied(), self.rows.len().checked_sub(1));
        order
    }

    /// All of them, as they came.
    pub(super) fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter()
    }

    pub(super) fn row(&self, row: usize) -> &Row {
        &self.rows[row]
    }

    /// A row's text, or its name; empty when it has neither.
    pub(super) fn words(&self, row: &Row) -> &str {
        &self.words[row.words.clone()]
    }

    pub(super) fn sends(&self) -> &[StreamSends] {
        &self.sends
    }

    /// Whether nothing was staged.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.sends.is_empty()
    }

    /// The bytes of all texts and names.
    pub(super) fn bytes(&self) -> usize {
        self.words.len()
    }

    /// About how many pages its commit writes.
    pub(super) fn pages(&self) -> usize {
        /// Of a row, besides its words.
        const ROW_BYTES: usize = 64;
        const PAGE_BYTES: usize = 4000;
        let bytes = self.words.len() + self.rows.len() * ROW_BYTES;
        // The last page of the events, and that of `progress`.
        2 + bytes / PAGE_BYTES
    }

    pub(super) fn clear(&mut self) {
        let kept = self.words.capacity() + self.rows.capacity() * size_of::<Row>();
        if kept > KEPT_BYTES_MAX {
            *self = Self::default();
        }
        self.rows.clear();
        self.words.clear();
        self.sends.clear();
        self.is_mixed = false;
    }
}
