//! Questions that wait, and questions that are out.
//!
//! Owns the order in which they go out and who gets the answer. It must not know what the answers
//! mean.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use chat_proto::{LogId, RequestId, RoomName};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::client::Reply;
use crate::event::Refusal;
use crate::question::{Answer, Question};

/// Callers' questions that wait; past it no more are taken from the client's queue.
const CALLERS_MAX: usize = 128;

pub(crate) type Caller = oneshot::Sender<Result<Reply, Refusal>>;

/// Who wants to know.
#[derive(Debug)]
pub(crate) enum Purpose {
    /// A caller of the client.
    Caller(Caller),
    /// A cursor.
    Subscribe(LogId),
    /// A cursor that is to be closed.
    Unsubscribe,
    /// The names of accounts.
    Names,
    /// The id of a room that a message is for.
    Destination(RoomName),
    /// A sign of life.
    Alive,
}

/// A question with the one who asked it.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) question: Question,
    pub(crate) purpose: Purpose,
    pub(crate) asked_at: Instant,
}

/// All questions of a client.
#[derive(Debug, Default)]
pub(crate) struct Asking {
    waiting: VecDeque<Asked>,
    /// To be asked again, not before a moment.
    later: Vec<(Instant, Asked)>,
    in_flight: HashMap<RequestId, Asked>,
    queries_in_flight: usize,
}

impl Asked {
    pub(crate) fn age(&self) -> Duration {
        self.asked_at.elapsed()
    }

    fn is_given_up(&self) -> bool {
        matches!(&self.purpose, Purpose::Caller(caller) if caller.is_closed())
    }
}

impl Asking {
    pub(crate) fn ask(&mut self, question: Question, purpose: Purpose) {
        self.waiting.push_back(asked(question, purpose));
    }

    /// Asks in front of everything that waits.
    pub(crate) fn ask_first(&mut self, question: Question, purpose: Purpose) {
        self.waiting.push_front(asked(question, purpose));
    }

    /// Whether callers may ask more.
    pub(crate) fn has_room(&mut self) -> bool {
        if self.waiting.len() >= CALLERS_MAX {
            self.waiting.retain(|asked| !asked.is_given_up());
        }
        self.waiting.len() < CALLERS_MAX
    }

    /// The next question that may go out: of queries, few may be out at a time, and they do not
    /// hold up the others.
    pub(crate) fn next(&mut self, queries_max: usize) -> Option<Asked> {
        let full = self.queries_in_flight >= queries_max.max(1);
        loop {
            let may_go = |asked: &Asked| !full || !asked.question.is_query();
            let index = self.waiting.iter().position(may_go)?;
            let next = self.waiting.remove(index)?;
            if !next.is_given_up() {
                return Some(next);
            }
        }
    }

    /// The question is out.
    pub(crate) fn sent(&mut self, id: RequestId, mut asked: Asked) {
        asked.asked_at = Instant::now();
        self.queries_in_flight += usize::from(asked.question.is_query());
        self.in_flight.insert(id, asked);
    }

    /// Whether an answer is awaited.
    pub(crate) fn awaits(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Whose answer this is.
    pub(crate) fn answered(&mut self, id: RequestId) -> Option<Asked> {
        let asked = self.in_flight.remove(&id)?;
        self.queries_in_flight -= usize::from(asked.question.is_query());
        Some(asked)
    }

    /// Asks again after a pause: the daemon had no time.
    pub(crate) fn ask_later(&mut self, asked: Asked, pause: Duration) {
        self.later.push((Instant::now() + pause, asked));
    }

    /// Asks for the first time after a pause: what was answered before has led nowhere.
    pub(crate) fn ask_after(&mut self, question: Question, purpose: Purpose, pause: Duration) {
        if pause.is_zero() {
            self.ask(question, purpose);
        } else {
            self.ask_later(asked(question, purpose), pause);
        }
    }

    /// Forgets the subscriptions of a log that wait for their moment; says how many.
    pub(crate) fn forget_later(&mut self, log: LogId) -> u32 {
        let is_of = |asked: &Asked| matches!(asked.purpose, Purpose::Subscribe(of) if of == log);
        let forgotten = self.later.extract_if(.., |(_due, asked)| is_of(asked)).count();
        u32::try_from(forgotten).unwrap_or(u32::MAX)
    }

    /// When the next of those is due.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.later.iter().map(|(due, _)| *due).min()
    }

    /// Queues those that are due.
    pub(crate) fn wake(&mut self) {
        let now = Instant::now();
        for (_due, asked) in self.later.extract_if(.., |(due, _)| *due <= now) {
            self.waiting.push_back(asked);
        }
    }

    /// The connection is gone. What callers asked is asked again on the next one: every question
    /// may be asked twice. The rest depends on the connection, and is asked anew.
    pub(crate) fn disconnected(&mut self) {
        let mut out: Vec<_> = self.in_flight.drain().collect();
        out.sort_by_key(|(id, _)| *id);
        for (_, asked) in out.into_iter().rev() {
            self.waiting.push_front(asked);
        }
        self.queries_in_flight = 0;
        self.waiting.extend(self.later.drain(..).map(|(_due, asked)| asked));
        self.waiting
            .retain(|asked| matches!(asked.purpose, Purpose::Caller(_)) && !asked.is_given_up());
    }

    /// There will be no connection any more.
    pub(crate) fn refuse_all(&mut self, refusal: &Refusal) {
        for asked in self.waiting.drain(..) {
            if let Purpose::Caller(caller) = asked.purpose {
                drop(caller.send(Err(refusal.clone())));
            }
        }
    }
}

fn asked(question: Question, purpose: Purpose) -> Asked {
    Asked { question, purpose, asked_at: Instant::now() }
}

/// Whether an answer is of the kind that the question gets.
pub(crate) fn fits(question: &Question, answer: &Answer) -> bool {
    let fits = match question {
        Question::Join(_) | Question::FindRoom(_) => matches!(answer, Answer::Room(_)),
        Question::Leave(_) | Question::Rename(_) | Question::Unsubscribe(_) => {
            matches!(answer, Answer::Done)
        }
        Question::Rooms { .. } => matches!(answer, Answer::Rooms(_)),
        Question::Members { .. } => matches!(answer, Answer::Members(_)),
        Question::Accounts(_) => matches!(answer, Answer::Accounts(_)),
        Question::History { room, before, .. } => {
            matches!(answer, Answer::History(page)
                if page.room == *room && leads_on(page, *before))
        }
        Question::Ping(_) => matches!(answer, Answer::Pong(_)),
        Question::Subscribe(asked) => {
            matches!(answer, Answer::Subscribed(subscribed) if subscribed.log == asked.log)
                || matches!(answer, Answer::Reset(reset) if reset.log == asked.log)
        }
    };
    fits || matches!(answer, Answer::Refused(_))
}

/// Whether a page is older than what was asked before, so that whoever goes on from it comes to an
/// end. One that says `more` and brings nothing leads nowhere.
fn leads_on(page: &chat_proto::HistoryPage, before: chat_proto::Seq) -> bool {
    let rises = page.messages.is_sorted_by(|one, next| one.seq < next.seq);
    let is_older = page.messages.last().is_none_or(|newest| newest.seq < before);
    rises && is_older && page.gaps.iter().all(|gap| gap.from < before)
}

#[cfg(test)]
mod tests {
    use chat_proto::RoomId;

    use super::*;

    fn ids(asking: &mut Asking, queries_max: usize) -> Vec<Question> {
        let mut out = Vec::new();
        while let Some(asked) = asking.next(queries_max) {
            out.push(asked.question.clone());
            asking.sent(RequestId(out.len() as u32), asked);
        }
        out
    }

    #[test]
    fn queries_wait_for_each_other_and_hold_up_no_command() {
        let mut asking = Asking::default();
        for token in 0..3 {
            asking.ask(Question::Ping(token), Purpose::Alive);
        }
        asking.ask(Question::Leave(RoomId(1)), Purpose::Unsubscribe);
        let (one, two) = (Question::Ping(0), Question::Ping(1));
        assert_eq!(ids(&mut asking, 2), [one, two, Question::Leave(RoomId(1))]);
        asking.answered(RequestId(1)).unwrap();
        assert_eq!(ids(&mut asking, 2), [Question::Ping(2)]);
    }

    #[test]
    fn what_callers_asked_is_asked_again_in_order_after_a_reconnect() {
        let mut asking = Asking::default();
        let (first, _first) = oneshot::channel();
        let (second, second_gone) = oneshot::channel();
        let (third, _third) = oneshot::channel();
        asking.ask(Question::Ping(1), Purpose::Caller(first));
        asking.ask(Question::Ping(2), Purpose::Caller(second));
        asking.ask(Question::Ping(9), Purpose::Alive);
        assert_eq!(ids(&mut asking, 9).len(), 3);
        asking.ask(Question::Ping(3), Purpose::Caller(third));
        drop(second_gone);
        asking.disconnected();
        assert_eq!(ids(&mut asking, 9), [Question::Ping(1), Question::Ping(3)]);
    }
}
