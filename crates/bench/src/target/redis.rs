//! redis-server: PUBLISH and SUBSCRIBE on one channel; what is published is kept nowhere, or in a
//! stream on the disk.
//!
//! A durable message is an XADD and the PUBLISH of the same text behind it, on one connection. With
//! `appendfsync always` everything that a turn of Redis's loop has to say leaves after the fsync of
//! that turn (`beforeSleep` in its `server.c`): the answer to XADD, and what subscribers get. XREAD
//! BLOCK would bring the stream itself, but each receiver would have to ask again after every batch.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use super::plain::{self, Line};
use super::{Environment, Participants, SenderConn, Stage};
use crate::machine::process::Process;
use crate::net::acks::Acks;
use crate::net::framing::Framing;
use crate::net::template::{Template, text};

/// Nothing is saved.
const IN_MEMORY: &str = "appendonly no\n";

/// Everything is, and the file is not rewritten while it is measured.
const DURABLE: &str = "appendonly yes\nappendfsync always\nauto-aof-rewrite-percentage 0\n";

pub(super) fn start(
    environment: &Environment,
    folder: &Path,
    is_durable: bool,
) -> Result<(Process, SocketAddr)> {
    let port = plain::free_port()?;
    let config = folder.join("redis.conf");
    // Nobody is cut off for being slow.
    let settings = format!(
        "bind 127.0.0.1\nport {port}\nsave \"\"\nmaxclients 100000\n\
         client-output-buffer-limit pubsub 0 0 0\ntcp-backlog 4096\ndir {}\n{}",
        folder.display(),
        if is_durable { DURABLE } else { IN_MEMORY },
    );
    std::fs::write(&config, settings)?;
    plain::start(environment, folder, "redis-server", &[&config.display().to_string()], port)
}

pub(super) fn set(
    address: SocketAddr,
    participants: &Participants,
    is_durable: bool,
) -> Result<Stage> {
    let receiver_conns = plain::connect(participants.receivers, |_| subscribe(address))?;
    let publish = command(&["PUBLISH", "room"], participants.text_bytes);
    let template = match is_durable {
        true => command(&["XADD", "room", "*", "text"], participants.text_bytes).and(&publish),
        false => publish,
    };
    let sender_conns = plain::connect(participants.senders, |_| Line::connect(address))?
        .into_iter()
        .map(|conn| SenderConn { socket: conn.socket, template: template.clone() })
        .collect();
    let head = format!("*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n${}\r\n", participants.text_bytes);
    let bytes = head.len() + participants.text_bytes + 2;
    let framing = Framing::Fixed { bytes, text_at: head.len(), begin: b"*3\r\n$7\r\n".to_vec() };
    Ok(Stage { receiver_conns, sender_conns, framing, acks: is_durable.then_some(Acks::Redis) })
}

/// A command, with a text as its last argument.
fn command(words: &[&str], text_bytes: usize) -> Template {
    let mut head = format!("*{}\r\n", words.len() + 1);
    for word in words {
        head += &format!("${}\r\n{word}\r\n", word.len());
    }
    head += &format!("${text_bytes}\r\n");
    let bytes = format!("{head}{}\r\n", text(text_bytes)).into_bytes();
    Template::new(bytes, head.len(), None)
}

fn subscribe(address: SocketAddr) -> Result<Line> {
    let mut line = Line::connect(address)?;
    line.say("SUBSCRIBE room\r\n")?;
    line.await_bytes(b":1\r\n")?;
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stamp::Stamp;

    #[test]
    fn a_durable_message_is_added_before_it_is_published() {
        let add = command(&["XADD", "room", "*", "text"], 16);
        let mut both = add.and(&command(&["PUBLISH", "room"], 16));
        let mut out = Vec::new();
        both.put(Stamp { sender: 0, count: 0, at_ns: 0 }, &mut out);
        let text = "0".repeat(16);
        let wanted = format!(
            "*5\r\n$4\r\nXADD\r\n$4\r\nroom\r\n$1\r\n*\r\n$4\r\ntext\r\n$16\r\n{text}\r\n\
             *3\r\n$7\r\nPUBLISH\r\n$4\r\nroom\r\n$16\r\n{text}\r\n"
        );
        assert_eq!(String::from_utf8(out).unwrap(), wanted);
    }
}
