//! nats-server: core NATS, one subject.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use super::plain::{self, Line};
use super::{Environment, Participants, SenderConn, Stage};
use crate::machine::process::Process;
use crate::net::framing::Framing;
use crate::net::template::{Template, text};

/// Nobody is cut off for being slow, and no ping falls into a measurement.
const CONFIG: &str = "max_pending: 1GB\nwrite_deadline: \"60s\"\nping_interval: \"10m\"\n\
                      max_connections: 100000\n";

pub(super) fn start(environment: &Environment, folder: &Path) -> Result<(Process, SocketAddr)> {
    let port = plain::free_port()?;
    let config = folder.join("nats.conf");
    std::fs::write(&config, format!("listen: \"127.0.0.1:{port}\"\n{CONFIG}"))?;
    plain::start(environment, folder, "nats-server", &["-c", &config.display().to_string()], port)
}

pub(super) fn set(address: SocketAddr, participants: &Participants) -> Result<Stage> {
    let receiver_conns =
        plain::connect(participants.receivers, |_| enter(address, "SUB room 1\r\n"))?;
    let head = format!("PUB room {}\r\n", participants.text_bytes);
    let bytes = format!("{head}{}\r\n", text(participants.text_bytes)).into_bytes();
    let template = Template::new(bytes, head.len(), None);
    let sender_conns = plain::connect(participants.senders, |_| enter(address, ""))?
        .into_iter()
        .map(|conn| SenderConn { socket: conn.socket, template: template.clone() })
        .collect();
    let head = format!("MSG room 1 {}\r\n", participants.text_bytes);
    let bytes = head.len() + participants.text_bytes + 2;
    let framing = Framing::Fixed { bytes, text_at: head.len(), begin: b"MSG ".to_vec() };
    Ok(Stage { receiver_conns, sender_conns, framing, acks: None })
}

fn enter(address: SocketAddr, first: &str) -> Result<Line> {
    let mut line = Line::connect(address)?;
    line.await_bytes(b"\r\n")?;
    line.say(format!("CONNECT {{\"verbose\":false,\"pedantic\":false}}\r\n{first}PING\r\n"))?;
    line.await_bytes(b"PONG\r\n")?;
    Ok(line)
}
