//! redis-server: PUBLISH and SUBSCRIBE on one channel, nothing kept.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use super::plain::{self, Line};
use super::{Cast, Ground, Stage, Voice};
use crate::machine::process::Process;
use crate::net::framing::Framing;
use crate::net::template::{Template, text};

pub(super) fn start(ground: &Ground, folder: &Path) -> Result<(Process, SocketAddr)> {
    let port = plain::free_port()?;
    let config = folder.join("redis.conf");
    // Nothing is saved, and nobody is cut off for being slow.
    let settings = format!(
        "bind 127.0.0.1\nport {port}\nsave \"\"\nappendonly no\nmaxclients 100000\n\
         client-output-buffer-limit pubsub 0 0 0\ntcp-backlog 4096\ndir {}\n",
        folder.display()
    );
    std::fs::write(&config, settings)?;
    plain::start(ground, folder, "redis-server", &[&config.display().to_string()], port)
}

pub(super) fn set(address: SocketAddr, cast: &Cast) -> Result<Stage> {
    let ears = plain::ears(cast.receivers, |_| subscribe(address))?;
    let head = format!("*3\r\n$7\r\nPUBLISH\r\n$4\r\nroom\r\n${}\r\n", cast.text_bytes);
    let bytes = format!("{head}{}\r\n", text(cast.text_bytes)).into_bytes();
    let template = Template::new(bytes, head.len(), None);
    let voices = plain::ears(cast.senders, |_| Line::connect(address))?
        .into_iter()
        .map(|ear| Voice { socket: ear.socket, template: template.clone() })
        .collect();
    let head = format!("*3\r\n$7\r\nmessage\r\n$4\r\nroom\r\n${}\r\n", cast.text_bytes);
    let bytes = head.len() + cast.text_bytes + 2;
    let framing = Framing::Fixed { bytes, text_at: head.len(), begin: b"*3\r\n$7\r\n".to_vec() };
    Ok(Stage { ears, voices, framing, has_acks: false })
}

fn subscribe(address: SocketAddr) -> Result<Line> {
    let mut line = Line::connect(address)?;
    line.say("SUBSCRIBE room\r\n")?;
    line.await_bytes(b":1\r\n")?;
    Ok(line)
}
