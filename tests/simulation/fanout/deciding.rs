//! Sends are decided in the order of their streams: what was asked for is kept until its answer leaves.

use chat_core::{Action, Input, Ordered, Reply};
use chat_proto::{AccountId, Nonce};

use super::SimFanout;

impl SimFanout {
    /// A send has come.
    pub(crate) fn note_asked(&mut self, input: &Input) {
        self.note_question(input);
        if let Input::Ordered(Ordered { origin: Some(origin), command }) = input
            && let Action::Post { account, nonce, .. } = &command.action
        {
            self.sends.insert((origin.conn, origin.request), (*account, *nonce));
        }
    }

    /// G2: nothing is acked before what was sent before it in its stream is durable or refused for good.
    pub(super) fn note_decided(&mut self, (account, nonce): (AccountId, Nonce), reply: &Reply) {
        let mut disk = self.disk.borrow_mut();
        if let Reply::Refused(why) = reply
            && !why.code().may_be_retried()
        {
            disk.refused_sends.insert((account, nonce));
        }
        if !matches!(reply, Reply::Ack(_)) {
            return;
        }
        let posted = disk.data.sends.get(&(account, nonce.stream));
        let is_posted = |n| posted.is_some_and(|posted| posted.contains_key(&n));
        let is_refused = |n| disk.refused_sends.contains(&(account, Nonce { n, ..nonce }));
        let behind_the_last_posted = (1..nonce.n).rev().take_while(|n| !is_posted(*n));
        let left_out: Vec<u64> = behind_the_last_posted.filter(|n| !is_refused(*n)).collect();
        if !left_out.is_empty() {
            self.complaints
                .push(format!("G2: {nonce:?} is acked, before {left_out:?} are decided"));
        }
    }
}
