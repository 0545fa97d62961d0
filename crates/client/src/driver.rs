//! The one task that owns a client: the connection, the requests, the cursors and the outbox.
//!
//! Owns what happens when. Everything that can be decided without waiting is decided by the parts
//! that it drives; here are the waits, each with its deadline, and the order in which the parts get
//! their turn.

mod frames;
mod opening;
mod silence;

use std::sync::Arc;
use std::time::Duration;

use chat_proto::{Accounts, Limits, List, Nickname, Ping};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::backoff;
use crate::calls::{Call, SendCall};
use crate::config::Config;
use crate::connection::{ConnectError, Dial, Established, establish};
use crate::event::{Connected, Event, Refusal};
use crate::event_queue::EventQueue;
use crate::following::Following;
use crate::identity::{Identity, random_bytes};
use crate::known_servers::{Contact, KnownServers};
use crate::link::{Link, Up};
use crate::online::Online;
use crate::outbox::Destination;
use crate::request::{ReplyTo, answer};
use crate::requests::PendingRequests;
use crate::sending::Sending;
use crate::start::StartError;
use crate::target::Fingerprint;

/// The daemon is asked for a sign of life so often; the answer is also the latency.
const PING_EVERY: Duration = Duration::from_secs(20);

/// A daemon that says nothing for so long is gone, whatever the socket says.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// A user who does not keep up holds up reading for so long; then the cursors are closed.
const STALL_MAX: Duration = Duration::from_secs(1);

/// A connection that lasted so long was a good one: the next pause is short again.
const STABLE_AFTER: Duration = Duration::from_secs(1);

/// Messages that are written down together.
const BATCH_MAX: usize = 64;

/// Commands that the outbox leaves room for, of those that may be in flight.
const COMMANDS_SPARE: usize = 16;

pub(crate) struct Driver {
    dial: Dial,
    connect_timeout: Duration,
    calls: mpsc::Receiver<Call>,
    sends: mpsc::Receiver<SendCall>,
    online: Arc<Online>,
    /// Somebody wants an attempt to connect now.
    retry: Arc<Notify>,
    silence: silence::Silence,
    link: Link,
    requests: PendingRequests,
    following: Following,
    sending: Sending,
    events: EventQueue,
    limits: Limits,
    /// Failures in a row.
    failures: u32,
    /// When the connection was signed in.
    up_since: Instant,
    heard_at: Instant,
    ping_at: Instant,
    /// Since when the user does not keep up.
    stalled_since: Option<Instant>,
    ended: Option<Refusal>,
}

impl Driver {
    pub(crate) fn new(
        config: Config,
        calls: mpsc::Receiver<Call>,
        sends: mpsc::Receiver<SendCall>,
        events: mpsc::Sender<Event>,
        online: Arc<Online>,
        retry: Arc<Notify>,
    ) -> Result<Self, StartError> {
        let name = Nickname::parse(&config.name.wished)
            .map_err(|cause| StartError::BadName { name: config.name.wished.clone(), cause })?;
        // One that is missing is made for its owner alone.
        if let Ok(Some(mode)) = chat_files::exposed_mode(&config.data_dir) {
            return Err(StartError::Exposed { dir: config.data_dir, mode });
        }
        let identity = match &config.identity {
            Some(chosen) => chosen.clone(),
            None => Identity::load_or_create(&config.data_dir, &name)?,
        };
        let known_servers = KnownServers::of(&config.data_dir);
        let sending = opening::open_outbox(&config, &identity)?;
        let now = Instant::now();
        Ok(Self {
            following: Following::new(config.after_reset, config.follow_memberships),
            dial: Dial {
                target: config.target,
                fingerprint: config.fingerprint,
                known_servers,
                identity,
                name: name.to_string(),
                name_is_firm: config.name.firm,
                link: config.link,
                invitation: config.invitation,
                agent: config.agent,
                tls: config.tls,
            },
            connect_timeout: config.connect_timeout,
            calls,
            sends,
            online,
            retry,
            silence: silence::Silence::default(),
            link: Link::Idle { until: now },
            requests: PendingRequests::default(),
            sending,
            events: EventQueue::new(events),
            limits: Limits {
                frame_bytes_max: 0,
                text_bytes_max: 0,
                commands_in_flight_max: 1,
                queries_in_flight_max: 1,
            },
            failures: 0,
            up_since: now,
            heard_at: now,
            ping_at: now,
            stalled_since: None,
            ended: None,
        })
    }

    pub(crate) fn fingerprint(&self) -> Fingerprint {
        self.dial.identity.fingerprint()
    }

    /// Drives the client until it is stopped, or nobody holds it any more.
    pub(crate) async fn run(mut self, stop: CancellationToken) {
        self.sending.tell_changes(&mut self.events);
        loop {
            self.take_turns();
            let read = self.may_read();
            let timer = self.next_timer();
            tokio::select! {
                // The end.
                () = stop.cancelled() => break,
                // The socket: frames, room for bytes, or the next attempt.
                event = self.link.next(read) => self.on_link(event),
                // Callers, as long as their requests have room.
                call = self.calls.recv(), if self.requests.has_room() => match call {
                    Some(call) => self.on_call(call),
                    None => break,
                },
                // Messages, as long as the outbox has room, and the screen keeps up.
                send = self.sends.recv(), if self.sending.has_room(&self.events) => {
                    match send {
                        Some(first) => self.on_sends(first),
                        None => break,
                    }
                }
                // Somebody does not want to wait for the next attempt.
                () = self.retry.notified() => self.retry_now(),
                // The user has read events.
                () = self.events.room(), if self.events.waits() => {}
                // The outbox files.
                done = self.sending.file_done() => {
                    self.sending.on_file_done(done, &mut self.events);
                }
                // What is due by the clock; the turns look at it.
                () = sleep_until(timer) => {}
            }
        }
        self.online.down();
        self.sending.close().await;
    }

    /// Moves everything that can move without waiting.
    fn take_turns(&mut self) {
        self.events.flush();
        self.keep_pace();
        self.requests.wake();
        self.sending.begin_file_work(&mut self.events);
        if self.link.is_up() {
            self.ask_for_life();
            self.ask_for_names();
            self.write_ahead();
            self.mind_silence();
        } else if self.ended.is_none() {
            self.check_attempt();
        }
    }

    /// Stops reading for a user who does not keep up; when it lasts, closes the cursors and reads
    /// on, so that acks and answers come all the same. What is passed over then comes again.
    fn keep_pace(&mut self) {
        if self.events.is_full() {
            let since = *self.stalled_since.get_or_insert_with(Instant::now);
            let too_long = since.elapsed() >= STALL_MAX;
            if too_long && !self.following.is_parked() {
                self.following.park(&mut self.requests);
            }
        } else if self.following.holds_too_many() && !self.following.is_parked() {
            self.following.park(&mut self.requests);
        } else if self.events.is_low() {
            self.stalled_since = None;
            if self.following.is_parked() && self.following.holds_few() {
                self.following.unpark(&mut self.requests);
            }
        }
    }

    fn may_read(&self) -> bool {
        !self.events.is_full() || self.following.is_parked()
    }

    fn ask_for_life(&mut self) {
        let now = Instant::now();
        if now >= self.heard_at + SILENCE_MAX && self.may_read() {
            self.lost("the server has not answered for a minute");
        } else if now >= self.ping_at {
            self.ping_at = now + PING_EVERY;
            self.requests.ask_first(&Ping { token: 0 }, ReplyTo::Alive);
        }
    }

    fn ask_for_names(&mut self) {
        if let Some(accounts) = self.following.names.next_question() {
            let ids = List::first_of(accounts);
            self.requests.ask(&Accounts { ids }, ReplyTo::Names);
        }
    }

    fn write_ahead(&mut self) {
        let Some(up) = self.link.up() else { return };
        let queries_max = self.limits.queries_in_flight_max as usize;
        while up.has_room() {
            let Some(mut pending) = self.requests.next(queries_max) else { break };
            let id = up.new_id();
            up.put_frame(pending.frame(id)).expect("its length was checked when it was made");
            self.requests.sent(id, pending);
        }
        let window = self.limits.commands_in_flight_max as usize;
        let window = window.saturating_sub(COMMANDS_SPARE).max(1);
        self.sending.put(up, window, &mut self.requests, &mut self.events);
    }

    /// When something is due by the clock.
    fn next_timer(&self) -> Option<Instant> {
        let stalls = self.events.is_full() && !self.following.is_parked();
        let stall = self.stalled_since.filter(|_| stalls).map(|since| since + STALL_MAX);
        let up = self.link.is_up();
        let silence = (up && self.may_read()).then(|| self.heard_at + SILENCE_MAX);
        let ping = up.then_some(self.ping_at);
        [stall, silence, self.silence.due(), ping, self.requests.due(), self.sending.due()]
            .into_iter()
            .flatten()
            .min()
    }

    fn on_call(&mut self, call: Call) {
        if let Some(refusal) = &self.ended {
            return call.refuse(refusal.clone());
        }
        match call {
            Call::Request(pending) => self.requests.push(pending),
            Call::Follow(wish, waiter) => {
                self.following.follow(&wish, Some(waiter), &mut self.requests);
            }
            Call::Unfollow(log, waiter) => {
                self.following.unfollow(log, &mut self.requests);
                answer(waiter, Ok(()));
            }
        }
    }

    fn on_sends(&mut self, first: SendCall) {
        let mut calls = vec![first];
        while calls.len() < BATCH_MAX
            && let Ok(call) = self.sends.try_recv()
        {
            calls.push(call);
        }
        for call in &mut calls {
            self.add_name(&mut call.to);
        }
        self.sending.take(calls, &mut self.events);
    }

    /// The name finds the room again when its id may be another room's.
    fn add_name(&self, to: &mut Destination) {
        if let (Some(room), None) = (to.room, &to.name)
            && self.following.names.knows_room(room)
        {
            to.name = chat_proto::RoomName::parse(&self.following.names.room(room)).ok();
        }
    }

    /// Begins an attempt when it is time.
    fn check_attempt(&mut self) {
        if let Link::Idle { until } = &self.link
            && *until <= Instant::now()
        {
            self.events.push(Event::Connecting {
                target: self.dial.target.to_string(),
                attempt: self.failures.saturating_add(1),
            });
            self.events.flush();
            self.link =
                Link::Connecting(Box::pin(attempt(self.dial.clone(), self.connect_timeout)));
        }
    }

    fn signed_in(&mut self, established: Established) {
        let Established { address, reader, writer, welcome, signed_in, contact, is_encrypted } =
            established;
        self.limits = welcome.limits;
        // The key is the account's from now on, and the code good for nothing.
        self.dial.link = None;
        self.link = Link::Up(Box::new(Up::new(reader, writer)));
        let now = Instant::now();
        (self.up_since, self.heard_at, self.ping_at) = (now, now, now);
        self.online.up(welcome.server_key);
        self.events.push(Event::Connected(Connected {
            account: signed_in.account,
            name: signed_in.name.clone(),
            server_key: welcome.server_key,
            epoch: signed_in.epoch,
            session: welcome.session,
            address: address.to_string(),
            encrypted: is_encrypted,
            first_contact: contact == Contact::First,
        }));
        let server = Fingerprint::of(&welcome.server_key).for_url();
        self.sending.connected(signed_in.epoch, server);
        self.following.connected(&signed_in, &mut self.requests);
    }

    /// A connection is gone, or could not be made.
    fn lost(&mut self, why: impl Into<String>) {
        self.lost_until(why.into(), Duration::ZERO);
    }

    /// The same, and the next attempt does not begin before `wait` has passed.
    fn lost_until(&mut self, why: String, wait: Duration) {
        debug_assert!(self.ended.is_none(), "behind the end there is no connection to be lost");
        if self.link.is_up() && self.up_since.elapsed() >= STABLE_AFTER {
            self.failures = 0;
        }
        self.drop_connection();
        self.failures = self.failures.saturating_add(1);
        let random = random_bytes().map_or(0, u64::from_le_bytes);
        let pause = backoff::pause(&self.dial.target, self.failures, random).max(wait);
        self.link = Link::Idle { until: Instant::now() + pause };
        self.events.push(Event::Disconnected { why, retry_in: Some(pause) });
    }

    /// No attempt can end better.
    fn end(&mut self, refusal: Refusal) {
        self.drop_connection();
        self.link = Link::Ended;
        self.requests.refuse_all(&refusal);
        self.following.refuse_all(&refusal);
        self.sending.end(&refusal);
        self.events.push(Event::Refused(refusal.clone()));
        self.events.push(Event::Disconnected { why: refusal.reason.clone(), retry_in: None });
        self.ended = Some(refusal);
    }

    fn drop_connection(&mut self) {
        self.online.down();
        self.silence = silence::Silence::default();
        self.requests.disconnected();
        self.following.disconnected();
        self.sending.disconnected();
    }
}

async fn attempt(dial: Dial, within: Duration) -> Result<Established, ConnectError> {
    let address = dial.target.clone();
    match tokio::time::timeout(within, establish(dial)).await {
        Ok(result) => result,
        Err(_elapsed) => Err(ConnectError::TimedOut { address, seconds: within.as_secs() }),
    }
}

async fn sleep_until(timer: Option<Instant>) {
    match timer {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
