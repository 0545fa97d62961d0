//! `flood`: one account asks as fast as it can, over many connections. Somebody who sends a message now
//! and then waits for its ack: first alone, then beside the flood.
//!
//! The one scenario in which the daemon's own limit on requests is in force: it is what is measured.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use chat_proto::{
    Ack, Body, HEADER_BYTES, History, Kind, Nonce, RequestId, RoomId, Send, Seq, StreamId,
    TextBody, decode, encode_frame, frame_end,
};

use super::{Bench, Scale, TEXT_BYTES};
use crate::machine::procfs;
use crate::native::{BlockingConn, ConnectPlan, Key, SignedInConn, fresh_stream};
use crate::net::framing::{kind_of, probe_reply, varint};
use crate::net::poll::{Interest, Poll, Ready};
use crate::net::socket::{Moved, read, write};
use crate::net::template::text;
use crate::row::Row;
use crate::stats::Histogram;
use crate::target::{Environment, ROOM, Server, Target, connect_all};

/// Between two messages of the one who is calm.
const CALM_PAUSE: Duration = Duration::from_millis(2);

/// How long the flood goes on before anything is measured: what it may ask at once is over by then.
const FLOOD_FIRST: Duration = Duration::from_secs(2);

/// Messages that the pages of history are of.
const PAGE_MESSAGES: u16 = 256;

/// What one read takes at the most.
const READ_BYTES: usize = 256 * 1024;

/// Who floods, and with what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Flood {
    pub(crate) connections: usize,
    pub(crate) asks: Asks,
}

/// What each connection of a flood asks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Asks {
    /// Messages in one stream.
    Messages,
    /// Messages, each in a stream of its own.
    Streams,
    /// Full pages of history.
    Pages,
}

impl Asks {
    /// How many requests of a connection are in flight.
    const fn window(self) -> usize {
        match self {
            Self::Messages => 512,
            Self::Streams => 256,
            Self::Pages => 4,
        }
    }
}

pub(crate) const FLOOD_100: Flood = Flood { connections: 100, asks: Asks::Messages };
pub(crate) const FLOOD_1000: Flood = Flood { connections: 1000, asks: Asks::Messages };
pub(crate) const FLOOD_STREAMS: Flood = Flood { connections: 100, asks: Asks::Streams };
pub(crate) const FLOOD_PAGES: Flood = Flood { connections: 300, asks: Asks::Pages };

impl Flood {
    /// The same, as large as everything is.
    pub(super) fn scaled(self, scale: Scale) -> Self {
        Self { connections: scale.of(self.connections), ..self }
    }

    /// Requests of all connections together that are in flight.
    pub(crate) const fn in_flight(self) -> u64 {
        (self.connections * self.asks.window()) as u64
    }
}

pub(super) fn run(target: Target, flood: Flood, bench: &Bench<'_>) -> Result<Vec<Row>> {
    let environment = Environment { limits_requests: true, ..bench.environment.clone() };
    let server = Server::start(target, &environment)?;
    let mut calm = BlockingConn::begin(server.address, Arc::new(Key::numbered(1)))?;
    let room = calm.join(ROOM)?.room;
    let (stream, mut n) = (fresh_stream(), 0);
    let mut acks = |length: Duration| {
        let mut times = Histogram::default();
        let began = Instant::now();
        while began.elapsed() < length {
            n += 1;
            let (nonce, body) = (Nonce { stream, n }, TextBody::say(text(TEXT_BYTES)));
            let asked = Instant::now();
            let _: Ack = calm.ask(&Send { nonce, room, body })?;
            times.record(u64::try_from(asked.elapsed().as_nanos()).unwrap_or(u64::MAX));
            std::thread::sleep(CALM_PAUSE);
        }
        anyhow::Ok(times)
    };
    acks(bench.scale.length / 4)?;
    (bench.say)("the calm one alone".to_owned());
    let alone = acks(bench.scale.length)?;

    let flooding = Flooding::start(&server, flood, room)?;
    (bench.say)(format!("beside {} connections", flood.connections));
    acks(FLOOD_FIRST)?;
    let (began, cpu) = (Instant::now(), procfs::cpu_time(server.pid())?);
    let before = flooding.counts();
    let beside = acks(bench.scale.length)?;
    let (seconds, cpu) = (began.elapsed(), procfs::cpu_time(server.pid())?.saturating_sub(cpu));
    let (answered, busy) = flooding.counts();
    flooding.end()?;

    let per_second = (answered - before.0) as f64 / seconds.as_secs_f64();
    let row = Row {
        ack_p50_us: Some(beside.quantile_us(0.5)),
        ack_p99_us: Some(beside.quantile_us(0.99)),
        seconds: seconds.as_secs_f64(),
        server_cpu_s: cpu.as_secs_f64(),
        ..Row::default()
    };
    Ok(vec![
        row.and("p50_alone_us", alone.quantile_us(0.5))
            .and("p99_alone_us", alone.quantile_us(0.99))
            .and("flood_per_s", per_second)
            .and("flood_busy", (busy - before.1) as f64)
            .and("server_busy", cpu.as_secs_f64() / seconds.as_secs_f64()),
    ])
}

/// A flood that goes on, on a thread of its own, until it is ended.
struct Flooding {
    shared: Arc<Shared>,
    thread: JoinHandle<Result<()>>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    answered: AtomicU64,
    /// Answers that said that there was too much to do.
    busy: AtomicU64,
}

impl Flooding {
    fn start(server: &Server, flood: Flood, room: RoomId) -> Result<Self> {
        let key = Arc::new(Key::numbered(2));
        let mut first = BlockingConn::begin(server.address, Arc::clone(&key))?;
        first.join(ROOM)?;
        if flood.asks == Asks::Pages {
            post_a_page(&mut first, room)?;
        }
        let plan = ConnectPlan { key, joins: Vec::new(), follow: None };
        let conns = connect_all(server.address, vec![plan; flood.connections])?;
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("flood".to_owned())
            .spawn(move || keep_asking(conns, flood.asks, room, &theirs))?;
        Ok(Self { shared, thread })
    }

    /// Requests that were answered, and those of them that were answered `Busy`.
    fn counts(&self) -> (u64, u64) {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        (read(&self.shared.answered), read(&self.shared.busy))
    }

    /// Ends it; tells what went wrong in it.
    fn end(self) -> Result<()> {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.thread.join().ok().context("the flood ended by a fault")?
    }
}

/// Posts what a page of history is made of.
fn post_a_page(conn: &mut BlockingConn, room: RoomId) -> Result<()> {
    let stream = fresh_stream();
    let sends: Vec<Send> = (1..=u64::from(PAGE_MESSAGES))
        .map(|n| Send { nonce: Nonce { stream, n }, room, body: TextBody::say(text(TEXT_BYTES)) })
        .collect();
    conn.ask_all::<Send, Ack>(&sends)?;
    Ok(())
}

fn keep_asking(conns: Vec<SignedInConn>, asks: Asks, room: RoomId, shared: &Shared) -> Result<()> {
    let mut poll = Poll::new()?;
    let mut flooders: Vec<Flooder> =
        conns.into_iter().map(|conn| Flooder::new(conn, asks, room)).collect();
    for (token, flooder) in flooders.iter_mut().enumerate() {
        poll.watch(&flooder.socket, token, Interest::ReadAndWrite)?;
    }
    let (mut ready, mut buffer): (Vec<Ready>, _) = (Vec::new(), vec![0; READ_BYTES]);
    while !shared.is_over.load(Ordering::Relaxed) {
        poll.wait(Duration::from_millis(50), &mut ready)?;
        for event in &ready {
            let flooder = &mut flooders[event.token];
            if event.to_read {
                flooder.take_answers(&mut buffer, shared)?;
            }
            let waited = !flooder.outbox.is_empty();
            flooder.ask()?;
            // Whoever has room to write is told so again and again.
            if waited == flooder.outbox.is_empty() || event.to_write {
                let wanted = match flooder.outbox.is_empty() {
                    true => Interest::Read,
                    false => Interest::ReadAndWrite,
                };
                poll.rewatch(&flooder.socket, event.token, wanted)?;
            }
        }
    }
    Ok(())
}

/// One connection of a flood.
struct Flooder {
    socket: TcpStream,
    asks: Asks,
    room: RoomId,
    stream: StreamId,
    asked: u64,
    in_flight: usize,
    inbox: Vec<u8>,
    /// What the socket has not taken.
    outbox: Vec<u8>,
}

impl Flooder {
    fn new(conn: SignedInConn, asks: Asks, room: RoomId) -> Self {
        let SignedInConn { socket, rest: inbox, .. } = conn;
        let (stream, outbox) = (fresh_stream(), Vec::new());
        Self { socket, asks, room, stream, asked: 0, in_flight: 0, inbox, outbox }
    }

    /// Fills the window, where half of it is free.
    fn ask(&mut self) -> Result<()> {
        if self.outbox.is_empty() && self.in_flight <= self.asks.window() / 2 {
            while self.in_flight < self.asks.window() {
                self.put_request()?;
            }
        }
        if self.outbox.is_empty() {
            return Ok(());
        }
        match write(&self.socket, &self.outbox)? {
            Moved::Bytes(bytes) => drop(self.outbox.drain(..bytes)),
            Moved::Nothing => {}
            Moved::Ended => bail!("a connection of the flood was cut off"),
        }
        Ok(())
    }

    fn put_request(&mut self) -> Result<()> {
        self.asked += 1;
        self.in_flight += 1;
        let (room, n) = (self.room, self.asked);
        match self.asks {
            Asks::Messages => self.put(&say(Nonce { stream: self.stream, n }, room)),
            Asks::Streams => self.put(&say(Nonce { stream: fresh_stream(), n: 1 }, room)),
            Asks::Pages => self.put(&History { room, before: Seq(u64::MAX), limit: PAGE_MESSAGES }),
        }
    }

    fn put(&mut self, request: &impl Body) -> Result<()> {
        // 0 is for events.
        let id = RequestId((self.asked % u64::from(u32::MAX)) as u32 + 1);
        Ok(encode_frame(request, id, &mut self.outbox)?)
    }

    fn take_answers(&mut self, buffer: &mut [u8], shared: &Shared) -> Result<()> {
        match read(&self.socket, buffer)? {
            Moved::Bytes(bytes) => self.inbox.extend_from_slice(&buffer[..bytes]),
            Moved::Nothing => return Ok(()),
            Moved::Ended => bail!("a connection of the flood was cut off"),
        }
        let (mut start, mut answered) = (0, 0);
        while let Some(end) = frame_end(&self.inbox, start).filter(|end| *end <= self.inbox.len()) {
            let frame = &self.inbox[start..end];
            match Kind::from_number(kind_of(frame)?) {
                Some(Kind::Ack | Kind::HistoryPage) => answered += 1,
                Some(Kind::Error) => {
                    let error: chat_proto::Error = decode(&frame[HEADER_BYTES..])?;
                    ensure!(
                        error.known_code() == Some(chat_proto::ErrorCode::Busy),
                        "the flood was refused: {error:?}"
                    );
                    shared.busy.fetch_add(1, Ordering::Relaxed);
                    answered += 1;
                }
                Some(Kind::Probe) => {
                    let (token, _nothing) = varint(&frame[HEADER_BYTES..]).context("a token")?;
                    self.outbox.extend_from_slice(&probe_reply(token));
                }
                Some(Kind::Close) => bail!("a connection of the flood was closed"),
                _ => {}
            }
            start = end;
        }
        self.inbox.drain(..start);
        self.in_flight -= answered;
        shared.answered.fetch_add(answered as u64, Ordering::Relaxed);
        Ok(())
    }
}

fn say(nonce: Nonce, room: RoomId) -> Send {
    Send { nonce, room, body: TextBody::say(text(TEXT_BYTES)) }
}
