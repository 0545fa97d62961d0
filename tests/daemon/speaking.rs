//! Another protocol at the daemon's one port: it gets the socket with what was said on it.

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::spawn;
use std::time::Duration;

use anyhow::{Context, Result};
use chat_proto::{Ping, Pong};
use chat_tests::raw::Raw;
use chatd::protocols::{Handover, Peer, Protocol, Protocols, Service, TakeOver, Unregistered};
use chatd::{Config, Server};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

/// Says back what it hears, first what came before it had the socket, and tells who came.
#[derive(Debug)]
struct Echo(Mutex<SyncSender<Peer>>);

impl TakeOver for Echo {
    fn take_over(&self, connection: Handover) {
        let tell = self.0.lock().expect("no thread panics with it");
        tell.send(connection.peer).expect("the test waits for it");
        drop(tell);
        // Where it fails, the test hears less than it said.
        spawn(move || echo(connection));
    }
}

fn echo(connection: Handover) -> std::io::Result<()> {
    let Handover { socket, first_bytes, place, .. } = connection;
    match socket {
        Unregistered::Tcp(stream) => {
            stream.set_nonblocking(false)?;
            say_back(&stream, &first_bytes)?;
            stream.shutdown(Shutdown::Write)?;
        }
        Unregistered::Unix(stream) => {
            stream.set_nonblocking(false)?;
            say_back(&stream, &first_bytes)?;
            stream.shutdown(Shutdown::Write)?;
        }
    }
    drop(place);
    Ok(())
}

fn say_back<S>(stream: &S, first: &[u8]) -> std::io::Result<u64>
where
    for<'a> &'a S: Read + Write,
{
    let (mut reader, mut writer) = (stream, stream);
    writer.write_all(first)?;
    std::io::copy(&mut reader, &mut writer)
}

fn echoing() -> (Protocols, Receiver<Peer>) {
    let (tell, told) = sync_channel(8);
    let echo = Arc::new(Echo(Mutex::new(tell)));
    let protocol = Protocol {
        name: "echo",
        openings: &[b"ECHO "],
        ignores_case: false,
        service: Service::TakenOver(echo),
    };
    (Protocols::default().with(protocol), told)
}

async fn say_and_hear(
    stream: &mut (impl AsyncReadExt + AsyncWriteExt + Unpin),
    parts: &[&[u8]],
) -> Result<Vec<u8>> {
    let mut heard = Vec::new();
    for part in parts {
        stream.write_all(part).await?;
        stream.flush().await?;
        tokio::task::yield_now().await;
    }
    stream.shutdown().await?;
    timeout(PATIENCE, stream.read_to_end(&mut heard)).await.context("it hears nothing")??;
    Ok(heard)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protocol_takes_the_socket_over_with_its_first_bytes_and_its_peer() -> Result<()> {
    let dir = TempDir::new()?;
    let socket = dir.path().join("socket");
    let config = Config {
        listen: vec!["127.0.0.1:0".to_owned()],
        socket: Some(socket.clone()),
        data_dir: dir.path().join("data"),
        ..Config::default()
    };
    let (protocols, told) = echoing();
    let server = Server::start_speaking(config, protocols).await?;
    let address = server.addresses()[0];

    let mut tcp = TcpStream::connect(address).await?;
    let from = tcp.local_addr()?;
    // The opening in pieces, and what follows it at once.
    let heard = say_and_hear(&mut tcp, &[b"EC", b"HO one", b" two"]).await?;
    assert_eq!(heard.escape_ascii().to_string(), "ECHO one two");
    assert_eq!(told.recv_timeout(PATIENCE)?.to_string(), from.to_string());

    let mut unix = UnixStream::connect(&socket).await?;
    assert_eq!(say_and_hear(&mut unix, &[b"ECHO x"]).await?, b"ECHO x");
    let own = rustix::process::geteuid().as_raw();
    let peer = told.recv_timeout(PATIENCE)?;
    assert!(matches!(peer, Peer::User { uid, .. } if uid == own), "{peer:?}");

    // Its own protocol is spoken beside it, and others are declined as ever.
    let (mut raw, _) = Raw::sign_in(address, 1, "ada").await?;
    let pong: Pong = raw.ask(&Ping { token: 5 }).await?;
    assert_eq!(pong.token, 5);
    let mut irc = TcpStream::connect(address).await?;
    assert!(say_and_hear(&mut irc, &[b"NICK ada\r\n"]).await?.starts_with(b"ERROR :"));
    drop((raw, tcp, unix, irc));
    timeout(PATIENCE, server.shutdown()).await.context("it does not stop")?;
    Ok(())
}
