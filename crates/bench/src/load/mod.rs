//! The load: senders that keep so much in flight, receivers that count what comes, in one loop.
//!
//! It knows sockets and bytes, but no server. A message is in flight from its sending until its
//! sender has the ack (where there are acks) and the watched receiver has the message: one in the
//! middle, so that neither the first nor the last one that a server writes to sets the pace.

mod heard;
mod latecomer;
mod phase;
mod sender;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::machine::now_ns;
use crate::machine::procfs;
use crate::net::framing::{Framing, probe_reply};
use crate::net::poll::{Interest, Poll, Ready};
use crate::net::socket::{Moved, read, write};
use crate::stamp::{SENDERS_MAX, Stamp};
use crate::stats::Histogram;
use crate::target::{ReceiverConn, Stage};

use heard::Hearing;
pub(crate) use heard::Order;
pub(crate) use latecomer::Latecomer;
pub(crate) use phase::{Figures, Pace, Phase, Tick};
use sender::Sender;

/// What one read takes at the most.
const READ_BYTES: usize = 512 * 1024;

/// How often whoever watches is told.
const TICK: Duration = Duration::from_millis(100);

/// How long nothing may arrive before what is missing counts as lost.
const SILENCE: Duration = Duration::from_secs(10);

/// One latency of so many is taken under full load.
const SAMPLE: u64 = 64;

/// Senders and receivers at work.
pub(crate) struct Load {
    poll: Poll,
    ready: Vec<Ready>,
    buffer: Vec<u8>,
    framing: Framing,
    receivers: Vec<Receiver>,
    senders: Vec<Sender>,
    has_acks: bool,
    hearing: Hearing,
    deliveries: u64,
    delivery: Histogram,
    ack: Histogram,
    sample: u64,
    next_sender: usize,
    latecomer: Option<Latecomer>,
}

struct Receiver {
    conn: ReceiverConn,
    is_stalled: bool,
}

impl Load {
    /// Takes its places. Nothing is sent yet.
    pub(crate) fn new(stage: Stage, order: Order) -> Result<Self> {
        let Stage { receiver_conns, sender_conns, framing, acks } = stage;
        ensure!(sender_conns.len() <= SENDERS_MAX, "more senders than a stamp can tell apart");
        let poll = Poll::new()?;
        for (index, conn) in receiver_conns.iter().enumerate() {
            poll.watch(&conn.socket, index, Interest::Read)?;
        }
        for (index, conn) in sender_conns.iter().enumerate() {
            poll.watch(&conn.socket, receiver_conns.len() + index, Interest::Read)?;
        }
        let hearing = Hearing::new(order, &receiver_conns, sender_conns.len());
        let receivers = receiver_conns.into_iter().map(|conn| Receiver { conn, is_stalled: false });
        let senders = sender_conns.into_iter().enumerate();
        let senders = senders.map(|(index, conn)| Sender::new(index, conn, acks));
        Ok(Self {
            poll,
            ready: Vec::new(),
            buffer: vec![0; READ_BYTES],
            framing,
            receivers: receivers.collect(),
            senders: senders.collect(),
            has_acks: acks.is_some(),
            hearing,
            deliveries: 0,
            delivery: Histogram::default(),
            ack: Histogram::default(),
            sample: SAMPLE,
            next_sender: 0,
            latecomer: None,
        })
    }

    /// Goes through a phase; `pid` is the server's. `watch` is told how it goes.
    pub(crate) fn run(
        &mut self,
        phase: Phase,
        pid: u32,
        watch: &mut dyn FnMut(Tick) -> Result<()>,
    ) -> Result<Figures> {
        self.begin(phase);
        let (sent, acked, deliveries) = (self.sent(), self.acked(), self.deliveries);
        let (began, cpu) = (Instant::now(), procfs::cpu_time(pid)?);
        let load_cpu = procfs::cpu_time(std::process::id())?;
        let mut next_tick = TICK;
        let mut paced = 0;
        loop {
            let elapsed = began.elapsed();
            if elapsed >= phase.length {
                break;
            }
            if elapsed >= next_tick {
                next_tick = elapsed + TICK;
                let deliveries = self.deliveries - deliveries;
                watch(Tick { elapsed, deliveries, sent_in_all: self.sent() })?;
            }
            match phase.pace {
                Pace::Window(window) => self.fill(window)?,
                Pace::Rate(per_second) => {
                    let due = (elapsed.as_secs_f64() * per_second) as u64;
                    debug_assert!(paced <= due, "time does not go back, nor does what is due");
                    self.send_in_turn(due - paced)?;
                    paced = due;
                }
                Pace::Silence => {}
            }
            self.turn(if phase.spins { Duration::ZERO } else { Duration::from_millis(10) })?;
        }
        Ok(Figures {
            sent: self.sent() - sent,
            acked: self.acked() - acked,
            deliveries: self.deliveries - deliveries,
            elapsed: began.elapsed(),
            cpu: procfs::cpu_time(pid)?.saturating_sub(cpu),
            load_cpu: procfs::cpu_time(std::process::id())?.saturating_sub(load_cpu),
            delivery: std::mem::take(&mut self.delivery),
            ack: std::mem::take(&mut self.ack),
        })
    }

    /// Sends so many with a window, however long it takes.
    pub(crate) fn send(
        &mut self,
        messages: u64,
        window: u64,
        watch: &mut dyn FnMut(u64) -> Result<()>,
    ) -> Result<()> {
        let (first, mut last_move) = (self.sent(), Instant::now());
        while self.sent() - first < messages {
            let before = self.sent();
            self.fill(window.min(messages - (before - first)))?;
            if self.sent() > before {
                last_move = Instant::now();
                watch(self.sent() - first)?;
            }
            ensure!(last_move.elapsed() < SILENCE, "the server takes nothing more");
            self.turn(Duration::from_millis(10))?;
        }
        Ok(())
    }

    /// Waits until everybody has everything.
    ///
    /// # Errors
    /// When something is missing for good.
    pub(crate) fn drain(&mut self) -> Result<()> {
        let mut last_move = Instant::now();
        loop {
            let before = self.deliveries + self.acked();
            self.turn(Duration::from_millis(10))?;
            if self.deliveries + self.acked() > before {
                last_move = Instant::now();
            }
            let missing = self.missing();
            if missing == 0 {
                return Ok(());
            }
            ensure!(last_move.elapsed() < SILENCE, "{missing} deliveries or acks are missing");
        }
    }

    /// The last `count` receivers read no more.
    pub(crate) fn stall_last(&mut self, count: usize) -> Result<()> {
        let first = self.receivers.len().saturating_sub(count);
        for receiver in &mut self.receivers[first..] {
            receiver.is_stalled = true;
            self.poll.forget(&receiver.conn.socket)?;
        }
        self.hearing.watch_among(first);
        Ok(())
    }

    /// Everybody reads.
    pub(crate) fn wake_all(&mut self) -> Result<()> {
        for (index, receiver) in self.receivers.iter_mut().enumerate() {
            if std::mem::take(&mut receiver.is_stalled) {
                self.poll.watch(&receiver.conn.socket, index, Interest::Read)?;
            }
        }
        self.hearing.watch_among(self.receivers.len());
        Ok(())
    }

    /// Each stalled receiver takes one byte.
    pub(crate) fn sip(&mut self) -> Result<()> {
        for receiver in self.receivers.iter_mut().filter(|receiver| receiver.is_stalled) {
            let mut byte = [0];
            if let Moved::Bytes(_) = read(&receiver.conn.socket, &mut byte)? {
                receiver.conn.rest.extend_from_slice(&byte);
            }
        }
        Ok(())
    }

    /// Somebody reads the log from its beginning, beside everybody else.
    pub(crate) fn admit(&mut self, latecomer: Latecomer) -> Result<()> {
        let token = self.receivers.len() + self.senders.len();
        self.poll.watch(latecomer.socket(), token, Interest::Read)?;
        self.latecomer = Some(latecomer);
        Ok(())
    }

    /// How far the latecomer is.
    pub(crate) fn latecomer(&self) -> Option<&Latecomer> {
        self.latecomer.as_ref()
    }

    /// Messages sent so far.
    pub(crate) fn sent(&self) -> u64 {
        self.senders.iter().map(|sender| sender.sent).sum()
    }

    /// Gives the senders rooms to go through.
    pub(crate) fn set_rooms(&mut self, sender: usize, rooms: Vec<u64>) {
        self.senders[sender].set_rooms(rooms);
    }

    fn begin(&mut self, phase: Phase) {
        self.sample = match phase.pace {
            Pace::Window(window) if window > SAMPLE => SAMPLE,
            Pace::Window(_) | Pace::Rate(_) | Pace::Silence => 1,
        };
        self.delivery = Histogram::default();
        self.ack = Histogram::default();
    }

    fn acked(&self) -> u64 {
        self.senders.iter().map(|sender| sender.acked).sum()
    }

    fn missing(&self) -> u64 {
        let acks = if self.has_acks { self.sent() - self.acked() } else { 0 };
        let sent: Vec<u64> = self.senders.iter().map(|sender| sender.sent).collect();
        let awake = |index: &usize| !self.receivers[*index].is_stalled;
        let deliveries = (0..self.receivers.len()).filter(awake);
        acks + deliveries.map(|index| self.hearing.missing(index, &sent)).sum::<u64>()
    }

    /// Lets every sender fill its part of the window, once half of it is free: one that sent again
    /// for each message that arrives would go on in drips for ever once it has begun to (as in RFC
    /// 9293, 3.8.6.2.1), and what a delivery costs would be what the first drips happened to be.
    fn fill(&mut self, window: u64) -> Result<()> {
        let part = (window / self.senders.len().max(1) as u64).max(1);
        for index in 0..self.senders.len() {
            let seen = self.hearing.watched(index);
            let sender = &mut self.senders[index];
            let done = if self.has_acks { seen.min(sender.acked) } else { seen };
            debug_assert!(done <= sender.sent, "what was never sent is not done");
            let room = part.saturating_sub(sender.sent - done);
            if room >= part.div_ceil(2) && sender.is_free() {
                sender.say(room, &self.poll, self.receivers.len())?;
            }
        }
        Ok(())
    }

    fn send_in_turn(&mut self, messages: u64) -> Result<()> {
        for _ in 0..messages {
            let sender = &mut self.senders[self.next_sender];
            sender.say(1, &self.poll, self.receivers.len())?;
            self.next_sender = (self.next_sender + 1) % self.senders.len();
        }
        Ok(())
    }

    fn turn(&mut self, at_most: Duration) -> Result<()> {
        let mut ready = std::mem::take(&mut self.ready);
        self.poll.wait(at_most, &mut ready)?;
        for event in &ready {
            match event.token.checked_sub(self.receivers.len()) {
                None => self.listen(event.token)?,
                Some(sender) if sender < self.senders.len() => self.attend(sender, *event)?,
                Some(_) => {
                    let latecomer = self.latecomer.as_mut().context("nobody else comes")?;
                    latecomer.read_on(&mut self.buffer)?;
                }
            }
        }
        self.ready = ready;
        Ok(())
    }

    /// A receiver has something.
    fn listen(&mut self, index: usize) -> Result<()> {
        let Receiver { conn, .. } = &mut self.receivers[index];
        let kept = conn.rest.len();
        debug_assert!(kept < self.buffer.len(), "behind a part of a frame there is room to read");
        self.buffer[..kept].copy_from_slice(&conn.rest);
        conn.rest.clear();
        let bytes = match read(&conn.socket, &mut self.buffer[kept..])? {
            Moved::Bytes(bytes) => kept + bytes,
            Moved::Nothing => kept,
            Moved::Ended => bail!("receiver {index} was cut off"),
        };
        let (now, sample) = (now_ns(), self.sample);
        let (hearing, delivery) = (&mut self.hearing, &mut self.delivery);
        let (mut heard, mut probe) = (0, None);
        let walked = self.framing.walk(&self.buffer[..bytes], |seen| {
            hearing.place(index, seen.place)?;
            probe = seen.probe.or(probe);
            let Some(text) = seen.text else { return Ok(()) };
            let stamp = Stamp::read(text).context("a text without a stamp")?;
            hearing.message(index, &stamp)?;
            heard += 1;
            if stamp.count.is_multiple_of(sample) {
                delivery.record(stamp.age_ns(now));
            }
            Ok(())
        });
        let whole = walked.with_context(|| format!("receiver {index}"))?;
        conn.rest.extend_from_slice(&self.buffer[whole..bytes]);
        self.deliveries += heard;
        if let Some(token) = probe {
            // Nothing else is ever said here: there is room.
            write(&conn.socket, &probe_reply(token))?;
        }
        Ok(())
    }

    /// A sender has acks, or room to write.
    fn attend(&mut self, index: usize, event: Ready) -> Result<()> {
        let sender = &mut self.senders[index];
        if event.to_write {
            sender.flush(&self.poll, self.receivers.len())?;
        }
        if event.to_read {
            sender.hear(&mut self.buffer, &mut self.ack, &self.poll, self.receivers.len())?;
        }
        Ok(())
    }
}
