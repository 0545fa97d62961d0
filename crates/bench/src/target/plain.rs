//! What the other servers have in common: a free port, a wait until it answers, a line at a time.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use super::{Environment, ReceiverConn, found};
use crate::machine::process::Process;

/// How long a server may take to answer, first and later.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a port is tried.
const POLL: Duration = Duration::from_millis(5);

/// A port that nobody had a moment ago.
pub(super) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}

/// Starts a program of the system that was told to listen at `port`, and waits until it does.
pub(super) fn start(
    environment: &Environment,
    folder: &Path,
    program: &str,
    args: &[&str],
    port: u16,
) -> Result<(Process, SocketAddr)> {
    let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
    let mut process = Process::start(&found(program)?, &args, environment.cores.server, folder)?;
    discard(process.stdout());
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let began = Instant::now();
    while TcpStream::connect(address).is_err() {
        ensure!(!process.has_ended(), "it ended: {}", process.last_words());
        ensure!(began.elapsed() < PATIENCE, "it does not listen: {}", process.last_words());
        std::thread::park_timeout(POLL);
    }
    Ok((process, address))
}

/// What a server prints must be read: a full pipe would stop it.
fn discard(stdout: Option<std::process::ChildStdout>) {
    if let Some(mut stdout) = stdout {
        // It ends with the server, which is a child of this process.
        std::thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
    }
}

/// A connection that is prepared step by step.
#[derive(Debug)]
pub(super) struct Line {
    socket: TcpStream,
    inbox: Vec<u8>,
}

impl Line {
    pub(super) fn connect(address: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket, inbox: Vec::new() })
    }

    pub(super) fn say(&mut self, bytes: impl AsRef<[u8]>) -> Result<()> {
        Ok(self.socket.write_all(bytes.as_ref())?)
    }

    /// Reads until `wanted` has come; drops it and everything before it.
    pub(super) fn await_bytes(&mut self, wanted: &[u8]) -> Result<()> {
        loop {
            let place = self.inbox.windows(wanted.len()).position(|window| window == wanted);
            if let Some(place) = place {
                self.inbox.drain(..place + wanted.len());
                return Ok(());
            }
            let mut some = [0; 4096];
            let said = String::from_utf8_lossy(wanted);
            match self
                .socket
                .read(&mut some)
                .with_context(|| format!("it does not say {said:?}"))?
            {
                0 => bail!("it ends the connection instead of saying {said:?}"),
                bytes => self.inbox.extend_from_slice(&some[..bytes]),
            }
        }
    }

    /// The socket as a load uses it.
    pub(super) fn into_conn(self) -> Result<ReceiverConn> {
        self.socket.set_nonblocking(true)?;
        Ok(ReceiverConn { socket: self.socket, rest: self.inbox, seq: 0 })
    }
}

/// Prepares so many connections, one after the other.
pub(super) fn connect(
    count: usize,
    mut enter: impl FnMut(usize) -> Result<Line>,
) -> Result<Vec<ReceiverConn>> {
    (0..count).map(|index| enter(index)?.into_conn()).collect()
}
