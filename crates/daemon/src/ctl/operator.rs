//! Asks the committing thread for the operator, as a connection asks for its account, and waits for the
//! answers.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chat_core::{
    Action, Conn, OPERATOR, OperatorAnswer, OperatorQuery, Origin, Refusal, Reply, Request,
    Unsequenced,
};
use chat_proto::{QueryRequest, RequestId, Window};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::answer::{Answer, ErrorKind};
use crate::fair_queue::Party;
use crate::live::Live;
use crate::sequencer::{Sequencer, cost_of};
use crate::store::audit::AuditLog;

/// How long a commit may take before the operator is told that its outcome is unknown.
const ANSWER_MAX: Duration = Duration::from_secs(5);

/// What a request of the operator's may have in bytes: its account names and reasons.
const REQUEST_BYTES: usize = 4 * 1024;

/// The daemon, for the operator.
#[derive(Clone, Debug)]
pub(crate) struct Operator {
    pub(crate) sequencer: Sequencer,
    pub(crate) replies: Arc<OperatorReplies>,
    pub(crate) live: Arc<Live>,
    pub(crate) started: Instant,
    pub(crate) data_dir: PathBuf,
    pub(crate) fingerprint: String,
    pub(crate) addresses: Vec<SocketAddr>,
    pub(crate) audit: AuditLog,
}

/// Who waits for an answer: as many as there are conversations at the most.
#[derive(Debug, Default)]
pub(crate) struct OperatorReplies {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    last: RequestId,
    asked: HashMap<RequestId, oneshot::Sender<Told>>,
}

/// What comes back from the committing thread, or from a reader.
#[derive(Debug)]
enum Told {
    /// To a command, or to a question that accounts may ask, too.
    Reply(Reply),
    /// To a question of the operator's.
    Answer(Result<OperatorAnswer, Refusal>),
}

/// A request that is not answered. Whoever stops waiting is forgotten.
struct Asked<'a> {
    replies: &'a OperatorReplies,
    request: RequestId,
    told: oneshot::Receiver<Told>,
}

/// Why the operator is not told what was asked for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// The rules forbid it, or the store cannot write.
    #[error("{0}")]
    Refused(#[from] Refusal),
    /// It takes too long.
    #[error(
        "the daemon has not answered within {} s: whether it is done is not known",
        ANSWER_MAX.as_secs()
    )]
    Late,
    /// What came back is no answer to it.
    #[error("the daemon has answered something else; that is a fault in it")]
    Astray,
}

impl OperatorReplies {
    fn ask(&self) -> Asked<'_> {
        let (tell, told) = oneshot::channel();
        let mut waiting = self.lock();
        // 0 is that of events; that so many are asked at once cannot be.
        let next = waiting.last.0.checked_add(1).unwrap_or(1);
        waiting.last = RequestId(next);
        waiting.asked.insert(RequestId(next), tell);
        Asked { replies: self, request: RequestId(next), told }
    }

    /// A reply has come.
    pub(crate) fn reply(&self, request: RequestId, reply: Reply) {
        self.tell(request, Told::Reply(reply));
    }

    /// The operator is told what it asked.
    pub(crate) fn answer(&self, request: RequestId, answer: Result<OperatorAnswer, Refusal>) {
        self.tell(request, Told::Answer(answer));
    }

    fn tell(&self, request: RequestId, told: Told) {
        let asked = self.lock().asked.remove(&request);
        if asked.is_none_or(|asked| asked.send(told).is_err()) {
            tracing::debug!("an answer to the operator came when nobody waited for it any more");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.replies.lock().asked.remove(&self.request);
    }
}

impl Operator {
    /// Has a command carried out; waits until it is durable.
    pub(crate) async fn order(&self, action: Action) -> Result<Reply, AskError> {
        let asked = self.replies.ask();
        let (request, window) = (asked.request, Window::Commands);
        let origin = Origin { conn: Conn::OPERATOR, request, window };
        let request = Request::Command(action);
        self.hear(asked, Unsequenced::Request { origin, request }).await.and_then(reply)
    }

    /// Asks what accounts may ask, too.
    pub(crate) async fn query(&self, query: QueryRequest) -> Result<Reply, AskError> {
        debug_assert!(
            !matches!(query, QueryRequest::Subscribe(_)),
            "a cursor needs a connection, and the operator has none"
        );
        let asked = self.replies.ask();
        let (request, window) = (asked.request, Window::Queries);
        let origin = Origin { conn: Conn::OPERATOR, request, window };
        let request = Request::Query(OPERATOR, query);
        self.hear(asked, Unsequenced::Request { origin, request }).await.and_then(reply)
    }

    /// Asks what is for the operator alone.
    pub(crate) async fn ask(&self, query: OperatorQuery) -> Result<OperatorAnswer, AskError> {
        let asked = self.replies.ask();
        let request = asked.request;
        match self.hear(asked, Unsequenced::Operator { request, query }).await? {
            Told::Answer(answer) => Ok(answer?),
            Told::Reply(Reply::Refused(why)) => Err(why.into()),
            Told::Reply(_) => Err(AskError::Astray),
        }
    }

    /// Hands an input in behind those of the operator that wait already, and waits for what it comes to.
    async fn hear(&self, mut asked: Asked<'_>, input: Unsequenced) -> Result<Told, AskError> {
        self.sequencer.push(Party::Operator, [(input, cost_of(REQUEST_BYTES))]);
        if self.sequencer.wake().is_err() {
            return Err(Refusal::Unavailable.into());
        }
        match timeout(ANSWER_MAX, &mut asked.told).await {
            Ok(Ok(told)) => Ok(told),
            // The committing thread has ended with it.
            Ok(Err(_gone)) => Err(Refusal::Unavailable.into()),
            Err(_elapsed) => Err(AskError::Late),
        }
    }
}

fn reply(told: Told) -> Result<Reply, AskError> {
    match told {
        Told::Reply(Reply::Refused(why)) => Err(why.into()),
        Told::Reply(reply) => Ok(reply),
        Told::Answer(_) => Err(AskError::Astray),
    }
}

impl From<AskError> for Answer {
    fn from(error: AskError) -> Self {
        let kind = match &error {
            AskError::Refused(why) if !why.code().may_be_retried() => ErrorKind::Refused,
            AskError::Refused(_) | AskError::Late => ErrorKind::Retry,
            AskError::Astray => ErrorKind::Refused,
        };
        Self::error(kind, error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn each_hears_its_own_answer_and_who_stops_waiting_is_forgotten() {
        let replies = OperatorReplies::default();
        let (mut first, mut second) = (replies.ask(), replies.ask());
        assert_ne!(first.request, second.request);
        replies.reply(second.request, Reply::Done);
        replies.answer(first.request, Err(Refusal::Busy));
        assert!(matches!((&mut second.told).await, Ok(Told::Reply(Reply::Done))));
        assert!(matches!((&mut first.told).await, Ok(Told::Answer(Err(Refusal::Busy)))));
        let third = replies.ask();
        let request = third.request;
        drop(third);
        assert!(replies.lock().asked.is_empty());
        replies.reply(request, Reply::Done);
    }
}
