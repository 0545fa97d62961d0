//! Messages on their way, between those who send them, the files that keep them and the connection.
//!
//! Owns who waits for which answer, and what is being done to the files. Which message leaves when,
//! and what becomes of it, is decided by the [`SendQueue`].

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chat_proto::{
    Ack, Credential, Epoch, Error, ErrorCode, Join, MessageId, Nonce, RequestId, RoomId, RoomName,
    Send, StreamId,
};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::answers::{AckFuture, SendError, Sent};
use crate::calls::SendCall;
use crate::connection::plain;
use crate::delivery::Delivery;
use crate::event::{Event, Outgoing, OutgoingState, Refusal};
use crate::identity::random_bytes;
use crate::keeper::{Done, Job, Keeper};
use crate::link::Up;
use crate::outbox::{Destination, Entry, message_id};
use crate::request::ReplyTo;
use crate::requests::PendingRequests;
use crate::send_queue::{Change, Outbound, SendQueue};

/// All messages on their way.
pub(crate) struct Sending {
    queue: SendQueue,
    waiters: HashMap<Nonce, Waiter>,
    in_flight: HashMap<RequestId, Nonce>,
    keeper: Keeper,
    /// Being written down.
    taking: Vec<(SendCall, Entry)>,
    /// A server whose directory is to be looked through.
    adopt: Option<String>,
    /// Why nothing will be sent any more.
    ended: Option<Refusal>,
    credential: Credential,
    /// The moment that the queue's milliseconds count from.
    started: Instant,
}

struct Waiter {
    answer: oneshot::Sender<Result<Ack, Refusal>>,
    left: Arc<AtomicBool>,
}

impl Sending {
    pub(crate) fn new(queue: SendQueue, keeper: Keeper, credential: Credential) -> Self {
        Self {
            queue,
            waiters: HashMap::new(),
            in_flight: HashMap::new(),
            keeper,
            taking: Vec::new(),
            adopt: None,
            ended: None,
            credential,
            started: Instant::now(),
        }
    }

    /// Whether more messages may be taken.
    pub(crate) fn has_room(&self, delivery: &Delivery) -> bool {
        self.queue.has_room()
            && !(self.tells() && delivery.is_full())
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
                    let entry = self.queue.push(call.to.clone(), call.text.clone());
                    self.taken(call, &entry, delivery);
                }
            }
            (Keeper::Idle(_), _) => {
                let sends = calls.iter().map(|call| (call.to.clone(), call.text.clone()));
                let entries = self.queue.prepare(sends);
                self.taking = calls.into_iter().zip(entries).collect();
                self.keeper.begin(Job::Write(self.queue.take_records()));
            }
            (Keeper::Busy(_) | Keeper::Broken, _) => {
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
        if matches!(self.keeper, Keeper::Memory) {
            self.waiters.clear();
        }
    }

    /// Puts what may leave now into the connection. At most `window` messages are in flight.
    pub(crate) fn put(
        &mut self,
        up: &mut Up,
        window: usize,
        requests: &mut PendingRequests,
        delivery: &mut Delivery,
    ) {
        while up.has_room()
            && !(delivery.is_full() && self.tells())
            && let Some(outbound) = self.queue.next(window, self.now_ms())
        {
            match outbound {
                Outbound::Send(entry) => self.put_one(&entry, up, delivery),
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
    pub(crate) fn acked(&mut self, ack: &Ack, delivery: &mut Delivery) {
        self.queue.acked(ack);
        self.tell_changes(delivery);
    }

    /// A send was refused, for now or for good.
    pub(crate) fn refused(&mut self, nonce: Nonce, error: &Error, delivery: &mut Delivery) {
        self.queue.refused(nonce, error, self.now_ms());
        self.tell_changes(delivery);
    }

    /// The room of messages that knew only its name.
    pub(crate) fn found(&mut self, name: &RoomName, room: RoomId) {
        self.queue.found(name, room);
    }

    /// The room cannot be had.
    pub(crate) fn not_found(&mut self, name: &RoomName, error: Error) {
        self.queue.not_found(name, error);
    }

    /// When sending goes on after a pause.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.queue.due_ms().map(|due_ms| self.started + Duration::from_millis(due_ms))
    }

    /// Begins the next thing that is to be done to the files, or does what needs none.
    pub(crate) fn begin_file_work(&mut self, delivery: &mut Delivery) {
        let lost = match self.keeper {
            Keeper::Memory | Keeper::Idle(_) => self.queue.lost(self.now_ms()),
            Keeper::Busy(_) => return,
            // Nothing can be written down any more.
            Keeper::Broken => return drop(self.queue.take_records()),
        };
        if let Some(old) = lost {
            self.restart(old, delivery);
        } else if let Some(server) = self.adopt.take() {
            self.keeper.begin(Job::Adopt { server });
        } else if self.queue.has_records() {
            self.keeper.begin(Job::Write(self.queue.take_records()));
        }
    }

    /// The end of what is being done to the files. Cancel-safe.
    pub(crate) async fn file_done(&mut self) -> Done {
        self.keeper.done().await
    }

    pub(crate) fn on_file_done(&mut self, done: Done, delivery: &mut Delivery) {
        match done {
            Done::Wrote(Ok(())) => {
                for (call, entry) in std::mem::take(&mut self.taking) {
                    let pushed = self.queue.push(entry.to, entry.text);
                    debug_assert_eq!(pushed.nonce, entry.nonce, "it is in the file under this one");
                    self.taken(call, &pushed, delivery);
                }
            }
            Done::Wrote(Err(error)) => self.refuse_taking(&SendError::Outbox(plain(&error))),
            Done::Restarted { old, fresh, result: Ok(()) } => {
                self.queue.restarted(old, fresh);
                self.tell_changes(delivery);
            }
            Done::Restarted { result: Err(error), .. } => {
                tracing::warn!(%error, "the outbox file cannot be replaced; trying again");
                self.queue.restart_failed(self.now_ms());
            }
            Done::Adopted(Ok(adopted)) => {
                self.queue.adopt(adopted);
                self.tell_changes(delivery);
            }
            Done::Adopted(Err(error)) => {
                tracing::warn!(%error, "what other screens left cannot be read");
            }
            Done::Failed => self.refuse_taking(&thread_failed()),
        }
    }

    /// Writes the last answers down.
    pub(crate) async fn close(mut self) {
        self.keeper.close(self.queue.take_records()).await;
    }

    /// Tells everybody what has become of messages.
    pub(crate) fn tell_changes(&mut self, delivery: &mut Delivery) {
        while let Some(change) = self.queue.next_change() {
            let (entry, state) = match change {
                Change::Adopted(entry) => (entry, OutgoingState::Waiting),
                Change::Acked(entry, ack) => {
                    self.tell_acked(&entry, &ack, delivery);
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
                    let id = message_id(nonce, &self.credential);
                    (entry, OutgoingState::Moved { nonce, id })
                }
                Change::Forgotten(messages) => {
                    delivery.push(Event::Forgotten { messages });
                    continue;
                }
            };
            self.tell(&entry, state, delivery);
        }
    }

    fn put_one(&mut self, entry: &Entry, up: &mut Up, delivery: &mut Delivery) {
        let (nonce, id) = (entry.nonce, up.new_id());
        let room = entry.to.room.unwrap_or(Destination::NOWHERE);
        let send = Send { nonce, room, text: entry.text.clone() };
        if let Err(cause) = up.put(&send, id) {
            // Only a file that was written by hand can hold such a message.
            let error = Error::new(ErrorCode::FrameTooLong, cause.to_string());
            self.refused(nonce, &error, delivery);
            return;
        }
        self.in_flight.insert(id, nonce);
        if let Some(waiter) = self.waiters.get(&nonce) {
            waiter.left.store(true, Ordering::Relaxed);
        }
        self.tell(entry, OutgoingState::InFlight, delivery);
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

    /// Exchanges a lost stream for a fresh one: of a screen, when its file is there.
    fn restart(&mut self, old: StreamId, delivery: &mut Delivery) {
        let fresh = match random_bytes() {
            Ok(fresh) => StreamId(fresh),
            Err(error) => {
                tracing::error!(%error, "no fresh stream can be made");
                return self.queue.restart_failed(self.now_ms());
            }
        };
        if self.tells() {
            let entries = self.queue.restart_records(old, fresh);
            self.keeper.begin(Job::Restart { old, fresh, entries });
        } else {
            self.queue.restarted(old, fresh);
            self.tell_changes(delivery);
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
        !matches!(self.keeper, Keeper::Memory)
    }

    fn tell_acked(&self, entry: &Entry, ack: &Ack, delivery: &mut Delivery) {
        let Ack { room, seq, ts, id, nonce } = *ack;
        let expected = message_id(nonce, &self.credential);
        if id != expected {
            // It was first sent with another credential of the account: the daemon's word counts.
            self.tell_of(expected, entry, OutgoingState::Moved { nonce, id }, delivery);
        }
        self.tell_of(id, entry, OutgoingState::Acked { room, seq, ts }, delivery);
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
