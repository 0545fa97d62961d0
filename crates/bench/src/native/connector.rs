//! Opens connections to chatd, many at once, through handshake, sign-in, join and subscribe.

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
use super::signed_in_conn::SignedInConn;
use crate::net::framing::{Framing, kind_of, varint};
use crate::net::poll::{Interest, Poll, Ready};
use crate::net::socket::{Moved, begin_to_connect, read, write};

/// How long no handshake may come further before all are given up. What is received on connections
/// that are ready is no step.
const PATIENCE: Duration = Duration::from_secs(20);

/// What one read takes at the most.
const READ_BYTES: usize = 64 * 1024;

/// What one connection is opened for.
#[derive(Clone, Debug)]
pub(crate) struct ConnectPlan {
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

/// Opens connections, at most `at_once` handshakes at a time.
pub(crate) struct Connector<'a> {
    address: SocketAddr,
    at_once: usize,
    note_opened: &'a mut dyn FnMut(usize),
    poll: Poll,
    buffer: Vec<u8>,
    /// Events received on connections that are ready; `None`: those are not read from.
    received: Option<u64>,
    patience: Duration,
}

/// One connection up to the end of its handshake.
struct HandshakeConn {
    plan: ConnectPlan,
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
    Ready,
}

impl<'a> Connector<'a> {
    /// A connector with so many handshakes at a time. `note_opened` is told how many are ready.
    pub(crate) fn new(
        address: SocketAddr,
        at_once: usize,
        note_opened: &'a mut dyn FnMut(usize),
    ) -> Result<Self> {
        debug_assert!(at_once > 0, "otherwise none would ever be opened");
        let poll = Poll::new()?;
        let buffer = vec![0; 2 * READ_BYTES];
        let patience = PATIENCE;
        Ok(Self { address, at_once, note_opened, poll, buffer, received: None, patience })
    }

    /// The same, but connections that are ready take what comes while others are opened.
    pub(crate) fn receiving_meanwhile(self) -> Self {
        Self { received: Some(0), ..self }
    }

    /// Events received on connections after they were ready.
    pub(crate) fn received(&self) -> u64 {
        self.received.unwrap_or_default()
    }

    /// Receives on all connections until each has everything up to a seq.
    pub(crate) fn receive_until(&mut self, conns: &mut [SignedInConn], seq: u64) -> Result<()> {
        let (mut ready, mut last_step) = (Vec::new(), Instant::now());
        while conns.iter().any(|conn| conn.seq < seq) {
            self.poll.wait(Duration::from_millis(100), &mut ready)?;
            for event in &ready {
                let conn = &mut conns[event.token];
                let before = conn.seq;
                self.receive(conn)?;
                if before < seq && conn.seq > before {
                    last_step = Instant::now();
                }
            }
            ensure!(last_step.elapsed() < self.patience, "not every connection gets event {seq}");
        }
        Ok(())
    }

    fn receive(&mut self, conn: &mut SignedInConn) -> Result<()> {
        let events = conn.receive(&mut self.buffer)?;
        self.received = self.received.map(|received| received + events);
        Ok(())
    }

    /// Opens all of them, in order; returns them in that order.
    pub(crate) fn connect_all(&mut self, plans: Vec<ConnectPlan>) -> Result<Vec<SignedInConn>> {
        let mut plans = plans.into_iter();
        let mut handshakes: Vec<Option<HandshakeConn>> = Vec::with_capacity(plans.len());
        let mut conns: Vec<Option<SignedInConn>> = Vec::with_capacity(plans.len());
        conns.resize_with(plans.len(), || None);
        let (mut opened, mut ready, mut last_step) = (0, Vec::new(), Instant::now());
        while opened < conns.len() {
            while handshakes.len() - opened < self.at_once
                && let Some(plan) = plans.next()
            {
                handshakes.push(Some(self.begin(plan, handshakes.len())?));
            }
            self.poll.wait(Duration::from_millis(100), &mut ready)?;
            for event in &ready {
                let place = &mut handshakes[event.token];
                let Some(handshake) = place else {
                    if let Some(conn) = &mut conns[event.token] {
                        self.receive(conn)?;
                    }
                    continue;
                };
                self.step(handshake, *event)
                    .with_context(|| format!("handshake {}", event.token))?;
                last_step = Instant::now();
                if handshake.stage == Stage::Ready {
                    conns[event.token] =
                        place.take().map(HandshakeConn::into_signed_in).transpose()?;
                    opened += 1;
                    (self.note_opened)(opened);
                }
            }
            ensure!(
                last_step.elapsed() < self.patience,
                "{opened} connections were opened, then none"
            );
        }
        Ok(conns.into_iter().flatten().collect())
    }

    fn begin(&self, plan: ConnectPlan, token: usize) -> Result<HandshakeConn> {
        let began = Instant::now();
        let socket = begin_to_connect(self.address)?;
        self.poll.watch(&socket, token, Interest::ReadAndWrite)?;
        Ok(HandshakeConn {
            plan,
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

    fn step(&mut self, handshake: &mut HandshakeConn, event: Ready) -> Result<()> {
        if handshake.stage == Stage::Connects && event.to_write {
            handshake.socket.take_error()?.map_or(Ok(()), Err)?;
            handshake.greet()?;
            self.poll.rewatch(&handshake.socket, event.token, Interest::Read)?;
        }
        if event.to_read {
            match read(&handshake.socket, &mut self.buffer[..READ_BYTES])? {
                Moved::Bytes(bytes) => handshake.receive(&self.buffer[..bytes])?,
                Moved::Nothing => {}
                Moved::Ended => bail!("turned away"),
            }
        }
        if handshake.stage == Stage::Ready && self.received.is_none() {
            self.poll.forget(&handshake.socket)?;
        }
        Ok(())
    }
}

impl HandshakeConn {
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

    fn receive(&mut self, bytes: &[u8]) -> Result<()> {
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
                let sign_in = self.plan.key.sign_in(&body::<Welcome>(frame)?);
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
        self.update_stage();
        Ok(())
    }

    fn ask(&self) -> Result<()> {
        let mut bytes = Vec::new();
        for name in &self.plan.joins {
            encode_frame(&Join { name: name.clone() }, RequestId(3), &mut bytes)?;
        }
        if let Some(Follow { log, after }) = self.plan.follow {
            encode_frame(&Subscribe { log, after }, RequestId(4), &mut bytes)?;
        }
        if bytes.is_empty() { Ok(()) } else { self.say(&bytes) }
    }

    fn update_stage(&mut self) {
        let has_joined = self.joined == self.plan.joins.len();
        let has_subscribed = self.plan.follow.is_none() || self.subscribed.is_some();
        if self.signed_in.is_some() && has_joined && has_subscribed {
            let after = self.plan.follow.and_then(|follow| follow.after);
            self.seq = match (after, &self.subscribed) {
                (Some(position), _) => position.seq.0,
                (None, Some(head)) => *head,
                (None, None) => 0,
            };
            self.stage = if self.seq < self.head() { Stage::CatchesUp } else { Stage::Ready };
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
            self.stage = Stage::Ready;
        }
        Ok(())
    }

    fn into_signed_in(self) -> Result<SignedInConn> {
        Ok(SignedInConn {
            socket: self.socket,
            rest: self.inbox,
            signed_in: self.signed_in.context("none is ready without having signed in")?,
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

    /// A connection that is ready, and the server's end of the connection.
    fn conn(listener: &TcpListener) -> (SignedInConn, TcpStream) {
        let socket = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let server = listener.accept().unwrap().0;
        socket.set_nonblocking(true).unwrap();
        let (account, name) = (AccountId(2), "ada".to_owned());
        let signed_in = SignedIn { account, name, epoch: Epoch(1), head: Seq(0) };
        (SignedInConn { socket, rest: Vec::new(), signed_in, seq: 0, took: Duration::ZERO }, server)
    }

    /// The connections are told of each other all the time, and the event that is waited for does not come.
    #[test]
    fn chatter_does_not_make_the_wait_for_an_event_longer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (conn, mut server) = conn(&listener);
        let mut note_opened = |_opened| {};
        let mut connector =
            Connector::new(listener.local_addr().unwrap(), 1, &mut note_opened).unwrap();
        connector.poll.watch(&conn.socket, 0, Interest::Read).unwrap();
        connector.patience = Duration::from_millis(300);
        let mut presence = Vec::new();
        encode_frame(&Presence { room: RoomId(1), online: 2 }, RequestId(0), &mut presence)
            .unwrap();
        let chatter = std::thread::spawn(move || {
            while server.write_all(&presence).is_ok() {
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        let waited = Instant::now();
        let given_up = connector.receive_until(&mut [conn], 1).unwrap_err();
        assert!(given_up.to_string().contains("not every connection gets event 1"), "{given_up}");
        assert!(waited.elapsed() < Duration::from_secs(30));
        chatter.join().unwrap();
    }
}
