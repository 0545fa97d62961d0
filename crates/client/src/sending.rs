//! Messages on their way, between those who send them, the files that keep them and the connection.
//!
//! Owns who waits for which answer, and what is being done to the files. Which message leaves when,
//! and what becomes of it, is decided by the [`SendQueue`].

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chat_proto::{
    Ack, CredentialId, Epoch, Error, ErrorCode, Join, MessageId, Nonce, RequestId, RoomId,
    RoomName, Send, StreamId, TextBody,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::answers::{AckFuture, SendError, Sent};
use crate::calls::SendCall;
use crate::connection::plain;
use crate::event::{Event, Outgoing, OutgoingState, Refusal};
use crate::event_queue::EventQueue;
use crate::journal_writer::{Done, Job, JournalWriter};
use crate::link::Up;
use crate::outbox::Entry;
use crate::request::ReplyTo;
use crate::requests::PendingRequests;
use crate::send_queue::{Change, Outbound, SendQueue};

/// All messages on their way.
pub(crate) struct Sending {
    queue: SendQueue,
    waiters: HashMap<Nonce, Waiter>,
    in_flight: HashMap<RequestId, Nonce>,
    writer: JournalWriter,
    /// Being written down.
    taking: Vec<(SendCall, Entry)>,
    /// A server whose directory is to be looked through.
    adopt: Option<String>,
    /// Why nothing will be sent any more.
    ended: Option<Refusal>,
    credential: CredentialId,
    /// The moment that the queue's milliseconds count from.
    started: Instant,
}

struct Waiter {
    answer: oneshot::Sender<Result<Ack, Refusal>>,
    left: Arc<AtomicBool>,
}

impl Sending {
    pub(crate) fn new(queue: SendQueue, writer: JournalWriter, credential: CredentialId) -> Self {
        Self {
            queue,
            waiters: HashMap::new(),
            in_flight: HashMap::new(),
            writer,
            taking: Vec::new(),
            adopt: None,
            ended: None,
            credential,
            started: Instant::now(),
        }
    }

    /// Whether more messages may be taken.
    pub(crate) fn has_room(&self, events: &EventQueue) -> bool {
        self.queue.has_room()
            && !(self.tells() && events.is_full())
            && !matches!(self.writer, JournalWriter::Busy(_))
    }

    /// Takes messages: in memory at once, otherwise when they are written down.
    pub(crate) fn take(&mut self, calls: Vec<SendCall>, events: &mut EventQueue) {
        match (&self.writer, &self.ended) {
            (JournalWriter::Memory, Some(refusal)) => {
                let refusal = refusal.clone();
                refuse(calls, &SendError::Refused(refusal));
            }
            (JournalWriter::Memory, None) => {
                for call in calls {
                    match self.queue.push(call.to.clone(), call.text.clone()) {
                        Ok(entry) => self.taken(call, &entry, events),
                        Err(refusal) => refuse([call], &SendError::Refused(refusal)),
                    }
                }
            }
            (JournalWriter::Idle(_), _) => {
                let sends = calls.iter().map(|call| (call.to.clone(), call.text.clone()));
                let entries = self.queue.prepare(sends);
                self.taking = calls.into_iter().zip(entries).collect();
                self.writer.begin(Job::Write(self.queue.take_records()));
            }
            (JournalWriter::Busy(_) | JournalWriter::Broken, _) => {
                refuse(calls, &thread_failed());
            }
        }
    }

    /// A connection is signed in; `server` names the directory of what is unanswered there.
    pub(crate) fn connected(&mut self, epoch: Epoch, server: String) {
        self.queue.connected(epoch);
        if self.tells() {
            self.adopt = Some(server);
        }
    }

    pub(crate) fn disconnected(&mut self) {
        self.in_flight.clear();
        self.queue.disconnected();
    }

    /// There will be no connection any more. Whoever keeps nothing on disk is told.
    pub(crate) fn end(&mut self, refusal: &Refusal) {
        self.ended = Some(refusal.clone());
        if matches!(self.writer, JournalWriter::Memory) {
            self.waiters.clear();
        }
    }

    /// Puts what may leave now into the connection. At most `window` messages are in flight.
    pub(crate) fn put(
        &mut self,
        up: &mut Up,
        window: usize,
        requests: &mut PendingRequests,
        events: &mut EventQueue,
    ) {
        while up.has_room()
            && !(events.is_full() && self.tells())
            && let Some(outbound) = self.queue.next(window, self.now_ms())
        {
            match outbound {
                Outbound::Send(entry) => self.put_one(&entry, up, events),
                Outbound::Find(name) => {
                    requests.ask(&Join { name: name.to_string() }, ReplyTo::Destination(name));
                }
            }
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

    /// A send is committed.
    pub(crate) fn acked(&mut self, ack: &Ack, events: &mut EventQueue) {
        self.queue.acked(ack);
        self.tell_changes(events);
    }

    /// A send was refused, for now or for good.
    pub(crate) fn refused(&mut self, nonce: Nonce, error: &Error, events: &mut EventQueue) {
        self.queue.refused(nonce, error, self.now_ms());
        self.tell_changes(events);
    }

    /// The room of messages that knew only its name.
    pub(crate) fn found(&mut self, name: &RoomName, room: RoomId, events: &mut EventQueue) {
        self.queue.found(name, room);
        self.tell_changes(events);
    }

    /// The room cannot be had.
    pub(crate) fn not_found(&mut self, name: &RoomName, error: Error, events: &mut EventQueue) {
        self.queue.not_found(name, error);
        self.tell_changes(events);
    }

    /// When sending goes on after a pause.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.queue.due_ms().map(|due_ms| self.started + Duration::from_millis(due_ms))
    }

    /// Begins the next thing that is to be done to the files, or does what needs none.
    pub(crate) fn begin_file_work(&mut self, events: &mut EventQueue) {
        let lost = match self.writer {
            JournalWriter::Memory | JournalWriter::Idle(_) => self.queue.lost(self.now_ms()),
            JournalWriter::Busy(_) => return,
            // Nothing can be written down any more.
            JournalWriter::Broken => return drop(self.queue.take_records()),
        };
        if let Some(old) = lost {
            self.restart(old, events);
        } else if let Some(server) = self.adopt.take() {
            self.writer.begin(Job::Adopt { server });
        } else if self.queue.has_records() {
            self.writer.begin(Job::Write(self.queue.take_records()));
        }
    }

    /// The end of what is being done to the files. Cancel-safe.
    pub(crate) async fn file_done(&mut self) -> Done {
        self.writer.done().await
    }

    pub(crate) fn on_file_done(&mut self, done: Done, events: &mut EventQueue) {
        match done {
            Done::Wrote(Ok(())) => {
                for (call, entry) in std::mem::take(&mut self.taking) {
                    let pushed = self.queue.push_written(entry);
                    self.taken(call, &pushed, events);
                }
            }
            Done::Wrote(Err(error)) => self.refuse_taking(&SendError::Outbox(plain(&error))),
            Done::Restarted { old, fresh, result: Ok(()) } => {
                self.queue.restarted(old, fresh);
                self.tell_changes(events);
            }
            Done::Restarted { result: Err(error), .. } => {
                tracing::warn!(%error, "the outbox file cannot be replaced; trying again");
                self.queue.restart_failed(self.now_ms());
            }
            Done::Adopted(Ok(adopted)) => {
                self.queue.adopt(adopted);
                self.tell_changes(events);
            }
            Done::Adopted(Err(error)) => {
                tracing::warn!(%error, "what other screens left cannot be read");
            }
            Done::Failed => self.refuse_taking(&thread_failed()),
        }
    }

    /// Writes the last answers down.
    pub(crate) async fn close(mut self) {
        self.writer.close(self.queue.take_records()).await;
    }

    /// Tells everybody what has become of messages.
    pub(crate) fn tell_changes(&mut self, events: &mut EventQueue) {
        while let Some(change) = self.queue.next_change() {
            let (entry, state) = match change {
                Change::Adopted(entry) => (entry, OutgoingState::Waiting),
                Change::Acked(entry, ack) => {
                    self.tell_acked(&entry, &ack, events);
                    self.answer(entry.nonce, Ok(ack));
                    continue;
                }
                Change::Refused(entry, refusal) => {
                    self.answer(entry.nonce, Err(refusal.clone()));
                    (entry, OutgoingState::Refused(refusal))
                }
                Change::Moved(entry, nonce) => {
                    if let Some(waiter) = self.waiters.remove(&entry.nonce) {
                        self.waiters.insert(nonce, waiter);
                    }
                    let id = nonce.message_id(self.credential);
                    (entry, OutgoingState::Moved { nonce, id })
                }
                Change::Forgotten(messages) => {
                    events.push(Event::Forgotten { messages });
                    continue;
                }
            };
            self.tell(&entry, state, events);
        }
    }

    fn put_one(&mut self, entry: &Entry, up: &mut Up, events: &mut EventQueue) {
        let (nonce, id) = (entry.nonce, up.new_id());
        debug_assert!(entry.to.room.is_some(), "a message leaves when its room is known");
        let room = entry.to.room.unwrap_or_default();
        let send = Send { nonce, room, body: TextBody::say(&*entry.text) };
        if let Err(cause) = up.put(&send, id) {
            // Only a file that was written by hand can hold such a message.
            let error = Error::new(ErrorCode::FrameTooLong, cause.to_string());
            self.refused(nonce, &error, events);
            return;
        }
        self.in_flight.insert(id, nonce);
        if let Some(waiter) = self.waiters.get(&nonce) {
            waiter.left.store(true, Ordering::Relaxed);
        }
        self.tell(entry, OutgoingState::InFlight, events);
    }

    /// A message is in the outbox.
    fn taken(&mut self, call: SendCall, entry: &Entry, events: &mut EventQueue) {
        let (answer, answered) = oneshot::channel();
        let left = Arc::new(AtomicBool::new(false));
        let sent = Sent {
            nonce: entry.nonce,
            id: entry.nonce.message_id(self.credential),
            answer: AckFuture { answer: answered, left: Arc::clone(&left) },
        };
        self.waiters.insert(entry.nonce, Waiter { answer, left });
        self.tell(entry, OutgoingState::Waiting, events);
        // The sender may be gone; the message is taken all the same.
        drop(call.reply.send(Ok(sent)));
    }

    /// Exchanges a lost stream for a fresh one: of a screen, when its file is there.
    fn restart(&mut self, old: StreamId, events: &mut EventQueue) {
        let fresh = self.queue.fresh_stream();
        if self.tells() {
            let entries = self.queue.restart_records(old, fresh);
            self.writer.begin(Job::Restart { old, fresh, entries });
        } else {
            self.queue.restarted(old, fresh);
            self.tell_changes(events);
        }
    }

    fn answer(&mut self, nonce: Nonce, answer: Result<Ack, Refusal>) {
        if let Some(waiter) = self.waiters.remove(&nonce) {
            // The sender may want to know no more.
            drop(waiter.answer.send(answer));
        }
    }

    fn refuse_taking(&mut self, why: &SendError) {
        let calls = std::mem::take(&mut self.taking).into_iter();
        refuse(calls.map(|(call, _)| call), why);
    }

    /// Whether the user is a screen.
    fn tells(&self) -> bool {
        !matches!(self.writer, JournalWriter::Memory)
    }

    fn tell_acked(&self, entry: &Entry, ack: &Ack, events: &mut EventQueue) {
        let Ack { room, seq, ts, id, nonce } = *ack;
        let expected = nonce.message_id(self.credential);
        if id != expected {
            // It was first sent with another credential of the account: the daemon's word counts.
            self.tell_of(expected, entry, OutgoingState::Moved { nonce, id }, events);
        }
        self.tell_of(id, entry, OutgoingState::Acked { room, seq, ts }, events);
    }

    fn tell(&self, entry: &Entry, state: OutgoingState, events: &mut EventQueue) {
        self.tell_of(entry.nonce.message_id(self.credential), entry, state, events);
    }

    /// The honest marks are a screen's; a script has its answers.
    fn tell_of(&self, id: MessageId, entry: &Entry, state: OutgoingState, events: &mut EventQueue) {
        // But a message that has another id must be told by it from others' messages.
        if self.tells() || matches!(state, OutgoingState::Moved { .. }) {
            events.push(Event::Outgoing(Outgoing {
                nonce: entry.nonce,
                id,
                to: entry.to.clone(),
                text: entry.text.clone(),
                state,
            }));
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
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
