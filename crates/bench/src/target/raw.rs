//! The limit: a server that looks at nothing. See [`crate::relay`], which runs as a process of its
//! own like every other server.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;

use anyhow::{Context, Result};

use super::plain::{self, Line};
use super::{Environment, Participants, SenderConn, Stage};
use crate::machine::process::Process;
use crate::native::send_template;
use crate::net::acks::Acks;
use crate::net::framing::Framing;
use crate::relay::{RECEIVER, SENDER, WELCOME};

pub(super) fn start(
    environment: &Environment,
    folder: &Path,
    is_durable: bool,
) -> Result<(Process, SocketAddr)> {
    let this = std::env::current_exe()?;
    let mut args = vec!["relay".to_owned()];
    if is_durable {
        args.extend(["--durable".to_owned(), folder.join("log").display().to_string()]);
    }
    let mut process = Process::start(&this, &args, environment.cores.server, folder)?;
    let stdout = process.stdout().context("stdout is a pipe")?;
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line)?;
    let address = line.trim().parse().with_context(|| process.last_words())?;
    Ok((process, address))
}

pub(super) fn set(
    address: SocketAddr,
    participants: &Participants,
    acks: Option<Acks>,
) -> Result<Stage> {
    let enter = |first: &[u8]| {
        let mut line = Line::connect(address)?;
        line.say(first)?;
        line.await_bytes(WELCOME)?;
        Ok(line)
    };
    let receiver_conns = plain::connect(participants.receivers, |_| enter(&[RECEIVER]))?;
    // What comes in goes out: the receivers see the senders' own frames.
    let length = send_template(0, participants.text_bytes).len();
    let announced = u32::try_from(length)?.to_le_bytes();
    let first = [&[SENDER], &announced[..]].concat();
    let sender_conns =
        plain::connect(participants.senders, |_| enter(&first))?.into_iter().map(|conn| {
            SenderConn { socket: conn.socket, template: send_template(0, participants.text_bytes) }
        });
    let text_at = length - participants.text_bytes;
    let framing = Framing::Fixed { bytes: length, text_at, begin: Vec::new() };
    Ok(Stage { receiver_conns, sender_conns: sender_conns.collect(), framing, acks })
}
