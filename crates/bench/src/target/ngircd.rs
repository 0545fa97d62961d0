//! ngircd: one IRC channel, flood limits off.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use super::plain::{self, Line};
use super::{Environment, Participants, SenderConn, Stage};
use crate::machine::process::Process;
use crate::net::framing::Framing;
use crate::net::template::{Template, text};

pub(super) fn start(environment: &Environment, folder: &Path) -> Result<(Process, SocketAddr)> {
    let port = plain::free_port()?;
    let config = folder.join("ngircd.conf");
    let settings = format!(
        "[Global]\nName = irc.bench.example\nInfo = bench\nListen = 127.0.0.1\nPorts = {port}\n\
         ServerUID = root\nServerGID = root\nMotdPhrase = hello\n\
         [Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\nMaxPenaltyTime = 0\nMaxJoins = 0\n\
         PingTimeout = 3600\nPongTimeout = 3600\n\
         [Options]\nDNS = no\nIdent = no\nPAM = no\nSyslogFacility = local1\n"
    );
    std::fs::write(&config, settings)?;
    let config = config.display().to_string();
    plain::start(environment, folder, "ngircd", &["-n", "-f", &config], port)
}

pub(super) fn set(address: SocketAddr, participants: &Participants) -> Result<Stage> {
    let receiver_conns = plain::connect(participants.receivers, |index| {
        let mut line = enter(address, &format!("r{index:05}"))?;
        line.say("JOIN #room\r\n")?;
        line.await_bytes(b" 366 ")?;
        line.await_bytes(b"\r\n")?;
        Ok(line)
    })?;
    let head = "PRIVMSG #room :";
    let bytes = format!("{head}{}\r\n", text(participants.text_bytes)).into_bytes();
    let template = Template::new(bytes, head.len(), None);
    let sender_conns = plain::connect(participants.senders, |index| enter(address, &nick(index)))?
        .into_iter()
        .map(|conn| SenderConn { socket: conn.socket, template: template.clone() })
        .collect();
    // Every sender's name has the same length, and nobody else's begins like it.
    let head = format!(":{}!~u@127.0.0.1 PRIVMSG #room :", nick(0));
    let bytes = head.len() + participants.text_bytes + 2;
    let framing = Framing::Fixed { bytes, text_at: head.len(), begin: b":s".to_vec() };
    Ok(Stage { receiver_conns, sender_conns, framing, acks: None })
}

fn nick(sender: usize) -> String {
    format!("s{sender:05}")
}

fn enter(address: SocketAddr, nick: &str) -> Result<Line> {
    let mut line = Line::connect(address)?;
    line.say(format!("NICK {nick}\r\nUSER u 0 * :u\r\n"))?;
    line.await_bytes(b" 376 ")?;
    line.await_bytes(b"\r\n")?;
    Ok(line)
}
