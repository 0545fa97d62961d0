//! Somebody who looks closely at a daemon that cannot write: what it refuses, and what it still does.

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use chat_proto::{
    Ack, CloseReason, ErrorCode, History, HistoryPage, Join, Position, Posted, Presence, RoomInfo,
    Seq, Subscribe, Subscribed,
};
use chat_tests::crowd::Crowd;
use chat_tests::history::Sender;
use chat_tests::process::Daemon;
use chat_tests::raw::{Closed, Raw, Refused, send};

/// Accounts that are there before the disk fails, each used once: by the byte of its key.
const SPARE_KEYS: std::ops::RangeInclusive<u8> = 20..=29;

/// The account that sends and reads, and its stream.
const KEY: u8 = 19;

/// Somebody who has never been here.
const STRANGER: u8 = 99;

/// The probe.
#[derive(Debug)]
pub(crate) struct Probe {
    socket: PathBuf,
    lobby: RoomInfo,
    spare: std::ops::RangeInclusive<u8>,
    /// Of the next send, and of the last that is in the history.
    n: u64,
    invoked: u64,
}

impl Probe {
    /// Makes its accounts, while the disk is well.
    pub(crate) async fn prepare(daemon: &Daemon) -> Result<Self> {
        let socket = daemon.socket().to_owned();
        let mut lobby = None;
        for key in std::iter::once(KEY).chain(SPARE_KEYS) {
            let (mut raw, _) = introduce(&socket, key).await?;
            lobby = Some(raw.ask(&Join { name: "lobby".to_owned() }).await?);
        }
        let lobby = lobby.context("somebody joined")?;
        Ok(Self { socket, lobby, spare: SPARE_KEYS, n: 1, invoked: 0 })
    }

    /// A send is refused as one whose outcome is unknown. The next one has the same nonce.
    pub(crate) async fn is_refused(&mut self, crowd: &Crowd) -> Result<()> {
        match self.send(crowd).await? {
            Err(code) => ensure!(code == Some(ErrorCode::Unavailable), "{code:?}"),
            Ok(ack) => bail!("the disk is full, and yet: {ack:?}"),
        }
        Ok(())
    }

    /// The send that was refused goes through, and has the same answer for ever.
    pub(crate) async fn is_acked(&mut self, crowd: &Crowd) -> Result<()> {
        let ack = self.send(crowd).await?;
        let again = self.send(crowd).await?;
        ensure!(ack.is_ok() && ack == again, "{ack:?}, then {again:?}");
        self.n += 1;
        Ok(())
    }

    async fn send(&mut self, crowd: &Crowd) -> Result<Result<Ack, Option<ErrorCode>>> {
        let text = format!("probe {}", self.n);
        let send = send(KEY, self.n, self.lobby.room, &text);
        let sender = Sender(u32::from(KEY));
        if self.invoked < self.n {
            crowd.note(|history, _epoch| history.invoked(sender, send.nonce, "lobby", &text));
            self.invoked = self.n;
        }
        let (mut raw, _) = introduce(&self.socket, KEY).await?;
        match raw.ask::<_, Ack>(&send).await {
            Ok(ack) => {
                crowd.note(|history, epoch| history.acked(epoch, &ack));
                Ok(Ok(ack))
            }
            Err(error) => Ok(Err(error.downcast::<Refused>()?.0.known_code())),
        }
    }

    /// Signing in, joining where one is, history, following from the start, and what is live.
    pub(crate) async fn reads_go_on(&mut self) -> Result<()> {
        let (mut reader, signed_in) = introduce(&self.socket, KEY).await?;
        let room = self.lobby.room;
        let lobby: RoomInfo =
            reader.ask(&Join { name: "lobby".to_owned() }).await.context("join")?;
        ensure!(lobby.joined && lobby.head >= self.lobby.head);
        let page: HistoryPage = reader
            .ask(&History { room, before: Seq(u64::MAX), limit: 20 })
            .await
            .context("history")?;
        ensure!(!page.messages.is_empty(), "there is history");

        let from_start = Position { epoch: signed_in.epoch, seq: Seq::ZERO };
        let follow = Subscribe { log: room.into(), after: Some(from_start) };
        let subscribed: Subscribed = reader.ask(&follow).await.context("follow")?;
        while reader.event::<Posted>().await.context("from the start")?.seq < subscribed.head {}

        let friend = self.spare.next().context("there are spare accounts")?;
        let _friend = introduce(&self.socket, friend).await.context("sign in")?;
        while reader.event::<Presence>().await.context("live")?.online <= subscribed.online {}
        Ok(())
    }

    /// Somebody new cannot be written down, and is told to come back.
    pub(crate) async fn strangers_are_sent_away(&self) -> Result<()> {
        let Err(refused) = introduce(&self.socket, STRANGER).await else {
            bail!("an account was made on a disk that takes nothing");
        };
        let close = refused.downcast::<Closed>()?.0;
        ensure!(close.known_reason() == Some(CloseReason::Internal) && close.reconnect);
        ensure!(close.code == ErrorCode::Unavailable as u16, "{close:?}");
        Ok(())
    }
}

async fn introduce(socket: &std::path::Path, key: u8) -> Result<(Raw, chat_proto::SignedIn)> {
    Raw::connect_unix(socket).await?.introduce(key, &format!("probe-{key}")).await
}
