//! What one network may do, as a daemon behind a proxy sees it: the proxy's header says who comes.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use chat_proto::{
    Close, CloseReason, Done, ErrorCode, Join, Kind, Leave, MAGIC, Ping, Pong, RoomInfo, SignedIn,
};
use chat_tests::process::Daemon;
use chat_tests::raw::{Closed, Raw, Refused, proxy_header};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon that takes loopback for its proxy.
struct Proxied {
    daemon: Daemon,
    dir: TempDir,
}

impl Proxied {
    fn start(settings: &str) -> Result<Self> {
        let dir = TempDir::new()?;
        let file = dir.path().join("chatd.toml");
        write_settings(&dir, settings)?;
        let flags = ["--config", file.to_str().context("a path of letters")?];
        let daemon = Daemon::start_with(&dir.path().join("data"), &flags)?;
        Ok(Self { daemon, dir })
    }

    async fn connect(&self, from: &str) -> Result<Raw> {
        Raw::connect_for(self.daemon.address(), from.parse()?).await
    }

    async fn sign_in(&self, from: &str, key: u8, name: &str) -> Result<(Raw, SignedIn)> {
        self.connect(from).await?.introduce(key, name).await
    }
}

fn write_settings(dir: &TempDir, settings: &str) -> Result<()> {
    let proxied =
        "registration = 'open'\ninsecure-plaintext = true\nproxy-protocol-from = ['127.0.0.0/8']";
    let settings = format!("{proxied}\n{settings}");
    Ok(std::fs::write(dir.path().join("chatd.toml"), settings)?)
}

/// The daemon's last word to somebody who wants to come in.
async fn turned_away(raw: Result<Raw>) -> Result<Close> {
    let refused = raw?.greet().await.err().context("he is greeted")?;
    Ok(refused.downcast::<Closed>()?.0)
}

#[tokio::test]
async fn a_proxys_header_tells_who_it_is_at_every_split_of_the_bytes() -> Result<()> {
    let proxied = Proxied::start("log = 'info,chatd=debug'")?;
    let operator = Raw::connect_unix(proxied.daemon.socket()).await?;
    let (mut bystander, _) = operator.introduce(1, "bystander").await?;
    let header = proxy_header("[2001:db8::7]:4711".parse()?);
    let said = [&header[..], &MAGIC].concat();
    for cut in 0..=said.len() {
        let mut stream = TcpStream::connect(proxied.daemon.address()).await?;
        stream.set_nodelay(true)?;
        stream.write_all(&said[..cut]).await?;
        let _: Pong = bystander.ask(&Ping { token: 1 }).await?;
        stream.write_all(&said[cut..]).await?;
        // A frame that nobody sends here: the answer shows that the magic was understood.
        stream.write_all(&[8, 0, 0, 0, 0x77, 0x77, 1, 0, 1, 0, 0, 0]).await?;
        let mut heard = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut heard)).await;
        read.with_context(|| format!("no answer, cut at {cut}"))??;
        assert_eq!(heard[4..6], (Kind::Close as u16).to_le_bytes(), "cut at {cut}");
        let told = String::from_utf8_lossy(&heard);
        assert!(told.contains("kind 0x7777"), "cut at {cut}: {told}");
    }
    let closed = "code=Some(UnknownKind)";
    proxied.daemon.log().wait_for(closed, said.len() + 1).await?;
    let closed = proxied.daemon.log().with(closed);
    let is_theirs = |line: &String| line.contains("peer=\"[2001:db8::7]:4711\"");
    assert!(closed.iter().all(is_theirs), "{closed:?}");
    Ok(())
}

#[tokio::test]
async fn from_a_proxy_nothing_is_taken_without_a_header_and_it_may_speak_for_itself() -> Result<()>
{
    let proxied = Proxied::start("")?;
    let address = proxied.daemon.address();
    let close = turned_away(Raw::connect(address).await).await?;
    assert_eq!(close.code, ErrorCode::Malformed as u16, "{close:?}");
    assert!(close.message.contains("PROXY protocol header of version 2"), "{close:?}");
    for version_1 in ["PROXY TCP4 192.0.2.1 198.51.100.2 1 2\r\n", "GET / HTTP/1.1\r\n\r\n"] {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(version_1.as_bytes()).await?;
        let mut heard = Vec::new();
        timeout(PATIENCE, stream.read_to_end(&mut heard)).await??;
        assert!(String::from_utf8_lossy(&heard).contains("version 2"), "{version_1}");
    }
    let mut itself = TcpStream::connect(address).await?;
    itself.write_all(b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0EHLO me\r\n").await?;
    let mut heard = Vec::new();
    timeout(PATIENCE, itself.read_to_end(&mut heard)).await??;
    assert!(String::from_utf8_lossy(&heard).contains("connect with chat-tui"), "it is served");
    Ok(())
}

#[tokio::test]
async fn with_a_proxy_in_front_loopback_is_not_open_to_everybody() -> Result<()> {
    let dir = TempDir::new()?;
    let flags = ["--proxy-protocol-from=127.0.0.0/8", "--insecure-plaintext"];
    let daemon = Daemon::start_with(&dir.path().join("data"), &flags)?;
    let stranger = Raw::connect_for(daemon.address(), "192.0.2.1:1".parse()?).await?;
    let refused = stranger.introduce(1, "ada").await.err().context("he has no invitation")?;
    let close = refused.downcast::<Closed>()?.0;
    assert_eq!(close.known_reason(), Some(CloseReason::SignInRefused), "{close:?}");
    Ok(())
}

#[tokio::test]
async fn a_proxy_header_from_a_stranger_is_refused() -> Result<()> {
    let dir = TempDir::new()?;
    let flags = ["--proxy-protocol-from=10.0.0.0/8", "--registration=open"];
    let daemon = Daemon::start_with(&dir.path().join("data"), &flags)?;
    let stranger = Raw::connect_for(daemon.address(), "192.0.2.1:1".parse()?).await;
    let close = turned_away(stranger).await?;
    assert_eq!(close.code, ErrorCode::Malformed as u16, "{close:?}");
    assert!(close.message.contains("proxy-protocol-from"), "{close:?}");
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let _: Pong = ada.ask(&Ping { token: 1 }).await?;
    Ok(())
}

#[tokio::test]
async fn a_network_has_so_many_connections_and_a_reload_changes_how_many() -> Result<()> {
    let proxied = Proxied::start("connections-per-network = 2")?;
    let (_ada, _) = proxied.sign_in("192.0.2.1:1", 1, "ada").await?;
    let mut silent = proxied.connect("192.0.2.1:2").await?;
    silent.greet().await?;
    let close = turned_away(proxied.connect("192.0.2.1:3").await).await?;
    assert_eq!(close.known_reason(), Some(CloseReason::Full), "{close:?}");
    assert!(close.reconnect && close.message.contains("your network"), "{close:?}");
    let (_bob, _) = proxied.sign_in("192.0.2.2:1", 2, "bob").await?;
    drop(silent);
    let entered = timeout(PATIENCE, async {
        loop {
            if let Ok(entered) = proxied.sign_in("192.0.2.1:4", 3, "cyd").await {
                return entered;
            }
        }
    });
    let (_cyd, _) = entered.await.context("there is room again")?;
    write_settings(&proxied.dir, "connections-per-network = 3")?;
    proxied.daemon.signal(Signal::HUP)?;
    proxied.daemon.log().wait_for("the settings have been read again", 1).await?;
    let (_dan, _) = proxied.sign_in("192.0.2.1:5", 4, "dan").await?;
    let close = turned_away(proxied.connect("192.0.2.1:6").await).await?;
    assert_eq!(close.known_reason(), Some(CloseReason::Full), "{close:?}");
    Ok(())
}

#[tokio::test]
async fn a_64_of_ipv6_is_one_network_and_a_48_is_eight() -> Result<()> {
    let proxied = Proxied::start("connections-per-network = 1")?;
    let mut kept = Vec::new();
    for subnet in 0..8 {
        let mut first = proxied.connect(&format!("[2001:db8:7:{subnet}::1]:1")).await?;
        first.greet().await?;
        kept.push(first);
        let again = proxied.connect(&format!("[2001:db8:7:{subnet}:1:2:3:4]:1")).await;
        assert!(turned_away(again).await?.message.contains("your network"), "{subnet}");
    }
    let ninth = proxied.connect("[2001:db8:7:8::1]:1").await;
    assert!(turned_away(ninth).await?.message.contains("your network"));
    let mut other = proxied.connect("[2001:db8:8::1]:1").await?;
    other.greet().await?;
    Ok(())
}

#[tokio::test]
async fn who_signs_in_too_often_is_read_later_and_told_beyond_that_when_to_come() -> Result<()> {
    const AT_ONCE: usize = 60;
    let proxied = Proxied::start(&format!("sign-ins-per-minute = {AT_ONCE}"))?;
    let began = Instant::now();
    let mut crowd = Vec::new();
    let refused = loop {
        let mut next = proxied.connect("192.0.2.1:1").await?;
        // Who is not read yet does not answer; the next one is told apart by its close.
        match timeout(Duration::from_millis(300), next.greet()).await {
            Ok(Ok(_welcome)) => crowd.push(next),
            Ok(Err(refused)) => break refused.downcast::<Closed>()?.0,
            Err(_not_read_yet) => crowd.push(next),
        }
        assert!(crowd.len() < 3 * AT_ONCE, "nobody is refused");
    };
    assert_eq!(refused.code, ErrorCode::RateLimited as u16, "{refused:?}");
    assert_eq!(refused.known_reason(), Some(CloseReason::Full), "{refused:?}");
    assert!(refused.reconnect && (5_001..=60_000).contains(&refused.wait_ms), "{refused:?}");
    let came_back = began.elapsed().as_secs();
    let most = AT_ONCE + 6 + usize::try_from(came_back)?;
    assert!((AT_ONCE + 5..=most).contains(&crowd.len()), "{} in {came_back} s", crowd.len());
    let mut last = crowd.pop().context("a crowd")?;
    // It has said hello before, so that this answer is to that.
    let frame = last.frame().await.context("who had to wait is served")?;
    assert_eq!(frame.known_kind(), Some(Kind::Welcome));
    let (_other, _) = proxied.sign_in("192.0.2.2:1", 2, "other").await?;
    Ok(())
}

#[tokio::test]
async fn a_network_makes_so_many_accounts_and_who_has_one_signs_in() -> Result<()> {
    let proxied = Proxied::start("accounts-per-hour = 3")?;
    for key in 1..=3 {
        proxied.sign_in("192.0.2.1:1", key, &format!("guest-{key}")).await?;
    }
    let refused =
        proxied.sign_in("192.0.2.1:1", 4, "fourth").await.err().context("one too many")?;
    let close = refused.downcast::<Closed>()?.0;
    assert_eq!(close.code, ErrorCode::RateLimited as u16, "{close:?}");
    assert!(close.reconnect && (1..=1_200_000).contains(&close.wait_ms), "{close:?}");
    let (mut again, _) = proxied.sign_in("192.0.2.1:1", 1, "guest-1").await?;
    let _: Pong = again.ask(&Ping { token: 1 }).await?;
    proxied.sign_in("192.0.2.2:1", 4, "fourth").await.context("another network has its own")?;
    let operator = Raw::connect_unix(proxied.daemon.socket()).await?;
    for key in 10..20 {
        let own = Raw::connect_unix(proxied.daemon.socket()).await?;
        own.introduce(key, &format!("own-{key}")).await.context("this machine has no limit")?;
    }
    drop(operator);
    Ok(())
}

#[tokio::test]
async fn loopback_has_no_limit_of_a_network() -> Result<()> {
    let dir = TempDir::new()?;
    let limits =
        ["--connections-per-network=1", "--sign-ins-per-minute=1", "--accounts-per-hour=1"];
    let daemon = Daemon::start_with(&dir.path().join("data"), &limits)?;
    let mut crowd = Vec::new();
    for key in 1..=10 {
        crowd.push(Raw::sign_in(daemon.address(), key, &format!("guest-{key}")).await?);
    }
    Ok(())
}

/// How long so many pings take.
async fn pings(raw: &mut Raw, count: u64) -> Result<Duration> {
    let began = Instant::now();
    for token in 0..count {
        let _: Pong = raw.ask(&Ping { token }).await?;
    }
    Ok(began.elapsed())
}

#[tokio::test]
async fn a_bulk_account_has_no_rate_limit() -> Result<()> {
    let dir = TempDir::new()?;
    let flags = ["--requests-per-second=20", "--bulk-accounts=feed"];
    let daemon = Daemon::start_with(&dir.path().join("data"), &flags)?;
    let (mut feed, _) = Raw::sign_in(daemon.address(), 1, "feed").await?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 2, "ada").await?;
    // Eighty at once, then twenty a second.
    let limited = pings(&mut ada, 100).await?;
    assert!(limited >= Duration::from_millis(900), "{limited:?}");
    let bulk = pings(&mut feed, 2_000).await?;
    assert!(bulk < Duration::from_secs(50), "{bulk:?}: at 20 a second it is 96 s");
    Ok(())
}

#[tokio::test]
async fn who_joins_and_leaves_for_ever_is_told_when_to_go_on() -> Result<()> {
    const AT_ONCE: usize = 1_000;
    let dir = TempDir::new()?;
    let flags = ["--joins-per-minute=60", "--durability=process"];
    let daemon = Daemon::start_with(&dir.path().join("data"), &flags)?;
    let (mut ada, _) = Raw::sign_in(daemon.address(), 1, "ada").await?;
    let mut joined = 0;
    let refused = loop {
        let lobby: Result<RoomInfo> = ada.ask(&Join { name: "lobby".to_owned() }).await;
        match lobby {
            Ok(lobby) => {
                joined += 1;
                let _: Done = ada.ask(&Leave { room: lobby.room }).await?;
            }
            Err(error) => break error.downcast::<Refused>()?.0,
        }
        assert!(joined < 2 * AT_ONCE, "nobody stops her");
    };
    assert!(joined >= AT_ONCE, "{joined}");
    assert_eq!(refused.known_code(), Some(ErrorCode::RateLimited));
    assert!(refused.retry && (1..=1_000).contains(&refused.detail), "{refused:?}");
    let (mut bob, _) = Raw::sign_in(daemon.address(), 2, "bob").await?;
    let _: RoomInfo = bob.ask(&Join { name: "lobby".to_owned() }).await?;
    let _: Pong = ada.ask(&Ping { token: 1 }).await.context("her connection lives")?;
    Ok(())
}
