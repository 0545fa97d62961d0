//! Clients that send, read, and write down what they see.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use chat_client::{AckFuture, Client, Config, Event, Events, Name, OutboxKind, RoomChange};
use chat_proto::{Epoch, Nonce, Position, RoomId, RoomName, Seq, StreamId};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::history::{History, Reader, Seen, Sender, What};
use crate::process::Daemon;
use crate::truth::notice;

/// How long the crowd may take for anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// How much a crowd says.
#[derive(Clone, Copy, Debug)]
pub struct Talk {
    /// Clients that send as fast as they can, and read.
    pub clients: u32,
    /// Sends of one client that wait for their acks.
    pub in_flight: usize,
    /// The least that a message has, in bytes.
    pub text_bytes: usize,
}

impl Talk {
    /// The text of the `n`th message of a client, unlike every other one.
    fn text(&self, number: u32, n: u64) -> String {
        format!("{:x<1$}", format!("{number}:{n}:"), self.text_bytes)
    }
}

/// What all clients write into.
#[derive(Clone, Debug)]
struct Notes {
    history: Arc<Mutex<History>>,
    epoch: watch::Sender<Option<Epoch>>,
    acks: watch::Sender<u64>,
}

impl Notes {
    fn note<R>(&self, note: impl FnOnce(&mut History) -> R) -> R {
        note(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn epoch(&self) -> Epoch {
        self.epoch.borrow().unwrap_or_default()
    }
}

/// Everybody.
#[derive(Debug)]
pub struct Crowd {
    talk: Talk,
    notes: Notes,
    stop: watch::Sender<bool>,
    senders: JoinSet<Result<Client>>,
    readers: JoinSet<Result<()>>,
    head: watch::Sender<Option<Seq>>,
    room: RoomId,
}

impl Crowd {
    /// Starts the clients, each in the lobby, sending at once and reading from the first event on;
    /// what they keep on disk is under `dir`.
    ///
    /// # Errors
    /// When one cannot start, or cannot join.
    pub async fn gather(talk: Talk, daemon: &Daemon, dir: &Path) -> Result<Self> {
        let notes = Notes {
            history: Arc::default(),
            epoch: watch::Sender::new(None),
            acks: watch::Sender::new(0),
        };
        let mut crowd = Self {
            talk,
            notes,
            stop: watch::Sender::new(false),
            senders: JoinSet::new(),
            readers: JoinSet::new(),
            head: watch::Sender::new(None),
            room: RoomId::default(),
        };
        let mut clients = Vec::new();
        for number in 1..=talk.clients {
            clients.push(crowd.add(number, daemon, dir).await?);
        }
        // Only now: whoever is first could fill a small disk before the last is a member.
        for (sending, client) in clients {
            let stop = crowd.stop.subscribe();
            crowd.senders.spawn(sending.run(client, stop));
        }
        Ok(crowd)
    }

    async fn add(&mut self, number: u32, daemon: &Daemon, dir: &Path) -> Result<(Sending, Client)> {
        let key = format!("crash-{number}");
        let name = Name::firm(format!("client-{number}"));
        let data_dir = dir.join("clients");
        let outbox = OutboxKind::Headless { explicit_id: Some(key.clone()), renewable: false };
        let config = Config { outbox, ..Config::headless(daemon.target(), name, data_dir) };
        let (client, events) = chat_client::start(config)?;
        let lobby = RoomName::parse("lobby")?;
        self.room = client.find_room(&lobby).await?.room;
        // A client whose events nobody takes stops reading, so the reader comes first.
        self.readers.spawn(read(events, self.room, self.notes.clone(), self.head.subscribe()));
        let from_start = Position { epoch: Epoch(0), seq: Seq::ZERO };
        client.follow(self.room.into(), Some(from_start)).await?;
        client.join(&lobby).await?;
        let sending = Sending {
            number,
            stream: StreamId::explicit(&key, self.room),
            room: self.room,
            talk: self.talk,
            notes: self.notes.clone(),
        };
        Ok((sending, client))
    }

    /// Writes something else into the history, in its place in time.
    pub fn note<R>(&self, note: impl FnOnce(&mut History, Epoch) -> R) -> R {
        self.notes.note(|history| note(history, self.notes.epoch()))
    }

    /// How many sends were acked.
    #[must_use]
    pub fn acks(&self) -> u64 {
        *self.notes.acks.borrow()
    }

    /// Waits until so many more sends were acked.
    ///
    /// # Errors
    /// When the acks stop.
    pub async fn more_acks(&self, more: u64) -> Result<()> {
        let mut acks = self.notes.acks.subscribe();
        let wanted = *acks.borrow() + more;
        let enough = timeout(PATIENCE, acks.wait_for(|acks| *acks >= wanted)).await;
        enough.context("the acks stopped")??;
        Ok(())
    }

    /// Lets everybody finish: every send acked, every reader at the head.
    ///
    /// # Errors
    /// When somebody does not get there.
    pub async fn settle(mut self) -> Result<History> {
        self.stop.send_replace(true);
        let mut clients = Vec::new();
        while let Some(ended) = timeout(PATIENCE, self.senders.join_next()).await? {
            clients.push(ended??);
        }
        let one = clients.first().context("somebody is left")?;
        let lobby = one.find_room(&RoomName::parse("lobby")?).await?;
        self.head.send_replace(Some(lobby.head));
        while let Some(ended) = timeout(PATIENCE, self.readers.join_next()).await? {
            ended??;
        }
        for client in clients {
            client.shutdown().await;
        }
        self.notes.note(|history| history.settled(self.notes.epoch()));
        Ok(self.notes.note(std::mem::take))
    }
}

/// One client's sending.
struct Sending {
    number: u32,
    stream: StreamId,
    room: RoomId,
    talk: Talk,
    notes: Notes,
}

impl Sending {
    async fn run(self, client: Client, stop: watch::Receiver<bool>) -> Result<Client> {
        let Self { number, stream, room, talk, notes } = self;
        let mut waiting: VecDeque<AckFuture> = VecDeque::new();
        for n in 1.. {
            let is_last = *stop.borrow();
            if !is_last {
                let (text, nonce) = (talk.text(number, n), Nonce { stream, n });
                notes.note(|history| history.invoked(Sender(number), nonce, "lobby", &text));
                let sent = client.send(room, text).await?;
                ensure!(sent.nonce == nonce, "{:?} is the next of its stream", sent.nonce);
                waiting.push_back(sent.answer);
            }
            while waiting.len() > if is_last { 0 } else { talk.in_flight } {
                let Some(oldest) = waiting.pop_front() else { break };
                let ack = oldest.await?;
                notes.note(|history| history.acked(notes.epoch(), &ack));
                notes.acks.send_modify(|acks| *acks += 1);
            }
            if is_last {
                break;
            }
        }
        Ok(client)
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "every other event may be one of a log")]
async fn read(
    mut events: Events,
    room: RoomId,
    notes: Notes,
    mut until: watch::Receiver<Option<Seq>>,
) -> Result<()> {
    let mut reader: Option<Reader> = None;
    let mut at = Seq::ZERO;
    loop {
        if until.borrow_and_update().is_some_and(|head| at >= head) {
            return Ok(());
        }
        let event = tokio::select! {
            event = events.next() => event.context("the client goes on")?,
            _changed = until.changed() => continue,
        };
        match event {
            Event::Connected(connected) => {
                notes.epoch.send_replace(Some(connected.epoch));
                match reader {
                    None => {
                        let log = room.into();
                        let open =
                            |history: &mut History| history.opened(connected.epoch, log, Seq::ZERO);
                        reader = Some(notes.note(open));
                    }
                    Some(reader) => notes.note(|history| history.resumed(reader, connected.epoch)),
                }
            }
            event => {
                let Some(seen) = seen(&event) else { continue };
                let reader = reader.context("events come after the sign-in")?;
                at = seen.seq;
                notes.note(|history| history.received(reader, &seen));
            }
        }
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "no other event is one of the room's log")]
fn seen(event: &Event) -> Option<Seen> {
    let change = |kind: &str, change: &RoomChange| Seen {
        seq: change.seq,
        ts: change.ts,
        what: What::Notice(notice(kind, change.account)),
    };
    match event {
        Event::Message(message) => {
            let (from, id, text) = (message.from, message.id, message.text.clone());
            let what = What::Posted { from, id, text };
            Some(Seen { seq: message.seq, ts: message.ts, what })
        }
        Event::Joined(joined) => Some(change("joined", joined)),
        Event::Left(left) => Some(change("left", left)),
        Event::RoomCreated(created) => Some(change("room_created", created)),
        _ => None,
    }
}
