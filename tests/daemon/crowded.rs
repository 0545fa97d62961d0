//! More people than there are places for, and strangers who want much: who gets in, who is told why
//! not, and what it costs.

use std::time::Duration;

use anyhow::{Context, Result};
use chat_proto::{Close, CloseReason, Kind, MAGIC, Ping, Pong};
use chat_tests::process::{Daemon, Launch};
use chat_tests::raw::{Closed, Raw};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

const PATIENCE: Duration = Duration::from_secs(20);

/// 64 descriptors are not for connections: 32 are.
const OPEN_FILES: &str = "ulimit -n 96 && exec \"$0\" \"$@\"";

/// What is kept for the Unix socket, of 32.
const KEPT: usize = 2;

/// What one account may have, of 32.
const SHARE: usize = 8;

fn small_daemon(dir: &TempDir) -> Result<Daemon> {
    let within = ["sh", "-c", OPEN_FILES].map(str::to_owned).to_vec();
    Launch::new(&dir.path().join("data")).within(within).start()
}

/// Why somebody was not let in.
fn refusal<T>(entered: Result<T>) -> Result<Close> {
    let refused = entered.err().context("there was a place")?;
    Ok(refused.downcast::<Closed>().context("it was not told")?.0)
}

async fn lives(raw: &mut Raw) -> Result<()> {
    let pong: Pong = raw.ask(&Ping { token: 4 }).await?;
    anyhow::ensure!(pong.token == 4);
    Ok(())
}

#[tokio::test]
async fn no_account_has_all_places() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = small_daemon(&dir)?;
    let mut greedy = Vec::new();
    for _ in 0..SHARE {
        greedy.push(Raw::sign_in(daemon.address(), 1, "greedy").await?.0);
    }
    for _ in 0..3 {
        let close = refusal(Raw::sign_in(daemon.address(), 1, "greedy").await)?;
        assert_eq!(close.known_reason(), Some(CloseReason::Full), "{close:?}");
        assert!(close.reconnect && close.message.contains("this account"), "{close:?}");
    }
    let (mut person, _) = Raw::sign_in(daemon.address(), 2, "person").await?;
    lives(&mut person).await?;
    let operator = Raw::connect_unix(daemon.socket()).await?;
    let (mut operator, _) = operator.introduce(1, "greedy").await?;
    lives(&mut operator).await?;
    drop((operator, greedy.pop()));
    let entered = timeout(PATIENCE, async {
        while Raw::sign_in(daemon.address(), 1, "greedy").await.is_err() {}
    });
    entered.await.context("there is room again")
}

#[tokio::test]
async fn who_finds_no_place_reads_why_and_the_socket_has_some() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = small_daemon(&dir)?;
    let mut crowd = Vec::new();
    for key in 0..u8::try_from(32 - KEPT)? {
        let name = format!("guest-{key}");
        crowd.push(Raw::sign_in(daemon.address(), 100 + key, &name).await?.0);
    }
    for attempt in 0..20 {
        let close = refusal(Raw::sign_in(daemon.address(), 2, "late").await)
            .with_context(|| format!("attempt {attempt}"))?;
        assert_eq!(close.known_reason(), Some(CloseReason::Full), "{close:?}");
        assert!(close.reconnect, "{close:?}");
    }
    for key in 3..5 {
        let operator = Raw::connect_unix(daemon.socket()).await?;
        let (mut operator, _) = operator.introduce(key, &format!("operator-{key}")).await?;
        lives(&mut operator).await?;
        crowd.push(operator);
    }
    for guest in &mut crowd {
        lives(guest).await?;
    }
    assert_eq!(daemon.log().with("WARN"), [""; 0], "each of them is no news");
    Ok(())
}

#[tokio::test]
async fn those_who_say_nothing_keep_nobody_out() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = small_daemon(&dir)?;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(TcpStream::connect(daemon.address()).await?);
    }
    let started = Instant::now();
    let mut people = Vec::new();
    for key in 1..=SHARE {
        let name = format!("person-{key}");
        people.push(Raw::sign_in(daemon.address(), u8::try_from(key)?, &name).await?.0);
    }
    for person in &mut people {
        lives(person).await?;
    }
    assert!(
        started.elapsed() < Duration::from_secs(9),
        "their time for the handshake was not over"
    );
    let mut told = Vec::new();
    timeout(PATIENCE, silent[0].read_to_end(&mut told)).await.context("the first had to go")??;
    let told = String::from_utf8_lossy(&told);
    assert!(told.contains("you have not signed in"), "{told}");
    Ok(())
}

/// Bytes of a field of `/proc/PID/status`.
fn memory(daemon: &Daemon, field: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", daemon.pid()))?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)).context("the field")?;
    let kib: u64 = line.trim_start_matches(':').trim().trim_end_matches(" kB").parse()?;
    Ok(kib * 1024)
}

/// The magic, the header of a frame, and most of the body that it announces.
fn most_of_a(kind: Kind, body_bytes: usize) -> Result<Vec<u8>> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&u32::try_from(8 + body_bytes)?.to_le_bytes());
    bytes.extend_from_slice(&(kind as u16).to_le_bytes());
    bytes.extend_from_slice(&[1, 0, 1, 0, 0, 0]);
    bytes.resize(bytes.len() + body_bytes - 1, b'x');
    Ok(bytes)
}

#[tokio::test]
async fn strangers_cost_little_whatever_they_begin_to_say() -> Result<()> {
    const STRANGERS: u64 = 400;
    const EACH_BYTES_MAX: u64 = 16 * 1024;
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut bystander, _) = Raw::sign_in(daemon.address(), 1, "bystander").await?;
    let before = memory(&daemon, "VmRSS")?;
    let (long, short) = (most_of_a(Kind::Hello, 60_000)?, most_of_a(Kind::Hello, 500)?);
    let mut strangers = Vec::new();
    for number in 0..STRANGERS {
        let mut stranger = TcpStream::connect(daemon.address()).await?;
        // Who is refused by the header may not take all of it.
        let said = stranger.write_all(if number % 2 == 0 { &long } else { &short }).await;
        assert!(number % 2 == 0 || said.is_ok());
        strangers.push(stranger);
    }
    lives(&mut bystander).await?;
    let grown = memory(&daemon, "VmRSS")?.saturating_sub(before);
    assert!(grown <= STRANGERS * EACH_BYTES_MAX, "{grown} bytes for {STRANGERS} strangers");
    Ok(())
}

/// Signs in, and begins a long message.
async fn begin_to_say_much(daemon: &Daemon) -> Result<Raw> {
    let (mut raw, _) = Raw::sign_in(daemon.address(), 2, "talker").await?;
    let begun = most_of_a(Kind::Send, 16_000)?;
    raw.socket().write_all(&begun[MAGIC.len()..]).await?;
    Ok(raw)
}

// Other C libraries do not have what it takes, and `portable` does not ask for it.
#[cfg(target_env = "gnu")]
#[tokio::test]
async fn what_unfinished_frames_took_is_given_back_to_the_system() -> Result<()> {
    const TALKERS: usize = 300;
    const MIB: u64 = 1024 * 1024;
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut bystander, _) = Raw::sign_in(daemon.address(), 1, "bystander").await?;
    drop(begin_to_say_much(&daemon).await?);
    lives(&mut bystander).await?;
    let before = memory(&daemon, "VmRSS")?;
    let mut talkers = Vec::new();
    for _ in 0..TALKERS {
        talkers.push(begin_to_say_much(&daemon).await?);
    }
    let meanwhile = timeout(PATIENCE, async {
        loop {
            lives(&mut bystander).await?;
            let now = memory(&daemon, "VmRSS")?;
            if now > before + 4 * MIB {
                return anyhow::Ok(now);
            }
        }
    });
    let meanwhile = meanwhile.await.context("nothing is kept for them")??;
    drop(talkers);
    let deadline = Instant::now() + PATIENCE;
    let after = loop {
        let after = memory(&daemon, "VmRSS")?;
        if after < before + 3 * MIB || Instant::now() > deadline {
            break after;
        }
        // Polling an outside process, not synchronising with it.
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    println!("{before} bytes before, {meanwhile} meanwhile, {after} after");
    assert!(
        after < before + 3 * MIB,
        "{before} bytes before, {meanwhile} meanwhile, {after} after"
    );
    lives(&mut bystander).await
}

#[tokio::test]
async fn where_memory_is_short_newcomers_are_refused_and_the_others_stay() -> Result<()> {
    let dir = TempDir::new()?;
    let daemon = Daemon::start(&dir.path().join("data"))?;
    let (mut bystander, _) = Raw::sign_in(daemon.address(), 1, "bystander").await?;
    let size = memory(&daemon, "VmSize")? + 8 * 1024 * 1024;
    let pid = i32::try_from(daemon.pid()).ok().and_then(Pid::from_raw).context("a pid")?;
    let limit = Rlimit { current: Some(size), maximum: Some(size) };
    prlimit(Some(pid), Resource::As, limit)?;
    for _ in 0..5 {
        let close = refusal(Raw::sign_in(daemon.address(), 2, "newcomer").await)?;
        assert_eq!(close.known_reason(), Some(CloseReason::Full), "{close:?}");
        assert!(close.message.contains("memory"), "{close:?}");
        lives(&mut bystander).await?;
    }
    Ok(())
}
