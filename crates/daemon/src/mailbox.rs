//! What other threads hand in to a reactor.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use chat_core::{Closing, Conn, DiskRead, Origin, Reply, RevocationNumber, StoreError};
use chat_proto::{AccountId, CredentialId, LogId, RoomId, Seq};

use crate::arrival::Transfer;
use crate::conn_number::reactor_of;
use crate::ctl::OperatorReplies;
use crate::ready_list::ReadyList;
use crate::store::LogPage;
use crate::tails::TailFollower;

/// What comes to connections in the order of the commits: what opens a cursor, and what closes it.
#[derive(Debug)]
pub(crate) enum Delivery {
    /// A reply.
    Reply(Answer),
    /// An account may not follow a log any more.
    Revoke(Arc<Revocation>),
    /// What an account has signed in with is good for nothing any more.
    SignOut(Arc<SignOut>),
}

/// A reply on its way to a connection, with the tail whose cursor opens with it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) to: Origin,
    pub(crate) reply: Reply,
    pub(crate) tail: Option<TailFollower>,
}

/// Cursors on a log close.
#[derive(Debug)]
pub(crate) struct Revocation {
    pub(crate) log: LogId,
    pub(crate) whose: Whose,
    /// Whoever else follows the log reads nothing of it before this is carried out.
    pub(crate) number: RevocationNumber,
    /// What says why.
    pub(crate) frame: Vec<u8>,
}

/// Connections of an account close.
#[derive(Debug)]
pub(crate) struct SignOut {
    pub(crate) account: AccountId,
    /// Those that have signed in with it; `None`: all.
    pub(crate) credential: Option<CredentialId>,
    /// Why.
    pub(crate) closing: Closing,
}

/// Whose cursors close.
#[derive(Debug)]
pub(crate) enum Whose {
    /// One account's.
    Account(AccountId),
    /// Everybody's but these accounts', in order of their ids.
    OthersThan(Vec<AccountId>),
    /// Everybody's, as the log is gone.
    Everybody,
}

impl Whose {
    /// Whether a connection of this account is meant.
    pub(crate) fn is(&self, account: Option<AccountId>) -> bool {
        match self {
            Self::Account(meant) => account == Some(*meant),
            Self::OthersThan(spared) => {
                account.is_none_or(|account| spared.binary_search(&account).is_err())
            }
            Self::Everybody => true,
        }
    }
}

/// A page of a log that a connection asked for.
#[derive(Debug)]
pub(crate) struct PageRead {
    pub(crate) conn: Conn,
    pub(crate) read: DiskRead,
    pub(crate) page: Result<LogPage, StoreError>,
}

/// An account that was renamed, for whoever follows one of its rooms.
#[derive(Debug)]
pub(crate) struct Renaming {
    pub(crate) account: AccountId,
    pub(crate) rooms: Vec<RoomId>,
    pub(crate) frame: Vec<u8>,
}

/// What a commit leads to in every reactor alike.
#[derive(Debug, Default)]
pub(crate) struct Released {
    /// Logs that have grown, and whose followers are to be woken.
    pub(crate) grown: Vec<LogId>,
    /// Accounts that were renamed.
    pub(crate) renamings: Vec<Arc<Renaming>>,
    /// Events whose texts are gone.
    pub(crate) redacted: Vec<(LogId, RangeInclusive<Seq>)>,
}

impl Released {
    fn is_empty(&self) -> bool {
        self.grown.is_empty() && self.renamings.is_empty() && self.redacted.is_empty()
    }

    /// Forgets everything; the room is used again.
    pub(crate) fn clear(&mut self) {
        self.grown.clear();
        self.renamings.clear();
        self.redacted.clear();
    }
}

/// What has come since the reactor looked last. Everything in it is bounded by what its
/// connections have asked for.
#[derive(Debug, Default)]
pub(crate) struct Mail {
    /// At most the windows of all connections, and what ends memberships of a commit or two.
    pub(crate) deliveries: Vec<Delivery>,
    /// At most the logs that are followed.
    pub(crate) grown: HashSet<LogId>,
    /// At most one for an account: the newest.
    pub(crate) renamings: HashMap<AccountId, Arc<Renaming>>,
    /// Events whose texts are gone: those of a commit or two.
    pub(crate) redacted: Vec<(LogId, RangeInclusive<Seq>)>,
    /// At most one for a connection.
    pub(crate) pages: Vec<PageRead>,
    /// At most as many as there may be connections.
    pub(crate) transfers: Vec<Transfer>,
    /// The shared timer.
    pub(crate) ticked: bool,
    /// Settings have changed.
    pub(crate) reload: bool,
    /// Say goodbye to everybody.
    pub(crate) drain: bool,
    /// Cut whoever is still there.
    pub(crate) cut: bool,
    /// Inputs were taken out of the queue to the committing thread, and the reactor has asked to be told.
    pub(crate) allowances_grew: bool,
    /// The reactor has been woken, and has not looked yet.
    is_woken: bool,
    /// The reactor has ended: nobody looks any more.
    is_closed: bool,
}

/// The way in.
#[derive(Debug)]
pub(crate) struct Mailbox {
    mail: Mutex<Mail>,
    ready: Arc<ReadyList>,
    /// A party waits until it may hand in again.
    awaits_allowance: AtomicBool,
}

impl Mailbox {
    /// A way in to the reactor that this list wakes.
    pub(crate) fn new(ready: Arc<ReadyList>) -> Self {
        Self { mail: Mutex::default(), ready, awaits_allowance: AtomicBool::new(false) }
    }

    /// All that one commit leads to, at once. Takes what is in `deliveries`.
    pub(crate) fn release(&self, deliveries: &mut Vec<Delivery>, released: &Released) {
        let Released { grown, renamings, redacted } = released;
        if deliveries.is_empty() && released.is_empty() {
            return;
        }
        self.put(|mail| {
            match mail.deliveries.is_empty() {
                true => std::mem::swap(&mut mail.deliveries, deliveries),
                false => mail.deliveries.append(deliveries),
            }
            mail.grown.extend(grown);
            let renamings = renamings.iter().map(|newest| (newest.account, Arc::clone(newest)));
            mail.renamings.extend(renamings);
            mail.redacted.extend_from_slice(redacted);
        });
        // A reactor that has ended takes none of them.
        deliveries.clear();
    }

    /// A reply that needed no commit.
    pub(crate) fn reply(&self, answer: Answer) {
        self.put(|mail| mail.deliveries.push(Delivery::Reply(answer)));
    }

    /// A page from disk.
    pub(crate) fn page(&self, page: PageRead) {
        self.put(|mail| mail.pages.push(page));
    }

    /// A connection that another reactor has accepted.
    ///
    /// # Errors
    /// Gives it back when the reactor has ended: nobody would tell the peer.
    pub(crate) fn arrive(&self, transfer: Transfer) -> Result<(), Transfer> {
        let mut transfer = Some(transfer);
        self.put(|mail| mail.transfers.extend(transfer.take()));
        transfer.map_or(Ok(()), Err)
    }

    /// The reactor ends: takes what has come last.
    pub(crate) fn close(&self, read: &mut Mail) {
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *mail, read);
        mail.is_closed = true;
    }

    /// A second has passed.
    pub(crate) fn tick(&self) {
        self.put(|mail| mail.ticked = true);
    }

    /// Settings have changed: the reactor takes those in force.
    pub(crate) fn reload(&self) {
        self.put(|mail| mail.reload = true);
    }

    /// Reading stops; each connection ends once everything that it asked has been answered.
    pub(crate) fn drain(&self) {
        self.put(|mail| mail.drain = true);
    }

    /// Ends every connection now.
    pub(crate) fn cut(&self) {
        self.put(|mail| mail.cut = true);
    }

    /// An account has all that it may in the queue to the committing thread: the reactor is to be told
    /// when it may be more.
    pub(crate) fn await_allowance(&self) {
        self.awaits_allowance.store(true, Ordering::SeqCst);
    }

    /// Inputs were taken out of the queue: parties that had all they may have in it may hand in again.
    pub(crate) fn allowances_grew(&self) {
        if self.awaits_allowance.swap(false, Ordering::SeqCst) {
            self.put(|mail| mail.allowances_grew = true);
        }
    }

    /// Takes what has come; what is given back in `read` is used again.
    pub(crate) fn take(&self, read: &mut Mail) {
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::swap(&mut *mail, read);
        mail.is_woken = false;
    }

    /// Puts nothing where nobody looks any more: others may go on for as long as a drain takes.
    fn put(&self, put: impl FnOnce(&mut Mail)) {
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        if mail.is_closed {
            return;
        }
        put(&mut mail);
        let was_woken = std::mem::replace(&mut mail.is_woken, true);
        drop(mail);
        if !was_woken {
            self.ready.wake();
        }
    }
}

/// The ways in to all reactors.
#[derive(Debug)]
pub(crate) struct Mailboxes {
    all: Vec<Arc<Mailbox>>,
    operator: Arc<OperatorReplies>,
}

impl Mailboxes {
    pub(crate) fn new(all: Vec<Arc<Mailbox>>) -> Self {
        Self { all, operator: Arc::default() }
    }

    /// The way to the operator, who has no reactor.
    pub(crate) fn operator(&self) -> &Arc<OperatorReplies> {
        &self.operator
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<Mailbox>> {
        self.all.iter()
    }

    /// Gives a connection a reply that opens nothing; one that is gone needs none.
    pub(crate) fn reply(&self, to: Origin, reply: Reply) {
        if to.conn == Conn::OPERATOR {
            self.operator.reply(to.request, reply);
        } else if let Some(mailbox) = self.mailbox(to.conn) {
            mailbox.reply(Answer { to, reply, tail: None });
        }
    }

    /// Gives a connection a page from disk.
    pub(crate) fn page(&self, page: PageRead) {
        if let Some(mailbox) = self.mailbox(page.conn) {
            mailbox.page(page);
        }
    }

    fn mailbox(&self, conn: Conn) -> Option<&Arc<Mailbox>> {
        self.all.get(reactor_of(conn))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether the reactor is told that allowances grew when it looks now.
    fn is_told(mailbox: &Mailbox) -> bool {
        let mut mail = Mail::default();
        mailbox.take(&mut mail);
        mail.allowances_grew
    }

    #[test]
    fn whoever_asked_is_told_once_that_allowances_grew() {
        let mailbox = Mailbox::new(Arc::default());
        mailbox.allowances_grew();
        assert!(!is_told(&mailbox), "nobody waits for it");
        mailbox.await_allowance();
        mailbox.tick();
        assert!(!is_told(&mailbox), "it was woken for something else");
        mailbox.allowances_grew();
        assert!(is_told(&mailbox));
        mailbox.allowances_grew();
        assert!(!is_told(&mailbox), "it has not asked again");
    }

    #[test]
    fn what_comes_for_a_reactor_that_has_ended_is_not_kept() {
        let mailbox = Mailbox::new(Arc::default());
        mailbox.close(&mut Mail::default());
        let (log, account) = (LogId::from(RoomId(1)), AccountId(1));
        let (number, frame) = (RevocationNumber::default(), vec![0; 64]);
        let revocation =
            Arc::new(Revocation { log, whose: Whose::Account(account), number, frame });
        let mut deliveries = vec![Delivery::Revoke(Arc::clone(&revocation))];
        let released = Released {
            grown: vec![log],
            redacted: vec![(log, Seq(1)..=Seq(1))],
            ..Released::default()
        };
        mailbox.release(&mut deliveries, &released);
        mailbox.tick();
        assert!(deliveries.is_empty(), "they are for nobody else");
        assert_eq!(Arc::strong_count(&revocation), 1, "somebody keeps it");
        let mut mail = Mail::default();
        mailbox.take(&mut mail);
        assert!(mail.grown.is_empty() && mail.redacted.is_empty() && !mail.ticked);
    }
}
