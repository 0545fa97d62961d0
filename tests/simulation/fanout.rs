//! The server's side that holds connections and tails: what the pipeline publishes and answers, on
//! its way to the connections.

mod deciding;
mod judging;
mod revocation;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use chat_core::{
    Batch, Closing, Conn, Effect, Fanout, Follower, HistoryRead, Origin, Removal, Reply, StoreRead,
    Tail, TailHandle, WakePace,
};
use chat_proto::{
    AccountId, CredentialId, ErrorCode, LogId, Nonce, RequestId, RoomId, Seq, SubscriptionEnded,
    Window, encode_frame,
};

pub(crate) use revocation::{Revocation, Whose};

use judging::AskedPage;

use crate::chance::Chance;
use crate::coverage::{Coverage, Situation};
use crate::disk::SimDisk;
use crate::peer::Peer;
use crate::plan::Plan;
use crate::rights::Openings;

/// A tail, shared by the cursors on it.
pub(crate) struct Handle {
    tail: Rc<RefCell<Tail>>,
    pub(crate) follower: Follower,
}

impl Handle {
    fn of(tail: Rc<RefCell<Tail>>) -> Self {
        let follower = Follower::behind(tail.borrow().revocation());
        Self { tail, follower }
    }
}

impl TailHandle for Handle {
    fn with<R>(&self, look: impl FnOnce(&Tail) -> R) -> Option<R> {
        let tail = self.tail.borrow();
        self.follower.may_read(tail.revocation()).then(|| look(&tail))
    }
}

/// What comes to a connection in the order of the commits.
pub(crate) enum Delivery {
    /// A reply, with the tail whose cursor opens with it.
    Reply { to: Origin, reply: Reply, tail: Option<Handle> },
    /// An account may not follow a log any more.
    Revoke(Rc<Revocation>),
    /// What it has signed in with is good for nothing any more.
    SignOut(AccountId, Option<CredentialId>, Closing),
}

impl Delivery {
    /// Whether it may be handed over before one that was given earlier. Answers are matched by
    /// their ids; only those stay in their order that build on each other: the commands of a
    /// connection, the cursor of a log, and what says names.
    pub(crate) fn may_overtake(&self, before: &Self) -> bool {
        let are_commands = self.is_of_command() && before.is_of_command();
        let say_names = [self, before].iter().all(|it| it.tells_names() || it.log().is_some());
        let names_only = self.tells_names() || before.tells_names();
        let is_same_log = self.log().is_some() && self.log() == before.log();
        let builds_on_it = are_commands || is_same_log || (say_names && names_only);
        !(builds_on_it || self.is_barrier() || before.is_barrier())
    }

    /// Whether it is an answer with nothing but names.
    pub(crate) fn tells_names(&self) -> bool {
        matches!(self, Self::Reply { reply: Reply::Accounts(_), .. })
    }

    /// Whether a request is answered with it.
    pub(crate) fn is_reply(&self) -> bool {
        matches!(self, Self::Reply { .. })
    }

    /// Whether it opens a cursor on a log.
    pub(crate) fn opens(&self, log: LogId) -> bool {
        matches!(self.effect(), Some(Effect::Open { log: opened, .. }) if opened == log)
    }

    fn is_of_command(&self) -> bool {
        matches!(self, Self::Reply { to, .. } if to.window == Window::Commands)
    }

    fn effect(&self) -> Option<Effect> {
        match self {
            Self::Reply { reply, .. } => Some(reply.effect()),
            Self::Revoke(_) | Self::SignOut(..) => None,
        }
    }

    /// The log whose cursor it opens or closes.
    fn log(&self) -> Option<LogId> {
        match self.effect()? {
            Effect::Open { log, .. } | Effect::Shut { log } => Some(log),
            Effect::None | Effect::SignedIn(_) | Effect::Close => None,
        }
    }

    /// Whether what comes behind it needs it.
    fn is_barrier(&self) -> bool {
        match self.effect() {
            // It is about whatever is open then.
            None | Some(Effect::SignedIn(_) | Effect::Close) => true,
            Some(Effect::None | Effect::Open { .. } | Effect::Shut { .. }) => false,
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct PageId(pub(crate) u64);

/// Asks without being a connection.
pub(crate) const OBSERVER: Conn = Conn(0);

/// Connections and tails of one life of the server.
pub(crate) struct SimFanout {
    pub(crate) disk: Rc<RefCell<SimDisk>>,
    pub(crate) peers: BTreeMap<Conn, Peer>,
    /// The newest reply to [`OBSERVER`].
    pub(crate) observed: Option<Reply>,
    /// The sends that were asked for.
    sends: BTreeMap<(Conn, RequestId), (AccountId, Nonce)>,
    tails: BTreeMap<LogId, Rc<RefCell<Tail>>>,
    grown: BTreeSet<LogId>,
    pace: WakePace,
    /// The server's time of day.
    pub(crate) now_ms: u64,
    /// Whose right to read a log ends with the next commit that brings it something.
    pub(crate) revoked_next: Option<(LogId, AccountId)>,
    /// The questions that ask for nothing but names.
    names_asked: BTreeSet<(Conn, RequestId)>,
    /// The pages of history that are being read.
    pages: BTreeMap<(Conn, RequestId), AskedPage>,
    openings: Openings,
    /// Connections that have something to do.
    pub(crate) woken: BTreeSet<Conn>,
    pub(crate) history_reads: Vec<(Origin, HistoryRead)>,
    /// What must never happen, and did.
    pub(crate) complaints: Vec<String>,
    chance: Chance,
    coverage: Coverage,
    tail_bytes: usize,
    tails_for_nobody: bool,
}

impl SimFanout {
    pub(crate) fn new(
        disk: Rc<RefCell<SimDisk>>,
        plan: &Plan,
        chance: Chance,
        coverage: Coverage,
        openings: Openings,
    ) -> Self {
        Self {
            disk,
            peers: BTreeMap::new(),
            observed: None,
            sends: BTreeMap::new(),
            tails: BTreeMap::new(),
            grown: BTreeSet::new(),
            pace: WakePace::with_followers(plan.gathers_from),
            now_ms: 0,
            revoked_next: None,
            names_asked: BTreeSet::new(),
            pages: BTreeMap::new(),
            openings,
            woken: BTreeSet::new(),
            history_reads: Vec::new(),
            complaints: Vec::new(),
            chance,
            coverage,
            tail_bytes: plan.tail_bytes,
            tails_for_nobody: plan.tails_for_nobody,
        }
    }

    /// Frees the tails that nobody follows.
    pub(crate) fn free_idle(&mut self) {
        let before = self.tails.len();
        self.tails.retain(|_log, tail| Rc::strong_count(tail) > 1);
        if self.tails.len() < before {
            self.coverage.hit(Situation::TailFreed);
        }
    }

    fn tail(&mut self, log: LogId, head: Seq) -> Rc<RefCell<Tail>> {
        let tail = self.tails.entry(log);
        Rc::clone(tail.or_insert_with(|| Rc::new(RefCell::new(Tail::new(head)))))
    }

    /// Nothing of a dead process reaches anybody.
    fn is_dead(&self) -> bool {
        self.disk.borrow().has_died
    }

    /// G1, at the very moment: what is published is durable.
    fn demand_durable(&mut self, log: LogId, seq: Seq, what: &str) {
        let head = Seq(self.disk.borrow().data.events_of(log).len() as u64);
        if head < seq {
            let words = format!("G1: {what} of seq {seq} of log {log}, but durable is only {head}");
            self.complaints.push(words);
        }
    }

    fn wake_followers(&mut self, log: LogId, can_wait: bool) {
        let followers = self.peers.values().filter(|peer| peer.follows(log)).count();
        if self.pace.wakes_now(log, can_wait, followers, self.now_ms) {
            self.grown.insert(log);
        } else {
            self.coverage.hit(Situation::Gathered);
        }
    }

    fn release_some(&mut self, log: LogId) {
        let Some(tail) = self.tails.get(&log) else { return };
        let held = tail.borrow().bytes();
        let excess = held.saturating_sub(self.tail_bytes);
        // Whole chunks only are freed, so now and then the budget wants more than it must.
        let wanted = if self.chance.percent(30) { usize::MAX } else { excess };
        if excess > 0 {
            tail.borrow_mut().release(wanted);
        }
    }
}

impl Fanout for SimFanout {
    fn publish(&mut self, log: LogId, batch: Batch) {
        if self.is_dead() {
            return;
        }
        self.demand_durable(log, batch.head, "publication");
        if self.tails_for_nobody {
            self.tail(log, batch.after);
        }
        if let Some((of, account)) = self.revoked_next.take_if(|(of, _account)| *of == log) {
            self.revoke(of, account, subscription_ended(of, batch.after));
        }
        if let Some(tail) = self.tails.get(&log) {
            let can_wait = !batch.is_urgent;
            tail.borrow_mut().publish(batch);
            self.wake_followers(log, can_wait);
        }
    }

    fn announce(&mut self, log: LogId, frame: Vec<u8>) {
        if let Some(tail) = self.tails.get(&log) {
            tail.borrow_mut().announce(frame);
            self.wake_followers(log, false);
        }
    }

    fn renamed(&mut self, account: AccountId, rooms: Vec<RoomId>, frame: Vec<u8>) {
        if self.is_dead() {
            return;
        }
        for (conn, peer) in &mut self.peers {
            if rooms.iter().any(|room| peer.follows((*room).into())) {
                peer.renamed.insert(account, frame.clone());
                self.woken.insert(*conn);
            }
        }
    }

    fn reply(&mut self, to: Origin, reply: Reply) {
        if self.is_dead() {
            return;
        }
        if let Some(send) = self.sends.remove(&(to.conn, to.request)) {
            self.note_decided(send, &reply);
        }
        if let Reply::Ack(ack) = &reply {
            self.demand_durable(ack.room.into(), ack.seq, "an ack");
        }
        if to.conn == OBSERVER {
            self.observed = Some(reply);
            return;
        }
        self.judge_answer(to, &reply);
        let tail = match reply.effect() {
            Effect::Open { log, head, .. } => {
                self.openings.note(to.conn, to.request, self.disk.borrow().data.rights.end());
                self.demand_durable(log, head, "an answer that speaks");
                Some(Handle::of(self.tail(log, head)))
            }
            Effect::None | Effect::SignedIn(_) | Effect::Close | Effect::Shut { .. } => None,
        };
        if let Some(peer) = self.peers.get_mut(&to.conn) {
            peer.inbox.push_back(Delivery::Reply { to, reply, tail });
            self.woken.insert(to.conn);
        }
    }

    fn revoke(&mut self, log: LogId, account: AccountId, frame: Vec<u8>) {
        self.close_cursors(log, Whose::Account(account), frame);
    }

    fn revoke_others(&mut self, log: LogId, members: Vec<AccountId>, frame: Vec<u8>) {
        self.close_cursors(log, Whose::OthersThan(members), frame);
    }

    fn sign_out(
        &mut self,
        account: AccountId,
        credential: Option<CredentialId>,
        closing: &Closing,
    ) {
        if self.is_dead() {
            return;
        }
        // Whoever is not signed in yet may be when it comes.
        let meant = |peer: &Peer| peer.connection.account().is_none_or(|of| of == account);
        for (conn, peer) in self.peers.iter_mut().filter(|(_conn, peer)| meant(peer)) {
            peer.inbox.push_back(Delivery::SignOut(account, credential, closing.clone()));
            self.woken.insert(*conn);
        }
    }

    fn remove(&mut self, log: LogId, frame: Vec<u8>) {
        if self.is_dead() {
            return;
        }
        if !self.disk.borrow().data.is_gone(log) {
            self.complaints.push(format!("log {log} is said to be gone, and is there"));
        }
        self.tails.remove(&log);
        for (conn, peer) in &mut self.peers {
            if peer.follows(log) {
                peer.removed.insert(log, frame.clone());
                self.woken.insert(*conn);
            }
        }
    }

    fn redact(&mut self, log: LogId, seq: Seq) {
        let tail = self.tails.get(&log);
        if tail.is_some_and(|tail| tail.borrow_mut().redact(log, seq).is_some()) {
            self.coverage.hit(Situation::RedactedInMemory);
        }
        self.redact_pages(log, &(seq..=seq));
    }

    fn remove_messages(&mut self, removal: Removal) {
        self.remove_said(removal);
    }

    fn read(&mut self, to: Origin, account: AccountId, read: StoreRead) {
        let StoreRead::History(read) = read;
        self.note_page(to, account, read);
        self.history_reads.push((to, read));
    }

    fn gone(&mut self, conn: Conn) {
        self.peers.remove(&conn);
    }

    fn release(&mut self) {
        self.grown.extend(self.pace.due(self.now_ms));
        for log in std::mem::take(&mut self.grown) {
            for (conn, peer) in &mut self.peers {
                if peer.follows(log) {
                    peer.grown.insert(log);
                    self.woken.insert(*conn);
                }
            }
            self.release_some(log);
        }
    }

    fn rewind(&mut self, heads: &[(LogId, Seq)]) {
        for (log, head) in heads {
            if let Some(tail) = self.tails.get(log)
                && tail.borrow().head() != *head
            {
                tail.borrow_mut().rewind(*head);
                self.pace.woken(*log);
                self.grown.insert(*log);
            }
        }
    }
}

/// Says that an account may not follow a log any more, behind this event.
pub(crate) fn subscription_ended(log: LogId, last: Seq) -> Vec<u8> {
    let (code, message) = (ErrorCode::NotReadable as u16, last.to_string());
    let mut frame = Vec::new();
    encode_frame(&SubscriptionEnded { log, code, message }, RequestId(0), &mut frame)
        .expect("a number fits a frame");
    frame
}
