//! One conversation over every way in.

use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::process::Command;

use anyhow::{Context, Result};
use chat_proto::{Ack, Join, Posted, RoomInfo, Subscribe, Subscribed};
use chat_tests::process::{Daemon, Launch, binary};
use chat_tests::raw::{Raw, send};
use tempfile::TempDir;

#[tokio::test]
async fn tcp_two_addresses_and_the_unix_socket_are_one_conversation() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start_with(&dir.path().join("data"), &["--listen", "127.0.0.2:0"])?;
    let addresses = daemon.addresses();
    assert_eq!(addresses.len(), 2, "{addresses:?}");
    let mut talkers = vec![Raw::connect_unix(daemon.socket()).await?.introduce(1, "unix").await?.0];
    for (key, address) in (2_u8..).zip(addresses) {
        talkers.push(Raw::sign_in(*address, key, &format!("tcp{key}")).await?.0);
    }
    let mut room = None;
    for talker in &mut talkers {
        let lobby: RoomInfo = talker.ask(&Join { name: "lobby".to_owned() }).await?;
        room = Some(lobby.room);
    }
    let room = room.context("they have joined")?;
    for talker in &mut talkers {
        let _: Subscribed = talker.ask(&Subscribe { log: room.into(), after: None }).await?;
    }
    for (stream, talker) in (1_u8..).zip(&mut talkers) {
        let _: Ack = talker.ask(&send(stream, 1, room, &format!("from {stream}"))).await?;
    }
    for talker in &mut talkers {
        let mut heard = Vec::new();
        for _ in 0..3 {
            heard.push(talker.event::<Posted>().await?.body.text);
        }
        assert_eq!(heard, ["from 1", "from 2", "from 3"]);
    }
    Ok(())
}

#[test]
fn every_ipv6_and_every_ipv4_address_are_listened_at_side_by_side() -> Result<()> {
    let Ok(probe) = std::net::TcpListener::bind("[::]:0") else {
        let name = "every_ipv6_and_every_ipv4_address_are_listened_at_side_by_side";
        writeln!(std::io::stderr(), "skipped: {name}: there is no IPv6")?;
        return Ok(());
    };
    let port = probe.local_addr()?.port();
    drop(probe);
    let dir = TempDir::new()?;
    let [v6, v4] = ["[::]", "0.0.0.0"].map(|ip| format!("--listen={ip}:{port}"));
    let _daemon = Daemon::start_with(&dir.path().join("data"), &[&v6, &v4])?;
    for ip in ["[::1]", "127.0.0.1"] {
        std::net::TcpStream::connect(format!("{ip}:{port}")).context(ip)?;
    }
    Ok(())
}

#[test]
fn too_few_descriptors_to_serve_anybody_are_told_at_the_start() -> Result<()> {
    let dir = TempDir::new()?;
    let within = ["sh", "-c", "ulimit -n 64 && exec \"$0\" \"$@\""].map(str::to_owned).to_vec();
    let refused = Launch::new(&dir.path().join("data")).within(within).command()?.output()?;
    let said = String::from_utf8(refused.stderr)?;
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("may open 64 files") && said.contains("ulimit -n 1024"), "{said}");
    assert!(refused.stdout.is_empty(), "it is not ready");
    Ok(())
}

#[test]
fn the_unix_socket_and_the_data_are_for_this_user_alone() -> Result<()> {
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    let daemon = Daemon::start(&data)?;
    let mode = |path: &std::path::Path| -> Result<u32> {
        Ok(std::fs::metadata(path)?.permissions().mode() & 0o777)
    };
    assert_eq!(mode(daemon.socket())?, 0o600);
    assert_eq!(mode(&data)?, 0o700);
    for file in std::fs::read_dir(&data)? {
        let path = file?.path();
        let public = path.extension().is_some_and(|extension| extension == "pub");
        assert!(public || mode(&path)? == 0o600, "{} is {:o}", path.display(), mode(&path)?);
    }
    Ok(())
}

#[test]
fn nothing_is_written_through_a_symbolic_link() -> Result<()> {
    for name in ["lock", "witness", "chatd.db"] {
        let dir = TempDir::new()?;
        let data = dir.path().join("data");
        std::fs::DirBuilder::new().mode(0o700).create(&data)?;
        let victim = dir.path().join("victim");
        std::fs::write(&victim, "")?;
        std::fs::set_permissions(&victim, std::fs::Permissions::from_mode(0o644))?;
        std::os::unix::fs::symlink(&victim, data.join(name))?;
        let refused = Launch::new(&data).command()?.output()?;
        let said = String::from_utf8(refused.stderr)?;
        assert_eq!(refused.status.code(), Some(1), "{name}: {said}");
        assert!(said.contains(name) && said.contains("symbolic link"), "{name}: {said}");
        let found = std::fs::metadata(&victim)?;
        assert_eq!((found.len(), found.permissions().mode() & 0o777), (0, 0o644), "{name}");
    }
    Ok(())
}

#[test]
fn a_data_directory_that_others_can_write_to_is_refused() -> Result<()> {
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    std::fs::create_dir(&data)?;
    for mode in [0o777, 0o770, 0o702, 0o1777] {
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(mode))?;
        let refused = Launch::new(&data).command()?.output()?;
        let said = String::from_utf8(refused.stderr)?;
        assert_eq!(refused.status.code(), Some(1), "{mode:o}: {said}");
        assert!(said.contains(&format!("chmod 700 {}", data.display())), "{said}");
        assert_eq!(std::fs::read_dir(&data)?.count(), 0, "nothing was put there");
    }
    std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o755))?;
    Daemon::start(&data)?;
    Ok(())
}

#[test]
fn a_second_daemon_on_the_same_data_refuses_with_a_sentence() -> Result<()> {
    let dir = TempDir::new()?;
    let data = dir.path().join("data");
    let first = Daemon::start(&data)?;
    let second = Command::new(binary("chatd")?)
        .args(["--listen", "127.0.0.1:0", "--socket", "none", "--data-dir"])
        .arg(&data)
        .output()?;
    let said = String::from_utf8(second.stderr)?;
    assert_eq!(second.status.code(), Some(1), "{said}");
    assert!(said.contains(&*data.to_string_lossy()), "{said}");
    assert!(said.contains(&first.pid().to_string()), "it names the first: {said}");
    Ok(())
}
