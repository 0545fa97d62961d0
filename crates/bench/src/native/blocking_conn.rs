//! A conversation with chatd, one answer after the other: for preparing a scenario.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use chat_proto::{Body, HEADER_BYTES, Kind, RequestId, RoomInfo, decode, encode_frame, frame_end};

use super::{ConnectPlan, Connector, Key, SignedInConn};
use crate::net::framing::kind_of;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A signed-in connection that waits for its answers.
#[derive(Debug)]
pub(crate) struct BlockingConn {
    socket: TcpStream,
    inbox: Vec<u8>,
    next: u32,
}

impl BlockingConn {
    /// Signs in.
    pub(crate) fn begin(address: SocketAddr, key: Arc<Key>) -> Result<Self> {
        let plan = ConnectPlan { key, joins: Vec::new(), follow: None };
        let mut ignored = |_opened| {};
        let mut conns = Connector::new(address, 1, &mut ignored)?.connect_all(vec![plan])?;
        let conn = conns.pop().context("nobody came in")?;
        let SignedInConn { socket, rest, .. } = conn;
        socket.set_nonblocking(false)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self { socket, inbox: rest, next: 10 })
    }

    /// Joins a room.
    pub(crate) fn join(&mut self, name: &str) -> Result<RoomInfo> {
        self.ask(&chat_proto::Join { name: name.to_owned() })
    }

    /// Asks, and waits for the answer.
    pub(crate) fn ask<B: Body, R: Body>(&mut self, body: &B) -> Result<R> {
        let mut answers = self.ask_all(std::slice::from_ref(body))?;
        answers.pop().context("one question has one answer")
    }

    /// Asks everything, then waits for all answers. The questions must fit into the socket.
    pub(crate) fn ask_all<B: Body, R: Body>(&mut self, bodies: &[B]) -> Result<Vec<R>> {
        let mut bytes = Vec::new();
        for body in bodies {
            self.next = self.next.wrapping_add(1);
            encode_frame(body, RequestId(self.next), &mut bytes)?;
        }
        self.socket.write_all(&bytes)?;
        let mut answers = Vec::with_capacity(bodies.len());
        while answers.len() < bodies.len() {
            let frame = self.frame()?;
            let kind = kind_of(&frame)?;
            if kind == R::KIND as u16 {
                answers.push(decode(&frame[HEADER_BYTES..])?);
            } else if kind == Kind::Error as u16 || kind == Kind::Close as u16 {
                bail!("a {:?} was answered {}", B::KIND, String::from_utf8_lossy(&frame));
            }
        }
        Ok(answers)
    }

    /// The socket as a load uses it, and what has come and was not looked at.
    pub(crate) fn into_socket(self) -> Result<(TcpStream, Vec<u8>)> {
        self.socket.set_nonblocking(true)?;
        Ok((self.socket, self.inbox))
    }

    fn frame(&mut self) -> Result<Vec<u8>> {
        loop {
            if let Some(end) = frame_end(&self.inbox, 0).filter(|end| *end <= self.inbox.len()) {
                return Ok(self.inbox.drain(..end).collect());
            }
            let mut some = [0; 16 * 1024];
            match self.socket.read(&mut some).context("no answer came in time")? {
                0 => bail!("the server ended the conversation"),
                bytes => self.inbox.extend_from_slice(&some[..bytes]),
            }
        }
    }
}
