//! The operator at the Unix socket: what a daemon that runs tells, and what it does with those who are not
//! the operator, stall, or say what is no request.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use chat_proto::{
    AccountId, CloseReason, Done, ErrorCode, Join, MemberList, Members, Ping, Pong, Rename, Role,
    RoomInfo, SetRole,
};
use chat_tests::raw::Raw;
use chatd::config::RegistrationSetting;
use chatd::ctl::{Answer, ErrorKind, OPENING, Page, REQUEST_BYTES_MAX, Record};
use chatd::{Config, Server};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A daemon with a Unix socket and a port.
pub(crate) struct Daemon {
    pub(crate) server: Server,
    pub(crate) socket: PathBuf,
    _dir: TempDir,
}

impl Daemon {
    pub(crate) async fn start() -> Result<Self> {
        Self::start_with(RegistrationSetting::Auto).await
    }

    pub(crate) async fn start_with(registration: RegistrationSetting) -> Result<Self> {
        let dir = TempDir::new()?;
        let socket = dir.path().join("socket");
        let config = Config {
            listen: vec!["127.0.0.1:0".to_owned()],
            socket: Some(socket.clone()),
            data_dir: dir.path().join("data"),
            registration,
            ..Config::default()
        };
        let server = Server::start(config).await?;
        Ok(Self { server, socket, _dir: dir })
    }

    pub(crate) async fn sign_in(&self, key: u8, name: &str) -> Result<Raw> {
        Ok(Raw::sign_in(self.server.addresses()[0], key, name).await?.0)
    }
}

/// The operator's connection.
pub(crate) struct Operator {
    stream: BufReader<UnixStream>,
    has_opened: bool,
}

impl Operator {
    pub(crate) async fn connect(socket: &Path) -> Result<Self> {
        let stream = BufReader::new(UnixStream::connect(socket).await?);
        Ok(Self { stream, has_opened: false })
    }

    async fn say(&mut self, bytes: &[u8]) -> Result<()> {
        if !std::mem::replace(&mut self.has_opened, true) {
            self.stream.write_all(OPENING).await?;
        }
        Ok(self.stream.write_all(bytes).await?)
    }

    async fn hear(&mut self) -> Result<Answer> {
        let mut line = String::new();
        let read = timeout(PATIENCE, self.stream.read_line(&mut line)).await;
        read.context("the daemon says nothing")??;
        serde_json::from_str(&line).with_context(|| format!("{line:?}"))
    }

    pub(crate) async fn ask(&mut self, request: &str) -> Result<Answer> {
        self.say(format!("{request}\n").as_bytes()).await?;
        self.hear().await
    }

    /// What is told when it is done.
    pub(crate) async fn told(&mut self, request: &str) -> Result<Page> {
        match self.ask(request).await? {
            Answer::Ok(page) => Ok(page),
            Answer::Error { kind, message } => anyhow::bail!("{kind:?}: {message}"),
        }
    }

    /// The daemon closes the connection.
    async fn ends(&mut self) -> Result<()> {
        let mut rest = Vec::new();
        // That it had something unread is no matter.
        let _closed_or_reset = timeout(PATIENCE, self.stream.read_to_end(&mut rest)).await?;
        assert_eq!(String::from_utf8_lossy(&rest), "");
        Ok(())
    }
}

pub(crate) fn field<'a>(record: &'a Record, name: &str) -> &'a serde_json::Value {
    record.get(name).unwrap_or_else(|| panic!("{record:?} has no {name}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_is_told_how_the_daemon_stands_and_who_has_an_account() -> Result<()> {
    let daemon = Daemon::start().await?;
    let ada = daemon.sign_in(1, "ada").await?;
    drop(daemon.sign_in(2, "bob").await?);
    let mut operator = Operator::connect(&daemon.socket).await?;
    let page = operator.told(r#"{"verb":"status"}"#).await?;
    let [status] = &page.records[..] else { panic!("{page:?}") };
    assert_eq!(field(status, "version"), env!("CARGO_PKG_VERSION"));
    assert_eq!(
        (field(status, "accounts").as_u64(), field(status, "rooms").as_u64()),
        (Some(2), Some(1))
    );
    assert_eq!(field(status, "writable"), true);
    assert_eq!(field(status, "fingerprint"), daemon.server.fingerprint());
    assert!(field(status, "store-bytes").as_u64() > Some(0), "{status:?}");

    // The same connection takes the next request.
    let page = operator.told(r#"{"verb":"accounts"}"#).await?;
    let mut names: Vec<_> =
        page.records.iter().filter_map(|account| field(account, "name").as_str()).collect();
    names.sort_unstable();
    assert_eq!((&names[..], &page.next), (&["ada", "bob"][..], &None));
    let is_ada = |account: &&Record| field(account, "name") == "ada";
    let row = page.records.iter().find(is_ada).context("ada is there")?;
    assert_eq!((field(row, "online"), field(row, "credentials").as_u64()), (&true.into(), Some(1)));
    drop((ada, operator));
    timeout(PATIENCE, daemon.server.shutdown()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tcp_nobody_is_the_operator() -> Result<()> {
    let daemon = Daemon::start().await?;
    let mut stream = TcpStream::connect(daemon.server.addresses()[0]).await?;
    stream.write_all(&[OPENING, b"{\"verb\":\"status\"}\n"].concat()).await?;
    let mut heard = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut heard)).await??;
    let answer: Answer = serde_json::from_str(&heard)?;
    let Answer::Error { kind: ErrorKind::NotAllowed, message } = answer else {
        panic!("{answer:?}")
    };
    assert!(message.contains("Unix socket"), "{message}");
    timeout(PATIENCE, daemon.server.shutdown()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_is_told_so_and_ends_the_conversation() -> Result<()> {
    let daemon = Daemon::start().await?;
    let one_mib = vec![b'x'; 1024 * 1024];
    let no_newline = vec![b'x'; REQUEST_BYTES_MAX + 1];
    for request in [
        &b"\n"[..],
        b"{}\n",
        b"{\"verb\":\"format-disk\"}\n",
        b"{\"verb\":\"status\",\"more\":1}\n",
        b"{\"verb\":\"accounts\",\"after\":7}\n",
        b"\xff\xfe\n",
        &one_mib,
        &no_newline,
    ] {
        let mut operator = Operator::connect(&daemon.socket).await?;
        // The daemon need not take all of it.
        let _broken_or_not = operator.say(request).await;
        let answer = operator.hear().await?;
        assert!(matches!(answer, Answer::Error { kind: ErrorKind::Usage, .. }), "{answer:?}");
        operator.ends().await?;
    }
    // Half a line, and then nothing more: there is nobody to be answered.
    let mut operator = Operator::connect(&daemon.socket).await?;
    operator.say(b"{\"verb\":\"sta").await?;
    operator.stream.shutdown().await?;
    operator.ends().await?;
    // One that is wrong in what it says is not the last word.
    let mut operator = Operator::connect(&daemon.socket).await?;
    let answer = operator.ask(r#"{"verb":"accounts","after":"x"}"#).await?;
    assert!(matches!(answer, Answer::Error { kind: ErrorKind::Usage, .. }), "{answer:?}");
    assert_eq!(operator.told(r#"{"verb":"status"}"#).await?.records.len(), 1);
    timeout(PATIENCE, daemon.server.shutdown()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn those_who_stall_end_and_take_no_place_for_ever() -> Result<()> {
    let daemon = Daemon::start().await?;
    let mut stalled = Vec::new();
    // More than are served and wait at the same time; a place to wait is free again once its peer is served.
    for _ in 0..40 {
        let mut one = Operator::connect(&daemon.socket).await?;
        one.say(b"{\"verb\":").await?;
        stalled.push(one);
    }
    // Each is told why it ends: that it said nothing, or that there were too many.
    let mut too_many = 0;
    for mut one in stalled {
        let mut line = String::new();
        timeout(PATIENCE, one.stream.read_line(&mut line)).await.context("it stays for ever")??;
        match serde_json::from_str(&line) {
            Ok(Answer::Error { kind: ErrorKind::Usage, message }) => {
                assert!(message.contains("within 10 s"), "{message}");
            }
            Ok(Answer::Error { kind: ErrorKind::Retry, .. }) => too_many += 1,
            other => panic!("{other:?} of {line:?}"),
        }
    }
    assert!(too_many <= 40 - 16, "{too_many} of 40 found no place");
    let mut operator = Operator::connect(&daemon.socket).await?;
    assert_eq!(operator.told(r#"{"verb":"status"}"#).await?.records.len(), 1);
    timeout(PATIENCE, daemon.server.shutdown()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_stops_says_so_to_an_operator_who_waits() -> Result<()> {
    let daemon = Daemon::start().await?;
    let mut operator = Operator::connect(&daemon.socket).await?;
    operator.told(r#"{"verb":"status"}"#).await?;
    timeout(PATIENCE, daemon.server.shutdown()).await?;
    let answer = operator.hear().await?;
    let Answer::Error { kind: ErrorKind::Retry, message } = answer else { panic!("{answer:?}") };
    assert!(message.contains("stops"), "{message}");
    operator.ends().await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_tells_what_owners_and_the_operator_have_done() -> Result<()> {
    let daemon = Daemon::start().await?;
    let (mut ada, mut bob) = (daemon.sign_in(1, "ada").await?, daemon.sign_in(2, "bob").await?);
    let room: RoomInfo = ada.ask(&Join { name: "dev".to_owned() }).await?;
    let _joined: RoomInfo = bob.ask(&Join { name: "dev".to_owned() }).await?;
    let members: MemberList = ada.ask(&Members { room: room.room, after: AccountId(0) }).await?;
    let bobs =
        members.members.iter().find(|member| member.name == "bob").context("bob is there")?;
    let role = SetRole { room: room.room, account: bobs.account, role: Role::Moderator as u16 };
    let _done: Done = ada.ask(&role).await?;
    // What somebody does in their own name is no part of it.
    let _done: Done = bob.ask(&Rename { name: "rob".to_owned() }).await?;
    let mut operator = Operator::connect(&daemon.socket).await?;
    operator.told(r#"{"verb":"admin","do":"add","name":"rob"}"#).await?;
    let page = operator.told(r#"{"verb":"audit"}"#).await?;
    let text = |record: &Record, name| field(record, name).as_str().unwrap_or("-").to_owned();
    let told: Vec<_> = page
        .records
        .iter()
        .map(|record| ["by", "what", "account", "room", "value"].map(|name| text(record, name)))
        .collect();
    assert_eq!(
        told,
        [
            ["ada", "role_set", "rob", "#dev", "moderator"],
            ["(operator)", "administrator_set", "rob", "-", "-"],
        ]
    );
    timeout(PATIENCE, daemon.server.shutdown()).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_disabled_is_signed_out_at_once_and_signs_in_again_when_enabled() -> Result<()> {
    let daemon = Daemon::start().await?;
    let (mut ada, mut ada_too) = (daemon.sign_in(1, "ada").await?, daemon.sign_in(1, "ada").await?);
    let mut bob = daemon.sign_in(2, "bob").await?;
    let mut operator = Operator::connect(&daemon.socket).await?;
    operator.told(r#"{"verb":"account","do":"disable","name":"ada","reason":"on leave"}"#).await?;
    for session in [&mut ada, &mut ada_too] {
        let close = session.closed().await?;
        assert_eq!(close.known_reason(), Some(CloseReason::SignedOut));
        assert_eq!((close.code, close.reconnect), (ErrorCode::AccountDisabled as u16, false));
        assert!(close.message.contains("on leave"), "{}", close.message);
    }
    let pong: Pong = bob.ask(&Ping { token: 5 }).await?;
    assert_eq!(pong.token, 5, "others go on");
    // Whoever has the key is told why; nobody else can be asked.
    let mut refused = Raw::connect(daemon.server.addresses()[0]).await?;
    refused.begin_to_introduce(1, "ada").await?;
    let close = refused.closed().await?;
    assert_eq!(close.known_reason(), Some(CloseReason::SignInRefused));
    assert_eq!((close.code, close.reconnect), (ErrorCode::AccountDisabled as u16, false));
    assert!(close.message.contains("on leave"), "{}", close.message);
    operator.told(r#"{"verb":"account","do":"enable","name":"ada"}"#).await?;
    let mut ada = daemon.sign_in(1, "ada").await?;
    let pong: Pong = ada.ask(&Ping { token: 6 }).await?;
    assert_eq!(pong.token, 6);
    timeout(PATIENCE, daemon.server.shutdown()).await?;
    Ok(())
}
