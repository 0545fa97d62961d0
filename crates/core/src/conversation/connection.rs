//! A connection without its socket: bytes come in, requests go out; replies come in, bytes go out.
//!
//! It decides what is written in which order, and how much may be in flight. Whoever owns the
//! socket moves the bytes, reads from disk when asked to, and keeps the deadlines.

use std::ops::RangeInclusive;

use bytes::{Buf, Bytes, BytesMut};
use chat_proto::limits::FRAME_BYTES_MAX;
use chat_proto::{
    AccountId, Announced, CredentialId, ErrorCode, FrameCodec, FrameError, InvitationMade, LogId,
    RequestId, Seq, Window, encode_frame,
};

use crate::pipeline::unsure_of_names;
use crate::{
    Admission, Closing, DiskRead, Effect, FrameRun, ReceivedRequest, Refusal, Reply, Session,
    SessionSeed, Step, Subscriptions, TailHandle, TurnTokens, WayIn, Work,
};

/// The bytes of a transmit: enough that a write is never small because of it, little enough that
/// connections take turns.
const PARCEL_BYTES_MAX: usize = 256 * 1024;

/// The slices of a transmit: well below what one `writev` takes (`IOV_MAX`, 1,024 on Linux).
const PARCEL_SLICES_MAX: usize = 256;

/// Past so many bytes that the peer has not taken, nothing more is read from it: who asks and does
/// not take the answers waits for himself.
const OUTGOING_BYTES_HIGH: usize = 64 * 1024;

/// Room for an ack: nearly every reply is one.
const REPLY_BYTES: usize = 80;

/// One connection: its session, its cursors, and what is to be written next.
#[derive(Debug)]
pub struct Connection<H> {
    session: Session,
    /// Replies, and the rest of a frame that has begun. Bounded by [`OUTGOING_BYTES_HIGH`] and the
    /// windows of the session.
    outgoing: BytesMut,
    subscriptions: Subscriptions<H>,
    is_closing: bool,
    /// Why, for the operator.
    because: Option<Box<Closing>>,
    /// The peer was not told of a rename, because it does not take what waits already.
    misses_renames: bool,
}

/// What the owner of the socket is to do next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Output {
    /// Wait for a reply, or for a log to grow.
    Nothing,
    /// Write (some of) [`Connection::slices`] of it, then call [`Connection::wrote`].
    Write(Transmit),
    /// Read from disk, then call [`Connection::read_from_disk`] or [`Connection::disk_failed`].
    /// Until then other logs go on, and no second read is asked for.
    ReadDisk(DiskRead),
    /// Everything is written: close the socket.
    Close,
}

/// What one write is to bring: the replies that wait, and then frames of several logs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Transmit {
    runs: Vec<(LogId, FrameRun)>,
    /// Bytes of the replies and of all runs.
    bytes: usize,
}

impl Transmit {
    /// Whether there is nothing in it. A run may have no bytes: it moves its cursor all the same.
    fn is_empty(&self) -> bool {
        self.bytes == 0 && self.runs.is_empty()
    }

    /// How many bytes it has.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Where its bytes begin in the tail of one log, when all of them lie there in a row.
    #[must_use]
    pub fn place_in_tail(&self) -> Option<(LogId, u64)> {
        match &self.runs[..] {
            [(log, run)] if run.bytes() == self.bytes => run.offset.map(|offset| (*log, offset)),
            _ => None,
        }
    }

    /// Whether any of its frames were read from disk.
    #[must_use]
    pub fn is_from_disk(&self) -> bool {
        self.runs.iter().any(|(_log, run)| run.is_from_disk())
    }

    /// The logs whose frames come from their tail.
    pub fn logs_from_memory(&self) -> impl Iterator<Item = LogId> {
        self.runs.iter().filter(|(_log, run)| !run.is_from_disk()).map(|(log, _run)| *log)
    }
}

impl<H: TailHandle> Connection<H> {
    /// A connection whose peer has said nothing behind the magic yet.
    #[must_use]
    pub fn new(seed: SessionSeed, way_in: WayIn) -> Self {
        Self {
            session: Session::new(seed, way_in),
            outgoing: BytesMut::new(),
            subscriptions: Subscriptions::default(),
            is_closing: false,
            because: None,
            misses_renames: false,
        }
    }

    /// Takes the next request off `bytes`, and what it costs of `tokens`; `None` when there is no whole
    /// frame, no room for what it asks, or no token left. What goes wrong is written as a `Close`, and
    /// everything after it is ignored.
    pub fn receive(
        &mut self,
        admission: &Admission,
        bytes: &mut &[u8],
        tokens: &mut TurnTokens,
    ) -> Option<ReceivedRequest> {
        while self.wants_input() && !tokens.are_spent() {
            let frame = match FrameCodec::default().split_frame(bytes) {
                Ok(Some(frame)) => frame,
                Ok(None) => {
                    if let Some(Err(closing)) =
                        Announced::by(bytes).map(|it| self.session.expect(it))
                    {
                        self.close(&closing);
                    }
                    return None;
                }
                Err(broken) => {
                    self.close(&frame_closing(&broken));
                    return None;
                }
            };
            match self.session.handle(admission, &frame, tokens) {
                Ok(Step::Request(received)) => return Some(received),
                Ok(Step::Reply(reply)) => self.outgoing.extend_from_slice(&reply),
                Ok(Step::Nothing) => {}
                Err(closing) => self.close(&closing),
            }
        }
        None
    }

    /// Whether bytes from the peer are of any use now: the window has room, and the peer takes its
    /// replies.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        !self.is_closing && self.session.has_room() && !self.is_held_up_by_peer()
    }

    /// Whether reading waits for the peer to take its replies. Silence is then the peer's own.
    #[must_use]
    pub fn is_held_up_by_peer(&self) -> bool {
        self.outgoing.len() >= OUTGOING_BYTES_HIGH
    }

    /// Takes a reply to `request`. `handle` leads to the tail of the log whose cursor opens with it. A handle
    /// that is of no use any more is given back: its cursor was closed, or could not be opened.
    /// Behind the `Close` of a connection that ends nothing is written.
    pub fn deliver(
        &mut self,
        (request, window): (RequestId, Window),
        reply: &Reply,
        handle: Option<H>,
    ) -> Option<H> {
        self.session.answered(window, 1);
        let told = self.with_code(request, reply);
        let reply = told.as_ref().unwrap_or(reply);
        if self.is_closing {
            return handle;
        }
        let mut unused = None;
        match (reply.effect(), handle) {
            (Effect::Open { log, after, .. }, Some(handle)) => {
                if !self.subscriptions.has_room_for(log) {
                    self.refuse(request, &Refusal::TooManySubscriptions);
                    return Some(handle);
                }
                self.subscriptions.open(log, handle, after);
            }
            (Effect::SignedIn(account), _) => self.session.signed_in(account),
            (Effect::Close, _) => {
                self.is_closing = true;
                if let Reply::Closing(closing) = reply {
                    self.because = Some(closing.clone());
                }
            }
            (Effect::Shut { log }, _) => unused = self.subscriptions.shut(log),
            (Effect::None | Effect::Open { .. }, _) => {}
        }
        self.outgoing.reserve(REPLY_BYTES);
        reply.encode(request, &mut self.outgoing);
        unused
    }

    /// The reply with the code of an invitation, which was drawn here and went nowhere else.
    fn with_code(&mut self, request: RequestId, reply: &Reply) -> Option<Reply> {
        let is_told = matches!(reply, Reply::Invited(_) | Reply::Refused(_));
        let code = is_told.then(|| self.session.take_code(request)).flatten()?;
        let Reply::Invited(made) = reply else { return None };
        Some(Reply::Invited(InvitationMade { code, ..*made }))
    }

    /// The peer may not follow a log any more: nothing of it comes behind the frame that has begun, and
    /// `frame` says why. Gives back its cursor's handle.
    pub fn revoke(&mut self, log: LogId, frame: &[u8]) -> Option<H> {
        self.subscriptions.shut(log).inspect(|_handle| self.say(frame))
    }

    /// Texts of these events are gone: none that was read before is written, but the rest of a begun frame.
    pub fn redacted(&mut self, log: LogId, seqs: RangeInclusive<Seq>) {
        self.subscriptions.redacted(log, seqs);
    }

    /// A log has grown.
    pub fn wake(&mut self, log: LogId) {
        self.subscriptions.wake(log);
    }

    /// Writes a frame that answers nothing, such as a probe, behind what is waiting.
    pub fn say(&mut self, frame: &[u8]) {
        if !self.is_closing {
            self.outgoing.extend_from_slice(frame);
        }
    }

    /// Tells of a rename behind what is waiting. A peer that does not take what waits is told later
    /// that it has missed some: nothing piles up for it.
    pub fn tell_renamed(&mut self, frame: &[u8]) {
        match self.is_held_up_by_peer() {
            true => self.misses_renames = true,
            false => self.say(frame),
        }
    }

    /// Says why, and closes once that is written.
    pub fn close(&mut self, closing: &Closing) {
        self.part(&closing.frame());
        self.because.get_or_insert_with(|| Box::new(closing.clone()));
    }

    /// Why it closes, when the peer was told.
    #[must_use]
    pub fn closing(&self) -> Option<&Closing> {
        self.because.as_deref()
    }

    /// How many requests wait for their reply.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.session.in_flight()
    }

    fn refuse(&mut self, request: RequestId, why: &Refusal) {
        encode_frame(&why.to_error(), request, &mut self.outgoing)
            .expect("a sentence fits a frame");
    }

    /// Closes once `farewell` is written, which need not be a frame: the peer may speak another
    /// protocol.
    pub fn part(&mut self, farewell: &[u8]) {
        self.say(farewell);
        self.is_closing = true;
    }

    /// What is to be done next. Replies come first; cursors follow in turn.
    pub fn output(&mut self) -> Output {
        self.output_of(PARCEL_BYTES_MAX)
    }

    /// The same in smaller parcels, for a socket that takes little at once.
    pub fn output_of(&mut self, parcel_bytes_max: usize) -> Output {
        let mut transmit = Transmit { runs: Vec::new(), bytes: self.outgoing.len() };
        if self.is_closing {
            return if transmit.bytes > 0 { Output::Write(transmit) } else { Output::Close };
        }
        let mut slices = 1;
        while transmit.bytes < parcel_bytes_max && slices < PARCEL_SLICES_MAX {
            match self.subscriptions.next(parcel_bytes_max - transmit.bytes, transmit.is_empty()) {
                Work::None => break,
                Work::Write { log, run } => {
                    transmit.bytes += run.bytes();
                    slices += run.slices().len();
                    transmit.runs.push((log, run));
                }
                Work::ReadDisk(read) => return Output::ReadDisk(read),
            }
        }
        if transmit.is_empty() { Output::Nothing } else { Output::Write(transmit) }
    }

    /// Replies, and the rest of a frame that has begun.
    #[must_use]
    pub fn outgoing(&self) -> &[u8] {
        &self.outgoing
    }

    /// The bytes of a transmit, in their order.
    pub fn slices<'a>(&'a self, transmit: &'a Transmit) -> impl Iterator<Item = &'a [u8]> + Clone {
        let frames =
            transmit.runs.iter().flat_map(|(_log, run)| run.slices()).map(|slice| &slice[..]);
        std::iter::once(&self.outgoing[..]).filter(|replies| !replies.is_empty()).chain(frames)
    }

    /// The peer took the first `bytes` of a transmit. A frame that has begun is finished before
    /// anything else; what has not begun is not kept here, but read again from its log.
    pub fn wrote(&mut self, transmit: &Transmit, bytes: usize) {
        let replies = bytes.min(self.outgoing.len());
        self.outgoing.advance(replies);
        if self.outgoing.is_empty() {
            // An idle connection holds no buffer.
            self.outgoing = BytesMut::new();
        }
        let mut taken = bytes - replies;
        for (log, run) in &transmit.runs {
            let of_run = taken.min(run.bytes());
            let rest: Bytes = self.subscriptions.wrote(*log, run, of_run);
            self.outgoing.extend_from_slice(&rest);
            taken -= of_run;
        }
        if self.misses_renames && !self.is_held_up_by_peer() {
            self.misses_renames = false;
            self.say(&unsure_of_names());
        }
    }

    /// Frames came from disk: every event of the log up to `after` is in them, or said to be gone.
    /// They are dropped when the cursor was closed or moved while the disk was read: tells whether
    /// they are written next.
    pub fn read_from_disk(&mut self, read: DiskRead, frames: Bytes, after: Seq) -> bool {
        self.subscriptions.read_from_disk(read, frames, after)
    }

    /// The disk could not be read; the log is tried again.
    pub fn disk_failed(&mut self, log: LogId) {
        self.subscriptions.disk_failed(log);
    }

    /// Who the peer is, once it has signed in.
    #[must_use]
    pub fn account(&self) -> Option<AccountId> {
        self.session.account()
    }

    /// What the peer has signed in with.
    #[must_use]
    pub fn credential(&self) -> Option<CredentialId> {
        self.session.credential()
    }

    /// Whether the connection ends once everything is written.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// What leads to the tail of a log that is followed.
    #[must_use]
    pub fn handle(&self, log: LogId) -> Option<&H> {
        self.subscriptions.handle(log)
    }

    /// Whether a cursor is open on a log.
    #[must_use]
    pub fn follows(&self, log: LogId) -> bool {
        self.subscriptions.follows(log)
    }

    /// The logs that the connection follows.
    pub fn followed(&self) -> impl Iterator<Item = LogId> {
        self.subscriptions.followed()
    }
}

fn frame_closing(broken: &FrameError) -> Closing {
    let code = match broken {
        FrameError::TooLong { .. } => ErrorCode::FrameTooLong,
        FrameError::TooShort { .. }
        | FrameError::Flags { .. }
        | FrameError::Truncated { .. }
        | FrameError::Wire(_)
        | FrameError::Io(_) => ErrorCode::Malformed,
    };
    let hint = format!("{broken}. Frames have at most {FRAME_BYTES_MAX} bytes");
    Closing::protocol(code, hint)
}

#[cfg(test)]
mod tests;
