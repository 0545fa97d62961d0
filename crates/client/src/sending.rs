//! Messages on their way: outboxes, what is written down of them, and who waits for the answers.
//!
//! Owns the order in which messages leave: what dead screens left first, then what is typed here.
//! Of a screen, a message is on disk before it is shown as waiting, and before it leaves.

mod keeping;
mod lanes;

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chat_proto::{
    Ack, Credential, Epoch, Error, ErrorCode, MessageId, Nonce, RequestId, RoomId, RoomName,
    StreamId,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::answers::{AckFuture, SendError, Sent};
use crate::calls::SendCall;
use crate::connection::plain;
use crate::delivery::Delivery;
use crate::event::{Event, Outgoing, OutgoingState, Refusal};
use crate::identity::random_bytes;
use crate::journal::Record;
use crate::keeper::{Done, Job, Keeper};
use crate::outbox::{Entry, Outbox, Verdict, message_id};

/// Unanswered messages; past it senders wait.
const UNANSWERED_MAX: usize = 1024;

/// How long to wait before trying again what the disk or the daemon would not do.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// All messages on their way.
pub(crate) struct Sending {
    /// The last is the one that is pushed to; those before it were left by dead screens.
    lanes: VecDeque<Outbox>,
    waiters: HashMap<Nonce, Waiter>,
    in_flight: HashMap<RequestId, Nonce>,
    /// Messages to rooms that cannot be had: why.
    doomed: HashMap<Nonce, Refusal>,
    pause_until: Option<Instant>,
    /// Whether the room of the next message is being looked for.
    finding: bool,
    keeper: Keeper,
    /// To be written down.
    notes: Vec<Record>,
    /// Being written down.
    taking: Vec<(SendCall, Entry)>,
    /// A stream that the daemon has lost the end of.
    restart: Option<StreamId>,
    /// A server whose directory is to be looked through.
    adopt: Option<String>,
    epoch: Option<Epoch>,
    online: bool,
    /// Why nothing will be sent any more.
    ended: Option<Refusal>,
    credential: Credential,
    /// The stream is named by whoever started the program, and cannot be exchanged.
    firm: bool,
    /// Whether the daemon was restored from a backup since the first connection.
    restored: bool,
    /// Whether the user knows how many messages are gone by that.
    told_of_loss: bool,
}

struct Waiter {
    answer: oneshot::Sender<Result<Ack, Refusal>>,
    left: Arc<AtomicBool>,
}

impl Sending {
    /// `adopted` in the order in which it is to be sent; `own` is pushed to.
    pub(crate) fn new(
        own: Outbox,
        adopted: Vec<Outbox>,
        keeper: Keeper,
        credential: Credential,
        firm: bool,
    ) -> Self {
        let mut lanes = VecDeque::from(adopted);
        lanes.push_back(own);
        Self {
            lanes,
            waiters: HashMap::new(),
            in_flight: HashMap::new(),
            doomed: HashMap::new(),
            pause_until: None,
            finding: false,
            keeper,
            notes: Vec::new(),
            taking: Vec::new(),
            restart: None,
            adopt: None,
            epoch: None,
            online: false,
            ended: None,
            credential,
            firm,
            restored: false,
            told_of_loss: false,
        }
    }

    /// Shows what was found on disk.
    pub(crate) fn show_adopted(&self, delivery: &mut Delivery) {
        for entry in self.lanes.iter().flat_map(Outbox::pending) {
            self.tell(entry, OutgoingState::Waiting, delivery);
        }
    }

    /// Whether more messages may be taken.
    pub(crate) fn has_room(&self, delivery: &Delivery) -> bool {
        let unanswered: usize = self.lanes.iter().map(Outbox::len).sum();
        unanswered < UNANSWERED_MAX
            && !(self.tells() && delivery.is_full())
            && self.restart.is_none()
            && !matches!(self.keeper, Keeper::Busy(_))
    }

    /// Takes messages: in memory at once, otherwise when they are written down.
    pub(crate) fn take(&mut self, calls: Vec<SendCall>, delivery: &mut Delivery) {
        match (&self.keeper, &self.ended) {
            (Keeper::Memory, Some(refusal)) => {
                let refusal = refusal.clone();
                refuse(calls, &SendError::Refused(refusal));
            }
            (Keeper::Memory, None) => {
                for call in calls {
                    let entry = self.own().push(call.to.clone(), call.text.clone());
                    self.taken(call, &entry, delivery);
                }
            }
            (Keeper::Idle(_), _) => self.write_down(calls),
            (Keeper::Busy(_) | Keeper::Broken, _) => {
                refuse(calls, &thread_failed());
            }
        }
    }

    /// A connection is signed in; `server` names the directory of what is unanswered there.
    pub(crate) fn connected(&mut self, epoch: Epoch, server: String) {
        self.online = true;
        if self.epoch.replace(epoch).is_some_and(|before| before != epoch) {
            (self.restored, self.told_of_loss) = (true, false);
        }
        self.pause_until = None;
        for lane in &mut self.lanes {
            lane.connected(epoch);
            self.notes.push(Record::Epoch(lane.stream(), epoch));
        }
        if !matches!(self.keeper, Keeper::Memory) {
            self.adopt = Some(server);
        } else {
            self.notes.clear();
        }
    }

    pub(crate) fn disconnected(&mut self) {
        self.online = false;
        self.finding = false;
        self.in_flight.clear();
        for lane in &mut self.lanes {
            lane.disconnected();
        }
    }

    /// There will be no connection any more. Whoever keeps nothing on disk is told.
    pub(crate) fn end(&mut self, refusal: &Refusal) {
        self.ended = Some(refusal.clone());
        if matches!(self.keeper, Keeper::Memory) {
            self.waiters.clear();
        }
    }

    /// Whether an answer is awaited.
    pub(crate) fn awaits(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Whose answer this is, when the request was a send.
    pub(crate) fn nonce_of(&mut self, id: RequestId) -> Option<Nonce> {
        self.in_flight.remove(&id)
    }

    /// The room of messages that knew only its name.
    pub(crate) fn found(&mut self, name: &RoomName, room: RoomId) {
        self.finding = false;
        for lane in &mut self.lanes {
            for nonce in lane.resolve(name, room) {
                self.notes.push(Record::Found(nonce, room));
            }
        }
        self.forget_notes_of_memory();
    }

    /// The room cannot be had. The daemon itself must refuse the messages, or it would await them
    /// for ever; the reason is kept for the user.
    pub(crate) fn not_found(&mut self, name: &RoomName, error: Error) {
        self.finding = false;
        let refusal = Refusal::from(error);
        for lane in &mut self.lanes {
            for nonce in lane.resolve(name, crate::Destination::NOWHERE) {
                self.doomed.insert(nonce, refusal.clone());
            }
        }
    }

    /// When sending goes on after a pause.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.pause_until.filter(|_| self.online)
    }

    /// A message is in the outbox.
    fn taken(&mut self, call: SendCall, entry: &Entry, delivery: &mut Delivery) {
        let (answer, answered) = oneshot::channel();
        let left = Arc::new(AtomicBool::new(false));
        let sent = Sent {
            nonce: entry.nonce,
            id: message_id(entry.nonce, &self.credential),
            answer: AckFuture { answer: answered, left: Arc::clone(&left) },
        };
        self.waiters.insert(entry.nonce, Waiter { answer, left });
        self.tell(entry, OutgoingState::Waiting, delivery);
        // The sender may be gone; the message is taken all the same.
        drop(call.reply.send(Ok(sent)));
    }

    /// A send is committed.
    pub(crate) fn acked(&mut self, ack: &Ack, delivery: &mut Delivery) {
        let Some(entry) = self.lane_of(ack.nonce).and_then(|lane| lane.acked(ack)) else {
            return;
        };
        if let Some(waiter) = self.waiters.remove(&ack.nonce) {
            drop(waiter.answer.send(Ok(ack.clone())));
        }
        let (room, seq, ts, id) = (ack.room, ack.seq, ack.ts, ack.id);
        let expected = message_id(entry.nonce, &self.credential);
        if id != expected {
            // It was first sent with another credential of the account: the daemon's word counts.
            let nonce = entry.nonce;
            self.tell_of(expected, &entry, OutgoingState::Moved { nonce, id }, delivery);
        }
        self.tell_of(id, &entry, OutgoingState::Acked { room, seq, ts }, delivery);
        self.done_with(ack.nonce);
    }

    /// A send was refused, for now or for good.
    pub(crate) fn refused(&mut self, nonce: Nonce, error: &Error, delivery: &mut Delivery) {
        let Some(lane) = self.lane_of(nonce) else { return };
        match lane.refused(nonce, error) {
            Verdict::Retry { after_ms: 0 } => {}
            Verdict::Retry { after_ms } => self.pause(Duration::from_millis(after_ms)),
            Verdict::Refused(entry) => {
                let refusal = Refusal::from(error.clone());
                self.refused_for_good(&entry, refusal, delivery);
            }
            Verdict::NewStreamNeeded => {
                self.tell_of_loss(nonce.stream, error.detail, delivery);
                self.lost_stream(nonce.stream, delivery);
            }
        }
    }

    fn refused_for_good(&mut self, entry: &Entry, refusal: Refusal, delivery: &mut Delivery) {
        let refusal = self.doomed.remove(&entry.nonce).unwrap_or(refusal);
        if let Some(waiter) = self.waiters.remove(&entry.nonce) {
            drop(waiter.answer.send(Err(refusal.clone())));
        }
        self.tell(entry, OutgoingState::Refused(refusal), delivery);
        self.done_with(entry.nonce);
    }

    fn done_with(&mut self, nonce: Nonce) {
        self.notes.push(Record::Answered(nonce));
        self.forget_notes_of_memory();
        while self.lanes.len() > 1 && self.lanes.front().is_some_and(Outbox::is_empty) {
            self.lanes.pop_front();
        }
    }

    fn forget_notes_of_memory(&mut self) {
        if matches!(self.keeper, Keeper::Memory | Keeper::Broken) {
            self.notes.clear();
        }
    }

    fn pause(&mut self, pause: Duration) {
        let until = Instant::now() + pause;
        self.pause_until = self.pause_until.max(Some(until));
    }

    fn is_paused(&mut self) -> bool {
        if self.pause_until.is_some_and(|until| until <= Instant::now()) {
            self.pause_until = None;
        }
        self.pause_until.is_some()
    }

    fn own(&mut self) -> &mut Outbox {
        self.lanes.back_mut().expect("the last lane is never removed")
    }

    fn lane_of(&mut self, nonce: Nonce) -> Option<&mut Outbox> {
        self.lane_of_stream(nonce.stream)
    }

    fn lane_of_stream(&mut self, stream: StreamId) -> Option<&mut Outbox> {
        self.lanes.iter_mut().find(|lane| lane.stream() == stream)
    }

    /// Whether the user is a screen.
    fn tells(&self) -> bool {
        !matches!(self.keeper, Keeper::Memory)
    }

    fn tell(&self, entry: &Entry, state: OutgoingState, delivery: &mut Delivery) {
        self.tell_of(message_id(entry.nonce, &self.credential), entry, state, delivery);
    }

    /// The honest marks are a screen's; a script has its answers.
    fn tell_of(&self, id: MessageId, entry: &Entry, state: OutgoingState, delivery: &mut Delivery) {
        // But a message that has another id must be told by it from others' messages.
        if self.tells() || matches!(state, OutgoingState::Moved { .. }) {
            delivery.push(Event::Outgoing(Outgoing {
                nonce: entry.nonce,
                id,
                to: entry.to.clone(),
                text: entry.text.clone(),
                state,
            }));
        }
    }
}

fn refuse(calls: impl IntoIterator<Item = SendCall>, why: &SendError) {
    for call in calls {
        drop(call.reply.send(Err(why.clone())));
    }
}

fn thread_failed() -> SendError {
    SendError::Outbox("its thread has failed".into())
}
