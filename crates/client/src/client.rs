//! The handle that a program holds: requests with deadlines, and sends.
//!
//! Owns nothing but the queues to the driver; everything that happens comes back as an
//! [`Event`] or as the answer of the one who asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chat_proto::limits::TEXT_BYTES_MAX;
use chat_proto::{
    AccountId, ErrorCode, LogId, Member, Position, PublicKey, RoomId, RoomInfo, RoomName, Seq,
    Subscribe,
};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::answers::{HistoryPage, RequestError, SendError, Sent};
use crate::config::Config;
use crate::driver::Driver;
use crate::event::{Event, Refusal};
use crate::outbox::Destination;
use crate::question::{Answer, Question};
use crate::start::StartError;

/// How long a request waits for its answer, connecting included.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Requests on their way to the driver; more callers wait.
const CALLS_MAX: usize = 64;

/// Sends on their way to the driver; more callers wait.
const SENDS_MAX: usize = 64;

/// Events on their way to the user; past it the driver stops reading from the socket, and a
/// while later stops following, to go on where it was (see `flow`).
const EVENTS_MAX: usize = 1024;

/// Starts a client: reads what is on disk, and leaves the rest to one task that tries to connect
/// until [`Client::shutdown`], or until the last clone of the client is dropped.
///
/// # Errors
/// [`StartError`] when the identity or the outbox cannot be read or made, the name is no nickname,
/// or there is no tokio runtime.
pub fn start(config: Config) -> Result<(Client, Events), StartError> {
    let runtime = tokio::runtime::Handle::try_current().map_err(|_none| StartError::NoRuntime)?;
    let (calls, calls_in) = mpsc::channel(CALLS_MAX);
    let (sends, sends_in) = mpsc::channel(SENDS_MAX);
    let (events, events_out) = mpsc::channel(EVENTS_MAX);
    let stop = CancellationToken::new();
    let online = Arc::new(AtomicBool::new(false));
    let retry = Arc::new(Notify::new());
    let (is_online, retries) = (Arc::clone(&online), Arc::clone(&retry));
    let driver = Driver::new(config, calls_in, sends_in, events, is_online, retries)?;
    let public_key = driver.public_key();
    let task = runtime.spawn(driver.run(stop.clone()));
    let shared = Shared {
        calls,
        sends,
        online,
        retry,
        public_key,
        task: Mutex::new(Some(task)),
        stop: stop.drop_guard(),
    };
    let client = Client { shared: Arc::new(shared) };
    Ok((client, Events { events: events_out }))
}

/// A client of one daemon. Clones are the same client.
#[derive(Clone, Debug)]
pub struct Client {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    calls: mpsc::Sender<Call>,
    sends: mpsc::Sender<SendCall>,
    online: Arc<AtomicBool>,
    retry: Arc<Notify>,
    public_key: PublicKey,
    task: Mutex<Option<JoinHandle<()>>>,
    stop: DropGuard,
}

/// What happens, in order. Whoever is slow here slows down reading from the daemon, nothing else.
#[derive(Debug)]
pub struct Events {
    events: mpsc::Receiver<Event>,
}

/// A request on its way to the driver.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) ask: Ask,
    pub(crate) reply: oneshot::Sender<Result<Reply, Refusal>>,
}

/// What a user can ask of the driver.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    Question(Question),
    /// Follow a log; answered when the daemon has answered.
    Follow(Subscribe),
    Unfollow(LogId),
}

/// What the driver answers.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Answer),
    History(HistoryPage),
    Latency(Duration),
    Done,
}

/// A message on its way to the driver.
#[derive(Debug)]
pub(crate) struct SendCall {
    pub(crate) to: Destination,
    pub(crate) text: String,
    pub(crate) reply: oneshot::Sender<Result<Sent, SendError>>,
}

impl Events {
    /// The next event; `None` when the client has ended. Cancel-safe.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// The next event, if one is there already.
    pub fn try_next(&mut self) -> Option<Event> {
        self.events.try_recv().ok()
    }
}

impl Client {
    /// Becomes a member of a room, which is made when nobody has been there, and follows it (from
    /// what is new on, unless it is followed already).
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn join(&self, room: &RoomName) -> Result<RoomInfo, RequestError> {
        let info = self.room_info(Question::Join(room.clone())).await?;
        self.follow(info.room.into(), None).await?;
        Ok(info)
    }

    /// Looks a room up.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn find_room(&self, room: &RoomName) -> Result<RoomInfo, RequestError> {
        self.room_info(Question::FindRoom(room.clone())).await
    }

    /// Ends a membership, and follows the room no more.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn leave(&self, room: RoomId) -> Result<(), RequestError> {
        self.ask(Question::Leave(room)).await?;
        self.unfollow(room.into()).await
    }

    /// Changes the nickname.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn rename(&self, name: &str) -> Result<(), RequestError> {
        self.ask(Question::Rename(name.to_owned())).await.map(drop)
    }

    /// All rooms, in order of their ids.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn rooms(&self) -> Result<Vec<RoomInfo>, RequestError> {
        let (mut rooms, mut after) = (Vec::<RoomInfo>::new(), RoomId(0));
        loop {
            let Reply::Answer(Answer::Rooms(page)) = self.ask(Question::Rooms { after }).await?
            else {
                return Err(unfit());
            };
            let more = page.more;
            rooms.extend(page.rooms.into_vec());
            match rooms.last() {
                Some(last) if more && last.room > after => after = last.room,
                // A page that brings nothing new would be asked for for ever.
                _ if more => return Err(unfit()),
                _ => return Ok(rooms),
            }
        }
    }

    /// All members of a room, in order of their ids.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn members(&self, room: RoomId) -> Result<Vec<Member>, RequestError> {
        let (mut members, mut after) = (Vec::<Member>::new(), AccountId(0));
        loop {
            let question = Question::Members { room, after };
            let Reply::Answer(Answer::Members(page)) = self.ask(question).await? else {
                return Err(unfit());
            };
            let more = page.more;
            members.extend(page.members.into_vec());
            match members.last() {
                Some(last) if more && last.account > after => after = last.account,
                _ if more => return Err(unfit()),
                _ => return Ok(members),
            }
        }
    }

    /// The newest messages of a room before a seq (`None`: the newest of all), at most `limit`;
    /// the daemon may give fewer.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn history(
        &self,
        room: RoomId,
        before: Option<Seq>,
        limit: u16,
    ) -> Result<HistoryPage, RequestError> {
        let before = before.unwrap_or(Seq(u64::MAX));
        let question = Question::History { room, before, limit };
        match self.ask(question).await? {
            Reply::History(page) => Ok(page),
            Reply::Answer(_) | Reply::Latency(_) | Reply::Done => Err(unfit()),
        }
    }

    /// How long the daemon takes to answer, behind everything asked before.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn ping(&self) -> Result<Duration, RequestError> {
        match self.ask(Question::Ping(0)).await? {
            Reply::Latency(latency) => Ok(latency),
            Reply::Answer(_) | Reply::History(_) | Reply::Done => Err(unfit()),
        }
    }

    /// Follows a log from behind a position (`None`: from what is new on). With `None`, a log that
    /// is followed already just goes on. Resolves when the daemon has answered; after an error
    /// other than a refusal the log is followed all the same, as soon as there is a connection.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn follow(&self, log: LogId, after: Option<Position>) -> Result<(), RequestError> {
        self.call(Ask::Follow(Subscribe { log, after })).await.map(drop)
    }

    /// Follows a log no more.
    ///
    /// # Errors
    /// [`RequestError::Ended`].
    pub async fn unfollow(&self, log: LogId) -> Result<(), RequestError> {
        self.call(Ask::Unfollow(log)).await.map(drop)
    }

    /// Sends a message to a room, by its id or its name. Resolves when the message is in the
    /// outbox, also without a connection; waits while the outbox is full. Whoever drops this before
    /// its end does not know whether the message was taken.
    ///
    /// # Errors
    /// [`SendError`]; the message will not be sent then.
    pub async fn send(
        &self,
        to: impl Into<Destination>,
        text: impl Into<String>,
    ) -> Result<Sent, SendError> {
        let text = text.into();
        check_text(&text)?;
        let (reply, taken) = oneshot::channel();
        let call = SendCall { to: to.into(), text, reply };
        let queued = self.shared.sends.send(call).await;
        queued.map_err(|_closed| SendError::Ended)?;
        taken.await.map_err(|_dropped| SendError::Ended)?
    }

    /// Whether there is a connection that is signed in.
    #[must_use]
    pub fn is_online(&self) -> bool {
        self.shared.online.load(Ordering::Relaxed)
    }

    /// The key that is this client's identity.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.shared.public_key
    }

    /// Ends the client and waits until its task is over. What has no answer stays in the outbox of
    /// a screen.
    pub async fn shutdown(self) {
        self.shared.stop.token().cancel();
        if let Some(task) = self.shared.task.lock().await.take()
            && let Err(failed) = task.await
        {
            tracing::error!(error = %failed, "the driver failed");
        }
    }

    /// Tries to connect now, not when the pause is over; a connection that does not answer is
    /// given up for it. Does nothing to one that does.
    pub fn retry(&self) {
        self.shared.retry.notify_one();
    }

    async fn room_info(&self, question: Question) -> Result<RoomInfo, RequestError> {
        match self.ask(question).await? {
            Reply::Answer(Answer::Room(info)) => Ok(info),
            Reply::Answer(_) | Reply::History(_) | Reply::Latency(_) | Reply::Done => Err(unfit()),
        }
    }

    async fn ask(&self, question: Question) -> Result<Reply, RequestError> {
        self.call(Ask::Question(question)).await
    }

    async fn call(&self, ask: Ask) -> Result<Reply, RequestError> {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        let (reply, answer) = oneshot::channel();
        let call = Call { ask, reply };
        let answered = async {
            let queued = self.shared.calls.send(call).await;
            queued.map_err(|_closed| RequestError::Ended)?;
            let answer = answer.await.map_err(|_dropped| RequestError::Ended)?;
            answer.map_err(RequestError::Refused)
        };
        match tokio::time::timeout_at(deadline, answered).await {
            Ok(answer) => answer,
            Err(_elapsed) if self.is_online() => Err(RequestError::TimedOut),
            Err(_elapsed) => Err(RequestError::NotConnected),
        }
    }
}

/// What every daemon refuses is refused before it is in the outbox.
fn check_text(text: &str) -> Result<(), Refusal> {
    let (code, reason) = if text.is_empty() {
        (ErrorCode::EmptyText, "the message is empty".to_owned())
    } else if text.len() > TEXT_BYTES_MAX {
        let reason =
            format!("the message has {} bytes; at most {TEXT_BYTES_MAX} are allowed", text.len());
        (ErrorCode::TextTooLong, reason)
    } else if text.contains('\0') {
        (ErrorCode::NulInText, "the message contains a NUL".to_owned())
    } else {
        return Ok(());
    };
    Err(Refusal { code: Some(code), reason })
}

/// The driver lets no reply through that does not fit its question.
fn unfit() -> RequestError {
    RequestError::Refused(Refusal::local("the server's answer does not fit the question"))
}
