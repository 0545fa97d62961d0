//! The handle that a program holds: requests with deadlines, and sends.
//!
//! Owns nothing but the queues to the driver; everything that happens comes back as an
//! [`Event`] or as the answer of the one who asked.

use std::sync::Arc;
use std::time::Duration;

use chat_proto::{
    AccountId, ErrorCode, FindRoom, FrameError, History, Join, Leave, LogId, Member, Members, Ping,
    Position, PublicKey, Rename, Request, RoomId, RoomInfo, RoomName, Rooms, Seq, Subscribe,
};
use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::answers::{HistoryPage, REQUEST_TIMEOUT, RequestError, SendError, Sent};
use crate::calls::{Call, SendCall};
use crate::config::Config;
use crate::driver::Driver;
use crate::event::{Event, Refusal};
use crate::listed::Listed;
use crate::online::Online;
use crate::outbox::Destination;
use crate::request::{PendingRequest, ReplyTo, Timed, Waiter};
use crate::start::StartError;
use crate::target::Fingerprint;

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
    let online = Arc::new(Online::default());
    let retry = Arc::new(Notify::new());
    let (is_online, retries) = (Arc::clone(&online), Arc::clone(&retry));
    let driver = Driver::new(config, calls_in, sends_in, events, is_online, retries)?;
    let fingerprint = driver.fingerprint();
    let task = runtime.spawn(driver.run(stop.clone()));
    let shared = Shared {
        calls,
        sends,
        online,
        retry,
        fingerprint,
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
    online: Arc<Online>,
    retry: Arc<Notify>,
    fingerprint: Fingerprint,
    task: Mutex<Option<JoinHandle<()>>>,
    stop: DropGuard,
}

/// What happens, in order. Whoever is slow here slows down reading from the daemon, nothing else.
#[derive(Debug)]
pub struct Events {
    events: mpsc::Receiver<Event>,
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

/// Rooms of a server, or members of a room.
const LISTED_MAX: usize = 250_000;

impl Client {
    /// Becomes a member of a room, which is made when nobody has been there, and follows it (from
    /// what is new on, unless it is followed already). A program whose token is not for reading follows
    /// nothing, and can send all the same.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn join(&self, room: &RoomName) -> Result<RoomInfo, RequestError> {
        let info = self.ask(Join { name: room.to_string() }).await?;
        match self.follow(info.room.into(), None).await {
            Err(RequestError::Refused(why)) if why.code == Some(ErrorCode::NotReadable) => Ok(info),
            followed => followed.map(|()| info),
        }
    }

    /// Looks a room up.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn find_room(&self, room: &RoomName) -> Result<RoomInfo, RequestError> {
        self.ask(FindRoom { name: room.to_string() }).await
    }

    /// Ends a membership, and follows the room no more.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn leave(&self, room: RoomId) -> Result<(), RequestError> {
        self.ask(Leave { room }).await?;
        self.unfollow(room.into()).await
    }

    /// Changes the nickname.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn rename(&self, name: &str) -> Result<(), RequestError> {
        self.ask(Rename { name: name.to_owned() }).await.map(drop)
    }

    /// All rooms that one knows of, in order of their ids.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn rooms(&self) -> Result<Vec<RoomInfo>, RequestError> {
        let (mut rooms, mut after) = (Listed::at_most(LISTED_MAX), RoomId(0));
        loop {
            let page = self.ask(Rooms { after }).await?;
            match rooms.take(page.rooms.into_vec(), page.more)? {
                Some(RoomInfo { room, .. }) => after = *room,
                None => return Ok(rooms.into_entries()),
            }
        }
    }

    /// All members of a room, in order of their ids.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn members(&self, room: RoomId) -> Result<Vec<Member>, RequestError> {
        let (mut members, mut after) = (Listed::at_most(LISTED_MAX), AccountId(0));
        loop {
            let page = self.ask(Members { room, after }).await?;
            match members.take(page.members.into_vec(), page.more)? {
                Some(Member { account, .. }) => after = *account,
                None => return Ok(members.into_entries()),
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
        let asked = History { room, before, limit };
        self.call(|waiter| {
            let reply_to = ReplyTo::History(asked.clone(), waiter);
            Ok(Call::Request(PendingRequest::new(&asked, reply_to)?))
        })
        .await
    }

    /// How long the daemon takes to answer, behind everything asked before.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn ping(&self) -> Result<Duration, RequestError> {
        Ok(self.ask_timed(Ping { token: 0 }).await?.took)
    }

    /// Follows a log from behind a position (`None`: from what is new on). With `None`, a log that
    /// is followed already just goes on. Resolves when the daemon has answered; after an error
    /// other than a refusal the log is followed all the same, as soon as there is a connection.
    ///
    /// # Errors
    /// [`RequestError`].
    pub async fn follow(&self, log: LogId, after: Option<Position>) -> Result<(), RequestError> {
        self.call(|waiter| Ok(Call::Follow(Subscribe { log, after }, waiter))).await
    }

    /// Follows a log no more.
    ///
    /// # Errors
    /// [`RequestError::Ended`].
    pub async fn unfollow(&self, log: LogId) -> Result<(), RequestError> {
        self.call(|waiter| Ok(Call::Unfollow(log, waiter))).await
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
        self.shared.online.is_up()
    }

    /// The identity of the server; `None` before the first connection.
    pub(crate) fn server_key(&self) -> Option<PublicKey> {
        self.shared.online.server_key()
    }

    /// Of the key that is this client's identity.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        self.shared.fingerprint
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

    /// Asks anything that the protocol has and that is not for the outbox or the cursors.
    pub(crate) async fn ask<R: Request>(&self, request: R) -> Result<R::Reply, RequestError> {
        Ok(self.ask_timed(request).await?.reply)
    }

    async fn ask_timed<R: Request>(&self, request: R) -> Result<Timed<R::Reply>, RequestError> {
        self.call(|waiter| Ok(Call::Request(PendingRequest::of_caller(request, waiter)?))).await
    }

    async fn call<T>(
        &self,
        make: impl FnOnce(Waiter<T>) -> Result<Call, FrameError>,
    ) -> Result<T, RequestError> {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        let (waiter, answer) = oneshot::channel();
        // Only a name that no daemon would take is too long for a frame.
        let call = make(waiter).map_err(|error| Refusal::local(error.to_string()))?;
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
    chat_proto::check_text(text)
        .map_err(|error| Refusal { code: Some(error.code()), reason: error.to_string() })
}
