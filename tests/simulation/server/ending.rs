//! What ends: somebody's right to read a room, and what a message says. No request asks for either yet.

use chat_core::{Content, Fanout};
use chat_proto::{AccountId, LogId, Seq};

use super::Server;
use crate::env::Env;
use crate::fanout::subscription_ended;
use crate::trace::trace;

impl Server {
    /// Somebody who follows a room may not do so any more, from now on or with the next commit.
    pub(crate) fn revoke_one(&mut self, env: &mut Env) {
        let peers = self.fanout.peers.values();
        let followed: Vec<(LogId, AccountId)> = peers
            .filter_map(|peer| peer.connection.account().map(|account| (peer, account)))
            .flat_map(|(peer, account)| peer.connection.followed().map(move |log| (log, account)))
            .filter(|(log, account)| *log != LogId::from(*account))
            .collect();
        let Some((log, account)) = env.chance.pick(&followed) else { return };
        trace!(env.trace, "account {account} may not follow log {log} any more");
        if env.chance.percent(70) {
            // With what is committed next: nothing of that may come to it.
            self.fanout.revoked_next = Some((log, account));
            return;
        }
        let head = self.fanout.disk.borrow().data.head(log);
        self.fanout.revoke(log, account, subscription_ended(log, head));
        self.wake_woken(env);
    }

    /// The text of a message is gone from the store, and is to be gone from everywhere.
    pub(crate) fn redact_one(&mut self, env: &mut Env) {
        // What is durable and not published yet would be published with its text.
        if !self.pipeline.is_settled() || !self.pipeline.takes_commands() || self.has_died() {
            return;
        }
        let mut disk = self.fanout.disk.borrow_mut();
        let is_message =
            |event: &&chat_core::Event| matches!(event.content, Content::Posted { .. });
        let messages: Vec<(LogId, Seq)> = disk
            .data
            .logs
            .values()
            .flatten()
            .filter(is_message)
            .map(|event| (event.log, event.seq))
            .filter(|place| !disk.redacted.contains(place))
            .collect();
        // Old ones are in no tail.
        let newest = &messages[messages.len().saturating_sub(20)..];
        let Some((log, seq)) = env.chance.pick(newest) else { return };
        trace!(env.trace, "the text of seq {seq} of log {log} is gone");
        disk.redacted.insert((log, seq));
        env.note_redacted(disk.epoch, log, seq);
        drop(disk);
        self.fanout.redact(log, seq);
        self.wake_woken(env);
    }

    fn wake_woken(&mut self, env: &mut Env) {
        for conn in std::mem::take(&mut self.fanout.woken) {
            self.wake(conn, env);
        }
    }
}
