//! The reactor: one future, on a thread and a runtime of its own, that serves many connections.
//!
//! There is no task, no timer and no queue for a connection: an idle one is a descriptor and a few
//! hundred bytes. Each pass takes what has happened, reads from everybody who has said something,
//! hands it to the committing thread, and writes to everybody for whom there is something. Accounts
//! take turns, however many connections they have.
//!
//! Between two passes the runtime has its turn, and tells what has become ready. It must not know what
//! a command means; it moves bytes, and keeps turns fair.

mod acceptor;
mod arrivals;
mod builder;
mod connection;
mod disk_reads;
mod followers;
mod handing_in;
mod lingering;
mod read_queue;
mod run_queue;
mod slab;
mod turn;
mod turn_batch;
mod unauthenticated;
mod unread;

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chat_core::{Admission, Conn, Effect, Reply, TurnTokens};
use tokio::time::sleep;

use crate::config::Limits;
use crate::conn_number::SLOTS_MAX;
use crate::fair_queue::Party;
use crate::live::Counts;
use crate::mailbox::{Answer, Delivery, Mail, Mailbox};
use crate::network_limits::NetworkPaces;
use crate::notices::account_full;
use crate::ready_list::ReadyList;
use crate::sequencer::Sequencer;
use crate::tls::{TlsAcceptor, TlsBuffers};
use crate::wait;
use acceptor::Acceptor;
pub(crate) use builder::{Alive, ReactorBuilder, Shared};
use connection::SocketConnection;
use disk_reads::DiskReads;
use followers::Followers;
use lingering::LingeringSockets;
use run_queue::RunQueue;
use slab::Slab;
use turn::{Followed, ParseContext, Progress, TurnContext};
use turn_batch::TurnBatch;
use unauthenticated::Unauthenticated;
use unread::Unread;

/// The bytes of one read: what all connections of a reactor share.
const BUFFER_BYTES: usize = 64 * 1024;

/// Connections that are written to before the sockets are looked at again: it bounds how long a
/// large room keeps a reactor from hearing the others.
const WRITES_PER_PASS: usize = 2048;

/// How long a pass reads before it wakes the committing thread and writes: it bounds how long answers
/// wait for the reading. Checking one signature takes a tenth of it.
const READING_MAX: Duration = Duration::from_millis(1);

/// One thread's connections.
struct Reactor {
    ready: Arc<ReadyList>,
    mailbox: Arc<Mailbox>,
    acceptor: Acceptor,
    shared: Arc<Shared>,
    /// Those in force.
    admission: Arc<Admission>,
    limits: Arc<Limits>,
    networks: NetworkPaces,
    /// Takes connections in that begin with TLS: the one in force.
    tls_acceptor: TlsAcceptor,
    tls: TlsBuffers,
    /// What was counted since the last tick.
    counts: Counts,
    sequencer: Sequencer,
    slab: Slab,
    /// Those of them that have not signed in.
    unauthenticated: Unauthenticated,
    /// Peers that were sent away.
    lingering: LingeringSockets,
    followers: Followers,
    queue: RunQueue,
    disk_reads: DiskReads,
    /// Read, and not understood yet.
    unread: Unread,
    /// What the turn of one connection has brought.
    batch: TurnBatch,
    /// The committing thread has not been woken for what was handed in.
    is_to_wake: bool,
    buffer: Box<[u8]>,
    now_ms: u64,
    is_draining: bool,
}

impl Reactor {
    async fn run(mut self) {
        let mut timer = pin!(sleep(Duration::ZERO));
        let mut ready = Vec::new();
        let mut mail = Mail::default();
        while !self.is_over() {
            wait::for_next_pass(&self.ready, timer.as_mut(), self.patience()).await;
            self.now_ms = self.shared.now_ms();
            self.ready.take(&mut ready);
            ready.iter().for_each(|slot| self.look_at(*slot));
            self.mailbox.take(&mut mail);
            self.take_mail(&mut mail);
            self.accept();
            self.queue.reads.end_pauses(self.now_ms);
            self.end_holds();
            self.read();
            self.wake_committing();
            self.write();
        }
        // Who was handed over meanwhile is told as well; from here on nobody is.
        self.mailbox.close(&mut mail);
        mail.transfers.drain(..).for_each(|transfer| self.take_over(transfer));
        self.shared.live.metrics.add(&mut self.counts);
    }

    fn is_over(&self) -> bool {
        self.is_draining && self.slab.is_empty()
    }

    /// How long there is nothing to do but wait. Nobody is woken by a timer of his own, but an account
    /// that was too fast, with all its connections.
    fn patience(&self) -> Option<Duration> {
        if !self.queue.is_idle() || self.acceptor.is_open() {
            return Some(Duration::ZERO);
        }
        let until_ms = self.queue.next_wake_ms()?;
        Some(Duration::from_millis(until_ms.saturating_sub(self.now_ms)))
    }

    /// What stands on the ready list: the slot of a connection, or the number of a listener.
    fn look_at(&mut self, number: u32) {
        if number as usize >= SLOTS_MAX {
            return self.acceptor.mark_ready(number as usize);
        }
        let Some(connection) = self.slab.at(number as usize) else { return };
        let (became_readable, became_writable) =
            (connection.became_readable(), connection.became_writable());
        if became_readable {
            self.queue.line_up_to_read(connection);
        }
        if became_writable {
            self.queue.line_up_to_write(number, connection);
        }
    }

    fn take_mail(&mut self, mail: &mut Mail) {
        if std::mem::take(&mut mail.drain) {
            self.is_draining = true;
            self.acceptor.shut();
            self.slab.numbers().for_each(|slot| self.line_up_to_write(slot));
        }
        if std::mem::take(&mut mail.cut) {
            self.slab.numbers().for_each(|slot| self.let_go(slot));
        }
        // Not for whatever else it was woken: each that was held back costs a look at the queue.
        if std::mem::take(&mut mail.allowances_grew) {
            self.queue.reads.release();
        }
        if std::mem::take(&mut mail.reload) {
            self.admission = self.shared.live.admission();
            self.limits = self.shared.live.limits();
            self.networks = self.limits.network_paces();
            self.tls_acceptor = TlsAcceptor::new(&self.shared.live.link());
            // Who waits, waits by the rate of before.
            self.queue.reads.end_pauses(u64::MAX);
        }
        mail.transfers.drain(..).for_each(|transfer| self.take_over(transfer));
        // Before pages that may have been read earlier.
        mail.redacted.drain(..).for_each(|(log, seqs)| self.redact(log, &seqs));
        for delivery in mail.deliveries.drain(..) {
            match delivery {
                Delivery::Reply(answer) => self.deliver(answer),
                Delivery::Revoke(revocation) => self.revoke(&revocation),
                Delivery::SignOut(sign_out) => self.sign_out(&sign_out),
            }
        }
        // Behind the replies: what they say of names is older.
        mail.renamings.drain().for_each(|(_account, renaming)| self.tell_renamed(&renaming));
        mail.pages.drain(..).for_each(|page| self.take_page(page));
        mail.grown.drain().for_each(|log| self.wake_followers(log));
        if std::mem::take(&mut mail.ticked) {
            self.tick();
        }
    }

    fn deliver(&mut self, answer: Answer) {
        let Some((slot, connection)) = self.slab.of(answer.to.conn) else { return };
        if let Effect::SignedIn(account) = answer.reply.effect()
            && !connection.is_closing()
        {
            let live = &self.shared.live;
            if !live.quotas.sign_in(account, connection.network()) {
                live.refusals.full.count();
                connection.close(&account_full());
                return self.line_up_to_write(slot);
            }
            let bulk = &self.limits.bulk_accounts;
            if !matches!(&answer.reply, Reply::SignedIn(it) if bulk.contains(&it.name)) {
                connection.share(live.rates.bucket(account));
            }
        }
        let followed = connection.deliver(answer, &self.shared.live.refusals);
        let has_input = connection.has_input();
        match followed {
            Some(Followed::From(log)) => self.followers.add(log, slot),
            Some(Followed::NoMore(log)) => self.followers.remove(log, slot),
            None => {}
        }
        self.line_up_to_write(slot);
        if has_input {
            self.line_up_to_read(slot);
        }
    }

    fn tick(&mut self) {
        self.acceptor.end_back_off();
        self.shared.live.metrics.add(&mut self.counts);
        self.lingering.tick(&mut self.buffer);
        self.retry_disk_reads();
        self.shared.live.rates.forget_full(self.admission.rate, self.now_ms);
        for slot in self.slab.numbers() {
            match self.slab.at(slot as usize).map(SocketConnection::tick) {
                Some(Progress::Again) => self.line_up_to_write(slot),
                Some(Progress::Gone) => self.let_go(slot),
                Some(
                    Progress::Done
                    | Progress::Interrupted
                    | Progress::Arrived
                    | Progress::HandOver(_)
                    | Progress::ReadDisk(_),
                )
                | None => {}
            }
        }
    }

    /// Reads once from everybody who has said something, one of each party after the other. Whose
    /// account has as much waiting as it may, or was too fast, is not read.
    fn read(&mut self) {
        let began = Instant::now();
        while let Some((party, conn)) = self.queue.reads.first() {
            let Some((slot, tokens)) = self.tokens_for(party, conn) else { continue };
            let mailbox = &self.mailbox;
            let allowance = self.sequencer.allowance(party, || mailbox.await_allowance());
            if allowance == 0 {
                self.queue.reads.hold_back();
                continue;
            }
            self.queue.reads.pop();
            self.read_from(slot, allowance, tokens);
            if began.elapsed() >= READING_MAX {
                return;
            }
        }
    }

    /// What the first connection of the first party may ask by its account's rate. `None` when it is
    /// not its turn after all: then others are first.
    fn tokens_for(&mut self, party: Party, conn: Conn) -> Option<(u32, TurnTokens)> {
        let Some((slot, connection)) = self.slab.of(conn) else {
            self.queue.reads.pop();
            return None;
        };
        if connection.party() != party {
            // It has signed in since it lined up, or its proxy has told who it is.
            self.queue.reads.pop();
            connection.awaits_reading = false;
            self.queue.line_up_to_read(connection);
            return None;
        }
        let Some(bucket) = connection.bucket() else {
            return Some((slot, TurnTokens::of(u64::MAX)));
        };
        let tokens = bucket.turn(self.admission.rate, self.now_ms);
        if tokens.are_spent() {
            let pause_ms = bucket.overdrawn_ms(self.now_ms);
            self.queue.reads.pause(self.now_ms.saturating_add(pause_ms));
            return None;
        }
        Some((slot, tokens))
    }

    fn read_from(&mut self, slot: u32, allowance: usize, tokens: TurnTokens) {
        self.batch.begin(allowance, tokens);
        let (rate, now_ms) = (self.admission.rate, self.now_ms);
        let turn = self.turn(slot, |connection, context| {
            connection.awaits_reading = false;
            let turn = connection.on_readable(context);
            if let Some(bucket) = connection.bucket() {
                bucket.take(context.parse.batch.tokens.taken(), rate, now_ms);
            }
            turn
        });
        self.keep_within_budget();
        let Some(connection) = self.slab.at(slot as usize) else { return };
        if connection.is_signing_in() {
            self.unauthenticated.remove(connection.network(), connection.conn);
        }
        match turn {
            Progress::Again => self.queue.line_up_to_read(connection),
            Progress::Interrupted => self.queue.go_on_reading(connection),
            Progress::Arrived => return self.arrived(slot),
            Progress::Done | Progress::Gone | Progress::HandOver(_) | Progress::ReadDisk(_) => {}
        }
        if connection.has_output() {
            self.queue.line_up_to_write(slot, connection);
        }
    }

    /// Writes to everybody for whom there is something, as far as they take it.
    fn write(&mut self) {
        for _ in 0..self.queue.writes().min(WRITES_PER_PASS) {
            let Some(slot) = self.queue.next_to_write() else { return };
            let Some(connection) = self.slab.at(slot as usize) else { continue };
            connection.awaits_writing = false;
            let (is_draining, tls, counts) = (self.is_draining, &mut self.tls, &mut self.counts);
            // A thousand followers have one each for a few messages: it touches no more than it needs.
            let turn =
                connection.contained(|connection| connection.on_writable(is_draining, tls, counts));
            match turn {
                Progress::Gone => self.let_go(slot),
                Progress::HandOver(protocol) => self.hand_over(slot, protocol),
                Progress::ReadDisk(read) => self.read_disk(slot, read),
                Progress::Done | Progress::Again | Progress::Interrupted | Progress::Arrived => {}
            }
            let Some(connection) = self.slab.at(slot as usize) else { continue };
            // Replies have left: the peer may be heard again.
            if connection.has_input() {
                self.queue.line_up_to_read(connection);
            }
            if matches!(turn, Progress::Again | Progress::ReadDisk(_)) {
                self.queue.line_up_to_write(slot, connection);
            }
        }
    }

    /// A connection's turn at reading.
    fn turn(
        &mut self,
        slot: u32,
        act: impl FnOnce(&mut SocketConnection, &mut TurnContext<'_>) -> Progress,
    ) -> Progress {
        let Some(connection) = self.slab.at(slot as usize) else { return Progress::Done };
        let (party, unread_before) = (connection.party(), connection.unread_bytes());
        let read_bytes = self.unread.read_bytes(self.batch.read_bytes(BUFFER_BYTES));
        let parse = ParseContext {
            admission: &self.admission,
            protocols: &self.shared.protocols,
            acceptor: &self.tls_acceptor,
            batch: &mut self.batch,
        };
        let (buffer, is_draining) = (&mut self.buffer[..], self.is_draining);
        let (tls, counts) = (&mut self.tls, &mut self.counts);
        let mut context = TurnContext { parse, buffer, tls, read_bytes, is_draining, counts };
        let turn = connection.contained(|connection| act(connection, &mut context));
        self.unread.changed(unread_before, connection.unread_bytes());
        self.hand_in(party);
        match turn {
            Progress::Gone => self.let_go(slot),
            Progress::HandOver(protocol) => self.hand_over(slot, protocol),
            Progress::Done
            | Progress::Again
            | Progress::Interrupted
            | Progress::Arrived
            | Progress::ReadDisk(_) => {}
        }
        turn
    }

    fn line_up_to_read(&mut self, slot: u32) {
        if let Some(connection) = self.slab.at(slot as usize) {
            self.queue.line_up_to_read(connection);
        }
    }

    fn line_up_to_write(&mut self, slot: u32) {
        if let Some(connection) = self.slab.at(slot as usize) {
            self.queue.line_up_to_write(slot, connection);
        }
    }
}
