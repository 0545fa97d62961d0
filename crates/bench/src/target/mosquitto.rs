//! mosquitto: MQTT 3.1.1, one topic, at most once.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Result;

use super::plain::{self, Line};
use super::{Environment, Participants, SenderConn, Stage};
use crate::machine::process::Process;
use crate::net::framing::Framing;
use crate::net::template::{Template, text};

const TOPIC: &[u8] = b"\0\x04room";

pub(super) fn start(environment: &Environment, folder: &Path) -> Result<(Process, SocketAddr)> {
    let port = plain::free_port()?;
    let config = folder.join("mosquitto.conf");
    // Nothing is dropped for being slow.
    let settings = format!(
        "listener {port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n\
         set_tcp_nodelay true\nuser root\nlog_type error\n"
    );
    std::fs::write(&config, settings)?;
    plain::start(environment, folder, "mosquitto", &["-c", &config.display().to_string()], port)
}

pub(super) fn set(address: SocketAddr, participants: &Participants) -> Result<Stage> {
    let receiver_conns = plain::connect(participants.receivers, |index| {
        let mut line = enter(address, &format!("r{index}"))?;
        line.say(packet(0x82, &[b"\0\x01", TOPIC, b"\0"].concat()))?;
        line.await_bytes(b"\x90\x03\0\x01\0")?;
        Ok(line)
    })?;
    let publish = packet(0x30, &[TOPIC, text(participants.text_bytes).as_bytes()].concat());
    let (bytes, text_at) = (publish.len(), publish.len() - participants.text_bytes);
    // What follows the first bytes is the topic: no other packet has it.
    let begin = publish[..text_at].to_vec();
    let template = Template::new(publish, text_at, None);
    let sender_conns =
        plain::connect(participants.senders, |index| enter(address, &format!("s{index}")))?
            .into_iter()
            .map(|conn| SenderConn { socket: conn.socket, template: template.clone() })
            .collect();
    let framing = Framing::Fixed { bytes, text_at, begin };
    Ok(Stage { receiver_conns, sender_conns, framing, acks: None })
}

fn enter(address: SocketAddr, name: &str) -> Result<Line> {
    let mut line = Line::connect(address)?;
    let length = u16::try_from(name.len())?.to_be_bytes();
    line.say(packet(0x10, &[b"\0\x04MQTT\x04\x02\0\0", &length[..], name.as_bytes()].concat()))?;
    line.await_bytes(b"\x20\x02\0\0")?;
    Ok(line)
}

/// A control packet: its type, the length of what follows in groups of seven bits, the rest.
fn packet(kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    let mut left = rest.len();
    loop {
        let group = u8::try_from(left % 128).expect("seven bits");
        left /= 128;
        bytes.push(if left > 0 { group | 0x80 } else { group });
        if left == 0 {
            break;
        }
    }
    bytes.extend_from_slice(rest);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_written_in_groups_of_seven_bits() {
        assert_eq!(packet(0x30, b"ab"), b"\x30\x02ab");
        assert_eq!(packet(0x30, &[0; 321])[..3], [0x30, 0xC1, 0x02]);
    }
}
