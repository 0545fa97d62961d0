//! Lines out: as many in flight as the outbox takes, their answers in order.

use std::collections::VecDeque;
use std::time::Duration;

use chat_client::outbox::Destination;
use chat_client::{AckFuture, Client, NoAck, Refusal, SendError};
use chat_proto::Ack;
use tokio::time::{Instant, timeout_at};

use super::failure::Failure;
use super::input::{Line, Lines};
use super::tell;
use crate::exit::Exit;

/// Sends whose answer nobody has looked at yet. The outbox has a bound of its own.
const UNANSWERED_MAX: usize = 4096;

/// Refused lines that are told one by one; the rest is only counted.
const COMPLAINTS_MAX: u64 = 20;

/// Sends lines to one room.
pub(super) struct Sending<'a> {
    client: &'a Client,
    to: Destination,
    /// How long no answer may come while some are awaited; `None`: for ever.
    patience: Option<Duration>,
    unit: Unit,
    unanswered: VecDeque<Unanswered>,
    tally: Tally,
}

/// What a person calls what is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    /// A line of many.
    Line,
    /// The only message.
    Message,
}

/// What became of the lines.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Tally {
    acked: u64,
    refused: u64,
    not_allowed: u64,
    unknown: u64,
    not_sent: u64,
    /// The first line that is not known to be posted.
    first_unknown: Option<u64>,
}

/// A message that was posted.
pub(super) struct Posted {
    pub(super) ack: Ack,
    pub(super) text: String,
}

struct Unanswered {
    line: u64,
    text: String,
    answer: AckFuture,
}

/// What can happen next.
enum Next {
    Line(Option<Line>),
    Answer(Result<Ack, NoAck>),
}

impl<'a> Sending<'a> {
    pub(super) fn new(client: &'a Client, to: Destination, unit: Unit) -> Self {
        let unanswered = VecDeque::new();
        Self { client, to, patience: None, unit, unanswered, tally: Tally::default() }
    }

    /// Sends every line, and returns when each has its answer. `posted` gets the messages in order.
    /// While lines are still to come, an answer may take as long as `meanwhile` says; behind the
    /// last one, as long as `at_end` says.
    pub(super) async fn run(
        &mut self,
        lines: &mut Lines,
        meanwhile: Option<Duration>,
        at_end: Option<Duration>,
        mut posted: impl AsyncFnMut(Posted) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        self.patience = meanwhile;
        let mut is_open = true;
        let mut progress = Instant::now();
        while is_open || !self.unanswered.is_empty() {
            match self.next(lines, is_open, progress).await? {
                Next::Line(Some(line)) => {
                    if self.unanswered.is_empty() {
                        progress = Instant::now();
                    }
                    self.line(line).await?;
                }
                Next::Line(None) => {
                    (is_open, self.patience, progress) = (false, at_end, Instant::now());
                }
                Next::Answer(answer) => {
                    progress = Instant::now();
                    if let Some(message) = self.answered(answer) {
                        posted(message).await?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits for a line or for the oldest answer. Cancel-safe.
    async fn next(
        &mut self,
        lines: &mut Lines,
        is_open: bool,
        progress: Instant,
    ) -> Result<Next, Failure> {
        let takes_lines = is_open && self.unanswered.len() < UNANSWERED_MAX;
        let deadline = match (self.unanswered.is_empty(), self.patience) {
            (false, Some(patience)) => progress.checked_add(patience),
            (true, _) | (_, None) => None,
        };
        let oldest = self.unanswered.front_mut().map(|oldest| &mut oldest.answer);
        let next = async {
            tokio::select! {
                line = lines.next(), if takes_lines => Next::Line(line),
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

    async fn line(&mut self, line: Line) -> Result<(), Failure> {
        let number = line.number;
        let text = match line.text {
            Ok(text) => text,
            Err(reason) => {
                self.complain(number, &reason);
                self.tally.refused += 1;
                return Ok(());
            }
        };
        match self.client.send(self.to.clone(), text.clone()).await {
            Ok(sent) => {
                self.unanswered.push_back(Unanswered { line: number, text, answer: sent.answer });
                Ok(())
            }
            Err(SendError::Refused(refusal)) => {
                self.refused(number, &refusal);
                Ok(())
            }
            Err(error @ (SendError::Outbox(_) | SendError::Ended)) => Err(Failure::internal(error)),
        }
    }

    fn answered(&mut self, answer: Result<Ack, NoAck>) -> Option<Posted> {
        let Unanswered { line, text, .. } = self.unanswered.pop_front()?;
        match answer {
            Ok(ack) => {
                self.tally.acked += 1;
                return Some(Posted { ack, text });
            }
            Err(NoAck::Refused(refusal)) => self.refused(line, &refusal),
            Err(NoAck::OutcomeUnknown) => self.tally.is_unknown(line),
            Err(NoAck::NotSent) => self.tally.is_not_sent(line),
        }
        None
    }

    fn refused(&mut self, line: u64, refusal: &Refusal) {
        self.complain(line, &refusal.reason);
        match Failure::from(refusal.clone()).exit == Exit::NotAllowed {
            true => self.tally.not_allowed += 1,
            false => self.tally.refused += 1,
        }
    }

    fn complain(&self, line: u64, reason: &str) {
        let told = self.tally.refused + self.tally.not_allowed;
        match self.unit {
            Unit::Message => tell(reason),
            Unit::Line if told < COMPLAINTS_MAX => tell(&format!("line {line}: {reason}")),
            Unit::Line => {}
        }
    }

    /// The worst that happened to what was sent, if something did. `hint` says how to go on when an
    /// outcome is unknown.
    pub(super) fn failure(&self, hint: &str) -> Option<Failure> {
        let Tally { unknown, not_sent, not_allowed, refused, .. } = self.tally;
        if unknown > 0 {
            let what = self.no_answer(unknown + not_sent);
            let sentence = format!("{what}; it is not known whether it is posted. {hint}");
            Some(Failure::new(Exit::OutcomeUnknown, sentence.trim_end()))
        } else if not_sent > 0 {
            Some(Failure::cannot_connect(format!("{}: it was not sent", self.no_answer(not_sent))))
        } else if not_allowed > 0 {
            Some(Failure::new(Exit::NotAllowed, self.refused_sentence()))
        } else if refused > 0 {
            Some(Failure::new(Exit::Refused, self.refused_sentence()))
        } else {
            None
        }
    }

    fn no_answer(&self, count: u64) -> String {
        let first = self.tally.first_unknown.unwrap_or_default();
        match self.unit {
            Unit::Message => "no answer came to the message".to_owned(),
            Unit::Line if count == 1 => format!("no answer came to line {first}"),
            Unit::Line => format!("no answer came to {count} lines, from line {first} on"),
        }
    }

    /// Of a message by itself, the reason is all that there is to say.
    fn refused_sentence(&self) -> String {
        let Tally { acked, refused, not_allowed, .. } = self.tally;
        match self.unit {
            Unit::Message => String::new(),
            Unit::Line => format!("{} refused, {acked} posted", refused + not_allowed),
        }
    }

    /// Counts what has no answer, when no more will be waited for.
    pub(super) fn give_up(&mut self) {
        for Unanswered { line, answer, .. } in self.unanswered.drain(..) {
            match answer.has_left() {
                true => self.tally.is_unknown(line),
                false => self.tally.is_not_sent(line),
            }
        }
    }
}

impl Tally {
    fn is_unknown(&mut self, line: u64) {
        self.unknown += 1;
        self.first_unknown = self.first_unknown.or(Some(line));
    }

    fn is_not_sent(&mut self, line: u64) {
        self.not_sent += 1;
        self.first_unknown = self.first_unknown.or(Some(line));
    }
}

async fn answer_of(oldest: Option<&mut AckFuture>) -> Result<Ack, NoAck> {
    match oldest {
        Some(answer) => answer.await,
        None => std::future::pending().await,
    }
}
