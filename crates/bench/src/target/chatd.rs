//! chatd itself: the daemon as a child process, entered through its own handshake.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use chat_proto::RoomInfo;

use super::{Environment, Participants, ReceiverConn, SenderConn, Stage};
use crate::machine::process::Process;
use crate::native::{
    BlockingConn, ConnectPlan, Connector, Follow, Key, SignedInConn, send_template,
};
use crate::net::acks::Acks;
use crate::net::framing::Framing;

/// The room that everybody is in.
pub(crate) const ROOM: &str = "bench";

/// As good as no limit on what an account may ask.
const UNLIMITED: &str = "--requests-per-second=1000000000";

/// How many connections are opened at a time.
const AT_ONCE: usize = 128;

pub(super) fn start(
    environment: &Environment,
    folder: &Path,
    durability: &str,
) -> Result<(Process, SocketAddr)> {
    let data_dir = folder.join("data").display().to_string();
    let args = ["--listen", "127.0.0.1:0", "--socket", "none", "--log", "warn"];
    let more = ["--data-dir", &data_dir, "--durability", durability];
    let unlimited = (!environment.limits_requests).then_some(UNLIMITED);
    let args = args.into_iter().chain(more).chain(unlimited);
    let args: Vec<String> = args.map(str::to_owned).collect();
    let mut process = Process::start(&environment.chatd, &args, environment.cores.server, folder)?;
    let stdout = process.stdout().context("stdout is a pipe")?;
    for line in BufReader::new(stdout).lines() {
        if let Some(address) = address_in(&line?) {
            return Ok((process, address));
        }
    }
    bail!("it ended before it was ready: {}", process.last_words())
}

/// The address in the line that lists the places that are listened at. The pipe is closed after it:
/// nobody reads what else is said, and nothing else is.
fn address_in(line: &str) -> Option<SocketAddr> {
    let places = line.trim_start().strip_prefix("listening at")?;
    places.split([' ', ',']).find_map(|word| word.parse().ok())
}

/// Everybody in one room. The receivers share one account, each sender has its own.
pub(super) fn set(address: SocketAddr, participants: &Participants) -> Result<Stage> {
    let key = |number: usize| Arc::new(Key::numbered(number as u64));
    let room: RoomInfo = BlockingConn::begin(address, key(0))?.join(ROOM)?;
    let follow = Some(Follow { log: room.room.into(), after: None });
    let joins = (1..=participants.senders).map(|number| ConnectPlan {
        key: key(number),
        joins: vec![ROOM.to_owned()],
        follow: None,
    });
    let senders = connect_all(address, joins.collect())?;
    let crowd = key(0);
    let listens = (0..participants.receivers)
        .map(|_| ConnectPlan { key: Arc::clone(&crowd), joins: Vec::new(), follow })
        .collect();
    let receiver_conns =
        connect_all(address, listens)?.into_iter().map(ReceiverConn::from).collect();
    let sender_conns = senders.into_iter().map(|conn| SenderConn {
        socket: conn.socket,
        template: send_template(room.room.0, participants.text_bytes),
    });
    let framing = Framing::Native { text_bytes: participants.text_bytes };
    Ok(Stage {
        receiver_conns,
        sender_conns: sender_conns.collect(),
        framing,
        acks: Some(Acks::Native),
    })
}

/// Opens connections, a few at a time.
pub(crate) fn connect_all(
    address: SocketAddr,
    plans: Vec<ConnectPlan>,
) -> Result<Vec<SignedInConn>> {
    let mut unnoticed = |_opened| {};
    Connector::new(address, AT_ONCE, &mut unnoticed)?.connect_all(plans)
}

impl From<SignedInConn> for ReceiverConn {
    fn from(conn: SignedInConn) -> Self {
        Self { socket: conn.socket, rest: conn.rest, seq: conn.seq }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_found_in_what_the_daemon_prints() {
        let line = "  listening at      127.0.0.1:40123, /tmp/chatd.sock";
        assert_eq!(address_in(line), Some(([127, 0, 0, 1], 40123).into()));
        assert_eq!(address_in("  on this machine   chat-tui 127.0.0.1:40123"), None);
    }
}
