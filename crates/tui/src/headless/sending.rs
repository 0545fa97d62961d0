//! Lines out: many in flight at once, their answers in order.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use chat_client::outbox::Destination;
use chat_client::{AckFuture, Client, NoAck, Refusal, SendError, Sent};
use chat_proto::{Ack, ErrorCode, MessageId};
use futures::FutureExt;
use futures::future::maybe_done;
use tokio::time::{Instant, timeout_at};

use super::failure::Failure;
use super::input::{Line, Lines};
use super::key::Key;
use super::missing::{Missing, tell_all};
use super::send_summary::{SendSummary, Unit};

/// Lines without an answer; past it no more are read. Fewer than the outbox of the client takes, so
/// that to hand it a message never means to wait for the server.
const UNANSWERED_MAX: usize = 512;

/// Lines that are handed to the client together, so that they leave together.
const GROUP_MAX: usize = 64;

/// Sends lines to one room.
pub(super) struct Sending<'a> {
    client: &'a Client,
    to: Destination,
    lines: Option<Lines>,
    deadlines: Deadlines,
    /// When something was sent or answered last.
    progress: Instant,
    /// Lines that are being handed to the client: they may leave before it says that it has them.
    in_hand: Vec<u64>,
    unanswered: VecDeque<Unanswered>,
    summary: SendSummary,
}

/// How long no answer may come while some are awaited; `None`: for ever.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Deadlines {
    /// While lines are still to come.
    pub(super) meanwhile: Option<Duration>,
    /// Behind the last line.
    pub(super) at_end: Option<Duration>,
}

/// Lines that can be sent (none: there will be no more), or an answer.
pub(super) enum Next {
    Lines(Vec<Line>),
    Answer(Result<Ack, NoAck>),
}

/// What came of it.
pub(super) enum Step {
    /// Messages are on their way.
    Sent(Vec<MessageId>),
    /// A message was posted.
    Posted { ack: Ack, text: String },
    /// A message will not come.
    Lost(MessageId),
    /// The input, or nothing that concerns a message.
    Other,
}

struct Unanswered {
    line: u64,
    n: u64,
    id: MessageId,
    text: String,
    answer: AckFuture,
}

impl<'a> Sending<'a> {
    pub(super) fn new(
        client: &'a Client,
        to: Destination,
        lines: Lines,
        unit: Unit,
        deadlines: Deadlines,
    ) -> Self {
        Self {
            client,
            to,
            lines: Some(lines),
            deadlines,
            progress: Instant::now(),
            in_hand: Vec::new(),
            unanswered: VecDeque::new(),
            summary: SendSummary::new(unit),
        }
    }

    /// Whether every line has its answer.
    pub(super) fn is_done(&self) -> bool {
        self.lines.is_none() && self.unanswered.is_empty()
    }

    /// Waits for a line or for the oldest answer. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Next, Failure> {
        let deadlines = match self.lines {
            Some(_) => self.deadlines.meanwhile,
            None => self.deadlines.at_end,
        };
        let awaits = !self.unanswered.is_empty();
        let deadline =
            deadlines.filter(|_| awaits).and_then(|limit| self.progress.checked_add(limit));
        let room = UNANSWERED_MAX.saturating_sub(self.unanswered.len());
        let lines = self.lines.as_mut().filter(|_| room > 0);
        let oldest = self.unanswered.front_mut().map(|oldest| &mut oldest.answer);
        let next = async {
            tokio::select! {
                lines = lines_of(lines, room.min(GROUP_MAX)) => Next::Lines(lines),
                answer = answer_of(oldest) => Next::Answer(answer),
            }
        };
        match deadline {
            None => Ok(next.await),
            Some(deadline) => timeout_at(deadline, next)
                .await
                .map_err(|_elapsed| Failure::timeout("the server did not answer in time")),
        }
    }

    /// Deals with what came. While it sends, no event may be taken: so whoever prints knows a
    /// message of its own before it comes back.
    pub(super) async fn take(&mut self, next: Next) -> Step {
        match next {
            Next::Lines(lines) if lines.is_empty() => {
                self.progress = Instant::now();
                if let Some(lines) = self.lines.take() {
                    lines.end().await.tell();
                }
                Step::Other
            }
            Next::Lines(lines) => self.send(lines).await,
            Next::Answer(answer) => {
                self.progress = Instant::now();
                self.answered(answer)
            }
        }
    }

    async fn send(&mut self, lines: Vec<Line>) -> Step {
        if self.unanswered.is_empty() {
            self.progress = Instant::now();
        }
        let mut texts = Vec::with_capacity(lines.len());
        for Line { number, text } in lines {
            match text {
                Ok(text) => texts.push((number, text)),
                Err(reason) => self.summary.unusable(number, &reason),
            }
        }
        let sends =
            texts.iter().map(|(_line, text)| self.client.send(self.to.clone(), text.clone()));
        self.in_hand.extend(texts.iter().map(|(line, _text)| *line));
        let sent = in_order(sends.map(Box::pin).collect()).await;
        self.in_hand.clear();
        let mut ids = Vec::with_capacity(sent.len());
        for ((line, text), sent) in texts.into_iter().zip(sent) {
            match sent {
                Ok(Sent { id, answer, nonce }) => {
                    let n = nonce.n;
                    self.unanswered.push_back(Unanswered { line, n, id, text, answer });
                    ids.push(id);
                }
                Err(SendError::Refused(refusal)) => self.refused(line, &refusal),
                Err(SendError::Outbox(_) | SendError::Ended) => self.summary.not_sent(line),
            }
        }
        debug_assert!(self.unanswered.len() <= UNANSWERED_MAX, "no more lines were read");
        Step::Sent(ids)
    }

    fn answered(&mut self, answer: Result<Ack, NoAck>) -> Step {
        let Some(Unanswered { line, id, text, .. }) = self.unanswered.pop_front() else {
            return Step::Other;
        };
        match answer {
            Ok(ack) => {
                self.summary.acked();
                return Step::Posted { ack, text };
            }
            Err(NoAck::Refused(refusal)) => self.refused(line, &refusal),
            Err(NoAck::OutcomeUnknown) => self.summary.unknown(line),
            Err(NoAck::NotSent) => self.summary.not_sent(line),
        }
        Step::Lost(id)
    }

    fn refused(&mut self, line: u64, refusal: &Refusal) {
        let reason = match refusal.code {
            Some(ErrorCode::NonceReused) => {
                "the --id (with --nth, this place of it) was used for something else in this room \
                 before; choose another"
            }
            Some(ErrorCode::Behind) => {
                "earlier messages of this --id are missing; send them again (with --nth, those \
                 before it first)"
            }
            _ => &refusal.reason,
        };
        self.summary.refused(line, reason, Failure::from(refusal.clone()).exit);
    }

    /// Waits no more: the worst that happened to a line, if something did. Each line without an
    /// answer is told with its place, so that it can be sent again by itself. `options` make the
    /// same messages of the same input.
    pub(super) fn give_up(mut self, key: &Key, room: &str, options: &str) -> Option<Failure> {
        let mut missing = Vec::new();
        for Unanswered { line, n, text, answer, .. } in self.unanswered.drain(..) {
            match answer.has_left() {
                true => self.summary.unknown(line),
                false => self.summary.not_sent(line),
            }
            missing.push(Missing { line, nth: n, text });
        }
        if self.summary.unit() != Unit::Message {
            tell_all(&missing, key, room);
        }
        let hint = &key.hint(room, options);
        self.in_hand.drain(..).for_each(|line| self.summary.unknown(line));
        self.summary.failure(hint)
    }
}

async fn lines_of(lines: Option<&mut Lines>, limit: usize) -> Vec<Line> {
    match lines {
        Some(lines) => lines.next(limit).await,
        None => std::future::pending().await,
    }
}

async fn answer_of(oldest: Option<&mut AckFuture>) -> Result<Ack, NoAck> {
    match oldest {
        Some(answer) => answer.await,
        None => std::future::pending().await,
    }
}

/// Runs sends together, in the order in which they stand: each is polled before the one behind it,
/// and the client's queue is fair.
async fn in_order<F: Future + Unpin>(sends: Vec<F>) -> Vec<F::Output> {
    let mut sends: Vec<_> = sends.into_iter().map(maybe_done).collect();
    poll_fn(|context| {
        let mut all = Poll::Ready(());
        for send in &mut sends {
            if send.poll_unpin(context).is_pending() {
                all = Poll::Pending;
            }
        }
        all
    })
    .await;
    sends.iter_mut().filter_map(|send| Pin::new(send).take_output()).collect()
}
