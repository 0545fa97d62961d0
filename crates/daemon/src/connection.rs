//! A connection with its socket: moves bytes between the peer and the core's [`Connection`].
//!
//! Reading and writing are two loops of one task over the same socket, neither waiting for the
//! other: a peer that does not read does not keep the daemon from hearing it, and the reverse.

mod socket;
mod stranger;

use std::sync::{Arc, Mutex, PoisonError};

use bytes::{Buf, BytesMut};
use chat_core::{
    Admission, Asked, Closing, Conn, Connection, Input, Origin, Output, Run, SessionSeed,
};
use chat_proto::{
    ErrorCode, FrameError, HEADER_BYTES, LogId, MAGIC, Probe, RequestId, Seq, SessionId,
    encode_frame, frame_end,
};
use tokio::time::{Duration, Instant, sleep, timeout};

use crate::fanout::{Delivery, FollowedLog, Hub, Mail, Mailbox, going_away};
use crate::reader::ReadPool;
use crate::sequencer::Sequencer;
pub(crate) use socket::Socket;
use stranger::FirstBytes;

/// How many bytes one read asks for.
const READ_BYTES: usize = 64 * 1024;

/// How long a peer may take to read the reason for a close.
const LINGER: Duration = Duration::from_secs(1);

/// How long a cursor waits after its log could not be read.
const DISK_RETRY: Duration = Duration::from_millis(500);

/// What all connections share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) admission: Admission,
    pub(crate) hub: Arc<Hub>,
    pub(crate) readers: ReadPool,
    pub(crate) started: Instant,
}

impl Shared {
    /// Milliseconds since the daemon started: a clock that never steps back.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Admits a connection, and returns what serves it to its end. It is admitted before it is served:
/// whoever stops the daemon sees it also when it has just come.
pub(crate) fn admit(
    socket: Socket,
    conn: Conn,
    shared: Arc<Shared>,
    sequencer: Sequencer,
) -> Result<impl Future<Output = ()> + Send + 'static, getrandom::Error> {
    let seed = SessionSeed { id: SessionId(conn.0), challenge: challenge()? };
    let now_ms = shared.now_ms();
    let mailbox = Arc::new(Mailbox::new(now_ms));
    shared.hub.admit(conn, Arc::clone(&mailbox));
    let core = Mutex::new(Connection::new(seed, &shared.admission, now_ms));
    let mut wired = Wired { conn, core, socket, mailbox, shared, sequencer };
    Ok(async move {
        wired.run().await;
        wired.leave().await;
    })
}

/// A connection and everything that it is wired to.
struct Wired {
    conn: Conn,
    core: Mutex<Connection<Arc<FollowedLog>>>,
    socket: Socket,
    mailbox: Arc<Mailbox>,
    shared: Arc<Shared>,
    sequencer: Sequencer,
}

impl Wired {
    async fn run(&mut self) {
        let has_said_goodbye = tokio::select! {
            () = self.read() => false,
            has_said_goodbye = self.write() => has_said_goodbye,
            () = self.mailbox.killed() => false,
        };
        if has_said_goodbye {
            // Closing at once would let unread bytes turn the goodbye into a reset.
            let lingered = timeout(LINGER, self.socket.close_and_drain()).await;
            tracing::debug!(in_time = lingered.is_ok(), "the connection is closed");
        }
    }

    /// Takes everything that the connection held out of the daemon.
    async fn leave(&mut self) {
        let core = self.core.get_mut().unwrap_or_else(PoisonError::into_inner);
        core.followed().for_each(|(_log, followed)| followed.unfollow(self.conn));
        if self.sequencer.submit(Input::Gone(self.conn)).await.is_err() {
            tracing::debug!("the daemon ended before the connection did");
        }
    }

    /// Socket to sequencer. Returns when the peer is gone. When the peer is only to be heard no
    /// more, it never returns: the writer says goodbye.
    async fn read(&self) {
        let mut inbound = BytesMut::new();
        if !self.greet(&mut inbound).await {
            return;
        }
        loop {
            let now_ms = self.shared.now_ms();
            while let Some(Asked { request, lane, ask }) = self.receive(&mut inbound, now_ms) {
                let origin = Origin { conn: self.conn, request, lane };
                // While the queue is full nothing is read.
                self.mailbox.set_reading_paused(true);
                if self.sequencer.submit(Input::Ask { origin, ask }).await.is_err() {
                    return;
                }
            }
            // A handshake reply or a close may be waiting to be written.
            self.mailbox.nudge();
            // At the same moment as above: a pause that ends in between must not go unnoticed.
            if self.until_input_is_wanted(now_ms).await {
                // What was read before the pause comes first.
                continue;
            }
            if !self.hear(&mut inbound).await {
                return self.hang_up(&inbound).await;
            }
        }
    }

    /// Waits for the magic. A peer that speaks something else is told so in its own words.
    async fn greet(&self, inbound: &mut BytesMut) -> bool {
        loop {
            match stranger::look(inbound) {
                FirstBytes::Native => {
                    inbound.advance(MAGIC.len());
                    return true;
                }
                FirstBytes::Undecided if self.hear(inbound).await => {}
                FirstBytes::Undecided => return false,
                seen @ (FirstBytes::Http | FirstBytes::Unknown) => {
                    self.with_core(|core| core.part(&stranger::farewell(seen)));
                    self.mailbox.nudge();
                    return std::future::pending().await;
                }
            }
        }
    }

    /// Reads what has come; `false` at the end of the stream.
    async fn hear(&self, inbound: &mut BytesMut) -> bool {
        if inbound.is_empty() {
            // An idle connection holds no buffer.
            *inbound = BytesMut::new();
        }
        match self.socket.read(inbound, READ_BYTES).await {
            Ok(0) => false,
            Ok(_) => {
                self.mailbox.heard();
                true
            }
            Err(error) => {
                tracing::debug!(%error, "a peer is gone");
                false
            }
        }
    }

    /// The peer says no more: what it has asked is still answered.
    async fn hang_up(&self, inbound: &BytesMut) {
        if !inbound.is_empty() {
            let cut = FrameError::Truncated { missing: missing_bytes(inbound) };
            let closing = Closing::protocol(ErrorCode::Malformed, cut.to_string());
            self.with_core(|core| core.close(&closing));
        }
        while self.with_core(|core| core.in_flight() > 0) {
            self.mailbox.room().await;
        }
        self.with_core(|core| core.part(&[]));
        self.mailbox.nudge();
        std::future::pending::<()>().await;
    }

    fn receive(&self, inbound: &mut BytesMut, now_ms: u64) -> Option<Asked> {
        if self.mailbox.is_draining() {
            return None;
        }
        self.with_core(|core| core.receive(&self.shared.admission, inbound, now_ms))
    }

    /// Waits while the window is full, the peer was too fast or takes no replies, or the daemon
    /// drains; tells whether it had to.
    async fn until_input_is_wanted(&self, mut now_ms: u64) -> bool {
        let mut has_waited = false;
        loop {
            let (wants_input, pause_ms, is_held_up) = self.with_core(|core| {
                (core.wants_input(now_ms), core.pause_ms(now_ms), core.is_held_up_by_peer())
            });
            if wants_input && !self.mailbox.is_draining() {
                self.mailbox.set_reading_paused(false);
                return has_waited;
            }
            has_waited = true;
            self.mailbox.set_reading_paused(!is_held_up);
            match pause_ms {
                0 => self.mailbox.room().await,
                pause_ms => sleep(Duration::from_millis(pause_ms)).await,
            }
            now_ms = self.shared.now_ms();
        }
    }

    /// Mailbox and tails to socket. Tells whether it ended in order, with everything said.
    async fn write(&self) -> bool {
        loop {
            self.take_mail();
            let output = self.with_core(Connection::output);
            let outcome = match output {
                Output::Nothing => {
                    self.mailbox.news().await;
                    Ok(())
                }
                Output::Outgoing => self.write_outgoing().await,
                Output::Run { log, run } => self.write_run(log, &run).await,
                Output::ReadDisk { log, after, .. } => {
                    self.read_disk(log, after).await;
                    Ok(())
                }
                Output::Close => return true,
            };
            if let Err(error) = outcome {
                tracing::debug!(%error, "a peer is gone");
                return false;
            }
        }
    }

    async fn write_outgoing(&self) -> std::io::Result<()> {
        let written = self.with_core(|core| {
            let written = self.socket.try_write(&[core.outgoing()])?;
            core.wrote(written);
            std::io::Result::Ok(written)
        })?;
        self.took(written).await
    }

    async fn write_run(&self, log: LogId, run: &Run) -> std::io::Result<()> {
        let slices: Vec<&[u8]> = run.slices().iter().map(|slice| &slice[..]).collect();
        let written = self.socket.try_write(&slices)?;
        self.with_core(|core| core.wrote_run(log, run, written));
        self.took(written).await
    }

    /// The peer took so many bytes; when it took none, waits until it does. Only that is a sign of
    /// life: bytes that need not wait are taken by the system, also for a peer that is gone.
    async fn took(&self, bytes: usize) -> std::io::Result<()> {
        if bytes == 0 {
            self.socket.writable().await?;
            self.mailbox.heard();
            return Ok(());
        }
        // The reader may have waited for the peer to take its replies.
        self.mailbox.made_room();
        Ok(())
    }

    async fn read_disk(&self, log: LogId, after: Seq) {
        match self.shared.readers.events_after(log, after).await {
            Ok(page) => {
                self.take_mail();
                self.with_core(|core| core.read_from_disk(log, after, &page.frames, page.after));
            }
            Err(error) => {
                tracing::error!(%error, %log, "a log cannot be read");
                sleep(DISK_RETRY).await;
                self.with_core(|core| core.disk_failed(log));
            }
        }
    }

    /// Brings what has come into the connection.
    fn take_mail(&self) {
        let Mail { deliveries, grown, probe, close } = self.mailbox.take();
        let is_draining = self.mailbox.is_draining();
        self.with_core(|core| {
            for Delivery { lane, reply, log } in deliveries {
                let opening = log.clone();
                let unused = core.deliver(lane, &reply, log);
                match (opening, unused) {
                    (Some(opened), None) => opened.follow(self.conn, Arc::clone(&self.mailbox)),
                    (None, Some(shut)) => shut.unfollow(self.conn),
                    // Nothing was opened or closed.
                    (Some(_), Some(_)) | (None, None) => {}
                }
            }
            grown.into_iter().for_each(|log| core.wake(log));
            if let Some(token) = probe {
                core.say(&probe_frame(token));
            }
            if let Some(closing) = close {
                core.close(&closing);
            } else if is_draining && core.in_flight() == 0 && !core.is_closing() {
                core.close(&going_away());
            }
            if core.account().is_some() {
                self.mailbox.set_signed_in();
            }
        });
        self.mailbox.made_room();
    }

    fn with_core<R>(&self, act: impl FnOnce(&mut Connection<Arc<FollowedLog>>) -> R) -> R {
        act(&mut self.core.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn probe_frame(token: u64) -> Vec<u8> {
    let mut frame = Vec::new();
    encode_frame(&Probe { token }, RequestId(0), &mut frame).expect("a number fits a frame");
    frame
}

fn challenge() -> Result<[u8; 32], getrandom::Error> {
    let mut challenge = [0; 32];
    getrandom::fill(&mut challenge)?;
    Ok(challenge)
}

fn missing_bytes(cut: &[u8]) -> usize {
    frame_end(cut, 0).unwrap_or(HEADER_BYTES).saturating_sub(cut.len())
}
