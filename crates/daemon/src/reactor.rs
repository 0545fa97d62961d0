//! The reactor: a thread that serves many connections through one `epoll` instance.
//!
//! There is no task, no timer and no queue for a connection: an idle one is a descriptor and a few
//! hundred bytes. Each pass takes what has happened, reads from everybody who has said something,
//! hands all of it to the committing thread as one batch, and writes to everybody for whom there is
//! something. Under load the batches grow by themselves.
//!
//! It must not know what a command means; it moves bytes, and keeps turns fair.

mod arrivals;
mod door;
mod followers;
mod gathered;
mod inbox;
mod parting;
mod places;
mod seat;
mod slots;
mod socket;
mod stranger;
mod strangers;
mod turn;
mod unread;
mod wired;

use std::collections::VecDeque;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use chat_core::{Conn, Effect};
use chat_proto::{LogId, Seq};
use mio::event::Event;
use mio::{Events, Poll, Token};

use crate::reader::{Job, NotTaken};
use crate::sequencer::{Refused, Sequencer};
use door::Door;
use followers::Followers;
use gathered::Gathered;
use inbox::Notes;
pub(crate) use inbox::{Delivery, Inbox, PageRead, Renaming};
use parting::Parting;
pub(crate) use places::Places;
use places::account_full;
pub(crate) use seat::{Alive, Seat, Shared};
pub(crate) use slots::{REACTORS_MAX, reactor_of};
use slots::{SLOTS_MAX, Slots};
pub(crate) use socket::Socket;
use strangers::Strangers;
use turn::{Desk, Followed, Turn};
use unread::Unread;
use wired::Wired;

/// The bytes of one read: what all connections of a reactor share.
const BUFFER_BYTES: usize = 64 * 1024;

/// What one look at `epoll` brings.
const EVENTS_MAX: usize = 1024;

/// Connections that are written to before the sockets are looked at again: it bounds how long a
/// large room keeps a reactor from hearing the others.
const WRITES_PER_PASS: usize = 2048;

const WAKER: Token = Token(SLOTS_MAX);
const FIRST_LISTENER: usize = SLOTS_MAX + 1;

/// One thread's connections.
struct Reactor {
    poll: Poll,
    inbox: Arc<Inbox>,
    door: Door,
    shared: Arc<Shared>,
    sequencer: Sequencer,
    slots: Slots,
    /// Those of them that have not signed in.
    strangers: Strangers,
    /// Peers that were sent away.
    parting: Parting,
    followers: Followers,
    to_read: VecDeque<u32>,
    to_write: VecDeque<u32>,
    /// Connections that were too fast, and until when they are not read.
    paced: Vec<(u64, Conn)>,
    /// What is to be read from disk: at most one for a connection.
    disk_jobs: VecDeque<Job>,
    /// Logs that could not be read, and for whom.
    unreadable: Vec<(Conn, LogId)>,
    /// Read, and not understood yet.
    unread: Unread,
    /// Read, and not handed in yet.
    gathered: Gathered,
    /// There was room for what was handed in last.
    has_room: bool,
    buffer: Box<[u8]>,
    now_ms: u64,
    is_draining: bool,
}

impl Reactor {
    fn run(mut self) {
        let mut events = Events::with_capacity(EVENTS_MAX);
        let mut notes = Notes::default();
        while !self.is_over() {
            match self.poll.poll(&mut events, self.patience()) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    tracing::error!(%error, "connections cannot be served any more");
                    return;
                }
            }
            self.now_ms = self.shared.now_ms();
            events.iter().for_each(|event| self.note(event));
            self.inbox.take(&mut notes);
            self.take_notes(&mut notes);
            self.accept();
            self.end_pauses();
            self.read();
            self.hand_in();
            self.write();
            self.hand_in_disk_jobs();
        }
    }

    fn is_over(&self) -> bool {
        self.is_draining && self.slots.is_empty() && self.gathered.is_empty()
    }

    /// How long there is nothing to do but wait. Nobody is woken by a timer of his own, but who was
    /// too fast.
    fn patience(&self) -> Option<Duration> {
        let may_ask = self.has_room && !(self.to_read.is_empty() && self.gathered.is_empty());
        if may_ask || !self.to_write.is_empty() || self.door.is_open() {
            return Some(Duration::ZERO);
        }
        let until = self.paced.iter().map(|(until_ms, _conn)| *until_ms).min()?;
        Some(Duration::from_millis(until.saturating_sub(self.now_ms)))
    }

    fn note(&mut self, event: &Event) {
        match event.token() {
            WAKER => {}
            Token(token) if token >= FIRST_LISTENER => self.door.knock(token - FIRST_LISTENER),
            Token(slot) => {
                let Some(wired) = self.slots.at(slot) else { return };
                if event.is_readable() || event.is_read_closed() || event.is_error() {
                    wired.became_readable(event.is_read_closed() || event.is_error());
                    self.line_up_to_read(slot as u32);
                }
                if event.is_writable() && self.slots.at(slot).is_some_and(Wired::became_writable) {
                    self.line_up_to_write(slot as u32);
                }
            }
        }
    }

    fn take_notes(&mut self, notes: &mut Notes) {
        if std::mem::take(&mut notes.drain) {
            self.is_draining = true;
            self.door.shut();
            self.slots.numbers().for_each(|slot| self.line_up_to_write(slot));
        }
        if std::mem::take(&mut notes.cut) {
            self.slots.numbers().for_each(|slot| self.let_go(slot));
        }
        // Whatever it was woken for, there may be room again.
        self.has_room = true;
        notes.arrivals.drain(..).for_each(|arrival| self.take_in(arrival));
        notes.deliveries.drain(..).for_each(|delivery| self.deliver(delivery));
        // Behind the replies: what they say of names is older.
        notes.renamings.drain().for_each(|(_account, renaming)| self.tell_renamed(&renaming));
        notes.pages.drain(..).for_each(|page| self.take_page(page));
        notes.grown.drain().for_each(|log| self.wake_followers(log));
        if std::mem::take(&mut notes.ticked) {
            self.tick();
        }
    }

    fn deliver(&mut self, delivery: Delivery) {
        let Some((slot, wired)) = self.slots.of(delivery.conn) else { return };
        if let Effect::SignedIn(account) = delivery.reply.effect
            && !wired.is_closing()
            && !self.shared.places.sign_in(account, wired.network)
        {
            self.shared.refusals.full.count();
            wired.close(&account_full());
            return self.line_up_to_write(slot);
        }
        let followed = wired.deliver(delivery, &self.shared.refusals);
        let has_input = wired.has_input(self.now_ms);
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

    fn take_page(&mut self, read: PageRead) {
        let PageRead { conn, log, after, page } = read;
        let Some((slot, wired)) = self.slots.of(conn) else { return };
        match page {
            Ok(page) => {
                wired.take_page(log, after, page);
                self.line_up_to_write(slot);
            }
            // The reader has told the operator. It is tried again with the next tick.
            Err(_told) => self.unreadable.push((conn, log)),
        }
    }

    fn tick(&mut self) {
        self.door.rest_is_over();
        self.parting.tick(&mut self.buffer);
        for (conn, log) in std::mem::take(&mut self.unreadable) {
            if let Some((slot, wired)) = self.slots.of(conn) {
                wired.disk_failed(log);
                self.line_up_to_write(slot);
            }
        }
        for slot in self.slots.numbers() {
            match self.slots.at(slot as usize).map(Wired::tick) {
                Some(Turn::Again) => self.line_up_to_write(slot),
                Some(Turn::Gone) => self.let_go(slot),
                Some(Turn::Done | Turn::ReadDisk { .. }) | None => {}
            }
        }
    }

    fn end_pauses(&mut self) {
        let now_ms = self.now_ms;
        let (over, paced) = self.paced.drain(..).partition(|(until_ms, _)| *until_ms <= now_ms);
        self.paced = paced;
        let over: Vec<(u64, Conn)> = over;
        for (_until_ms, conn) in over {
            if let Some((slot, _wired)) = self.slots.of(conn) {
                self.line_up_to_read(slot);
            }
        }
    }

    /// Reads once from everybody who has said something. While the queue to the committing thread
    /// is full, nothing is read.
    fn read(&mut self) {
        for _ in 0..self.to_read.len() {
            if self.gathered.is_full() {
                self.hand_in();
            }
            if !self.has_room {
                return;
            }
            let Some(slot) = self.to_read.pop_front() else { return };
            let turn = self.turn(slot, |wired, desk| {
                wired.awaits_reading = false;
                wired.hear(desk)
            });
            self.keep_within_budget();
            let Some(wired) = self.slots.at(slot as usize) else { continue };
            if wired.is_signing_in() {
                self.strangers.remove(wired.network, wired.conn);
            }
            let pause_ms = wired.pause_ms(self.now_ms);
            if pause_ms > 0 {
                self.paced.push((self.now_ms + pause_ms, wired.conn));
            }
            if wired.has_output() {
                self.line_up_to_write(slot);
            }
            if turn == Turn::Again {
                self.line_up_to_read(slot);
            }
        }
    }

    /// Writes to everybody for whom there is something, as far as they take it.
    fn write(&mut self) {
        for _ in 0..self.to_write.len().min(WRITES_PER_PASS) {
            let Some(slot) = self.to_write.pop_front() else { return };
            let turn = self.turn(slot, |wired, desk| {
                wired.awaits_writing = false;
                wired.speak(desk.is_draining, desk.now_ms)
            });
            if let Turn::ReadDisk { log, after, bytes_max } = turn {
                self.read_disk(slot, log, after, bytes_max);
            }
            let now_ms = self.now_ms;
            let Some(wired) = self.slots.at(slot as usize) else { continue };
            // Replies have left: the peer may be heard again.
            if wired.has_input(now_ms) {
                self.line_up_to_read(slot);
            }
            if matches!(turn, Turn::Again | Turn::ReadDisk { .. }) {
                self.line_up_to_write(slot);
            }
        }
    }

    fn read_disk(&mut self, slot: u32, log: LogId, after: Seq, bytes_max: usize) {
        let Some(wired) = self.slots.at(slot as usize) else { return };
        self.disk_jobs.push_back(Job::Events { to: wired.conn, log, after, bytes_max });
    }

    /// Gives the readers what is to be read from disk, as far as they have room. The rest is tried
    /// again with the next page that comes, or the next tick.
    fn hand_in_disk_jobs(&mut self) {
        while let Some(job) = self.disk_jobs.pop_front() {
            if let Err(NotTaken(job)) = self.shared.readers.try_submit(job) {
                job.into_iter().for_each(|job| self.disk_jobs.push_front(job));
                return;
            }
        }
    }

    /// A connection's turn. One that panics ends alone.
    fn turn(&mut self, slot: u32, act: impl FnOnce(&mut Wired, &mut Desk<'_>) -> Turn) -> Turn {
        let Some(wired) = self.slots.at(slot as usize) else { return Turn::Done };
        let unread_before = wired.unread_bytes();
        let mut desk = Desk {
            admission: &self.shared.admission,
            buffer: &mut self.buffer,
            read_bytes: self.unread.read_bytes(BUFFER_BYTES),
            gathered: &mut self.gathered,
            now_ms: self.now_ms,
            is_draining: self.is_draining,
        };
        let turn = catch_unwind(AssertUnwindSafe(|| act(wired, &mut desk)));
        let turn = turn.unwrap_or_else(|_the_hook_has_told_it| {
            tracing::error!(conn = wired.conn.0, "a connection is cut because of a fault in chatd");
            Turn::Gone
        });
        self.unread.changed(unread_before, wired.unread_bytes());
        if turn == Turn::Gone {
            self.let_go(slot);
        }
        turn
    }

    /// Gives the committing thread what was read, if it has room.
    fn hand_in(&mut self) {
        if self.gathered.is_empty() {
            return;
        }
        let (inputs, bytes) = self.gathered.take();
        let mut refused = self.sequencer.try_submit(inputs);
        if let Err(Refused::Full(inputs)) = refused {
            // Asked for first and tried again then: room that was made in between is not missed.
            self.inbox.want_room();
            refused = self.sequencer.try_submit(inputs);
        }
        match refused {
            Ok(()) => {}
            Err(Refused::Full(inputs)) => {
                self.has_room = false;
                self.gathered.put_back(inputs, bytes);
            }
            // The daemon stops: whoever waits for an answer does not get one.
            Err(Refused::Ended) => tracing::debug!("the committing thread has ended"),
        }
    }

    fn line_up_to_read(&mut self, slot: u32) {
        if let Some(wired) = self.slots.at(slot as usize)
            && !std::mem::replace(&mut wired.awaits_reading, true)
        {
            self.to_read.push_back(slot);
        }
    }

    fn line_up_to_write(&mut self, slot: u32) {
        if let Some(wired) = self.slots.at(slot as usize)
            && !std::mem::replace(&mut wired.awaits_writing, true)
        {
            self.to_write.push_back(slot);
        }
    }
}
