//! Answers are held against the model of who may know and read what, at the moment at which they are given;
//! and pages of history that are being read when somebody's right to them ends.

use chat_core::{HistoryRead, Input, Local, Origin, Refusal, Reply};
use chat_proto::{AccountId, LogId, QueryRequest, Timestamp};

use super::{SimFanout, Whose};
use crate::coverage::Situation;

/// A page of history that is being read.
pub(super) struct AskedPage {
    account: AccountId,
    log: LogId,
    /// The right to read has ended since.
    is_over: bool,
}

impl SimFanout {
    /// A question for names has come.
    pub(crate) fn note_question(&mut self, input: &Input) {
        if let Input::Local(Local::Query { origin, query: QueryRequest::Accounts(_), .. }) = input {
            self.names_asked.insert((origin.conn, origin.request));
        }
    }

    /// Nobody is told of what it may not know, nor follows what it may not read.
    #[expect(clippy::wildcard_enum_match_arm, reason = "nothing else tells of rooms and people")]
    pub(super) fn judge_answer(&mut self, to: Origin, reply: &Reply) {
        let asks_for_names = self.names_asked.remove(&(to.conn, to.request));
        let account = self.peers.get(&to.conn).and_then(|peer| peer.connection.account());
        let Some(asker) = account else { return };
        let (disk, now) = (self.disk.borrow(), Timestamp(self.now_ms));
        let rights = &disk.data.rights;
        let knows = |room| rights.may_know_of(asker, room, now);
        let reads = |log| rights.may_read(asker, log, now);
        let is_right = match reply {
            Reply::Subscribed(opening) => reads(opening.log),
            Reply::Room(info) => knows(info.room),
            Reply::Rooms(page) => page.rooms.iter().all(|info| knows(info.room)),
            Reply::Members(page) => reads(page.room.into()),
            Reply::Accounts(list) if asks_for_names => {
                list.accounts.iter().all(|info| rights.may_know(asker, info.account))
            }
            _ => true,
        };
        drop(disk);
        if !is_right {
            self.complaints.push(format!("{asker} may not be told {reply:?}"));
        }
    }

    /// A page is to be read.
    pub(super) fn note_page(&mut self, to: Origin, account: AccountId, read: HistoryRead) {
        let log = LogId::from(read.room);
        if !self.disk.borrow().data.rights.may_read(account, log, Timestamp(self.now_ms)) {
            self.complaints.push(format!("{account} may not read {read:?}"));
        }
        let page = AskedPage { account, log, is_over: false };
        self.pages.insert((to.conn, to.request), page);
    }

    /// Nobody gets a page that was asked for before.
    pub(super) fn end_pages(&mut self, log: LogId, whose: &Whose) {
        let asked = self.pages.values_mut();
        let ended = asked.filter(|page| page.log == log && whose.is(Some(page.account)));
        ended.for_each(|page| page.is_over = true);
    }

    /// A page was read: why it is given to nobody, when it is not.
    pub(crate) fn refused_page(&mut self, to: Origin) -> Option<Reply> {
        let AskedPage { log, is_over, .. } = self.pages.remove(&(to.conn, to.request))?;
        is_over.then(|| {
            self.coverage.hit(Situation::PageRefusedUnderWay);
            Reply::Refused(Refusal::NotReadable { log: log.0 })
        })
    }
}
