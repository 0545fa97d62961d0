//! Valid bytes in any two pieces, and connections that are reset at any byte.

use anyhow::{Context, Result};
use chat_proto::{FindRoom, HEADER_BYTES, Kind, Ping, Pong, RequestId, encode_frame};
use chat_tests::raw::Raw;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::TestServer;
use crate::bytes::{PATIENCE, hello};

/// A `Hello` that is understood: one version, no name of a program, 32 random bytes.
fn understood() -> Vec<u8> {
    hello(&[&[1_u8, 1, 0][..], &[9; 32]].concat())
}

/// Somebody whose answers show that the daemon has read what came before.
async fn barrier(bystander: &mut Raw) -> Result<()> {
    let pong: Pong = bystander.ask(&Ping { token: 7 }).await?;
    anyhow::ensure!(pong.token == 7, "another answer");
    Ok(())
}

#[tokio::test]
async fn a_handshake_goes_the_same_way_at_every_split_of_its_bytes() -> Result<()> {
    let server = TestServer::start().await?;
    let (mut bystander, _) = Raw::sign_in(server.address, 1, "bystander").await?;
    let bytes = understood();
    for cut in 0..=bytes.len() {
        let mut stream = TcpStream::connect(server.address).await?;
        stream.set_nodelay(true)?;
        stream.write_all(&bytes[..cut]).await?;
        barrier(&mut bystander).await?;
        stream.write_all(&bytes[cut..]).await?;
        let mut header = [0; HEADER_BYTES];
        let read = timeout(PATIENCE, stream.read_exact(&mut header)).await;
        read.with_context(|| format!("no answer, cut at {cut}"))??;
        assert_eq!(header[4..6], (Kind::Welcome as u16).to_le_bytes(), "cut at {cut}");
    }
    server.stop().await;
    Ok(())
}

#[tokio::test]
async fn requests_go_the_same_way_at_every_split_of_their_bytes() -> Result<()> {
    let server = TestServer::start().await?;
    let (mut bystander, _) = Raw::sign_in(server.address, 1, "bystander").await?;
    let (mut ada, _) = Raw::sign_in(server.address, 2, "ada").await?;
    let mut bytes = Vec::new();
    encode_frame(&FindRoom { name: "lobby".to_owned() }, RequestId(70), &mut bytes)?;
    encode_frame(&Ping { token: 3 }, RequestId(71), &mut bytes)?;
    for cut in 0..=bytes.len() {
        ada.socket().write_all(&bytes[..cut]).await?;
        barrier(&mut bystander).await?;
        ada.socket().write_all(&bytes[cut..]).await?;
        let answers = [ada.frame().await?, ada.frame().await?];
        let mut told = answers.each_ref().map(|frame| (frame.request.0, frame.known_kind()));
        told.sort_by_key(|(request, _kind)| *request);
        let wanted = [(70, Some(Kind::RoomInfo)), (71, Some(Kind::Pong))];
        assert_eq!(told, wanted, "cut at {cut}");
    }
    server.stop().await;
    Ok(())
}

// A process's descriptors are in `/proc`.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn connections_that_are_reset_at_any_byte_leave_no_descriptor_behind() -> Result<()> {
    use std::time::Duration;

    /// What the daemon may open meanwhile for itself; each cut is tried more often.
    const OWN_MAX: usize = 8;
    const ROUNDS: usize = 3;

    let dir = tempfile::TempDir::new()?;
    let daemon = chat_tests::process::Daemon::start(dir.path())?;
    let (mut bystander, _) = Raw::sign_in(daemon.address(), 1, "bystander").await?;
    let directory = format!("/proc/{}/fd", daemon.pid());
    let open = || std::fs::read_dir(&directory).map(Iterator::count);
    let (before, bytes) = (open()?, understood());
    for cut in (0..ROUNDS).flat_map(|_round| 0..=bytes.len()) {
        let mut stream = TcpStream::connect(daemon.address()).await?;
        stream.write_all(&bytes[..cut]).await?;
        barrier(&mut bystander).await?;
        // Closed like this, it is reset.
        rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO))?;
    }
    let left = async {
        while open()? > before + OWN_MAX {
            // Polling an outside process, not synchronising with it.
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        std::io::Result::Ok(())
    };
    timeout(PATIENCE, left).await.context("descriptors stay open")??;
    barrier(&mut bystander).await
}
