//! What nobody reads, or what cannot be written, is felt by nobody: neither the log nor the words on
//! standard output.

use std::fs::File;
use std::io::{PipeReader, Write, pipe};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use chat_proto::{Ack, Join, RoomInfo};
use chat_tests::process::{Launch, binary, wait_for_end};
use chat_tests::raw::{Raw, send};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// What a pipe holds until somebody reads.
const PIPE_BYTES: usize = 64 * 1024;

/// Descriptors of the daemon, and more connections than they are enough for: that is a line for each
/// who is turned away.
const DESCRIPTORS: usize = 128;
const STRANGERS: usize = 160;

/// What a stream is for the daemon.
#[derive(Clone, Copy, Debug)]
enum Stream {
    /// Each write fails with `ENOSPC`.
    DiskFull,
    /// Each write fails with `EPIPE`.
    ReaderGone,
    /// Each write waits for ever.
    NobodyReads,
}

impl Stream {
    /// The stream, and what must stay there meanwhile.
    fn open(self) -> Result<(Stdio, Option<PipeReader>)> {
        if matches!(self, Self::DiskFull) {
            return Ok((File::options().write(true).open("/dev/full")?.into(), None));
        }
        let (reader, mut writer) = pipe()?;
        if matches!(self, Self::ReaderGone) {
            return Ok((writer.into(), None));
        }
        writer.write_all(&[b'.'; PIPE_BYTES])?;
        Ok((writer.into(), Some(reader)))
    }
}

struct Unread {
    child: Child,
    launch: Launch,
    _dir: TempDir,
    _kept: [Option<PipeReader>; 2],
}

impl Drop for Unread {
    fn drop(&mut self) {
        // It may have ended already; nothing else can go wrong with a child of ours.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Unread {
    fn start(stdout: Stream, stderr: Stream) -> Result<Self> {
        let dir = TempDir::new()?;
        let limit = format!("ulimit -n {DESCRIPTORS} && exec \"$0\" \"$@\"");
        let within = ["sh", "-c", &limit].map(str::to_owned).to_vec();
        let launch = Launch::new(&dir.path().join("data")).within(within);
        let launch = launch.flags(&["--log", "debug"]);
        let ((stdout, out), (stderr, err)) = (stdout.open()?, stderr.open()?);
        let child = launch.command()?.stdout(stdout).stderr(stderr).spawn()?;
        Ok(Self { child, launch, _dir: dir, _kept: [out, err] })
    }

    /// Signs in as soon as it serves.
    async fn sign_in(&self, key: u8, name: &str) -> Result<Raw> {
        let raw = Raw::connect_unix_when_served(self.launch.socket_path()).await?;
        Ok(raw.introduce(key, name).await?.0)
    }
}

/// Sends, has lines written, sends again, and stops it in order.
async fn is_not_felt(stdout: Stream, stderr: Stream) -> Result<()> {
    let mut daemon = Unread::start(stdout, stderr)?;
    let mut ada = daemon.sign_in(1, "ada").await?;
    let lobby: RoomInfo = ada.ask(&Join { name: "lobby".to_owned() }).await?;
    let _: Ack = ada.ask(&send(1, 1, lobby.room, "before")).await?;
    let mut strangers = Vec::new();
    for _ in 0..STRANGERS {
        // Who is turned away may be gone before his first bytes are.
        strangers.push(Raw::connect_unix(daemon.launch.socket_path()).await);
    }
    for n in 2..=50 {
        let _: Ack = ada.ask(&send(1, n, lobby.room, "after")).await?;
    }
    let asked = Instant::now();
    let pid = i32::try_from(daemon.child.id()).ok().and_then(Pid::from_raw);
    kill_process(pid.context("a process id")?, Signal::TERM)?;
    let status = wait_for_end(&mut daemon.child)?;
    let took = asked.elapsed();
    ensure!(status.code() == Some(0), "{status}");
    ensure!(took < Duration::from_secs(10), "it took {took:?}");
    Ok(())
}

#[tokio::test]
async fn a_log_on_a_full_disk_is_felt_by_nobody() -> Result<()> {
    is_not_felt(Stream::DiskFull, Stream::DiskFull).await
}

#[tokio::test]
async fn a_log_whose_reader_is_gone_is_felt_by_nobody() -> Result<()> {
    is_not_felt(Stream::ReaderGone, Stream::ReaderGone).await
}

#[tokio::test]
async fn a_log_that_nobody_reads_is_felt_by_nobody() -> Result<()> {
    is_not_felt(Stream::NobodyReads, Stream::NobodyReads).await
}

#[test]
fn a_start_that_fails_ends_also_when_nobody_reads_why() -> Result<()> {
    let dir = TempDir::new()?;
    let file = dir.path().join("file");
    File::create(&file)?;
    for stream in [Stream::DiskFull, Stream::ReaderGone, Stream::NobodyReads] {
        let (stderr, _kept) = stream.open()?;
        let mut command = std::process::Command::new(binary("chatd")?);
        command.args(["--listen", "127.0.0.1:0", "--socket", "none", "--data-dir"]);
        let mut child = command.arg(&file).stdout(Stdio::null()).stderr(stderr).spawn()?;
        assert_eq!(wait_for_end(&mut child)?.code(), Some(1), "{stream:?}");
    }
    Ok(())
}
