//! The door of chatd: many connections at once through handshake, sign-in, join and subscribe.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use chat_proto::{
    Body, HEADER_BYTES, Hello, Join, Kind, List, LogId, MAGIC, Position, RequestId, SignedIn,
    Subscribe, Welcome, decode, encode_frame, frame_end,
};

use super::Key;
use super::guest::Guest;
use crate::net::framing::{Framing, kind_of, varint};
use crate::net::poll::{Interest, Poll, Ready};
use crate::net::socket::{Moved, begin_to_connect, read, write};

/// How long nobody who is waited for may come further before the door is given up. What those hear
/// who are in already is no step of anybody.
const PATIENCE: Duration = Duration::from_secs(20);

/// What one read takes at the most.
const READ_BYTES: usize = 64 * 1024;

/// Who comes, and what for.
#[derive(Clone, Debug)]
pub(crate) struct Visit {
    pub(crate) key: Arc<Key>,
    /// The rooms to join, by their names.
    pub(crate) joins: Vec<String>,
    pub(crate) follow: Option<Follow>,
}

/// A log to subscribe to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Follow {
    pub(crate) log: LogId,
    /// `None`: only what is new.
    pub(crate) after: Option<Position>,
}

/// Lets visitors in.
pub(crate) struct Door<'a> {
    address: SocketAddr,
    at_once: usize,
    entered: &'a mut dyn FnMut(usize),
    poll: Poll,
    buffer: Vec<u8>,
    /// Events that those have got who stay; `None`: nobody does, whoever is in is not read from.
    heard: Option<u64>,
    patience: Duration,
}

/// One visitor on the way in.
struct Visitor {
    visit: Visit,
    socket: TcpStream,
    inbox: Vec<u8>,
    stage: Stage,
    began: Instant,
    signed_in: Option<SignedIn>,
    joined: usize,
    /// The head of the log when its cursor was opened.
    subscribed: Option<u64>,
    seq: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Connects,
    Waits,
    /// Everything was answered; events up to the head may be missing.
    CatchesUp,
    IsIn,
}

impl<'a> Door<'a> {
    /// A door through which so many go at once. `entered` is told how many are in.
    pub(crate) fn new(
        address: SocketAddr,
        at_once: usize,
        entered: &'a mut dyn FnMut(usize),
    ) -> Result<Self> {
        let poll = Poll::new()?;
        let buffer = vec![0; 2 * READ_BYTES];
        let patience = PATIENCE;
        Ok(Self { address, at_once, entered, poll, buffer, heard: None, patience })
    }

    /// The same door, for people who stay: whoever is in takes what comes while others come in.
    pub(crate) fn for_those_who_stay(self) -> Self {
        Self { heard: Some(0), ..self }
    }

    /// Events that those have got who stay, after they were in.
    pub(crate) fn heard(&self) -> u64 {
        self.heard.unwrap_or_default()
    }

    /// Lets those who stay take what comes until all of them have everything up to a seq.
    pub(crate) fn hear_until(&mut self, guests: &mut [Guest], seq: u64) -> Result<()> {
        let (mut ready, mut last_step) = (Vec::new(), Instant::now());
        while guests.iter().any(|guest| guest.seq < seq) {
            self.poll.wait(Duration::from_millis(100), &mut ready)?;
            for event in &ready {
                let guest = &mut guests[event.token];
                let before = guest.seq;
                self.hear(guest)?;
                if before < seq && guest.seq > before {
                    last_step = Instant::now();
                }
            }
            ensure!(last_step.elapsed() < self.patience, "not everybody gets event {seq}");
        }
        Ok(())
    }

    fn hear(&mut self, guest: &mut Guest) -> Result<()> {
        let events = guest.hear(&mut self.buffer)?;
        self.heard = self.heard.map(|heard| heard + events);
        Ok(())
    }

    /// Lets everybody in, in order; returns them in that order.
    pub(crate) fn admit(&mut self, visits: Vec<Visit>) -> Result<Vec<Guest>> {
        let mut visits = visits.into_iter();
        let mut visitors: Vec<Option<Visitor>> = Vec::with_capacity(visits.len());
        let mut guests: Vec<Option<Guest>> = Vec::with_capacity(visits.len());
        guests.resize_with(visits.len(), || None);
        let (mut inside, mut ready, mut last_step) = (0, Vec::new(), Instant::now());
        while inside < guests.len() {
            while visitors.len() - inside < self.at_once
                && let Some(visit) = visits.next()
            {
                visitors.push(Some(self.begin(visit, visitors.len())?));
            }
            self.poll.wait(Duration::from_millis(100), &mut ready)?;
            for event in &ready {
                let place = &mut visitors[event.token];
                let Some(visitor) = place else {
                    if let Some(guest) = &mut guests[event.token] {
                        self.hear(guest)?;
                    }
                    continue;
                };
                self.step(visitor, *event).with_context(|| format!("visitor {}", event.token))?;
                last_step = Instant::now();
                if visitor.stage == Stage::IsIn {
                    guests[event.token] = place.take().map(Visitor::into_guest).transpose()?;
                    inside += 1;
                    (self.entered)(inside);
                }
            }
            ensure!(last_step.elapsed() < self.patience, "{inside} came in, then nobody");
        }
        Ok(guests.into_iter().flatten().collect())
    }

    fn begin(&self, visit: Visit, token: usize) -> Result<Visitor> {
        let began = Instant::now();
        let socket = begin_to_connect(self.address)?;
        self.poll.watch(&socket, token, Interest::ReadAndWrite)?;
        Ok(Visitor {
            visit,
            socket,
            inbox: Vec::new(),
            stage: Stage::Connects,
            began,
            signed_in: None,
            joined: 0,
            subscribed: None,
            seq: 0,
        })
    }

    fn step(&mut self, visitor: &mut Visitor, event: Ready) -> Result<()> {
        if visitor.stage == Stage::Connects && event.to_write {
            visitor.socket.take_error()?.map_or(Ok(()), Err)?;
            visitor.greet()?;
            self.poll.rewatch(&visitor.socket, event.token, Interest::Read)?;
        }
        if event.to_read {
            match read(&visitor.socket, &mut self.buffer[..READ_BYTES])? {
                Moved::Bytes(bytes) => visitor.hear(&self.buffer[..bytes])?,
                Moved::Nothing => {}
                Moved::Ended => bail!("turned away"),
            }
        }
        if visitor.stage == Stage::IsIn && self.heard.is_none() {
            self.poll.forget(&visitor.socket)?;
        }
        Ok(())
    }
}

impl Visitor {
    fn greet(&mut self) -> Result<()> {
        let versions = List::first_of([Hello::VERSION_SPOKEN]);
        let hello = Hello { versions, agent: "chat-bench".to_owned(), random: [7; 32] };
        let mut bytes = MAGIC.to_vec();
        encode_frame(&hello, RequestId(1), &mut bytes)?;
        self.stage = Stage::Waits;
        self.say(&bytes)
    }

    /// A fresh socket takes a few hundred bytes at once.
    fn say(&self, bytes: &[u8]) -> Result<()> {
        let written = write(&self.socket, bytes)?;
        ensure!(written == Moved::Bytes(bytes.len()), "a fresh socket took {written:?}");
        Ok(())
    }

    fn hear(&mut self, bytes: &[u8]) -> Result<()> {
        self.inbox.extend_from_slice(bytes);
        let mut start = 0;
        while self.stage == Stage::Waits
            && let Some(end) = frame_end(&self.inbox, start).filter(|end| *end <= self.inbox.len())
        {
            let frame = self.inbox[start..end].to_vec();
            self.take(&frame)?;
            start = end;
        }
        self.inbox.drain(..start);
        if self.stage == Stage::CatchesUp {
            self.catch_up()?;
        }
        Ok(())
    }

    fn take(&mut self, frame: &[u8]) -> Result<()> {
        match Kind::from_number(kind_of(frame)?) {
            Some(Kind::Welcome) => {
                let sign_in = self.visit.key.sign_in(&body::<Welcome>(frame)?);
                let mut bytes = Vec::new();
                encode_frame(&sign_in, RequestId(2), &mut bytes)?;
                self.say(&bytes)?;
            }
            Some(Kind::SignedIn) => {
                self.signed_in = Some(body(frame)?);
                self.ask()?;
            }
            Some(Kind::RoomInfo) => self.joined += 1,
            // The members are nothing to a load.
            Some(Kind::Subscribed) => self.subscribed = Some(head_of(frame)?),
            // Other people's comings and goings.
            Some(Kind::Presence) => {}
            other => bail!("the server said {other:?}: {}", String::from_utf8_lossy(frame)),
        }
        self.look_around();
        Ok(())
    }

    fn ask(&self) -> Result<()> {
        let mut bytes = Vec::new();
        for name in &self.visit.joins {
            encode_frame(&Join { name: name.clone() }, RequestId(3), &mut bytes)?;
        }
        if let Some(Follow { log, after }) = self.visit.follow {
            encode_frame(&Subscribe { log, after }, RequestId(4), &mut bytes)?;
        }
        if bytes.is_empty() { Ok(()) } else { self.say(&bytes) }
    }

    fn look_around(&mut self) {
        let has_joined = self.joined == self.visit.joins.len();
        let has_subscribed = self.visit.follow.is_none() || self.subscribed.is_some();
        if self.signed_in.is_some() && has_joined && has_subscribed {
            let after = self.visit.follow.and_then(|follow| follow.after);
            self.seq = match (after, &self.subscribed) {
                (Some(position), _) => position.seq.0,
                (None, Some(head)) => *head,
                (None, None) => 0,
            };
            self.stage = if self.seq < self.head() { Stage::CatchesUp } else { Stage::IsIn };
        }
    }

    fn head(&self) -> u64 {
        self.subscribed.unwrap_or(0)
    }

    fn catch_up(&mut self) -> Result<()> {
        let mut seq = self.seq;
        let whole = Framing::Native { text_bytes: 0 }.walk(&self.inbox, |event| {
            let found = event.place.map_or(seq + 1, |(_log, seq)| seq);
            ensure!(found == seq + 1, "event {found} came after {seq}");
            seq = found;
            Ok(())
        })?;
        self.seq = seq;
        self.inbox.drain(..whole);
        if self.seq >= self.head() {
            self.stage = Stage::IsIn;
        }
        Ok(())
    }

    fn into_guest(self) -> Result<Guest> {
        Ok(Guest {
            socket: self.socket,
            rest: self.inbox,
            signed_in: self.signed_in.context("nobody is in without having signed in")?,
            seq: self.seq,
            took: self.began.elapsed(),
        })
    }
}

/// The head that a `Subscribed` tells of, behind the log and its epoch.
fn head_of(frame: &[u8]) -> Result<u64> {
    let (_log, rest) = varint(&frame[HEADER_BYTES..]).context("a log")?;
    let (_epoch, rest) = varint(rest).context("an epoch")?;
    let (head, _rest) = varint(rest).context("a head")?;
    Ok(head)
}

fn body<B: Body>(frame: &[u8]) -> io::Result<B> {
    decode(&frame[HEADER_BYTES..]).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use chat_proto::{AccountId, Epoch, Presence, RoomId, Seq};

    use super::*;

    /// Somebody who is in, and the server's end of the connection.
    fn guest(listener: &TcpListener) -> (Guest, TcpStream) {
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = listener.accept().unwrap().0;
        socket.set_nonblocking(true).unwrap();
        let (account, name) = (AccountId(2), "ada".to_owned());
        let signed_in = SignedIn { account, name, epoch: Epoch(1), head: Seq(0) };
        (Guest { socket, rest: Vec::new(), signed_in, seq: 0, took: Duration::ZERO }, server)
    }

    /// The guests hear of each other all the time, and the event that is waited for does not come.
    #[test]
    fn chatter_does_not_make_the_wait_for_an_event_longer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (guest, mut server) = guest(&listener);
        let mut entered = |_inside| {};
        let mut door = Door::new(listener.local_addr().unwrap(), 1, &mut entered).unwrap();
        door.poll.watch(&guest.socket, 0, Interest::Read).unwrap();
        door.patience = Duration::from_millis(300);
        let mut presence = Vec::new();
        encode_frame(&Presence { room: RoomId(1), online: 2 }, RequestId(0), &mut presence)
            .unwrap();
        let chatter = std::thread::spawn(move || {
            while server.write_all(&presence).is_ok() {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let waited = Instant::now();
        let given_up = door.hear_until(&mut [guest], 1).unwrap_err();
        assert!(given_up.to_string().contains("not everybody gets event 1"), "{given_up}");
        assert!(waited.elapsed() < Duration::from_secs(30));
        chatter.join().unwrap();
    }
}
