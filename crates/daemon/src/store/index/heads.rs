//! How far each log has come, with the open transaction and the one under way. Known logs need no
//! SQL, and so do not wait for a commit that is under way on the connection.

use chat_core::{Content, Event};
use chat_proto::{LogId, Seq};
use rustc_hash::FxHashMap;

use super::unflushed::UnflushedIndex;
use crate::store::committer::WriteConnection;
use crate::store::write::WriteError;

/// Logs that are known. When there are more, all are forgotten; the next event of one costs a
/// search.
const LOGS_MAX: usize = 65_536;

/// What is known. It goes ahead of the file by the open transaction and the one under way.
#[derive(Debug, Default)]
pub(super) struct Heads {
    known: FxHashMap<LogId, LogMark>,
}

/// How far one log has come.
#[derive(Clone, Copy, Debug, Default)]
struct LogMark {
    head: Seq,
    /// The newest message; 0: there is none.
    last_post: Seq,
}

impl Heads {
    /// See [`super::Index::push`].
    pub(super) fn push(
        &mut self,
        table: &WriteConnection,
        unflushed: &UnflushedIndex,
        event: &Event,
        creates: bool,
    ) -> Result<Seq, WriteError> {
        let (log, seq) = (event.log, event.seq);
        let mark = match self.known.get_mut(&log) {
            Some(mark) => mark,
            None => {
                let last = unflushed.last_block(&table.lock(), log)?;
                let mark = LogMark { head: last.last_seq(), last_post: Seq(last.last_post) };
                self.known.entry(log).or_insert(mark)
            }
        };
        if seq != mark.head.next() {
            return Err(WriteError::Hole { log, head: mark.head, seq });
        }
        if creates != (seq == Seq(1)) {
            return Err(WriteError::Beginning { log, seq });
        }
        mark.head = seq;
        if matches!(event.content, Content::Posted { .. }) {
            mark.last_post = seq;
        }
        let last_post = mark.last_post;
        if matches!(event.content, Content::RoomRemoved {}) {
            // Nothing follows: its id is not given again.
            self.known.remove(&log);
        }
        Ok(last_post)
    }

    /// Whether a log is not known to have come less far than this.
    pub(super) fn is_at_or_behind(&self, log: LogId, seq: Seq) -> bool {
        self.known.get(&log).is_none_or(|mark| mark.head >= seq)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Whether more are known than may be between transactions.
    pub(super) fn is_overfull(&self) -> bool {
        self.known.len() > LOGS_MAX
    }

    /// What goes ahead of the file is lost, or there is too much of it.
    pub(super) fn forget(&mut self) {
        self.known = FxHashMap::default();
    }
}
