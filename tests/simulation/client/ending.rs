//! What ends for a client: a right to read, and messages whose texts are gone.

use chat_client::resume::Step;
use chat_proto::{Epoch, ErrorCode, Gap, LogId, Seq, SubscriptionEnded};
use chat_tests::history::Reader;

use super::Client;
use crate::coverage::Situation;
use crate::env::Env;
use crate::rights::{Place, Shown};
use crate::trace::trace;

/// A cursor of the server, on the connection that is up.
pub(super) struct OpenCursor {
    pub(super) reader: Reader,
    /// Where in the order it was opened, and in which epoch.
    pub(super) opened: (Epoch, Place),
    /// When it was asked for, in microseconds.
    pub(super) asked_us: u64,
    /// What came of it last.
    pub(super) at: Seq,
}

impl Client {
    /// The account may not follow a log any more, and may ask again; or nobody may.
    pub(super) fn subscription_ended(&mut self, ended: &SubscriptionEnded, env: &mut Env) {
        let SubscriptionEnded { log, code, ref message } = *ended;
        let Some(OpenCursor { reader, at, .. }) = self.cursors.remove(&log) else {
            let words = format!("client {} follows no log {log} that could end", self.index);
            return env.complain(words);
        };
        env.history.closed(reader);
        // What was shown when the right to read ended; of a room that is gone there is a sentence.
        let Ok(head) = message.parse().map(Seq) else {
            if code == ErrorCode::Banned as u16 {
                env.coverage.hit(Situation::EndedByBan);
            }
            return self.room_gone(log, env);
        };
        env.coverage.hit(Situation::SubscriptionEnded);
        trace!(env.trace, "client {} may not follow log {log} behind {head}", self.index);
        if at > head {
            let words =
                format!("client {} got {at} of log {log}, and may read up to {head}", self.index);
            env.complain(words);
        } else if at < head {
            env.coverage.hit(Situation::EndedBehindHead);
        }
        if self.followed.contains_key(&log)
            && !self.subscribing.contains_key(&log)
            && let Some(subscribe) = self.resume.ask(log)
        {
            self.subscribe(&subscribe, env);
        }
    }

    /// An event has come on a cursor: whether it might, is looked up later.
    pub(super) fn note_shown(&self, log: LogId, seq: Seq, env: &mut Env) {
        let (Some(cursor), Some(account)) = (self.cursors.get(&log), self.account) else { return };
        let (epoch, opened) = cursor.opened;
        let credential = self.credential;
        env.shown.push((epoch, Shown { account, credential, log, seq, opened }));
    }

    /// Nobody who asks for it when it is gone gets the text of a message.
    pub(super) fn demand_not_gone(&self, log: LogId, seq: Seq, env: &mut Env) {
        let Some(OpenCursor { asked_us, .. }) = self.cursors.get(&log) else { return };
        if env.was_gone(self.epoch(), log, seq, *asked_us) {
            let words = format!("client {} gets seq {seq} of log {log}, which is gone", self.index);
            env.complain(words);
        }
    }

    /// Messages are gone.
    pub(super) fn gap(&mut self, gap: &Gap, env: &mut Env) {
        let Gap { log, from, to, .. } = *gap;
        trace!(env.trace, "client {} gets a gap {from}..={to} in log {log}", self.index);
        env.coverage.hit(Situation::GapTold);
        if !(from.0..=to.0).all(|seq| env.is_gone(log, Seq(seq))) {
            env.complain(format!("client {} is told that {gap:?}, which is there", self.index));
        }
        match self.cursors.get_mut(&log) {
            Some(cursor) => {
                cursor.at = to;
                env.history.gone(cursor.reader, from, to);
            }
            None => {
                return env.complain(format!("client {} follows no log {log} here", self.index));
            }
        }
        if self.subscribing.contains_key(&log) {
            // Of the cursor that is about to be moved.
            return;
        }
        match self.resume.gap(gap) {
            Step::Fresh => {
                if let Some(reader) = self.readers.get(&log) {
                    env.history.gone(*reader, from, to);
                }
            }
            Step::NotFollowed => {}
            step @ (Step::Duplicate | Step::Hole { .. }) => {
                env.complain(format!("client {}: {gap:?}: {step:?}", self.index));
            }
        }
    }
}
